//! The graph of services in a form made for evaluation, and one region's steady or momentary flow
//! through it: who calls whom how often, what is refused, what fails, what is degraded.
//!
//! Rates are per second and per region. `[v][p][m]` means service, priority class, market.

use crate::engine::law;
use crate::model::scenario::{Cache, RegionId, Scenario, ServiceId};

mod failing;
mod flow;
mod hanging;
mod outside;
mod shedding;

pub use failing::expected_attempts;
pub use flow::{Flow, Misses};
pub use hanging::Held;
pub use outside::{Hanging, Outside};
pub use shedding::shed_share;

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
    /// The least that a client waits for an answer of a service, in seconds.
    pub least_patient_secs: f64,
    /// Per kind of request: quantiles of the response time when nobody waits, as in [`Link`].
    pub entry_secs: Vec<[f64; POINTS]>,
    /// Every cached call: `(caller, index of the call)`.
    pub cached: Vec<(ServiceId, usize)>,
    /// The caches of those calls.
    pub caches: Vec<Cache>,
    /// Whether any call times out even when nobody waits.
    pub slow: bool,
    /// Services that only some regions have.
    pub partial: Vec<Partial>,
    /// Services that work at leisure on a backlog.
    pub workers: Vec<ServiceId>,
}

/// A service that only some regions have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The service.
    pub service: ServiceId,
    /// The regions that have it.
    pub regions: Vec<RegionId>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Node {
    /// Slots of an instance.
    pub slots: f64,
    /// Waiting places of an instance.
    pub queue: f64,
    /// Nobody waits longer, in seconds, on average; infinite: as long as it takes.
    pub queue_secs: f64,
    /// Mean time that a request keeps a slot busy.
    pub mean_secs: f64,
    /// Squared coefficient of variation of that time.
    pub scv: f64,
    /// Calls.
    pub calls: Vec<Link>,
    /// How long those who ask it wait for a slot before they give up and their work is dropped, the
    /// most patient of them: their timeout less a slow response. `None`: their work is done all the same.
    pub patience_secs: Option<f64>,
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
                queue_secs: service
                    .queue_timeout
                    .as_ref()
                    .map_or(f64::INFINITY, law::mean),
                mean_secs,
                scv: if mean_secs > 0.0 {
                    law::variance(&service.time) / (mean_secs * mean_secs)
                } else {
                    0.0
                },
                calls,
                patience_secs: service.cancel.then_some(0.0),
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
            least_patient_secs: f64::INFINITY,
            entry_secs: vec![[0.0; POINTS]; scenario.requests.len()],
            cached,
            caches,
            slow: false,
            workers: (0..scenario.services.len())
                .filter(|&v| scenario.services[v].worker.is_some())
                .collect(),
            partial: scenario
                .services
                .iter()
                .enumerate()
                .filter_map(|(service, s)| {
                    let regions = s.regions.clone()?;
                    Some(Partial { service, regions })
                })
                .collect(),
        }
    }

    /// Whether a region has a service.
    pub fn has(&self, region: RegionId, service: ServiceId) -> bool {
        let mut partial = self.partial.iter();
        partial.all(|p| p.service != service || p.regions.contains(&region))
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
    /// Share of what arrives that fails before it keeps a slot busy: at dead instances in rotation,
    /// or with an error.
    pub broken: f64,
    /// Of what arrives, the share that is given to dead instances that hang.
    pub hanging: f64,
    /// So much longer every request takes, in seconds, because the service works badly.
    pub drag_secs: f64,
}
