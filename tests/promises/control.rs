//! What the control plane can know: when a region answers again, what probes and health checks find
//! out, what is missing, and what the log says of it.

use crate::given::{assert_same_windows, outcome, over, scenario};
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;

/// Three regions; `play` cannot do without `rights`, and can without `advice`.
pub const WORLD: &str = r#"
format = 1
horizon = "15min"

[[region]]
name = "ash"
zones = 2

[[region]]
name = "birch"
zones = 2

[[region]]
name = "cedar"
zones = 2

[[market]]
name = "north"
near = ["ash", "birch", "cedar"]
starts = "200/s"

[[market]]
name = "middle"
near = ["birch", "ash", "cedar"]
starts = "200/s"

[[market]]
name = "south"
near = ["cedar", "ash", "birch"]
starts = "200/s"

[edge]
global = true
headroom = 4.0

[[service]]
name = "play"
slots = 2
headroom = 4.0
boot = "90s"
calls = [{ to = "rights" }, { to = "advice", fallback = "none" }]

[[service]]
name = "rights"
slots = 2
headroom = 4.0
boot = "150s"

[[service]]
name = "advice"
slots = 2
headroom = 4.0

[[request]]
name = "start"
to = "play"
start = 1
"#;

/// A fault from minute 3 for five minutes.
pub fn fault(kind: &str, keys: &str) -> String {
    format!("[[fault]]\nkind = \"{kind}\"\nat = \"3min\"\nfor = \"5min\"\n{keys}\n")
}

pub fn dark() -> String {
    fault("region-dark", "region = \"ash\"")
}

pub fn run(policy: &str, faults: &[String], sets: &[&str]) -> Outcome {
    outcome(&format!("{WORLD}{}", faults.concat()), Some(policy), sets)
}

/// When a part of the world said something.
pub fn said(outcome: &Outcome, part: &str, what: &str) -> Vec<f64> {
    let entries = outcome.log.iter();
    let says = entries.filter(|entry| entry.part == part && entry.what.contains(what));
    says.map(|entry| entry.at.secs()).collect()
}

#[test]
fn a_region_that_is_back_is_alive_once_its_instances_answer() {
    let alive = |sets: &[&str]| {
        let found = run("flow", &[dark()], sets);
        let alive = said(&found, "control plane", "ash is believed alive");
        assert_eq!(alive.len(), 1, "{:?}", found.log);
        alive[0]
    };
    // Power is back at 480 s; instances of `play`, which requests enter, serve 90 s later, and three
    // answers of two observers are within three intervals.
    let after = alive(&[]) - 570.0;
    assert!((20.0..=30.0).contains(&after), "{after}");
    // What requests do not enter is not probed.
    let same = alive(&["service.rights.boot=5min"]) - 570.0;
    assert_eq!(same, after);
    let later = alive(&["service.play.boot=150s"]) - 630.0;
    assert!((20.0..=30.0).contains(&later), "{later}");
}

#[test]
fn a_region_whose_instances_are_all_dead_answers_no_probe() {
    let kill = "[[fault]]\nkind = \"instance-kill\"\nregion = \"ash\"\nservice = \"play\"\n\
                count = 100000\nat = \"3min\"\n";
    let found = run("flow", &[kill.to_string()], &[]);
    let dead = said(&found, "control plane", "ash is believed dead");
    assert_eq!(dead.len(), 1);
    assert!((200.0..=210.0).contains(&dead[0]), "{dead:?}");
    let others = kill.replace("play", "rights");
    let found = run("flow", &[others], &[]);
    assert!(said(&found, "control plane", "ash is believed dead").is_empty());
}

