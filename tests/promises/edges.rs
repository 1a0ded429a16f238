//! Edges that fail with the regions behind them healthy, their backup routes, caches that are flushed,
//! and fallbacks when the only region with a service is gone.

use crate::given::{PARTS, assert_same_windows, drill, outcome, over};
use darkregion::model::observation::Observation;
use darkregion::model::outcome::Outcome;

/// The edge of one region fails from minute three to minute seven.
fn failing(share: f64) -> String {
    format!(
        "{PARTS}\n[[fault]]\nkind = \"edge-failure\"\nregion = \"birch\"\nshare = {share}\nat = \"3min\"\nfor = \"4min\"\n"
    )
}

/// Capacity is ample, so that only the edge matters; every device goes through it.
const AMPLE: &[&str] = &[
    "service.*.headroom=4",
    "edge.headroom=4",
    "device.legacy.direct=false",
];

fn run(share: f64, more: &[&str]) -> Outcome {
    let sets: Vec<&str> = AMPLE.iter().chain(more).copied().collect();
    outcome(&failing(share), Some("none"), &sets)
}

fn region(outcome: &Outcome, r: usize, from: f64, until: f64) -> Observation {
    let mut sum = Observation::default();
    for window in &outcome.windows {
        if window.from.secs() >= from && window.until.secs() <= until {
            sum.merge(&window.regions[r]);
        }
    }
    sum
}

fn said(outcome: &Outcome, what: &str) -> Option<f64> {
    let entry = outcome.log.iter().find(|e| e.what.contains(what));
    entry.map(|e| e.at.secs())
}

/// Share of the starts of a stretch that failed.
fn lost(o: &Observation) -> f64 {
    o.starts_failed as f64 / (o.starts_failed + o.starts_ok) as f64
}

#[test]
fn an_edge_that_answers_nothing_strands_its_sessions_though_its_region_lives() {
    let silent = run(1.0, &["device.modern.fallback_after=0"]);
    let during = region(&silent, 1, 250.0, 400.0);
    assert_eq!(during.answered_ok, 0);
    assert!(during.unreachable > 10_000, "{}", during.unreachable);
    assert!(during.rebuffered > 1000.0, "{}", during.rebuffered);
    assert_eq!(during.starts_ok, 0);
    // The others feel nothing, and it comes back by itself.
    assert!(lost(&region(&silent, 0, 250.0, 400.0)) < 0.001);
    assert!(lost(&region(&silent, 1, 540.0, 720.0)) < 0.01);
    // Clients with a fallback go to the next region's own name.
    let fall = run(1.0, &["device.*.fallback_after=2"]);
    let (with, without) = (over(&fall, 250.0, 400.0), over(&silent, 250.0, 400.0));
    assert!(
        lost(&with) < lost(&without) / 2.0,
        "{} {}",
        lost(&with),
        lost(&without)
    );
}

#[test]
fn part_of_an_edge_refuses_its_share_and_clients_find_the_rest() {
    let part = run(0.4, &["device.*.fallback_after=0"]);
    let during = region(&part, 1, 250.0, 400.0);
    // Each attempt meets a failed proxy with a chance of 0.4, and four attempts seldom all do.
    assert!(during.starts_ok > 50_000, "{}", during.starts_ok);
    let knocked = during.unreachable as f64 / (during.starts_ok as f64 + during.unreachable as f64);
    assert!((knocked - 0.4).abs() < 0.05, "{knocked}");
    assert!(lost(&during) < 0.3, "{}", lost(&during));
    assert!(during.answered_ok > 0);
    // Sessions on the proxies that failed look for another: a herd at the beginning only.
    let calm = run(0.0, &[]);
    let playing = |o: &Outcome| region(o, 1, 170.0, 180.0).playing_sessions;
    assert!(playing(&part) == playing(&calm));
    // Who is left carries the rest with the slots that are left.
    let tight = run(0.4, &["edge.headroom=0.2", "device.*.fallback_after=0"]);
    let shed = region(&tight, 1, 300.0, 400.0);
    assert!(shed.answered_error > 1000, "{}", shed.answered_error);
}

