//! Every key of a scenario moves what it is about, in the direction and by about as much as an
//! estimate by hand says; and no key is forgotten.
//!
//! The rows stand in `moves/*.txt`, the worlds that they change beside them. A row is
//! `CHANGE | MEASURE | LOW..HIGH | WHY`: with the change (assignments, separated by `;`) the measure
//! becomes so many times what it is without. The first assignment's key is the row's. What both
//! runs have in common is said by lines before the rows:
//!
//! - `world NAME`: `moves/NAME.toml`, or what `given` has: `drill`, the same up to its fault's end
//!   (`dark`), and the parts without a fault as long (`parts`) or for three minutes (`calm`). No policy,
//!   nothing with it;
//! - `fault KEY = VALUE; …`: a fault in addition, after those of the world;
//! - `calm`: no such faults any more;
//! - `policy NAME`: of the rows that follow;
//! - `with CHANGE`: what both have. Without one: nothing.
//! - `runs N`: replications that the measure is summed over (or, as `spread of …`, how widely it differs
//!   between them), 1 after a `world`.

use crate::given::{PARTS, document, drill};
use crate::measured::Run;
use darkregion::faults;
use darkregion::scenario::Document;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Keys without a row, and why.
const EXEMPT: &[(&str, &str)] = &[
    ("format", "says how the file is read"),
    ("title", "for people"),
    ("question", "for people"),
    ("step", "must not move anything: `halving` holds it"),
    ("link[].between", "which link it is"),
    ("region[].name", "which region it is"),
    ("market[].name", "which market it is"),
    ("device[].name", "which class it is"),
    ("service[].name", "which service it is"),
    ("request[].name", "which request it is"),
    ("domain[].name", "which domain it is"),
    ("hypothesis[].name", "which claim it is"),
    (
        "hypothesis[].in",
        "judges many replications: `program` holds it",
    ),
    ("domain[].rto", "judges many replications: `study` holds it"),
    (
        "variant",
        "taken out before anything runs: `variants` holds it",
    ),
    (
        "fault[].kind",
        "what fails: `faults` holds it for every kind",
    ),
    (
        "fault[random].mode",
        "the log alone tells, as its page says",
    ),
    ("service[].calls[].to", "which call it is"),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/promises/moves")
}

/// A line of a table, with what the lines before it say.
#[derive(Clone, Default)]
struct Row {
    place: String,
    world: String,
    faults: Vec<String>,
    policy: String,
    with: Vec<String>,
    change: Vec<String>,
    runs: u64,
    measure: String,
    by: (f64, f64),
    because: String,
}

fn assignments(text: &str) -> Vec<String> {
    let parts = text.split(';').map(str::trim);
    parts.filter(|p| !p.is_empty()).map(String::from).collect()
}

/// The rows of a table, by its name.
fn rows(table: &str) -> Vec<Row> {
    let path = folder().join(format!("{table}.txt"));
    let text = fs::read_to_string(&path).expect("the table can be read");
    let mut now = Row::default();
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let place = format!("{table}.txt:{}", number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.contains(" | ") {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "world" => {
                    now = Row {
                        world: rest.to_string(),
                        policy: "none".to_string(),
                        runs: 1,
                        ..Row::default()
                    }
                }
                "policy" => now.policy = rest.to_string(),
                "with" => now.with = assignments(rest),
                "fault" => now.faults.push(assignments(rest).join("\n")),
                "calm" => now.faults.clear(),
                "runs" => now.runs = rest.parse().expect("a number"),
                _ => panic!("{place}: {word:?} begins no line"),
            }
            continue;
        }
        let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [change, measure, by, because] = parts[..] else {
            panic!("{place}: a row has four parts");
        };
        let (low, high) = by.split_once("..").expect("low..high");
        let factor = |text: &str| text.parse().expect("a factor");
        rows.push(Row {
            place,
            change: assignments(change),
            measure: measure.to_string(),
            by: (factor(low), factor(high)),
            because: because.to_string(),
            ..now.clone()
        });
    }
    assert!(!rows.is_empty(), "{table} has no rows");
    rows
}

/// A world with a shorter horizon, so that no row costs more than it needs.
fn until(world: &str, horizon: &str) -> String {
    world.replace("horizon = \"12min\"", &format!("horizon = \"{horizon}\""))
}

impl Row {
    fn load(&self, changed: bool) -> Document {
        let mut text = match self.world.as_str() {
            "drill" => drill(),
            "dark" => until(&drill(), "7min"),
            "parts" => until(PARTS, "7min"),
            "calm" => until(PARTS, "3min"),
            name => {
                let path = folder().join(format!("{name}.toml"));
                fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", self.place))
            }
        };
        for fault in &self.faults {
            text += &format!("\n[[fault]]\n{fault}\n");
        }
        let change = self.change.iter().filter(|_| changed);
        let sets: Vec<&str> = self.with.iter().chain(change).map(String::as_str).collect();
        // A row that changes the policy's name leaves it to the file.
        let policy = (self.policy != "own").then_some(self.policy.as_str());
        document(&text, policy, &sets)
    }

    /// The runs without the change or with it.
    fn runs(&self, changed: bool) -> Vec<Run> {
        let document = self.load(changed);
        let run = |r| Run::new(&document.drawn(13, r), 13, r);
        (0..self.runs).map(run).collect()
    }

