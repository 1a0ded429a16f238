//! Traffic leaves a region: caches, routes in stages, capacity, isolation, DNS.

use super::again::Anew;
use super::{Incident, WATCH_CAPACITY, WATCH_ROUTES};
use crate::model::action::Action;
use crate::model::policy::Phase;
use crate::model::scenario::RegionId;
use crate::units::{Span, Time};

/// The last stage of an announced evacuation is ordered at least so long before the region goes
/// dark: two polls of 30 s. Guess.
const SETTLE: Span = Span(60_000_000_000);

impl Incident<'_> {
    /// Does what is due of the evacuation; returns when to look again.
    pub(super) fn evacuate(&mut self, anew: Anew) -> Option<Time> {
        let returning = self.memory.phase == Phase::GradualReturn || self.memory.returned > 0;
        let calm = matches!(self.memory.phase, Phase::Normal | Phase::FailbackReady);
        if calm || returning || self.memory.well_since.is_some() {
            self.enter(Phase::FailoverInitiated);
            self.memory.dns_moved = false;
            self.memory.capacity_called = false;
            self.memory.prewarmed = false;
            self.memory.scaled_at = None;
            self.memory.gated_since = None;
            self.memory.well_since = None;
            self.memory.return_warmed = false;
            if returning {
                // Nothing of what came back stays.
                self.memory.stage = 0;
            }
            self.memory.returned = 0;
        }
        self.freeze();
        self.prewarm();
        self.prescale();
        if anew.answers && !self.view.knobs.dns_stages {
            self.memory.dns_moved = false;
        }
        let mut ordered = self.shift();
        if anew.routes && !ordered {
            self.route();
            ordered = true;
        }
        if anew.answers && self.view.knobs.dns_stages && self.view.knobs.route_by_dns && !ordered {
            self.answer();
        }
        self.call_dark_capacity();
        self.confirm(ordered)
    }

    /// Warms the caches that the region's markets will meet.
    fn prewarm(&mut self) {
        if !self.view.knobs.prewarm || self.memory.prewarmed {
            return;
        }
        self.memory.prewarmed = true;
        let region = self.view.region;
        for market in &self.view.telemetry.markets {
            let home = market.near.first() == Some(&region);
            let served = market.dns.get(region).is_some_and(|weight| *weight > 0.0);
            if !home && !served {
                continue;
            }
            let Some(shares) = self.spread(market) else {
                continue;
            };
            for &target in self.targets.iter().filter(|r| shares[**r] > 0.0) {
                self.actions.push(Action::Prewarm {
                    region: target,
                    market: market.market,
                });
            }
        }
    }

    /// Orders the stages that are due; whether anything was ordered.
    fn shift(&mut self) -> bool {
        let now = self.view.now();
        let before = self.memory.stage.min(self.view.stages());
        let mut stage = before;
        let dead = self.view.dead(self.view.region);
        if before < self.view.stages() && self.due(stage) <= now && !self.gates_open(dead) {
            self.memory.stage = before;
            return false;
        }
        if dead {
            stage = self.view.stages();
        }
        while stage < self.view.stages() && self.due(stage) <= now {
            stage += 1;
            self.memory.staged_at = now;
        }
        self.memory.stage = stage;
        if stage == before {
            let lost = self.reroute_if_targets_were_lost();
            if lost {
                self.enter(Phase::RouteShift);
            }
            return lost;
        }
        self.memory.staged_at = now;
        self.memory.gated_since = None;
        if before == 0 {
            self.memory.left_at = now;
        }
        self.route();
        if before == 0 {
            self.enter(Phase::RouteShift);
        }
        if self.view.knobs.route_by_dns && self.view.knobs.dns_stages {
            self.memory.dns_moved = stage == self.view.stages();
            self.answer();
        }
        true
    }

    /// When the stage after so many is due.
    fn due(&self, stages: usize) -> Time {
        if self.view.dead(self.view.region) {
            return self.view.now();
        }
        let hold = self.view.knobs.hold;
        if stages > 0 {
            return self.memory.staged_at + hold;
        }
        let Some(drill) = self.view.announced(self.view.region) else {
            return self.view.now();
        };
        let others = self.view.stages() as u64 - 1;
        let lead = hold
            .max(SETTLE)
            .0
            .saturating_add(hold.0.saturating_mul(others));
        Time(drill.at.0.saturating_sub(lead))
    }

    fn call_dark_capacity(&mut self) {
        if !self.view.knobs.dark_capacity || self.memory.capacity_called {
            return;
        }
        self.memory.capacity_called = true;
        let dark = |r: &&RegionId| self.view.telemetry.regions[**r].dark_capacity > 0.0;
        let called: Vec<RegionId> = self.targets.iter().filter(dark).copied().collect();
        if called.is_empty() {
            return;
        }
        for region in called {
            self.actions.push(Action::ActivateDark { region });
        }
        self.enter(Phase::ScaleUp);
    }

    /// What follows when the routes are there: isolation, DNS, calm. Returns when to look again.
    fn confirm(&mut self, ordered: bool) -> Option<Time> {
        let (knobs, now) = (self.view.knobs, self.view.now());
        if self.memory.stage < self.view.stages() {
            let due = self.due(self.memory.stage);
            return Some(if due > now { due } else { now + WATCH_CAPACITY });
        }
        let shifted = self.routes_spread(ordered);
        let covered = self.view.capacity_covers(&self.targets);
        if knobs.isolate
            && shifted
            && !matches!(self.memory.phase, Phase::Isolation | Phase::Stabilized)
        {
            self.actions.push(Action::Isolate {
                region: self.view.region,
                on: true,
            });
            self.enter(Phase::Isolation);
        }
        let may_move_dns = !knobs.dns_after_edge || (shifted && covered);
        if knobs.route_by_dns && !self.memory.dns_moved && may_move_dns {
            self.move_dns();
        }
        if self.memory.phase == Phase::Stabilized {
            return None;
        }
        if shifted && covered {
            self.enter(Phase::Stabilized);
            return None;
        }
        Some(
            now + if shifted {
                WATCH_CAPACITY
            } else {
                WATCH_ROUTES
            },
        )
    }
}
