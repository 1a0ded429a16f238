//! Workers have a backlog instead of callers.

use crate::given::{outcome, over, scenario};
use darkregion::model::outcome::Outcome;
use darkregion::model::work::WorkOutcome;
use darkregion::simulate::Simulator;

/// Two regions, all traffic at home in the first; it may go dark.
const PAIR: &str = r#"
format = 1
horizon = "40min"

[[region]]
name = "ash"

[[region]]
name = "birch"

[[link]]
between = ["ash", "birch"]
rtt = "60ms"

[[market]]
name = "north"
near = ["ash", "birch"]
requests = "200/s"

[[service]]
name = "api"
slots = 4
headroom = 2

[[service]]
name = "mailer"
slots = 1
time = "100ms"
worker = { from = ["ask"], each = 2 }

[[request]]
name = "ask"
to = "api"
start = 1

[variation]
demand = 0

[[fault]]
kind = "region-dark"
region = "ash"
at = "10min"
for = "10min"

"#;

fn run(sets: &[&str]) -> Outcome {
    outcome(PAIR, None, sets)
}

fn said(outcome: &Outcome, what: &str) -> usize {
    outcome.log.iter().filter(|e| e.what.contains(what)).count()
}

fn work(outcome: &Outcome) -> &WorkOutcome {
    let work = &outcome.work[0];
    let all = work.done + work.waiting + work.lost;
    assert!((work.arrived - all).abs() < 1e-6 * work.arrived, "{work:?}");
    work
}

/// The largest age of the backlog in windows that end in a span of seconds.
fn age(outcome: &Outcome, from: f64, until: f64) -> f64 {
    over(outcome, from, until).work[0].age_secs
}

#[test]
fn a_worker_is_sized_for_its_mean_work_and_keeps_up() {
    let calm = run(&["fault[0].remove=true"]);
    // Two items for each of 200 requests a second, 100 ms each: 40 slots busy, 60 with headroom.
    assert!((work(&calm).arrived / 2400.0 / 400.0 - 1.0).abs() < 0.01);
    let plan = Simulator::new(&scenario(PAIR, None, &[]));
    let facts = plan.facts().deployment.join("\n");
    assert!(facts.contains("60"), "{facts}");
    assert_eq!(said(&calm, "falls behind"), 0);
    assert!(age(&calm, 0.0, 2400.0) < 2.0);
    // What it keeps busy counts.
    let busy = over(&calm, 0.0, 2400.0).busy_slot_secs;
    let idle = over(
        &run(&["fault[0].remove=true", "service.mailer.worker.each=0.001"]),
        0.0,
        2400.0,
    );
    assert!((busy - idle.busy_slot_secs - 40.0 * 2400.0).abs() < 0.01 * 40.0 * 2400.0);
}

#[test]
fn too_few_instances_fall_behind_and_spare_capacity_catches_up() {
    // 400 items a second against 300: every second adds a quarter of a second.
    let slow = run(&["fault[0].remove=true", "service.mailer.instances=30"]);
    assert!((age(&slow, 1190.0, 1200.0) / 300.0 - 1.0).abs() < 0.02);
    assert_eq!(said(&slow, "mailer falls behind"), 1);
    assert_eq!(said(&slow, "mailer has caught up"), 0);
    assert!((work(&slow).waiting / (100.0 * 2400.0) - 1.0).abs() < 0.02);
    // Nobody waits for it.
    let bad = |o: &Outcome| {
        let seen = over(o, 0.0, 2400.0);
        seen.answered_error + seen.unreachable
    };
    assert_eq!(bad(&slow), bad(&run(&["fault[0].remove=true"])));
}

#[test]
fn the_backlog_of_a_dark_region_waits_or_is_lost() {
    let rate = ["service.mailer.worker={ rate = '400/s' }", "horizon=60min"];
    let waits = run(&rate);
    assert!(age(&waits, 1190.0, 1200.0) > 590.0);
    assert_eq!(said(&waits, "mailer falls behind"), 1, "{:#?}", waits.log);
    assert_eq!(said(&waits, "mailer has caught up"), 1, "{:#?}", waits.log);
    assert_eq!(work(&waits).lost, 0.0);
    assert!(work(&waits).waiting < 10.0);
    // Half as much again as the mean is there: it takes twice as long as it was dark.
    assert!(age(&waits, 1900.0, 2000.0) > 10.0);
    let lost = run(&["service.mailer.worker={ rate = '400/s', on_dark = 'lost' }"]);
    assert_eq!(said(&lost, "the backlog of mailer is lost"), 1);
    assert!((work(&lost).lost / (400.0 * 600.0) - 1.0).abs() < 0.02);
}
