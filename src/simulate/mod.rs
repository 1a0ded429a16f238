//! The only place that sees world, traffic, control, policies, faults and SLIs together.

use crate::model::outcome::Outcome;
use crate::model::scenario::Scenario;
use crate::problem::Problem;

/// A scenario made ready to run: all that does not depend on the replication is computed once.
pub struct Simulator {}

/// What a scenario amounts to, for the first lines of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Regions.
    pub regions: usize,
    /// Zones, all regions together.
    pub zones: usize,
    /// Instances in service, proxies included, all regions together.
    pub instances: u64,
    /// Of dark capacity.
    pub dark_instances: u64,
    /// Sessions playing at the beginning.
    pub sessions: f64,
    /// Requests per second at the edge at the beginning.
    pub requests_per_sec: f64,
    /// What each fault hits, a line each.
    pub faults: Vec<String>,
    /// Per region and service: instances, headroom, spare of capacity, steady CPU; a line each.
    pub deployment: Vec<String>,
}

impl Simulator {
    /// Prepares a scenario whose uncertain inputs are drawn (or stand at their middle).
    pub fn new(_scenario: &Scenario) -> Simulator {
        todo!()
    }

    /// Runs one replication.
    pub fn run(&self, _seed: u64, _replication: u64) -> Outcome {
        todo!()
    }

    /// What the scenario amounts to.
    pub fn facts(&self) -> Facts {
        todo!()
    }
}

/// Runs replication 0 of a scenario.
pub fn simulate(scenario: &Scenario, seed: u64) -> Outcome {
    Simulator::new(scenario).run(seed, 0)
}

/// What makes a scenario unfit to run although each value is fine: an objective that is broken
/// before any fault. Places are left empty: the caller knows them.
pub fn errors(_scenario: &Scenario) -> Vec<Problem> {
    todo!()
}

/// What an experienced engineer would warn of, with the numbers.
pub fn warnings(_scenario: &Scenario) -> Vec<Problem> {
    todo!()
}
