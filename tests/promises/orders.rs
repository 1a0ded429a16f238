//! What becomes of orders: who decides, what is refused and asked for again, and what is not known yet.

use crate::control::{WORLD, dark, fault, run, said};
use crate::given::outcome;

/// A world with data, and with a cache in front of `rights`; what is set comes last.
fn with_data(sets: &[&str]) -> darkregion::model::outcome::Outcome {
    let cached = "{ to = \"rights\", cache = { objects = 2_000, capacity = 1_500 } }";
    let world = WORLD.replace("{ to = \"rights\" }", cached);
    let data = "[[domain]]\nname = \"plays\"\nwritten_by = [\"start\"]\n\
                store = { mode = \"asynchronous\" }\n";
    outcome(&format!("{world}{data}{}", dark()), Some("flow"), sets)
}

/// When the traffic of a region begins to go back, with only one of the gates, by the age of metrics.
fn returns(gate: &str, delay: &str, boot: &str) -> f64 {
    let on = |name: &str| name == gate;
    let failback = format!(
        "policy.failback={{ stable = '0s', stages = [1], hold = '0s', gate_data = {}, gate_caches = {}, gate_instances = {} }}",
        on("data"),
        on("caches"),
        on("instances")
    );
    let found = with_data(&[
        "policy.cool_down=0s",
        "service.play.boot=0s",
        &format!("service.rights.boot={boot}"),
        &format!("control.delay={delay}"),
        &failback,
    ]);
    let back = said(&found, "ash", "enters GradualReturn");
    assert_eq!(back.len(), 1, "{gate}: {:#?}", found.log);
    back[0]
}

#[test]
fn gates_see_what_was_reported_and_not_what_is() {
    // Without a gate nothing that is measured decides.
    let later = |gate: &str, boot: &str| returns(gate, "100s", boot) - returns(gate, "10s", boot);
    assert_eq!(later("none", "0s"), 0.0);
    for (gate, boot, least) in [
        ("data", "0s", 40.0),
        ("caches", "0s", 70.0),
        ("instances", "150s", 70.0),
    ] {
        let later = later(gate, boot);
        assert!((least..=110.0).contains(&later), "{gate}: {later} s later");
    }
    // All instances of ash are back at 630 s, which is reported a delay later.
    let instances = returns("instances", "100s", "150s");
    assert!((730.0..=750.0).contains(&instances), "{instances}");
}

/// A drill that is aborted soon, and an incident in the same region before its cool-down is over.
#[test]
fn what_is_refused_within_the_cool_down_is_asked_for_again_and_done_after_it() {
    let drill = fault(
        "region-dark",
        "region = \"ash\"\ndrill = true\nguard = [{ sli = \"error_rate\", limit = \"< 0 %\" }]",
    );
    let incident = dark().replace("\"3min\"", "\"9min\"");
    let sets = ["control.delay=60s", "horizon=18min", "variation.demand=0"];
    let found = run("flow", &[drill, incident], &sets);
    let routes = said(&found, "ash", "new routes");
    let refused = said(&found, "actuator", "refuses new routes for ash");
    // Once in the log, however often it is asked for.
    assert_eq!(refused.len(), 1, "{:#?}", found.log);
    assert!((560.0..600.0).contains(&refused[0]), "{refused:?}");
    let first = routes[0];
    let after: Vec<f64> = routes
        .iter()
        .copied()
        .filter(|at| *at > refused[0])
        .collect();
    assert_eq!(after.len(), 1, "{:#?}", found.log);
    // The cool-down began with the order of the first routes, which took some seconds to be pushed.
    let waited = after[0] - first;
    assert!((590.0..=620.0).contains(&waited), "{waited}");
    // What follows routes has waited for them.
    let answers = said(&found, "dns", "north is answered");
    assert!(answers.iter().any(|at| *at > after[0]), "{answers:?}");
    assert!(!answers.iter().any(|at| (refused[0]..after[0]).contains(at)));
}

