//! Use of the stores: the pools that a cache's misses load.

use super::ratio;
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Use of the stores: the pools that a cache's misses load.
pub struct Store;

impl Sli for Store {
    fn name(&self) -> &'static str {
        "store"
    }

    fn summary(&self) -> &'static str {
        "busy slots / slots in service in the pools behind caches"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        ratio(observation.store_busy_secs, observation.store_slot_secs)
    }
}
