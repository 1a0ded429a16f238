//! How load moves through the world: counted cohorts.
//!
//! | module | what it holds |
//! |---|---|
//! | [`arrivals`] | Poisson counts that every policy shares |
//! | [`waiting`] | starts that wait for their next attempt |
//! | [`sessions`] | playing sessions, and those cut off from their region |
//! | [`warm`] | connections that plain users keep |
//! | [`serving`] | routes, ejection, retries in another region, and the chances of an answer |
//! | [`tally`] | latencies of a window |
//! | [`cohort`] | one step of it all |

pub mod arrivals;
pub mod cohort;
pub mod serving;
pub mod sessions;
pub mod tally;
pub mod waiting;
pub mod warm;
