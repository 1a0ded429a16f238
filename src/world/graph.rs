//! The graph of services in a form made for evaluation, and one region's steady or momentary flow
//! through it: who calls whom how often, what is refused, what fails, what is degraded.
//!
//! Rates are per second and per region. `[v][p][m]` means service, priority class, market.

use crate::engine::law;
use crate::model::policy::Shed;
use crate::model::scenario::{Cache, Scenario, ServiceId};
use crate::world::pool::{Pool, PoolState, Servers};

/// A share that fails too seldom to be followed: one in ten million.
const NOTHING: f64 = 1e-7;

/// Points at which the law of a response time is read when a timeout is checked.
pub const POINTS: usize = 8;

/// The services and their calls, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Priority values in use, most important first.
    pub priorities: Vec<u8>,
    /// Number of markets.
    pub markets: usize,
    /// Callers before those they call.
    pub order: Vec<ServiceId>,
    /// Services.
    pub nodes: Vec<Node>,
    /// Per kind of request: the service that answers and the priority class.
    pub entries: Vec<(ServiceId, usize)>,
    /// Every cached call: `(caller, index of the call)`.
    pub cached: Vec<(ServiceId, usize)>,
    /// The caches of those calls.
    pub caches: Vec<Cache>,
    /// Whether any call times out even when nobody waits.
    pub slow: bool,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Node {
    /// Slots of an instance.
    pub slots: f64,
    /// Waiting places of an instance.
    pub queue: f64,
    /// Mean time that a request keeps a slot busy.
    pub mean_secs: f64,
    /// Squared coefficient of variation of that time.
    pub scv: f64,
    /// Calls.
    pub calls: Vec<Link>,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Link {
    /// Number of this call among all calls.
    pub id: usize,
    /// The service that is called.
    pub to: ServiceId,
    /// Calls per request.
    pub count: f64,
    /// Whether the request fails with it.
    pub critical: bool,
    /// Whether its failure is covered by a fallback.
    pub fallback: bool,
    /// The caller gives up after this.
    pub timeout_secs: f64,
    /// Attempts.
    pub attempts: u32,
    /// Made together with the other parallel calls, or after them in order.
    pub parallel: bool,
    /// Priority class, if lower than the request's.
    pub priority: Option<usize>,
    /// Number of its cache among all caches.
    pub cache: Option<usize>,
    /// Quantiles of the callee's response time when nobody waits, at `(i + 0.5) / POINTS`.
    pub response_secs: [f64; POINTS],
    /// Share of responses slower than the timeout when nobody waits.
    pub slow: f64,
}

impl Graph {
    /// The graph of a scenario. The response times of calls are filled in by
    /// [`crate::world::latency`].
    pub fn new(scenario: &Scenario) -> Graph {
        let mut priorities: Vec<u8> = scenario.requests.iter().map(|r| r.priority).collect();
        for service in &scenario.services {
            priorities.extend(service.calls.iter().map(|c| c.priority).filter(|&p| p > 0));
        }
        priorities.sort_unstable();
        priorities.dedup();
        let class = |value: u8| {
            priorities
                .iter()
                .position(|&p| p == value)
                .expect("every priority was collected above")
        };
        let mut cached = Vec::new();
        let mut caches = Vec::new();
        let mut id = 0;
        let mut nodes = Vec::new();
        for (v, service) in scenario.services.iter().enumerate() {
            let mut calls = Vec::new();
            for (j, call) in service.calls.iter().enumerate() {
                let cache = call.cache.as_ref().map(|cache| {
                    cached.push((v, j));
                    caches.push(cache.clone());
                    caches.len() - 1
                });
                calls.push(Link {
                    id,
                    to: call.to,
                    count: call.count,
                    critical: call.critical,
                    fallback: !call.fallback.is_empty(),
                    timeout_secs: call.timeout_secs,
                    attempts: call.attempts.max(1),
                    parallel: call.parallel,
                    priority: (call.priority > 0).then(|| class(call.priority)),
                    cache,
                    response_secs: [0.0; POINTS],
                    slow: 0.0,
                });
                id += 1;
            }
            let mean_secs = law::mean(&service.time);
            nodes.push(Node {
                slots: f64::from(service.slots),
                queue: f64::from(service.queue),
                mean_secs,
                scv: if mean_secs > 0.0 {
                    law::variance(&service.time) / (mean_secs * mean_secs)
                } else {
                    0.0
                },
                calls,
            });
        }
        let entries = scenario
            .requests
            .iter()
            .map(|r| (r.to, class(r.priority)))
            .collect();
        Graph {
            markets: scenario.markets.len(),
            order: scenario.call_order.clone(),
            priorities,
            nodes,
            entries,
            cached,
            caches,
            slow: false,
        }
    }

    /// Number of calls.
    pub fn links(&self) -> usize {
        self.nodes.iter().map(|n| n.calls.len()).sum()
    }

    fn at(&self, service: usize, priority: usize, market: usize) -> usize {
        (service * self.priorities.len() + priority) * self.markets + market
    }
}

/// What serves a service's requests in one zone of a region at the moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Capacity {
    /// Instances in service, all zones together.
    pub instances: f64,
    /// Zones that they are spread over.
    pub zones: f64,
    /// How many times longer a request takes (instances that have just started).
    pub slowness: f64,
}

