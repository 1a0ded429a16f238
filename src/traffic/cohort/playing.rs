//! What playing sessions ask for and get, how they lose their region and find another, and who
//! stands still.

use super::{Cohort, View, retry_request};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::request::When;
use crate::model::scenario::{MarketId, RegionId};
use crate::traffic::arrivals::Address;
use crate::traffic::sessions::Starved;
use crate::units::Time;
use crate::world::doors::Door;
use crate::world::state::World;

/// Classes of time since an answer was lost.
fn cut_classes_secs(view: &View) -> f64 {
    const CLASSES: f64 = 24.0;
    let longest = view.cut.map_or(0.0, |cut| cut.longest_secs());
    (longest / CLASSES).max(view.scenario.step.secs())
}

impl Cohort {
    /// Sessions whose edge (or region, without an edge) has gone dark lose their connection, and so do
    /// those of proxies that have failed.
    pub(super) fn strand(&mut self, view: &View, world: &World, now: Time, at: Address) {
        let scenario = view.scenario;
        for r in 0..scenario.regions.len() {
            let failed = world.doors.failed(r);
            let before = std::mem::replace(&mut self.failed_proxies[r], failed);
            let newly = if failed > before {
                (failed - before) / (1.0 - before)
            } else {
                0.0
            };
            self.broken_proxies[r] = newly;
            if world.regions[r].dark.is_none() && failed == 0.0 {
                continue;
            }
            for m in 0..scenario.markets.len() {
                let mut draws = self.streams[m].edges.draws(at.cell, at.cut);
                for (k, class) in scenario.devices.iter().enumerate() {
                    let all = self.sessions.count(m, k, r);
                    let count = if !self.answers(view, world, (m, k, r)) {
                        all
                    } else if newly > 0.0 && !class.direct {
                        sampling::binomial(&mut draws, all, newly)
                    } else {
                        0
                    };
                    if count == 0 {
                        continue;
                    }
                    let mut phases = vec![0; self.sessions.phases(m, k, r).len()];
                    self.sessions
                        .take((m, k, r), count, &mut draws, &mut phases);
                    self.sessions.add_starved(Starved {
                        market: m,
                        class: k,
                        region: r,
                        since_secs: now.secs(),
                        phases,
                        stalled: 0,
                        waiting: false,
                        lost: true,
                    });
                }
            }
        }
    }

    /// Requests of playing sessions, and what their failure does to them.
    pub(super) fn session_requests(
        &mut self,
        view: &View,
        world: &World,
        m: MarketId,
        (from, to): (Time, Time),
        at: Address,
    ) {
        let scenario = view.scenario;
        let regions = scenario.regions.len();
        let dt = to.since(from).secs();
        let mut draws = self.streams[m].requests.draws(at.cell, at.cut);
        for r in 0..regions {
            for (direct, groups) in self.parties(view, world, (m, r)) {
                let lanes = &view.plan.lanes;
                let members: Vec<(usize, u64)> = scenario
                    .devices
                    .iter()
                    .enumerate()
                    .filter(|(k, class)| {
                        class.direct == direct && groups.contains(&lanes.group(*k))
                    })
                    .map(|(k, _)| (k, self.sessions.count(m, k, r)))
                    .collect();
                let playing: u64 = members.iter().map(|c| c.1).sum();
                let Some(&(k, _)) = members.first() else {
                    continue;
                };
                let herd = |of: &[f64]| -> f64 {
                    let cells = groups
                        .clone()
                        .map(|g| (g * scenario.markets.len() + m) * regions + r);
                    cells.map(|cell| of[cell]).sum()
                };
                let (reconnects, changes) = (herd(&self.herd.reconnects), herd(&self.herd.changes));
                for (q, request) in scenario.requests.iter().enumerate() {
                    let mean = match request.when {
                        When::Every { period_secs, .. } => playing as f64 * dt / period_secs,
                        When::Rate { per_sec } => playing as f64 * dt * per_sec,
                        When::Reconnect if !direct => reconnects,
                        When::RegionChange if !direct => changes,
                        _ => continue,
                    };
                    if mean <= 0.0 {
                        continue;
                    }
                    let failed = self.ask(view, world, (m, k, r), q, mean, from, &mut draws);
                    let (renews, interactive) = match request.when {
                        When::Every { renews, .. } => (renews, false),
                        When::Rate { .. } => (false, true),
                        _ => (false, false),
                    };
                    if failed > 0 && (renews || interactive) {
                        self.starve(
                            view,
                            m,
                            r,
                            &members,
                            failed.min(playing),
                            (interactive, false),
                            from,
                            &mut draws,
                        );
                    }
                }
                if direct || playing == 0 {
                    continue;
                }
                if scenario
                    .session
                    .as_ref()
                    .is_some_and(|s| s.media_from_region)
                {
                    let edge = match world.door(scenario, m, r) {
                        Some(Door::Edge(edge)) => edge,
                        _ => r,
                    };
                    let lane = lanes.of_media(groups.start);
                    let place = (lane, edge, m);
                    let lost = self.serving.lost_at_origin(place, view.knobs.edge_retry);
                    let cut = sampling::binomial(&mut draws, playing, lost.clamp(0.0, 1.0));
                    if cut > 0 {
                        self.starve(view, m, r, &members, cut, (false, true), from, &mut draws);
                    }
                }
            }
        }
    }

