//! Family 09, retries that keep a queue full: one slot with a bounded line, clients that give up while
//! their work goes on, and try again. Simulated request by request.
//!
//! A trap is sprung by a surge of demand that fills the line; what is left when it has passed decides.
//! Thresholds are found by halving, to within a percent or two.

use super::base;
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use super::retries::surge;
use super::station::{self, Station};
use crate::model::outcome::Outcome;
use crate::model::scenario::Scenario;
use crate::units::{Dist, Span};

/// A surge fills the line within so many times the time that working it off takes.
const FILLS: f64 = 0.5;
/// After which it is waited for, and what is then looked at, in times that working the line off takes.
const SETTLES: f64 = 18.0;
const LOOKED_AT: f64 = 4.0;
/// Close to the load at which it recovers it takes so much longer.
const SETTLES_AT_LAST: f64 = 100.0;
/// Less than this share of good answers is a failure.
const HEALTHY: f64 = 0.9;
/// Replications, where what is asked for is counted.
const REPLICATIONS: u64 = 8;

/// A slot, its line, and its clients.
#[derive(Clone, Copy, Debug)]
struct Trap {
    rate: f64,
    capacity: f64,
    attempts: u32,
    timeout: f64,
    limit: f64,
}

/// What is looked at in the end.
#[derive(Clone, Copy, Debug)]
struct End {
    good_share: f64,
    attempts_per_sec: f64,
}

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let trap = Trap {
        rate: case.positive("lambda")?,
        capacity: case.positive("mu")?,
        attempts: case.count("max_attempts", 50)?,
        timeout: case.positive("timeout")?,
        limit: f64::from(case.count("queue_limit", 1_000_000)?),
    };
    let patience = trap.timeout * trap.capacity;
    if !station::RATES.contains(&trap.capacity)
        || patience > 1e5
        || trap.rate < 1e-3 * trap.capacity
    {
        return Err("its clients come too seldom, or wait too long".into());
    }
    if trap.attempts < 2 {
        return Err("nobody tries again".into());
    }
    if trap.limit * f64::from(trap.attempts) > 1e5 || trap.rate > 0.99 * trap.capacity {
        return Err("its line is too long, or never empty".into());
    }
    let calm = trap.end(seed, None, trap.rate, SETTLES);
    let sprung = trap.end(seed, Some(trap.rate), trap.rate, SETTLES);
    let (healthy, stuck) = (calm.good_share > HEALTHY, sprung.good_share < HEALTHY);
    // A line too short to hold the clients of the case up does so for less patient ones.
    let sure = Trap {
        timeout: trap.timeout.min(0.5 * trap.limit / trap.capacity),
        ..trap
    };
    let find = |metric: &Metric| -> Finding {
        match metric.name.as_str() {
            "healthy_equilibrium_exists" => Finding::whether(healthy),
            "bad_equilibrium_exists" => Finding::whether(stuck),
            "metastable" => Finding::whether(healthy && stuck),
            "bad_equilibrium_attempt_rate" => {
                let ends = match stuck {
                    true => trap.ends((seed, REPLICATIONS), Some(trap.rate), trap.rate, SETTLES),
                    // Where the line does not stay full by itself, it is the same while nobody is
                    // patient enough.
                    false => Trap {
                        timeout: 0.01 / trap.capacity,
                        ..trap
                    }
                    .ends((seed, REPLICATIONS), None, trap.rate, SETTLES),
                };
                Finding::mean(
                    &ends
                        .iter()
                        .map(|end| end.attempts_per_sec)
                        .collect::<Vec<_>>(),
                )
            }
            "critical_load_for_recovery" => {
                let recovers = |load: f64| {
                    let high = 0.9 * sure.capacity;
                    let end = sure.end(seed, Some(high), load, SETTLES_AT_LAST);
                    end.good_share > HEALTHY
                };
                threshold((0.05 * trap.capacity, 0.95 * trap.capacity), 7, recovers)
            }
            "queue_limit_that_prevents_it" => {
                // The limit does not depend on the load as long as the line stays full. Who is refused
                // and tries again at once is refused again, so that retries fill it less than they
                // are many: at a load close to the capacity it does not run low between their waves.
                let rate = 0.95 * trap.capacity;
                let in_time = |limit: f64| {
                    let limit = limit.round();
                    let trap = Trap {
                        rate,
                        limit,
                        ..trap
                    };
                    trap.end(seed, Some(rate), rate, SETTLES).good_share > HEALTHY * 0.5
                };
                let most = 4.0 * trap.timeout * trap.capacity;
                threshold((1.0, most), 10, in_time)
            }
            _ => Finding::not("the metric is not known"),
        }
        .by_request()
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// Where something stops to hold between two values, by halving so often; it may be as far off as what
/// is left is wide.
fn threshold(
    (mut holds, mut fails): (f64, f64),
    halvings: u32,
    of: impl Fn(f64) -> bool,
) -> Finding {
    if !of(holds) || of(fails) {
        return Finding::of(f64::NAN, Noise::Expectation);
    }
    for _ in 0..halvings {
        let middle = 0.5 * (holds + fails);
        match of(middle) {
            true => holds = middle,
            false => fails = middle,
        }
    }
    Finding::within(0.5 * (holds + fails), Noise::Expectation, fails - holds)
}

impl Trap {
    fn scenario(&self) -> Scenario {
        let station = Station {
            places: self.limit as u32,
            ..Station::new(1, Dist::Fixed(1.0 / self.capacity))
        };
        let mut scenario = station::scenario(self.rate, 1, &[station], (1.0, 1.0));
        let class = &mut scenario.devices[0];
        class.timeout = Span::from_secs(self.timeout);
        class.attempts = self.attempts;
        class.backoff_base = Span::ZERO;
        class.retry_budget = f64::INFINITY;
        class.fallback_after = 0;
        scenario
    }

    /// How it goes in the end at a load, after a surge where there is one: demand is many times a load,
    /// then that load until the line is full of its retries, then what it is in the end.
    fn end(&self, seed: u64, sprung: Option<f64>, load: f64, settles: f64) -> End {
        self.ends((seed, 1), sprung, load, settles)[0]
    }

    /// The same in replications.
    fn ends(
        &self,
        (seed, count): (u64, u64),
        sprung: Option<f64>,
        load: f64,
        settles: f64,
    ) -> Vec<End> {
        let line = (self.limit / self.capacity).max(self.timeout);
        let mut scenario = self.scenario();
        let (filled, held) = (FILLS * line, (FILLS + 2.0) * line);
        let settled = held + settles * line;
        let end = settled + LOOKED_AT * line;
        base::windows(&mut scenario, LOOKED_AT * line / 4.0, end);
        let factor = |rate: f64| rate / self.rate;
        scenario.faults = match sprung {
            None => vec![surge(0.0, end, factor(load))],
            Some(held_at) => vec![
                surge(0.0, filled, factor(self.capacity * (1.0 + 2.0 / FILLS))),
                surge(filled, held - filled, factor(held_at)),
                surge(held, end - held, factor(load)),
            ],
        };
        let read = |outcome: &Outcome| {
            let last = outcome
                .windows
                .iter()
                .filter(|w| w.from.secs() >= settled - 1e-6);
            let (mut ok, mut all, mut asked, mut secs) = (0.0, 0.0, 0.0, 0.0);
            for window in last {
                let seen = &window.global;
                ok += seen.starts_ok as f64;
                all += (seen.starts_ok + seen.starts_failed) as f64;
                asked += seen.asked;
                secs += (window.until - window.from).secs();
            }
            End {
                good_share: ok / all,
                attempts_per_sec: asked / secs,
            }
        };
        base::replicate_requests(&scenario, seed, count, read)
    }
}
