//! Tests of loading as a whole: text in, scenario or mistakes out.

use crate::model::measure::Op;
use crate::model::scenario::{Origin, Scenario, When};
use crate::problem::Problems;
use crate::scenario::{Document, Layer, PolicyArg, builtin};
use crate::units::{Dist, Span};
use proptest::prelude::*;
use std::borrow::Cow;
use std::path::Path;

const TINY: &str = include_str!("../../scenarios/tiny.toml");

/// A scenario with a bit of everything.
const FULL: &str = r#"
format = 1
title = "Everything once"
question = "Does it read?"
horizon = "40min"
start = "19:30"

[[region]]
name = "west"

[[region]]
name = "east"
zones = 2

[[region]]
name = "north"

[[link]]
between = ["west", "east"]
rtt = "63ms"   # source: https://example.org/pings

[[market]]
name = "b"
near = ["west"]
starts = "900/min"
profile = [1, 2, 4]
utc_offset = "-5h"

[[market]]
name = "a"
starts = { rates = ["3/s", "6/s"] }

[[device]]
name = "tv"
share = "75 %"
pin = "10min"

[[device]]
name = "phone"
share = 0.25
retry_budget = 0.1

[dns]
ttl = "20s"

[[service]]
name = "store"
# guess: nobody measured it
time = { exponential = "5ms" }

[[service]]
name = "api"
slots = 48
time = { lognormal = { median = "12ms", p99 = "60ms" } }
headroom = 0.6
calls = [{ to = "store", timeout = "800ms", cache = { objects = 1e6 } }, { to = "extras", fallback = "rows" }]

[[service]]
name = "extras"

[[request]]
name = "start"
to = "api"
start = 2

[[request]]
name = "renew"
to = "api"
every = "5min"
renews = true

[session]
length = { mixture = [{ share = 0.4, of = "5min" }, { share = 0.6, of = "50min" }] }

[[fault]]
kind = "region-dark"
region = "east"
at = "16min"
for = "10min"
mode = "hang"
announced = "15min"

[[objective]]
sli = "stream_start_success"
target = ">= 99 %"

[[hypothesis]]
name = "soon"
claim = "rto <= 3min and during(cpu[west]) < 90 %"

[policy]
use = "flow"
hold = "7s"
spread = { west = 2, north = 1 }
"#;

fn file(text: &str) -> Layer {
    Layer::file("test.toml", text, None)
}

fn load(text: &str, sets: &[&str]) -> Result<Document, Problems> {
    let sets = sets.iter().map(|s| Layer::set(s)).collect();
    Document::load("test", file(text), None, sets)
}

fn scenario(text: &str, sets: &[&str]) -> Scenario {
    match load(text, sets) {
        Ok(document) => document.scenario().clone(),
        Err(problems) => panic!("{problems}"),
    }
}

fn mistakes(text: &str, sets: &[&str]) -> String {
    match load(text, sets) {
        Ok(_) => panic!("{sets:?} are no mistake"),
        Err(problems) => problems.to_string(),
    }
}

/// All of a scenario but where its inputs stand.
fn whole(scenario: &Scenario) -> String {
    format!("{scenario:#?}")
}

#[test]
fn fifteen_lines_are_enough() {
    let scenario = scenario(TINY, &[]);
    assert_eq!(scenario.regions.len(), 2);
    assert_eq!(scenario.horizon.secs(), 1200.0, "fault end and ten minutes");
    assert_eq!(scenario.services[0].name, "service");
    assert_eq!(scenario.requests[0].when, When::Start { count: 1 });
    assert_eq!(scenario.devices[0].share, 1.0);
    assert_eq!(scenario.policy.name, "none");
    assert!(scenario.session.is_some());
    assert!(builtin("tiny").is_some());
}

