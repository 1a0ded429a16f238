//! Where requests go and what becomes of them: routes, ejection, retries in another region, and the
//! chances that an answer is good, an error, or late, given the load of this step.

use crate::engine::stream::Stream;
use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::traffic::arrivals::Address;
use crate::units::Time;
use crate::world::exchange;
use crate::world::lanes::{Lanes, MOVES};
use crate::world::plan::Plan;
use crate::world::pool::{ByZone, PoolState};
use crate::world::state::World;

mod ejections;
mod fate;
mod limits;
mod proxies;
mod retries;
mod routes;

pub use fate::Fate;
use limits::Limits;
pub use limits::refused;

/// Most rounds in which a step's loads settle that do not settle at once.
const ROUNDS: usize = 3;
/// The same where limits of origins refuse.
const LIMITED: usize = 24;
/// A share that moves less has settled.
const CLOSE: f64 = 1e-6;

/// Requests that take the same way.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Whether the policy can move them.
    pub lane: usize,
    /// Where they enter.
    pub edge: RegionId,
    /// Where they come from.
    pub market: MarketId,
    /// Their kind.
    pub request: usize,
}

/// Flows of a step and where they lead.
pub struct Serving {
    regions: usize,
    markets: usize,
    requests: usize,
    /// Which lane a request takes.
    pub lanes: Lanes,
    /// Requests per second that enter at an edge, `[lane][edge][request][market]`.
    pub entering: Vec<f64>,
    /// Requests per second of devices that bypass the edge, `[lane][region][request][market]`.
    pub direct: Vec<f64>,
    /// New connections per second at an edge.
    pub connections: Vec<f64>,
    /// Routes, averaged over the step, `[lane][edge][market][region]`.
    pub share: Vec<f64>,
    /// First living origin, `[lane][edge][market][region]`.
    first: Vec<f64>,
    /// Share that still goes to a failing origin first, `[lane][edge][market][region]`.
    exposed: Vec<f64>,
    /// Where a retry goes, `[lane][edge][market][region]`.
    elsewhere: Vec<f64>,
    /// Share of the wanted retries that the budget allows, per edge.
    allowed: Vec<f64>,
    /// State of the proxies in one zone, per edge.
    pub proxies: Vec<PoolState>,
    /// The same of each zone, where zones have weights.
    proxies_by_zone: Vec<ByZone>,
    /// Requests through the proxies of a region, per second.
    pub proxied: Vec<f64>,
    /// Requests per second that an edge sends on to another region.
    pub crossing: f64,
    /// Whether a region carries anything that hurts.
    hurt: bool,
    /// Whether a living region's queues move.
    moving: bool,
    fate: Fate,
    /// Bytes per second that edges ask to send on, `[edge][region]`; empty where no link has a limit.
    asked_bytes: Vec<f64>,
    /// Share of an edge's proxies that have a living origin ejected, `[edge][origin]`.
    ejected: Vec<f64>,
    /// Whether any has at the moment.
    out: bool,
    /// First origin before any living one is ejected, `[lane][edge][market][region]`.
    routed: Vec<f64>,
    luck: Stream,
    /// Limits on requests in flight to an origin, if there are any.
    limits: Option<Limits>,
}

impl Serving {
    /// Idle flows.
    pub fn new(scenario: &Scenario, plan: &Plan, seed: u64, replication: u64) -> Serving {
        let (regions, markets) = (scenario.regions.len(), scenario.markets.len());
        let requests = scenario.requests.len();
        let lanes = plan.lanes.clone();
        let (flows, rows) = (
            lanes.count() * regions * requests * markets,
            lanes.count() * regions * markets * regions,
        );
        Serving {
            regions,
            markets,
            requests,
            lanes,
            entering: vec![0.0; flows],
            direct: vec![0.0; flows],
            connections: vec![0.0; regions],
            share: vec![0.0; rows],
            first: vec![0.0; rows],
            exposed: vec![0.0; rows],
            elsewhere: vec![0.0; rows],
            allowed: vec![1.0; regions],
            proxies: vec![PoolState::default(); regions],
            proxies_by_zone: vec![ByZone::default(); regions],
            proxied: vec![0.0; regions],
            crossing: 0.0,
            hurt: false,
            moving: false,
            fate: Fate::default(),
            asked_bytes: vec![0.0; scenario.link_capacity.len() * regions],
            ejected: vec![0.0; regions * regions],
            out: false,
            routed: vec![0.0; rows],
            luck: Stream::new(seed, replication, "ejections", ""),
            limits: Limits::new(scenario, plan),
        }
    }

