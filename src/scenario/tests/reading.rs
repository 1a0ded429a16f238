//! What values, defaults, origins and draws become.

use super::*;
use crate::model::measure::Op;
use crate::model::request::When;
use crate::model::scenario::Origin;
use crate::scenario::builtin;
use crate::units::{Dist, Span};
use std::borrow::Cow;

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
        let value = |path: &str| {
            let of_path = drawn.uncertain.iter().find(|input| input.path == path);
            of_path.expect("it is uncertain").value
        };
        assert_eq!(value("service.api.headroom"), drawn.services[0].headroom);
        assert!((value("dns.ttl") - drawn.dns.ttl.secs()).abs() < 1e-8);
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
    let alone = Document::load("test", file(&document.toml()), None, Vec::new());
    assert!(alone.is_ok(), "the merged text needs no data file");
    let told = load(&text.replace("times.csv", "bad.csv")).expect_err("a bad file");
    assert!(told.to_string().contains("line 3: \"soon\""), "{told}");
    let told = load(&text.replace("times.csv", "traffic.csv")).expect_err("a wrong file");
    assert!(told.to_string().contains("no column `seconds`"), "{told}");
    assert!(load(&text.replace("times.csv", "/dev/zero")).is_err());
}
