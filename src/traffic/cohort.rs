//! Traffic as counted cohorts: each step draws, from exact laws, how many starts arrive, succeed,
//! fail and wait, what playing sessions ask for and get, and who stands still.
//!
//! Loads are expected rates given the counts; outcomes are draws given the loads. A step's draws are
//! addressed by its cell of the step grid, so they are the same under every policy.

use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::observation::Observation;
use crate::model::outcome::Ledger;
use crate::model::policy::Knobs;
use crate::model::request::When;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::traffic::arrivals::{Address, Arrivals};
use crate::traffic::restraint::Restraint;
use crate::traffic::serving::{Fate, Serving};
use crate::traffic::sessions::Sessions;
use crate::traffic::tally::{Laws, Tally};
use crate::traffic::waiting::{Waiters, Waiting};
use crate::traffic::warm::Warm;
use crate::units::Time;
use crate::world::balancer::Admission;
use crate::world::connections::Legacy;
use crate::world::doors::Door;
use crate::world::lanes::{MOVES, STAYS};
use crate::world::plan::Plan;
use crate::world::playback::Cut;
use crate::world::state::World;
use crate::world::stores::Asked;

mod admission;
mod answers;
mod calm;
mod closing;
mod keeping;
mod noticing;
mod playing;
mod starts;

use admission::Wanted;
pub use calm::PIECES;
use keeping::Kept;

/// What a step needs to see.
pub struct View<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// What is deployed.
    pub plan: &'a Plan,
    /// The policy's knobs that act at the edge.
    pub knobs: &'a Knobs,
    /// How cut sessions run out of their buffer; `None` where nothing streams.
    pub cut: Option<&'a Cut>,
    /// Response times.
    pub laws: &'a Laws,
}

/// Random streams of one market.
#[derive(Clone, Copy)]
struct Streams {
    split: Stream,
    starts: Stream,
    requests: Stream,
    sessions: Stream,
    stalls: Stream,
    edges: Stream,
    connections: Stream,
}

/// The traffic of one replication.
pub struct Cohort {
    arrivals: Vec<Arrivals>,
    streams: Vec<Streams>,
    /// `[market][class]`.
    waiting: Vec<Vec<Waiting>>,
    /// What holds retries back, `[market][class]`.
    restraint: Vec<Vec<Restraint>>,
    /// Playing sessions.
    pub sessions: Sessions,
    /// Long-lived connections since the last change of a market's answer, `[market][class]`.
    legacy: Vec<Vec<Option<Legacy>>>,
    /// Connections of plain users, per device class; `None`: every request opens its own.
    warm: Vec<Option<Warm>>,
    /// Starts per second of the step under way that are made on an open connection.
    kept: Vec<Kept>,
    /// Reconnects and changes of region since the last step, `[group of classes][market][region]`, and
    /// those whose requests are made in this step.
    reconnects: Vec<f64>,
    changes: Vec<f64>,
    herd: Herd,
    /// Share of each edge's proxies that had failed in the last step.
    failed_proxies: Vec<f64>,
    /// Of the proxies of each edge that answered in the last step, the share that has failed since.
    broken_proxies: Vec<f64>,
    /// Sessions that are served in another region now and have not noticed, `[lane][market][region]`.
    unaware: Vec<f64>,
    /// Where requests were served in the last step, `[lane][edge][market][region]`.
    routes: Vec<f64>,
    /// Sessions with an ambient stall at the moment, `[market][region]`.
    stalled: Vec<u64>,
    /// New connections, and what the load balancers made of them in the last step.
    wanted: Wanted,
    admissions: Vec<Admission>,
    /// Flows and fates.
    pub serving: Serving,
    /// Shares of demand by where names point, `[market][class][region]`.
    pointing: Vec<f64>,
    /// The same in the step before.
    pointed: Vec<f64>,
    /// The window under way, per region.
    pub window: Vec<Observation>,
    tallies: Vec<Tally>,
    pool_secs: Vec<f64>,
    /// Counts that must balance.
    pub ledger: Ledger,
    /// First attempts of the last step that home regions sent elsewhere, and all of them, of those that
    /// the policy can move, `[home region]`: (elsewhere, all).
    pub shifted: Vec<(f64, f64)>,
    /// What was asked in the last step, `[region][request]`; empty where there is neither a domain of
    /// data nor a worker.
    pub asked: Vec<Asked>,
    /// Requests per second of each market, and served by each region, in the last step.
    pub market_load: Vec<f64>,
    /// Of each market's load, what the policy can move.
    pub market_moves: Vec<f64>,
    /// Length of the step under way.
    dt_secs: f64,
    buffers: Buffers,
}

