//! Kinds of faults: timetables of episodes, the same under every policy. One file each and one
//! line in [`all`]. Cascades, overload and cold caches are consequences, never faults.

mod region_dark;

use crate::model::episode::Episode;
use crate::model::scenario::{Fault, Scenario};

/// A kind of fault.
pub trait FaultKind: Sync {
    /// Name in scenarios.
    fn name(&self) -> &'static str;
    /// One line on what it does.
    fn summary(&self) -> &'static str;
    /// What this fault will hit, for people, before anything runs.
    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String;
    /// Its timetable.
    fn episodes(&self, fault: &Fault) -> Vec<Episode>;
}

/// All kinds of faults.
pub fn all() -> &'static [&'static dyn FaultKind] {
    static ALL: [&dyn FaultKind; 1] = [&region_dark::RegionDark];
    &ALL
}

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static dyn FaultKind> {
    all().iter().copied().find(|kind| kind.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for kind in all() {
            let same = all().iter().filter(|other| other.name() == kind.name());
            assert_eq!(same.count(), 1, "{}", kind.name());
            assert!(find(kind.name()).is_some());
        }
        assert!(find("region_dusk").is_none());
    }
}
