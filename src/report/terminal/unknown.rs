//! How precisely things are known: both intervals where inputs are uncertain, and what was asked for.

use crate::model::measure::{Impact, Measure, TimeMeasure};
use crate::model::money::Money;
use crate::model::observation::Unit;
use crate::report::figure;
use crate::report::terminal::table::{Style, rendered};
use crate::study::{Unknown, UnknownMeasure, VariantSummary};
use comfy_table::Cell;
use std::fmt::Write;

/// Measures that are shown, in order.
const SHOWN: [(Measure, Unit); 5] = [
    (Measure::Time(TimeMeasure::Rto), Unit::Seconds),
    (Measure::Impact(Impact::FailedStarts), Unit::Count),
    (Measure::Impact(Impact::RebufferedViewers), Unit::Count),
    (Measure::Impact(Impact::Availability), Unit::Share),
    (Measure::Money(Money::Cost), Unit::UsdPerHour),
];

/// A row per measure that varies; empty where nothing is uncertain.
pub fn table(variant: &VariantSummary, style: Style) -> String {
    let Some(unknown) = &variant.unknown else {
        return String::new();
    };
    let shown = SHOWN.iter().filter_map(|(measure, unit)| {
        let name = measure.to_string();
        let found = unknown.measures.iter().find(|found| found.name == name);
        Some((found?, *unit))
    });
    let hypotheses = unknown.hypotheses.iter().map(|found| (found, Unit::Share));
    let rows: Vec<Vec<Cell>> = shown
        .chain(hypotheses)
        .map(|(found, unit)| row(found, unit))
        .collect();
    let header = [
        "with uncertain inputs",
        "mean",
        "[95 % of simulation]",
        "[90 % of what is unknown]",
    ];
    let mut text = rendered(&header, 1..4, 0..4, rows, style);
    let all = unknown.measures.iter().filter(|found| {
        let mut shown = SHOWN.iter();
        shown.any(|(measure, _)| measure.to_string() == found.name)
    });
    for found in all.chain(&unknown.hypotheses) {
        if let Some((by, path)) = moved_most(unknown, found) {
            let _ = writeln!(
                text,
                "  {} is moved most by {path} ({by:+.2}, rank correlation)",
                found.name
            );
        }
    }
    text
}

/// The input whose rank correlation is largest, if chance does not make it so.
fn moved_most<'a>(unknown: &'a Unknown, found: &UnknownMeasure) -> Option<(f64, &'a str)> {
    let moved = found.moved_by.iter().zip(&unknown.inputs);
    moved
        .filter_map(|(by, input)| Some(((*by)?, input.path.as_str())))
        .max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))
        .filter(|(by, _)| by.abs() > 3.0 / (unknown.beliefs as f64).sqrt())
}

fn row(found: &UnknownMeasure, unit: Unit) -> Vec<Cell> {
    let mean = found.simulation.as_ref().map(|of| of.mean);
    let interval = |ends| mean.map_or_else(String::new, |mean| figure::interval(unit, mean, ends));
    let simulation = found
        .simulation
        .as_ref()
        .map_or([None, None], |of| [of.lo, of.hi]);
    let outcome = found
        .outcome
        .map_or([None, None], |of| [Some(of.lo), Some(of.hi)]);
    [
        found.name.clone(),
        mean.map_or_else(|| "beyond".to_string(), |mean| figure::value(unit, mean)),
        interval(simulation),
        match found.outcome {
            Some(of) if of.variance_share <= 0.0 => "none seen beside luck".into(),
            _ => interval(outcome),
        },
    ]
    .into_iter()
    .map(Cell::new)
    .collect()
}

/// How precise it became, a line for each thing that was asked for.
pub fn precision(variant: &VariantSummary, replications: u64) -> String {
    let mut text = String::new();
    for found in &variant.precision {
        let n = figure::whole(replications);
        let reached = if found.reached {
            "reached"
        } else {
            "NOT reached"
        };
        let _ = write!(
            text,
            "Precision {}: {reached} after {n} replications, ",
            found.asked
        );
        let _ = match (found.estimate, found.half_width, found.wanted) {
            (Some(estimate), Some(half), Some(wanted)) => {
                let value = |value| figure::value(found.unit, value);
                let half = match (half == 0.0, found.unit) {
                    // Its interval has no width where all replications near it say the same.
                    (true, Unit::Seconds) => "within one window".to_string(),
                    _ => format!("±{}", value(half)),
                };
                let wanted = value(wanted);
                writeln!(
                    text,
                    "{} {half} where ±{wanted} was wanted",
                    value(estimate)
                )
            }
            _ => writeln!(
                text,
                "its interval has an open end: too few replications, or times without an end"
            ),
        };
    }
    text
}