#[test]
fn everything_reads_as_it_is_meant() {
    let s = scenario(FULL, &[]);
    let names: Vec<&str> = s.regions.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["east", "north", "west"]);
    assert_eq!(s.rtt_secs[0][2], 0.063);
    assert_eq!(
        s.rtt_secs[2][1], 0.1,
        "the default of a pair without a link"
    );
    assert_eq!(s.markets[0].starts, 6.0);
    assert_eq!(s.markets[0].profile, [0.5, 1.0]);
    assert_eq!(s.markets[1].starts, 15.0);
    assert_eq!(s.markets[1].profile, [0.25, 0.5, 1.0]);
    assert_eq!(s.markets[1].near, [2, 0, 1]);
    assert_eq!(s.markets[1].utc_offset_secs, -18_000.0);
    assert_eq!(s.markets[1].devices, 15.0 * 86_400.0);
    assert_eq!(s.start_of_day_secs, 19.5 * 3600.0);
    assert_eq!(s.call_order, [0, 1, 2]);
    let calls = &s.services[0].calls;
    assert_eq!((calls[0].to, calls[0].critical), (2, true));
    assert_eq!((calls[1].to, calls[1].critical), (1, false));
    let cache = calls[0].cache.as_ref().expect("it has a cache");
    assert_eq!((cache.objects, cache.capacity), (1_000_000, 1e6));
    assert_eq!(s.services[0].queue, 48, "as many as slots");
    let Dist::Lognormal { mu, sigma } = s.services[0].time else {
        panic!("a lognormal law");
    };
    assert!((libm::exp(mu) - 0.012).abs() < 1e-15);
    assert!((libm::exp(mu + 2.326_347_874_040_841 * sigma) - 0.06).abs() < 1e-12);
    let session = s.session.expect("it streams");
    assert_eq!(session.length, [(0.4, 300.0), (0.6, 3000.0)]);
    assert!(s.faults[0].hang);
    assert_eq!(s.objectives[0].threshold.op, Op::AtLeast);
    assert_eq!(s.hypotheses[0].claim.terms.len(), 2);
    assert_eq!(s.policy.name, "flow");
    assert_eq!(s.policy.knobs.hold, Span::from_secs(7.0));
    assert!(s.policy.knobs.failover, "the policy's own knob");
}

/// Each file in `tests/bad` is refused with the mistakes in the text beside it. With `BLESS` set in
/// the environment the texts are written anew.
#[test]
fn every_mistake_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() > 30);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("readable");
        let name = path.file_name().and_then(|n| n.to_str()).expect("a name");
        let layer = Layer::file(name, &text, None);
        let problems = match Document::load("bad", layer, None, Vec::new()) {
            Ok(_) => panic!("{name} has no mistake"),
            Err(problems) => format!("{problems}\n"),
        };
        let expected = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, &problems).expect("writable");
        }
        let expected = std::fs::read_to_string(&expected).expect("an expected text");
        assert_eq!(problems, expected, "{name}");
    }
}

#[test]
fn the_order_of_declarations_changes_nothing() {
    let mut tables: Vec<String> = Vec::new();
    for line in FULL.lines() {
        if line.starts_with('[') || tables.is_empty() {
            tables.push(String::new());
        }
        let table = tables.last_mut().expect("there is one");
        table.push_str(line);
        table.push('\n');
    }
    let straight = whole(&scenario(FULL, &[]));
    tables[1..].reverse();
    assert_eq!(straight, whole(&scenario(&tables.concat(), &[])));
    tables[1..].rotate_left(3);
    assert_eq!(straight, whole(&scenario(&tables.concat(), &[])));
}

#[test]
fn the_merged_text_is_the_same_scenario() {
    let sets = [
        "service.*.dark=0.3",
        "fault[0].at=17min",
        "title=\"a \\\"b\\\"\"",
    ];
    let document = load(FULL, &sets).unwrap_or_else(|p| panic!("{p}"));
    let again = load(&document.toml(), &[]).unwrap_or_else(|p| panic!("{p}\n{}", document.toml()));
    assert_eq!(whole(document.scenario()), whole(again.scenario()));
    assert_eq!(document.toml(), again.toml());
}

#[test]
fn sets_address_names_indices_and_all() {
    let s = scenario(
        FULL,
        &[
            "service.*.dark=0.25",
            "service.api.headroom=0.9",
            "service.api.calls[0].timeout=5ms",
            "service.api.calls.extras.count=3",
            "fault[0].at=\"17min\"",
            "dns.ttl=30s",
            "ambient.stall=1s",
            "service.\"api\".slots=7",
            "policy.shed=uniform",
            "market.a.near=[\"north\"]",
        ],
    );
    assert!(s.services.iter().all(|service| service.dark == 0.25));
    let api = &s.services[0];
    assert_eq!((api.headroom, api.slots), (0.9, 7));
    assert_eq!(api.calls[0].timeout_secs, 0.005);
    assert_eq!(api.calls[1].count, 3.0);
    assert_eq!(s.faults[0].at.secs(), 1020.0);
    assert_eq!(s.dns.ttl.secs(), 30.0);
    assert_eq!(s.ambient.stall_secs, 1.0);
    assert_eq!(s.markets[0].near[0], 1);
    // Later wins; what is implied can be set too.
    let s = scenario(TINY, &["service.*.dark=1", "service.service.dark=2"]);
    assert_eq!(s.services[0].dark, 2.0);
}

