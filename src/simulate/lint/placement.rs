//! Where services live and markets may be served.

use super::warn;
use crate::model::scenario::Scenario;
use crate::problem::Problem;

/// Services in one region only without which requests fail.
pub fn single_regions(scenario: &Scenario, found: &mut Vec<Problem>) {
    let count = scenario.regions.len();
    if count < 2 {
        return;
    }
    // Without which some request fails: what is called critically by what is.
    let mut needed: Vec<bool> = (0..scenario.services.len())
        .map(|v| scenario.requests.iter().any(|request| request.to == v))
        .collect();
    for &caller in &scenario.call_order {
        for call in &scenario.services[caller].calls {
            needed[call.to] |= needed[caller] && call.critical;
        }
    }
    for (v, service) in scenario.services.iter().enumerate() {
        let Some([only]) = service.regions.as_deref() else {
            continue;
        };
        if needed[v] {
            found.push(warn(
                format!("service.{}.regions", service.name),
                format!(
                    "{} lives in {} only, and calls to it are critical: all {count} regions fail with that one",
                    service.name, scenario.regions[*only].name
                ),
                "deploy it in more regions, or give its callers a fallback",
            ));
        }
    }
}

/// Markets that may be served in one region only.
pub fn nowhere_to_go(scenario: &Scenario, found: &mut Vec<Problem>) {
    for market in &scenario.markets {
        if let (Some([only]), true) = (market.may.as_deref(), scenario.regions.len() > 1) {
            let name = &scenario.regions[*only].name;
            found.push(warn(
                format!("market.{}.may", market.name),
                format!("when {name} is lost {} has nowhere to go", market.name),
                "let another region serve it, or accept that it waits",
            ));
        }
    }
}
