//! A share over time, read from windows, and its value at a moment.

use crate::model::outcome::Window;
use crate::units::Time;

/// A quantity per window, in seconds from some moment; windows follow each other.
#[derive(Clone, Debug, Default)]
pub struct Series {
    windows: Vec<(f64, f64, f64)>,
}

impl Series {
    /// Reads every window from `origin` on; windows in which `of` sees nothing are left out.
    pub fn read(windows: &[Window], origin: Time, of: impl Fn(&Window) -> Option<f64>) -> Series {
        let from_origin = windows.iter().filter(|window| window.from >= origin);
        let read = |window: &Window| {
            let (from, until) = (window.from - origin, window.until - origin);
            of(window).map(|value| (from.secs(), until.secs(), value))
        };
        Series {
            windows: from_origin.filter_map(read).collect(),
        }
    }

    /// The mean of equally cut series.
    pub fn mean(all: &[Series]) -> Series {
        let mut mean = all.first().cloned().unwrap_or_default();
        for (i, window) in mean.windows.iter_mut().enumerate() {
            let values = all.iter().filter_map(|series| series.windows.get(i));
            window.2 = values.map(|w| w.2).sum::<f64>() / all.len() as f64;
        }
        mean
    }

    /// Goes on with the later windows of a series of coarser ones.
    pub fn then(&mut self, coarser: &Series) {
        let end = self.end();
        let later = coarser.windows.iter().filter(|w| w.1 > end + 1e-9);
        for (from, until, value) in later {
            self.windows.push((from.max(end), *until, *value));
        }
    }

    /// Times all times by a factor.
    pub fn stretch(&mut self, factor: f64) {
        for window in &mut self.windows {
            (window.0, window.1) = (window.0 * factor, window.1 * factor);
        }
    }

    /// Counts all times from a later moment on, so many seconds after the one of before.
    pub fn since(mut self, secs: f64) -> Series {
        for window in &mut self.windows {
            (window.0, window.1) = (window.0 - secs, window.1 - secs);
        }
        self
    }

    /// From counts per window to rates.
    pub fn per_second(&self) -> Series {
        let rate = |w: &(f64, f64, f64)| (w.0, w.1, w.2 / (w.1 - w.0));
        Series {
            windows: self.windows.iter().map(rate).collect(),
        }
    }

    /// End of the last window.
    pub fn end(&self) -> f64 {
        self.windows.last().map_or(0.0, |w| w.1)
    }

    /// Value just after a moment, on the straight line through its window and the next, and how far
    /// it may be off: half the difference of the two.
    pub fn at(&self, secs: f64) -> Option<(f64, f64)> {
        let i = self.windows.partition_point(|w| w.1 <= secs + 1e-9);
        let here = self.windows.get(i).filter(|w| w.0 <= secs + 1e-9)?;
        let Some(next) = self.windows.get(i + 1) else {
            return Some((here.2, 0.0));
        };
        let centre = |w: &(f64, f64, f64)| 0.5 * (w.0 + w.1);
        let slope = (next.2 - here.2) / (centre(next) - centre(here));
        let value = here.2 + slope * (secs - centre(here));
        Some((value, 0.5 * (next.2 - here.2).abs()))
    }

    /// Integral from zero up to a moment, constant within each window.
    pub fn integral(&self, secs: f64) -> f64 {
        let part = |w: &(f64, f64, f64)| w.2 * (w.1.min(secs) - w.0.max(0.0)).max(0.0);
        self.windows.iter().map(part).sum()
    }

    /// First moment at which the integral reaches a value.
    pub fn reaches(&self, wanted: f64) -> Option<f64> {
        let mut sum = 0.0;
        for &(from, until, value) in &self.windows {
            let more = value * (until - from);
            if sum + more >= wanted && more > 0.0 {
                return Some(from + (wanted - sum) / more * (until - from));
            }
            sum += more;
        }
        None
    }

    /// When, from zero on, the first value that is not below a level begins; infinite if there is
    /// none.
    pub fn first_at_least(&self, level: f64) -> f64 {
        let first = self.windows.iter().find(|w| w.0 >= -1e-9 && w.2 >= level);
        first.map_or(f64::INFINITY, |w| w.0)
    }

    /// How often a value is more than `by` above the one before.
    pub fn rises(&self, by: f64) -> f64 {
        let pairs = self.windows.windows(2);
        pairs.filter(|pair| pair[1].2 > pair[0].2 + by).count() as f64
    }

    /// Smallest value.
    pub fn least(&self) -> f64 {
        self.windows
            .iter()
            .map(|w| w.2)
            .fold(f64::INFINITY, f64::min)
    }

    /// When, from zero on, the wave of this period that fits the windows of its first turn best is at
    /// its highest.
    pub fn peak(&self, period: f64) -> f64 {
        let turn = 2.0 * std::f64::consts::PI / period;
        let (mut along, mut across) = (0.0, 0.0);
        let first = self.windows.iter().filter(|w| w.1 <= period + 1e-9);
        for &(from, until, value) in first {
            let angle = turn * 0.5 * (from + until);
            along += value * libm::cos(angle);
            across += value * libm::sin(angle);
        }
        let angle = libm::atan2(across, along) / turn;
        angle.rem_euclid(period)
    }

    /// The last value.
    pub fn last(&self) -> f64 {
        self.windows.last().map_or(f64::NAN, |w| w.2)
    }

    /// First moment from which on values stay below a level.
    pub fn stays_below(&self, level: f64) -> Option<f64> {
        let i = self.windows.iter().rposition(|w| w.2 >= level);
        let i = i.map_or(0, |i| i + 1);
        self.windows.get(i).map(|w| 0.5 * (w.0 + w.1))
    }
}