#[test]
fn mistaken_sets_name_the_flag_and_the_nearest() {
    for (set, expected) in [
        (
            "service.stroe.dark=0",
            "--set: service.stroe: there is no \"stroe\"\n  hint: did you mean \"store\"?",
        ),
        (
            "service.api.drak=0",
            "--set: service.api.drak: unknown key\n  hint: did you mean \"dark\"?",
        ),
        ("fault[1].at=3s", "--set: fault[1]: there is no entry 1"),
        (
            "dns.ttl=30",
            "--set: dns.ttl: a duration without a unit: 30",
        ),
        ("dns.*.ttl=30s", "--set: dns: not an array of tables"),
        (
            "dns.ttl.x=30s",
            "--set: dns.ttl: \"x\" cannot be set in a string",
        ),
        ("dns.ttl", "--set: no value"),
        ("dns.ttl=[3", "--set: not TOML"),
        ("tpyo=3", "--set: tpyo: unknown key"),
        ("fault[0].remove=3", "unknown key"),
        ("dns.tll.remove=true", "--set: dns.tll: cannot be removed"),
    ] {
        let told = mistakes(FULL, &[set]);
        assert!(told.contains(expected), "{set}: {told}");
    }
}

#[test]
fn overlays_merge_by_name_and_later_ones_win() {
    let overlay = |text: &str| Layer::file("over.toml", text, None);
    let over = vec![
        overlay(
            "[dns]\nspread = 2\n[[service]]\nname = '*'\ndark = 0.5\n[[service]]\nname = 'api'\nslots = 5",
        ),
        overlay(
            "[[service]]\nname = 'extras'\ndark = 0.1\n[[fault]]\nkind = 'region-dark'\nregion = 'west'\nat = '1min'\nfor = '1min'",
        ),
        overlay(
            "[[market]]\nname = 'b'\nremove = true\n[[service]]\nname = 'new'\n[session]\nremove = true",
        ),
        Layer::set("service.new.dark=0.7"),
    ];
    let document = Document::load("test", file(FULL), None, over).unwrap_or_else(|p| panic!("{p}"));
    let s = document.scenario();
    let dark: Vec<f64> = s.services.iter().map(|service| service.dark).collect();
    assert_eq!(dark, [0.5, 0.1, 0.7, 0.5], "api, extras, new, store");
    assert_eq!(s.services[0].slots, 5);
    assert_eq!((s.dns.spread, s.dns.ttl.secs()), (2.0, 20.0));
    assert_eq!(s.faults.len(), 1, "an array without names is replaced");
    assert_eq!(s.faults[0].at.secs(), 60.0);
    assert_eq!(s.markets.len(), 1);
    let session = s.session.as_ref().expect("its defaults are left");
    assert_eq!(session.length.len(), 1);

    let over = vec![overlay("[[service]]\nname = 'apu'\nremove = true")];
    let told = Document::load("test", file(FULL), None, over).expect_err("nothing to remove");
    assert!(
        told.to_string().starts_with(
            "error: over.toml:1:1: service.apu: there is no \"apu\"\n  hint: did you mean \"api\"?"
        ),
        "{told}"
    );
}

#[test]
fn a_chosen_policy_replaces_the_whole_section() {
    let with = |policy| Document::load("test", file(FULL), Some(policy), Vec::new());
    let named = with(PolicyArg::Name("dns-only".into())).unwrap_or_else(|p| panic!("{p}"));
    let policy = &named.scenario().policy;
    assert_eq!(
        (policy.name.as_str(), policy.knobs.hold),
        ("dns-only", Span::ZERO)
    );
    let strategy = Layer::file(
        "mine.toml",
        "[policy]\nuse = 'edge-proxy'\nhold = '3s'\n[[service]]\nname = '*'\ndark = 0.2",
        None,
    );
    let mine = with(PolicyArg::File(strategy)).unwrap_or_else(|p| panic!("{p}"));
    let policy = &mine.scenario().policy;
    assert_eq!(
        (policy.name.as_str(), policy.knobs.hold.secs()),
        ("edge-proxy", 3.0)
    );
    assert!(mine.scenario().services.iter().all(|s| s.dark == 0.2));
    let told = with(PolicyArg::Name("flo".into())).expect_err("unknown");
    assert!(
        told.to_string().contains(
            "--policy: there is no policy or strategy \"flo\"\n  hint: did you mean \"flow\"?"
        ),
        "{told}"
    );
    let told = with(PolicyArg::File(Layer::file(
        "p.toml",
        "[policy]\nhold = '3s'",
        None,
    )));
    assert!(
        told.expect_err("no policy")
            .to_string()
            .contains("p.toml:1:1: policy.use: is missing")
    );
}

