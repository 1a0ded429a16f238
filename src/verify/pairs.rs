//! Composite V9: two times to live under common random numbers.

use super::base;
use super::case::{Case, Metric};
use super::failover::{after_fault, correlation};
use super::judge::{Finding, Noise, mean_and_error, spread};
use crate::units::Span;

/// Pairs.
const PAIRS: u64 = 1000;
/// Factor on the rate, so that requests leave no noise.
const MANY: f64 = 1e9;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (short, long) = (case.positive("T1")?, case.positive("T2")?);
    if long > 1e6 || short > long {
        return Err("the times to live are not in order, or longer than a million seconds".into());
    }
    let rate = case.positive("lambda_A")?;
    let clients = case.positive("clients_A")?.clamp(1.0, 2e5) as usize;
    let lost = |ttl: f64, seed: u64| -> Vec<f64> {
        let mut scenario = base::alone(base::plain());
        base::through_edge(&mut scenario, 0.0);
        scenario.markets[0].starts = rate;
        scenario.demand = MANY;
        scenario.dns.resolvers = clients;
        scenario.dns.ttl = Span::from_secs(ttl);
        let fault = after_fault(&mut scenario, long / 10.0, 1.2 * long);
        base::lose(&mut scenario, fault, 0.0);
        base::replicate(&scenario, seed, PAIRS, |outcome| {
            let lost: u64 = outcome.windows.iter().map(|w| w.global.starts_failed).sum();
            lost as f64 / MANY
        })
    };
    let (a, b) = (lost(short, seed), lost(long, seed));
    let apart = lost(short, base::seed_of(seed, "apart", &case.id));
    let differences =
        |from: &[f64]| -> Vec<f64> { b.iter().zip(from).map(|(b, a)| b - a).collect() };
    let (paired, independent) = (differences(&a), differences(&apart));
    let n = PAIRS as f64;
    let of_spread = |values: &[f64]| {
        let sd = spread(values);
        Finding::of(sd, Noise::Estimated(sd / (2.0 * n).sqrt(), n))
    };
    let find = |metric: &Metric| match metric.name.as_str() {
        "mean_delta_lost" => Finding::of(mean_and_error(&paired).0, Noise::Observations(n)),
        "sd_delta_crn" => of_spread(&paired),
        "sd_delta_independent" => of_spread(&independent),
        "variance_reduction_factor" => {
            let ratio = spread(&independent) / spread(&paired);
            let factor = ratio * ratio;
            // Of a ratio of two variances.
            Finding::of(factor, Noise::Estimated(factor * (4.0 / n).sqrt(), n))
        }
        "corr_policies" => Finding::of(correlation(&a, &b), Noise::Expectation),
        "fraction_of_pairs_with_delta>0" => {
            let positive = paired.iter().filter(|d| **d > 0.0).count() as f64;
            Finding::of(positive / n, Noise::Expectation)
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}
