//! Starts: clicks, attempts of calls in a row, waits between attempts, and viewers who leave.

use super::edge::{Answer, Owner, request_of};
use super::slab::Key;
use super::timeline::Kind;
use super::{Requests, Scene};
use crate::engine::sampling;
use crate::engine::stream::{Draws, Stream};
use crate::model::request::When;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::traffic::waiting::{self, LEAVING_PER_SEC, PATIENCE_SECS};
use crate::units::{Span, Time};
use crate::world::demand::Demand;
use crate::world::doors::Door;

/// Slots of a person's draws: as it clicks, as it plays, and from then on its attempts.
const CLICKS: u32 = 0;
pub(super) const PLAYS: u32 = 1;
const ATTEMPTS: u32 = 2;

/// When the starts of a market arrive.
pub struct Clicks {
    arrivals: Stream,
    moments: Stream,
    /// The luck of each person, by the order of their clicks.
    pub people: Stream,
    block: u64,
    times: Vec<u64>,
    count: u64,
}

impl Clicks {
    /// The clicks of the market of that name: as many in each block of time as counted traffic has.
    pub fn new(seed: u64, replication: u64, market: &str) -> Clicks {
        let stream = |purpose| Stream::new(seed, replication, purpose, market);
        Clicks {
            arrivals: stream("arrivals"),
            moments: stream("moments"),
            people: stream("people"),
            block: 0,
            times: Vec::new(),
            count: 0,
        }
    }

    /// The next click before `end`.
    pub fn next(&mut self, demand: &Demand, factor: f64, grid: Span, end: u64) -> Option<u64> {
        while self.times.is_empty() {
            let (from, to) = (self.block * grid.0, (self.block + 1) * grid.0);
            if from >= end {
                return None;
            }
            let (a, b) = (from as f64 * 1e-9, to as f64 * 1e-9);
            let mean = factor * demand.expected(a, b);
            let count = sampling::poisson(&mut self.arrivals.draws(self.block, 0), mean);
            let mut draws = self.moments.draws(self.block, 0);
            let moment = |_| moment(demand, (a, b), draws.uniform());
            self.times = (0..count).map(moment).collect();
            // Taken from the end.
            self.times.sort_unstable_by(|x, y| y.cmp(x));
            self.block += 1;
        }
        self.times.pop()
    }

    fn person(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

/// The moment by which a share of a block's starts has arrived, in nanoseconds.
fn moment(demand: &Demand, (from, to): (f64, f64), share: f64) -> u64 {
    let rate = demand.rate(from);
    let steady = [0.25, 0.5, 0.75, 1.0 - 1e-9];
    let steady = steady
        .iter()
        .all(|&part| demand.rate(from + part * (to - from)) == rate);
    let secs = if steady {
        from + share * (to - from)
    } else {
        let all = demand.expected(from, to);
        let (mut lo, mut hi) = (from, to);
        for _ in 0..40 {
            let middle = 0.5 * (lo + hi);
            match demand.expected(from, middle) < share * all {
                true => lo = middle,
                false => hi = middle,
            }
        }
        0.5 * (lo + hi)
    };
    ((secs.min(to) * 1e9) as u64).min((to * 1e9) as u64 - 1)
}

/// A start under way.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Market.
    pub market: u16,
    /// Device class.
    pub class: u16,
    /// The kind of plain request that it is; none: it makes all that a start makes.
    only: Option<u16>,
    /// Who it is.
    pub person: u64,
    /// Which of the users who keep connections it is, if they do.
    user: Option<u32>,
    /// Its resolver.
    pub unit: u32,
    /// Where in a split of routes its device is.
    pub place: f64,
    /// Region that the last attempt was sent to.
    pub entry: u16,
    /// Its proxy there.
    pub proxy: u32,
    born: u64,
    /// When its viewer leaves.
    leaves: u64,
    attempts: u32,
    /// Kind of the call under way, and how often it is still to be made.
    kind: u16,
    left: u32,
    calls: bool,
    /// Whether anything but chance failed it.
    blamed: bool,
    /// Whether chance failed it.
    unlucky: bool,
    /// Region that gave the last good answer.
    pub server: u16,
}

impl Requests {
    /// A start of a market arrives, and the next is awaited.
    pub(super) fn click(&mut self, scene: &mut Scene, m: MarketId) {
        self.await_click(scene, m);
        let scenario = scene.view.scenario;
        let person = self.clicks[m].person();
        let mut draws = self.clicks[m].people.draws(person, CLICKS);
        let class = share_of(scenario.devices.iter().map(|d| d.share), draws.uniform());
        let who = draws.uniform();
        let mut unit = self.unit(m, class, who);
        let (mut place, patience, mix) = (draws.uniform(), draws.uniform(), draws.uniform());
        let rate = scene.world.demand[m].rate(self.now as f64 * 1e-9);
        let rate = rate * scene.world.demand_factor;
        let device = &scenario.devices[class];
        let user = self.who(m, class, rate * device.share, who);
        if let Some(known) = user.and_then(|user| self.user_at(m, class, user)) {
            (unit, place) = (known.unit, known.place);
        }
        let only = match scenario.mix().next() {
            None => None,
            Some(_) => {
                let kind = share_of(scenario.mix().map(|k| k.1), mix);
                scenario.mix().nth(kind).map(|k| k.0 as u16)
            }
        };
        let cell = m * self.classes + class;
        self.restraint[cell].arrive(device, 1, (rate, 1.0), Time(self.now));
        let leaves = match scenario.session {
            Some(_) => self.now + Span::from_secs(PATIENCE_SECS + patience / LEAVING_PER_SEC).0,
            None => u64::MAX,
        };
        let start = self.starts.insert(Start {
            market: m as u16,
            class: class as u16,
            only,
            person,
            unit,
            place,
            user,
            entry: self.heads_for(scene, (m, class), user, unit) as u16,
            proxy: 0,
            born: self.now,
            leaves,
            attempts: 0,
            kind: 0,
            left: 0,
            calls: false,
            blamed: false,
            unlucky: false,
            server: 0,
        });
        self.books.starts += 1;
        if leaves < u64::MAX {
            self.set_timer(self.patience, start);
        }
        self.attempt(scene, start);
    }

