//! Traffic one request at a time: every session and every request is its own chain of events.
//!
//! | module | what it holds |
//! |---|---|
//! | `timeline` | the queue of events, and timers of one length |
//! | `slab` | entities in flat arrays |
//! | `starts` | clicks, attempts, waits, viewers who leave |
//! | `viewers` | playing sessions |
//! | `lacking` | sessions that do without their region |
//! | `users` | plain users who keep connections |
//! | `edge` | from a client to a region, second tries, answers |
//! | `proxies` | their routes, and origins that they have ejected |
//! | `giving_up` | what hangs, and work that is dropped since nobody waits for it |
//! | `calls` | the way through the graph of services |
//! | `pool` | slots and queues |
//! | `shelf` | caches |
//! | `capacity` | what the infrastructure is at the beginning of a step |
//! | `measure` | what a step did, for the world and for the experimenter |
//! | `visits` | a record of what became of each call of a service |

mod calls;
mod capacity;
mod edge;
mod giving_up;
mod lacking;
mod measure;
mod pool;
mod proxies;
mod shelf;
mod slab;
mod starts;
mod timeline;
mod users;
mod viewers;
pub mod visits;

use crate::engine::sampling;
use crate::engine::stream::{Draws, Stream};
use crate::model::observation::Observation;
use crate::model::outcome::Ledger;
use crate::model::request::When;
use crate::model::scenario::{MarketId, RegionId, ServiceId};
use crate::traffic::cohort::{View, retry_request};
use crate::traffic::restraint::Restraint;
use crate::traffic::serving::Serving;
use crate::traffic::waiting::PATIENCE_SECS;
use crate::units::{Span, Time};
use crate::world::balancer::Admission;
use crate::world::connections::closings::Closings;
use crate::world::state::World;
use crate::world::stores::Asked;
use calls::Task;
use capacity::Gate;
use edge::Request;
use giving_up::{Ties, is_awaited};
use lacking::Needs;
use measure::Counts;
use pool::Pool;
use proxies::Proxies;
use shelf::Shelf;
use slab::{Key, Slab};
use starts::{Clicks, Start};
use std::ops::Range;
use timeline::{Event, Kind, Ring, Timeline};
use users::Users;
use viewers::{Playing, Session};
use visits::Visits;

/// Chains of a market's random moments: what sessions ask for, and stalls of the network.
const ASKS: usize = 0;
const STALLS: usize = 1;

/// What traffic moves in.
struct Scene<'a, 'b> {
    view: &'a View<'b>,
    world: &'a mut World,
}

/// Random moments of any session of a market: the sessions' own Poisson processes as one, at a rate for
/// more sessions than there are, so that one that is picked may not be there.
struct Chains {
    draws: Draws,
    /// For so many sessions.
    most: [f64; 2],
    /// Events per second.
    rates: [f64; 2],
}

/// What the timers of a ring are about.
#[derive(Clone, Copy)]
enum Timed {
    /// Calls that are late.
    Calls,
    /// Requests whose client gives up.
    Clients,
    /// Starts whose viewers may leave from now on.
    Patience,
    /// What sessions ask for periodically: the kind.
    Period(usize),
}

