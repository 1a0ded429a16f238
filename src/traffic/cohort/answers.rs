//! Answers: what becomes of a request, where it is counted, and how long it took.

use super::{Cohort, View};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::scenario::{MarketId, RegionId};
use crate::traffic::serving::{Fate, Way};
use crate::traffic::tally::delay_class;
use crate::units::Time;
use crate::world::doors::Door;
use crate::world::graph::Flow;
use crate::world::state::World;
use crate::world::stores::Effect;

impl Cohort {
    /// Finds what becomes of requests of a class from a market that enter at a region; `None`: nobody
    /// answers.
    pub(super) fn fate(
        &self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        q: usize,
        now: Time,
        fate: &mut Fate,
    ) -> bool {
        self.answer(view, world, (m, k, r), q, now, fate) && {
            self.lose_patience(view, world, (m, k, r), q, fate);
            true
        }
    }

    /// What is too late for a class's clients, and what they hear nothing of.
    fn lose_patience(
        &self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        q: usize,
        fate: &mut Fate,
    ) {
        let (scenario, graph) = (view.scenario, &view.plan.graph);
        let patience = scenario.devices[k].timeout.secs() - scenario.markets[m].rtt_secs;
        for s in 0..fate.ok.len() {
            if fate.ok[s] + fate.error[s] <= 0.0 {
                continue;
            }
            let flow = &world.regions[s].flow;
            let tardy = flow.tardy(graph, q, patience - scenario.rtt_secs[r][s]);
            let unheard = flow.unheard(graph, q, m);
            if tardy > 0.0 || unheard > 0.0 {
                fate.lose(s, tardy, unheard);
            }
        }
        if fate.ok.iter().all(|&share| share <= 0.0) {
            fate.failing = 1.0;
        }
    }

    /// What a class's requests are answered, however late; whether anybody answers.
    fn answer(
        &self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        q: usize,
        now: Time,
        fate: &mut Fate,
    ) -> bool {
        let alone = |fate: &mut Fate| {
            let flow = &world.regions[r].flow;
            let failing = flow.failing(q, m);
            let timeout_secs = view.scenario.devices[k].timeout.secs();
            let held = flow.held_failing(view.plan.graph.entries[q].0, timeout_secs);
            fate.single(view.scenario.regions.len(), r, failing, held);
        };
        if view.scenario.devices[k].direct {
            if world.regions[r].dark.is_some() {
                return false;
            }
            alone(fate);
            return true;
        }
        match world.door(view.scenario, m, r) {
            Some(Door::Edge(edge)) => {
                let lanes = &self.serving.lanes;
                let way = Way {
                    lane: lanes.of(q, lanes.group(k)),
                    edge,
                    market: m,
                    request: q,
                };
                self.serving
                    .fate(view.scenario, view.knobs, world, way, now, fate);
            }
            Some(Door::Services) => alone(fate),
            None => return false,
        }
        true
    }

    /// Mean and variance of a good answer's delay, and the region that most likely gave it.
    pub(super) fn delay_of(
        &self,
        view: &View,
        world: &World,
        (m, q, r): (MarketId, usize, RegionId),
        fate: &Fate,
    ) -> (f64, f64, RegionId) {
        let served = (0..fate.ok.len())
            .max_by(|&a, &b| fate.ok[a].total_cmp(&fate.ok[b]))
            .unwrap_or(r);
        let (mean, variance) = view.laws.moments(view.laws.first[q]);
        let flow = &world.regions[served].flow;
        let wait = flow.wait_secs[view.plan.graph.entries[q].0];
        let paths = &view.plan.paths[q];
        // Each miss adds the difference of the two laws' means.
        let mut missed = 0.0;
        for (i, &cache) in paths.caches.iter().enumerate() {
            let miss = flow.miss[cache * view.plan.graph.markets + m];
            let (with, _) = view.laws.moments(view.laws.first[q] + (1 << i));
            missed += (with - mean) * (miss * paths.lookups[i]).min(1.0);
        }
        let stores = world.regions[served].data.get(q);
        let stores = stores.map_or(0.0, Effect::mean_delay);
        let held = flow.held(view.plan.graph.entries[q].0);
        let again = match fate.ok[served] > 0.0 {
            true => fate.hung[served] / fate.ok[served] * fate.hung_secs,
            false => 0.0,
        };
        (
            mean + missed
                + wait
                + flow.far(view.plan.graph.entries[q].0)
                + view.scenario.rtt_secs[r][served]
                + stores
                + held.mean()
                + again,
            variance + held.mean() * (held.secs - held.mean()),
            served,
        )
    }

