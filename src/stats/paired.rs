//! Two variants in the same weather: what differs, replication by replication.

use crate::model::measure::Measured;
use crate::stats::beta::{binomial_cdf, t_test};
use crate::stats::{Estimate, SignedRanks};

/// Values that differ by a smaller share of their mean are the same.
const ROUNDING: f64 = 1e-12;

/// A measure of two variants, paired by replication: common random numbers make both of a pair
/// meet the same luck, so that what is left of it in the difference is little.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// Pairs: replications in which the measure has a beginning in both.
    pub pairs: u64,
    /// Mean of `b - a` over the pairs in which neither is censored; `None` where there is no such
    /// pair.
    pub difference: Option<Estimate>,
    /// Mean of `a` over the same pairs.
    pub mean_a: Option<f64>,
    /// The difference relative to that mean; `None` where it is 0.
    pub relative: Option<Estimate>,
    /// Pairs in which `a` is censored.
    pub censored_a: u64,
    /// Pairs in which `b` is censored.
    pub censored_b: u64,
    /// Pairs in which `b` is less than `a`; a censored value is more than any that is not.
    pub less: u64,
    /// Pairs in which `b` is more than `a`.
    pub more: u64,
    /// The sign test's: how probable so one-sided a result or a more one-sided one would be, if `b`
    /// were as often less as more. Pairs of equals, the doubly censored among them, say nothing.
    pub p: f64,
    /// The paired t test's p value of the difference; `None` where nothing varies, or of a single pair.
    pub p_mean: Option<f64>,
    /// Wilcoxon's test of the same pairs; `None` where there is none.
    pub ranks: Option<SignedRanks>,
    /// How alike the two are over these pairs, from -1 to 1; `None` where one does not vary.
    pub correlation: Option<f64>,
    /// How many times as many replications the same interval would take if the two did not meet the
    /// same weather; `None` where their difference does not vary.
    pub pairing: Option<f64>,
}

impl Paired {
    /// Compares two lists whose values at the same place are of the same replication.
    ///
    /// # Panics
    ///
    /// If the lists do not have the same length.
    pub fn of(a: &[Measured], b: &[Measured]) -> Paired {
        assert_eq!(a.len(), b.len(), "pairs need as many values of a as of b");
        let both = a
            .iter()
            .zip(b)
            .filter(|pair| !matches!(pair, (Measured::Absent, _) | (_, Measured::Absent)));
        let pairs: Vec<(f64, f64)> = both.map(|(a, b)| (a.as_f64(), b.as_f64())).collect();
        let count =
            |of: fn(&(f64, f64)) -> bool| pairs.iter().filter(|pair| of(pair)).count() as u64;
        let known = || pairs.iter().filter(|(a, b)| a.is_finite() && b.is_finite());
        let differences: Vec<f64> = known().map(|(a, b)| b - a).collect();
        let mean =
            |of: fn(&(f64, f64)) -> f64| known().map(of).sum::<f64>() / differences.len() as f64;
        let (mean_a, mean_b) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            known().map(|(a, b)| of(a - mean_a, b - mean_b)).sum()
        };
        let n = differences.len() as f64;
        // What is left of values that are all the same is rounding, and says nothing.
        let rounding = ROUNDING * mean_a.abs().max(mean_b.abs());
        let spread = |squares: f64| {
            if squares > n * rounding * rounding {
                squares
            } else {
                0.0
            }
        };
        let of_a = spread(sum(&|a, _| a * a));
        let of_b = spread(sum(&|_, b| b * b));
        let of_difference = spread(sum(&|a, b| (b - a) * (b - a)));
        let error = (of_difference / (n - 1.0) / n).sqrt();
        let varies = differences.len() > 1 && of_difference > 0.0;
        let (less, more) = (count(|(a, b)| b < a), count(|(a, b)| b > a));
        Paired {
            pairs: pairs.len() as u64,
            mean_a: (!differences.is_empty()).then_some(mean_a),
            relative: relative(&known().copied().collect::<Vec<_>>(), mean_a),
            difference: Estimate::of(&differences),
            censored_a: count(|(a, _)| a.is_infinite()),
            censored_b: count(|(_, b)| b.is_infinite()),
            less,
            more,
            p: sign_test(less, more),
            p_mean: varies.then(|| t_test((mean_b - mean_a) / error, n - 1.0)),
            ranks: (!differences.is_empty()).then(|| SignedRanks::of(&differences)),
            correlation: (of_a * of_b > 0.0)
                .then(|| (sum(&|a, b| a * b) / (of_a.sqrt() * of_b.sqrt())).clamp(-1.0, 1.0)),
            pairing: varies.then(|| (of_a + of_b) / of_difference),
        }
    }
}