#[test]
fn a_strategy_lies_under_the_overlays_wherever_it_is_named() {
    let full = FULL.replace("\"flow\"", "\"dns-only\"");
    let own = FULL.replace("\"flow\"", "\"flow-dark\"");
    let over = || {
        vec![
            Layer::set("service.api.dark=0.5"),
            Layer::set("policy.hold=2s"),
        ]
    };
    let mut naming = over();
    naming.push(Layer::set("policy.use=flow-dark"));
    let arg = PolicyArg::Name("flow-dark".into());
    for (text, arg, over) in [
        (own.as_str(), None, over()),
        (&full, Some(arg), over()),
        (&full, None, naming),
    ] {
        let document = Document::load("test", file(text), arg, over);
        let document = document.unwrap_or_else(|p| panic!("{p}"));
        let s = document.scenario();
        assert_eq!(s.policy.name, "flow");
        assert_eq!(s.policy.knobs.hold.secs(), 2.0);
        let dark: Vec<f64> = s.services.iter().map(|service| service.dark).collect();
        assert_eq!(dark, [0.5, 0.4, 0.4], "api, extras, store");
        assert!(!document.toml().contains("flow-dark"));
    }
}

#[test]
fn origins_are_known_of_all_figures() {
    let s = scenario(FULL, &["service.store.slots=9"]);
    let origin = |path: &str| {
        let input = s.inputs.iter().find(|input| input.path == path);
        let input = input.unwrap_or_else(|| panic!("{path} is an input"));
        (input.origin, input.value.as_str(), input.note.as_str())
    };
    assert_eq!(
        origin("link[0].rtt"),
        (Origin::Sourced, "\"63ms\"", "https://example.org/pings")
    );
    assert_eq!(origin("service.store.time").0, Origin::Guess);
    assert_eq!(origin("service.store.time").2, "nobody measured it");
    assert_eq!(origin("service.store.slots"), (Origin::Given, "9", ""));
    assert_eq!(origin("service.api.slots"), (Origin::Given, "48", ""));
    assert_eq!(
        origin("service.extras.slots"),
        (Origin::Guess, "40", "default")
    );
    assert_eq!(origin("dns.propagation").0, Origin::Sourced);
    assert_eq!(origin("link[east,north].rtt").0, Origin::Guess);
    let paths: Vec<&str> = s.inputs.iter().map(|i| i.path.as_str()).collect();
    let mut unique = paths.clone();
    unique.dedup();
    assert_eq!(paths, unique, "each input is listed once");
}

#[test]
fn uncertain_inputs_are_drawn_once_per_replication() {
    let sets = [
        "service.api.headroom={ uncertain = [0.4, 0.8] }",
        "dns.ttl={ uncertain = [\"10s\", \"30s\"] }",
        "fault[0].announced={ uncertain = [\"1min\", \"15min\"] }",
        "fault[0].at={ uncertain = [\"15min\", \"30min\"] }",
        "service.api.time={ lognormal = { median = { uncertain = [\"5ms\", \"9ms\"] }, sigma = 1 } }",
    ];
    let document = load(FULL, &sets).unwrap_or_else(|p| panic!("{p}"));
    let middle = document.scenario();
    assert_eq!(middle.uncertain.len(), 5);
    assert!((middle.services[0].headroom - 0.6).abs() < 1e-12);
    assert_eq!(middle.dns.ttl.secs(), 20.0);
    let mut sum = 0.0;
    for replication in 0..200 {
        let drawn = document.drawn(7, replication);
        assert!(drawn.uncertain.is_empty());
        let headroom = drawn.services[0].headroom;
        assert!((0.4..=0.8).contains(&headroom));
        assert!((10.0..=30.0).contains(&drawn.dns.ttl.secs()));
        assert_eq!(whole(&drawn), whole(&document.drawn(7, replication)));
        sum += headroom;
    }
    // Six standard errors of the mean of 200 uniform draws.
    assert!((sum / 200.0 - 0.6).abs() < 6.0 * 0.4 / 12f64.sqrt() / 200f64.sqrt());
    let headroom = |seed, replication| document.drawn(seed, replication).services[0].headroom;
    assert_ne!(headroom(7, 0), headroom(7, 1));
    assert_ne!(headroom(7, 0), headroom(8, 0));
    let certain = load(FULL, &[]).unwrap_or_else(|p| panic!("{p}"));
    assert!(matches!(certain.drawn(1, 2), Cow::Borrowed(_)));
}

