//! Random failures: zones, regions or instances fail and are repaired at random, for studies of years.
//!
//! - Each element works for an exponential time of mean `mtbf` after each repair, and fails. Its repair
//!   takes `mttr`. With `repairers`, at most so many repairs go on at once, first come first served.
//! - A share `common_cause` of an element's failures hits all elements at once (the beta factor of
//!   reliability engineering): such shocks come at `common_cause / mtbf`, and what an element suffers
//!   alone comes at the rest, so that each still fails once in `mtbf`.
//! - A zone that fails is lost, a region goes dark, as in the faults of these names. An instance that
//!   fails dies and is not repaired: autoscaling must replace it; `count` says how many are at risk in
//!   each service and region.
//! - Everything works at first, or, with `stationary`, as many are down as usually are: the process has
//!   then been going on for long before. When the fault ends, all is repaired.

use super::key::{Role, may, must};
use super::{FaultKind, Key, Mistake, announced, say};
use crate::engine::law;
use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Element, Fault, RegionId, Scenario, ServiceId};
use crate::units::{Dist, Time, human_secs};
use std::collections::VecDeque;

/// Most failures of one element.
const MOST_EACH: f64 = 10_000.0;
/// Most failures in all, so that no file asks for more than memory holds.
const MOST: usize = 1_000_000;
/// Before a stationary beginning lie so many mean times between failures and to repair.
const LEAD: f64 = 20.0;

/// Failures and repairs at random.
pub struct Random;

impl FaultKind for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn summary(&self) -> &'static str {
        "zones, regions or instances fail at random and are repaired, some all at once"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        let elements = elements(fault, scenario);
        let at_risk = match fault.of {
            Some(Element::Instance) => elements.len() as f64 * f64::from(fault.count),
            _ => elements.len() as f64,
        };
        let what = match fault.of {
            Some(Element::Instance) => "instances",
            Some(Element::Zone) => "zones",
            _ => "regions",
        };
        let repair = match &fault.mttr {
            Some(mttr) => format!(", repaired in {}", human_secs(law::mean(mttr))),
            None => String::new(),
        };
        let together = match fault.common_cause {
            share if share > 0.0 => format!(", {} of it all at once", say::percent(share)),
            _ => String::new(),
        };
        format!(
            "{at_risk:.0} {what} of {} fail at random {}, each every {} on average{repair}{together}: \
             about {:.1} failures in all",
            say::region(fault.region, scenario),
            say::when(fault, scenario),
            fault.mtbf,
            at_risk * lasts_secs(fault, scenario) / fault.mtbf.secs().max(1e-9),
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            must("of", Role::Of, "zone"),
            may("region", Role::Region, ""),
            may("service", Role::Service, ""),
            may("count", Role::Count, "1"),
            must("mtbf", Role::Mtbf, "30d"),
            may("mttr", Role::Mttr, "1h"),
            may("repairers", Role::Repairers, "0"),
            may("common_cause", Role::CommonCause, "0"),
            may("stationary", Role::Stationary, "false"),
            may("mode", Role::Mode, "refuse"),
        ];
        KEYS
    }

    fn mistake(&self, fault: &Fault) -> Option<Mistake> {
        let instances = fault.of == Some(Element::Instance);
        if fault.duration.secs() / fault.mtbf.secs().max(1e-9) > MOST_EACH {
            return Some(Mistake {
                key: "mtbf",
                message: "more than 10000 failures of each element",
                hint: "let them fail less often, or for a shorter time",
            });
        }
        let mistake = |key, message, hint| Some(Mistake { key, message, hint });
        match (instances, &fault.mttr) {
            (true, Some(_)) => mistake(
                "mttr",
                "an instance that fails is not repaired but replaced",
                "remove it; autoscaling replaces instances",
            ),
            (false, None) => mistake("mttr", "is missing", "for example mttr = \"1h\""),
            (false, _) if fault.service.is_some() => mistake(
                "service",
                "a zone or region fails with all of its services",
                "remove it, or write of = \"instance\"",
            ),
            _ => None,
        }
    }

    fn hits_regions(&self, fault: &Fault) -> bool {
        fault.of != Some(Element::Instance)
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        scenario: &Scenario,
        luck: Stream,
    ) -> Vec<Episode> {
        let elements = elements(fault, scenario);
        let end = fault.at.secs() + lasts_secs(fault, scenario);
        let mut timetable = Timetable::new(fault, scenario, &elements, luck);
        let outages = match &fault.mttr {
            Some(mttr) if fault.of != Some(Element::Instance) => timetable.repaired(mttr, end),
            _ => timetable.replaced(end),
        };
        outages
            .into_iter()
            .map(|outage| Episode {
                from: Time::from_secs(outage.from),
                until: Time::from_secs(outage.until),
                impairment: elements[outage.element].impairment(fault, outage.count),
                announced: announced(fault),
                fault: number,
            })
            .collect()
    }
}

