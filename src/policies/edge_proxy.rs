//! Edge proxy: edges send the region's traffic to the survivors, and DNS stays as it is.

use super::runbook;
use crate::model::policy::{Decision, Knobs, Memory, Policy};
use crate::model::telemetry::Telemetry;

/// Edge proxy: edges send the region's traffic to the survivors, and DNS stays as it is.
pub struct EdgeProxy;

impl Policy for EdgeProxy {
    fn name(&self) -> &'static str {
        "edge-proxy"
    }

    fn summary(&self) -> &'static str {
        "edges proxy the region's traffic to the survivors; DNS stays as it is"
    }

    fn knobs(&self) -> Knobs {
        Knobs {
            failover: true,
            route_by_edge: true,
            edge_retry: true,
            edge_retry_budget: f64::INFINITY,
            ..Knobs::default()
        }
    }

    fn decide(&self, knobs: &Knobs, telemetry: &Telemetry, memory: &Memory) -> Decision {
        runbook::decide(knobs, telemetry, memory)
    }
}
