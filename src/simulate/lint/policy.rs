//! Knobs of the policy that do not fit together.

use super::warn;
use crate::model::policy::Scope;
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

/// A scope, where a region goes dark with all that is in it.
pub fn left_behind(scenario: &Scenario, found: &mut Vec<Problem>) {
    let knobs = &scenario.policy.knobs;
    let dark = scenario.faults.iter().find(|f| f.kind == "region-dark");
    let Some(region) = dark.and_then(|fault| fault.region) else {
        return;
    };
    if knobs.failover && knobs.scope != Scope::Region {
        let name = &scenario.regions[region].name;
        found.push(warn(
            "policy.scope".into(),
            format!("what is not in the scope stays with {name} when it goes dark, and fails"),
            "write scope = \"region\", or let edges retry what fails",
        ));
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

/// Proxies that are to send a dark region's traffic elsewhere, and are dark with it.
pub fn proxies_that_die(scenario: &Scenario, found: &mut Vec<Problem>) {
    let knobs = &scenario.policy.knobs;
    if !(knobs.failover && knobs.route_by_edge) || scenario.edge.global {
        return;
    }
    let dark = scenario.faults.iter().find(|f| f.kind == "region-dark");
    let Some(region) = dark.and_then(|fault| fault.region) else {
        return;
    };
    let name = &scenario.regions[region].name;
    let rest = match knobs.route_by_dns {
        true => "only DNS moves what enters there",
        false => "and nothing else moves what enters there",
    };
    found.push(warn(
        "edge.global".into(),
        format!(
            "{} proxies at the edge, but the edge of {name} goes dark with its region and can proxy \
             nothing: {rest}",
            scenario.policy.name
        ),
        "write edge.global = true if the edge stands above the regions, or route by DNS",
    ));
}
