//! What strategies deploy, what it costs, and what comes of it; regions that are home to no market.

use crate::given::{document, outcome, over, scenario};
use crate::money::{equal_text, relative};
use darkregion::model::outcome::Outcome;
use darkregion::model::scenario::Scenario;
use darkregion::scenario::{Builtin, Document, Kind, Layer, PolicyArg, builtins};
use darkregion::simulate::Simulator;

fn of(kind: Kind) -> impl Iterator<Item = &'static Builtin> {
    builtins().iter().filter(move |built| built.kind == kind)
}

/// Whether one region serves all under a strategy.
fn passive(strategy: &str) -> bool {
    matches!(strategy, "active-passive" | "pilot-light")
}

/// A built-in scenario under a strategy: its first region is dark from the second to the fifth of eight
/// minutes, and nothing else goes wrong.
fn short(scenario: &Builtin, strategy: &str) -> Scenario {
    let whole = Layer::file(scenario.name, scenario.text, None);
    let plain = Document::load(scenario.name, whole.clone(), None, Vec::new());
    let plain = plain.unwrap_or_else(|problems| panic!("{}: {problems}", scenario.name));
    let fault = format!(
        "horizon = \"8min\"\n[[fault]]\nkind = \"region-dark\"\nregion = {:?}\nat = \"2min\"\nfor = \"3min\"\n",
        plain.scenario().regions[0].name
    );
    let layers = vec![Layer::file("short.toml", &fault, None)];
    let policy = Some(PolicyArg::Name(strategy.to_string()));
    let document = Document::load(scenario.name, whole, policy, layers);
    let document =
        document.unwrap_or_else(|problems| panic!("{strategy} on {}: {problems}", scenario.name));
    document.scenario().clone()
}

