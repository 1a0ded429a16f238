//! Control plane blind: no probe is heard of and no report arrives.
//!
//! - What is missing means nothing new: beliefs stay what they were. Traffic is not touched.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// The control plane hears of no probe and gets no report: its beliefs stay what they were.
pub struct ControlBlind;

impl FaultKind for ControlBlind {
    fn name(&self) -> &'static str {
        "control-blind"
    }

    fn summary(&self) -> &'static str {
        "the control plane hears of no probe and gets no report: its beliefs stay what they were"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "the control plane hears nothing {}",
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[];
        KEYS
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        _scenario: &Scenario,
        _luck: Stream,
    ) -> Vec<Episode> {
        one(number, fault, Impairment::ControlBlind)
    }
}
