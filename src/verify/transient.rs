//! Family 02, queues whose load or capacity changes: many systems of exponential servers, and the law of
//! how many are there at given moments.
//!
//! Where capacity stays, systems are zones that begin in their stationary law or empty. Where it
//! changes, there is one system to a replication: instances of one slot die and are replaced, what they
//! worked on is tried again at once, and a limit at the edge keeps how many may be there.

use super::base::{self, EAST};
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use super::paths::{Path, Sums};
use super::queues::System;
use super::station::{self, PLENTY, Present};
use super::{paths, retries};
use crate::model::outcome::Outcome;
use crate::model::scenario::{Fault, Scaling, Scenario};
use crate::simulate::Visit;
use crate::units::{Dist, Span, Time};

/// Systems of a replication.
const ZONES: usize = 64;
/// Requests that a case may make.
const WORK: f64 = 4e6;
/// Services until a system that begins empty is as good as stationary.
const WARM: f64 = 16.0;
/// Arrivals so close to a moment stand for one at that moment, in mean times between arrivals.
const AROUND: f64 = 0.25;

/// A part of the time with its load and capacity.
#[derive(Clone, Copy, Debug)]
struct Segment {
    until: f64,
    rate: f64,
    slots: u32,
}

struct Plan {
    segments: Vec<Segment>,
    /// Load and slots whose stationary law it begins in; `None`: empty.
    start: Option<(f64, u32)>,
    each: f64,
    most: u32,
}

/// What a system has seen, in the case's own time.
struct Seen {
    path: Path,
    /// Who came to the station.
    arrivals: Vec<Arrival>,
    /// How many never got there.
    kept_out: f64,
}

#[derive(Clone, Copy)]
struct Arrival {
    at: f64,
    waited: Option<f64>,
}

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let plan = Plan::new(case)?;
    let changes = plan
        .segments
        .iter()
        .any(|s| s.slots != plan.segments[0].slots);
    let systems = match changes {
        false => plan.zones(seed),
        true => plan.replications(seed)?,
    };
    let n = Noise::Observations(systems.len() as f64);
    let end = plan.end();
    let counts = |secs: f64| systems.iter().map(move |seen| seen.path.at(secs) as f64);
    let share = |secs: f64, least: u32| {
        let there = counts(secs).filter(|&n| n >= f64::from(least)).count();
        Finding::of(there as f64 / systems.len() as f64, n)
    };
    let inside = |seen: &Seen| -> Vec<Arrival> {
        // Who is there at the beginning has not come then.
        let during = |a: &&Arrival| a.at > 0.0 && a.at < end;
        seen.arrivals.iter().filter(during).copied().collect()
    };
    let find = |metric: &Metric| -> Finding {
        let at = metric.moment().filter(|&secs| secs <= end);
        match (metric.name.split(['(', '>']).next().unwrap_or_default(), at) {
            ("mean_N", Some(secs)) => {
                Finding::of(counts(secs).sum::<f64>() / systems.len() as f64, n)
            }
            ("prob_full", Some(secs)) => share(secs, plan.most),
            ("prob_all_busy", Some(secs)) => share(secs, plan.slots_at(secs)),
            ("prob_wait", Some(secs)) => {
                let beyond = metric.name.trim_start_matches("prob_wait>");
                let beyond: f64 = match beyond.split('_').next().unwrap_or_default().parse() {
                    Ok(beyond) => beyond,
                    Err(_) => return Finding::not("the metric is not known"),
                };
                let reach = AROUND / plan.segments[plan.segments.len() - 1].rate;
                // All of them: the first of them alone would meet fewer, as nobody came just before.
                let close = |seen: &Seen| {
                    let near = |a: &&Arrival| (a.at - secs).abs() < reach;
                    let waits = seen.arrivals.iter().filter(near).filter_map(|a| a.waited);
                    Sums::of(waits.map(|wait| f64::from(wait > beyond)))
                };
                paths::mean_of(&systems.iter().map(close).collect::<Vec<_>>())
            }
            ("expected_blocked_total", _) => {
                let blocked =
                    |seen: &Seen| inside(seen).iter().filter(|a| a.waited.is_none()).count();
                let all = |seen: &Seen| blocked(seen) as f64 + seen.kept_out;
                Finding::mean(&systems.iter().map(all).collect::<Vec<_>>())
            }
            ("expected_arrivals_total", _) => {
                let all = |seen: &Seen| inside(seen).len() as f64 + seen.kept_out;
                Finding::mean(&systems.iter().map(all).collect::<Vec<_>>())
            }
            ("expected_goodput_fraction", _) => {
                let taken = |seen: &Seen| {
                    let all = inside(seen);
                    let taken = Sums::of(all.iter().map(|a| f64::from(a.waited.is_some())));
                    Sums {
                        count: taken.count + seen.kept_out,
                        ..taken
                    }
                };
                paths::mean_of(&systems.iter().map(taken).collect::<Vec<_>>())
            }
            _ => Finding::not("the metric is not known"),
        }
    };
    Ok(case
        .metrics
        .iter()
        .map(|metric| find(metric).by_request())
        .collect())
}

