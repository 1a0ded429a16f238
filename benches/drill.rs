//! What a drill costs: `cargo bench --bench drill`.
//!
//! Times are of one core and compared, in the same run, with a bare loop that draws addressed
//! random numbers, so that figures of different machines can be related.
//!
//! `cargo bench --bench drill -- once` runs one replication, for `benches/instructions`.

// A bench measures the wall clock; nothing that it measures reads it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads the wall clock"
)]

use darkregion::engine::stream::Stream;
use darkregion::model::outcome::Outcome;
use darkregion::model::scenario::Scenario;
use darkregion::scenario::{Document, Layer, PolicyArg, builtin};
use darkregion::simulate::Simulator;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Loads `chaos-kong` under a policy or strategy, with assignments laid over it.
fn drill(policy: &str, sets: &[&str]) -> Scenario {
    let text = builtin("chaos-kong").expect("it is built in");
    let document = Document::load(
        "chaos-kong",
        Layer::file("chaos-kong.toml", text, None),
        Some(PolicyArg::Name(policy.to_string())),
        sets.iter().map(|set| Layer::set(set)).collect(),
    );
    document
        .unwrap_or_else(|problems| panic!("{problems}"))
        .scenario()
        .clone()
}

/// Cost of a drill.
struct Cost {
    prepare: Duration,
    each: Duration,
    steps: u64,
    sessions: f64,
}

/// Runs replications for about two seconds, at least three.
fn measure(scenario: &Scenario) -> Cost {
    let begun = Instant::now();
    let simulator = Simulator::new(scenario);
    let prepare = begun.elapsed();
    let run = |replication| -> Outcome { black_box(simulator.run(1, replication)) };
    let _ = run(0);
    let begun = Instant::now();
    let (mut drills, mut steps) = (0, 0);
    while drills < 3 || begun.elapsed() < Duration::from_secs(2) {
        drills += 1;
        steps += run(drills).steps;
    }
    Cost {
        prepare,
        each: begun.elapsed() / drills as u32,
        steps: steps / drills,
        sessions: simulator.facts().sessions,
    }
}

/// Nanoseconds of one addressed draw: its own block of random numbers, one uniform of it.
fn draw_nanos() -> f64 {
    let stream = Stream::new(1, 0, "bench", "draws");
    let draws = 20_000_000u64;
    let begun = Instant::now();
    let mut sum = 0.0;
    for index in 0..draws {
        sum += stream.draws(index, 0).uniform();
    }
    black_box(sum);
    begun.elapsed().as_secs_f64() * 1e9 / draws as f64
}

/// Largest resident memory of this process so far, in kilobytes, where the system says so.
fn peak_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn row(what: &str, cost: &Cost, draw: f64) {
    let micros = cost.each.as_secs_f64() * 1e6;
    println!(
        "{what:<34} {:>9.1} {:>9.2} {:>7} {:>9.2} {:>9.0} {:>9.1} {:>9.1}",
        1e6 / micros,
        micros / 1e3,
        cost.steps,
        micros / cost.steps as f64,
        micros * 1e3 / cost.steps as f64 / draw,
        cost.prepare.as_secs_f64() * 1e3,
        cost.sessions / 1e6,
    );
}

fn main() {
    if std::env::args().any(|argument| argument == "once") {
        let simulator = Simulator::new(&drill("flow-dark", &[]));
        black_box(simulator.run(1, 0));
        return;
    }
    let draw = draw_nanos();
    println!("an addressed draw takes {draw:.2} ns");
    println!(
        "{:<34} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9}",
        "", "drills/s", "ms", "steps", "us/step", "draws/step", "ready ms", "M sessions"
    );
    let show = |what: &str, scenario: &Scenario| {
        let cost = measure(scenario);
        row(what, &cost, draw);
        cost
    };

    println!("by policy, at full size");
    let whole = show("flow-dark", &drill("flow-dark", &[]));
    for policy in ["none", "dns-only", "gradual-prewarmed"] {
        show(policy, &drill(policy, &[]));
    }

    println!("by number of sessions: the cost should not grow");
    let millions = whole.sessions / 1e6;
    for size in [1.0, 10.0, 100.0] {
        let demand = format!("demand={}", size / millions);
        show(
            &format!("{size} M sessions"),
            &drill("flow-dark", &[&demand]),
        );
    }
    println!("by number of sessions, overloaded");
    for size in [1.0, 10.0, 100.0] {
        let demand = format!("demand={}", size / millions);
        let sets = [
            demand.as_str(),
            "service.*.headroom=0.2",
            "service.*.dark=0",
        ];
        show(
            &format!("{size} M sessions, headroom 0.2"),
            &drill("flow-dark", &sets),
        );
    }

    println!("by what is left out: the difference is what it costs");
    let mut calm = drill("flow-dark", &[]);
    calm.faults.clear();
    show("no fault", &calm);
    let mut uncached = drill("flow-dark", &[]);
    for call in uncached.services.iter_mut().flat_map(|s| &mut s.calls) {
        call.cache = None;
    }
    show("no cache (all of it at the store)", &uncached);
    show(
        "one resolver for all",
        &drill("flow-dark", &["dns.resolvers=1"]),
    );
    show(
        "single attempts",
        &drill("flow-dark", &["device.*.attempts=1"]),
    );
    let mut flat = drill("flow-dark", &[]);
    flat.requests.retain(|request| request.name == "start");
    show("starts alone, no other requests", &flat);
    println!("by step");
    show("step 500ms", &drill("flow-dark", &["step=500ms"]));
    show("step 2s", &drill("flow-dark", &["step=2s"]));
    show("horizon 80min", &drill("flow-dark", &["horizon=80min"]));

    let per_core = 1.0 / whole.each.as_secs_f64();
    println!(
        "a thousand replications on two cores: {:.1} s",
        500.0 / per_core
    );
    if let Some(before) = peak_kilobytes() {
        let simulator = Simulator::new(&drill("flow-dark", &[]));
        for replication in 0..50 {
            black_box(simulator.run(2, replication));
        }
        let after = peak_kilobytes().unwrap_or(before);
        println!("peak memory {before} kB; after 50 more replications {after} kB");
    }
}
