//! Kinds of faults: timetables of episodes, the same under every policy. One file each and one
//! line in [`all`]. Cascades, overload and cold caches are consequences, never faults.

mod bad_deployment;
mod balancer_limit;
mod cache_flush;
mod cdn_impaired;
mod control_blind;
mod control_down;
mod degraded;
mod demand_surge;
mod dns_stuck;
mod edge_failure;
mod gray_failure;
mod instance_kill;
mod key;
mod launches_blocked;
mod partition;
mod random;
mod region_dark;
mod replication_broken;
mod replication_lag;
mod say;
mod service_degraded;
mod zone_loss;

use crate::engine::stream::Stream;
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};
use crate::units::{Span, Time};

pub use key::{Key, Lasts, Role};

/// A kind of fault.
pub trait FaultKind: Sync {
    /// Name in scenarios.
    fn name(&self) -> &'static str;
    /// One line on what it does.
    fn summary(&self) -> &'static str;
    /// What this fault will hit, for people, before anything runs.
    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String;
    /// What it is told in a scenario beside `kind`, `at`, `for`, `announced`, `drill` and guards.
    fn keys(&self) -> &'static [Key];
    /// Whether it has a length.
    fn lasts(&self) -> Lasts {
        Lasts::Always
    }
    /// What does not fit together although each value is fine.
    fn mistake(&self, _fault: &Fault) -> Option<Mistake> {
        None
    }
    /// Whether it hits regions, each for a while, so that a guard can begin their failover.
    fn hits_regions(&self, fault: &Fault) -> bool {
        self.lasts() == Lasts::Always && fault.region.is_some()
    }
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

/// What is wrong with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key to look at.
    pub key: &'static str,
    /// What is wrong.
    pub message: &'static str,
    /// What would be right.
    pub hint: &'static str,
}

/// Why the guards of a fault could not do what they say, if they could not.
pub fn guard_mistake(kind: &dyn FaultKind, fault: &Fault) -> Option<Mistake> {
    if fault.guards.is_empty() {
        return None;
    }
    let once = match kind.lasts() {
        Lasts::Always => false,
        Lasts::Repeated => fault.every.is_zero(),
        Lasts::Never => true,
    };
    if once {
        return Some(Mistake {
            key: "guard",
            message: "what happens once is over before a guard can act",
            hint: "remove it: a guard watches while a fault lasts",
        });
    }
    let aborts = fault.guards.iter().any(|guard| guard.aborts);
    (aborts && !fault.drill && !kind.hits_regions(fault)).then_some(Mistake {
        key: "guard",
        message: "the fault hits no region whose failover a guard could begin",
        hint: "write action = \"warn\", or drill = true to let the guard end the fault",
    })
}

/// One impairment from the beginning of a fault to its end.
fn one(number: usize, fault: &Fault, impairment: Impairment) -> Vec<Episode> {
    vec![Episode {
        from: fault.at,
        until: if impairment.momentary() {
            fault.at
        } else {
            fault.at + fault.duration
        },
        impairment,
        announced: announced(fault),
        fault: number,
    }]
}

/// When policies are told of a fault, if they are.
fn announced(fault: &Fault) -> Option<Time> {
    (fault.announced > Span::ZERO).then(|| Time(fault.at.0.saturating_sub(fault.announced.0)))
}

/// The timetable of one replication: all episodes of all faults, the same under every policy.
pub fn timetable(scenario: &Scenario, seed: u64, replication: u64) -> Vec<Episode> {
    let mut episodes = Vec::new();
    for (number, fault) in scenario.faults.iter().enumerate() {
        if let Some(kind) = find(&fault.kind) {
            // Faults of one kind are told apart by what they hit and when, not by their order.
            let region = fault.region.map(|r| &scenario.regions[r].name);
            let service = fault.service.map(|v| &scenario.services[v].name);
            let entity = format!("{}/{region:?}/{service:?}/{}", fault.kind, fault.at.0);
            let luck = Stream::new(seed, replication, "fault", &entity);
            episodes.extend(kind.episodes(number, fault, scenario, luck));
        }
    }
    episodes.retain(|episode| episode.from < episode.until || episode.impairment.momentary());
    episodes
}

/// All kinds of faults.
pub fn all() -> &'static [&'static dyn FaultKind] {
    static ALL: [&dyn FaultKind; 19] = [
        &instance_kill::InstanceKill,
        &zone_loss::ZoneLoss,
        &region_dark::RegionDark,
        &service_degraded::ServiceDegraded,
        &gray_failure::GrayFailure,
        &replication_lag::ReplicationLag,
        &replication_broken::ReplicationBroken,
        &edge_failure::EdgeFailure,
        &balancer_limit::BalancerLimit,
        &dns_stuck::DnsStuck,
        &cache_flush::CacheFlush,
        &control_down::ControlDown,
        &control_blind::ControlBlind,
        &launches_blocked::LaunchesBlocked,
        &partition::Partition,
        &bad_deployment::BadDeployment,
        &cdn_impaired::CdnImpaired,
        &demand_surge::DemandSurge,
        &random::Random,
    ];
    &ALL
}

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static dyn FaultKind> {
    all().iter().copied().find(|kind| kind.name() == name)
}

#[cfg(test)]
mod testing;

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

    #[test]
    fn kinds_that_hit_regions_have_episodes_that_do() {
        let text = |kind: &dyn FaultKind, at_region: bool| {
            let mut text = format!("[[fault]]\nkind = \"{}\"\nat = \"1min\"\n", kind.name());
            if kind.lasts() == Lasts::Always {
                text += "for = \"5min\"\n";
            }
            for key in kind.keys() {
                text += &match key.role {
                    Role::Region if key.required || at_region => "region = \"east\"\n".into(),
                    Role::Service if kind.name() != "random" => "service = \"api\"\n".into(),
                    Role::Between => "between = [\"east\", \"west\"]\n".into(),
                    Role::Zone => "zone = 1\n".into(),
                    Role::Of => "of = \"zone\"\n".into(),
                    Role::Mtbf => "mtbf = \"10s\"\n".into(),
                    Role::Mttr => "mttr = \"5s\"\n".into(),
                    Role::Factor => format!("{} = 3\n", key.name),
                    Role::Share => format!("{} = 0.5\n", key.name),
                    _ => String::new(),
                };
            }
            text
        };
        for kind in all() {
            let domain = "[[domain]]\nname = \"d\"\nstore = { mode = \"asynchronous\" }\n";
            for at_region in [false, true] {
                let more = format!("{domain}{}", text(*kind, at_region));
                let scenario = testing::scenario(&more);
                let fault = &scenario.faults[0];
                let episodes = kind.episodes(0, fault, &scenario, Stream::new(1, 0, "fault", ""));
                let hits =
                    |e: &Episode| e.impairment.region().is_some() && !e.impairment.momentary();
                assert!(!episodes.is_empty(), "{}", kind.name());
                let hit = episodes.iter().any(hits);
                assert_eq!(kind.hits_regions(fault), hit, "{} {at_region}", kind.name());
            }
        }
    }
}
