//! Zones with weights: load goes by weight, each zone is a pool of its own, and equal ones are what
//! zones without weights are.

use crate::given::{PARTS, assert_same_windows, outcome, over};
use darkregion::model::outcome::Outcome;

/// One region; a request has one attempt, so that what dies shows, in pools so large that chance alone
/// overfills none.
const ONE: &str = r#"
format = 1
horizon = "15min"

[[region]]
name = "east"
zones = 3

[[market]]
name = "viewers"
starts = "4000/s"

[[device]]
name = "single"
share = 1
attempts = 1

[edge]
global = true
headroom = 4.0

[[service]]
name = "play"
slots = 1
time = { exponential = "50ms" }
headroom = 1.0
health = { interval = "10s", threshold = 3 }

[[request]]
name = "start"
to = "play"
start = 1

[ambient]
start_failure = 0
request_failure = 0
"#;

const LOSS: &str =
    "[[fault]]\nkind = \"zone-loss\"\nregion = \"east\"\nzone = 1\nat = \"5min\"\nfor = \"5min\"\n";

fn run(faults: &str, sets: &[&str]) -> Outcome {
    outcome(&format!("{ONE}{faults}"), Some("none"), sets)
}

fn failing(outcome: &Outcome, from: f64, until: f64) -> f64 {
    let seen = over(outcome, from, until);
    seen.starts_failed as f64 / (seen.starts_ok + seen.starts_failed).max(1) as f64
}

#[test]
fn equal_weights_are_no_weights_bit_for_bit() {
    let sets = [
        "region.*.zone_weights=[7,7,7]",
        "region.birch.zone_weights=[2,2]",
    ];
    let (with, without) = (
        outcome(PARTS, Some("flow"), &sets),
        outcome(PARTS, Some("flow"), &[]),
    );
    assert_same_windows(&with.windows, &without.windows, "equal weights");
    assert_eq!(with.ledger, without.ledger);
    let uneven = outcome(PARTS, Some("flow"), &["region.ash.zone_weights=[7,2,1]"]);
    assert_ne!(
        uneven.windows[5].global, without.windows[5].global,
        "others matter"
    );
}

#[test]
fn a_lost_zone_fails_its_weight_until_health_checks_find_out() {
    // The first window after the loss ends before any instance has failed three checks.
    for (weights, share) in [("[5,3,2]", 0.5), ("[1,3,6]", 0.1), ("[1,1,1]", 1.0 / 3.0)] {
        let lost = run(LOSS, &[&format!("region.east.zone_weights={weights}")]);
        let at_once = failing(&lost, 300.0, 320.0);
        assert!((at_once - share).abs() < 0.01, "{weights}: {at_once}");
        assert_eq!(failing(&lost, 0.0, 300.0), 0.0);
    }
    let heavy = run(LOSS, &["region.east.zone_weights=[6,3,1]"]);
    // Twice the load is in service; 0.4 of that carries 0.8 of the load.
    let crowded = failing(&heavy, 420.0, 600.0);
    assert!(
        (crowded - 0.2).abs() < 0.01,
        "the others have all of it: {crowded}"
    );
    let light = run(LOSS, &["region.east.zone_weights=[1,3,6]"]);
    assert_eq!(failing(&light, 420.0, 600.0), 0.0);
}

#[test]
fn uneven_zones_are_never_better_than_even_ones() {
    // 220 slots for 200 busy ones, without a queue: each zone refuses by its own Erlang loss.
    let refused = |weights: &str| {
        let sets = [
            "service.play.instances=220",
            "service.play.queue=0",
            &format!("region.east.zone_weights={weights}"),
        ];
        failing(&run("", &sets), 0.0, 900.0)
    };
    let erlang_b = |slots: u32, offered: f64| {
        (1..=slots).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b))
    };
    let rows = [
        ("[1,1,1]", erlang_b(73, 200.0 / 3.0)),
        (
            "[4,4,3]",
            8.0 / 11.0 * erlang_b(80, 800.0 / 11.0) + 3.0 / 11.0 * erlang_b(60, 600.0 / 11.0),
        ),
        (
            "[8,2,1]",
            8.0 / 11.0 * erlang_b(160, 1600.0 / 11.0)
                + 2.0 / 11.0 * erlang_b(40, 400.0 / 11.0)
                + erlang_b(20, 200.0 / 11.0) / 11.0,
        ),
    ];
    let seen: Vec<f64> = rows.iter().map(|row| refused(row.0)).collect();
    for ((weights, law), seen) in rows.iter().zip(&seen) {
        assert!(
            (seen / law - 1.0).abs() < 0.05,
            "{weights}: {seen}, not {law}"
        );
    }
}
