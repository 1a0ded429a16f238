//! One scenario in both fidelities: what counted traffic says against what single requests say.
//!
//! Both run the same replications with the same seed, so that they meet the same weather (demand,
//! delays of the control plane, who sits behind which resolver), and only the luck of single requests
//! differs. What is judged is therefore the difference within each replication, whose spread over
//! replications is honest whatever the two have in common.

mod judge;
mod set;
#[cfg(test)]
mod tests;

pub use set::{Case, cases};

use super::report::{Report, Row};
use crate::model::measure::{Measure, Measured};
use crate::model::outcome::OutsideValidity;
use crate::model::scenario::Scenario;
use crate::objectives::{Columns, Series, measure};
use crate::scenario::Document;
use crate::simulate::Simulator;
use crate::slis;
use crate::study::Watch;
use crate::units::Time;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is compared: the same scenario, to be computed in two ways.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Name for people.
    pub name: String,
    /// With fidelity `cohort`.
    pub counted: Document,
    /// With fidelity `request`, at the same scale.
    pub single: Document,
}

/// What one replication leaves in one fidelity.
#[derive(Clone, Debug)]
struct Half {
    /// In the order of the columns, then of [`COUNTERS`].
    values: Vec<Measured>,
    /// The first fault.
    fault: Option<Time>,
    outside: Option<OutsideValidity>,
}

/// Counters and ratios of whole runs.
const COUNTERS: [&str; 6] = [
    "starts",
    "starts failed",
    "share of starts failed",
    "attempts per start",
    "sessions begun",
    "viewers who gave up",
];

/// Runs all pairs and judges every value. `None` if it was cancelled.
pub fn compare(pairs: &[Pair], replications: u64, seed: u64, watch: &dyn Watch) -> Option<Report> {
    let done = AtomicU64::new(0);
    let mut rows = Vec::new();
    for pair in pairs {
        let columns = Columns::new(slis::all(), [pair.counted.scenario()]);
        let jobs: Vec<(u64, bool)> = (0..replications)
            .flat_map(|r| [(r, true), (r, false)])
            .collect();
        let halves: Vec<Option<Half>> = jobs
            .par_iter()
            .map(|&(replication, single)| {
                if watch.cancelled() {
                    return None;
                }
                let document = if single { &pair.single } else { &pair.counted };
                let scenario = document.drawn(seed, replication);
                let half = half(&scenario, &columns, seed, replication);
                watch.finished(done.fetch_add(1, Ordering::Relaxed) + 1);
                Some(half)
            })
            .collect();
        let halves: Vec<Half> = halves.into_iter().collect::<Option<_>>()?;
        let (single, counted): (Vec<_>, Vec<_>) =
            halves.chunks_exact(2).map(|two| (&two[0], &two[1])).unzip();
        rows.extend(judged(pair, &columns, &single, &counted));
    }
    Some(Report::new(rows))
}

fn half(scenario: &Scenario, columns: &Columns, seed: u64, replication: u64) -> Half {
    let outcome = Simulator::new(scenario).run(seed, replication);
    let series = Series::of(&outcome.windows, columns.slis());
    let mut values = measure(scenario, columns, &series, &outcome, replication).values;
    let ledger = &outcome.ledger;
    let starts = ledger.starts as f64;
    let per_start = |count: u64| match ledger.starts {
        0 => Measured::Absent,
        _ => Measured::Value(count as f64 / starts),
    };
    values.extend([
        Measured::Value(starts),
        Measured::Value(ledger.starts_failed as f64),
        per_start(ledger.starts_failed),
        per_start(ledger.attempts),
        Measured::Value(ledger.sessions_begun as f64),
        Measured::Value(ledger.given_up as f64),
    ]);
    Half {
        values,
        fault: outcome.marks.fault,
        outside: outcome.outside_validity,
    }
}

/// The rows of a pair, in the order of measures.
fn judged(pair: &Pair, columns: &Columns, single: &[&Half], counted: &[&Half]) -> Vec<Row> {
    let scenario = pair.counted.scenario();
    let measures = columns.measures().iter().map(Some);
    let counters = COUNTERS.iter().map(|_| None);
    let mut rows = Vec::new();
    for (column, measure) in measures.chain(counters).enumerate() {
        if measure.is_some_and(|m| m.is_valuation()) {
            continue;
        }
        let name = match measure {
            Some(measure) => measure.to_string(),
            None => COUNTERS[column - columns.measures().len()].to_string(),
        };
        let values = |halves: &[&Half]| halves.iter().map(|h| h.values[column]).collect();
        let outside = counted.iter().map(|half| outside(half, measure));
        let sample = judge::Sample {
            single: values(single),
            counted: values(counted),
            outside: outside.collect(),
        };
        let kind = judge::kind(measure, scenario);
        rows.extend(judge::rows(&pair.name, &name, kind, &sample));
    }
    rows
}

/// Why a replication's measure is not to be relied on, if so: what is before the fault is not touched by
/// what comes later.
fn outside<'a>(half: &'a Half, measure: Option<&Measure>) -> Option<&'a OutsideValidity> {
    let outside = half.outside.as_ref()?;
    match (measure, half.fault) {
        (
            Some(Measure::Sli {
                span: crate::model::measure::SliSpan::Before,
                ..
            }),
            Some(fault),
        ) if outside.at >= fault => None,
        _ => Some(outside),
    }
}
