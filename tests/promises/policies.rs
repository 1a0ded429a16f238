//! Every policy of the registry goes through every odd shape of world without falling over.

use crate::given::{document, policy_names, scenario};
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;
use darkregion::units::Time;

/// A small world with so many regions and markets, each near its own region.
fn world(regions: usize, markets: usize) -> String {
    let mut text = String::from("format = 1\nhorizon = \"8min\"\n");
    for r in 0..regions {
        text += &format!("[[region]]\nname = \"r{r}\"\nzones = {}\n", 1 + r % 3);
    }
    for m in 0..markets {
        text += &format!(
            "[[market]]\nname = \"m{m}\"\nnear = [\"r{}\"]\nstarts = \"{}/s\"\n",
            m % regions,
            20 * (m + 1)
        );
    }
    text
}

fn dark(region: usize, at_secs: u64, for_secs: u64, more: &str) -> String {
    format!(
        "[[fault]]\nkind = \"region-dark\"\nregion = \"r{region}\"\nat = \"{at_secs}s\"\n\
         for = \"{for_secs}s\"\n{more}\n"
    )
}

fn shapes() -> Vec<(&'static str, String)> {
    vec![
        ("one region", world(1, 1) + &dark(0, 120, 120, "")),
        ("one region, plain requests", {
            world(1, 2).replace("starts", "requests") + &dark(0, 120, 120, "")
        }),
        (
            "two regions",
            world(2, 3) + &dark(1, 120, 120, "mode = \"hang\""),
        ),
        ("five regions, two faults", {
            world(5, 4) + &dark(0, 100, 100, "") + &dark(3, 150, 200, "")
        }),
        ("one after the other", {
            world(3, 3) + &dark(0, 60, 90, "") + &dark(1, 180, 90, "") + &dark(0, 300, 60, "")
        }),
        (
            "the same twice at once",
            world(2, 2) + &dark(0, 60, 90, "") + &dark(0, 90, 120, ""),
        ),
        (
            "all dark",
            (0..3).fold(world(3, 3), |text, r| text + &dark(r, 120, 120, "")),
        ),
        (
            "dark from the first moment",
            world(2, 2) + &dark(0, 0, 480, ""),
        ),
        (
            "announced",
            world(3, 3) + &dark(0, 240, 120, "announced = \"2min\""),
        ),
        ("announced to an empty region", {
            world(4, 3) + &dark(3, 240, 120, "announced = \"4min\"")
        }),
    ]
}

fn check(outcome: &Outcome, what: &str) {
    let l = outcome.ledger;
    assert_eq!(
        l.starts,
        l.starts_ok + l.starts_failed + l.starts_ambient + l.starts_waiting,
        "{what}"
    );
    let served: f64 = outcome.windows.iter().map(|w| w.global.window_secs).sum();
    assert!(served > 0.0, "{what}: windows observe nothing");
    for window in &outcome.windows {
        let all = &window.global;
        let of = |f: fn(&darkregion::model::observation::Observation) -> f64| -> (f64, f64) {
            (f(all), window.regions.iter().map(f).sum())
        };
        for (whole, parts) in [
            of(|o| o.answered_ok as f64),
            of(|o| o.unreachable as f64),
            of(|o| o.playing_secs),
            of(|o| o.slot_secs),
            of(|o| o.latency.total()),
        ] {
            let near = (whole - parts).abs() <= 1e-9 * whole.abs().max(1.0);
            assert!(
                near && whole.is_finite(),
                "{what}: regions add up to {parts}, not {whole}"
            );
        }
    }
}

#[test]
fn every_policy_survives_every_shape() {
    for (shape, text) in shapes() {
        for policy in policy_names() {
            let document = document(&text, Some(policy), &[]);
            let outcome = Simulator::new(document.scenario()).run(7, 0);
            check(&outcome, &format!("{shape} under {policy}"));
        }
    }
}

#[test]
fn every_policy_leaves_a_world_without_faults_alone() {
    let calm = world(3, 3);
    for policy in policy_names() {
        let outcome = Simulator::new(document(&calm, Some(policy), &[]).scenario()).run(7, 0);
        assert_eq!(outcome.marks.first_action, None, "{policy}");
        assert_eq!(outcome.ledger.starts_failed, 0, "{policy}");
    }
}

