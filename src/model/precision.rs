//! How precisely something is to be known before replications end.

use crate::model::measure::{Claim, Measure};

/// What is to be known, and how precisely: `p95(rto)=5%`.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// What is estimated over replications.
    pub of: Statistic,
    /// How precisely.
    pub within: Within,
    /// As the user wrote it.
    pub text: String,
}

/// A number that replications estimate together.
#[derive(Clone, Debug, PartialEq)]
pub enum Statistic {
    /// Mean of a measure.
    Mean(Measure),
    /// A quantile of a measure, from 0 to 1.
    Quantile(f64, Measure),
    /// Share of replications in which a claim holds.
    Share(Claim),
}

/// Half the width of a 95 % interval, at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Within {
    /// A share of the estimate's size.
    Relative(f64),
    /// An amount, in the unit of what is estimated.
    Absolute(f64),
}