/// Sessions that reconnected or changed their region, `[group of classes][market][region]`.
#[derive(Default)]
struct Herd {
    reconnects: Vec<f64>,
    changes: Vec<f64>,
}

#[derive(Default)]
struct Buffers {
    due: Vec<Waiters>,
    fate: Fate,
    shares: Vec<f64>,
    counts: Vec<u64>,
    patterns: Vec<f64>,
    phases: Vec<u64>,
}

impl Cohort {
    /// Traffic in equilibrium at the beginning.
    pub fn new(view: &View, world: &World, seed: u64, replication: u64) -> Cohort {
        let scenario = view.scenario;
        let (regions, markets) = (scenario.regions.len(), scenario.markets.len());
        let classes = scenario.devices.len();
        let lanes = view.plan.lanes.count();
        let herds = view.plan.lanes.groups() * markets * regions;
        let phases = scenario.session.as_ref().map_or(0, |s| s.length.len());
        let streams: Vec<Streams> = scenario
            .markets
            .iter()
            .map(|market| {
                let stream = |purpose| Stream::new(seed, replication, purpose, &market.name);
                Streams {
                    split: stream("split"),
                    starts: stream("starts"),
                    requests: stream("requests"),
                    sessions: stream("sessions"),
                    stalls: stream("stalls"),
                    edges: stream("edges"),
                    connections: stream("connections"),
                }
            })
            .collect();
        let mut cohort = Cohort {
            arrivals: scenario
                .markets
                .iter()
                .map(|m| Arrivals::new(seed, replication, &m.name))
                .collect(),
            waiting: vec![vec![Waiting::default(); classes]; markets],
            restraint: vec![scenario.devices.iter().map(Restraint::new).collect(); markets],
            sessions: Sessions::new(markets, classes, regions, phases),
            legacy: vec![vec![None; classes]; markets],
            warm: keeping::none_yet(view, markets, regions),
            kept: Vec::new(),
            reconnects: vec![0.0; herds],
            changes: vec![0.0; herds],
            herd: Herd {
                reconnects: vec![0.0; herds],
                changes: vec![0.0; herds],
            },
            failed_proxies: vec![0.0; regions],
            broken_proxies: vec![0.0; regions],
            unaware: vec![0.0; lanes * markets * regions],
            pointed: Vec::new(),
            routes: vec![0.0; lanes * regions * markets * regions],
            stalled: vec![0; markets * regions],
            wanted: Wanted {
                now: vec![0.0; regions],
                came: vec![0.0; regions],
            },
            admissions: Vec::new(),
            serving: Serving::new(scenario, view.plan, seed, replication),
            pointing: vec![0.0; markets * classes * regions],
            window: vec![Observation::default(); regions],
            tallies: vec![Tally::new(view.laws.count(), markets); regions],
            pool_secs: vec![0.0; regions * (scenario.services.len() + 1) * 2],
            ledger: Ledger::default(),
            shifted: vec![(0.0, 0.0); regions],
            asked: match scenario.domains.is_empty()
                && scenario.services.iter().all(|s| s.worker.is_none())
            {
                true => Vec::new(),
                false => vec![Asked::default(); regions * scenario.requests.len()],
            },
            market_load: vec![0.0; markets],
            market_moves: vec![0.0; markets],
            dt_secs: 0.0,
            buffers: Buffers {
                // Places by region and class, with and without a connection.
                shares: vec![0.0; 2 * regions * classes.max(1) + 2],
                counts: vec![0; 2 * regions * classes.max(1) + 2],
                patterns: vec![0.0; 16],
                phases: vec![0; phases],
                ..Buffers::default()
            },
            streams,
        };
        cohort.begin(view, world);
        cohort
    }

    /// Sessions in progress begin in equilibrium: Poisson counts at their expected values, connected
    /// where names point.
    fn begin(&mut self, view: &View, world: &World) {
        let scenario = view.scenario;
        for m in 0..scenario.markets.len() {
            let expected = view.plan.playing_by_phase(scenario, m, 0.0);
            let mut draws = self.streams[m].sessions.draws(u64::MAX, 0);
            for (k, class) in scenario.devices.iter().enumerate() {
                let shares = world.resolvers[m][k].share().to_vec();
                let range = self.pointing(m, k, scenario.devices.len());
                self.pointing[range].copy_from_slice(&shares);
                let mut by_region = vec![0; shares.len()];
                for (phase, mean) in expected.iter().enumerate() {
                    let mean = mean * class.share * world.demand_factor;
                    let count = sampling::poisson(&mut draws, mean);
                    sampling::multinomial(&mut draws, count, &shares, &mut by_region);
                    for (r, &here) in by_region.iter().enumerate() {
                        self.sessions.phases_mut(m, k, r)[phase] = here;
                    }
                }
            }
            let (rate, length) = (scenario.ambient.stall_rate, scenario.ambient.stall_secs);
            for r in 0..scenario.regions.len() {
                let playing: u64 = (0..scenario.devices.len())
                    .map(|k| self.sessions.count(m, k, r))
                    .sum();
                let share = rate * length / (1.0 + rate * length);
                self.stalled[m * scenario.regions.len() + r] =
                    sampling::binomial(&mut draws, playing, share);
            }
        }
        self.ledger.sessions_first = self.sessions.total();
        self.connect_first(view, world);
        self.begin_window();
    }

