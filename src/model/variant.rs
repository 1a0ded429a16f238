//! What tells variants of a scenario from each other.

use serde::{Deserialize, Serialize};

/// A value that one variant has and its neighbours do not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariedValue {
    /// Path of the value, as it was given: `dns.ttl`.
    pub path: String,
    /// The value as a file would say it: `20s`, `0.4`, `flow`.
    pub text: String,
    /// As a number, where it is one: seconds, amounts per second, shares, counts, bytes (per second)
    /// or USD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
}

/// What a variant loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What kind of thing.
    pub kind: TargetKind,
    /// Which: a region (`us-east-1`), a zone of one (`us-east-1 zone 1`), or a fault
    /// (`fault[1] zone-loss us-east-1`).
    pub name: String,
    /// Time of day of the loss, UTC, where it was moved to the busiest: `06:30`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<String>,
}

/// What `--each` goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// Every region, dark.
    Region,
    /// Every zone of every region, lost.
    Zone,
    /// Every fault of the scenario, alone.
    Fault,
}
