//! The law of a sum of independent parts. Fixed parts only shift; with one other part all is in
//! closed form. With more, all parts but the widest are put on a grid of [`CELLS`] cells between
//! the smallest possible value and the point asked for, in a way that keeps their means, and the
//! widest part is integrated exactly over it. If all parts are mixtures, the sum is the mixture of
//! the sums with each choice of the widest.
//!
//! Absolute error of probabilities about 1e-5. The work is of the order of `CELLS^2` for each part
//! at any depth.

use super::{average, cdf, quantile, restricted_mean, search, variance};
use crate::units::Dist;

const CELLS: usize = 1024;

/// Probability that may be put at the effective lower end of a part.
const NEGLIGIBLE: f64 = 1e-12;

/// A sum with its fixed parts added up and nested sums dissolved.
pub struct Reduced<'a> {
    shift: f64,
    /// The parts that vary, the widest last.
    varying: Vec<&'a Dist>,
}

impl<'a> Reduced<'a> {
    pub fn new(parts: impl IntoIterator<Item = &'a Dist>) -> Reduced<'a> {
        let mut reduced = Reduced {
            shift: 0.0,
            varying: Vec::new(),
        };
        reduced.dissolve(parts);
        // What comes last is integrated exactly: rather smooth than mixed, rather wide than narrow.
        reduced.varying.sort_by(|a, b| {
            let mixed = |dist: &Dist| matches!(dist, Dist::Mixture(_));
            mixed(b)
                .cmp(&mixed(a))
                .then(variance(a).total_cmp(&variance(b)))
        });
        reduced
    }

    fn dissolve(&mut self, parts: impl IntoIterator<Item = &'a Dist>) {
        for part in parts {
            match part {
                Dist::Fixed(value) => self.shift += value,
                Dist::Sum(parts) => self.dissolve(parts),
                other => self.varying.push(other),
            }
        }
    }

    /// The probability that the sum is at most `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        self.expectation(x, &|rest, widest| cdf(widest, x - rest))
            .clamp(0.0, 1.0)
    }

    /// `E min(sum, t)`.
    pub fn restricted_mean(&self, t: f64) -> f64 {
        self.expectation(t, &|rest, widest| rest + restricted_mean(widest, t - rest))
    }

    /// The `q`-quantile of the sum.
    pub fn quantile(&self, q: f64) -> f64 {
        let sum_at = |q: f64| -> f64 { self.varying.iter().map(|part| quantile(part, q)).sum() };
        let n = self.varying.len();
        if n <= 1 || q == 0.0 || q == 1.0 {
            return self.shift + sum_at(q);
        }
        // A sum outside these has a part outside its own, which is as unlikely as it has to be.
        let lo = sum_at(q / n as f64);
        let hi = sum_at((1.0 - (1.0 - q) / n as f64).min(1.0 - 0.5 * f64::EPSILON));
        search(q, self.shift + lo, self.shift + hi, |x| self.cdf(x))
    }

    /// `E f(rest, widest)`, where `rest` is the sum of all but the widest part, and all that is
    /// beyond `x` counts as being just beyond.
    fn expectation(&self, x: f64, f: &dyn Fn(f64, &Dist) -> f64) -> f64 {
        let Some((&widest, narrower)) = self.varying.split_last() else {
            return f(self.shift, &Dist::Fixed(0.0));
        };
        if narrower.is_empty() {
            return f(self.shift, widest);
        }
        if let Dist::Mixture(choices) = widest {
            let shift = Dist::Fixed(self.shift);
            return average(choices, |choice| {
                let parts = narrower.iter().copied().chain([&shift, choice]);
                Reduced::new(parts).expectation(x, f)
            });
        }
        let from = self.shift + narrower.iter().map(|part| start(part)).sum::<f64>();
        let range = x - from - start(widest);
        if range <= 0.0 {
            return f(from, widest);
        }
        let cell = range / CELLS as f64;
        let on_nodes = narrower
            .iter()
            .map(|part| on_grid(part, start(part), cell))
            .reduce(|a, b| convolve(&a, &b))
            .expect("there is at least one narrower part");
        let inside: f64 = on_nodes.iter().sum();
        let sum: f64 = on_nodes
            .iter()
            .enumerate()
            .map(|(i, mass)| mass * f(from + i as f64 * cell, widest))
            .sum();
        sum + (1.0 - inside) * f(x + cell, widest)
    }
}

/// The smallest value worth a grid.
fn start(dist: &Dist) -> f64 {
    match dist {
        Dist::Lognormal { .. } => quantile(dist, NEGLIGIBLE),
        Dist::Sum(parts) => parts.iter().map(start).sum(),
        Dist::Mixture(choices) => {
            let with_share = choices.iter().filter(|(share, _)| *share > 0.0);
            with_share
                .map(|(_, part)| start(part))
                .fold(f64::MAX, f64::min)
        }
        other => quantile(other, 0.0),
    }
}

/// A law on the nodes `from + i * cell`, each value divided between its two neighbours so that
/// expectations of what is linear in between stay exact; what is beyond the grid is left out.
fn on_grid(dist: &Dist, from: f64, cell: f64) -> Vec<f64> {
    match dist {
        Dist::Sum(parts) => {
            let starts = Dist::Fixed(parts.iter().map(start).sum());
            parts
                .iter()
                .map(|part| on_grid(part, start(part), cell))
                .fold(on_grid(&starts, from, cell), |a, b| convolve(&a, &b))
        }
        Dist::Mixture(choices) => {
            let total: f64 = choices.iter().map(|(share, _)| share).sum();
            let mut nodes = vec![0.0; CELLS + 1];
            for (share, part) in choices.iter().filter(|(share, _)| *share > 0.0) {
                for (node, mass) in nodes.iter_mut().zip(on_grid(part, from, cell)) {
                    *node += share / total * mass;
                }
            }
            nodes
        }
        _ => {
            // The slope of E min(X, t) over a cell is its mean survival.
            let at = |i: usize| restricted_mean(dist, from + i as f64 * cell);
            let (mut left, mut survival) = (at(0), 1.0);
            (1..=CELLS + 1)
                .map(|i| {
                    let right = at(i);
                    let next = (right - left) / cell;
                    let mass = (survival - next).max(0.0);
                    (left, survival) = (right, next);
                    mass
                })
                .collect()
        }
    }
}

/// The law of a sum on the same grid; what is beyond the grid is left out.
fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; b.len()];
    for (i, &mass) in a.iter().enumerate().filter(|(_, mass)| **mass > 0.0) {
        for (to, other) in sum[i..].iter_mut().zip(b) {
            *to += mass * other;
        }
    }
    sum
}