/// The traffic of one replication.
pub struct Requests {
    now: u64,
    /// End of the step under way.
    until: u64,
    regions: usize,
    markets: usize,
    classes: usize,
    services: usize,
    kinds: usize,
    caches: usize,
    timeline: Timeline,
    rings: Vec<(Ring, Timed)>,
    /// Ring of each call, of each market's device classes, of patience, and of each kind of request.
    timeouts: Vec<usize>,
    clients: Vec<usize>,
    patience: usize,
    periods: Vec<usize>,
    tasks: Slab<Task>,
    ties: Ties,
    requests: Slab<Request>,
    starts: Slab<Start>,
    sessions: Slab<Session>,
    turns: Slab<(Key, u16)>,
    clicks: Vec<Clicks>,
    /// What holds retries back, `[market][class]`.
    restraint: Vec<Restraint>,
    /// Sums of the resolvers' weights, `[market][class]`.
    units: Vec<Vec<f64>>,
    /// Sessions of each market.
    rows: Vec<Vec<Key>>,
    chains: Vec<Chains>,
    sessions_luck: Vec<Stream>,
    connections_luck: Vec<Stream>,
    /// Buffers, and other luck of sessions that lack something, per market.
    buffers: Vec<Draws>,
    legacy: Vec<Option<Closings>>,
    /// Plain users who keep connections, `[market][class]`.
    users: Vec<Option<Users>>,
    needs: Needs,
    /// The kind of request with which a session looks for its region.
    looks_with: Option<usize>,
    /// What a session asks for at random moments, per second.
    asking_per_sec: f64,
    playing: Vec<Playing>,
    proxies: Vec<Proxies>,
    gates: Vec<Gate>,
    admissions: Vec<Admission>,
    /// First pool of each service of each region; the proxies come last.
    first_pool: Vec<usize>,
    pools: Vec<Pool>,
    shelves: Vec<Shelf>,
    /// How often the caches of each region had been emptied when that was last looked at.
    emptied: Vec<Vec<u64>>,
    /// Chance of everything that happens in a region.
    chance: Vec<Draws>,
    /// Share of a service's work that dead instances or errors take, `[region][service]`.
    broken: Vec<f64>,
    /// The share that hangs; it is part of what is broken.
    hanging: Vec<f64>,
    /// How many times longer faults made everything take in the last step, `[region][service]`.
    strain: Vec<f64>,
    /// Dead instances known, `[region][service]`, those of them that hang, and whether each region was dark.
    dead: Vec<u64>,
    hung: Vec<u64>,
    dark: Vec<bool>,
    failed_proxies: Vec<f64>,
    /// Where nobody answers, `[market][class][region]`.
    silent: Vec<bool>,
    /// What the step under way did.
    counts: Counts,
    pool_secs: Vec<f64>,
    /// Flows of the last step, and where retries go.
    pub serving: Serving,
    /// The window under way, per region.
    window: Vec<Observation>,
    books: Ledger,
    /// First attempts that home regions send elsewhere, and all of them, `[home region]`.
    pub shifted: Vec<(f64, f64)>,
    /// What was asked in the last step, `[region][request]`.
    pub asked: Vec<Asked>,
    /// Requests per second of each market in the last step.
    pub market_load: Vec<f64>,
    market_moves: Vec<f64>,
    visits: Option<Visits>,
}

