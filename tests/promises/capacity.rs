//! Zones and instances die and are found out, autoscaling replaces them and follows the load, and
//! launches take their time.

use crate::given::{assert_same_windows, outcome, over};
use darkregion::model::observation::Observation;
use darkregion::model::outcome::Outcome;

/// One region of three zones; a request has one attempt, so that what dies shows, and the pool is so
/// large that chance alone overfills none.
const ZONES: &str = r#"
format = 1
horizon = "20min"

[[region]]
name = "east"
zones = 3

[[market]]
name = "viewers"
near = ["east"]
starts = "4000/s"

[[device]]
name = "plain"
share = 1
attempts = 1

[edge]
global = true
headroom = 4.0

[[service]]
name = "play"
slots = 1
time = "50ms"
headroom = 1.0
health = { interval = "10s", threshold = 3 }

[[request]]
name = "start"
to = "play"
start = 1
"#;

const LOSS: &str = "[[fault]]\nkind = \"zone-loss\"\nregion = \"east\"\nzone = 2\nat = \"5min\"\nfor = \"14min\"\n";
const KILL: &str = "[[fault]]\nkind = \"instance-kill\"\nregion = \"east\"\nservice = \"play\"\n\
                    count = 60\nat = \"310s\"\n";
const SURGE: &str =
    "[[fault]]\nkind = \"demand-surge\"\nfactor = 2.6\nat = \"5min\"\nfor = \"14min\"\n";
const BLOCKED: &str = "[[fault]]\nkind = \"launches-blocked\"\nat = \"4min\"\nfor = \"6min\"\n";
const SCALING: &str = "service.play.scaling={ delay = '60s', interval = '60s' }";

fn run(faults: &[&str], sets: &[&str]) -> Outcome {
    outcome(&format!("{ZONES}{}", faults.concat()), Some("none"), sets)
}

/// Share of the starts that fail within `[from, until]`, in seconds.
fn failing(outcome: &Outcome, from: f64, until: f64) -> f64 {
    let seen: Observation = over(outcome, from, until);
    seen.starts_failed as f64 / (seen.starts_ok + seen.starts_failed).max(1) as f64
}

fn said(outcome: &Outcome, what: &str) -> Vec<f64> {
    let says = outcome.log.iter().filter(|entry| entry.what.contains(what));
    says.map(|entry| entry.at.secs()).collect()
}

#[test]
fn a_lost_zone_fails_its_share_until_health_checks_eject_it() {
    let lost = run(&[LOSS], &[]);
    // All are found out between two and three intervals after the loss.
    let share = failing(&lost, 300.0, 320.0);
    assert!((share - 1.0 / 3.0).abs() < 0.03, "{share}");
    assert_eq!(over(&lost, 340.0, 1100.0).starts_failed, 0);
    // Checks that are slower find out later.
    let slow = run(&[LOSS], &["service.play.health.interval=30s"]);
    let share = failing(&slow, 320.0, 360.0);
    assert!((share - 1.0 / 3.0).abs() < 0.03, "{share}");
    assert_eq!(over(&slow, 400.0, 1100.0).starts_failed, 0);
}

#[test]
fn the_killed_are_replaced_by_scaling_and_by_nothing_else() {
    let alone = run(&[KILL], &[]);
    assert!(alone.marks.lost_instances);
    assert_eq!(alone.marks.redundant, None);
    let scaled = run(&[KILL], &[SCALING]);
    let redundant = scaled.marks.redundant.expect("replaced").secs();
    // Asked for at the next evaluation, and then they boot.
    assert!((400.0..900.0).contains(&redundant), "{redundant}");
    for found in [&alone, &scaled] {
        assert!(failing(found, 310.0, 330.0) > 0.1);
        assert_eq!(over(found, 350.0, 1200.0).starts_failed, 0);
    }
}

#[test]
fn a_scaler_meets_a_surge_after_its_delay() {
    let (fixed, scaled) = (run(&[SURGE], &[]), run(&[SURGE], &[SCALING]));
    assert!(failing(&fixed, 900.0, 1100.0) > 0.1);
    assert_eq!(failing(&scaled, 900.0, 1100.0), 0.0);
    assert!(failing(&scaled, 310.0, 360.0) > 0.1);
    // It sees nothing before its metric is as old as the surge.
    let grown = said(&scaled, "launched")[0];
    assert!((360.0..=480.0).contains(&grown), "{grown}");
}

#[test]
fn blocked_launches_hold_a_scaler_up() {
    let free = run(&[SURGE], &[SCALING]);
    let blocked = run(&[SURGE, BLOCKED], &[SCALING]);
    assert!(failing(&free, 560.0, 600.0) < 0.01);
    assert!(failing(&blocked, 560.0, 600.0) > 0.1);
    // They go on once the provider launches again.
    assert_eq!(failing(&blocked, 1000.0, 1100.0), 0.0);
}

#[test]
fn an_idle_scaler_changes_nothing_that_viewers_see() {
    let (without, with) = (run(&[], &[]), run(&[], &[SCALING]));
    assert!(said(&with, "launched").is_empty() && said(&with, "taken out").is_empty());
    let (a, b) = (over(&without, 0.0, 1200.0), over(&with, 0.0, 1200.0));
    assert_eq!(
        (a.starts_ok, a.starts_failed, a.answered_error),
        (b.starts_ok, b.starts_failed, b.answered_error)
    );
    assert_same_windows(&without.windows, &with.windows, "an idle scaler");
}

#[test]
fn more_headroom_fails_no_more() {
    let failed = |headroom: f64| {
        let set = format!("service.play.headroom={headroom:.1}");
        run(&[LOSS], &[&set]).ledger.starts_failed
    };
    let all: Vec<u64> = [0.2, 0.4, 0.6, 0.8, 1.0].map(failed).to_vec();
    assert!(all[0] > all[4], "{all:?}");
    // Where the zones carry the load, what is left is the share of the dead: a zone of another size, and
    // phases of health checks that are drawn for it, move it by a thousandth.
    let fewer = all
        .windows(2)
        .all(|two| two[1] as f64 <= 1.005 * two[0] as f64);
    assert!(fewer, "{all:?}");
}

#[test]
fn what_traffic_has_left_is_scaled_in() {
    let short = SURGE.replace("14min", "5min");
    let sets = &[
        "horizon=40min",
        "service.play.scaling.cooldown_in=60s",
        SCALING,
    ];
    let shrunk = run(&[&short], &[sets[0], sets[2], sets[1]]);
    let taken = said(&shrunk, "taken out");
    assert!(taken.first().is_some_and(|&at| at >= 600.0), "{taken:?}");
    assert_eq!(over(&shrunk, 1500.0, 2400.0).starts_failed, 0);
    let kept = run(
        &[&short],
        &[sets[0], sets[2], "service.play.scaling.in=false"],
    );
    assert!(said(&kept, "taken out").is_empty());
}
