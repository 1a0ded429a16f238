//! Links carry so much and no more; workers have a backlog instead of callers.

use crate::given::{assert_same_windows, outcome, over, scenario};
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

/// Three regions; all traffic enters at the first, whose services are dark from minute 5 to 10, so that
/// its edge sends 400 requests of 10 kB a second on to the others.
const TRIO: &str = r#"
format = 1
horizon = "15min"

[[region]]
name = "ash"

[[region]]
name = "birch"

[[region]]
name = "cedar"

[[link]]
between = ["ash", "birch"]
rtt = "60ms"

[[link]]
between = ["ash", "cedar"]
rtt = "80ms"

[[link]]
between = ["birch", "cedar"]
rtt = "70ms"

[[market]]
name = "north"
near = ["ash", "birch", "cedar"]
requests = "400/s"

[edge]
global = true
bytes = "10 kB"

[[service]]
name = "api"
slots = 4
headroom = 2
instances = 60

[[request]]
name = "ask"
start = 1
to = "api"

[[device]]
name = "plain"
share = 1
attempts = 1

[variation]
demand = 0

[[fault]]
kind = "region-dark"
region = "ash"
at = "5min"
for = "5min"

[policy]
use = "edge-proxy"
spread = "nearest"

"#;

fn trio(more: &str, sets: &[&str]) -> Outcome {
    outcome(&format!("{TRIO}{more}"), None, sets)
}

/// Share of answers that are errors once the routes are known everywhere, until the region is back.
fn errors(outcome: &Outcome) -> f64 {
    let seen = over(outcome, 450.0, 600.0);
    seen.answered_error as f64 / (seen.answered_ok + seen.answered_error) as f64
}

const NO_RETRY: &str = "policy.edge_retry=false";

#[test]
fn what_a_link_does_not_carry_fails_at_the_edge() {
    // 4 MB/s asked of 3: a quarter fails.
    let tight = trio("", &[NO_RETRY, "link[0].capacity='3 MB/s'"]);
    assert!((errors(&tight) - 0.25).abs() < 0.01, "{}", errors(&tight));
    let blamed = |r: usize| -> u64 {
        let windows = tight
            .windows
            .iter()
            .filter(|w| w.from.secs() >= 450.0 && w.until.secs() <= 600.0);
        windows.map(|w| w.regions[r].answered_error).sum()
    };
    assert!(blamed(0) > 1000 && blamed(1) == 0);
    assert_eq!(
        said(&tight, "between ash and birch is full"),
        1,
        "{:#?}",
        tight.log
    );
    let back = ["policy.failback='automatic'", "horizon='60min'"];
    let back = trio("", &[&back[..], &["link[0].capacity='3 MB/s'"]].concat());
    assert_eq!(said(&back, "between ash and birch can carry all again"), 1);
    // What is lost does not reach the other region, nor is it paid for.
    let wide = trio("", &[NO_RETRY]);
    let busy = |o: &Outcome| over(o, 450.0, 600.0).busy_slot_secs;
    assert!(busy(&tight) < 0.9 * busy(&wide));
    assert!(tight.usage.proxied_requests < 0.85 * wide.usage.proxied_requests);
}

#[test]
fn below_its_capacity_a_link_changes_nothing() {
    let (wide, limited) = (trio("", &[]), trio("", &["link[0].capacity='4.5 MB/s'"]));
    assert_same_windows(
        &wide.windows,
        &limited.windows,
        "a link that is wide enough",
    );
    assert_eq!(wide.digest, limited.digest);
    let unlimited = trio("", &["link[0].capacity=inf"]);
    assert_eq!(wide.digest, unlimited.digest);
}

