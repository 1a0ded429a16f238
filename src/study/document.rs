//! Stands in for the scenario's document until that module is merged.

use crate::model::scenario::Scenario;
use std::borrow::Cow;

/// A scenario.
#[derive(Clone, Debug)]
pub struct Document(pub Scenario);

impl Document {
    /// With uncertain inputs at their middle.
    pub fn scenario(&self) -> &Scenario {
        &self.0
    }

    /// As drawn for a replication.
    pub fn drawn(&self, _seed: u64, _replication: u64) -> Cow<'_, Scenario> {
        Cow::Borrowed(&self.0)
    }
}
