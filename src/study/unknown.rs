//! What the uncertain inputs of a scenario leave open.

use crate::model::measure::Measured;
use crate::model::outcome::Row;
use crate::model::scenario::Scenario;
use crate::objectives::Columns;
use crate::stats::{Believed, Estimate, rank_correlation};
use serde::Serialize;

/// Numbers of replications that repeat others with the same uncertain inputs and other luck begin
/// here.
pub const AGAIN: u64 = 1 << 63;

/// A replication's uncertain inputs, and what came of them with other luck.
#[derive(Clone, Debug, Default)]
pub struct Belief {
    /// Values of the scenario's uncertain inputs, in their order.
    pub inputs: Vec<f64>,
    /// Every measure with other luck.
    pub values: Vec<Measured>,
    /// Whether each hypothesis holds with other luck.
    pub holds: Vec<bool>,
}

/// What a variant's uncertain inputs leave open.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unknown {
    /// Replications, each with its own draw of the inputs.
    pub beliefs: u64,
    /// The uncertain inputs: path and ends.
    pub inputs: Vec<UnknownInput>,
    /// Every measure that varies.
    pub measures: Vec<UnknownMeasure>,
    /// Every hypothesis: the chance that it holds.
    pub hypotheses: Vec<UnknownMeasure>,
}

/// An uncertain input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnknownInput {
    /// Its path.
    pub path: String,
    /// Smallest value.
    pub lo: f64,
    /// Largest value.
    pub hi: f64,
}

/// Both intervals of a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnknownMeasure {
    /// The measure, or the hypothesis' name.
    pub name: String,
    /// Its mean over all that is not known, with the interval of the simulation, which more
    /// replications shrink; `None` where a time has no end in some replications.
    pub simulation: Option<Estimate>,
    /// The mean as far as it depends on what is not known, which no replication shrinks.
    pub outcome: Option<Believed>,
    /// Rank correlation with each uncertain input, in their order; `None` where nothing varies.
    pub moved_by: Vec<Option<f64>>,
}

/// What the inputs leave open; `None` for a variant without uncertain inputs.
pub fn unknown(
    scenario: &Scenario,
    columns: &Columns,
    rows: &[Row],
    beliefs: &[Belief],
) -> Option<Unknown> {
    if scenario.uncertain.is_empty() || beliefs.is_empty() {
        return None;
    }
    let moved_by = |values: &[f64]| -> Vec<Option<f64>> {
        let known: Vec<usize> = (0..values.len()).filter(|&i| !values[i].is_nan()).collect();
        let ys: Vec<f64> = known.iter().map(|&i| values[i]).collect();
        let inputs = 0..scenario.uncertain.len();
        inputs
            .map(|input| {
                let xs: Vec<f64> = known.iter().map(|&i| beliefs[i].inputs[input]).collect();
                rank_correlation(&xs, &ys)
            })
            .collect()
    };
    let measures = columns.tabled().iter().enumerate();
    let measures = measures.filter_map(|(column, measure)| {
        let values: Vec<f64> = rows.iter().map(|row| row.values[column].as_f64()).collect();
        let again = beliefs.iter().map(|belief| belief.values[column].as_f64());
        let pairs = values.iter().copied().zip(again);
        let pairs: Vec<(f64, f64)> = pairs.filter(|(x, y)| !x.is_nan() && !y.is_nan()).collect();
        let first = pairs.first()?.0;
        if pairs.iter().all(|&pair| pair == (first, first)) {
            return None;
        }
        let ended = pairs.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        let there: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        Some(UnknownMeasure {
            name: measure.to_string(),
            simulation: Estimate::of(&there).filter(|_| ended),
            outcome: Believed::of(&pairs).filter(|_| ended),
            moved_by: moved_by(&values),
        })
    });
    let hypotheses = scenario.hypotheses.iter().enumerate();
    let hypotheses = hypotheses.map(|(h, hypothesis)| {
        let pairs: Vec<(bool, bool)> = rows
            .iter()
            .zip(beliefs)
            .map(|(row, belief)| (row.holds[h], belief.holds[h]))
            .collect();
        let held: Vec<f64> = pairs
            .iter()
            .map(|pair| f64::from(u8::from(pair.0)))
            .collect();
        UnknownMeasure {
            name: hypothesis.name.clone(),
            simulation: Estimate::of(&held),
            outcome: Believed::of_chance(&pairs),
            moved_by: moved_by(&held),
        }
    });
    let inputs = scenario.uncertain.iter().map(|input| UnknownInput {
        path: input.path.clone(),
        lo: input.lo,
        hi: input.hi,
    });
    Some(Unknown {
        beliefs: beliefs.len() as u64,
        inputs: inputs.collect(),
        measures: measures.collect(),
        hypotheses: hypotheses.collect(),
    })
}
