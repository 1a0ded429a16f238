//! What it did to viewers.

use crate::model::observation::Unit;
use crate::report::figure;
use crate::report::terminal::table::{Style, rendered};
use crate::stats::{Distribution, Share};
use crate::study::VariantSummary;
use comfy_table::Cell;
use std::fmt::Write;

/// Quantiles of impacts, then what is a share of replications.
pub fn table(variant: &VariantSummary, style: Style) -> String {
    let impacts = variant
        .impact
        .of
        .0
        .iter()
        .filter(|(_, impact)| impact.n > 0);
    let rows: Vec<Vec<Cell>> = impacts.map(|(name, impact)| row(name, impact)).collect();
    let mut text = match rows.is_empty() {
        true => String::new(),
        false => rendered(
            &["impact", "p50", "[95 %]", "p95", "[95 %]", "largest"],
            1..6,
            0..6,
            rows,
            style,
        ),
    };
    if let Some(availability) = &variant.availability {
        let half = availability
            .hi
            .zip(availability.lo)
            .map(|(hi, lo)| 0.5 * (hi - lo));
        let mean = figure::mean(Unit::Share, availability.mean, half);
        let _ = writeln!(text, "  availability {mean}");
    }
    let shares = [
        (
            "still broken after fault and load are over (metastable)",
            &variant.metastable,
        ),
        (
            "a region broke that no fault hit (toppled)",
            &variant.toppled,
        ),
    ];
    for (what, share) in shares {
        if let Some(share) = share.filter(|share| share.share > 0.0) {
            let _ = writeln!(text, "  {what}: in {} of replications", with_ends(&share));
        }
    }
    text
}

/// A share with its interval: `98.5 % [97.9 %, 98.9 %]`.
pub fn with_ends(share: &Share) -> String {
    let ends = [Some(share.lo), Some(share.hi)];
    let interval = figure::interval(Unit::Share, share.share, ends);
    format!("{} {interval}", figure::percent(share.share))
}

fn row(name: &str, impact: &Distribution) -> Vec<Cell> {
    let unit = match name {
        "downtime_minutes" | "broken_minutes" => Unit::Minutes,
        "error_budget_spent" => Unit::Share,
        _ => Unit::Count,
    };
    let value = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| figure::value(unit, v));
    let interval = |around: Option<f64>, ends| match around {
        Some(around) => figure::interval(unit, around, ends),
        None => String::new(),
    };
    [
        name.to_string(),
        value(impact.p50),
        interval(impact.p50, impact.p50_ci),
        value(impact.p95),
        interval(impact.p95, impact.p95_ci),
        value(impact.max),
    ]
    .into_iter()
    .map(Cell::new)
    .collect()
}
