//! Limits on requests in flight, against what is in flight on a calm day.

use super::warn;
use crate::model::scenario::{RegionId, Scenario};
use crate::problem::Problem;
use crate::traffic::serving;
use crate::units::three_digits;
use crate::world::plan::Plan;

/// A refused share that nobody minds.
const NOTED: f64 = 1e-3;

/// A limit of the proxies that refuses requests for their own region at the busiest hour.
pub fn limits(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let Some(limit) = scenario.edge.origin_limit else {
        return;
    };
    let worst = (0..scenario.regions.len())
        .map(|r| (r, in_flight(scenario, plan, r)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let Some((region, each)) = worst else {
        return;
    };
    // Only the product of rate and time counts.
    let refused = serving::refused(f64::from(limit), each, 1.0);
    if refused > NOTED {
        found.push(warn(
            "edge.origin_limit".into(),
            format!(
                "at the busiest hour a proxy of {} has {} requests in flight to its own region on average: a limit of {limit} refuses {} %",
                scenario.regions[region].name,
                three_digits(each),
                three_digits(100.0 * refused)
            ),
            "raise the limit, or have more proxies: fewer edge.slots, or more edge.headroom",
        ));
    }
}

/// Requests in flight from one proxy to its own region at the busiest hour: their rate times their mean
/// response time.
fn in_flight(scenario: &Scenario, plan: &Plan, region: RegionId) -> f64 {
    let (load, markets) = (&plan.peak[region], scenario.markets.len());
    let mut sum = 0.0;
    for (q, paths) in plan.paths.iter().enumerate() {
        let means = paths.means();
        for m in 0..markets {
            let rate = load.requests[q * markets + m];
            let miss = |cache: usize| load.miss[cache * markets + m];
            sum += rate * (means.secs(&miss) - plan.edge_secs).max(0.0);
        }
    }
    sum / plan.proxies[region].max(1) as f64
}
