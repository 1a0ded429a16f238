//! Exponential values in two thirds of the time that a logarithm takes, for loops that draw one per
//! event.
//!
//! The ziggurat method: the area under the density is cut into `LAYERS` layers of equal area, a
//! layer and a point of it are chosen, and in 98.9 % of the cases one comparison tells that the
//! point lies under the density.
//! Marsaglia and Tsang, "The ziggurat method for generating random variables", Journal of Statistical
//! Software 5 (2000), <https://doi.org/10.18637/jss.v005.i08>. The layer and the place within it come
//! from different bits of the number (Doornik, 2005), as they must.
//!
//! Unlike [`super::exponential`] the value is not monotone in its uniform number, and a few values
//! take more than one: where two variants with different means are compared, inversion is the better
//! choice, since it keeps them together.

use crate::engine::stream::{Draws, uniform};
use std::sync::LazyLock;

const LAYERS: usize = 256;
/// Where the tail begins, for this number of layers.
const TAIL: f64 = 7.697_117_470_131_05;

struct Layers {
    /// The right end of each layer, from the lowest, widest one up; the lowest is as wide as a
    /// rectangle of its area would be, the tail included.
    ends: [f64; LAYERS + 1],
    /// The density there.
    heights: [f64; LAYERS + 1],
}

static STANDARD: LazyLock<Layers> = LazyLock::new(Layers::new);

impl Layers {
    fn new() -> Layers {
        let mut ends = [0.0; LAYERS + 1];
        let mut heights = [1.0; LAYERS + 1];
        let area = (TAIL + 1.0) * libm::exp(-TAIL);
        ends[0] = area / libm::exp(-TAIL);
        ends[1] = TAIL;
        heights[0] = libm::exp(-ends[0]);
        heights[1] = libm::exp(-TAIL);
        for i in 2..LAYERS {
            heights[i] = heights[i - 1] + area / ends[i - 1];
            ends[i] = -libm::log(heights[i]);
        }
        Layers { ends, heights }
    }
}

/// An exponential value with this mean, by the ziggurat method.
#[inline]
pub fn exponential(draws: &mut Draws, mean: f64) -> f64 {
    mean * standard(|| draws.next_u64())
}

/// An exponential value with mean 1 out of random numbers of any source.
#[inline]
pub fn standard(mut next: impl FnMut() -> u64) -> f64 {
    let layers = &*STANDARD;
    loop {
        let bits = next();
        let layer = bits as usize % LAYERS;
        let value = uniform(bits) * layers.ends[layer];
        if value < layers.ends[layer + 1] {
            return value;
        }
        if let Some(value) = at_the_edge(layers, layer, value, &mut next) {
            return value;
        }
    }
}

/// What a point becomes that is not surely under the density: `None` if it is not.
#[cold]
fn at_the_edge(
    layers: &Layers,
    layer: usize,
    value: f64,
    next: &mut impl FnMut() -> u64,
) -> Option<f64> {
    let uniform = uniform(next());
    if layer == 0 {
        // The tail of an exponential is an exponential.
        return Some(TAIL - libm::log(uniform));
    }
    let (low, high) = (layers.heights[layer], layers.heights[layer + 1]);
    (low + (high - low) * uniform < libm::exp(-value)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::Stream;

    #[test]
    fn all_layers_have_the_same_area_and_together_fill_the_density() {
        let Layers { ends, heights } = Layers::new();
        let area = (TAIL + 1.0) * libm::exp(-TAIL);
        // The lowest: a rectangle up to the tail, and the tail.
        let lowest = TAIL * heights[1] + libm::exp(-TAIL);
        assert!((lowest / area - 1.0).abs() < 1e-14);
        assert!((ends[0] * heights[1] / area - 1.0).abs() < 1e-14);
        for i in 1..LAYERS {
            let rectangle = ends[i] * (heights[i + 1] - heights[i]);
            assert!((rectangle / area - 1.0).abs() < 1e-9, "{i}: {rectangle}");
            assert!(ends[i + 1] < ends[i]);
            assert!((heights[i] - libm::exp(-ends[i])).abs() < 1e-15, "{i}");
        }
        assert_eq!((ends[LAYERS], heights[LAYERS]), (0.0, 1.0));
    }

    #[test]
    fn values_have_the_exponential_law() {
        const VALUES: usize = 2_000_000;
        let stream = Stream::new(3, 0, "test", "ziggurat");
        // Counted apart: what lies between the right ends of layers, so that every layer's edge has a
        // cell to itself, and the tail in steps.
        let mut borders: Vec<f64> = Layers::new()
            .ends
            .iter()
            .rev()
            .step_by(4)
            .copied()
            .collect();
        borders.extend([8.0, 9.0, 10.0]);
        borders.sort_by(f64::total_cmp);
        borders.dedup();
        let mut cells = vec![0u64; borders.len()];
        let mut sum = 0.0;
        for index in 0..VALUES as u64 {
            let value = exponential(&mut stream.draws(index, 0), 1.0);
            assert!(value > 0.0);
            sum += value;
            cells[borders.partition_point(|&border| border <= value) - 1] += 1;
        }
        let survival = |i: usize| borders.get(i).map_or(0.0, |&border| libm::exp(-border));
        let chi_square: f64 = (0..borders.len())
            .map(|i| {
                let expected = VALUES as f64 * (survival(i) - survival(i + 1));
                (cells[i] as f64 - expected) * (cells[i] as f64 - expected) / expected
            })
            .sum();
        // The normal approximation of the law, five standard deviations.
        let freedom = (borders.len() - 1) as f64;
        let z = (chi_square - freedom) / (2.0 * freedom).sqrt();
        assert!(z.abs() < 5.0, "{z} of {freedom} cells");
        let mean = sum / VALUES as f64;
        assert!((mean - 1.0).abs() < 5.0 / (VALUES as f64).sqrt(), "{mean}");
    }

    #[test]
    fn the_tail_is_reached_as_often_as_it_should_be() {
        let stream = Stream::new(4, 0, "test", "ziggurat");
        let mut draws = stream.draws(0, 0);
        let values = 4_000_000;
        let beyond = (0..values).filter(|_| exponential(&mut draws, 2.0) > 2.0 * TAIL);
        let expected = f64::from(values) * libm::exp(-TAIL);
        let off = (beyond.count() as f64 - expected) / expected.sqrt();
        assert!(off.abs() < 4.0, "{off} standard errors");
    }

    #[test]
    fn values_are_pinned() {
        let mut draws = Stream::new(7, 1, "dns", "us-east-1").draws(5, 2);
        let values: Vec<f64> = (0..4).map(|_| exponential(&mut draws, 1.0)).collect();
        assert_eq!(
            values,
            [
                0.08297148449738198,
                0.34913793986287833,
                2.032058615600573,
                2.248612874796109,
            ]
        );
    }
}
