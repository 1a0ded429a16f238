//! The hypotheses and their verdicts.

use crate::model::scenario::Scenario;
use crate::report::figure;
use crate::report::terminal::impact::with_ends;
use crate::report::terminal::table::{Style, rendered, verdict};
use crate::stats::{Verdict, more_needed};
use crate::study::{HypothesisSummary, VariantSummary};
use comfy_table::Cell;
use std::fmt::Write;

/// A row per hypothesis; below, what would settle those that are inconclusive.
pub fn table(
    scenario: &Scenario,
    variant: &VariantSummary,
    replications: u64,
    style: Style,
) -> String {
    if variant.hypotheses.is_empty() {
        return "  No hypothesis: nothing can pass or fail\n".to_string();
    }
    let judged = || variant.hypotheses.iter().zip(&scenario.hypotheses);
    let rows = judged().map(|(found, asked)| {
        let holds = found.holds.as_ref();
        vec![
            Cell::new(format!("{}\n  {}", found.name, found.claim)),
            Cell::new(holds.map_or_else(|| "-".to_string(), with_ends)),
            Cell::new(figure::percent(asked.at_least)),
            verdict(found.verdict),
        ]
    });
    let header = ["hypothesis", "holds in [95 %]", "wanted", "verdict"];
    let mut text = rendered(&header, 1..3, 0..4, rows.collect(), style);
    for (found, asked) in judged() {
        if found.verdict == Verdict::Inconclusive {
            let _ = writeln!(
                text,
                "  {}: {}",
                found.name,
                advice(found, asked.at_least, replications)
            );
        }
    }
    text
}

fn advice(found: &HypothesisSummary, at_least: f64, replications: u64) -> String {
    match more_needed(found.held, replications, at_least) {
        Some(more) => format!(
            "about {} more replications would tell (-n {})",
            figure::whole(more),
            replications + more
        ),
        None => "it holds in so nearly the share that is wanted that more replications hardly help"
            .to_string(),
    }
}
