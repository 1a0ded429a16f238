//! Connections that plain users keep: a drain follows their age and not the TTL, a dead region breaks
//! them, a proxying edge makes them not matter, and requests on them cost no handshake.

use crate::conservation::assert_balanced;
use crate::given::{outcome, over};
use darkregion::model::observation::Observation;
use darkregion::model::outcome::Outcome;
use darkregion::units::Dist;
use darkregion::world::connections::life::Life;

/// Two regions; names take effect within seconds, and connections live for minutes.
const SHOP: &str = r#"
format = 1
horizon = "12min"

[[region]]
name = "east"

[[region]]
name = "west"

[[market]]
name = "users"
near = ["east", "west"]
requests = "3000/s"

[[device]]
name = "browser"
share = 1
attempts = 1
connection = { age = { uniform = ["60s", "180s"] }, idle = "60s" }

[dns]
ttl = "5s"
propagation = "0s"

[edge]
global = true
headroom = 4.0

[balancer]

[[service]]
name = "shop"
time = "10ms"
headroom = 4.0

[variation]
demand = 0
"#;

/// The region lives, and a tenth of what it answers is an error.
const SICK: &str = "[[fault]]\nkind = \"service-degraded\"\nservice = \"shop\"\nregion = \"east\"\nerrors = 0.1\n\
                    at = \"3min\"\nfor = \"9min\"\n";
const DARK: &str =
    "[[fault]]\nkind = \"region-dark\"\nregion = \"east\"\nat = \"3min\"\nfor = \"9min\"\n";
const NOTICED: &str = "policy.detect={ sli = 'error_rate', limit = '5 %', for = '10s' }";
const THINK: &str = "device.browser.think=10s";

fn run(fault: &str, policy: &str, sets: &[&str]) -> Outcome {
    outcome(&format!("{SHOP}{fault}"), Some(policy), sets)
}

/// Share of the first attempts that enter at the first region, window by window: (its end, share).
fn entering(outcome: &Outcome) -> Vec<(f64, f64)> {
    let share = |of: fn(&Observation) -> u64| {
        let windows = outcome.windows.iter();
        windows
            .map(|w| {
                (
                    w.until.secs(),
                    of(&w.regions[0]) as f64 / of(&w.global) as f64,
                )
            })
            .collect()
    };
    share(|o| o.first_attempts)
}

/// Mean share of the first attempts that enter at the first region within so many seconds.
fn between(outcome: &Outcome, from: f64, until: f64) -> f64 {
    let seen: Vec<f64> = entering(outcome)
        .into_iter()
        .filter(|w| w.0 > from && w.0 <= until)
        .map(|w| w.1)
        .collect();
    seen.iter().sum::<f64>() / seen.len() as f64
}

fn life() -> Life {
    let age = Dist::Uniform {
        lo: 60.0,
        hi: 180.0,
    };
    Life::new(&age, 60.0, 10.0)
}

#[test]
fn a_graceful_drain_follows_the_age_of_connections() {
    let names_only = run(SICK, "dns-only", &[NOTICED]);
    let kept = run(SICK, "dns-only", &[NOTICED, THINK]);
    // When names have moved, as those show who hold no connection.
    let moved = entering(&names_only).into_iter().find(|w| w.1 < 0.01);
    let moved = moved.expect("names move").0;
    assert!((190.0..280.0).contains(&moved), "{moved}");
    assert!(between(&names_only, moved, 700.0) < 1e-3);
    // Of those who have a connection, so many keep it by the law of its residual life; a window's
    // middle counts, and names moved somewhere in the window before the first without them.
    let life = life();
    let share = |secs: f64| life.open_share() * life.beyond(secs) / life.mean_secs();
    for later in [20.0, 60.0, 100.0, 140.0] {
        let seen = between(&kept, moved + later - 0.5, moved + later + 0.5);
        let (most, least) = (share(later), share(later + 17.0));
        assert!(
            (least..=most).contains(&seen),
            "{later} s later: {seen}, not {least} to {most}"
        );
    }
    assert!(between(&kept, moved + 30.0, moved + 60.0) > 0.3);
    // The oldest is three minutes old.
    assert!(between(&kept, moved + 190.0, 720.0) < 1e-3);
}

#[test]
fn a_dead_region_breaks_connections_at_once() {
    // Load balancers refuse nobody: those who connect for every request would meet them more often.
    let local = ["edge.global=false", "balancer.limit=1000000/s"];
    let names_only = run(DARK, "dns-only", &local);
    let kept = run(DARK, "dns-only", &[local[0], local[1], THINK]);
    for (from, until) in [
        (180.0, 200.0),
        (200.0, 240.0),
        (240.0, 300.0),
        (300.0, 720.0),
    ] {
        let (a, b) = (
            between(&names_only, from, until),
            between(&kept, from, until),
        );
        assert!((a - b).abs() < 0.05, "{from} to {until}: {a} and {b}");
    }
    let lost = |o: &Outcome| over(o, 180.0, 720.0).unreachable as f64;
    let factor = lost(&kept) / lost(&names_only);
    assert!((0.9..1.1).contains(&factor), "{factor}");
}

#[test]
fn a_proxying_edge_makes_them_not_matter() {
    let served = |sets: &[&str], from: f64| -> f64 {
        let sets = [&[NOTICED], sets].concat();
        let outcome = run(SICK, "edge-proxy", &sets);
        let windows = outcome.windows.iter().filter(|w| w.from.secs() >= from);
        let (there, all) = windows.fold((0, 0), |sum, w| {
            (
                sum.0 + w.regions[1].answered_ok,
                sum.1 + w.global.answered_ok,
            )
        });
        there as f64 / all as f64
    };
    for from in [200.0, 240.0, 300.0] {
        let (names_only, kept) = (served(&[], from), served(&[THINK], from));
        assert!(
            (names_only - kept).abs() < 0.01,
            "{from}: {names_only} and {kept}"
        );
    }
}

#[test]
fn requests_on_a_connection_cost_no_handshake() {
    let calm = |sets: &[&str]| {
        let seen = over(&run("", "none", sets), 60.0, 720.0);
        (seen.connections / 660.0, seen.busy_slot_secs / 660.0)
    };
    let costly = "edge.handshake=100ms";
    let ((all, all_busy), (few, few_busy)) = (calm(&[costly]), calm(&[costly, THINK]));
    assert!((all / 3000.0 - 1.0).abs() < 0.01, "{all}");
    let opened = 3000.0 * life().opening_share();
    assert!((few / opened - 1.0).abs() < 0.03, "{few}, not {opened}");
    let saved = 0.1 * (3000.0 - opened);
    assert!(
        ((all_busy - few_busy) / saved - 1.0).abs() < 0.03,
        "{all_busy} {few_busy}"
    );
}

#[test]
fn who_fails_tries_again_on_the_same_connection() {
    let sets = ["device.browser.attempts=3", THINK];
    let sick = run(SICK, "none", &sets);
    assert_balanced(&sick, "tries again");
    assert!(sick.ledger.retries > 10_000, "{}", sick.ledger.retries);
    let opened = over(&sick, 180.0, 720.0).connections / 540.0;
    let usual = over(&sick, 60.0, 180.0).connections / 120.0;
    assert!(
        (opened / usual - 1.0).abs() < 0.05,
        "{opened}, usually {usual}"
    );
}