#[test]
fn what_a_link_loses_is_tried_over_another() {
    let sets = ["link[0].capacity='3 MB/s'", "policy.edge_retry_budget=1"];
    let retried = trio("", &sets);
    assert!(errors(&retried) < 0.02, "{}", errors(&retried));
    // The other link fills in turn.
    let both = trio("", &[&sets[..], &["link[1].capacity='0.5 MB/s'"]].concat());
    assert!((errors(&both) - 0.125).abs() < 0.02, "{}", errors(&both));
    assert_eq!(said(&both, "between ash and cedar is full"), 1);
}

/// A service that only birch has: every request calls it from ash, 800 kB/s.
const LEDGER: &str = r#"
[[service]]
name = "ledger"
regions = ["birch"]
bytes = "2 kB"
time = "5ms"
"#;

#[test]
fn calls_between_regions_share_the_link() {
    let calls = "service.api.calls=[{ to = 'ledger', critical = true }]";
    let calm = ["fault[0].remove=true", NO_RETRY, calls];
    let share = |o: &Outcome| {
        let seen = over(o, 60.0, 900.0);
        seen.answered_error as f64 / (seen.answered_ok + seen.answered_error) as f64
    };
    let wide = trio(LEDGER, &calm);
    assert!(share(&wide) < 1e-3);
    let tight = trio(
        LEDGER,
        &[&calm[..], &["link[0].capacity='400 kB/s'"]].concat(),
    );
    assert!((share(&tight) - 0.5).abs() < 0.02, "{}", share(&tight));
    // They are paid for as they pass.
    assert!((wide.usage.moved_bytes / (400.0 * 2e3 * 900.0) - 1.0).abs() < 0.02);
    assert!((tight.usage.moved_bytes / (400e3 * 900.0) - 1.0).abs() < 0.02);
    let light = trio(LEDGER, &[&calm[..], &["service.ledger.bytes=0"]].concat());
    assert_eq!(light.usage.moved_bytes, 0.0);
}

/// Every request writes a kilobyte, in birch while ash is dark.
const ORDERS: &str = r#"
[[domain]]
name = "orders"
written_by = ["ask"]
store = { mode = "asynchronous", lag = "100ms", bytes = "1 kB", replicas = ["ash", "birch"] }
"#;

#[test]
fn replication_gets_what_requests_leave() {
    // In calm times, 400 kB/s of writes pass from ash to birch.
    let calm = ["fault[0].remove=true"];
    let wide = trio(
        ORDERS,
        &[&calm[..], &["link[0].capacity='1 MB/s'"]].concat(),
    );
    assert!(wide.domains[0].exposure_secs < 1.0, "{:?}", wide.domains[0]);
    assert!((wide.usage.moved_bytes / (400.0 * 1e3 * 900.0) - 1.0).abs() < 0.02);
    // Three quarters of them: every second adds a quarter of a second.
    let tight = trio(
        ORDERS,
        &[&calm[..], &["link[0].capacity='300 kB/s'"]].concat(),
    );
    let behind = tight.domains[0].exposure_secs;
    assert!((behind / 225.0 - 1.0).abs() < 0.05, "{behind}");
    assert_eq!(said(&tight, "between ash and birch is full"), 1);
    // Nothing but replication is slowed.
    let seen = over(&tight, 0.0, 900.0);
    assert_eq!(seen.answered_error, 0);
    // What a loss takes with it grows with what did not pass before.
    let lost = trio(ORDERS, &["link[0].capacity='300 kB/s'"]);
    assert!(
        (lost.domains[0].rpo_secs / 75.0 - 1.0).abs() < 0.1,
        "{:?}",
        lost.domains[0]
    );
    // Calls first: they leave 200 kB/s of a megabyte.
    let calls = [
        "service.api.calls=[{ to = 'ledger' }]",
        "link[0].capacity='1 MB/s'",
    ];
    let both = trio(
        &format!("{LEDGER}{ORDERS}"),
        &[&calm[..], &calls[..]].concat(),
    );
    let behind = both.domains[0].exposure_secs;
    assert!((behind / 450.0 - 1.0).abs() < 0.05, "{behind}");
}
