//! Traffic as counted cohorts: each step draws, from exact laws, how many starts arrive, succeed,
//! fail and wait, what playing sessions ask for and get, and who stands still.
//!
//! Loads are expected rates given the counts; outcomes are draws given the loads. A step's draws are
//! addressed by its cell of the step grid, so they are the same under every policy.

use crate::engine::sampling;
use crate::engine::stream::{Draws, Stream};
use crate::model::observation::Observation;
use crate::model::outcome::Ledger;
use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId, Scenario, When};
use crate::traffic::arrivals::{Address, Arrivals};
use crate::traffic::serving::{Fate, Serving};
use crate::traffic::sessions::Sessions;
use crate::traffic::tally::{Laws, Tally, delay_class};
use crate::traffic::waiting::{self, Waiters, Waiting};
use crate::units::Time;
use crate::world::connections::Legacy;
use crate::world::plan::Plan;
use crate::world::playback::Cut;
use crate::world::state::World;

mod playing;

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
}

/// The traffic of one replication.
pub struct Cohort {
    arrivals: Vec<Arrivals>,
    streams: Vec<Streams>,
    /// `[market][class]`.
    waiting: Vec<Vec<Waiting>>,
    /// Retry tokens, `[market][class]`.
    tokens: Vec<Vec<f64>>,
    /// Playing sessions.
    pub sessions: Sessions,
    /// Long-lived connections since the last change of a market's answer, `[market][class]`.
    legacy: Vec<Vec<Option<Legacy>>>,
    /// Reconnects and changes of region since the last step, `[market][region]`, and those whose
    /// requests are made in this step.
    reconnects: Vec<f64>,
    changes: Vec<f64>,
    herd: Herd,
    /// Sessions that are served in another region now and have not noticed, `[market][region]`.
    unaware: Vec<f64>,
    /// Where requests were served in the last step, `[edge][market][region]`.
    routes: Vec<f64>,
    /// Sessions with an ambient stall at the moment, `[market][region]`.
    stalled: Vec<u64>,
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
    /// First attempts of the last step that home regions sent elsewhere, and all of them,
    /// `[home region]`: (elsewhere, all).
    pub shifted: Vec<(f64, f64)>,
    /// Requests per second of each market, and served by each region, in the last step.
    pub market_load: Vec<f64>,
    /// Length of the step under way.
    dt_secs: f64,
    buffers: Buffers,
}

/// Sessions that reconnected or changed their region, `[market][region]`.
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

/// What became of the calls of an attempt.
struct Answers {
    /// Starts that got through.
    good: u64,
    /// Whether anyone answered.
    answered: bool,
    /// Whether nothing but ambient failures can have failed them.
    healthy: bool,
}

/// Starts with the same past that make an attempt in this step.
#[derive(Clone, Copy)]
struct Attempt {
    entry: RegionId,
    past: Waiters,
}

