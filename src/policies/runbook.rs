//! The failover that all policies share, as their knobs say. Pure, and safe to be called at any
//! moment: what was ordered is in the memory, and nothing is ordered twice but what did not happen.
//!
//! A region is evacuated when it is believed dead: all at once, since what would stay is lost. One
//! that is failing leaves in stages, if the policy has any. With stages or pre-warmed caches, a
//! drill's announcement is acted on too: caches are warmed and dark capacity is called at once, then
//! the traffic leaves in stages while the region is healthy.
//!
//! A region that is well again gets its traffic back if failback is automatic, or if its drill was
//! aborted; otherwise routes stay as they are.
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

mod again;
mod answers;
mod failback;
mod failover;
mod gates;

/// Routes count as changed when this share of the proxies has them.
const ROUTES_CHANGED: f64 = 0.99;
/// How often the routes are looked at while they spread. Guess.
const WATCH_ROUTES: Span = Span(1_000_000_000);
/// How often the capacity and the gates are looked at while they are short of the need. Guess.
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
    let regions = &mut decision.memory.regions;
    regions.resize(count, RegionMemory::default());
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
        let away = decision.memory.regions.iter().map(|m| view.away(m));
        let wake = Incident {
            away: away.collect(),
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

/// What is done about one region.
struct Incident<'a> {
    view: View<'a>,
    targets: Vec<RegionId>,
    /// Share of each region's traffic that is elsewhere.
    away: Vec<f64>,
    memory: &'a mut RegionMemory,
    actions: &'a mut Vec<Action>,
}

impl Incident<'_> {
    /// Does what is due; returns when to look again.
    fn proceed(mut self) -> Option<Time> {
        let anew = self.ask_again();
        if self.view.evacuates(self.view.region) {
            return self.evacuate(anew);
        }
        self.reroute_if_targets_were_lost();
        if self.memory.phase == Phase::Normal {
            return None;
        }
        if anew.routes {
            self.route();
        }
        if anew.answers {
            self.answer_if_moved();
        }
        self.recover()
    }

    fn enter(&mut self, phase: Phase) {
        self.memory.phase = phase;
        self.memory.since = self.view.now();
        self.actions.push(Action::EnterPhase {
            region: self.view.region,
            phase,
        });
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
        self.away[self.view.region] = self.view.away(self.memory);
        if !self.view.knobs.route_by_edge {
            return;
        }
        let from = self.view.region;
        let moved = self.away[from];
        let regions = self.view.telemetry.regions.len();
        let shares = self.view.telemetry.markets.iter().map(|market| {
            let Some(mut shares) = self.spread(market) else {
                let mut stays = vec![0.0; regions];
                stays[from] = 1.0;
                return stays;
            };
            shares.iter_mut().for_each(|share| *share *= moved);
            shares[from] += 1.0 - moved;
            shares
        });
        let shares = shares.collect();
        self.actions.push(Action::SetRoutes { from, shares });
    }

    /// Whether the newest routes have spread; an order of this very decision has not.
    fn routes_spread(&self, ordered: bool) -> bool {
        let current = self.view.telemetry.regions[self.view.region].routes_current;
        // Telemetry from before the order says nothing about it.
        !ordered && (!self.view.knobs.route_by_edge || current >= ROUTES_CHANGED)
    }

    /// Where a market's traffic goes; `None` where it may be served by none of the targets.
    fn spread(&self, market: &MarketTelemetry) -> Option<Vec<f64>> {
        let may = |r: &RegionId| market.may.get(*r).copied().unwrap_or(true);
        let allowed: Vec<RegionId> = self.targets.iter().copied().filter(may).collect();
        if allowed.is_empty() {
            return None;
        }
        Some(spread::shares(
            &self.view.knobs.spread,
            &self.view.telemetry.regions,
            market,
            &allowed,
            self.view.knobs.dark_capacity,
        ))
    }
}

/// A set of regions as bits. Regions beyond the 64th, which a scenario cannot have, are left out.
fn bits(regions: &[RegionId]) -> u64 {
    regions
        .iter()
        .filter(|region| **region < 64)
        .fold(0, |bits, region| bits | 1 << region)
}
