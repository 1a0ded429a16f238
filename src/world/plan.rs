//! What is deployed, and the load that it was sized for: everything about a scenario that does not
//! depend on the replication.

use crate::engine::law;
use crate::model::request::When;
use crate::model::scenario::{DeviceClass, RegionId, Scenario, ServiceId};
use crate::world::cache::CacheState;
use crate::world::catalogue::Catalogue;
use crate::world::connections::life::Life;
use crate::world::demand::Demand;
use crate::world::graph::{Flow, Graph};
use crate::world::lanes::Lanes;
use crate::world::latency::{self, Paths};
use crate::world::zones;

mod busiest;
mod lanes;
mod leisure;
mod shared;
mod takeover;

/// Points of the integral that gives the sessions in progress.
const QUADRATURE: usize = 400;
/// The same when the busiest hour is looked for.
const COARSE: usize = 24;

/// The load of a region at one moment.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Requests per second that the region serves, `[request][market]`.
    pub requests: Vec<f64>,
    /// Requests per second in all.
    pub total: f64,
    /// Connections that are opened per second.
    pub connections: f64,
    /// Slots that each service keeps busy.
    pub busy: Vec<f64>,
    /// Slots that the proxies keep busy.
    pub edge_busy: f64,
    /// Share of lookups that miss in the steady state, `[cache][market]`.
    pub miss: Vec<f64>,
    /// Lookups per second, `[cache][market]`.
    pub lookups: Vec<f64>,
}

/// Instances of a service in a region, all zones together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sized {
    /// In service.
    pub serving: u64,
    /// Dark.
    pub dark: u64,
    /// In service when the region has taken over all that it is ready for; `serving` unless it stands
    /// by.
    pub full: u64,
}

/// A scenario prepared for evaluation.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The graph of services.
    pub graph: Graph,
    /// Response times per kind of request.
    pub paths: Vec<Paths>,
    /// Catalogue of each cache.
    pub catalogues: Vec<Catalogue>,
    /// Demand per market.
    pub demand: Vec<Demand>,
    /// The busiest planned load per region.
    pub peak: Vec<Load>,
    /// The load per region at the beginning.
    pub first: Vec<Load>,
    /// What would come to each region that is home to no market; `None`: it has markets of its own.
    taken: Vec<Option<Load>>,
    /// Instances, `[region][service]`.
    pub sized: Vec<Vec<Sized>>,
    /// The same per zone, `[region][service][zone]`, where zones have weights; empty elsewhere.
    pub by_zone: Vec<Vec<Vec<Sized>>>,
    /// Proxies per region.
    pub proxies: Vec<u64>,
    /// The same per zone, `[region][zone]`, where zones have weights; empty elsewhere.
    pub proxies_by_zone: Vec<Vec<u64>>,
    /// Instances per service, and proxies last, of the cheapest deployment that carries all markets
    /// in one region: at their common busiest hour, without headroom.
    pub alone: Vec<u64>,
    /// Slots that each service keeps busy in all regions together, at their common busiest hour.
    pub common_busy: Vec<f64>,
    /// Mean time that a request keeps a proxy's slot busy.
    pub edge_secs: f64,
    /// What the policy can move, and the rest.
    pub lanes: Lanes,
    /// Share of the load at the beginning that the policy cannot move, `[region][service]`; empty: it can
    /// move all.
    pub stays: Vec<Vec<f64>>,
    /// Connections of plain users, per device class; `None`: every request opens its own.
    pub lives: Vec<Option<Life>>,
    /// Share of the starts that open a connection.
    opening: f64,
}

impl Plan {
    /// Prepares a scenario.
    pub fn new(scenario: &Scenario) -> Plan {
        let mut graph = Graph::new(scenario);
        let paths = latency::prepare(scenario, &mut graph);
        let catalogues = graph
            .caches
            .iter()
            .map(|cache| Catalogue::new(cache.objects as f64, cache.zipf))
            .collect();
        let demand: Vec<Demand> = scenario
            .markets
            .iter()
            .map(|market| Demand::new(scenario, market))
            .collect();
        let mut plan = Plan {
            paths,
            catalogues,
            demand,
            peak: Vec::new(),
            first: Vec::new(),
            taken: Vec::new(),
            sized: Vec::new(),
            by_zone: Vec::new(),
            proxies: Vec::new(),
            proxies_by_zone: Vec::new(),
            alone: Vec::new(),
            common_busy: Vec::new(),
            edge_secs: law::mean(&scenario.edge.time),
            lanes: Lanes::new(scenario),
            stays: Vec::new(),
            opening: 1.0,
            lives: scenario.devices.iter().map(life_of).collect(),
            graph,
        };
        if plan.lives.iter().any(Option::is_some) {
            let classes = scenario.devices.iter().enumerate();
            plan.opening = classes.map(|(k, c)| c.share * plan.opening_share(k)).sum();
        }
        let days = plan.days(scenario);
        for region in 0..scenario.regions.len() {
            let home = |m: usize| scenario.markets[m].near.first() == Some(&region);
            plan.peak.push(plan.busiest(scenario, &days, &home));
            plan.first.push(plan.load(scenario, region, 0.0));
        }
        if !plan.graph.partial.is_empty() {
            plan.share(scenario, &days);
        }
        plan.add_leisure(scenario);
        plan.taken = plan.taken_over(scenario, &days);
        for region in 0..scenario.regions.len() {
            plan.size(scenario, region);
        }
        let mut all = plan.busiest(scenario, &days, &|_| true);
        plan.gather_leisure(&mut all);
        plan.alone = plan.cheapest(scenario, &all);
        plan.stays = plan.staying(scenario);
        plan.common_busy = plan.busy_together(scenario, &days, &all);
        plan
    }

