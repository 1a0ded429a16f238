//! How far workers are behind.

use crate::model::observation::{Better, Observation, Sli, Unit};

/// Age of the oldest item that waits for a worker, the largest of all workers and regions.
pub struct BacklogAge;

impl Sli for BacklogAge {
    fn name(&self) -> &'static str {
        "backlog_age"
    }

    fn summary(&self) -> &'static str {
        "age of the oldest item of work that waits for a worker, the largest"
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
        let ages = observation.work.iter().map(|w| w.age_secs);
        ages.reduce(f64::max)
    }
}
