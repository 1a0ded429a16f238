//! What a step did: for the world, in the same terms as counted traffic, and for the experimenter.

use super::{Requests, Scene};
use crate::model::observation::Observation;
use crate::model::scenario::MarketId;
use crate::traffic::cohort::View;
use crate::world::balancer::Admission;
use crate::world::doors::Door;
use crate::world::lanes::{MOVES, STAYS};
use crate::world::plan::Plan;

/// Counts of a step.
#[derive(Default)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Requests that entered an edge, or a region directly, as flows are numbered.
    pub entering: Vec<u64>,
    /// See `entering`.
    pub direct: Vec<u64>,
    /// Requests that entered a region, `[region][request][market]`, and those that it failed.
    pub inside: Vec<u64>,
    /// See `inside`.
    pub inside_failed: Vec<u64>,
    /// Lookups and those that missed, `[region][cache][market]`.
    pub lookups: Vec<u64>,
    /// See `lookups`.
    pub misses: Vec<u64>,
    /// The same of those that only warm.
    pub mirrored: Vec<u64>,
    /// See `mirrored`.
    pub mirrored_misses: Vec<u64>,
    /// Lookups that failed with their fetch, `[region][cache]`.
    pub unfetched: Vec<u64>,
    /// Calls that left a region for a service, `[region][service]`.
    pub leaving: Vec<u64>,
    /// Requests that edges sent to regions, and those that their limit refused, `[edge][region]`.
    pub sent: Vec<u64>,
    /// See `sent`.
    pub refused: Vec<u64>,
    /// Bytes that edges and services asked to send, `[from][to]`.
    pub asked_bytes: Vec<f64>,
    /// See `asked_bytes`.
    pub called_bytes: Vec<f64>,
    /// Requests that edges sent to other regions.
    pub crossing: u64,
    /// New connections, per region.
    pub wanted: Vec<u64>,
}

impl Counts {
    /// Nothing yet.
    pub fn new(of: &Requests) -> Counts {
        let pairs = of.regions * of.regions;
        let lookups = of.regions * of.caches * of.markets;
        Counts {
            events: 0,
            entering: vec![0; of.serving.entering.len()],
            direct: vec![0; of.serving.direct.len()],
            inside: vec![0; of.regions * of.kinds * of.markets],
            inside_failed: vec![0; of.regions],
            lookups: vec![0; lookups],
            misses: vec![0; lookups],
            mirrored: vec![0; lookups],
            mirrored_misses: vec![0; lookups],
            unfetched: vec![0; of.regions * of.caches],
            leaving: vec![0; of.regions * of.services],
            sent: vec![0; pairs],
            refused: vec![0; pairs],
            asked_bytes: vec![0.0; pairs],
            called_bytes: vec![0.0; pairs],
            crossing: 0,
            wanted: vec![0; of.regions],
        }
    }

    /// A step begins.
    pub fn clear(&mut self) {
        for counts in [
            &mut self.entering,
            &mut self.direct,
            &mut self.inside,
            &mut self.inside_failed,
            &mut self.lookups,
            &mut self.misses,
            &mut self.mirrored,
            &mut self.mirrored_misses,
            &mut self.unfetched,
            &mut self.leaving,
            &mut self.sent,
            &mut self.refused,
            &mut self.wanted,
        ] {
            counts.fill(0);
        }
        self.asked_bytes.fill(0.0);
        self.called_bytes.fill(0.0);
        self.crossing = 0;
        self.events = 0;
    }
}

impl Requests {
    /// Tells the world and the window what a step of so many seconds did.
    pub(super) fn measure(&mut self, scene: &mut Scene, dt: f64) {
        self.tell_flows(scene, dt);
        for r in 0..self.regions {
            self.proxies[r].pass(dt);
            self.tell_region(scene, r, dt);
            self.watch_pools(scene, r, dt);
            let (playing, still) = self.playing[r].take_secs(self.now);
            let window = &mut self.window[r];
            window.playing_secs += playing;
            window.stalled_secs += still;
        }
        self.tell_balancers(scene, dt);
        if !scene.world.links.is_empty() {
            let per_sec = |bytes: &f64| bytes / dt;
            let asked: Vec<f64> = self.counts.asked_bytes.iter().map(per_sec).collect();
            let called: Vec<f64> = self.counts.called_bytes.iter().map(per_sec).collect();
            scene.world.links.ask_proxied(&asked);
            scene.world.links.ask_called(&called);
        }
    }

