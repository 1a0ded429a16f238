//! What is deployed where: services that only some regions have, markets that only some regions may
//! serve, regions that are cut off from each other.

use crate::given::{PARTS, assert_same_windows, drill, outcome, over, scenario};
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;

/// First attempts and answers of one region, by its number in alphabetical order.
fn answered(outcome: &Outcome, region: usize) -> u64 {
    let windows = outcome.windows.iter().map(|w| &w.regions[region]);
    windows.map(|o| o.answered_ok + o.answered_error).sum()
}

/// The parts, with a line put into the table that begins with another.
fn with(text: &str, table: &str, line: &str) -> String {
    assert!(text.contains(table), "{table}");
    text.replacen(table, &format!("{table}\n{line}"), 1)
}

const RIGHTS: &str = "name = \"rights\"";
const MIDDLE: &str = "name = \"middle\"";
const PARTITION: &str = "\n[[fault]]\nkind = \"partition\"\nbetween = [\"ash\", \"birch\"]\nat = \"3min\"\nfor = \"4min\"\n";

#[test]
fn a_service_in_all_regions_by_name_is_a_service_in_all_regions() {
    let named = with(
        &drill(),
        RIGHTS,
        "regions = [\"ash\", \"birch\", \"cedar\"]",
    );
    let (a, b) = (
        outcome(&drill(), Some("flow-dark"), &[]),
        outcome(&named, Some("flow-dark"), &[]),
    );
    assert_same_windows(&a.windows, &b.windows, "all regions named");
}

#[test]
fn a_service_in_one_region_is_called_from_afar_and_sized_for_all() {
    let here = outcome(PARTS, None, &[]);
    let far = outcome(&with(PARTS, RIGHTS, "regions = [\"ash\"]"), None, &[]);
    let median = |o: &Outcome, r: usize| {
        let mut latency = darkregion::model::histogram::Histogram::default();
        for window in &o.windows {
            latency.merge(&window.regions[r].latency, 1.0);
        }
        latency.quantile(0.5).expect("requests were answered")
    };
    // Its own region pays no distance, cedar 80 ms for each request that calls it.
    assert!((median(&far, 0) / median(&here, 0) - 1.0).abs() < 0.1);
    assert!(median(&far, 2) > median(&here, 2) + 0.05);
    // Nothing fails: the one region is sized for all.
    assert!(over(&far, 60.0, 720.0).starts_failed < 50);
    let facts = |text: &str| {
        Simulator::new(&scenario(text, None, &[]))
            .facts()
            .deployment
    };
    let lines = facts(&with(PARTS, RIGHTS, "regions = [\"ash\"]"));
    assert!(lines.len() < facts(PARTS).len() + 1, "{lines:?}");
}

#[test]
fn a_shared_dependency_takes_all_regions_with_it() {
    let text = with(&drill(), RIGHTS, "regions = [\"birch\"]");
    let ample = ["service.*.headroom=4", "edge.headroom=4"];
    let of = |text: &str| over(&outcome(text, Some("flow-dark"), &ample), 300.0, 400.0);
    let (alone, shared) = (of(&drill()), of(&text));
    let failing = |o: &darkregion::model::observation::Observation| {
        o.starts_failed as f64 / (o.starts_failed + o.starts_ok) as f64
    };
    assert!(failing(&alone) < 0.2, "{}", failing(&alone));
    assert!(failing(&shared) > 0.95, "{}", failing(&shared));
    // A second region with the service takes over.
    let two = with(&drill(), RIGHTS, "regions = [\"birch\", \"cedar\"]");
    let two = of(&two);
    assert!(failing(&two) < 0.2, "{}", failing(&two));
}

