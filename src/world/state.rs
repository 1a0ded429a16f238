//! The world as it is at a moment: regions, routes, names, and who is cut off from whom.

use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::episode::Episode;
use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::units::{Span, Time};
use crate::world::balancer::Balancer;
use crate::world::condition::Condition;
use crate::world::demand::Demand;
use crate::world::doors::Doors;
use crate::world::edge::{Budget, Routes};
use crate::world::ejection::Ejection;
use crate::world::lanes::Lanes;
use crate::world::links::Links;
use crate::world::plan::Plan;
use crate::world::pool::{Pool, Zone};
use crate::world::reach::Reach;
use crate::world::region::{Region, Shocks};
use crate::world::resolvers::Resolvers;
use crate::world::stores::{Note, Stores};
use crate::world::workers::Workers;

/// The state of the world.
pub struct World {
    /// What is impaired.
    pub condition: Condition,
    /// Edges whose proxies have failed.
    pub doors: Doors,
    /// Who may and can serve whom.
    pub reach: Reach,
    /// Regions.
    pub regions: Vec<Region>,
    /// Routes of what enters at each region's edge.
    pub routes: Vec<Routes>,
    /// Load balancers of each region; empty where they have no limit.
    pub balancers: Vec<Balancer>,
    /// Queue state of the proxies of each region, of one zone.
    pub proxies: Vec<Pool>,
    /// The proxies of each zone, where zones have weights.
    pub proxy_zones: Vec<Vec<Zone>>,
    /// `[edge][origin]`.
    pub ejections: Vec<Vec<Ejection>>,
    /// Retry budget per edge.
    pub budgets: Vec<Budget>,
    /// Whether cross-region retries from and to a region are forbidden.
    pub isolated: Vec<bool>,
    /// Names, `[market][device class]`.
    pub resolvers: Vec<Vec<Resolvers>>,
    /// Weights that the authoritative servers give, per market, for the names that can be moved.
    pub answers: Vec<Vec<f64>>,
    /// Factor on all demand in this replication.
    pub demand_factor: f64,
    /// Demand of each market, with its surges.
    pub demand: Vec<Demand>,
    /// Domains of data.
    pub stores: Stores,
    /// Backlogs of workers.
    pub workers: Workers,
    /// What links between regions carry.
    pub links: Links,
}

impl World {
    /// The world at the beginning of a replication.
    pub fn new(
        scenario: &Scenario,
        plan: &Plan,
        knobs: &Knobs,
        seed: u64,
        replication: u64,
    ) -> World {
        let shock = |purpose: &str, sd: f64| {
            if sd <= 0.0 {
                return 1.0;
            }
            // Lognormal with mean one.
            let sigma = libm::sqrt(libm::log(1.0 + sd * sd));
            let mut draws = Stream::new(seed, replication, "shock", purpose).draws(0, 0);
            libm::exp(sigma * sampling::normal(&mut draws) - sigma * sigma / 2.0)
        };
        let store = shock("store", scenario.variation.store);
        let mut slowness = vec![1.0; scenario.services.len()];
        for service in &scenario.services {
            for call in service.calls.iter().filter(|c| c.cache.is_some()) {
                slowness[call.to] = store;
            }
        }
        let shocks = Shocks {
            slowness,
            catalogue: shock("catalogue", scenario.variation.catalogue),
        };
        let regions = scenario.regions.len();
        let poll = &scenario.edge.poll;
        let answers: Vec<Vec<f64>> = scenario
            .markets
            .iter()
            .map(|market| {
                let mut weights = vec![0.0; regions];
                weights[market.near[0]] = 1.0;
                weights
            })
            .collect();
        let resolvers = scenario
            .markets
            .iter()
            .enumerate()
            .map(|(m, market)| {
                scenario
                    .devices
                    .iter()
                    .enumerate()
                    .map(|(k, class)| {
                        let starts = plan.demand[m].rate(0.0) * class.share;
                        // Who holds a connection asks for no name.
                        let starts = starts * plan.opening_share(k);
                        // In small, a resolver stands for as many devices as it does in the whole.
                        let starts = starts / scenario.scale;
                        let per_unit = starts / scenario.dns.resolvers.max(1) as f64;
                        let entity = format!("{}/{}", market.name, class.name);
                        let stream = Stream::new(seed, replication, "resolvers", &entity);
                        Resolvers::new(&scenario.dns, class, per_unit, &answers[m], stream)
                    })
                    .collect()
            })
            .collect();
        let demand_factor = shock("demand", scenario.variation.demand);
        let markets = scenario.markets.len();
        let requests: Vec<f64> = match scenario.domains.is_empty() {
            true => Vec::new(),
            false => {
                let kinds = plan
                    .first
                    .iter()
                    .flat_map(|load| load.requests.chunks(markets));
                kinds
                    .map(|of| of.iter().sum::<f64>() * demand_factor)
                    .collect()
            }
        };
        let mut world = World {
            condition: Condition::default(),
            doors: Doors::default(),
            reach: Reach::new(scenario),
            regions: (0..regions)
                .map(|r| Region::new(scenario, plan, r, &shocks, seed, replication))
                .collect(),
            routes: (0..regions)
                .map(|e| Routes::local(e, regions, scenario.markets.len(), poll))
                .collect(),
            balancers: match &scenario.balancer {
                Some(limits) => {
                    let planned = (0..regions).map(|r| plan.connections_planned(scenario, r));
                    planned.map(|rate| Balancer::new(limits, rate)).collect()
                }
                None => Vec::new(),
            },
            proxies: vec![Pool::default(); regions],
            proxy_zones: scenario
                .regions
                .iter()
                .zip(&plan.proxies_by_zone)
                .map(|(region, proxies)| {
                    let zones = proxies.iter().zip(&region.zone_weights);
                    zones.map(|(&n, &weight)| Zone::of(weight, n)).collect()
                })
                .collect(),
            ejections: vec![vec![Ejection::default(); regions]; regions],
            budgets: (0..regions)
                .map(|e| Budget::new(knobs.edge_retry_budget, plan.first[e].total))
                .collect(),
            isolated: vec![false; regions],
            resolvers,
            answers,
            demand_factor,
            demand: plan.demand.clone(),
            stores: Stores::new(scenario, &requests, seed, replication),
            workers: Workers::new(scenario, &plan.graph),
            links: Links::new(scenario),
        };
        world.follow_stores(scenario, Time::ZERO);
        world
    }