    /// Flows as counted traffic has them, per second.
    fn tell_flows(&mut self, scene: &Scene, dt: f64) {
        let per_sec = |count: &u64| *count as f64 / dt;
        let serving = &mut self.serving;
        for (rates, counts) in [
            (&mut serving.entering, &self.counts.entering),
            (&mut serving.direct, &self.counts.direct),
        ] {
            let rates = rates.iter_mut().zip(counts);
            rates.for_each(|(rate, count)| *rate = per_sec(count));
        }
        serving.crossing = self.counts.crossing as f64 / dt;
        let refused = self.counts.refused.iter().zip(&self.counts.sent);
        serving.set_refused(refused.map(|(&refused, &sent)| refused as f64 / sent.max(1) as f64));
        let lanes = serving.lanes.count();
        for m in 0..self.markets {
            self.market_load[m] = 0.0;
            for lane in 0..lanes {
                for (q, r) in (0..self.kinds).flat_map(|q| (0..self.regions).map(move |r| (q, r))) {
                    let flow = serving.flow(lane, r, q, m);
                    self.market_load[m] += serving.entering[flow] + serving.direct[flow];
                }
                if lane == MOVES {
                    self.market_moves[m] = self.market_load[m];
                }
            }
        }
        self.tell_shifted(scene);
    }

    /// What home regions send elsewhere, by the routes of their proxies.
    fn tell_shifted(&mut self, scene: &Scene) {
        let scenario = scene.view.scenario;
        let plan = scene.view.plan;
        let kinds = scenario.requests.iter().enumerate();
        let moves = kinds.filter(|(q, _)| plan.lanes.of(*q, MOVES) == MOVES);
        let per_start: f64 = moves.map(|(_, request)| request.per_start()).sum();
        let moving = || {
            let classes = scenario.devices.iter().enumerate();
            classes.filter(|(k, _)| plan.lanes.moves_class(*k))
        };
        self.shifted.fill((0.0, 0.0));
        for m in 0..self.markets {
            let home = scenario.markets[m].near[0];
            for e in 0..self.regions {
                let entering: f64 = (0..self.kinds)
                    .map(|q| self.serving.entering[self.serving.flow(MOVES, e, q, m)])
                    .sum();
                let kept = self.serving.share[self.serving.row(MOVES, e, m) + home];
                self.shifted[home].0 += entering * (1.0 - kept);
                self.shifted[home].1 += entering;
                if matches!(scene.world.door(scenario, m, e), Some(Door::Edge(_))) {
                    continue;
                }
                // Attempts that reach no router at all are not routed elsewhere.
                let rate = plan.demand[m].rate(0.0) * per_start;
                for (k, class) in moving().filter(|c| !c.1.direct) {
                    let here = scene.world.resolvers[m][k].share()[e];
                    self.shifted[home].1 += rate * class.share * here;
                }
            }
            if scenario.devices.iter().all(|class| class.direct) {
                // Without a router, names alone move anything.
                for (k, class) in moving() {
                    let here = scene.world.resolvers[m][k].share()[home];
                    self.shifted[home].0 += class.share * (1.0 - here);
                    self.shifted[home].1 += class.share;
                }
            }
        }
    }

    /// What a region's services and caches did.
    fn tell_region(&mut self, scene: &mut Scene, r: usize, dt: f64) {
        let plan = scene.view.plan;
        let region = &mut scene.world.regions[r];
        let width = self.kinds * self.markets;
        let inside = &self.counts.inside[r * width..(r + 1) * width];
        for (rate, &count) in region.entering.iter_mut().zip(inside) {
            *rate = count as f64 / dt;
        }
        let window = &mut self.window[r];
        window.asked += inside.iter().sum::<u64>() as f64;
        window.asked_failed += self.counts.inside_failed[r] as f64;
        let rates = plan.graph.priorities.len() * self.markets;
        for v in 0..self.services {
            if region.flow.leaves(v) {
                region.flow.rate[v * rates] =
                    self.counts.leaving[r * self.services + v] as f64 / dt;
            }
        }
        for c in 0..self.caches {
            let (mut fetched, mut lost) = (0, self.counts.unfetched[r * self.caches + c]);
            for m in 0..self.markets {
                let (cell, own) = (
                    (r * self.caches + c) * self.markets + m,
                    c * self.markets + m,
                );
                let all = self.counts.lookups[cell] + self.counts.mirrored[cell];
                region.flow.lookups[own] = all as f64 / dt;
                fetched += self.counts.misses[cell];
                window.cache_lookups += self.counts.lookups[cell] as f64;
                window.cache_hits += (self.counts.lookups[cell] - self.counts.misses[cell]) as f64;
                window.cache_fetches += self.counts.misses[cell] as f64;
            }
            lost = lost.min(fetched);
            window.cache_failed += lost as f64;
            region.flow.fetched[c] = 1.0 - lost as f64 / fetched.max(1) as f64;
        }
        let mut by_class = false;
        for c in 0..self.caches {
            let shelf = &mut self.shelves[r * self.caches + c];
            by_class |= shelf.by_class().is_some();
        }
        if by_class && region.dark.is_none() {
            region.commit(plan, dt);
            region.note_misses(plan, dt);
        }
        for c in 0..self.caches {
            let own = c * self.markets..(c + 1) * self.markets;
            let shelf = &mut self.shelves[r * self.caches + c];
            match shelf.by_class() {
                Some(miss) => miss.copy_from_slice(&region.flow.miss[own]),
                None => {
                    for (m, miss) in region.flow.miss[own].iter_mut().enumerate() {
                        *miss = shelf.miss(m);
                    }
                }
            }
        }
    }

