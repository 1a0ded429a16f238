//! Every variant against the first.

use crate::model::observation::Unit;
use crate::report::figure;
use crate::report::sentence::{noun, signed, together, unit};
use crate::report::terminal::table::{Style, bold, rendered};
use crate::report::terminal::wrapped;
use crate::study::{Comparison, Evidence, Summary, fewest_pairs};
use comfy_table::{Attribute, Cell};
use std::fmt::Write;

/// Other variants that get rows in tables beside their sentence, at most.
const MOST_ROWS: usize = 12;

/// A table per measure and a sentence per variant; empty where there is nothing to compare with.
pub fn text(summary: &Summary, style: Style) -> String {
    let mut text = String::new();
    let Some(first) = summary.comparisons.first() else {
        return text;
    };
    let title = format!("Compared with {}", first.a);
    let _ = writeln!(text, "{}\n", style.title(2, &title));
    if summary.variants.len() <= MOST_ROWS + 1 {
        let mut told: Vec<&str> = Vec::new();
        for comparison in &summary.comparisons {
            if !told.contains(&&*comparison.measure) {
                told.push(&comparison.measure);
                text.push_str(&table(summary, &comparison.measure, style));
            }
        }
    }
    for others in summary.comparisons.chunk_by(|one, next| one.b == next.b) {
        let all: Vec<&Comparison> = others.iter().collect();
        let bullet = if style.markdown { "- " } else { "" };
        let sentence = format!("{bullet}{}.", together(&all));
        text.push_str(&wrapped(&sentence, style));
    }
    text.push('\n');
    text.push_str(&wrapped(&method(summary, first.tests), style));
    text
}

/// A row per variant; empty where the measure is the same in all replications of all of them.
fn table(summary: &Summary, measure: &str, style: Style) -> String {
    let of_it: Vec<&Comparison> = summary
        .comparisons
        .iter()
        .filter(|comparison| comparison.measure == measure)
        .collect();
    if of_it.iter().all(|c| c.evidence() == Evidence::Same) {
        return String::new();
    }
    let first = of_it[0];
    let mut rows = vec![vec![
        bold(&first.a),
        Cell::new(value(first, first.p50_a)),
        Cell::new(""),
        Cell::new(""),
        Cell::new(""),
        Cell::new(""),
    ]];
    rows.extend(of_it.iter().map(|comparison| row(comparison)));
    let header = [
        &*noun(&first.of),
        "p50",
        "difference",
        "[95 %]",
        "relative",
        "p",
    ];
    rendered(&header, 1..6, 0..6, rows, style) + "\n"
}

/// A value of a measure; beyond the horizon where there is none although there are pairs.
fn value(comparison: &Comparison, value: Option<f64>) -> String {
    match value {
        Some(value) => figure::value(unit(&comparison.of), value),
        None if comparison.pairs > 0 => "beyond".to_string(),
        None => "-".to_string(),
    }
}

fn row(comparison: &Comparison) -> Vec<Cell> {
    let unit = unit(&comparison.of);
    let (mean, ends) = match &comparison.difference {
        Some(difference) => (
            signed(unit, difference.mean),
            figure::interval(unit, difference.mean, [difference.lo, difference.hi]),
        ),
        None => ("-".to_string(), String::new()),
    };
    let (mean, ends) = match comparison.evidence() {
        Evidence::Same => ("the same".to_string(), String::new()),
        _ => (mean, ends),
    };
    let p = match comparison.evidence() {
        Evidence::Same => Cell::new(""),
        _ => Cell::new(probability(comparison.p_adjusted)),
    };
    vec![
        bold(&comparison.b),
        Cell::new(value(comparison, comparison.p50_b)),
        Cell::new(mean),
        Cell::new(ends),
        Cell::new(match comparison.relative {
            Some(relative) if relative != 0.0 => percent(relative),
            _ => String::new(),
        }),
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
         end counted as longest, Holm-corrected for all {tests} comparisons.{}{few}",
        worth(summary)
    )
}

/// What the same weather is worth, by the comparison that gains least and the one that gains most.
fn worth(summary: &Summary) -> String {
    let gains = || summary.comparisons.iter().filter_map(|c| c.pairing);
    let least = gains().fold(f64::INFINITY, f64::min);
    let most = gains().fold(0.0, f64::max);
    let times = |gain: f64| figure::count(if gain >= 10.0 { gain.round() } else { gain });
    match most > 0.0 {
        false => String::new(),
        true if times(least) == times(most) => {
            format!(
                " In different weather the same intervals would take {} times as many replications.",
                times(most)
            )
        }
        true => format!(
            " In different weather the same intervals would take {} to {} times as many replications.",
            times(least),
            times(most)
        ),
    }
}
