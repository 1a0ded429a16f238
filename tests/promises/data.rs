//! Every kind of store, and every effect of one, moves a result; what is lost grows with the lag.

use crate::given::outcome;
use darkregion::model::measure::{DomainMeasure, Measure};
use darkregion::model::outcome::Outcome;
use darkregion::model::scenario::Scenario;
use darkregion::objectives::{self, Columns, Series};
use darkregion::scenario::{Document, Layer};
use darkregion::simulate::simulate;

const PLACE: &str = r#"
format = 1
horizon = "15min"
[[region]]
name = "east"
[[region]]
name = "south"
[[region]]
name = "west"
[[link]]
between = ["east", "west"]
rtt = "60ms"
[[link]]
between = ["east", "south"]
rtt = "40ms"
[[link]]
between = ["south", "west"]
rtt = "50ms"
[[market]]
name = "users-east"
near = ["east", "south", "west"]
requests = "100/s"
[[market]]
name = "users-west"
near = ["west", "south", "east"]
requests = "100/s"
[[service]]
name = "api"
headroom = 4
[[request]]
name = "ask"
start = 1
[edge]
global = true
[policy]
use = "edge-proxy"
"#;

const DARK: &str = "[[fault]]\nkind = 'region-dark'\nregion = 'east'\nat = '5min'\nfor = '5min'\n";

fn read(more: &str) -> Scenario {
    let text = format!("{PLACE}\n{more}");
    match Document::load("data", Layer::file("data", &text, None), None, Vec::new()) {
        Ok(document) => document.scenario().clone(),
        Err(problems) => panic!("{problems}\n{text}"),
    }
}

fn run(more: &str) -> Outcome {
    simulate(&read(more), 7)
}

fn rto(more: &str) -> f64 {
    let scenario = read(more);
    let outcome = simulate(&scenario, 7);
    let columns = Columns::new(&[], [&scenario]);
    let series = Series::of(&outcome.windows, columns.slis());
    let row = objectives::measure(&scenario, &columns, &series, &outcome, 0);
    let rto = Measure::Domain {
        kind: DomainMeasure::Rto,
        domain: "d".into(),
    };
    row.values[columns.position(&rto).expect("a column")].as_f64()
}

fn domain(keys: &str, store: &str) -> String {
    format!("[[domain]]\nname = 'd'\n{keys}\nstore = {{ {store} }}\n")
}

/// Sums over windows that begin in a span of seconds.
fn sum(
    outcome: &Outcome,
    from: f64,
    until: f64,
    of: fn(&darkregion::model::observation::Observation) -> f64,
) -> f64 {
    let windows = outcome.windows.iter();
    let within = windows.filter(|w| w.from.secs() >= from && w.from.secs() < until);
    within.map(|w| of(&w.global)).sum()
}

fn median(outcome: &Outcome) -> f64 {
    let mut all = outcome.windows[0].global.clone();
    for window in &outcome.windows[1..20] {
        all.merge(&window.global);
    }
    all.latency.quantile(0.5).expect("answers")
}

#[test]
fn an_asynchronous_store_stops_nobody_and_loses_its_tail() {
    let lost = run(&(domain("", "mode = 'asynchronous', lag = '2s'") + DARK));
    let found = lost.domains[0];
    assert!((found.rpo_secs - 2.0).abs() < 1e-9, "{found:?}");
    assert!((120..300).contains(&found.lost_writes), "{found:?}");
    assert_eq!(found.late_writes, found.lost_writes, "east is back");
    let thrown = run(&(domain("", "mode = 'asynchronous', lag = '2s', discard = true") + DARK));
    assert_eq!(thrown.domains[0].lost_writes, found.lost_writes);
    assert_eq!(thrown.domains[0].late_writes, 0);
    let bare = run(DARK);
    let failed = |o: &Outcome| sum(o, 0.0, 900.0, |o| o.starts_failed as f64);
    assert_eq!(failed(&bare), failed(&lost));
}

