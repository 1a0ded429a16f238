//! How a measured value is distributed over replications.

use crate::model::measure::Measured;
use crate::stats::LEVEL;
use crate::stats::beta::binomial_cdf;
use serde::Serialize;

/// Quantiles of a measured value, some with intervals.
///
/// Values that are absent are left out; censored ones (the time had begun and not ended) are
/// longer than all others. The `q`-quantile is the order statistic `X(ceil(n q))`: the smallest
/// value that at least the share `q` does not exceed, thus always one that was observed. Whatever
/// falls among the censored is unknown: `None`, in JSON `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// Replications in which the value has a beginning.
    pub n: u64,
    /// Those of them without an end.
    pub censored: u64,
    /// Mean; unknown when anything is censored.
    pub mean: Option<f64>,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value; unknown when anything is censored.
    pub max: Option<f64>,
    /// 5 % quantile.
    pub p5: Option<f64>,
    /// 25 % quantile.
    pub p25: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 75 % quantile.
    pub p75: Option<f64>,
    /// 95 % quantile.
    pub p95: Option<f64>,
    /// 99 % quantile.
    pub p99: Option<f64>,
    /// Interval of the median, see [`quantile_interval`].
    pub p50_ci: [Option<f64>; 2],
    /// Interval of the 95 % quantile.
    pub p95_ci: [Option<f64>; 2],
}

impl Distribution {
    /// The distribution of values over replications, in any order.
    ///
    /// # Panics
    ///
    /// If a value is not a finite number.
    pub fn of(values: &[Measured]) -> Distribution {
        let mut sorted: Vec<f64> = values
            .iter()
            .filter(|value| !matches!(value, Measured::Absent))
            .inspect(|value| {
                assert!(
                    !matches!(value, Measured::Value(x) if !x.is_finite()),
                    "a measured value must be finite, or said to be absent or censored"
                );
            })
            .map(|value| value.as_f64())
            .collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let censored = n - sorted.partition_point(|x| x.is_finite());
        let mean = (n > 0 && censored == 0).then(|| sorted.iter().sum::<f64>() / n as f64);
        let quantile = |q| quantile(&sorted, q);
        Distribution {
            n: n as u64,
            censored: censored as u64,
            mean,
            min: sorted.first().copied().and_then(known),
            max: sorted.last().copied().and_then(known),
            p5: quantile(0.05),
            p25: quantile(0.25),
            p50: quantile(0.5),
            p75: quantile(0.75),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p50_ci: quantile_interval(&sorted, 0.5, LEVEL),
            p95_ci: quantile_interval(&sorted, 0.95, LEVEL),
        }
    }
}

/// The order statistic `X(ceil(n q))` of sorted values; `None` among the infinite or without any.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    // A hair less, so that 0.95 * 20 is the 19th and not, for a rounding, the 20th.
    let rank = (q * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().and_then(known)
}

/// The distribution-free interval `[X(l), X(u)]` of the `q`-quantile (0 < q < 1), from sorted values
/// among which the censored are infinite. An end is `None` where the data reach no such bound: few
/// values say nothing about how far a high quantile may be, and neither do censored ones.
///
/// `l` and `u` cut at most `(1 - level) / 2` off each end of the binomial law of how many values
/// lie below the quantile (Conover, "Practical Nonparametric Statistics", section 3.2).
///
/// # Panics
///
/// If `q` or `level` do not lie between 0 and 1.
pub fn quantile_interval(sorted: &[f64], q: f64, level: f64) -> [Option<f64>; 2] {
    let [lower, upper] = interval_ranks(sorted.len(), q, level);
    let value = |rank: usize| sorted.get(rank.checked_sub(1)?).copied().and_then(known);
    [value(lower), value(upper)]
}

