//! Capacity after the loss of a region.

use super::warn;
use crate::engine::law;
use crate::model::measure::Op;
use crate::model::scenario::{RegionId, Scenario, ServiceId};
use crate::model::work::{WorkSource, Worker};
use crate::problem::Problem;
use crate::units::{human_secs, three_digits};
use crate::world::plan::Plan;
use crate::world::scaling;

/// What a service has and needs when the region is lost whose loss hurts it most.
struct Loss {
    region: RegionId,
    /// Slots that all markets keep busy at their common busiest hour.
    busy: f64,
    /// Slots in service in all regions.
    total: f64,
    /// Of these, in the survivors.
    left: f64,
    /// The same with dark capacity.
    with_dark: f64,
    /// Slots that the survivors' headroom is relative to.
    planned: f64,
}

impl Loss {
    /// `None` where no other region takes over: what lives in one region only is lost with it, and work
    /// that arrives by itself in a region waits there.
    fn worst(scenario: &Scenario, plan: &Plan, v: ServiceId) -> Option<Loss> {
        let lives = |r: &RegionId| plan.graph.has(*r, v);
        let stays = |worker: &Worker| matches!(worker.source, WorkSource::Rate { .. });
        if (0..scenario.regions.len()).filter(lives).count() < 2
            || scenario.services[v].worker.as_ref().is_some_and(stays)
        {
            return None;
        }
        let each = f64::from(scenario.services[v].slots);
        let regions = 0..scenario.regions.len();
        let slots = |r: RegionId| plan.sized[r][v].serving as f64 * each;
        let dark = |r: RegionId| plan.sized[r][v].dark as f64 * each;
        let total: f64 = regions.clone().map(slots).sum();
        let busy = plan.common_busy[v];
        regions
            .clone()
            .filter(|&lost| lives(&lost) && plan.peak[lost].busy[v] > 0.0)
            .map(|lost| {
                let survivors = || regions.clone().filter(|&r| r != lost);
                let left = survivors().map(slots).sum();
                Loss {
                    region: lost,
                    busy,
                    total,
                    left,
                    with_dark: left + survivors().map(dark).sum::<f64>(),
                    planned: survivors().map(|r| plan.peak[r].busy[v]).sum(),
                }
            })
            .min_by(|a, b| a.left.total_cmp(&b.left))
    }
}

/// Survivors that cannot carry the load of a lost region, or run too hot with it.
pub fn survivors(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    if scenario.regions.len() < 2 {
        return;
    }
    let cpu = scenario
        .objectives
        .iter()
        .find(|o| o.threshold.sli == "cpu" && matches!(o.threshold.op, Op::Less | Op::AtMost))
        .map(|o| o.threshold.value);
    for (v, service) in scenario.services.iter().enumerate() {
        let Some(loss) = Loss::worst(scenario, plan, v) else {
            continue;
        };
        let path = format!("service.{}.headroom", service.name);
        let name = &scenario.regions[loss.region].name;
        if loss.left < loss.busy {
            let dark = if loss.with_dark < loss.busy {
                format!("{} with dark capacity", three_digits(loss.with_dark))
            } else {
                "dark capacity covers it once it is called".into()
            };
            let critical = classes_at(scenario, plan, v) == 1;
            let worker = service.worker.is_some();
            let enough = match service.instances {
                Some(instances) => {
                    let factor = loss.busy / loss.left.max(f64::MIN_POSITIVE);
                    format!(
                        "raise its instances to {:.0} or more",
                        (f64::from(instances) * factor).ceil()
                    )
                }
                None => {
                    let planned = match loss.planned > 0.0 {
                        true => loss.planned,
                        false => loss.left / (1.0 + service.headroom),
                    };
                    // A hundredth too much is enough, one too little is not.
                    let needed = (100.0 * (loss.busy / planned - 1.0) - 1e-6).ceil() / 100.0;
                    format!("raise its headroom to {} or more", three_digits(needed))
                }
            };
            let growth = Growth::of(scenario, plan, v, &loss);
            found.push(warn(
                path,
                format!(
                    "{}survivors cannot carry the {} of {name} at the busiest hour: {} slots busy in all, {} left ({dark}; {}){}",
                    if critical { "a pool of one priority is not N+1, and shedding cannot help it: " } else { "" },
                    if worker { "work" } else { "load" },
                    three_digits(loss.busy),
                    three_digits(loss.left),
                    growth.say(&loss),
                    if worker { ": nobody waits for it, and its backlog grows" } else { "" },
                ),
                &if matches!(growth, Growth::Ordered { .. }) {
                    "until then the rest is shed: raise `standby` to have more there at once".into()
                } else if critical {
                    enough
                } else if worker {
                    format!("{enough}, or accept that it falls behind until {name} is back")
                } else {
                    format!(
                        "what it cannot carry is shed, the least important first if the policy sheds by \
                         priority; or {enough}"
                    )
                },
            ));
        } else if let Some(limit) = cpu.filter(|&limit| loss.busy / loss.left > limit) {
            let percent = |share: f64| format!("{:.0} %", 100.0 * share);
            found.push(warn(
                path,
                format!(
                    "after the loss of {name} the survivors run at {} CPU, the objective is {}: steady CPU is {}, and at most {} would do",
                    percent(loss.busy / loss.left),
                    percent(limit),
                    percent(loss.busy / loss.total),
                    percent(limit * loss.left / loss.total),
                ),
                "raise its headroom",
            ));
        }
    }
}

