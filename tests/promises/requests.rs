//! Every request on its own: the accounts balance, the same comes out again, queues are what queueing
//! theory says, and counted traffic agrees.

use crate::conservation::assert_balanced;
use crate::given::{FAULT, PARTS, assert_same_windows, document, over};
use darkregion::model::fidelity::Fidelity;
use darkregion::model::outcome::Outcome;
use darkregion::model::scenario::Scenario;
use darkregion::simulate::{Simulator, Visit};

/// Two regions, plain requests through an edge; the numbers are small enough for a test.
const PLAIN: &str = r#"
format = 1
horizon = "8min"

[[region]]
name = "east"
zones = 2

[[region]]
name = "west"
zones = 2

[[link]]
between = ["east", "west"]
rtt = "60ms"

[[market]]
name = "near east"
near = ["east", "west"]
requests = "80/s"

[[market]]
name = "near west"
near = ["west", "east"]
requests = "60/s"

[[device]]
name = "browser"
share = 1
attempts = 2
backoff = { base = "1s" }

[dns]
ttl = "20s"
propagation = "5s"

[edge]
global = true
slots = 8
headroom = 3.0
time = { exponential = "10ms" }
poll = { uniform = ["0s", "20s"] }

[[service]]
name = "front"
slots = 1
headroom = 2.5
time = { exponential = "100ms" }
calls = [{ to = "back", timeout = "800ms", attempts = 2 }]

[[service]]
name = "back"
slots = 1
headroom = 2.5
time = { exponential = "100ms" }

[[objective]]
sli = "error_rate"
target = "< 1 %"
"#;

const LOST: &str = r#"
[[fault]]
kind = "region-dark"
region = "east"
at = "2min"
for = "3min"
"#;

/// Pools of some tens of slots, so that counted traffic is within its limits.
const AMPLE: &[&str] = &[
    "horizon=5min",
    "service.*.headroom=2",
    "service.*.queue=20",
    "edge.headroom=2",
];

/// One pool of one zone that devices reach directly.
fn queue(slots: u32, places: u32, rate: f64, horizon: &str) -> Scenario {
    let text = format!(
        r#"
format = 1
horizon = "{horizon}"

[[region]]
name = "here"
zones = 1

[[market]]
name = "users"
near = ["here"]
requests = "{rate}/s"

[[device]]
name = "all"
share = 1
direct = true
attempts = 1
timeout = "1h"

[variation]
demand = 0

[[service]]
name = "pool"
slots = {slots}
instances = 1
queue = {places}
time = {{ exponential = "100ms" }}
"#
    );
    document(&text, None, &[]).scenario().clone()
}

/// The pool of `queue(4, 6, 48.0, _)` behind a service that waits no longer than two services take.
const IMPATIENT: &str = r#"
format = 1
horizon = "40min"

[[region]]
name = "here"
zones = 1

[[market]]
name = "users"
near = ["here"]
requests = "48/s"

[[device]]
name = "all"
share = 1
direct = true
attempts = 1
timeout = "1h"

[variation]
demand = 0

[[service]]
name = "front"
slots = 1000
instances = 1
time = "1ms"
calls = [{ to = "pool", timeout = "200ms", attempts = 1 }]

[[service]]
name = "pool"
slots = 4
instances = 1
queue = 6
time = { exponential = "100ms" }
"#;

fn small(text: &str, policy: &str, sets: &[&str], scale: f64, fidelity: Fidelity) -> Scenario {
    let document = document(text, Some(policy), sets).computed(fidelity, scale);
    document.scenario().clone()
}

fn requests(text: &str, policy: &str, sets: &[&str], scale: f64) -> Outcome {
    Simulator::new(&small(text, policy, sets, scale, Fidelity::Request)).run(1, 0)
}

/// Chance of every state of M/M/c/K, or of M/M/c cut off where nobody comes.
fn birth_and_death(slots: u32, most: u32, offered: f64) -> Vec<f64> {
    let mut law = vec![1.0];
    for n in 1..=most {
        let before = law[n as usize - 1];
        law.push(before * offered / f64::from(n.min(slots)));
    }
    let all: f64 = law.iter().sum();
    law.iter().map(|p| p / all).collect()
}

/// Mean over batches of a long run, and its standard error.
fn batched(values: &[f64]) -> (f64, f64) {
    const BATCHES: usize = 40;
    let length = values.len() / BATCHES;
    let batches = values.chunks_exact(length).take(BATCHES);
    let means: Vec<f64> = batches
        .map(|b| b.iter().sum::<f64>() / length as f64)
        .collect();
    let mean = means.iter().sum::<f64>() / BATCHES as f64;
    let squares: f64 = means.iter().map(|m| (m - mean) * (m - mean)).sum();
    (mean, (squares / (BATCHES * (BATCHES - 1)) as f64).sqrt())
}

