//! SLIs over time, across replications.

use crate::model::observation::Sli;
use crate::model::outcome::Outcome;
use crate::model::scenario::{RegionId, Scenario};
use crate::objectives::{Series, together};
use crate::stats::Sketch;
use crate::units::Time;
use rayon::prelude::*;

/// Sketches in all timelines of a study together, at most: some 200 MB.
const MOST_SKETCHES: usize = 1 << 19;

/// Every SLI of a variant in every window, over all replications.
///
/// Replications are laid over each other at their first fault (which uncertainty may move). Where
/// windows are too many to keep a sketch for each, a few in a row are taken together.
#[derive(Clone, Debug)]
pub struct Timeline {
    points: Vec<(Time, Time)>,
    fault: Option<Time>,
    fault_window: usize,
    stride: usize,
    places: usize,
    slis: usize,
    sketches: Vec<Sketch>,
}

impl Timeline {
    /// Empty timelines of a study's scenarios.
    pub fn all<'a>(
        scenarios: impl Iterator<Item = &'a Scenario> + Clone,
        slis: usize,
    ) -> Vec<Timeline> {
        let sketches: usize = scenarios
            .clone()
            .map(|scenario| windows(scenario).len() * places(scenario) * slis)
            .sum();
        let stride = sketches.div_ceil(MOST_SKETCHES).max(1);
        scenarios
            .map(|scenario| Timeline::new(scenario, slis, stride))
            .collect()
    }

    fn new(scenario: &Scenario, slis: usize, stride: usize) -> Timeline {
        let windows = windows(scenario);
        let fault = first_fault(scenario);
        let points: Vec<(Time, Time)> = windows
            .chunks(stride)
            .map(|chunk| (chunk[0].0, chunk[chunk.len() - 1].1))
            .collect();
        Timeline {
            fault,
            fault_window: windows.partition_point(|w| w.0 < fault.unwrap_or(Time::ZERO)),
            stride,
            places: places(scenario),
            slis,
            sketches: vec![Sketch::new(); points.len() * places(scenario) * slis],
            points,
        }
    }

    /// Where each point begins and ends.
    pub fn points(&self) -> &[(Time, Time)] {
        &self.points
    }

    /// When the first fault begins.
    pub fn fault(&self) -> Option<Time> {
        self.fault
    }

    /// The values of one SLI at one point; `region` `None` is all together.
    pub fn sketch(&self, point: usize, region: Option<RegionId>, sli: usize) -> &Sketch {
        let place = region.map_or(0, |region| region + 1);
        &self.sketches[(point * self.places + place) * self.slis + sli]
    }

    /// Number of sketches: points times places times SLIs.
    pub fn size(&self) -> usize {
        self.sketches.len()
    }

    /// What one replication has to add: a value per sketch, not a number where there is none.
    pub fn values(
        &self,
        outcome: &Outcome,
        series: &Series,
        slis: &[&'static dyn Sli],
    ) -> Vec<f64> {
        let windows = &outcome.windows;
        let fault = outcome.marks.fault.unwrap_or(Time::ZERO);
        let fault_window = windows.partition_point(|window| window.from < fault);
        let width = self.places * self.slis;
        let mut values = vec![f64::NAN; self.sketches.len()];
        for (point, values) in values.chunks_mut(width.max(1)).enumerate() {
            // The same windows, counted from the fault.
            let own = |window: usize| {
                (window + fault_window)
                    .saturating_sub(self.fault_window)
                    .min(windows.len())
            };
            let range = own(point * self.stride)..own((point + 1) * self.stride);
            if range.len() == 1 {
                values.copy_from_slice(series.cells(range.start));
            } else if !range.is_empty() {
                for (place, values) in values.chunks_mut(self.slis).enumerate() {
                    let merged = together(windows, range.clone(), place.checked_sub(1), slis);
                    for (value, merged) in values.iter_mut().zip(merged) {
                        *value = merged.unwrap_or(f64::NAN);
                    }
                }
            }
        }
        values
    }

    /// Adds the [values](Timeline::values) of replications, in their order.
    pub fn add(&mut self, replications: &[&[f64]]) {
        const CHUNK: usize = 256;
        let chunks = self.sketches.par_chunks_mut(CHUNK).enumerate();
        chunks.for_each(|(chunk, sketches)| {
            let first = chunk * CHUNK;
            for values in replications {
                for (sketch, &value) in sketches.iter_mut().zip(&values[first..]) {
                    if !value.is_nan() {
                        sketch.add(value);
                    }
                }
            }
        });
    }
}

fn places(scenario: &Scenario) -> usize {
    1 + scenario.regions.len()
}

fn first_fault(scenario: &Scenario) -> Option<Time> {
    let faults = scenario.faults.iter().map(|fault| fault.at);
    faults.min().filter(|at| at.0 < scenario.horizon.0)
}

/// The windows of a scenario: a grid that starts at the first fault and goes both ways.
fn windows(scenario: &Scenario) -> Vec<(Time, Time)> {
    let sample = scenario.sample.0.max(1);
    let horizon = scenario.horizon.0;
    let mut ends = Vec::new();
    let first = first_fault(scenario).unwrap_or(Time::ZERO).0 % sample;
    let mut end = if first > 0 { first } else { sample };
    while end < horizon {
        ends.push(end);
        end = end.saturating_add(sample);
    }
    ends.push(horizon);
    let begins = [0].into_iter().chain(ends.iter().copied());
    begins
        .zip(ends.iter().copied())
        .map(|(from, until)| (Time(from), Time(until)))
        .collect()
}
