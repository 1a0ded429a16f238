//! What an edge tries again in another region, within its budget.

use super::Serving;
use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::world::state::World;

impl Serving {
    /// How many of the wanted retries each edge's budget allows.
    pub(super) fn find_allowed(
        &mut self,
        scenario: &Scenario,
        knobs: &Knobs,
        world: &World,
        dt_secs: f64,
    ) {
        for e in 0..self.regions {
            if !knobs.edge_retry {
                self.allowed[e] = 0.0;
                continue;
            }
            let (wanted, all) = self.wanted(scenario, world, e);
            let mut budget = world.budgets[e];
            self.allowed[e] = budget.spend(wanted * dt_secs, all * dt_secs, dt_secs);
        }
    }

    /// Whether any request that fails in a living region is tried in another.
    pub(super) fn retries_failures(
        &self,
        scenario: &Scenario,
        knobs: &Knobs,
        world: &World,
    ) -> bool {
        let retried = |e: RegionId, q: usize, (lane, m): (usize, MarketId)| {
            let row = self.row(lane, e, m);
            self.entering[self.flow(lane, e, q, m)] > 0.0
                && (0..self.regions).any(|s| {
                    self.first[row + s] > 0.0 && self.failing_from(world, (e, s), q, m) > 0.0
                })
        };
        self.hurt
            && knobs.edge_retry
            && (0..self.regions)
                .filter(|&e| self.allowed[e] > 0.0)
                .any(|e| {
                    let safe = scenario.requests.iter().enumerate().filter(|(_, r)| r.safe);
                    safe.clone()
                        .any(|(q, _)| self.all_markets().any(|m| retried(e, q, m)))
                })
    }

    /// Retries that an edge would make, and its requests, per second.
    pub(super) fn wanted(&self, scenario: &Scenario, world: &World, e: RegionId) -> (f64, f64) {
        let (mut wanted, mut all) = (0.0, 0.0);
        for (q, request) in scenario.requests.iter().enumerate() {
            for (lane, m) in self.all_markets() {
                let rate = self.entering[self.flow(lane, e, q, m)];
                if rate <= 0.0 {
                    continue;
                }
                all += rate;
                if request.safe {
                    let row = self.row(lane, e, m);
                    for s in 0..self.regions {
                        wanted += rate
                            * (self.exposed[row + s]
                                + self.first[row + s] * self.failing_from(world, (e, s), q, m));
                    }
                }
            }
        }
        (wanted, all)
    }
}