impl Plan {
    fn new(case: &Case) -> Result<Plan, String> {
        let list = case.params.get("segments").and_then(|list| list.as_array());
        let list = list.ok_or("the parameter segments is missing")?;
        let part = |of: &serde_json::Value, key: &str| {
            let value = of.get(key).and_then(serde_json::Value::as_f64);
            value.filter(|value| (0.0..=1e6).contains(value))
        };
        let load = |of: &serde_json::Value| {
            let (rate, slots) = (part(of, "lambda")?, part(of, "c")?);
            (rate > 0.0 && slots >= 1.0).then_some((rate, slots as u32))
        };
        let segment = |of: &serde_json::Value| {
            let (rate, slots) = load(of)?;
            let until = part(of, "t1")?;
            Some(Segment { until, rate, slots })
        };
        let segments: Option<Vec<Segment>> = list.iter().map(segment).collect();
        let segments = segments.filter(|s| (1..=50).contains(&s.len()));
        let segments = segments.ok_or("its segments are not of load, slots and times")?;
        let in_order = segments.windows(2).all(|s| s[0].until < s[1].until);
        let most = case.count("K", PLENTY)?;
        if !in_order || segments.iter().any(|s| s.slots > most) {
            return Err(
                "its segments are not in order, or have more slots than may be there".into(),
            );
        }
        let plan = Plan {
            start: case.params.get("start").and_then(load),
            each: case.positive("mu")?,
            segments,
            most,
        };
        match plan.arrivals() <= 1e5 && plan.after() <= 1e6 {
            true => Ok(plan),
            false => Err("too many arrive, or they are served too slowly".into()),
        }
    }

    fn end(&self) -> f64 {
        self.segments[self.segments.len() - 1].until
    }

    fn slots_at(&self, secs: f64) -> u32 {
        let later = self.segments.iter().find(|s| secs < s.until);
        let last = &self.segments[self.segments.len() - 1];
        later.unwrap_or(last).slots
    }

    fn arrivals(&self) -> f64 {
        let mut from = 0.0;
        let part = |segment: &Segment| {
            let secs = segment.until - std::mem::replace(&mut from, segment.until);
            segment.rate * secs
        };
        self.segments.iter().map(part).sum()
    }

    /// After the end all are served: so many seconds.
    fn after(&self) -> f64 {
        let slots = self.segments.iter().map(|s| s.slots).min().unwrap_or(1);
        (3.0 * f64::from(self.most) / f64::from(slots) + 30.0) / self.each
    }

    /// Demand that changes from segment to segment, and ends with the last.
    fn demand(&self, scenario: &mut Scenario, usual: f64, begin: f64, end: f64) {
        let mut from = begin;
        for segment in &self.segments {
            // Arrivals just after the end show what those at the end would meet.
            let last = segment.until == self.end();
            let until = begin + segment.until + if last { AROUND / segment.rate } else { 0.0 };
            if segment.rate != usual {
                let factor = segment.rate / usual;
                scenario
                    .faults
                    .push(retries::surge(from, until - from, factor));
            }
            from = until;
        }
        scenario.faults.push(retries::surge(from, end - from, 0.0));
    }

    /// Systems whose capacity stays, as zones.
    fn zones(&self, seed: u64) -> Vec<Seen> {
        let slots = self.segments[0].slots;
        let usual = self.segments[0].rate;
        let system = System::of(usual, slots, self.each, self.most - slots);
        let present = match self.start {
            Some((rate, slots)) => System::of(rate, slots, self.each, self.most - slots).present(),
            None => Present::nobody(),
        };
        let end = self.end() + self.after();
        let mut scenario = station::scenario(usual, ZONES, &[system.station()], (end, end));
        self.demand(&mut scenario, usual, 0.0, end);
        let count = WORK / (self.arrivals() + present.mean()) / ZONES as f64;
        let read = |_: &Outcome, visits: Vec<Visit>| -> Vec<Seen> {
            let zones = station::by_zone(visits, 0, ZONES);
            zones.iter().map(|zone| seen(zone, 0.0, f64::NAN)).collect()
        };
        let count = (count.ceil() as u64).max(8);
        station::watch(&scenario, (seed, count), &present, read)
            .into_iter()
            .flatten()
            .collect()
    }