/// How long it goes on, at the longest to the horizon.
fn lasts_secs(fault: &Fault, scenario: &Scenario) -> f64 {
    let end = (fault.at + fault.duration).min(Time::ZERO + scenario.horizon);
    end.since(fault.at).secs()
}

/// What can fail.
#[derive(Clone, Copy, Debug)]
enum Target {
    Region(RegionId),
    Zone(RegionId, usize),
    Instances(RegionId, ServiceId),
}

impl Target {
    /// A name of its own, whatever else there is.
    fn name(self, scenario: &Scenario) -> String {
        let region = |r: RegionId| &scenario.regions[r].name;
        match self {
            Target::Region(r) => format!("region/{}", region(r)),
            Target::Zone(r, zone) => format!("zone/{}/{zone}", region(r)),
            Target::Instances(r, v) => {
                format!("instance/{}/{}", region(r), scenario.services[v].name)
            }
        }
    }

    fn impairment(self, fault: &Fault, count: u64) -> Impairment {
        let hang = fault.hang;
        match self {
            Target::Region(region) => Impairment::RegionDark { region, hang },
            Target::Zone(region, zone) => Impairment::ZoneDown { region, zone, hang },
            Target::Instances(region, service) => Impairment::InstancesKilled {
                region,
                service,
                count,
            },
        }
    }
}

fn elements(fault: &Fault, scenario: &Scenario) -> Vec<Target> {
    let regions = (0..scenario.regions.len()).filter(|&r| fault.region.is_none_or(|hit| hit == r));
    match fault.of {
        Some(Element::Zone) => regions
            .flat_map(|r| (0..scenario.regions[r].zones).map(move |zone| Target::Zone(r, zone)))
            .collect(),
        Some(Element::Instance) => regions
            .flat_map(|r| {
                let services = 0..scenario.services.len();
                services
                    .filter(|&v| fault.service.is_none_or(|hit| hit == v))
                    .map(move |v| Target::Instances(r, v))
            })
            .collect(),
        Some(Element::Region) | None => regions.map(Target::Region).collect(),
    }
}

/// An element is down, or so many instances die.
struct Outage {
    element: usize,
    from: f64,
    until: f64,
    count: u64,
}

/// Failures and repairs under way; times are in seconds.
struct Timetable {
    /// Mean time between failures that an element suffers alone, and between those of all.
    alone_secs: f64,
    together_secs: f64,
    at_risk: f64,
    repairers: usize,
    begin: f64,
    /// When the process begins: earlier, for a stationary beginning.
    first: f64,
    own: Vec<Stream>,
    all: Stream,
    /// Draws made of each stream.
    drawn: Vec<u64>,
}

impl Timetable {
    fn new(fault: &Fault, scenario: &Scenario, elements: &[Target], luck: Stream) -> Timetable {
        let mtbf = fault.mtbf.secs();
        let begin = fault.at.secs();
        let repair = fault.mttr.as_ref().map_or(0.0, law::mean);
        let lead = if fault.stationary {
            LEAD * (mtbf + repair)
        } else {
            0.0
        };
        Timetable {
            alone_secs: mtbf / (1.0 - fault.common_cause),
            together_secs: mtbf / fault.common_cause,
            at_risk: f64::from(fault.count.max(1)),
            repairers: match fault.repairers {
                0 => usize::MAX,
                some => some as usize,
            },
            begin,
            first: begin - lead,
            own: elements
                .iter()
                .map(|element| luck.part(&element.name(scenario)))
                .collect(),
            all: luck.part("all at once"),
            drawn: vec![0; elements.len() + 1],
        }
    }

