//! Region dark: nothing in the region answers, as when power or network of the whole region is
//! lost (Chaos Kong).
//!
//! - Work in flight is lost. With mode *refuse* every caller's connection is reset at once and new
//!   ones are refused; with mode *hang* nothing comes back and each caller waits for its own
//!   timeout.
//! - An edge in the region goes dark with it. A *global* edge stands above the regions and
//!   survives: it answers, and can send on what enters there.
//! - When it ends, the region's instances have kept nothing: connections are gone, instances boot,
//!   and caches are cold.
//! - A drill may be announced: policies learn of it `announced` before it begins.

use super::key::{Role, may, must};
use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// A whole region goes dark.
pub struct RegionDark;

impl FaultKind for RegionDark {
    fn name(&self) -> &'static str {
        "region-dark"
    }

    fn summary(&self) -> &'static str {
        "nothing in a region answers: connections are refused, or hang until the caller's timeout"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        let Some(region) = fault.region.map(|r| &scenario.regions[r]) else {
            return String::new();
        };
        let zones = match region.zones {
            1 => "1 zone".to_string(),
            n => format!("{n} zones"),
        };
        let mode = if fault.hang { "hang" } else { "are refused" };
        let edge = if scenario.edge.global {
            "the global edge survives"
        } else {
            "its edge goes dark with it"
        };
        format!(
            "{} ({zones}) goes dark {}: connections {mode}, {edge}; {}",
            region.name,
            say::when(fault, scenario),
            nearest_markets(fault, scenario),
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            must("region", Role::Region, "east"),
            may("mode", Role::Mode, "refuse"),
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
        let hang = fault.hang;
        one(number, fault, Impairment::RegionDark { region, hang })
    }
}

/// Which markets are nearest to the region, and how much of the peak demand that is.
fn nearest_markets(fault: &Fault, scenario: &Scenario) -> String {
    let nearest: Vec<_> = scenario
        .markets
        .iter()
        .filter(|market| market.near.first().copied() == fault.region)
        .collect();
    if nearest.is_empty() {
        return "no market is nearest to it".to_string();
    }
    let names: Vec<&str> = nearest.iter().map(|market| market.name.as_str()).collect();
    let share = say::demand_of(scenario, |m| {
        scenario.markets[m].near.first().copied() == fault.region
    });
    format!(
        "nearest to {} ({} of the demand at the busiest hours)",
        names.join(", "),
        say::percent(share)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Span, Time};

    fn fault() -> Fault {
        Fault {
            kind: "region-dark".into(),
            region: Some(2),
            at: Time::from_secs(960.0),
            duration: Span::from_secs(300.0),
            hang: true,
            ..Fault::default()
        }
    }

    fn episodes(fault: &Fault) -> Vec<Episode> {
        let scenario = crate::objectives::testing::scenario();
        RegionDark.episodes(0, fault, &scenario, Stream::new(1, 0, "fault", ""))
    }

    #[test]
    fn one_episode_as_long_as_the_fault() {
        assert_eq!(
            episodes(&fault()),
            vec![Episode {
                from: Time::from_secs(960.0),
                until: Time::from_secs(1260.0),
                impairment: Impairment::RegionDark {
                    region: 2,
                    hang: true
                },
                announced: None,
                fault: 0,
            }]
        );
    }

    #[test]
    fn a_drill_is_announced_and_an_endless_fault_never_ends() {
        let drill = Fault {
            announced: Span::from_secs(900.0),
            duration: Span(u64::MAX),
            ..fault()
        };
        let episode = &episodes(&drill)[0];
        assert_eq!(episode.announced, Some(Time::from_secs(60.0)));
        assert_eq!(episode.until, Time::NEVER);
    }
}
