//! Share of answers that a fallback stood in for.

use super::{answers, ratio};
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Share of answers that a fallback stood in for.
pub struct DegradedRate;

impl Sli for DegradedRate {
    fn name(&self) -> &'static str {
        "degraded_rate"
    }

    fn summary(&self) -> &'static str {
        "answers given with a fallback / answers"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        ratio(observation.answered_degraded as f64, answers(observation))
    }
}
