//! A scope moves what it names and nothing else.

use crate::given::{PARTS, assert_same_windows, drill, outcome, over, policy_names, scenario};
use darkregion::model::measure::{Measure, TimeMeasure};
use darkregion::model::observation::Observation;
use darkregion::model::outcome::Outcome;
use darkregion::objectives::{self, Columns, Series};
use darkregion::simulate::Simulator;
use darkregion::slis;

/// A service in the middle fails in birch; somebody notices at once. Nothing lacks capacity.
const FAILS: &str = r#"
[[fault]]
kind = "service-degraded"
region = "birch"
service = "rights"
errors = "95 %"
at = "3min"
for = "6min"
"#;

/// The same, but nothing fails: it only takes somewhat longer.
const SLOW: &str = r#"
[[fault]]
kind = "service-degraded"
region = "birch"
service = "rights"
slowness = 1.5
at = "3min"
for = "8min"
"#;

const CALM: [&str; 9] = [
    "service.*.headroom=4",
    "edge.headroom=4",
    "policy.detect={ manual = '0s' }",
    "policy.spread=nearest",
    "policy.route=['edge']",
    "policy.isolate=false",
    "policy.dark_capacity=false",
    "device.*.fallback_after=0",
    "variation.demand=0",
];

fn run(fault: &str, policy: &str, sets: &[&str]) -> Outcome {
    let sets: Vec<&str> = CALM.iter().chain(sets).copied().collect();
    // What sessions ask for when they find themselves elsewhere would come on top.
    let parts = PARTS.replace("region-change", "reconnect");
    outcome(&format!("{parts}{fault}"), Some(policy), &sets)
}

/// A measure of each region between two moments, in seconds.
fn by_region(
    outcome: &Outcome,
    (from, until): (f64, f64),
    of: fn(&Observation) -> f64,
) -> Vec<f64> {
    (0..3)
        .map(|r| {
            let windows = outcome.windows.iter();
            let within = windows.filter(|w| w.from.secs() >= from && w.until.secs() <= until);
            within.map(|w| of(&w.regions[r])).sum()
        })
        .collect()
}

/// What each region was asked more than without a policy, as a share of what birch was asked.
fn moved(sets: &[&str]) -> Vec<f64> {
    let asked = |policy: &str, sets: &[&str]| {
        by_region(&run(SLOW, policy, sets), (500.0, 660.0), |o| o.asked)
    };
    let (none, scoped) = (asked("none", &[]), asked("edge-proxy", sets));
    let changes = scoped.iter().zip(&none).map(|(a, b)| (a - b) / none[1]);
    changes.collect()
}

fn assert_near(found: &[f64], wanted: &[f64], what: &str) {
    for (found_one, wanted_one) in found.iter().zip(wanted) {
        assert!(
            (found_one - wanted_one).abs() < 0.01,
            "{what}: {found:?}, not {wanted:?}"
        );
    }
}

#[test]
fn only_requests_on_their_way_to_a_named_service_move() {
    // Through the edge, 95 %: 2 x 400 starts a second and a renewal a minute of each of 276,000
    // sessions lead to `rights`, half a look a minute does not.
    let playing = 400.0 * 690.0 * 0.995;
    let (plays, looks) = (800.0 + playing / 60.0, playing / 120.0);
    let share = 0.95 * plays / (plays + looks);
    for service in ["rights", "play"] {
        let scope = format!("policy.scope={{ services = ['{service}'] }}");
        assert_near(&moved(&[&scope]), &[0.0, -share, share], service);
    }
    let rest = 0.95 - share;
    let looks = ["policy.scope={ services = ['advice'] }"];
    assert_near(&moved(&looks), &[0.0, -rest, rest], "advice");
}

#[test]
fn only_devices_of_a_named_class_move() {
    for (classes, share) in [
        ("'sticky'", 0.15),
        ("'modern'", 0.8),
        // Edges do not see those that talk to their region directly.
        ("'legacy'", 0.0),
        ("'legacy', 'sticky'", 0.15),
    ] {
        let scope = format!("policy.scope={{ devices = [{classes}] }}");
        assert_near(&moved(&[&scope]), &[0.0, -share, share], classes);
    }
}

#[test]
fn names_of_a_class_move_without_the_others() {
    let began = |policy: &str, classes: &str| {
        let scope = format!("policy.scope={{ devices = [{classes}] }}");
        let sets = ["policy.route=['dns']", &scope];
        by_region(&run(SLOW, policy, &sets), (300.0, 660.0), |o| {
            o.starts_ok as f64
        })
    };
    let none = began("none", "'legacy'");
    for (classes, share) in [
        ("'legacy'", 0.05),
        ("'modern'", 0.8),
        ("'legacy', 'modern'", 0.85),
    ] {
        let moved = began("dns-only", classes);
        let changes = moved.iter().zip(&none).map(|(a, b)| (a - b) / none[1]);
        let changes: Vec<f64> = changes.collect();
        assert_near(&changes, &[0.0, -share, share], classes);
    }
}

