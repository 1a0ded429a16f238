//! Metastable failures emerge: where they stick, where they heal, and that neither is switched on. The
//! boundaries are those of a queue in order (hysteresis of retries): with `m` attempts, no cancellation
//! and a full queue longer than the timeout, it sticks where `m` times the load exceeds the capacity.

use crate::fifo::Fifo;
use crate::given::{document, scenario};
use darkregion::model::fidelity::Fidelity;
use darkregion::model::measure::{Impact, Measure};
use darkregion::model::outcome::Outcome;
use darkregion::model::scenario::Scenario;
use darkregion::objectives::{self, Columns, Series};
use darkregion::scenario::builtin;
use darkregion::simulate::Simulator;
use darkregion::slis;

/// A run, and whether its end is called metastable.
struct Run {
    outcome: Outcome,
    metastable: bool,
}

fn run(name: &str, sets: &[&str]) -> Run {
    let text = builtin(name).expect("it is built in");
    judged(&scenario(text, None, sets))
}

/// The same with every request on its own, the site shrunk.
fn single(name: &str, scale: f64, sets: &[&str]) -> Run {
    let text = builtin(name).expect("it is built in");
    let small = document(text, None, sets).computed(Fidelity::Request, scale);
    judged(small.scenario())
}

fn judged(scenario: &Scenario) -> Run {
    let outcome = Simulator::new(scenario).run(1, 0);
    let columns = Columns::new(slis::all(), [scenario]);
    let series = Series::of(&outcome.windows, columns.slis());
    let row = objectives::measure(scenario, &columns, &series, &outcome, 0);
    let column = columns.position(&Measure::Impact(Impact::Metastable));
    let metastable = row.values[column.expect("a column")].as_f64() == 1.0;
    Run {
        outcome,
        metastable,
    }
}

impl Run {
    /// Attempts and good answers per second over the last minute.
    fn at_the_end(&self) -> (f64, f64) {
        let windows = &self.outcome.windows;
        let end = windows.last().expect("there are windows").until.secs();
        let last = crate::given::over(&self.outcome, end - 61.0, end);
        let answers = last.answered_ok + last.answered_error + last.unreachable;
        let secs = last.window_secs;
        (answers as f64 / secs, last.answered_ok as f64 / secs)
    }

    /// Stuck or healed: the verdict and the goodput have to agree.
    fn stuck(&self, load: f64) -> bool {
        let (_, good) = self.at_the_end();
        assert!(
            self.metastable == (good < 0.5 * load),
            "called metastable: {}, goodput {good} of {load}",
            self.metastable
        );
        self.metastable
    }
}

fn set(key: &str, value: impl std::fmt::Display) -> String {
    format!("{key}={value}")
}

/// Whether `metastable-retries` sticks at a load, after an outage.
fn retries(load: f64, outage: &str, more: &[&str]) -> bool {
    let (load_key, length) = (
        set("market.queries.requests", format!("{load}/s")),
        set("fault[0].for", outage),
    );
    let mut sets = vec![load_key.as_str(), length.as_str()];
    sets.extend(more);
    run("metastable-retries", &sets).stuck(load)
}

/// Whether `metastable-mongo` sticks after a cut of so many percent.
fn mongo(cut: f64, length: &str, more: &[&str]) -> bool {
    let (cut, length) = (
        set("fault[0].slowness", 1.0 / (1.0 - cut / 100.0)),
        set("fault[0].for", length),
    );
    let mut sets = vec![cut.as_str(), length.as_str()];
    sets.extend(more);
    run("metastable-mongo", &sets).stuck(6200.0)
}

const CANCELLED: &str = "service.*.cancel=true";

#[test]
fn an_outage_sticks_where_attempts_times_load_exceed_the_capacity() {
    for load in [100.0, 140.0, 145.0, 155.0, 200.0, 280.0] {
        let theory = 2.0 * load > 300.0;
        assert_eq!(retries(load, "10s", &[]), theory, "{load}/s");
        assert!(!retries(load, "10s", &[CANCELLED]), "{load}/s, cancelled");
    }
}

#[test]
fn stuck_it_makes_all_attempts_and_answers_nobody() {
    let (attempts, good) = run("metastable-retries", &[]).at_the_end();
    assert!((attempts / 560.0 - 1.0).abs() < 0.03, "{attempts}");
    assert!(good < 3.0, "{good}");
    let (attempts, good) = run("metastable-mongo", &[]).at_the_end();
    assert!((attempts / 31_000.0 - 1.0).abs() < 0.03, "{attempts}");
    assert!(good < 62.0, "{good}");
}

