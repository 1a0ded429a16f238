//! Logarithms of probabilities of counts, to about 1e-12 at any size. The textbook formulas
//! subtract log-factorials of the order of `n log n`, and from a billion on what remains is noise.
//!
//! Loader, "Fast and accurate computation of binomial probabilities" (2000): each probability is
//! written as Stirling's error and a deviance, both of the size of the result.

use std::f64::consts::TAU;

/// The logarithm of the probability that a Poisson count with this mean is `k`.
pub fn ln_poisson(k: f64, mean: f64) -> f64 {
    if k == 0.0 {
        return -mean;
    }
    -stirling_error(k) - deviance(k, mean) - 0.5 * libm::log(TAU * k)
}

/// The logarithm of the probability of `k` successes in `n` trials of success probability `p`,
/// which lies strictly between 0 and 1.
pub fn ln_binomial(k: f64, n: f64, p: f64) -> f64 {
    if k == 0.0 {
        return n * libm::log1p(-p);
    }
    if k == n {
        return n * libm::log(p);
    }
    let misses = n - k;
    stirling_error(n)
        - stirling_error(k)
        - stirling_error(misses)
        - deviance(k, n * p)
        - deviance(misses, n * (1.0 - p))
        + 0.5 * libm::log(n / (TAU * k * misses))
}

/// `ln k! - (k + 1/2) ln k + k - ln(2 pi)/2`, for `k >= 1`.
fn stirling_error(k: f64) -> f64 {
    if k <= 15.0 {
        return libm::lgamma(k + 1.0) - (k + 0.5) * libm::log(k) + k - 0.5 * libm::log(TAU);
    }
    let square = k * k;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / k
}

/// `x ln(x / mean) + mean - x`, without cancellation where `x` is close to the mean.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * libm::log(x / mean) - difference;
    }
    let ratio = difference / (x + mean);
    let mut sum = difference * ratio;
    let mut power = 2.0 * x * ratio;
    // The ratio is below 0.1, so ten terms reach the last bit.
    for j in 1..=10 {
        power *= ratio * ratio;
        sum += power / f64::from(2 * j + 1);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one() {
        for mean in [0.3, 10.0, 200.0] {
            let sum: f64 = (0..2000)
                .map(|k| libm::exp(ln_poisson(f64::from(k), mean)))
                .sum();
            assert!((sum - 1.0).abs() < 1e-12, "{mean}: {sum}");
        }
        for (n, p) in [(1, 0.3), (40, 0.3), (1000, 0.01), (3000, 0.5)] {
            let sum: f64 = (0..=n)
                .map(|k| libm::exp(ln_binomial(f64::from(k), f64::from(n), p)))
                .sum();
            assert!((sum - 1.0).abs() < 1e-12, "{n} {p}: {sum}");
        }
    }

    #[test]
    fn large_counts_keep_their_digits() {
        // Computed with 50 digits.
        let known = [
            (ln_poisson(1_000_010_000.0, 1e9), -11.330576285070377),
            (ln_binomial(300_010_000.0, 1e9, 0.3), -10.738350827753022),
            (ln_poisson(3.0, 12.5), -6.714573536303289),
        ];
        for (got, exact) in known {
            assert!((got - exact).abs() < 1e-11, "{got} {exact}");
        }
    }
}
