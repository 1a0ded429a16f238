//! What can happen between steps.

use crate::model::action::Action;
use crate::model::scenario::{MarketId, RegionId};

/// An event in the queue.
#[derive(Clone, Debug)]
pub enum Event {
    /// An episode begins.
    Begins(usize),
    /// An episode ends.
    Ends(usize),
    /// Policies are told of a drill.
    Announced(usize),
    /// A breach of a guard is heard of.
    Breached {
        /// Number of the fault.
        fault: usize,
        /// Number of its guard.
        guard: usize,
    },
    /// A window is reported, or a decision was made: the policy looks again.
    Reported,
    /// A person notices that an episode has hit a region, or that it is over.
    Noticed {
        /// Number of the episode.
        episode: usize,
        /// Whether it has begun.
        begins: bool,
    },
    /// An order reaches what it is meant for.
    Effective(Action),
    /// An edge has answered nothing for so long that its backup route is taken.
    Backup(RegionId),
    /// Load balancers have found more of an edge's proxies dead.
    Proxies(RegionId),
    /// The authoritative servers give a new answer.
    Answer {
        /// The market.
        market: MarketId,
        /// Weight per region.
        weights: Vec<f64>,
    },
}
