//! Where requests go and what becomes of them: routes, ejection, retries in another region, and the
//! chances that an answer is good, an error, or late, given the load of this step.

use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::units::Time;
use crate::world::plan::Plan;
use crate::world::pool::{PoolState, Servers};
use crate::world::state::World;

/// Chances of a request that enters at one edge.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// Answered well, by the region that served it.
    pub ok: Vec<f64>,
    /// Of `ok`, after a failed attempt in another region.
    pub retried: Vec<f64>,
    /// Answered with an error, by the region that is to blame.
    pub error: Vec<f64>,
    /// What the failed attempt cost, in seconds.
    pub retry_cost_secs: f64,
    /// All errors together.
    pub failing: f64,
}

impl Fate {
    /// The fate of requests that one region answers, without an edge.
    pub fn single(&mut self, regions: usize, region: RegionId, failing: f64) {
        self.reset(regions);
        self.ok[region] = 1.0 - failing;
        self.error[region] = failing;
        self.failing = failing;
    }

    fn reset(&mut self, regions: usize) {
        for list in [&mut self.ok, &mut self.retried, &mut self.error] {
            list.clear();
            list.resize(regions, 0.0);
        }
        self.retry_cost_secs = 0.0;
        self.failing = 0.0;
    }
}

/// Flows of a step and where they lead.
pub struct Serving {
    regions: usize,
    markets: usize,
    requests: usize,
    /// Requests per second that enter at an edge, `[edge][request][market]`.
    pub entering: Vec<f64>,
    /// Requests per second of devices that bypass the edge, `[region][request][market]`.
    pub direct: Vec<f64>,
    /// New connections per second at an edge.
    pub connections: Vec<f64>,
    /// Routes, averaged over the step, `[edge][market][region]`.
    pub share: Vec<f64>,
    /// First living origin, `[edge][market][region]`.
    first: Vec<f64>,
    /// Share that still goes to a failing origin first, `[edge][market][region]`.
    exposed: Vec<f64>,
    /// Where a retry goes, `[edge][region]`.
    elsewhere: Vec<f64>,
    /// Share of the wanted retries that the budget allows, per edge.
    allowed: Vec<f64>,
    /// State of the proxies in one zone, per edge.
    pub proxies: Vec<PoolState>,
    /// Requests through the proxies of a region, per second.
    pub proxied: Vec<f64>,
    /// Whether a region carries anything that hurts.
    hurt: bool,
    fate: Fate,
}

impl Serving {
    /// Idle flows.
    pub fn new(scenario: &Scenario) -> Serving {
        let (regions, markets) = (scenario.regions.len(), scenario.markets.len());
        let requests = scenario.requests.len();
        Serving {
            regions,
            markets,
            requests,
            entering: vec![0.0; regions * requests * markets],
            direct: vec![0.0; regions * requests * markets],
            connections: vec![0.0; regions],
            share: vec![0.0; regions * markets * regions],
            first: vec![0.0; regions * markets * regions],
            exposed: vec![0.0; regions * markets * regions],
            elsewhere: vec![0.0; regions * regions],
            allowed: vec![1.0; regions],
            proxies: vec![PoolState::default(); regions],
            proxied: vec![0.0; regions],
            hurt: false,
            fate: Fate::default(),
        }
    }

    /// Forgets the flows of the last step.
    pub fn clear(&mut self) {
        self.entering.fill(0.0);
        self.direct.fill(0.0);
        self.connections.fill(0.0);
    }

    /// Position of a flow in [`Serving::entering`] and [`Serving::direct`].
    pub fn flow(&self, region: RegionId, request: usize, market: MarketId) -> usize {
        (region * self.requests + request) * self.markets + market
    }

    fn row(&self, edge: RegionId, market: MarketId) -> usize {
        (edge * self.markets + market) * self.regions
    }

    /// Whether any request of the last step entered at a region, or was sent to it.
    pub fn reaches(&self, region: RegionId) -> bool {
        let flows =
            region * self.requests * self.markets..(region + 1) * self.requests * self.markets;
        let enters = self.entering[flows.clone()]
            .iter()
            .chain(&self.direct[flows])
            .any(|&rate| rate > 0.0);
        enters
            || self.share.iter().enumerate().any(|(cell, &share)| {
                let edge = cell / (self.markets * self.regions);
                cell % self.regions == region && edge != region && share > 0.0
            })
    }

    /// Where a market's requests that enter at an edge are served, as shares.
    pub fn served(&self, edge: RegionId, market: MarketId) -> Vec<f64> {
        let row = self.row(edge, market);
        let exposed: f64 = self.exposed[row..row + self.regions].iter().sum();
        (0..self.regions)
            .map(|s| {
                let again = exposed * self.allowed[edge] * self.elsewhere[edge * self.regions + s];
                self.first[row + s] + again
            })
            .collect()
    }