    /// Records answers to requests of a kind that entered at a region; of how many of the failed the
    /// client hears nothing.
    pub(super) fn record(
        &mut self,
        view: &View,
        world: &World,
        (m, q, r): (MarketId, usize, RegionId),
        fate: &Fate,
        good: u64,
        failed: u64,
        draws: &mut Draws,
    ) -> u64 {
        let scenario = view.scenario;
        let mut unheard = 0;
        let regions = scenario.regions.len();
        let ambient = scenario.ambient.request_failure;
        let mut counts = std::mem::take(&mut self.buffers.counts);
        let mut shares = std::mem::take(&mut self.buffers.shares);
        if good > 0 {
            place(
                draws,
                good,
                &fate.ok,
                &mut shares[..regions],
                &mut counts[..regions],
            );
            for s in 0..regions {
                if counts[s] == 0 {
                    continue;
                }
                let degraded = world.regions[s].flow.degrading(&view.plan.graph, q, m);
                let window = &mut self.window[s];
                window.answered_ok += counts[s];
                if let Some(asked) = self.asked.get_mut(s * scenario.requests.len() + q) {
                    asked.answered += counts[s];
                }
                if degraded > 0.0 {
                    window.answered_degraded += sampling::binomial(draws, counts[s], degraded);
                }
                self.tally(view, world, (m, q, r, s), fate, counts[s] as f64);
            }
        }
        if failed > 0 {
            // Ambient failures are the region's that would have answered.
            for s in 0..regions {
                shares[regions + s] = fate.error[s] + fate.late[s] + fate.ok[s] * ambient;
            }
            let (low, high) = shares.split_at_mut(regions);
            place(draws, failed, &high[..regions], low, &mut counts[..regions]);
            for s in 0..regions {
                let mut silent = 0;
                if fate.late[s] > 0.0 {
                    let part = (fate.late[s] / high[s]).min(1.0);
                    silent = sampling::binomial(draws, counts[s], part);
                    self.window[s].unreachable += silent;
                    unheard += silent;
                }
                self.window[s].answered_error += counts[s] - silent;
                self.not_answered(s, q, scenario.requests.len(), counts[s]);
            }
        }
        self.buffers.counts = counts;
        self.buffers.shares = shares;
        unheard
    }

    /// Requests of a kind to a region failed, or got no answer.
    pub(super) fn not_answered(&mut self, region: RegionId, q: usize, requests: usize, count: u64) {
        if let Some(asked) = self.asked.get_mut(region * requests + q) {
            asked.failed += count;
        }
    }