/// The difference of two means relative to the first, by the delta method: the mean of `a` is only
/// estimated too, and hangs together with the difference.
fn relative(pairs: &[(f64, f64)], mean_a: f64) -> Option<Estimate> {
    if pairs.is_empty() || mean_a == 0.0 {
        return None;
    }
    let ratio = pairs.iter().map(|(a, b)| b - a).sum::<f64>() / pairs.len() as f64 / mean_a;
    let linear = |(a, b): &(f64, f64)| ratio + ((b - a) - ratio * a) / mean_a;
    let values: Vec<f64> = pairs.iter().map(linear).collect();
    let estimate = Estimate::of(&values)?;
    Some(Estimate {
        mean: ratio,
        ..estimate
    })
}

/// The two-sided p value of so many differences of either sign, if both signs were equally
/// probable: 1 where there are none.
pub fn sign_test(negative: u64, positive: u64) -> f64 {
    let n = negative + positive;
    if n == 0 {
        return 1.0;
    }
    (2.0 * binomial_cdf(negative.min(positive), n, 0.5)).min(1.0)
}

/// Holm's correction: p values of so many tests, adjusted so that the chance of a single wrong
/// "different" among all of them is at most the level that they are held against.
///
/// Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
/// Statistics 6 (1979), <https://www.jstor.org/stable/4615733>.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0_f64;
    for (rank, &i) in order.iter().enumerate() {
        least = least.max(p[i] * (p.len() - rank) as f64).min(1.0);
        adjusted[i] = least;
    }
    adjusted
}

/// Bonferroni's correction of one p value of so many tests: [`holm`]'s of the least of them.
pub fn bonferroni(p: f64, tests: u64) -> f64 {
    (p * tests as f64).min(1.0)
}

