//! Control plane blind: no probe is heard of and no report arrives, of one region or of any.
//!
//! - What is missing means nothing new: beliefs stay what they were. Traffic is not touched.
//! - Of a region of which nothing is heard nothing is ordered, and no traffic is newly sent to it.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// The control plane hears of no probe of a region, or of any, and gets no report of it: its beliefs
/// stay what they were.
pub struct ControlBlind;

impl FaultKind for ControlBlind {
    fn name(&self) -> &'static str {
        "control-blind"
    }

    fn summary(&self) -> &'static str {
        "the control plane gets no probe or report of a region, or of any: its beliefs stay what they were"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        let of = fault.region.map_or(String::new(), |r| {
            format!(" of {}", scenario.regions[r].name)
        });
        let when = say::when(fault, scenario);
        format!("the control plane hears nothing{of} {when}")
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[may("region", Role::Region, "")];
        KEYS
    }

    fn hits_regions(&self, _fault: &Fault) -> bool {
        false
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        _scenario: &Scenario,
        _luck: Stream,
    ) -> Vec<Episode> {
        let region = fault.region;
        one(number, fault, Impairment::ControlBlind { region })
    }
}
