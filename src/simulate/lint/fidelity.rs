//! What single requests cannot express: the one list of it.

use crate::model::scenario::Scenario;
use crate::problem::Problem;
use crate::world::plan::Plan;

/// Times are kept to the nanosecond in 56 bits.
const LONGEST_SECS: f64 = 7e7;
/// Sessions in progress, each about a hundred bytes.
const MOST_SESSIONS: f64 = 1e8;

/// Why a scenario cannot be computed one request at a time.
pub fn lacks(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let mut lack = |path: &str, message: String, hint: &str| {
        found.push(Problem {
            path: path.into(),
            message,
            hint: hint.into(),
            ..Problem::default()
        });
    };
    if scenario.horizon.secs() > LONGEST_SECS {
        let message = "single requests are followed for two years at most".to_string();
        lack(
            "horizon",
            message,
            "use --fidelity cohort, or a shorter horizon",
        );
    }
    let sessions = (0..scenario.markets.len()).map(|m| plan.playing(scenario, m, 0.0));
    let sessions: f64 = sessions.sum();
    if sessions > MOST_SESSIONS {
        let message = format!("{sessions:.0} sessions are too many to follow one by one");
        lack(
            "market",
            message,
            "use --scale 1/1000, or --fidelity cohort",
        );
    }
}
