//! A policy that asks for anything whatever.

use super::*;
use crate::model::action::Action;
use crate::model::policy::{Decision, Knobs, Memory};
use crate::model::telemetry::Telemetry;
use crate::scenario::{Document, Layer};
use crate::testing::actions;
use crate::units::Span;
use proptest::prelude::*;

/// Regions, markets and services that there are, and dark capacity, caches and pools that scale.
const WORLD: &str = r#"
format = 1
horizon = "4min"
[[region]]
name = "a"
[[region]]
name = "b"
[[region]]
name = "c"
[[market]]
name = "north"
near = ["a", "b", "c"]
starts = "20/s"
[[market]]
name = "south"
near = ["b", "c", "a"]
may = ["b", "c"]
starts = "20/s"
[edge]
global = true
[[service]]
name = "api"
dark = 0.5
scaling = { most = 3 }
calls = [{ to = "store", cache = { objects = 2_000, capacity = 500 } }]
[[service]]
name = "store"
headroom = 5
[[fault]]
kind = "region-dark"
region = "a"
at = "1min"
for = "1min"
[policy]
use = "flow"
"#;

struct Wild(Vec<Vec<Action>>);

impl Policy for Wild {
    fn name(&self) -> &'static str {
        "wild"
    }
    fn summary(&self) -> &'static str {
        "asks for anything"
    }
    fn knobs(&self) -> Knobs {
        Knobs::default()
    }
    fn decide(&self, _: &Knobs, telemetry: &Telemetry, memory: &Memory) -> Decision {
        let at = telemetry.now.secs() as usize;
        Decision {
            actions: self.0[at % self.0.len()].clone(),
            memory: memory.clone(),
            wake: Some(telemetry.now + Span::from_secs(7.0)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// It is refused or obeyed, and the run goes on to its end.
    #[test]
    fn a_run_survives_whatever_a_policy_asks_for(
        asked in proptest::collection::vec(proptest::collection::vec(actions(), 0..5), 1..8),
    ) {
        let base = Layer::file("wild.toml", WORLD, None);
        let document = Document::load("wild", base, None, Vec::new());
        let document = document.expect("it is valid");
        let mut simulator = Simulator::new(document.scenario());
        simulator.policy = Box::leak(Box::new(Wild(asked)));
        let ledger = simulator.run(1, 0).ledger;
        prop_assert_eq!(
            ledger.starts,
            ledger.starts_ok + ledger.starts_failed + ledger.starts_ambient + ledger.starts_waiting
        );
    }
}