#[test]
fn a_quorum_pays_the_way_to_the_majority_and_goes_on_with_two_of_three() {
    let near = run(&domain("", "mode = 'asynchronous'"));
    let quorum = run(&domain("", "mode = 'quorum'"));
    let longer = median(&quorum) - median(&near);
    assert!((0.03..0.06).contains(&longer), "{longer}");
    let lost = run(&(domain("", "mode = 'quorum'") + DARK));
    assert_eq!(lost.domains[0].lost_writes, 0);
    let failing = sum(&lost, 420.0, 600.0, |o| {
        (o.domains[0].writes - o.domains[0].writes_answered) as f64
    });
    let asked = sum(&lost, 420.0, 600.0, |o| o.domains[0].writes as f64);
    assert!(failing < 0.01 * asked, "{failing} of {asked}");
    // Cut off from both others, west has no majority.
    let cut = "[[fault]]\nkind = 'partition'\nbetween = ['west', 'east']\nat = '5min'\nfor = '5min'\n\
               [[fault]]\nkind = 'partition'\nbetween = ['west', 'south']\nat = '5min'\nfor = '5min'\n";
    let cut = run(&(domain("", "mode = 'quorum'") + cut));
    let failed = sum(&cut, 330.0, 570.0, |o| o.starts_failed as f64);
    assert!(failed > 0.0, "{failed}");
}

#[test]
fn a_primary_is_replaced_and_reads_come_back_first() {
    let store = "mode = 'primary', primary = 'east', detect = '20s', fence = '10s', promote = '30s', repoint = '10s'";
    let written = domain("write_rate = '100/s'", store) + DARK;
    let read = domain("read_rate = '100/s'", store) + DARK;
    assert_eq!(rto(&written), 60.0);
    assert_eq!(rto(&read), 30.0);
    let human = store.to_string() + ", failover = 'human', decide = '40s'";
    assert_eq!(rto(&(domain("write_rate = '100/s'", &human) + DARK)), 100.0);
    let log = run(&written).log;
    for words in ["is noticed", "is fenced", "south is promoted"] {
        assert!(log.iter().any(|e| e.what.contains(words)), "{words}");
    }
    // Requests that wait for the store fail until then.
    let blocked = run(&(domain("", store) + DARK));
    let bare = run(DARK);
    let failed = |o: &Outcome| sum(o, 300.0, 360.0, |o| o.starts_failed as f64);
    assert!(failed(&blocked) > failed(&bare) + 1000.0);
    // And from far away they pay the distance.
    let near = run(&domain("", "mode = 'asynchronous'"));
    let mean = |o: &Outcome| o.windows[3].global.latency.quantile(0.9).expect("answers");
    let far = run(&domain("", store));
    assert!(mean(&far) > mean(&near) + 0.05);
}

#[test]
fn a_fallback_and_a_grace_period_turn_failures_into_degraded_answers() {
    let store = "mode = 'primary', primary = 'east', detect = '60s', promote = '60s', fence = '0s', repoint = '100s'";
    let only_read = "written_by = []\nread_by = ['ask']\n";
    let bad = run(&(domain(only_read, store) + DARK));
    let fallback = run(&(domain(&format!("{only_read}fallback = 'rows'"), store) + DARK));
    let grace = run(&(domain(&format!("{only_read}grace = '30s'"), store) + DARK));
    let failed = |o: &Outcome| sum(o, 300.0, 480.0, |o| o.starts_failed as f64);
    let degraded = |o: &Outcome| sum(o, 300.0, 480.0, |o| o.answered_degraded as f64);
    assert_eq!(degraded(&bad), 0.0);
    assert!(
        failed(&fallback) < 0.1 * failed(&bad),
        "{} {}",
        failed(&fallback),
        failed(&bad)
    );
    assert!(degraded(&fallback) > degraded(&grace) && degraded(&grace) > 1000.0);
    // Thirty of a hundred and twenty seconds.
    assert!(failed(&grace) < 0.85 * failed(&bad) && failed(&grace) > 0.65 * failed(&bad));
}

#[test]
fn a_longer_lag_never_loses_fewer_writes_and_is_staler() {
    let mut last = (0, 0.0);
    for extra in ["0.1s", "1s", "7s", "30s", "120s"] {
        let lag = format!(
            "[[fault]]\nkind = 'replication-lag'\nregion = 'east'\nat = '1min'\nfor = '8min'\nextra = '{extra}'\n"
        );
        let outcome = run(&(domain("rpo = '5s'", "mode = 'asynchronous'") + &lag + DARK));
        let found = outcome.domains[0];
        assert!(found.lost_writes >= last.0, "{extra}: {found:?}");
        let age = sum(&outcome, 240.0, 300.0, |o| o.domains[0].age_secs);
        assert!(age > last.1, "{extra}");
        last = (found.lost_writes, age);
        let alarm = outcome.log.iter().any(|e| e.cause.starts_with("alarm"));
        assert_eq!(alarm, ["7s", "30s", "120s"].contains(&extra), "{extra}");
    }
}

