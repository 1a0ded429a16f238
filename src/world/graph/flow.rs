//! One region's steady or momentary flow through the graph.

use super::{Capacity, Graph, Held, Link, NOTHING, Outside};
use crate::model::policy::Shed;
use crate::model::scenario::ServiceId;
use crate::world::outlook::Ahead;
use crate::world::pool::{ByZone, Pool, PoolState, Servers, Zone};
use crate::world::stores::Effect;

/// Finds the share of a cache's lookups that miss: the cache, lookups per second by market, the share
/// of fetches that succeed, and where the shares go.
pub type Misses<'a> = dyn FnMut(usize, &[f64], f64, &mut [f64]) + 'a;

/// One region's flow through the graph.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Calls per second at each service, `[v][p][m]`.
    pub rate: Vec<f64>,
    /// Share refused at each service, `[v][p]`, of what is not broken.
    pub refused: Vec<f64>,
    /// Share broken at each service.
    pub broken: Vec<f64>,
    /// Of what arrives at each service, the share given to instances that hang.
    pub(super) hang: Vec<f64>,
    /// Of each service's good answers, those that have waited for something that hangs behind it.
    pub(super) held: Vec<Held>,
    /// Of its requests, those that fail behind it after such a wait.
    pub(super) held_failing: Vec<Held>,
    /// Whether anything hangs.
    pub(super) hangs: bool,
    /// Share that fails at a service or behind it, `[v][p][m]`.
    pub fail: Vec<f64>,
    /// Share of the good answers that contain a fallback, `[v][p][m]`.
    pub degraded: Vec<f64>,
    /// State of each service's pool in one zone.
    pub pools: Vec<PoolState>,
    /// The same of each zone, where zones have weights.
    pub by_zone: Vec<ByZone>,
    /// Lookups per second, `[cache][m]`.
    pub lookups: Vec<f64>,
    /// Lookups per second that warm a cache for a market served elsewhere, `[cache][m]`.
    pub mirrored: Vec<f64>,
    /// Share of lookups that miss, `[cache][m]`.
    pub miss: Vec<f64>,
    /// Share of fetches that succeed, per cache.
    pub fetched: Vec<f64>,
    /// Whether anything is refused, times out or fails.
    pub hurt: bool,
    /// Whether anyone waits noticeably.
    pub waits: bool,
    /// Response wait of each service and what it waits for, in seconds (mean).
    pub wait_secs: Vec<f64>,
    /// How the pace of each service will change; empty where none will.
    pub ahead: Vec<Ahead>,
    /// Whether any queue is on its way to where the load leads.
    pub moving: bool,
    /// Share of a service's requests that are dropped since whoever asked would have given up.
    dropped: Vec<f64>,
    /// The largest share of good answers that come too late for the least patient client.
    tardy: f64,
    /// Whether any service takes longer because it works badly.
    drags: bool,
    markets: usize,
    request_fail: Vec<f64>,
    /// Share of good answers that the stores degrade, per kind of request; empty: none.
    stale: Vec<f64>,
    pub(super) attempts: Vec<f64>,
    pub(super) call_fail: Vec<f64>,
    /// Calls from and to elsewhere; `None` where every region has every service.
    pub outside: Option<Outside>,
    /// Where shedding begins, and the requests per second that fill each service's pool; `None` where
    /// nothing is shed before a pool is full.
    pub(super) cubic: Option<(f64, Vec<f64>)>,
    /// What distance alone costs an answer, per service; empty where none leaves.
    pub(super) far_secs: Vec<f64>,
}

