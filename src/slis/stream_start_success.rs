//! Stream-start success as a dashboard shows it: ambient failures count.

use super::ratio;
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Stream-start success as a dashboard shows it: ambient failures count.
pub struct StreamStartSuccess;

impl Sli for StreamStartSuccess {
    fn name(&self) -> &'static str {
        "stream_start_success"
    }

    fn summary(&self) -> &'static str {
        "starts that succeeded / starts attempted, by the viewer's final outcome"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        let attempted =
            observation.starts_ok + observation.starts_failed + observation.starts_ambient;
        ratio(observation.starts_ok as f64, attempted as f64)
    }
}
