//! No failover: the baseline that every other policy is compared with.

use crate::model::policy::{Knobs, Policy};

/// No failover: the baseline that every other policy is compared with.
pub struct None;

impl Policy for None {
    fn name(&self) -> &'static str {
        "none"
    }

    fn summary(&self) -> &'static str {
        "no failover: what clients, resolvers and shedding do by themselves"
    }

    fn knobs(&self) -> Knobs {
        Knobs::default()
    }
}
