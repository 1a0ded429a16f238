//! Every kind of fault under every policy and strategy, in systems of three shapes: it does what its
//! page says, to what it hits and to nothing before it, and leaves the world as it was.
//!
//! The shapes stand in `faults/*.toml`; what is expected in `faults/effects.txt`. A line is
//! `KIND KEY = VALUE; … | MEASURE | LOW..HIGH | WHY`: with the fault, from minute 2 on and where it
//! lasts for a minute, the measure is so many times what it is without, under every policy. `shape NAME`
//! says in which system. A last part `acts` says that no policy fails more starts than `none` does, and `but
//! P, Q` names policies under which it shows otherwise or not at all.

use crate::given::{assert_same_windows, document, policy_names};
use crate::measured::Run;
use darkregion::faults::{self, Lasts};
use darkregion::model::fidelity::Fidelity;
use darkregion::policies as known;
use darkregion::scenario::{Kind, builtins};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// When the faults begin, in seconds.
const AT: f64 = 120.0;
/// From here on nothing of them is left to be seen: what went dark has booted, sessions have come back.
const OVER: (f64, f64) = (480.0, 600.0);

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/promises/faults")
}

fn shape(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.toml"))).expect("the shape can be read")
}

struct Effect {
    place: String,
    shape: String,
    kind: String,
    fault: String,
    measure: String,
    by: (f64, f64),
    because: String,
    acts: bool,
    but: Vec<String>,
}

fn effects() -> Vec<Effect> {
    let text = fs::read_to_string(folder().join("effects.txt")).expect("it can be read");
    let mut shape = String::new();
    let mut effects = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("shape ") {
            shape = name.to_string();
            continue;
        }
        let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let (kind, keys) = parts[0].split_once(' ').unwrap_or((parts[0], ""));
        let of = faults::find(kind).unwrap_or_else(|| panic!("there is no {kind}"));
        let mut fault = format!("[[fault]]\nkind = \"{kind}\"\nat = \"2min\"\n");
        if of.lasts() == Lasts::Always || keys.contains("every") {
            fault += "for = \"1min\"\n";
        }
        fault += &keys.replace(';', "\n");
        let (low, high) = parts[2].split_once("..").expect("low..high");
        let factor = |text: &str| text.parse().expect("a factor");
        let rest = &parts[4..];
        let but = rest.iter().find_map(|part| part.strip_prefix("but "));
        effects.push(Effect {
            place: format!("effects.txt:{}", number + 1),
            shape: shape.clone(),
            kind: kind.to_string(),
            fault,
            measure: parts[1].to_string(),
            by: (factor(low), factor(high)),
            because: parts[3].to_string(),
            acts: rest.contains(&"acts"),
            but: but
                .map(|but| but.split(',').map(|p| p.trim().to_string()).collect())
                .unwrap_or_default(),
        });
    }
    effects
}

/// All policies, and the strategies that keep to what the shape deploys.
fn policies() -> Vec<&'static str> {
    let strategies = builtins().iter().filter(|b| b.kind == Kind::Strategy);
    let mut names = policy_names();
    names.extend(strategies.map(|b| b.name));
    names.dedup();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    names
}

fn run(text: &str, policy: &str, fidelity: Fidelity) -> Run {
    let document = document(text, Some(policy), &[]).computed(fidelity, 1.0);
    Run::new(document.scenario(), 5, 0)
}

/// Starts and sessions are all accounted for.
fn balances(run: &Run, what: &str) {
    let l = run.outcome().ledger;
    assert_eq!(
        l.starts,
        l.starts_ok + l.starts_failed + l.starts_ambient + l.starts_waiting,
        "{what}: starts {l:?}"
    );
    assert_eq!(
        l.sessions_first + l.sessions_begun,
        l.sessions_ended + l.sessions_last,
        "{what}: sessions {l:?}"
    );
    assert!(!run.outcome().log.is_empty(), "{what}: nothing is told");
}

