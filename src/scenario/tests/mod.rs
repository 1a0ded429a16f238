//! Tests of loading as a whole: text in, scenario or mistakes out.

mod merging;
mod mistakes;
mod reading;

use crate::model::scenario::Scenario;
use crate::problem::Problems;
use crate::scenario::{Document, Layer};

const TINY: &str = include_str!("../../../scenarios/tiny.toml");

/// A scenario with a bit of everything.
const FULL: &str = r#"
format = 1
title = "Everything once"
question = "Does it read?"
horizon = "40min"
start = "19:30"

[[region]]
name = "west"

[[region]]
name = "east"
zones = 2

[[region]]
name = "north"

[[link]]
between = ["west", "east"]
rtt = "63ms"   # source: https://example.org/pings

[[market]]
name = "b"
near = ["west"]
starts = "900/min"
profile = [1, 2, 4]
utc_offset = "-5h"

[[market]]
name = "a"
starts = { rates = ["3/s", "6/s"] }

[[device]]
name = "tv"
share = "75 %"
pin = "10min"

[[device]]
name = "phone"
share = 0.25
retry_budget = 0.1

[dns]
ttl = "20s"

[[service]]
name = "store"
# guess: nobody measured it
time = { exponential = "5ms" }

[[service]]
name = "api"
slots = 48
time = { lognormal = { median = "12ms", p99 = "60ms" } }
headroom = 0.6
calls = [{ to = "store", timeout = "800ms", cache = { objects = 1e6 } }, { to = "extras", fallback = "rows" }]

[[service]]
name = "extras"

[[request]]
name = "start"
to = "api"
start = 2

[[request]]
name = "renew"
to = "api"
every = "5min"
renews = true

[session]
length = { mixture = [{ share = 0.4, of = "5min" }, { share = 0.6, of = "50min" }] }

[[fault]]
kind = "region-dark"
region = "east"
at = "16min"
for = "10min"
mode = "hang"
announced = "15min"

[[objective]]
sli = "stream_start_success"
target = ">= 99 %"

[[hypothesis]]
name = "soon"
claim = "rto <= 3min and during(cpu[west]) < 90 %"

[policy]
use = "flow"
hold = "7s"
spread = { west = 2, north = 1 }
"#;

fn file(text: &str) -> Layer {
    Layer::file("test.toml", text, None)
}

fn load(text: &str, sets: &[&str]) -> Result<Document, Problems> {
    let sets = sets.iter().map(|s| Layer::set(s)).collect();
    Document::load("test", file(text), None, sets)
}

fn scenario(text: &str, sets: &[&str]) -> Scenario {
    match load(text, sets) {
        Ok(document) => document.scenario().clone(),
        Err(problems) => panic!("{problems}"),
    }
}

fn mistakes(text: &str, sets: &[&str]) -> String {
    match load(text, sets) {
        Ok(_) => panic!("{sets:?} are no mistake"),
        Err(problems) => problems.to_string(),
    }
}

/// All of a scenario but where its inputs stand.
fn whole(scenario: &Scenario) -> String {
    format!("{scenario:#?}")
}
