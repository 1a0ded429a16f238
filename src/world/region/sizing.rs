//! A region's instances come and go: zones and single instances die, autoscalers and orders change
//! how many there are.

use super::Region;
use crate::engine::law;
use crate::engine::stream::Stream;
use crate::model::scenario::{RegionId, Scenario, ServiceId};
use crate::units::{Dist, Time};
use crate::world::condition::Condition;
use crate::world::launches::{Bucket, Granted};
use crate::world::plan::Plan;
use crate::world::scaling::{self, Known};
use crate::world::zones;

/// What makes a region's pools larger and smaller.
#[derive(Clone, Debug)]
pub struct Scalers {
    scalers: Vec<Scaler>,
    bucket: Bucket,
    frozen: bool,
    /// Whether launches are blocked here.
    blocked: bool,
    /// Whether any service follows its load.
    follows: bool,
    /// Whether pools may be larger than planned: they follow their load, or were launched into.
    resizes: bool,
}

#[derive(Clone, Debug)]
struct Scaler {
    planned: u64,
    /// It is never brought below this.
    floor: u64,
    /// Instances wanted; `None`: whatever there is.
    wanted: Option<u64>,
    next: Time,
    grown: Option<Time>,
    shrunk: Option<Time>,
    /// What was measured: when, instances kept busy, instances in service.
    measured: Vec<(Time, f64, f64)>,
    /// What was told last of launches that did not happen.
    told: &'static str,
}

