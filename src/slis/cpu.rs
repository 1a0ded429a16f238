//! CPU: slot-seconds busy over slot-seconds in service. A region that is dark has none in service.
//!
//! It is the use of what is paid for, services and proxies together, and says nothing of the scarcest
//! pool: autoscalers and policies read each pool's own.

use super::ratio;
use crate::model::observation::{Better, Observation, Sli, Unit};

/// CPU: slot-seconds busy over slot-seconds in service. A region that is dark has none in service.
pub struct Cpu;

impl Sli for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn summary(&self) -> &'static str {
        "busy slots / slots in service, services and proxies together"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        ratio(observation.busy_slot_secs, observation.slot_secs)
    }
}
