//! How fast the bare engine is: `cargo bench --bench engine`.
//!
//! Clock, queue and addressed streams without a model around them, on two loops of any book: M/M/c
//! (ten servers at load 0.8) with some ten events waiting, and PHOLD with 16,384. Beside them, in the
//! same run, bare loops without addresses, and M/M/c as a scenario through the whole simulator: ratios
//! hold where absolute figures drift.
//!
//! `cargo bench --bench engine -- once mmc 1000000` (or `phold`) runs the engine once, or what is named
//! in a further argument (`simulator`: `mmc` as a scenario), and prints events, seconds and the model's mean; for `benches/peers/run`,
//! `benches/instructions` and profilers.

// A bench measures the wall clock; nothing that it measures reads it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads the wall clock"
)]

mod luck;
mod queues;
mod scenario;
mod workloads;

use darkregion::engine::queue::Queue;
use luck::{Addressed, InOrder, Inversion, PerEntity, Ziggurat};
use queues::{FourAry, Packed, Structs, Wheel};
use std::hint::black_box;
use std::time::Instant;
use workloads::{Done, mmc, phold};

const CUSTOMERS: u64 = 1_000_000;
const MESSAGES: u64 = 5_000_000;
const ROUNDS: usize = 7;

/// What Erlang's formula says of the wait, and what a message takes.
const MEAN_WAIT: f64 = 0.204_6;
const MEAN_DELAY: f64 = 1.1;

/// One way to run both loops.
struct Way {
    name: &'static str,
    mmc: fn(u64) -> Done,
    phold: fn(u64) -> Done,
}

/// The first is what the others are compared with.
fn ways() -> Vec<Way> {
    vec![
        Way {
            name: "packed heap, ChaCha8",
            mmc: |n| mmc(Packed::default(), InOrder::new(), n),
            phold: |n| phold(Packed::default(), InOrder::new(), n),
        },
        Way {
            name: "heap of structs, ChaCha8",
            mmc: |n| mmc(Structs::default(), InOrder::new(), n),
            phold: |n| phold(Structs::default(), InOrder::new(), n),
        },
        Way {
            name: "4-ary heap, ChaCha8",
            mmc: |n| mmc(FourAry::default(), InOrder::new(), n),
            phold: |n| phold(FourAry::default(), InOrder::new(), n),
        },
        Way {
            name: "wheel tuned by hand, ChaCha8",
            // 2^27 ns and 2^19 ns: about one and about eight events to a bucket.
            mmc: |n| mmc(Wheel::new(1 << 9, 27), InOrder::new(), n),
            phold: |n| phold(Wheel::new(1 << 16, 19), InOrder::new(), n),
        },
        Way {
            name: "the engine's queue, ChaCha8",
            mmc: |n| mmc(Queue::new(), InOrder::new(), n),
            phold: |n| phold(Queue::new(), InOrder::new(), n),
        },
        Way {
            name: "packed heap, addressed draws",
            mmc: |n| mmc(Packed::default(), Addressed::<Ziggurat>::new(), n),
            phold: |n| phold(Packed::default(), Addressed::<Ziggurat>::new(), n),
        },
        Way {
            name: "engine",
            mmc: |n| mmc(Queue::new(), Addressed::<Ziggurat>::new(), n),
            phold: |n| phold(Queue::new(), Addressed::<Ziggurat>::new(), n),
        },
        Way {
            name: "engine, one address per entity",
            mmc: |n| mmc(Queue::new(), PerEntity::new(), n),
            phold: |n| phold(Queue::new(), PerEntity::new(), n),
        },
        Way {
            name: "engine, exponential by logarithm",
            mmc: |n| mmc(Queue::new(), Addressed::<Inversion>::new(), n),
            phold: |n| phold(Queue::new(), Addressed::<Inversion>::new(), n),
        },
    ]
}

/// Seconds of processor time of this thread, where the system tells: other programs do not count.
fn processor_secs() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanos * 1e-9)
}

/// Runs a loop: what it did, and the seconds it took.
fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let (begun, processor) = (Instant::now(), processor_secs());
    let done = black_box(run());
    let elapsed = begun.elapsed().as_secs_f64();
    let spent = processor.zip(processor_secs()).map(|(from, to)| to - from);
    (done, spent.unwrap_or(elapsed))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A loop that simulates something else is not to be compared.
fn check(name: &str, done: Done, mean: f64) {
    let off = done.mean_secs / mean - 1.0;
    assert!(off.abs() < 0.05, "{name}: mean {} s", done.mean_secs);
}

fn table() {
    let ways = ways();
    // Per way: events per second of each round.
    let mut rates = vec![[vec![], vec![]]; ways.len()];
    let simulator = scenario::simulator();
    check("simulator", scenario::recorded(&simulator), MEAN_WAIT);
    let mut simulated = vec![];
    for _ in 0..ROUNDS {
        for (way, rates) in ways.iter().zip(&mut rates) {
            let (done, secs) = timed(|| (way.mmc)(CUSTOMERS));
            check(way.name, done, MEAN_WAIT);
            rates[0].push(done.events as f64 / secs);
            let (done, secs) = timed(|| (way.phold)(MESSAGES));
            check(way.name, done, MEAN_DELAY);
            rates[1].push(done.events as f64 / secs);
        }
        let (events, secs) = timed(|| scenario::run(&simulator));
        simulated.push(events as f64 / secs);
    }
    println!(
        "million events per processor-second, and of the packed heap's, medians of {ROUNDS} rounds"
    );
    println!("{:<34} {:>13} {:>15}", "", "M/M/c", "PHOLD");
    let reference = rates[0].clone();
    for (way, rates) in ways.iter().zip(rates) {
        let [mmc, phold] = [0, 1].map(|workload| compared(&rates[workload], &reference[workload]));
        println!(
            "{:<34} {:>6.1} {:>6.2} {:>8.1} {:>6.2}",
            way.name, mmc.0, mmc.1, phold.0, phold.1
        );
    }
    let (rate, ratio) = compared(&simulated, &reference[0]);
    println!(
        "{:<34} {rate:>6.2} {ratio:>6.3} {:>8} {:>6}",
        "simulator, M/M/c as a scenario", "-", "-"
    );
}

/// Median million events per second, and median of the ratio to the reference in the same round.
fn compared(rates: &[f64], reference: &[f64]) -> (f64, f64) {
    let pairs = rates.iter().zip(reference);
    let ratio = median(pairs.map(|(rate, reference)| rate / reference).collect());
    (median(rates.to_vec()) / 1e6, ratio)
}

fn once(workload: &str, size: u64, name: &str) {
    if (workload, name) == ("mmc", "simulator") {
        let simulator = scenario::simulator();
        let (events, secs) = timed(|| scenario::run(&simulator));
        println!("{events} {secs}");
        return;
    }
    let ways = ways();
    let way = ways.iter().find(|way| way.name == name);
    let way = way.unwrap_or_else(|| panic!("nothing named {name}"));
    let run = match workload {
        "mmc" => way.mmc,
        "phold" => way.phold,
        other => panic!("no workload named {other}: mmc, phold"),
    };
    let (done, secs) = timed(|| run(size));
    println!("{} {secs} {}", done.events, done.mean_secs);
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["once", workload, size] | ["once", workload, size, "--bench"] => {
            once(workload, size.parse().expect("a size"), "engine");
        }
        ["once", workload, size, name, ..] => {
            once(workload, size.parse().expect("a size"), name);
        }
        _ => table(),
    }
}
