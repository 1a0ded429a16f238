//! What faults that make a service work badly have in common.

use super::{Mistake, say};
use crate::model::episode::Impairment;
use crate::model::scenario::{Fault, RegionId, Scenario};

/// The service of the fault works badly in a region, or in all.
pub fn impairment(fault: &Fault, region: Option<RegionId>, seen: bool) -> Impairment {
    Impairment::Degraded {
        region,
        service: fault.service,
        slowness: fault.factor,
        errors: fault.share,
        seen,
    }
}

/// Whether nothing is worse.
pub fn mistake(fault: &Fault) -> Option<Mistake> {
    (fault.factor == 1.0 && fault.share == 0.0).then_some(Mistake {
        key: "slowness",
        message: "neither slowness nor errors makes anything worse",
        hint: "write slowness = 5 or errors = \"20 %\"",
    })
}

/// Which service, where, when, how badly.
pub fn describe(fault: &Fault, scenario: &Scenario) -> String {
    format!(
        "{} in {} {}: {}",
        say::service(fault.service, scenario),
        say::region(fault.region, scenario),
        say::when(fault, scenario),
        how_badly(fault)
    )
}

/// How badly.
pub fn how_badly(fault: &Fault) -> String {
    let mut parts = Vec::new();
    if fault.factor != 1.0 {
        parts.push(format!("requests take {} times as long", fault.factor));
    }
    if fault.share > 0.0 {
        parts.push(format!("{} of requests fail", say::percent(fault.share)));
    }
    parts.join(", ")
}
