//! Family 11: arrivals that follow a wave.

use super::base;
use super::case::{Case, Metric};
use super::judge::{Finding, Noise, mean_and_error, spread};
use super::paths::{self, Sums};
use super::station::{self, Present};
use crate::model::outcome::Outcome;
use crate::model::scenario::{Scenario, Wave};
use crate::simulate::Visit;

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
    let wave = Wave {
        amplitude: case.share("b")?,
        period_secs: case.positive("period")?,
        phase: phase.ok_or("the parameter phase is missing")?,
    };
    scenario.markets[0].wave = Some(wave);
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
            "time_rescaled_gaps" => gaps(&scenario, seed, length, &wave),
            name if name.starts_with("thinning_acceptance_prob") => {
                // Of a stream that always comes as at the highest point, the part that the wave has.
                let mut highest = scenario.clone();
                highest.markets[0].wave = None;
                highest.markets[0].starts *= 1.0 + wave.amplitude;
                let highest = counts(&highest, seed ^ 1, length, length);
                let pairs = totals.iter().zip(&highest);
                let pairs = pairs.map(|(&sum, all)| Sums {
                    count: all.iter().sum(),
                    sum,
                    squares: 0.0,
                });
                paths::mean_of(&pairs.collect::<Vec<_>>())
            }
            _ => Finding::not("the metric is not known"),
        }
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// How far the gaps between single arrivals, in units of the expected number, are from an exponential
/// law. Of each replication as many are looked at as there nearly always are.
fn gaps(scenario: &Scenario, seed: u64, length: f64, wave: &Wave) -> Finding {
    /// Gaps in all.
    const GAPS: f64 = 1e5;
    let turn = 2.0 * std::f64::consts::PI / wave.period_secs;
    let rate = scenario.markets[0].starts;
    let swing = |secs: f64| wave.amplitude / turn * libm::cos(turn * secs + wave.phase);
    let expected = |secs: f64| rate * (secs + swing(0.0) - swing(secs));
    let all = expected(length);
    let each = (all - 6.0 * all.sqrt()).floor();
    if !(10.0..=1e6).contains(&each) || length > 1e7 {
        return Finding::not("hardly anybody arrives, or too many, or for too long");
    }
    let mut scenario = scenario.clone();
    base::windows(&mut scenario, length / 20.0, length);
    let runs = (GAPS / each).ceil() as u64;
    let read = |_: &Outcome, visits: Vec<Visit>| -> Vec<f64> {
        let mut times: Vec<f64> = visits.iter().map(|v| expected(v.arrived.secs())).collect();
        times.sort_by(f64::total_cmp);
        let mut before = 0.0;
        let times = times.into_iter().take(each as usize);
        times
            .map(|time| time - std::mem::replace(&mut before, time))
            .collect()
    };
    let mut gaps = station::watch(&scenario, (seed, runs), &Present::nobody(), read).concat();
    gaps.sort_by(f64::total_cmp);
    let n = gaps.len() as f64;
    let off = gaps.iter().enumerate().map(|(i, &gap)| {
        let below = -libm::expm1(-gap);
        (below - i as f64 / n)
            .abs()
            .max((below - (i + 1) as f64 / n).abs())
    });
    Finding::of(off.fold(0.0, f64::max), Noise::Observations(n)).by_request()
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