#[test]
fn every_policy_that_fails_over_helps_when_there_is_time_and_capacity() {
    let text = world(3, 3) + &dark(0, 60, 400, "");
    let failed = |policy: &str| {
        let sets = [
            "edge.global=true",
            "service.*.headroom=2",
            "edge.headroom=3",
        ];
        let document = document(&text, Some(policy), &sets);
        Simulator::new(document.scenario())
            .run(7, 0)
            .ledger
            .starts_failed
    };
    let none = failed("none");
    for policy in policy_names().into_iter().filter(|p| *p != "none") {
        assert!(
            failed(policy) * 2 < none,
            "{policy}: {} of {none}",
            failed(policy)
        );
    }
}

/// Slots in service in the survivors over the minutes after the last region went dark, and the log.
fn survivors(sets: &[&str]) -> (f64, Vec<String>, u64) {
    let text = world(3, 3).replace("0/s", "000/s") + &dark(2, 120, 300, "");
    let document = document(&text, Some("flow"), sets);
    let outcome = Simulator::new(document.scenario()).run(7, 0);
    let after = outcome.windows.iter().filter(|w| w.from.secs() >= 120.0);
    let slots = after.flat_map(|w| &w.regions[..2]).map(|r| r.slot_secs);
    let log = outcome
        .log
        .iter()
        .map(|e| format!("{}: {}", e.part, e.what));
    (slots.sum(), log.collect(), outcome.digest)
}

#[test]
fn flow_scales_the_survivors_before_their_autoscalers_would() {
    let scaling = "service.*.scaling={ delay = \"60s\", interval = \"60s\", most = 3 }";
    let exact = "policy.estimate_error=0";
    let (with, log, _) = survivors(&[scaling, exact]);
    let (without, other, _) = survivors(&[scaling, exact, "policy.prescale=false"]);
    let scales = |log: &[String]| log.iter().any(|line| line.contains("ScaleUp"));
    assert!(scales(&log), "{log:#?}");
    assert!(!scales(&other), "{other:#?}");
    assert!(with > without, "{with} and {without}: {log:#?} {other:#?}");
}

#[test]
fn without_scaling_there_is_nothing_to_prescale() {
    let digest = |sets: &[&str]| survivors(sets).2;
    let off = ["policy.prescale=false", "policy.freeze_scale_in=false"];
    assert_eq!(digest(&[]), digest(&off));
}

/// A service of one region fails three requests in ten, which the edge repeats elsewhere.
const HALF_BROKEN: &str = r#"
format = 1
horizon = "45min"
[[region]]
name = "east"
[[region]]
name = "west"
[[region]]
name = "north"
[[market]]
name = "e"
near = ["east","west","north"]
starts = "300/s"
[[market]]
name = "w"
near = ["west","east","north"]
starts = "300/s"
[edge]
global = true
[[service]]
name = "front"
headroom = 1.3
calls = [{ to = "mid", critical = true, timeout = "800ms" }]
[[service]]
name = "mid"
headroom = 1.3
[[request]]
name = "start"
to = "front"
start = 2
[[request]]
name = "renew"
to = "front"
every = "60s"
renews = true
[[fault]]
kind = "service-degraded"
region = "east"
service = "mid"
errors = "30 %"
at = "8min"
for = "10min"
[[objective]]
sli = "error_rate"
target = "< 1 %"
[policy]
use = "edge-proxy"
detect = { sli = "error_rate", limit = "5 %", for = "60s" }
failback = { stable = "3min", stages = [0.01, 0.25, 1], hold = "1min", most_errors = "2 %" }
"#;

#[test]
fn a_half_broken_region_is_found_by_its_own_errors_evacuated_and_given_back() {
    let run = |set: &[&str]| Simulator::new(&scenario(HALF_BROKEN, None, set)).run(1, 0);
    let after = |outcome: &Outcome, at: Option<Time>| {
        let fault = outcome.marks.fault.expect("there is a fault");
        at.map(|at| at.since(fault).secs())
    };
    let whole = run(&[]);
    // A minute of windows beyond the limit, which are ten seconds old.
    assert_eq!(after(&whole, whole.marks.detect), Some(70.0));
    let shifted = after(&whole, whole.marks.shifted).expect("it is evacuated");
    assert!((70.0..110.0).contains(&shifted), "{shifted}");
    // The region is well after ten minutes, stable for three, and back in stages.
    let back = after(&whole, whole.marks.failback).expect("it is given back");
    assert!((900.0..1020.0).contains(&back), "{back}");
    // Whoever decides takes time about what fails, as about what is dead.
    let slow = run(&["policy.decide=5min"]);
    assert_eq!(after(&slow, slow.marks.decide), Some(370.0));
    // Health checks alone see nothing.
    let blind = run(&["policy.detect=health"]);
    assert_eq!((blind.marks.detect, blind.marks.shifted), (None, None));
}
