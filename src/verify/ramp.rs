//! Weights of DNS that change evenly: the ramps of family 04 away from a region, and composite V10
//! back to one whose capacity grows meanwhile.
//!
//! A policy moves weights in stages. So many equal ones as a file may have stand for an even change;
//! each is half a stage early, so that they lag behind it no more than they lead.

use super::base::{self, EAST};
use super::case::{Case, Metric};
use super::dns::{MANY, individuals, share_on_old};
use super::failover;
use super::judge::{Finding, Noise};
use super::scaling::Growth;
use super::series::Series;
use crate::model::observation::Observation;
use crate::model::outcome::{Outcome, Window};
use crate::model::policy::Failback;
use crate::units::{Dist, Span, Time};

/// Stages.
const STAGES: u32 = 100;
/// Windows of a run.
const WINDOWS: f64 = 2000.0;
/// Longest run.
const LONGEST_SECS: f64 = 1e6;

fn stages() -> Vec<f64> {
    let part = |stage| f64::from(stage) / f64::from(STAGES);
    (1..=STAGES).map(part).collect()
}

/// The first moment from which on a share has stopped changing, to within less than one resolver.
fn complete(share: &Series, last: f64) -> f64 {
    share.first_at_least(last * (1.0 - 1e-9))
}

/// How far the end of a ramp may be off: half a stage early, read from windows, and the last of the
/// resolvers asks a few mean distances before the end of the time to live.
fn slack_of_end(hold: f64, sample: f64, distance: f64) -> f64 {
    0.5 * hold + 2.0 * sample + 12.0 * distance
}

