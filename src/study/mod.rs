//! Many replications of a scenario's variants, and what they say together.
//!
//! [`run`] simulates in parallel and folds the results in the order of jobs, so the bytes are the
//! same for any number of threads; [`summarize`] is pure. Of a replication only its
//! [`Row`](crate::model::outcome::Row) is kept; its timeline is folded into
//! [sketches](crate::stats::Sketch), and the worst one is simulated again when it is to be shown.

mod across;
mod against;
mod comparison;
mod guards;
mod loss;
mod precision;
mod regions;
mod run;
mod simulators;
mod summarize;
mod summary;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timeline;
mod unknown;
mod variant;
mod worst;

pub use crate::model::variant::{Target, TargetKind, VariedValue};
pub use across::unknown_variants;
pub use against::{Against, Change, Trend, against, saved_variants};
pub use comparison::{Comparison, Evidence, comparisons, fewest_pairs};
pub use loss::LossSummary;
pub use precision::PrecisionSummary;
pub use run::{Results, Simulates, Study, Watch, replay, run, run_until};
pub use simulators::Simulators;
pub use summarize::summarize;
pub use summary::{
    GuardSummary, HypothesisSummary, Named, PhaseSummary, SliSummary, Summary, Unreliable,
    VariantSummary,
};
pub use timeline::Timeline;
pub use unknown::{Belief, Unknown, UnknownInput, UnknownMeasure};
pub use variant::{Variant, VariantOrigin};
pub use worst::worst;

/// What a study simulates: the same replications of every variant.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The variants, at least one; the first decides the exit code.
    pub variants: Vec<Variant>,
    /// Seed of all randomness; every variant meets the same weather.
    pub seed: u64,
    /// Replications of each variant.
    pub replications: u64,
}