    /// Where a start heads for: where its user is connected to, or where its name points.
    fn heads_for(
        &self,
        scene: &mut Scene,
        (m, k): (MarketId, usize),
        user: Option<u32>,
        unit: u32,
    ) -> RegionId {
        match user.and_then(|user| self.linked(scene, m, k, user)) {
            Some((region, _)) => region,
            None => self.named(scene, m, k, unit),
        }
    }

    /// Awaits the next click of a market.
    pub(super) fn await_click(&mut self, scene: &Scene, m: MarketId) {
        let world = &scene.world;
        let (grid, end) = (scene.view.scenario.sample, scene.view.scenario.horizon.0);
        let next = self.clicks[m].next(&world.demand[m], world.demand_factor, grid, end);
        if let Some(at) = next {
            self.timeline.push(at, Kind::Arrival, Key::number(m));
        }
    }

    /// A viewer who has waited as long as all do may have to be watched from now on.
    pub(super) fn still_starting(&mut self, start: Key) {
        if let Some(start_) = self.starts.get(start) {
            self.timeline
                .push(start_.leaves.max(self.now), Kind::Leaves, start);
        }
    }

    /// A start is attempted.
    fn attempt(&mut self, scene: &mut Scene, key: Key) {
        let start = &mut self.starts[key];
        let (m, k, r) = (
            usize::from(start.market),
            usize::from(start.class),
            usize::from(start.entry),
        );
        self.books.attempts += 1;
        match start.attempts {
            0 => self.window[r].first_attempts += 1,
            _ => self.books.retries += 1,
        }
        start.attempts += 1;
        start.calls = true;
        let mut draws = self.clicks[m]
            .people
            .draws(start.person, ATTEMPTS + start.attempts);
        let scenario = scene.view.scenario;
        let Some((kind, count)) = next_kind(scenario, start.only, 0) else {
            // A start that asks for nothing succeeds.
            return self.succeed(scene, key);
        };
        (start.kind, start.left) = (kind as u16, count);
        let user = start.user;
        let linked = user.and_then(|user| self.linked(scene, m, k, user));
        let linked = linked.filter(|link| link.0 == r).map(|link| link.1);
        let connected = match linked {
            Some(proxy) => Ok(proxy),
            None => self.connect(scene, (m, k, r), &mut draws),
        };
        match connected {
            Ok(proxy) => {
                let fresh = linked.is_none();
                if let Some(user) = user {
                    self.link((m, k, r), user, (proxy, fresh), &mut draws);
                }
                self.starts[key].proxy = proxy;
                self.start_calls(scene, key, fresh);
            }
            Err(hangs) => {
                self.window[r].unreachable += 1;
                self.note_unanswered(r, kind, 1);
                let known = if hangs {
                    scenario.devices[k].timeout.0
                } else {
                    0
                };
                self.starts[key].blamed = true;
                self.attempt_failed(scene, key, known);
            }
        }
    }

