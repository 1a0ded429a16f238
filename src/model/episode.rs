//! An impairment with a beginning and an end. The world derives its condition from the set of
//! active episodes, so overlapping ones compose, and when the last one ends the world is pristine.

use crate::model::scenario::RegionId;
use crate::units::Time;

/// Something is impaired from `from` until `until`.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// When it begins.
    pub from: Time,
    /// When it ends (`Time::NEVER`: after the horizon).
    pub until: Time,
    /// What is impaired.
    pub impairment: Impairment,
    /// When policies are told, if they are.
    pub announced: Option<Time>,
}

/// What is impaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impairment {
    /// Nothing in the region answers.
    RegionDark {
        /// The region.
        region: RegionId,
        /// Connections hang instead of being refused.
        hang: bool,
    },
}
