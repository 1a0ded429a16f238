//! From one replication to its row of measures.
//!
//! ```text
//! Outcome ──► Series   (every SLI, per window and region)
//!    │          │
//!    │          ├──► Judgement  which windows break an objective
//!    │          │        │
//!    └──────────┴────────┴──► Spans, RTO, impact, ──► Row, with the hypotheses judged
//!                             budget, cost
//! ```
//!
//! All of it is pure. Windows shorter than the scenario's `sample` (the first and the last may be)
//! are left out of objectives and spans, and count for impact.

pub mod budget;
mod claims;
mod columns;
mod cost;
mod domains;
mod impact;
mod judgement;
mod recovery;
mod row;
mod series;
mod spans;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod worst_minute;

pub use claims::holds;
pub use columns::Columns;
pub use row::{alert_log, measure};
pub use series::Series;
pub use worst_minute::together;