    /// A device opens a connection at a region: its proxy there. An error: nobody answers, and whether
    /// it hangs.
    pub(super) fn connect(
        &mut self,
        scene: &Scene,
        (m, k, r): (MarketId, usize, RegionId),
        draws: &mut Draws,
    ) -> Result<u32, bool> {
        let (scenario, world) = (scene.view.scenario, &scene.world);
        let door = match scenario.devices[k].direct {
            true => world.regions[r].dark.is_none().then_some(Door::Services),
            false => world.door(scenario, m, r),
        };
        let Some(door) = door else {
            return Err(world.regions[r].dark.is_some_and(|dark| dark.hang));
        };
        self.counts.wanted[r] += 1;
        if let Some(gate) = self.gates.get_mut(r)
            && !gate.admits(self.now)
        {
            return Err(false);
        }
        let Door::Edge(edge) = door else {
            return Ok(0);
        };
        if draws.uniform() < world.doors.met(edge) {
            return Err(false);
        }
        let failed = world.doors.failed(edge);
        self.proxies[edge]
            .pick(failed, draws.uniform())
            .ok_or(false)
    }

    /// Makes the next call of a start.
    pub(super) fn start_calls(&mut self, scene: &mut Scene, key: Key, fresh: bool) {
        let Some(start) = self.starts.get(key).copied() else {
            return;
        };
        if !start.calls {
            return;
        }
        if start.left == 0 {
            return self.succeed(scene, key);
        }
        let (m, k, r) = (
            usize::from(start.market),
            usize::from(start.class),
            usize::from(start.entry),
        );
        let kind = usize::from(start.kind);
        let request = request_of(
            scene.view.scenario,
            &scene.view.plan.lanes,
            Owner::Start(key),
            (m, k, r),
            kind,
            (start.proxy, start.place),
        );
        if self.send(scene, request, fresh).is_none() {
            self.window[r].unreachable += 1;
            self.note_unanswered(r, kind, 1);
            self.starts[key].blamed = true;
            let hangs = scene.world.regions[r].dark.is_some_and(|dark| dark.hang);
            let known = if hangs {
                scene.view.scenario.devices[k].timeout.0
            } else {
                0
            };
            self.attempt_failed(scene, key, known);
        }
    }

    /// A start hears the answer to its call.
    pub(super) fn start_hears(&mut self, scene: &mut Scene, key: Key, answer: Answer) {
        let Some(start) = self.starts.get_mut(key) else {
            return;
        };
        let rtt = Span::from_secs(scene.view.scenario.markets[usize::from(start.market)].rtt_secs);
        if !answer.good {
            start.blamed |= !answer.ambient;
            start.unlucky |= answer.ambient;
            return self.attempt_failed(scene, key, rtt.0);
        }
        start.server = answer.by as u16;
        start.left -= 1;
        if start.left == 0 {
            let next = next_kind(scene.view.scenario, start.only, usize::from(start.kind) + 1);
            if let Some((kind, count)) = next {
                (start.kind, start.left) = (kind as u16, count);
            }
        }
        match rtt.0 {
            0 => self.start_calls(scene, key, false),
            rtt => self.timeline.push(self.now + rtt, Kind::Next, key),
        }
    }

    /// All calls of a start were answered well.
    fn succeed(&mut self, scene: &mut Scene, key: Key) {
        let Some(start) = self.starts.remove(key) else {
            return;
        };
        let scenario = scene.view.scenario;
        let (m, r) = (usize::from(start.market), usize::from(start.entry));
        let k = usize::from(start.class);
        self.restraint[m * self.classes + k].hear(&scenario.devices[k], (1, 0));
        let delay = (self.now - start.born) as f64 * 1e-9;
        self.window[usize::from(start.server)]
            .start_delay
            .add(delay, 1.0);
        let usual = scenario.ambient.start_failure;
        let more = scene.world.condition.cdn(m).1;
        let unlucky = 1.0 - (1.0 - usual) * (1.0 - more);
        let mut draws = self.clicks[m].people.draws(start.person, PLAYS);
        if draws.uniform() < unlucky {
            self.window[r].starts_ambient += 1;
            self.books.starts_ambient += 1;
            return;
        }
        self.window[r].starts_ok += 1;
        self.books.starts_ok += 1;
        if scenario.session.is_some() {
            self.books.sessions_begun += 1;
            self.play(scene, &start, &mut draws);
        }
    }

