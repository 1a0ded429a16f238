//! What got worse or better against a saved result.

use crate::report::figure;
use crate::report::sentence::signed;
use crate::report::terminal::table::{Style, good, rendered};
use crate::report::terminal::{markdown, plain, wrapped};
use crate::study::{Against, Change, Trend};
use comfy_table::Cell;
use std::fmt::Write;

/// A table of what changed beyond chance, and how many figures did not.
pub fn against(against: &Against, path: &str, seed: u64, style: Style) -> String {
    let mut text = format!(
        "\n{}\n",
        style.title(2, &format!("Against {}", plain(path)))
    );
    let changed = |c: &&Change| c.verdict != Trend::Unclear;
    let rows: Vec<Vec<Cell>> = against.changes.iter().filter(changed).map(row).collect();
    let unclear = against.changes.len() - rows.len();
    if !rows.is_empty() {
        let header = ["variant", "figure", "was", "is", "change [95 %]", ""];
        text.push('\n');
        text.push_str(&rendered(&header, 2..5, 1..6, rows, style));
    }
    let mut words = match against.same_digest {
        true => "The same result, bit for bit.".to_string(),
        false => format!(
            "{} of {} figures are within what chance allows.",
            unclear,
            against.changes.len()
        ),
    };
    for (names, what) in [
        (&against.added, "not in it"),
        (&against.removed, "only in it"),
    ] {
        if !names.is_empty() {
            let _ = write!(words, " Variants {what}: {}.", plain(&names.join(", ")));
        }
    }
    let weather = match seed == against.seed {
        true => format!(
            "both with seed {seed}; a summary cannot be paired, so that the same weather counts for nothing"
        ),
        false => format!(
            "with seeds {} and {seed}: different weather, nothing is paired",
            against.seed
        ),
    };
    let _ = write!(
        words,
        "\nFrom intervals alone (Holm-corrected), {weather}; it is of scenario {} with {} replications.",
        plain(&against.scenario),
        figure::whole(against.replications)
    );
    text.push_str(&wrapped(&words, style));
    match style.markdown {
        true => format!("\n{}", markdown::paragraphs(&text)),
        false => text,
    }
}

fn row(change: &Change) -> Vec<Cell> {
    let value = |value| figure::value(change.unit, value);
    let difference = change.new - change.old;
    let ends = [Some(change.lo), Some(change.hi)];
    vec![
        Cell::new(&change.variant),
        Cell::new(&change.figure),
        Cell::new(value(change.old)),
        Cell::new(value(change.new)),
        Cell::new(format!(
            "{}\n{}",
            signed(change.unit, difference),
            figure::interval(change.unit, difference, ends)
        )),
        match change.verdict {
            Trend::Better => good(true, "better"),
            _ => good(false, "WORSE"),
        },
    ]
}
