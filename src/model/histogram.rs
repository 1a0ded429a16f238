//! Histograms of seconds with bins of equal ratio. They merge exactly, in any order.

/// Smallest value told apart, in seconds.
const FLOOR_SECS: f64 = 1e-4;
/// Bins per factor of e.
const PER_E: f64 = 20.0;
/// Number of bins: up to about 180 s.
pub const BINS: usize = 288;

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
        self.weights.iter().sum()
    }

    /// The `q`-quantile in seconds, read geometrically inside its bin; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.total();
        if total <= 0.0 {
            return None;
        }
        let target = q * total;
        let mut below = 0.0;
        for (i, &weight) in self.weights.iter().enumerate() {
            if weight > 0.0 && below + weight >= target {
                let inside = ((target - below) / weight).clamp(0.0, 1.0);
                return Some(Self::value(i as f64 + inside));
            }
            below += weight;
        }
        let last = self.weights.iter().rposition(|&w| w > 0.0)?;
        Some(Self::value(last as f64 + 1.0))
    }
}
