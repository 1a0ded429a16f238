//! Who takes what enters at an edge whose proxies have failed.

use crate::model::scenario::{Backup, MarketId, RegionId, Scenario};
use crate::units::Time;
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

#[derive(Clone, Copy, Debug, Default)]
struct Failed {
    /// Share of the proxies that answer nothing.
    share: f64,
    /// Since when none of them answers.
    silent_since: Option<Time>,
    /// Whether the backup route is taken.
    backup: bool,
}

impl Doors {
    /// The proxies of an edge are as the condition says.
    pub fn follow(&mut self, condition: &Condition, edges: usize, edge: RegionId, now: Time) {
        self.edges.resize(edges, Failed::default());
        let failed = &mut self.edges[edge];
        failed.share = condition.edge_failed(edge);
        if failed.share < 1.0 {
            failed.silent_since = None;
        } else if failed.silent_since.is_none() {
            failed.silent_since = Some(now);
        }
        if self.edges.iter().all(|e| e.share == 0.0 && !e.backup) {
            self.edges.clear();
        }
    }

    /// Whether no proxy has failed anywhere.
    pub fn pristine(&self) -> bool {
        self.edges.is_empty()
    }

    /// Share of an edge's proxies that answer nothing.
    pub fn failed(&self, edge: RegionId) -> f64 {
        self.edges.get(edge).map_or(0.0, |e| e.share)
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
