//! Domains of data: recovery and loss against their targets.

use crate::model::scenario::Scenario;
use crate::report::figure;
use crate::report::terminal::table::{Style, rendered, verdict};
use crate::stats::Distribution;
use crate::study::VariantSummary;
use crate::units::{Span, human_secs};
use comfy_table::Cell;
use std::fmt::Write;

/// A row per domain; empty where there is none.
pub fn table(scenario: &Scenario, variant: &VariantSummary, style: Style) -> String {
    if variant.domains.0.is_empty() {
        return String::new();
    }
    let rows = scenario.domains.iter().zip(&variant.domains.0);
    let rows = rows.map(|(domain, (name, found))| {
        vec![
            Cell::new(name),
            Cell::new(against(&found.rto_s, domain.rto)),
            Cell::new(against(&found.rpo_s, domain.rpo)),
            Cell::new(count(&found.lost_writes)),
            Cell::new(count(&found.conflicts)),
            verdict(found.verdict),
        ]
    });
    let header = [
        "domain (p95)",
        "RTO / target",
        "RPO / target",
        "lost",
        "conflicts",
        "verdict",
    ];
    let mut text = rendered(&header, 1..5, 0..1, rows.collect(), style);
    for (name, found) in &variant.domains.0 {
        if let Some(viewers) = found.reassigned.p95.filter(|&viewers| viewers > 0.0) {
            let viewers = figure::count(viewers);
            let _ = writeln!(text, "  {name}: {viewers} viewers are assigned anew");
        }
    }
    text
}

fn against(time: &Distribution, target: Option<Span>) -> String {
    let value = match time.p95 {
        Some(secs) => human_secs(secs),
        None if time.n > 0 => "beyond".into(),
        None => "-".into(),
    };
    match target {
        Some(target) => format!("{value} / {target}"),
        None => value,
    }
}

fn count(of: &Distribution) -> String {
    of.p95.map_or_else(|| "-".into(), figure::count)
}
