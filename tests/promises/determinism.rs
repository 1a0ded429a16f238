//! The same scenario, seed and version give the same bytes, whatever else is different.

use crate::given::{assert_same_windows, document, drill, outcome, scenario};
use darkregion::simulate::Simulator;
use darkregion::study::{Plan, Simulators, Study, Variant, Watch, run, summarize};

#[test]
fn a_replication_is_the_same_twice() {
    let a = outcome(&drill(), Some("flow-dark"), &[]);
    let b = outcome(&drill(), Some("flow-dark"), &[]);
    assert_eq!(a.digest, b.digest);
    assert_eq!(a.ledger, b.ledger);
    assert_eq!(a.marks, b.marks);
    assert_eq!(a.log, b.log);
    assert_same_windows(&a.windows, &b.windows, "twice");
}

#[test]
fn a_simulator_remembers_nothing_of_earlier_replications() {
    let scenario = scenario(&drill(), Some("flow"), &[]);
    let used = Simulator::new(&scenario);
    for replication in [5, 2, 9] {
        used.run(1, replication);
    }
    let alone = Simulator::new(&scenario).run(1, 7);
    assert_eq!(used.run(1, 7).digest, alone.digest);
}

#[test]
fn seeds_and_replications_differ() {
    let simulator = Simulator::new(&scenario(&drill(), Some("flow"), &[]));
    let mut digests: Vec<u64> = (0..4)
        .flat_map(|seed| (0..4).map(move |replication| (seed, replication)))
        .map(|(seed, replication)| simulator.run(seed, replication).digest)
        .collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 16, "no two of them are the same");
}

/// The blocks of a text that begin with `[[` or `[`, its first lines apart.
fn blocks(text: &str) -> (String, Vec<String>) {
    let mut first = String::new();
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            blocks.push(String::new());
        }
        let to = blocks.last_mut().unwrap_or(&mut first);
        to.push_str(line);
        to.push('\n');
    }
    (first, blocks)
}

#[test]
fn the_order_of_declarations_changes_nothing() {
    let (first, given) = blocks(&drill());
    assert!(given.len() > 20);
    for policy in ["none", "flow", "gradual-prewarmed"] {
        let expected = outcome(&drill(), Some(policy), &[]);
        for stride in [1, 7, 11] {
            // Reversed, then by steps that are coprime to the number of blocks.
            let mut mixed: Vec<String> = given.iter().rev().cloned().collect();
            if stride > 1 {
                let n = given.len() + usize::from(given.len().is_multiple_of(stride));
                mixed = (0..n)
                    .map(|i| i * stride % n)
                    .filter_map(|i| given.get(i).cloned())
                    .collect();
            }
            assert_eq!(mixed.len(), given.len(), "a permutation");
            assert_ne!(mixed, given);
            let text = format!("{first}{}", mixed.concat());
            let other = outcome(&text, Some(policy), &[]);
            assert_same_windows(&expected.windows, &other.windows, policy);
            assert_eq!(expected.digest, other.digest, "{policy}");
        }
    }
}

#[test]
fn the_order_of_the_keys_of_a_table_changes_nothing() {
    let (first, given) = blocks(&drill());
    let reversed = given.iter().map(|block| {
        // Values of several lines stay whole: only blocks of single lines are reversed.
        let lines: Vec<&str> = block.lines().filter(|line| !line.is_empty()).collect();
        let single = lines[1..]
            .iter()
            .all(|line| line.matches(['[', '{']).count() == line.matches([']', '}']).count());
        let keys: Vec<&str> = lines[1..].iter().rev().copied().collect();
        match single {
            true => format!("{}\n{}\n\n", lines[0], keys.join("\n")),
            false => block.clone(),
        }
    });
    let text = format!("{first}{}", reversed.collect::<String>());
    let (a, b) = (
        outcome(&drill(), Some("flow"), &[]),
        outcome(&text, Some("flow"), &[]),
    );
    assert_eq!(a.digest, b.digest);
}

struct Nobody;

impl Watch for Nobody {
    fn finished(&self, _done: u64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

fn plan(policies: &[&str], replications: u64) -> Plan {
    let sets = ["ambient.request_failure={uncertain=[0.0001,0.001]}"];
    let variant = |name: &&str| Variant::new(name, document(&drill(), Some(name), &sets));
    Plan {
        variants: policies.iter().map(variant).collect(),
        seed: 42,
        replications,
    }
}

fn study(plan: &Plan, threads: usize) -> Study {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads");
    pool.install(|| run(plan, &Simulators::new(plan), &Nobody))
}

/// Everything that a study says of its variants, as text.
fn said(plan: &Plan, study: &Study, variant: usize) -> String {
    let results = &study.variants[variant];
    let summary = summarize(plan, study);
    format!("{:?}\n{:?}", results.rows, summary.variants[variant])
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let plan = plan(&["flow-dark", "none"], 7);
    let expected: Vec<String> = {
        let study = study(&plan, 1);
        (0..2).map(|v| said(&plan, &study, v)).collect()
    };
    for threads in [3, 8] {
        let study = study(&plan, threads);
        for (variant, expected) in expected.iter().enumerate() {
            assert!(
                said(&plan, &study, variant) == *expected,
                "{threads} threads"
            );
        }
    }
}

#[test]
fn fewer_replications_are_the_first_of_more() {
    let (few, many) = (plan(&["flow"], 5), plan(&["flow"], 9));
    let (few, many) = (study(&few, 2), study(&many, 2));
    let rows = |study: &Study, n: usize| format!("{:?}", &study.variants[0].rows[..n]);
    assert_eq!(rows(&few, 5), rows(&many, 5));
}

#[test]
fn a_replication_alone_is_the_one_of_the_batch() {
    let plan = plan(&["flow"], 6);
    let study = study(&plan, 2);
    let drawn = plan.variants[0].document.drawn(plan.seed, 4);
    let alone = Simulator::new(&drawn).run(plan.seed, 4);
    assert_eq!(study.variants[0].rows[4].digest, alone.digest);
}

#[test]
fn a_variant_is_the_same_in_any_company() {
    let both = plan(&["none", "flow"], 4);
    let turned = plan(&["flow", "none"], 4);
    let (a, b) = (study(&both, 2), study(&turned, 2));
    let rows = |study: &Study, v: usize| format!("{:?}", study.variants[v].rows);
    assert_eq!(rows(&a, 0), rows(&b, 1));
    assert_eq!(rows(&a, 1), rows(&b, 0));
}