    /// Share of a class's starts that open a connection, in equilibrium.
    pub fn opening_share(&self, class: usize) -> f64 {
        let life = self.lives.get(class).and_then(Option::as_ref);
        life.map_or(1.0, Life::opening_share)
    }

    /// Sessions in progress in a market at a moment before any fault: arrivals times survival.
    pub fn playing(&self, scenario: &Scenario, market: usize, secs: f64) -> f64 {
        self.playing_by_phase(scenario, market, secs).iter().sum()
    }

    /// The same per exponential phase of the length's law.
    pub fn playing_by_phase(&self, scenario: &Scenario, market: usize, secs: f64) -> Vec<f64> {
        self.in_progress(scenario, market, secs, QUADRATURE)
    }

    fn in_progress(
        &self,
        scenario: &Scenario,
        market: usize,
        secs: f64,
        points: usize,
    ) -> Vec<f64> {
        let Some(session) = &scenario.session else {
            return Vec::new();
        };
        let good = 1.0 - scenario.ambient.start_failure;
        session
            .length
            .iter()
            .map(|&(share, mean)| {
                // Substituting u = 1 - exp(-age/mean) makes the points equally likely ages.
                let sum: f64 = (0..points)
                    .map(|i| {
                        let u = (i as f64 + 0.5) / points as f64;
                        self.demand[market].rate(secs + mean * libm::log(u))
                    })
                    .sum();
                share * mean * good * sum / points as f64
            })
            .collect()
    }

    /// The load of a region at a moment when geo DNS sends every market to its first region.
    pub fn load(&self, scenario: &Scenario, region: RegionId, secs: f64) -> Load {
        let home = |m: usize| scenario.markets[m].near.first() == Some(&region);
        self.load_of(scenario, &home, secs)
    }

    /// The load of some markets together at a moment.
    fn load_of(&self, scenario: &Scenario, home: &dyn Fn(usize) -> bool, secs: f64) -> Load {
        let markets = scenario.markets.len();
        let mut requests = vec![0.0; scenario.requests.len() * markets];
        let mut connections = 0.0;
        for m in (0..markets).filter(|&m| home(m)) {
            let starts = self.demand[m].rate(secs);
            let playing = self.playing(scenario, m, secs);
            connections += starts * self.opening;
            for (q, request) in scenario.requests.iter().enumerate() {
                requests[q * markets + m] = match request.when {
                    When::Start { .. } => starts * request.per_start(),
                    When::Every { period_secs, .. } => playing / period_secs,
                    When::Rate { per_sec } => playing * per_sec,
                    When::Reconnect | When::RegionChange => 0.0,
                };
            }
        }
        self.flow_of(scenario, requests, connections)
    }

    /// What a mix of requests keeps busy in a region whose caches are steady for it.
    pub fn flow_of(&self, scenario: &Scenario, requests: Vec<f64>, connections: f64) -> Load {
        let mut flow = Flow::new(&self.graph);
        self.settle(&mut flow, &requests);
        self.kept_busy(scenario, &flow, requests, connections)
    }

    /// Sends requests through a region whose caches are steady for them.
    fn settle(&self, flow: &mut Flow, requests: &[f64]) {
        let markets = self.graph.markets;
        // Misses change what reaches caches further down: a few rounds settle it.
        for _ in 0..self.graph.caches.len().min(8) + 1 {
            flow.healthy(&self.graph, requests);
            for (c, catalogue) in self.catalogues.iter().enumerate() {
                let cells = c * markets..(c + 1) * markets;
                let state = CacheState::new(&self.graph.caches[c], catalogue, markets);
                let mut hit = vec![0.0; markets];
                state.steady_hit(catalogue, &flow.lookups[cells.clone()], &mut hit);
                for (miss, hit) in flow.miss[cells].iter_mut().zip(hit) {
                    *miss = 1.0 - hit;
                }
            }
        }
    }

    /// What a settled flow keeps busy.
    fn kept_busy(
        &self,
        scenario: &Scenario,
        flow: &Flow,
        requests: Vec<f64>,
        connections: f64,
    ) -> Load {
        let served = |v: ServiceId| {
            if flow.leaves(v) {
                0.0
            } else {
                flow.total(&self.graph, v)
            }
        };
        let busy = (0..self.graph.nodes.len())
            .map(|v| served(v) * self.graph.nodes[v].mean_secs)
            .collect();
        let total: f64 = requests.iter().sum();
        Load {
            total,
            connections,
            busy,
            edge_busy: total * self.edge_secs + connections * scenario.edge.handshake_secs,
            miss: flow.miss.clone(),
            lookups: flow.lookups.clone(),
            requests,
        }
    }

