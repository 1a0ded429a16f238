//! A request's way through the graph of services: work that waits for a slot, keeps it busy, and then
//! calls others, in parallel and in sequence.

use super::pool::Entry;
use super::shelf::Found;
use super::slab::Key;
use super::timeline::Kind;
use super::{Requests, Scene};
use crate::model::policy::Shed;
use crate::model::scenario::{RegionId, ServiceId};
use crate::units::Span;
use crate::world::exchange::host;
use crate::world::graph::{Link, shed_share};

/// Who waits for a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody any more.
    Nobody,
    /// A cache that is warmed.
    Cache,
    /// Work that has called it.
    Work(Key),
    /// A request at the proxies of the edge that it entered.
    Edge(Key),
    /// A request at the proxies of another region.
    Far(Key),
    /// A request that is served.
    Request(Key),
}

/// What a piece of work does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is on its way, or waits for a slot, or for the same fetch.
    Waits,
    /// It keeps a slot busy.
    Works,
    /// It waits for what it has called.
    Calls,
    /// It waits for a fetch that others have begun.
    Follows,
    /// Nobody works on it, and nobody is told.
    Hangs,
}

/// A piece of work at a service, or at the proxies of an edge (`service` is then beyond the last).
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Who waits for it.
    pub caller: Caller,
    /// Which of the caller's calls it is, and which attempt.
    pub link: u16,
    pub(super) attempt: u16,
    /// Region of the caller.
    pub(super) home: u16,
    /// Where it is done.
    pub region: u16,
    /// By which service.
    pub service: u16,
    /// For which market.
    pub market: u16,
    /// Priority class.
    pub class: u16,
    /// What it does.
    pub state: State,
    /// Whether it waits in the queue of `pool`.
    pub queued: bool,
    /// Whether its answer contains a fallback.
    pub(super) degraded: bool,
    /// Pool whose slot it waits for or keeps busy.
    pub pool: u32,
    /// Calls under way.
    pub(super) open: u32,
    /// Next of the calls in sequence, and how often the one before is still to be made.
    pub(super) stage: u16,
    pub(super) left: u16,
    /// Cache and object that it fetches.
    pub(super) fetches: Option<(u32, u32)>,
    /// Who waits for the same fetch.
    pub(super) follower: Key,
    /// What it needs beyond the usual, in seconds.
    pub more_secs: f64,
    /// When it arrived, and when a slot took it.
    pub times: (u64, u64),
    /// When its slot is done with it.
    pub(super) ends: u64,
}

impl Task {
    /// Work of a caller.
    pub fn new(caller: Caller, region: RegionId, service: ServiceId) -> Task {
        Task {
            caller,
            link: 0,
            attempt: 0,
            home: region as u16,
            region: region as u16,
            service: service as u16,
            market: 0,
            class: 0,
            state: State::Waits,
            queued: false,
            degraded: false,
            pool: 0,
            open: 0,
            stage: 0,
            left: 0,
            fetches: None,
            follower: Key::NONE,
            more_secs: 0.0,
            times: (0, 0),
            ends: 0,
        }
    }
}

/// A whole number of calls with this mean.
fn whole(count: f64, draw: impl FnOnce() -> f64) -> u16 {
    let below = count.floor();
    let one_more = count > below && draw() < count - below;
    below as u16 + u16::from(one_more)
}

impl Requests {
    /// Work arrives at its service.
    pub(super) fn arrive(&mut self, scene: &mut Scene, work: Key) {
        let Some(task) = self.tasks.get_mut(work) else {
            return;
        };
        task.times.0 = self.now;
        let (r, v) = (usize::from(task.region), usize::from(task.service));
        let class = usize::from(task.class);
        if v < self.services {
            if scene.world.regions[r].dark.is_some() {
                return self.done(scene, work, false);
            }
            let broken = self.broken[r * self.services + v];
            if broken > 0.0 {
                let met = self.chance[r].uniform();
                if met < self.hanging[r * self.services + v] {
                    return self.hang(scene, work);
                }
                if met < broken {
                    return self.done(scene, work, false);
                }
            }
            let Some(pool) = self.zone(r, v) else {
                return self.done(scene, work, false);
            };
            self.tasks[work].pool = pool as u32;
            if self.sheds(scene, r, pool, class) {
                return self.done(scene, work, false);
            }
        }
        let ranked = scene.view.knobs.shed == Shed::Priority && v < self.services;
        let pool = self.tasks[work].pool as usize;
        match self.pools[pool].enter(self.now, work, class, ranked, &self.tasks) {
            Entry::Served => self.begin(work),
            Entry::Waits(out) => {
                self.wait(work);
                if let Some(out) = out {
                    self.tasks[out].queued = false;
                    self.done(scene, out, false);
                }
            }
            Entry::Refused => self.done(scene, work, false),
        }
    }

