//! One region: its instances, pools and caches, and whether it is dark.

use crate::engine::stream::Stream;
use crate::model::episode::Episode;
use crate::model::policy::Shed;
use crate::model::scenario::{RegionId, Scenario, ServiceId};
use crate::units::{Span, Time};
use crate::world::cache::CacheState;
use crate::world::condition::{Condition, Degradation};
use crate::world::fleet::Fleet;
use crate::world::graph::{Capacity, Flow, Outside};
use crate::world::outlook::{Ahead, Outlook, outlook};
use crate::world::plan::Plan;
use crate::world::pool::{Pool, Zone};
use crate::world::stores::Effect;
use crate::world::workers::Pace;

mod sizing;

pub use sizing::Note;
use sizing::Scalers;

/// How a region is dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dark {
    /// Since when.
    pub since: Time,
    /// Connections hang instead of being refused.
    pub hang: bool,
}

/// A region's state.
#[derive(Clone, Debug)]
pub struct Region {
    /// Whether it is dark.
    pub dark: Option<Dark>,
    /// Instances per service.
    pub instances: Vec<Fleet>,
    /// Queue state per service, of a zone of average size.
    pub pools: Vec<Pool>,
    /// Zones per service, where they have weights.
    zones: Vec<Vec<Zone>>,
    /// Caches.
    pub caches: Vec<CacheState>,
    /// Flow of the last step.
    pub flow: Flow,
    /// Capacity per service during the last step.
    pub capacity: Vec<Capacity>,
    /// Requests per second that entered in the last step, `[request][market]`.
    pub entering: Vec<f64>,
    /// How badly each service works; empty where none does.
    degraded: Vec<Degradation>,
    /// How that will change; empty where it will not.
    outlook: Vec<Outlook>,
    /// What the stores do to each kind of request; empty where there is no domain.
    pub data: Vec<Effect>,
    scalers: Scalers,
    emptied: Vec<u64>,
    shocks: Shocks,
    streams: Vec<Stream>,
}

/// Common shocks of a replication that a region feels.
#[derive(Clone, Debug)]
pub struct Shocks {
    /// Factor on each service's time.
    pub slowness: Vec<f64>,
    /// Every object of a catalogue stands for so many.
    pub catalogue: f64,
}

impl Region {
    /// A region in its planned state, caches as warm as they say for the load at the beginning.
    pub fn new(
        scenario: &Scenario,
        plan: &Plan,
        region: RegionId,
        shocks: &Shocks,
        seed: u64,
        replication: u64,
    ) -> Region {
        let markets = plan.graph.markets;
        let load = &plan.first[region];
        let mut flow = Flow::new(&plan.graph);
        flow.miss.copy_from_slice(&load.miss);
        flow.outside = Outside::new(&plan.graph, region);
        let mut caches = Vec::new();
        for (c, catalogue) in plan.catalogues.iter().enumerate() {
            let mut state = empty_cache(plan, c, shocks.catalogue);
            let lookups: Vec<f64> = load.lookups[c * markets..(c + 1) * markets]
                .iter()
                .map(|rate| rate / shocks.catalogue)
                .collect();
            state.warm(catalogue, &lookups, plan.graph.caches[c].warm_secs);
            caches.push(state);
        }
        let place = &scenario.regions[region];
        let by_zone = &plan.by_zone[region];
        let services = 0..scenario.services.len();
        let begin: Vec<u64> = services
            .map(|v| sizing::begins_with(scenario, plan, region, v))
            .collect();
        Region {
            dark: None,
            instances: scenario
                .services
                .iter()
                .enumerate()
                .map(|(v, service)| {
                    let planned = (plan.sized[region][v], &by_zone[v][..]);
                    Fleet::new(service, place, planned, begin[v])
                })
                .collect(),
            zones: by_zone
                .iter()
                .map(|zones| vec![Zone::default(); zones.len()])
                .collect(),
            pools: vec![Pool::default(); scenario.services.len()],
            caches,
            flow,
            capacity: vec![Capacity::default(); scenario.services.len()],
            entering: vec![0.0; scenario.requests.len() * markets],
            degraded: Vec::new(),
            outlook: Vec::new(),
            data: Vec::new(),
            emptied: vec![0; plan.graph.caches.len()],
            scalers: Scalers::new(scenario, plan, region, &begin),
            shocks: shocks.clone(),
            streams: sizing::streams(scenario, &place.name, seed, replication),
        }
    }