/// What the simulator says of a ramp away from a region.
pub fn shift(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (ttl, ramp) = (case.positive("T")?, case.positive("ramp")?);
    let secs = 1.02 * (ttl + ramp).max(case.last_moment());
    if secs > LONGEST_SECS {
        return Err("it lasts longer than a million seconds".into());
    }
    let n = individuals(case);
    let mut scenario = base::alone(base::plain());
    base::through_edge(&mut scenario, 0.0);
    scenario.markets[0].starts = MANY;
    scenario.dns.ttl = Span::from_secs(ttl);
    scenario.dns.resolvers = n as usize;
    let hold = ramp / f64::from(STAGES);
    let sample = secs / WINDOWS;
    base::windows(&mut scenario, sample, secs + 0.5 * hold + 4.0 * sample);
    // The ramp begins half a stage before the first.
    let begin = Time(2 * scenario.sample.0);
    let first = begin + Span::from_secs(0.5 * hold);
    base::drain_in_stages(&mut scenario, first, stages(), Span::from_secs(hold));
    let runs = base::replicate(&scenario, seed, 1, |outcome| {
        let on_new = |w: &Window| share_on_old(w).map(|old| 1.0 - old);
        Series::read(&outcome.windows, Time::ZERO, on_new).since(begin.secs())
    });
    let series = &runs[0];
    // How far the mean over a time to live of stages may be from that of an even change.
    let steps = hold * hold / (8.0 * ramp * ttl);
    let find = |metric: &Metric| match metric.name.split('(').next().unwrap_or_default() {
        "share_on_new" => match metric.moment().and_then(|secs| series.at(secs)) {
            Some((share, slack)) => Finding::within(share, Noise::Observations(n), slack + steps),
            None => Finding::not("its moment is beyond the run"),
        },
        "full_shift_complete_at" => {
            let slack = slack_of_end(hold, sample, ttl / n);
            Finding::within(complete(series, 1.0), Noise::Expectation, slack)
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// What the simulator says of a ramp back to a region whose capacity grows.
///
/// The region is lost for a moment, and all have left it before the return begins. It boots the
/// instances that it began with and launches as fast as its provider lets it.
pub fn failback(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    /// Replications.
    const REPLICATIONS: u64 = 16;
    /// Clients (resolvers).
    const CLIENTS: usize = 50_000;
    /// Instances that the region has at first.
    const FIRST: u32 = 50;
    /// How long the region is lost, and until it is believed to be.
    const LOST_SECS: f64 = 2.0;
    const DETECT_SECS: f64 = 0.5;
    let rate = case.positive("lambda_A")?;
    let (ttl, ramp) = (case.positive("T")?, case.positive("ramp")?);
    let (first, last) = (case.positive("capA0")?, case.positive("cap_max")?);
    let slope = case.positive("cap_slope")?;
    let each = first / f64::from(FIRST);
    let every = each / slope;
    let to = (last / each).round();
    if to <= f64::from(FIRST) || to > 1e5 {
        return Err("its capacity does not grow by a known number of instances".into());
    }
    let hold = ramp / f64::from(STAGES);
    let secs = 1.02 * (ttl + ramp).max(case.last_moment());
    let sample = secs / WINDOWS;
    let wait = 1.1 * ttl + LOST_SECS;
    if secs + wait > LONGEST_SECS {
        return Err("it lasts longer than a million seconds".into());
    }
    let mut scenario = base::alone(base::plain());
    base::through_edge(&mut scenario, 0.0);
    scenario.markets[0].starts = rate;
    scenario.dns.ttl = Span::from_secs(ttl);
    scenario.dns.resolvers = CLIENTS;
    base::windows(&mut scenario, sample, secs + wait + 40.0 * sample);
    let lost = Time(scenario.sample.0);
    base::lose(&mut scenario, lost, DETECT_SECS);
    scenario.faults[0].duration = Span::from_secs(LOST_SECS);
    let stable = Span::from_secs(wait - LOST_SECS);
    scenario.policy.knobs.cool_down = Span::ZERO;
    scenario.policy.knobs.failback = Failback {
        automatic: true,
        stable,
        gate_data: false,
        gate_caches: false,
        gate_instances: false,
        decide: Dist::Fixed(0.0),
        stages: stages(),
        hold: Span::from_secs(hold),
        most_errors: 1.0,
        most_utilisation: f64::INFINITY,
        back_off: Span::ZERO,
    };
    let growth = Growth {
        each_per_sec: each,
        from: FIRST,
        to: to as u32,
        boot: Dist::Fixed(0.0),
        steps: Some((1, every)),
    };
    scenario.demand = failover::MANY;
    let half = Span::from_secs(0.5 * hold);
    let begins = |outcome: &Outcome| {
        let first = outcome.marks.failback_begins.unwrap_or(Time::NEVER);
        Time(first.0.saturating_sub(half.0))
    };
    // The region is believed alive when its instances serve again.
    scenario.services[0].boot = growth.boot.clone();
    // Launches are half a launch early, as stages are.
    let begin = base::replicate(&scenario, seed, 1, begins)[0];
    growth.put(
        &mut scenario,
        failover::MANY,
        begin + Span::from_secs(0.5 * every),
    );
    if let Some(scaling) = &mut scenario.services[0].scaling {
        // Whatever it is asked for: it is to have its size of before again.
        scaling.least = to as u32;
    }
    let runs = base::replicate(&scenario, seed, REPLICATIONS, |outcome| {
        let begin = begins(outcome).secs();
        let read = |of: &dyn Fn(&Observation) -> u64| {
            let of = |w: &Window| Some(of(&w.regions[EAST]) as f64 / failover::MANY);
            Series::read(&outcome.windows, Time::ZERO, of)
                .since(begin)
                .per_second()
        };
        let shed = read(&|o| o.answered_error).integral(f64::INFINITY);
        (read(&|o| o.first_attempts), shed)
    });
    let (loads, shed): (Vec<Series>, Vec<f64>) = runs.into_iter().unzip();
    let load = Series::mean(&loads);
    let find = |metric: &Metric| match metric.name.split('(').next().unwrap_or_default() {
        "load_on_A" => match metric.moment().and_then(|secs| load.at(secs)) {
            Some((load, slack)) => Finding::within(load, Noise::Expectation, slack),
            None => Finding::not("its moment is beyond the run"),
        },
        "shed_during_failback" => Finding::mean(&shed),
        "complete_at" => {
            let clients = CLIENTS as f64;
            let slack = slack_of_end(hold, sample, ttl / clients);
            let all = complete(&load, rate - 0.5 * rate / clients);
            Finding::within(all, Noise::Expectation, slack)
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}
