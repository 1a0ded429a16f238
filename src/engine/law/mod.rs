//! Exact properties of the distributions of [`Dist`]: mean, variance, probabilities, quantiles and
//! the equilibrium residual law. All have closed forms but a sum of two or more parts that are not
//! fixed (see `sum`) and the quantiles of a mixture, which are searched for to 1e-12.

mod pareto;
mod sum;

use crate::engine::normal;
use crate::units::Dist;

/// The mean; infinite for a Pareto that is not cut off and has `alpha <= 1`.
pub fn mean(dist: &Dist) -> f64 {
    match dist {
        Dist::Fixed(value) => *value,
        Dist::Uniform { lo, hi } => 0.5 * (lo + hi),
        Dist::Exponential { mean } => *mean,
        Dist::Lognormal { mu, sigma } => libm::exp(mu + 0.5 * sigma * sigma),
        Dist::Pareto { min, alpha, max } => pareto::moment(*min, *alpha, *max, 1.0),
        Dist::Sum(parts) => parts.iter().map(mean).sum(),
        Dist::Mixture(choices) => average(choices, mean),
        Dist::Empirical(points) => over_segments(points, |lo, hi| 0.5 * (lo + hi)),
    }
}

/// The variance; infinite for a Pareto that is not cut off and has `alpha <= 2`.
pub fn variance(dist: &Dist) -> f64 {
    match dist {
        Dist::Fixed(_) => 0.0,
        Dist::Uniform { lo, hi } => (hi - lo) * (hi - lo) / 12.0,
        Dist::Exponential { mean } => mean * mean,
        Dist::Lognormal { mu, sigma } => {
            let square = sigma * sigma;
            libm::expm1(square) * libm::exp(2.0 * mu + square)
        }
        Dist::Pareto { min, alpha, max } => {
            let second = pareto::moment(*min, *alpha, *max, 2.0);
            spread(second, mean(dist))
        }
        Dist::Sum(parts) => parts.iter().map(variance).sum(),
        Dist::Mixture(choices) => {
            // Within and between: no difference of large squares.
            let centre = mean(dist);
            average(choices, |part| {
                let off = mean(part) - centre;
                variance(part) + off * off
            })
        }
        Dist::Empirical(points) => {
            let centre = mean(dist);
            over_segments(points, |lo, hi| {
                let (a, b) = (lo - centre, hi - centre);
                (a * a + a * b + b * b) / 3.0
            })
        }
    }
}

/// The probability of at most `x`.
pub fn cdf(dist: &Dist, x: f64) -> f64 {
    match dist {
        Dist::Fixed(value) => f64::from(u8::from(x >= *value)),
        Dist::Uniform { lo, hi } if x >= *hi => f64::from(u8::from(x >= *lo)),
        Dist::Uniform { lo, hi } => ((x - lo) / (hi - lo)).max(0.0),
        _ if x < 0.0 => 0.0,
        Dist::Exponential { mean } if *mean == 0.0 => 1.0,
        Dist::Exponential { mean } => -libm::expm1(-x / mean),
        Dist::Lognormal { .. } if x == 0.0 => 0.0,
        Dist::Lognormal { mu, sigma } if *sigma == 0.0 => f64::from(u8::from(x >= libm::exp(*mu))),
        Dist::Lognormal { mu, sigma } => normal::cdf((libm::log(x) - mu) / sigma),
        Dist::Pareto { min, alpha, max } => pareto::cdf(*min, *alpha, *max, x),
        Dist::Sum(parts) => sum::Reduced::new(parts).cdf(x),
        Dist::Mixture(choices) => average(choices, |part| cdf(part, x)),
        Dist::Empirical(points) => empirical_cdf(points, x),
    }
}

/// The smallest value that is not exceeded with probability `q`, which is clamped to [0, 1]: the
/// smallest possible value at 0, the largest (maybe infinite) at 1.
pub fn quantile(dist: &Dist, q: f64) -> f64 {
    let q = q.clamp(0.0, 1.0);
    match dist {
        Dist::Fixed(value) => *value,
        Dist::Uniform { lo, hi } => lo + (hi - lo) * q,
        Dist::Exponential { mean } if *mean == 0.0 => 0.0,
        Dist::Exponential { mean } => -mean * libm::log1p(-q),
        Dist::Lognormal { mu, sigma } if *sigma == 0.0 => libm::exp(*mu),
        Dist::Lognormal { mu, sigma } => libm::exp(mu + sigma * normal::quantile(q)),
        Dist::Pareto { min, alpha, max } => pareto::quantile(*min, *alpha, *max, q),
        Dist::Sum(parts) => sum::Reduced::new(parts).quantile(q),
        Dist::Mixture(choices) => {
            let parts = || choices.iter().filter(|(share, _)| *share > 0.0);
            let each = parts().map(|(_, part)| quantile(part, q));
            let (lo, hi) = each.fold((f64::INFINITY, 0.0f64), |(lo, hi), x| {
                (lo.min(x), hi.max(x))
            });
            if q == 0.0 {
                return lo.min(hi);
            }
            search(q, lo, hi, |x| cdf(dist, x))
        }
        Dist::Empirical(points) => empirical_quantile(points, q),
    }
}

