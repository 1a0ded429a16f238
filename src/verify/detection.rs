//! Family 07: how long it takes until a region is believed dead, rightly or wrongly.

use super::base::{self, EAST};
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use crate::model::scenario::Scenario;
use crate::units::{Span, Time};

/// Replications.
const REPLICATIONS: u64 = 10_000;
/// The same of false alarms, which take long.
const LONG_REPLICATIONS: u64 = 250;
/// Largest number of probes that is waited for.
const MOST_PROBES: f64 = 1e9;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let mut scenario = base::alone(base::plain());
    scenario.policy.knobs.failover = false;
    scenario.markets[0].starts = 1.0;
    scenario.control.threshold = case.count("k", 1000)?;
    let interval = case.positive("I")?;
    if !(1e-2..1e7).contains(&interval) {
        return Err("the interval is not between 10 ms and ten million seconds".into());
    }
    scenario.control.interval = Span::from_secs(interval);
    if case.model == "false_alarm" {
        return false_alarms(case, seed, scenario);
    }
    let timeout = case.number("timeout")?;
    scenario.control.timeout = Span::from_secs(timeout);
    let mut probes = f64::from(scenario.control.threshold);
    let mut pace = interval;
    match case.model.as_str() {
        "detect_periodic" => {}
        "detect_serial" => {
            scenario.control.back_to_back = true;
            pace += timeout;
        }
        "detect_quorum" => {
            scenario.control.observers = case.count("n", 100)?;
            scenario.control.agree = case.count("m", 100)?;
            if scenario.control.agree > scenario.control.observers {
                return Err("m is larger than n".into());
            }
        }
        "detect_partial" => {
            let failing = case.share("q")?;
            scenario.control.missed = 1.0 - failing;
            probes = 60.0 * expected_probes(failing, probes);
        }
        other => return Err(format!("the model {other:.40} is not known")),
    }
    if timeout > pace {
        return Err("the timeout is longer than the interval".into());
    }
    if probes > MOST_PROBES {
        return Err("it takes more than a billion probes".into());
    }
    let fault = &mut scenario.faults[0];
    fault.at = Time::from_secs(3.0 * pace);
    fault.hang = true;
    fault.duration = Span(u64::MAX / 4);
    let horizon = (probes + 5.0) * pace + timeout;
    base::windows(&mut scenario, horizon, horizon);
    let times: Vec<f64> = base::replicate(&scenario, seed, REPLICATIONS, |outcome| {
        let marks = &outcome.marks;
        match (marks.fault, marks.detect) {
            (Some(fault), Some(detect)) => (detect - fault).secs(),
            _ => f64::INFINITY,
        }
    });
    let probes: Vec<f64> = times
        .iter()
        .map(|d| ((d - timeout) / pace + 1e-9).floor() + 1.0)
        .collect();
    let first = (f64::from(scenario.control.threshold) - 1.0) * pace + timeout;
    let find = |metric: &Metric| of_times(metric, &times, &probes, (first, interval));
    Ok(case.metrics.iter().map(find).collect())
}

/// Probes until so many in a row have failed.
fn expected_probes(failing: f64, in_a_row: f64) -> f64 {
    let all = libm::pow(failing, in_a_row);
    if failing < 1.0 {
        (1.0 - all) / (all * (1.0 - failing))
    } else {
        in_a_row
    }
}

fn of_times(
    metric: &Metric,
    times: &[f64],
    probes: &[f64],
    (first, interval): (f64, f64),
) -> Finding {
    let n = times.len() as f64;
    let noise = Noise::Observations(n);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let share = |of: &dyn Fn(usize) -> bool| (0..times.len()).filter(|&i| of(i)).count() as f64 / n;
    let known = metric.number().unwrap_or(f64::NAN);
    // The extreme of n uniform phases lies within this of the end, with the same error.
    let reach = interval * 11.9 / n;
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    let most = times.iter().copied().fold(0.0, f64::max);
    match metric.name.as_str() {
        "mean_detection" | "mean_detection_time" => Finding::of(mean(times), noise),
        "mean_probes_to_detect" => Finding::of(mean(probes), noise),
        "min" if least < known - 1e-6 => Finding::of(least, Noise::Expectation),
        "min" => Finding::within(least, Noise::Expectation, reach),
        "max" if most > known + 1e-6 => Finding::of(most, Noise::Expectation),
        "max" => Finding::within(most, Noise::Expectation, reach),
        "cdf" => Finding::of(distance_from_uniform(times, first, interval), noise),
        name if metric.test.kind == "quantile_sign" && name.starts_with("detection_q") => {
            Finding::of(share(&|i| times[i] <= known), noise)
        }
        name => match name
            .strip_prefix("prob_detected_within_")
            .and_then(|rest| rest.strip_suffix("_probes")?.parse::<f64>().ok())
        {
            Some(most) => Finding::of(share(&|i| probes[i] <= most), noise),
            None => Finding::not("the metric is not known"),
        },
    }
}

/// Largest distance of the observed law from the uniform one from `begin` on.
fn distance_from_uniform(times: &[f64], begin: f64, length: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let off = |(i, time): (usize, &f64)| {
        let law = ((time - begin) / length).clamp(0.0, 1.0);
        (law - i as f64 / n)
            .abs()
            .max(((i + 1) as f64 / n - law).abs())
    };
    sorted.iter().enumerate().map(off).fold(0.0, f64::max)
}

/// Waits for the first false alarm, for as long as makes one all but certain.
fn false_alarms(case: &Case, seed: u64, mut scenario: Scenario) -> Result<Vec<Finding>, String> {
    let (wrong, interval) = (case.share("eps")?, case.positive("I")?);
    let expected = expected_probes(wrong, f64::from(scenario.control.threshold));
    if expected.is_nan() || expected >= MOST_PROBES / 18.0 {
        return Err("it takes more than a billion probes".into());
    }
    scenario.faults.clear();
    scenario.regions.truncate(1);
    scenario.rtt_secs = vec![vec![0.0]];
    scenario.markets.truncate(1);
    scenario.markets[0].near = vec![EAST];
    scenario.control.false_alarm = wrong;
    let horizon = 18.0 * expected * interval;
    base::windows(&mut scenario, horizon, horizon);
    let times: Vec<f64> = base::replicate(&scenario, seed, LONG_REPLICATIONS, |outcome| {
        outcome.marks.detect.map_or(horizon, Time::secs)
    });
    let find = |metric: &Metric| match metric.name.as_str() {
        "mean_time_to_first_false_alarm" => Finding::mean(&times),
        "expected_probes" => {
            let probes: Vec<f64> = times.iter().map(|t| (t / interval).floor() + 1.0).collect();
            Finding::mean(&probes)
        }
        "prob_false_alarm_within_horizon_approx" => match case.positive("horizon") {
            Ok(within) => {
                let n = times.len() as f64;
                let share = times.iter().filter(|t| **t <= within).count() as f64 / n;
                let se = (share * (1.0 - share) / n).sqrt();
                Finding::of(share, Noise::Estimated(se, n))
            }
            Err(why) => Finding::NotCovered(why),
        },
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}
