//! Edge failure: a share of the proxies in front of a region answers nothing.
//!
//! - Requests that meet a failed proxy get no answer; services behind are healthy.
//! - When it ends, all proxies answer again at once.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may, must};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// A share of the proxies in front of a region answers nothing.
pub struct EdgeFailure;

impl FaultKind for EdgeFailure {
    fn name(&self) -> &'static str {
        "edge-failure"
    }

    fn summary(&self) -> &'static str {
        "a share of the proxies in front of a region answers nothing"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        format!(
            "{} of the edge of {} answers nothing {}",
            say::percent(fault.share),
            say::region(fault.region, scenario),
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            must("region", Role::Region, "east"),
            may("share", Role::Share, "1.0"),
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
        one(number, fault, Impairment::EdgeFailed { region, share })
    }
}
