//! Family 09: attempts that fail by chance, and retries that meet a limit.
//!
//! Chance failures are a fault of the only service; a capacity without waiting places is a loss
//! system. Requests come for a while and then stop, so that each has its final outcome.

use super::base::{self, EAST};
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use crate::model::outcome::{Outcome, Window};
use crate::model::scenario::{Call, Fault, Scenario, Service, ServiceId};
use crate::units::{Dist, Span, Time};

/// Requests, where a share or a mean of known spread is found.
const REQUESTS: f64 = 200_000.0;
/// Requests of each replication, where replications are compared.
const FEW: f64 = 4000.0;
/// Replications that are compared.
const REPLICATIONS: u64 = 200;
/// For so long requests come.
const COMING_SECS: f64 = 20.0;
/// Length of a step; a retry without a wait is made in the next quarter of one.
const STEP_SECS: f64 = 1.0;
/// What stands for any number of attempts.
const UNLIMITED: u32 = 1_000_000;
/// Factor on rates where requests are to leave no noise.
const MANY: f64 = 1e7;
/// Slots of an instance that chance is not to be seen in.
const SLOTS: u32 = 1_000_000_000;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "retry_basic" => basic(case, seed),
        "retry_overload" => overload(case, seed),
        "retry_budget" => budget(case, seed),
        "retry_metastable" => super::metastable::run(case, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// Requests per second of devices that go straight to the region and make so many attempts, one
/// right after the other.
pub fn asked(rate: f64, attempts: u32) -> Scenario {
    let mut scenario = base::alone(base::plain());
    base::through_edge(&mut scenario, 0.0);
    scenario.faults.clear();
    scenario.policy.knobs.failover = false;
    scenario.markets[0].starts = rate;
    let class = &mut scenario.devices[0];
    class.attempts = attempts;
    class.backoff_base = Span::ZERO;
    class.retry_budget = f64::INFINITY;
    class.fallback_after = 0;
    scenario
}

/// A service answers a share of what it is asked with an error.
pub fn erring(scenario: &Scenario, service: ServiceId, share: f64) -> Fault {
    Fault {
        kind: "service-degraded".into(),
        at: Time(1),
        duration: scenario.horizon,
        region: Some(EAST),
        service: Some(service),
        factor: 1.0,
        share,
        count: 1,
        ..Fault::default()
    }
}

/// Demand is so many times the usual.
pub fn surge(at_secs: f64, secs: f64, factor: f64) -> Fault {
    Fault {
        kind: "demand-surge".into(),
        at: Time::from_secs(at_secs),
        duration: Span::from_secs(secs),
        market: Some(EAST),
        factor,
        count: 1,
        ..Fault::default()
    }
}

/// Requests whose attempts fail with a chance, until each has its outcome.
fn failing(requests: f64, chance: f64, attempts: u32) -> Scenario {
    let mut scenario = asked(requests / COMING_SECS, attempts);
    // Until less than a billionth of a request is left, a quarter of a step per attempt.
    let most = (libm::log(1e-9 / requests) / libm::log(chance)).min(f64::from(attempts));
    let after = STEP_SECS * (4.0 + most.ceil() / 4.0);
    base::windows(&mut scenario, STEP_SECS, COMING_SECS + after);
    scenario.faults = vec![
        erring(&scenario, 0, chance),
        surge(COMING_SECS, 2.0 * after, 0.0),
    ];
    scenario
}

/// Attempts per request, and the share of requests that failed for good.
fn outcome_of(outcome: &Outcome) -> (f64, f64, f64) {
    let counts = &outcome.ledger;
    let all = (counts.starts_ok + counts.starts_failed + counts.starts_ambient) as f64;
    let failed = (counts.starts_failed + counts.starts_ambient) as f64;
    (counts.attempts as f64 / all, failed / all, all)
}

fn basic(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (chance, attempts) = (case.share("p_fail")?, case.count("max_attempts", 100)?);
    let layers = case.count("layers", 8)?;
    if !(0.0..=0.99).contains(&chance) {
        return Err("attempts fail too often to see how often".into());
    }
    let few = failing(REQUESTS, chance, attempts);
    let found = base::replicate(&few, seed, 1, outcome_of)[0];
    let unlimited = failing(FEW, chance, UNLIMITED);
    let unlimited: Vec<f64> = base::replicate(&unlimited, seed, REPLICATIONS, outcome_of)
        .iter()
        .map(|found| found.0)
        .collect();
    let find = |metric: &Metric| match metric.name.as_str() {
        "mean_attempts" => Finding::of(found.0, Noise::Observations(found.2)),
        "request_failure_prob" => Finding::of(found.1, Noise::Observations(found.2)),
        "unlimited_amplification" => Finding::mean(&unlimited),
        "worst_case_amplification_layers" => {
            Finding::of(through_layers(layers, attempts, seed), Noise::Expectation)
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// Calls of the last of so many services in a row per request, when none of its answers comes in time
/// and each of the others tries so often.
fn through_layers(layers: u32, attempts: u32, seed: u64) -> f64 {
    const RATE: f64 = 1000.0;
    const WORK_SECS: f64 = 1.0;
    let mut scenario = asked(RATE, 1);
    let last = layers as usize;
    let call = |to: ServiceId| Call {
        to,
        count: 1.0,
        critical: true,
        fallback: String::new(),
        timeout_secs: if to == last {
            1e-3 * WORK_SECS
        } else {
            f64::INFINITY
        },
        attempts,
        parallel: true,
        priority: 0,
        cache: None,
    };
    let service = scenario.services[0].clone();
    let layer = |v: ServiceId| Service {
        name: format!("layer-{v}"),
        // Only the work of the last shows in what slots do.
        time: Dist::Fixed(if v == last { WORK_SECS } else { 0.0 }),
        calls: if v == last {
            Vec::new()
        } else {
            vec![call(v + 1)]
        },
        ..service.clone()
    };
    scenario.services = (0..=last).map(layer).collect();
    scenario.call_order = (0..=last).collect();
    let windows = base::windows(&mut scenario, STEP_SECS, COMING_SECS);
    let busy = base::replicate(&scenario, seed, 1, |outcome| {
        let busy = |w: &Window| w.global.busy_slot_secs;
        outcome.windows.iter().map(busy).sum::<f64>()
    });
    busy[0] / WORK_SECS / (RATE * STEP_SECS * windows as f64)
}

/// What a loss system does in a while.
#[derive(Clone, Copy, Debug, Default)]
struct Lost {
    attempts: f64,
    failed_attempts: f64,
    good: f64,
    bad: f64,
}

impl Lost {
    fn during(outcome: &Outcome, from_secs: f64, until_secs: f64) -> Lost {
        let mut lost = Lost::default();
        let inside =
            |w: &&Window| w.from.secs() >= from_secs - 1e-9 && w.until.secs() <= until_secs + 1e-9;
        for window in outcome.windows.iter().filter(inside) {
            let seen = &window.global;
            lost.attempts += seen.asked;
            lost.failed_attempts += seen.asked_failed;
            lost.good += seen.starts_ok as f64;
            lost.bad += seen.starts_failed as f64;
        }
        let per_sec = |count: f64| count / MANY / (until_secs - from_secs);
        Lost {
            attempts: per_sec(lost.attempts),
            failed_attempts: per_sec(lost.failed_attempts),
            good: per_sec(lost.good),
            bad: per_sec(lost.bad),
        }
    }
}

fn overload(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    /// Replications.
    const RUNS: u64 = 8;
    /// Length of a step; it has settled by `SETTLED`, is surged until `SURGED`, settles again.
    const FINE_SECS: f64 = 0.1;
    const SETTLED: f64 = 20.0;
    const SURGE: (f64, f64) = (40.0, 20.0);
    const AGAIN: (f64, f64) = (80.0, 100.0);
    /// Goodput that a surge leaves this much smaller is stuck.
    const STUCK: f64 = 0.05;
    let (rate, capacity) = (case.positive("lambda")?, case.positive("mu")?);
    let attempts = case.count("max_attempts", 100)?;
    let mut scenario = asked(rate, attempts);
    let service = &mut scenario.services[0];
    (service.slots, service.queue, service.instances) = (SLOTS, 0, Some(1));
    service.time = Dist::Fixed(f64::from(SLOTS) / (capacity * MANY));
    scenario.edge.slots = 1;
    scenario.demand = MANY;
    base::windows(&mut scenario, FINE_SECS, AGAIN.1);
    // The pool's size is given: what it is asked for on top is no reason to plan more.
    scenario.faults = vec![surge(SURGE.0, SURGE.1, 1.0 + 2.0 * capacity / rate)];
    let runs = base::replicate(&scenario, seed, RUNS, |outcome| {
        let before = Lost::during(outcome, SETTLED, SURGE.0);
        let after = Lost::during(outcome, AGAIN.0, AGAIN.1);
        (before, after)
    });
    let mean = |of: &dyn Fn(&Lost) -> f64| {
        Finding::mean(&runs.iter().map(|run| of(&run.0)).collect::<Vec<_>>())
    };
    let find = |metric: &Metric| match metric.name.as_str() {
        "attempt_failure_prob" => mean(&|l| l.failed_attempts / l.attempts),
        "attempt_rate" => mean(&|l| l.attempts),
        "goodput" => mean(&|l| l.good),
        "request_failure_prob" => mean(&|l| l.bad / (l.good + l.bad)),
        "bistable" => {
            let stuck = |run: &(Lost, Lost)| run.1.good < (1.0 - STUCK) * run.0.good;
            Finding::whether(runs.iter().any(stuck))
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// Attempts that fail by chance, and retries that each cost a token; attempts that succeed put in a
/// part of one.
struct Budget {
    rate: f64,
    deposit: f64,
    attempts: u32,
}

impl Budget {
    /// Attempts and successes per request once it has settled, in replications.
    fn live(&self, chance: f64, budget: f64, seed: u64, count: u64) -> Vec<(f64, f64)> {
        /// Length of a step, and when it has settled.
        const FINE_SECS: f64 = 0.2;
        const SETTLED: f64 = 40.0;
        const END: f64 = 100.0;
        let mut scenario = asked(self.rate, self.attempts);
        let class = &mut scenario.devices[0];
        (class.retry_budget, class.retry_by_success) = (budget, true);
        scenario.demand = MANY;
        base::windows(&mut scenario, FINE_SECS, END);
        if chance > 0.0 {
            scenario.faults = vec![erring(&scenario, 0, chance)];
        }
        base::replicate(&scenario, seed, count, |outcome| {
            let seen = Lost::during(outcome, SETTLED, END);
            (
                seen.attempts / self.rate,
                (seen.attempts - seen.failed_attempts) / self.rate,
            )
        })
    }
}

fn budget(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    /// Replications.
    const RUNS: u64 = 8;
    /// Chances of a failure at which the most attempts are looked for.
    const CHANCES: u32 = 60;
    /// Retries that a budget keeps back count if they are more than this share of the requests.
    const KEPT_BACK: f64 = 0.002;
    /// Parts into which the range of a threshold is halved again and again.
    const HALVINGS: u32 = 10;
    let chance = case.share("p_fail")?;
    let attempts = case.count("max_attempts", 100)?;
    let deposit = case.share("deposit")?;
    let rate = case.positive("lambda")?;
    let of = |attempts: u32| Budget {
        rate,
        deposit,
        attempts,
    };
    let held = of(attempts);
    let runs = held.live(chance, deposit, seed, RUNS);
    let free = held.live(chance, f64::INFINITY, seed, 1)[0].0;
    let mean = |value: &dyn Fn(&(f64, f64)) -> f64| {
        Finding::mean(&runs.iter().map(value).collect::<Vec<_>>())
    };
    let find = |metric: &Metric| match metric.name.as_str() {
        "retry_rate" => mean(&|run| rate * (run.0 - 1.0)),
        "amplification" => mean(&|run| run.0),
        "success_rate_of_attempts" => mean(&|run| rate * run.1),
        "budget_binding" => {
            let made = runs.iter().map(|run| run.0).sum::<f64>() / runs.len() as f64;
            Finding::whether(free - made > KEPT_BACK)
        }
        "amplification_bound_any_q" => {
            // Whatever fails, and however often it may be tried.
            let some = of(UNLIMITED);
            let all = (0..CHANCES).map(|i| {
                let chance = f64::from(i) / f64::from(CHANCES);
                some.live(chance, held.deposit, seed, 1)[0].0
            });
            Finding::at_most(all.fold(0.0, f64::max))
        }
        "grpc_throttle_critical_failure_ratio" => {
            // Every failure is tried again: each costs a token.
            let some = of(UNLIMITED);
            let bound = |chance: f64| {
                let free = some.live(chance, f64::INFINITY, seed, 1)[0].0;
                free - some.live(chance, held.deposit, seed, 1)[0].0 > KEPT_BACK
            };
            let (mut free, mut fails) = (0.0, 0.6);
            for _ in 0..HALVINGS {
                let middle = 0.5 * (free + fails);
                match bound(middle) {
                    true => fails = middle,
                    false => free = middle,
                }
            }
            // What counts as kept back is not nothing.
            Finding::within(
                0.5 * (free + fails),
                Noise::Expectation,
                fails - free + KEPT_BACK,
            )
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}
