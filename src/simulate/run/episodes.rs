//! What the log says when an episode begins and ends, and demand that episodes change.

use super::Run;
use crate::model::episode::{Episode, Impairment};
use crate::model::outcome::Entry;
use crate::model::scenario::{MarketId, RegionId, Scenario, ServiceId};
use crate::units::{Span, three_digits};
use crate::world::state::World;

impl Run<'_> {
    /// Notes that an episode begins or ends. A region that goes dark speaks for itself.
    pub(super) fn tell(&mut self, i: usize, begins: bool) {
        let episode = &self.episodes[i];
        if matches!(episode.impairment, Impairment::RegionDark { .. }) {
            return;
        }
        let (part, what) = words(&episode.impairment, &self.sim.scenario);
        let (what, cause) = if begins {
            (what, "a fault")
        } else {
            (format!("no longer: {what}"), "the fault ends")
        };
        self.outcome.log.push(Entry {
            at: self.now,
            part,
            what,
            cause: cause.into(),
        });
    }

    /// The world knows the episodes that are under way, and those still to come unless they are called
    /// off.
    pub(super) fn foresee(&mut self) {
        let known = self.episodes.iter().zip(&self.active);
        let known =
            known.filter(|(e, on)| **on || e.from > self.now && !self.guards.aborted(e.fault));
        let known: Vec<&Episode> = known.map(|(episode, _)| episode).collect();
        self.world.foresee(&known, self.now);
    }
}

/// Surges of demand are known from the beginning, so that every policy faces the same arrivals.
pub fn surge(world: &mut World, episodes: &[Episode]) {
    for episode in episodes {
        if let Impairment::DemandSurge { market, factor } = episode.impairment {
            for (m, demand) in world.demand.iter_mut().enumerate() {
                if market.is_none_or(|hit| hit == m) {
                    demand.surge(episode.from, episode.until, factor);
                }
            }
        }
    }
}

