//! Control plane down: no order is carried out; traffic flows as it was routed last.
//!
//! - Orders that are under way are lost as orders to a part that is down: what the policy still wants
//!   it must ask for again.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// The control plane carries out no order; traffic flows as it was routed last.
pub struct ControlDown;

impl FaultKind for ControlDown {
    fn name(&self) -> &'static str {
        "control-down"
    }

    fn summary(&self) -> &'static str {
        "the control plane carries out no order; traffic flows as it was routed last"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "the control plane carries out no order {}",
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
        one(number, fault, Impairment::ControlDown)
    }
}
