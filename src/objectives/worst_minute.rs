//! SLIs over several windows together: rates as ratios of sums, quantiles of merged histograms.

use crate::model::observation::{Better, Observation, Sli};
use crate::model::outcome::Window;
use crate::model::scenario::RegionId;
use crate::units::Span;
use std::ops::Range;

/// The length that harm is judged by. A maximum over single windows would grow as they get
/// shorter and as the traffic gets smaller.
const MINUTE: Span = Span(60_000_000_000);

/// The values of all SLIs over a range of windows taken together; `None` where nothing was
/// observed.
pub fn together(
    windows: &[Window],
    range: Range<usize>,
    region: Option<RegionId>,
    slis: &[&'static dyn Sli],
) -> Vec<Option<f64>> {
    let Some((first, rest)) = windows[range].split_first() else {
        return vec![None; slis.len()];
    };
    let mut merged: Observation = observation(first, region).clone();
    for window in rest {
        merged.merge(observation(window, region));
    }
    slis.iter().map(|sli| sli.measure(&merged)).collect()
}

/// The value of each SLI in its own worst minute: every run of as many windows as make up a minute
/// is taken together, at each beginning. A shorter range is one minute.
pub fn worst_minute(
    windows: &[Window],
    range: Range<usize>,
    sample: Span,
    region: Option<RegionId>,
    slis: &[&'static dyn Sli],
) -> Vec<Option<f64>> {
    let length = (MINUTE.0.div_ceil(sample.0.max(1)) as usize).min(range.len());
    let mut worst = vec![None; slis.len()];
    for start in range.start..=range.end - length {
        let minute = together(windows, start..start + length, region, slis);
        for ((worst, value), sli) in worst.iter_mut().zip(minute).zip(slis) {
            *worst = match (*worst, value) {
                (Some(a), Some(b)) => Some(worse(sli.better(), a, b)),
                (a, b) => a.or(b),
            };
        }
    }
    worst
}

fn worse(better: Better, a: f64, b: f64) -> f64 {
    match better {
        Better::Higher => a.min(b),
        Better::Lower => a.max(b),
    }
}

fn observation(window: &Window, region: Option<RegionId>) -> &Observation {
    region.map_or(&window.global, |region| &window.regions[region])
}