impl Requests {
    /// Traffic in equilibrium at the beginning.
    pub fn new(view: &View, world: &mut World, seed: u64, replication: u64) -> Requests {
        let (scenario, plan) = (view.scenario, view.plan);
        let (regions, markets) = (scenario.regions.len(), scenario.markets.len());
        let (services, kinds) = (scenario.services.len(), scenario.requests.len());
        let (classes, caches) = (scenario.devices.len(), plan.graph.caches.len());
        let of_market = |purpose: &str| -> Vec<Stream> {
            let markets = scenario.markets.iter();
            markets
                .map(|m| Stream::new(seed, replication, purpose, &m.name))
                .collect()
        };
        let of_region = |purpose: &str, r: RegionId| {
            Stream::new(seed, replication, purpose, &scenario.regions[r].name)
        };
        let mut rings = Rings::default();
        let mut timeouts = vec![0; plan.graph.links()];
        for link in plan.graph.nodes.iter().flat_map(|n| &n.calls) {
            timeouts[link.id] = rings.lasting(link.timeout_secs, Timed::Calls);
        }
        // An answer that is given later does not reach the client in time.
        let in_time = scenario.markets.iter().flat_map(|market| {
            let timeouts = scenario.devices.iter().map(|class| class.timeout.secs());
            timeouts.map(|secs| (secs - market.rtt_secs).max(0.0))
        });
        let clients = in_time
            .map(|secs| rings.lasting(secs, Timed::Clients))
            .collect();
        let patience = rings.lasting(PATIENCE_SECS, Timed::Patience);
        let periods = scenario.requests.iter().enumerate().map(|(q, request)| {
            let period = match request.when {
                When::Every { period_secs, .. } => period_secs,
                _ => 0.0,
            };
            rings.lasting(period, Timed::Period(q))
        });
        let periods = periods.collect();
        let (mut first_pool, mut pools) = (Vec::new(), Vec::new());
        for r in 0..regions {
            let zones = scenario.regions[r].zones.max(1);
            for v in 0..=services {
                let (name, time) = match scenario.services.get(v) {
                    Some(service) => (service.name.as_str(), &service.time),
                    None => ("", &scenario.edge.time),
                };
                first_pool.push(pools.len());
                let luck = of_region("work", r).part(name);
                let patience = scenario
                    .services
                    .get(v)
                    .and_then(|s| s.queue_timeout.clone());
                let new = |z| {
                    let pool = Pool::new(plan.graph.priorities.len(), time, luck.draws(z, 0));
                    pool.with_patience(patience.clone())
                };
                pools.extend((0..zones as u64).map(new));
            }
        }
        first_pool.push(pools.len());
        let mut shelves = Vec::new();
        for r in 0..regions {
            let mut draws = of_region("caches", r).draws(0, 0);
            for (c, cache) in plan.graph.caches.iter().enumerate() {
                let of = c * markets..(c + 1) * markets;
                let lookups = &plan.first[r].lookups[of.clone()];
                let rates: Vec<f64> = lookups.iter().map(|n| n * world.demand_factor).collect();
                let stretch = world.regions[r].stretch();
                let miss = &world.regions[r].flow.miss[of];
                let catalogue = &plan.catalogues[c];
                shelves.push(Shelf::new(
                    cache, catalogue, stretch, &rates, miss, &mut draws,
                ));
            }
        }
        let rate = |q: &crate::model::request::Request| match q.when {
            When::Rate { per_sec } => per_sec,
            _ => 0.0,
        };
        let chains = of_market("moments of sessions")
            .into_iter()
            .map(|stream| Chains {
                draws: stream.draws(0, 0),
                most: [0.0; 2],
                rates: [0.0; 2],
            });
        let mut requests = Requests {
            now: 0,
            until: 0,
            regions,
            markets,
            classes,
            services,
            kinds,
            caches,
            timeline: Timeline::new(scenario.horizon.0),
            rings: rings.rings,
            timeouts,
            clients,
            patience,
            periods,
            tasks: Slab::new(),
            ties: Ties::new(scenario.services.iter().map(|service| service.cancel)),
            requests: Slab::new(),
            starts: Slab::new(),
            sessions: Slab::new(),
            turns: Slab::new(),
            clicks: scenario
                .markets
                .iter()
                .map(|m| Clicks::new(seed, replication, &m.name))
                .collect(),
            restraint: (0..markets)
                .flat_map(|_| scenario.devices.iter().map(Restraint::new))
                .collect(),
            units: world.resolvers.iter().flatten().map(|r| r.sums()).collect(),
            rows: vec![Vec::new(); markets],
            chains: chains.collect(),
            sessions_luck: of_market("sessions in progress"),
            connections_luck: of_market("connections"),
            buffers: of_market("buffers").iter().map(|s| s.draws(0, 0)).collect(),
            legacy: (0..markets * classes).map(|_| None).collect(),
            users: Vec::new(),
            needs: Needs::of(scenario),
            looks_with: retry_request(scenario),
            asking_per_sec: scenario.requests.iter().map(rate).sum(),
            playing: vec![Playing::default(); regions],
            proxies: (0..regions)
                .map(|e| Proxies::new(view, e, (seed, replication)))
                .collect(),
            gates: world
                .balancers
                .iter()
                .map(|b| Gate::new(b.limit()))
                .collect(),
            admissions: Vec::new(),
            first_pool,
            pools,
            shelves,
            emptied: world.regions.iter().map(|r| r.emptied().to_vec()).collect(),
            chance: (0..regions)
                .map(|r| of_region("chance", r).draws(0, 0))
                .collect(),
            broken: vec![0.0; regions * services],
            hanging: vec![0.0; regions * services],
            strain: vec![1.0; regions * services],
            dead: vec![0; regions * services],
            hung: vec![0; regions * services],
            dark: vec![false; regions],
            failed_proxies: vec![0.0; regions],
            silent: vec![false; markets * classes * regions],
            counts: Counts::default(),
            pool_secs: vec![0.0; regions * (services + 1) * 2],
            serving: Serving::new(scenario, plan, seed, replication),
            window: vec![Observation::default(); regions],
            books: Ledger::default(),
            shifted: vec![(0.0, 0.0); regions],
            asked: match scenario.domains.is_empty() && plan.graph.workers.is_empty() {
                true => Vec::new(),
                false => vec![Asked::default(); regions * kinds],
            },
            market_load: vec![0.0; markets],
            market_moves: vec![0.0; markets],
            visits: None,
        };
        requests.counts = Counts::new(&requests);
        requests.expect_load(view);
        requests.begin_users(view, world, (seed, replication));
        requests.begin_playing(view, world);
        let scene = Scene { view, world };
        for m in 0..markets {
            requests.await_click(&scene, m);
        }
        requests
    }

