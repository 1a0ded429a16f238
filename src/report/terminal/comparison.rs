//! Every variant against the first.

use crate::model::observation::Unit;
use crate::report::figure;
use crate::report::sentence::{noun, signed, together, unit};
use crate::report::terminal::table::{Style, bold, rendered};
use crate::report::terminal::wrapped;
use crate::study::{Comparison, Evidence, Summary, fewest_pairs};
use comfy_table::{Attribute, Cell};
use std::fmt::Write;

/// Variants that get a table of their own beside their sentence, at most.
const MOST_TABLES: usize = 12;

/// A table per variant and a sentence below it; empty where there is nothing to compare with.
pub fn text(summary: &Summary, style: Style) -> String {
    let mut text = String::new();
    let Some(first) = summary.comparisons.first() else {
        return text;
    };
    let title = format!("Compared with {}", first.a);
    let _ = writeln!(text, "{}", style.title(2, &title));
    let mut rest = &summary.comparisons[..];
    while let Some(first) = rest.first() {
        let own = rest.iter().take_while(|c| c.b == first.b).count();
        let (comparisons, others) = rest.split_at(own);
        if summary.variants.len() <= MOST_TABLES + 1 {
            text.push('\n');
            text.push_str(&table(comparisons, style));
        }
        let all: Vec<&Comparison> = comparisons.iter().collect();
        text.push_str(&wrapped(&format!("{}.", together(&all)), style));
        rest = others;
    }
    text.push('\n');
    text.push_str(&wrapped(&method(summary, first.tests), style));
    text
}

/// What differs in any replication, a row each; the sentence below says what does not.
fn table(comparisons: &[Comparison], style: Style) -> String {
    let differing = |c: &&Comparison| c.evidence() != Evidence::Same;
    let rows: Vec<Vec<Cell>> = comparisons.iter().filter(differing).map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let first = &comparisons[0];
    let header = [
        "measure",
        &format!("{} (p50)", first.a),
        &format!("{} (p50)", first.b),
        "difference",
        "[95 %]",
        "relative",
        "p",
    ];
    rendered(&header, 1..7, 3..7, rows, style)
}

fn row(comparison: &Comparison) -> Vec<Cell> {
    let unit = unit(&comparison.of);
    let value = |value: Option<f64>| match value {
        Some(value) => figure::value(unit, value),
        None if comparison.pairs > 0 => "beyond".to_string(),
        None => "-".to_string(),
    };
    let (mean, ends) = match &comparison.difference {
        Some(difference) => (
            signed(unit, difference.mean),
            figure::interval(unit, difference.mean, [difference.lo, difference.hi]),
        ),
        None => ("-".to_string(), String::new()),
    };
    let p = Cell::new(probability(comparison.p_adjusted));
    vec![
        bold(noun(&comparison.of)),
        Cell::new(value(comparison.p50_a)),
        Cell::new(value(comparison.p50_b)),
        Cell::new(mean),
        Cell::new(ends),
        Cell::new(comparison.relative.map_or_else(String::new, percent)),
        match comparison.evidence() {
            Evidence::Apart => p.add_attribute(Attribute::Bold),
            _ => p,
        },
    ]
}

/// A relative difference: `+11 %`.
fn percent(relative: f64) -> String {
    // Only its size matters, not how near it is to nothing or to all.
    format!("{} %", signed(Unit::Count, 100.0 * relative))
}

fn probability(p: f64) -> String {
    match p {
        p if p < 0.001 => "< 0.001".to_string(),
        p => figure::value(Unit::Count, p),
    }
}

fn method(summary: &Summary, tests: u64) -> String {
    let fewest = fewest_pairs(tests);
    let few = match summary.replications < fewest {
        true => format!(
            " With {tests} comparisons at least {fewest} replications are needed to tell anything apart (-n {fewest})."
        ),
        false => String::new(),
    };
    format!(
        "Differences are of the same replication under both, in the same weather; means are over the \
         replications in which both have an end. p: the sign test over all replications, what has no \
         end counted as longest, Holm-corrected for all {tests} comparisons.{few}"
    )
}