    /// Slots that each service keeps busy in all regions at their common busiest hour, each region
    /// with caches of its own; workers as in `all`.
    fn busy_together(&self, scenario: &Scenario, days: &busiest::Days, all: &Load) -> Vec<f64> {
        let secs = days.busiest_secs(&|_| true);
        let loads: Vec<Load> = match self.graph.partial.is_empty() {
            true => {
                let regions = 0..scenario.regions.len();
                regions.map(|r| self.load(scenario, r, secs)).collect()
            }
            false => self.together(scenario, secs),
        };
        let busy = |v: ServiceId| match self.graph.workers.contains(&v) {
            true => all.busy[v],
            false => loads.iter().map(|load| load.busy[v]).sum(),
        };
        (0..scenario.services.len()).map(busy).collect()
    }

    /// Instances per service, and proxies last, that carry a load in the region with the fewest zones.
    fn cheapest(&self, scenario: &Scenario, load: &Load) -> Vec<u64> {
        let zones = scenario.regions.iter().map(|r| r.zones).min();
        let zones = zones.unwrap_or(1).max(1) as f64;
        let carry = |busy: f64, slots: u32| {
            ((busy / f64::from(slots) / zones - 1e-9).ceil().max(1.0) * zones) as u64
        };
        let services = scenario.services.iter().enumerate();
        services
            .map(|(v, service)| carry(load.busy[v], service.slots))
            .chain([carry(load.edge_busy, scenario.edge.slots)])
            .collect()
    }

    fn size(&mut self, scenario: &Scenario, region: RegionId) {
        let place = &scenario.regions[region];
        let (mut sized, mut by_zone) = (Vec::new(), Vec::new());
        for (v, service) in scenario.services.iter().enumerate() {
            let slots = f64::from(service.slots);
            let wanted = self.wanted(scenario, region, v);
            let unused = scenario.unused.contains(&region) && wanted.serving == 0.0;
            let serving = match service.instances {
                _ if !self.graph.has(region, v) => vec![0; place.zones],
                // Without weights only their sum counts.
                Some(fixed) if !unused && place.zone_weights.is_empty() => vec![u64::from(fixed)],
                Some(fixed) if !unused => zones::apportion(u64::from(fixed), &place.zone_weights),
                _ => zones::rounded_up(place, wanted.serving / slots, 1.0),
            };
            let full = match service.instances {
                None if self.graph.has(region, v) && wanted.full > wanted.serving => {
                    zones::rounded_up(place, wanted.full / slots, 1.0)
                }
                _ => serving.clone(),
            };
            let dark = zones::rounded_up(place, wanted.dark / slots, 0.0);
            sized.push(Sized {
                serving: serving.iter().sum(),
                dark: dark.iter().sum(),
                full: full.iter().sum(),
            });
            let each = serving.into_iter().zip(dark).zip(full);
            by_zone.push(match place.zone_weights.is_empty() {
                true => Vec::new(),
                false => each
                    .map(|((serving, dark), full)| Sized {
                        serving,
                        dark,
                        full,
                    })
                    .collect(),
            });
        }
        self.sized.push(sized);
        self.by_zone.push(by_zone);
        let edge = &scenario.edge;
        let wanted =
            (1.0 + edge.headroom) * self.edge_planned(scenario, region) / f64::from(edge.slots);
        let proxies = zones::rounded_up(place, wanted, 1.0);
        self.proxies.push(proxies.iter().sum());
        self.proxies_by_zone
            .push(match place.zone_weights.is_empty() {
                true => Vec::new(),
                false => proxies,
            });
    }

    /// Places in which requests wait for so many slots of proxies: as many; in small ten for each, as for
    /// services.
    pub fn proxy_places(scenario: &Scenario, slots: f64) -> f64 {
        match scenario.scale < 1.0 {
            true => 10.0 * slots,
            false => slots,
        }
    }

    /// Requests per second that a region can serve at the mix of `load` with so many instances of
    /// each service in service: the scarcest pool that anyone waits for decides. Infinite when the mix is empty.
    pub fn carries(&self, load: &Load, instances: &dyn Fn(ServiceId) -> f64) -> f64 {
        load.busy
            .iter()
            .enumerate()
            .filter(|&(v, &busy)| busy > 0.0 && !self.graph.workers.contains(&v))
            .map(|(v, busy)| instances(v) * self.graph.nodes[v].slots / busy * load.total)
            .fold(f64::INFINITY, f64::min)
    }
}

/// The connections of a class of plain users, if they keep any.
fn life_of(class: &DeviceClass) -> Option<Life> {
    let (idle, think) = (class.connection_idle.secs(), class.think?.secs());
    Some(Life::new(&class.connection_age, idle, think))
}
