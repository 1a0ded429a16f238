//! What is built in, as far as a scenario file can name it.

use crate::model::policy::Knobs;
use crate::scenario::builtin::{Kind, builtins};
use crate::{faults, policies, slis};

/// Names of the policies.
pub fn policy_names() -> Vec<&'static str> {
    policies::all().iter().map(|policy| policy.name()).collect()
}

/// Names of the strategies.
pub fn strategy_names() -> impl Iterator<Item = &'static str> {
    let strategies = builtins().iter().filter(|b| b.kind == Kind::Strategy);
    strategies.map(|b| b.name)
}

/// A policy's own knobs.
pub fn knobs(policy: &str) -> Knobs {
    let policy = policies::find(policy);
    policy.expect("the name was checked").knobs()
}

/// Names of the kinds of fault.
pub fn fault_names() -> Vec<&'static str> {
    faults::all().iter().map(|kind| kind.name()).collect()
}

/// Names of the SLIs.
pub fn sli_names() -> Vec<&'static str> {
    slis::all().iter().map(|sli| sli.name()).collect()
}