    /// Systems whose capacity changes, one to a replication.
    fn replications(&self, seed: u64) -> Result<Vec<Seen>, String> {
        /// From its death until an instance is known to be dead, and until another is launched.
        const NOTICED: Span = Span(1);
        const LAUNCHED: Span = Span(1_000_000);
        /// Attempts: some of those at the very moment of a death meet what is not known to be dead.
        const ATTEMPTS: u32 = 60;
        let (usual, first) = self
            .start
            .ok_or("a system that begins empty keeps its capacity")?;
        let full = self.segments.iter().map(|s| s.slots).fold(first, u32::max);
        let warm = WARM / self.each;
        let end = warm + self.end() + self.after();
        let mut station = System::of(usual, 1, self.each, PLENTY).station();
        station.places = PLENTY;
        let mut scenario = station::scenario(usual, 1, &[station], (end, end));
        base::through_edge(&mut scenario, 1.0);
        scenario.edge.origin_limit = Some(self.most);
        scenario.devices.iter_mut().for_each(|class| {
            class.attempts = ATTEMPTS;
            class.backoff_base = Span::ZERO;
            class.retry_budget = f64::INFINITY;
            class.fallback_after = 0;
        });
        self.demand(&mut scenario, usual, warm, end);
        let service = &mut scenario.services[0];
        service.instances = Some(full);
        (service.health_interval, service.health_threshold) = (NOTICED, 1);
        service.eject_most = 1.0;
        service.discovery = Dist::Fixed(0.0);
        service.slow_start = Span::ZERO;
        let (from, until) = self.lack(full)?;
        let lacking = full - self.slots_at(from);
        // Gone before the beginning, where the case begins with fewer.
        let gone = if from > 0.0 { warm + from } else { 1e-6 };
        let looks = Span(Span::from_secs(gone).0 + LAUNCHED.0);
        service.boot = Dist::Fixed(warm + until - looks.secs());
        service.scaling = Some(Scaling {
            target: 1e-9,
            tolerance: 0.0,
            delay: Span::ZERO,
            interval: looks,
            cooldown_out: Span::ZERO,
            cooldown_in: Span::ZERO,
            step_out: f64::from(full),
            step_in: 1.0,
            least: full,
            most: 1.0,
            scale_in: false,
        });
        let limits = &mut scenario.launches;
        (limits.burst, limits.per_sec, limits.quota) = (1e6, 1e6, f64::INFINITY);
        scenario.faults.push(Fault {
            kind: "instance-kill".into(),
            at: Time::from_secs(gone),
            duration: Span::ZERO,
            region: Some(EAST),
            service: Some(0),
            count: lacking,
            factor: 1.0,
            ..Fault::default()
        });
        scenario.faults.sort_by_key(|fault| fault.at);
        let count = (WORK / (self.arrivals() + usual * warm)).ceil() as u64;
        let read = |outcome: &Outcome, visits: Vec<Visit>| Seen {
            kept_out: outcome.ledger.starts_failed as f64,
            ..seen(&visits, warm, gone)
        };
        Ok(station::watch(
            &scenario,
            (seed, count.clamp(1000, 50_000)),
            &Present::nobody(),
            read,
        ))
    }

    /// When slots are lacking: the only part with fewer than at most.
    fn lack(&self, full: u32) -> Result<(f64, f64), String> {
        let mut from = 0.0;
        let mut parts: Vec<(f64, f64, u32)> = Vec::new();
        for segment in &self.segments {
            match parts.last_mut().filter(|last| last.2 == segment.slots) {
                Some(last) => last.1 = segment.until,
                None => parts.push((from, segment.until, segment.slots)),
            }
            from = segment.until;
        }
        let fewer: Vec<_> = parts.iter().filter(|part| part.2 < full).collect();
        match fewer[..] {
            [part] => Ok((part.0, part.1)),
            _ => Err("its capacity falls more than once".into()),
        }
    }
}

/// What one system saw, from a moment on. Who comes at the very moment at which slots die was there
/// before.
fn seen(visits: &[Visit], from: f64, gone: f64) -> Seen {
    let there = visits.iter().filter(|visit| visit.stayed_secs > 0.0);
    let shift = |(came, left): (f64, f64)| (came - from, left - from);
    let arrival = |visit: &Visit| Arrival {
        at: visit.arrived.secs() - from,
        waited: visit.waited_secs,
    };
    let gone = Time::from_secs(gone);
    let new = |visit: &&Visit| visit.arrived != gone || gone == Time::ZERO;
    let mut arrivals: Vec<Arrival> = visits.iter().filter(new).map(arrival).collect();
    arrivals.sort_by(|a, b| a.at.total_cmp(&b.at));
    Seen {
        path: Path::of(there.map(|visit| shift(station::stay(visit)))),
        arrivals,
        kept_out: 0.0,
    }
}
