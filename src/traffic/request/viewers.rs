//! Playing sessions: what they ask for, whose connections close, stalls of the network, and their end.

use super::edge::{Answer, Owner, request_of};
use super::lacking::Needs;
use super::slab::Key;
use super::starts::{Start, share_of};
use super::timeline::Kind;
use super::{Requests, Scene};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::request::When;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::traffic::cohort::View;
use crate::units::{Span, Time};
use crate::world::connections::Legacy;
use crate::world::connections::closings::Closings;
use crate::world::doors::Door;
use crate::world::state::World;

/// A session.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Market.
    pub market: u16,
    /// Device class.
    pub class: u16,
    /// Region that it is connected to, or asks.
    pub region: u16,
    /// Its proxy there.
    pub proxy: u32,
    /// Its resolver.
    pub unit: u32,
    /// Where in a split of routes its device is.
    pub place: f64,
    /// Region that serves it, as far as it knows.
    served: u16,
    /// Where it is among the sessions of its market.
    row: u32,
    /// What it does without, if anything.
    pub lacks: Option<Lack>,
    /// Whether it has a stall that has nothing to do with the service, and in which region it counts.
    stalls: Option<u16>,
    /// Whether it notices when its connection closes.
    closes: bool,
}

/// A session does without its region.
#[derive(Clone, Copy, Debug)]
pub struct Lack {
    /// Whether it has lost its connection, and not just an answer.
    pub(super) lost: bool,
    /// Whether it stands still, and since when.
    pub(super) still: Option<u64>,
    /// Whether it lives on its buffer by now, and when that has run out.
    pub(super) drains: bool,
    pub(super) dry: u64,
    /// Attempts to get it back that failed.
    pub(super) tries: u32,
}

/// Counts of the sessions in a region.
#[derive(Clone, Copy, Debug, Default)]
pub struct Playing {
    /// All.
    pub count: u64,
    /// Those that stand still because of the service.
    pub still: u64,
    /// Those that have a stall of the network.
    pub stalled: u64,
    /// Session-nanoseconds of all, and of those that stand still, since they were last asked for.
    sums: (u128, u128),
    since: u64,
}

impl Playing {
    /// Time passes until now.
    pub fn pass(&mut self, now: u64) {
        let dt = u128::from(now - self.since);
        self.sums.0 += dt * u128::from(self.count);
        self.sums.1 += dt * u128::from(self.still);
        self.since = now;
    }

    /// Session-seconds of all, and of those that stand still, since this was last asked.
    pub fn take_secs(&mut self, now: u64) -> (f64, f64) {
        self.pass(now);
        let (all, still) = std::mem::take(&mut self.sums);
        (all as f64 * 1e-9, still as f64 * 1e-9)
    }
}

impl Requests {
    /// Sessions in progress begin in equilibrium, as many as counted traffic has.
    pub(super) fn begin_playing(&mut self, view: &View, world: &World) {
        let scenario = view.scenario;
        let lasts: Vec<f64> = match &scenario.session {
            Some(session) => session.length.iter().map(|l| l.1).collect(),
            None => return,
        };
        for m in 0..self.markets {
            let expected = view.plan.playing_by_phase(scenario, m, 0.0);
            let mut draws = self.sessions_luck[m].draws(u64::MAX, 0);
            for (k, class) in scenario.devices.iter().enumerate() {
                for (&mean_secs, mean) in lasts.iter().zip(&expected) {
                    let mean = mean * class.share * world.demand_factor;
                    for _ in 0..sampling::poisson(&mut draws, mean) {
                        let unit = self.unit(m, k, draws.uniform());
                        let region = world.resolvers[m][k].region_of(unit);
                        let ends = sampling::exponential(&mut draws, mean_secs);
                        let proxies = self.proxies[region].count;
                        let proxy = (draws.uniform() * f64::from(proxies)) as u32;
                        let session = Session {
                            market: m as u16,
                            class: k as u16,
                            region: region as u16,
                            proxy: proxy.min(proxies - 1),
                            unit,
                            place: draws.uniform(),
                            served: region as u16,
                            row: 0,
                            lacks: None,
                            stalls: None,
                            closes: false,
                        };
                        let key = self.add_session(scenario, session, ends, &mut draws);
                        let (rate, length) =
                            (scenario.ambient.stall_rate, scenario.ambient.stall_secs);
                        let share = rate * length / (1.0 + rate * length);
                        if share > 0.0 && draws.uniform() < share {
                            self.stall(key, sampling::exponential(&mut draws, length));
                        }
                    }
                }
            }
        }
        self.books.sessions_first = self.sessions.len() as u64;
        for (playing, window) in self.playing.iter().zip(&mut self.window) {
            window.stood_still += playing.stalled as f64;
        }
    }