/// Nothing before the fault, and nothing long after it.
fn passes(calm: &Run, hit: &Run, what: &str) -> Option<String> {
    let before = |run: &Run| {
        let windows = &run.outcome().windows;
        windows.partition_point(|w| w.until.secs() <= AT)
    };
    assert_same_windows(
        &calm.outcome().windows[..before(calm)],
        &hit.outcome().windows[..before(hit)],
        &format!("{what}: before"),
    );
    let measure = |run: &Run, name: &str| run.measure(&format!("{name} in {}-{}", OVER.0, OVER.1));
    let failing = |run: &Run| {
        let failed = measure(run, "starts_failed");
        failed / (failed + measure(run, "starts_ok"))
    };
    let (usual, still) = (failing(calm), failing(hit));
    (still > usual + 0.002).then(|| format!("{what}: {still} fail at the end, and {usual} without"))
}

#[test]
fn every_fault_does_what_its_page_says_under_every_policy() {
    hold_effects(Fidelity::Cohort, &policies());
}

#[test]
fn every_fault_does_what_its_page_says_request_by_request() {
    hold_effects(Fidelity::Request, &["none", "flow"]);
}

fn hold_effects(fidelity: Fidelity, policies: &[&'static str]) {
    let mut calm: BTreeMap<(String, &str), Run> = BTreeMap::new();
    let mut hit: BTreeMap<(String, String, &str), Run> = BTreeMap::new();
    let mut wrong = Vec::new();
    for effect in effects() {
        let world = shape(&effect.shape);
        for &policy in policies {
            let what = format!(
                "{}: {} on {} under {policy}",
                effect.place, effect.kind, effect.shape
            );
            let calm = calm
                .entry((effect.shape.clone(), policy))
                .or_insert_with(|| run(&world, policy, fidelity));
            let key = (effect.shape.clone(), effect.fault.clone(), policy);
            let found = hit.entry(key).or_insert_with(|| {
                let found = run(&format!("{world}\n{}", effect.fault), policy, fidelity);
                balances(&found, &what);
                wrong.extend(passes(calm, &found, &what));
                found
            });
            let (before, after) = (
                calm.measure(&effect.measure),
                found.measure(&effect.measure),
            );
            let factor = after / before;
            // What is computed request by request has another luck once anything is different.
            let luck = match fidelity {
                Fidelity::Cohort => 0.0,
                Fidelity::Request => 1e-3,
            };
            let (low, high) = (effect.by.0 - luck, effect.by.1 + luck);
            if !(low..=high).contains(&factor) && !effect.but.iter().any(|p| p == policy) {
                wrong.push(format!(
                    "{what}: {} {before} becomes {after}, times {factor:.3}, not {low} to {high} ({})",
                    effect.measure, effect.because
                ));
            }
            // Strategies change what is deployed: only policies are held against doing nothing.
            if effect.acts && known::find(policy).is_some() {
                let failed = |policy| {
                    let key = (effect.shape.clone(), effect.fault.clone(), policy);
                    hit[&key].measure("failed_starts")
                };
                let (none, acts) = (failed("none"), failed(policy));
                if acts > 1.02 * none + 20.0 {
                    wrong.push(format!("{what}: {acts} starts fail, and {none} under none"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every kind has a line in every shape that it can hit.
#[test]
fn no_kind_is_forgotten() {
    let effects = effects();
    let shapes: BTreeSet<&str> = effects.iter().map(|e| e.shape.as_str()).collect();
    assert_eq!(shapes.len(), 3);
    let mut missing = Vec::new();
    for kind in faults::all() {
        for shape in &shapes {
            let there = effects
                .iter()
                .any(|e| e.kind == kind.name() && e.shape == **shape);
            if !there {
                missing.push(format!("{} on {shape}", kind.name()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no effect is told of {}",
        missing.join(", ")
    );
}