#[test]
fn every_strategy_runs_every_scenario() {
    for strategy in of(Kind::Strategy) {
        for built in of(Kind::Scenario) {
            let what = format!("{} on {}", strategy.name, built.name);
            let scenario = short(built, strategy.name);
            let outcome = Simulator::new(&scenario).run(1, 0);
            let ledger = &outcome.ledger;
            assert_eq!(
                ledger.starts,
                ledger.starts_ok
                    + ledger.starts_failed
                    + ledger.starts_ambient
                    + ledger.starts_waiting,
                "{what}"
            );
            let calm = over(&outcome, 30.0, 120.0);
            assert!(calm.starts_ok > 0, "{what}");
            let failing = calm.starts_failed as f64 / calm.starts_ok as f64;
            assert!(
                failing < 1e-3,
                "{what}: {failing} of the starts fail before"
            );
            assert_eq!(
                scenario.standby.len(),
                usize::from(passive(strategy.name) && scenario.regions.len() > 1),
                "{what}"
            );
            let idle = scenario.standby.iter().chain(&scenario.unused);
            for &region in idle {
                // Nobody but an edge that tries one of a million requests again.
                let before = outcome.windows.iter().filter(|w| w.until.secs() <= 120.0);
                let asked = before.map(|w| (w.regions[region].asked, w.global.asked));
                let (here, all) = asked.fold((0.0, 0.0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
                assert!(
                    here < 1e-5 * all,
                    "{what}: region {region} is asked {here} of {all}"
                );
            }
            let planned: f64 = outcome.usage.pools.iter().map(|pool| pool.planned).sum();
            let alone: f64 = outcome.usage.pools.iter().map(|pool| pool.alone).sum();
            assert!(planned >= alone, "{what}: {planned} of {alone}");
        }
    }
}

/// Equal regions, and the first of them lost from the second to the fourteenth of sixteen minutes.
fn lost(regions: usize, strategy: &str, sets: &[&str]) -> (Scenario, Outcome) {
    let text = equal_text(regions, "", "horizon = \"16min\"\n[edge]\nglobal = true\n")
        + "[[fault]]\nkind = \"region-dark\"\nregion = \"r0\"\nat = \"2min\"\nfor = \"12min\"\n";
    let scenario = scenario(&text, Some(strategy), sets);
    let outcome = Simulator::new(&scenario).run(1, 0);
    (scenario, outcome)
}

/// Share of the starts that fail.
fn failing(outcome: &Outcome, from: f64, until: f64) -> f64 {
    let seen = over(outcome, from, until);
    seen.starts_failed as f64 / (seen.starts_ok + seen.starts_failed) as f64
}

#[test]
fn redundancy_has_its_price() {
    for (regions, strategy, known) in [
        (2, "n-plus-one", 2.0),
        (3, "n-plus-one", 1.5),
        (2, "active-active", 2.0 * 1.25),
        (3, "active-active", 1.5 * 1.25),
        (2, "active-passive", 1.3 * 1.25),
        (3, "active-passive", 1.3 * 1.25),
        (2, "pilot-light", 1.25),
    ] {
        let (_, outcome) = lost(regions, strategy, &[]);
        let found = relative(&outcome);
        assert!(
            (found - known).abs() < 0.05,
            "{strategy}, {regions} regions: {found} instead of {known}"
        );
    }
}

#[test]
fn whoever_has_more_there_loses_less() {
    let strategies = ["active-active", "active-passive", "pilot-light"];
    let runs = strategies.map(|strategy| lost(2, strategy, &[]).1);
    let failed = runs.each_ref().map(|run| run.ledger.starts_failed);
    assert!(
        4 * failed[0] < failed[1] && failed[1] < failed[2],
        "{failed:?}"
    );
    for (strategy, run) in strategies.iter().zip(&runs) {
        assert!(failing(run, 600.0, 840.0) < 1e-3, "{strategy} recovers");
    }
    let launched = runs.each_ref().map(|run| run.usage.pools[0].on_demand_secs);
    assert_eq!(launched[0], 0.0);
    assert!(
        0.0 < launched[1] && launched[1] < launched[2],
        "{launched:?}"
    );
}

#[test]
fn what_stands_by_at_full_size_takes_over_like_an_active_region() {
    let (_, small) = lost(2, "active-passive", &[]);
    let (scenario, full) = lost(2, "active-passive", &["service.api.standby=1"]);
    assert_eq!(
        full.usage.pools[0].on_demand_secs, 0.0,
        "nothing is launched"
    );
    assert!(failing(&small, 150.0, 200.0) > 0.3);
    assert!(failing(&full, 150.0, 200.0) < 1e-3);
    let sized = |instances: f64| instances / full.usage.pools[0].alone;
    assert!((sized(full.usage.pools[0].planned) - 2.5).abs() < 0.05);
    assert_eq!(scenario.standby, [1]);
}

#[test]
fn active_regions_are_named_or_counted() {
    let text = equal_text(3, "", "") + "[[market]]\nname = \"m9\"\nnear = [\"r2\"]\nstarts = 5\n";
    let near = "[\"r1\", \"r2\"]\nrtt = ";
    let closer = text.replace(&format!("{near}\"60ms\""), &format!("{near}\"1ms\""));
    assert_ne!(text, closer);
    let roles_of = |text: &str, sets: &[&str]| {
        let scenario = scenario(text, None, sets);
        let homes: Vec<usize> = scenario.markets.iter().map(|m| m.near[0]).collect();
        (homes, scenario.standby, scenario.unused)
    };
    let roles = |sets: &[&str]| roles_of(&text, sets);
    let none = Vec::new;
    let planned = (vec![0, 1, 2, 2], none(), none());
    assert_eq!(roles(&[]), planned);
    assert_eq!(roles(&["active=all"]), planned);
    // The third is home to most.
    assert_eq!(roles(&["active=1"]), (vec![2; 4], vec![0, 1], none()));
    let pair = ["active=1", "passive=1"];
    assert_eq!(roles(&pair), (vec![2; 4], vec![0], vec![1]));
    assert_eq!(roles_of(&closer, &pair), (vec![2; 4], vec![1], vec![0]));
    assert_eq!(
        roles(&["active=[\"r1\"]", "passive=[\"r2\"]"]),
        (vec![1; 4], vec![2], vec![0])
    );
    // Where the active ones may not serve, a market stays at home.
    assert_eq!(
        roles(&["active=[\"r1\"]", "market.m9.may=[\"r2\"]"]),
        (vec![1, 1, 1, 2], vec![0], none())
    );
}

#[test]
fn what_is_not_known_gives_way_to_a_strategy() {
    let text = equal_text(2, "headroom = { uncertain = [0.2, 0.4] }", "");
    let service = &scenario(&text, Some("active-active"), &[]).services[0];
    assert_eq!(service.after_loss, Some(0.8));
    let back = document(&text, Some("active-active"), &["service.*.headroom=0.3"]);
    let service = &back.scenario().services[0];
    assert_eq!((service.headroom, service.after_loss), (0.3, None));
}

/// One region has all the viewers; the others wait.
const IDLE: &str = r#"
format = 1
horizon = "12min"

[[region]]
name = "east"

[[region]]
name = "north"

[[region]]
name = "west"

[[market]]
name = "viewers"
near = ["east", "west", "north"]
starts = "20/s"

[edge]
global = true

[[service]]
name = "api"
instances = 9

[[fault]]
kind = "region-dark"
region = "east"
at = "3min"
for = "6min"
"#;

#[test]
fn a_region_that_is_home_to_nobody_is_judged_by_who_would_come() {
    let run = outcome(IDLE, Some("flow"), &[]);
    let moves = run.log.iter().find(|entry| entry.part == "dns");
    let moves = moves.unwrap_or_else(|| panic!("DNS moves: {:?}", run.log));
    assert!(moves.at.secs() < 400.0, "{moves:?}");
    assert!(failing(&run, 300.0, 500.0) < 1e-3);
    // As much as both carry.
    assert!(moves.what.contains("north 50 %, west 50 %"), "{moves:?}");
}
