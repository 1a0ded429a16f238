//! Random values of given laws. Every sampler is exact up to the rounding of its arithmetic
//! (total variation below 1e-9), and portable: the same draws give the same value everywhere.

mod counts;
mod mass;
pub mod ziggurat;

pub use counts::{binomial, multinomial, poisson};

use crate::engine::law;
use crate::engine::normal as standard_normal;
use crate::engine::stream::Draws;
use crate::units::Dist;

/// An exponential value with this mean, by inversion.
pub fn exponential(draws: &mut Draws, mean: f64) -> f64 {
    -mean * libm::log(draws.uniform())
}

/// A standard normal value, by inversion: monotone in its one uniform number.
pub fn normal(draws: &mut Draws) -> f64 {
    standard_normal::quantile(draws.uniform())
}

/// A value of a distribution. A sum draws its parts in turn, a mixture its choice and then the
/// value; everything else takes one uniform number.
pub fn sample(draws: &mut Draws, dist: &Dist) -> f64 {
    match dist {
        Dist::Fixed(value) => *value,
        Dist::Exponential { mean } => exponential(draws, *mean),
        Dist::Sum(parts) => parts.iter().map(|part| sample(draws, part)).sum(),
        Dist::Mixture(choices) => sample_mixture(draws, choices),
        Dist::Uniform { .. }
        | Dist::Lognormal { .. }
        | Dist::Pareto { .. }
        | Dist::Empirical(_) => law::quantile(dist, draws.uniform()),
    }
}

fn sample_mixture(draws: &mut Draws, choices: &[(f64, Dist)]) -> f64 {
    let total: f64 = choices.iter().map(|(share, _)| share).sum();
    let mut left = draws.uniform() * total;
    // Rounding may leave a rest after the last share: it belongs to the last that has any.
    let mut chosen = None;
    for (share, dist) in choices {
        if *share > 0.0 {
            chosen = Some(dist);
            if left < *share {
                break;
            }
            left -= share;
        }
    }
    chosen.map_or(0.0, |dist| sample(draws, dist))
}

#[cfg(test)]
mod tests;
