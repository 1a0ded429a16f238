//! Flow: edges proxy to the survivors while dark capacity is called into service, and DNS follows
//! once the edge has the routes and the capacity is there.

use super::runbook;
use crate::model::policy::{Decision, Knobs, Memory, Policy, Shed};
use crate::model::telemetry::Telemetry;

/// Proxies at the edge, calls dark capacity, then changes DNS.
pub struct Flow;

impl Policy for Flow {
    fn name(&self) -> &'static str {
        "flow"
    }

    fn summary(&self) -> &'static str {
        "edges proxy to the survivors, dark capacity is called, then DNS follows"
    }

    fn knobs(&self) -> Knobs {
        Knobs {
            failover: true,
            route_by_edge: true,
            route_by_dns: true,
            dns_after_edge: true,
            dark_capacity: true,
            isolate: true,
            prescale: true,
            freeze_scale_in: true,
            shed: Shed::Priority,
            edge_retry: true,
            edge_retry_budget: f64::INFINITY,
            ..Knobs::default()
        }
    }

    fn decide(&self, knobs: &Knobs, telemetry: &Telemetry, memory: &Memory) -> Decision {
        runbook::decide(knobs, telemetry, memory)
    }
}