    /// Sessions at a region whose requests meet the same: whether they bypass the edge, and the groups of
    /// classes.
    fn parties(
        &self,
        view: &View,
        world: &World,
        (m, r): (MarketId, RegionId),
    ) -> Vec<(bool, std::ops::Range<usize>)> {
        let groups = view.plan.lanes.groups();
        let apart = match world.door(view.scenario, m, r) {
            Some(Door::Edge(edge)) if groups > 1 => !self.serving.alike(edge, m),
            _ => false,
        };
        let mut parties: Vec<_> = match apart {
            true => (0..groups).map(|group| (false, group..group + 1)).collect(),
            false => vec![(false, 0..groups)],
        };
        parties.push((true, 0..groups));
        parties
    }

    /// Makes a Poisson number of requests; returns how many failed because of the service. Answers to
    /// interactive ones that come too late leave the viewer standing still.
    fn ask(
        &mut self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        q: usize,
        mean: f64,
        now: Time,
        draws: &mut Draws,
    ) -> u64 {
        let scenario = view.scenario;
        let count = sampling::poisson(draws, mean);
        let mut fate = std::mem::take(&mut self.buffers.fate);
        self.window[r].first_attempts += count;
        if !self.fate(view, world, (m, k, r), q, now, &mut fate) {
            self.window[r].unreachable += count;
            self.not_answered(r, q, scenario.requests.len(), count);
            self.window[r].failed_for_good += count;
            self.buffers.fate = fate;
            return count;
        }
        let failed = sampling::binomial(draws, count, fate.failing);
        let ambient = sampling::binomial(draws, count - failed, scenario.ambient.request_failure);
        let good = count - failed - ambient;
        self.record(view, world, (m, q, r), &fate, good, failed + ambient, draws);
        let retried = matches!(
            scenario.requests[q].when,
            When::Every { renews: true, .. } | When::Rate { .. }
        );
        if !retried {
            self.window[r].failed_for_good += failed;
        }
        if let (When::Rate { .. }, Some(session)) = (scenario.requests[q].when, &scenario.session) {
            let (delay, _, served) = self.delay_of(view, world, (m, q, r), &fate);
            let flow = &world.regions[served].flow;
            let entry = view.plan.graph.entries[q].0;
            let wait = &flow.pools[entry].wait;
            let left = session.patience_secs - (delay - wait.mean());
            let late = if left <= 0.0 {
                1.0
            } else if flow.waits {
                flow.waiting_longer(entry, left)
            } else {
                0.0
            };
            if late > 1e-9 {
                let waiting = sampling::binomial(draws, good, late) as f64;
                self.window[r].stood_still += waiting;
                self.window[r].rebuffered += waiting;
                self.window[r].stalled_secs += waiting * (wait.mean() - left).max(0.0);
            }
        }
        self.buffers.fate = fate;
        failed
    }

    /// Sessions of some classes at a region lose what they need.
    fn starve(
        &mut self,
        view: &View,
        m: MarketId,
        r: RegionId,
        members: &[(usize, u64)],
        count: u64,
        (waiting, media): (bool, bool),
        now: Time,
        draws: &mut Draws,
    ) {
        // Those who lost an answer at about the same time are counted together: the classes are short
        // against a buffer, and their middle stands for all.
        let class_secs = cut_classes_secs(view);
        let since_secs = if media {
            now.secs()
        } else {
            ((now.secs() / class_secs).floor() + 0.5) * class_secs
        };
        // The same viewers may be hit by several requests of one step.
        let here: Vec<u64> = members
            .iter()
            .map(|c| self.sessions.count(m, c.0, r))
            .collect();
        let all: u64 = here.iter().sum();
        let count = count.min(all);
        if count == 0 {
            return;
        }
        let shares: Vec<f64> = here.iter().map(|&n| n as f64 / all as f64).collect();
        let mut hit = vec![0; shares.len()];
        sampling::multinomial(draws, count, &shares, &mut hit);
        for ((&(k, _), &most), hit) in members.iter().zip(&here).zip(hit) {
            let hit = hit.min(most);
            if hit == 0 {
                continue;
            }
            let mut phases = vec![0; self.sessions.phases(m, k, r).len()];
            self.sessions.take((m, k, r), hit, draws, &mut phases);
            if waiting {
                self.window[r].stood_still += hit as f64;
                self.window[r].rebuffered += hit as f64;
            }
            self.sessions.add_starved(Starved {
                market: m,
                class: k,
                region: r,
                since_secs,
                phases,
                stalled: if waiting { hit } else { 0 },
                waiting,
                lost: false,
            });
        }
    }

