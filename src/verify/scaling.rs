//! Family 08, and capacity that grows in composites: more is asked for than the pool can serve, and
//! its autoscaler launches what is missing.
//!
//! Nothing waits: what no slot is free for is refused. An instance has very many slots, so that
//! chance refuses nothing that the case's rates would not.

use super::base::{self, EAST};
use super::case::{Case, Metric};
use super::judge::{Finding, Noise, mean_and_error};
use super::series::Series;
use crate::model::outcome::Window;
use crate::model::scenario::{Fault, Scaling, Scenario};
use crate::units::{Dist, Span, Time};

/// Slots of an instance.
const SLOTS: u32 = 1_000_000_000;
/// Replications of launches that take random times, and of ones that do not.
const RANDOM: u64 = 400;
const FIXED: u64 = 8;
/// Windows of a run, and at least of the time before it.
const WINDOWS: f64 = 400.0;
const BEFORE: f64 = 40.0;
/// Factor on the rates of a surge, so that requests leave no noise.
const MANY: f64 = 1e7;
/// Most instances of a pool.
const MOST: u32 = 100_000;

/// How a pool grows once its autoscaler has looked.
pub struct Growth {
    /// Requests per second that an instance serves.
    pub each_per_sec: f64,
    /// Instances at first, and at last.
    pub from: u32,
    pub to: u32,
    /// From a launch to the first request.
    pub boot: Dist,
    /// So many are launched at once, and again after so many seconds; `None`: all at once.
    pub steps: Option<(u32, f64)>,
}

impl Growth {
    /// Gives the only service such pools. The autoscaler looks at `look` for the first time.
    pub fn put(&self, scenario: &mut Scenario, many: f64, look: Time) {
        let service = &mut scenario.services[0];
        service.slots = SLOTS;
        service.queue = 0;
        service.time = Dist::Fixed(f64::from(SLOTS) / (self.each_per_sec * many));
        service.instances = Some(self.from);
        service.boot = self.boot.clone();
        service.slow_start = Span::ZERO;
        service.scaling = Some(Scaling {
            // With all slots busy it asks for all instances at once.
            target: f64::from(self.from) / f64::from(self.to),
            tolerance: 0.0,
            delay: Span::ZERO,
            interval: Span(look.0),
            cooldown_out: Span::ZERO,
            cooldown_in: Span::ZERO,
            step_out: f64::from(self.to),
            step_in: 1.0,
            least: 1,
            most: f64::from(self.to) / f64::from(self.from),
            scale_in: false,
        });
        let limits = &mut scenario.launches;
        limits.quota = f64::INFINITY;
        (limits.burst, limits.per_sec) = (f64::from(MOST), f64::from(MOST));
        if let Some((count, secs)) = self.steps {
            limits.burst = f64::from(count);
            limits.per_sec = f64::from(count) / secs;
            limits.retry = Span::from_secs(secs);
        }
    }
}