    /// A market's names begin to point elsewhere: connections that are open now close in their time.
    pub fn answer_changed(&mut self, view: &View, now: Time, market: MarketId) {
        let devices = view.scenario.devices.iter().enumerate();
        for (k, class) in devices.filter(|(k, _)| view.plan.lanes.moves_class(*k)) {
            // A change while an earlier one still drains finds the same connections.
            self.legacy[market][k]
                .get_or_insert_with(|| Legacy::new(class, &view.scenario.requests, now));
        }
    }

    /// Advances the traffic over `[from, to)`.
    pub fn advance(
        &mut self,
        view: &View,
        world: &mut World,
        (from, to): (Time, Time),
        at: Address,
    ) {
        let scenario = view.scenario;
        let dt = to.since(from).secs();
        self.dt_secs = dt;
        let mut attempts: Vec<Vec<Vec<starts::Attempt>>> =
            vec![vec![Vec::new(); scenario.devices.len()]; scenario.markets.len()];
        self.serving.clear();
        self.asked.fill(Asked::default());
        self.wanted.now.fill(0.0);
        std::mem::swap(&mut self.herd.reconnects, &mut self.reconnects);
        std::mem::swap(&mut self.herd.changes, &mut self.changes);
        self.reconnects.fill(0.0);
        self.changes.fill(0.0);
        self.strand(view, world, from, at);
        self.age_connections(view, world, (from, to), at);
        self.pointed.clone_from(&self.pointing);
        for m in 0..scenario.markets.len() {
            self.point(world, m, (from, to));
            self.step_connections(view, world, m, (from, to), at);
            self.collect_starts(view, world, m, (from, to), at, &mut attempts[m]);
        }
        self.admit(view, world, dt);
        self.add_kept(view, world);
        self.session_flows(view, world, dt);
        self.serving
            .evaluate(scenario, view.plan, view.knobs, world, (from, to));
        self.note_routes(view, world);
        for m in 0..scenario.markets.len() {
            let mut draws = self.streams[m].starts.draws(at.cell, at.cut);
            for k in 0..scenario.devices.len() {
                for attempt in std::mem::take(&mut attempts[m][k]) {
                    self.attempt(view, world, (m, k), attempt, (from, to), &mut draws);
                }
            }
            self.settle_connections(view, m, dt, at);
            if scenario.session.is_none() {
                continue;
            }
            self.session_requests(view, world, m, (from, to), at);
            self.starved_try(view, world, m, (from, to), at);
            self.end_sessions(view, m, dt, at);
            self.close_connections(view, world, m, (from, to), at);
            let stalls = world.condition.cdn(m).0;
            self.stand_still(view, (m, stalls), dt, at);
        }
        self.observe_pools(view, world, dt);
        self.serving
            .commit(scenario, view.plan, view.knobs, world, (from, to), at);
    }

    /// Where names point during the step, on average.
    fn point(&mut self, world: &mut World, m: MarketId, (from, to): (Time, Time)) {
        let regions = self.window.len();
        let classes = world.resolvers[m].len();
        for (k, resolvers) in world.resolvers[m].iter_mut().enumerate() {
            let row = (m * classes + k) * regions;
            resolvers.advance(from, to, &mut self.pointing[row..row + regions]);
        }
    }

    fn pointing(&self, m: MarketId, k: usize, classes: usize) -> std::ops::Range<usize> {
        let regions = self.window.len();
        let row = (m * classes + k) * regions;
        row..row + regions
    }

    /// Adds requests per second of a class that enter at a region; those that nobody answers are no
    /// load.
    fn add_flow(
        &mut self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        q: usize,
        rate: f64,
    ) {
        let lanes = &self.serving.lanes;
        let lane = lanes.of(q, lanes.group(k));
        if view.scenario.devices[k].direct {
            let flow = self.serving.flow(lane, r, q, m);
            self.serving.direct[flow] += rate;
        } else {
            self.enter(view, world, (lane, m, r), q, rate);
        }
    }

