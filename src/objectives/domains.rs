//! Measures of a domain's data.

use crate::model::measure::{DomainMeasure, Measured};
use crate::model::outcome::Outcome;
use crate::model::scenario::Scenario;
use crate::objectives::Series;
use crate::objectives::judgement::Judgement;
use crate::objectives::recovery::recovery;

/// A measure of a domain in a replication; absent where the scenario has no such domain.
pub fn measure(
    kind: DomainMeasure,
    domain: &str,
    scenario: &Scenario,
    outcome: &Outcome,
    series: &Series,
) -> Measured {
    let Some(id) = scenario.domains.iter().position(|d| d.name == domain) else {
        return Measured::Absent;
    };
    let Some(found) = outcome.domains.get(id) else {
        return Measured::Absent;
    };
    let windows = &outcome.windows;
    match kind {
        DomainMeasure::Rto => match outcome.marks.fault {
            None => Measured::Absent,
            Some(fault) => {
                let judgement = Judgement::of_domain(scenario, windows, series, id);
                let (strikes, sustain) = (&outcome.marks.strikes, scenario.sustain);
                recovery(windows, &judgement, fault, strikes, sustain).rto
            }
        },
        DomainMeasure::Rpo => Measured::Value(found.rpo_secs),
        DomainMeasure::LostWrites => Measured::Value(found.lost_writes as f64),
        DomainMeasure::LateWrites => Measured::Value(found.late_writes as f64),
        DomainMeasure::Conflicts => Measured::Value(found.conflicts as f64),
        DomainMeasure::Reconcile => match found.reconcile_secs {
            Some(secs) => Measured::Value(secs),
            None => Measured::Censored,
        },
        DomainMeasure::Reassigned => Measured::Value(found.reassigned as f64),
        DomainMeasure::Exposure => Measured::Value(found.exposure_secs),
    }
}