fn near(what: &str, values: &[f64], expected: f64) {
    let (mean, se) = batched(values);
    assert!(
        (mean - expected).abs() < 4.5 * se,
        "{what}: {mean} is not {expected}, standard error {se}"
    );
    assert!(se < 0.1 * expected, "{what}: {mean} is known only to {se}");
}

fn waits(visits: &[Visit]) -> Vec<f64> {
    visits.iter().filter_map(|v| v.waited_secs).collect()
}

#[test]
fn a_pool_without_limit_waits_by_erlang_c() {
    // Ten slots of 100 ms at 80 requests a second.
    let scenario = queue(10, 1_000_000, 80.0, "40min");
    let (_, visits) = Simulator::new(&scenario).visits(1, 0, (0, 8));
    let law = birth_and_death(10, 2_000, 8.0);
    let waiting: f64 = law[10..].iter().sum();
    let queued: f64 = (10..law.len()).map(|n| (n - 10) as f64 * law[n]).sum();
    let waits = waits(&visits);
    let delayed: Vec<f64> = waits
        .iter()
        .map(|&w| f64::from(u8::from(w > 0.0)))
        .collect();
    near("share that waits", &delayed, waiting);
    near("mean wait", &waits, queued / 80.0);
    // Who waits does so for an exponential time of 1 / (c mu - lambda) = 50 ms.
    let longer: Vec<f64> = waits
        .iter()
        .map(|&w| f64::from(u8::from(w > 0.1)))
        .collect();
    near(
        "waits longer than 100 ms",
        &longer,
        waiting * libm::exp(-2.0),
    );
    assert!(visits.iter().all(|v| v.good));
}

#[test]
fn a_pool_with_places_refuses_by_its_law() {
    // Four slots and six places at 1.2 times what they serve.
    let scenario = queue(4, 6, 48.0, "40min");
    let (outcome, visits) = Simulator::new(&scenario).visits(1, 0, (0, 4));
    let law = birth_and_death(4, 10, 4.8);
    let refused: Vec<f64> = visits
        .iter()
        .map(|v| f64::from(u8::from(!v.good)))
        .collect();
    near("refused", &refused, law[10]);
    let queued: f64 = (4..=10).map(|n| (n - 4) as f64 * law[n]).sum();
    near(
        "mean wait",
        &waits(&visits),
        queued / (48.0 * (1.0 - law[10])),
    );
    let ledger = outcome.ledger;
    let failed = ledger.starts_failed as f64 / ledger.starts as f64;
    assert!((failed / law[10] - 1.0).abs() < 0.1, "{failed} {}", law[10]);
}

#[test]
fn work_that_nobody_waits_for_keeps_its_slot() {
    // The same pool behind a service that gives up long before the queue is through.
    let scenario = document(IMPATIENT, None, &[]).scenario().clone();
    let (_, visits) = Simulator::new(&scenario).visits(1, 1, (1, 0));
    let refused: Vec<f64> = visits
        .iter()
        .map(|v| f64::from(u8::from(!v.good)))
        .collect();
    near("refused", &refused, birth_and_death(4, 10, 4.8)[10]);
}

#[test]
fn a_pool_begins_with_what_it_is_given() {
    let scenario = queue(1, 100, 0.001, "1min");
    let (_, visits) = Simulator::new(&scenario).visits(3, 0, (0, 50));
    let first: Vec<&Visit> = visits.iter().filter(|v| v.arrived.secs() == 0.0).collect();
    assert_eq!(first.len(), 50);
    // The last of them leaves after fifty services.
    let last = first.iter().map(|v| v.stayed_secs).fold(0.0, f64::max);
    assert!((2.0..9.0).contains(&last), "{last}");
}