    /// Position of a class's sessions at a region in what counts them by group of classes.
    fn cell(&self, (m, k, r): (MarketId, usize, RegionId)) -> usize {
        let (markets, regions) = (self.waiting.len(), self.window.len());
        (self.serving.lanes.group(k) * markets + m) * regions + r
    }

    /// The same, of devices that go through the edge.
    fn enter(
        &mut self,
        view: &View,
        world: &World,
        (lane, m, r): (usize, MarketId, RegionId),
        q: usize,
        rate: f64,
    ) {
        match world.door(view.scenario, m, r) {
            Some(Door::Edge(edge)) => {
                let flow = self.serving.flow(lane, edge, q, m);
                self.serving.entering[flow] += rate;
            }
            Some(Door::Services) => {
                let flow = self.serving.flow(lane, r, q, m);
                self.serving.direct[flow] += rate;
            }
            None => {}
        }
    }

    /// Adds what playing and starved sessions ask for.
    fn session_flows(&mut self, view: &View, world: &World, dt: f64) {
        let scenario = view.scenario;
        let regions = scenario.regions.len();
        let Some(session) = &scenario.session else {
            return;
        };
        for m in 0..scenario.markets.len() {
            for k in 0..scenario.devices.len() {
                for r in 0..regions {
                    let playing = self.sessions.count(m, k, r) as f64;
                    if playing <= 0.0 {
                        continue;
                    }
                    for (q, request) in scenario.requests.iter().enumerate() {
                        let rate = match request.when {
                            When::Every { period_secs, .. } => playing / period_secs,
                            When::Rate { per_sec } => playing * per_sec,
                            _ => continue,
                        };
                        self.add_flow(view, world, (m, k, r), q, rate);
                    }
                }
            }
            for group in 0..self.serving.lanes.groups() {
                for r in 0..regions {
                    let cell = (group * scenario.markets.len() + m) * regions + r;
                    for (q, request) in scenario.requests.iter().enumerate() {
                        let count = match request.when {
                            When::Reconnect => self.herd.reconnects[cell],
                            When::RegionChange => self.herd.changes[cell],
                            _ => continue,
                        };
                        if count > 0.0 {
                            let lane = self.serving.lanes.of(q, group);
                            self.enter(view, world, (lane, m, r), q, count / dt);
                        }
                    }
                    self.serving.connections[r] += self.herd.reconnects[cell] / dt;
                }
            }
        }
        let Some(q) = retry_request(scenario) else {
            return;
        };
        for i in 0..self.sessions.starved.len() {
            let group = &self.sessions.starved[i];
            let place = (group.market, group.class, group.region);
            let mut rate = group.count() as f64 / session.retry_secs.max(dt);
            if group.lost {
                rate *= 1.0 - world.refused(group.region, scenario.devices[group.class].direct);
            }
            self.add_flow(view, world, place, q, rate);
        }
    }

    /// Notes how far routes have moved, for sessions that change their region without reconnecting,
    /// and what share of each home region's first attempts is routed elsewhere.
    fn note_routes(&mut self, view: &View, world: &World) {
        let scenario = view.scenario;
        let (regions, markets) = (scenario.regions.len(), scenario.markets.len());
        if scenario
            .requests
            .iter()
            .any(|q| q.when == When::RegionChange)
        {
            self.notice_changes(view);
        }
        let starts_per_start: f64 = scenario
            .requests
            .iter()
            .enumerate()
            .filter(|(q, _)| view.plan.lanes.of(*q, MOVES) == MOVES)
            .map(|(_, request)| request.per_start())
            .sum();
        let moving = || {
            let classes = scenario.devices.iter().enumerate();
            classes.filter(|(k, _)| view.plan.lanes.moves_class(*k))
        };
        self.shifted.fill((0.0, 0.0));
        for m in 0..markets {
            let home = scenario.markets[m].near[0];
            for e in 0..regions {
                let entering: f64 = (0..scenario.requests.len())
                    .map(|q| self.serving.entering[self.serving.flow(MOVES, e, q, m)])
                    .sum();
                let kept = self.serving.share[self.serving.row(MOVES, e, m) + home];
                self.shifted[home].0 += entering * (1.0 - kept);
                self.shifted[home].1 += entering;
                if matches!(world.door(scenario, m, e), Some(Door::Edge(_))) {
                    continue;
                }
                // Attempts that reach no router at all are not routed elsewhere.
                let rate = view.plan.demand[m].rate(0.0) * starts_per_start;
                for (k, class) in moving().filter(|c| !c.1.direct) {
                    let pointing = self.pointing(m, k, scenario.devices.len());
                    let part = self.pointing[pointing.start + e];
                    self.shifted[home].1 += rate * class.share * part;
                }
            }
            if scenario.devices.iter().all(|class| class.direct) {
                // Without a router, names alone move anything.
                for (k, class) in moving() {
                    let pointing = self.pointing(m, k, scenario.devices.len());
                    let here = self.headed((m, k, home), self.pointing[pointing.start + home]);
                    self.shifted[home].0 += class.share * (1.0 - here);
                    self.shifted[home].1 += class.share;
                }
            }
        }
        for m in 0..markets {
            self.market_load[m] = 0.0;
            for lane in 0..self.serving.lanes.count() {
                for q in 0..scenario.requests.len() {
                    for r in 0..regions {
                        let flow = self.serving.flow(lane, r, q, m);
                        self.market_load[m] +=
                            self.serving.entering[flow] + self.serving.direct[flow];
                    }
                }
                if lane == MOVES {
                    self.market_moves[m] = self.market_load[m];
                }
            }
        }
    }

