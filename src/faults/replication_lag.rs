//! Replication lag: the replication of a domain takes longer.
//!
//! - Writes are acknowledged as before; the tail that has not reached the other regions grows, and is
//!   lost or late if the region dies meanwhile. What is on its way arrives later.

use super::{FaultKind, Key, Mistake, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// Replication takes longer: so many times as long, plus a time.
pub struct ReplicationLag;

impl FaultKind for ReplicationLag {
    fn name(&self) -> &'static str {
        "replication-lag"
    }

    fn summary(&self) -> &'static str {
        "replication takes longer: so many times as long, plus a time"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "replication of {} from {} takes {} times as long plus {} {}",
            say::domain(fault.domain, scenario),
            say::region(fault.region, scenario),
            fault.factor,
            fault.extra,
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            may("domain", Role::Domain, ""),
            may("region", Role::Region, ""),
            may("factor", Role::Factor, "1.0"),
            may("extra", Role::Extra, "0s"),
        ];
        KEYS
    }

    fn mistake(&self, fault: &Fault) -> Option<Mistake> {
        (fault.factor == 1.0 && fault.extra.is_zero()).then_some(Mistake {
            key: "factor",
            message: "neither factor nor extra makes replication slower",
            hint: "write factor = 20 or extra = \"30s\"",
        })
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
        one(
            number,
            fault,
            Impairment::ReplicationLagged {
                domain: fault.domain,
                from: fault.region,
                factor: fault.factor,
                extra_secs: fault.extra.secs(),
            },
        )
    }
}