#[test]
fn what_is_broken_piles_up_and_drains_at_the_throughput() {
    let broken = |length: &str| {
        format!(
            "[[fault]]\nkind = 'replication-broken'\nregion = 'east'\nat = '2min'\nfor = '{length}'\n"
        )
    };
    let plain = domain("", "mode = 'asynchronous', lag = '1s'");
    let to_the_end = run(&(plain.clone() + &broken("10min") + DARK));
    assert!((to_the_end.domains[0].rpo_secs - 180.0).abs() < 2.0);
    let mended = run(&(plain.clone() + &broken("2min") + DARK));
    assert!((mended.domains[0].rpo_secs - 1.0).abs() < 1e-9);
    // 12,000 writes wait, and 50 a second more are sent than come.
    let slow = domain(
        "",
        "mode = 'asynchronous', lag = '1s', throughput = '150/s'",
    );
    let draining = run(&(slow + &broken("2min") + DARK));
    let left = draining.domains[0].lost_writes as f64;
    assert!((left / 9100.0 - 1.0).abs() < 0.15, "{left}");
}

#[test]
fn both_sides_of_a_partition_make_conflicts_that_are_reconciled() {
    let cut =
        "[[fault]]\nkind = 'partition'\nbetween = ['west', 'east']\nat = '2min'\nfor = '2min'\n";
    let few = run(&(domain("keys = 1000000", "mode = 'asynchronous'") + cut)).domains[0];
    let many = run(&(domain("keys = 10000", "mode = 'asynchronous', reconcile = '100/s'") + cut))
        .domains[0];
    assert!((60..260).contains(&few.conflicts), "{few:?}");
    assert!(many.conflicts > 10 * few.conflicts, "{many:?}");
    let secs = many.reconcile_secs.expect("done by the end");
    assert!((secs - many.conflicts as f64 / 100.0).abs() < 0.1);
}

#[test]
fn a_sticky_assignment_changes_only_where_it_had_not_arrived() {
    let sticky =
        run(&(domain("sticky = true", "mode = 'asynchronous', lag = '2s'") + DARK)).domains[0];
    assert_eq!(sticky.reassigned, sticky.lost_writes);
    assert!(sticky.reassigned > 0);
    let other = run(&(domain("", "mode = 'asynchronous', lag = '2s'") + DARK)).domains[0];
    assert_eq!(other.reassigned, 0);
}

#[test]
fn traffic_goes_back_when_the_backlog_is_small_with_or_without_a_target() {
    let broken = "[[fault]]\nkind = 'replication-broken'\nat = '2min'\nfor = '13min'\n";
    let dark = DARK.replace("at = '5min'\nfor = '5min'", "at = '3min'\nfor = '1min'");
    let back = |keys: &str, per_sec: u64, gate: bool| {
        let store = format!(
            "mode = 'asynchronous', lag = '1s', reconcile = '1000000/s', throughput = '{per_sec}/s'"
        );
        let policy =
            format!("failback = {{ stable = '10s', gate_data = {gate}, gate_caches = false }}\n");
        let text = format!("{PLACE}\n{policy}{}{broken}{dark}", domain(keys, &store));
        let found = outcome(&text, None, &["service.api.boot=10s", "horizon=40min"]);
        found.marks.failback_begins.expect("it begins").secs()
    };
    let all = [
        back("", 700, false),
        back("", 1_000_000, true),
        back("", 700, true),
        back("rpo = '1min'", 700, true),
    ];
    // Mended at 900 s, and reported after that. A backlog that is sent at once is no reason to wait; one
    // of 90,000 writes or more is, of which 600 a second at most leave.
    let [free, quick, slow, lenient] = all;
    assert!(free < 900.0 && (900.0..945.0).contains(&quick), "{all:?}");
    assert!(slow > quick + 90.0, "{all:?}");
    assert!((quick..slow).contains(&lenient), "{all:?}");
}