#[test]
fn only_deep_probes_find_a_service_that_fails() {
    let dead = |kind: &str, service: &str, probe: &str| {
        let keys = format!("region = \"ash\"\nservice = \"{service}\"\nerrors = \"100 %\"");
        let found = run("flow", &[fault(kind, &keys)], &[probe]);
        !said(&found, "control plane", "ash is believed dead").is_empty()
    };
    let (shallow, deep) = ("control.probe=shallow", "control.probe=deep");
    for service in ["play", "rights"] {
        assert!(dead("service-degraded", service, deep), "{service}");
        assert!(!dead("service-degraded", service, shallow), "{service}");
        assert!(!dead("gray-failure", service, deep), "{service}");
    }
    // There is a fallback for it.
    assert!(!dead("service-degraded", "advice", deep));
    let calm = run("flow", &[], &[]);
    let probed = run("flow", &[], &[deep]);
    assert_same_windows(&calm.windows, &probed.windows, "nothing fails");
}

#[test]
fn what_is_missing_of_one_region_changes_nothing_there() {
    let blind = |region: &str| {
        format!(
            "[[fault]]\nkind = \"control-blind\"\nregion = \"{region}\"\nat = \"2min\"\nfor = \"13min\"\n"
        )
    };
    let told = |found: &Outcome, to: &str| {
        let routes = said(found, "ash", "new routes").len();
        let there = found.log.iter();
        let sent = there.filter(|e| e.what.contains("new routes") && e.what.contains(to));
        (routes > 0, sent.count() > 0)
    };
    let seen = run("flow", &[dark()], &[]);
    assert_eq!(told(&seen, "birch"), (true, true));
    // Nobody hears that it is dark.
    let unheard = run("flow", &[dark(), blind("ash")], &[]);
    assert_eq!(told(&unheard, "birch"), (false, false));
    assert!(unheard.marks.decide.is_none());
    // Another that is not heard of gets nothing new, and the third takes it all.
    let other = run("flow", &[dark(), blind("birch")], &[]);
    assert_eq!(told(&other, "birch"), (true, false));
    assert_eq!(told(&other, "cedar"), (true, true));
    let same = |a: &Outcome, b: &Outcome| a.marks.detect == b.marks.detect;
    assert!(same(&seen, &other));
    // Nobody hears of a bad service's SLI either.
    let bad = fault(
        "service-degraded",
        "region = \"ash\"\nservice = \"play\"\nerrors = \"60 %\"",
    );
    let detect = ["policy.detect={ sli = 'error_rate', limit = '5 %', for = '20s' }"];
    let noticed = |faults: &[String]| run("edge-proxy", faults, &detect).marks.detect.is_some();
    assert!(noticed(std::slice::from_ref(&bad)));
    assert!(noticed(&[bad.clone(), blind("cedar")]));
    assert!(!noticed(&[bad, blind("ash")]));
}

#[test]
fn the_dead_are_replaced_when_health_checks_have_found_them() {
    let kill = "[[fault]]\nkind = \"instance-kill\"\nregion = \"ash\"\nservice = \"play\"\ncount = 2\n\
                at = \"3min\"\n";
    let sets = [
        "service.play.scaling={ interval = '10s', in = false }",
        "service.play.health={ interval = '60s', threshold = 2 }",
    ];
    let found = run("none", &[kill.to_string()], &sets);
    let launched = said(&found, "ash", "instances of play are launched");
    let ejected = said(&found, "ash", "dead instances of play are ejected");
    // Both have failed two checks between one and two intervals after their death.
    assert!(!launched.is_empty() && launched.iter().all(|at| (240.0..=310.0).contains(at)));
    assert_eq!(ejected.len(), 1);
    assert!(*launched.last().expect("there are some") >= ejected[0]);
}

