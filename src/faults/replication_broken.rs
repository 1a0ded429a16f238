//! Broken replication: nothing of a domain is replicated from a region, or from any.
//!
//! - Writes are acknowledged as before and wait; they are shipped when it ends, or lost if the region
//!   dies before.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// Nothing of a domain is replicated until it is over.
pub struct ReplicationBroken;

impl FaultKind for ReplicationBroken {
    fn name(&self) -> &'static str {
        "replication-broken"
    }

    fn summary(&self) -> &'static str {
        "nothing of a domain is replicated until it is over"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "nothing of {} is replicated from {} {}",
            say::domain(fault.domain, scenario),
            say::region(fault.region, scenario),
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            may("domain", Role::Domain, ""),
            may("region", Role::Region, ""),
        ];
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
        let (domain, from) = (fault.domain, fault.region);
        one(
            number,
            fault,
            Impairment::ReplicationBroken { domain, from },
        )
    }
}
