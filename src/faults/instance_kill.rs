//! Instance kill: instances die (Chaos Monkey). Without `every` so many at one instant; with it, again
//! and again: each service in each region loses `count` instances at random moments, `every` apart on
//! average, within the `hours` of the day. All of it is drawn before the run.
//!
//! - What the instance was doing fails at once: connections are reset.
//! - It stays in rotation until the health check ejects it. Nothing brings it back: autoscaling must
//!   replace it.

use super::key::{Role, may};
use super::{FaultKind, Key, Lasts, Mistake, announced, say};
use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, RegionId, Scenario, ServiceId};
use crate::units::{Span, Time};

/// Seconds in a day.
const DAY_SECS: f64 = 86_400.0;
/// Most kills of one fault in one place, so that no file asks for more than memory holds.
const MOST: u64 = 10_000;

/// Instances die.
pub struct InstanceKill;

impl FaultKind for InstanceKill {
    fn name(&self) -> &'static str {
        "instance-kill"
    }

    fn summary(&self) -> &'static str {
        "instances die, once or again and again at random moments; autoscaling must replace them"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        let what = format!(
            "{} of {} in {} die",
            fault.count,
            say::service(fault.service, scenario),
            say::region(fault.region, scenario)
        );
        if fault.every.is_zero() {
            return format!("{what} at {}{}", fault.at, say::announced(fault));
        }
        let places = places(fault, scenario).count() as f64;
        let times = places * awake(fault, scenario) / fault.every.secs();
        format!(
            "{what} every {} on average in each place, {}: about {times:.0} times in all",
            fault.every,
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            may("region", Role::Region, ""),
            may("service", Role::Service, ""),
            may("count", Role::Count, "1"),
            may("every", Role::Every, "0s"),
            may("hours", Role::Hours, ""),
        ];
        KEYS
    }

    fn lasts(&self) -> Lasts {
        Lasts::Repeated
    }

    fn mistake(&self, fault: &Fault) -> Option<Mistake> {
        let times = fault.duration.secs() / fault.every.secs();
        (!fault.every.is_zero() && times > MOST as f64 / 2.0).then_some(Mistake {
            key: "every",
            message: "more than 5000 kills of each service in each region",
            hint: "kill less often, or for a shorter time",
        })
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        scenario: &Scenario,
        luck: Stream,
    ) -> Vec<Episode> {
        let kill = |at: Time, (region, service): (RegionId, ServiceId)| Episode {
            from: at,
            until: at,
            impairment: Impairment::InstancesKilled {
                region,
                service,
                count: u64::from(fault.count),
            },
            announced: announced(fault),
            fault: number,
        };
        if fault.every.is_zero() {
            return places(fault, scenario)
                .map(|place| kill(fault.at, place))
                .collect();
        }
        let mut kills = Vec::new();
        for place in places(fault, scenario) {
            // A place's luck is its own, whatever else there is.
            let (region, service) = (&scenario.regions[place.0], &scenario.services[place.1]);
            let own = luck.part(&format!("{}/{}", region.name, service.name));
            let mut awake = 0.0;
            for index in 0..MOST {
                awake += sampling::exponential(&mut own.draws(index, 0), fault.every.secs());
                let Some(at) = moment(fault, scenario, awake) else {
                    break;
                };
                kills.push(kill(at, place));
            }
        }
        kills
    }
}

/// Services in regions that the fault hits.
fn places<'a>(
    fault: &'a Fault,
    scenario: &'a Scenario,
) -> impl Iterator<Item = (RegionId, ServiceId)> + 'a {
    let regions = (0..scenario.regions.len()).filter(|&r| fault.region.is_none_or(|hit| hit == r));
    regions.flat_map(|r| {
        let services = 0..scenario.services.len();
        services
            .filter(|&v| fault.service.is_none_or(|hit| hit == v))
            .map(move |v| (r, v))
    })
}

/// When the fault ends, at the latest with the scenario.
fn end(fault: &Fault, scenario: &Scenario) -> Time {
    (fault.at + fault.duration).min(Time::ZERO + scenario.horizon)
}