    /// Adds the latencies of good answers given by region `s` to requests that entered at `r`.
    pub(super) fn tally(
        &mut self,
        view: &View,
        world: &World,
        (m, q, r, s): (MarketId, usize, RegionId, RegionId),
        fate: &Fate,
        weight: f64,
    ) {
        let paths = &view.plan.paths[q];
        let markets = view.plan.graph.markets;
        let flow = &world.regions[s].flow;
        let patterns = &mut self.buffers.patterns;
        paths.patterns(&|cache| flow.miss[cache * markets + m], patterns);
        let (retried, hung) = if fate.ok[s] > 0.0 {
            (fate.retried[s] / fate.ok[s], fate.hung[s] / fate.ok[s])
        } else {
            (0.0, 0.0)
        };
        // Where something hangs behind the door: who waits for it, and who does not.
        let held = flow.held(view.plan.graph.entries[q].0);
        let waits = [(1.0 - held.share, 0.0), (held.share, held.secs)];
        let mut away = view.scenario.rtt_secs[r][s];
        if r != s {
            // The other region's proxies.
            away += view.plan.edge_secs;
        }
        let entry = view.plan.graph.entries[q].0;
        away += flow.far(entry);
        let edge = match world.door(view.scenario, m, r) {
            Some(Door::Edge(edge)) => edge,
            _ => r,
        };
        let wait = flow.wait_secs[entry] + self.serving.proxies[edge].wait.mean();
        let points = wait_points(flow, entry, wait);
        let stores = world.regions[s].data.get(q);
        let delays = match stores {
            Some(effect) if !effect.delays.is_empty() => &effect.delays[..],
            _ => &[(1.0, 0.0)],
        };
        for (pattern, &part) in patterns[..paths.laws.len()].iter().enumerate() {
            if part < 1e-9 {
                continue;
            }
            let law = view.laws.first[q] + pattern;
            for (share, secs) in points {
                if share <= 0.0 {
                    continue;
                }
                for &(among, store_secs) in delays {
                    for (held, held_secs) in waits.into_iter().filter(|wait| wait.0 > 0.0) {
                        let weight = weight * part * share * among * held;
                        let delay = away + secs + store_secs + held_secs;
                        let tally = &mut self.tallies[s];
                        tally.add(law, delay_class(delay), weight * (1.0 - retried - hung));
                        if retried > 0.0 {
                            let delay = delay + fate.retry_cost_secs;
                            tally.add(law, delay_class(delay), weight * retried);
                        }
                        if hung > 0.0 {
                            let delay = delay + fate.hung_secs;
                            tally.add(law, delay_class(delay), weight * hung);
                        }
                    }
                }
            }
        }
    }
}

/// Places a count by weights that need not sum to one.
fn place(draws: &mut Draws, count: u64, weights: &[f64], shares: &mut [f64], counts: &mut [u64]) {
    let total: f64 = weights.iter().sum();
    if let Some(only) = sole(weights) {
        counts.fill(0);
        counts[only] = count;
        return;
    }
    assert!(total > 0.0, "requests were answered by nobody");
    for (share, weight) in shares.iter_mut().zip(weights) {
        *share = weight / total;
    }
    sampling::multinomial(draws, count, shares, counts);
}

/// The only positive weight, if there is only one.
fn sole(weights: &[f64]) -> Option<usize> {
    let mut found = None;
    for (i, &weight) in weights.iter().enumerate() {
        if weight > 0.0 {
            if found.is_some() {
                return None;
            }
            found = Some(i);
        }
    }
    found
}

/// The law of the waits on a request's way, as points with shares: those who do not wait, and the
/// rest spread as an exponential, or all at once behind a backlog.
fn wait_points(flow: &Flow, entry: usize, mean: f64) -> [(f64, f64); 7] {
    /// Exponential quantiles at `(i + 0.5) / 6`, scaled to mean one.
    const TAIL: [f64; 6] = [0.0933, 0.3086, 0.5781, 0.9382, 1.4888, 2.593];
    let mut points = [(0.0, 0.0); 7];
    points[0] = (1.0, 0.0);
    if mean < 1e-4 {
        return points;
    }
    let own = &flow.pools[entry].wait;
    let widest = flow
        .pools
        .iter()
        .map(|p| {
            if p.wait.fixed > 0.0 {
                1.0
            } else {
                p.wait.share
            }
        })
        .fold(own.share, f64::max)
        .clamp(0.01, 1.0);
    let fixed: f64 = flow.pools.iter().map(|p| p.wait.fixed).fold(0.0, f64::max);
    if fixed > 0.8 * mean {
        points[0] = (1.0, mean);
        return points;
    }
    points[0] = (1.0 - widest, 0.0);
    for (point, factor) in points[1..].iter_mut().zip(TAIL) {
        *point = (widest / 6.0, mean / widest * factor);
    }
    points
}
