//! Family 02, the backlog of an outage: a worker's region is dark for a while, its work waits and is
//! worked off, first come, first done.

use super::base::{self, EAST};
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use crate::model::scenario::Service;
use crate::model::work::{WorkObservation, WorkSource, Worker};
use crate::units::{Dist, Span, Time};

/// Windows of the outage.
const WINDOWS: f64 = 2400.0;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (rate, capacity) = (case.positive("lambda")?, case.positive("mu")?);
    let (outage, tau) = (case.positive("outage")?, case.number("tau")?);
    if rate >= 0.99 * capacity || outage > 1e6 {
        return Err("it does not end within the run".into());
    }
    let mut scenario = base::alone(base::plain());
    let worker = Service {
        name: "worker".into(),
        regions: Some(vec![EAST]),
        slots: 1,
        instances: Some(1),
        time: Dist::Fixed(1.0 / capacity),
        boot: Dist::Fixed(0.0),
        discovery: Dist::Fixed(0.0),
        slow_start: Span::ZERO,
        worker: Some(Worker {
            source: WorkSource::Rate { per_sec: rate },
            late_secs: f64::INFINITY,
            lost_in_dark: false,
        }),
        ..scenario.services[0].clone()
    };
    scenario.services.push(worker);
    scenario.call_order.push(1);
    let sample = outage / WINDOWS;
    base::windows(
        &mut scenario,
        sample,
        1.1 * outage / (1.0 - rate / capacity) + 4.0 * sample,
    );
    let fault = Time(2 * scenario.sample.0);
    base::lose(&mut scenario, fault, 1.0);
    scenario.policy.knobs.failover = false;
    scenario.faults[0].duration = Span::from_secs(outage);
    let seen = base::replicate(&scenario, seed, 1, |outcome| {
        let work = |w: &crate::model::outcome::Window| {
            let work = w.regions[EAST].work.first().copied().unwrap_or_default();
            ((w.from - fault).secs(), (w.until - fault).secs(), work)
        };
        let after = outcome.windows.iter().filter(|w| w.from >= fault);
        after.map(work).collect::<Vec<_>>()
    });
    let lived = Lived::of(&seen[0], tau);
    let find = |metric: &Metric| {
        let (value, slack) = match metric.name.split(['(', '>']).next().unwrap_or_default() {
            "peak_backlog" => (lived.peak, 0.0),
            "time_queue_empties" => (lived.empty_secs, sample),
            "backlog_area" => (lived.area, 0.0),
            "requests_with_wait" => (lived.late, 0.0),
            "mean_wait_of_affected" => (lived.waited / lived.affected, 0.0),
            "max_wait" => (lived.longest_secs, 0.0),
            _ => return Finding::not("the metric is not known"),
        };
        Finding::within(value, Noise::Expectation, slack)
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// What became of the work; the backlog and the age of its oldest item are read at windows' ends.
#[derive(Default)]
struct Lived {
    peak: f64,
    empty_secs: f64,
    area: f64,
    late: f64,
    waited: f64,
    affected: f64,
    longest_secs: f64,
}

impl Lived {
    fn of(windows: &[(f64, f64, WorkObservation)], tau: f64) -> Lived {
        let mut lived = Lived::default();
        let mut before = WorkObservation::default();
        for &(from, until, work) in windows {
            lived.peak = lived.peak.max(work.backlog);
            lived.longest_secs = lived.longest_secs.max(work.age_secs);
            lived.area += 0.5 * (before.backlog + work.backlog) * (until - from);
            // What is done in a window has waited as long as the oldest item at its two ends.
            if work.done > 0.0 && before.backlog > 0.0 {
                let (old, new) = (before.age_secs, work.age_secs);
                let part = match old > new {
                    true => ((old - tau.max(new)) / (old - new)).clamp(0.0, 1.0),
                    false => f64::from(old > tau),
                };
                lived.late += part * work.done;
                lived.waited += 0.5 * (old + new) * work.done;
                lived.affected += work.done;
                lived.empty_secs = until;
            }
            before = work;
        }
        lived
    }
}
