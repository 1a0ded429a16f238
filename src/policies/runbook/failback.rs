//! Traffic goes back to a region that is well again: after a stable time, through gates, in stages,
//! and out again when it hurts.

use super::{Incident, WATCH_CAPACITY, WATCH_ROUTES};
use crate::model::action::Action;
use crate::model::policy::{Phase, RegionMemory};
use crate::units::Time;

/// Instances count as in service, and caches as warm, at these shares.
const BOOTED: f64 = 0.99;
const WARM: f64 = 0.95;

impl Incident<'_> {
    /// The region need not be empty any longer. Returns when to look again.
    pub(super) fn recover(&mut self) -> Option<Time> {
        let now = self.view.now();
        let at_once = self.view.aborted(self.view.region);
        if self.memory.stage == 0 {
            self.finish();
            return None;
        }
        if self.memory.well_since.is_none() {
            self.memory.well_since = Some(now);
            let isolated = matches!(self.memory.phase, Phase::Isolation | Phase::Stabilized);
            if self.view.knobs.isolate && isolated {
                self.actions.push(Action::Isolate {
                    region: self.view.region,
                    on: false,
                });
            }
        }
        self.freeze();
        if !self.view.knobs.failback.automatic && !at_once {
            if self.memory.phase != Phase::FailbackReady {
                self.enter(Phase::FailbackReady);
            }
            return None;
        }
        let under_way = self.memory.phase == Phase::GradualReturn;
        if !under_way {
            if let Some(later) = self.wait_for_return(at_once) {
                return Some(later);
            }
            if self.memory.phase != Phase::FailbackReady {
                self.enter(Phase::FailbackReady);
            }
            let agreed = self.view.telemetry.regions[self.view.region].may_return;
            if !agreed && !at_once {
                return None;
            }
        } else if !at_once && self.hurts() {
            self.abort();
            return Some(now + WATCH_CAPACITY);
        }
        self.send_back(at_once)
    }

    /// When to look again, if the region is not ready to take traffic.
    fn wait_for_return(&mut self, at_once: bool) -> Option<Time> {
        let now = self.view.now();
        let (knobs, back) = (self.view.knobs, &self.view.knobs.failback);
        if !at_once {
            let well = self.memory.well_since.unwrap_or(now) + back.stable;
            let pause = match self.memory.hurt {
                true => knobs.cool_down.max(back.back_off),
                false => knobs.cool_down,
            };
            let ready = well.max(self.memory.left_at + pause);
            if now < ready {
                return Some(ready);
            }
            self.warm_for_return();
        }
        let known = &self.view.telemetry.regions[self.view.region];
        let data = !back.gate_data || known.replicated;
        let instances = !back.gate_instances || known.booted >= BOOTED;
        let open = data && instances && (at_once || self.caches_warm());
        (!open).then_some(now + WATCH_CAPACITY)
    }

    fn caches_warm(&mut self) -> bool {
        if !self.view.knobs.failback.gate_caches {
            return true;
        }
        let now = self.view.now();
        let since = *self.memory.gated_since.get_or_insert(now);
        let warmed = self.view.telemetry.regions[self.view.region].warmed;
        // What this very decision asks for cannot be seen yet.
        (warmed >= WARM && since < now) || now >= since + self.view.knobs.gate_deadline
    }

    /// Warms the region's caches for the markets that come back.
    fn warm_for_return(&mut self) {
        if !self.view.knobs.failback.gate_caches || self.memory.return_warmed {
            return;
        }
        self.memory.return_warmed = true;
        self.memory.gated_since = None;
        let region = self.view.region;
        let planned = |weights: &[f64]| weights.get(region).is_some_and(|weight| *weight > 0.0);
        for market in &self.view.telemetry.markets {
            if market.near.first() == Some(&region) || planned(&market.planned) {
                self.actions.push(Action::Prewarm {
                    region,
                    market: market.market,
                });
            }
        }
    }

    /// Whether what has come back does the region no good. What is missing says nothing.
    fn hurts(&self) -> bool {
        let back = &self.view.knobs.failback;
        let known = &self.view.telemetry.regions[self.view.region];
        known.error_rate.is_some_and(|rate| rate > back.most_errors)
            || known
                .utilisation
                .is_some_and(|busy| busy > back.most_utilisation)
    }

    /// Everything goes out again, and stays out for a while.
    fn abort(&mut self) {
        self.memory.returned = 0;
        self.memory.hurt = true;
        self.memory.return_warmed = false;
        self.memory.left_at = self.view.now();
        self.route();
        self.answer_if_moved();
        self.enter(Phase::Stabilized);
    }

    /// Orders the stages of the return that are due, and ends it when all of them are there.
    fn send_back(&mut self, at_once: bool) -> Option<Time> {
        let now = self.view.now();
        let all = self.view.return_stages();
        let before = self.memory.returned.min(all);
        let mut returned = before;
        if at_once {
            returned = all;
        }
        while returned < all && self.return_due(returned) <= now {
            returned += 1;
            self.memory.returned_at = now;
        }
        self.memory.returned = returned;
        let ordered = returned > before;
        if ordered {
            self.memory.returned_at = now;
            if self.memory.phase != Phase::GradualReturn {
                self.enter(Phase::GradualReturn);
            }
            self.route();
            // Behind an edge that decides, DNS goes back with the first stage: what enters here is
            // still served elsewhere. Without one, DNS is what the stages are made of.
            if before == 0 || !self.view.knobs.route_by_edge || self.view.knobs.dns_stages {
                self.answer_if_moved();
            }
        }
        if returned < all {
            return Some(self.return_due(returned));
        }
        if !self.routes_spread(ordered) {
            return Some(now + WATCH_ROUTES);
        }
        self.finish();
        None
    }

    fn return_due(&self, returned: usize) -> Time {
        match returned {
            0 => self.view.now(),
            _ => self.memory.returned_at + self.view.knobs.failback.hold,
        }
    }

    /// Changes the answers of DNS, if DNS was changed for this region.
    pub(super) fn answer_if_moved(&mut self) {
        if !self.view.knobs.route_by_dns || !self.memory.dns_moved {
            return;
        }
        let region = self.view.region;
        let staged = !self.view.knobs.route_by_edge || self.view.knobs.dns_stages;
        let away = self.away[region];
        if !staged && self.memory.returned > 0 {
            self.away[region] = 0.0;
        }
        self.answer();
        self.away[region] = away;
    }

    /// All is as it was: what was ordered for the evacuation is taken back.
    fn finish(&mut self) {
        let region = self.view.region;
        if std::mem::take(&mut self.memory.frozen) {
            self.actions
                .push(Action::FreezeScaleIn { region, on: false });
        }
        let others = (0..self.away.len()).any(|r| r != region && self.away[r] > 0.0);
        if self.memory.capacity_called && self.memory.stage > 0 && !others {
            for &target in &self.targets {
                if self.memory.targets & super::bits(&[target]) != 0 {
                    self.actions.push(Action::ReleaseDark { region: target });
                }
            }
        }
        self.enter(Phase::Normal);
        *self.memory = RegionMemory {
            since: self.memory.since,
            left_at: self.memory.left_at,
            ..RegionMemory::default()
        };
    }
}