/// The probability that the residual life exceeds `t` in equilibrium: `(1/m) int_t^inf (1 - F)`,
/// the law of the time that a long-lived connection, met at a random moment, still has to live.
/// 1 if the mean is infinite; 0 if it is zero.
///
/// Absolute error about 1e-15.
pub fn residual_survival(dist: &Dist, t: f64) -> f64 {
    let mean = mean(dist);
    if t <= 0.0 {
        f64::from(u8::from(mean > 0.0))
    } else if mean == f64::INFINITY {
        1.0
    } else if mean > 0.0 {
        (1.0 - restricted_mean(dist, t) / mean).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// The restricted mean `E min(X, t) = int_0^t (1 - F)`, which is finite for every law; `t` itself
/// when `t` is below the smallest value, also when negative.
pub fn restricted_mean(dist: &Dist, t: f64) -> f64 {
    if t <= 0.0 {
        return t;
    }
    match dist {
        Dist::Fixed(value) => value.min(t),
        Dist::Uniform { lo, hi } => restricted_mean_of_uniform(*lo, *hi, t),
        Dist::Exponential { mean } if *mean == 0.0 => 0.0,
        Dist::Exponential { mean } => -mean * libm::expm1(-t / mean),
        Dist::Lognormal { mu, sigma } if *sigma == 0.0 => libm::exp(*mu).min(t),
        Dist::Lognormal { mu, sigma } => {
            let z = (libm::log(t) - mu) / sigma;
            mean(dist) * normal::cdf(z - sigma) + t * normal::cdf(-z)
        }
        Dist::Pareto { min, alpha, max } => pareto::restricted_mean(*min, *alpha, *max, t),
        Dist::Sum(parts) => sum::Reduced::new(parts).restricted_mean(t),
        Dist::Mixture(choices) => average(choices, |part| restricted_mean(part, t)),
        Dist::Empirical(points) => {
            over_segments(points, |lo, hi| restricted_mean_of_uniform(lo, hi, t))
        }
    }
}

fn restricted_mean_of_uniform(lo: f64, hi: f64, t: f64) -> f64 {
    if t <= lo {
        t
    } else if t >= hi {
        0.5 * (lo + hi)
    } else {
        t - (t - lo) * (t - lo) / (2.0 * (hi - lo))
    }
}

/// The variance from the second moment, never negative and infinite if that is.
fn spread(second_moment: f64, mean: f64) -> f64 {
    if second_moment == f64::INFINITY {
        return f64::INFINITY;
    }
    (second_moment - mean * mean).max(0.0)
}

/// The average of a property over a mixture; shares need not sum to one.
fn average(choices: &[(f64, Dist)], property: impl Fn(&Dist) -> f64) -> f64 {
    let with_share = choices.iter().filter(|(share, _)| *share > 0.0);
    let (total, sum) = with_share.fold((0.0, 0.0), |(total, sum), (share, part)| {
        (total + share, sum + share * property(part))
    });
    if total > 0.0 { sum / total } else { 0.0 }
}

/// The average of a property over the segments between neighbours of a sorted sample.
fn over_segments(points: &[f64], property: impl Fn(f64, f64) -> f64) -> f64 {
    match points {
        [] => 0.0,
        [only] => property(*only, *only),
        _ => {
            let sum: f64 = points
                .windows(2)
                .map(|pair| property(pair[0], pair[1]))
                .sum();
            sum / (points.len() - 1) as f64
        }
    }
}

fn empirical_cdf(points: &[f64], x: f64) -> f64 {
    let below = points.partition_point(|&point| point <= x);
    if below == points.len() {
        return 1.0;
    }
    if below == 0 {
        return 0.0;
    }
    let (lo, hi) = (points[below - 1], points[below]);
    ((below - 1) as f64 + (x - lo) / (hi - lo)) / (points.len() - 1) as f64
}

fn empirical_quantile(points: &[f64], q: f64) -> f64 {
    let Some(last) = points.len().checked_sub(1) else {
        return 0.0;
    };
    let position = q * last as f64;
    let i = (position as usize).min(last);
    let lo = points[i];
    let hi = points[(i + 1).min(last)];
    lo + (hi - lo) * (position - i as f64)
}

/// The smallest `x` between `lo` and `hi` with `cdf(x) >= q`, to a relative 1e-12.
fn search(q: f64, lo: f64, hi: f64, cdf: impl Fn(f64) -> f64) -> f64 {
    if cdf(lo) >= q {
        return lo;
    }
    if hi == f64::INFINITY {
        return hi;
    }
    let (mut below, mut above) = (lo, hi);
    while above - below > 1e-12 * above {
        let middle = 0.5 * (below + above);
        if middle <= below || middle >= above {
            break; // no number lies between
        }
        if cdf(middle) >= q {
            above = middle;
        } else {
            below = middle;
        }
    }
    above
}

#[cfg(test)]
mod tests;
