//! Variants of a scenario, and where each comes from.

use crate::model::variant::{Target, VariedValue};
use crate::scenario::Document;
use serde::{Deserialize, Serialize};

/// A scenario with all that is laid over it.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Name for people and files; no two of a plan are called the same.
    pub name: String,
    /// The scenario with everything laid over it.
    pub document: Document,
    /// Where it comes from, so that reports can put variants into tables and curves.
    pub origin: VariantOrigin,
}

impl Variant {
    /// The scenario under a policy or strategy, or as its file says, with nothing varied.
    pub fn new(name: &str, document: Document) -> Variant {
        Variant {
            name: name.to_string(),
            document,
            origin: VariantOrigin {
                base: name.to_string(),
                ..VariantOrigin::default()
            },
        }
    }
}

/// Where a variant comes from: what it is made from, and what was varied.
///
/// Variants of the same `base` differ only in `values` (a curve, or a grid) and in `target` (a table of
/// what is lost).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VariantOrigin {
    /// Name of the policy, strategy or overlay that it is made from; its own name if nothing is
    /// varied.
    pub base: String,
    /// What was set for it, one for each `--vary`, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<VariedValue>,
    /// What `--each` lets it lose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

impl VariantOrigin {
    /// Whether anything was varied or lost to make it.
    pub fn is_varied(&self) -> bool {
        !self.values.is_empty() || self.target.is_some()
    }
}