    /// Pools of the zones of a service in a region; beyond the last service, of its proxies.
    fn zones(&self, region: RegionId, service: ServiceId) -> Range<usize> {
        let place = region * (self.services + 1) + service;
        self.first_pool[place]..self.first_pool[place + 1]
    }

    /// Sets a timer of a ring.
    fn set_timer(&mut self, ring: usize, about: Key) {
        if let Some(at) = self.rings[ring].0.set(self.now, about) {
            self.timeline.push(at, Kind::Ring, Key::number(ring));
        }
    }

    /// The resolver of a device, by a number in the unit interval.
    fn unit(&self, m: MarketId, k: usize, place: f64) -> u32 {
        let sums = &self.units[m * self.classes + k];
        sums.partition_point(|&sum| sum <= place)
            .min(sums.len() - 1) as u32
    }

    /// Where a device's name points now.
    fn named(&self, scene: &mut Scene, m: MarketId, k: usize, unit: u32) -> RegionId {
        let resolvers = &mut scene.world.resolvers[m][k];
        resolvers.follow(Time(self.now));
        resolvers.region_of(unit)
    }

    /// Advances the traffic over `[from, to)`.
    pub fn advance(&mut self, view: &View, world: &mut World, (from, to): (Time, Time)) {
        let mut scene = Scene { view, world };
        self.now = from.0;
        self.until = to.0;
        self.counts.clear();
        self.asked.fill(Asked::default());
        self.look_around(&mut scene);
        for m in 0..self.markets {
            for chain in [ASKS, STALLS] {
                self.await_moment(m, chain);
            }
        }
        self.await_mirrors(&scene);
        while let Some(event) = self.timeline.pop(to.0) {
            self.now = event.at;
            if event.kind == Kind::Ring {
                self.ring(&mut scene, event.about.at());
            } else if self.lives(event.kind, event.about) {
                self.counts.events += 1;
                self.happen(&mut scene, event);
            }
        }
        self.now = to.0;
        self.measure(&mut scene, to.since(from).secs());
    }

    /// The next random moment of a market's sessions in this step; later ones are awaited when their
    /// step begins.
    fn await_moment(&mut self, m: MarketId, chain: usize) {
        let chains = &mut self.chains[m];
        let rate = chains.rates[chain];
        if rate <= 0.0 {
            return;
        }
        let after = sampling::exponential(&mut chains.draws, 1.0 / rate);
        let at = self.now.saturating_add(Span::from_secs(after).0);
        if at < self.until {
            let kind = if chain == ASKS {
                Kind::Asks
            } else {
                Kind::Stalls
            };
            self.timeline.push(at, kind, Key::number(m));
        }
    }

    /// Whether whom an event is about is still there.
    fn lives(&self, kind: Kind, about: Key) -> bool {
        match kind {
            Kind::Done | Kind::Arrives | Kind::HangsUp | Kind::Tires => self.tasks.lives(about),
            Kind::Known | Kind::Answer => self.requests.lives(about),
            Kind::Next | Kind::Retry | Kind::Leaves => self.starts.lives(about),
            Kind::Ends | Kind::Tries | Kind::Dry | Kind::Closes | Kind::Resumes => {
                self.sessions.lives(about)
            }
            Kind::Turn => self.turns.lives(about),
            Kind::Arrival | Kind::Asks | Kind::Stalls | Kind::Mirror | Kind::Ring => true,
        }
    }

