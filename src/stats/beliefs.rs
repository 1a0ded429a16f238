//! What is not known apart from what is luck.
//!
//! Each replication draws its uncertain inputs anew and is simulated twice, with the same inputs and
//! other luck. What the two have in common comes from the inputs: in pairs `(x, y)` the covariance is
//! the variance of the mean given the inputs (Sobol', "Sensitivity estimates for nonlinear mathematical
//! models", 1993; here as the variance component of a one-way analysis with groups of two). Means of
//! pairs scatter more than that, since half of the luck's variance is left in them; they are drawn
//! together until they scatter as they should (Louis, "Estimating a population of parameter values
//! using Bayes and empirical Bayes methods", JASA 79, 1984).

use crate::stats::beta::{crossing, regularized_beta};
use crate::stats::distribution::quantile;
use serde::Serialize;

/// Fewer pairs tell nothing.
const LEAST: usize = 10;
/// Share of beliefs below and above the range.
const OUTSIDE: f64 = 0.05;

/// What a mean may be, for all that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Believed {
    /// The mean given the inputs lies below this for 5 % of the beliefs.
    pub lo: f64,
    /// And above this for 5 % of them.
    pub hi: f64,
    /// Share of the variance between replications that comes from what is not known.
    pub variance_share: f64,
}

/// Mean, and variances between beliefs and within them.
struct Components {
    mean: f64,
    between: f64,
    within: f64,
}

impl Components {
    fn of(pairs: &[(f64, f64)]) -> Option<Components> {
        let n = pairs.len() as f64;
        if pairs.len() < LEAST {
            return None;
        }
        let mean = pairs.iter().map(|(x, y)| 0.5 * (x + y)).sum::<f64>() / n;
        let scatter = |(x, y): &(f64, f64)| (0.5 * (x + y) - mean) * (0.5 * (x + y) - mean);
        let of_means = pairs.iter().map(scatter).sum::<f64>() / (n - 1.0);
        let within = pairs
            .iter()
            .map(|(x, y)| 0.5 * (x - y) * (x - y))
            .sum::<f64>()
            / n;
        Some(Components {
            mean,
            between: (of_means - 0.5 * within).max(0.0),
            within,
        })
    }

    fn variance_share(&self) -> f64 {
        match self.between + self.within {
            0.0 => 0.0,
            all => self.between / all,
        }
    }
}

impl Believed {
    /// From pairs of values with the same inputs; `None` where there are too few.
    pub fn of(pairs: &[(f64, f64)]) -> Option<Believed> {
        let parts = Components::of(pairs)?;
        let spread = parts.between + 0.5 * parts.within;
        let together = match spread {
            0.0 => 0.0,
            spread => (parts.between / spread).sqrt(),
        };
        let drawn = |(x, y): &(f64, f64)| parts.mean + together * (0.5 * (x + y) - parts.mean);
        let mut means: Vec<f64> = pairs.iter().map(drawn).collect();
        means.sort_by(f64::total_cmp);
        Some(Believed {
            lo: quantile(&means, OUTSIDE)?,
            hi: quantile(&means, 1.0 - OUTSIDE)?,
            variance_share: parts.variance_share(),
        })
    }

    /// From pairs that say whether something holds. Two are too few to see its chance given the
    /// inputs, which is taken for a beta law with the mean and variance found.
    pub fn of_chance(pairs: &[(bool, bool)]) -> Option<Believed> {
        let number = |holds: bool| f64::from(u8::from(holds));
        let pairs: Vec<(f64, f64)> = pairs.iter().map(|&(x, y)| (number(x), number(y))).collect();
        let parts = Components::of(&pairs)?;
        let p = parts.mean;
        let [lo, hi] = match parts.between / (p * (1.0 - p)) {
            // Always, never, or always as likely.
            ratio if !ratio.is_finite() || ratio <= 1e-9 => [p, p],
            ratio => {
                let size = (1.0 / ratio - 1.0).max(1e-3);
                let (a, b) = (p * size, (1.0 - p) * size);
                [OUTSIDE, 1.0 - OUTSIDE].map(|q| crossing(|x| regularized_beta(a, b, x) >= q))
            }
        };
        Some(Believed {
            lo,
            hi,
            variance_share: parts.variance_share(),
        })
    }
}

