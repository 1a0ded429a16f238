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
        Impairment::ControlBlind => ("control plane".into(), "hears nothing".into()),
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