#[test]
fn an_outage_within_the_timeout_heals_and_a_longer_one_sticks() {
    for (outage, sticks) in [
        ("250ms", false),
        ("500ms", false),
        ("2s", true),
        ("5s", true),
        ("30s", true),
    ] {
        assert_eq!(retries(280.0, outage, &[]), sticks, "{outage}");
        assert!(!retries(280.0, outage, &[CANCELLED]), "{outage}");
    }
}

#[test]
fn a_queue_shorter_than_the_timeout_cannot_stick() {
    // A full queue of 200 is served in two thirds of a second, one of 600 in two.
    assert!(!retries(280.0, "10s", &["service.database.queue=200"]));
    assert!(retries(280.0, "10s", &["service.database.queue=450"]));
    // Or, told the other way, clients that are more patient than the queue is long.
    assert!(!retries(280.0, "10s", &["device.web-tier.timeout=3s"]));
}

#[test]
fn it_escapes_when_the_load_falls_below_capacity_over_attempts() {
    let relief = |factor: f64| {
        let fault = |kind: &str, rest: &str| format!("{{ kind = '{kind}', at = {rest} }}");
        let outage = "'1min', for = '10s', service = 'database', slowness = 1000";
        let faults = format!(
            "fault=[{}, {}]",
            fault("service-degraded", outage),
            fault(
                "demand-surge",
                &format!("'3min', for = '2min', factor = {factor}")
            ),
        );
        retries(280.0, "10s", &[&faults, "fault[0].for=10s"])
    };
    for factor in [0.1, 0.4, 0.5] {
        assert!(!relief(factor), "{} /s", 280.0 * factor);
    }
    for factor in [0.57, 0.7, 0.9] {
        assert!(relief(factor), "{} /s", 280.0 * factor);
    }
}

#[test]
fn it_heals_where_retries_fit_into_what_is_to_spare() {
    for (budget, sticks) in [(0.0, false), (0.05, false), (0.1, true), (1.0, true)] {
        let budget = set("device.web-tier.retry_budget", budget);
        assert_eq!(retries(280.0, "10s", &[&budget]), sticks, "{budget}");
    }
    // Nor where nothing is retried while all fails.
    assert!(!retries(
        280.0,
        "10s",
        &["device.web-tier.retry_breaker=0.1"]
    ));
}

#[test]
fn a_cut_of_capacity_heals_at_78_percent_and_sticks_at_80() {
    for (cut, sticks) in [
        (50.0, false),
        (70.0, false),
        (78.0, false),
        (80.0, true),
        (90.0, true),
    ] {
        assert_eq!(mongo(cut, "10s", &[]), sticks, "{cut} %");
        assert!(!mongo(cut, "10s", &[CANCELLED]), "{cut} %, cancelled");
    }
    for (length, sticks) in [("5s", false), ("8s", false), ("12s", true), ("20s", true)] {
        assert_eq!(mongo(80.0, length, &[]), sticks, "{length}");
    }
    // Five attempts at 3,100/s are below the capacity of 16,316/s: nothing sticks.
    assert!(
        !run(
            "metastable-mongo",
            &["market.requests.requests=3100/s", "fault[0].slowness=50"]
        )
        .stuck(3100.0)
    );
}

#[test]
fn the_boundary_does_not_depend_on_the_step() {
    for step in ["step=500ms", "step=250ms"] {
        assert!(!mongo(78.0, "10s", &[step]), "{step}");
        assert!(mongo(80.0, "10s", &[step]), "{step}");
    }
}

#[test]
fn counted_queues_fall_on_the_side_of_a_queue_served_request_by_request() {
    let retries_by_request = |load: f64, outage: f64| {
        let fifo = Fifo {
            load,
            capacity: 300.0,
            queue: 620,
            cut: (60.0, outage, 1e-3),
            // A response takes a fifteenth of a second of a slot.
            timeout: 1.0 - 1.0 / 15.0,
            attempts: 2,
        };
        fifo.goodput((300.0, 360.0), 1) < 0.5 * load
    };
    for (load, outage) in [(145.0, 10.0), (155.0, 10.0), (280.0, 0.5), (280.0, 1.2)] {
        let counted = retries(load, &format!("{outage}s"), &[]);
        assert_eq!(
            counted,
            retries_by_request(load, outage),
            "{load}/s, {outage} s"
        );
    }
    for cut in [78.0, 80.0] {
        let fifo = Fifo {
            load: 6200.0,
            capacity: 64.0 / 3.9226e-3,
            queue: 400_000,
            cut: (10.0, 10.0, 1.0 - cut / 100.0),
            timeout: 3.0,
            attempts: 5,
        };
        let by_request = fifo.goodput((50.0, 60.0), 1) < 3100.0;
        assert_eq!(mongo(cut, "10s", &[]), by_request, "{cut} %");
    }
}