#[test]
fn a_market_that_may_go_nowhere_does_not_hold_the_others() {
    let coast = "[[market]]\nname = \"coast\"\nnear = [\"ash\", \"birch\", \"cedar\"]\nstarts = \"200/s\"\n";
    let limited = format!("{WORLD}{coast}").replacen(
        "near = [\"ash\", \"birch\", \"cedar\"]",
        "near = [\"ash\", \"birch\"]\nmay = [\"ash\", \"birch\"]",
        1,
    );
    let birch = dark()
        .replace("ash", "birch")
        .replace("\"3min\"", "\"5min\"");
    let text = format!("{limited}{}{birch}", dark());
    let found = outcome(&text, Some("edge-proxy"), &["policy.spread=nearest"]);
    // All that enters at ash goes to birch until that dies too; what may go on goes on to cedar.
    let refused = said(
        &found,
        "actuator",
        "refuses new routes for ash as far as north goes",
    );
    assert_eq!(refused.len(), 1, "{:#?}", found.log);
    let sent: Vec<&str> = found
        .log
        .iter()
        .filter(|entry| entry.part == "ash" && entry.what.contains("new routes"))
        .filter(|entry| entry.at.secs() >= refused[0])
        .map(|entry| entry.what.as_str())
        .collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(
        sent[0].contains("cedar") && sent[0].contains("birch"),
        "{sent:?}"
    );
    assert!(said(&found, "actuator", "refuses new routes for ash").len() == 1);
}

/// Whoever decides takes a time for each incident: after the last of those who must notice it has, and
/// once, however many reasons there are.
#[test]
fn a_person_decides_once_about_what_is_known() {
    let routed = |faults: &[String], sets: &[&str]| {
        let found = run("edge-proxy", faults, sets);
        let routes = said(&found, "ash", "new routes");
        assert!(!routes.is_empty(), "{sets:?}: {:#?}", found.log);
        routes[0]
    };
    let bad = |guard: &str| {
        let keys = format!("region = \"ash\"\nservice = \"play\"\nerrors = \"60 %\"\n{guard}");
        [fault("service-degraded", &keys)]
    };
    // An SLI is beyond its limit in the windows up to 240 s, known 10 s later; a push takes 1 to 5 s.
    let by_sli = "policy.detect={ sli = 'error_rate', limit = '5 %', for = '60s' }";
    let decide = "policy.decide=2min";
    let within = |at: f64, from: f64| (from..=from + 6.0).contains(&at);
    let sli = routed(&bad(""), &[by_sli, decide]);
    assert!(within(sli, 370.0), "{sli}");
    // A guard of the incident is breached in the first window, and in a drill it needs nobody.
    let guard = "guard = [{ sli = \"error_rate\", limit = \"< 0 %\" }]";
    let guarded = routed(&bad(guard), &[decide]);
    assert!(within(guarded, 320.0), "{guarded}");
    let drill = run(
        "edge-proxy",
        &bad(&format!("{guard}\ndrill = true")),
        &[decide],
    );
    assert_eq!(said(&drill, "guard", "aborts the drill"), [200.0]);
    assert_eq!(
        drill.marks.fault_end.expect("there is a fault").secs(),
        200.0
    );
    // That an SLI says so as well begins nothing anew.
    let both = routed(&bad(guard), &[by_sli, decide]);
    assert_eq!(both, guarded);
    let shown = |sets: &[&str]| {
        let found = run("edge-proxy", &bad(guard), sets);
        said(&found, "ash", "enters FailbackReady").first().copied()
    };
    // Decided at 230 s, and confirmed by the SLI at 250 s: not taken back meanwhile.
    let back = shown(&[by_sli, "policy.decide=30s"]).expect("it is well at last");
    assert!(back >= 480.0, "{back}");
    // Nobody decides about what nobody has noticed: at 240 s.
    let manual = routed(&[dark()], &["policy.detect={ manual = '60s' }", decide]);
    assert!(within(manual, 360.0), "{manual}");
}

/// What was wrong before a region had to be left is no part of the failover's times.
#[test]
fn a_failover_counts_from_the_fault_that_it_answers() {
    use darkregion::model::measure::{Measure, TimeMeasure};
    use darkregion::objectives::{self, Columns, Series};
    let surge = "[[fault]]\nkind = \"demand-surge\"\nfactor = 1.2\nat = \"1min\"\nfor = \"1min\"\n";
    let times = |faults: &str| {
        let scenario = crate::given::scenario(&format!("{WORLD}{faults}"), Some("edge-proxy"), &[]);
        let outcome = darkregion::simulate::simulate(&scenario, 1);
        let columns = Columns::new(&[], [&scenario]);
        let series = Series::of(&outcome.windows, columns.slis());
        let row = objectives::measure(&scenario, &columns, &series, &outcome, 0);
        let value =
            |time| row.values[columns.position(&Measure::Time(time)).expect("a column")].as_f64();
        [TimeMeasure::Detect, TimeMeasure::Decide].map(value)
    };
    let alone = times(&dark());
    assert!((20.0..=31.0).contains(&alone[0]), "{alone:?}");
    assert_eq!(times(&format!("{surge}{}", dark())), alone);
}
