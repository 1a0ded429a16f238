//! Cache hit ratio, all caches together.

use super::ratio;
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Cache hit ratio, all caches together.
pub struct CacheHitRatio;

impl Sli for CacheHitRatio {
    fn name(&self) -> &'static str {
        "cache_hit_ratio"
    }

    fn summary(&self) -> &'static str {
        "hits / lookups in caches"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        ratio(observation.cache_hits, observation.cache_lookups)
    }
}
