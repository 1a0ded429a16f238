//! How load moves through the world: counted cohorts, or every request on its own.
//!
//! | module | what it holds |
//! |---|---|
//! | [`arrivals`] | Poisson counts that every policy shares |
//! | `restraint` | what holds retries back |
//! | [`waiting`] | starts that wait for their next attempt |
//! | [`sessions`] | playing sessions, and those cut off from their region |
//! | [`warm`] | connections that plain users keep |
//! | [`serving`] | routes, ejection, retries in another region, and the chances of an answer |
//! | [`tally`] | latencies of a window |
//! | [`cohort`] | one step of counted traffic |
//! | [`request`] | sessions and requests as chains of events |

pub mod arrivals;
pub mod cohort;
pub mod request;
mod restraint;
pub mod serving;
pub mod sessions;
pub mod tally;
pub mod waiting;
pub mod warm;

use crate::model::fidelity::Fidelity;
use crate::model::observation::Observation;
use crate::model::outcome::Ledger;
use crate::model::scenario::{MarketId, RegionId};
use crate::traffic::arrivals::Address;
use crate::traffic::cohort::{Cohort, View};
use crate::traffic::request::Requests;
use crate::traffic::serving::Serving;
use crate::units::Time;
use crate::world::balancer::Admission;
use crate::world::plan::Plan;
use crate::world::state::World;
use crate::world::stores::Asked;

/// The traffic of one replication, in one of two fidelities.
pub enum Traffic {
    /// Counted cohorts.
    Cohort(Box<Cohort>),
    /// Every request.
    Request(Box<Requests>),
}

/// The same of either fidelity.
macro_rules! of {
    ($self:ident, $traffic:ident => $what:expr) => {
        match $self {
            Traffic::Cohort($traffic) => $what,
            Traffic::Request($traffic) => $what,
        }
    };
}

impl Traffic {
    /// Traffic in equilibrium at the beginning.
    pub fn new(
        fidelity: Fidelity,
        view: &View,
        world: &mut World,
        (seed, replication): (u64, u64),
    ) -> Traffic {
        match fidelity {
            Fidelity::Cohort => {
                Traffic::Cohort(Box::new(Cohort::new(view, world, seed, replication)))
            }
            Fidelity::Request => {
                Traffic::Request(Box::new(Requests::new(view, world, seed, replication)))
            }
        }
    }

    /// Advances the traffic over `[from, to)`.
    pub fn advance(&mut self, view: &View, world: &mut World, step: (Time, Time), at: Address) {
        match self {
            Traffic::Cohort(cohort) => cohort.advance(view, world, step, at),
            Traffic::Request(requests) => requests.advance(view, world, step),
        }
    }

    /// Hands out what happened in the window of so many seconds, one observation per region.
    pub fn end_window(&mut self, view: &View, window_secs: f64) -> Vec<Observation> {
        of!(self, traffic => traffic.end_window(view, window_secs))
    }

    /// Whether steps must be cut into pieces, because so much fails that what comes back is load.
    pub fn storms(&self, world: &World) -> bool {
        match self {
            Traffic::Cohort(cohort) => cohort.storms(world),
            Traffic::Request(_) => false,
        }
    }

    /// Whether nothing is under way that needs short steps.
    pub fn calm(&self, plan: &Plan) -> bool {
        match self {
            Traffic::Cohort(cohort) => cohort.calm(plan),
            Traffic::Request(_) => false,
        }
    }

    /// A market's names begin to point elsewhere.
    pub fn answer_changed(&mut self, view: &View, now: Time, market: MarketId) {
        of!(self, traffic => traffic.answer_changed(view, now, market));
    }

    /// Flows of the last step.
    pub fn serving(&self) -> &Serving {
        of!(self, traffic => &traffic.serving)
    }

    /// Whether traffic feels at once what happens to a region.
    pub fn reaches(&self, region: RegionId) -> bool {
        match self {
            Traffic::Cohort(cohort) => cohort.serving.reaches(region),
            Traffic::Request(_) => true,
        }
    }

    /// Whether traffic feels at once what happens to instances of a region in which nothing entered in
    /// the last step.
    pub fn feels_idle(&self) -> bool {
        matches!(self, Traffic::Request(_))
    }

    /// First attempts of the last step that home regions sent elsewhere, and all of them, of those that
    /// the policy can move, per home region.
    pub fn shifted(&self) -> &[(f64, f64)] {
        of!(self, traffic => &traffic.shifted)
    }

    /// What was asked in the last step, `[region][request]`.
    pub fn asked(&self) -> &[Asked] {
        of!(self, traffic => &traffic.asked)
    }

    /// Requests per second of each market in the last step.
    pub fn market_load(&self) -> &[f64] {
        of!(self, traffic => &traffic.market_load)
    }

    /// Share of each market's load in the last step that the policy cannot move; empty: it can move all.
    pub fn staying(&self) -> Vec<f64> {
        of!(self, traffic => traffic.staying())
    }

    /// Share of a market's lookups in a cache that the policy can move.
    pub fn lookups_that_move(&self, plan: &Plan, cache: usize, market: MarketId) -> f64 {
        of!(self, traffic => traffic.lookups_that_move(plan, cache, market))
    }

    /// What the load balancers did in the last step; empty where they have no limit.
    pub fn admissions(&self) -> &[Admission] {
        of!(self, traffic => traffic.admissions())
    }

    /// Events of single requests in the last step.
    pub fn events(&self) -> u64 {
        match self {
            Traffic::Cohort(_) => 0,
            Traffic::Request(requests) => requests.events(),
        }
    }

    /// Counts that balance at any moment.
    pub fn ledger(&self) -> Ledger {
        match self {
            Traffic::Cohort(cohort) => Ledger {
                starts_waiting: cohort.starts_waiting(),
                sessions_last: cohort.sessions.total(),
                ..cohort.ledger
            },
            Traffic::Request(requests) => requests.ledger(),
        }
    }
}
