//! Error rate: 5xx answers over answers. A request that got no answer is not in it.

use super::{answers, ratio};
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Error rate: 5xx answers over answers. A request that got no answer is not in it.
pub struct ErrorRate;

impl Sli for ErrorRate {
    fn name(&self) -> &'static str {
        "error_rate"
    }

    fn summary(&self) -> &'static str {
        "5xx answers / answers, per request at the edge, retries counted as dashboards do"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        ratio(observation.answered_error as f64, answers(observation))
    }
}
