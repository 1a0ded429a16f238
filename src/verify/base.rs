//! The scenarios that cases start from, read from text as a user's file is, and how they are run.
//!
//! Two regions, `east` (which is left or lost) and `west`; a market at home in each. Nothing varies
//! but what a case asks for, and all capacity is plentiful.

use crate::model::fidelity::Fidelity;
use crate::model::measure::{Op, Threshold};
use crate::model::outcome::Outcome;
use crate::model::scenario::{Objective, RegionId, Scenario};
use crate::scenario::{Document, Layer};
use crate::simulate::Simulator;
use crate::simulate::Stream;
use crate::units::{Dist, Span, Time};
use rayon::prelude::*;

/// The region that is left or lost.
pub const EAST: RegionId = 0;
/// The other one.
pub const WEST: RegionId = 1;
/// Time between probes when detection is to take a known time, and the largest error of that time.
const PROBE: Span = Span(1_000_000);

/// Announced drills are acted on at least so long before, whatever the policy says.
const LEAD: Span = Span(60_000_000_000);

const PLAIN: &str = include_str!("base/plain.toml");
const DATA: &str = include_str!("base/data.toml");
const EMPTY: &str = include_str!("base/empty.toml");
const PLAYING: &str = include_str!("base/playing.toml");

/// Markets that bring plain requests: A at home in the east, B in the west.
pub fn plain() -> Scenario {
    load("plain", PLAIN)
}

/// Requests that write one domain, which is replicated at once.
pub fn data() -> Scenario {
    load("data", &format!("{PLAIN}\n{DATA}"))
}

/// Viewers of the market in the east whose sessions play practically for ever, and whose media come
/// through the region.
pub fn playing() -> Scenario {
    alone(load("playing", PLAYING))
}

/// So many regions with so many zones each, that hardly anyone asks for anything.
pub fn regions(count: u32, zones: u32) -> Scenario {
    let mut text = String::from(EMPTY);
    for r in 0..count {
        text += &format!("[[region]]\nname = \"r{r}\"\nzones = {zones}\n");
    }
    for (a, b) in (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b))) {
        text += &format!("[[link]]\nbetween = [\"r{a}\", \"r{b}\"]\nrtt = \"1ms\"\n");
    }
    load("regions", &text)
}

fn load(name: &str, text: &str) -> Scenario {
    match Document::load(name, Layer::file(name, text, None), None, Vec::new()) {
        Ok(document) => document.scenario().clone(),
        Err(problems) => panic!("the base scenario {name} must load:\n{problems}"),
    }
}

/// Hardly any demand from the market in the west, which keeps the west known as a place to go to.
pub fn alone(mut scenario: Scenario) -> Scenario {
    scenario.markets[1].starts = 1e-12;
    scenario
}

/// Windows and steps of so many seconds, up to a horizon that is a whole number of them. Returns
/// the number of windows.
pub fn windows(scenario: &mut Scenario, secs: f64, horizon_secs: f64) -> u64 {
    let sample = Span::from_secs(secs).max(Span(1));
    let count = (horizon_secs / secs - 1e-9).ceil().max(1.0) as u64;
    scenario.sample = sample;
    scenario.step = sample;
    scenario.horizon = Span(sample.0.saturating_mul(count));
    count
}

/// Takes the east out of DNS at `flip`, while it is healthy: an announced drill that begins at the
/// horizon.
pub fn drain(scenario: &mut Scenario, flip: Time) {
    let at = Time(scenario.horizon.0).max(flip + LEAD);
    let lead = at.since(flip);
    let fault = &mut scenario.faults[0];
    // The grid of windows is counted from the fault: it must meet the flip.
    let part = lead.0 % scenario.sample.0;
    let lead = if part == 0 {
        lead
    } else {
        Span(lead.0 + scenario.sample.0 - part)
    };
    fault.at = flip + lead;
    fault.announced = lead;
    scenario.horizon = scenario.horizon.max(Span(fault.at.0 + 1));
    let knobs = &mut scenario.policy.knobs;
    knobs.hold = lead;
    knobs.prewarm = true;
}

/// Takes the east out of DNS in stages from `first` on, while it is healthy, as [`drain`] does at once.
pub fn drain_in_stages(scenario: &mut Scenario, first: Time, stages: Vec<f64>, hold: Span) {
    let others = stages.len().max(1) as u64 - 1;
    let lead = Span(hold.max(LEAD).0 + hold.0 * others);
    let fault = &mut scenario.faults[0];
    fault.at = first + lead;
    fault.announced = lead;
    scenario.horizon = scenario.horizon.max(Span(fault.at.0 + 1));
    let knobs = &mut scenario.policy.knobs;
    (knobs.stages, knobs.hold) = (stages, hold);
    knobs.dns_stages = true;
}

/// The east hangs from `at` on, and is believed dead `secs` later, to within a millisecond.
pub fn lose(scenario: &mut Scenario, at: Time, secs: f64) {
    let fault = &mut scenario.faults[0];
    fault.at = at;
    fault.hang = true;
    fault.duration = Span(u64::MAX / 4);
    scenario.control.interval = PROBE;
    scenario.control.timeout = Span(Span::from_secs(secs).0.saturating_sub(PROBE.0).max(1));
    scenario.control.threshold = 1;
    scenario.control.observers = 1;
    scenario.control.agree = 1;
}

/// Wants starts to succeed at least at this share, for so long.
pub fn want(scenario: &mut Scenario, share: f64, sustain_secs: f64) {
    scenario.sustain = Span::from_secs(sustain_secs);
    scenario.objectives = vec![Objective {
        threshold: Threshold {
            sli: "stream_start_success".into(),
            op: Op::AtLeast,
            value: share,
            text: format!(">= {share}"),
        },
    }];
}

/// Device classes: a share that enters through the edge, the rest directly.
pub fn through_edge(scenario: &mut Scenario, share: f64) {
    let class = scenario.devices[0].clone();
    let mut classes = Vec::new();
    for (name, direct, share) in [("direct", true, 1.0 - share), ("edge", false, share)] {
        if share > 0.0 {
            let mut class = class.clone();
            class.name = name.into();
            class.direct = direct;
            class.share = share;
            classes.push(class);
        }
    }
    scenario.devices = classes;
}

/// Routes reach every proxy this long after the order, DNS answers change this long after it.
pub fn delays(scenario: &mut Scenario, routes_secs: f64, dns_secs: f64) {
    scenario.edge.poll = Dist::Fixed(routes_secs);
    scenario.dns.propagation = Dist::Fixed(dns_secs);
}

/// Runs replications, in parallel, and keeps what `read` takes from each.
pub fn replicate<T: Send>(
    scenario: &Scenario,
    seed: u64,
    count: u64,
    read: impl Fn(&Outcome) -> T + Sync,
) -> Vec<T> {
    let simulator = Simulator::new(scenario);
    (0..count)
        .into_par_iter()
        .map(|replication| read(&simulator.run(seed, replication)))
        .collect()
}

/// The same request by request.
pub fn replicate_requests<T: Send>(
    scenario: &Scenario,
    seed: u64,
    count: u64,
    read: impl Fn(&Outcome) -> T + Sync,
) -> Vec<T> {
    let simulator = Simulator::new(scenario).with(Fidelity::Request);
    (0..count)
        .into_par_iter()
        .map(|replication| read(&simulator.run(seed, replication)))
        .collect()
}

/// The seed of a case's own, so that cases are independent.
pub fn seed_of(seed: u64, family: &str, id: &str) -> u64 {
    let name = format!("{family}/{id}");
    Stream::new(seed, 0, "verify", &name).draws(0, 0).next_u64()
}
