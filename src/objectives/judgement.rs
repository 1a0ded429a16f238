//! Which windows break an objective.

use crate::model::measure::Threshold;
use crate::model::outcome::Window;
use crate::model::scenario::{RegionId, Scenario};
use crate::objectives::{Columns, Series};

/// The objectives of a scenario, applied to the windows of one replication.
pub struct Judgement<'a> {
    series: &'a Series,
    /// Each objective's SLI, by its place among the columns' SLIs.
    objectives: Vec<(usize, &'a Threshold)>,
    /// And its number in the scenario.
    numbers: Vec<usize>,
    full: Vec<bool>,
    broken: Vec<bool>,
    sustain: usize,
}

impl<'a> Judgement<'a> {
    /// Judges the windows that `series` was computed from. An objective whose SLI does not exist
    /// has nothing to observe and holds.
    pub fn new(
        scenario: &'a Scenario,
        columns: &Columns,
        windows: &[Window],
        series: &'a Series,
    ) -> Judgement<'a> {
        let observed = |number: usize| columns.sli(&scenario.objectives[number].threshold.sli);
        let numbers: Vec<usize> = (0..scenario.objectives.len())
            .filter(|&number| observed(number).is_some())
            .collect();
        let mut judgement = Judgement {
            series,
            objectives: numbers
                .iter()
                .filter_map(|&n| Some((observed(n)?, &scenario.objectives[n].threshold)))
                .collect(),
            numbers,
            full: windows
                .iter()
                .map(|window| window.until - window.from >= scenario.sample)
                .collect(),
            broken: Vec::new(),
            sustain: scenario.sustain.0.div_ceil(scenario.sample.0.max(1)).max(1) as usize,
        };
        judgement.broken = (0..windows.len())
            .map(|window| judgement.breaks(window, None).any(|broken| broken))
            .collect();
        judgement
    }

    /// Windows in a row that `sustain` takes.
    pub fn sustain(&self) -> usize {
        self.sustain
    }

    /// Whether a window has its full length.
    pub fn full(&self, window: usize) -> bool {
        self.full[window]
    }

    /// Whether a full window breaks any objective, all regions together.
    pub fn broken(&self, window: usize) -> bool {
        self.broken[window]
    }

    /// Full windows that break an objective.
    pub fn broken_windows(&self) -> usize {
        self.broken.iter().filter(|&&broken| broken).count()
    }

    /// How many objectives are judged.
    pub fn objectives(&self) -> usize {
        self.objectives.len()
    }

    /// The number in the scenario of an objective that is judged.
    pub fn number(&self, objective: usize) -> usize {
        self.numbers[objective]
    }

    /// Per objective, whether a full window breaks it, all regions together.
    pub fn broken_objectives(&self, window: usize) -> impl Iterator<Item = bool> {
        self.breaks(window, None)
    }

    /// Whether, from a window on, one region breaks one and the same objective for `sustain`.
    pub fn topples(&self, region: RegionId, from: usize) -> bool {
        let mut in_a_row = vec![0; self.objectives.len()];
        (from..self.full.len()).any(|window| {
            for (count, broken) in in_a_row.iter_mut().zip(self.breaks(window, Some(region))) {
                *count = if broken { *count + 1 } else { 0 };
            }
            in_a_row.iter().any(|&count| count >= self.sustain)
        })
    }

    /// Per objective, whether a window breaks it. A window in which nothing was observed holds.
    fn breaks(&self, window: usize, region: Option<RegionId>) -> impl Iterator<Item = bool> {
        let full = self.full[window];
        self.objectives.iter().map(move |&(sli, threshold)| {
            let value = self.series.at(window, region, sli);
            full && value.is_some_and(|value| !threshold.op.holds(value, threshold.value))
        })
    }
}
