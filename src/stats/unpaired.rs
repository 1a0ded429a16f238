//! Two results of which only intervals are left: nothing pairs their replications.

use crate::stats::{Estimate, Share, Z};

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Interval {
    /// Of a mean; `None` where a single value promises nothing.
    pub fn of_mean(estimate: &Estimate) -> Option<Interval> {
        Some(Interval {
            value: estimate.mean,
            lo: estimate.lo?,
            hi: estimate.hi?,
        })
    }

    /// Of the share of `holds` among `n`; `None` if `n` is 0, or less.
    pub fn of_share(holds: u64, n: u64) -> Option<Interval> {
        let share = (holds <= n).then(|| Share::wilson(holds, n))??;
        Some(Interval {
            value: share.share,
            lo: share.lo,
            hi: share.hi,
        })
    }
}

/// How two independent results differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unpaired {
    /// `new - old`, with its 95 % interval.
    pub difference: Interval,
    /// How probable so large a difference or a larger one would be if there were none.
    pub p: f64,
}

impl Unpaired {
    /// The difference of two independent values from their intervals: what each reaches beyond its
    /// value adds up in squares. For means this is Welch's interval with a few degrees of freedom
    /// less, for shares Newcombe's; it fits quantiles too, whose intervals are lopsided.
    ///
    /// Zou and Donner, "Construction of confidence limits about effect measures", Statistics in
    /// Medicine 27 (2008), <https://doi.org/10.1002/sim.3095>.
    pub fn of(old: Interval, new: Interval) -> Unpaired {
        let value = new.value - old.value;
        let below = libm::hypot(new.value - new.lo, old.hi - old.value);
        let above = libm::hypot(new.hi - new.value, old.value - old.lo);
        // How far the interval reaches in the direction of no difference.
        let reach = if value > 0.0 { below } else { above };
        let p = match (value == 0.0, reach == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            _ => libm::erfc(Z * value.abs() / reach / std::f64::consts::SQRT_2),
        };
        Unpaired {
            difference: Interval {
                value,
                lo: value - below,
                hi: value + above,
            },
            p,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(value: f64, lo: f64, hi: f64) -> Interval {
        Interval { value, lo, hi }
    }

    #[test]
    fn shares_differ_as_in_newcombe_s_example() {
        // 56 of 70 and 48 of 80 with Wilson's intervals: 0.2, 0.0524 to 0.3339 (Newcombe, Statistics
        // in Medicine 17 (1998), method 10).
        let old = Interval::of_share(48, 80).unwrap();
        let new = Interval::of_share(56, 70).unwrap();
        assert_eq!(Interval::of_share(2, 1), None);
        let found = Unpaired::of(old, new);
        assert!((found.difference.value - 0.2).abs() < 1e-12);
        assert!((found.difference.lo - 0.0524).abs() < 1e-4, "{found:?}");
        assert!((found.difference.hi - 0.3339).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn the_p_value_is_a_twentieth_where_the_interval_ends_at_zero() {
        let found = Unpaired::of(interval(10.0, 7.0, 13.0), interval(15.0, 11.0, 19.0));
        assert_eq!((found.difference.lo, found.difference.hi), (0.0, 10.0));
        assert!((found.p - 0.05).abs() < 1e-12, "{found:?}");
        // Twice as far: 2 (1 - Phi(3.92)).
        let found = Unpaired::of(interval(10.0, 7.0, 13.0), interval(20.0, 16.0, 24.0));
        assert!((found.p / 8.857e-5 - 1.0).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn what_does_not_vary_differs_or_does_not() {
        let five = interval(5.0, 5.0, 5.0);
        assert_eq!(Unpaired::of(five, five).p, 1.0);
        assert_eq!(Unpaired::of(five, interval(5.1, 5.1, 5.1)).p, 0.0);
    }

    #[test]
    fn means_of_equal_samples_are_a_little_wider_apart_than_welch_says() {
        let sample =
            |shift: f64| -> Vec<f64> { (0..10).map(|i| shift + f64::from(i * i % 7)).collect() };
        let of = |shift| Interval::of_mean(&Estimate::of(&sample(shift)).unwrap()).unwrap();
        let found = Unpaired::of(of(0.0), of(3.0));
        let values = sample(0.0);
        let mean = values.iter().sum::<f64>() / 10.0;
        let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 9.0;
        // Welch with 18 degrees of freedom; ours has the t of 9.
        let welch = 2.10092204024096 * (2.0 * variance / 10.0).sqrt();
        let ours = 3.0 - found.difference.lo;
        assert!((ours / welch - 2.262157162798205 / 2.10092204024096).abs() < 1e-9);
    }
}
