//! Use of the load balancers: above 1, they refuse.

use super::ratio;
use crate::model::observation::{Better, Observation, Sli, Unit};

/// Use of the load balancers: above 1, they refuse.
pub struct Balancer;

impl Sli for Balancer {
    fn name(&self) -> &'static str {
        "balancer"
    }

    fn summary(&self) -> &'static str {
        "new connections wanted / new connections that the load balancers take"
    }

    fn unit(&self) -> Unit {
        Unit::Share
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn optional(&self) -> bool {
        true
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        ratio(observation.connections, observation.connection_limit)
    }
}
