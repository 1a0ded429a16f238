//! Known results against the simulator: closed forms for queues, retries, names, connections, caches,
//! detection, playback, arrivals, failures at random and whole failovers.
//!
//! A case becomes a scenario and runs in the same engine as a user's file; what is compared is read
//! from its windows and marks.
//!
//! | module | what it holds |
//! |---|---|
//! | `case` | cases as JSON gives them |
//! | `cross` | the two fidelities of a scenario against each other |
//! | `oracles` | the cases that the program brings with it |
//! | `base` | the scenarios that cases start from |
//! | `series` | shares over time, read from windows |
//! | `station`, `paths` | queues as services, and what became of each piece of work |
//! | `queues`, `lines`, `transient` | queues in their stationary law, others, and under change |
//! | `active`, `backlog` | sessions under a wave of demand; what an outage leaves |
//! | `retries`, `metastable` | attempts that fail, and retries that keep a queue full |
//! | `dns`, `cache`, `detection`, `playback`, `arrivals`, `availability` | one family each |
//! | `scaling`, `ramp` | capacity that grows; weights of DNS that change in stages |
//! | `analysis` | the statistics of reports |
//! | `replication` | what a lost region takes with it; a primary that is replaced |
//! | `failover`, `refill`, `pairs` | whole failovers |
//! | `judge` | from a simulated value to a verdict |
//! | `report` | rows and totals |

mod active;
mod analysis;
mod arrivals;
mod availability;
mod backlog;
mod base;
mod cache;
mod case;
pub mod cross;
mod detection;
mod dns;
mod failover;
mod judge;
mod lines;
mod metastable;
mod oracles;
mod pairs;
mod paths;
mod playback;
mod queues;
mod ramp;
mod refill;
mod replication;
mod report;
mod retries;
mod scaling;
mod series;
mod station;
#[cfg(test)]
mod tests;
mod transient;

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
        "01_queues_stationary" => match case.model.as_str() {
            "mmc" | "mmck" | "erlang_b_case" | "erlang_a" => queues::run(case, seed),
            "mmc_det_patience" | "mg1" | "tandem" | "jackson_feedback" => lines::run(case, seed),
            "mg1ps" => Err("slots serve one request at a time and do not share".into()),
            "trunk_reservation" => {
                Err("a pool keeps no slots free for what is more important".into())
            }
            "mm1_retrial" | "mmc_retrial" => Err("who is refused does not wait for ever".into()),
            other => Err(format!("the model {other:.40} is not known")),
        },
        "02_queues_transient" => match case.model.as_str() {
            "mt_inf" => active::run(case, seed),
            "fluid_backlog" => backlog::run(case, seed),
            "transient_mmck" => transient::run(case, seed),
            other => Err(format!("the model {other:.40} is not known")),
        },
        "03_availability" => availability::run(case, seed),
        "06_replication" => replication::run(case, seed),
        "08_autoscaling" => scaling::run(case, seed),
        "09_retries" => retries::run(case, seed),
        "13_output_analysis" => analysis::run(case, seed),
        other => Err(format!("the family {other:.40} is not known")),
    }
}
