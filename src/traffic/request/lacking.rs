//! Sessions that do without their region: how they lose it and find another, and who stands still.

use super::edge::{Answer, Owner};
use super::slab::Key;
use super::starts::next_near;
use super::timeline::Kind;
use super::viewers::{Lack, answering};
use super::{Requests, Scene};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::request::When;
use crate::model::scenario::{Buffer, Scenario};
use crate::units::Span;
use crate::world::doors::Door;

/// How much media a playing session has in its buffer.
fn buffer_secs(buffer: &Buffer, speed: f64, draws: &mut Draws) -> f64 {
    match buffer {
        Buffer::Level(level) => sampling::sample(draws, level),
        Buffer::Filling { start, max, length } => {
            let age = draws.uniform() * length;
            (start + (speed - 1.0).max(0.0) * age).min(*max)
        }
    }
}

/// When a session without its region begins to live on its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Never.
    Nothing,
    /// At once.
    Media,
    /// When its next renewal is due.
    Renewal,
}

impl Needs {
    /// What sessions of a scenario need.
    pub fn of(scenario: &Scenario) -> Needs {
        let media = scenario
            .session
            .as_ref()
            .is_some_and(|s| s.media_from_region);
        let renews =
            |r: &crate::model::request::Request| matches!(r.when, When::Every { renews: true, .. });
        match media {
            true => Needs::Media,
            false if scenario.requests.iter().any(renews) => Needs::Renewal,
            false => Needs::Nothing,
        }
    }
}

impl Requests {
    /// A session lives on its buffer from now on.
    pub(super) fn drain(&mut self, scene: &Scene, key: Key) {
        let Some(session) = &scene.view.scenario.session else {
            return;
        };
        let m = usize::from(self.sessions[key].market);
        let lasts = buffer_secs(
            &session.buffer,
            session.download_speed,
            &mut self.buffers[m],
        );
        let dry = self.now.saturating_add(Span::from_secs(lasts).0);
        if let Some(lack) = &mut self.sessions[key].lacks {
            lack.dry = dry;
            self.timeline.push(dry, Kind::Dry, key);
        }
    }

    /// A session loses its connection, or an answer that it needs; `drains`: it lives on its buffer from
    /// now on.
    pub(super) fn lose(&mut self, scene: &Scene, key: Key, lost: bool, drains: bool) {
        let drains = drains || lost && self.needs == Needs::Media;
        self.sessions[key].lacks = Some(Lack {
            lost,
            still: None,
            drains,
            dry: u64::MAX,
            tries: 0,
        });
        if drains {
            self.drain(scene, key);
        }
        self.look_later(scene, key);
    }

    /// A session that lacks its region looks for it at random moments.
    fn look_later(&mut self, scene: &Scene, key: Key) {
        let every = scene
            .view
            .scenario
            .session
            .as_ref()
            .map_or(1.0, |s| s.retry_secs);
        let m = usize::from(self.sessions[key].market);
        let after = sampling::exponential(&mut self.buffers[m], every.max(1e-6));
        self.push_after(after, Kind::Tries, key);
    }

    /// A session looks for its region.
    pub(super) fn look(&mut self, scene: &mut Scene, key: Key) {
        let Some(session) = self.sessions.get(key).copied() else {
            return;
        };
        let Some(lack) = session.lacks else {
            return;
        };
        let Some(q) = self.looks_with else {
            return self.look_later(scene, key);
        };
        let (m, k) = (usize::from(session.market), usize::from(session.class));
        let mut r = usize::from(session.region);
        if lack.lost && answering(scene, (m, k, r)).is_none() {
            let after = scene.view.scenario.devices[k].fallback_after;
            r = match after > 0 && lack.tries >= after {
                true => next_near(scene.view.scenario, m, r),
                false => self.named(scene, m, k, session.unit),
            };
            self.move_to(key, r);
        }
        if !lack.lost {
            return self.ask_for(scene, key, q, Owner::Looking(key), false);
        }
        let mut draws = self.buffers[m].clone();
        let connected = self.connect(scene, (m, k, r), &mut draws);
        self.buffers[m] = draws;
        match connected {
            Ok(proxy) => {
                self.sessions[key].proxy = proxy;
                self.ask_for(scene, key, q, Owner::Looking(key), true);
            }
            Err(_) => {
                self.window[r].unreachable += 1;
                self.note_unanswered(r, q, 1);
                self.still_lacks(scene, key);
            }
        }
    }

    fn still_lacks(&mut self, scene: &Scene, key: Key) {
        if let Some(lack) = &mut self.sessions[key].lacks {
            lack.tries += 1;
            self.look_later(scene, key);
        }
    }