/// Finds the share of a cache's lookups that miss: the cache, lookups per second by market, the share
/// of fetches that succeed, and where the shares go.
pub type Misses<'a> = dyn FnMut(usize, &[f64], f64, &mut [f64]) + 'a;

/// One region's flow through the graph.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Calls per second at each service, `[v][p][m]`.
    pub rate: Vec<f64>,
    /// Share refused at each service, `[v][p]`.
    pub refused: Vec<f64>,
    /// Share that fails at a service or behind it, `[v][p][m]`.
    pub fail: Vec<f64>,
    /// Share of the good answers that contain a fallback, `[v][p][m]`.
    pub degraded: Vec<f64>,
    /// State of each service's pool in one zone.
    pub pools: Vec<PoolState>,
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
    markets: usize,
    request_fail: Vec<f64>,
    attempts: Vec<f64>,
    call_fail: Vec<f64>,
}

impl Flow {
    /// An idle region.
    pub fn new(graph: &Graph) -> Flow {
        let cells = graph.nodes.len() * graph.priorities.len() * graph.markets;
        let per_link = graph.links() * graph.priorities.len() * graph.markets;
        Flow {
            rate: vec![0.0; cells],
            refused: vec![0.0; graph.nodes.len() * graph.priorities.len()],
            fail: vec![0.0; cells],
            degraded: vec![0.0; cells],
            pools: vec![PoolState::default(); graph.nodes.len()],
            lookups: vec![0.0; graph.caches.len() * graph.markets],
            mirrored: vec![0.0; graph.caches.len() * graph.markets],
            miss: vec![0.0; graph.caches.len() * graph.markets],
            fetched: vec![1.0; graph.caches.len()],
            hurt: false,
            waits: false,
            wait_secs: vec![0.0; graph.nodes.len()],
            markets: graph.markets,
            request_fail: vec![0.0; graph.entries.len() * graph.markets],
            attempts: vec![1.0; per_link],
            call_fail: vec![0.0; per_link],
        }
    }

    /// The largest share of any kind of request that fails in this region.
    pub fn worst(&self) -> f64 {
        self.request_fail.iter().fold(0.0, |a, &b| a.max(b))
    }

    /// Share of requests of a kind from a market that fail in this region.
    pub fn failing(&self, request: usize, market: usize) -> f64 {
        self.request_fail[request * self.markets + market]
    }

