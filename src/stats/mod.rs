//! Estimates over replications. A number never travels without its interval; all intervals hold
//! with 95 % confidence unless a level is given, and are of the simulation's randomness only.

mod beliefs;
mod beta;
mod distribution;
mod estimate;
mod paired;
mod ranks;
mod share;
mod sketch;
mod stopping;
mod unpaired;
mod verdict;

pub use beliefs::{Believed, rank_correlation};
pub use beta::{t_quantile, t_test};
pub use distribution::{Distribution, quantile, quantile_interval};
pub use estimate::Estimate;
pub use paired::{Paired, benjamini_hochberg, bonferroni, holm, sign_test};
pub use ranks::SignedRanks;
pub use share::Share;
pub use sketch::Sketch;
pub use stopping::relative_half_width;
pub use unpaired::{Interval, Unpaired};
pub use verdict::{Verdict, more_needed};

/// The confidence level of intervals.
pub const LEVEL: f64 = 0.95;
/// Half of the width of a standard normal law's central 95 %.
const Z: f64 = 1.959963984540054;