    /// Starved sessions try again, at random moments; those whose names point elsewhere go there.
    pub(super) fn starved_try(
        &mut self,
        view: &View,
        world: &World,
        m: MarketId,
        (from, to): (Time, Time),
        at: Address,
    ) {
        if self.sessions.starved.is_empty() {
            return;
        }
        let mut draws = self.streams[m].sessions.draws(at.cell, at.cut);
        let groups = std::mem::take(&mut self.sessions.starved);
        let (mine, others) = groups.into_iter().partition(|g: &Starved| g.market == m);
        self.sessions.starved = others;
        let mine: Vec<Starved> = mine;
        for mut group in mine {
            let moved = self.move_starved(view, world, &mut group, (from, to), &mut draws);
            let opens = group.lost;
            self.serve_starved(view, world, group, (from, to), (1.0, opens), &mut draws);
            for group in moved {
                // On average they arrive in the middle of the step.
                self.serve_starved(view, world, group, (from, to), (0.5, true), &mut draws);
            }
        }
    }

    /// Those of a group whose region does not answer and whose names have come to point elsewhere.
    fn move_starved(
        &mut self,
        view: &View,
        world: &World,
        group: &mut Starved,
        (from, to): (Time, Time),
        draws: &mut Draws,
    ) -> Vec<Starved> {
        let scenario = view.scenario;
        let (m, k, r) = (group.market, group.class, group.region);
        let class = &scenario.devices[k];
        let answers = self.answers(view, world, (m, k, r));
        let Some(session) = scenario.session.as_ref().filter(|_| !answers) else {
            return Vec::new();
        };
        let dt = to.since(from).secs();
        let tries = group.count() as f64 * dt / session.retry_secs.max(1e-3);
        // A session that nobody answers asks again and again: requests without an answer.
        let asked = sampling::poisson(draws, tries.min(1e15));
        self.window[r].unreachable += asked;
        if let Some(q) = super::retry_request(scenario) {
            self.not_answered(r, q, scenario.requests.len(), asked);
        }
        let range = self.pointing(m, k, scenario.devices.len());
        let now = self.pointing[range.clone()].to_vec();
        let before = self.pointed[range.start + r];
        let age = to.secs() - group.since_secs;
        let fallback =
            class.fallback_after > 0 && age >= f64::from(class.fallback_after) * session.retry_secs;
        let (leaving, targets): (f64, Vec<f64>) = if fallback {
            let mut targets = vec![0.0; now.len()];
            targets[super::next_near(scenario, m, r)] = 1.0;
            (1.0, targets)
        } else {
            let others: f64 = (0..now.len()).filter(|&s| s != r).map(|s| now[s]).sum();
            if others <= 0.0 {
                return Vec::new();
            }
            let targets = (0..now.len())
                .map(|s| if s == r { 0.0 } else { now[s] / others })
                .collect();
            let leaving = if before > 0.0 {
                1.0 - now[r] / before
            } else {
                1.0
            };
            (leaving.clamp(0.0, 1.0), targets)
        };
        let count = sampling::binomial(draws, group.count(), leaving);
        if count == 0 {
            return Vec::new();
        }
        let mut counts = vec![0; targets.len()];
        sampling::multinomial(draws, count, &targets, &mut counts);
        let mut moved = Vec::new();
        for (s, count) in counts.into_iter().enumerate().filter(|c| c.1 > 0) {
            let mut phases = vec![0; group.phases.len()];
            let stalled = group.take(count, draws, &mut phases);
            moved.push(Starved {
                region: s,
                phases,
                stalled,
                ..group.clone()
            });
        }
        moved
    }

