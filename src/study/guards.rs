//! What came of the guards of faults.

use crate::model::measure::Measured;
use crate::model::outcome::Row;
use crate::model::scenario::Scenario;
use crate::stats::{Distribution, Share};
use crate::study::summary::GuardSummary;

/// Every guard of every fault.
pub fn summarize(scenario: &Scenario, rows: &[Row]) -> Vec<GuardSummary> {
    let mut found = Vec::new();
    for (f, fault) in scenario.faults.iter().enumerate() {
        for (g, guard) in fault.guards.iter().enumerate() {
            let breaches = rows.iter().flat_map(|row| &row.breaches);
            let times: Vec<Measured> = breaches
                .filter(|breach| (breach.fault, breach.guard) == (f, g))
                .map(|breach| Measured::Value(breach.at.since(fault.at).secs()))
                .collect();
            found.push(GuardSummary {
                name: format!(
                    "{} at {}: {} {}",
                    fault.kind, fault.at, guard.threshold.sli, guard.threshold.text
                ),
                action: match (guard.aborts, fault.drill) {
                    (false, _) => "warn",
                    (true, true) => "abort",
                    (true, false) => "failover",
                },
                breached: Share::of(times.len() as u64, rows.len() as u64),
                at_s: Distribution::of(&times),
            });
        }
    }
    found
}
