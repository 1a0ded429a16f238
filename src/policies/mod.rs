//! Ready-made failover policies: what to ask for when a region is believed dead or its drill is
//! announced. One file each and one line in [`all`]; each is a set of knobs over one shared
//! runbook, so that a user's own policy file can start from any of them.
//!
//! | policy | routes | DNS | dark capacity | caches | edge retry | shed |
//! |---|---|---|---|---|---|---|
//! | `none` | - | - | - | - | off | uniform |
//! | `dns-only` | - | at once | - | - | off | uniform |
//! | `edge-proxy` | at once | - | - | - | on | uniform |
//! | `flow` | at once | after the edge | called | - | on | priority |
//! | `gradual-prewarmed` | in stages before an announced drill, else at once | after the edge | called | warmed | on | priority |

mod dns_only;
mod edge_proxy;
mod flow;
mod gradual_prewarmed;
mod none;
mod runbook;
mod spread;
mod view;

#[cfg(test)]
mod tests;

use crate::model::policy::Policy;

/// All policies, from the one that does least.
pub fn all() -> &'static [&'static dyn Policy] {
    static ALL: [&dyn Policy; 5] = [
        &none::None,
        &dns_only::DnsOnly,
        &edge_proxy::EdgeProxy,
        &flow::Flow,
        &gradual_prewarmed::GradualPrewarmed,
    ];
    &ALL
}

/// The policy of this name.
pub fn find(name: &str) -> Option<&'static dyn Policy> {
    all().iter().copied().find(|policy| policy.name() == name)
}