    /// Forgets the flows of the last step.
    pub fn clear(&mut self) {
        self.entering.fill(0.0);
        self.direct.fill(0.0);
        self.connections.fill(0.0);
    }

    /// Position of a flow in [`Serving::entering`] and [`Serving::direct`].
    pub fn flow(&self, lane: usize, region: RegionId, request: usize, market: MarketId) -> usize {
        ((lane * self.regions + region) * self.requests + request) * self.markets + market
    }

    /// Position of a lane's routes for a market at an edge, in [`Serving::share`].
    pub fn row(&self, lane: usize, edge: RegionId, market: MarketId) -> usize {
        ((lane * self.regions + edge) * self.markets + market) * self.regions
    }

    /// All markets, once per lane.
    fn all_markets(&self) -> impl Iterator<Item = (usize, MarketId)> + use<> {
        let lanes = self.lanes.count();
        (0..self.markets).flat_map(move |m| (0..lanes).map(move |lane| (lane, m)))
    }

    /// Requests per second of a lane from a market that enter at an edge.
    fn enters(&self, lane: usize, edge: RegionId, market: MarketId) -> f64 {
        (0..self.requests)
            .map(|q| self.entering[self.flow(lane, edge, q, market)])
            .sum()
    }

    /// Whether retries from and to a region are forbidden to a lane.
    fn isolated(&self, world: &World, lane: usize, region: RegionId) -> bool {
        lane == MOVES && world.isolated[region]
    }

    /// Whether all lanes of a market that enter at an edge meet the same.
    pub fn alike(&self, edge: RegionId, market: MarketId) -> bool {
        let first = self.row(MOVES, edge, market);
        let rows = [&self.first, &self.exposed, &self.elsewhere];
        (1..self.lanes.count()).all(|lane| {
            let row = self.row(lane, edge, market);
            rows.iter()
                .all(|of| of[first..first + self.regions] == of[row..row + self.regions])
        })
    }

    /// Whether the proxies of an edge have ejected an origin: most of what would go there went
    /// elsewhere in the last step.
    pub fn avoids(&self, edge: RegionId, origin: RegionId) -> bool {
        let markets = self.all_markets();
        let cells = markets.map(|(lane, m)| self.row(lane, edge, m) + origin);
        let (mut all, mut exposed) = (0.0, 0.0);
        for cell in cells {
            all += self.share[cell];
            exposed += self.exposed[cell];
        }
        exposed < 0.5 * all
    }

    /// Whether any request of the last step entered at a region, or was sent to it.
    pub fn reaches(&self, region: RegionId) -> bool {
        let enters = (0..self.lanes.count()).any(|lane| {
            let flows = self.flow(lane, region, 0, 0)..self.flow(lane, region + 1, 0, 0);
            let mut rates = self.entering[flows.clone()]
                .iter()
                .chain(&self.direct[flows]);
            rates.any(|&rate| rate > 0.0)
        });
        enters
            || self.share.iter().enumerate().any(|(cell, &share)| {
                let edge = cell / (self.markets * self.regions) % self.regions;
                cell % self.regions == region && edge != region && share > 0.0
            })
    }

    /// Lookups of a market in a cache that requests of a lane made in the last step, per second.
    pub fn lookups(&self, plan: &Plan, lane: usize, cache: usize, market: MarketId) -> f64 {
        let mut sum = 0.0;
        for (q, paths) in plan.paths.iter().enumerate() {
            let Some(at) = paths.caches.iter().position(|&c| c == cache) else {
                continue;
            };
            for r in 0..self.regions {
                let flow = self.flow(lane, r, q, market);
                let rate = self.entering[flow] + self.direct[flow];
                sum += rate * paths.lookups[at];
            }
        }
        sum
    }

