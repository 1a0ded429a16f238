//! Zones with weights: load goes by weight, each zone is a pool of its own, and equal ones are what
//! zones without weights are.

use crate::given::{PARTS, assert_same_windows, document, outcome, over};
use darkregion::model::fidelity::Fidelity;
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;

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
health = { interval = "10s", threshold = 3, eject_most = 0.9 }

[[request]]
name = "start"
to = "play"
start = 1

[ambient]
start_failure = 0
request_failure = 0

[variation]
demand = 0
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

/// Share of calls lost by so many slots without a queue.
fn erlang_b(slots: u32, offered: f64) -> f64 {
    (1..=slots).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b))
}

#[test]
fn each_zone_refuses_by_its_own_erlang_loss() {
    let refused = |sets: &[&str]| {
        let all: Vec<&str> = ["service.play.queue=0"]
            .iter()
            .chain(sets)
            .copied()
            .collect();
        failing(&run("", &all), 0.0, 900.0)
    };
    // 200 slots are busy. Sized by weight, each zone has its part of 220 slots.
    let part =
        |slots: u32| f64::from(slots) / 220.0 * erlang_b(slots, 200.0 / 220.0 * f64::from(slots));
    let seen = refused(&[
        "service.play.instances=220",
        "region.east.zone_weights=[8,2,1]",
    ]);
    let law = part(160) + part(40) + part(20);
    assert!((seen / law - 1.0).abs() < 0.05, "{seen}, not {law}");
    // Three instances of 80 slots cannot be divided: half of the load finds a third of them.
    let three = ["service.play.instances=3", "service.play.slots=80"];
    let even = refused(&three);
    let uneven = refused(&[three[0], three[1], "region.east.zone_weights=[2,1,1]"]);
    let laws = (
        erlang_b(80, 200.0 / 3.0),
        0.5 * erlang_b(80, 100.0) + 0.5 * erlang_b(80, 50.0),
    );
    assert!((even / laws.0 - 1.0).abs() < 0.05, "{even}, not {}", laws.0);
    assert!(
        (uneven / laws.1 - 1.0).abs() < 0.05,
        "{uneven}, not {}",
        laws.1
    );
    assert!(uneven > 5.0 * even, "uneven zones are worse");
}

/// Share of the good answers between two moments that took longer than so many seconds.
fn slower(outcome: &Outcome, (from, until): (f64, f64), secs: f64) -> f64 {
    let latency = over(outcome, from, until).latency;
    let slower = |q: &f64| latency.quantile(*q).unwrap_or(0.0) > secs;
    let points: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
    points.iter().filter(|q| slower(q)).count() as f64 / 1000.0
}

/// A zone of three hangs for 20 s. A request has two attempts at a call, each of which is given to a
/// dead instance with a chance of a third: of those answered, (1/3)(2/3) / (1 - 1/9) = 1/4 have waited
/// for the timeout of the first. Those whose first instance of all hangs get an error.
#[test]
fn a_zone_that_hangs_costs_its_callers_their_timeout_until_it_is_found() {
    let call = "calls = [{ to = \"stock\", critical = true, attempts = 2, timeout = \"400ms\" }]\n";
    let text = ONE.replace("time = {", &format!("{call}time = {{"))
        + "[[service]]\nname = \"stock\"\nslots = 1\ntime = \"5ms\"\nheadroom = 4\n\
           health = { interval = \"10s\", threshold = 3, eject_most = 0.9 }\n"
        + LOSS;
    let run = |sets: &[&str]| outcome(&text, Some("none"), sets);
    let (refused, hung) = (run(&[]), run(&["fault[0].mode=hang"]));
    let first = (300.0, 320.0);
    assert_eq!(slower(&refused, first, 0.39), 0.0);
    let waited = slower(&hung, first, 0.39);
    assert!((waited - 0.25).abs() < 0.02, "{waited}");
    // As many fail; and once it is found, nothing hangs.
    let (a, b) = (
        failing(&refused, 300.0, 320.0),
        failing(&hung, 300.0, 320.0),
    );
    assert!((a - b).abs() < 0.01, "{a} {b}");
    assert_eq!(slower(&hung, (340.0, 600.0), 0.39), 0.0);
    // A call that can be done without is waited for in vain.
    let without = text.replace(
        "critical = true, attempts = 2",
        "fallback = \"none\", attempts = 1",
    );
    let hung = outcome(&without, Some("none"), &["fault[0].mode=hang"]);
    let waited = slower(&hung, first, 0.39);
    assert!((waited - 1.0 / 3.0).abs() < 0.02, "{waited}");
}