#[test]
fn the_log_tells_of_ejections() {
    let kill = "[[fault]]\nkind = \"instance-kill\"\nregion = \"ash\"\nservice = \"play\"\n\
                count = 2\nat = \"3min\"\n";
    let told = |sets: &[&str]| {
        let found = run("none", &[kill.to_string()], sets);
        let ejected = said(&found, "ash", "all 2 dead instances of play are ejected");
        (ejected, said(&found, "ash", "play fails open"))
    };
    let (ejected, open) = told(&["service.play.health={ interval = '10s', threshold = 2 }"]);
    assert_eq!((ejected.len(), open.len()), (1, 0));
    assert!((190.0..=200.0).contains(&ejected[0]), "{ejected:?}");
    let few = "service.play.health={ interval = '10s', threshold = 2, eject_most = 0 }";
    let (ejected, open) = told(&[few]);
    assert_eq!((ejected.len(), open.len()), (0, 1));
    // Proxies of the others send nothing to the dark region by themselves; its own edge does.
    let found = run("edge-proxy", &[dark()], &["policy.decide=1h"]);
    let ejected = said(&found, "ash", "its proxies eject ash");
    assert_eq!(ejected.len(), 1);
    assert!((180.0..=190.0).contains(&ejected[0]), "{ejected:?}");
    let again = said(&found, "ash", "its proxies use ash again");
    assert_eq!(again.len(), 1);
    assert!((480.0..=490.0).contains(&again[0]), "{again:?}");
    let never = ["policy.decide=1h", "policy.eject_after=0"];
    let found = run("edge-proxy", &[dark()], &never);
    assert!(said(&found, "ash", "its proxies eject ash").is_empty());
}

#[test]
fn launches_are_scarce_while_a_living_region_is_left() {
    let bad = fault(
        "service-degraded",
        "region = \"ash\"\nservice = \"rights\"\nerrors = \"60 %\"",
    );
    let short = |policy: &str, shortage: &str| {
        let sets = [
            "policy.detect={ sli = 'error_rate', limit = '5 %', for = '20s' }",
            "service.play.scaling={ target = 0.2, interval = '10s', delay = '10s', tolerance = 0 }",
            shortage,
        ];
        let found = run(policy, std::slice::from_ref(&bad), &sets);
        let refused = found.log.iter();
        let refused = refused.filter(|e| e.cause == "the provider is short of capacity");
        let after = over(&found, 180.0, 480.0);
        (refused.count() > 0, after.starts_ok > 0)
    };
    assert_eq!(short("edge-proxy", "launches.shortage=100 %"), (true, true));
    assert_eq!(short("edge-proxy", "launches.shortage=0"), (false, true));
    assert_eq!(short("none", "launches.shortage=100 %"), (false, true));
}

#[test]
fn what_nobody_uses_may_fail_unfelt() {
    let more = "[[region]]\nname = \"dogwood\"\n[[service]]\nname = \"spare\"\n";
    let felt = |fault: &str| {
        let all = over(
            &outcome(&format!("{WORLD}{more}{fault}"), Some("flow"), &[]),
            0.0,
            900.0,
        );
        (
            all.starts_ok,
            all.starts_failed,
            all.answered_ok,
            all.answered_error,
            all.latency,
        )
    };
    let calm = felt("");
    for (kind, keys) in [
        ("region-dark", "region = \"dogwood\""),
        ("zone-loss", "region = \"dogwood\"\nzone = 1"),
        (
            "service-degraded",
            "region = \"dogwood\"\nservice = \"play\"\nerrors = 0.5",
        ),
        (
            "service-degraded",
            "region = \"ash\"\nservice = \"spare\"\nslowness = 9",
        ),
        (
            "gray-failure",
            "region = \"ash\"\nservice = \"spare\"\nerrors = 1",
        ),
        ("bad-deployment", "service = \"spare\"\nerrors = 1"),
        ("edge-failure", "region = \"dogwood\""),
        ("partition", "between = [\"dogwood\", \"ash\"]"),
        ("launches-blocked", "region = \"dogwood\""),
    ] {
        assert!(felt(&fault(kind, keys)) == calm, "{kind} {keys}");
    }
}

#[test]
fn a_fault_that_lasts_for_no_time_is_refused() {
    use darkregion::faults::{self, Lasts};
    use darkregion::scenario::{Document, Layer};
    for kind in faults::all()
        .iter()
        .filter(|kind| kind.lasts() == Lasts::Always)
    {
        let text = format!(
            "{WORLD}[[fault]]\nkind = \"{}\"\nat = \"3min\"\nfor = \"0s\"\n",
            kind.name()
        );
        let loaded = Document::load(
            "given",
            Layer::file("given.toml", &text, None),
            None,
            Vec::new(),
        );
        let told = loaded.expect_err("it is refused").to_string();
        assert!(told.contains("fault[0].for: 0s is out of range"), "{told}");
    }
}