    /// Where what fails on a lane of a market at an edge is tried again, as shares.
    pub fn elsewhere(&self, lane: usize, edge: RegionId, market: MarketId) -> &[f64] {
        let row = self.row(lane, edge, market);
        &self.elsewhere[row..row + self.regions]
    }

    /// Share of what each edge sends to each region that its proxies refuse, as counted.
    pub fn set_refused(&mut self, shares: impl Iterator<Item = f64>) {
        if let Some(limits) = &mut self.limits {
            limits.set_refused(shares);
        }
    }

    /// Finds where retries go and what proxies avoid, for requests that take their ways one by one:
    /// `share` says where the policy's lane goes.
    pub fn find_ways(&mut self, knobs: &Knobs, plan: &Plan, world: &World, step: (Time, Time)) {
        for e in 0..self.regions {
            for (lane, m) in self.all_markets() {
                if lane != MOVES {
                    let row = self.row(lane, e, m);
                    let shares = &mut self.share[row..row + self.regions];
                    shares.fill(0.0);
                    shares[e] = 1.0;
                }
                if world.reach.limits_markets() {
                    self.keep_to_allowed(world, (lane, e, m));
                }
            }
        }
        self.choose_elsewhere(plan, world);
        self.avoid_dark(knobs, plan, world, step.0, step.1);
    }

    /// Where a market's requests of a lane that enter at an edge are served, as shares.
    pub fn served(&self, lane: usize, edge: RegionId, market: MarketId) -> Vec<f64> {
        let row = self.row(lane, edge, market);
        let exposed: f64 = self.exposed[row..row + self.regions].iter().sum();
        (0..self.regions)
            .map(|s| {
                let again = exposed * self.allowed[edge] * self.elsewhere[row + s];
                self.first[row + s] + again
            })
            .collect()
    }

    /// The largest share of any kind of request that failed in a living region in the last step.
    pub fn worst(&self, world: &World) -> f64 {
        let living = world.regions.iter().filter(|r| r.dark.is_none());
        living
            .map(|r| if r.flow.hurt { r.flow.worst() } else { 0.0 })
            .fold(self.limits.as_ref().map_or(0.0, Limits::worst), f64::max)
    }

    /// Whether anything failed or waited in the last step.
    pub fn hurt(&self) -> bool {
        self.hurt
    }

    /// Whether any queue is on its way to where the load leads.
    pub fn moving(&self) -> bool {
        self.moving
    }

    /// Share of a market's requests of a lane entering at an edge that its routes send to a dark region
    /// which nobody has ejected and nothing retries: for media that come through the region.
    pub fn lost_at_origin(
        &self,
        (lane, edge, market): (usize, RegionId, MarketId),
        retried: bool,
    ) -> f64 {
        let row = self.row(lane, edge, market);
        let exposed: f64 = self.exposed[row..row + self.regions].iter().sum();
        exposed
            * if retried {
                1.0 - self.allowed[edge]
            } else {
                1.0
            }
    }

