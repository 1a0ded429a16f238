//! Quantiles of latency: from arrival at the first edge to the answer, proxying to another region
//! and the edge's retries included, the viewer's own network excluded. Answers without an error
//! only (errors are often fast), so it is to be read beside the error rate.

use crate::model::observation::{Better, Observation, Sli, Unit};

/// A quantile of the latency of answers without an error.
pub struct Latency {
    name: &'static str,
    summary: &'static str,
    quantile: f64,
}

/// The median.
pub static P50: Latency = Latency {
    name: "latency_p50",
    summary: "median latency of answers without an error, from the first edge",
    quantile: 0.50,
};

/// The 95th percentile.
pub static P95: Latency = Latency {
    name: "latency_p95",
    summary: "95th percentile of the latency of answers without an error, from the first edge",
    quantile: 0.95,
};

/// The 99th percentile.
pub static P99: Latency = Latency {
    name: "latency_p99",
    summary: "99th percentile of the latency of answers without an error, from the first edge",
    quantile: 0.99,
};

impl Sli for Latency {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn unit(&self) -> Unit {
        Unit::Seconds
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn measure(&self, observation: &Observation) -> Option<f64> {
        observation.latency.quantile(self.quantile)
    }
}
