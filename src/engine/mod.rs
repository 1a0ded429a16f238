//! Time order, random streams, sampling and digests: what any discrete-event simulation needs.
//! Nothing in here knows what a region is.
//!
//! Everything is a pure function of its input on every platform: the clock is an integer, and
//! logarithms and powers come from one portable library, never from the platform's.

pub mod digest;
pub mod law;
pub mod normal;
pub mod queue;
pub mod sampling;
pub mod stream;
