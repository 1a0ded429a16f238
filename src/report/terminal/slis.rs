//! The drill table: every SLI before, during and after.

use crate::model::measure::Threshold;
use crate::model::observation::Unit;
use crate::model::scenario::Scenario;
use crate::report::figure;
use crate::report::terminal::table::{Style, bold, good, rendered};
use crate::slis;
use crate::stats::Estimate;
use crate::study::{SliSummary, VariantSummary};
use comfy_table::Cell;

/// Means over replications; SLIs that were never observed are left out.
pub fn table(scenario: &Scenario, variant: &VariantSummary, style: Style) -> String {
    let mut rows = Vec::new();
    for (name, spans) in &variant.slis.0 {
        let unit = slis::find(name).map_or(Unit::Count, |sli| sli.unit());
        let cells = [&spans.before, &spans.during, &spans.after];
        if cells.iter().all(|cell| cell.is_none()) {
            continue;
        }
        let thresholds: Vec<&Threshold> = scenario
            .objectives
            .iter()
            .map(|objective| &objective.threshold)
            .filter(|threshold| threshold.sli == *name)
            .collect();
        let texts: Vec<&str> = thresholds.iter().map(|t| t.text.trim()).collect();
        let mut row = match thresholds.is_empty() {
            true => vec![Cell::new(name)],
            false => vec![bold(name)],
        };
        row.extend(cells.iter().map(|cell| mean(unit, cell)));
        row.push(Cell::new(texts.join(", ")));
        row.push(match thresholds.is_empty() {
            true => Cell::new(""),
            false => kept(&thresholds, spans),
        });
        rows.push(row);
    }
    let header = ["SLI", "before", "during", "after", "objective", "kept"];
    let mut text =
        "  Means over replications; during: the worst minute until recovery\n".to_string();
    text.push_str(&rendered(&header, 1..4, 0..4, rows, style));
    text
}

fn mean(unit: Unit, estimate: &Option<Estimate>) -> Cell {
    Cell::new(match estimate {
        None => "-".to_string(),
        Some(estimate) => figure::mean(unit, estimate.mean, half(estimate)),
    })
}

fn half(estimate: &Estimate) -> Option<f64> {
    Some(0.5 * (estimate.hi? - estimate.lo?))
}

/// In which spans the mean keeps the objective.
fn kept(thresholds: &[&Threshold], spans: &SliSummary) -> Cell {
    let holds = |estimate: &Option<Estimate>| {
        estimate
            .as_ref()
            .is_none_or(|e| thresholds.iter().all(|t| t.op.holds(e.mean, t.value)))
    };
    let broken: Vec<&str> = [
        ("before", &spans.before),
        ("during", &spans.during),
        ("after", &spans.after),
    ]
    .into_iter()
    .filter(|(_, estimate)| !holds(estimate))
    .map(|(span, _)| span)
    .collect();
    match &broken[..] {
        [] => good(true, "yes"),
        [.., "after"] => good(false, "no"),
        _ => good(false, &format!("not {}", broken.join(", "))),
    }
}
