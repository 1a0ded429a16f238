//! How large and how long single requests may be.

use crate::model::scenario::Scenario;
use crate::problem::Problem;
use crate::world::plan::Plan;

/// Times are kept to the nanosecond in 56 bits.
const LONGEST_SECS: f64 = 7e7;
/// Sessions in progress, each about a hundred bytes.
const MOST_SESSIONS: f64 = 1e8;

/// Whether a scenario is too large to be computed one request at a time.
pub fn limits(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let mut limit = |path: &str, message: String, hint: &str| {
        found.push(Problem {
            path: path.into(),
            message,
            hint: hint.into(),
            ..Problem::default()
        });
    };
    if scenario.horizon.secs() > LONGEST_SECS {
        let message = "single requests are followed for two years at most".to_string();
        limit(
            "horizon",
            message,
            "use --fidelity cohort, or a shorter horizon",
        );
    }
    let sessions = (0..scenario.markets.len()).map(|m| plan.playing(scenario, m, 0.0));
    let sessions: f64 = sessions.sum();
    if sessions > MOST_SESSIONS {
        let message = format!("{sessions:.0} sessions are too many to follow one by one");
        limit(
            "market",
            message,
            "use --scale 1/1000, or --fidelity cohort",
        );
    }
}