    /// An attempt of a start has failed, which is known after a while.
    fn attempt_failed(&mut self, scene: &mut Scene, key: Key, known: u64) {
        self.books.attempts_failed += 1;
        let start = &mut self.starts[key];
        start.calls = false;
        let (m, k) = (usize::from(start.market), usize::from(start.class));
        let class = &scene.view.scenario.devices[k];
        let restraint = &mut self.restraint[m * self.classes + k];
        restraint.hear(class, (1, 1));
        let wanted = u64::from(start.attempts < class.attempts);
        if restraint.allow(class, wanted) == 0 {
            return self.give_up(key);
        }
        let mut draws = self.clicks[m]
            .people
            .draws(start.person, 1 << 16 | start.attempts);
        let (lo, hi) = waiting::backoff(class, start.attempts);
        let wait = Span::from_secs(lo + (hi - lo) * draws.uniform()).0;
        let at = self.now.saturating_add(known).saturating_add(wait);
        // Nobody waits for an attempt that comes too late.
        match at < start.leaves {
            true => self.timeline.push(at, Kind::Retry, key),
            false => self
                .timeline
                .push(start.leaves.max(self.now), Kind::Leaves, key),
        }
    }

    /// A start's next attempt is due.
    pub(super) fn try_again(&mut self, scene: &mut Scene, key: Key) {
        let Some(start) = self.starts.get(key).copied() else {
            return;
        };
        let (m, k) = (usize::from(start.market), usize::from(start.class));
        let scenario = scene.view.scenario;
        let after = scenario.devices[k].fallback_after;
        let linked = start.user.and_then(|user| self.linked(scene, m, k, user));
        let entry = match after > 0 && start.attempts >= after {
            true if linked.is_none() => next_near(scenario, m, usize::from(start.entry)),
            _ => self.heads_for(scene, (m, k), start.user, start.unit),
        };
        self.starts[key].entry = entry as u16;
        self.attempt(scene, key);
    }

    /// A start fails for good: its viewer leaves, or has no attempt left.
    pub(super) fn give_up(&mut self, key: Key) {
        let Some(start) = self.starts.remove(key) else {
            return;
        };
        let window = &mut self.window[usize::from(start.entry)];
        window.failed_for_good += 1;
        self.books.given_up += 1;
        if start.calls {
            // The attempt under way has come to nothing.
            self.books.attempts_failed += 1;
        }
        if start.unlucky && !start.blamed {
            window.starts_ambient += 1;
            self.books.starts_ambient += 1;
        } else {
            window.starts_failed += 1;
            self.books.starts_failed += 1;
        }
    }
}

/// The next kind of call that a start makes, and how often.
fn next_kind(scenario: &Scenario, only: Option<u16>, from: usize) -> Option<(usize, u32)> {
    let kinds = scenario.requests.iter().enumerate().skip(from);
    let mut kinds = kinds.filter(|(q, _)| only.is_none_or(|only| usize::from(only) == *q));
    kinds.find_map(|(q, request)| match request.when {
        When::Start { count } if count > 0 => Some((q, count)),
        _ => None,
    })
}

/// Which of several shares a number in the unit interval falls into.
pub(super) fn share_of(shares: impl Iterator<Item = f64>, mut left: f64) -> usize {
    let mut last = 0;
    for (i, share) in shares.enumerate() {
        if share > 0.0 {
            last = i;
            if left < share {
                break;
            }
            left -= share;
        }
    }
    last
}

/// The region whose own name a client asks after the one that failed.
pub(super) fn next_near(scenario: &Scenario, market: MarketId, region: RegionId) -> RegionId {
    let near = &scenario.markets[market].near;
    let at = near.iter().position(|&r| r == region).unwrap_or(0);
    near[(at + 1) % near.len()]
}
