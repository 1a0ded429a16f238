//! What becomes of a request that enters at one edge.

use super::{Serving, Way};
use crate::model::policy::Knobs;
use crate::model::scenario::{RegionId, Scenario};
use crate::units::Time;
use crate::world::state::World;

/// Chances of a request that enters at one edge.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// Answered well, by the region that served it.
    pub ok: Vec<f64>,
    /// Of `ok`, after a failed attempt in another region.
    pub retried: Vec<f64>,
    /// Answered with an error, by the region that is to blame.
    pub error: Vec<f64>,
    /// What the failed attempt cost, in seconds.
    pub retry_cost_secs: f64,
    /// All errors together.
    pub failing: f64,
}

/// Requests that failed.
#[derive(Clone, Copy)]
struct Failed {
    /// Their share.
    share: f64,
    /// The region that they were sent to.
    at: RegionId,
    /// The region that is to blame.
    by: RegionId,
}

impl Fate {
    /// The fate of requests that one region answers, without an edge.
    pub fn single(&mut self, regions: usize, region: RegionId, failing: f64) {
        self.reset(regions);
        self.ok[region] = 1.0 - failing;
        self.error[region] = failing;
        self.failing = failing;
    }

    pub(super) fn reset(&mut self, regions: usize) {
        for list in [&mut self.ok, &mut self.retried, &mut self.error] {
            list.clear();
            list.resize(regions, 0.0);
        }
        self.retry_cost_secs = 0.0;
        self.failing = 0.0;
    }
}

impl Serving {
    /// What becomes of requests that take a way.
    pub fn fate(
        &self,
        scenario: &Scenario,
        knobs: &Knobs,
        world: &World,
        way: Way,
        now: Time,
        fate: &mut Fate,
    ) {
        fate.reset(self.regions);
        let Way {
            lane,
            edge: e,
            market: m,
            request: q,
        } = way;
        let row = self.row(lane, e, m);
        let safe = scenario.requests[q].safe;
        let admitted = 1.0 - self.proxies[e].refused;
        let retry = |from: RegionId| {
            let isolated = |r: RegionId| self.isolated(world, lane, r);
            if knobs.edge_retry && safe && !isolated(from) && !isolated(e) {
                self.allowed[e]
            } else {
                0.0
            }
        };
        fate.error[e] += 1.0 - admitted;
        for s in 0..self.regions {
            let exposed = self.exposed[row + s] * admitted;
            if exposed > 0.0 {
                fate.retry_cost_secs = world.failing_cost_secs(scenario, e, s, now);
                let failed = Failed {
                    share: exposed,
                    at: s,
                    by: s,
                };
                self.retry(way, failed, retry(s), 0.0, world, fate);
            }
            let mut first = self.first[row + s] * admitted;
            if first <= 0.0 {
                continue;
            }
            let own = self.elsewhere[row + s];
            let lost = first * self.stopped(world, e, s);
            if lost > 0.0 {
                let failed = Failed {
                    share: lost,
                    at: s,
                    by: e,
                };
                self.retry(way, failed, retry(s), own, world, fate);
                first -= lost;
            }
            let failing = self.failing(world, s, q, m);
            fate.ok[s] += first * (1.0 - failing);
            if failing > 0.0 {
                let failed = Failed {
                    share: first * failing,
                    at: s,
                    by: s,
                };
                self.retry(way, failed, retry(s), own, world, fate);
            }
        }
        fate.failing = fate.error.iter().sum();
    }

    /// What becomes of requests that failed on their way to a region, or in it.
    fn retry(
        &self,
        way: Way,
        failed: Failed,
        allowed: f64,
        own: f64,
        world: &World,
        fate: &mut Fate,
    ) {
        let Way {
            edge: e,
            market: m,
            request: q,
            ..
        } = way;
        let row = self.row(way.lane, e, m);
        let mut again = 0.0;
        if allowed > 0.0 && own < 1.0 {
            for t in (0..self.regions).filter(|&t| t != failed.at) {
                let mut part = failed.share * allowed * self.elsewhere[row + t] / (1.0 - own);
                if part <= 0.0 {
                    continue;
                }
                again += part;
                // The edge answers for what it refuses itself, and for what a link loses.
                let lost = part * self.stopped(world, e, t);
                fate.error[e] += lost;
                part -= lost;
                let failing = self.failing(world, t, q, m);
                fate.ok[t] += part * (1.0 - failing);
                fate.retried[t] += part * (1.0 - failing);
                fate.error[t] += part * failing;
            }
        }
        fate.error[failed.by] += (failed.share - again).max(0.0);
    }
}