    /// What is impaired has changed.
    pub fn set_condition(&mut self, condition: Condition) {
        self.condition = condition;
        for (r, region) in self.regions.iter_mut().enumerate() {
            region.condition_changed(r, &self.condition);
        }
    }

    /// Which episodes are still to begin or to end.
    pub fn foresee(&mut self, episodes: &[&Episode], now: Time) {
        for (r, region) in self.regions.iter_mut().enumerate() {
            region.foresee(r, episodes, now);
        }
    }

    /// The stores follow the condition, and the regions feel what they can do.
    pub fn follow_stores(&mut self, scenario: &Scenario, now: Time) -> Vec<Note> {
        if self.stores.is_empty() {
            return Vec::new();
        }
        let notes = self.stores.follow(scenario, &self.condition, now);
        self.feel_stores(scenario, now);
        notes
    }

    /// What is due in the stores happens.
    pub fn advance_stores(&mut self, scenario: &Scenario, now: Time) -> Vec<Note> {
        let notes = self.stores.advance(scenario, &self.condition, now);
        self.feel_stores(scenario, now);
        notes
    }

    fn feel_stores(&mut self, scenario: &Scenario, now: Time) {
        for (r, region) in self.regions.iter_mut().enumerate() {
            region.data = self.stores.effects(scenario, &self.condition, r, now);
        }
    }

    /// Whether the edge in front of a region answers.
    pub fn edge_lives(&self, scenario: &Scenario, edge: RegionId) -> bool {
        (scenario.edge.global || self.regions[edge].dark.is_none())
            && self.doors.silent_since(edge).is_none()
    }

    /// Share of new connections at a region that get no answer: its load balancers refuse them, or
    /// they meet a proxy that has failed, unless their devices bypass the edge. Where no proxy is left,
    /// [`World::door`] says what answers.
    pub fn refused(&self, region: RegionId, direct: bool) -> f64 {
        let balancers = self.balancers.get(region).map_or(0.0, Balancer::refused);
        match self.doors.met(region) {
            failed if direct || failed <= 0.0 || failed >= 1.0 => balancers,
            failed => 1.0 - (1.0 - balancers) * (1.0 - failed),
        }
    }

    /// The authoritative answer for a market changes, for the names of the classes that can be moved.
    pub fn set_answer(&mut self, lanes: &Lanes, now: Time, market: MarketId, weights: &[f64]) {
        self.answers[market] = weights.to_vec();
        for (class, resolvers) in self.resolvers[market].iter_mut().enumerate() {
            if lanes.moves_class(class) {
                resolvers.set_answer(now, weights);
            }
        }
    }

    /// Regions are cut off from each other as the condition says: to the proxies of one, the other
    /// fails everything from now on, or no longer.
    pub fn follow_cuts(&mut self, now: Time) {
        let was = self.reach.clone();
        self.reach.cut_as(&self.condition);
        for e in 0..self.regions.len() {
            for d in 0..self.regions.len() {
                let dark = self.regions[d].dark.is_some();
                match (was.cut(e, d), self.reach.cut(e, d)) {
                    (false, true) if !dark => {
                        self.ejections[e][d].failing_since = Some(now);
                    }
                    (true, false) if !dark => self.ejections[e][d].failing_since = None,
                    _ => {}
                }
            }
        }
    }

    /// Whether requests from one region reach another that is not dark.
    pub fn reaches(&self, from: RegionId, to: RegionId) -> bool {
        self.regions[to].dark.is_none() && !self.reach.cut(from, to)
    }

    /// What a request to a region that fails everything costs a proxy of an edge before it knows.
    pub fn failing_cost_secs(
        &self,
        scenario: &Scenario,
        edge: RegionId,
        origin: RegionId,
        now: Time,
    ) -> f64 {
        if self.reach.cut(edge, origin) {
            // What is lost on the way is never refused.
            return scenario.edge.connect_timeout_secs;
        }
        match self.regions[origin].dark {
            // Once the balancer has taken the dead instances out, it answers at once.
            Some(dark) if dark.hang && now < dark.since + dead_in_rotation(scenario) => {
                scenario.edge.connect_timeout_secs
            }
            _ => scenario.edge.refuse_secs,
        }
    }
}

/// How long dead instances stay in rotation: the slowest health check of the scenario.
fn dead_in_rotation(scenario: &Scenario) -> Span {
    scenario
        .services
        .iter()
        .map(|s| Span::from_secs(s.health_interval.secs() * f64::from(s.health_threshold)))
        .max()
        .unwrap_or(Span::ZERO)
}
