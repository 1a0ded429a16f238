//! Which windows break an objective.

use crate::model::measure::Threshold;
use crate::model::outcome::Window;
use crate::model::scenario::{RegionId, Scenario};
use crate::objectives::{Columns, Series};

/// Share of a domain's writes, and of its reads, that must be answered.
const ANSWERED: f64 = 0.99;

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
            full: full(scenario, windows),
            broken: Vec::new(),
            sustain: sustain(scenario),
        };
        judgement.broken = (0..windows.len())
            .map(|window| judgement.breaks(window, None).any(|broken| broken))
            .collect();
        judgement
    }

    /// Judges the windows by one objective alone: 99 % of a domain's writes and of its reads are
    /// answered.
    pub fn of_domain(
        scenario: &Scenario,
        windows: &[Window],
        series: &'a Series,
        domain: usize,
    ) -> Judgement<'a> {
        let answered = |answered: u64, asked: u64| answered as f64 >= ANSWERED * asked as f64;
        let full = full(scenario, windows);
        let broken = windows.iter().zip(&full).map(|(window, full)| {
            let seen = window.global.domains.get(domain);
            *full
                && seen.is_some_and(|d| {
                    !answered(d.writes_answered, d.writes) || !answered(d.reads_answered, d.reads)
                })
        });
        Judgement {
            series,
            objectives: Vec::new(),
            numbers: Vec::new(),
            broken: broken.collect(),
            full,
            sustain: sustain(scenario),
        }
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

fn full(scenario: &Scenario, windows: &[Window]) -> Vec<bool> {
    let windows = windows.iter();
    windows
        .map(|window| window.until - window.from >= scenario.sample)
        .collect()
}

fn sustain(scenario: &Scenario) -> usize {
    scenario.sustain.0.div_ceil(scenario.sample.0.max(1)).max(1) as usize
}
