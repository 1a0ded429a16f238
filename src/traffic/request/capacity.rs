//! What the infrastructure is at the beginning of a step: slots, proxies, names, and what has gone.

use super::calls::{Caller, State};
use super::edge::Owner;
use super::slab::Key;
use super::timeline::Kind;
use super::{ASKS, Requests, STALLS, Scene};
use crate::engine::sampling;
use crate::model::scenario::{RegionId, ServiceId};
use crate::traffic::cohort::View;
use crate::units::{Span, Time};
use crate::world::plan::Plan;
use std::ops::Range;

/// A limit on new connections per second, counted in seconds of the clock.
pub struct Gate {
    limit: f64,
    second: u64,
    left: f64,
}

impl Gate {
    /// A limit.
    pub fn new(limit: f64) -> Gate {
        Gate {
            limit,
            second: u64::MAX,
            left: 0.0,
        }
    }

    /// The limit is another from now on.
    pub fn set(&mut self, limit: f64) {
        if self.limit != limit {
            self.left = (self.left + limit - self.limit).max(0.0);
            self.limit = limit;
        }
    }

    /// Whether one more gets in.
    pub fn admits(&mut self, now: u64) -> bool {
        let second = now / 1_000_000_000;
        if second != self.second {
            self.second = second;
            // What is left of one place is part of one in the next second.
            self.left = self.limit + if self.left < 1.0 { self.left } else { 0.0 };
        }
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

impl Requests {
    /// The load before the first step is that of the plan.
    pub(super) fn expect_load(&mut self, view: &View) {
        for (r, load) in view.plan.first.iter().enumerate() {
            for q in 0..self.kinds {
                for m in 0..self.markets {
                    let lane = view.plan.lanes.of(q, 0);
                    let flow = self.serving.flow(lane, r, q, m);
                    self.serving.entering[flow] = load.requests[q * self.markets + m];
                }
            }
        }
    }

    /// Looks at everything that may have changed since the last step.
    pub(super) fn look_around(&mut self, scene: &mut Scene) {
        let now = Time(self.now);
        for r in 0..self.regions {
            let is_dark = scene.world.regions[r].dark.is_some();
            let was_dark = std::mem::replace(&mut self.dark[r], is_dark);
            if !is_dark {
                scene.world.regions[r].note_capacity(scene.view.plan, now);
            }
            self.empty_caches(scene, r);
            if is_dark && !was_dark {
                self.go_dark(scene, r);
            }
            for v in 0..self.services {
                self.resize(scene, r, v);
            }
            self.resize_proxies(scene, r);
            if let Some(gate) = self.gates.get_mut(r) {
                let share = scene.world.condition.balancer_share(r);
                gate.set(scene.world.balancers[r].limit() * share);
            }
        }
        self.strand(scene);
        self.stop_media(scene);
        self.note_routes(scene);
        for (m, chains) in self.chains.iter_mut().enumerate() {
            let most = self.rows[m].len() as f64 * 1.05 + 8.0;
            let stalls = scene.view.scenario.ambient.stall_rate * scene.world.condition.cdn(m).0;
            chains.most = [most; 2];
            chains.rates[ASKS] = self.asking_per_sec * most;
            chains.rates[STALLS] = stalls * most;
        }
    }

    fn empty_caches(&mut self, scene: &Scene, r: RegionId) {
        let emptied = scene.world.regions[r].emptied();
        for c in 0..self.caches {
            if emptied[c] != self.emptied[r][c] {
                self.emptied[r][c] = emptied[c];
                self.shelves[r * self.caches + c].clear();
            }
        }
    }

    /// The slots of a service in each zone of a region, and what its dead instances take with them.
    fn resize(&mut self, scene: &mut Scene, r: RegionId, v: ServiceId) {
        let region = &scene.world.regions[r];
        let service = &scene.view.scenario.services[v];
        let cell = r * self.services + v;
        let zones = self.zones(r, v);
        let dead = region.instances[v].dead();
        let newly = dead.saturating_sub(std::mem::replace(&mut self.dead[cell], dead));
        let hung = region.instances[v].hung();
        let newly_hung = hung.saturating_sub(std::mem::replace(&mut self.hung[cell], hung));
        let here = region.capacity[v];
        (self.broken[cell], self.hanging[cell]) = (here.broken, here.hanging);
        let (slots, places) = (u64::from(service.slots), u64::from(service.queue));
        let weighted = region.zones(v);
        let (all, up) = (here.instances as u64, (here.zones as u64).max(1));
        for (z, pool) in self.pools[zones.clone()].iter_mut().enumerate() {
            let (instances, share, slowness) = match weighted.get(z) {
                _ if region.dark.is_some() => (0, 0.0, 1.0),
                Some(zone) => {
                    let own = zone.instances as u64;
                    (own, if own > 0 { zone.share } else { 0.0 }, zone.slowness)
                }
                None if (z as u64) < up => {
                    let own = all / up + u64::from((z as u64) < all % up);
                    (own, own as f64, here.slowness)
                }
                None => (0, 0.0, 1.0),
            };
            pool.slots = instances * slots;
            pool.places = instances * places;
            (pool.share, pool.slowness) = (share, slowness);
        }
        let strain = region.strain(v);
        let before = std::mem::replace(&mut self.strain[cell], strain);
        if newly > 0 && region.dark.is_none() {
            let living = region.instances[v].in_service();
            let hanging = newly_hung as f64 / newly as f64;
            let (dead, all) = (newly * slots, (living + newly) * slots);
            self.lose_work(scene, (r, v), (dead, all), hanging);
        }
        if strain != before {
            self.change_pace(zones.clone(), strain / before);
        }
        for zone in zones {
            if self.pools[zone].slots == 0 && self.pools[zone].waiting() > 0 {
                // Who waits where nothing serves any more is sent to another zone.
                for work in self.pools[zone].clear_waiting(&self.tasks) {
                    self.tasks[work].queued = false;
                    self.arrive(scene, work);
                }
            }
            self.fill(zone);
        }
    }

    /// What is under way in some pools takes so many times as long from now on.
    fn change_pace(&mut self, pools: Range<usize>, times: f64) {
        for work in self.tasks.keys() {
            let task = &mut self.tasks[work];
            if task.state == State::Works && pools.contains(&(task.pool as usize)) {
                let left = (task.ends - self.now) as f64 * times;
                task.ends = self.now.saturating_add(left.round() as u64);
                self.timeline.push(task.ends, Kind::Done, work);
            }
        }
    }

    /// So many of all slots die, any of them, with what they were working on, which hangs with a chance of
    /// `hanging`.
    fn lose_work(
        &mut self,
        scene: &mut Scene,
        (r, v): (RegionId, ServiceId),
        (dead, of): (u64, u64),
        hanging: f64,
    ) {
        let zones = self.zones(r, v);
        let (mut dead, mut left) = (dead, of.max(1));
        for work in self.tasks.keys() {
            let Some(task) = self.tasks.get(work) else {
                continue;
            };
            if task.state != State::Works || !zones.contains(&(task.pool as usize)) {
                continue;
            }
            let pool = task.pool as usize;
            let dies = self.chance[r].uniform() * left as f64 <= dead as f64 && dead > 0;
            left = left.saturating_sub(1).max(1);
            if dies {
                dead -= 1;
                self.free(pool);
                match hanging > 0.0 && self.chance[r].uniform() < hanging {
                    true => self.hang(scene, work),
                    false => self.done(scene, work, false),
                }
            }
        }
    }

    fn resize_proxies(&mut self, scene: &Scene, e: RegionId) {
        let scenario = scene.view.scenario;
        let zones = self.zones(e, self.services);
        let lives = scene.world.edge_lives(scenario, e);
        let failed = scene.world.doors.failed(e);
        let mut counts = vec![0; zones.len()];
        for proxy in 0..self.proxies[e].count {
            if lives && !self.proxies[e].failed(proxy, failed) {
                counts[proxy as usize % zones.len()] += 1;
            }
        }
        for (zone, count) in zones.zip(counts) {
            let pool = &mut self.pools[zone];
            pool.slots = count * u64::from(scenario.edge.slots);
            pool.places = Plan::proxy_places(scenario, pool.slots as f64) as u64;
            self.fill(zone);
        }
    }

    /// A region goes dark: all work in it is lost, and whoever waits for it learns so in its own way.
    fn go_dark(&mut self, scene: &mut Scene, r: RegionId) {
        let edge_lives = scene.world.edge_lives(scene.view.scenario, r);
        let mut lost = Vec::new();
        for key in self.tasks.keys() {
            let Some(task) = self.tasks.get(key).copied() else {
                continue;
            };
            let proxy = usize::from(task.service) == self.services;
            if usize::from(task.region) == r && (!proxy || !edge_lives) {
                self.forget(key);
                lost.push((key, task));
            }
        }
        // Calls from other regions fail; the rest went down with its callers.
        for (key, task) in lost {
            match task.caller {
                Caller::Work(work) if self.tasks.lives(work) => {
                    self.deliver(scene, key, &task, false)
                }
                Caller::Request(request) => {
                    let at = self
                        .requests
                        .get(request)
                        .map(|request| usize::from(request.at));
                    if at.is_some_and(|at| at != r) {
                        self.deliver(scene, key, &task, false);
                    }
                }
                _ => {}
            }
        }
        let mut at_proxy = Vec::new();
        for key in self.tasks.keys() {
            if let Caller::Edge(request) | Caller::Far(request) = self.tasks[key].caller {
                at_proxy.push(request.index);
            }
        }
        at_proxy.sort_unstable();
        for key in self.requests.keys() {
            let Some(request) = self.requests.get(key) else {
                continue;
            };
            let edge = request.edge.map(usize::from);
            let here = usize::from(request.at) == r;
            let edge_gone = edge == Some(r) && !edge_lives;
            if edge_gone || edge.is_none() && here {
                self.lose_request(scene, key);
            } else if here && at_proxy.binary_search(&key.index).is_err() {
                // An answer that waited does not go out any more.
                let edge = edge.unwrap_or(r);
                let scenario = scene.view.scenario;
                let now = Time(self.now);
                let cost = scene.world.failing_cost_secs(scenario, edge, r, now);
                let at = self.now + Span::from_secs(cost).0;
                self.requests[key].due = at;
                self.timeline.push(at, Kind::Known, key);
            }
        }
    }

    /// Takes out work without telling anybody.
    fn forget(&mut self, key: Key) {
        let Some(task) = self.tasks.get(key).copied() else {
            return;
        };
        let pool = task.pool as usize;
        if task.state == State::Works {
            self.pools[pool].lose(self.now);
        } else if task.queued {
            self.pools[pool].leave();
        }
        self.unfetch(key, &task);
        self.tasks.remove(key);
        self.untie(key);
    }

    /// Nobody will answer a request: its client gets no answer.
    fn lose_request(&mut self, scene: &mut Scene, key: Key) {
        let hangs = |r: usize| scene.world.regions[r].dark.is_some_and(|dark| dark.hang);
        let Some(request) = self.requests.get(key) else {
            return;
        };
        if hangs(usize::from(request.entered)) && request.owner != Owner::Nobody {
            // The client's own timeout ends it.
            self.requests[key].gone = true;
            return;
        }
        self.client_gives_up(scene, key);
        self.drop_request(key);
    }

    /// Where edges send markets on average, and where retries go.
    fn note_routes(&mut self, scene: &Scene) {
        let (view, world) = (scene.view, &scene.world);
        for e in 0..self.regions {
            for m in 0..self.markets {
                let row = self.serving.row(crate::world::lanes::MOVES, e, m);
                let shares = &mut self.serving.share[row..row + self.regions];
                self.proxies[e].mean_table(world, e, m, self.now, shares);
            }
        }
        let step = (Time(self.now), Time(self.until));
        self.serving.find_ways(view.knobs, view.plan, world, step);
    }

    /// Lookups that warm caches are awaited.
    pub(super) fn await_mirrors(&mut self, scene: &Scene) {
        for r in 0..self.regions {
            if scene.world.regions[r].dark.is_none() {
                self.await_mirror(scene, r);
            }
        }
    }

    fn await_mirror(&mut self, scene: &Scene, r: RegionId) {
        let rate: f64 = scene.world.regions[r].flow.mirrored.iter().sum();
        if rate <= 0.0 {
            return;
        }
        let after = sampling::exponential(&mut self.chance[r], 1.0 / rate);
        let at = self.now.saturating_add(Span::from_secs(after).0);
        if at < self.until {
            self.timeline.push(at, Kind::Mirror, Key::number(r));
        }
    }

    /// A lookup that warms a cache of a region.
    pub(super) fn mirror(&mut self, scene: &mut Scene, r: RegionId) {
        let rates = scene.world.regions[r].flow.mirrored.iter();
        let whole: f64 = rates.clone().sum();
        let chosen = self.chance[r].uniform();
        let cell = super::starts::share_of(rates.map(|rate| rate / whole.max(1e-300)), chosen);
        self.warm(scene, r, cell / self.markets, cell % self.markets);
        self.await_mirror(scene, r);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_admits_its_limit_each_second_parts_of_one_included() {
        let mut gate = Gate::new(2.5);
        let admitted = |gate: &mut Gate, second: u64| {
            (0..10)
                .filter(|i| gate.admits(second * 1_000_000_000 + i))
                .count()
        };
        let counts: Vec<usize> = (0..4).map(|second| admitted(&mut gate, second)).collect();
        assert_eq!(counts, [2, 3, 2, 3]);
    }
}
