//! How layers are laid over each other.

use super::*;
use crate::model::variant::TargetKind;
use crate::scenario::PolicyArg;
use crate::units::Span;
use crate::world::demand::Demand;

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

/// The full scenario with these variants in its file.
fn with_variants(variants: &str) -> Layer {
    file(&format!("{FULL}\n{variants}"))
}

#[test]
fn a_variant_lies_over_the_strategy_and_under_the_overlays() {
    let base = with_variants(
        "[[variant]]\nname = 'bright'\nwith = { service = [{ name = '*', dark = 0.1, slots = 3 }], \
         policy = { hold = '4s' }, session = { remove = true } }",
    );
    let load = |variant, overlays| {
        let policy = Some(PolicyArg::Name("flow-dark".into()));
        let document = Document::load_variant("test", base.clone(), variant, policy, overlays);
        document.unwrap_or_else(|problems| panic!("{problems}"))
    };
    let plain = load(None, Vec::new());
    assert!(plain.scenario().services.iter().all(|s| s.dark == 0.4));
    let variant = load(Some("bright"), vec![Layer::set("service.api.dark=0.5")]);
    let s = variant.scenario();
    let dark: Vec<f64> = s.services.iter().map(|service| service.dark).collect();
    assert_eq!(dark, [0.5, 0.1, 0.1], "api, extras, store");
    assert!(s.services.iter().all(|service| service.slots == 3));
    assert_eq!(
        (s.policy.name.as_str(), s.policy.knobs.hold.secs()),
        ("flow", 4.0)
    );
    assert_eq!(
        s.session.as_ref().map(|session| session.length.len()),
        Some(1)
    );
    assert!(!variant.toml().contains("variant"), "{}", variant.toml());
    let again = self::load(&variant.toml(), &[]).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(whole(again.scenario()), whole(s));
}

#[test]
fn a_variant_may_name_a_strategy() {
    let base =
        with_variants("[[variant]]\nname = 'dark'\nwith = { policy = { use = 'flow-dark' } }");
    let document = Document::load_variant("test", base, Some("dark"), None, Vec::new());
    let document = document.unwrap_or_else(|problems| panic!("{problems}"));
    let s = document.scenario();
    assert_eq!(s.policy.name, "flow");
    assert!(s.services.iter().all(|service| service.dark == 0.4));
}

#[test]
fn what_lays_nothing_over_a_scenario_changes_nothing() {
    let plain = scenario(FULL, &[]);
    let base = with_variants("[[variant]]\nname = 'same'\nwith = {}");
    let empty = vec![Layer::file("empty.toml", "# nothing\n", None)];
    let variant = Document::load_variant("test", base, Some("same"), None, empty);
    let variant = variant.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(whole(&plain), whole(variant.scenario()));
    // All of none is none, and below all of them removing what is not there is nothing.
    let star = "[[domain]]\nname = '*'\nrto = '1s'\n[[service]]\nname = '*'\nhealth = { remove = true }\n\
                calls = [{ name = 'nobody', remove = true }]";
    let stars = vec![Layer::file("star.toml", star, None)];
    let document = Document::load("test", file(TINY), None, stars);
    let document = document.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(whole(document.scenario()), whole(&scenario(TINY, &[])));
}

#[test]
fn variants_are_the_files_own() {
    let variant = "[[variant]]\nname = 'x'\nwith = {}";
    let over = |layer| {
        let told = Document::load("test", file(FULL), None, vec![layer]);
        told.expect_err("not here").to_string()
    };
    let told = over(Layer::file("over.toml", variant, None));
    assert!(
        told.starts_with("error: over.toml:1:3: variant: variants stand"),
        "{told}"
    );
    let told = over(Layer::set("variant.x.with.dns.ttl=3s"));
    assert!(
        told.starts_with("error: --set: variant: variants stand"),
        "{told}"
    );
    let base = with_variants(variant);
    let told = Document::load_variant("test", base, Some("y"), None, Vec::new());
    let told = told.expect_err("there is none").to_string();
    assert!(
        told.contains("there is no variant \"y\"\n  hint: known: x"),
        "{told}"
    );
}

