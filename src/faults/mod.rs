//! Kinds of faults: timetables of episodes, the same under every policy. One file each and one
//! line in [`all`]. Cascades, overload and cold caches are consequences, never faults.

mod region_dark;

use crate::engine::stream::Stream;
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
    /// What it is told in a scenario beside `kind`, `at`, `for`, `announced` and guards.
    fn keys(&self) -> &'static [Key];
    /// Its timetable in one replication; all randomness is drawn from `luck`. `number` is its place
    /// in the scenario's list of faults.
    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        scenario: &Scenario,
        luck: Stream,
    ) -> Vec<Episode>;
}

/// A key that a kind of fault has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Name in scenarios.
    pub name: &'static str,
    /// Whether it must be given.
    pub required: bool,
}

/// A key that must be given.
pub(crate) const fn must(name: &'static str) -> Key {
    Key {
        name,
        required: true,
    }
}

/// A key that may be given.
pub(crate) const fn may(name: &'static str) -> Key {
    Key {
        name,
        required: false,
    }
}

/// The timetable of one replication: all episodes of all faults, the same under every policy.
pub fn timetable(scenario: &Scenario, seed: u64, replication: u64) -> Vec<Episode> {
    let mut episodes = Vec::new();
    for (number, fault) in scenario.faults.iter().enumerate() {
        if let Some(kind) = find(&fault.kind) {
            // Faults of one kind are told apart by what they hit and when, not by their order.
            let entity = format!(
                "{}/{:?}/{:?}/{:?}/{}",
                fault.kind, fault.region, fault.zone, fault.service, fault.at.0
            );
            let luck = Stream::new(seed, replication, "fault", &entity);
            episodes.extend(kind.episodes(number, fault, scenario, luck));
        }
    }
    episodes.retain(|episode| episode.from < episode.until || episode.impairment.momentary());
    episodes
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
