//! Histograms of seconds with bins of equal ratio. They merge exactly, in any order.

/// Smallest value told apart, in seconds.
const FLOOR_SECS: f64 = 1e-4;
/// Bins per factor of e.
const PER_E: f64 = 20.0;
/// Number of bins: up to about 180 s.
pub const BINS: usize = 288;
/// Bins that are summed side by side: a single chain of additions would wait for each.
const LANES: usize = 8;
const _: () = assert!(BINS.is_multiple_of(LANES), "the bins fill the lanes");

/// A weighted histogram of durations.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Weight per bin.
    pub weights: Vec<f64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            weights: vec![0.0; BINS],
        }
    }
}

impl Histogram {
    /// The bin of a value, with the fraction of the bin below it, both as one number.
    pub fn position(seconds: f64) -> f64 {
        if seconds <= FLOOR_SECS {
            return 0.0;
        }
        (libm::log(seconds / FLOOR_SECS) * PER_E).min(BINS as f64 - 1e-9)
    }

    /// The value at a position.
    pub fn value(position: f64) -> f64 {
        FLOOR_SECS * libm::exp(position / PER_E)
    }

    /// Adds weight at a value.
    pub fn add(&mut self, seconds: f64, weight: f64) {
        self.weights[Self::position(seconds) as usize] += weight;
    }

    /// Adds another histogram, times a factor.
    pub fn merge(&mut self, other: &Histogram, factor: f64) {
        for (mine, theirs) in self.weights.iter_mut().zip(&other.weights) {
            *mine += factor * theirs;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.weights.fill(0.0);
    }

    /// Total weight.
    pub fn total(&self) -> f64 {
        let mut sums = [0.0; LANES];
        for lanes in self.weights.chunks_exact(LANES) {
            for (sum, weight) in sums.iter_mut().zip(lanes) {
                *sum += weight;
            }
        }
        sums.iter().sum()
    }

    /// The `q`-quantile in seconds, read geometrically inside its bin; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.total();
        if total <= 0.0 {
            return None;
        }
        let target = q * total;
        let mut below = 0.0;
        for (lane, weights) in self.weights.chunks_exact(LANES).enumerate() {
            let together: f64 = weights.iter().sum();
            // Whole lanes below the target are passed over at once.
            if below + together < target {
                below += together;
                continue;
            }
            for (i, &weight) in weights.iter().enumerate() {
                if weight > 0.0 && below + weight >= target {
                    let inside = ((target - below) / weight).clamp(0.0, 1.0);
                    return Some(Self::value((lane * LANES + i) as f64 + inside));
                }
                below += weight;
            }
        }
        let last = self.weights.iter().rposition(|&w| w > 0.0)?;
        Some(Self::value(last as f64 + 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_values_to_within_a_bin(
            mut values in prop::collection::vec(1e-3f64..100.0, 1..200), q in 0.0f64..=1.0
        ) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|&value| histogram.add(value, 1.0));
            values.sort_by(f64::total_cmp);
            let rank = ((q * values.len() as f64).ceil() as usize).max(1);
            let ratio = histogram.quantile(q).unwrap() / values[rank - 1];
            prop_assert!((ratio.ln() * PER_E).abs() <= 1.0 + 1e-9, "{ratio}");
            prop_assert!((histogram.total() - values.len() as f64).abs() < 1e-9);
        }
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