    /// A group's attempts in a step (in the given part of it, and whether each opens a connection),
    /// and how its buffers run out.
    fn serve_starved(
        &mut self,
        view: &View,
        world: &World,
        mut group: Starved,
        (from, to): (Time, Time),
        (part, opens): (f64, bool),
        draws: &mut Draws,
    ) {
        let scenario = view.scenario;
        let (Some(session), Some(cut)) = (&scenario.session, view.cut) else {
            return;
        };
        let count = group.count();
        if count == 0 {
            return;
        }
        let (m, k, r) = (group.market, group.class, group.region);
        let dt = to.since(from).secs();
        let mut leaving = 0;
        if let Some(q) = retry_request(scenario) {
            let mut fate = std::mem::take(&mut self.buffers.fate);
            if self.fate(view, world, (m, k, r), q, from, &mut fate) {
                let refused = match opens {
                    true => world.refused(r, scenario.devices[k].direct),
                    false => 0.0,
                };
                let good = (1.0 - fate.failing) * (1.0 - refused);
                let tries = dt * part / session.retry_secs.max(1e-6);
                let gone = 1.0 - libm::exp(-tries * good);
                leaving = sampling::binomial(draws, count, gone);
                let failing = if good > 0.0 { gone / good } else { tries };
                let made = count as f64 * failing;
                if part < 1.0 {
                    self.wanted.came[r] += made / dt;
                }
                if refused > 0.0 {
                    self.window[r].unreachable +=
                        sampling::poisson(draws, (made * refused).min(1e15));
                }
                let failed = (made * (fate.failing * (1.0 - refused))).min(1e15);
                let failed = if failed > 0.0 {
                    sampling::poisson(draws, failed)
                } else {
                    0
                };
                if leaving > 0 || failed > 0 {
                    self.record(view, world, (m, q, r), &fate, leaving, failed, draws);
                }
            }
            self.buffers.fate = fate;
        }
        let mut phases = vec![0; group.phases.len()];
        let still = if leaving > 0 {
            group.take(leaving, draws, &mut phases)
        } else {
            0
        };
        for (here, back) in self.sessions.phases_mut(m, k, r).iter_mut().zip(&phases) {
            *here += back;
        }
        if group.lost && !scenario.devices[k].direct {
            let cell = self.cell((m, k, r));
            self.reconnects[cell] += leaving as f64;
            self.changes[cell] += leaving as f64;
        }
        // Whose buffer runs out: those who leave do so in the middle of the step on average.
        let age = (from.secs() - group.since_secs).max(0.0);
        let before = cut.stalled_by(age, group.lost);
        let runs_out = |until: f64| {
            if before < 1.0 {
                ((cut.stalled_by(until, group.lost) - before) / (1.0 - before)).clamp(0.0, 1.0)
            } else {
                1.0
            }
        };
        let (mut new_left, mut new_here) = (0, 0);
        if !group.waiting {
            new_left = sampling::binomial(draws, leaving - still, runs_out(age + 0.5 * dt));
            new_here = sampling::binomial(draws, group.count() - group.stalled, runs_out(age + dt));
        }
        let window = &mut self.window[r];
        window.stood_still += (new_left + new_here) as f64;
        window.rebuffered += (new_left + new_here) as f64;
        let resume = session.resume_secs / session.download_speed.max(1e-9);
        let partial = 0.5 * dt * (still as f64 + 0.5 * new_left as f64);
        window.stalled_secs += group.stalled as f64 * dt
            + new_here as f64 * 0.5 * dt
            + partial
            + (still + new_left) as f64 * resume;
        group.stalled += new_here;
        // When all stand still, since when does not matter any more.
        group.waiting |= group.stalled == group.count();
        if group.count() > 0 {
            self.sessions.add_starved(group);
        }
    }

    /// Sessions end by their own length, whether or not they have what they need.
    pub(super) fn end_sessions(&mut self, view: &View, m: MarketId, dt: f64, at: Address) {
        let scenario = view.scenario;
        let Some(session) = &scenario.session else {
            return;
        };
        let mut draws = self.streams[m].sessions.draws(at.cell, at.cut | 1 << 31);
        let ending: Vec<f64> = session
            .length
            .iter()
            .map(|&(_, mean)| -libm::expm1(-dt / mean))
            .collect();
        // A session that began somewhere in the step had only the rest of it to end.
        let going_on: Vec<(f64, f64)> = session
            .length
            .iter()
            .zip(&ending)
            .map(|(&(_, mean), end)| (1.0 - end, end * mean / dt))
            .collect();
        let mut ended = 0;
        for k in 0..scenario.devices.len() {
            for r in 0..scenario.regions.len() {
                ended += self.sessions.end_step((m, k, r), &going_on, &mut draws);
                self.window[r].playing_secs += self.sessions.count(m, k, r) as f64 * dt;
            }
        }
        for group in self.sessions.starved.iter_mut().filter(|g| g.market == m) {
            let before = group.count();
            for (count, &share) in group.phases.iter_mut().zip(&ending) {
                let gone = sampling::binomial(&mut draws, *count, share);
                *count -= gone;
                ended += gone;
            }
            let after = group.count();
            if after < before && group.stalled > 0 {
                let share = after as f64 / before as f64;
                group.stalled = sampling::binomial(&mut draws, group.stalled, share).min(after);
            }
            self.window[group.region].playing_secs += after as f64 * dt;
        }
        self.sessions.starved.retain(|g| g.count() > 0);
        self.ledger.sessions_ended += ended;
    }