#[test]
fn the_next_regions_edge_takes_over_by_the_backup_route() {
    let none = run(1.0, &["edge.backup_after=40s"]);
    let taken = run(1.0, &["edge.backup=region", "edge.backup_after=40s"]);
    assert_eq!(said(&none, "backup"), None);
    assert_eq!(said(&taken, "the backup route is taken"), Some(220.0));
    assert_eq!(said(&taken, "the backup route ends"), Some(420.0));
    let of = |o: &Outcome, r| region(o, r, 300.0, 400.0);
    // Cedar is birch's next: it answers what entered at birch, and birch's own services nothing.
    assert!(lost(&over(&taken, 300.0, 400.0)) < 0.01);
    assert!(lost(&over(&none, 300.0, 400.0)) > 0.05);
    assert_eq!(of(&taken, 1).answered_ok, 0);
    let more = of(&taken, 2).answered_ok as f64 / of(&taken, 0).answered_ok as f64;
    assert!((more - 2.0).abs() < 0.3, "{more}");
    // Until it is taken, all is as without one.
    let before = |o: &Outcome| over(o, 0.0, 220.0);
    assert_eq!(before(&none), before(&taken));
}

#[test]
fn requests_go_straight_to_the_services_by_the_backup_route() {
    let taken = run(1.0, &["edge.backup=direct", "device.*.fallback_after=0"]);
    assert_eq!(said(&taken, "straight to its services"), Some(210.0));
    let birch = region(&taken, 1, 300.0, 400.0);
    assert!(birch.answered_ok > 50_000, "{}", birch.answered_ok);
    assert!(lost(&over(&taken, 300.0, 400.0)) < 0.01);
    let cedar = region(&taken, 2, 300.0, 400.0).answered_ok as f64;
    let ash = region(&taken, 0, 300.0, 400.0).answered_ok as f64;
    assert!((cedar / ash - 1.0).abs() < 0.2, "{}", cedar / ash);
}

#[test]
fn a_backup_route_that_is_never_needed_changes_nothing() {
    let with = outcome(&drill(), Some("flow"), &["edge.backup=region"]);
    let without = outcome(&drill(), Some("flow"), &[]);
    assert_same_windows(&with.windows, &without.windows, "a backup route");
}

#[test]
fn flushed_caches_miss_and_fill_again() {
    let text =
        format!("{PARTS}\n[[fault]]\nkind = \"cache-flush\"\nregion = \"birch\"\nat = \"3min\"\n");
    let ample = ["service.store.headroom=20"];
    let hits = |o: &Observation| o.cache_hits / o.cache_lookups;
    let flushed = outcome(&text, Some("none"), &ample);
    let of = |from, until| hits(&region(&flushed, 1, from, until));
    let (before, at, later) = (of(120.0, 180.0), of(180.0, 190.0), of(660.0, 720.0));
    assert!(at < before - 0.1, "{before} {at}");
    assert!(later > at + 0.5 * (before - at), "{before} {at} {later}");
    let elsewhere = hits(&region(&flushed, 0, 180.0, 190.0));
    assert!((elsewhere - before).abs() < 0.05, "{elsewhere} {before}");
}

#[test]
fn who_lacks_a_service_falls_back_when_its_only_region_is_dark() {
    let text = drill().replacen(
        "name = \"advice\"",
        "name = \"advice\"\nregions = [\"birch\"]",
        1,
    );
    let run = outcome(&text, Some("none"), AMPLE);
    let ash = |from, until| region(&run, 0, from, until);
    let share = |o: &Observation| o.answered_degraded as f64 / o.answered_ok as f64;
    assert!(share(&ash(60.0, 180.0)) < 0.01);
    let during = ash(200.0, 400.0);
    assert!(share(&during) > 0.1, "{}", share(&during));
    // Default rows are an answer.
    let errors = during.answered_error as f64 / during.answered_ok as f64;
    assert!(errors < 0.01, "{errors}");
    assert!(share(&ash(600.0, 720.0)) < 0.01);
}