/// Spearman's rank correlation; infinite values are longest. `None` where one of the two does not
/// vary.
pub fn rank_correlation(xs: &[f64], ys: &[f64]) -> Option<f64> {
    let (xs, ys) = (ranks(xs), ranks(ys));
    let mean = 0.5 * (xs.len() as f64 - 1.0);
    let sum = |a: &[f64], b: &[f64]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let scale = (sum(&xs, &xs) * sum(&ys, &ys)).sqrt();
    (scale > 0.0).then(|| sum(&xs, &ys) / scale)
}

/// Ranks from 0; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let same = |&&i: &&usize| values[i] == values[order[from]];
        let until = from + order[from..].iter().take_while(same).count();
        for &i in &order[from..until] {
            ranks[i] = 0.5 * (from + until - 1) as f64;
        }
        from = until;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::Stream;

    /// Uniform inputs on [0, 10], and a mean of so much luck's standard deviation around them.
    fn pairs(n: u64, luck: f64) -> Vec<(f64, f64)> {
        let stream = Stream::new(5, 0, "test", "beliefs");
        (0..n)
            .map(|i| {
                let mut draws = stream.draws(i, 0);
                let belief = 10.0 * draws.uniform();
                // Twelve uniform numbers are a normal one, nearly.
                let mut one = || {
                    let sum: f64 = (0..12).map(|_| draws.uniform()).sum();
                    belief + luck * (sum - 6.0)
                };
                (one(), one())
            })
            .collect()
    }

    #[test]
    fn the_range_is_of_the_inputs_whatever_luck_does() {
        // The mean given the input is the input: 5 % lie below 0.5, and above 9.5.
        for (luck, tolerance) in [(0.0, 0.15), (1.0, 0.3), (3.0, 0.7)] {
            let found = Believed::of(&pairs(4_000, luck)).expect("enough");
            assert!((found.lo - 0.5).abs() < tolerance, "{luck}: {found:?}");
            assert!((found.hi - 9.5).abs() < tolerance, "{luck}: {found:?}");
            let share = (100.0 / 12.0) / (100.0 / 12.0 + luck * luck);
            assert!(
                (found.variance_share - share).abs() < 0.03,
                "{luck}: {found:?}"
            );
        }
        // More replications do not shrink it.
        let few = Believed::of(&pairs(200, 1.0)).expect("enough");
        assert!(few.hi - few.lo > 8.0 && few.hi - few.lo < 10.0, "{few:?}");
    }

    #[test]
    fn luck_alone_is_no_uncertainty() {
        let luck: Vec<(f64, f64)> = pairs(4_000, 0.0)
            .chunks(2)
            .map(|p| (p[0].0, p[1].0))
            .collect();
        let found = Believed::of(&luck).expect("enough");
        // Of a standard deviation of 2.9 next to nothing is taken for what is not known.
        assert!(
            found.hi - found.lo < 2.0 && found.variance_share < 0.05,
            "{found:?}"
        );
        assert_eq!(Believed::of(&luck[..9]), None);
    }

    #[test]
    fn chances_are_found_from_pairs() {
        // The chance is uniform on [0, 1]: a beta law with 5 % below 0.05.
        let stream = Stream::new(6, 0, "test", "chances");
        let holds = |i: u64| {
            let mut draws = stream.draws(i, 0);
            let chance = draws.uniform();
            (draws.uniform() < chance, draws.uniform() < chance)
        };
        let found = Believed::of_chance(&(0..20_000).map(holds).collect::<Vec<_>>());
        let found = found.expect("enough");
        assert!(
            (found.lo - 0.05).abs() < 0.02 && (found.hi - 0.95).abs() < 0.02,
            "{found:?}"
        );
        assert!((found.variance_share - 1.0 / 3.0).abs() < 0.03, "{found:?}");
        let always = Believed::of_chance(&[(true, true); 20]).expect("enough");
        assert_eq!(
            (always.lo, always.hi, always.variance_share),
            (1.0, 1.0, 0.0)
        );
    }

    #[test]
    fn ranks_tell_what_rises_with_what() {
        let xs = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(
            rank_correlation(&xs, &[1.0, 8.0, 27.0, 64.0, f64::INFINITY]),
            Some(1.0)
        );
        assert_eq!(
            rank_correlation(&xs, &[5.0, 4.0, 3.0, 2.0, 1.0]),
            Some(-1.0)
        );
        assert_eq!(rank_correlation(&xs, &[7.0; 5]), None);
        // With ties: ranks 0.5, 0.5, 2, 3, 4.
        let tied = rank_correlation(&xs, &[1.0, 1.0, 3.0, 4.0, 5.0]).expect("both vary");
        assert!((tied - 0.974_679_434).abs() < 1e-8, "{tied}");
    }
}