/// Where an impairment is, and what it is.
fn words(impairment: &Impairment, scenario: &Scenario) -> (String, String) {
    let region = |r: &RegionId| scenario.regions[*r].name.clone();
    let regions = |r: &Option<RegionId>| r.map_or("all regions".into(), |r| region(&r));
    let service =
        |v: &Option<ServiceId>| v.map_or("every service", |v| scenario.services[v].name.as_str());
    let market =
        |m: &Option<MarketId>| m.map_or("all markets".into(), |m| scenario.markets[m].name.clone());
    let percent = |share: &f64| format!("{} %", three_digits(100.0 * share));
    match impairment {
        Impairment::RegionDark { region: r, .. } => (region(r), "is dark".into()),
        Impairment::ZoneDown {
            region: r,
            zone,
            hang,
        } => {
            let how = if *hang {
                "connections hang"
            } else {
                "connections are refused"
            };
            (region(r), format!("zone {} is down: {how}", zone + 1))
        }
        Impairment::InstancesKilled {
            region: r,
            service,
            count,
        } => {
            let name = &scenario.services[*service].name;
            (region(r), format!("{count} of {name} die"))
        }
        Impairment::Degraded {
            region: r,
            service: v,
            slowness,
            errors,
            seen,
        } => {
            let mut bad = Vec::new();
            if *slowness != 1.0 {
                bad.push(format!("takes {} times as long", three_digits(*slowness)));
            }
            if *errors > 0.0 {
                bad.push(format!("fails {} of requests", percent(errors)));
            }
            let unseen = if *seen {
                ""
            } else {
                ", unseen by health checks"
            };
            let what = format!("{} {}{unseen}", service(v), bad.join(" and "));
            (regions(r), what)
        }
        Impairment::CacheFlushed {
            region: r,
            service: v,
        } => {
            let what = format!("caches in front of {} are empty", service(v));
            (regions(r), what)
        }
        Impairment::ReplicationLagged {
            from,
            factor,
            extra_secs,
            ..
        } => {
            let extra = Span::from_secs(*extra_secs);
            let what = format!(
                "replication takes {} times as long plus {extra}",
                three_digits(*factor)
            );
            (regions(from), what)
        }
        Impairment::ReplicationBroken { from, .. } => {
            (regions(from), "replication stands still".into())
        }
        Impairment::EdgeFailed { region: r, share } => (
            region(r),
            format!(
                "{} of the proxies of its edge answer nothing",
                percent(share)
            ),
        ),
        Impairment::BalancerLimited { region: r, share } => {
            let what = format!(
                "its load balancers take {} of what they should",
                percent(share)
            );
            (region(r), what)
        }
        Impairment::DnsStuck => ("dns".into(), "changes take no effect".into()),
        Impairment::ControlDown => ("control plane".into(), "carries out no order".into()),
        Impairment::ControlBlind { region: None } => {
            ("control plane".into(), "hears nothing".into())
        }
        Impairment::ControlBlind { region: Some(r) } => (
            "control plane".into(),
            format!("hears nothing of {}", region(r)),
        ),
        Impairment::LaunchesBlocked { region: r } => {
            (regions(r), "no instance can be launched".into())
        }
        Impairment::Partition { a, b } => (
            "network".into(),
            format!("nothing passes between {} and {}", region(a), region(b)),
        ),
        Impairment::CdnImpaired {
            market: m,
            stalls,
            start_failure,
        } => {
            let what = format!(
                "media stall {} times as often, {} more starts fail",
                three_digits(*stalls),
                percent(start_failure)
            );
            (market(m), what)
        }
        Impairment::DemandSurge { market: m, factor } => (
            market(m),
            format!("{} times as many starts", three_digits(*factor)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults;
    use crate::scenario::{Document, Layer};
    use crate::simulate::Simulator;
    use proptest::prelude::*;

    const WORLD: &str = r#"
format = 1
horizon = "3min"

[[region]]
name = "east"
zones = 2

[[region]]
name = "west"

[[market]]
name = "left"
near = ["east", "west"]
starts = "30/s"

[[market]]
name = "right"
near = ["west", "east"]
starts = "10/s"

[[service]]
name = "api"

[[request]]
name = "start"
to = "api"
start = 1
"#;

    /// A fault of some kind, between the first and the last minute.
    fn fault(kind: usize, at: u32, length: u32, east: bool) -> String {
        let kinds = faults::all();
        let kind = kinds[kind % kinds.len()];
        let region = if east { "east" } else { "west" };
        let mut text = format!("[[fault]]\nkind = \"{}\"\nat = \"{at}s\"\n", kind.name());
        if kind.lasts() == faults::Lasts::Always {
            text += &format!("for = \"{length}s\"\n");
        }
        if kind.name() == "random" {
            return text + "of = \"zone\"\nmtbf = \"20s\"\nmttr = \"5s\"\n";
        }
        for key in kind.keys() {
            let value = match key.role {
                faults::Role::Service if !key.required => continue,
                faults::Role::Region => format!("\"{region}\""),
                faults::Role::Service => "\"api\"".into(),
                faults::Role::Zone => "1".into(),
                faults::Role::Factor => "3".into(),
                faults::Role::Share => "0.4".into(),
                _ if key.required && key.text.parse::<f64>().is_ok() => key.text.into(),
                _ if key.required && key.text.starts_with('[') => key.text.into(),
                _ if key.required => format!("\"{}\"", key.text),
                _ => continue,
            };
            text += &format!("{} = {value}\n", key.name);
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn overlapping_episodes_compose_and_leave_a_pristine_world(
            some in prop::collection::vec((0_usize..64, 30_u32..90, 1_u32..80, any::<bool>()), 1..6),
        ) {
            let faults: String = some.iter().map(|&(k, at, len, east)| fault(k, at, len, east)).collect();
            let text = format!("{WORLD}{faults}");
            let document = Document::load("overlaps", Layer::file("overlaps.toml", &text, None), None, Vec::new());
            let document = document.unwrap_or_else(|problems| panic!("{text}: {problems}"));
            let simulator = Simulator::new(document.scenario());
            let mut run = Run::of(&simulator, document.scenario().fidelity, 1, 0);
            run.live();
            prop_assert!(run.active.iter().all(|on| !on));
            prop_assert!(run.world.condition.pristine());
            prop_assert!(run.world.regions.iter().all(|r| r.dark.is_none()));
        }
    }
}
