//! Known results against the simulator: closed forms for names, connections, caches, detection,
//! playback, arrivals, failures at random and whole failovers.
//!
//! A case becomes a scenario and runs in the same engine as a user's file; what is compared is read
//! from its windows and marks.
//!
//! | module | what it holds |
//! |---|---|
//! | `case` | cases as JSON gives them |
//! | `oracles` | the cases that the program brings with it |
//! | `base` | the scenarios that cases start from |
//! | `series` | shares over time, read from windows |
//! | `dns`, `cache`, `detection`, `playback`, `arrivals`, `availability` | one family each |
//! | `scaling`, `ramp` | capacity that grows; weights of DNS that change in stages |
//! | `analysis` | the statistics of reports |
//! | `replication` | what a lost region takes with it; a primary that is replaced |
//! | `failover`, `refill`, `pairs` | whole failovers |
//! | `judge` | from a simulated value to a verdict |
//! | `report` | rows and totals |

mod analysis;
mod arrivals;
mod availability;
mod base;
mod cache;
mod case;
mod detection;
mod dns;
mod failover;
mod judge;
mod oracles;
mod pairs;
mod playback;
mod ramp;
mod refill;
mod replication;
mod report;
mod scaling;
mod series;
#[cfg(test)]
mod tests;

pub use case::{Case, Metric, Test, parse};
pub use oracles::embedded;
pub use report::{Report, Row, Verdict};

use judge::Finding;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs cases and judges every value. `watch` is told, from any thread, how many cases are done.
pub fn run(cases: &[Case], seed: u64, watch: &(dyn Fn(usize) + Sync)) -> Report {
    let done = AtomicUsize::new(0);
    let rows: Vec<Vec<Row>> = cases
        .par_iter()
        .map(|case| {
            let rows = rows(case, seed);
            watch(done.fetch_add(1, Ordering::Relaxed) + 1);
            rows
        })
        .collect();
    Report::new(rows.into_iter().flatten().collect())
}

fn rows(case: &Case, seed: u64) -> Vec<Row> {
    let seed = base::seed_of(seed, &case.family, &case.id);
    let findings = find(case, seed).unwrap_or_else(|why| {
        let not = |_| Finding::NotCovered(why.clone());
        case.metrics.iter().map(not).collect()
    });
    assert_eq!(
        findings.len(),
        case.metrics.len(),
        "every metric of a case has a finding"
    );
    let judged = case.metrics.iter().zip(findings);
    judged
        .map(|(metric, finding)| judge::judge(case, metric, finding))
        .collect()
}

/// What the simulator says of each metric of a case; an error says why it says nothing.
fn find(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.family.as_str() {
        "04_dns_stickiness" => dns::run(case, seed),
        "05_cache" => cache::run(case, seed),
        "07_health_detection" => detection::run(case, seed),
        "10_playback" => playback::run(case, seed),
        "11_arrivals" => arrivals::run(case, seed),
        "12_composite" => match case.model.as_str() {
            "v1_dns_only" | "v2_proxy" | "v3_capacity" | "v4_retry" | "v6_stochastic_rto" => {
                failover::run(case, seed)
            }
            "v5_cold_cache" => refill::run(case, seed),
            "v7_rebuffer" => playback::run(case, seed),
            "v9_crn" => pairs::run(case, seed),
            "v8_db" => replication::run(case, seed),
            "v10_failback" => ramp::failback(case, seed),
            other => Err(format!("the model {other:.40} is not known")),
        },
        "01_queues_stationary" | "02_queues_transient" => {
            Err("needs fidelity request: single requests in queues".into())
        }
        "03_availability" => availability::run(case, seed),
        "06_replication" => replication::run(case, seed),
        "08_autoscaling" => scaling::run(case, seed),
        "09_retries" => Err("needs fidelity request: single requests and their retries".into()),
        "13_output_analysis" => analysis::run(case, seed),
        other => Err(format!("the family {other:.40} is not known")),
    }
}
