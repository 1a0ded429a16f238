//! The mean over replications.

use crate::stats::LEVEL;
use crate::stats::beta::t_quantile;
use serde::Serialize;

/// A mean with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Values.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Lower end of the interval; absent (`null`) with a single value, which tells nothing about
    /// its own error.
    pub lo: Option<f64>,
    /// Upper end of the interval.
    pub hi: Option<f64>,
}

impl Estimate {
    /// The mean of finite values with Student's t interval; `None` without values.
    ///
    /// The interval takes the mean for normal. It covers too rarely where few values come from a
    /// skewed law (exponential, n = 10: 90 % instead of 95 %).
    pub fn of(values: &[f64]) -> Option<Estimate> {
        Estimate::at(LEVEL, values)
    }

    /// The same at another level of confidence.
    pub fn at(level: f64, values: &[f64]) -> Option<Estimate> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let interval = (n > 1).then(|| {
            let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
            let error = (squares / (n - 1) as f64 / n as f64).sqrt();
            t_quantile(0.5 + 0.5 * level, (n - 1) as f64) * error
        });
        Some(Estimate {
            n: n as u64,
            mean,
            lo: interval.map(|half| mean - half),
            hi: interval.map(|half| mean + half),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_reference_s() {
        let values = [
            9.624237, 2.692765, 19.248473, 6.389165, 0.944974, 12.317001, 3.948782, 28.87271,
            8.26235, 1.988655, 16.013402, 5.385529, 0.35049, 10.569211, 3.154094, 21.941238,
            7.063901, 1.330878, 13.573019, 4.473498,
        ];
        let estimate = Estimate::of(&values).unwrap();
        assert_eq!(estimate.n, 20);
        assert!((estimate.mean - 8.9072186).abs() < 1e-9);
        let half = 3.630021634820991;
        assert!((estimate.lo.unwrap() - (estimate.mean - half)).abs() < 1e-7);
        assert!((estimate.hi.unwrap() - (estimate.mean + half)).abs() < 1e-7);
    }

    #[test]
    fn few_values_promise_nothing() {
        assert_eq!(Estimate::of(&[]), None);
        let json = serde_json::to_string(&Estimate::of(&[2.5])).unwrap();
        assert_eq!(json, r#"{"n":1,"mean":2.5,"lo":null,"hi":null}"#);
        let same = Estimate::of(&[2.0, 2.0, 2.0]).unwrap();
        assert_eq!((same.lo, same.hi), (Some(2.0), Some(2.0)));
    }
}
