//! New connections that a move by DNS brings to the survivors, against what their balancers take.

use super::warn;
use crate::model::policy::{Scope, Spread};
use crate::model::scenario::{BalancerLimits, MarketId, RegionId, Scenario};
use crate::problem::Problem;
use crate::units::{human_secs, three_digits};
use crate::world::balancer::{refused, scaled_for};
use crate::world::plan::Plan;

/// Balancers that a move by DNS crushes.
pub fn crushed(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let knobs = &scenario.policy.knobs;
    let Some(limits) = &scenario.balancer else {
        return;
    };
    if !(knobs.failover && knobs.route_by_dns) {
        return;
    }
    let secs = plan.common_busiest_secs(scenario);
    let regions = 0..scenario.regions.len();
    let mut worst: Option<Crush> = None;
    for lost in regions.clone() {
        let offered = after_the_loss(scenario, plan, lost, secs);
        for region in regions.clone().filter(|r| *r != lost) {
            let limit = scaled_for(limits, plan.connections_planned(scenario, region));
            let crush = Crush {
                lost,
                region,
                offered: offered[region],
                limit,
            };
            let more = |worst: &Crush| crush.share() > worst.share();
            if crush.offered > limit && worst.as_ref().is_none_or(more) {
                worst = Some(crush);
            }
        }
    }
    if let Some(crush) = worst {
        found.push(crush.warning(scenario, limits));
    }
}

/// New connections per second of a survivor that are too many.
struct Crush {
    lost: RegionId,
    region: RegionId,
    offered: f64,
    limit: f64,
}

impl Crush {
    fn share(&self) -> f64 {
        refused(self.offered, self.limit)
    }

    fn warning(&self, scenario: &Scenario, limits: &BalancerLimits) -> Problem {
        let factor = self.offered / self.limit;
        // They grow while use is high, until nothing is refused.
        let until = if limits.scale_factor > 1.0 {
            let rounds = libm::log(factor) / libm::log(limits.scale_factor);
            let secs = rounds.ceil().max(1.0) * limits.scale_after.secs();
            format!("until they have scaled, {} later", human_secs(secs))
        } else {
            "and they never scale".into()
        };
        let (key, hint) = match limits.limit {
            Some(_) => (
                "limit",
                format!("raise it to {}/s", three_digits(self.offered)),
            ),
            None => {
                let needed = (1.0 + limits.headroom) * factor - 1.0;
                ("headroom", format!("raise it to {}", three_digits(needed)))
            }
        };
        warn(
            format!("balancer.{key}"),
            format!(
                "when DNS has moved the markets of {} at the busiest hour, the balancers of {} get {} new \
                 connections/s and take {}: {} % are refused {until}",
                scenario.regions[self.lost].name,
                scenario.regions[self.region].name,
                three_digits(self.offered),
                three_digits(self.limit),
                three_digits(100.0 * self.share()),
            ),
            &format!("{hint}, or move traffic by the edge alone: what is proxied passes them by"),
        )
    }
}

/// New connections per second at each region once DNS has moved those of a lost one.
fn after_the_loss(scenario: &Scenario, plan: &Plan, lost: RegionId, secs: f64) -> Vec<f64> {
    let moves = moved_share(scenario);
    let mut offered = vec![0.0; scenario.regions.len()];
    for m in 0..scenario.markets.len() {
        let (home, rate) = (scenario.markets[m].near[0], plan.demand[m].rate(secs));
        if home != lost {
            offered[home] += rate;
            continue;
        }
        for (sum, share) in offered.iter_mut().zip(split(scenario, plan, m, lost)) {
            *sum += rate * moves * share;
        }
    }
    offered
}

/// Share of the devices whose names the policy moves.
fn moved_share(scenario: &Scenario) -> f64 {
    match &scenario.policy.knobs.scope {
        Scope::Region => 1.0,
        Scope::Services(_) => 0.0,
        Scope::Devices(classes) => classes.iter().map(|&k| scenario.devices[k].share).sum(),
    }
}

/// Where a market of a lost region goes, as the policy spreads it; zeros: nowhere.
fn split(scenario: &Scenario, plan: &Plan, market: MarketId, lost: RegionId) -> Vec<f64> {
    let knobs = &scenario.policy.knobs;
    let market = &scenario.markets[market];
    let count = scenario.regions.len();
    let may = |r: RegionId| r != lost && market.may.as_ref().is_none_or(|may| may.contains(&r));
    let weighted = |weight: &dyn Fn(RegionId) -> f64| -> Option<Vec<f64>> {
        let weights = (0..count).map(|r| if may(r) { weight(r).max(0.0) } else { 0.0 });
        let weights: Vec<f64> = weights.collect();
        let sum: f64 = weights.iter().sum();
        (sum > 0.0 && sum.is_finite()).then(|| weights.iter().map(|w| w / sum).collect())
    };
    let capacity = |r: RegionId| {
        let dark = |v: usize| {
            if knobs.dark_capacity {
                plan.sized[r][v].dark
            } else {
                0
            }
        };
        plan.carries(plan.mix(r), &|v| {
            (plan.sized[r][v].serving + dark(v)) as f64
        })
    };
    let by_capacity = || {
        weighted(&|r| capacity(r) - plan.peak[r].total)
            .or_else(|| weighted(&capacity))
            .or_else(|| weighted(&|_| 1.0))
    };
    let split = match &knobs.spread {
        Spread::Spare => by_capacity(),
        Spread::Fixed(weights) => weighted(&|r| {
            let own = weights.iter().filter(|(region, _)| *region == r);
            own.map(|(_, weight)| *weight).sum()
        })
        .or_else(by_capacity),
        Spread::Nearest => {
            let next = market.near.iter().copied().find(|r| may(*r));
            weighted(&|r| if Some(r) == next { 1.0 } else { 0.0 })
        }
    };
    split.unwrap_or_else(|| vec![0.0; count])
}
