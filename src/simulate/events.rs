//! What can happen between steps.

use crate::model::action::Action;
use crate::model::scenario::MarketId;

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
    /// An order reaches what it is meant for.
    Effective(Action),
    /// The authoritative servers give a new answer.
    Answer {
        /// The market.
        market: MarketId,
        /// Weight per region.
        weights: Vec<f64>,
    },
}
