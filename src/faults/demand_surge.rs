//! Demand surge: more viewers come than usual, in a market or in all.
//!
//! - Arrivals are so many times as many from its exact beginning to its exact end; sessions that began
//!   in it play on. Nothing in flight is touched.
//! - Capacity was sized without it.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may, must};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// So many times as many viewers come in a market as usual.
pub struct DemandSurge;

impl FaultKind for DemandSurge {
    fn name(&self) -> &'static str {
        "demand-surge"
    }

    fn summary(&self) -> &'static str {
        "so many times as many viewers come in a market as usual"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        let hit = say::demand_of(scenario, |m| fault.market.is_none_or(|hit| hit == m));
        format!(
            "{} times as many starts in {} ({} of the demand) {}",
            fault.factor,
            say::market(fault.market, scenario),
            say::percent(hit),
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            may("market", Role::Market, ""),
            must("factor", Role::Factor, "1.5"),
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
        one(
            number,
            fault,
            Impairment::DemandSurge {
                market: fault.market,
                factor: fault.factor,
            },
        )
    }
}
