//! What must not get better when something gets worse, replication by replication under the same
//! luck, where that is a theorem, and in the mean where only that is one. What is merely plausible
//! (faster failover is better, more retries help) is not claimed: it is not true in general.

use crate::given::{drill, outcome, over, scenario};
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;

/// Ample capacity everywhere, warm caches, single attempts: nothing but routing decides.
const AMPLE: [&str; 4] = [
    "service.*.headroom=4",
    "edge.headroom=4",
    "device.*.attempts=1",
    "edge.global=false",
];

fn total(policy: &str, sets: &[&str], of: fn(&Outcome) -> f64) -> Vec<f64> {
    let sets: Vec<&str> = AMPLE.iter().chain(sets).copied().collect();
    let simulator = Simulator::new(&scenario(&drill(), Some(policy), &sets));
    (0..6).map(|r| of(&simulator.run(9, r))).collect()
}

/// Requests that nobody answered: with a dark region alone, those that were sent there.
fn lost(outcome: &Outcome) -> f64 {
    over(outcome, 0.0, 720.0).unreachable as f64
}

fn rebuffered(outcome: &Outcome) -> f64 {
    over(outcome, 0.0, 720.0).rebuffered
}

/// Each value's mean is at least that of the one before, up to counting noise of single runs.
fn grows(what: &str, rows: &[Vec<f64>], noise: f64, by: f64) {
    for pair in rows.windows(2) {
        let worse = pair[0]
            .iter()
            .zip(&pair[1])
            .filter(|(a, b)| **b < **a * (1.0 - noise));
        assert_eq!(worse.count(), 0, "{what}: {rows:?}");
    }
    let mean = |row: &Vec<f64>| row.iter().sum::<f64>() / row.len() as f64;
    let (first, last) = (mean(&rows[0]), mean(&rows[rows.len() - 1]));
    assert!(last > first * by, "{what} matters: {first} to {last}");
}

#[test]
fn a_longer_ttl_sends_no_fewer_requests_to_the_dark_region() {
    let with = |ttl| total("dns-only", &[ttl], lost);
    let rows = ["dns.ttl=5s", "dns.ttl=30s", "dns.ttl=120s"].map(with);
    grows("ttl", &rows, 0.01, 1.1);
}

#[test]
fn a_slower_propagation_sends_no_fewer_requests_to_the_dark_region() {
    let with = |propagation| total("dns-only", &[propagation], lost);
    let rows = [
        "dns.propagation=1s",
        "dns.propagation=20s",
        "dns.propagation=60s",
    ]
    .map(with);
    grows("propagation", &rows, 0.01, 1.1);
}

#[test]
fn a_later_detection_sends_no_fewer_requests_to_the_dark_region() {
    let with = |threshold| total("dns-only", &[threshold], lost);
    let rows = [
        "control.threshold=1",
        "control.threshold=3",
        "control.threshold=8",
    ]
    .map(with);
    grows("threshold", &rows, 0.01, 1.1);
}

#[test]
fn more_failed_checks_are_a_later_detection() {
    let detect = |o: &Outcome| o.marks.detect.expect("it is detected").secs();
    let with = |threshold| total("dns-only", &[threshold], detect);
    let rows = [
        "control.threshold=1",
        "control.threshold=3",
        "control.threshold=8",
    ]
    .map(with);
    grows("detection", &rows, 0.0, 1.01);
}

#[test]
fn more_observers_for_the_same_vote_are_no_later() {
    let detect = |o: &Outcome| o.marks.detect.expect("it is detected").secs();
    let with = |observers: &str| total("dns-only", &[observers, "control.agree=2"], detect);
    let (few, many) = (with("control.observers=2"), with("control.observers=9"));
    assert!(
        few.iter().zip(&many).all(|(few, many)| many <= few),
        "{few:?} {many:?}"
    );
    assert_ne!(few, many);
}

#[test]
fn a_larger_buffer_is_no_more_rebuffering() {
    let with = |buffer: &&str| total("none", &[*buffer], rebuffered);
    let rows: Vec<Vec<f64>> = [
        "session.buffer=400s",
        "session.buffer=90s",
        "session.buffer=30s",
        "session.buffer=5s",
    ]
    .iter()
    .map(with)
    .collect();
    let mean = |row: &Vec<f64>| row.iter().sum::<f64>() / row.len() as f64;
    let means: Vec<f64> = rows.iter().map(mean).collect();
    assert!(
        means.windows(2).all(|pair| pair[1] >= pair[0] * 0.99),
        "{means:?}"
    );
    assert!(means[3] > means[0] * 1.1, "{means:?}");
}

#[test]
fn a_buffer_that_outlasts_the_fault_and_quick_failover_never_run_dry() {
    let sets = [
        "service.*.headroom=4",
        "edge.headroom=4",
        "session.buffer=20min",
        // Who looks for a title waits for its answer, whatever the buffer.
        "request.look.rate=0/s",
    ];
    let outcome = outcome(&drill(), Some("flow"), &sets);
    assert_eq!(over(&outcome, 0.0, 720.0).rebuffered, 0.0);
}

#[test]
fn more_capacity_serves_no_fewer_starts() {
    let ok = |sets: &[&str]| {
        let simulator = Simulator::new(&scenario(&drill(), Some("edge-proxy"), sets));
        let starts = |r| over(&simulator.run(9, r), 180.0, 420.0).starts_ok as f64;
        (0..4).map(starts).sum::<f64>()
    };
    // No retries of clients: work is not multiplied, so what is served is what there is room for.
    let at = |headroom: f64| {
        let headroom = format!("service.*.headroom={headroom}");
        ok(&[&headroom, "device.*.attempts=1", "edge.headroom=3"])
    };
    let served: Vec<f64> = [0.0, 0.2, 0.4, 0.6, 1.0].into_iter().map(at).collect();
    assert!(
        served.windows(2).all(|pair| pair[1] >= pair[0] * 0.998),
        "{served:?}"
    );
    assert!(served[4] > served[0] * 1.05, "{served:?}");
}
