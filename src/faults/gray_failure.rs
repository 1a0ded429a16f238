//! Gray failure: a service works badly in a region and neither health checks nor probes see it; only
//! its callers do.
//!
//! - Requests in flight go on, slower. Nothing is ejected and no region is believed dead because of
//!   it; what detects it is an SLI.
//! - When it ends, the service works as before; queues drain.

use super::{FaultKind, Key, Mistake, degraded, one};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may, must};
use crate::model::episode::Episode;
use crate::model::scenario::{Fault, Scenario};

/// A service works badly in a region, and neither health checks nor probes see it.
pub struct GrayFailure;

impl FaultKind for GrayFailure {
    fn name(&self) -> &'static str {
        "gray-failure"
    }

    fn summary(&self) -> &'static str {
        "a service works badly in a region, and neither health checks nor probes see it"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        degraded::describe(fault, scenario) + "; unseen by health checks"
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            must("service", Role::Service, "api"),
            may("region", Role::Region, ""),
            may("slowness", Role::Factor, "1.0"),
            may("errors", Role::Share, "0.0"),
        ];
        KEYS
    }

    fn mistake(&self, fault: &Fault) -> Option<Mistake> {
        degraded::mistake(fault)
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
            degraded::impairment(fault, fault.region, false),
        )
    }
}