#[test]
fn what_fails_in_the_scope_is_well_again_sooner_than_without_a_policy() {
    let rto = |policy: &str, sets: &[&str]| -> f64 {
        let sets: Vec<&str> = CALM.iter().chain(sets).copied().collect();
        let scenario = scenario(&format!("{PARTS}{FAILS}"), Some(policy), &sets);
        let outcome = Simulator::new(&scenario).run(1, 0);
        let columns = Columns::new(slis::all(), [&scenario]);
        let series = Series::of(&outcome.windows, columns.slis());
        let row = objectives::measure(&scenario, &columns, &series, &outcome, 0);
        let rto = columns.position(&Measure::Time(TimeMeasure::Rto));
        row.values[rto.expect("a column")].as_f64()
    };
    // Edges do not see those that bypass them, and try nothing twice.
    let seen = ["policy.edge_retry=false", "device.legacy.direct=false"];
    let none = rto("none", &seen);
    let scoped = |service: &str| {
        let scope = format!("policy.scope={{ services = ['{service}'] }}");
        rto("edge-proxy", &[seen[0], seen[1], &scope])
    };
    let (scoped, other) = (scoped("rights"), scoped("advice"));
    assert!(
        none >= 360.0,
        "without a policy it lasts as long as the fault: {none}"
    );
    assert!(scoped < 0.5 * none, "{scoped} against {none}");
    assert!(other >= 360.0, "what fails is not in that scope: {other}");
}

#[test]
fn what_is_not_in_the_scope_is_not_isolated() {
    // Looks leave; plays fail in birch and are tried again elsewhere, isolated or not.
    let failed = |isolate: &str, retry: &str| {
        let sets = [
            "policy.scope={ services = ['advice'] }",
            "policy.edge_retry_budget=inf",
            "control.delay=1s",
            isolate,
            retry,
        ];
        over(&run(FAILS, "edge-proxy", &sets), 300.0, 540.0).answered_error as f64
    };
    let (isolated, open) = (
        failed("policy.isolate=true", "policy.edge_retry=true"),
        failed("policy.isolate=false", "policy.edge_retry=true"),
    );
    let never = failed("policy.isolate=false", "policy.edge_retry=false");
    assert!(isolated < 0.2 * never, "{isolated} against {never}");
    assert!(
        (isolated - open).abs() < 0.2 * open,
        "{isolated} against {open}"
    );
}

#[test]
fn a_scope_of_everything_is_the_whole_region() {
    for policy in policy_names() {
        let whole = outcome(&drill(), Some(policy), &[]);
        let scope = ["policy.scope={ devices = ['legacy', 'modern', 'sticky'] }"];
        let all = outcome(&drill(), Some(policy), &scope);
        assert_eq!(whole.digest, all.digest, "{policy}");
        assert_same_windows(&whole.windows, &all.windows, policy);
    }
    let whole = outcome(&drill(), Some("edge-proxy"), &[]);
    let scope = ["policy.scope={ services = ['play', 'browse'] }"];
    let all = outcome(&drill(), Some("edge-proxy"), &scope);
    assert_same_windows(&whole.windows, &all.windows, "all services");
    let some = outcome(
        &drill(),
        Some("edge-proxy"),
        &["policy.scope={ services = ['browse'] }"],
    );
    assert_ne!(whole.ledger, some.ledger, "a scope matters otherwise");
}

#[test]
fn a_scope_without_a_failover_changes_nothing() {
    let plain = outcome(PARTS, Some("edge-proxy"), &[]);
    for scope in [
        "policy.scope={ services = ['rights'] }",
        "policy.scope={ devices = ['sticky'] }",
    ] {
        let scoped = outcome(PARTS, Some("edge-proxy"), &[scope]);
        assert_eq!(plain.ledger, scoped.ledger, "{scope}");
    }
}

#[test]
fn the_rest_comes_back_as_it_was() {
    let back =
        "policy.failback={ stable = '30s', stages = [0.5, 1], hold = '10s', gate_caches = false }";
    let sets = [
        back,
        "policy.cool_down=0s",
        "policy.scope={ services = ['rights'] }",
    ];
    let short = SLOW.replace("8min", "3min");
    let asked = |policy: &str, sets: &[&str]| {
        by_region(&run(&short, policy, sets), (600.0, 720.0), |o| o.asked)
    };
    let (none, scoped) = (asked("none", &[]), asked("edge-proxy", &sets));
    for (a, b) in scoped.iter().zip(&none) {
        assert!((a / b - 1.0).abs() < 0.02, "{scoped:?} against {none:?}");
    }
}

#[test]
fn the_log_says_what_moves() {
    let said = |sets: &[&str]| -> String {
        let outcome = run(SLOW, "edge-proxy", sets);
        let lines = outcome.log.iter().map(|entry| entry.what.as_str());
        lines.collect::<Vec<_>>().join("\n")
    };
    let log = said(&["policy.scope={ services = ['rights'] }"]);
    assert!(
        log.contains("new routes for what enters here on its way to rights: ash 33 %, cedar 67 %"),
        "{log}"
    );
    let log = said(&["policy.scope={ devices = ['sticky'] }"]);
    assert!(
        log.contains("new routes for what enters here from sticky devices: ash 33 %, cedar 67 %"),
        "{log}"
    );
}