impl Flow {
    /// An idle region.
    pub fn new(graph: &Graph) -> Flow {
        let cells = graph.nodes.len() * graph.priorities.len() * graph.markets;
        let per_link = graph.links() * graph.priorities.len() * graph.markets;
        Flow {
            rate: vec![0.0; cells],
            refused: vec![0.0; graph.nodes.len() * graph.priorities.len()],
            broken: vec![0.0; graph.nodes.len()],
            hang: vec![0.0; graph.nodes.len()],
            held: vec![Held::default(); graph.nodes.len()],
            held_failing: vec![Held::default(); graph.nodes.len()],
            hangs: false,
            fail: vec![0.0; cells],
            degraded: vec![0.0; cells],
            pools: vec![PoolState::default(); graph.nodes.len()],
            by_zone: vec![ByZone::default(); graph.nodes.len()],
            lookups: vec![0.0; graph.caches.len() * graph.markets],
            mirrored: vec![0.0; graph.caches.len() * graph.markets],
            miss: vec![0.0; graph.caches.len() * graph.markets],
            fetched: vec![1.0; graph.caches.len()],
            hurt: false,
            waits: false,
            wait_secs: vec![0.0; graph.nodes.len()],
            ahead: Vec::new(),
            moving: false,
            dropped: vec![0.0; graph.nodes.len()],
            tardy: 0.0,
            drags: false,
            markets: graph.markets,
            request_fail: vec![0.0; graph.entries.len() * graph.markets],
            stale: Vec::new(),
            attempts: vec![1.0; per_link],
            call_fail: vec![0.0; per_link],
            outside: None,
            cubic: None,
            far_secs: Vec::new(),
        }
    }

    /// The largest share of any kind of request that fails in this region, or is late.
    pub fn worst(&self) -> f64 {
        self.request_fail.iter().fold(self.tardy, |a, &b| a.max(b))
    }

    /// Share of requests of a kind from a market that fail in this region.
    pub fn failing(&self, request: usize, market: usize) -> f64 {
        self.request_fail[request * self.markets + market]
    }

    /// Of the requests of a kind from a market that fail in this region, the share of which the client
    /// hears nothing: what they asked for was dropped when it had given up.
    pub fn unheard(&self, graph: &Graph, request: usize, market: usize) -> f64 {
        match self.dropped[graph.entries[request].0] {
            dropped if dropped > 0.0 => (dropped / self.failing(request, market)).min(1.0),
            _ => 0.0,
        }
    }

    /// Share of good answers to such requests that contain a fallback.
    pub fn degrading(&self, graph: &Graph, request: usize, market: usize) -> f64 {
        let (service, priority) = graph.entries[request];
        let degraded = self.degraded[graph.at(service, priority, market)];
        match self.stale.get(request) {
            Some(&stale) if stale > 0.0 => 1.0 - (1.0 - degraded) * (1.0 - stale),
            _ => degraded,
        }
    }

    /// The stores fail or degrade a share of each kind of request.
    pub fn feel(&mut self, effects: &[Effect]) {
        self.stale.clear();
        for (q, effect) in effects.iter().enumerate() {
            self.stale.push(effect.degraded);
            if effect.blocked <= NOTHING {
                continue;
            }
            self.hurt = true;
            for fail in &mut self.request_fail[q * self.markets..(q + 1) * self.markets] {
                *fail = 1.0 - (1.0 - *fail) * (1.0 - effect.blocked);
            }
        }
    }

    /// Share of a service's accepted requests that waits longer than `secs`.
    pub fn waiting_longer(&self, service: ServiceId, secs: f64) -> f64 {
        let together = || self.pools[service].wait.tail(secs);
        self.by_zone[service].tail(secs).unwrap_or_else(together)
    }

    /// Calls per second at a service, all priorities and markets together.
    pub fn total(&self, graph: &Graph, service: ServiceId) -> f64 {
        let width = graph.priorities.len() * graph.markets;
        self.rate[service * width..(service + 1) * width]
            .iter()
            .sum()
    }

    /// Sends requests (`entering[request][market]`, per second) through the graph when nothing
    /// fails, with the miss shares that the flow holds. For planning.
    pub fn healthy(&mut self, graph: &Graph, entering: &[f64]) {
        self.hurt = false;
        self.attempts.fill(1.0);
        self.call_fail.fill(0.0);
        self.refused.fill(0.0);
        self.broken.fill(0.0);
        self.spread(graph, entering, &mut |_, _| None);
    }