    /// Evaluates a step with `self.entering` requests per second, without committing it.
    pub fn evaluate(&mut self, plan: &Plan, now: Time, dt_secs: f64, shed: Shed) {
        let graph = &plan.graph;
        let markets = graph.markets;
        self.note_capacity(plan, now);
        self.look_ahead(Time(now.0 + Span::from_secs(0.5 * dt_secs).0));
        let caches = &self.caches;
        let scale = dt_secs / self.shocks.catalogue;
        let mut counts = vec![0.0; markets];
        self.flow.evaluate(
            graph,
            &self.entering,
            dt_secs,
            &self.capacity,
            (&self.pools, &self.zones),
            shed,
            &mut |c, lookups, fetched, out| {
                for (count, rate) in counts.iter_mut().zip(lookups) {
                    *count = rate * scale;
                }
                let fetch_secs = fetch_secs(plan, c);
                caches[c].misses(
                    &plan.catalogues[c],
                    &counts,
                    fetched,
                    dt_secs,
                    fetch_secs,
                    out,
                );
            },
        );
        self.flow.feel(&self.data);
    }

    /// Notes what serves each service at a moment, and each of its zones where they have weights.
    pub fn note_capacity(&mut self, plan: &Plan, now: Time) {
        for v in 0..self.instances.len() {
            let mut zones = std::mem::take(&mut self.zones[v]);
            self.capacity[v] = self.capacity_now(plan, v, now, &mut zones);
            self.zones[v] = zones;
        }
    }

    /// The zones of a service as they were last noted, where they have weights; empty elsewhere.
    pub fn zones(&self, v: ServiceId) -> &[Zone] {
        &self.zones[v]
    }

    /// Every object of a catalogue stands for so many.
    pub fn stretch(&self) -> f64 {
        self.shocks.catalogue
    }

    /// How often each cache was emptied.
    pub fn emptied(&self) -> &[u64] {
        &self.emptied
    }

    /// What serves a service at a moment, and each of its zones where they have weights.
    fn capacity_now(&self, plan: &Plan, v: ServiceId, now: Time, zones: &mut [Zone]) -> Capacity {
        let mut here = self.instances[v].capacity(now, zones);
        let healthy = here.slowness;
        here.slowness *= self.shocks.slowness[v];
        if let Some(degraded) = self.degraded.get(v) {
            here.slowness *= degraded.slowness;
            here.drag_secs = plan.graph.nodes[v].mean_secs * (degraded.slowness - 1.0).max(0.0);
            here.broken = 1.0 - (1.0 - here.broken) * (1.0 - degraded.errors);
        }
        for zone in zones {
            zone.slowness *= here.slowness / healthy;
        }
        here
    }

    /// How many times longer everything takes at a service because a fault makes it work badly.
    pub fn strain(&self, v: ServiceId) -> f64 {
        self.degraded.get(v).map_or(1.0, |bad| bad.slowness)
    }

    /// How fast a worker works at a moment; `None` in the dark. What is broken is done again.
    pub fn pace(&self, plan: &Plan, v: ServiceId, now: Time) -> Option<Pace> {
        if self.dark.is_some() {
            return None;
        }
        let here = self.capacity_now(plan, v, now, &mut self.zones[v].clone());
        let slots = here.instances * plan.graph.nodes[v].slots;
        // Work that takes no time is done at once.
        let secs = (plan.graph.nodes[v].mean_secs * here.slowness).max(1e-9);
        Some(Pace {
            per_sec: slots / secs * (1.0 - here.broken),
            slots,
        })
    }

