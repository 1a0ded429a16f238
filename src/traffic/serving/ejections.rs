//! Living origins that fail too often: proxies eject them and send what is meant for them elsewhere.

use super::Serving;
use crate::engine::stream::Stream;
use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::traffic::arrivals::Address;
use crate::units::Time;
use crate::world::ejection::{self, Pace};
use crate::world::plan::Plan;
use crate::world::state::World;

/// So few proxies are expected to eject an origin in a step that nobody follows them.
const FEW: f64 = 1e-7;
/// Origins whose shares of what is sent elsewhere are below this together take nothing.
const NOWHERE: f64 = 1e-9;

/// A living origin that fails proxies of an edge often enough to be ejected.
struct Failing {
    origin: RegionId,
    pace: Pace,
}

impl Serving {
    /// Finds the share of each edge's proxies that have each living origin ejected, as expected and
    /// averaged over the step. Returns the largest change.
    pub(super) fn find_ejected(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        knobs: &Knobs,
        world: &World,
        step: (Time, Time),
    ) -> f64 {
        if !self.hurt && !self.ejecting() {
            return 0.0;
        }
        let mut moved: f64 = 0.0;
        for e in 0..self.regions {
            let failing = self.failing_origins(scenario, plan, knobs, world, e, step);
            let proxies = plan.proxies[e].max(1);
            let mut free = self.free(plan, knobs, world, e) as f64;
            let mut next = vec![0.0; self.regions];
            for s in 0..self.regions {
                let pace = failing.iter().find(|f| f.origin == s).map(|f| f.pace);
                if pace.is_none() && self.ejects(knobs, world, e, s) {
                    let origin = &world.ejections[e][s];
                    next[s] = origin.expected(step, 0.0, &never(knobs)).0 / proxies as f64;
                }
            }
            for Failing { origin: s, pace } in failing {
                let origin = &world.ejections[e][s];
                let open = (proxies.saturating_sub(origin.out()) as f64).min(free);
                let (mean, ejected) = origin.expected(step, open, &pace);
                free -= ejected;
                next[s] = (mean / proxies as f64).min(1.0);
            }
            let known = &mut self.ejected[e * self.regions..][..self.regions];
            for (known, next) in known.iter_mut().zip(next) {
                moved = moved.max((*known - next).abs());
                *known = next;
            }
        }
        moved
    }

    /// Routes follow what is ejected.
    pub(super) fn follow_ejections(
        &mut self,
        plan: &Plan,
        knobs: &Knobs,
        world: &World,
        (from, to): (Time, Time),
    ) {
        self.choose_elsewhere(plan, world);
        self.prefer_open();
        self.avoid_dark(knobs, plan, world, from, to);
        self.routed.copy_from_slice(&self.first);
        self.reroute();
    }

    /// Proxies eject origins, and try others again: the step happens.
    pub(super) fn eject(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        knobs: &Knobs,
        world: &mut World,
        step: (Time, Time),
        at: Address,
    ) {
        if !self.hurt && !self.ejecting() {
            return;
        }
        self.out = false;
        for e in 0..self.regions {
            let failing = self.failing_origins(scenario, plan, knobs, world, e, step);
            let mut free = self.free(plan, knobs, world, e);
            let proxies = plan.proxies[e].max(1);
            let stream = |s: RegionId| -> Stream {
                let edge = self.luck.part(&scenario.regions[e].name);
                edge.part(&scenario.regions[s].name)
            };
            for s in 0..self.regions {
                let fails = failing.iter().any(|f| f.origin == s);
                let origin = &mut world.ejections[e][s];
                if !fails && origin.out() > 0 {
                    let mut draws = stream(s).draws(at.cell, at.cut);
                    origin.advance(step, 0, &never(knobs), &mut draws);
                }
            }
            for Failing { origin: s, pace } in failing {
                let origin = &mut world.ejections[e][s];
                let open = proxies.saturating_sub(origin.out()).min(free);
                let mut draws = stream(s).draws(at.cell, at.cut);
                free -= origin.advance(step, open, &pace, &mut draws);
            }
            self.out |= world.ejections[e].iter().any(|origin| origin.out() > 0);
        }
    }

    /// Whether any proxy has a living origin ejected.
    pub fn ejecting(&self) -> bool {
        self.out
    }

    /// Whether proxies of an edge may eject an origin that lives.
    fn ejects(&self, knobs: &Knobs, world: &World, e: RegionId, s: RegionId) -> bool {
        let living = knobs.eject_most > 0.0 && knobs.eject_after > 0;
        let may = knobs.edge_retry && living && !knobs.eject_for.is_zero();
        may && world.reaches(e, s) && !world.isolated[s] && !world.isolated[e]
    }

