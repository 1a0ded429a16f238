//! Gradual, pre-warmed: an announced drill is evacuated in stages while the region is healthy, with
//! the survivors' caches warmed first; an incident is shifted at once.

use super::runbook;
use crate::model::policy::{Decision, Knobs, Memory, Policy, Shed};
use crate::model::telemetry::Telemetry;
use crate::units::Span;

/// As flow, with warmed caches, and ahead of an announced drill in stages.
pub struct GradualPrewarmed;

impl Policy for GradualPrewarmed {
    fn name(&self) -> &'static str {
        "gradual-prewarmed"
    }

    fn summary(&self) -> &'static str {
        "as flow, with warmed caches; a drill that is announced is evacuated in stages before it"
    }

    fn knobs(&self) -> Knobs {
        Knobs {
            failover: true,
            route_by_edge: true,
            route_by_dns: true,
            dns_after_edge: true,
            stages: vec![0.01, 0.25, 0.5, 1.0],
            hold: Span::from_secs(120.0),
            dark_capacity: true,
            prewarm: true,
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
