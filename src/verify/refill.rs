//! Composite V5: rerouted viewers meet a cache that is cold for their catalogue, and a store of
//! limited capacity behind it.

use super::base::{self, WEST};
use super::cache::{cached, limited, overload_end, put_store};
use super::case::{Case, Metric};
use super::failover::{after_fault, requests, rto};
use super::judge::{Finding, Noise};
use super::series::Series;
use crate::model::outcome::{Outcome, Window};
use crate::units::Dist;

/// Window in seconds; most windows.
const SAMPLE_SECS: f64 = 0.1;
const MOST_WINDOWS: f64 = 6000.0;
/// How long starts must succeed to count as recovered.
const SUSTAIN_SECS: f64 = 5.0;
/// Replications.
const REPLICATIONS: u64 = 200;

struct Lived {
    /// Starts that succeeded and that failed, per window.
    starts: Vec<(u64, u64)>,
    good: Series,
    lost: f64,
    refused: Series,
    fetches: Series,
    overload: f64,
}

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (dead, routes) = (case.positive("t_detect")?, case.number("t_cfg")?);
    let capacity = case.positive("origin_capacity")?;
    let theta = case.share("theta")?;
    let (_, mut cache) = cached(case)?;
    cache.warm_secs = 1e9;
    let mut scenario = requests(case)?;
    let ends = case
        .metrics
        .iter()
        .find(|m| m.name == "origin_overload_ends_at");
    let ends = ends.and_then(Metric::number).unwrap_or(0.0);
    let secs = 1.3 * case.last_moment().max(ends).max(dead + routes) + 2.0 * SUSTAIN_SECS;
    if secs > 1e5 {
        return Err("it lasts longer than a day".into());
    }
    scenario.policy.knobs.route_by_edge = true;
    scenario.policy.knobs.route_by_dns = false;
    scenario.edge.poll = Dist::Fixed(routes);
    base::want(&mut scenario, theta, SUSTAIN_SECS);
    let store = limited(&scenario, capacity);
    put_store(&mut scenario, cache, store);
    let sample = SAMPLE_SECS.max(secs / MOST_WINDOWS);
    let fault = after_fault(&mut scenario, sample, secs);
    base::lose(&mut scenario, fault, dead);
    let runs = base::replicate(&scenario, seed, REPLICATIONS, |outcome| {
        let read = |of: &dyn Fn(&Window) -> Option<f64>| Series::read(&outcome.windows, fault, of);
        let count = |of: &dyn Fn(&Window) -> u64| -> f64 {
            outcome.windows.iter().map(|w| of(w) as f64).sum()
        };
        Lived {
            starts: outcome
                .windows
                .iter()
                .map(|w| (w.global.starts_ok, w.global.starts_failed))
                .collect(),
            good: read(&|w| {
                let all = (w.global.starts_ok + w.global.starts_failed) as f64;
                (all > 0.0).then(|| w.global.starts_ok as f64 / all)
            }),
            lost: count(&|w| w.global.starts_failed),
            refused: read(&|w| {
                let o = &w.regions[WEST];
                // Before the reroute hardly anything is fetched.
                let asked = o.cache_fetches > 1e-3 * capacity * sample;
                Some(if asked {
                    o.cache_failed / o.cache_fetches
                } else {
                    0.0
                })
            }),
            fetches: read(&|w| {
                let o = &w.regions[WEST];
                Some((o.cache_fetches - o.cache_failed) / (w.until - w.from).secs())
            }),
            overload: count(&|w| w.regions[WEST].answered_error),
        }
    });
    let mean_of =
        |of: &dyn Fn(&Lived) -> f64| Finding::mean(&runs.iter().map(of).collect::<Vec<_>>());
    let good = Series::mean(&runs.iter().map(|l| l.good.clone()).collect::<Vec<_>>());
    let end = overload_end(&runs[0].refused);
    // All replications together: the requests of one window of one replication are too few to tell
    // a share from the one that is wanted.
    let mut together = base::replicate(&scenario, seed, 1, Outcome::clone).remove(0);
    for (i, window) in together.windows.iter_mut().enumerate() {
        let of_all = |part: fn(&(u64, u64)) -> u64| -> u64 {
            runs.iter().filter_map(|l| l.starts.get(i)).map(part).sum()
        };
        window.global.starts_ok = of_all(|starts| starts.0);
        window.global.starts_failed = of_all(|starts| starts.1);
    }
    let recovered = rto(&scenario, &together);
    let find = |metric: &Metric| match metric.name.split('(').next().unwrap_or_default() {
        "rto_sustained" => Finding::within(recovered, Noise::Expectation, sample),
        "origin_overload_ends_at" => match end {
            Some(end) => Finding::of(end, Noise::Expectation),
            None => Finding::not("the overload does not end within the run"),
        },
        "origin_fetches_until_overload_ends" => match end {
            Some(end) => Finding::of(runs[0].fetches.integral(end), Noise::Expectation),
            None => Finding::not("the overload does not end within the run"),
        },
        "lost_requests" => mean_of(&|l| l.lost),
        "lost_to_origin_overload" => mean_of(&|l| l.overload),
        "sli" => match metric.moment().and_then(|secs| good.at(secs)) {
            // Requests per window leave some noise in the difference of two windows.
            Some((value, slack)) => Finding::within(value, Noise::Expectation, slack.min(0.01)),
            None => Finding::not("its moment is beyond the run"),
        },
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}
