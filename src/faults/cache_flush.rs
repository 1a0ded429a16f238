//! Cache flush: at one instant the caches in front of a service lose what they hold.
//!
//! - Nothing in flight is lost. Lookups miss from then on and load the store, until the caches have
//!   filled again.

use super::{FaultKind, Key, Lasts, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// At one instant the caches in front of a service lose what they hold.
pub struct CacheFlush;

impl FaultKind for CacheFlush {
    fn name(&self) -> &'static str {
        "cache-flush"
    }

    fn summary(&self) -> &'static str {
        "at one instant the caches in front of a service lose what they hold"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "caches in front of {} in {} lose what they hold at {}{}",
            say::service(fault.service, scenario),
            say::region(fault.region, scenario),
            fault.at,
            say::announced(fault)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            may("region", Role::Region, ""),
            may("service", Role::Service, ""),
        ];
        KEYS
    }

    fn lasts(&self) -> Lasts {
        Lasts::Never
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        _scenario: &Scenario,
        _luck: Stream,
    ) -> Vec<Episode> {
        let (region, service) = (fault.region, fault.service);
        one(number, fault, Impairment::CacheFlushed { region, service })
    }
}
