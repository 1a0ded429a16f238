//! How fast single requests are: `cargo bench --bench requests`.
//!
//! An event is what happens at one moment to one thing: something taken from the queue of events, or a
//! timer that is due, that finds whom it is about. What finds nobody any more is not counted. Seconds are of
//! the processor where the system tells them, so that other programs matter little, with the preparation of the
//! scenario left out.
//!
//! `cargo bench --bench requests -- once` runs one drill, for a profiler.

// A bench measures the wall clock; nothing that it measures reads it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads the wall clock"
)]

use darkregion::model::fidelity::Fidelity;
use darkregion::scenario::{Document, Layer, PolicyArg, builtin};
use darkregion::simulate::Simulator;
use std::hint::black_box;
use std::time::Instant;

fn simulator(name: &str, policy: &str, scale: f64, sets: &[&str]) -> Simulator {
    let text = builtin(name).expect("it is built in");
    let document = Document::load(
        name,
        Layer::file(&format!("{name}.toml"), text, None),
        Some(PolicyArg::Name(policy.to_string())),
        sets.iter().map(|set| Layer::set(set)).collect(),
    );
    let document = document.unwrap_or_else(|problems| panic!("{problems}"));
    Simulator::new(document.computed(Fidelity::Request, scale).scenario())
}

/// Seconds that this thread has used the processor, where the system says so.
fn processor_secs() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos: f64 = told.split_whitespace().next()?.parse().ok()?;
    Some(nanos * 1e-9)
}

/// Largest resident memory of this process so far, in megabytes, where the system says so.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes / 1024.0)
}

/// Runs replications for about two seconds, at least two.
fn show(what: &str, simulator: &Simulator) {
    let _ = black_box(simulator.run(1, 0));
    let (begun, before) = (Instant::now(), processor_secs());
    let (mut drills, mut events) = (0, 0);
    while drills < 2 || begun.elapsed().as_secs_f64() < 2.0 {
        drills += 1;
        events += black_box(simulator.run(1, drills)).events;
    }
    let secs = match (before, processor_secs()) {
        (Some(before), Some(after)) => after - before,
        _ => begun.elapsed().as_secs_f64(),
    };
    println!(
        "{what:<44} {:>8.2} {:>10.3} {:>8.2} {:>8.0}",
        events as f64 / secs / 1e6,
        secs / drills as f64,
        events as f64 / drills as f64 / 1e6,
        peak_megabytes(),
    );
}

fn main() {
    if std::env::args().any(|argument| argument == "once") {
        let simulator = simulator("chaos-kong", "flow-dark", 1e-3, &[]);
        black_box(simulator.run(1, 0));
        return;
    }
    println!(
        "{:<44} {:>8} {:>10} {:>8} {:>8}",
        "", "M ev/s", "s each", "M events", "peak MB"
    );
    for policy in ["none", "flow-dark", "dns-only"] {
        let drill = simulator("chaos-kong", policy, 1e-3, &[]);
        show(&format!("chaos-kong {policy}, 1/1000"), &drill);
    }
    let drill = simulator("chaos-kong-industry-defaults", "dns-only", 1e-3, &[]);
    show("chaos-kong-industry-defaults, 1/1000", &drill);
    show(
        "small-saas, 1/10",
        &simulator("small-saas", "flow", 0.1, &[]),
    );
    for (name, scale) in [("retries", 1.0), ("cache", 1.0), ("mongo", 0.25)] {
        let name = format!("metastable-{name}");
        show(
            &format!("{name}, {scale}"),
            &simulator(&name, "none", scale, &[]),
        );
    }
    let large = simulator("chaos-kong", "flow-dark", 1e-2, &["horizon=20min"]);
    show("chaos-kong flow-dark, 1/100, 20 min", &large);
}
