//! The cases that the program brings with it.

use super::case::{Case, parse};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each file.
        const FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../oracles/", $name)))),*
        ];
    };
}

files![
    "01_queues_stationary.json",
    "02_queues_transient.json",
    "03_availability.json",
    "04_dns_stickiness.json",
    "05_cache.json",
    "06_replication.json",
    "07_health_detection.json",
    "08_autoscaling.json",
    "09_retries.json",
    "10_playback.json",
    "11_arrivals.json",
    "12_composite.json",
    "13_output_analysis.json",
];

/// All of them, in order.
pub fn embedded() -> Vec<Case> {
    let cases = |(name, text): &(&str, &str)| match parse(name, text) {
        Ok(cases) => cases,
        Err(problem) => panic!("an embedded file of cases must be readable: {problem}"),
    };
    FILES.iter().flat_map(cases).collect()
}
