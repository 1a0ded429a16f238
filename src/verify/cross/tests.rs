use super::*;
use crate::model::fidelity::Fidelity;
use crate::scenario::builtins;
use crate::simulate;
use crate::verify::Verdict;

struct Unwatched;

impl Watch for Unwatched {
    fn finished(&self, _: u64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

struct Cancelled;

impl Watch for Cancelled {
    fn finished(&self, _: u64) {}
    fn cancelled(&self) -> bool {
        true
    }
}

fn case(name: &str) -> &'static Case {
    cases().iter().find(|case| case.name == name).unwrap()
}

fn report(pair: Pair, replications: u64) -> Report {
    compare(&[pair], replications, 1, &Unwatched).unwrap()
}

fn failing(report: &Report) -> Vec<String> {
    let rows = report.cases.iter().filter(|r| r.verdict == Verdict::Fail);
    rows.map(|r| format!("{}: {}", r.metric, r.why)).collect()
}

#[test]
fn the_set_loads_and_its_names_are_its_own() {
    let mut names: Vec<&str> = cases().iter().map(|case| case.name).collect();
    for case in cases() {
        let pair = case.pair().unwrap_or_else(|problems| panic!("{problems}"));
        for document in [&pair.counted, &pair.single] {
            let errors = simulate::errors(document.scenario());
            assert!(errors.is_empty(), "{}: {errors:?}", case.name);
        }
        assert_eq!(pair.single.scenario().fidelity, Fidelity::Request);
        assert_eq!(pair.counted.scenario().fidelity, Fidelity::Cohort);
        assert!(builtins().iter().all(|builtin| builtin.name != case.name));
    }
    names.push("all");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases().len() + 1);
}

#[test]
fn both_agree_on_a_surge_and_on_a_lost_region() {
    for name in ["surge", "region-dns", "region-proxy"] {
        let report = report(case(name).pair().unwrap(), 12);
        assert!(report.passed > 25, "{name}: {} rows", report.passed);
        assert_eq!(failing(&report), [""; 0], "{name}");
    }
}

#[test]
fn five_percent_more_demand_in_one_of_them_fails() {
    let case = case("region-dns");
    let more = [
        "market.near-east.requests=\"136.5/s\"",
        "market.near-west.requests=\"115.5/s\"",
    ];
    let single = case.document(&more).unwrap();
    let pair = Pair {
        single: single.computed(Fidelity::Request, 1.0),
        ..case.pair().unwrap()
    };
    let found = failing(&report(pair, 12));
    assert!(
        found.iter().any(|row| row.starts_with("starts:")),
        "{found:?}"
    );
}

#[test]
fn names_that_are_held_longer_in_one_of_them_fail() {
    let case = case("region-dns");
    let single = case.document(&["dns.ttl=\"40s\""]).unwrap();
    let pair = Pair {
        single: single.computed(Fidelity::Request, 1.0),
        ..case.pair().unwrap()
    };
    let found = failing(&report(pair, 12));
    assert!(
        found.iter().any(|row| row.starts_with("shifted")),
        "{found:?}"
    );
}

#[test]
fn small_pools_say_themselves_that_they_are_off() {
    let report = report(case("small-pools").pair().unwrap(), 20);
    assert_eq!(failing(&report), [""; 0]);
    assert!(report.not_covered > 0);
    for row in &report.cases {
        let off = row.verdict == Verdict::NotCovered;
        assert!(
            !off || row.why.starts_with("outside validity: "),
            "{}",
            row.why
        );
    }
}

#[test]
fn the_same_comparison_comes_again() {
    let run = || report(case("small-pools").pair().unwrap(), 5);
    let text = |report: &Report| serde_json::to_string(report).unwrap();
    assert_eq!(text(&run()), text(&run()));
    let pair = case("small-pools").pair().unwrap();
    assert!(compare(&[pair], 4, 1, &Cancelled).is_none());
}