/// A capacity that rises in equal steps, as instances of equal size: the size of one, how many there
/// are at first, and how many a step adds.
pub fn sizes(first: f64, step: f64) -> Result<(f64, u32, u32), String> {
    /// Most instances of a step.
    const MOST_OF_STEP: u32 = 1000;
    let fits = |count: &u32| {
        let ratio = first / step * f64::from(*count);
        (ratio - ratio.round()).abs() < 1e-9 * ratio && ratio <= f64::from(MOST)
    };
    let count = (1..=MOST_OF_STEP).find(fits);
    let count = count.ok_or("its capacity and its steps are no multiples of equal instances")?;
    let each = step / f64::from(count);
    Ok((each, (first / each).round() as u32, count))
}

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "scale_random_launch" => launches(case, seed),
        "scale_staircase" => staircase(case, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// What a replication says.
struct Lived {
    /// Instances that serve.
    serving: Series,
    /// Requests per second that are refused.
    refused: Series,
}

/// Demand rises from half of what the pool can serve to `demand_per_sec`, and the pool grows.
fn surge(
    growth: &Growth,
    demand_per_sec: f64,
    (sample, secs): (f64, f64),
    seed: u64,
    count: u64,
) -> Vec<Lived> {
    let mut scenario = base::alone(base::plain());
    // The autoscaler looks again after as long a time as this.
    let before = growth.steps.map_or(0.0, |(_, secs)| secs / sample).ceil();
    let before = before.max(BEFORE);
    base::windows(&mut scenario, sample, secs + (before + 2.0) * sample);
    let surge = Time(scenario.sample.0 * before as u64);
    // It sees what a whole step has been like.
    let looks = surge + scenario.step;
    growth.put(&mut scenario, MANY, looks);
    // Proxies must not show among the slots.
    scenario.edge.slots = 1;
    base::through_edge(&mut scenario, 0.0);
    scenario.policy.knobs.failover = false;
    let usual = 0.5 * growth.each_per_sec * f64::from(growth.from);
    scenario.markets[0].starts = usual;
    scenario.demand = MANY;
    scenario.faults = vec![Fault {
        kind: "demand-surge".into(),
        at: surge,
        duration: scenario.horizon,
        market: Some(0),
        factor: demand_per_sec / usual,
        count: 1,
        ..Fault::default()
    }];
    base::replicate(&scenario, seed, count, |outcome| {
        let serving = |w: &Window| {
            let slot_secs = f64::from(SLOTS) * (w.until - w.from).secs();
            Some(w.regions[EAST].slot_secs / slot_secs)
        };
        let refused = |w: &Window| Some(w.global.starts_failed as f64 / MANY);
        Lived {
            serving: Series::read(&outcome.windows, looks, serving),
            refused: Series::read(&outcome.windows, looks, refused).per_second(),
        }
    })
}

/// The first moment from which on there are so many.
fn reached(serving: &Series, wanted: f64) -> f64 {
    serving.first_at_least(wanted * (1.0 - 1e-6))
}

fn launches(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (from, more) = (case.count("c0", MOST)?, case.count("n", MOST)?);
    let (fixed, mean) = (case.number("fixed")?, case.positive("mean")?);
    let (demand, each) = (case.positive("lambda")?, case.positive("mu")?);
    let growth = Growth {
        each_per_sec: each,
        from,
        to: from.saturating_add(more),
        boot: Dist::Sum(vec![Dist::Fixed(fixed), Dist::Exponential { mean }]),
        steps: None,
    };
    let needed = demand / each;
    if needed <= f64::from(from) || needed > f64::from(growth.to) {
        return Err("its demand is not between its capacities before and after".into());
    }
    // The last of so many comes about `ln(n)` means after the first could.
    let secs = fixed + (12.0 + libm::log(f64::from(more))) * mean;
    let secs = secs.max(1.01 * case.last_moment());
    if secs > 1e6 {
        return Err("it lasts longer than a million seconds".into());
    }
    let sample = secs / WINDOWS;
    let runs = surge(&growth, demand, (sample, secs), seed, RANDOM);
    let n = Noise::Observations(runs.len() as f64);
    let at = |metric: &Metric, of: &dyn Fn(&Lived) -> &Series| -> Option<(Vec<f64>, f64)> {
        let secs = metric.moment()?;
        let all: Vec<Series> = runs.iter().map(|l| of(l).clone()).collect();
        let (_, slack) = Series::mean(&all).at(secs)?;
        let values = all.iter().map(|series| Some(series.at(secs)?.0));
        Some((values.collect::<Option<_>>()?, slack))
    };
    let find = |metric: &Metric| match metric.name.split('(').next().unwrap_or_default() {
        "mean_ready" => match at(metric, &|l| &l.serving) {
            Some((values, slack)) => Finding::within(mean_and_error(&values).0, n, slack),
            None => Finding::not("its moment is beyond the run"),
        },
        "mean_unserved_rate" => match at(metric, &|l| &l.refused) {
            Some((values, slack)) => {
                let (mean, error) = mean_and_error(&values);
                let noise = Noise::Estimated(error, values.len() as f64);
                Finding::within(mean, noise, slack)
            }
            None => Finding::not("its moment is beyond the run"),
        },
        "mean_time_until_capacity>=demand" => {
            let times: Vec<f64> = runs.iter().map(|l| reached(&l.serving, needed)).collect();
            Finding::within(mean_and_error(&times).0, n, sample)
        }
        "mean_unserved_requests" => {
            let lost: Vec<f64> = runs.iter().map(|l| l.refused.integral(secs)).collect();
            Finding::mean(&lost)
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

fn staircase(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (demand, first) = (case.positive("lambda")?, case.positive("cap0")?);
    let (begin, step) = (case.positive("t0")?, case.positive("step")?);
    let every = case.positive("dt")?;
    if demand <= first {
        return Err("its demand is met from the beginning".into());
    }
    let (each, from, count) = sizes(first, step)?;
    let steps = ((demand - first) / step - 1e-9).ceil();
    let to = f64::from(from) + steps * f64::from(count);
    let secs = begin + (steps + 2.0) * every;
    if to > f64::from(MOST) || secs > 1e6 {
        return Err(
            "its capacity rises in too many steps, or for more than a million seconds".into(),
        );
    }
    let growth = Growth {
        each_per_sec: each,
        from,
        to: to as u32,
        boot: Dist::Fixed(begin),
        steps: Some((count, every)),
    };
    // Windows that every step meets, where there are such.
    let sample = every / (every * WINDOWS / secs).ceil().max(1.0);
    let meets = (begin / sample - (begin / sample).round()).abs() < 1e-9;
    let slack = if meets { 0.0 } else { sample };
    let runs = surge(&growth, demand, (sample, secs), seed, FIXED);
    let enough = reached(&runs[0].serving, demand / each);
    let find = |metric: &Metric| match metric.name.as_str() {
        "time_capacity_meets_demand" => Finding::within(enough, Noise::Expectation, slack),
        "unserved_total" => {
            let lost: Vec<f64> = runs.iter().map(|l| l.refused.integral(enough)).collect();
            let (mean, error) = mean_and_error(&lost);
            let noise = Noise::Estimated(error, lost.len() as f64);
            Finding::within(mean, noise, slack * step)
        }
        "steps" => Finding::of(runs[0].serving.rises(0.5), Noise::Expectation),
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// The pool of the west in V3, whose capacity rises in steps from a moment after the fault on; the
/// autoscaler looks half-way there.
pub fn rising(case: &Case) -> Result<(Growth, f64), String> {
    let (first, last) = (case.positive("cap0")?, case.positive("cap_max")?);
    let (begin, step) = (case.positive("t_up")?, case.positive("step")?);
    let every = case.positive("dt")?;
    let (each, from, count) = sizes(first, step)?;
    let to = (last / each).round();
    if to <= f64::from(from) || to > f64::from(MOST) || begin > 1e6 {
        return Err("its capacity does not rise, or not within a million seconds".into());
    }
    if every > 0.5 * begin {
        return Err("its first step is sooner than two others take".into());
    }
    let growth = Growth {
        each_per_sec: each,
        from,
        to: to as u32,
        boot: Dist::Fixed(0.5 * begin),
        steps: Some((count, every)),
    };
    Ok((growth, 0.5 * begin))
}
