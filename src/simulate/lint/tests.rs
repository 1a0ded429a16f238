use super::*;
use crate::scenario::{Document, Layer};

/// Three equal regions that carry the loss of one with CPU to spare.
const SOUND: &str = r#"
format = 1
horizon = "10min"

[[region]]
name = "ash"

[[region]]
name = "birch"

[[region]]
name = "cedar"

[[market]]
name = "north"
near = ["ash", "birch", "cedar"]
requests = "2000/s"

[[market]]
name = "middle"
near = ["birch", "ash", "cedar"]
requests = "2000/s"

[[market]]
name = "south"
near = ["cedar", "ash", "birch"]
requests = "2000/s"

[[service]]
name = "api"
slots = 1
headroom = 1.0
calls = [{ to = "store", critical = true, timeout = "1s", attempts = 1, cache = { objects = 20000, capacity = 5000 } }]

[[service]]
name = "store"
slots = 1
headroom = 30.0

[[device]]
name = "any"
share = 1
attempts = 1

[[fault]]
kind = "region-dark"
region = "ash"
at = "5min"
for = "5min"
guard = [{ sli = "stream_start_success", limit = ">= 90 %", action = "warn" }]

[[objective]]
sli = "stream_start_success"
target = ">= 99 %"

[[objective]]
sli = "cpu"
target = "<= 80 %"

[[hypothesis]]
name = "calm"
claim = "before(latency_p99) < 1s and rto <= 3min"

[[domain]]
name = "plays"
rpo = "5s"
grace = "10min"
store = { mode = "primary" }

[dns]
ttl = "20s"

[policy]
use = "flow"
"#;

fn found(sets: &[&str]) -> Vec<String> {
    let sets = sets.iter().map(|set| Layer::set(set)).collect();
    let document = Document::load("sound", Layer::file("sound.toml", SOUND, None), None, sets);
    let document = document.unwrap_or_else(|problems| panic!("{problems}"));
    let problems = warnings(document.scenario());
    let line = |p: Problem| format!("{}: {}", p.path, p.message);
    problems.into_iter().map(line).collect()
}

#[test]
fn a_sound_scenario_has_no_warning() {
    assert_eq!(found(&[]), Vec::<String>::new());
}

/// What is set, where the warning is, and words of it.
const CASES: &[(&[&str], &str, &str)] = &[
    (
        &["service.api.calls=[{ to = 'store', timeout = '1ms', attempts = 1 }]"],
        "service.api.calls[0].timeout",
        "the timeout of 1 ms is below the mean response",
    ),
    (
        &["device.any.attempts=5"],
        "service.api",
        "vulnerable to a retry storm in ash: up to 5 attempts",
    ),
    (
        &["service.api.headroom=0.2"],
        "service.api.headroom",
        "a pool of one priority is not N+1, and shedding cannot help it: survivors cannot carry",
    ),
    (
        &["service.api.headroom=0.2", "service.api.dark=1.0"],
        "service.api.headroom",
        "dark capacity covers it once it is called",
    ),
    (
        &["service.api.headroom=0.6"],
        "service.api.headroom",
        "at most 53 % would do",
    ),
    (
        &["service.store.headroom=0.9"],
        "service.api.calls[0].cache",
        "cannot carry the misses of a cold market",
    ),
    (
        &["dns.ttl=5min"],
        "dns.ttl",
        "a TTL of 5 min is longer than the RTO of 3 min",
    ),
    (
        &[
            "policy.use=dns-only",
            "edge.global=true",
            "device.any.connection.age=1h",
        ],
        "device.any.connection.age",
        "longer than the RTO of 3 min",
    ),
    (
        &[
            "service.api.headroom=0.2",
            "service.api.boot=25min",
            "budget.target=99.999 %",
        ],
        "service.api.boot",
        "an instance takes 25 min from its launch until it serves",
    ),
    (
        &["fault[0].guard=[{ sli = 'stream_start_success', limit = '> 1', action = 'warn' }]"],
        "fault[0].guard[0].limit",
        "a calm day breaks the guard: stream_start_success is 1",
    ),
    (
        &["hypothesis.calm.claim=before(latency_p99) < 1ms"],
        "hypothesis[0].claim",
        "a calm day breaks it already",
    ),
    (
        &["service.store.regions=['ash']"],
        "service.store.regions",
        "store lives in ash only, and calls to it are critical: all 3 regions fail",
    ),
    (
        &["market.north.may=['ash']", "market.north.near=['ash']"],
        "market.north.may",
        "when ash is lost north has nowhere to go",
    ),
    (
        &["policy.stages=[0.5, 1.0]", "policy.hold=0s"],
        "policy.hold",
        "2 stages without a hold are one",
    ),
    (
        &[
            "policy.scope={ services = ['store'] }",
            "policy.route=['edge']",
        ],
        "policy.scope",
        "what is not in the scope stays with ash when it goes dark",
    ),
    (
        &["policy.prescale=true", "service.*.scalable=false"],
        "policy.prescale",
        "no service is scalable",
    ),
    (
        &["domain.plays.rpo=10ms"],
        "domain.plays.rpo",
        "a loss takes more than the 10 ms asked for",
    ),
    (
        &["domain.plays.grace=1s"],
        "domain.plays.grace",
        "ends after 1 s, before reads go to another region",
    ),
    (
        &["domain.plays.store={ mode = 'quorum', replicas = ['ash', 'birch'] }"],
        "domain.plays.store.replicas",
        "a majority of two is both",
    ),
    (
        &["service.api.scaling={ target = 0.7 }"],
        "service.api.scaling.target",
        "it keeps CPU at 70 %, where a headroom of 1 leaves 50 %",
    ),
];

#[test]
fn each_warning_comes_when_it_should() {
    for (sets, path, words) in CASES {
        let found = found(sets);
        let hit = found
            .iter()
            .any(|f| f.starts_with(&format!("{path}: ")) && f.contains(words));
        assert!(hit, "{sets:?}: {path}: {words}: {found:#?}");
    }
}

#[test]
fn a_limit_that_refuses_on_a_calm_day_is_warned_of() {
    // 2,000 requests a second of about 14 ms through few proxies of 200 slots each.
    let tight = found(&["edge.origin_limit=3"]);
    let warning = tight.iter().find(|f| f.starts_with("edge.origin_limit"));
    let text = warning.expect("three are too few");
    assert!(text.contains("a limit of 3 refuses"), "{text}");
    let ample = found(&["edge.origin_limit=200"]);
    assert!(!ample.iter().any(|f| f.starts_with("edge.origin_limit")));
}

#[test]
fn what_fits_is_not_warned_of() {
    for set in [
        "policy.prescale=true",
        "domain.plays.store={ mode = 'quorum', replicas = ['ash', 'birch', 'cedar'] }",
        "service.api.scaling={ target = 0.5 }",
        "service.api.scaling={ target = 0.4 }",
    ] {
        let found = found(&[set]);
        let stray = found.iter().find(|f| {
            f.starts_with("domain.")
                || f.starts_with("service.api.scaling")
                || f.starts_with("policy.prescale")
        });
        assert_eq!(stray, None, "{set}");
    }
}