impl Cohort {
    /// Traffic in equilibrium at the beginning.
    pub fn new(view: &View, world: &World, seed: u64, replication: u64) -> Cohort {
        let scenario = view.scenario;
        let (regions, markets) = (scenario.regions.len(), scenario.markets.len());
        let classes = scenario.devices.len();
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
            tokens: vec![vec![0.0; classes]; markets],
            sessions: Sessions::new(markets, classes, regions, phases),
            legacy: vec![vec![None; classes]; markets],
            reconnects: vec![0.0; markets * regions],
            changes: vec![0.0; markets * regions],
            herd: Herd {
                reconnects: vec![0.0; markets * regions],
                changes: vec![0.0; markets * regions],
            },
            unaware: vec![0.0; markets * regions],
            pointed: Vec::new(),
            routes: vec![0.0; regions * markets * regions],
            stalled: vec![0; markets * regions],
            serving: Serving::new(scenario),
            pointing: vec![0.0; markets * classes * regions],
            window: vec![Observation::default(); regions],
            tallies: vec![Tally::new(view.laws.count(), markets); regions],
            pool_secs: vec![0.0; regions * (scenario.services.len() + 1) * 2],
            ledger: Ledger::default(),
            shifted: vec![(0.0, 0.0); regions],
            market_load: vec![0.0; markets],
            dt_secs: 0.0,
            buffers: Buffers {
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
        self.begin_window();
    }

    /// Whether nothing is under way that needs short steps.
    pub fn calm(&self) -> bool {
        !self.serving.hurt()
            && self.sessions.starved.is_empty()
            && self.waiting.iter().flatten().all(|w| w.total() == 0)
            && self.unaware.iter().all(|&n| n == 0.0)
            // A slow drain of connections changes little within a long step.
            && self.reconnects.iter().chain(&self.changes).sum::<f64>()
                <= 1e-3 * self.dt_secs * self.sessions.total() as f64
    }

    /// A market's names begin to point elsewhere: connections that are open now close in their time.
    pub fn answer_changed(&mut self, view: &View, now: Time, market: MarketId) {
        for (k, class) in view.scenario.devices.iter().enumerate() {
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
        let mut attempts: Vec<Vec<Vec<Attempt>>> =
            vec![vec![Vec::new(); scenario.devices.len()]; scenario.markets.len()];
        self.serving.clear();
        std::mem::swap(&mut self.herd.reconnects, &mut self.reconnects);
        std::mem::swap(&mut self.herd.changes, &mut self.changes);
        self.reconnects.fill(0.0);
        self.changes.fill(0.0);
        self.strand(view, world, from);
        self.pointed.clone_from(&self.pointing);
        for m in 0..scenario.markets.len() {
            self.point(world, m, (from, to));
            self.collect_starts(view, world, m, (from, to), at, &mut attempts[m]);
        }
        self.session_flows(view, world, dt);
        self.serving
            .evaluate(scenario, view.plan, view.knobs, world, (from, to));
        self.note_routes(view, world);
        for m in 0..scenario.markets.len() {
            let mut draws = self.streams[m].starts.draws(at.cell, at.cut);
            for k in 0..scenario.devices.len() {
                for attempt in std::mem::take(&mut attempts[m][k]) {
                    self.attempt(view, world, (m, k), attempt, (from, to), at, &mut draws);
                }
            }
            if scenario.session.is_none() {
                continue;
            }
            self.session_requests(view, world, m, (from, to), at);
            self.starved_try(view, world, m, (from, to), at);
            self.end_sessions(view, m, dt, at);
            self.close_connections(view, m, (from, to), at);
            self.stand_still(view, m, dt, at);
        }
        self.observe_pools(view, world, dt);
        self.serving
            .commit(scenario, view.plan, view.knobs, world, dt);
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

    /// Draws arrivals and takes out due retries, and adds their load.
    fn collect_starts(
        &mut self,
        view: &View,
        world: &World,
        m: MarketId,
        (from, to): (Time, Time),
        at: Address,
        out: &mut [Vec<Attempt>],
    ) {
        let scenario = view.scenario;
        let (classes, regions) = (scenario.devices.len(), scenario.regions.len());
        let dt = to.since(from).secs();
        let demand = &view.plan.demand[m];
        let count =
            self.arrivals[m].take(demand, world.demand_factor, (from, to), scenario.sample, at);
        let expected = demand.expected(from.secs(), to.secs()) * world.demand_factor;
        self.ledger.starts += count;
        let mut draws = self.streams[m].split.draws(at.cell, at.cut);
        let mut shares = std::mem::take(&mut self.buffers.shares);
        let mut counts = std::mem::take(&mut self.buffers.counts);
        for (k, class) in scenario.devices.iter().enumerate() {
            for r in 0..regions {
                let row = self.pointing(m, k, classes).start;
                shares[k * regions + r] = class.share * self.pointing[row + r];
            }
        }
        let cells = classes * regions;
        sampling::multinomial(&mut draws, count, &shares[..cells], &mut counts[..cells]);
        let fresh = Waiters {
            born_secs: 0.5 * (from.secs() + to.secs()),
            born_cell: at.cell,
            attempts: 0,
            entry: 0,
            share_then: 1.0,
            count: 0,
        };
        for k in 0..classes {
            self.tokens[m][k] += scenario.devices[k].retry_budget.min(1e18)
                * counts[k * regions..(k + 1) * regions].iter().sum::<u64>() as f64;
            for r in 0..regions {
                let share = shares[k * regions + r];
                if share > 0.0 {
                    self.add_starts(view, world, (m, k, r), expected * share / dt);
                }
                if counts[k * regions + r] > 0 {
                    out[k].push(Attempt {
                        entry: r,
                        past: Waiters {
                            entry: r,
                            count: counts[k * regions + r],
                            ..fresh
                        },
                    });
                }
            }
        }
        self.buffers.shares = shares;
        self.buffers.counts = counts;
        for (k, list) in out.iter_mut().enumerate() {
            if self.waiting[m][k].total() > 0 {
                self.take_retries(view, world, (m, k), (from, to), at, &mut draws, list);
            }
        }
    }

    /// Retries that are due: who has left, and which region they are sent to now.
    #[allow(clippy::too_many_arguments)]
    fn take_retries(
        &mut self,
        view: &View,
        world: &World,
        (m, k): (MarketId, usize),
        (from, to): (Time, Time),
        at: Address,
        draws: &mut Draws,
        out: &mut Vec<Attempt>,
    ) {
        let scenario = view.scenario;
        let class = &scenario.devices[k];
        let step = scenario.step.secs();
        let cell_end = (at.cell + 1) as f64 * step;
        let part = if to.secs() >= cell_end - 1e-9 {
            1.0
        } else {
            to.since(from).secs() / (cell_end - from.secs())
        };
        let mut due = std::mem::take(&mut self.buffers.due);
        self.waiting[m][k].due(at.cell, part, draws, &mut due);
        let now = 0.5 * (from.secs() + to.secs());
        let dt = to.since(from).secs();
        let pointing = self.pointing[self.pointing(m, k, scenario.devices.len())].to_vec();
        for mut waiters in due.drain(..) {
            if scenario.session.is_some() {
                let (lo, hi) = waiting::backoff(class, waiters.attempts);
                let elapsed = (now - waiters.born_secs).max(0.0);
                let before = waiting::staying((elapsed - 0.5 * (lo + hi)).max(0.0));
                let stay = if before > 0.0 {
                    waiting::staying(elapsed) / before
                } else {
                    0.0
                };
                let staying = sampling::binomial(draws, waiters.count, stay.clamp(0.0, 1.0));
                let left = waiters.count - staying;
                self.window[waiters.entry].starts_failed += left;
                self.window[waiters.entry].failed_for_good += left;
                self.ledger.starts_failed += left;
                self.ledger.given_up += left;
                waiters.count = staying;
            }
            if waiters.count == 0 {
                continue;
            }
            let old = waiters.entry;
            let mut go = |this: &mut Cohort, entry: RegionId, count: u64| {
                if count > 0 {
                    this.add_starts(view, world, (m, k, entry), count as f64 / dt);
                    out.push(Attempt {
                        entry,
                        past: Waiters {
                            entry,
                            count,
                            ..waiters
                        },
                    });
                }
            };
            if class.fallback_after > 0 && waiters.attempts >= class.fallback_after {
                go(self, next_near(scenario, m, old), waiters.count);
                continue;
            }
            // Names that pointed to the region then may point elsewhere now.
            let stay = if waiters.share_then > 0.0 {
                (pointing[old] / waiters.share_then).min(1.0)
            } else {
                0.0
            };
            let others: Vec<f64> = (0..pointing.len())
                .map(|r| if r == old { 0.0 } else { pointing[r] })
                .collect();
            let sum: f64 = others.iter().sum();
            let staying = if sum > 0.0 {
                sampling::binomial(draws, waiters.count, stay)
            } else {
                waiters.count
            };
            go(self, old, staying);
            if waiters.count > staying {
                let shares: Vec<f64> = others.iter().map(|s| s / sum).collect();
                let mut counts = vec![0; shares.len()];
                sampling::multinomial(draws, waiters.count - staying, &shares, &mut counts);
                for (r, count) in counts.into_iter().enumerate() {
                    go(self, r, count);
                }
            }
        }
        self.buffers.due = due;
    }

    /// Adds the load of starts, per second, of a class that enter at a region.
    fn add_starts(
        &mut self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        rate: f64,
    ) {
        for (q, request) in view.scenario.requests.iter().enumerate() {
            if let When::Start { count } = request.when {
                self.add_flow(view, world, (m, k, r), q, rate * f64::from(count));
            }
        }
        self.serving.connections[r] += rate;
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
        let flow = self.serving.flow(r, q, m);
        if view.scenario.devices[k].direct {
            self.serving.direct[flow] += rate;
        } else if world.edge_lives(view.scenario, r) {
            self.serving.entering[flow] += rate;
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
            for r in 0..regions {
                for (q, request) in scenario.requests.iter().enumerate() {
                    let count = match request.when {
                        When::Reconnect => self.herd.reconnects[m * regions + r],
                        When::RegionChange => self.herd.changes[m * regions + r],
                        _ => continue,
                    };
                    if count > 0.0 && world.edge_lives(scenario, r) {
                        let flow = self.serving.flow(r, q, m);
                        self.serving.entering[flow] += count / dt;
                    }
                }
                self.serving.connections[r] += self.herd.reconnects[m * regions + r] / dt;
            }
        }
        let Some(q) = retry_request(scenario) else {
            return;
        };
        for i in 0..self.sessions.starved.len() {
            let group = &self.sessions.starved[i];
            let place = (group.market, group.class, group.region);
            let rate = group.count() as f64 / session.retry_secs.max(dt);
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
        let share = &self.serving.share;
        self.shifted.fill((0.0, 0.0));
        for m in 0..markets {
            let home = scenario.markets[m].near[0];
            let rate = view.plan.demand[m].rate(0.0).max(1e-9);
            let any_edge = scenario.devices.iter().any(|c| !c.direct);
            for (k, class) in scenario.devices.iter().enumerate() {
                if class.direct && any_edge {
                    // It bypasses the router: names alone move it.
                    continue;
                }
                let pointing = self.pointing(m, k, scenario.devices.len());
                for (e, &part) in self.pointing[pointing].iter().enumerate() {
                    if part <= 0.0 {
                        continue;
                    }
                    let away = if class.direct || !world.edge_lives(scenario, e) {
                        f64::from(u8::from(e != home))
                    } else {
                        1.0 - share[(e * markets + m) * regions + home]
                    };
                    self.shifted[home].0 += rate * class.share * part * away;
                    self.shifted[home].1 += rate * class.share * part;
                }
            }
        }
        for (m, load) in self.market_load.iter_mut().enumerate() {
            *load = 0.0;
            for q in 0..scenario.requests.len() {
                for r in 0..regions {
                    let flow = self.serving.flow(r, q, m);
                    *load += self.serving.entering[flow] + self.serving.direct[flow];
                }
            }
        }
    }

    /// Sessions whose serving region has changed notice it with their next request.
    fn notice_changes(&mut self, view: &View) {
        let scenario = view.scenario;
        let (regions, markets) = (scenario.regions.len(), scenario.markets.len());
        let per_session: f64 = scenario
            .requests
            .iter()
            .map(|request| match request.when {
                When::Every { period_secs, .. } => 1.0 / period_secs,
                When::Rate { per_sec } => per_sec,
                _ => 0.0,
            })
            .sum();
        for e in 0..regions {
            for m in 0..markets {
                let row = (e * markets + m) * regions;
                let served = self.serving.served(e, m);
                let known = &mut self.routes[row..row + regions];
                let moved: f64 = served
                    .iter()
                    .zip(&*known)
                    .map(|(a, b)| (a - b).max(0.0))
                    .sum();
                let playing: u64 = (0..scenario.devices.len())
                    .filter(|&k| !scenario.devices[k].direct)
                    .map(|k| self.sessions.count(m, k, e))
                    .sum();
                let unaware = &mut self.unaware[m * regions + e];
                if moved > 1e-9 && known.iter().sum::<f64>() > 0.0 {
                    *unaware += moved * playing as f64;
                }
                known.copy_from_slice(&served);
                if *unaware > 0.0 {
                    let notice = -libm::expm1(-per_session * self.dt_secs);
                    let aware = *unaware * notice;
                    *unaware -= aware;
                    if *unaware < 0.5 {
                        *unaware = 0.0;
                    }
                    self.changes[m * regions + e] += aware;
                }
            }
        }
    }

    /// Finds what becomes of requests of a class from a market that enter at a region; `None`: nobody
    /// answers.
    fn fate(
        &self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        q: usize,
        now: Time,
        fate: &mut Fate,
    ) -> bool {
        if view.scenario.devices[k].direct {
            if world.regions[r].dark.is_some() {
                return false;
            }
            fate.single(
                view.scenario.regions.len(),
                r,
                world.regions[r].flow.failing(q, m),
            );
            return true;
        }
        if !world.edge_lives(view.scenario, r) {
            return false;
        }
        self.serving
            .fate(view.scenario, view.knobs, world, (r, m, q), now, fate);
        true
    }

    /// Makes the attempts of starts that share a past, and settles who is done and who waits.
    #[allow(clippy::too_many_arguments)]
    fn attempt(
        &mut self,
        view: &View,
        world: &World,
        (m, k): (MarketId, usize),
        attempt: Attempt,
        (from, to): (Time, Time),
        at: Address,
        draws: &mut Draws,
    ) {
        let scenario = view.scenario;
        let class = &scenario.devices[k];
        let Attempt { entry: r, mut past } = attempt;
        let middle = 0.5 * (from.secs() + to.secs());
        let mut extra_secs = 0.0;
        loop {
            let tried = past.count;
            self.ledger.attempts += tried;
            if past.attempts == 0 {
                self.window[r].first_attempts += tried;
            } else {
                self.ledger.retries += tried;
            }
            past.attempts += 1;
            let Answers {
                good,
                answered,
                healthy,
            } = self.make_calls(
                view,
                world,
                (m, k, r),
                &past,
                middle,
                extra_secs,
                from,
                draws,
            );
            let failed = tried - good;
            self.ledger.attempts_failed += failed;
            self.succeed(view, (m, k, r), good, draws);
            if failed == 0 {
                return;
            }
            let mut again = if past.attempts >= class.attempts {
                0
            } else {
                failed
            };
            if class.retry_budget.is_finite() {
                let allowed = (self.tokens[m][k].max(0.0) as u64).min(again);
                self.tokens[m][k] -= allowed as f64;
                again = allowed;
            }
            let lost = failed - again;
            self.window[r].starts_failed += lost;
            self.window[r].failed_for_good += lost;
            self.ledger.starts_failed += lost;
            self.ledger.given_up += lost;
            if again == 0 {
                return;
            }
            past.count = again;
            let (lo, hi) = waiting::backoff(class, past.attempts);
            // Where nothing but chance fails, the next attempt meets what this one met: it is made
            // in the same step, and its wait is only counted.
            if healthy {
                extra_secs += 0.5 * (lo + hi);
                let stay = if scenario.session.is_some() {
                    waiting::staying(extra_secs)
                } else {
                    1.0
                };
                let staying = sampling::binomial(draws, again, stay);
                let left = again - staying;
                self.window[r].starts_failed += left;
                self.window[r].failed_for_good += left;
                self.ledger.starts_failed += left;
                self.ledger.given_up += left;
                past.count = staying;
                if staying == 0 {
                    return;
                }
                continue;
            }
            // A connection that hangs is only known to have failed after the client's timeout.
            let hangs = !answered && world.regions[r].dark.is_some_and(|dark| dark.hang);
            let known = if hangs { class.timeout.secs() } else { 0.0 };
            let pointing = self.pointing(m, k, scenario.devices.len());
            past.entry = r;
            past.share_then = self.pointing[pointing.start + r];
            // A retry that would fall into this cell waits for the next: the step's load is set.
            self.waiting[m][k].schedule(
                (from.secs(), to.secs()),
                (known + lo, known + hi),
                scenario.step.secs(),
                (at.cell + 1).max(to.0 / scenario.step.0),
                past,
                draws,
            );
            return;
        }
    }

    /// Makes the calls of one attempt, kind by kind in a row.
    #[allow(clippy::too_many_arguments)]
    fn make_calls(
        &mut self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        past: &Waiters,
        middle: f64,
        extra_secs: f64,
        now: Time,
        draws: &mut Draws,
    ) -> Answers {
        let scenario = view.scenario;
        let mut good = past.count;
        let mut fate = std::mem::take(&mut self.buffers.fate);
        let (mut mean, mut variance) = (0.0, 0.0);
        let mut server = r;
        let (mut answered, mut healthy) = (true, true);
        for (q, request) in scenario.requests.iter().enumerate() {
            let When::Start { count } = request.when else {
                continue;
            };
            if good == 0 {
                break;
            }
            if !self.fate(view, world, (m, k, r), q, now, &mut fate) {
                self.window[r].unreachable += good;
                good = 0;
                (answered, healthy) = (false, false);
                break;
            }
            healthy &= fate.failing <= 1e-12;
            let ambient = scenario.ambient.request_failure;
            let failing = fate.failing + (1.0 - fate.failing) * ambient;
            for _ in 0..count {
                let failed = sampling::binomial(draws, good, failing);
                good -= failed;
                self.record(view, world, (m, q, r), &fate, good, failed, draws);
                if good == 0 {
                    break;
                }
            }
            let (here, spread, served) = self.delay_of(view, world, (m, q, r), &fate);
            mean += f64::from(count) * (here + scenario.markets[m].rtt_secs);
            variance += f64::from(count) * spread;
            server = served;
        }
        self.buffers.fate = fate;
        if good > 0 {
            let waited = if past.attempts > 1 {
                (middle - past.born_secs).max(0.0)
            } else {
                0.0
            };
            self.tallies[server].add_starts(m, good as f64, mean + waited + extra_secs, variance);
        }
        Answers {
            good,
            answered,
            healthy,
        }
    }

    /// Mean and variance of a good answer's delay, and the region that most likely gave it.
    fn delay_of(
        &self,
        view: &View,
        world: &World,
        (m, q, r): (MarketId, usize, RegionId),
        fate: &Fate,
    ) -> (f64, f64, RegionId) {
        let served = (0..fate.ok.len())
            .max_by(|&a, &b| fate.ok[a].total_cmp(&fate.ok[b]))
            .unwrap_or(r);
        let (mean, variance) = view.laws.moments(view.laws.first[q]);
        let flow = &world.regions[served].flow;
        let wait = flow.wait_secs[view.plan.graph.entries[q].0];
        let paths = &view.plan.paths[q];
        // Each miss adds the difference of the two laws' means.
        let mut missed = 0.0;
        for (i, &cache) in paths.caches.iter().enumerate() {
            let miss = flow.miss[cache * view.plan.graph.markets + m];
            let (with, _) = view.laws.moments(view.laws.first[q] + (1 << i));
            missed += (with - mean) * (miss * paths.lookups[i]).min(1.0);
        }
        (
            mean + missed + wait + view.scenario.rtt_secs[r][served],
            variance,
            served,
        )
    }

    /// Records answers to requests of a kind that entered at a region.
    #[allow(clippy::too_many_arguments)]
    fn record(
        &mut self,
        view: &View,
        world: &World,
        (m, q, r): (MarketId, usize, RegionId),
        fate: &Fate,
        good: u64,
        failed: u64,
        draws: &mut Draws,
    ) {
        let scenario = view.scenario;
        let regions = scenario.regions.len();
        let ambient = scenario.ambient.request_failure;
        let mut counts = std::mem::take(&mut self.buffers.counts);
        let mut shares = std::mem::take(&mut self.buffers.shares);
        if good > 0 {
            place(
                draws,
                good,
                &fate.ok,
                &mut shares[..regions],
                &mut counts[..regions],
            );
            for s in 0..regions {
                if counts[s] == 0 {
                    continue;
                }
                let degraded = world.regions[s].flow.degrading(&view.plan.graph, q, m);
                let window = &mut self.window[s];
                window.answered_ok += counts[s];
                if degraded > 0.0 {
                    window.answered_degraded += sampling::binomial(draws, counts[s], degraded);
                }
                self.tally(view, world, (m, q, r, s), fate, counts[s] as f64);
            }
        }
        if failed > 0 {
            // Ambient failures are the region's that would have answered.
            for s in 0..regions {
                shares[regions + s] = fate.error[s] + fate.ok[s] * ambient;
            }
            let (low, high) = shares.split_at_mut(regions);
            place(draws, failed, &high[..regions], low, &mut counts[..regions]);
            for s in 0..regions {
                self.window[s].answered_error += counts[s];
            }
        }
        self.buffers.counts = counts;
        self.buffers.shares = shares;
    }

    /// Adds the latencies of good answers given by region `s` to requests that entered at `r`.
    fn tally(
        &mut self,
        view: &View,
        world: &World,
        (m, q, r, s): (MarketId, usize, RegionId, RegionId),
        fate: &Fate,
        weight: f64,
    ) {
        let paths = &view.plan.paths[q];
        let markets = view.plan.graph.markets;
        let flow = &world.regions[s].flow;
        let patterns = &mut self.buffers.patterns;
        paths.patterns(&|cache| flow.miss[cache * markets + m], patterns);
        let retried = if fate.ok[s] > 0.0 {
            fate.retried[s] / fate.ok[s]
        } else {
            0.0
        };
        let mut away = view.scenario.rtt_secs[r][s];
        if r != s {
            // The other region's proxies.
            away += view.plan.edge_secs;
        }
        let entry = view.plan.graph.entries[q].0;
        let wait = flow.wait_secs[entry] + self.serving.proxies[r].wait.mean();
        let points = wait_points(flow, entry, wait);
        for (pattern, &part) in patterns[..paths.laws.len()].iter().enumerate() {
            if part < 1e-9 {
                continue;
            }
            let law = view.laws.first[q] + pattern;
            for (share, secs) in points {
                if share <= 0.0 {
                    continue;
                }
                let weight = weight * part * share;
                let tally = &mut self.tallies[s];
                tally.add(law, delay_class(away + secs), weight * (1.0 - retried));
                if retried > 0.0 {
                    let delay = away + secs + fate.retry_cost_secs;
                    tally.add(law, delay_class(delay), weight * retried);
                }
            }
        }
    }

    /// Settles starts that got through: ambient failures, and sessions that begin.
    fn succeed(
        &mut self,
        view: &View,
        (m, k, r): (MarketId, usize, RegionId),
        good: u64,
        draws: &mut Draws,
    ) {
        if good == 0 {
            return;
        }
        let scenario = view.scenario;
        let ambient = sampling::binomial(draws, good, scenario.ambient.start_failure);
        let ok = good - ambient;
        self.window[r].starts_ok += ok;
        self.window[r].starts_ambient += ambient;
        self.ledger.starts_ok += ok;
        self.ledger.starts_ambient += ambient;
        let Some(session) = &scenario.session else {
            return;
        };
        self.ledger.sessions_begun += ok;
        let shares: Vec<f64> = session.length.iter().map(|l| l.0).collect();
        let mut begun = std::mem::take(&mut self.buffers.phases);
        sampling::multinomial(draws, ok, &shares, &mut begun);
        for (count, new) in self.sessions.phases_mut(m, k, r).iter_mut().zip(&begun) {
            *count += new;
        }
        self.buffers.phases = begun;
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
fn retry_request(scenario: &Scenario) -> Option<usize> {
    let find = |wanted: fn(&When) -> bool| scenario.requests.iter().position(|r| wanted(&r.when));
    find(|when| matches!(when, When::Every { renews: true, .. }))
        .or_else(|| find(|when| matches!(when, When::Rate { .. })))
        .or_else(|| find(|when| matches!(when, When::Every { .. })))
        .or_else(|| find(|when| matches!(when, When::Start { .. })))
}

/// Places a count by weights that need not sum to one.
fn place(draws: &mut Draws, count: u64, weights: &[f64], shares: &mut [f64], counts: &mut [u64]) {
    let total: f64 = weights.iter().sum();
    if let Some(only) = sole(weights) {
        counts.fill(0);
        counts[only] = count;
        return;
    }
    assert!(total > 0.0, "requests were answered by nobody");
    for (share, weight) in shares.iter_mut().zip(weights) {
        *share = weight / total;
    }
    sampling::multinomial(draws, count, shares, counts);
}

/// The only positive weight, if there is only one.
fn sole(weights: &[f64]) -> Option<usize> {
    let mut found = None;
    for (i, &weight) in weights.iter().enumerate() {
        if weight > 0.0 {
            if found.is_some() {
                return None;
            }
            found = Some(i);
        }
    }
    found
}

/// The law of the waits on a request's way, as points with shares: those who do not wait, and the
/// rest spread as an exponential, or all at once behind a backlog.
fn wait_points(flow: &crate::world::graph::Flow, entry: usize, mean: f64) -> [(f64, f64); 7] {
    /// Exponential quantiles at `(i + 0.5) / 6`, scaled to mean one.
    const TAIL: [f64; 6] = [0.0933, 0.3086, 0.5781, 0.9382, 1.4888, 2.593];
    let mut points = [(0.0, 0.0); 7];
    points[0] = (1.0, 0.0);
    if mean < 1e-4 {
        return points;
    }
    let own = &flow.pools[entry].wait;
    let widest = flow
        .pools
        .iter()
        .map(|p| {
            if p.wait.fixed > 0.0 {
                1.0
            } else {
                p.wait.share
            }
        })
        .fold(own.share, f64::max)
        .clamp(0.01, 1.0);
    let fixed: f64 = flow.pools.iter().map(|p| p.wait.fixed).fold(0.0, f64::max);
    if fixed > 0.8 * mean {
        points[0] = (1.0, mean);
        return points;
    }
    points[0] = (1.0 - widest, 0.0);
    for (point, factor) in points[1..].iter_mut().zip(TAIL) {
        *point = (widest / 6.0, mean / widest * factor);
    }
    points
}
