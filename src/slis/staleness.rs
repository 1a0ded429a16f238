//! Mean age of the data that reads were answered with.

use super::ratio;
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Mean age of the data that reads were answered with, all domains together.
pub struct Staleness;

impl Sli for Staleness {
    fn name(&self) -> &'static str {
        "staleness"
    }

    fn summary(&self) -> &'static str {
        "mean age of the replicated or cached data that reads are answered with"
    }

    fn unit(&self) -> Unit {
        Unit::Seconds
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn optional(&self) -> bool {
        true
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        let domains = &observation.domains;
        let reads: u64 = domains.iter().map(|d| d.aged_reads).sum();
        ratio(domains.iter().map(|d| d.age_secs).sum(), reads as f64)
    }
}
