//! Proxies: each with its own copy of the routes and its own memory of origins that failed.

use super::edge::Request;
use super::slab::Key;
use super::{Requests, Scene};
use crate::engine::law;
use crate::engine::stream::Stream;
use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId};
use crate::traffic::cohort::View;
use crate::units::{Span, Time};
use crate::world::lanes::MOVES;
use crate::world::state::World;

/// Seconds of requests that a full retry budget stands for.
const BUDGET_SECS: f64 = 10.0;
/// Seconds over which an edge's requests are counted for its budget.
const RATE_SECS: f64 = 10.0;

/// What the proxies of one edge know.
pub struct Proxies {
    /// How many.
    pub count: u32,
    /// When each has a table after it was pushed.
    polls: Vec<Span>,
    /// Failures in a row, `[proxy][origin]`.
    failures: Vec<u32>,
    /// Ejected until then, `[proxy][origin]`.
    ejected: Vec<u64>,
    /// Requests in flight, `[proxy][origin]`; empty where there is no limit.
    pub in_flight: Vec<u32>,
    /// Retries that the budget allows.
    tokens: f64,
    /// Requests per second, and those of the step under way.
    rate: f64,
    requests: u64,
}

impl Proxies {
    /// The proxies of an edge, which begin without any experience.
    pub fn new(view: &View, edge: RegionId, (seed, replication): (u64, u64)) -> Proxies {
        let scenario = view.scenario;
        let (count, regions) = (view.plan.proxies[edge].max(1), scenario.regions.len());
        let name = &scenario.regions[edge].name;
        let stream = Stream::new(seed, replication, "proxies", name);
        let poll = |i| {
            let phase = stream.draws(i, 0).uniform();
            Span::from_secs(law::quantile(&scenario.edge.poll, phase))
        };
        let cells = count as usize * regions;
        let rate = view.plan.first[edge].total;
        let share = view.knobs.edge_retry_budget;
        Proxies {
            count: count as u32,
            polls: (0..count).map(poll).collect(),
            failures: vec![0; cells],
            ejected: vec![0; cells],
            in_flight: vec![
                0;
                if scenario.edge.origin_limit.is_some() {
                    cells
                } else {
                    0
                }
            ],
            tokens: if share.is_finite() {
                share * rate * BUDGET_SECS
            } else {
                0.0
            },
            rate,
            requests: 0,
        }
    }

    /// Whether a proxy is among the share that has failed.
    pub fn failed(&self, proxy: u32, share: f64) -> bool {
        share > 0.0 && (f64::from(proxy) + 0.5) < share * f64::from(self.count)
    }

    /// One of those that have not failed, by a number in the unit interval.
    pub fn pick(&self, failed: f64, place: f64) -> Option<u32> {
        let dead = (0..self.count).take_while(|&proxy| self.failed(proxy, failed));
        let dead = dead.count() as u32;
        let alive = self.count - dead;
        (alive > 0).then(|| dead + ((place * f64::from(alive)) as u32).min(alive - 1))
    }

    /// A request enters the edge; `share`: of so many retries its budget grows.
    pub fn count_request(&mut self, share: f64) {
        self.requests += 1;
        if share.is_finite() {
            self.tokens = (self.tokens + share).min(share * self.rate * BUDGET_SECS);
        }
    }

    /// Whether a budget allows one more retry.
    pub fn may_retry(&self, share: f64) -> bool {
        share.is_infinite() || self.tokens >= 1.0
    }

    /// A retry is made.
    pub fn spend(&mut self, share: f64) {
        if share.is_finite() {
            self.tokens -= 1.0;
        }
    }

    /// A step has passed.
    pub fn pass(&mut self, dt_secs: f64) {
        let now = std::mem::take(&mut self.requests) as f64 / dt_secs;
        self.rate += (now - self.rate) * -libm::expm1(-dt_secs / RATE_SECS);
    }

    /// Where a market's requests at a proxy are served.
    fn table<'a>(
        &self,
        world: &'a World,
        edge: RegionId,
        proxy: u32,
        m: MarketId,
        now: u64,
    ) -> &'a [f64] {
        world.routes[edge].held(m, Time(now), self.polls[proxy as usize])
    }

    /// The mean of all proxies' tables for a market, into `out`.
    pub fn mean_table(
        &self,
        world: &World,
        edge: RegionId,
        m: MarketId,
        now: u64,
        out: &mut [f64],
    ) {
        out.fill(0.0);
        if world.routes[edge].settled() {
            out.copy_from_slice(self.table(world, edge, 0, m, now));
            return;
        }
        for proxy in 0..self.count {
            for (sum, share) in out.iter_mut().zip(self.table(world, edge, proxy, m, now)) {
                *sum += share / f64::from(self.count);
            }
        }
    }
}

impl Requests {
    /// Where a proxy sends a request.
    pub(super) fn origin(&mut self, scene: &Scene, request: &Request, edge: RegionId) -> RegionId {
        let m = usize::from(request.market);
        let chosen = self.routed(scene, request.lane, (edge, request.proxy), m, request.place);
        self.unless_ejected(scene, request, edge, chosen)
    }