    /// A start that got through plays.
    pub(super) fn play(&mut self, scene: &Scene, start: &Start, draws: &mut Draws) {
        let scenario = scene.view.scenario;
        let Some(session) = &scenario.session else {
            return;
        };
        let phase = share_of(session.length.iter().map(|l| l.0), draws.uniform());
        let lasts = sampling::exponential(draws, session.length[phase].1);
        let (m, k) = (usize::from(start.market), usize::from(start.class));
        let new = Session {
            market: start.market,
            class: start.class,
            region: start.entry,
            proxy: start.proxy,
            unit: start.unit,
            place: start.place,
            served: start.server,
            row: 0,
            lacks: None,
            stalls: None,
            closes: false,
        };
        let key = self.add_session(scenario, new, lasts, draws);
        if let Some(legacy) = &self.legacy[m * scenario.devices.len() + k] {
            let closes = legacy.after(draws);
            self.sessions[key].closes = true;
            self.push_after(closes, Kind::Closes, key);
        }
        // The region may have gone while it started.
        if answering(scene, (m, k, usize::from(start.entry))).is_none() {
            self.lose(scene, key, true, false);
        }
    }

    pub(super) fn push_after(&mut self, secs: f64, kind: Kind, about: Key) {
        let at = self.now.saturating_add(Span::from_secs(secs).0);
        self.timeline.push(at, kind, about);
    }

    fn add_session(
        &mut self,
        scenario: &Scenario,
        session: Session,
        lasts_secs: f64,
        draws: &mut Draws,
    ) -> Key {
        let m = usize::from(session.market);
        let key = self.sessions.insert(Session {
            row: self.rows[m].len() as u32,
            ..session
        });
        self.rows[m].push(key);
        let playing = &mut self.playing[usize::from(session.region)];
        playing.pass(self.now);
        playing.count += 1;
        self.push_after(lasts_secs, Kind::Ends, key);
        for (q, request) in scenario.requests.iter().enumerate() {
            if let When::Every { period_secs, .. } = request.when {
                // Each session has a phase of its own; from then on its turns come in order.
                let phase = draws.uniform() * period_secs;
                let turn = self.turns.insert((key, q as u16));
                self.push_after(phase, Kind::Turn, turn);
            }
        }
        key
    }

    /// A session's first turn to ask for something that it asks for periodically.
    pub(super) fn first_turn(&mut self, scene: &mut Scene, turn: Key) {
        if let Some((session, q)) = self.turns.remove(turn) {
            self.turn(scene, session, usize::from(q));
        }
    }