/// Clients give up after 300 ms; what they asked for calls work that takes ten seconds.
#[test]
fn cancelled_work_frees_its_slot_with_all_that_it_has_called() {
    let patient = format!(
        "{}calls = [{{ to = \"deep\", timeout = \"1h\" }}]\n",
        r#"
format = 1
horizon = "10min"

[[region]]
name = "here"
zones = 1

[[market]]
name = "users"
near = ["here"]
requests = "20/s"
rtt = "100ms"

[[device]]
name = "all"
share = 1
direct = true
attempts = 1
timeout = "300ms"

[variation]
demand = 0

[[service]]
name = "deep"
instances = 1
slots = 400
time = "10s"

[[service]]
name = "front"
instances = 1
slots = 400
time = "1ms"
"#
    ) + "\n[[request]]\nname = \"ask\"\nto = \"front\"\nstart = 1\n";
    let stays = |sets: &[&str]| -> (f64, f64, Outcome) {
        let scenario = document(&patient, None, sets).scenario().clone();
        let (outcome, visits) = Simulator::new(&scenario).visits(1, 0, (0, 0));
        let stays = || visits.iter().map(|v| v.stayed_secs);
        assert!(visits.len() > 5_000);
        let (least, most) = (
            stays().fold(f64::INFINITY, f64::min),
            stays().fold(0.0, f64::max),
        );
        (least, most, outcome)
    };
    let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-3, "{value}");
    // The answer takes another 100 ms to the client, so that nobody waits longer than 200 ms here.
    let (least, most, outcome) = stays(&["service.*.cancel=true"]);
    close(least, 0.199);
    close(most, 0.199);
    // Ten per second, a fifth of a second each, beside a millisecond at the front.
    let busy = over(&outcome, 60.0, 600.0).busy_slot_secs / 540.0;
    assert!((busy / (20.0 * 0.2) - 1.0).abs() < 0.05, "{busy}");
    // Whoever waits for it at the front still does: nobody has given up that it knows of.
    for sets in [&["service.deep.cancel=true"][..], &[]] {
        let (least, most, _) = stays(sets);
        close(least, 10.0);
        close(most, 10.0);
    }
}

/// One slot that takes 100 ms, and twice as many clients as it can serve, who wait for a second.
#[test]
fn a_service_that_cancels_begins_nothing_that_comes_too_late() {
    let mut scenario = queue(1, 1_000, 20.0, "10min");
    scenario.devices[0].timeout = darkregion::units::Span::from_secs(1.0);
    scenario.markets[0].rtt_secs = 0.0;
    let mut goodput = |cancel: bool| {
        scenario.services[0].cancel = cancel;
        let outcome = Simulator::new(&scenario).run(1, 0);
        over(&outcome, 60.0, 600.0).answered_ok as f64 / 540.0
    };
    let (lost, kept) = (goodput(false), goodput(true));
    assert!(lost < 0.1, "all wait too long: {lost}");
    // A slow response takes 277 ms, so that about one in sixteen is late all the same.
    assert!((9.0..10.5).contains(&kept), "{kept}");
}

#[test]
fn every_start_attempt_and_session_is_counted_once() {
    let hang: &[&str] = &["fault[0].mode=hang", "edge.global=false"];
    let drill = format!("{PARTS}{FAULT}");
    for (policy, sets) in [
        ("none", &[][..]),
        ("dns-only", hang),
        ("edge-proxy", &["service.*.headroom=0.05"]),
        ("flow", &["edge.origin_limit=1"]),
        ("flow-dark", &["policy.shed=priority", "fault[0].for=20min"]),
        ("gradual-prewarmed", &["fault[0].announced=2min"]),
        (
            "edge-proxy",
            &["policy.scope={ devices = ['legacy', 'sticky'] }"],
        ),
    ] {
        let outcome = requests(&drill, policy, sets, 0.02);
        let what = format!("{policy} {sets:?}");
        assert_balanced(&outcome, &what);
        let ledger = outcome.ledger;
        assert!(
            ledger.starts > 1000 && ledger.sessions_first > 0,
            "{what}: {ledger:?}"
        );
    }
}

#[test]
fn the_same_request_comes_again() {
    let drill = format!("{PARTS}{FAULT}");
    let scenario = small(&drill, "flow", &[], 0.01, Fidelity::Request);
    let simulator = Simulator::new(&scenario);
    let first = simulator.run(1, 7);
    let others: Vec<Outcome> = std::thread::scope(|scope| {
        let run = |r| {
            scope.spawn({
                let simulator = &simulator;
                move || simulator.run(1, r)
            })
        };
        let threads: Vec<_> = [3, 7].map(run).into_iter().collect();
        threads
            .into_iter()
            .map(|t| t.join().expect("it runs"))
            .collect()
    });
    assert_eq!(first.digest, others[1].digest);
    assert_ne!(first.digest, others[0].digest);
    assert_same_windows(&first.windows, &others[1].windows, "another thread");
}