/// Seconds within the hours of the fault from the first beginning of such hours before it: `(how
/// far the fault begins into them, how long they are each day)`.
fn hours(fault: &Fault, scenario: &Scenario) -> (f64, f64) {
    let Some(hours) = fault.hours else {
        return (0.0, DAY_SECS);
    };
    let begins = scenario.start_of_day_secs + fault.at.secs() - hours.from_secs;
    let length = (hours.until_secs - hours.from_secs).rem_euclid(DAY_SECS);
    (begins.rem_euclid(DAY_SECS), length)
}

/// Seconds of the fault that lie within its hours.
fn awake(fault: &Fault, scenario: &Scenario) -> f64 {
    let (into, length) = hours(fault, scenario);
    let upto = |secs: f64| (secs / DAY_SECS).floor() * length + (secs % DAY_SECS).min(length);
    upto(into + end(fault, scenario).since(fault.at).secs()) - upto(into)
}

/// The moment at which so many seconds within the hours of the fault have passed since it began;
/// `None` after its end.
fn moment(fault: &Fault, scenario: &Scenario, awake_secs: f64) -> Option<Time> {
    let (into, length) = hours(fault, scenario);
    let today = (length - into).max(0.0);
    let later = if awake_secs < today {
        awake_secs
    } else {
        let rest = awake_secs - today;
        let days = (rest / length).floor();
        DAY_SECS - into + days * DAY_SECS + (rest - days * length)
    };
    let at = fault.at + Span::from_secs(later);
    (at < end(fault, scenario)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scenario::Hours;

    fn scenario() -> Scenario {
        crate::faults::testing::scenario(
            "horizon = \"10d\"\nstep = \"10s\"\nsample = \"60s\"\nstart = \"06:00\"",
        )
    }

    fn monkey() -> Fault {
        Fault {
            kind: "instance-kill".into(),
            duration: Span::from_secs(10.0 * DAY_SECS),
            count: 1,
            every: Span::from_secs(1800.0),
            hours: Some(Hours {
                from_secs: 9.0 * 3600.0,
                until_secs: 15.0 * 3600.0,
            }),
            ..Fault::default()
        }
    }

    fn kills(fault: &Fault, scenario: &Scenario) -> Vec<Episode> {
        InstanceKill.episodes(0, fault, scenario, Stream::new(1, 0, "fault", "x"))
    }

    #[test]
    fn kills_come_at_their_rate_and_within_their_hours() {
        let (scenario, fault) = (scenario(), monkey());
        assert_eq!(awake(&fault, &scenario), 10.0 * 6.0 * 3600.0);
        let all = kills(&fault, &scenario);
        for kill in &all {
            let hour = (kill.from.secs() / 3600.0 + 6.0) % 24.0;
            assert!((9.0..15.0).contains(&hour), "{hour}");
        }
        // 120 expected in each of the places.
        let expected = 120.0 * places(&fault, &scenario).count() as f64;
        assert!((all.len() as f64 - expected).abs() < 4.0 * expected.sqrt());
        assert!(InstanceKill.describe(&fault, &scenario).contains("about"));
    }

    #[test]
    fn one_region_less_changes_no_other_regions_luck() {
        let (both, fault) = (scenario(), monkey());
        let mut first = both.clone();
        first.regions.truncate(1);
        let of_first = |episodes: Vec<Episode>| -> Vec<Time> {
            let here = episodes.iter().filter(|e| e.impairment.region() == Some(0));
            here.map(|e| e.from).collect()
        };
        let alone = of_first(kills(&fault, &first));
        assert!(!alone.is_empty());
        assert_eq!(alone, of_first(kills(&fault, &both)));
    }

    #[test]
    fn once_is_one_instant_in_each_place() {
        let once = Fault {
            every: Span::ZERO,
            region: Some(1),
            service: Some(0),
            count: 3,
            at: Time::from_secs(7.0),
            ..monkey()
        };
        let episodes = kills(&once, &scenario());
        assert_eq!(episodes.len(), 1);
        assert_eq!(episodes[0].from, Time::from_secs(7.0));
        assert_eq!(episodes[0].until, episodes[0].from);
    }
}