    /// The next time that an element works for, or until all fail (the element after the last).
    fn works_secs(&mut self, element: usize, mean_secs: f64) -> f64 {
        if !mean_secs.is_finite() {
            return f64::INFINITY;
        }
        let stream = self.own.get(element).copied().unwrap_or(self.all);
        let index = self.drawn[element];
        self.drawn[element] += 1;
        sampling::exponential(&mut stream.draws(index, 0), mean_secs)
    }

    /// Failures of what is repaired, up to `end`.
    fn repaired(&mut self, mttr: &Dist, end: f64) -> Vec<Outage> {
        let count = self.own.len();
        let (alone, together) = (self.alone_secs, self.together_secs);
        let mut fails: Vec<f64> = (0..count)
            .map(|e| self.first + self.works_secs(e, alone))
            .collect();
        let mut all_fail = self.first + self.works_secs(count, together);
        let mut down_since = vec![None; count];
        let mut repaired = vec![f64::INFINITY; count];
        let mut waiting = VecDeque::new();
        let mut busy = 0;
        let mut outages = Vec::new();
        while outages.len() < MOST {
            let (mended, mended_at) = soonest(&repaired);
            let (failing, failing_at) = soonest(&fails);
            let now = mended_at.min(failing_at).min(all_fail);
            if now >= end {
                break;
            }
            if mended_at <= now {
                if let Some(from) = down_since[mended].take() {
                    self.note(&mut outages, mended, from, now);
                }
                repaired[mended] = f64::INFINITY;
                fails[mended] = now + self.works_secs(mended, alone);
                busy -= 1;
            } else {
                let hit: Vec<usize> = if all_fail <= now {
                    all_fail = now + self.works_secs(count, together);
                    (0..count).filter(|&e| down_since[e].is_none()).collect()
                } else {
                    vec![failing]
                };
                for element in hit {
                    down_since[element] = Some(now);
                    fails[element] = f64::INFINITY;
                    waiting.push_back(element);
                }
            }
            while busy < self.repairers
                && let Some(element) = waiting.pop_front()
            {
                let mut draws = self.own[element].draws(self.drawn[element], 1);
                repaired[element] = now + sampling::sample(&mut draws, mttr).max(0.0);
                busy += 1;
            }
        }
        for (element, from) in down_since.into_iter().enumerate() {
            if let Some(from) = from {
                self.note(&mut outages, element, from, end);
            }
        }
        outages
    }

    /// Notes what of an outage lies within the fault.
    fn note(&self, outages: &mut Vec<Outage>, element: usize, from: f64, until: f64) {
        if until > self.begin {
            outages.push(Outage {
                element,
                from: from.max(self.begin),
                until,
                count: 0,
            });
        }
    }

    /// Failures of what is replaced by others, up to `end`.
    fn replaced(&mut self, end: f64) -> Vec<Outage> {
        let count = self.own.len();
        let at_risk = self.at_risk;
        let mut outages = Vec::new();
        for element in 0..=count {
            let mean = match element == count {
                true => self.together_secs,
                false => self.alone_secs / at_risk,
            };
            let mut at = self.begin;
            while outages.len() < MOST {
                at += self.works_secs(element, mean);
                if at >= end {
                    break;
                }
                let (hit, each) = match element == count {
                    true => (0..count, at_risk as u64),
                    false => (element..element + 1, 1),
                };
                outages.extend(hit.map(|element| Outage {
                    element,
                    from: at,
                    until: at,
                    count: each,
                }));
            }
        }
        outages
    }
}

/// The smallest, and where it is.
fn soonest(times: &[f64]) -> (usize, f64) {
    let times = times.iter().copied().enumerate();
    times.fold((0, f64::INFINITY), |best, next| match next.1 < best.1 {
        true => next,
        false => best,
    })
}

#[cfg(test)]
mod tests;