    /// Turns the window's weights into histograms and hands the window out, one per region.
    pub fn end_window(&mut self, view: &View, window_secs: f64) -> Vec<Observation> {
        let services = view.scenario.services.len() + 1;
        for (r, observation) in self.window.iter_mut().enumerate() {
            observation.window_secs = window_secs;
            self.tallies[r].flush(
                view.laws,
                &mut observation.latency,
                &mut observation.start_delay,
            );
            if window_secs > 0.0 {
                observation.playing_sessions = observation.playing_secs / window_secs;
            }
            for v in 0..services {
                let cell = (r * services + v) * 2;
                let (busy, all) = (self.pool_secs[cell], self.pool_secs[cell + 1]);
                if all > 0.0 {
                    observation.hottest_pool = observation.hottest_pool.max(busy / all);
                }
            }
        }
        let regions = self.window.len();
        let done = std::mem::replace(&mut self.window, vec![Observation::default(); regions]);
        self.begin_window();
        done
    }

    /// Sessions that stand still already count in the window that begins.
    fn begin_window(&mut self) {
        self.pool_secs.fill(0.0);
        let regions = self.window.len();
        for (i, &count) in self.stalled.iter().enumerate() {
            self.window[i % regions].stood_still += count as f64;
        }
        for group in &self.sessions.starved {
            self.window[group.region].stood_still += group.stalled as f64;
        }
    }

    /// Share of each market's load in the last step that the policy cannot move; empty: it can move all.
    pub fn staying(&self) -> Vec<f64> {
        if self.serving.lanes.count() == 1 {
            return Vec::new();
        }
        let loads = self.market_load.iter().zip(&self.market_moves);
        loads
            .map(|(&all, &moves)| if all > 0.0 { 1.0 - moves / all } else { 0.0 })
            .collect()
    }

    /// Share of a market's lookups in a cache, as asked in the last step, that the policy can move.
    pub fn lookups_that_move(&self, plan: &Plan, cache: usize, market: MarketId) -> f64 {
        if self.serving.lanes.count() == 1 {
            return 1.0;
        }
        let lookups = |lane| self.serving.lookups(plan, lane, cache, market);
        let (moves, stays) = (lookups(MOVES), lookups(STAYS));
        if moves > 0.0 {
            moves / (moves + stays)
        } else {
            0.0
        }
    }

    /// Starts that wait for their next attempt.
    pub fn starts_waiting(&self) -> u64 {
        self.waiting.iter().flatten().map(Waiting::total).sum()
    }
}

/// The region whose own name a client asks after the one that failed.
fn next_near(scenario: &Scenario, market: MarketId, region: RegionId) -> RegionId {
    let near = &scenario.markets[market].near;
    let at = near.iter().position(|&r| r == region).unwrap_or(0);
    near[(at + 1) % near.len()]
}

/// The kind of request with which a starved session tries again.
pub fn retry_request(scenario: &Scenario) -> Option<usize> {
    let find = |wanted: fn(&When) -> bool| scenario.requests.iter().position(|r| wanted(&r.when));
    find(|when| matches!(when, When::Every { renews: true, .. }))
        .or_else(|| find(|when| matches!(when, When::Rate { .. })))
        .or_else(|| find(|when| matches!(when, When::Every { .. })))
        .or_else(|| find(|when| matches!(when, When::Start { .. })))
}
