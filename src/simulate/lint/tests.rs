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

[edge]
global = true

[policy]
use = "flow"
"#;

fn found(sets: &[&str]) -> Vec<String> {
    found_in(SOUND, sets)
}

fn load(text: &str, sets: &[&str]) -> Document {
    let sets = sets.iter().map(|set| Layer::set(set)).collect();
    let document = Document::load("sound", Layer::file("sound.toml", text, None), None, sets);
    document.unwrap_or_else(|problems| panic!("{problems}"))
}

fn found_in(text: &str, sets: &[&str]) -> Vec<String> {
    let problems = warnings(load(text, sets).scenario());
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
        &["service.api.headroom=0.2"],
        "service.api.headroom",
        "nothing scales it",
    ),
    (
        &[
            "service.api.headroom=0.2",
            "service.api.scaling={ most = 2 }",
        ],
        "service.api.headroom",
        "and carries it after some",
    ),
    (
        &[
            "service.api.headroom=0.2",
            "service.api.scaling={ most = 1.1 }",
        ],
        "service.api.headroom",
        "after autoscaling: its `most` ends it",
    ),
    (
        &[
            "service.api.headroom=0.2",
            "service.api.scaling={ most = 3 }",
            "launches.quota=70",
        ],
        "service.api.headroom",
        "after autoscaling: the quota of a region ends it",
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
        &["device.any.attempts=5", "device.any.retry_budget=1.5"],
        "service.api",
        "up to 2.5 attempts",
    ),
    (
        &[
            "policy.use=dns-only",
            "edge.global=false",
            "device.any.connection.age=1h",
            "device.any.think=10s",
            "fault[0].announced=2min",
        ],
        "device.any.connection.age",
        "longer than the RTO of 3 min",
    ),
    (
        &["dns.ttl=5min", "edge.global=false"],
        "dns.ttl",
        "a TTL of 5 min is longer than the RTO of 3 min",
    ),
    (
        &[
            "policy.use=dns-only",
            "edge.global=true",
            "device.any.connection.age=1h",
            "device.any.think=10s",
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
    // 2,000/s in each region, and half of a third one's; a balancer takes 1.2 times 2,000/s.
    (
        &["balancer.headroom=0.2"],
        "balancer.headroom",
        "when DNS has moved the markets of ash at the busiest hour, the balancers of birch get 3000 new \
         connections/s and take 2400: 20 % are refused until they have scaled, 5 min later",
    ),
    (
        &[
            "balancer.limit=2500/s",
            "policy.spread=nearest",
            "balancer.scale_after=1min",
        ],
        "balancer.limit",
        "birch get 4000 new connections/s and take 2500: 37.5 % are refused until they have scaled, 60 s later",
    ),
    (
        &["edge.global=false"],
        "edge.global",
        "flow proxies at the edge, but the edge of ash goes dark with its region and can proxy nothing: only \
         DNS moves what enters there",
    ),
    (
        &["edge.global=false", "policy.use=edge-proxy"],
        "edge.global",
        "and nothing else moves what enters there",
    ),
    (
        &["service.store.headroom=0.9"],
        "service.api.calls[0].cache",
        "times its steady load",
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

/// Sets, and words that no warning may have.
const NONE: &[(&[&str], &str)] = &[
    // Retries are a tenth of the requests at most: half of the capacity is spare.
    (
        &["device.any.attempts=5", "device.any.retry_budget=0.1"],
        "retry storm",
    ),
    // All markets look at the same.
    (
        &[
            "service.store.headroom=0.9",
            "service.api.calls[0].cache.common=1",
        ],
        "cold market",
    ),
    // Proxies send on whoever has an old name.
    (&["dns.ttl=5min", "edge.global=true"], "a TTL of"),
    (&["dns.ttl=170s", "edge.global=false"], "a TTL of"),
    // A timeout just above the mean response of 12.7 ms.
    (
        &["service.api.calls=[{ to = 'store', timeout = '20ms', attempts = 1 }]"],
        "below the mean response",
    ),
    // Without that objective any CPU will do.
    (&["service.api.headroom=0.6", "objective=[]"], "would do"),
    // Half as much again is just enough for three regions.
    (&["service.api.headroom=0.52"], "survivors cannot carry"),
    // Where all has been paid for, launches may take their time; and where the budget is ample.
    (
        &["service.api.boot=25min", "budget.target=99.999 %"],
        "from its launch until it serves",
    ),
    (
        &[
            "service.api.headroom=0.2",
            "service.api.boot=25min",
            "budget.target=90 %",
        ],
        "from its launch until it serves",
    ),
    // The edge proxies what old connections carry.
    (
        &[
            "edge.global=true",
            "device.any.connection.age=1h",
            "device.any.think=10s",
        ],
        "connections live",
    ),
    // Plain users who keep no connection.
    (
        &[
            "policy.use=dns-only",
            "edge.global=true",
            "device.any.connection.age=1h",
        ],
        "connections live",
    ),
    // Retries that half of the capacity carries.
    (&["device.any.attempts=2"], "retry storm"),
    (
        &["service.store.regions=['ash', 'birch', 'cedar']"],
        "lives in",
    ),
    (
        &[
            "market.north.may=['ash', 'birch']",
            "market.north.near=['ash', 'birch']",
        ],
        "nowhere to go",
    ),
    (
        &["hypothesis.calm.claim=before(latency_p99) < 1s"],
        "a calm day",
    ),
    // Balancers that take what comes, or to which nothing comes: it is proxied behind them.
    (&["balancer.headroom=0.6"], "new connections/s"),
    (
        &["balancer.headroom=0.2", "policy.use=edge-proxy"],
        "new connections/s",
    ),
    (
        &["balancer.headroom=0.2", "policy.use=none"],
        "new connections/s",
    ),
    // Nobody is to proxy from a region, or none goes dark.
    (
        &["edge.global=false", "policy.use=dns-only"],
        "goes dark with its region",
    ),
    (
        &["edge.global=false", "fault=[]"],
        "goes dark with its region",
    ),
];

#[test]
fn false_alarms_are_not_raised() {
    for (sets, words) in NONE {
        let found = found(sets);
        let stray = found.iter().find(|f| f.contains(words));
        assert_eq!(stray, None, "{sets:?}");
    }
}

/// What calls a service critically may have a fallback itself.
#[test]
fn a_service_that_no_request_needs_may_live_in_one_region() {
    let world = |how: &str| {
        let advice = "[[service]]\nname = \"advice\"\nheadroom = 2\ncalls = [{ to = \"model\" }]\n\
                      [[service]]\nname = \"model\"\nheadroom = 5\nregions = [\"ash\"]\n";
        let call = format!("calls = [{{ to = \"advice\"{how} }}, ");
        SOUND.replacen("calls = [", &call, 1) + advice
    };
    let warned = |how: &str| {
        let found = found_in(&world(how), &[]);
        found.iter().any(|f| f.contains("all 3 regions fail"))
    };
    assert!(warned(""));
    assert!(!warned(", fallback = \"none\""));
}

/// What lives in one region only is lost with it: more of it there would not help.
#[test]
fn what_has_no_survivors_needs_no_headroom_for_them() {
    let world = |how: &str| {
        let extra = format!(
            "[[service]]\nname = \"extra\"\nslots = 1\nheadroom = 0.2\nboot = \"25min\"\n{how}\n"
        );
        let call = "calls = [{ to = \"extra\", fallback = \"none\" }, ";
        let found = found_in(
            &(SOUND.replacen("calls = [", call, 1) + &extra),
            &["budget.target=99.999 %"],
        );
        let about = found.into_iter().filter(|f| f.starts_with("service.extra"));
        about.collect::<Vec<String>>()
    };
    assert_eq!(world("regions = [\"ash\"]"), Vec::<String>::new());
    let two = world("regions = [\"ash\", \"birch\"]");
    assert!(
        two.iter().any(|f| f.contains("survivors cannot carry")),
        "{two:#?}"
    );
}

/// Nobody waits for a worker: what its survivors cannot carry becomes a backlog and is not shed.
#[test]
fn a_worker_is_said_to_fall_behind() {
    let problems = |source: &str| {
        let text = format!(
            "{SOUND}[[service]]\nname = \"mail\"\nslots = 1\nheadroom = 0.2\nworker = {{ {source} }}\n\
             [[request]]\nname = \"ask\"\nto = \"api\"\nstart = 1\n"
        );
        let document = Document::load(
            "sound",
            Layer::file("sound.toml", &text, None),
            None,
            vec![],
        );
        let document = document.unwrap_or_else(|problems| panic!("{problems}"));
        let of_mail = |p: &Problem| p.path.starts_with("service.mail");
        let found = warnings(document.scenario()).into_iter().filter(of_mail);
        found.map(|p| (p.message, p.hint)).collect::<Vec<_>>()
    };
    let asked = problems("from = [\"ask\"]");
    assert_eq!(asked.len(), 1, "{asked:#?}");
    let (message, hint) = &asked[0];
    assert!(
        message.starts_with("survivors cannot carry the work of ash"),
        "{message}"
    );
    assert!(
        message.ends_with("nobody waits for it, and its backlog grows"),
        "{message}"
    );
    assert!(
        hint.starts_with("raise its headroom to 0.5 or more, or accept"),
        "{hint}"
    );
    // What arrives by itself in a region waits there.
    assert_eq!(problems("rate = \"1000/s\""), Vec::new());
}

/// A hint says how much is enough.
#[test]
fn the_headroom_that_is_asked_for_is_enough() {
    let hint = |headroom: &str| {
        let sets = vec![Layer::set("service.api.time=10ms"), Layer::set(headroom)];
        let base = Layer::file("sound.toml", SOUND, None);
        let document = Document::load("sound", base, None, sets);
        let document = document.unwrap_or_else(|problems| panic!("{problems}"));
        let mut found = warnings(document.scenario()).into_iter();
        found
            .find(|p| p.message.contains("survivors cannot carry"))
            .map(|p| p.hint)
    };
    let said = hint("service.api.headroom=0.2");
    assert_eq!(said.as_deref(), Some("raise its headroom to 0.5 or more"));
    assert_eq!(hint("service.api.headroom=0.5"), None);
}

/// Markets that are busy at different hours are carried by what a common peak would overwhelm.
#[test]
fn the_worst_hour_is_common_to_all() {
    let third = |from: usize| {
        let hours = (0..24).map(|h| if (h + 24 - from) % 24 < 8 { "1" } else { "0.1" });
        format!("[{}]", hours.collect::<Vec<_>>().join(", "))
    };
    let [north, middle, south] = [0, 8, 16].map(third);
    let profiles = [
        format!("market.north.profile={north}"),
        format!("market.middle.profile={middle}"),
        format!("market.south.profile={south}"),
    ];
    let mut sets: Vec<&str> = profiles.iter().map(String::as_str).collect();
    sets.extend(["service.api.headroom=0.2", "objective=[]"]);
    let found = found(&sets);
    let stray = found.iter().find(|f| f.contains("cannot carry the load"));
    assert_eq!(stray, None);
}

/// The figures of a warning are those of a sum by hand: 2,000/s times 12.67 ms in each of three
/// regions, two of which have 1.2 times as many slots; autoscaling may bring half as many again.
#[test]
fn what_autoscaling_brings_is_said_in_slots() {
    let sets = [
        "service.api.headroom=0.2",
        "service.api.time=10ms",
        "service.api.boot=2min",
        "service.api.discovery=10s",
        "service.api.scaling={ most = 1.5, delay = '30s', interval = '20s', step_out = 1 }",
    ];
    let found = found(&sets);
    let said = "60 slots busy in all, 48 left (48 with dark capacity; autoscaling can bring 72, and \
                carries it after some 3 min";
    assert!(found.iter().any(|f| f.contains(said)), "{found:#?}");
}

#[test]
fn an_hour_that_no_other_day_comes_near_is_told() {
    let told = |peak: &str| {
        let day = |middle: &str| {
            format!(
                "{}{middle}, {}",
                "'100/s', ".repeat(12),
                "'100/s', ".repeat(11)
            )
        };
        let rates = day("'100/s'") + &day(&format!("'{peak}'")) + &day("'110/s'");
        let series = format!(
            "market.north.requests={{ begins = '2024-05-01T00:00:00Z', every = '1h', rates = [{rates}] }}"
        );
        let warnings = found(&[&series]);
        let mut own = warnings
            .into_iter()
            .filter(|line| line.starts_with("market.north: "));
        own.next()
    };
    assert_eq!(told("130/s"), None);
    let line = told("140/s").expect("it is told");
    assert!(
        line.contains("around 2024-05-02 12:30 UTC, is 27 % above any of other days"),
        "{line}"
    );
}

#[test]
fn single_requests_lack_nothing_but_have_their_limits() {
    let limits = |sets: &[&str]| {
        let mut single = load(SOUND, sets).scenario().clone();
        single.fidelity = Fidelity::Request;
        let found = errors(&single);
        found.iter().map(|p| p.path.clone()).collect::<Vec<_>>()
    };
    let knobs = [
        "service.api.cancel=true",
        "device.any.retry_burst=5",
        "device.any.retry_breaker=0.1",
    ];
    assert_eq!(limits(&knobs), Vec::<String>::new());
    assert_eq!(limits(&["horizon=1000d", "sample=1h"]), ["horizon"]);
}
