//! Composites V1 to V4 and V6: a region is lost; names and routes lead elsewhere, in V3 and V4 to a
//! region that has to grow, in V4 with clients that try again at once.
//!
//! There are so many requests that each client always holds an answer and that only the clients'
//! own chance is left.

use super::base::{self, WEST};
use super::case::{Case, Metric};
use super::judge::{Finding, Noise, spread};
use super::scaling;
use super::series::Series;
use crate::model::measure::{Measure, TimeMeasure};
use crate::model::outcome::{Outcome, Window};
use crate::model::scenario::Scenario;
use crate::objectives::{self, Columns};
use crate::slis;
use crate::units::{Dist, Span, Time};

/// Factor on rates where requests are to leave no noise.
pub const MANY: f64 = 1e6;
/// Clients (resolvers), where a case does not say.
const CLIENTS: usize = 50_000;
/// Replications of a run with short windows, of one that counts losses, and of one whose law is
/// looked at.
const SHARP: u64 = 16;
const COUNTED: u64 = 40;
const LAW: u64 = 250;
/// A retry at once is made in the step after: the longest step then.
const RETRY_SECS: f64 = 0.1;
/// Most windows of a run.
const MOST_WINDOWS: f64 = 6000.0;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "v1_dns_only" | "v2_proxy" | "v3_capacity" | "v4_retry" => whole(case, seed),
        "v6_stochastic_rto" => law(case, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// What a replication says.
struct Lived {
    rto: f64,
    good: Series,
    lost: Series,
    /// What the region that is left refuses, attempts that are repeated included.
    refused: Series,
    /// What that region is asked for, retries included.
    asked: Series,
}

/// Requests of both markets at the case's rates, names with its time to live.
pub fn requests(case: &Case) -> Result<Scenario, String> {
    let mut scenario = base::plain();
    scenario.markets[0].starts = case.positive("lambda_A")?;
    scenario.markets[1].starts = case.positive("lambda_B")?;
    scenario.dns.ttl = Span::from_secs(case.maybe("T")?.unwrap_or(0.0));
    let class = &mut scenario.devices[0];
    class.violators.share = case.maybe("violators")?.unwrap_or(0.0).min(1.0);
    if let Some(mean) = case.maybe("violator_mean")? {
        class.violators.stale = Dist::Exponential { mean };
    }
    Ok(scenario)
}

/// Windows of so many seconds that meet the fault, from one of them before it on.
pub fn after_fault(scenario: &mut Scenario, sample_secs: f64, secs: f64) -> Time {
    base::windows(scenario, sample_secs, secs + sample_secs);
    Time(scenario.sample.0)
}

/// The time to recovery as reports have it; infinite when censored.
pub fn rto(scenario: &Scenario, outcome: &Outcome) -> f64 {
    let slis = [slis::find("stream_start_success").expect("the registry has the SLI of starts")];
    let columns = Columns::new(&slis, [scenario]);
    let series = objectives::Series::of(&outcome.windows, columns.slis());
    let row = objectives::measure(scenario, &columns, &series, outcome, 0);
    let position = columns.position(&Measure::Time(TimeMeasure::Rto));
    position.map_or(f64::NAN, |i| row.values[i].as_f64())
}

fn live(scenario: &Scenario, seed: u64, replications: u64, fault: Time) -> Vec<Lived> {
    base::replicate(scenario, seed, replications, |outcome| {
        let good = |w: &Window| {
            let o = &w.global;
            let all = o.starts_ok + o.starts_failed;
            (all > 0).then(|| o.starts_ok as f64 / all as f64)
        };
        let lost = |w: &Window| Some(w.global.starts_failed as f64 / MANY);
        let refused = |w: &Window| Some(w.regions[WEST].answered_error as f64 / MANY);
        let asked = |w: &Window| Some(w.regions[WEST].asked / MANY);
        Lived {
            rto: rto(scenario, outcome),
            good: Series::read(&outcome.windows, fault, good),
            lost: Series::read(&outcome.windows, fault, lost).per_second(),
            refused: Series::read(&outcome.windows, fault, refused).per_second(),
            asked: Series::read(&outcome.windows, fault, asked).per_second(),
        }
    })
}

fn whole(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let dead = case.positive("t_detect")?;
    let edge = case.maybe("edge_fraction")?.unwrap_or(0.0).min(1.0);
    let routes = case.maybe("t_cfg")?.unwrap_or(0.0);
    let push = case.number("t_push")?;
    let (theta, sustain) = (case.share("theta")?, case.positive("W")?);
    let horizon = case.positive("horizon")?;
    let ttl = case.number("T")?;
    if dead + routes.max(push) + ttl > 1e6 || horizon > 1e6 {
        return Err("it lasts longer than a million seconds".into());
    }
    let mut scenario = requests(case)?;
    base::delays(&mut scenario, routes, push);
    scenario.policy.knobs.route_by_edge = edge > 0.0;
    base::want(&mut scenario, theta, sustain);
    let growth = match case.model.as_str() {
        "v3_capacity" | "v4_retry" => Some(scaling::rising(case)?),
        _ => None,
    };
    let retries = case.model == "v4_retry";
    if retries {
        let class = &mut scenario.devices[0];
        class.attempts = case.count("max_attempts", 100)?;
        // Nothing takes time here, so nobody gives up: what fails is refused.
        class.timeout = Span::from_secs(1.0);
        class.backoff_base = Span::ZERO;
        class.retry_budget = f64::INFINITY;
        class.fallback_after = 0;
    }
    base::through_edge(&mut scenario, edge);

    let run_of = |scenario: &Scenario, sample: f64, secs: f64, count: u64, clients: usize| {
        let mut scenario = scenario.clone();
        let sample = sample.max(secs / MOST_WINDOWS);
        let fault = after_fault(&mut scenario, sample, secs);
        base::lose(&mut scenario, fault, dead);
        if let Some((growth, after)) = &growth {
            growth.put(&mut scenario, MANY, fault + Span::from_secs(*after));
        }
        if retries {
            let steps = (scenario.sample.secs() / RETRY_SECS).ceil() as u64;
            scenario.step = Span(scenario.sample.0 / steps);
        }
        scenario.demand = MANY;
        scenario.dns.resolvers = clients;
        live(&scenario, seed, count, fault)
    };
    let run = |sample, secs, count, clients| run_of(&scenario, sample, secs, count, clients);
    let reach = horizon + sustain;
    let fine = sustain.min(0.5);
    let sharp = run(fine, reach, SHARP, CLIENTS);
    let bucket = run(sustain, reach, SHARP, CLIENTS);
    let tail = match case.maybe("violator_mean")? {
        Some(mean) => 25.0 * mean,
        None => 0.0,
    };
    let longest = reach.max(dead + push + ttl + tail).min(1e7);
    let clients = case.maybe("clients_A")?.unwrap_or(CLIENTS as f64);
    let clients = clients.clamp(1.0, 1e6) as usize;
    let counted = run(longest / 400.0, longest, COUNTED, clients);
    let within = run(horizon / 400.0, horizon, COUNTED, clients);
    let good = Series::mean(&sharp.iter().map(|l| l.good.clone()).collect::<Vec<_>>());
    let rtos = |runs: &[Lived]| Finding::mean(&runs.iter().map(|l| l.rto).collect::<Vec<_>>());
    let lost = |runs: &[Lived]| -> Vec<f64> {
        runs.iter()
            .map(|l| l.lost.integral(f64::INFINITY))
            .collect()
    };
    let mean_of_lost = |runs: &[Lived], metric: &Metric| {
        let lost = lost(runs);
        let mean = lost.iter().sum::<f64>() / lost.len() as f64;
        match metric.test.kind.as_str() {
            "z_mean" => Finding::of(mean, Noise::Observations(lost.len() as f64)),
            _ => Finding::mean(&lost),
        }
    };
    // The same without retries: what is asked for then is the load.
    let (once, once_within) = if retries {
        let mut once = scenario.clone();
        once.devices.iter_mut().for_each(|class| class.attempts = 1);
        let run = |sample, secs| run_of(&once, sample, secs, COUNTED, CLIENTS);
        (run(fine, reach), run(horizon / 400.0, horizon))
    } else {
        (Vec::new(), Vec::new())
    };
    let mean_asked = |runs: &[Lived]| -> Series {
        Series::mean(&runs.iter().map(|l| l.asked.clone()).collect::<Vec<_>>())
    };
    let (asked, load) = (mean_asked(&sharp), mean_asked(&once));
    // Every failure but the last is followed by a retry.
    let whole = f64::INFINITY;
    let shed: Vec<f64> = within
        .iter()
        .enumerate()
        .map(|(i, lived)| {
            let load = once_within.get(i).map(|once| once.asked.integral(whole));
            let retries = load.map_or(0.0, |load| lived.asked.integral(whole) - load);
            lived.refused.integral(whole) - retries
        })
        .collect();
    let on_dead: Vec<f64> = lost(&within)
        .iter()
        .zip(&shed)
        .map(|(all, shed)| all - shed)
        .collect();
    let find = |metric: &Metric| match metric.name.split('(').next().unwrap_or_default() {
        // Nothing breaks again afterwards: the first recovery is the last.
        "rto_sustained" | "rto_first_window" => rtos(&sharp),
        "rto_closed_form" => match rtos(&sharp) {
            Finding::Value(evidence) => Finding::within(evidence.value, evidence.noise, fine),
            other => other,
        },
        "rto_bucket" => rtos(&bucket),
        "lost_requests" => mean_of_lost(&within, metric),
        "lost_closed_form" => mean_of_lost(&counted, metric),
        "lost_on_dead_region" => Finding::mean(&on_dead),
        "lost_to_shedding_in_B" => Finding::mean(&shed),
        "attempt_rate_B" => match metric.moment().and_then(|secs| asked.at(secs)) {
            Some((value, slack)) => Finding::within(value, Noise::Expectation, slack),
            None => Finding::not("its moment is beyond the run"),
        },
        "peak_amplification_B" => {
            let times = |secs: f64| Some(asked.at(secs)?.0 / load.at(secs)?.0);
            let all = case.moments("sample_times").into_iter().filter_map(times);
            Finding::of(all.fold(f64::NAN, f64::max), Noise::Expectation)
        }
        // Outcomes that retries put off leave a dent of a few steps in short windows.
        "min_sli" if retries => {
            let good: Vec<Series> = bucket.iter().map(|l| l.good.clone()).collect();
            Finding::of(Series::mean(&good).least(), Noise::Expectation)
        }
        "min_sli" => Finding::of(good.least(), Noise::Expectation),
        "sli" => match metric.moment().and_then(|secs| good.at(secs)) {
            Some((value, slack)) => Finding::within(value, Noise::Expectation, slack),
            None => Finding::not("its moment is beyond the run"),
        },
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// V6: the law of the time to recovery over replications.
fn law(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    const SAMPLE_SECS: f64 = 0.1;
    let mut scenario = requests(case)?;
    let (interval, timeout) = (case.positive("I")?, case.positive("timeout")?);
    let threshold = case.count("k", 1000)?;
    let (fixed, mean) = (case.number("push_fixed")?, case.number("push_mean")?);
    let theta = case.share("theta")?;
    let longest = interval * f64::from(threshold) + timeout + fixed + 12.0 * mean;
    let secs = longest + case.number("T")?;
    if secs / SAMPLE_SECS > MOST_WINDOWS {
        return Err("it lasts longer than ten minutes".into());
    }
    base::want(&mut scenario, theta, SAMPLE_SECS);
    let fault = after_fault(&mut scenario, SAMPLE_SECS, secs);
    let shift = fault
        .0
        .max(2 * Span::from_secs(interval).0)
        .div_ceil(scenario.sample.0);
    let fault = Time(shift * scenario.sample.0);
    scenario.horizon = scenario.horizon + Span(fault.0);
    base::lose(&mut scenario, fault, timeout);
    base::through_edge(&mut scenario, 0.0);
    scenario.control.interval = Span::from_secs(interval);
    scenario.control.timeout = Span::from_secs(timeout);
    scenario.control.threshold = threshold;
    scenario.control.push = Dist::Sum(vec![Dist::Fixed(fixed), Dist::Exponential { mean }]);
    scenario.demand = MANY;
    scenario.dns.resolvers = CLIENTS / 2;
    let runs: Vec<(f64, f64)> = base::replicate(&scenario, seed, LAW, |outcome| {
        let lost: u64 = outcome.windows.iter().map(|w| w.global.starts_failed).sum();
        (rto(&scenario, outcome), lost as f64 / MANY)
    });
    let (rtos, lost): (Vec<f64>, Vec<f64>) = runs.into_iter().unzip();
    let n = rtos.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    // Of a standard deviation: the fourth moment of an exponential part is large.
    let of_spread = |values: &[f64]| {
        let sd = spread(values);
        Finding::of(sd, Noise::Estimated(sd / (n / 2.0).sqrt(), n))
    };
    let find = |metric: &Metric| match metric.name.as_str() {
        "rto_mean" => Finding::within(mean(&rtos), Noise::Observations(n), SAMPLE_SECS),
        "rto_sd" => of_spread(&rtos),
        "lost_mean" => Finding::of(mean(&lost), Noise::Observations(n)),
        "lost_sd" => of_spread(&lost),
        "corr(rto,lost)" => Finding::of(correlation(&rtos, &lost), Noise::Expectation),
        name if name.starts_with("rto_q") && metric.test.kind == "quantile_sign" => {
            let known = metric.number().unwrap_or(f64::NAN);
            let below =
                |reach: f64| rtos.iter().filter(|r| **r <= known + reach).count() as f64 / n;
            // A time to recovery is known to within a window.
            let slack = below(SAMPLE_SECS) - below(0.0);
            Finding::within(below(0.0), Noise::Observations(n), slack)
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// Correlation of pairs.
pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let pairs = a.iter().zip(b);
    let together: f64 = pairs.map(|(x, y)| (x - mean_a) * (y - mean_b)).sum();
    together / (n - 1.0) / (spread(a) * spread(b))
}
