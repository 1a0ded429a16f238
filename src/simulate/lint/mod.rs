//! What can be said of a scenario before it runs: what makes it unfit, what an experienced engineer
//! would warn of, and what its faults will hit.
//!
//! | module | what it looks at |
//! |---|---|
//! | `balancers` | new connections after a move by DNS, against what balancers take |
//! | `calls` | timeouts, attempts, stores behind caches |
//! | `capacity` | what is left after the loss of a region |
//! | `data` | targets of domains, against their stores |
//! | `demand` | measured demand with an hour that no other day comes near |
//! | `goals` | what is asked, against what the inputs allow |
//! | `origins` | limits on requests in flight |
//! | `placement` | where services live and markets may be served |
//! | `policy` | knobs that do not fit together |
//! | `scaling` | pools that follow their load, against their headroom |
//! | `facts` | what there is, and what faults will hit |

mod balancers;
mod calls;
mod capacity;
mod data;
mod demand;
mod facts;
mod fidelity;
mod goals;
mod origins;
mod placement;
mod policy;
mod scaling;
#[cfg(test)]
mod tests;

pub use facts::{deployment, measured, targets};

use super::Simulator;
use crate::model::fidelity::Fidelity;
use crate::model::observation::Observation;
use crate::model::scenario::{Scenario, Variation};
use crate::problem::Problem;
use crate::slis;
use crate::units::{Span, three_digits};
use crate::world::plan::Plan;

/// Replications and length of the calm run on which objectives are judged before any fault.
const CALM_RUNS: u64 = 4;
const CALM_SECS: f64 = 60.0;

/// What makes a scenario unfit to run although each value is fine: an objective that is broken
/// before any fault, or what is too large for its fidelity. Places are left empty: the caller knows them.
pub fn errors(scenario: &Scenario) -> Vec<Problem> {
    let mut problems = Vec::new();
    if scenario.fidelity == Fidelity::Request {
        fidelity::limits(scenario, &Plan::new(scenario), &mut problems);
    }
    // In small, chance alone breaks what the whole keeps.
    if scenario.objectives.is_empty() || scenario.scale < 1.0 {
        return problems;
    }
    let calm = calm(scenario);
    for (i, objective) in scenario.objectives.iter().enumerate() {
        let threshold = &objective.threshold;
        let value = slis::find(&threshold.sli).and_then(|sli| sli.measure(&calm));
        if let Some(value) = value.filter(|&v| !threshold.op.holds(v, threshold.value)) {
            problems.push(Problem {
                path: format!("objective[{i}]"),
                message: format!(
                    "{} {} is broken before any fault: it is {} on a calm day",
                    threshold.sli,
                    threshold.text,
                    three_digits(value)
                ),
                hint: "loosen the objective, add capacity, or lower the ambient failures".into(),
                ..Problem::default()
            });
        }
    }
    problems
}

/// What an experienced engineer would warn of, with the numbers.
pub fn warnings(scenario: &Scenario) -> Vec<Problem> {
    let plan = Plan::new(scenario);
    let mut found = Vec::new();
    calls::slow_calls(scenario, &plan, &mut found);
    calls::retry_storms(scenario, &plan, &mut found);
    capacity::survivors(scenario, &plan, &mut found);
    calls::cold_stores(scenario, &plan, &mut found);
    demand::outliers(scenario, &mut found);
    goals::missing(scenario, &mut found);
    goals::stickiness(scenario, &mut found);
    goals::blind_spots(scenario, &mut found);
    goals::baseline(scenario, &mut found);
    goals::guards(scenario, &mut found);
    capacity::launches(scenario, &plan, &mut found);
    placement::single_regions(scenario, &mut found);
    placement::nowhere_to_go(scenario, &mut found);
    balancers::crushed(scenario, &plan, &mut found);
    origins::limits(scenario, &plan, &mut found);
    policy::steps_without_hold(scenario, &mut found);
    policy::nothing_to_scale(scenario, &mut found);
    policy::left_behind(scenario, &mut found);
    policy::proxies_that_die(scenario, &mut found);
    data::stores(scenario, &mut found);
    scaling::targets(scenario, &mut found);
    found
}

fn warn(path: String, message: String, hint: &str) -> Problem {
    Problem {
        path,
        message,
        hint: hint.into(),
        ..Problem::default()
    }
}

/// The scenario's first minute without faults and without common shocks, merged.
fn calm(scenario: &Scenario) -> Observation {
    let mut quiet = scenario.clone();
    quiet.faults.clear();
    // Whether it is broken on average is the same in either fidelity.
    quiet.fidelity = Fidelity::Cohort;
    quiet.variation = Variation::default();
    quiet.horizon = Span::from_secs(CALM_SECS)
        .max(quiet.sample)
        .min(scenario.horizon);
    let simulator = Simulator::new(&quiet);
    let mut merged = Observation::default();
    for replication in 0..CALM_RUNS {
        for window in simulator.run(0, replication).windows {
            merged.merge(&window.global);
        }
    }
    merged
}