#[test]
fn a_partition_cuts_calls_between_its_regions_only() {
    let text = with(PARTS, RIGHTS, "regions = [\"ash\"]");
    let cut = outcome(&format!("{text}{PARTITION}"), Some("none"), &[]);
    let ok = |r: usize| -> u64 {
        let windows = cut.windows.iter();
        let during = windows.filter(|w| w.from.secs() >= 240.0 && w.until.secs() <= 400.0);
        during.map(|w| w.regions[r].starts_ok).sum()
    };
    // Birch calls the service in ash across the partition; cedar does not.
    assert!(ok(1) < ok(2) / 20, "{} {}", ok(1), ok(2));
    // Where nobody calls, routes or repeats across it, a partition changes nothing.
    let calm = outcome(PARTS, Some("none"), &["policy.edge_retry=false"]);
    let unused = format!("{PARTS}{PARTITION}");
    let unused = outcome(&unused, Some("none"), &["policy.edge_retry=false"]);
    assert_eq!(calm.ledger, unused.ledger);
}

#[test]
fn a_market_is_never_served_where_it_may_not_be() {
    // Only the market that is limited is there, and its region goes dark.
    let text = drill()
        .replace(
            "name = \"north\"\nnear = [\"ash\", \"birch\", \"cedar\"]\nstarts = \"400/s\"",
            "name = \"north\"\nmay = [\"ash\", \"birch\"]\nnear = [\"ash\"]\nstarts = \"1/s\"",
        )
        .replace(
            "name = \"south\"\nnear = [\"cedar\", \"ash\", \"birch\"]\nstarts = \"400/s\"",
            "name = \"south\"\nmay = [\"ash\", \"birch\"]\nnear = [\"ash\"]\nstarts = \"1/s\"",
        );
    let text = with(&text, MIDDLE, "may = [\"ash\", \"birch\"]");
    for policy in crate::given::policy_names() {
        let free = outcome(&text, Some(policy), &["edge.global=false"]);
        assert_eq!(answered(&free, 2), 0, "under {policy}");
        let free = outcome(&text, Some(policy), &[]);
        assert_eq!(answered(&free, 2), 0, "under {policy}");
    }
    let moved = outcome(
        &text,
        Some("flow-dark"),
        &["service.*.instances=2000", "edge.headroom=1000"],
    );
    assert!(
        over(&moved, 360.0, 400.0).starts_ok > 5_000,
        "ash takes over"
    );
    // With nobody left, its requests fail.
    let only = text
        .replace("may = [\"ash\", \"birch\"]", "may = [\"birch\"]")
        .replace("near = [\"ash\"]\n", "");
    let only = outcome(&only, Some("flow-dark"), &[]);
    assert_eq!(answered(&only, 0) + answered(&only, 2), 0);
    assert_eq!(over(&only, 240.0, 400.0).starts_ok, 0);
}

#[test]
fn a_cubic_curve_sheds_before_pools_are_full_and_the_least_important_first() {
    // Proxies shed nothing: they are ample, so that the hottest pool is a service's.
    let crowded = [
        "service.*.headroom=0.3",
        "edge.headroom=9",
        "policy.edge_retry=false",
    ];
    let run = |shed: &'static str| {
        let mut sets = crowded.to_vec();
        sets.push(shed);
        outcome(&drill(), Some("flow-dark"), &sets)
    };
    let (full, ahead) = (
        over(&run("policy.shed=priority"), 300.0, 400.0),
        over(&run("policy.shed=cubic"), 300.0, 400.0),
    );
    assert!(full.hottest_pool > 0.97, "{}", full.hottest_pool);
    assert!(
        ahead.hottest_pool < full.hottest_pool - 0.02,
        "{}",
        ahead.hottest_pool
    );
    assert!(ahead.answered_error > 0);
    // A threshold that is never reached changes nothing that matters; a low one sheds more.
    let low = {
        let mut sets = crowded.to_vec();
        sets.extend(["policy.shed=cubic", "policy.shed_from=0.5"]);
        over(&outcome(&drill(), Some("flow-dark"), &sets), 300.0, 400.0)
    };
    assert!(
        low.hottest_pool < ahead.hottest_pool,
        "{}",
        low.hottest_pool
    );
}