    /// One pass from callers to called. `pool` gives the state of a service's pool under a rate.
    fn spread(
        &mut self,
        graph: &Graph,
        entering: &[f64],
        pool: &mut dyn FnMut(ServiceId, f64) -> Option<(PoolState, Shed)>,
    ) {
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        self.rate.fill(0.0);
        self.lookups.fill(0.0);
        for (q, &(service, priority)) in graph.entries.iter().enumerate() {
            let to = graph.at(service, priority, 0);
            for m in 0..markets {
                self.rate[to + m] += entering[q * markets + m];
            }
        }
        self.take_arriving();
        for &v in &graph.order {
            if self.leaves(v) {
                self.let_leave(graph, v);
                continue;
            }
            let whole = 1.0 - self.broken[v];
            let mut total = self.total(graph, v) * whole;
            if self.cubic.is_some() {
                total *= self.shed_ahead(graph, v, total);
            }
            if let Some((state, shed)) = pool(v, total) {
                self.share_refusals(graph, v, total, state.refused, shed);
                self.pools[v] = state;
            }
            for (j, link) in graph.nodes[v].calls.iter().enumerate() {
                if let Some(c) = link.cache {
                    self.mirror(graph, c, link.to);
                }
                for p in 0..classes {
                    let passed = (1.0 - self.refused[v * classes + p]) * whole;
                    let to_class = link.priority.map_or(p, |lower| lower.max(p));
                    for m in 0..markets {
                        let accepted = self.rate[graph.at(v, p, m)] * passed;
                        if accepted <= 0.0 {
                            continue;
                        }
                        let reached = self.reached(graph, v, j, p, m);
                        let calls = accepted * link.count * reached;
                        let misses = match link.cache {
                            None => calls,
                            Some(c) => {
                                self.lookups[c * markets + m] += calls;
                                calls * self.miss[c * markets + m]
                            }
                        };
                        let attempts = self.attempts[(link.id * classes + p) * markets + m];
                        self.rate[graph.at(link.to, to_class, m)] += misses * attempts;
                    }
                }
            }
        }
    }

    /// Adds the lookups that warm a cache; their misses load the store as the least important calls.
    fn mirror(&mut self, graph: &Graph, cache: usize, store: ServiceId) {
        let least = graph.priorities.len() - 1;
        for m in 0..graph.markets {
            let cell = cache * graph.markets + m;
            let extra = self.mirrored[cell];
            if extra > 0.0 {
                self.lookups[cell] += extra;
                self.rate[graph.at(store, least, m)] += extra * self.miss[cell];
            }
        }
    }