/// What autoscaling makes of a service in the survivors.
enum Growth {
    /// Nothing scales it.
    None,
    /// So many slots in the end, and how long it takes until the load is carried, if it ever is.
    Until {
        /// Slots.
        slots: f64,
        /// In seconds.
        secs: f64,
        /// Whether the quota of a region is what ends it.
        by_quota: bool,
    },
    /// The policy launches what regions that stand by lack.
    Ordered {
        /// Slots in the end.
        slots: f64,
        /// Until they are there, in seconds.
        secs: f64,
    },
}

impl Growth {
    fn of(scenario: &Scenario, plan: &Plan, v: ServiceId, loss: &Loss) -> Growth {
        let service = &scenario.services[v];
        let Some(rules) = &service.scaling else {
            return Growth::ordered(scenario, plan, v, loss);
        };
        let each = f64::from(service.slots);
        let limits = &scenario.launches;
        let survivors = (0..scenario.regions.len()).filter(|&r| r != loss.region);
        let hosts: Vec<RegionId> = survivors
            .filter(|&r| plan.sized[r][v].serving > 0)
            .collect();
        // Every survivor takes its part of what is missing.
        let factor = loss.busy / loss.left.max(f64::MIN_POSITIVE);
        let (mut slots, mut secs, mut by_quota) = (0.0, 0.0_f64, false);
        for &r in &hosts {
            let planned = plan.sized[r][v].serving;
            let most = scaling::most(rules, planned).max(planned) as f64;
            let present: u64 = plan.sized[r].iter().map(|s| s.serving + s.dark).sum();
            let allowed = planned as f64 + (limits.quota - present as f64).max(0.0).floor();
            by_quota |= allowed < most;
            slots += most.min(allowed) * each;
            let launched = planned as f64 * (factor - 1.0);
            let rounds = (libm::log(factor) / libm::log1p(rules.step_out) - 1e-9).ceil();
            let pause = rules.cooldown_out.max(rules.interval).secs();
            let throttled = (launched - limits.burst).max(0.0) / limits.per_sec;
            secs = secs.max((rounds - 1.0).max(0.0) * pause + throttled);
        }
        let boot = law::mean(&service.boot) + law::mean(&service.discovery);
        Growth::Until {
            slots,
            secs: rules.delay.secs() + rules.interval.secs() + secs + boot,
            by_quota,
        }
    }

