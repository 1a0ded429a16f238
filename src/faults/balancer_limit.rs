//! Balancer limit: the load balancers of a region take a share of the new connections that they
//! should.
//!
//! - Connections that are open go on; new ones beyond the limit are refused, and their clients try
//!   again.
//! - When it ends, the balancers take what they took before.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, must};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// The load balancers of a region take a share of the new connections that they should.
pub struct BalancerLimit;

impl FaultKind for BalancerLimit {
    fn name(&self) -> &'static str {
        "balancer-limit"
    }

    fn summary(&self) -> &'static str {
        "the load balancers of a region take a share of the new connections that they should"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "the load balancers of {} take {} of the new connections that they should {}",
            say::region(fault.region, scenario),
            say::percent(fault.share),
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            must("region", Role::Region, "east"),
            must("share", Role::Share, "0.3"),
        ];
        KEYS
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        _scenario: &Scenario,
        _luck: Stream,
    ) -> Vec<Episode> {
        let Some(region) = fault.region else {
            return Vec::new();
        };
        let share = fault.share;
        one(number, fault, Impairment::BalancerLimited { region, share })
    }
}
