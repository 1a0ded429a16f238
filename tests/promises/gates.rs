//! Knobs that hold an evacuation up or say how much is ordered for it, and a return that is taken back.

use crate::control::{WORLD, dark, fault, run, said};
use crate::given::{drill, outcome, scenario};
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;

/// Survivors that must launch, and so have something to wait for.
const SCALING: &[&str] = &[
    "service.*.scaling={ delay = '10min', interval = '10min', most = 4 }",
    "service.*.headroom=0.3",
];

fn scaled(sets: &[&str], replication: u64) -> Outcome {
    let sets: Vec<&str> = SCALING.iter().chain(sets).copied().collect();
    let text = format!("{WORLD}{}", dark());
    Simulator::new(&scenario(&text, Some("flow"), &sets)).run(1, replication)
}

#[test]
fn a_shift_that_waits_for_what_is_launched_is_as_late_as_that() {
    let routed = |sets: &[&str]| {
        let sets: Vec<&str> = ["policy.estimate_error=0", "fault[0].for=11min"]
            .iter()
            .chain(sets)
            .copied()
            .collect();
        said(&scaled(&sets, 0), "ash", "new routes")[0]
    };
    let at_once = routed(&[]);
    assert!((200.0..=220.0).contains(&at_once), "{at_once}");
    // The last instances serve 150 s after their order has arrived, which is known 10 s later and looked
    // at every 10 s; then the routes are pushed.
    let first = routed(&["policy.prescale_first=true"]);
    assert!(
        (at_once + 160.0..=at_once + 200.0).contains(&first),
        "{first}"
    );
    let old = routed(&["policy.prescale_first=true", "control.delay=60s"]);
    assert!(old >= first + 40.0, "{old} {first}");
    // What is ready serves once it has been discovered.
    let found = routed(&["policy.prescale_first=true", "service.*.discovery=60s"]);
    assert!(
        (first + 50.0..=first + 70.0).contains(&found),
        "{found} {first}"
    );
    // Nothing waits for longer than the deadline.
    let gate = "policy.gate={ utilisation = 5, deadline = '40s' }";
    let bounded = routed(&["policy.prescale_first=true", gate]);
    assert!(
        (at_once + 35.0..=at_once + 55.0).contains(&bounded),
        "{bounded}"
    );
}

/// Instances that are ordered for the survivors, of one service.
fn launched(sets: &[&str], replication: u64) -> f64 {
    let found = scaled(sets, replication);
    let notes = found
        .log
        .iter()
        .filter(|e| e.what.contains("instances of rights are launched"));
    let first = notes.filter_map(|e| e.what.split(' ').next()?.parse::<f64>().ok());
    first.sum()
}

#[test]
fn estimates_are_off_by_their_error() {
    let few = 24;
    let all = |error: &str| -> Vec<f64> {
        let set = format!("policy.estimate_error={error}");
        (0..few)
            .map(|r| launched(&[&set, "variation.demand=0"], r))
            .collect()
    };
    let exact = all("0");
    assert!(exact[0] > 2.0, "{exact:?}");
    assert!(
        exact.iter().all(|n| (n - exact[0]).abs() <= 1.0),
        "{exact:?}"
    );
    let off = all("0.4");
    let (low, high) = (
        off.iter().filter(|n| **n < exact[0] - 1.0),
        off.iter().filter(|n| **n > exact[0] + 1.0),
    );
    assert!(
        low.count() >= 3 && high.count() >= 3,
        "{off:?} around {}",
        exact[0]
    );
}

#[test]
fn a_stage_waits_while_a_target_is_too_busy() {
    let bad = [fault(
        "service-degraded",
        "region = \"ash\"\nservice = \"play\"\nerrors = \"60 %\"",
    )];
    let stages = |gate: &str| {
        let sets = [
            "policy.detect={ sli = 'error_rate', limit = '5 %', for = '20s' }",
            "policy.stages=[0.5, 1]",
            "policy.hold=30s",
            gate,
        ];
        said(&run("edge-proxy", &bad, &sets), "ash", "new routes")
    };
    // Survivors of a headroom of 4 are a fifth busy, and a third with what comes.
    let open = stages("policy.gate={ utilisation = 0.9, deadline = '90s' }");
    assert_eq!(open.len(), 2, "{open:?}");
    let shut = stages("policy.gate={ utilisation = 0.05, deadline = '90s' }");
    assert_eq!(shut.len(), 2, "{shut:?}");
    let waited = [shut[0] - open[0], shut[1] - shut[0]];
    assert!(
        (85.0..=105.0).contains(&waited[0]),
        "{shut:?} after {open:?}"
    );
    assert!((115.0..=140.0).contains(&waited[1]), "{shut:?}");
}

