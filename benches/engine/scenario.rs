//! M/M/c as a scenario: the whole simulator, one request at a time, on the queue that the bare loops have.

use crate::workloads::Done;
use darkregion::model::fidelity::Fidelity;
use darkregion::scenario::{Document, Layer};
use darkregion::simulate::Simulator;

/// Ten slots of 100 ms at 80 requests per second, which devices reach directly.
const QUEUE: &str = r#"
format = 1
horizon = "60min"

[[region]]
name = "here"
zones = 1

[[market]]
name = "users"
near = ["here"]
requests = "80/s"

[[device]]
name = "all"
share = 1
direct = true
attempts = 1
timeout = "1h"

[variation]
demand = 0

[[service]]
name = "pool"
slots = 10
instances = 1
queue = 1000000
time = { exponential = "100ms" }
"#;

/// The scenario, ready to run.
pub fn simulator() -> Simulator {
    let layer = Layer::file("queue.toml", QUEUE, None);
    let document = Document::load("queue", layer, None, Vec::new());
    let document = document.unwrap_or_else(|problems| panic!("{problems}"));
    Simulator::new(document.scenario()).with(Fidelity::Request)
}

/// Runs it: two events of the model per request, as in the bare loop, and no mean, since a plain run
/// keeps no record of single requests.
pub fn run(simulator: &Simulator) -> u64 {
    2 * simulator.run(1, 0).ledger.starts
}

/// The same run with a record of every request: the events, and the mean wait for a mean service of 1 s.
pub fn recorded(simulator: &Simulator) -> Done {
    let (outcome, visits) = simulator.visits(1, 0, (0, 8));
    let waits = visits.iter().filter_map(|visit| visit.waited_secs);
    let mean_secs = 10.0 * waits.sum::<f64>() / visits.len() as f64;
    let events = 2 * outcome.ledger.starts;
    Done { events, mean_secs }
}
