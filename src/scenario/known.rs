//! What is built in, as far as a scenario file can name it.

use crate::model::policy::Knobs;

/// Names of the policies.
pub fn policies() -> Vec<&'static str> {
    vec!["none"]
}

/// A policy's own knobs.
pub fn knobs(_policy: &str) -> Knobs {
    Knobs::default()
}

/// Names of the kinds of fault.
pub fn faults() -> Vec<&'static str> {
    vec!["region-dark"]
}

/// Names of the SLIs.
pub fn slis() -> Vec<&'static str> {
    vec![
        "stream_start_success",
        "eligible_start_success",
        "error_rate",
        "unreachable_rate",
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "start_delay_p95",
        "rebuffer_rate",
        "degraded_rate",
        "cpu",
        "cache_hit_ratio",
        "store",
    ]
}

/// Whether an SLI is a duration and not a share.
pub fn is_duration(sli: &str) -> bool {
    sli.starts_with("latency_") || sli.starts_with("start_delay_")
}
