//! Service degraded: a service works badly in a region (the mid-tier incident): slower, with errors,
//! or both. Health checks and probes see it.
//!
//! - Requests in flight go on, slower. Errors are answers: whoever calls gets them at once, and
//!   retries or falls back.
//! - When it ends, the service works as before; queues drain.

use super::{FaultKind, Key, Mistake, degraded, one};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may, must};
use crate::model::episode::Episode;
use crate::model::scenario::{Fault, Scenario};

/// A service works badly in a region: slower, with errors, or both.
pub struct ServiceDegraded;

impl FaultKind for ServiceDegraded {
    fn name(&self) -> &'static str {
        "service-degraded"
    }

    fn summary(&self) -> &'static str {
        "a service works badly in a region: slower, with errors, or both"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        degraded::describe(fault, scenario)
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
            degraded::impairment(fault, fault.region, true),
        )
    }
}