    /// The pool of the zone that work for a service comes to.
    fn zone(&mut self, r: RegionId, v: ServiceId) -> Option<usize> {
        let zones = self.zones(r, v);
        let pools = &self.pools[zones.clone()];
        let whole: f64 = pools.iter().map(|p| p.share).sum();
        if whole <= 0.0 {
            return None;
        }
        let mut left = self.chance[r].uniform() * whole;
        let mut chosen = None;
        for (pool, zone) in pools.iter().zip(zones) {
            if pool.share > 0.0 {
                chosen = Some(zone);
                if left < pool.share {
                    break;
                }
                left -= pool.share;
            }
        }
        chosen
    }

    /// Whether work is shed before its pool is full.
    fn sheds(&mut self, scene: &Scene, r: RegionId, pool: usize, class: usize) -> bool {
        let Shed::Cubic { from } = scene.view.knobs.shed else {
            return false;
        };
        let pool = &self.pools[pool];
        let busy = (pool.busy + pool.waiting()) as f64 / (pool.slots as f64).max(1.0);
        if busy <= from {
            return false;
        }
        let x = ((busy - from) / (1.0 - from)).min(1.0);
        let shed = shed_share(class, scene.view.plan.graph.priorities.len(), x);
        shed >= 1.0 || shed > 0.0 && self.chance[r].uniform() < shed
    }

    /// Work waits in the queue of its pool.
    fn wait(&mut self, work: Key) {
        let task = &mut self.tasks[work];
        task.queued = true;
        if let Some(secs) = self.pools[task.pool as usize].patience() {
            self.push_after(secs, Kind::Tires, work);
        }
    }

    /// Work that still waits in a queue may do so no longer.
    pub(super) fn tire(&mut self, scene: &mut Scene, work: Key) {
        let Some(task) = self.tasks.get_mut(work).filter(|task| task.queued) else {
            return;
        };
        task.queued = false;
        let pool = task.pool as usize;
        self.pools[pool].leave();
        self.done(scene, work, false);
    }

    /// A slot takes work.
    pub(super) fn begin(&mut self, work: Key) {
        let task = &mut self.tasks[work];
        task.state = State::Works;
        task.queued = false;
        task.times.1 = self.now;
        let lasts = self.pools[task.pool as usize].time(task.more_secs);
        task.ends = self.now + lasts;
        self.timeline.push(task.ends, Kind::Done, work);
    }

    /// Free slots of a pool take who waits.
    pub(super) fn fill(&mut self, pool: usize) {
        while let Some(work) = self.pools[pool].take(self.now, &self.tasks) {
            self.serve(work);
        }
    }

    /// A slot is done with a piece of work.
    pub(super) fn worked(&mut self, scene: &mut Scene, work: Key) {
        let Some(task) = self.tasks.get_mut(work) else {
            return;
        };
        // The pace may have changed since it was told when it ends.
        if task.state != State::Works || task.ends != self.now {
            return;
        }
        task.state = State::Calls;
        let pool = task.pool as usize;
        let proxied = usize::from(task.service) == self.services;
        self.free(pool);
        match proxied {
            true => self.done(scene, work, true),
            false => self.call_all(scene, work),
        }
    }

    /// The calls that are made together, then the others in order.
    fn call_all(&mut self, scene: &mut Scene, work: Key) {
        let task = &mut self.tasks[work];
        // Work stays open while calls are made, whatever comes of them at once.
        task.open = 1;
        let (r, v) = (usize::from(task.region), usize::from(task.service));
        let calls = &scene.view.plan.graph.nodes[v].calls;
        for (j, link) in calls.iter().enumerate().filter(|c| c.1.parallel) {
            for _ in 0..whole(link.count, || self.chance[r].uniform()) {
                if !self.tasks.lives(work) {
                    return;
                }
                self.call(scene, work, j);
            }
        }
        self.closed(scene, work);
    }

    /// One call of a piece of work has come to its end.
    fn closed(&mut self, scene: &mut Scene, work: Key) {
        let Some(task) = self.tasks.get_mut(work) else {
            return;
        };
        task.open -= 1;
        if task.open == 0 {
            self.go_on(scene, work);
        }
    }

