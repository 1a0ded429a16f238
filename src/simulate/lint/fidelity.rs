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
    let counted = "use --fidelity cohort, or leave it out";
    for service in scenario.services.iter().filter(|service| service.cancel) {
        let message =
            "single requests that nobody waits for any more are always served".to_string();
        lack(
            &format!("service.{}.cancel", service.name),
            message,
            counted,
        );
    }
    for class in &scenario.devices {
        let at = |key: &str| format!("device.{}.{key}", class.name);
        let message = "single requests know retry_budget alone".to_string();
        if class.retry_burst.is_some() {
            lack(&at("retry_burst"), message.clone(), counted);
        }
        if class.retry_breaker < 1.0 {
            lack(&at("retry_breaker"), message, counted);
        }
    }
    for (i, fault) in scenario.faults.iter().enumerate() {
        if fault.hang && fault.kind == "zone-loss" {
            let message = "single requests fail at once in a lost zone".to_string();
            lack(&format!("fault[{i}].mode"), message, counted);
        }
    }
}