/// A line for the log: what and why.
pub type Note = (String, &'static str);

impl Scalers {
    /// Pools at the size that their region begins with.
    pub fn new(scenario: &Scenario, plan: &Plan, region: RegionId, begin: &[u64]) -> Scalers {
        let scaler = |(v, service): (usize, &crate::model::scenario::Service)| Scaler {
            planned: plan.sized[region][v].full,
            floor: match scenario.standby.contains(&region) {
                true => plan.sized[region][v].serving,
                false => 0,
            },
            wanted: service.scaling.as_ref().map(|_| begin[v]),
            next: match &service.scaling {
                // A region without the service has nothing to scale.
                Some(rules) if begin[v] > 0 => Time::ZERO + rules.interval,
                _ => Time::NEVER,
            },
            grown: None,
            shrunk: None,
            measured: Vec::new(),
            told: "",
        };
        Scalers {
            scalers: scenario.services.iter().enumerate().map(scaler).collect(),
            bucket: Bucket::new(&scenario.launches),
            frozen: false,
            blocked: false,
            follows: scenario.services.iter().any(|s| s.scaling.is_some()),
            resizes: scenario.services.iter().any(|s| s.scaling.is_some()),
        }
    }

    /// When the next pool is looked at.
    pub fn next_time(&self) -> Time {
        let next = self.scalers.iter().map(|s| s.next);
        next.min().unwrap_or(Time::NEVER)
    }
}

/// How many instances a pool that follows its load begins with: as many as its target asks for.
pub fn begins_with(scenario: &Scenario, plan: &Plan, region: RegionId, v: ServiceId) -> u64 {
    let service = &scenario.services[v];
    let planned = plan.sized[region][v].serving;
    let Some(rules) = service
        .scaling
        .as_ref()
        .filter(|_| service.instances.is_none())
    else {
        return planned;
    };
    if planned == 0 || scenario.standby.contains(&region) {
        return planned;
    }
    let slots = plan.first[region].busy[v] / rules.target;
    let wanted = slots / f64::from(service.slots);
    let zones = zones::rounded_up(&scenario.regions[region], wanted, 1.0);
    let most = scaling::most(rules, planned);
    zones
        .iter()
        .sum::<u64>()
        .clamp(u64::from(rules.least).min(most), most)
}

impl Region {
    /// What is impaired has changed for the instances: zones go down or come back; says what became
    /// of them.
    pub fn zone_changed(
        &mut self,
        scenario: &Scenario,
        now: Time,
        (region, zone): (RegionId, usize),
        condition: &Condition,
    ) -> u64 {
        let mut count = 0;
        let down = condition.zone_down(region, zone);
        let (down, hangs) = (down.is_some(), down == Some(true));
        for (v, instances) in self.instances.iter_mut().enumerate() {
            let was = instances.zones_down().contains(&zone);
            let stream = self.streams[v];
            count += match (was, down) {
                (false, true) => instances.lose_zone(now, zone, hangs, stream),
                (true, false) => {
                    instances.recover_zone(now, zone, &scenario.services[v].boot, stream)
                }
                _ => 0,
            };
            if down {
                instances.hang_in(zone, hangs);
            }
        }
        count
    }

    /// Whether pools may be larger than planned.
    pub fn resizes(&self) -> bool {
        self.scalers.resizes
    }

    /// Instances of a service in any state.
    pub fn present(&self, service: ServiceId) -> u64 {
        self.instances[service].present()
    }

    /// Instances of a service die; says how many.
    pub fn kill(&mut self, now: Time, service: ServiceId, count: u64) -> u64 {
        let stream = self.streams[service];
        self.instances[service].kill(now, count, stream)
    }

    /// Launches are blocked here, or no longer.
    pub fn block_launches(&mut self, on: bool) {
        self.scalers.blocked = on;
    }

    /// Forbids to take instances out, or allows it again.
    pub fn freeze_scale_in(&mut self, on: bool) {
        self.scalers.frozen = on;
    }

    /// Notes how busy the pools are, for autoscalers to read later.
    pub fn measure(&mut self, plan: &Plan, now: Time) {
        if !self.scalers.follows {
            return;
        }
        for (v, scaler) in self.scalers.scalers.iter_mut().enumerate() {
            if scaler.next < Time::NEVER {
                let here = self.capacity[v];
                let busy = self.flow.pools[v].busy * here.zones.max(1.0);
                let slots = plan.graph.nodes[v].slots.max(1.0);
                scaler.measured.push((now, busy / slots, here.instances));
            }
        }
    }

    /// When the next pool is looked at.
    pub fn next_look(&self) -> Time {
        if self.dark.is_some() {
            Time::NEVER
        } else {
            self.scalers.next_time()
        }
    }

    /// Looks at every pool that is due. `short`: the provider is short of capacity.
    pub fn look(&mut self, scenario: &Scenario, now: Time, short: bool) -> Vec<Note> {
        let mut notes = Vec::new();
        for v in 0..self.instances.len() {
            if self.scalers.scalers[v].next > now {
                continue;
            }
            let rules = scenario.services[v].scaling.as_ref();
            let frozen = self.scalers.frozen;
            let scaler = &mut self.scalers.scalers[v];
            match rules {
                Some(rules) => {
                    scaler.next = now + rules.interval;
                    scaler.decide(rules, frozen, now);
                }
                None => scaler.next = Time::NEVER,
            }
            self.reach(scenario, now, v, short, &mut notes);
        }
        notes
    }

    /// Brings a service to at least so many instances.
    pub fn scale_to(
        &mut self,
        scenario: &Scenario,
        service: ServiceId,
        wanted: u64,
        now: Time,
        short: bool,
    ) -> Vec<Note> {
        let name = &scenario.services[service].name;
        if !scenario.services[service].scalable {
            return vec![(format!("{name} stays as it is"), "it is not scalable")];
        }
        let standing = self.instances[service].believed_standing();
        let scaler = &mut self.scalers.scalers[service];
        let now_wanted = scaler.wanted.unwrap_or(standing);
        scaler.wanted = Some(now_wanted.max(wanted));
        if wanted > now_wanted {
            scaler.grown = Some(now);
        }
        let mut notes = Vec::new();
        self.reach(scenario, now, service, short, &mut notes);
        notes
    }

    /// Dark instances that were called, or are dark again, belong to what is wanted.
    pub(super) fn want_more(&mut self, service: ServiceId, more: i64, now: Time) {
        let scaler = &mut self.scalers.scalers[service];
        if let Some(wanted) = &mut scaler.wanted {
            *wanted = wanted.saturating_add_signed(more);
            if more > 0 {
                scaler.grown = Some(now);
            }
        }
    }

    /// Launches what is missing, or takes out what is too much.
    fn reach(
        &mut self,
        scenario: &Scenario,
        now: Time,
        v: ServiceId,
        short: bool,
        notes: &mut Vec<Note>,
    ) {
        let service = &scenario.services[v];
        let Some(wanted) = self.scalers.scalers[v].wanted else {
            return;
        };
        let standing = self.instances[v].believed_standing();
        let stream = self.streams[v];
        if wanted < standing {
            if service.scaling.is_some() && !self.scalers.frozen {
                let out = standing - wanted;
                let out = self.instances[v].take_out(now, out, &service.discovery, stream);
                notes.push((
                    format!("{out} instances of {} are taken out", service.name),
                    "autoscaling",
                ));
            }
            return;
        }
        let missing = wanted - standing;
        if missing == 0 {
            self.scalers.scalers[v].told = "";
            return;
        }
        let present = self.instances.iter().map(|i| i.present()).sum();
        let mut draws = stream.draws(now.0, 6);
        let state = (self.scalers.blocked, short);
        let limits = &scenario.launches;
        let granted = self
            .scalers
            .bucket
            .ask(limits, now, missing, present, state, &mut draws);
        if granted.begun > 0 {
            self.scalers.resizes = true;
            let delay = delay(&service.boot, &service.discovery);
            self.instances[v].launch(now, granted.begun, &delay, stream);
            let what = format!(
                "{} instances of {} are launched",
                granted.begun, service.name
            );
            notes.push((what, "fewer stand than are wanted"));
        }
        let scaler = &mut self.scalers.scalers[v];
        if granted.begun < missing {
            scaler.next = scaler.next.min(now + limits.retry);
            let why = held_up(&granted);
            // Once, not at every attempt.
            if scaler.told != why {
                let short = missing - granted.begun;
                notes.push((
                    format!("{short} instances of {} are not launched", service.name),
                    why,
                ));
            }
            scaler.told = why;
        } else {
            scaler.told = "";
        }
    }
}

impl Scaler {
    /// Reads what was measured and decides what is wanted.
    fn decide(&mut self, rules: &crate::model::scenario::Scaling, frozen: bool, now: Time) {
        let old = |m: &(Time, f64, f64)| m.0 + rules.delay <= now;
        let Some(last) = self.measured.iter().rposition(old) else {
            return;
        };
        self.measured.drain(..last);
        let (_, busy, serving) = self.measured[0];
        let Some(wanted) = self.wanted else {
            return;
        };
        let known = Known {
            busy,
            serving,
            wanted,
            grown: self.grown,
            shrunk: self.shrunk,
            frozen,
        };
        let next = scaling::decide(rules, self.planned, &known, now).max(self.floor);
        if next > wanted {
            self.grown = Some(now);
        } else if next < wanted {
            self.shrunk = Some(now);
        }
        self.wanted = Some(next);
    }
}

/// From a launch to the first request.
fn delay(boot: &Dist, discovery: &Dist) -> Dist {
    if law::mean(discovery) > 0.0 {
        Dist::Sum(vec![boot.clone(), discovery.clone()])
    } else {
        boot.clone()
    }
}

/// Why launches did not happen: the first reason that applies.
fn held_up(granted: &Granted) -> &'static str {
    if granted.blocked > 0 {
        "launches are blocked"
    } else if granted.over_quota > 0 {
        "the quota of the region is used up"
    } else if granted.throttled > 0 {
        "more launches than the provider allows at once"
    } else {
        "the provider is short of capacity"
    }
}

/// The stream of a service's instances.
pub(super) fn streams(
    scenario: &Scenario,
    region: &str,
    seed: u64,
    replication: u64,
) -> Vec<Stream> {
    let of = |name: &str| Stream::new(seed, replication, "instances", &format!("{region}/{name}"));
    scenario.services.iter().map(|s| of(&s.name)).collect()
}
