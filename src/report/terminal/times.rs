//! Times from the fault, the RTO first.

use crate::model::observation::Unit;
use crate::model::scenario::Scenario;
use crate::report::figure;
use crate::report::terminal::table::{Style, bold, rendered};
use crate::stats::Distribution;
use crate::study::VariantSummary;
use crate::units::human_secs;
use comfy_table::Cell;

const RTO: &str = "rto";

/// Quantiles with intervals; empty where nothing happened that has a time.
pub fn table(scenario: &Scenario, variant: &VariantSummary, style: Style) -> String {
    let times = variant.times_s.0.iter().filter(|(_, time)| time.n > 0);
    let (rto, others): (Vec<_>, Vec<_>) = times.partition(|(name, _)| *name == RTO);
    let rows: Vec<Vec<Cell>> = rto
        .into_iter()
        .chain(others)
        .map(|(name, time)| row(name, time))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut text = rendered(
        &[
            "time from the fault",
            "p50",
            "[95 %]",
            "p95",
            "[95 %]",
            "longest",
            "no end in",
        ],
        1..7,
        0..7,
        rows,
        style,
    );
    if !scenario.objectives.is_empty() && variant.times_s.get(RTO).is_some_and(|rto| rto.n > 0) {
        text.push_str(&format!(
            "  The RTO counts whole windows of {}, in which objectives are held or broken\n",
            human_secs(scenario.sample.secs())
        ));
    }
    if scenario.objectives.is_empty() {
        text.push_str("  No objective: nothing can be broken, so the RTO is 0\n");
    }
    text
}

fn row(name: &str, time: &Distribution) -> Vec<Cell> {
    let cell = |text: String| {
        if name == RTO {
            bold(text)
        } else {
            Cell::new(text)
        }
    };
    let value = |value: Option<f64>| value.map_or_else(|| "beyond".to_string(), human_secs);
    let interval = |around: Option<f64>, ends| match around {
        Some(around) => figure::interval(Unit::Seconds, around, ends),
        None => String::new(),
    };
    let never = match time.censored {
        0 => String::new(),
        censored => figure::percent(censored as f64 / time.n as f64),
    };
    let name = match name {
        RTO => "RTO: all objectives hold".to_string(),
        "restore" => "restore (from detect)".to_string(),
        name => name.to_string(),
    };
    [
        name,
        value(time.p50),
        interval(time.p50, time.p50_ci),
        value(time.p95),
        interval(time.p95, time.p95_ci),
        value(time.max),
        never,
    ]
    .into_iter()
    .map(cell)
    .collect()
}
