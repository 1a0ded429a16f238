//! How traffic is computed.
#![doc = include_str!("../../docs/fidelity.md")]

use serde::{Deserialize, Serialize};

/// What moves in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// Counted cohorts of sessions and requests.
    #[default]
    Cohort,
    /// Every session and every request, one event at a time.
    Request,
}

impl Fidelity {
    /// The name as files and flags have it.
    pub fn name(self) -> &'static str {
        match self {
            Fidelity::Cohort => "cohort",
            Fidelity::Request => "request",
        }
    }
}
