//! The failover that all policies share, as their knobs say. Pure, and safe to be called at any
//! moment: what was ordered is in the memory, and nothing is ordered twice.
//!
//! A region is evacuated when it is believed dead: all at once, since what would stay is lost. With
//! stages or pre-warmed caches, a drill's announcement is acted on too: caches are warmed and dark
//! capacity is called at once, then the traffic leaves in stages while the region is healthy.
//!
//! Failing open: a region of which nothing is known is left as it is, and where no region is left to
//! take the traffic nothing is ordered.

use super::spread;
use super::view::View;
use crate::model::action::Action;
use crate::model::policy::{Decision, Knobs, Memory, Phase, RegionMemory, nothing};
use crate::model::scenario::RegionId;
use crate::model::telemetry::{MarketTelemetry, Telemetry};
use crate::units::{Span, Time};

/// Routes count as changed when this share of the proxies has them.
const ROUTES_CHANGED: f64 = 0.99;
/// The last stage of an announced evacuation is ordered at least so long before the region goes
/// dark: two polls of 30 s. Guess.
const SETTLE: Span = Span(60_000_000_000);
/// How often the routes are looked at while they spread. Guess.
const WATCH_ROUTES: Span = Span(1_000_000_000);
/// How often the capacity is looked at while it is short of the need. Guess.
const WATCH_CAPACITY: Span = Span(10_000_000_000);

/// What to do now about every region.
pub fn decide(knobs: &Knobs, telemetry: &Telemetry, memory: &Memory) -> Decision {
    if !knobs.failover {
        return nothing(knobs, telemetry, memory);
    }
    let count = telemetry.regions.len();
    let mut decision = Decision {
        actions: Vec::new(),
        memory: memory.clone(),
        wake: None,
    };
    decision
        .memory
        .regions
        .resize(count, RegionMemory::default());
    for region in 0..count {
        let view = View {
            knobs,
            telemetry,
            region,
        };
        let targets = view.targets();
        if telemetry.regions[region].dead.is_none() || targets.is_empty() {
            continue;
        }
        let wake = Failover {
            view,
            targets,
            memory: &mut decision.memory.regions[region],
            actions: &mut decision.actions,
        }
        .proceed();
        decision.wake = [decision.wake, wake].into_iter().flatten().min();
    }
    decision
}

/// One region's failover.
struct Failover<'a> {
    view: View<'a>,
    targets: Vec<RegionId>,
    memory: &'a mut RegionMemory,
    actions: &'a mut Vec<Action>,
}

impl Failover<'_> {
    /// Does what is due; returns when to look again.
    fn proceed(mut self) -> Option<Time> {
        let calm = matches!(self.memory.phase, Phase::Normal | Phase::FailbackReady);
        if !self.view.evacuates(self.view.region) {
            self.reroute_if_targets_were_lost();
            if !calm {
                self.end();
            }
            return None;
        }
        if calm {
            self.enter(Phase::FailoverInitiated);
            self.memory.dns_moved = false;
            self.memory.capacity_called = false;
            self.memory.prewarmed = false;
        }
        self.prewarm();
        let ordered = self.shift();
        self.call_dark_capacity();
        self.confirm(ordered)
    }

    fn enter(&mut self, phase: Phase) {
        self.memory.phase = phase;
        self.memory.since = self.view.now();
        self.actions.push(Action::EnterPhase {
            region: self.view.region,
            phase,
        });
    }

    /// The region is healthy again, or its drill is over. Routes stay as they are.
    fn end(&mut self) {
        if self.memory.stage == 0 {
            self.enter(Phase::Normal);
            return;
        }
        let isolated = matches!(self.memory.phase, Phase::Isolation | Phase::Stabilized);
        if self.view.knobs.isolate && isolated {
            self.actions.push(Action::Isolate {
                region: self.view.region,
                on: false,
            });
        }
        self.enter(Phase::FailbackReady);
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
            let shares = self.spread(market);
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
        if self.view.dead(self.view.region) {
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
        self.route();
        if before == 0 {
            self.enter(Phase::RouteShift);
        }
        true
    }

    /// When the stage after so many is due.
    fn due(&self, stages: usize) -> Time {
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

    /// Sends the traffic of a former target elsewhere when that target is to be empty itself.
    fn reroute_if_targets_were_lost(&mut self) -> bool {
        let lost = (0..self.view.telemetry.regions.len()).any(|r| {
            self.memory.targets & bits(&[r]) != 0
                && self.view.evacuates(r)
                && !self.targets.contains(&r)
        });
        if lost {
            self.route();
        }
        lost
    }

    /// Orders the routes of the present stage.
    fn route(&mut self) {
        self.memory.targets = bits(&self.targets);
        if !self.view.knobs.route_by_edge {
            return;
        }
        let moved = self.view.moved(self.memory.stage);
        let from = self.view.region;
        let shares = self.view.telemetry.markets.iter().map(|market| {
            let mut shares = self.spread(market);
            shares.iter_mut().for_each(|share| *share *= moved);
            shares[from] += 1.0 - moved;
            shares
        });
        let shares = shares.collect();
        self.actions.push(Action::SetRoutes { from, shares });
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
            return Some(self.due(self.memory.stage));
        }
        let current = self.view.telemetry.regions[self.view.region].routes_current;
        // Telemetry from before the order says nothing about it.
        let shifted = !ordered && (!knobs.route_by_edge || current >= ROUTES_CHANGED);
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

    /// Takes the region, and every other that is to be empty, out of the answers of DNS.
    fn move_dns(&mut self) {
        self.memory.dns_moved = true;
        let view = self.view;
        for market in &view.telemetry.markets {
            let leaves = |r: RegionId| r == view.region || view.evacuates(r);
            let weights: Vec<f64> = (0..view.telemetry.regions.len())
                .map(|r| spread::amount(market.dns.get(r).copied().unwrap_or(0.0)))
                .collect();
            if weights[view.region] <= 0.0 {
                continue;
            }
            let Some(weights) = spread::normalized(weights) else {
                continue;
            };
            let moved: f64 = (0..weights.len())
                .filter(|r| leaves(*r))
                .map(|r| weights[r])
                .sum();
            let shares = self.spread(market);
            let weights = (0..weights.len())
                .map(|r| moved * shares[r] + if leaves(r) { 0.0 } else { weights[r] })
                .collect();
            self.actions.push(Action::SetDns {
                market: market.market,
                weights,
            });
        }
    }

    fn spread(&self, market: &MarketTelemetry) -> Vec<f64> {
        spread::shares(
            &self.view.knobs.spread,
            &self.view.telemetry.regions,
            market,
            &self.targets,
            self.view.knobs.dark_capacity,
        )
    }
}

/// A set of regions as bits. Regions beyond the 64th, which a scenario cannot have, are left out.
fn bits(regions: &[RegionId]) -> u64 {
    regions
        .iter()
        .filter(|region| **region < 64)
        .fold(0, |bits, region| bits | 1 << region)
}
