//! Limits on the requests that one proxy has in flight to one origin.

use super::{Serving, Way};
use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::world::latency::{Means, Paths};
use crate::world::plan::Plan;
use crate::world::pool::{Pool, Servers};
use crate::world::state::World;
use crate::world::stores::Effect;

/// A refused share below this is none.
const NOTHING: f64 = 1e-7;

/// What limits refuse, `[edge][origin]`.
pub(super) struct Limits {
    /// Most requests that one proxy has in flight to one origin.
    limit: f64,
    /// Share of what an edge sends to an origin that its proxies refuse.
    refused: Vec<f64>,
    /// How far the next round goes towards what the last one asked for, and what that was.
    paces: Vec<(f64, f64)>,
    /// Response times when nobody waits, per kind of request.
    responses: Vec<Means>,
}

impl Limits {
    /// Limits of a scenario that has any.
    pub fn new(scenario: &Scenario, plan: &Plan) -> Option<Limits> {
        let limit = f64::from(scenario.edge.origin_limit?);
        let cells = scenario.regions.len() * scenario.regions.len();
        Some(Limits {
            limit,
            refused: vec![0.0; cells],
            paces: vec![(1.0, 0.0); cells],
            responses: plan.paths.iter().map(Paths::means).collect(),
        })
    }

    /// Share of what an edge sends to an origin that is refused.
    pub fn refused(&self, cell: usize) -> f64 {
        self.refused[cell]
    }

    /// Shares as they were counted.
    pub fn set_refused(&mut self, shares: impl Iterator<Item = f64>) {
        let counted = self.refused.iter_mut().zip(shares);
        counted.for_each(|(refused, share)| *refused = share);
    }

    /// The largest share that is refused anywhere.
    pub fn worst(&self) -> f64 {
        self.refused.iter().copied().fold(0.0, f64::max)
    }

    /// Mean time for which a request of a kind from a market is in flight from an edge to an origin.
    fn response_secs(
        &self,
        scenario: &Scenario,
        plan: &Plan,
        world: &World,
        (e, s): (RegionId, RegionId),
        (q, m): (usize, MarketId),
    ) -> f64 {
        let region = &world.regions[s];
        let entry = plan.graph.entries[q].0;
        let miss = |cache: usize| region.flow.miss[cache * plan.graph.markets + m];
        let mut secs = self.responses[q].secs(&miss);
        secs += region.flow.wait_secs[entry] + region.flow.far(entry);
        secs += region.data.get(q).map_or(0.0, Effect::mean_delay);
        secs += region.flow.held(entry).mean();
        // What is given to an instance that hangs is in flight until the proxy gives up.
        let hanging = region.flow.hanging(entry);
        secs += hanging * (scenario.edge.connect_timeout_secs - secs);
        // The proxy's own time is in it: another region's proxies are on the way, its own are not.
        secs += match e == s {
            true => -plan.edge_secs,
            false => scenario.rtt_secs[e][s],
        };
        secs.max(0.0)
    }

    /// A step begins: rounds go all the way again.
    pub fn begin(&mut self) {
        self.paces.fill((1.0, 0.0));
    }

    /// The next round's share towards `wanted`; ever smaller steps once it has been passed. Returns the
    /// distance that it had.
    fn approach(&mut self, cell: usize, wanted: f64) -> f64 {
        let (part, before) = &mut self.paces[cell];
        let gap = wanted - self.refused[cell];
        if gap * *before < 0.0 {
            *part *= 0.5;
        }
        *before = gap;
        let next = self.refused[cell] + *part * gap;
        self.refused[cell] = if next < NOTHING { 0.0 } else { next };
        gap.abs()
    }
}

/// Share of a proxy's requests to an origin that find so many in flight already, by Erlang's loss
/// formula: it holds for any law of the response time.
pub fn refused(limit: f64, per_sec: f64, mean_secs: f64) -> f64 {
    let servers = Servers {
        slots: limit,
        queue: 0.0,
        mean_secs,
        scv: 1.0,
    };
    let state = Pool::default().evaluate(per_sec, 1.0, &servers);
    if state.refused < NOTHING {
        0.0
    } else {
        state.refused
    }
}

impl Serving {
    /// Finds what limits refuse under the load of this round. Returns how far the shares were from it.
    pub(super) fn limit_origins(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        knobs: &Knobs,
        world: &World,
    ) -> f64 {
        let Some(mut limits) = self.limits.take() else {
            return 0.0;
        };
        let mut fate = std::mem::take(&mut self.fate);
        let regions = self.regions;
        let mut per_sec = vec![0.0; regions * regions];
        let mut in_flight = vec![0.0; regions * regions];
        for (q, request) in scenario.requests.iter().enumerate() {
            for m in 0..self.markets {
                let lanes = 0..self.lanes.count();
                for (e, lane) in (0..regions).flat_map(|e| lanes.clone().map(move |l| (e, l))) {
                    let rate = self.entering[self.flow(lane, e, q, m)];
                    if rate <= 0.0 {
                        continue;
                    }
                    let way = Way {
                        lane,
                        edge: e,
                        market: m,
                        request: q,
                    };
                    let tried = self.tried(way, knobs, request.safe, world, &mut fate);
                    for s in (0..regions).filter(|&s| tried[s] > 0.0) {
                        let secs = limits.response_secs(scenario, plan, world, (e, s), (q, m));
                        per_sec[e * regions + s] += rate * tried[s];
                        in_flight[e * regions + s] += rate * tried[s] * secs;
                    }
                }
            }
        }
        self.fate = fate;
        let mut far: f64 = 0.0;
        for e in 0..regions {
            let proxies = plan.proxies[e].max(1) as f64 * (1.0 - world.doors.failed(e));
            for s in 0..regions {
                let cell = e * regions + s;
                let wanted = match per_sec[cell] > 0.0 && proxies > 0.0 && world.reaches(e, s) {
                    true => {
                        let mean_secs = in_flight[cell] / per_sec[cell];
                        refused(limits.limit, per_sec[cell] / proxies, mean_secs)
                    }
                    false => 0.0,
                };
                far = far.max(limits.approach(cell, wanted));
            }
        }
        self.hurt |= limits.worst() > 0.0;
        self.limits = Some(limits);
        far
    }
}
