//! The share of replications in which something holds.

use crate::stats::beta::{crossing, regularized_beta};
use crate::stats::{LEVEL, Z};
use serde::Serialize;

/// A share with its Clopper-Pearson interval, which never covers less than it says.
///
/// Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
/// binomial", Biometrika 26 (1934), <https://doi.org/10.1093/biomet/26.4.404>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// `holds / n`.
    pub share: f64,
    /// Lower end of the interval.
    pub lo: f64,
    /// Upper end of the interval.
    pub hi: f64,
}

impl Share {
    /// The share of `holds` among `n`; `None` if `n` is 0.
    ///
    /// # Panics
    ///
    /// If more hold than there are.
    pub fn of(holds: u64, n: u64) -> Option<Share> {
        Share::at(LEVEL, holds, n)
    }

    /// The same at another level of confidence.
    ///
    /// # Panics
    ///
    /// If more hold than there are.
    pub fn at(level: f64, holds: u64, n: u64) -> Option<Share> {
        assert!(
            holds <= n,
            "something holds in {holds} of {n} replications, which is more than all"
        );
        if n == 0 {
            return None;
        }
        let outside = 0.5 * (1.0 - level);
        let (k, misses) = (holds as f64, (n - holds) as f64);
        // P(Bin(n, p) >= k) = I_p(k, n - k + 1), and each end is where a tail is just `outside`.
        let lo = match holds {
            0 => 0.0,
            _ => crossing(|p| regularized_beta(k, misses + 1.0, p) >= outside),
        };
        let hi = match n - holds {
            0 => 1.0,
            _ => crossing(|p| regularized_beta(k + 1.0, misses, p) >= 1.0 - outside),
        };
        Some(Share {
            share: k / n as f64,
            lo,
            hi,
        })
    }
}

impl Share {
    /// The share with Wilson's interval, which covers 95 % on average rather than always: for differences
    /// of shares, whose intervals are built of it. `None` if `n` is 0.
    ///
    /// Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    /// American Statistical Association 22 (1927), <https://doi.org/10.2307/2276774>.
    ///
    /// # Panics
    ///
    /// If more hold than there are.
    pub fn wilson(holds: u64, n: u64) -> Option<Share> {
        assert!(holds <= n, "{holds} of {n} hold, which is more than all");
        if n == 0 {
            return None;
        }
        let (share, n) = (holds as f64 / n as f64, n as f64);
        let z2 = Z * Z / n;
        let middle = (share + 0.5 * z2) / (1.0 + z2);
        let half = (z2 * (share * (1.0 - share) + 0.25 * z2)).sqrt() / (1.0 + z2);
        Some(Share {
            share,
            // Rounding must not put the share outside.
            lo: (middle - half).max(0.0).min(share),
            hi: (middle + half).min(1.0).max(share),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_s_intervals_are_the_reference_s() {
        for (holds, n, lo, hi) in [
            (0, 1000, 0.0, 0.0038267584855551234),
            (3, 1000, 0.0010207838811386186, 0.008783014053503173),
            (50, 100, 0.4038315303659956, 0.5961684696340044),
            (1000, 1000, 0.9961732415144449, 1.0),
        ] {
            let share = Share::wilson(holds, n).unwrap();
            assert!((share.lo - lo).abs() < 1e-12, "{share:?}");
            assert!((share.hi - hi).abs() < 1e-12, "{share:?}");
        }
        assert_eq!(Share::wilson(0, 0), None);
    }

    #[test]
    fn intervals_are_the_reference_s() {
        let known = [
            (0, 1000, 0.0, 0.003682083896865671),
            (3, 1000, 0.0006190999316495715, 0.008742023238478303),
            (50, 100, 0.398321129503301, 0.601678870496699),
            (1000, 1000, 0.9963179161031344, 1.0),
            // Where a fraction cut off too early would be wrong.
            (95_000, 100_000, 0.94863107911942, 0.951342744792729),
        ];
        for (holds, n, lo, hi) in known {
            let share = Share::of(holds, n).unwrap();
            assert!((share.lo - lo).abs() < 1e-10, "{share:?}");
            assert!((share.hi - hi).abs() < 1e-10, "{share:?}");
        }
        assert_eq!(Share::of(0, 0), None);
    }

    #[test]
    fn intervals_are_mirrored_and_hold_the_share() {
        for n in [1, 2, 7, 30] {
            for holds in 0..=n {
                let share = Share::of(holds, n).unwrap();
                let mirrored = Share::of(n - holds, n).unwrap();
                assert!(share.lo <= share.share && share.share <= share.hi);
                assert!(
                    (share.lo - (1.0 - mirrored.hi)).abs() < 1e-12,
                    "{holds}/{n}"
                );
            }
        }
    }
}