    /// A session that looks for its region hears an answer.
    pub(super) fn looking_hears(&mut self, scene: &mut Scene, key: Key, answer: Answer) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let (Some(lack), Some(settings)) = (session.lacks, &scene.view.scenario.session) else {
            return;
        };
        if !answer.good {
            return self.still_lacks(scene, key);
        }
        let r = usize::from(session.region);
        let direct = scene.view.scenario.devices[usize::from(session.class)].direct;
        session.lacks = None;
        if lack.still.is_some() {
            let playing = &mut self.playing[r];
            playing.pass(self.now);
            playing.still -= 1;
            self.window[r].stalled_secs += settings.resume_secs / settings.download_speed.max(1e-9);
        }
        if lack.lost {
            self.ask_herd(scene, key, |when| matches!(when, When::Reconnect), direct);
        }
        if self.sessions.lives(key) {
            self.notice(scene, key, answer.by);
        }
        // Nobody may answer any more by the time that it hears.
        if let Some(session) = self.sessions.get(key).copied() {
            let (m, k) = (usize::from(session.market), usize::from(session.class));
            if session.lacks.is_none() && answering(scene, (m, k, r)).is_none() {
                self.lose(scene, key, true, false);
            }
        }
    }

    /// A session stands still until it has what it needs.
    pub(super) fn stand_still(&mut self, key: Key) {
        let now = self.now;
        let session = &mut self.sessions[key];
        let r = usize::from(session.region);
        let Some(lack) = &mut session.lacks else {
            return;
        };
        if lack.still.is_some() {
            return;
        }
        lack.still = Some(now);
        let playing = &mut self.playing[r];
        playing.pass(now);
        playing.still += 1;
        self.window[r].stood_still += 1.0;
        self.window[r].rebuffered += 1.0;
    }

    /// A session's buffer has run out.
    pub(super) fn runs_dry(&mut self, key: Key) {
        let lack = self.sessions.get(key).and_then(|s| s.lacks);
        if lack.is_some_and(|lack| lack.dry == self.now) {
            self.stand_still(key);
        }
    }

    /// Sessions that nobody answers, or whose proxy has failed, have lost their connection.
    pub(super) fn strand(&mut self, scene: &mut Scene) {
        let mut changed = false;
        for r in 0..self.regions {
            let failed = scene.world.doors.failed(r);
            changed |= failed > self.failed_proxies[r];
            self.failed_proxies[r] = failed;
        }
        for cell in 0..self.silent.len() {
            let (place, r) = (cell / self.regions, cell % self.regions);
            let (m, k) = (place / self.classes, place % self.classes);
            let silent = answering(scene, (m, k, r)).is_none();
            changed |= silent && !self.silent[cell];
            self.silent[cell] = silent;
        }
        if !changed {
            return;
        }
        self.break_links(scene);
        for key in self.sessions.keys() {
            let session = self.sessions[key];
            if session.lacks.is_some() {
                continue;
            }
            let (m, k, r) = (
                usize::from(session.market),
                usize::from(session.class),
                usize::from(session.region),
            );
            let share = scene.world.doors.failed(r);
            let direct = scene.view.scenario.devices[k].direct;
            let broken = !direct && self.proxies[r].failed(session.proxy, share);
            if broken || answering(scene, (m, k, r)).is_none() {
                self.lose(scene, key, true, false);
            }
        }
    }

    /// Media that come through a region stop when it is dark and proxies still send there.
    pub(super) fn stop_media(&mut self, scene: &mut Scene) {
        let media = scene.view.scenario.session.as_ref();
        let media = media.is_some_and(|s| s.media_from_region);
        let knobs = scene.view.knobs;
        if !media || knobs.edge_retry || (0..self.regions).all(|r| !self.dark[r]) {
            return;
        }
        let risky = self.risky(scene);
        for place in 0..self.sessions.places() {
            let Some(key) = self.sessions.key_at(place) else {
                continue;
            };
            let session = self.sessions[key];
            if session.lacks.is_some() {
                continue;
            }
            let (m, k) = (usize::from(session.market), usize::from(session.class));
            let r = usize::from(session.region);
            let Some(Door::Edge(edge)) = answering(scene, (m, k, r)) else {
                continue;
            };
            if !risky[edge * self.markets + m] {
                continue;
            }
            let lane = scene
                .view
                .plan
                .lanes
                .of_media(scene.view.plan.lanes.group(k));
            let by = self.routed(scene, lane as u16, (edge, session.proxy), m, session.place);
            if !scene.world.reaches(edge, by) {
                self.lose(scene, key, false, true);
            }
        }
    }

    /// Whether any proxy of an edge may send a market where it reaches nobody, `[edge][market]`.
    fn risky(&self, scene: &Scene) -> Vec<bool> {
        let mut mean = vec![0.0; self.regions];
        let mut risky = vec![scene.world.reach.limits_markets(); self.regions * self.markets];
        for e in 0..self.regions {
            for m in 0..self.markets {
                self.proxies[e].mean_table(scene.world, e, m, self.now, &mut mean);
                let mut origins = (0..self.regions).filter(|&s| s == e || mean[s] > 0.0);
                risky[e * self.markets + m] |= origins.any(|s| !scene.world.reaches(e, s));
            }
        }
        risky
    }
}
