//! What every valid scenario promises, over arbitrary ones. A case that fails is shrunk, told, and kept
//! in `proptest-regressions`, to be tried first from then on.

use crate::conservation::assert_balanced;
use crate::given::assert_same_windows;
use darkregion::faults::timetable;
use darkregion::model::outcome::{Outcome, Window};
use darkregion::model::scenario::Scenario;
use darkregion::scenario::{Document, Layer};
use darkregion::simulate::{Simulator, warnings};
use darkregion::testing::scenarios;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

const SEED: u64 = 7;
/// A case that fails is made smaller for so long.
const LONGEST_SHRINK_MILLIS: u32 = 15_000;

/// So many cases; those that failed once are kept in a file of this name.
pub fn config(cases: u32, kept: &'static str) -> ProptestConfig {
    ProptestConfig {
        cases,
        max_shrink_time: LONGEST_SHRINK_MILLIS,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))),
        ..ProptestConfig::default()
    }
}

fn load(text: &str, sets: &[&str]) -> Document {
    let sets = sets.iter().map(|set| Layer::set(set)).collect();
    Document::load("random", Layer::file("random.toml", text, None), None, sets)
        .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

fn run(document: &Document) -> Outcome {
    Simulator::new(&document.drawn(SEED, 0)).run(SEED, 0)
}

/// The tables of a text, of which every value is on one line, in another order.
fn turned(text: &str) -> String {
    let mut tables: Vec<String> = vec![String::new()];
    for line in text.lines() {
        if line.starts_with('[') {
            tables.push(String::new());
        }
        let last = tables.last_mut().expect("there is one");
        last.push_str(line);
        last.push('\n');
    }
    tables[1..].reverse();
    tables.concat()
}

/// Work and memory of a run, bounded by what the scenario says.
fn assert_bounded(scenario: &Scenario, outcome: &Outcome) {
    let over = |span: f64| (scenario.horizon.secs() / span).ceil() as u64 + 1;
    let episodes = timetable(scenario, SEED, 0).len() as u64;
    let regions = scenario.regions.len() as u64;
    let services = scenario.services.len() as u64;
    // Besides its own grid, a step ends where something changes: an episode or its announcement, an answer
    // of DNS, an order that arrives, an instance that boots; each of them in each part at most once a step.
    let parts = regions * (services + scenario.markets.len() as u64 + 4);
    let most = over(scenario.step.secs()) * (1 + parts) + 3 * episodes;
    assert!(
        outcome.steps <= most,
        "{} steps, {most} expected at most",
        outcome.steps
    );
    let windows = over(scenario.sample.secs()) + 2;
    assert!(
        outcome.windows.len() as u64 <= windows,
        "{} windows, {windows} expected at most",
        outcome.windows.len()
    );
    let lines = 2 * over(scenario.sample.secs()) * parts + 10 * episodes * (1 + parts);
    assert!(
        outcome.log.len() as u64 <= lines,
        "{} lines of log, {lines} expected at most",
        outcome.log.len()
    );
}

proptest! {
    #![proptest_config(config(48, "proptest-regressions/random/valid.txt"))]

    #[test]
    fn every_valid_scenario_runs_balances_and_is_bounded(text in scenarios()) {
        let document = load(&text, &[]);
        let drawn = document.drawn(SEED, 0);
        let simulator = Simulator::new(&drawn);
        let outcome = simulator.run(SEED, 0);
        assert_balanced(&outcome, "a random scenario");
        assert_bounded(&drawn, &outcome);
        prop_assert_eq!(simulator.run(SEED, 0).digest, outcome.digest, "twice");
        // What is said of it before it runs does not fail either.
        let _ = (warnings(&drawn), simulator.facts());
    }

    #[test]
    fn declared_in_another_order_it_is_the_same(text in scenarios()) {
        let (one, other) = (run(&load(&text, &[])), run(&load(&turned(&text), &[])));
        assert_same_windows(&one.windows, &other.windows, "in another order");
        prop_assert_eq!(one.ledger, other.ledger);
        prop_assert_eq!(one.digest, other.digest);
    }
}

proptest! {
    #![proptest_config(config(32, "proptest-regressions/random/longer.txt"))]

    #[test]
    fn a_longer_horizon_changes_nothing_before(text in scenarios()) {
        let short = load(&text, &[]);
        // Deployments are planned for the largest wave of the whole run.
        let waves = short.scenario().markets.iter().any(|market| market.wave.is_some());
        prop_assume!(!waves);
        let horizon = format!("horizon={}s", 2.0 * short.scenario().horizon.secs());
        let (short, long) = (run(&short), run(&load(&text, &[&horizon])));
        let until = short.windows.last().expect("there are windows").until;
        // The last window ends with the run, and not where it would go on.
        let whole = |outcome: &Outcome| -> Vec<Window> {
            let windows = outcome.windows.iter();
            windows.filter(|window| window.until < until).cloned().collect()
        };
        assert_same_windows(&whole(&short), &whole(&long), "with a longer horizon");
    }
}

proptest! {
    #![proptest_config(config(24, "proptest-regressions/random/idle.txt"))]

    #[test]
    fn no_budget_for_retries_is_one_attempt(text in scenarios()) {
        let nothing = ["device.*.retry_budget=0", "device.*.retry_burst=0"];
        let budget = run(&load(&text, &nothing));
        let single = run(&load(&text, &["device.*.attempts=1"]));
        prop_assert_eq!(budget.ledger.retries, 0);
        let fallback = text.contains("fallback_after");
        if !fallback {
            assert_same_windows(&budget.windows, &single.windows, "no retries");
        }
    }

    #[test]
    fn a_surge_of_nothing_changes_nothing(text in scenarios()) {
        let first = load(&text, &[]).scenario().faults.first().map(|fault| fault.at);
        if let Some(at) = first {
            // It begins with a fault that is there and outlives the run: no window and no step is cut.
            let surge = format!(
                "[[fault]]\nkind = \"demand-surge\"\nfactor = 1\nat = \"{}s\"\nfor = \"20min\"\n",
                at.secs()
            );
            // Who waits to be told by a person is told of this fault, too; and steps are longer only while
            // no fault is there.
            let health = ["policy.detect=health", "step=1s", "sample=1s"];
            let (plain, surged) = (load(&text, &health), load(&format!("{text}{surge}"), &health));
            let (plain, surged) = (run(&plain), run(&surged));
            assert_same_windows(&plain.windows, &surged.windows, "a surge of nothing");
            prop_assert_eq!(plain.ledger, surged.ledger);
        }
    }

    #[test]
    fn with_more_capacity_a_calm_day_fails_no_more_starts(text in scenarios()) {
        // Without faults, policy, retries and fixed pools: each pool is planned for what comes.
        let calm: String = turned(&text)
            .split_inclusive('\n')
            .filter(|line| {
                let fixed = ["instances =", "scaling =", "scalable =", "quota"];
                !fixed.iter().any(|key| line.starts_with(key))
            })
            .collect();
        let calm = without(&calm, "[[fault]]");
        let calm = without(&calm, "[policy]");
        let failed = |headroom: &str| {
            let services = format!("service.*.headroom={headroom}");
            let edge = format!("edge.headroom={headroom}");
            let ledger = run(&load(&calm, &[&services, &edge, "device.*.attempts=1"])).ledger;
            (ledger.starts_failed as f64, ledger.starts as f64)
        };
        let ((few, starts), (many, _)) = (failed("3"), failed("0"));
        prop_assert!(
            few <= many + 5.0 * starts.sqrt() + 5.0,
            "{few} of {starts} with ample capacity, {many} with little\n{calm}"
        );
    }
}

/// A text without the tables of a heading.
fn without(text: &str, heading: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == heading;
        }
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The strategy brings forth what it is there for, not one kind of scenario again and again.
#[test]
fn random_scenarios_have_every_part_in_them() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let texts: Vec<String> = (0..400)
        .map(|_| {
            let tree = scenarios().new_tree(&mut runner).expect("it never fails");
            proptest::strategy::ValueTree::current(&tree)
        })
        .collect();
    let kinds = darkregion::faults::all()
        .iter()
        .map(|kind| format!("kind = \"{}\"", kind.name()));
    let policies = darkregion::policies::all()
        .iter()
        .map(|policy| format!("use = \"{}\"", policy.name()));
    let parts = [
        "zone_weights",
        "capacity = \"",
        "may =",
        "requests =",
        "starts =",
        "direct = true",
        "global = true",
        "origin_limit",
        "[balancer]",
        "critical = true",
        "fallback =",
        "parallel = false",
        "cache = {",
        "regions = [",
        "scaling =",
        "worker =",
        "\"asynchronous\"",
        "\"quorum\"",
        "\"primary\"",
        "guard =",
        "uncertain =",
        "scope = { services",
        "scope = { devices",
        "failback = {",
        "detect =",
        "announced =",
        "common_cause",
        "media =",
    ];
    for part in kinds.chain(policies).chain(parts.map(str::to_string)) {
        let with = texts.iter().filter(|text| text.contains(&part)).count();
        assert!(with >= 4, "{part}: {with} of {}", texts.len());
    }
}
