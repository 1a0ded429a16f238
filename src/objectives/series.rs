//! Every SLI in every window, globally and per region.

use crate::model::observation::{Observation, Sli};
use crate::model::outcome::Window;
use crate::model::scenario::RegionId;

/// A table of SLI values; one that observed nothing is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// By window, then place (global first, then regions), then SLI; not a number: nothing.
    values: Vec<f64>,
    places: usize,
    slis: usize,
}

impl Series {
    /// The values of these SLIs in these windows, which have all the same regions.
    ///
    /// # Panics
    ///
    /// If an SLI gives a value that is not finite.
    pub fn of(windows: &[Window], slis: &[&'static dyn Sli]) -> Series {
        let places = 1 + windows.first().map_or(0, |window| window.regions.len());
        let mut values = Vec::with_capacity(windows.len() * places * slis.len());
        for window in windows {
            assert_eq!(
                window.regions.len() + 1,
                places,
                "every window observes every region"
            );
            for observation in [&window.global].into_iter().chain(&window.regions) {
                values.extend(slis.iter().map(|&sli| value(sli, observation)));
            }
        }
        Series {
            values,
            places,
            slis: slis.len(),
        }
    }

    /// One value; `region` `None` is all together.
    pub fn at(&self, window: usize, region: Option<RegionId>, sli: usize) -> Option<f64> {
        let value = self.cells(window)[region.map_or(0, |r| r + 1) * self.slis + sli];
        (!value.is_nan()).then_some(value)
    }

    /// All values of a window, by place (global first, then regions), then SLI; not a number
    /// where nothing was observed.
    pub fn cells(&self, window: usize) -> &[f64] {
        let width = self.places * self.slis;
        &self.values[window * width..(window + 1) * width]
    }
}

fn value(sli: &dyn Sli, observation: &Observation) -> f64 {
    match sli.measure(observation) {
        None => f64::NAN,
        Some(value) => {
            assert!(
                value.is_finite(),
                "the SLI {} gave {value} where only a finite value makes sense",
                sli.name()
            );
            value
        }
    }
}
