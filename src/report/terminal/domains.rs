//! Domains of data: recovery and loss against their targets.

use crate::model::scenario::Scenario;
use crate::report::figure;
use crate::report::terminal::table::{Style, rendered, verdict};
use crate::stats::Distribution;
use crate::study::VariantSummary;
use crate::units::{Span, human_secs};
use comfy_table::Cell;

/// A row per domain; empty where there is none.
pub fn table(scenario: &Scenario, variant: &VariantSummary, style: Style) -> String {
    if variant.domains.0.is_empty() {
        return String::new();
    }
    let rows = scenario.domains.iter().zip(&variant.domains.0);
    let rows = rows.map(|(domain, (name, found))| {
        let lost = match found.reassigned.p95 {
            Some(viewers) if viewers > 0.0 => {
                format!("{} reassigned", figure::count(viewers))
            }
            _ => count(&found.lost_writes),
        };
        vec![
            Cell::new(name),
            Cell::new(domain.store.mode.name()),
            Cell::new(against(&found.rto_s, domain.rto)),
            Cell::new(against(&found.rpo_s, domain.rpo)),
            Cell::new(lost),
            Cell::new(count(&found.late_writes)),
            Cell::new(count(&found.conflicts)),
            verdict(found.verdict),
        ]
    });
    let header = [
        "domain (p95)",
        "mode",
        "RTO of",
        "RPO of",
        "lost",
        "late",
        "conflicts",
        "verdict",
    ];
    rendered(&header, 2..7, 0..8, rows.collect(), style)
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
