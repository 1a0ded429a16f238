//! Scenario files: TOML text becomes a validated [`Scenario`](crate::model::scenario::Scenario), or
//! all of its mistakes at once, each with file, line, column and a hint.
//!
//! 1. [`Layer`]s (the scenario, a strategy, overlays, `--set`) are parsed into trees whose values
//!    remember where they stand and what a comment says of their origin;
//! 2. the trees are merged, later ones win; the variants that a file brings are overlays of their own;
//! 3. the merged tree is read against the schema, one file per section, with a default for
//!    everything that has one.
//!
//! A value's origin is a comment on its line or directly above it: `# source: …`, `# guess: …` or
//! `# fitted: …`.

mod builtin;
mod comments;
mod data;
mod default;
mod distribution;
mod document;
mod each;
mod expression;
mod known;
mod layer;
mod merge;
mod path;
mod precision;
mod quantity;
mod reader;
mod scale;
mod schema;
mod section;
mod series;
#[cfg(test)]
mod tests;
mod tree;
mod variants;
mod vary;
mod words;
mod write;

pub use builtin::{Builtin, Kind, builtin, builtins};
pub use document::{Document, PolicyArg};
pub use expression::{claim, measures, threshold};
pub use layer::Layer;
pub use precision::precision;
pub use variants::names as variant_names;
pub use vary::{Vary, grid};