    /// Makes the next calls in order until one has to be waited for.
    fn go_on(&mut self, scene: &mut Scene, work: Key) {
        loop {
            let Some(task) = self.tasks.get_mut(work) else {
                return;
            };
            let (r, v) = (usize::from(task.region), usize::from(task.service));
            let calls = &scene.view.plan.graph.nodes[v].calls;
            if task.left == 0 {
                let stage = usize::from(task.stage);
                let Some(next) = (stage..calls.len()).find(|&j| !calls[j].parallel) else {
                    return self.done(scene, work, true);
                };
                task.stage = next as u16 + 1;
                task.left = whole(calls[next].count, || self.chance[r].uniform());
                continue;
            }
            task.left -= 1;
            task.open = 1;
            let j = usize::from(task.stage) - 1;
            self.call(scene, work, j);
            let Some(task) = self.tasks.get_mut(work) else {
                return;
            };
            task.open -= 1;
            if task.open > 0 {
                return;
            }
        }
    }

    /// Makes a call: what its cache has need not be asked for.
    fn call(&mut self, scene: &mut Scene, work: Key, j: usize) {
        let task = self.tasks[work];
        let (r, m) = (usize::from(task.region), usize::from(task.market));
        let link = &scene.view.plan.graph.nodes[usize::from(task.service)].calls[j];
        let mut fetches = None;
        if let Some(c) = link.cache {
            let cell = (r * self.caches + c) * self.markets + m;
            self.counts.lookups[cell] += 1;
            let Found::Miss(object) =
                self.shelves[r * self.caches + c].look_up(m, &mut self.chance[r])
            else {
                return;
            };
            self.counts.misses[cell] += 1;
            fetches = object.map(|object| (c as u32, object));
        }
        self.tasks[work].open += 1;
        self.try_call(scene, work, j, 0, fetches);
    }

    /// One attempt of a call.
    fn try_call(
        &mut self,
        scene: &mut Scene,
        work: Key,
        j: usize,
        attempt: u16,
        fetches: Option<(u32, u32)>,
    ) {
        let from = self.tasks[work];
        let r = usize::from(from.region);
        let link = &scene.view.plan.graph.nodes[usize::from(from.service)].calls[j];
        let class = link
            .priority
            .map_or(from.class, |lower| from.class.max(lower as u16));
        let mut task = Task {
            link: j as u16,
            attempt,
            market: from.market,
            class,
            fetches,
            ..Task::new(Caller::Work(work), r, link.to)
        };
        if let Some((c, object)) = fetches {
            let shelf = &mut self.shelves[r * self.caches + c as usize];
            let leader = shelf.fetching(object);
            if shelf.coalesce && self.tasks.lives(leader) {
                task.follower = self.tasks[leader].follower;
                task.state = State::Follows;
                let follower = self.tasks.insert(task);
                self.tasks[leader].follower = follower;
                self.tie_call(link, work, follower);
                self.tie_fetch(leader, follower);
                return self.time_out_later(link, follower);
            }
        }
        let Some(way) = self.way(scene, r, link.to) else {
            return self.answered(scene, work, &task, false);
        };
        task.region = way.0 as u16;
        let key = self.tasks.insert(task);
        self.tie_call(link, work, key);
        if let Some((c, object)) = fetches {
            self.shelves[r * self.caches + c as usize].set_fetching(object, key);
        }
        self.time_out_later(link, key);
        match way.1 {
            0 => self.arrive(scene, key),
            rtt => self.timeline.push(self.now + rtt, Kind::Arrives, key),
        }
    }

    /// The region in which calls of a service from a region are served, and the round trip to it.
    pub(super) fn way(
        &mut self,
        scene: &Scene,
        r: RegionId,
        v: ServiceId,
    ) -> Option<(RegionId, u64)> {
        let graph = &scene.view.plan.graph;
        if graph.has(r, v) {
            return Some((r, 0));
        }
        let partial = graph.partial.iter().find(|p| p.service == v)?;
        let rtt_secs = &scene.view.scenario.rtt_secs;
        let host = host(rtt_secs, partial, r, &|h| scene.world.reaches(r, h))?;
        self.counts.leaving[r * self.services + v] += 1;
        self.counts.called_bytes[r * self.regions + host] += scene.view.scenario.services[v].bytes;
        let lost = scene.world.links.lost(r, host);
        if lost > 0.0 && self.chance[r].uniform() < lost {
            return None;
        }
        Some((host, Span::from_secs(rtt_secs[r][host]).0))
    }

    fn time_out_later(&mut self, link: &Link, call: Key) {
        let ring = self.timeouts[link.id];
        self.set_timer(ring, call);
    }

