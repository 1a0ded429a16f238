//! DNS only: the region is taken out of DNS answers, and viewers leave as theirs expire.

use super::runbook;
use crate::model::policy::{Decision, Knobs, Memory, Policy};
use crate::model::telemetry::Telemetry;

/// DNS only: the region is taken out of DNS answers, and viewers leave as theirs expire.
pub struct DnsOnly;

impl Policy for DnsOnly {
    fn name(&self) -> &'static str {
        "dns-only"
    }

    fn summary(&self) -> &'static str {
        "moves viewers by changing DNS; they leave as their answers expire"
    }

    fn knobs(&self) -> Knobs {
        Knobs {
            failover: true,
            route_by_dns: true,
            ..Knobs::default()
        }
    }

    fn decide(&self, knobs: &Knobs, telemetry: &Telemetry, memory: &Memory) -> Decision {
        runbook::decide(knobs, telemetry, memory)
    }
}
