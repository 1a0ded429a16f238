//! Every kind of fault against every policy, on scenarios of other shapes.

use crate::given::{outcome, over, policy_names};
use darkregion::faults::{self, FaultKind, Lasts, Role};
use darkregion::model::outcome::Outcome;

/// Two regions and plain requests.
const PLAIN: &str = r#"
format = 1
horizon = "6min"

[[region]]
name = "east"
zones = 2

[[region]]
name = "west"
zones = 2

[[market]]
name = "left"
near = ["east", "west"]
starts = "200/s"

[[market]]
name = "right"
near = ["west", "east"]
starts = "100/s"

[edge]
global = true

[[service]]
name = "api"
slots = 2
headroom = 1.2
time = "40ms"
calls = [{ to = "store", timeout = "800ms", cache = { objects = 5_000, zipf = 0.9, capacity = 4_000, warm = "24h" } }]

[[service]]
name = "store"
slots = 2
headroom = 3.0
time = "20ms"

[[request]]
name = "start"
to = "api"
start = 1
"#;

/// Three regions and sessions.
const PLAYING: &str = r#"
format = 1
horizon = "6min"

[[region]]
name = "east"
zones = 3

[[region]]
name = "middle"

[[region]]
name = "west"
zones = 2

[[market]]
name = "left"
near = ["east", "middle", "west"]
starts = "60/s"

[[market]]
name = "right"
near = ["west", "middle", "east"]
starts = "60/s"

[[service]]
name = "api"
slots = 4
headroom = 1.0

[[request]]
name = "start"
to = "api"
start = 2

[[request]]
name = "look"
to = "api"
rate = "1/min"

[session]
length = { exponential = "4min" }

[ambient]
start_failure = 0.005
stall_rate = "0.001/s"
stall = "5s"
"#;

/// One region with one zone.
const LONE: &str = r#"
format = 1
horizon = "6min"

[[region]]
name = "east"

[[market]]
name = "left"
near = ["east"]
starts = "80/s"

[[service]]
name = "api"
slots = 4
headroom = 1.0

[[request]]
name = "start"
to = "api"
start = 1
"#;

const SHAPES: [(&str, &str); 3] = [("plain", PLAIN), ("playing", PLAYING), ("lone", LONE)];

/// A fault of a kind from minute 2 for a minute, that hits the first of everything; `None` where the
/// scenario has nothing to hit.
fn fault(kind: &dyn FaultKind, shape: &str) -> Option<String> {
    let mut text = format!("[[fault]]\nkind = \"{}\"\nat = \"2min\"\n", kind.name());
    if kind.lasts() == Lasts::Always {
        text += "for = \"1min\"\n";
    }
    if kind.name() == "random" {
        return Some(text + "of = \"zone\"\nmtbf = \"20s\"\nmttr = \"10s\"\n");
    }
    for key in kind.keys() {
        let value = match key.role {
            Role::Region if key.required => "\"east\"",
            Role::Service if key.required => "\"api\"",
            Role::Market if key.required => "\"left\"",
            Role::Zone => "1",
            Role::Between if shape == "lone" => return None,
            Role::Between => "[\"east\", \"west\"]",
            Role::Factor => "3",
            Role::Share => "0.3",
            Role::Count => "2",
            _ => continue,
        };
        text += &format!("{} = {value}\n", key.name);
    }
    Some(text)
}

/// All that can be run: kind, shape, text.
fn cases() -> Vec<(&'static str, &'static str, String)> {
    let mut cases = Vec::new();
    for kind in faults::all() {
        for (shape, world) in SHAPES {
            if let Some(fault) = fault(*kind, shape) {
                cases.push((kind.name(), shape, format!("{world}{fault}")));
            }
        }
    }
    cases
}

fn balances(outcome: &Outcome, what: &str) {
    let l = outcome.ledger;
    assert_eq!(
        l.starts,
        l.starts_ok + l.starts_failed + l.starts_ambient + l.starts_waiting,
        "{what}: starts {l:?}"
    );
    assert_eq!(
        l.sessions_first + l.sessions_begun,
        l.sessions_ended + l.sessions_last,
        "{what}: sessions {l:?}"
    );
    assert!(outcome.steps < 20_000, "{what}: {} steps", outcome.steps);
}

#[test]
fn every_kind_runs_under_every_policy_and_its_accounts_balance() {
    for (kind, shape, text) in cases() {
        for policy in policy_names() {
            let what = format!("{kind} under {policy} on {shape}");
            let outcome = outcome(&text, Some(policy), &[]);
            balances(&outcome, &what);
            assert!(!outcome.log.is_empty(), "{what}: nothing is told");
        }
    }
}

#[test]
fn pairs_of_faults_overlap() {
    let kinds = faults::all();
    for (i, one) in kinds.iter().enumerate() {
        // Each with one that is further and further away in the list.
        let other = kinds[(i + 1 + i % 5) % kinds.len()];
        let (shape, world) = SHAPES[i % 3];
        let (Some(one), Some(other)) = (fault(*one, shape), fault(other, shape)) else {
            continue;
        };
        let other = other.replace("2min", "2.5min");
        let text = format!("{world}{one}{other}");
        balances(&outcome(&text, Some("flow"), &[]), &text);
    }
}