    /// How many more ejections the proxies of an edge may make, all origins together: never all,
    /// and those that are dark or cut off count.
    fn free(&self, plan: &Plan, knobs: &Knobs, world: &World, e: RegionId) -> u64 {
        let most = (knobs.eject_most * self.regions as f64 + 1e-9).floor() as usize;
        let most = most.max(1).min(self.regions - 1);
        let routed = |s: RegionId| {
            let mut markets = self.all_markets();
            markets.any(|(lane, m)| self.share[self.row(lane, e, m) + s] > 0.0)
        };
        let lost = (0..self.regions).filter(|&s| !world.reaches(e, s) && routed(s));
        let places = most.saturating_sub(lost.count()) as u64 * plan.proxies[e].max(1);
        let out: u64 = world.ejections[e].iter().map(|origin| origin.out()).sum();
        places.saturating_sub(out)
    }

    /// The living origins that proxies of an edge are about to eject, the quickest first.
    fn failing_origins(
        &self,
        scenario: &Scenario,
        plan: &Plan,
        knobs: &Knobs,
        world: &World,
        e: RegionId,
        (from, to): (Time, Time),
    ) -> Vec<Failing> {
        let proxies = plan.proxies[e].max(1) as f64;
        let answering = proxies * (1.0 - world.doors.failed(e));
        if !self.hurt || answering <= 0.0 || !world.edge_lives(scenario, e) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for s in (0..self.regions).filter(|&s| self.ejects(knobs, world, e, s)) {
            let out = self.ejected[e * self.regions + s];
            let (mut sent, mut failed) = (0.0, 0.0);
            for (lane, m) in self.all_markets() {
                // What a proxy sends there that has not ejected it.
                let row = self.row(lane, e, m);
                let share = match self.others(row, s) > NOWHERE {
                    true => self.first[row + s] / (1.0 - out).max(1e-6),
                    false => self.first[row + s],
                };
                if share <= 0.0 {
                    continue;
                }
                for q in 0..self.requests {
                    let rate = self.entering[self.flow(lane, e, q, m)] * share;
                    sent += rate;
                    failed += rate * self.failing_there(world, (e, s), q, m);
                }
            }
            let requests = ejection::requests_until(knobs.eject_after, failed / sent);
            let mean_secs = requests * answering / sent;
            if failed > 0.0 && proxies * to.since(from).secs() > FEW * mean_secs {
                let pace = Pace {
                    mean_secs,
                    eject_for: knobs.eject_for,
                };
                found.push(Failing { origin: s, pace });
            }
        }
        found.sort_by(|a, b| a.pace.mean_secs.total_cmp(&b.pace.mean_secs));
        found
    }

    /// Share of requests of a kind that proxies of an edge see a region fail: what they refuse
    /// themselves is not its failure.
    fn failing_there(
        &self,
        world: &World,
        (e, s): (RegionId, RegionId),
        q: usize,
        m: MarketId,
    ) -> f64 {
        let failing = self.failing(world, s, q, m);
        1.0 - (1.0 - failing) * (1.0 - world.links.lost(e, s))
    }

    /// Share of what is sent elsewhere that all origins but one take, together.
    fn others(&self, row: usize, origin: RegionId) -> f64 {
        let others = (0..self.regions).filter(|&t| t != origin);
        others.map(|t| self.elsewhere[row + t]).sum()
    }

    /// Sends what proxies do not send to origins that they have ejected to others, as retries go; what
    /// has nowhere to go stays.
    fn reroute(&mut self) {
        let regions = self.regions;
        for e in 0..regions {
            let out = &self.ejected[e * regions..][..regions];
            if out.iter().all(|&out| out == 0.0) {
                continue;
            }
            for (lane, m) in self.all_markets() {
                let row = self.row(lane, e, m);
                for t in (0..regions).filter(|&t| out[t] > 0.0) {
                    let others = self.others(row, t);
                    let moved = self.routed[row + t] * out[t];
                    if moved <= 0.0 || others <= NOWHERE {
                        continue;
                    }
                    let mut placed = 0.0;
                    for s in (0..regions).filter(|&s| s != t) {
                        let part = moved * self.elsewhere[row + s] / others;
                        self.first[row + s] += part;
                        placed += part;
                    }
                    self.first[row + t] = (self.first[row + t] - placed).max(0.0);
                }
            }
        }
    }

    /// What is tried again does not go to origins that proxies have ejected, unless there is no other.
    fn prefer_open(&mut self) {
        let regions = self.regions;
        for e in 0..regions {
            let out = &self.ejected[e * regions..][..regions];
            if out.iter().all(|&out| out == 0.0) {
                continue;
            }
            for (lane, m) in self.all_markets() {
                let row = self.row(lane, e, m);
                let weights = &mut self.elsewhere[row..row + regions];
                let whole: f64 = weights.iter().sum();
                let open = weights.iter().zip(out).map(|(w, out)| w * (1.0 - out));
                let left: f64 = open.sum();
                if left > NOWHERE {
                    for (weight, out) in weights.iter_mut().zip(out) {
                        *weight *= (1.0 - out) * whole / left;
                    }
                }
            }
        }
    }
}

/// An origin that nobody ejects.
fn never(knobs: &Knobs) -> Pace {
    Pace {
        mean_secs: f64::INFINITY,
        eject_for: knobs.eject_for,
    }
}