/// What is compared of an outcome.
fn measures(outcome: &Outcome, from: f64, until: f64) -> Vec<(&'static str, f64)> {
    let o = over(outcome, from, until);
    let starts = (o.starts_ok + o.starts_failed) as f64;
    let answers = (o.answered_ok + o.answered_error) as f64;
    let share = |part: f64, all: f64| if all > 0.0 { part / all } else { 0.0 };
    vec![
        ("starts failed", share(o.starts_failed as f64, starts)),
        ("errors", share(o.answered_error as f64, answers)),
        ("unreachable per start", share(o.unreachable as f64, starts)),
        ("requests per start", share(answers, starts)),
        ("cpu", share(o.busy_slot_secs, o.slot_secs)),
        ("hit ratio", share(o.cache_hits, o.cache_lookups)),
        (
            "rebuffered per session",
            share(o.rebuffered, o.playing_sessions),
        ),
        ("stood still", share(o.stood_still, o.playing_sessions)),
        ("p50", o.latency.quantile(0.5).unwrap_or(0.0)),
        ("p99", o.latency.quantile(0.99).unwrap_or(0.0)),
    ]
}

/// Means of both fidelities differ by at most 4.5 standard errors and a share of the value; `loose`: what
/// is known to differ by more, and by how much.
fn agree(
    what: &str,
    [counted, single]: [&Scenario; 2],
    replications: u64,
    (from, until): (f64, f64),
    loose: &[(&str, f64)],
) {
    let run = |scenario: &Scenario| -> Vec<Vec<(&'static str, f64)>> {
        let simulator = Simulator::new(scenario);
        (0..replications)
            .map(|r| measures(&simulator.run(1, r), from, until))
            .collect()
    };
    let (counted, single) = (run(counted), run(single));
    let mut wrong = Vec::new();
    for i in 0..counted[0].len() {
        let name = counted[0][i].0;
        let of = |all: &[Vec<(&str, f64)>]| -> (f64, f64) {
            let values: Vec<f64> = all.iter().map(|m| m[i].1).collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
            (mean, squares / (n - 1.0) / n)
        };
        let ((a, va), (b, vb)) = (of(&counted), of(&single));
        let se = (va + vb).sqrt();
        let usual = if name.starts_with('p') { 0.1 } else { 0.01 };
        let slack = loose.iter().find(|l| l.0 == name).map_or(usual, |l| l.1);
        let line = format!("{what}, {name}: counted {a:.5}, single {b:.5}, se {se:.5}");
        println!("{line}");
        if (a - b).abs() > 4.5 * se + slack * a.abs().max(b.abs()) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn both(text: &str, policy: &str, sets: &[&str], scale: f64) -> [Scenario; 2] {
    [Fidelity::Cohort, Fidelity::Request].map(|f| small(text, policy, sets, scale, f))
}

#[test]
fn counted_and_single_requests_agree_on_a_calm_day() {
    let [counted, single] = both(PLAIN, "none", &[], 1.0);
    agree("plain", [&counted, &single], 8, (0.0, 480.0), &[]);
    let [counted, single] = both(PARTS, "none", AMPLE, 0.1);
    agree("streaming", [&counted, &single], 6, (0.0, 300.0), &[]);
}

#[test]
fn counted_and_single_requests_agree_on_a_lost_region() {
    let text = format!("{PLAIN}{LOST}");
    for (policy, sets) in [
        ("dns-only", &[][..]),
        ("edge-proxy", &[]),
        (
            "dns-only",
            &["device.browser.think=20s", "edge.global=false"],
        ),
    ] {
        let [counted, single] = both(&text, policy, sets, 1.0);
        let what = format!("{policy} {sets:?}");
        agree(&what, [&counted, &single], 12, (120.0, 300.0), &[]);
        let after = format!("{what} after");
        agree(&after, [&counted, &single], 12, (330.0, 480.0), &[]);
    }
}

#[test]
fn counted_and_single_requests_agree_on_a_zone_that_hangs() {
    let text = format!(
        "{PLAIN}{}",
        LOST.replace("region-dark", "zone-loss\"\nzone = 1\nmode = \"hang")
    );
    // Room for what a zone leaves to the other, so that what is compared is what hangs.
    let ample = ["service.*.headroom=4", "edge.connect_timeout=2s"];
    for policy in ["none", "edge-proxy"] {
        let [counted, single] = both(&text, policy, &ample, 1.0);
        let what = format!("hangs under {policy}");
        // Counted failures are known at once, but tried again when they would be.
        agree(&what, [&counted, &single], 24, (126.0, 140.0), &[]);
        let after = format!("{what}, found");
        agree(&after, [&counted, &single], 24, (170.0, 290.0), &[]);
    }
}