#[test]
fn each_is_the_scenario_with_one_thing_lost() {
    let text = FULL.replace("horizon = \"40min\"\n", "")
        + "\n[[fault]]\nkind = 'zone-loss'\nregion = 'west'\nzone = 3\nat = '3min'\nfor = '50min'\n";
    let document = load(&text, &[]).unwrap_or_else(|p| panic!("{p}"));
    let whole = document.scenario();
    let each = |kind| document.each(kind).unwrap_or_else(|p| panic!("{p}"));
    let names = |kind| -> Vec<String> {
        let each = each(kind).into_iter();
        each.map(|(target, _)| target.name).collect()
    };
    assert_eq!(names(TargetKind::Region), ["east", "north", "west"]);
    assert_eq!(names(TargetKind::Zone).len(), 2 + 3 + 3);
    assert_eq!(
        names(TargetKind::Fault),
        ["fault[0] region-dark east", "fault[1] zone-loss west 3"]
    );
    let first = &whole
        .faults
        .iter()
        .find(|fault| fault.kind == "region-dark");
    let first = first.expect("it is the first of the file");
    for (r, (_, document)) in each(TargetKind::Region).iter().enumerate() {
        let s = document.scenario();
        let [lost] = &s.faults[..] else {
            panic!("one fault: {:?}", s.faults);
        };
        assert_eq!((lost.kind.as_str(), lost.region), ("region-dark", Some(r)));
        assert_eq!((lost.at, lost.duration), (first.at, first.duration));
        assert_eq!((lost.hang, lost.announced), (first.hang, first.announced));
        assert_eq!(
            s.horizon, whole.horizon,
            "although its only fault ends earlier"
        );
    }
    let calm = load(FULL, &["fault.remove=true"]).unwrap_or_else(|p| panic!("{p}"));
    let told = calm
        .each(TargetKind::Region)
        .expect_err("nothing to take over");
    assert!(
        told.to_string()
            .contains("--each: the scenario has no fault"),
        "{told}"
    );
}

#[test]
fn what_each_loses_is_lost_at_the_busiest_moment_of_the_day() {
    const DAYS: &str = r#"
format = 1
start = "10:17"
horizon = "1h"
[[region]]
name = "east"
[[region]]
name = "west"
[[market]]
name = "a"
near = ["east"]
requests = "100/s"
profile = [1, 1, 3, 5, 2, 1, 1, 1]
utc_offset = "-5h"
[[market]]
name = "b"
near = ["west"]
requests = "300/s"
profile = [1, 1, 2, 5, 3, 1, 1, 1]
utc_offset = "-8h"
[[fault]]
kind = "zone-loss"
region = "east"
zone = 1
at = "7min"
for = "5min"
"#;
    let each = |text: &str, kind| {
        let document = load(text, &[]).unwrap_or_else(|p| panic!("{p}"));
        document.each(kind).unwrap_or_else(|p| panic!("{p}"))
    };
    let rate = |scenario: &Scenario, secs: f64| -> f64 {
        let markets = scenario.markets.iter();
        markets
            .map(|market| Demand::new(scenario, market).rate(secs))
            .sum()
    };
    for kind in [TargetKind::Region, TargetKind::Zone] {
        let lost = each(DAYS, kind);
        let hours: Vec<_> = lost.iter().map(|(target, _)| &target.hour).collect();
        assert!(hours.iter().all(|hour| *hour == hours[0]), "{hours:?}");
        for (target, document) in &lost {
            let scenario = document.scenario();
            let at = scenario.faults[0].at.secs();
            let day = (0..1440).map(|minute| rate(scenario, 60.0 * f64::from(minute)));
            let most = day.fold(0.0, f64::max);
            assert!(rate(scenario, at) > 0.99 * most, "{target:?}");
            let secs = (scenario.start_of_day_secs + at).rem_euclid(86_400.0) as u32;
            let said = format!("{:02}:{:02}", secs / 3600, secs / 60 % 60);
            assert_eq!(target.hour.as_ref(), Some(&said));
        }
    }
    // Nothing moves for single faults, nor where no hour is busier than another.
    let flat = DAYS.replace("profile = [1, 1, ", "# [");
    for lost in [
        each(DAYS, TargetKind::Fault),
        each(&flat, TargetKind::Region),
    ] {
        for (target, document) in lost {
            assert_eq!(target.hour, None);
            let start = document.scenario().start_of_day_secs;
            assert_eq!(start, (10.0 * 60.0 + 17.0) * 60.0);
        }
    }
}
