//! Who takes what enters at an edge whose proxies have failed.

use crate::model::scenario::{Backup, MarketId, RegionId, Scenario};
use crate::units::{Span, Time};
use crate::world::condition::Condition;
use crate::world::state::World;

/// What answers at a region's name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Door {
    /// The proxies of an edge: its own, or that of the backup route.
    Edge(RegionId),
    /// The region's services, without any proxy.
    Services,
}

/// Edges whose proxies have failed; empty while none has.
#[derive(Clone, Debug, Default)]
pub struct Doors {
    edges: Vec<Failed>,
}

#[derive(Clone, Debug, Default)]
struct Failed {
    /// Share of the proxies that answer nothing.
    share: f64,
    /// Share of the new connections that meet one of those.
    met: f64,
    /// Zones of the edge's region that have taken its proxies with them.
    zones: Vec<LostZone>,
    /// Since when none of them answers.
    silent_since: Option<Time>,
    /// Whether the backup route is taken.
    backup: bool,
}

/// A zone whose proxies are lost.
#[derive(Clone, Copy, Debug)]
struct LostZone {
    zone: usize,
    /// Its share of the proxies.
    share: f64,
    since: Time,
}

impl Failed {
    /// The zones that are down take their proxies with them, where an edge is its region's own.
    fn follow_zones(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        edge: RegionId,
        now: Time,
    ) {
        if scenario.edge.global {
            return;
        }
        let place = &scenario.regions[edge];
        let down = |zone: usize| condition.zone_down(edge, zone).is_some();
        self.zones.retain(|lost| down(lost.zone));
        for zone in (0..place.zones).filter(|&zone| down(zone)) {
            if self.zones.iter().all(|lost| lost.zone != zone) {
                let even = 1.0 / place.zones.max(1) as f64;
                self.zones.push(LostZone {
                    zone,
                    share: place.zone_weights.get(zone).copied().unwrap_or(even),
                    since: now,
                });
            }
        }
    }

    /// Share of the proxies in lost zones, of all or of those that health checks have found at a moment.
    fn lost(&self, zones: usize, found: impl Fn(&LostZone) -> bool) -> f64 {
        let lost = self.zones.iter().filter(|zone| found(zone));
        if lost.clone().count() >= zones.max(1) {
            return 1.0;
        }
        lost.map(|zone| zone.share).sum()
    }
}

/// From a proxy's death until the load balancers send it no new connections: each is probed at a phase
/// of its own, and all count as found in the middle.
fn found_after(scenario: &Scenario) -> Span {
    let edge = &scenario.edge;
    let failures = (f64::from(edge.health_threshold) - 0.5).max(0.0);
    Span::from_secs(edge.health_interval.secs() * failures)
}

impl Doors {
    /// The proxies of an edge are as the condition says. Returns when health checks will find more of
    /// them dead.
    pub fn follow(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        edge: RegionId,
        now: Time,
    ) -> Option<Time> {
        let (regions, zones) = (scenario.regions.len(), scenario.regions[edge].zones);
        self.edges.resize(regions, Failed::default());
        let failed = &mut self.edges[edge];
        failed.follow_zones(scenario, condition, edge, now);
        failed.share = condition.edge_failed(edge);
        failed.met = failed.share;
        let delay = found_after(scenario);
        let lost = failed.lost(zones, |_| true);
        if lost > 0.0 {
            let found = failed.lost(zones, |zone| zone.since + delay <= now);
            let answering = (1.0 - failed.share) * (1.0 - lost);
            failed.share = 1.0 - answering;
            failed.met = match found < 1.0 {
                true => (1.0 - answering / (1.0 - found)).clamp(0.0, 1.0),
                false => 1.0,
            };
        }
        let due = failed.zones.iter().map(|zone| zone.since + delay);
        let next = due.filter(|&at| at > now).min();
        if failed.share < 1.0 {
            failed.silent_since = None;
        } else if failed.silent_since.is_none() {
            failed.silent_since = Some(now);
        }
        if self.edges.iter().all(|e| e.share == 0.0 && !e.backup) {
            self.edges.clear();
        }
        next
    }

    /// Whether no proxy has failed anywhere.
    pub fn pristine(&self) -> bool {
        self.edges.is_empty()
    }

    /// Share of an edge's proxies that answer nothing.
    pub fn failed(&self, edge: RegionId) -> f64 {
        self.edges.get(edge).map_or(0.0, |e| e.share)
    }

    /// Share of the new connections at an edge that meet a proxy which answers nothing: health checks
    /// take those out that have died with their zone.
    pub fn met(&self, edge: RegionId) -> f64 {
        self.edges.get(edge).map_or(0.0, |e| e.met)
    }

    /// Since when an edge answers nothing at all.
    pub fn silent_since(&self, edge: RegionId) -> Option<Time> {
        self.edges.get(edge).and_then(|e| e.silent_since)
    }

    /// Whether the backup route of an edge is taken.
    pub fn backup(&self, edge: RegionId) -> bool {
        self.edges.get(edge).is_some_and(|e| e.backup)
    }

    /// The backup route of an edge is taken from now on, or no longer.
    pub fn set_backup(&mut self, edge: RegionId, taken: bool) {
        if let Some(failed) = self.edges.get_mut(edge) {
            failed.backup = taken;
        }
    }
}

impl World {
    /// What answers a market's requests that enter at a region by name, if anything does.
    pub fn door(&self, scenario: &Scenario, market: MarketId, region: RegionId) -> Option<Door> {
        if self.edge_lives(scenario, region) {
            return Some(Door::Edge(region));
        }
        if !self.doors.backup(region) {
            return None;
        }
        let open = |&s: &RegionId| {
            let other = s != region && self.edge_lives(scenario, s);
            other && self.reach.may(market, s) && !self.reach.cut(region, s)
        };
        match scenario.edge.backup {
            Backup::None => None,
            Backup::Region => {
                let near = &scenario.markets[market].near;
                let at = near.iter().position(|&r| r == region).map_or(0, |i| i + 1);
                let later = near[at..].iter().chain(&near[..at]).copied();
                later.into_iter().find(open).map(Door::Edge)
            }
            Backup::Direct => {
                let serves = self.regions[region].dark.is_none() && self.reach.may(market, region);
                serves.then_some(Door::Services)
            }
        }
    }
}