    /// A call of a piece of work has come back.
    pub(super) fn answered(&mut self, scene: &mut Scene, work: Key, call: &Task, good: bool) {
        let Some(task) = self.tasks.get_mut(work) else {
            return;
        };
        let (r, v) = (usize::from(task.region), usize::from(task.service));
        let link = &scene.view.plan.graph.nodes[v].calls[usize::from(call.link)];
        if good {
            task.degraded |= call.degraded;
            return self.closed(scene, work);
        }
        if u32::from(call.attempt) + 1 < link.attempts {
            let fetches = call.fetches;
            return self.try_call(
                scene,
                work,
                usize::from(call.link),
                call.attempt + 1,
                fetches,
            );
        }
        if let Some(c) = link.cache {
            self.counts.unfetched[r * self.caches + c] += 1;
        }
        if link.critical {
            return self.done(scene, work, false);
        }
        task.degraded |= link.fallback;
        self.closed(scene, work);
    }

    /// A piece of work has come to its end.
    pub(super) fn done(&mut self, scene: &mut Scene, work: Key, good: bool) {
        let Some(task) = self.tasks.remove(work) else {
            return;
        };
        self.untie(work);
        self.note_visit(&task, good);
        let mut follower = task.follower;
        if let Some((c, object)) = task.fetches {
            self.unfetch(work, &task);
            // What comes when nobody waits for it any more is put nowhere.
            if good && self.anybody_waits(&task) {
                self.shelves[usize::from(task.home) * self.caches + c as usize].fill(object);
            }
        }
        self.deliver(scene, work, &task, good);
        while let Some(next) = self.tasks.get(follower).copied() {
            let this = std::mem::replace(&mut follower, next.follower);
            self.tasks.remove(this);
            self.untie(this);
            let task = Task {
                degraded: task.degraded,
                ..next
            };
            self.deliver(scene, this, &task, good);
        }
    }

    /// Work does not fetch any more what it fetched.
    pub(super) fn unfetch(&mut self, work: Key, task: &Task) {
        if let Some((c, object)) = task.fetches {
            let shelf = &mut self.shelves[usize::from(task.home) * self.caches + c as usize];
            if shelf.fetching(object) == work {
                shelf.set_fetching(object, Key::NONE);
            }
        }
    }

    /// Puts work into a pool that nobody has called.
    pub(super) fn put(&mut self, pool: usize, r: RegionId, v: ServiceId) {
        let work = self.tasks.insert(Task {
            pool: pool as u32,
            times: (self.now, self.now),
            ..Task::new(Caller::Nobody, r, v)
        });
        match self.pools[pool].enter(self.now, work, 0, false, &self.tasks) {
            Entry::Served => self.begin(work),
            Entry::Waits(_) => self.wait(work),
            Entry::Refused => {
                self.tasks.remove(work);
            }
        }
    }

    /// Whoever waits for work hears of its end.
    pub(super) fn deliver(&mut self, scene: &mut Scene, work: Key, task: &Task, good: bool) {
        match task.caller {
            Caller::Nobody | Caller::Cache => {}
            Caller::Work(caller) => self.answered(scene, caller, task, good),
            Caller::Edge(request) => self.proxied(scene, request, good),
            Caller::Far(request) => self.proxied_far(scene, request, good),
            Caller::Request(request) => {
                // Who has turned to another region hears no more from this one.
                if self.requests.get(request).is_some_and(|r| r.root == work) {
                    self.served(scene, request, good, task.degraded);
                }
            }
        }
    }

    /// A lookup that only warms a cache; what it misses is fetched as the least important work.
    pub(super) fn warm(&mut self, scene: &mut Scene, r: RegionId, c: usize, m: usize) {
        let graph = &scene.view.plan.graph;
        let (v, j) = graph.cached[c];
        let link = &graph.nodes[v].calls[j];
        let cell = (r * self.caches + c) * self.markets + m;
        self.counts.mirrored[cell] += 1;
        let Found::Miss(object) = self.shelves[r * self.caches + c].look_up(m, &mut self.chance[r])
        else {
            return;
        };
        self.counts.mirrored_misses[cell] += 1;
        let Some((to, rtt)) = self.way(scene, r, link.to) else {
            return;
        };
        let shelf = &mut self.shelves[r * self.caches + c];
        if let Some(object) = object
            && shelf.coalesce
            && self.tasks.lives(shelf.fetching(object))
        {
            return;
        }
        let task = Task {
            market: m as u16,
            class: graph.priorities.len() as u16 - 1,
            fetches: object.map(|object| (c as u32, object)),
            home: r as u16,
            ..Task::new(Caller::Cache, to, link.to)
        };
        let key = self.tasks.insert(task);
        if let Some(object) = object {
            self.shelves[r * self.caches + c].set_fetching(object, key);
        }
        match rtt {
            0 => self.arrive(scene, key),
            rtt => self.timeline.push(self.now + rtt, Kind::Arrives, key),
        }
    }
}