    /// Share of good answers to such requests that contain a fallback.
    pub fn degrading(&self, graph: &Graph, request: usize, market: usize) -> f64 {
        let (service, priority) = graph.entries[request];
        self.degraded[graph.at(service, priority, market)]
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
        for &v in &graph.order {
            let total = self.total(graph, v);
            if let Some((state, shed)) = pool(v, total) {
                self.share_refusals(graph, v, total, state.refused, shed);
                self.pools[v] = state;
            }
            for (j, link) in graph.nodes[v].calls.iter().enumerate() {
                if let Some(c) = link.cache {
                    self.mirror(graph, c, link.to);
                }
                for p in 0..classes {
                    let refused = self.refused[v * classes + p];
                    let to_class = link.priority.map_or(p, |lower| lower.max(p));
                    for m in 0..markets {
                        let accepted = self.rate[graph.at(v, p, m)] * (1.0 - refused);
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

    /// Share of the caller's requests that get as far as call `j`: parallel calls are made at once,
    /// the others in order, each only while no critical one has failed.
    fn reached(&self, graph: &Graph, v: usize, j: usize, p: usize, m: usize) -> f64 {
        let calls = &graph.nodes[v].calls;
        if calls[j].parallel || !self.hurt {
            return 1.0;
        }
        let before = |(i, link): &(usize, &Link)| link.critical && (link.parallel || *i < j);
        calls
            .iter()
            .enumerate()
            .filter(before)
            .map(|(_, link)| 1.0 - self.failing_calls(graph, link, p, m))
            .product()
    }

    /// Share of requests in which a call (all its repetitions together) fails for good.
    fn failing_calls(&self, graph: &Graph, link: &Link, p: usize, m: usize) -> f64 {
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let once = libm::pow(
            self.call_fail[(link.id * classes + p) * markets + m],
            f64::from(link.attempts),
        );
        if once <= 0.0 {
            return 0.0;
        }
        let needed = link.cache.map_or(1.0, |c| self.miss[c * markets + m]);
        1.0 - libm::pow(1.0 - (once * needed).min(1.0), link.count)
    }

    /// Splits what a pool refuses over the priority classes.
    fn share_refusals(&mut self, graph: &Graph, v: usize, total: f64, refused: f64, shed: Shed) {
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let mine = &mut self.refused[v * classes..(v + 1) * classes];
        if refused <= 0.0 || shed == Shed::Uniform {
            mine.fill(refused.max(0.0));
            return;
        }
        let mut left = refused * total;
        for p in (0..classes).rev() {
            let from = (v * classes + p) * markets;
            let rate: f64 = self.rate[from..from + markets].iter().sum();
            let share = if rate > 0.0 {
                (left / rate).min(1.0)
            } else {
                0.0
            };
            mine[p] = share;
            left -= share * rate;
        }
    }

    /// One pass from the called to the callers: what fails, and how often it is tried.
    /// Returns the largest change of an attempt count or of a failing share.
    fn gather(&mut self, graph: &Graph) -> f64 {
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let mut change: f64 = 0.0;
        for &v in graph.order.iter().rev() {
            self.wait_secs[v] = self.response_wait(graph, v);
            for p in 0..classes {
                let refused = self.refused[v * classes + p];
                for m in 0..markets {
                    let (mut good, mut plain) = (1.0, 1.0);
                    for link in &graph.nodes[v].calls {
                        let to_class = link.priority.map_or(p, |lower| lower.max(p));
                        let called = graph.at(link.to, to_class, m);
                        let late = self.late(link);
                        let fail = 1.0 - (1.0 - self.fail[called]) * (1.0 - late);
                        let slot = (link.id * classes + p) * markets + m;
                        let attempts = expected_attempts(fail, link.attempts);
                        change = change
                            .max((attempts - self.attempts[slot]).abs())
                            .max((fail - self.call_fail[slot]).abs());
                        self.attempts[slot] = attempts;
                        self.call_fail[slot] = fail;
                        let lost = self.failing_calls(graph, link, p, m);
                        if link.critical {
                            good *= 1.0 - lost;
                        } else if link.fallback {
                            plain *= 1.0 - lost;
                        }
                        let needed = link.cache.map_or(1.0, |c| self.miss[c * markets + m]);
                        let inherited = self.degraded[called] * needed;
                        if inherited > 0.0 {
                            plain *= libm::pow(1.0 - inherited.min(1.0), link.count);
                        }
                    }
                    let cell = graph.at(v, p, m);
                    self.fail[cell] = 1.0 - (1.0 - refused) * good;
                    self.degraded[cell] = 1.0 - plain;
                }
            }
        }
        change
    }

    /// Share of a call's attempts that answer too late.
    fn late(&self, link: &Link) -> f64 {
        let wait = &self.pools[link.to].wait;
        let beyond = self.wait_secs[link.to] - wait.mean();
        if wait.share <= 0.0 && wait.fixed <= 0.0 && beyond <= 0.0 {
            return link.slow;
        }
        let late: f64 = link
            .response_secs
            .iter()
            .map(|&secs| {
                let left = link.timeout_secs - secs - beyond;
                if left <= 0.0 { 1.0 } else { wait.tail(left) }
            })
            .sum::<f64>()
            / POINTS as f64;
        late.max(link.slow)
    }

    /// Mean wait for a service: its own and that of the slowest of its parallel calls and of all
    /// its others.
    fn response_wait(&self, graph: &Graph, v: usize) -> f64 {
        let (mut together, mut after) = (0.0_f64, 0.0);
        for link in &graph.nodes[v].calls {
            // Only who misses waits for the store.
            let wait =
                self.wait_secs[link.to] * link.cache.map_or(1.0, |c| self.mean_miss(graph, c));
            if wait <= 0.0 {
                continue;
            }
            if link.parallel {
                together = together.max(wait.min(link.timeout_secs));
            } else {
                after += wait.min(link.timeout_secs) * link.count;
            }
        }
        self.pools[v].wait.mean() + together + after
    }

    /// Share of a cache's lookups that miss, over all markets.
    fn mean_miss(&self, graph: &Graph, cache: usize) -> f64 {
        let cells = cache * graph.markets..(cache + 1) * graph.markets;
        let lookups = &self.lookups[cells.clone()];
        let all: f64 = lookups.iter().sum();
        let missed: f64 = lookups
            .iter()
            .zip(&self.miss[cells])
            .map(|(n, miss)| n * miss)
            .sum();
        if all > 0.0 { missed / all } else { 0.0 }
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
        pools: &[Pool],
        shed: Shed,
        misses: &mut Misses<'_>,
    ) {
        const SWEEPS: usize = 40;
        const CLOSE: f64 = 1e-6;
        let markets = graph.markets;
        if !self.hurt {
            self.fetched.fill(1.0);
        }
        for _ in 0..SWEEPS {
            let was_hurt = self.hurt;
            self.spread(graph, entering, &mut |v, total| {
                let node = &graph.nodes[v];
                let here = capacity[v];
                let zones = here.zones.max(1.0);
                let servers = Servers {
                    slots: here.instances * node.slots / zones,
                    queue: here.instances * node.queue / zones,
                    mean_secs: node.mean_secs * here.slowness,
                    scv: node.scv,
                };
                Some((pools[v].evaluate(total / zones, dt_secs, &servers), shed))
            });
            self.waits = self.pools.iter().any(|s| s.wait.mean() > 1e-4);
            let late = |link: &Link| self.late(link) > NOTHING;
            self.hurt = self.refused.iter().any(|&r| r > NOTHING)
                || self.waits && graph.nodes.iter().any(|n| n.calls.iter().any(late))
                || graph.slow;
            let change = if self.hurt || was_hurt {
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
            if moved < CLOSE {
                break;
            }
        }
        for (q, &(service, priority)) in graph.entries.iter().enumerate() {
            for m in 0..markets {
                self.request_fail[q * markets + m] = self.fail[graph.at(service, priority, m)];
            }
        }
    }

    /// Share of a cache's fetches that succeed, over priorities and markets.
    fn fetch_success(&self, graph: &Graph, cache: usize) -> f64 {
        if !self.hurt {
            return 1.0;
        }
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let (v, j) = graph.cached[cache];
        let link = &graph.nodes[v].calls[j];
        let (mut all, mut lost) = (0.0, 0.0);
        for p in 0..classes {
            let accepted = 1.0 - self.refused[v * classes + p];
            for m in 0..markets {
                let weight =
                    self.rate[graph.at(v, p, m)] * accepted * self.miss[cache * markets + m];
                let fail = self.call_fail[(link.id * classes + p) * markets + m];
                all += weight;
                lost += weight * libm::pow(fail, f64::from(link.attempts));
            }
        }
        if all > 0.0 { 1.0 - lost / all } else { 1.0 }
    }
}

/// Expected attempts of a call that fails with chance `fail` and is tried `attempts` times at most.
pub fn expected_attempts(fail: f64, attempts: u32) -> f64 {
    if fail <= 0.0 || attempts <= 1 {
        return 1.0;
    }
    if fail >= 1.0 - 1e-12 {
        return f64::from(attempts);
    }
    (1.0 - libm::pow(fail, f64::from(attempts))) / (1.0 - fail)
}