    /// What a policy that pre-scales brings without autoscaling.
    fn ordered(scenario: &Scenario, plan: &Plan, v: ServiceId, loss: &Loss) -> Growth {
        let service = &scenario.services[v];
        let knobs = &scenario.policy.knobs;
        let standby = scenario.standby.iter().filter(|r| **r != loss.region);
        let lacking = |r: &RegionId| plan.sized[*r][v].full - plan.sized[*r][v].serving;
        let lacks: Vec<u64> = standby.map(lacking).collect();
        let instances: u64 = lacks.iter().sum();
        if !(knobs.failover && knobs.prescale && service.scalable) || instances == 0 {
            return Growth::None;
        }
        let limits = &scenario.launches;
        let throttled = |lacks: &u64| (*lacks as f64 - limits.burst).max(0.0) / limits.per_sec;
        let throttled = lacks.iter().map(throttled).fold(0.0, f64::max);
        let boot = law::mean(&service.boot) + law::mean(&service.discovery);
        Growth::Ordered {
            slots: loss.left + instances as f64 * f64::from(service.slots),
            secs: throttled + boot,
        }
    }

    /// In words.
    fn say(&self, loss: &Loss) -> String {
        match *self {
            Growth::None => "nothing scales it".into(),
            Growth::Ordered { slots, secs } => format!(
                "the policy launches up to {}, some {} after its order",
                three_digits(slots),
                human_secs(secs)
            ),
            Growth::Until {
                slots,
                secs,
                by_quota,
            } => {
                let slots_said = three_digits(slots);
                if slots >= loss.busy {
                    let secs = human_secs(secs);
                    format!("autoscaling can bring {slots_said}, and carries it after some {secs}")
                } else {
                    let limit = match by_quota {
                        true => "the quota of a region ends it",
                        false => "its `most` ends it",
                    };
                    format!("{slots_said} after autoscaling: {limit}")
                }
            }
        }
    }
}

/// Launches that take longer than the error budget lasts while survivors lack capacity.
pub fn launches(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let Some(lasts_secs) = budget_lasts_secs(scenario) else {
        return;
    };
    for (v, service) in scenario.services.iter().enumerate() {
        let Some(loss) = Loss::worst(scenario, plan, v) else {
            continue;
        };
        let short = 1.0 - loss.left.max(loss.with_dark) / loss.busy;
        let launch = law::mean(&service.boot) + law::mean(&service.discovery);
        if short > 0.0 && launch > lasts_secs / short {
            found.push(warn(
                format!("service.{}.boot", service.name),
                format!(
                    "an instance takes {} from its launch until it serves; after the loss of {} the error budget of {} lasts {}",
                    human_secs(launch),
                    scenario.regions[loss.region].name,
                    scenario.budget.window,
                    human_secs(lasts_secs / short)
                ),
                "keep the capacity in service or dark, launch faster, or set a budget that fits",
            ));
        }
    }
}

/// How long the error budget lasts when everything fails at the busiest hour, in seconds.
fn budget_lasts_secs(scenario: &Scenario) -> Option<f64> {
    let busiest: f64 = scenario.markets.iter().map(|m| m.starts).sum();
    let allowed = scenario.allowed_failures();
    (busiest > 0.0).then(|| allowed / busiest / scenario.demand)
}

/// How many priority classes reach a service.
fn classes_at(scenario: &Scenario, plan: &Plan, service: usize) -> usize {
    let mut reached = vec![vec![false; plan.graph.priorities.len()]; scenario.services.len()];
    for &(entry, class) in &plan.graph.entries {
        reached[entry][class] = true;
    }
    for &caller in &scenario.call_order {
        for link in &plan.graph.nodes[caller].calls {
            for class in 0..plan.graph.priorities.len() {
                if reached[caller][class] {
                    let lower = link.priority.map_or(class, |p| p.max(class));
                    reached[link.to][lower] = true;
                }
            }
        }
    }
    reached[service].iter().filter(|&&r| r).count()
}
