//! The gallery under `results/` is of this simulator. All of it takes minutes to make; what is looked at
//! here is the replication that it shows as a log, which any change of results changes. What is only told or
//! drawn differently is not noticed.

use crate::source::root;
use darkregion::scenario::{Document, Layer, builtin};
use darkregion::simulate::Simulator;
use serde_json::Value;
use std::fs;
use std::path::Path;

const ADVICE: &str = "the gallery is not of this build: run results/regenerate";

fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).expect("it is JSON")
}

#[test]
fn the_replication_that_is_shown_happens_again() {
    let gallery = root().join("results/chaos-kong");
    let summary = json(&gallery.join("summary.json"));
    let seed = summary["seed"].as_u64().expect("a seed");
    let replication = summary["variants"][0]["worst_replication"].as_u64();
    let replication = replication.expect("a number");
    let text = builtin("chaos-kong").expect("it is built in");
    let layer = Layer::file("chaos-kong.toml", text, None);
    let document = Document::load("chaos-kong", layer, None, Vec::new()).expect("it is valid");
    let scenario = document.drawn(seed, replication);
    let outcome = Simulator::new(&scenario).run(seed, replication);
    let mut reader = csv::Reader::from_path(gallery.join("events.csv")).expect("it is there");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert!(!outcome.log.is_empty());
    // Alerts lie between what happened.
    let mut shown = rows.iter();
    for entry in &outcome.log {
        let time = entry.at.secs().to_string();
        let row = [&*time, &*entry.part, &*entry.what, &*entry.cause];
        let same = |shown: &csv::StringRecord| shown.iter().skip(2).eq(row);
        assert!(shown.any(same), "{ADVICE}\nit does not show {row:?}");
    }
}