    /// Advances a region by `dt_secs` under constant rates: finds what is refused and fails with
    /// retries, misses and orphaned work counted as load, without changing any state.
    ///
    /// `misses(cache, lookups_per_sec, fetched, out)` gives the share of a cache's lookups that miss.
    pub fn evaluate(
        &mut self,
        graph: &Graph,
        entering: &[f64],
        dt_secs: f64,
        capacity: &[Capacity],
        (pools, weighted): (&[Pool], &[Vec<Zone>]),
        shed: Shed,
        misses: &mut Misses<'_>,
    ) {
        const SWEEPS: usize = 40;
        const CLOSE: f64 = 1e-6;
        let markets = graph.markets;
        if !self.hurt {
            self.fetched.fill(1.0);
        }
        for (mine, here) in self.broken.iter_mut().zip(capacity) {
            *mine = here.broken;
        }
        self.note_hanging(capacity.iter().map(|here| here.hanging));
        self.cubic = match shed {
            Shed::Cubic { from } => {
                let full = graph.nodes.iter().zip(capacity).map(|(node, here)| {
                    here.instances * node.slots / (node.mean_secs * here.slowness).max(1e-12)
                });
                Some((from, full.collect()))
            }
            _ => None,
        };
        let breaks = self.broken.iter().any(|&b| b > NOTHING);
        let drags = capacity.iter().any(|here| here.drag_secs > 0.0)
            || self.ahead.iter().any(|ahead| !ahead.is_steady());
        let dragged = std::mem::replace(&mut self.drags, drags);
        // Out of the flow while it is spread.
        let mut by_zone = std::mem::take(&mut self.by_zone);
        let mut dropped = std::mem::take(&mut self.dropped);
        let ahead = std::mem::take(&mut self.ahead);
        let changes = |v: usize| ahead.get(v).filter(|ahead| !ahead.is_steady());
        for _ in 0..SWEEPS {
            let was_hurt = self.hurt;
            self.spread(graph, entering, &mut |v, total| {
                let node = &graph.nodes[v];
                let here = capacity[v];
                let servers = |instances: f64, zones: f64, slowness: f64| {
                    let slots = instances * node.slots / zones;
                    let places = instances * node.queue / zones;
                    let mean_secs = node.mean_secs * slowness;
                    let servers = Servers {
                        slots,
                        // Who would give up before a slot is free never gets one.
                        queue: node.patience_secs.map_or(places, |secs| {
                            let left = (secs - here.drag_secs).max(0.0);
                            places.min(slots / mean_secs.max(1e-12) * left)
                        }),
                        mean_secs,
                        scv: node.scv,
                    };
                    servers.within(node.queue_secs)
                };
                let mut state = if weighted[v].is_empty() {
                    let zones = here.zones.max(1.0);
                    let average = servers(here.instances, zones, here.slowness);
                    pools[v].evaluate(total / zones, dt_secs, &average)
                } else {
                    let own = |zone: &Zone| servers(zone.instances, 1.0, zone.slowness);
                    by_zone[v].evaluate(&weighted[v], total, dt_secs, &own)
                };
                if node.patience_secs.is_some() {
                    let all = here.instances * node.queue;
                    let limited = servers(here.instances, 1.0, here.slowness).queue < all;
                    dropped[v] = if limited { state.refused } else { 0.0 };
                }
                by_zone[v].drag_secs = here.drag_secs;
                if let Some(ahead) = changes(v) {
                    // The laws of paths know the service's own time in good health.
                    let own = node.mean_secs;
                    let told = |later: f64, secs: f64| {
                        ahead.secs(later, secs + here.drag_secs + own) - own
                    };
                    by_zone[v].drag_secs = 0.0;
                    state.wait = by_zone[v].tell(dt_secs, &told, state.wait);
                } else if here.drag_secs > 0.0 {
                    // The laws of paths are those of a healthy service.
                    state.wait = state.wait.longer(here.drag_secs);
                }
                Some((state, shed))
            });
            std::mem::swap(&mut self.by_zone, &mut by_zone);
            self.waits = self.pools.iter().any(|s| s.wait.mean() > 1e-4);
            self.measure_distance(graph);
            self.moving = self.pools.iter().any(|s| s.moving);
            self.tardy = if self.waits {
                let kinds = 0..graph.entries.len();
                let least = graph.least_patient_secs;
                kinds
                    .map(|q| self.tardy(graph, q, least))
                    .fold(0.0, f64::max)
            } else {
                0.0
            };
            let late = |link: &Link| self.late(link) > NOTHING;
            self.hurt = self.refused.iter().any(|&r| r > NOTHING)
                || self.outside.as_ref().is_some_and(Outside::hurts)
                || (self.waits || self.outside.is_some())
                    && graph.nodes.iter().any(|n| n.calls.iter().any(late))
                || self.tardy > NOTHING
                || breaks
                || graph.slow;
            let change = if self.hurt || was_hurt || drags || dragged {
                self.gather(graph)
            } else {
                0.0
            };
            let mut moved: f64 = change;
            for c in 0..graph.caches.len() {
                let cells = c * markets..(c + 1) * markets;
                let next = self.fetch_success(graph, c);
                moved = moved.max((next - self.fetched[c]).abs());
                self.fetched[c] = next;
                let before: f64 = self.miss[cells.clone()].iter().sum();
                misses(
                    c,
                    &self.lookups[cells.clone()],
                    next,
                    &mut self.miss[cells.clone()],
                );
                let after: f64 = self.miss[cells].iter().sum();
                moved = moved.max((after - before).abs());
            }
            std::mem::swap(&mut self.by_zone, &mut by_zone);
            if moved < CLOSE {
                break;
            }
        }
        self.by_zone = by_zone;
        self.dropped = dropped;
        self.ahead = ahead;
        for (q, &(service, priority)) in graph.entries.iter().enumerate() {
            for m in 0..markets {
                self.request_fail[q * markets + m] = self.fail[graph.at(service, priority, m)];
            }
        }
    }
}
