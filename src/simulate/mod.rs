//! One replication: the only place that sees world, traffic, control, policies, faults and SLIs
//! together.
//!
//! ```text
//!   faults ─Episode─► world ◄─Action── actuator ◄── policy
//!                       │  ▲                          ▲
//!                  traffic │ (advanced from           │ Telemetry
//!                       │  │  event to event)      monitor, operator
//!                       ▼
//!                  Observation, per window
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | `run` | the loop over time and events |
//! | `digest` | a digest of all that is a result |
//! | `events` | what can happen, and what it does |
//! | `reports` | what the control plane is told, and when |
//! | `marks` | moments that are measured from the fault |
//! | `lint` | what `check` says of a scenario whose values are fine |

mod digest;
mod events;
mod lint;
mod marks;
mod reports;
mod run;
#[cfg(test)]
mod tests;

use crate::model::fidelity::Fidelity;
use crate::model::outcome::Outcome;
use crate::model::policy::Policy;
use crate::model::scenario::{Scenario, ServiceId};
use crate::policies;
use crate::traffic::tally::Laws;
use crate::world::plan::Plan;
use crate::world::playback::Cut;

pub use crate::engine::digest::Digest;
pub use crate::engine::normal::quantile as normal_quantile;
pub use crate::engine::sampling::{binomial, poisson};
pub use crate::engine::stream::Stream;
pub use crate::traffic::request::visits::Visit;
pub use lint::{errors, warnings};

/// A scenario made ready to run: all that does not depend on the replication is computed once.
pub struct Simulator {
    scenario: Scenario,
    plan: Plan,
    cut: Option<Cut>,
    laws: Laws,
    policy: &'static dyn Policy,
    fidelity: Fidelity,
}

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
    /// Where the run lies in measured demand, a line for each market that has some.
    pub demand: Vec<String>,
    /// What each fault hits, a line each.
    pub faults: Vec<String>,
    /// Per region and service: instances, headroom, spare of capacity, steady CPU; a line each.
    pub deployment: Vec<String>,
}

impl Simulator {
    /// Prepares a scenario whose uncertain inputs are drawn (or stand at their middle).
    ///
    /// # Panics
    ///
    /// If the scenario names a policy that the registry does not have; a validated scenario cannot.
    pub fn new(scenario: &Scenario) -> Simulator {
        let policy = policies::find(&scenario.policy.name)
            .expect("a validated scenario names a policy of the registry");
        let plan = Plan::new(scenario);
        Simulator {
            laws: Laws::new(&plan.paths),
            plan,
            cut: Cut::new(scenario),
            policy,
            scenario: scenario.clone(),
            fidelity: scenario.fidelity,
        }
    }

    /// The same in another fidelity.
    pub fn with(mut self, fidelity: Fidelity) -> Simulator {
        self.fidelity = fidelity;
        self
    }

    /// Runs one replication.
    pub fn run(&self, seed: u64, replication: u64) -> Outcome {
        run::Run::of(self, self.fidelity, seed, replication).complete()
    }

    /// Runs one replication one request at a time, and also says what became of each piece of work at a
    /// service, whose pools begin with so many pieces of work in each zone: for comparison with known
    /// laws of queues.
    pub fn visits(
        &self,
        seed: u64,
        replication: u64,
        (service, present): (ServiceId, u64),
    ) -> (Outcome, Vec<Visit>) {
        let (outcome, mut visits) = self.watch(seed, replication, (service, &|_| present));
        visits.retain(|visit| visit.service == service);
        (outcome, visits)
    }

    /// The same of all services; the one that is named begins with work that depends on the zone.
    pub fn watch(
        &self,
        seed: u64,
        replication: u64,
        present: (ServiceId, &dyn Fn(usize) -> u64),
    ) -> (Outcome, Vec<Visit>) {
        let run = run::Run::of(self, Fidelity::Request, seed, replication);
        run.complete_with_visits(present)
    }

    /// What the scenario amounts to.
    pub fn facts(&self) -> Facts {
        let (scenario, plan) = (&self.scenario, &self.plan);
        let all = |of: fn(&crate::world::plan::Sized) -> u64| -> u64 {
            plan.sized.iter().flatten().map(of).sum()
        };
        Facts {
            regions: scenario.regions.len(),
            zones: scenario.regions.iter().map(|r| r.zones).sum(),
            instances: all(|s| s.serving) + plan.proxies.iter().sum::<u64>(),
            dark_instances: all(|s| s.dark),
            sessions: (0..scenario.markets.len())
                .map(|m| plan.playing(scenario, m, 0.0))
                .sum(),
            requests_per_sec: plan.first.iter().map(|load| load.total).sum(),
            demand: lint::measured(scenario, plan),
            faults: lint::targets(scenario, plan),
            deployment: lint::deployment(scenario, plan),
        }
    }
}

/// Runs replication 0 of a scenario.
pub fn simulate(scenario: &Scenario, seed: u64) -> Outcome {
    Simulator::new(scenario).run(seed, 0)
}
