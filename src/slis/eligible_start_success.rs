//! Success of the starts that only the service could fail: the basis of availability.

use super::ratio;
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Success of the starts that only the service could fail: the basis of availability.
pub struct EligibleStartSuccess;

impl Sli for EligibleStartSuccess {
    fn name(&self) -> &'static str {
        "eligible_start_success"
    }

    fn summary(&self) -> &'static str {
        "as stream_start_success, without the starts that fail for ambient reasons"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        let eligible = observation.starts_ok + observation.starts_failed;
        ratio(observation.starts_ok as f64, eligible as f64)
    }
}