    /// Makes the evaluated step happen.
    pub fn commit(&mut self, plan: &Plan, dt_secs: f64) {
        for (pool, state) in self.pools.iter_mut().zip(&self.flow.pools) {
            pool.commit(state);
        }
        for (zones, by_zone) in self.zones.iter_mut().zip(&self.flow.by_zone) {
            by_zone.commit(zones);
        }
        let markets = plan.graph.markets;
        let scale = dt_secs / self.shocks.catalogue;
        let mut counts = vec![0.0; markets];
        for (c, cache) in self.caches.iter_mut().enumerate() {
            let lookups = &self.flow.lookups[c * markets..(c + 1) * markets];
            for (count, rate) in counts.iter_mut().zip(lookups) {
                *count = rate * scale;
            }
            let fetched = self.flow.fetched[c];
            cache.commit(
                &plan.catalogues[c],
                &counts,
                fetched,
                dt_secs,
                fetch_secs(plan, c),
            );
        }
    }

    /// Notes what each cache misses of as many lookups as in the last step, if they come now.
    pub fn note_misses(&mut self, plan: &Plan, dt_secs: f64) {
        let markets = plan.graph.markets;
        let scale = dt_secs / self.shocks.catalogue;
        for (c, cache) in self.caches.iter().enumerate() {
            let cells = c * markets..(c + 1) * markets;
            let counts: Vec<f64> = self.flow.lookups[cells.clone()]
                .iter()
                .map(|rate| rate * scale)
                .collect();
            let fetched = self.flow.fetched[c];
            let miss = &mut self.flow.miss[cells];
            let fetch_secs = fetch_secs(plan, c);
            cache.misses(
                &plan.catalogues[c],
                &counts,
                fetched,
                dt_secs,
                fetch_secs,
                miss,
            );
        }
    }

    /// What is impaired has changed; `region` is its own number.
    pub fn condition_changed(&mut self, region: RegionId, condition: &Condition) {
        self.block_launches(condition.launches_blocked(region));
        self.degraded.clear();
        let services = 0..self.instances.len();
        let degraded = services.map(|v| condition.degraded(region, v));
        self.degraded.extend(degraded);
        if self.degraded.iter().all(|d| *d == Degradation::NONE) {
            self.degraded.clear();
        }
    }

    /// What the episodes that are still to begin or to end will do to the pace of its services.
    pub fn foresee(&mut self, region: RegionId, episodes: &[&Episode], now: Time) {
        let services = 0..self.instances.len();
        let each = services.map(|v| outlook(episodes, region, v, now));
        self.outlook = each.collect();
        if self.outlook.iter().all(Vec::is_empty) {
            self.outlook.clear();
        }
    }

    /// Tells the flow what lies ahead of requests that arrive at a moment.
    fn look_ahead(&mut self, now: Time) {
        self.flow.ahead.clear();
        for (v, outlook) in self.outlook.iter().enumerate() {
            let slowness = self.degraded.get(v).map_or(1.0, |d| d.slowness);
            self.flow.ahead.push(Ahead::new(outlook, now, slowness));
        }
    }

    /// The region goes dark.
    pub fn goes_dark(&mut self, now: Time, hang: bool) {
        self.dark = Some(Dark { since: now, hang });
        for instances in &mut self.instances {
            instances.stop();
        }
        self.pools.fill(Pool::default());
        for zone in self.zones.iter_mut().flatten() {
            zone.pool = Pool::default();
        }
    }

    /// The region has power again: instances boot anew, and its caches are empty.
    pub fn comes_back(&mut self, scenario: &Scenario, plan: &Plan, now: Time) {
        self.dark = None;
        for (v, instances) in self.instances.iter_mut().enumerate() {
            instances.restart(now, &scenario.services[v].boot, self.streams[v]);
        }
        for (c, cache) in self.caches.iter_mut().enumerate() {
            *cache = empty_cache(plan, c, self.shocks.catalogue);
            self.emptied[c] += 1;
        }
        self.flow.mirrored.fill(0.0);
        for miss in &mut self.flow.miss {
            *miss = 1.0;
        }
    }

    /// Empties the caches in front of the calls of a service, or of all; says how many.
    pub fn flush_caches(&mut self, plan: &Plan, service: Option<ServiceId>) -> usize {
        let markets = plan.graph.markets;
        let mut flushed = 0;
        for (c, &(caller, _)) in plan.graph.cached.iter().enumerate() {
            if service.is_none_or(|only| only == caller) {
                self.caches[c] = empty_cache(plan, c, self.shocks.catalogue);
                self.flow.miss[c * markets..(c + 1) * markets].fill(1.0);
                self.emptied[c] += 1;
                flushed += 1;
            }
        }
        flushed
    }

