//! Pools that follow their load, against the headroom that they are planned with.

use super::warn;
use crate::model::scenario::Scenario;
use crate::problem::Problem;
use crate::units::three_digits;

/// Targets of CPU at which a pool is smaller than its headroom plans.
pub fn targets(scenario: &Scenario, found: &mut Vec<Problem>) {
    for service in &scenario.services {
        let planned = 1.0 / (1.0 + service.headroom);
        let Some(rules) = service
            .scaling
            .as_ref()
            .filter(|_| service.instances.is_none())
        else {
            continue;
        };
        if rules.target > planned + 1e-9 {
            let percent = |share: f64| three_digits(100.0 * share);
            found.push(warn(
                format!("service.{}.scaling.target", service.name),
                format!(
                    "it keeps CPU at {} %, where a headroom of {} leaves {} %: the pool begins smaller \
                     than planned, and must launch to carry what the headroom is for",
                    percent(rules.target),
                    three_digits(service.headroom),
                    percent(planned)
                ),
                "set it to 1 / (1 + headroom) or lower, or remove it",
            ));
        }
    }
}
