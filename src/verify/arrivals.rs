//! Family 11: arrivals that follow a wave.

use super::base;
use super::case::{Case, Metric};
use super::judge::{Finding, Noise, mean_and_error, spread};
use crate::model::scenario::{Scenario, Wave};

/// Replications.
const REPLICATIONS: u64 = 1000;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    if case.model != "nhpp" {
        return Err(format!("the model {:.40} is not known", case.model));
    }
    let (length, bins) = (case.positive("T")?, case.count("bins", 1000)?);
    let mut scenario = base::alone(base::plain());
    scenario.faults.clear();
    scenario.policy.knobs.failover = false;
    scenario.markets[0].starts = case.positive("a")?;
    let phase = case.params.get("phase").and_then(serde_json::Value::as_f64);
    scenario.markets[0].wave = Some(Wave {
        amplitude: case.share("b")?,
        period_secs: case.positive("period")?,
        phase: phase.ok_or("the parameter phase is missing")?,
    });
    let by_bin = counts(&scenario, seed, length / f64::from(bins), length);
    let totals: Vec<f64> = by_bin.iter().map(|run| run.iter().sum()).collect();
    let find = |metric: &Metric| -> Finding {
        let runs = Noise::Observations(REPLICATIONS as f64);
        if let Some(bin) = metric.name.strip_prefix("mean_count_bin") {
            let Some(bin) = bin
                .parse()
                .ok()
                .filter(|&bin: &usize| bin < by_bin[0].len())
            else {
                return Finding::not("there is no such bin");
            };
            let column: Vec<f64> = by_bin.iter().map(|run| run[bin]).collect();
            return Finding::of(mean_and_error(&column).0, runs);
        }
        match metric.name.as_str() {
            "mean_total" => Finding::of(mean_and_error(&totals).0, runs),
            "var_total" => {
                let variance = spread(&totals) * spread(&totals);
                // Of a variance, for a law that is close to normal.
                let se = variance * (2.0 / (REPLICATIONS as f64 - 1.0)).sqrt();
                Finding::of(variance, Noise::Estimated(se, REPLICATIONS as f64))
            }
            "median_arrival_time" => match metric.number().filter(|&at| at > 0.0 && at < length) {
                None => Finding::not("the median is no moment of the run"),
                Some(at) => {
                    let halves = counts(&scenario, seed, at, length);
                    let before: f64 = halves.iter().map(|run| run[0]).sum();
                    let total: f64 = halves.iter().flatten().sum();
                    // The window beyond the end is longer than the case.
                    let late: f64 = total - before;
                    Finding::of(before / (before + late), Noise::Observations(total))
                }
            },
            "time_rescaled_gaps" => {
                Finding::not("needs fidelity request: single arrivals have no times")
            }
            _ => Finding::not("arrivals are drawn as counts: nothing is thinned"),
        }
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// First attempts per window of so many seconds, for each replication.
fn counts(scenario: &Scenario, seed: u64, secs: f64, length: f64) -> Vec<Vec<f64>> {
    let mut scenario = scenario.clone();
    base::windows(&mut scenario, secs, length);
    scenario.horizon = crate::units::Span::from_secs(length);
    base::replicate(&scenario, seed, REPLICATIONS, |outcome| {
        let count = |w: &crate::model::outcome::Window| w.global.first_attempts as f64;
        outcome.windows.iter().map(count).collect()
    })
}
