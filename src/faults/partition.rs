//! Partition: no traffic passes between two regions.
//!
//! - What is proxied or replicated between them is cut off: proxied requests in flight fail,
//!   replication waits. Viewers reach both regions as before.
//! - When it ends, replication catches up.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, must};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// No traffic passes between two regions; viewers still reach both.
pub struct Partition;

impl FaultKind for Partition {
    fn name(&self) -> &'static str {
        "partition"
    }

    fn summary(&self) -> &'static str {
        "no traffic passes between two regions; viewers still reach both"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "nothing passes between {} and {} {}",
            say::region(fault.region, scenario),
            say::region(fault.other, scenario),
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[must("between", Role::Between, "[\"east\", \"west\"]")];
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
        let (Some(a), Some(b)) = (fault.region, fault.other) else {
            return Vec::new();
        };
        one(number, fault, Impairment::Partition { a, b })
    }
}