#[test]
fn balancers_scale_as_their_keys_say() {
    // 600/s knock at the survivors where 400/s are planned, and the limit is 480/s or 640/s.
    let scaled = |sets: &[&str]| {
        let fixed = [
            "horizon=14min",
            "fault[0].for=11min",
            "service.*.headroom=4",
            "edge.headroom=4",
            "variation.demand=0",
            "device.legacy.direct=false",
        ];
        let sets: Vec<&str> = fixed.iter().chain(sets).copied().collect();
        let found = outcome(&drill(), Some("dns-only"), &sets);
        let notes = found
            .log
            .iter()
            .filter(|e| e.what.contains("have scaled to"));
        notes
            .map(|e| (e.at.secs(), e.what.clone()))
            .collect::<Vec<_>>()
    };
    let usual = scaled(&["balancer.headroom=0.2"]);
    assert!(usual[0].1.ends_with("960/s"), "{usual:?}");
    let sooner = scaled(&["balancer.headroom=0.2", "balancer.scale_after=2min"]);
    let gained = usual[0].0 - sooner[0].0;
    assert!((175.0..=185.0).contains(&gained), "{gained}");
    let more = scaled(&["balancer.headroom=0.2", "balancer.scale_factor=3"]);
    assert!(more[0].1.ends_with("1440/s"), "{more:?}");
    let use_of = |above: &str| {
        scaled(&[
            "balancer.headroom=0.6",
            &format!("balancer.scale_above={above}"),
        ])
    };
    assert!(!use_of("0.8").is_empty());
    assert_eq!(use_of("0.99"), Vec::new());
}

/// A gray failure is seen by callers alone: without traffic the region looks well, and what comes back
/// is hurt until the fault is over.
#[test]
fn a_return_that_hurts_is_rolled_back_and_tried_later() {
    let gray = [fault(
        "gray-failure",
        "region = \"ash\"\nservice = \"play\"\nerrors = \"30 %\"",
    )
    .replace("5min", "10min")];
    let sets = [
        "horizon=22min",
        "policy.detect={ sli = 'error_rate', limit = '5 %', for = '60s' }",
        "policy.cool_down=0s",
        "policy.failback={ stable = '1min', stages = [0.25, 1], hold = '1min', most_errors = '2 %', back_off = '3min' }",
    ];
    let found = run("edge-proxy", &gray, &sets);
    let back = said(&found, "ash", "enters GradualReturn");
    let out = said(&found, "ash", "enters Stabilized");
    let routes = said(&found, "ash", "new routes");
    assert!(back.len() >= 2, "{:#?}", found.log);
    // The first return is taken back before its second stage, and the next comes no sooner than allowed.
    let taken_back = out.iter().find(|at| **at > back[0]).expect("it hurts");
    assert!(taken_back - back[0] < 60.0, "{back:?} {out:?}");
    assert!(
        routes
            .iter()
            .any(|at| (*taken_back..taken_back + 6.0).contains(at))
    );
    for pair in back.windows(2) {
        let hurt = out.iter().find(|at| **at > pair[0]).expect("it hurts");
        assert!(pair[1] - hurt >= 180.0, "{back:?} {out:?}");
    }
    // The last succeeds once nothing is wrong any more, at 780 s.
    assert!(*back.last().expect("there is one") >= 770.0);
    let normal = said(&found, "ash", "enters Normal");
    assert_eq!(normal.len(), 1, "{:#?}", found.log);
    assert_eq!(found.marks.failback.map(|at| at.secs()), Some(normal[0]));
}