    /// How busy the pools of a region were.
    fn watch_pools(&mut self, scene: &mut Scene, r: usize, dt: f64) {
        let plan = scene.view.plan;
        let lives = scene.world.edge_lives(scene.view.scenario, r);
        let mut worked = vec![(0.0, 0.0); self.services + 1];
        for (v, worked) in worked.iter_mut().enumerate() {
            for zone in self.zones(r, v) {
                let pool = &mut self.pools[zone];
                worked.0 += pool.take_worked_secs(self.now);
                worked.1 += pool.slots as f64 * dt;
            }
            // Slots that were taken out finish what they do.
            worked.1 = worked.1.max(worked.0);
        }
        let region = &mut scene.world.regions[r];
        let window = &mut self.window[r];
        for (v, &(busy, slots)) in worked.iter().enumerate() {
            let proxies = v == self.services;
            if proxies && !lives || !proxies && region.dark.is_some() {
                continue;
            }
            window.busy_slot_secs += busy;
            window.slot_secs += slots;
            let cell = (r * (self.services + 1) + v) * 2;
            self.pool_secs[cell] += busy;
            self.pool_secs[cell + 1] += slots;
            if !proxies {
                region.flow.pools[v].busy = busy / dt / region.capacity[v].zones.max(1.0);
            }
        }
        if region.dark.is_some() {
            return;
        }
        for &(caller, j) in &plan.graph.cached {
            let (busy, slots) = worked[plan.graph.nodes[caller].calls[j].to];
            window.store_busy_secs += busy;
            window.store_slot_secs += slots;
        }
    }

    /// The load balancers take note of how many wanted in.
    fn tell_balancers(&mut self, scene: &mut Scene, dt: f64) {
        self.admissions.clear();
        let Some(limits) = &scene.view.scenario.balancer else {
            return;
        };
        for r in 0..self.regions {
            let lives = scene.world.edge_lives(scene.view.scenario, r);
            let share = match lives {
                true => scene.world.condition.balancer_share(r),
                false => 0.0,
            };
            let offered = if lives {
                self.counts.wanted[r] as f64 / dt
            } else {
                0.0
            };
            let admission: Admission = scene.world.balancers[r].step(limits, offered, share, dt);
            let window = &mut self.window[r];
            window.connections += admission.offered * dt;
            window.connection_limit += admission.limit * dt;
            self.admissions.push(admission);
        }
    }

    /// Hands out the window, one observation per region.
    pub fn end_window(&mut self, _view: &View, window_secs: f64) -> Vec<Observation> {
        for (r, observation) in self.window.iter_mut().enumerate() {
            observation.window_secs = window_secs;
            if window_secs > 0.0 {
                observation.playing_sessions = observation.playing_secs / window_secs;
            }
            for v in 0..=self.services {
                let cell = (r * (self.services + 1) + v) * 2;
                let (busy, all) = (self.pool_secs[cell], self.pool_secs[cell + 1]);
                if all > 0.0 {
                    observation.hottest_pool = observation.hottest_pool.max(busy / all);
                }
            }
        }
        self.pool_secs.fill(0.0);
        let next = vec![Observation::default(); self.regions];
        let done = std::mem::replace(&mut self.window, next);
        for (window, playing) in self.window.iter_mut().zip(&self.playing) {
            window.stood_still += (playing.still + playing.stalled) as f64;
        }
        done
    }

    /// Share of each market's load in the last step that the policy cannot move; empty: it can move all.
    pub fn staying(&self) -> Vec<f64> {
        if self.serving.lanes.count() == 1 {
            return Vec::new();
        }
        let loads = self.market_load.iter().zip(&self.market_moves);
        loads
            .map(|(&all, &moves)| if all > 0.0 { 1.0 - moves / all } else { 0.0 })
            .collect()
    }

    /// Share of a market's lookups in a cache, as asked in the last step, that the policy can move.
    pub fn lookups_that_move(&self, plan: &Plan, cache: usize, market: MarketId) -> f64 {
        match self.serving.lanes.count() {
            1 => 1.0,
            _ => {
                let lookups = |lane| self.serving.lookups(plan, lane, cache, market);
                let (moves, stays) = (lookups(MOVES), lookups(STAYS));
                if moves > 0.0 {
                    moves / (moves + stays)
                } else {
                    0.0
                }
            }
        }
    }
}