    /// A session asks for what it asks for periodically.
    pub(super) fn turn(&mut self, scene: &mut Scene, key: Key, q: usize) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let ring = self.periods[q];
        let renews = matches!(
            scene.view.scenario.requests[q].when,
            When::Every { renews: true, .. }
        );
        match &mut session.lacks {
            None => self.session_asks(scene, key, q),
            Some(lack) if renews && lack.lost && !lack.drains && self.needs == Needs::Renewal => {
                lack.drains = true;
                self.drain(scene, key);
            }
            Some(_) => {}
        }
        self.set_timer(ring, key);
    }

    /// A session asks for something.
    fn session_asks(&mut self, scene: &mut Scene, key: Key, q: usize) {
        self.ask_for(scene, key, q, Owner::Session(key), false);
    }

    pub(super) fn ask_for(
        &mut self,
        scene: &mut Scene,
        key: Key,
        q: usize,
        owner: Owner,
        fresh: bool,
    ) {
        let session = self.sessions[key];
        let place = (
            usize::from(session.market),
            usize::from(session.class),
            usize::from(session.region),
        );
        let request = request_of(
            scene.view.scenario,
            &scene.view.plan.lanes,
            owner,
            place,
            q,
            (session.proxy, session.place),
        );
        let looking = matches!(owner, Owner::Looking(_));
        if !looking {
            self.window[place.2].first_attempts += 1;
        }
        if self.send(scene, request, fresh).is_none() {
            self.window[place.2].unreachable += 1;
            self.note_unanswered(place.2, q, 1);
            let answer = Answer {
                good: false,
                ambient: false,
                by: place.2,
                secs: 0.0,
            };
            match looking {
                true => self.looking_hears(scene, key, answer),
                false => self.session_hears(scene, key, q, answer),
            }
        }
    }

    /// Any session of a market asks for something at a random moment.
    pub(super) fn any_asks(&mut self, scene: &mut Scene, m: MarketId) {
        let Some(key) = self.any_session(m, super::ASKS) else {
            return;
        };
        let kinds = scene.view.scenario.requests.iter().map(|q| match q.when {
            When::Rate { per_sec } => per_sec / self.asking_per_sec,
            _ => 0.0,
        });
        let q = share_of(kinds, self.chains[m].draws.uniform());
        match self.sessions[key].lacks {
            None => self.session_asks(scene, key, q),
            // Who waits for an answer that does not come stands still.
            Some(_) => self.stand_still(key),
        }
    }

    /// Any session of a market, if the chain's event is one of theirs.
    fn any_session(&mut self, m: MarketId, chain: usize) -> Option<Key> {
        let chain_ = &mut self.chains[m];
        let most = chain_.most[chain];
        let row = (chain_.draws.uniform() * most) as usize;
        self.rows[m].get(row).copied()
    }

    /// A network stall of any session of a market.
    pub(super) fn any_stalls(&mut self, scene: &Scene, m: MarketId) {
        let Some(key) = self.any_session(m, super::STALLS) else {
            return;
        };
        let session = &self.sessions[key];
        if session.lacks.is_some() || session.stalls.is_some() {
            return;
        }
        let length = scene.view.scenario.ambient.stall_secs;
        let lasts = sampling::exponential(&mut self.chains[m].draws, length.max(1e-9));
        self.window[usize::from(session.region)].stood_still += 1.0;
        self.stall(key, lasts);
    }

    fn stall(&mut self, key: Key, lasts_secs: f64) {
        let region = self.sessions[key].region;
        self.sessions[key].stalls = Some(region);
        self.playing[usize::from(region)].stalled += 1;
        self.push_after(lasts_secs, Kind::Resumes, key);
    }

    /// A network stall is over.
    pub(super) fn resume(&mut self, key: Key) {
        if let Some(region) = self.sessions.get_mut(key).and_then(|s| s.stalls.take()) {
            self.playing[usize::from(region)].stalled -= 1;
        }
    }

    /// A session hears the answer to a request that it made as it goes.
    pub(super) fn session_hears(&mut self, scene: &mut Scene, key: Key, q: usize, answer: Answer) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let when = scene.view.scenario.requests[q].when;
        let r = usize::from(session.region);
        if answer.good {
            if let (When::Rate { .. }, Some(settings)) = (when, &scene.view.scenario.session)
                && answer.secs > settings.patience_secs
            {
                let window = &mut self.window[r];
                window.stood_still += 1.0;
                window.rebuffered += 1.0;
                window.stalled_secs += answer.secs - settings.patience_secs;
            }
            return self.notice(scene, key, answer.by);
        }
        if answer.ambient {
            return;
        }
        let (renews, interactive) = match when {
            When::Every { renews, .. } => (renews, false),
            When::Rate { .. } => (false, true),
            _ => (false, false),
        };
        if !renews && !interactive {
            self.window[r].failed_for_good += 1;
            return;
        }
        if session.lacks.is_none() {
            self.lose(scene, key, false, !interactive);
        }
        if interactive {
            self.stand_still(key);
        }
    }

    /// A session finds itself in another region.
    pub(super) fn notice(&mut self, scene: &mut Scene, key: Key, by: RegionId) {
        let session = &mut self.sessions[key];
        if usize::from(session.served) == by {
            return;
        }
        session.served = by as u16;
        let direct = scene.view.scenario.devices[usize::from(session.class)].direct;
        self.ask_herd(
            scene,
            key,
            |when| matches!(when, When::RegionChange),
            direct,
        );
    }

    pub(super) fn ask_herd(
        &mut self,
        scene: &mut Scene,
        key: Key,
        which: fn(&When) -> bool,
        direct: bool,
    ) {
        if direct {
            return;
        }
        for (q, request) in scene.view.scenario.requests.iter().enumerate() {
            if which(&request.when) && self.sessions.lives(key) {
                self.ask_for(scene, key, q, Owner::Session(key), which(&When::Reconnect));
            }
        }
    }

    /// A session counts in another region from now on.
    pub(super) fn move_to(&mut self, key: Key, r: RegionId) {
        let session = &mut self.sessions[key];
        let old = usize::from(session.region);
        if old == r {
            return;
        }
        session.region = r as u16;
        let still = session.lacks.is_some_and(|lack| lack.still.is_some());
        for (region, joins) in [(old, false), (r, true)] {
            let playing = &mut self.playing[region];
            playing.pass(self.now);
            let shift = |count: &mut u64| match joins {
                true => *count += 1,
                false => *count -= 1,
            };
            shift(&mut playing.count);
            if still {
                shift(&mut playing.still);
            }
        }
    }

    /// A market's names begin to point elsewhere: connections that are open now close in their time.
    pub fn answer_changed(&mut self, view: &View, now: Time, market: MarketId) {
        let classes = view.scenario.devices.len();
        for (k, class) in view.scenario.devices.iter().enumerate() {
            let cell = market * classes + k;
            if !view.plan.lanes.moves_class(k) || self.legacy[cell].is_some() {
                continue;
            }
            let legacy = Legacy::new(class, &view.scenario.requests, now);
            let legacy = Closings::of(legacy);
            let mut draws = self.connections_luck[market].draws(k as u64, 0);
            for key in self.rows[market].clone() {
                let session = &mut self.sessions[key];
                if usize::from(session.class) == k {
                    session.closes = true;
                    let after = legacy.after(&mut draws);
                    let at = now.0.saturating_add(Span::from_secs(after).0);
                    self.timeline.push(at, Kind::Closes, key);
                }
            }
            self.legacy[cell] = Some(legacy);
        }
    }

    /// A session's connection closes: it opens the next where its name points.
    pub(super) fn close(&mut self, scene: &mut Scene, key: Key) {
        let Some(session) = self.sessions.get(key).copied() else {
            return;
        };
        let (m, k, r) = (
            usize::from(session.market),
            usize::from(session.class),
            usize::from(session.region),
        );
        let cell = m * scene.view.scenario.devices.len() + k;
        let mut draws = self.buffers[m].clone();
        if let Some(legacy) = &self.legacy[cell] {
            let after = legacy.after(&mut draws);
            self.push_after(after, Kind::Closes, key);
        }
        let named = self.named(scene, m, k, session.unit);
        if session.lacks.is_some() || named == r {
            self.buffers[m] = draws;
            return;
        }
        let connected = self.connect(scene, (m, k, named), &mut draws);
        self.buffers[m] = draws;
        self.move_to(key, named);
        let Ok(proxy) = connected else {
            self.window[named].unreachable += 1;
            return self.lose(scene, key, true, false);
        };
        self.sessions[key].proxy = proxy;
        let direct = scene.view.scenario.devices[k].direct;
        self.ask_herd(scene, key, |when| matches!(when, When::Reconnect), direct);
        if let Some(session) = self.sessions.get(key).copied()
            && let Some(Door::Edge(edge)) = scene.world.door(scene.view.scenario, m, named)
            && !direct
        {
            let lane = scene.view.plan.lanes.group(k) as u16;
            let by = self.routed(scene, lane, (edge, proxy), m, session.place);
            self.notice(scene, key, by);
        }
    }

    /// A session ends, whether or not it has what it needs.
    pub(super) fn end_session(&mut self, key: Key) {
        let Some(session) = self.sessions.remove(key) else {
            return;
        };
        let m = usize::from(session.market);
        self.rows[m].swap_remove(session.row as usize);
        if let Some(&moved) = self.rows[m].get(session.row as usize) {
            self.sessions[moved].row = session.row;
        }
        let playing = &mut self.playing[usize::from(session.region)];
        playing.pass(self.now);
        playing.count -= 1;
        playing.still -= u64::from(session.lacks.is_some_and(|lack| lack.still.is_some()));
        if let Some(region) = session.stalls {
            self.playing[usize::from(region)].stalled -= 1;
        }
        self.books.sessions_ended += 1;
    }
}

/// What answers a class's connections at a region.
pub(super) fn answering(scene: &Scene, (m, k, r): (MarketId, usize, RegionId)) -> Option<Door> {
    match scene.view.scenario.devices[k].direct {
        true => scene.world.regions[r]
            .dark
            .is_none()
            .then_some(Door::Services),
        false => scene.world.door(scene.view.scenario, m, r),
    }
}