    /// The measure, over all runs.
    fn value(&self, runs: &[Run]) -> f64 {
        let (spread, measure) = match self.measure.strip_prefix("spread of ") {
            Some(measure) => (true, measure),
            None => (false, self.measure.as_str()),
        };
        let values: Vec<f64> = runs.iter().map(|run| run.measure(measure)).collect();
        let sum: f64 = values.iter().sum();
        let mean = sum / values.len() as f64;
        match spread {
            true => values
                .iter()
                .map(|v| (v - mean) * (v - mean))
                .sum::<f64>()
                .sqrt(),
            false => sum,
        }
    }

    /// What the runs say, if it is not what was expected.
    fn wrong(&self, without: &[Run]) -> Option<String> {
        let (before, after) = (self.value(without), self.value(&self.runs(true)));
        let factor = after / before;
        let (low, high) = self.by;
        (!(low..=high).contains(&factor)).then(|| {
            format!(
                "{}: {} under {}: {} {before} becomes {after}, times {factor:.4}, not {low} to {high} ({})",
                self.place,
                self.change.join("; "),
                self.policy,
                self.measure,
                self.because
            )
        })
    }

    /// What its runs without the change have in common with other rows.
    fn common(&self) -> String {
        let of = (
            &self.world,
            &self.faults,
            &self.policy,
            &self.with,
            self.runs,
        );
        format!("{of:?}")
    }
}

fn check(table: &str) {
    let mut without: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in rows(table) {
        let runs = without
            .entry(row.common())
            .or_insert_with(|| row.runs(false));
        wrong.extend(row.wrong(runs));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

macro_rules! tables {
    ($($test:ident: $name:literal,)*) => {
        const TABLES: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                check($name);
            }
        )*
    };
}

tables! {
    demand_moves_what_is_asked: "demand",
    services_move_capacity_and_latency: "services",
    scaling_and_launches_move_how_soon_capacity_comes: "scaling",
    calls_and_caches_move_what_their_caller_answers: "calls",
    control_moves_the_times: "control",
    dns_and_the_edge_move_who_is_unreachable: "edge",
    clients_move_retries_and_rebuffering: "clients",
    knobs_move_the_failover: "policy",
    domains_move_what_is_lost: "domains",
    faults_move_the_harm: "faults",
    workers_move_their_backlog: "workers",
    targets_and_prices_move_what_a_run_is_worth: "worth",
}

/// The key of an assignment as the schema has it: names and places of entries left out.
fn key_of(assignment: &str, known: &BTreeSet<String>) -> String {
    let path = assignment.split('=').next().unwrap_or_default();
    let mut parts: Vec<String> = vec![String::new()];
    let mut quoted = false;
    for c in path.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => parts.last_mut().expect("it has one").push(c),
        }
    }
    let mut key = String::new();
    let mut parts = parts.into_iter();
    while let Some(part) = parts.next() {
        let name = part.split('[').next().unwrap_or_default();
        if !key.is_empty() {
            key.push('.');
        }
        key += name;
        let entries = format!("{key}[].");
        let listed = known.iter().any(|known| known.starts_with(&entries));
        if listed {
            key += "[]";
            if !part.contains('[') {
                parts.next();
            }
        }
    }
    key
}

/// The kind of the fault that an assignment to `fault[N]` is about.
fn kind_of(assignment: &str, document: &Document) -> Option<String> {
    let number = assignment.strip_prefix("fault[")?.split(']').next()?;
    let number: usize = number.parse().expect("a place");
    Some(document.scenario().faults[number].kind.clone())
}

#[test]
fn no_key_is_forgotten() {
    let rows: Vec<Row> = TABLES.iter().flat_map(|table| rows(table)).collect();
    let documents: Vec<Document> = rows.iter().map(|row| row.load(true)).collect();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (row, document) in rows.iter().zip(&documents) {
        if seen.insert(format!("{}{:?}", row.common(), row.change)) {
            known.extend(document.keys());
        }
    }
    // What a kind of fault is told is its own: a row for each kind.
    let own: BTreeMap<&str, Vec<&str>> = faults::all()
        .iter()
        .map(|kind| (kind.name(), kind.keys().iter().map(|k| k.name).collect()))
        .collect();
    let of_kinds: BTreeSet<&str> = own.values().flatten().copied().collect();
    let mut missing: BTreeSet<String> = known
        .iter()
        .filter(|key| {
            let inside = [format!("{key}."), format!("{key}[].")];
            // A table is what it holds.
            !known
                .iter()
                .any(|k| inside.iter().any(|p| k.starts_with(p)))
        })
        .filter(|key| {
            let of_fault = key.strip_prefix("fault[].");
            !of_fault.is_some_and(|key| of_kinds.contains(key))
        })
        .cloned()
        .collect();
    for (kind, keys) in &own {
        missing.extend(keys.iter().map(|key| format!("fault[{kind}].{key}")));
    }
    for (key, why) in EXEMPT {
        let there = missing.remove(*key) || known.contains(*key);
        assert!(there, "{key} ({why}) is no key");
    }
    for (row, document) in rows.iter().zip(&documents) {
        let assignment = &row.change[0];
        let key = key_of(assignment, &known);
        assert!(known.contains(&key), "{}: {key} is no key", row.place);
        missing.remove(&key);
        if let (Some(kind), Some(own)) = (
            kind_of(assignment, document),
            key.strip_prefix("fault[].")
                .filter(|key| of_kinds.contains(key)),
        ) {
            missing.remove(&format!("fault[{kind}].{own}"));
        }
    }
    let missing: Vec<String> = missing.into_iter().collect();
    assert!(
        missing.is_empty(),
        "keys without a row in tests/promises/moves/*.txt:\n{}",
        missing.join("\n")
    );
}