/// The same law, request by request.
#[test]
fn a_zone_hangs_for_single_requests_too() {
    let call = "calls = [{ to = \"stock\", critical = true, attempts = 2, timeout = \"400ms\" }]\n";
    let text = ONE.replace("time = {", &format!("{call}time = {{"))
        + "[[service]]\nname = \"stock\"\nslots = 1\ntime = \"5ms\"\nheadroom = 4\n\
           health = { interval = \"10s\", threshold = 3, eject_most = 0.9 }\n"
        + LOSS;
    let run = |text: &str, sets: &[&str]| {
        let sets = [sets, &["horizon=7min"]].concat();
        let small = document(text, Some("none"), &sets).computed(Fidelity::Request, 0.1);
        Simulator::new(small.scenario()).run(1, 0)
    };
    let hung = ["fault[0].mode=hang"];
    let (refused, hangs) = (run(&text, &[]), run(&text, &hung));
    let first = (301.0, 320.0);
    assert!(slower(&refused, first, 0.39) < 0.005);
    let waited = slower(&hangs, first, 0.39);
    assert!((waited - 0.25).abs() < 0.03, "{waited}");
    let (a, b) = (
        failing(&refused, 300.0, 320.0),
        failing(&hangs, 300.0, 320.0),
    );
    assert!((a - b).abs() < 0.03, "{a} {b}");
    assert!(slower(&hangs, (340.0, 420.0), 0.39) < 0.005);
    // A call that can be done without is waited for in vain.
    let without = text.replace(
        "critical = true, attempts = 2",
        "fallback = \"none\", attempts = 1",
    );
    let waited = slower(&run(&without, &hung), first, 0.39);
    assert!((waited - 1.0 / 3.0).abs() < 0.03, "{waited}");
    // A proxy gives up after its own timeout, and asks the other region.
    let two = format!("{ONE}[[region]]\nname = \"west\"\n{LOSS}");
    let sets = [
        "market.viewers.near=[\"east\", \"west\"]",
        "policy.edge_retry=true",
        "policy.edge_retry_budget=inf",
        "service.play.instances=1200",
        "edge.connect_timeout=700ms",
        "fault[0].mode=hang",
    ];
    let waited = slower(&run(&two, &sets), first, 0.69);
    assert!((waited - 1.0 / 3.0).abs() < 0.03, "{waited}");
    // A device that asks the services itself waits for its own timeout, and hears nothing.
    let direct = [
        "device.single.direct=true",
        "device.single.timeout=2s",
        hung[0],
    ];
    let silent = over(&run(&text, &direct), 302.0, 322.0);
    let answers = silent.answered_ok + silent.answered_error + silent.unreachable;
    let share = silent.unreachable as f64 / answers as f64;
    assert!((share - 1.0 / 3.0).abs() < 0.03, "{share}");
}

/// The edge tries again in the other region after its own timeout.
#[test]
fn an_edge_gives_up_on_what_hangs_after_its_connect_timeout() {
    let text = format!("{ONE}[[region]]\nname = \"west\"\n{LOSS}");
    let sets = [
        "market.viewers.near=[\"east\", \"west\"]",
        "policy.edge_retry=true",
        "policy.edge_retry_budget=inf",
        "service.play.instances=1200",
        "edge.connect_timeout=700ms",
        "fault[0].mode=hang",
    ];
    let hung = outcome(&text, Some("none"), &sets);
    let waited = slower(&hung, (300.0, 320.0), 0.69);
    assert!((waited - 1.0 / 3.0).abs() < 0.03, "{waited}");
}

/// A third of the proxies of a regional edge die with their zone: they take a third of the new
/// connections until health checks find them, and the rest carries everything.
#[test]
fn a_lost_zone_takes_the_proxies_of_a_regional_edge_with_it() {
    let sets = ["edge.global=false", "edge.health.interval=20s"];
    // Plain users: sessions that are cut off would come again and again.
    let plain = format!("{ONE}{LOSS}").replace("starts = \"4000/s\"", "requests = \"4000/s\"");
    let run = |sets: &[&str]| outcome(&plain, Some("none"), sets);
    let local = run(&sets);
    let lost = |from: f64, until: f64| {
        let seen = over(&local, from, until);
        seen.unreachable as f64 / seen.first_attempts as f64
    };
    assert_eq!(lost(0.0, 300.0), 0.0);
    let first = lost(300.0, 330.0);
    assert!((first - 1.0 / 3.0).abs() < 0.01, "{first}");
    assert_eq!(lost(340.0, 900.0), 0.0);
    // What a global edge has does not depend on zones.
    let above = run(&[]);
    assert_eq!(over(&above, 0.0, 900.0).unreachable, 0);
    let slots =
        |o: &Outcome, from: f64, until: f64| over(o, from, until).slot_secs / (until - from);
    let proxies = |from: f64, until: f64| slots(&above, from, until) - slots(&local, from, until);
    assert!(proxies(0.0, 300.0).abs() < 1e-6);
    assert!(proxies(400.0, 600.0) > 0.0);
    assert!(proxies(610.0, 900.0).abs() < 1e-6, "back with their zone");
}
