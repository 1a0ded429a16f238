//! Knobs of the policy that do not fit together.

use super::warn;
use crate::model::scenario::Scenario;
use crate::problem::Problem;

/// Stages that follow each other at once.
pub fn steps_without_hold(scenario: &Scenario, found: &mut Vec<Problem>) {
    let knobs = &scenario.policy.knobs;
    let back = &knobs.failback;
    let steps = [
        (
            "policy.hold",
            knobs.failover,
            knobs.stages.len(),
            knobs.hold,
        ),
        (
            "policy.failback.hold",
            knobs.failover && back.automatic,
            back.stages.len(),
            back.hold,
        ),
    ];
    for (path, used, stages, hold) in steps {
        if used && stages > 1 && hold.is_zero() {
            found.push(warn(
                path.into(),
                format!("{stages} stages without a hold are one: nobody sees whether it hurts"),
                "hold each stage for as long as a window of the SLIs, or longer",
            ));
        }
    }
}

/// A failover that is to launch first, where nothing may be launched.
pub fn nothing_to_scale(scenario: &Scenario, found: &mut Vec<Problem>) {
    let knobs = &scenario.policy.knobs;
    if knobs.failover && knobs.prescale && !scenario.services.iter().any(|s| s.scalable) {
        found.push(warn(
            "policy.prescale".into(),
            "no service is scalable: nothing is launched for a failover".into(),
            "remove it, or let services scale",
        ));
    }
}
