//! What losing something does to those who are left: one row of the table "N - 1".

use crate::model::measure::{Measure, Measured, SliSpan};
use crate::model::outcome::Row;
use crate::model::scenario::Scenario;
use crate::objectives::Columns;
use crate::stats::Estimate;
use crate::study::Plan;
use serde::Serialize;

/// The fault that takes a whole region.
const TAKES_REGION: &str = "region-dark";

/// A variant that loses something, seen from what survives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LossSummary {
    /// CPU of the busiest region that is not lost, in its worst minute until recovery: of all its pools
    /// together, so that a single one may be full while this is low.
    pub survivors_peak_cpu: Option<Estimate>,
    /// Share of eligible starts that fail, in the worst minute until recovery.
    pub shed_worst_minute: Option<Estimate>,
}

/// Measures that the summary of losses needs; none where no variant loses anything.
pub fn measures(plan: &Plan) -> Vec<Measure> {
    let losing = |variant: &&crate::study::Variant| variant.origin.target.is_some();
    let variants = plan.variants.iter().filter(losing);
    let regions = variants.flat_map(|variant| &variant.document.scenario().regions);
    regions.map(|region| cpu(&region.name)).collect()
}

/// What is left of a variant's replications.
pub fn summarize(scenario: &Scenario, columns: &Columns, rows: &[Row]) -> LossSummary {
    let lost = |region| {
        let mut faults = scenario.faults.iter();
        faults.any(|fault| fault.kind == TAKES_REGION && fault.region == Some(region))
    };
    let survivors = (0..scenario.regions.len()).filter(|&region| !lost(region));
    let cpus: Vec<usize> = survivors
        .filter_map(|region| columns.position(&cpu(&scenario.regions[region].name)))
        .collect();
    let known = |row: &Row, column: usize| match row.values[column] {
        Measured::Value(value) => Some(value),
        Measured::Absent | Measured::Censored => None,
    };
    let busiest = |row: &Row| {
        let each = cpus.iter().filter_map(|&column| known(row, column));
        each.reduce(f64::max)
    };
    let eligible = columns.position(&Measure::Sli {
        span: SliSpan::During,
        sli: "eligible_start_success".into(),
        region: None,
    });
    let shed = |row: &Row| Some(1.0 - known(row, eligible?)?);
    let estimate = |of: &dyn Fn(&Row) -> Option<f64>| {
        let values: Vec<f64> = rows.iter().filter_map(of).collect();
        Estimate::of(&values)
    };
    LossSummary {
        survivors_peak_cpu: estimate(&busiest),
        shed_worst_minute: estimate(&shed),
    }
}

fn cpu(region: &str) -> Measure {
    Measure::Sli {
        span: SliSpan::During,
        sli: "cpu".into(),
        region: Some(region.to_string()),
    }
}