    /// The largest share of any kind of request that failed in a living region in the last step.
    pub fn worst(&self, world: &World) -> f64 {
        let living = world.regions.iter().filter(|r| r.dark.is_none());
        living
            .map(|r| if r.flow.hurt { r.flow.worst() } else { 0.0 })
            .fold(0.0, f64::max)
    }

    /// Whether anything failed or waited in the last step.
    pub fn hurt(&self) -> bool {
        self.hurt
    }

    /// Share of a market's requests entering at an edge that its routes send to a dark region which
    /// nobody has ejected and nothing retries: for media that come through the region.
    pub fn lost_at_origin(&self, edge: RegionId, market: MarketId, retried: bool) -> f64 {
        let row = self.row(edge, market);
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
            for m in 0..self.markets {
                let row = self.row(e, m);
                world.routes[e].shares(
                    m,
                    middle,
                    &scenario.edge.poll,
                    &mut self.share[row..row + self.regions],
                );
            }
        }
        self.choose_elsewhere(plan, world);
        self.avoid_dark(knobs, plan, world, from, to);
        // What fails in a living region is tried in another, which adds load there: twice round
        // settles it, since a request is retried once at most.
        for _ in 0..3 {
            self.find_allowed(scenario, knobs, world, dt_secs);
            self.send(scenario, knobs, world);
            for region in &mut world.regions {
                if region.dark.is_none() {
                    region.evaluate(plan, from, dt_secs, knobs.shed);
                }
            }
            self.hurt = world
                .regions
                .iter()
                .any(|r| r.dark.is_none() && r.flow.hurt);
            if !self.retries_failures(scenario, knobs, world) {
                break;
            }
        }
        self.load_proxies(scenario, plan, world, dt_secs);
    }

    /// Where retries go: to the spare capacity of living regions that are not isolated.
    fn choose_elsewhere(&mut self, plan: &Plan, world: &World) {
        let mut load = vec![0.0; self.regions];
        for e in 0..self.regions {
            for m in 0..self.markets {
                let row = self.row(e, m);
                let total: f64 = (0..self.requests)
                    .map(|q| self.entering[self.flow(e, q, m)])
                    .sum();
                if total > 0.0 {
                    for s in 0..self.regions {
                        load[s] += total * self.share[row + s];
                    }
                }
            }
        }
        let capacity: Vec<f64> = (0..self.regions)
            .map(|s| {
                let region = &world.regions[s];
                if region.dark.is_some() || world.isolated[s] {
                    return 0.0;
                }
                let carries =
                    plan.carries(&plan.peak[s], &|v| region.instances[v].in_service() as f64);
                if carries.is_finite() { carries } else { 1.0 }
            })
            .collect();
        for e in 0..self.regions {
            let spare: Vec<f64> = (0..self.regions)
                .map(|s| (capacity[s] - load[s]).max(0.0))
                .collect();
            let weights = if spare.iter().sum::<f64>() > 0.0 {
                &spare
            } else {
                &capacity
            };
            let total: f64 = weights.iter().sum();
            for s in 0..self.regions {
                self.elsewhere[e * self.regions + s] =
                    if total > 0.0 { weights[s] / total } else { 0.0 };
            }
        }
    }

    /// Splits routes to dark regions into what proxies have learned to avoid and what they have not.
    fn avoid_dark(&mut self, knobs: &Knobs, plan: &Plan, world: &World, from: Time, to: Time) {
        for e in 0..self.regions {
            let entering: f64 = (0..self.markets)
                .flat_map(|m| (0..self.requests).map(move |q| (q, m)))
                .map(|(q, m)| self.entering[self.flow(e, q, m)])
                .sum();
            let per_proxy = entering / plan.proxies[e].max(1) as f64;
            for m in 0..self.markets {
                let row = self.row(e, m);
                for s in 0..self.regions {
                    self.first[row + s] = self.share[row + s];
                    self.exposed[row + s] = 0.0;
                }
                for d in 0..self.regions {
                    let share = self.share[row + d];
                    if share <= 0.0 || world.regions[d].dark.is_none() {
                        continue;
                    }
                    let exposed = if knobs.edge_retry && !world.isolated[d] {
                        world.ejections[e][d].exposed(
                            from,
                            to,
                            knobs.eject_after,
                            knobs.eject_for,
                            per_proxy * share,
                        )
                    } else {
                        1.0
                    };
                    self.first[row + d] = 0.0;
                    self.exposed[row + d] = share * exposed;
                    let mut placed = 0.0;
                    for s in 0..self.regions {
                        let part = self.elsewhere[e * self.regions + s];
                        self.first[row + s] += share * (1.0 - exposed) * part;
                        placed += part;
                    }
                    // With nowhere to go it stays where it was.
                    self.exposed[row + d] += share * (1.0 - exposed) * (1.0 - placed);
                }
            }
        }
    }

    /// How many of the wanted retries each edge's budget allows.
    fn find_allowed(&mut self, scenario: &Scenario, knobs: &Knobs, world: &World, dt_secs: f64) {
        for e in 0..self.regions {
            if !knobs.edge_retry {
                self.allowed[e] = 0.0;
                continue;
            }
            let (wanted, all) = self.wanted(scenario, world, e);
            let mut budget = world.budgets[e];
            self.allowed[e] = budget.spend(wanted * dt_secs, all * dt_secs, dt_secs);
        }
    }

    /// Whether any request that fails in a living region is tried in another.
    fn retries_failures(&self, scenario: &Scenario, knobs: &Knobs, world: &World) -> bool {
        let retried = |e: RegionId, q: usize, m: MarketId| {
            let row = self.row(e, m);
            self.entering[self.flow(e, q, m)] > 0.0
                && (0..self.regions)
                    .any(|s| self.first[row + s] > 0.0 && self.failing(world, s, q, m) > 0.0)
        };
        self.hurt
            && knobs.edge_retry
            && (0..self.regions)
                .filter(|&e| self.allowed[e] > 0.0)
                .any(|e| {
                    let safe = scenario.requests.iter().enumerate().filter(|(_, r)| r.safe);
                    safe.clone()
                        .any(|(q, _)| (0..self.markets).any(|m| retried(e, q, m)))
                })
    }

    /// Retries that an edge would make, and its requests, per second.
    fn wanted(&self, scenario: &Scenario, world: &World, e: RegionId) -> (f64, f64) {
        let (mut wanted, mut all) = (0.0, 0.0);
        for (q, request) in scenario.requests.iter().enumerate() {
            for m in 0..self.markets {
                let rate = self.entering[self.flow(e, q, m)];
                if rate <= 0.0 {
                    continue;
                }
                all += rate;
                if request.safe {
                    let row = self.row(e, m);
                    for s in 0..self.regions {
                        wanted += rate
                            * (self.exposed[row + s]
                                + self.first[row + s] * self.failing(world, s, q, m));
                    }
                }
            }
        }
        (wanted, all)
    }

    fn failing(&self, world: &World, s: RegionId, q: usize, m: MarketId) -> f64 {
        if self.hurt && world.regions[s].dark.is_none() {
            world.regions[s].flow.failing(q, m)
        } else {
            0.0
        }
    }

    /// Adds up what each region receives.
    fn send(&mut self, scenario: &Scenario, knobs: &Knobs, world: &mut World) {
        for region in &mut world.regions {
            region.entering.fill(0.0);
        }
        let mut fate = std::mem::take(&mut self.fate);
        for (q, request) in scenario.requests.iter().enumerate() {
            for m in 0..self.markets {
                for e in 0..self.regions {
                    let rate = self.direct[self.flow(e, q, m)];
                    if rate > 0.0 && world.regions[e].dark.is_none() {
                        world.regions[e].entering[q * self.markets + m] += rate;
                    }
                    let rate = self.entering[self.flow(e, q, m)];
                    if rate <= 0.0 {
                        continue;
                    }
                    let tried = self.tried(e, m, q, knobs, request.safe, world, &mut fate);
                    for s in 0..self.regions {
                        world.regions[s].entering[q * self.markets + m] += rate * tried[s];
                    }
                }
            }
        }
        self.fate = fate;
    }

    /// Attempts that reach each living region, per request; fills the fate as it goes.
    fn tried<'a>(
        &self,
        e: RegionId,
        m: MarketId,
        q: usize,
        knobs: &Knobs,
        safe: bool,
        world: &World,
        fate: &'a mut Fate,
    ) -> &'a [f64] {
        fate.reset(self.regions);
        let row = self.row(e, m);
        let retry = |from: RegionId| {
            if knobs.edge_retry && safe && !world.isolated[from] && !world.isolated[e] {
                self.allowed[e]
            } else {
                0.0
            }
        };
        // `ok` first holds the attempts that reach a region.
        for s in 0..self.regions {
            fate.ok[s] += self.first[row + s];
            let exposed = self.exposed[row + s];
            let again = if exposed > 0.0 {
                exposed * retry(s)
            } else {
                0.0
            };
            let failed = self.first[row + s] * self.failing(world, s, q, m);
            let again_alive = if failed > 0.0 { failed * retry(s) } else { 0.0 };
            if again + again_alive <= 0.0 {
                continue;
            }
            let own = self.elsewhere[e * self.regions + s];
            for t in 0..self.regions {
                let weight = self.elsewhere[e * self.regions + t];
                fate.ok[t] += again * weight;
                if t != s && own < 1.0 {
                    fate.ok[t] += again_alive * weight / (1.0 - own);
                }
            }
        }
        &fate.ok
    }

    /// What becomes of requests of a kind from a market that enter at an edge.
    pub fn fate(
        &self,
        scenario: &Scenario,
        knobs: &Knobs,
        world: &World,
        (e, m, q): (RegionId, MarketId, usize),
        now: Time,
        fate: &mut Fate,
    ) {
        fate.reset(self.regions);
        let row = self.row(e, m);
        let safe = scenario.requests[q].safe;
        let admitted = 1.0 - self.proxies[e].refused;
        let retry = |from: RegionId| {
            if knobs.edge_retry && safe && !world.isolated[from] && !world.isolated[e] {
                self.allowed[e]
            } else {
                0.0
            }
        };
        fate.error[e] += 1.0 - admitted;
        for s in 0..self.regions {
            let exposed = self.exposed[row + s] * admitted;
            if exposed > 0.0 {
                fate.retry_cost_secs = world.failing_cost_secs(scenario, s, now);
                self.retry(e, m, q, s, exposed, retry(s), 0.0, world, fate);
            }
            let first = self.first[row + s] * admitted;
            if first <= 0.0 {
                continue;
            }
            let failing = self.failing(world, s, q, m);
            fate.ok[s] += first * (1.0 - failing);
            if failing > 0.0 {
                let own = self.elsewhere[e * self.regions + s];
                self.retry(e, m, q, s, first * failing, retry(s), own, world, fate);
            }
        }
        fate.failing = fate.error.iter().sum();
    }

    /// What becomes of `failed` requests that failed in region `s`.
    fn retry(
        &self,
        e: RegionId,
        m: MarketId,
        q: usize,
        s: RegionId,
        failed: f64,
        allowed: f64,
        own: f64,
        world: &World,
        fate: &mut Fate,
    ) {
        let mut again = 0.0;
        if allowed > 0.0 && own < 1.0 {
            for t in (0..self.regions).filter(|&t| t != s) {
                let part = failed * allowed * self.elsewhere[e * self.regions + t] / (1.0 - own);
                if part <= 0.0 {
                    continue;
                }
                again += part;
                let failing = self.failing(world, t, q, m);
                fate.ok[t] += part * (1.0 - failing);
                fate.retried[t] += part * (1.0 - failing);
                fate.error[t] += part * failing;
            }
        }
        fate.error[s] += (failed - again).max(0.0);
    }

    /// Loads the proxies: what enters at an edge, and what others send on.
    fn load_proxies(&mut self, scenario: &Scenario, plan: &Plan, world: &World, dt_secs: f64) {
        self.proxied.fill(0.0);
        for e in 0..self.regions {
            for m in 0..self.markets {
                let rate: f64 = (0..self.requests)
                    .map(|q| self.entering[self.flow(e, q, m)])
                    .sum();
                if rate <= 0.0 {
                    continue;
                }
                self.proxied[e] += rate;
                let row = self.row(e, m);
                for s in (0..self.regions).filter(|&s| s != e) {
                    let sent = self.first[row + s]
                        + self.exposed[row..row + self.regions].iter().sum::<f64>()
                            * self.allowed[e]
                            * self.elsewhere[e * self.regions + s];
                    self.proxied[s] += rate * sent;
                }
            }
        }
        for e in 0..self.regions {
            if !world.edge_lives(scenario, e) {
                self.proxies[e] = PoolState::default();
                continue;
            }
            let zones = scenario.regions[e].zones.max(1) as f64;
            let slots = plan.proxies[e] as f64 * f64::from(scenario.edge.slots) / zones;
            let rate = self.proxied[e] / zones;
            // A handshake is CPU that the same proxies spend.
            let handshakes = self.connections[e] * scenario.edge.handshake_secs;
            let mean_secs = plan.edge_secs
                + if self.proxied[e] > 0.0 {
                    handshakes / self.proxied[e]
                } else {
                    0.0
                };
            self.proxies[e] = world.proxies[e].evaluate(
                rate,
                dt_secs,
                &Servers {
                    slots,
                    queue: slots,
                    mean_secs,
                    scv: 1.0,
                },
            );
        }
    }

    /// Makes the evaluated step happen.
    pub fn commit(
        &self,
        scenario: &Scenario,
        plan: &Plan,
        knobs: &Knobs,
        world: &mut World,
        dt_secs: f64,
    ) {
        for e in 0..self.regions {
            world.proxies[e].commit(&self.proxies[e]);
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
