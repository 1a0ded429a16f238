//! Calls: timeouts, attempts, and stores behind caches.

use super::warn;
use crate::model::scenario::Scenario;
use crate::problem::Problem;
use crate::units::{human_secs, three_digits};
use crate::world::plan::{Load, Plan};

/// Timeouts below the mean response.
pub fn slow_calls(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    for (v, service) in scenario.services.iter().enumerate() {
        for (j, call) in service.calls.iter().enumerate() {
            let points = &plan.graph.nodes[v].calls[j].response_secs;
            let mean = points.iter().sum::<f64>() / points.len() as f64;
            if call.timeout_secs < mean {
                found.push(warn(
                    format!("service.{}.calls[{j}].timeout", service.name),
                    format!(
                        "the timeout of {} is below the mean response of {}, {}",
                        human_secs(call.timeout_secs),
                        scenario.services[call.to].name,
                        human_secs(mean)
                    ),
                    "most of these calls will time out although the work is done",
                ));
            }
        }
    }
}

/// Attempts that multiply to more than there is capacity for.
pub fn retry_storms(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let clients = scenario
        .devices
        .iter()
        .map(|class| f64::from(class.attempts).min(1.0 + class.retry_budget) * class.share)
        .sum::<f64>();
    // Where work that nobody waits for is dropped, attempts alone do not keep a service down.
    let services = scenario.services.iter().enumerate();
    for (v, service) in services.filter(|(_, service)| !service.cancel) {
        // The most attempts that one request can turn into on its way here.
        let mut most = vec![0.0_f64; scenario.services.len()];
        for &entry in &plan.graph.entries {
            most[entry.0] = most[entry.0].max(clients);
        }
        for &caller in &scenario.call_order {
            for call in &scenario.services[caller].calls {
                most[call.to] = most[call.to].max(most[caller] * f64::from(call.attempts));
            }
        }
        for (r, region) in scenario.regions.iter().enumerate() {
            let slots = plan.sized[r][v].serving as f64 * f64::from(service.slots);
            let busy = plan.peak[r].busy[v];
            if busy > 0.0 && busy * most[v] > slots {
                found.push(warn(
                    format!("service.{}", service.name),
                    format!(
                        "vulnerable to a retry storm in {}: up to {} attempts times {} busy slots is {}, capacity is {}",
                        region.name,
                        three_digits(most[v]),
                        three_digits(busy),
                        three_digits(busy * most[v]),
                        three_digits(slots)
                    ),
                    "fewer attempts, a retry budget, or more headroom",
                ));
                break;
            }
        }
    }
}

/// Stores behind caches, when a market arrives that the cache does not know.
pub fn cold_stores(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let markets = plan.graph.markets;
    for (c, &(caller, j)) in plan.graph.cached.iter().enumerate() {
        let call = &scenario.services[caller].calls[j];
        let store = &scenario.services[call.to];
        for lost in 0..scenario.regions.len() {
            // All of the lost region's lookups miss at first, shared by the survivors, but for those of
            // the common catalogue where a survivor knows it.
            let arriving: f64 = plan.peak[lost].lookups[c * markets..(c + 1) * markets]
                .iter()
                .sum();
            let shared = arriving / (scenario.regions.len() - 1).max(1) as f64;
            for r in (0..scenario.regions.len()).filter(|&r| r != lost) {
                let load = &plan.peak[r];
                let missing = shared * missing_share(scenario, load, (c, caller, j));
                let cold = load.busy[call.to] + missing * plan.graph.nodes[call.to].mean_secs;
                let slots = plan.sized[r][call.to].serving as f64 * f64::from(store.slots);
                if missing > 0.0 && cold > slots {
                    found.push(warn(
                        format!("service.{}.calls[{j}].cache", scenario.services[caller].name),
                        format!(
                            "{} in {} cannot carry the misses of a cold market: at first {} slots, {}; it has {}",
                            store.name,
                            scenario.regions[r].name,
                            three_digits(cold),
                            match load.busy[call.to] {
                                steady if steady > 1e-3 * cold => {
                                    format!("{} times its steady load", three_digits(cold / steady))
                                }
                                _ => "and next to nothing in its steady state".into(),
                            },
                            three_digits(slots)
                        ),
                        "pre-warm, shift in stages, or give the store more headroom",
                    ));
                    return;
                }
            }
        }
    }
}

/// Share of the lookups of a market that arrives at a cache that miss at first: those of its own
/// catalogue, and of the common one what the markets that are served there already miss.
fn missing_share(scenario: &Scenario, load: &Load, (c, caller, j): (usize, usize, usize)) -> f64 {
    let cache = scenario.services[caller].calls[j].cache.as_ref();
    let common = cache.map_or(0.0, |cache| cache.common);
    let markets = scenario.markets.len();
    let cells = c * markets..(c + 1) * markets;
    let all: f64 = load.lookups[cells.clone()].iter().sum();
    if all <= 0.0 {
        return 1.0;
    }
    let lookups = load.lookups[cells.clone()].iter();
    let missed: f64 = lookups
        .zip(&load.miss[cells])
        .map(|(n, miss)| n * miss)
        .sum();
    1.0 - common + common * missed / all
}