    /// Warms its caches for a market from now on: it is sent the lookups that the market makes
    /// elsewhere, at the given rates per cache.
    pub fn mirror(&mut self, market: usize, lookups_per_sec: &[f64]) {
        let markets = self.flow.mirrored.len() / lookups_per_sec.len().max(1);
        for (c, rate) in lookups_per_sec.iter().enumerate() {
            self.flow.mirrored[c * markets + market] = *rate;
        }
    }

    /// Calls dark capacity into rotation; says how many instances.
    pub fn activate_dark(&mut self, scenario: &Scenario, now: Time) -> u64 {
        let mut called = Vec::new();
        for (v, instances) in self.instances.iter_mut().enumerate() {
            called.push(instances.activate(now, &scenario.services[v].activation, self.streams[v]));
        }
        for (v, called) in called.iter().enumerate() {
            self.want_more(v, *called as i64, now);
        }
        called.iter().sum()
    }

    /// Takes dark capacity that was called and serves back out of rotation; says how many instances.
    pub fn release_dark(&mut self) -> u64 {
        let each: Vec<u64> = self.instances.iter_mut().map(Fleet::release).collect();
        for (v, released) in each.iter().enumerate() {
            self.want_more(v, -(*released as i64), Time::ZERO);
        }
        each.iter().sum()
    }

    /// Whether no request enters.
    pub fn idle(&self) -> bool {
        self.entering.iter().all(|&rate| rate <= 0.0)
    }

    /// When the next instance begins to serve.
    pub fn next_time(&self) -> Time {
        self.instances
            .iter()
            .map(Fleet::next_time)
            .min()
            .unwrap_or(Time::NEVER)
    }

    /// Takes into service what is due.
    pub fn advance(&mut self, now: Time) {
        for instances in &mut self.instances {
            instances.advance(now);
        }
    }

    /// Whether its capacity is changing.
    pub fn in_motion(&self, now: Time) -> bool {
        self.instances
            .iter()
            .any(|i| i.any_coming() || i.warming(now))
    }

    /// Lookups per second of some markets over all caches, and how many of them hit.
    pub fn hits(&self, plan: &Plan, of: &[bool]) -> Option<(f64, f64)> {
        let markets = plan.graph.markets;
        let (mut all, mut hits) = (0.0, 0.0);
        for cell in 0..self.flow.lookups.len() {
            if of[cell % markets] {
                all += self.flow.lookups[cell];
                hits += self.flow.lookups[cell] * (1.0 - self.flow.miss[cell]);
            }
        }
        (all > 0.0).then_some((all, hits))
    }

    /// Share of those lookups that would hit if the caches were steady for what is served now.
    pub fn steady_hits(&self, plan: &Plan, of: &[bool]) -> Option<f64> {
        let markets = plan.graph.markets;
        let (mut all, mut hits) = (0.0, 0.0);
        let mut out = vec![0.0; markets];
        for (c, cache) in self.caches.iter().enumerate() {
            let lookups = &self.flow.lookups[c * markets..(c + 1) * markets];
            let stretched: Vec<f64> = lookups.iter().map(|n| n / self.shocks.catalogue).collect();
            cache.steady_hit(&plan.catalogues[c], &stretched, &mut out);
            for m in (0..markets).filter(|&m| of[m]) {
                all += lookups[m];
                hits += lookups[m] * out[m];
            }
        }
        (all > 0.0).then(|| hits / all)
    }
}

/// An empty cache in a replication whose catalogue is stretched: it holds fewer of the objects that
/// stand for many.
fn empty_cache(plan: &Plan, cache: usize, stretch: f64) -> CacheState {
    let mut spec = plan.graph.caches[cache].clone();
    spec.capacity /= stretch;
    CacheState::new(&spec, &plan.catalogues[cache], plan.graph.markets)
}

/// How long a fetch of a cache takes on average when nobody waits.
fn fetch_secs(plan: &Plan, cache: usize) -> f64 {
    let (v, j) = plan.graph.cached[cache];
    let points = &plan.graph.nodes[v].calls[j].response_secs;
    points.iter().sum::<f64>() / points.len() as f64
}

#[cfg(test)]
mod tests;
