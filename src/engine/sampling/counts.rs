//! Random counts: how many arrive, how many of them fail, how they divide.

use super::mass::{ln_binomial, ln_poisson};
use crate::engine::stream::Draws;

/// Counts are exact up to here: the largest integer below which `f64` skips none.
const LARGEST: f64 = (1u64 << 53) as f64;

/// Below this mean a count is searched for from zero, from it on drawn by rejection.
const SEARCH_BELOW: f64 = 10.0;

/// Counts that a search starting from a mean below [`SEARCH_BELOW`] can reach: the probability of
/// more is below 1e-100, and a search that comes so far has met rounding.
const SEARCH_LIMIT: f64 = 150.0;

/// A Poisson count. Without a positive mean it is 0; means above 2^53 count as 2^53.
///
/// From a mean of 10 on: Hörmann, "The transformed rejection method for generating Poisson random
/// variables" (PTRS), Insurance: Mathematics and Economics 12 (1993),
/// <https://doi.org/10.1016/0167-6687(93)90997-4>.
pub fn poisson(draws: &mut Draws, mean: f64) -> u64 {
    // Also for a mean that is not a number.
    if mean.is_nan() || mean <= 0.0 {
        return 0;
    }
    let mean = mean.min(LARGEST);
    if mean < SEARCH_BELOW {
        return search(draws, libm::exp(-mean), SEARCH_LIMIT, |k| mean / k);
    }
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let accept_at_once = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = draws.uniform() - 0.5;
        let v = draws.uniform();
        let from_edge = 0.5 - u.abs();
        let k = ((2.0 * a / from_edge + b) * u + mean + 0.43).floor();
        if from_edge >= 0.07 && v <= accept_at_once {
            return k as u64;
        }
        if k < 0.0 || (from_edge < 0.013 && v > from_edge) {
            continue;
        }
        let height = v * inverse_alpha / (a / (from_edge * from_edge) + b);
        if libm::log(height) <= ln_poisson(k, mean) {
            return k as u64;
        }
    }
}

/// Successes in `n` independent trials (up to 2^53) of success probability `p`: exactly 0 for
/// `p <= 0` or not a number, exactly `n` for `p >= 1`.
///
/// From a mean of 10 on: Hörmann, "The generation of binomial random variates" (BTRS), Journal of
/// Statistical Computation and Simulation 46 (1993), <https://doi.org/10.1080/00949659308811496>.
pub fn binomial(draws: &mut Draws, n: u64, p: f64) -> u64 {
    if n == 0 || p.is_nan() || p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    if p > 0.5 {
        // Exact: between 1/2 and 1 the difference from 1 is not rounded.
        return n - binomial_rare(draws, n, 1.0 - p);
    }
    binomial_rare(draws, n, p)
}

/// [`binomial`] for `n > 0` and `0 < p <= 1/2`.
fn binomial_rare(draws: &mut Draws, trials: u64, p: f64) -> u64 {
    let n = trials as f64;
    if n * p < SEARCH_BELOW {
        let odds = p / (1.0 - p);
        let none = libm::exp(n * libm::log1p(-p));
        return search(draws, none, SEARCH_LIMIT.min(n), |k| {
            (n - k + 1.0) / k * odds
        });
    }
    let deviation = (n * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * deviation;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let alpha = (2.83 + 5.1 / b) * deviation;
    let accept_at_once = 0.92 - 4.2 / b;
    loop {
        let u = draws.uniform() - 0.5;
        let v = draws.uniform();
        let from_edge = 0.5 - u.abs();
        let k = ((2.0 * a / from_edge + b) * u + n * p + 0.5).floor();
        if from_edge >= 0.07 && v <= accept_at_once {
            return k as u64;
        }
        if k < 0.0 || k > n {
            continue;
        }
        let height = v * alpha / (a / (from_edge * from_edge) + b);
        let mode = ((n + 1.0) * p).floor();
        if libm::log(height) <= ln_binomial(k, n, p) - ln_binomial(mode, n, p) {
            return k as u64;
        }
    }
}

/// Divides `n` into the categories of `out` in proportion to `shares`, which need not sum to
/// one. The parts sum to `n`, and a category without a share gets nothing.
///
/// One binomial per category, of what the earlier ones left over.
///
/// # Panics
///
/// If the lengths differ, or something is to be divided and no share is positive.
pub fn multinomial(draws: &mut Draws, n: u64, shares: &[f64], out: &mut [u64]) {
    assert_eq!(
        shares.len(),
        out.len(),
        "there must be as many counts as shares"
    );
    out.fill(0);
    if n == 0 {
        return;
    }
    let last = shares
        .iter()
        .rposition(|&share| share > 0.0)
        .expect("counts can only be divided among categories of which one has a positive share");
    let mut share_left: f64 = shares.iter().filter(|&&share| share > 0.0).sum();
    let mut left = n;
    for i in 0..last {
        if shares[i] > 0.0 && left > 0 {
            out[i] = binomial(draws, left, shares[i] / share_left);
            left -= out[i];
            share_left -= shares[i];
        }
    }
    // What rounding made of the remaining share cannot lose or add anybody.
    out[last] = left;
}

/// Inversion from zero upwards: `first` is the probability of 0, `ratio(k)` that of `k` over that
/// of `k - 1`. Beyond `limit` there is only rounding, and the search starts again.
fn search(draws: &mut Draws, first: f64, limit: f64, ratio: impl Fn(f64) -> f64) -> u64 {
    loop {
        let mut left = draws.uniform();
        let mut probability = first;
        let mut k = 0.0;
        while k <= limit {
            if left < probability {
                return k as u64;
            }
            left -= probability;
            k += 1.0;
            probability *= ratio(k);
        }
    }
}
