//! Launches blocked: the provider launches no instance, in one region or in all.
//!
//! - Instances that run go on, and those that are booting already finish. What autoscaling asks for
//!   meanwhile fails and must be asked for again.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// The provider launches no instance in a region, or in any.
pub struct LaunchesBlocked;

impl FaultKind for LaunchesBlocked {
    fn name(&self) -> &'static str {
        "launches-blocked"
    }

    fn summary(&self) -> &'static str {
        "the provider launches no instance in a region, or in any"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "no instance can be launched in {} {}",
            say::region(fault.region, scenario),
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[may("region", Role::Region, "")];
        KEYS
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        _scenario: &Scenario,
        _luck: Stream,
    ) -> Vec<Episode> {
        let region = fault.region;
        one(number, fault, Impairment::LaunchesBlocked { region })
    }
}
