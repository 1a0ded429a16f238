//! From rows to equal buckets: the step is found, gaps are filled, counting noise is averaged out.

use super::moment::{Millis, show};
use super::rows::Row;
use crate::scenario::layer::MOST_VALUES;
use crate::scenario::quantity::Wrong;
use crate::units::human_secs;
use std::collections::{BTreeMap, BTreeSet};

/// Mean count of a bucket from which on the noise of counting, at most 5 %, is left in.
const ENOUGH: f64 = 400.0;
/// Longest bucket that is made to average noise out, in milliseconds: the planner's unit.
const HOUR: Millis = 3_600_000;
/// Most buckets before they are averaged.
const MOST_BUCKETS: i64 = 5_000_000;

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// As many in the bucket.
    Bucket,
    /// As many in so many seconds.
    Secs(u32),
}

/// A rate in equal buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// When the first bucket begins.
    pub begins: Millis,
    /// Length of a bucket.
    pub every: Millis,
    /// Mean rate of each bucket, per second.
    pub rates: Vec<f64>,
    /// Rows without which they were made.
    pub filled: u64,
}

/// How rows become buckets.
pub struct Shaping {
    /// What a value counts.
    pub per: Per,
    /// Longest gap that is filled; `None`: an hour, or two rows.
    pub gap: Option<Millis>,
    /// Length of a bucket; `None`: as long as it takes.
    pub resample: Option<Millis>,
}

/// Makes a series of rows in order.
///
/// Of the moments `unsure`, which the clocks go through twice and the file has once, both passes are
/// filled, however long that gap is.
pub fn series(
    rows: &[Row],
    unsure: &BTreeSet<Millis>,
    shown: &str,
    shaping: &Shaping,
) -> Result<Series, Wrong> {
    let step = step(rows, shown)?;
    let longest = shaping.gap.unwrap_or(HOUR.max(2 * step));
    let count = 1 + (rows[rows.len() - 1].at - rows[0].at) / step;
    if count > MOST_BUCKETS {
        return Err(Wrong::new(
            format!("{shown} spans {count} steps"),
            format!("at most {MOST_BUCKETS}: cut it to the part that is needed"),
        ));
    }
    let per_sec = match shaping.per {
        Per::Bucket => 1e3 / step as f64,
        Per::Secs(secs) => 1.0 / f64::from(secs),
    };
    let mut rates = Vec::with_capacity(count as usize);
    for pair in rows.windows(2) {
        let [before, after] = pair else {
            unreachable!("windows of two")
        };
        let steps = (after.at - before.at) / step;
        let both = 2 * unsure.range(before.at..after.at).count() as i64;
        if (steps - 1 - both) * step > longest {
            return Err(Wrong::new(
                format!(
                    "{shown}, line {}: {} without values before it",
                    after.line,
                    span((steps - 1) * step)
                ),
                format!(
                    "gaps of up to {} are filled; allow longer ones with gap = \"{}s\", or cut the file",
                    span(longest),
                    (steps - 1) * step / 1_000,
                ),
            ));
        }
        // A straight line from value to value.
        for i in 0..steps {
            let share = i as f64 / steps as f64;
            rates.push((before.value * (1.0 - share) + after.value * share) * per_sec);
        }
    }
    rates.push(rows[rows.len() - 1].value * per_sec);
    if rates.iter().all(|&rate| rate == 0.0) {
        return Err(Wrong::new(
            format!("{shown}: all values are zero"),
            "give a value above zero",
        ));
    }
    let times = match shaping.resample {
        Some(wanted) if wanted % step != 0 => {
            return Err(Wrong::new(
                format!("{shown} has a value every {}", span(step)),
                "resample to a whole multiple of it",
            ));
        }
        Some(wanted) => (wanted / step) as usize,
        None => averaged(&rates, step),
    };
    let filled = rates.len() as u64 - rows.len() as u64;
    let buckets: Vec<f64> = rates
        .chunks_exact(times)
        .map(|part| part.iter().sum::<f64>() / times as f64)
        .collect();
    if buckets.is_empty() || buckets.len() > MOST_VALUES {
        return Err(Wrong::new(
            format!(
                "{shown} makes {} buckets of {}",
                buckets.len(),
                span(times as Millis * step)
            ),
            format!(
                "at least one and at most {MOST_VALUES}: resample differently, or cut the file"
            ),
        ));
    }
    Ok(Series {
        begins: rows[0].at,
        every: times as Millis * step,
        rates: buckets,
        filled,
    })
}

/// How many steps make a bucket in which counting is precise enough, and of which there are not too
/// many.
fn averaged(rates: &[f64], step: Millis) -> usize {
    let mean = rates.iter().sum::<f64>() / rates.len() as f64 * step as f64 / 1e3;
    let enough = (ENOUGH / mean).ceil().max(1.0) as Millis;
    // Buckets of which a whole number makes an hour, where the steps allow it.
    let in_an_hour = (HOUR / step).max(1);
    let fits = |&times: &Millis| times >= enough && in_an_hour % times == 0;
    let enough = (1..in_an_hour).find(fits).unwrap_or(in_an_hour);
    let few = rates.len().div_ceil(MOST_VALUES);
    (enough as usize).max(few).min(rates.len())
}

/// The most common distance of two rows, of which every distance is a multiple.
fn step(rows: &[Row], shown: &str) -> Result<Millis, Wrong> {
    let distance = |pair: &[Row]| pair[1].at - pair[0].at;
    let mut counts: BTreeMap<Millis, u64> = BTreeMap::new();
    for pair in rows.windows(2) {
        *counts.entry(distance(pair)).or_insert(0) += 1;
    }
    let usual = counts
        .iter()
        .max_by_key(|&(length, count)| (count, -length));
    let Some((&step, _)) = usual else {
        return Err(Wrong::new(
            format!("{shown} has a single value, at {}", show(rows[0].at)),
            "a series has at least two",
        ));
    };
    match rows.windows(2).find(|pair| distance(pair) % step != 0) {
        None => Ok(step),
        Some(odd) => Err(Wrong::new(
            format!(
                "{shown}, line {}: {} after the row before it, where the others are {} apart",
                odd[1].line,
                span(distance(odd)),
                span(step)
            ),
            "bring all rows onto one step; days that the clocks change are not as long as others",
        )),
    }
}

/// A length for people.
fn span(millis: Millis) -> String {
    human_secs(millis as f64 / 1e3)
}