#[test]
fn a_lost_cache_stays_empty_unless_its_store_can_carry_what_comes() {
    let stuck = |load: f64, more: &[&str]| {
        let load_key = set("market.reads.requests", format!("{load}/s"));
        let mut sets = vec![load_key.as_str()];
        sets.extend(more);
        let run = run("metastable-cache", &sets);
        run.metastable
    };
    let mut before = false;
    for load in [270.0, 400.0, 800.0, 1500.0, 3000.0] {
        let now = stuck(load, &[]);
        assert!(now >= before, "a higher load of {load}/s heals");
        before = now;
        assert!(!stuck(load, &[CANCELLED]), "{load}/s, cancelled");
        let patient = ["service.cache.calls[0].timeout=30s"];
        assert!(!stuck(load, &patient), "{load}/s, patient");
    }
    assert!(before && !stuck(270.0, &[]));
}

/// The boundaries of the counted queues, request by request: nothing of it is computed by the same code.
#[test]
fn single_requests_stick_and_heal_where_counted_ones_do() {
    let retries = |sets: &[&str], load: f64| single("metastable-retries", 1.0, sets).stuck(load);
    for (load, sticks) in [(100.0, false), (140.0, false), (200.0, true), (280.0, true)] {
        let set = set("market.queries.requests", format!("{load}/s"));
        assert_eq!(retries(&[&set], load), sticks, "{set}");
        assert!(!retries(&[&set, CANCELLED], load), "{set}, cancelled");
    }
    for (set, sticks) in [
        ("fault[0].for=250ms", false),
        ("fault[0].for=500ms", false),
        ("fault[0].for=2s", true),
        ("fault[0].for=30s", true),
        ("service.database.queue=200", false),
        ("service.database.queue=450", true),
        ("device.web-tier.retry_budget=0.05", false),
        ("device.web-tier.retry_budget=0.1", true),
        ("device.web-tier.retry_breaker=0.1", false),
    ] {
        assert_eq!(retries(&[set], 280.0), sticks, "{set}");
        assert!(!retries(&[set, CANCELLED], 280.0), "{set}, cancelled");
    }
    // Stuck, it makes all attempts and answers nobody.
    let (attempts, good) = single("metastable-retries", 1.0, &[]).at_the_end();
    assert!((attempts / 560.0 - 1.0).abs() < 0.05, "{attempts}");
    assert!(good < 3.0, "{good}");
}

#[test]
fn single_requests_feel_a_cut_as_counted_ones_do() {
    let mongo = |cut: f64, more: &[&str]| {
        let cut = set("fault[0].slowness", 1.0 / (1.0 - cut / 100.0));
        let mut sets = vec![cut.as_str(), "horizon=3min"];
        sets.extend(more);
        single("metastable-mongo", 0.25, &sets).stuck(1550.0)
    };
    assert!(!mongo(70.0, &[]) && mongo(90.0, &[]));
    assert!(!mongo(90.0, &[CANCELLED]));
    assert!(!mongo(80.0, &["fault[0].for=5s"]) && mongo(80.0, &["fault[0].for=20s"]));
}

#[test]
fn a_lost_cache_stays_empty_request_by_request() {
    let stuck = |load: f64, more: &[&str]| {
        let load = set("market.reads.requests", format!("{load}/s"));
        let mut sets = vec![load.as_str()];
        sets.extend(more);
        single("metastable-cache", 1.0, &sets).metastable
    };
    assert!(!stuck(270.0, &[]) && stuck(1500.0, &[]));
    assert!(!stuck(1500.0, &[CANCELLED]));
    assert!(!stuck(1500.0, &["service.cache.calls[0].timeout=30s"]));
}

#[test]
fn overload_and_a_fault_that_lasts_are_not_metastable() {
    // Above the capacity it is broken before anything happens, and for a reason.
    let overload = run("metastable-retries", &["market.queries.requests=330/s"]);
    assert!(overload.at_the_end().1 < 165.0 && !overload.metastable);
    // The fault is still there at the horizon, or has only just ended.
    for length in ["1h", "6min30s"] {
        let lasting = run("metastable-retries", &[&set("fault[0].for", length)]);
        assert!(
            lasting.at_the_end().1 < 140.0 && !lasting.metastable,
            "{length}"
        );
    }
    // More comes than usual, and has not stopped coming.
    let surge = "fault=[{ kind = 'demand-surge', at = '1min', for = '1h', factor = 1.5 }]";
    let surge = run("metastable-retries", &[surge]);
    assert!(surge.at_the_end().1 < 200.0 && !surge.metastable);
    // When it has stopped, it is.
    let past = "fault=[{ kind = 'demand-surge', at = '1min', for = '1min', factor = 1.5 }]";
    assert!(run("metastable-retries", &[past]).metastable);
}

