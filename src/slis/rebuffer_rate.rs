//! Rebuffer rate. Over several windows both counts are sums over windows, so it is their mean,
//! weighted by sessions.

use super::ratio;
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Rebuffer rate: the mean over windows, weighted by sessions.
pub struct RebufferRate;

impl Sli for RebufferRate {
    fn name(&self) -> &'static str {
        "rebuffer_rate"
    }

    fn summary(&self) -> &'static str {
        "playing sessions that stood still for any part of a window / playing sessions"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        ratio(observation.stood_still, observation.playing_sessions)
    }
}
