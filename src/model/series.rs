//! Demand as a series of measured rates, and what a market's usual demand is.

use crate::model::scenario::Market;
use std::ops::Range;
use std::sync::Arc;

/// Seconds of the planner's unit.
const HOUR_SECS: f64 = 3600.0;

/// Rates in equal buckets, laid on the scenario's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Mean rate of each bucket, as a factor of the market's `starts`, which is the mean rate of the
    /// busiest hour.
    pub factors: Arc<[f64]>,
    /// Middle of the first bucket, in seconds from the beginning of the scenario.
    pub first_secs: f64,
    /// Length of a bucket in seconds.
    pub every_secs: f64,
    /// The moment of the data at which the scenario begins, in milliseconds since 1970, UTC.
    pub zero_unix_ms: i64,
}

impl Series {
    /// Middle of the busiest hour of the whole series, in seconds from the beginning.
    pub fn busiest_secs(&self) -> f64 {
        let window = hour_of(self.every_secs);
        let first = busiest(&self.factors, window, 0..usize::MAX).map_or(0, |(first, _)| first);
        self.first_secs + self.every_secs * (first as f64 + 0.5 * (window as f64 - 1.0))
    }

    /// Mean of all factors.
    pub fn mean(&self) -> f64 {
        self.factors.iter().sum::<f64>() / self.factors.len() as f64
    }
}

impl Market {
    /// The mean rate relative to that of the busiest hour, over whole days or all of the data.
    pub fn mean_factor(&self) -> f64 {
        match (&self.series, &self.wave, &self.profile[..]) {
            (Some(series), ..) => series.mean(),
            // Linear between the factors, all round the day: the mean is theirs. A wave's is 1.
            (None, Some(_), _) | (None, None, []) => 1.0,
            (None, None, factors) => factors.iter().sum::<f64>() / factors.len() as f64,
        }
    }
}

/// Buckets in an hour, at least one.
pub fn hour_of(every_secs: f64) -> usize {
    (HOUR_SECS / every_secs).round().max(1.0) as usize
}

/// Of the windows of so many buckets that begin at one of `begins`, the first with the largest mean:
/// its first bucket and its mean. A series that is shorter than a window is one.
pub fn busiest(rates: &[f64], window: usize, begins: Range<usize>) -> Option<(usize, f64)> {
    let window = window.min(rates.len()).max(1);
    let last = rates.len().checked_sub(window)?;
    let mut sums = vec![0.0];
    for rate in rates {
        sums.push(sums[sums.len() - 1] + rate);
    }
    let mean = |first: usize| (sums[first + window] - sums[first]) / window as f64;
    let candidates = begins.start..begins.end.min(last + 1);
    candidates
        .map(|first| (first, mean(first)))
        .fold(None, |best, next| match best {
            Some((_, mean)) if next.1 <= mean => best,
            _ => Some(next),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_window_is_the_one_with_the_largest_mean() {
        let rates = [1.0, 5.0, 2.0, 4.0, 4.0, 1.0];
        assert_eq!(busiest(&rates, 1, 0..9), Some((1, 5.0)));
        assert_eq!(busiest(&rates, 2, 0..9), Some((3, 4.0)));
        assert_eq!(busiest(&rates, 2, 0..3), Some((1, 3.5)));
        assert_eq!(busiest(&rates, 10, 0..9), Some((0, 17.0 / 6.0)));
        assert_eq!(busiest(&rates, 2, 5..9), None);
        assert_eq!(busiest(&[], 2, 0..9), None);
        assert_eq!((hour_of(300.0), hour_of(86_400.0)), (12, 1));
    }
}