#[test]
fn data_files_are_read_into_the_scenario() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text);
    write("traffic.csv", "hour,rate\n0,30\n12,60/s\n").expect("written");
    write("times.csv", "seconds\n0.2\n100ms\n").expect("written");
    write("bad.csv", "seconds\n0.2\nsoon\n").expect("written");
    let text = TINY.replace("\"20/s\"", "{ csv = \"traffic.csv\" }")
        + "[edge]\ntime = { empirical = \"times.csv\" }\n";
    let layer = |text: &str| Layer::file("test.toml", text, Some(dir.path()));
    let load = |text: &str| Document::load("test", layer(text), None, Vec::new());
    let document = load(&text).unwrap_or_else(|p| panic!("{p}"));
    let market = &document.scenario().markets[0];
    assert_eq!(
        (market.starts, &market.profile[..]),
        (60.0, &[0.5, 1.0][..])
    );
    assert_eq!(
        document.scenario().edge.time,
        Dist::Empirical(vec![0.1, 0.2])
    );
    let alone = super::Document::load("test", file(&document.toml()), None, Vec::new());
    assert!(alone.is_ok(), "the merged text needs no data file");
    let told = load(&text.replace("times.csv", "bad.csv")).expect_err("a bad file");
    assert!(told.to_string().contains("line 3: \"soon\""), "{told}");
    let told = load(&text.replace("times.csv", "traffic.csv")).expect_err("a wrong file");
    assert!(told.to_string().contains("no column `seconds`"), "{told}");
    assert!(load(&text.replace("times.csv", "/dev/zero")).is_err());
}

#[test]
fn huge_and_hostile_texts_are_refused() {
    let large = format!("{TINY}# {}", "x".repeat(10_000_001));
    assert!(mistakes(&large, &[]).contains("too large"));
    let keys: String = (0..5_000).map(|i| format!("k{i} = 1\n")).collect();
    assert!(mistakes(&format!("{keys}{TINY}"), &[]).contains("too many keys"));
    let long = format!("{} = 1\n{TINY}", "k".repeat(100_000));
    assert!(mistakes(&long, &[]).contains("too long"));
    let values = format!(
        "{TINY}[[market]]\nname = 'x'\nstarts = 1\nprofile = [{}]",
        "1,".repeat(10_001)
    );
    assert!(mistakes(&values, &[]).contains("the array is too long"));
    for open in ["[", "{a=", "[[a.a.a.a.a.a.a.a]]\n", "a.a={"] {
        assert!(load(&format!("x = {}", open.repeat(100_000)), &[]).is_err());
        assert!(load(&open.repeat(100_000), &[]).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = load(&text, &[]);
        let _ = load(FULL, &[&text]);
    }

    #[test]
    fn mutated_files_never_panic(
        cuts in prop::collection::vec((0.0..1.0f64, 0usize..12, "\\PC{0,4}|-1|inf|nan|\\{\\}|\\[\\]|1e400|true|\"\"|'0s'|9223372036854775807"), 1..6),
    ) {
        let mut text = FULL.to_string();
        for (at, length, with) in cuts {
            let mut from = (at * text.len() as f64) as usize;
            while !text.is_char_boundary(from) { from -= 1; }
            let mut to = (from + length).min(text.len());
            while !text.is_char_boundary(to) { to += 1; }
            text.replace_range(from..to, &with);
        }
        if let Ok(document) = load(&text, &[]) {
            let _ = document.drawn(1, 1);
            prop_assert!(load(&document.toml(), &[]).is_ok(), "{}", document.toml());
        }
    }

    #[test]
    fn replaced_values_never_panic(
        line in 0usize..FULL.lines().count(),
        value in "-?[0-9]{1,20}|-?inf|nan|true|\"[0-9]{0,9}(s|min|%|/s)?\"|\\[\\]|\\{\\}|\\[\"east\"\\]|\\{ uncertain = \\[1, 2\\] \\}|\\{ uncertain = \\[\"1s\", \"2s\"\\] \\}|[0-9]\\.[0-9]e[0-9]{1,3}",
    ) {
        let lines: Vec<String> = FULL
            .lines()
            .enumerate()
            .map(|(i, l)| match l.split_once(" = ") {
                Some((key, _)) if i == line => format!("{key} = {value}"),
                _ => l.to_string(),
            })
            .collect();
        if let Ok(document) = load(&lines.join("\n"), &[]) {
            let _ = document.drawn(1, 1);
            prop_assert!(load(&document.toml(), &[]).is_ok());
        }
    }
}
