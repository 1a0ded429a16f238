//! How long viewers wait for a start.

use crate::model::observation::{Better, Observation, Sli, Unit};

/// The 95th percentile of the time from the viewer's click to the end of a successful start, the
/// client's retries and waits included.
pub struct StartDelayP95;

impl Sli for StartDelayP95 {
    fn name(&self) -> &'static str {
        "start_delay_p95"
    }

    fn summary(&self) -> &'static str {
        "95th percentile of the time from click to a successful start, retries included"
    }

    fn unit(&self) -> Unit {
        Unit::Seconds
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        observation.start_delay.quantile(0.95)
    }
}
