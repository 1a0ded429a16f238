//! The simulators of a plan's variants.

use crate::model::outcome::Outcome;
use crate::model::scenario::Scenario;
use crate::simulate::Simulator;
use crate::study::{Plan, Simulates};

/// Runs each variant's replications in the simulator. A variant without uncertain inputs is the
/// same scenario in all of them and is made ready only once.
pub struct Simulators {
    seed: u64,
    ready: Vec<Option<Simulator>>,
}

impl Simulators {
    /// Makes the plan's variants ready.
    pub fn new(plan: &Plan) -> Simulators {
        let ready = |scenario: &Scenario| {
            let always_the_same = scenario.uncertain.is_empty();
            always_the_same.then(|| Simulator::new(scenario))
        };
        Simulators {
            seed: plan.seed,
            ready: plan
                .variants
                .iter()
                .map(|variant| ready(variant.document.scenario()))
                .collect(),
        }
    }
}

impl Simulates for Simulators {
    fn run(&self, variant: usize, scenario: &Scenario, replication: u64) -> Outcome {
        match &self.ready[variant] {
            Some(simulator) => simulator.run(self.seed, replication),
            None => Simulator::new(scenario).run(self.seed, replication),
        }
    }
}
