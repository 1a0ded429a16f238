//! What becomes of a request that enters at one edge.

use super::{Serving, Way};
use crate::model::policy::Knobs;
use crate::model::scenario::{RegionId, Scenario, ServiceId};
use crate::units::Time;
use crate::world::graph::Held;
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
    /// Not answered in time: the client had given up, by the region that did the work, or dropped it.
    pub late: Vec<f64>,
    /// What the failed attempt cost, in seconds.
    pub retry_cost_secs: f64,
    /// Of `ok`, after an attempt in a living region that waited for something that hangs there.
    pub hung: Vec<f64>,
    /// Of the errors, all together, after such a wait.
    pub hung_error: f64,
    /// How long that was on average, in seconds.
    pub hung_secs: f64,
    /// All errors and late answers together.
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
    /// Of these, those that have waited for something that hangs.
    held: Held,
}

impl Fate {
    /// The fate of requests that one region answers, without an edge; some of those that fail have
    /// waited.
    pub fn single(&mut self, regions: usize, region: RegionId, failing: f64, held: Held) {
        self.reset(regions);
        (self.hung_error, self.hung_secs) = (held.share.min(failing), held.secs);
        self.ok[region] = 1.0 - failing;
        self.error[region] = failing;
        self.failing = failing;
    }

    /// Of the answers of a region so many come when the client has given up, `tardy` of the good ones,
    /// and `unheard` of the errors are none: the client hears nothing.
    pub fn lose(&mut self, region: RegionId, tardy: f64, unheard: f64) {
        let kept = 1.0 - tardy;
        self.late[region] += self.ok[region] * tardy + self.error[region] * unheard;
        self.failing += self.ok[region] * tardy;
        self.ok[region] *= kept;
        self.retried[region] *= kept;
        self.hung[region] *= kept;
        self.error[region] *= 1.0 - unheard;
    }

    /// Share of all requests of which the client hears nothing before it gives up.
    pub fn unheard(&self) -> f64 {
        self.late.iter().sum()
    }

    pub(super) fn reset(&mut self, regions: usize) {
        for list in [
            &mut self.ok,
            &mut self.retried,
            &mut self.hung,
            &mut self.error,
            &mut self.late,
        ] {
            list.clear();
            list.resize(regions, 0.0);
        }
        self.retry_cost_secs = 0.0;
        (self.hung_error, self.hung_secs) = (0.0, 0.0);
        self.failing = 0.0;
    }

    /// Requests have waited for something that hangs: of them, so many were answered well.
    fn wait(&mut self, share: f64, secs: f64) {
        if share <= 0.0 {
            return;
        }
        let before = self.hung_error + self.hung.iter().sum::<f64>();
        self.hung_secs += (secs - self.hung_secs) * share / (before + share);
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
                    held: Held::default(),
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
                    held: Held::default(),
                };
                self.retry(way, failed, retry(s), own, world, fate);
                first -= lost;
            }
            let failing = self.failing(world, s, q, m);
            fate.ok[s] += first * (1.0 - failing);
            if failing > 0.0 {
                let timeout_secs = scenario.edge.connect_timeout_secs;
                let failed = Failed {
                    share: first * failing,
                    at: s,
                    by: s,
                    held: held(world, (s, scenario.requests[q].to), failing, timeout_secs),
                };
                self.retry(way, failed, retry(s), own, world, fate);
            }
        }
        // What waited and what did not add up to all errors.
        fate.hung_error = fate.hung_error.min(fate.error.iter().sum());
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
                let good = part * (1.0 - failing);
                fate.ok[t] += good;
                fate.wait(good * failed.held.share, failed.held.secs);
                fate.hung[t] += good * failed.held.share;
                fate.retried[t] += good * (1.0 - failed.held.share);
                fate.error[t] += part * failing;
            }
        }
        let rest = (failed.share - again).max(0.0);
        fate.wait(rest * failed.held.share, failed.held.secs);
        fate.hung_error += rest * failed.held.share;
        fate.error[failed.by] += rest;
    }
}

/// Of requests to a service of a region that fail, those that have waited for something that hangs.
fn held(
    world: &World,
    (region, entry): (RegionId, ServiceId),
    failing: f64,
    timeout_secs: f64,
) -> Held {
    let held = world.regions[region].flow.held_failing(entry, timeout_secs);
    Held {
        share: (held.share / failing).min(1.0),
        secs: held.secs,
    }
}
