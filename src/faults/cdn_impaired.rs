//! CDN impaired: media come badly in a market, or in all, for reasons outside the service.
//!
//! - Sessions stall more often and some starts fail; both count as ambient: SLIs show them, while
//!   availability and downtime, which count what the service caused, do not.
//! - Nothing in flight at the service is touched, and failing over does not help.

use super::{FaultKind, Key, Mistake, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// Media come badly in a market: sessions stall more often and some starts fail, outside the service.
pub struct CdnImpaired;

impl FaultKind for CdnImpaired {
    fn name(&self) -> &'static str {
        "cdn-impaired"
    }

    fn summary(&self) -> &'static str {
        "media come badly in a market: sessions stall more often and some starts fail, outside the service"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        let hit = say::demand_of(scenario, |m| fault.market.is_none_or(|hit| hit == m));
        format!(
            "media come badly in {} ({} of the demand) {}: stalls {} times as often, {} more starts fail",
            say::market(fault.market, scenario),
            say::percent(hit),
            say::when(fault, scenario),
            fault.factor,
            say::percent(fault.share)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            may("market", Role::Market, ""),
            may("stalls", Role::Factor, "1.0"),
            may("start_failure", Role::Share, "0.0"),
        ];
        KEYS
    }

    fn mistake(&self, fault: &Fault) -> Option<Mistake> {
        (fault.factor == 1.0 && fault.share == 0.0).then_some(Mistake {
            key: "stalls",
            message: "neither stalls nor start_failure makes anything worse",
            hint: "write stalls = 10 or start_failure = \"5 %\"",
        })
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
            Impairment::CdnImpaired {
                market: fault.market,
                stalls: fault.factor,
                start_failure: fault.share,
            },
        )
    }
}
