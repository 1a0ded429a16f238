//! DNS stuck: the provider takes no change until it is over; the old answers are still given.
//!
//! - Nothing in flight is lost. Changes that were asked for meanwhile take effect when it ends.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// Changes of DNS take no effect until it is over; the old answers are still given.
pub struct DnsStuck;

impl FaultKind for DnsStuck {
    fn name(&self) -> &'static str {
        "dns-stuck"
    }

    fn summary(&self) -> &'static str {
        "changes of DNS take no effect until it is over; the old answers are still given"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!("DNS takes no change {}", say::when(fault, scenario))
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
        one(number, fault, Impairment::DnsStuck)
    }
}
