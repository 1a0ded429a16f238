//! Share of requests that got no answer at all.

use super::{answers, ratio};
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Share of requests that got no answer at all.
pub struct UnreachableRate;

impl Sli for UnreachableRate {
    fn name(&self) -> &'static str {
        "unreachable_rate"
    }

    fn summary(&self) -> &'static str {
        "requests that got no answer / requests"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        let unreachable = observation.unreachable as f64;
        ratio(unreachable, answers(observation) + unreachable)
    }
}