    /// Network stalls that have nothing to do with the service, so many times as frequent as usual.
    pub(super) fn stand_still(
        &mut self,
        view: &View,
        (m, times): (MarketId, f64),
        dt: f64,
        at: Address,
    ) {
        let scenario = view.scenario;
        let regions = scenario.regions.len();
        let (rate, length) = (
            scenario.ambient.stall_rate * times,
            scenario.ambient.stall_secs,
        );
        if rate <= 0.0 {
            return;
        }
        let mut draws = self.streams[m].stalls.draws(at.cell, at.cut);
        let begins = -libm::expm1(-rate * dt);
        let (ends, lasts) = if length > 0.0 {
            let ends = -libm::expm1(-dt / length);
            // A stall that begins somewhere in the step is still there at its end with this chance.
            (ends, ends * length / dt)
        } else {
            (1.0, 0.0)
        };
        for r in 0..regions {
            let playing: u64 = (0..scenario.devices.len())
                .map(|k| self.sessions.count(m, k, r))
                .sum();
            let known = &mut self.stalled[m * regions + r];
            *known = (*known).min(playing);
            let new = sampling::binomial(&mut draws, playing - *known, begins);
            let over = sampling::binomial(&mut draws, *known, ends);
            self.window[r].stood_still += new as f64;
            *known = *known - over + sampling::binomial(&mut draws, new, lasts);
        }
    }

    /// What pools, proxies and caches did in the step.
    pub(super) fn observe_pools(&mut self, view: &View, world: &World, dt: f64) {
        let plan = view.plan;
        let services = view.scenario.services.len() + 1;
        let markets = plan.graph.markets;
        for (r, region) in world.regions.iter().enumerate() {
            let mut add = |window: &mut crate::model::observation::Observation,
                           v: usize,
                           busy: f64,
                           slots: f64| {
                window.busy_slot_secs += busy * dt;
                window.slot_secs += slots * dt;
                let cell = (r * services + v) * 2;
                self.pool_secs[cell] += busy * dt;
                self.pool_secs[cell + 1] += slots * dt;
            };
            let window = &mut self.window[r];
            if world.edge_lives(view.scenario, r) {
                let zones = view.scenario.regions[r].zones.max(1) as f64;
                let all = plan.proxies[r] as f64 * f64::from(view.scenario.edge.slots);
                let slots = all * (1.0 - world.doors.failed(r));
                add(
                    window,
                    services - 1,
                    self.serving.proxies[r].busy * zones,
                    slots,
                );
            }
            if region.dark.is_some() {
                continue;
            }
            for (cell, rate) in region.entering.iter().enumerate() {
                window.asked += rate * dt;
                if region.flow.hurt {
                    let failing = region.flow.failing(cell / markets, cell % markets);
                    window.asked_failed += rate * dt * failing;
                }
            }
            for (v, node) in plan.graph.nodes.iter().enumerate() {
                let here = region.capacity[v];
                let busy = region.flow.pools[v].busy * here.zones.max(1.0);
                add(window, v, busy, here.instances * node.slots);
            }
            for (c, &(caller, j)) in plan.graph.cached.iter().enumerate() {
                let to = plan.graph.nodes[caller].calls[j].to;
                let store = region.capacity[to];
                window.store_busy_secs += region.flow.pools[to].busy * store.zones.max(1.0) * dt;
                window.store_slot_secs += store.instances * plan.graph.nodes[to].slots * dt;
                for m in 0..markets {
                    let cell = c * markets + m;
                    let lookups = (region.flow.lookups[cell] - region.flow.mirrored[cell]) * dt;
                    let misses = lookups * region.flow.miss[c * markets + m];
                    window.cache_lookups += lookups;
                    window.cache_hits += lookups - misses;
                    window.cache_fetches += misses;
                    window.cache_failed += misses * (1.0 - region.flow.fetched[c]);
                }
            }
        }
    }
}