#[test]
fn small_pools_close_to_their_capacity_say_so() {
    let outside = run("metastable-retries", &[]).outcome.outside_validity;
    let outside = outside.expect("280 of 300 are close to the capacity");
    assert!(outside.pool.contains("database"), "{}", outside.pool);
}

/// A hundred clients make 500 calls per second together, each of which fails by chance.
const CLIENTS: &str = r#"
format = 1
horizon = "20min"

[[region]]
name = "site"
zones = 1

[[market]]
name = "calls"
near = ["site"]
requests = "500/s"

[[device]]
name = "client"
share = 1.0
direct = true
attempts = 1
backoff = { base = "1ms", factor = 1.0, cap = "1ms", jitter = 0.0 }

[[service]]
name = "service"
headroom = 9.0

[variation]
demand = 0.0
store = 0.0
catalogue = 0.0

[policy]
use = "none"
"#;

/// Share of the calls that succeed, attempts per call, and calls, when attempts fail with chance `f`.
fn policy(fidelity: Fidelity, f: f64, sets: &[&str]) -> (f64, f64, f64) {
    let failing = set("ambient.request_failure", f);
    let mut all = vec![failing.as_str()];
    all.extend(sets);
    let document = document(CLIENTS, None, &all).computed(fidelity, 1.0);
    let ledger = Simulator::new(document.scenario()).run(3, 0).ledger;
    let calls = ledger.starts as f64;
    assert!(calls > 5e5 || sets.contains(&"horizon=1min"));
    (
        ledger.starts_ok as f64 / calls,
        ledger.attempts as f64 / calls,
        calls,
    )
}

fn close(what: &str, got: f64, want: f64, within: f64) {
    assert!((got - want).abs() <= within, "{what}: {got}, not {want}");
}

/// Retry policies as compared by Marc Brooker, <https://brooker.co.za/blog/2022/02/28/retries.html>.
#[test]
fn retry_policies_trade_success_for_load() {
    for fidelity in [Fidelity::Cohort, Fidelity::Request] {
        retry_policies(fidelity);
    }
}

fn retry_policies(fidelity: Fidelity) {
    let policy = |f: f64, sets: &[&str]| policy(fidelity, f, sets);
    const FOUR: &str = "device.client.attempts=4";
    const BUCKET: &[&str] = &[
        FOUR,
        "device.client.retry_budget=0.1",
        "device.client.retry_burst=500",
    ];
    for f in [0.02_f64, 0.05, 0.2, 0.5, 0.9] {
        let (success, load, _) = policy(f, &[]);
        close("without retries", success, 1.0 - f, 0.003);
        assert_eq!(load, 1.0);

        let (success, load, _) = policy(f, &[FOUR]);
        let lost = f * f * f * f;
        close("four attempts succeed", success, 1.0 - lost, 0.003);
        close("four attempts", load, (1.0 - lost) / (1.0 - f), 0.01);

        // A token for ten calls, five to begin with for each of a hundred clients.
        let (success, load, calls) = policy(f, BUCKET);
        let each = calls / 100.0;
        if f > 1.0 / 11.0 {
            close("a bucket", load, 1.1 + 4.0 / each, 0.002);
            close(
                "a bucket succeeds",
                success,
                (1.1 + 4.0 / each) * (1.0 - f),
                0.003,
            );
        } else {
            close(
                "a bucket that is not empty",
                load,
                (1.0 - lost) / (1.0 - f),
                0.01,
            );
        }

        let (success, load, _) = policy(f, &[FOUR, "device.client.retry_breaker=0.1"]);
        if f >= 0.2 {
            close("a breaker", load, 1.0, 0.003);
            close("a breaker succeeds", success, 1.0 - f, 0.003);
        } else {
            close("a closed breaker", load, (1.0 - lost) / (1.0 - f), 0.01);
        }
    }
    // What the bucket holds at the beginning shows in a short run: 5 of 300 calls per client.
    let short = [BUCKET, &["horizon=1min"]].concat();
    let (_, load, calls) = policy(0.5, &short);
    let tokens = (load - 1.1) * calls / 100.0;
    assert!(
        (3.9..5.1).contains(&tokens),
        "{tokens} tokens at the beginning"
    );
}