/// More of a surge is more starts, from its exact beginning, the same under every policy.
#[test]
fn a_surge_brings_the_same_viewers_under_every_policy() {
    let surge = "[[fault]]\nkind = \"demand-surge\"\nmarket = \"left\"\nfactor = 3\n\
                 at = \"125s\"\nfor = \"50s\"\n";
    let text = format!("{PLAIN}{surge}");
    let starts = |policy| outcome(&text, Some(policy), &[]).ledger.starts;
    let usual = outcome(PLAIN, Some("none"), &[]).ledger.starts;
    let more = starts("none") - usual;
    // 200/s twice again for 50 s, within five standard deviations.
    assert!((more as f64 - 20_000.0).abs() < 5.0 * 200.0, "{more}");
    for policy in policy_names() {
        assert_eq!(starts(policy), usual + more, "{policy}");
    }
}

/// Media that come badly are ambient: no failure of the service.
#[test]
fn an_impaired_cdn_is_not_the_services_fault() {
    let cdn = "[[fault]]\nkind = \"cdn-impaired\"\nstalls = 20\nstart_failure = \"10 %\"\n\
               at = \"2min\"\nfor = \"2min\"\n";
    let calm = over(&outcome(PLAYING, Some("none"), &[]), 120.0, 240.0);
    let bad = over(
        &outcome(&format!("{PLAYING}{cdn}"), Some("none"), &[]),
        120.0,
        240.0,
    );
    assert!(bad.stood_still > 10.0 * calm.stood_still.max(1.0));
    let share = |o: &darkregion::model::observation::Observation| {
        o.starts_ambient as f64 / (o.starts_ok + o.starts_ambient) as f64
    };
    assert!((share(&bad) - 0.1045).abs() < 0.015, "{}", share(&bad));
    assert_eq!((bad.starts_failed, calm.starts_failed), (0, 0));
}

const GUARDED: &str = r#"
[[fault]]
kind = "service-degraded"
service = "api"
region = "east"
errors = "60 %"
at = "2min"
for = "3min"
guard = [
  { sli = "error_rate", limit = "< 1 %", action = "warn" },
  { sli = "stream_start_success", limit = ">= 97 %" },
]
"#;

#[test]
fn a_guard_warns_and_another_ends_the_drill() {
    use darkregion::model::outcome::Effect;
    let text = format!("{PLAYING}{GUARDED}");
    let effects = |sets: &[&str]| -> Vec<Effect> {
        let found = outcome(&text, Some("none"), sets);
        found.breaches.iter().map(|breach| breach.effect).collect()
    };
    let drill = outcome(&text, Some("none"), &["fault[0].drill=true"]);
    assert_eq!(
        effects(&["fault[0].drill=true"]),
        [Effect::Warned, Effect::Aborted]
    );
    assert_eq!(effects(&[]), [Effect::Warned, Effect::FailedOver]);
    // It ended when it was aborted, a window and the age of metrics after its beginning at the
    // earliest, and long before its time.
    let end = drill.marks.fault_end.expect("there is a fault").secs();
    let aborted = drill.breaches[1].at.secs();
    assert_eq!(end, aborted);
    assert!((130.0..200.0).contains(&end), "{end}");
    let late = over(&drill, end + 20.0, 300.0);
    assert_eq!(late.starts_failed, 0);
    // While the control plane is blind nobody hears of it.
    let blind =
        format!("{text}[[fault]]\nkind = \"control-blind\"\nat = \"110s\"\nfor = \"4min\"\n");
    assert!(outcome(&blind, Some("none"), &[]).breaches.is_empty());
    // Nor while its home region is dark.
    let dark =
        "[[fault]]\nkind = \"region-dark\"\nregion = \"west\"\nat = \"110s\"\nfor = \"4min\"\n";
    let heard = |sets: &[&str]| {
        !outcome(&format!("{text}{dark}"), Some("none"), sets)
            .breaches
            .is_empty()
    };
    assert!(heard(&[]));
    assert!(!heard(&["control.home=west"]));
}

#[test]
fn a_guard_stops_kills_that_go_on() {
    let kills = r#"
[[fault]]
kind = "instance-kill"
service = "api"
region = "east"
every = "5s"
at = "2min"
for = "3min"
drill = true
guard = [{ sli = "error_rate", limit = "< 0 %" }]
"#;
    let found = outcome(&format!("{PLAYING}{kills}"), Some("none"), &[]);
    assert_eq!(found.breaches.len(), 1);
    let stopped = found.breaches[0].at;
    let die = found.log.iter().filter(|e| e.what.contains("api die"));
    let (before, after): (Vec<_>, Vec<_>) = die.partition(|e| e.at <= stopped);
    assert!(!before.is_empty() && after.is_empty(), "{:?}", found.log);
}