    /// Where the routes of a proxy send a device of a market.
    pub(super) fn routed(
        &self,
        scene: &Scene,
        lane: u16,
        (edge, proxy): (RegionId, u32),
        m: MarketId,
        place: f64,
    ) -> RegionId {
        let world = &scene.world;
        let proxies = &self.proxies[edge];
        let table = proxies.table(world, edge, proxy % proxies.count, m, self.now);
        if !world.reach.limits_markets() {
            return match usize::from(lane) == MOVES {
                true => pick(table, place).unwrap_or(edge),
                false => edge,
            };
        }
        let mut shares = vec![0.0; self.regions];
        match usize::from(lane) == MOVES {
            true => shares.copy_from_slice(table),
            false => shares[edge] = 1.0,
        }
        if world.reach.admit(m, &mut shares) {
            return pick(&shares, place).unwrap_or(edge);
        }
        match world.reach.may(m, edge) {
            true => edge,
            false => (0..self.regions)
                .find(|&s| world.reach.may(m, s))
                .unwrap_or(edge),
        }
    }

    /// An origin, or another in its place if the proxy has ejected it.
    fn unless_ejected(
        &mut self,
        scene: &Scene,
        request: &Request,
        edge: RegionId,
        origin: RegionId,
    ) -> RegionId {
        let proxies = &self.proxies[edge];
        let cell = request.proxy as usize * self.regions + origin;
        if proxies.ejected[cell] <= self.now || self.is_isolated(scene, request.lane, origin) {
            return origin;
        }
        self.elsewhere(scene, request, edge, origin)
            .unwrap_or(origin)
    }

    /// Another region for what fails in one, by what the others have to spare; those that the proxy has
    /// ejected only if there is no other.
    pub(super) fn elsewhere(
        &mut self,
        scene: &Scene,
        request: &Request,
        edge: RegionId,
        not: RegionId,
    ) -> Option<RegionId> {
        let m = usize::from(request.market);
        let mut weights = self
            .serving
            .elsewhere(usize::from(request.lane), edge, m)
            .to_vec();
        weights[not] = 0.0;
        let first = request.proxy as usize * self.regions;
        let ejected = &self.proxies[edge].ejected[first..first + self.regions];
        let open = |s: usize| ejected[s] <= self.now && scene.world.reaches(edge, s);
        let left: f64 = (0..self.regions)
            .filter(|&s| open(s))
            .map(|s| weights[s])
            .sum();
        if left > 0.0 {
            let closed = (0..self.regions).filter(|&s| !open(s));
            closed.for_each(|s| weights[s] = 0.0);
        }
        let whole: f64 = weights.iter().sum();
        if whole <= 0.0 {
            return None;
        }
        let u = self.chance[edge].uniform() * whole;
        weights.iter_mut().for_each(|w| *w /= whole);
        pick(&weights, u / whole)
    }

    pub(super) fn is_isolated(&self, scene: &Scene, lane: u16, region: RegionId) -> bool {
        usize::from(lane) == MOVES && scene.world.isolated[region]
    }

    /// A proxy learns from what an origin made of a request.
    pub(super) fn judge(&mut self, scene: &Scene, key: Key, good: bool) {
        let request = &mut self.requests[key];
        let Some(edge) = request.edge.map(usize::from) else {
            return;
        };
        let (origin, proxy, lane) = (
            usize::from(request.at),
            request.proxy as usize,
            request.lane,
        );
        let flying = std::mem::take(&mut request.in_flight);
        let regions = self.regions;
        let cell = proxy * regions + origin;
        if flying {
            self.proxies[edge].in_flight[cell] -= 1;
        }
        if good {
            self.proxies[edge].failures[cell] = 0;
            return;
        }
        let knobs = scene.view.knobs;
        self.proxies[edge].failures[cell] += 1;
        let enough =
            knobs.eject_after > 0 && self.proxies[edge].failures[cell] >= knobs.eject_after;
        if !enough || !knobs.edge_retry || self.is_isolated(scene, lane, origin) {
            return;
        }
        let now = self.now;
        let proxies = &mut self.proxies[edge];
        let out = &proxies.ejected[proxy * regions..(proxy + 1) * regions];
        let out = out.iter().filter(|&&until| until > now).count();
        let lives = scene.world.reaches(edge, origin);
        if lives
            && (!may_eject(knobs, scene.world, edge, origin) || out >= most_out(knobs, regions))
        {
            return;
        }
        proxies.failures[cell] = 0;
        proxies.ejected[cell] = now + knobs.eject_for.0;
    }
}

/// Where a place in the unit interval lies among shares that sum to one.
fn pick(shares: &[f64], place: f64) -> Option<usize> {
    let mut left = place;
    let mut last = None;
    for (s, &share) in shares.iter().enumerate() {
        if share > 0.0 {
            last = Some(s);
            if left < share {
                break;
            }
            left -= share;
        }
    }
    last
}

/// Whether proxies of an edge may eject an origin that lives.
fn may_eject(knobs: &Knobs, world: &World, e: RegionId, s: RegionId) -> bool {
    let living = knobs.eject_most > 0.0 && !knobs.eject_for.is_zero();
    living && !world.isolated[s] && !world.isolated[e]
}

/// Origins that a proxy may have ejected at once before it ejects another that lives.
fn most_out(knobs: &Knobs, regions: usize) -> usize {
    let most = (knobs.eject_most * regions as f64 + 1e-9).floor() as usize;
    most.max(1).min(regions - 1)
}