/// The ranks of an interval's ends, from 1: 0 for no lower end, `n + 1` for no upper one.
fn interval_ranks(n: usize, q: f64, level: f64) -> [usize; 2] {
    assert!(
        0.0 < q && q < 1.0 && 0.0 < level && level < 1.0,
        "a quantile ({q}) and a confidence level ({level}) lie between 0 and 1"
    );
    let outside = 0.5 * (1.0 - level);
    // P(at most rank - 1 values lie below the quantile)
    let before = |rank: usize| match rank {
        0 => 0.0,
        _ => binomial_cdf(rank as u64 - 1, n as u64, q),
    };
    let lower = first_rank(n, |rank| before(rank) > outside) - 1;
    let upper = first_rank(n, |rank| before(rank) >= 1.0 - outside);
    [lower, upper]
}

/// The first rank from 1 to `n` at which a condition that stays holds; `n + 1` if it never does.
fn first_rank(n: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut to) = (1, n + 1);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

/// A censored value is not known.
fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_are_the_reference_s() {
        let known = [
            (100, 0.5, [40, 61]),
            (1000, 0.5, [469, 532]),
            (1000, 0.9, [881, 919]),
            (1000, 0.99, [983, 997]),
            (5000, 0.99, [4936, 4964]),
            (10_000, 0.999, [9983, 9997]),
            (20, 0.5, [6, 15]),
            (50, 0.99, [48, 51]),
        ];
        for (n, q, ranks) in known {
            assert_eq!(interval_ranks(n, q, 0.95), ranks, "{n} {q}");
        }
        // P(no value above the 99 % quantile) <= 2.5 % from n = 368 on.
        assert_eq!(interval_ranks(367, 0.99, 0.95)[1], 368);
        assert_eq!(interval_ranks(368, 0.99, 0.95)[1], 368);
    }

    #[test]
    fn quantiles_are_order_statistics() {
        let sorted: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(quantile(&sorted, 0.05), Some(1.0));
        assert_eq!(quantile(&sorted, 0.5), Some(10.0));
        assert_eq!(quantile(&sorted, 0.95), Some(19.0));
        assert_eq!(quantile(&sorted, 0.99), Some(20.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn censored_values_are_longest_and_absent_ones_nowhere() {
        let mut values = vec![Measured::Absent, Measured::Censored, Measured::Censored];
        values.extend((1..=8).rev().map(|x| Measured::Value(f64::from(x))));
        let distribution = Distribution::of(&values);
        assert_eq!((distribution.n, distribution.censored), (10, 2));
        assert_eq!(distribution.mean, None);
        assert_eq!((distribution.min, distribution.max), (Some(1.0), None));
        assert_eq!((distribution.p50, distribution.p75), (Some(5.0), Some(8.0)));
        assert_eq!((distribution.p95, distribution.p99), (None, None));
        // Ranks 2 and 9: the upper end is censored.
        assert_eq!(distribution.p50_ci, [Some(2.0), None]);
    }

    #[test]
    fn the_keys_are_the_promised_ones() {
        let distribution = Distribution::of(&[Measured::Value(2.0)]);
        assert_eq!(
            serde_json::to_string(&distribution).unwrap(),
            r#"{"n":1,"censored":0,"mean":2.0,"min":2.0,"max":2.0,"p5":2.0,"p25":2.0,"p50":2.0,"#
                .to_owned()
                + r#""p75":2.0,"p95":2.0,"p99":2.0,"p50_ci":[null,null],"p95_ci":[null,null]}"#
        );
        let nothing = Distribution::of(&[Measured::Absent]);
        assert_eq!((nothing.n, nothing.mean, nothing.min), (0, None, None));
    }

    proptest! {
        #[test]
        fn quantiles_rise_and_lie_in_their_intervals(
            values in prop::collection::vec(0.0f64..100.0, 1..300)
        ) {
            let measured: Vec<Measured> = values.iter().map(|&x| Measured::Value(x)).collect();
            let d = Distribution::of(&measured);
            let all = [d.min, d.p5, d.p25, d.p50, d.p75, d.p95, d.p99, d.max];
            prop_assert!(all.windows(2).all(|pair| pair[0].unwrap() <= pair[1].unwrap()));
            for (value, [lo, hi]) in [(d.p50, d.p50_ci), (d.p95, d.p95_ci)] {
                prop_assert!(lo.is_none_or(|lo| lo <= value.unwrap()));
                prop_assert!(hi.is_none_or(|hi| hi >= value.unwrap()));
            }
        }
    }
}
