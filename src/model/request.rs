//! What clients ask for, and when.

use crate::model::scenario::ServiceId;

/// What a client asks for, and when.
#[derive(Clone, Debug)]
pub struct Request {
    /// Name.
    pub name: String,
    /// The service that answers.
    pub to: ServiceId,
    /// When it is sent.
    pub when: When,
    /// Priority when load is shed: 1 is kept longest.
    pub priority: u8,
    /// Whether it can be repeated in another region.
    pub safe: bool,
    /// Share of plain requests that are of this kind; `None`: every start makes it.
    pub share: Option<f64>,
}

impl Request {
    /// How often a start makes it on average.
    pub fn per_start(&self) -> f64 {
        match self.when {
            When::Start { count } => f64::from(count) * self.share.unwrap_or(1.0),
            _ => 0.0,
        }
    }
}

/// When a request is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// So many in a row at the start of a session.
    Start {
        /// How many.
        count: u32,
    },
    /// By every playing session at a fixed interval; without it the session runs out of its buffer.
    Every {
        /// Interval in seconds.
        period_secs: f64,
        /// Whether the session needs its answer to go on beyond its buffer.
        renews: bool,
    },
    /// By every playing session at random moments; the viewer waits for it.
    Rate {
        /// Mean number per second.
        per_sec: f64,
    },
    /// When a session opens a connection anew after losing one.
    Reconnect,
    /// When a session finds itself in another region.
    RegionChange,
}
