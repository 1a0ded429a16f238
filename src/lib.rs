//! darkregion: a deterministic discrete-event simulator of multi-region failover.

pub mod model;
pub mod problem;
pub mod units;

pub mod control;
pub mod engine;
pub mod faults;
pub mod objectives;
pub mod policies;
pub mod report;
pub mod scenario;
pub mod simulate;
pub mod slis;
pub mod stats;
pub mod study;
pub mod traffic;
pub mod verify;
pub mod world;

#[cfg(feature = "cli")]
pub mod cli;