    fn happen(&mut self, scene: &mut Scene, event: Event) {
        let about = event.about;
        match event.kind {
            Kind::Arrival => self.click(scene, about.at()),
            Kind::Done => self.worked(scene, about),
            Kind::Arrives => self.arrive(scene, about),
            Kind::Known => self.known(scene, about),
            Kind::Answer => self.answer_late(scene, about),
            Kind::Next => self.start_calls(scene, about, false),
            Kind::Retry => self.try_again(scene, about),
            Kind::Leaves => self.give_up(about),
            Kind::Ends => self.end_session(about),
            Kind::Tries => self.look(scene, about),
            Kind::Dry => self.runs_dry(about),
            Kind::Closes => self.close(scene, about),
            Kind::Resumes => self.resume(about),
            Kind::Turn => self.first_turn(scene, about),
            Kind::Asks => {
                self.any_asks(scene, about.at());
                self.await_moment(about.at(), ASKS);
            }
            Kind::Stalls => {
                self.any_stalls(scene, about.at());
                self.await_moment(about.at(), STALLS);
            }
            Kind::Mirror => self.mirror(scene, about.at()),
            Kind::Ring => {}
            Kind::HangsUp => self.hung_up(scene, about),
            Kind::Tires => self.tire(scene, about),
        }
    }

    /// Timers of a ring are due.
    fn ring(&mut self, scene: &mut Scene, ring: usize) {
        let timed = self.rings[ring].1;
        while let Some(about) = self.rings[ring].0.due(self.now) {
            let lives = match timed {
                Timed::Calls => is_awaited(&self.tasks, about),
                Timed::Clients => self.requests.lives(about),
                Timed::Patience => self.starts.lives(about),
                Timed::Period(_) => self.sessions.lives(about),
            };
            if !lives {
                continue;
            }
            self.counts.events += 1;
            match timed {
                Timed::Calls => self.timed_out(scene, about),
                Timed::Clients => self.client_gives_up(scene, about),
                Timed::Patience => self.still_starting(about),
                Timed::Period(q) => self.turn(scene, about, q),
            }
        }
        let (tasks, requests, starts) = (&self.tasks, &self.requests, &self.starts);
        let sessions = &self.sessions;
        let next = self.rings[ring].0.again(|about| match timed {
            Timed::Calls => is_awaited(tasks, about),
            Timed::Clients => requests.lives(about),
            Timed::Patience => starts.lives(about),
            Timed::Period(_) => sessions.lives(about),
        });
        if let Some(at) = next {
            self.timeline.push(at, Kind::Ring, Key::number(ring));
        }
    }

    /// Events of the last step: what was taken from the timeline, and timers that were due, and found whom they
    /// were about.
    pub fn events(&self) -> u64 {
        self.counts.events
    }

    /// Counts that balance at any moment.
    pub fn ledger(&self) -> Ledger {
        Ledger {
            starts_waiting: self.starts.len() as u64,
            sessions_last: self.sessions.len() as u64,
            ..self.books
        }
    }

    /// What the load balancers of each region did in the last step; empty where they have no limit.
    pub fn admissions(&self) -> &[Admission] {
        &self.admissions
    }
}

/// Rings of timers, one per length.
#[derive(Default)]
struct Rings {
    rings: Vec<(Ring, Timed)>,
}

impl Rings {
    fn lasting(&mut self, secs: f64, timed: Timed) -> usize {
        let lasts = Span::from_secs(secs).0;
        let alike = |other: &Timed| {
            matches!(
                (timed, other),
                (Timed::Calls, Timed::Calls) | (Timed::Clients, Timed::Clients)
            )
        };
        let known = self
            .rings
            .iter()
            .position(|(ring, t)| ring.lasts == lasts && alike(t));
        known.unwrap_or_else(|| {
            self.rings.push((Ring::new(lasts), timed));
            self.rings.len() - 1
        })
    }
}