/// Benjamini's and Hochberg's correction: of those below a level, at most that share are wrong on
/// average. Less careful than [`holm`], which allows none at all.
///
/// Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical
/// Society B 57 (1995), <https://doi.org/10.1111/j.2517-6161.1995.tb02031.x>.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[j].total_cmp(&p[i]));
    let mut adjusted = vec![0.0; p.len()];
    let mut most = 1.0_f64;
    for (above, &i) in order.iter().enumerate() {
        let rank = (p.len() - above) as f64;
        most = most.min(p[i] * p.len() as f64 / rank);
        adjusted[i] = most;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use Measured::{Absent, Censored, Value};
    use proptest::prelude::*;

    fn values(values: &[f64]) -> Vec<Measured> {
        values.iter().map(|&value| Value(value)).collect()
    }

    #[test]
    fn pairs_are_the_reference_s() {
        let x = [
            9.624237, 2.692765, 19.248473, 6.389165, 0.944974, 12.317001, 3.948782, 28.87271,
            8.26235, 1.988655, 16.013402, 5.385529, 0.35049, 10.569211, 3.154094, 21.941238,
            7.063901, 1.330878, 13.573019, 4.473498, 38.496946, 9.08193, 2.417936, 17.886587,
            5.993831,
        ];
        let y = [
            6.582372, 3.532408, 15.244184, 12.495312, 1.163581, 9.005859, 5.540032, 23.905997,
            5.356673, 2.535242, 12.33262, 8.597294, 0.424407, 7.432848, 4.2287, 17.667673,
            4.278069, 1.658469, 10.136276, 6.517598, 32.56781, 6.094295, 3.134822, 14.018487,
            10.555475,
        ];
        let paired = Paired::of(&values(&y), &values(&x));
        let difference = paired.difference.unwrap();
        assert_eq!((paired.pairs, difference.n), (25, 25));
        assert!((difference.mean - 1.08060396).abs() < 1e-9);
        assert!((difference.lo.unwrap() - -0.22032132154975415).abs() < 1e-7);
        assert!((difference.hi.unwrap() - 2.381529241549754).abs() < 1e-7);
        assert_eq!((paired.more, paired.less), (13, 12));
        assert!((paired.p - 1.0).abs() < 1e-12);
        assert!((paired.p_mean.unwrap() - 0.0993497770791988).abs() < 1e-8);
        let ranks = paired.ranks.unwrap();
        assert_eq!(ranks.w, 107.0);
        assert!((ranks.p - 0.14091521501541138).abs() < 1e-10);
        assert!((paired.correlation.unwrap() - 0.9558404261378358).abs() < 1e-9);
        assert!((paired.pairing.unwrap() - 14.462616983462274).abs() < 1e-8);
        let mean: f64 = y.iter().sum::<f64>() / 25.0;
        assert!((paired.mean_a.unwrap() - mean).abs() < 1e-12);
    }

    #[test]
    fn censored_counts_as_longest_and_has_no_difference() {
        let a = [
            Value(1.0),
            Value(2.0),
            Censored,
            Censored,
            Value(5.0),
            Absent,
        ];
        let b = [
            Value(4.0),
            Censored,
            Value(3.0),
            Censored,
            Absent,
            Value(1.0),
        ];
        let paired = Paired::of(&a, &b);
        assert_eq!((paired.pairs, paired.less, paired.more), (4, 1, 2));
        assert_eq!((paired.censored_a, paired.censored_b), (2, 2));
        let difference = paired.difference.unwrap();
        assert_eq!((difference.n, difference.mean), (1, 3.0));
        assert_eq!(paired.mean_a, Some(1.0));
        assert!((paired.p - 1.0).abs() < 1e-12);
        let nothing = Paired::of(&[Censored, Absent], &[Value(1.0), Absent]);
        assert_eq!((nothing.pairs, nothing.less), (1, 1));
        assert_eq!((nothing.difference, nothing.mean_a), (None, None));
    }

    #[test]
    fn the_sign_test_is_a_binomial_tail() {
        // 2 (1 + 10) / 2^10, 2 / 2^20, and no evidence.
        assert!((sign_test(1, 9) - 22.0 / 1024.0).abs() < 1e-14);
        assert!((sign_test(20, 0) * f64::from(1 << 19) - 1.0).abs() < 1e-10);
        assert_eq!(sign_test(5, 5), 1.0);
        assert_eq!(sign_test(0, 0), 1.0);
        // As many replications as anybody runs: 2 / 2^1000 is small and not zero.
        let p = sign_test(0, 1000);
        assert!(p > 0.0 && (p.log2() + 999.0).abs() < 1e-9, "{p}");
        // 495 of 1,000: 2 P(Bin(1000, 1/2) <= 495), from exact integers.
        assert!((sign_test(495, 505) - 0.7759635149561617).abs() < 1e-10);
    }

    #[test]
    fn corrections_are_the_reference_s() {
        let p = [0.001, 0.04, 0.03, 0.2, 0.012];
        let adjusted = holm(&p);
        for (got, known) in adjusted.iter().zip([0.005, 0.09, 0.09, 0.2, 0.048]) {
            assert!((got - known).abs() < 1e-12, "{adjusted:?}");
        }
        let some = benjamini_hochberg(&p);
        for (p, known) in p.iter().zip([0.005, 0.2, 0.15, 1.0, 0.06]) {
            assert!((bonferroni(*p, 5) - known).abs() < 1e-12);
        }
        for (got, known) in some.iter().zip([0.005, 0.05, 0.05, 0.2, 0.03]) {
            assert!((got - known).abs() < 1e-12, "{some:?}");
        }
        assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
        assert_eq!(holm(&[0.7, 0.6]), [1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn swapping_the_variants_turns_the_difference_round(
            pairs in prop::collection::vec((0u8..6, 0u8..6), 1..40)
        ) {
            let measured = |x: u8| match x {
                0 => Absent,
                1 => Censored,
                x => Value(f64::from(x)),
            };
            let a: Vec<Measured> = pairs.iter().map(|&(a, _)| measured(a)).collect();
            let b: Vec<Measured> = pairs.iter().map(|&(_, b)| measured(b)).collect();
            let (there, back) = (Paired::of(&a, &b), Paired::of(&b, &a));
            prop_assert_eq!((there.less, there.more, there.pairs), (back.more, back.less, back.pairs));
            prop_assert_eq!(there.p, back.p);
            let mean = |paired: &Paired| paired.difference.map(|d| d.mean);
            prop_assert_eq!(mean(&there), mean(&back).map(|mean| -mean));
        }

        #[test]
        fn corrections_are_ordered_by_how_careful_they_are(p in prop::collection::vec(0.0f64..=1.0, 1..20)) {
            let some = benjamini_hochberg(&p);
            for (i, adjusted) in holm(&p).into_iter().enumerate() {
                prop_assert!(p[i] <= some[i] + 1e-15 && some[i] <= adjusted + 1e-15);
                prop_assert!(adjusted <= bonferroni(p[i], p.len() as u64));
            }
        }
    }

    #[test]
    fn what_only_rounds_does_not_vary() {
        let a: Vec<Measured> = (0..40)
            .map(|i| Measured::Value(0.1 * 3.0 + f64::from(i % 2) * 1e-17))
            .collect();
        let b: Vec<Measured> = (0..40)
            .map(|i| Measured::Value(0.6 + f64::from(i % 3) * 1e-16))
            .collect();
        let paired = Paired::of(&a, &b);
        assert_eq!(
            (paired.p_mean, paired.correlation, paired.pairing),
            (None, None, None)
        );
        assert!((paired.relative.unwrap().mean - 1.0).abs() < 1e-12);
    }

    /// Where `b` is twice `a` in every pair, the ratio is known exactly although both vary; where `b` is
    /// always the same, it is known as badly as the mean of `a`.
    #[test]
    fn a_relative_difference_has_an_interval_of_its_own() {
        let values: Vec<f64> = (0..40).map(|i| 100.0 + f64::from(i * 7 % 40)).collect();
        let measured = |of: &dyn Fn(f64) -> f64| -> Vec<Measured> {
            values.iter().map(|&x| Measured::Value(of(x))).collect()
        };
        let a = measured(&|x| x);
        let doubled = Paired::of(&a, &measured(&|x| 2.0 * x)).relative.unwrap();
        let width = |estimate: Estimate| estimate.hi.unwrap() - estimate.lo.unwrap();
        assert!((doubled.mean - 1.0).abs() < 1e-12 && width(doubled) < 1e-12);
        let fixed = Paired::of(&a, &measured(&|_| 200.0)).relative.unwrap();
        // The ratio is 200 / mean - 1, and the mean is known to within a share of itself.
        let mean = Estimate::of(&values).unwrap();
        let expected = 200.0 / mean.mean * width(mean) / mean.mean;
        assert!(
            (width(fixed) / expected - 1.0).abs() < 1e-9,
            "{fixed:?} {expected}"
        );
    }
}