    /// Finds where everything goes and what it does to the regions, for a step.
    pub fn evaluate(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        knobs: &Knobs,
        world: &mut World,
        (from, to): (Time, Time),
    ) {
        let dt_secs = to.since(from).secs();
        let middle = Time(from.0 + (to.0 - from.0) / 2);
        for e in 0..self.regions {
            for (lane, m) in self.all_markets() {
                let row = self.row(lane, e, m);
                let shares = &mut self.share[row..row + self.regions];
                if lane == MOVES {
                    world.routes[e].shares(m, middle, &scenario.edge.poll, shares);
                } else {
                    shares.fill(0.0);
                    shares[e] = 1.0;
                }
                if world.reach.limits_markets() {
                    self.keep_to_allowed(world, (lane, e, m));
                }
            }
        }
        self.choose_elsewhere(plan, world);
        self.avoid_dark(knobs, plan, world, from, to);
        self.ejected.fill(0.0);
        if self.find_ejected(scenario, plan, knobs, world, (from, to)) > 0.0 {
            self.follow_ejections(plan, knobs, world, (from, to));
        }
        if let Some(limits) = &mut self.limits {
            limits.begin();
        }
        // What fails in a living region is tried in another, which adds load there: twice round
        // settles it, since a request is retried once at most.
        for round in 1..=LIMITED {
            self.find_allowed(scenario, knobs, world, dt_secs);
            self.send(scenario, knobs, world);
            exchange::evaluate(scenario, plan, world, from, dt_secs, knobs.shed);
            self.hurt = world
                .regions
                .iter()
                .any(|r| r.dark.is_none() && r.flow.hurt)
                || world.links.any_lost();
            let limits = self.limit_origins(scenario, plan, knobs, world) > CLOSE;
            let mut moves = limits;
            if round < ROUNDS {
                moves |= world.links.drifted() || self.retries_failures(scenario, knobs, world);
                if self.find_ejected(scenario, plan, knobs, world, (from, to)) > CLOSE {
                    self.follow_ejections(plan, knobs, world, (from, to));
                    moves = true;
                }
            }
            if !moves {
                break;
            }
        }
        let mut living = world.regions.iter().filter(|r| r.dark.is_none());
        self.moving = living.any(|r| r.flow.moving);
        self.load_proxies(scenario, plan, world, dt_secs);
    }

    fn failing(&self, world: &World, s: RegionId, q: usize, m: MarketId) -> f64 {
        if self.hurt && world.regions[s].dark.is_none() {
            world.regions[s].flow.failing(q, m)
        } else {
            0.0
        }
    }

    /// Share of requests of a kind that an edge sends to a region which fail there or on the way, or
    /// are refused by its own proxies.
    fn failing_from(
        &self,
        world: &World,
        (e, s): (RegionId, RegionId),
        q: usize,
        m: MarketId,
    ) -> f64 {
        let failing = self.failing(world, s, q, m);
        match self.stopped(world, e, s) {
            stopped if stopped > 0.0 => 1.0 - (1.0 - failing) * (1.0 - stopped),
            _ => failing,
        }
    }

    /// Share of what an edge sends to a region that its proxies refuse, because of their limit.
    pub fn refused(&self, e: RegionId, s: RegionId) -> f64 {
        let limits = self.limits.as_ref();
        limits.map_or(0.0, |limits| limits.refused(e * self.regions + s))
    }

    /// Whether limits refuse anything at the moment.
    pub fn refuses(&self) -> bool {
        self.limits.as_ref().is_some_and(|l| l.worst() > 0.0)
    }

    /// Share of what an edge sends to a region that does not get there: refused by its proxies, or lost
    /// by the link.
    fn stopped(&self, world: &World, e: RegionId, s: RegionId) -> f64 {
        let lost = world.links.lost(e, s);
        match self.refused(e, s) {
            refused if refused > 0.0 => 1.0 - (1.0 - refused) * (1.0 - lost),
            _ => lost,
        }
    }

    /// Makes the evaluated step happen.
    pub fn commit(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        knobs: &Knobs,
        world: &mut World,
        (from, to): (Time, Time),
        at: Address,
    ) {
        let dt_secs = to.since(from).secs();
        self.eject(scenario, plan, knobs, world, (from, to), at);
        for e in 0..self.regions {
            world.proxies[e].commit(&self.proxies[e]);
            self.proxies_by_zone[e].commit(&mut world.proxy_zones[e]);
            if knobs.edge_retry {
                let (wanted, all) = self.wanted(scenario, world, e);
                world.budgets[e].spend(wanted * dt_secs, all * dt_secs, dt_secs);
            }
        }
        for region in &mut world.regions {
            if region.dark.is_none() {
                region.commit(plan, dt_secs);
            }
        }
    }
}