/// So many replications, with few viewers.
fn runs(count: u64, policy: &str, faults: &[String], sets: &[&str]) -> Vec<Outcome> {
    let few = ["market.north.starts=2/s", "market.middle.starts=2/s"];
    let all = [&few[..], &["market.south.starts=2/s"], sets].concat();
    let text = format!("{WORLD}{}", faults.concat());
    let simulator = Simulator::new(&scenario(&text, Some(policy), &all));
    (0..count).map(|r| simulator.run(1, r)).collect()
}

#[test]
fn a_person_notices_an_end_after_the_beginning_or_neither() {
    let short = "[[fault]]\nkind = \"service-degraded\"\nregion = \"ash\"\nservice = \"play\"\n\
                 errors = \"60 %\"\nat = \"3min\"\nfor = \"1min\"\n";
    let slow = ["policy.detect={ manual = { uniform = ['1s', '10min'] } }"];
    let mut missed = 0;
    for found in runs(20, "edge-proxy", &[short.to_string()], &slow) {
        let left = said(&found, "control plane", "ash is to be evacuated");
        let well = said(&found, "control plane", "ash is well again");
        assert_eq!(left.len(), well.len(), "{:?}", found.log);
        assert!(left.iter().zip(&well).all(|(left, well)| left < well));
        missed += usize::from(left.is_empty());
    }
    assert!((1..20).contains(&missed), "{missed}");
}

#[test]
fn a_region_is_well_again_when_the_last_of_its_impairments_is_over() {
    let keys = "region = \"ash\"\nservice = \"play\"\nerrors = \"60 %\"";
    let first = fault("service-degraded", keys);
    let second = first.replace("3min", "5min");
    let soon = ["policy.detect={ manual = '30s' }"];
    let found = &runs(1, "edge-proxy", &[first, second], &soon)[0];
    let told = |what: &str| said(found, "control plane", what);
    assert_eq!(told("ash is to be evacuated"), [210.0]);
    assert_eq!(told("ash is well again"), [630.0]);
}

#[test]
fn what_is_noticed_is_heeded_once_the_control_plane_hears() {
    let keys = "region = \"ash\"\nservice = \"play\"\nerrors = \"60 %\"";
    let bad = fault("service-degraded", keys);
    let home =
        "[[fault]]\nkind = \"region-dark\"\nregion = \"birch\"\nat = \"170s\"\nfor = \"130s\"\n";
    let left = |sets: &[&str]| {
        let sets = [&["policy.detect={ manual = '10s' }"], sets].concat();
        let found = &runs(1, "edge-proxy", &[bad.clone(), home.to_string()], &sets)[0];
        said(found, "control plane", "ash is to be evacuated")
    };
    assert_eq!(left(&[]), [190.0]);
    assert_eq!(left(&["control.home=birch"]), [300.0]);
}

#[test]
fn an_older_answer_never_replaces_a_newer_one() {
    let back = "policy.failback={ stable = '10s', stages = [1], hold = '1s', gate_caches = false }";
    let slow = "dns.propagation={ uniform = ['1s', '15min'] }";
    let mut moved = 0;
    for found in runs(12, "dns-only", &[dark()], &[back, slow, "horizon=40min"]) {
        let answers = found
            .log
            .iter()
            .filter(|e| e.what.contains("north is answered"));
        let answers: Vec<&str> = answers.map(|e| e.what.as_str()).collect();
        let planned = |what: &&str| what.contains("ash 100 %");
        assert!(answers.last().is_none_or(planned), "{answers:?}");
        moved += usize::from(!answers.is_empty());
    }
    assert!(moved > 0);
}
