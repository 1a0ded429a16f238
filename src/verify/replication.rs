//! Replication: what a region takes with it when it dies, and a primary that is replaced (V8).
//!
//! Writes are the requests of the market in the east, which dies after the sender has long been in
//! equilibrium. A replication is one loss.

use super::base;
use super::case::{Case, Metric};
use super::failover::correlation;
use super::judge::{Finding, Noise, mean_and_error, spread};
use crate::model::domain::Mode;
use crate::model::measure::{DomainMeasure, Measure};
use crate::model::outcome::Outcome;
use crate::model::scenario::Scenario;
use crate::objectives::{self, Columns};
use crate::units::{Dist, Span, Time};

/// Replications.
const LOSSES: u64 = 4000;
/// Longest time before the loss, in seconds.
const LONGEST_SECS: f64 = 1e5;
/// Most writes of a run.
const MOST_WRITES: f64 = 1e9;
/// The largest of `n` values misses the end of their range by more than so many `n`-th parts of it
/// with a chance of one in a million.
const MISSED_PARTS: f64 = 14.0;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "rpo" => lost(case, seed),
        "v8_db" => stateful(case, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// A law of lags as a case has it: how the domain sends, how long before the loss it must have been
/// sending, and what is fixed of the age.
fn sender(case: &Case, scenario: &mut Scenario) -> Result<(f64, f64), String> {
    let store = &mut scenario.domains[0].store;
    let known = match case.word("lag", "type")? {
        "const" => {
            let lag = case.within("lag", "L")?;
            store.lag = Dist::Fixed(lag);
            (2.0 * lag, 0.0)
        }
        "exp" => {
            let mean = case.within("lag", "mean")?;
            store.lag = Dist::Exponential { mean };
            (40.0 * mean, 0.0)
        }
        "shipping" => {
            let (every, delay) = (case.within("lag", "S")?, case.within("lag", "d")?);
            store.ship = Span::from_secs(every);
            store.lag = Dist::Fixed(delay);
            (2.0 * every + delay, every)
        }
        "mm1" => {
            let (rate, delay) = (case.within("lag", "mu")?, case.within("lag", "d")?);
            if rate <= 0.0 {
                return Err("the sender sends nothing".into());
            }
            store.throughput = rate;
            store.lag = Dist::Fixed(delay);
            (20.0 + 2.0 * delay, delay)
        }
        other => return Err(format!("the lag {other:.40} is not known")),
    };
    Ok(known)
}

fn lost(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let mut scenario = base::data();
    let rate = case.positive("write_rate")?;
    let (reach, fixed) = sender(case, &mut scenario)?;
    // Long enough for the first write to be there.
    let secs = reach.max(1.0).max(40.0 / rate);
    if secs > LONGEST_SECS || secs * rate > MOST_WRITES {
        return Err("it takes too many writes".into());
    }
    scenario.markets[0].starts = rate;
    // Several steps before the loss, which comes at the end of one.
    let sample = secs / 8.0;
    base::windows(&mut scenario, sample, 10.0 * sample);
    let loss = Time(8 * scenario.sample.0);
    base::lose(&mut scenario, loss, secs);
    let runs = base::replicate(&scenario, seed, LOSSES, |outcome| {
        let found = &outcome.domains[0];
        (found.lost_writes as f64, found.rpo_secs)
    });
    let (writes, ages): (Vec<f64>, Vec<f64>) = runs.into_iter().unzip();
    let find = |metric: &Metric| match metric.name.as_str() {
        "mean_lost_writes" => of_mean(&writes),
        "sd_lost_writes" => of_spread(&writes),
        "prob_zero_loss" => of_share(&writes, |&n| n == 0.0),
        "prob_lost>k" => match case.maybe("k") {
            Ok(Some(k)) => of_share(&writes, |&n| n > k),
            _ => Finding::not("the case gives no k"),
        },
        // A write that waits in line is older than what is on its way.
        "prob_sender_queue_oldest_age>x" => match case.maybe("x") {
            Ok(Some(x)) => of_share(&ages, |&age| age - fixed > x),
            _ => Finding::not("the case gives no x"),
        },
        "rpo_seconds" => Finding::of(mean_and_error(&ages).0, Noise::Expectation),
        "rpo_seconds_mean" => of_mean(&ages),
        "rpo_seconds_max" => of_largest(&ages, fixed),
        _ => of_quantile(metric, &ages),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// Two domains with one primary in the east: one is written, the other is read.
fn stateful(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    const FAULT_SECS: f64 = 60.0;
    let mut scenario = base::alone(base::data());
    scenario.markets[0].starts = 1e-12;
    let (every, delay) = (case.positive("S")?, case.number("d")?);
    let steps = ["t_detect", "t_fence", "t_promote", "t_cfg"].map(|key| case.number(key));
    let [detect, fence, promote, repoint] = steps;
    let (detect, fence, promote, repoint) = (detect?, fence?, promote?, repoint?);
    let (write_rate, read_rate) = (case.positive("write_rate")?, case.positive("read_rate")?);
    let reach = detect + fence + promote + repoint;
    if every + delay > FAULT_SECS || reach > 10_000.0 || write_rate.max(read_rate) > 1e9 {
        return Err("it lasts too long, or takes too many writes".into());
    }
    let domain = &mut scenario.domains[0];
    domain.written_by.clear();
    domain.read_by.clear();
    domain.store.mode = Mode::Primary;
    domain.store.primary = base::EAST;
    domain.store.strong_reads = true;
    domain.store.ship = Span::from_secs(every);
    domain.store.lag = Dist::Fixed(delay);
    let promotion = &mut domain.store.promotion;
    promotion.detect = Dist::Fixed(detect);
    promotion.fence = Dist::Fixed(fence);
    promotion.promote = Dist::Fixed(promote);
    promotion.repoint = Dist::Fixed(repoint);
    let mut read = domain.clone();
    domain.write_rate = write_rate;
    read.name = format!("{}-read", domain.name);
    read.read_rate = read_rate;
    scenario.domains.push(read);
    base::windows(&mut scenario, 1.0, FAULT_SECS + reach.ceil() + 5.0);
    scenario.sustain = Span::from_secs(1.0);
    base::lose(&mut scenario, Time::from_secs(FAULT_SECS), reach.max(1.0));
    let runs: Vec<[f64; 5]> = base::replicate(&scenario, seed, LOSSES / 4, |outcome| {
        let failed = |of: fn(&crate::model::domain::DomainObservation) -> u64, domain: usize| {
            let windows = outcome.windows.iter();
            windows.map(|w| of(&w.global.domains[domain])).sum::<u64>() as f64
        };
        let [written, read] = [0, 1].map(|d| rto(&scenario, outcome, d));
        [
            written,
            read,
            failed(|d| d.writes - d.writes_answered, 0),
            failed(|d| d.reads - d.reads_answered, 1),
            outcome.domains[0].rpo_secs,
        ]
    });
    let column = |i: usize| runs.iter().map(|run| run[i]).collect::<Vec<f64>>();
    let writes = base::replicate(&scenario, seed, LOSSES / 4, |outcome| {
        outcome.domains[0].lost_writes as f64
    });
    let of_rto = |i| Finding::of(mean_and_error(&column(i)).0, Noise::Expectation);
    let find = |metric: &Metric| match metric.name.as_str() {
        "rto_writes" => of_rto(0),
        "rto_reads" => of_rto(1),
        "failed_writes_mean" => of_mean(&column(2)),
        "failed_reads_mean" => of_mean(&column(3)),
        "rpo_lost_acked_writes_mean" => of_mean(&writes),
        "rpo_seconds_mean" => of_mean(&column(4)),
        "corr(rpo_seconds,rto_writes)" => {
            let (ages, times) = (column(4), column(0));
            // What does not vary goes along with nothing.
            let together = match spread(&times) > 0.0 && spread(&ages) > 0.0 {
                true => correlation(&ages, &times),
                false => 0.0,
            };
            let n = ages.len() as f64;
            Finding::of(together, Noise::Estimated(1.0 / n.sqrt(), n))
        }
        _ => of_quantile(metric, &column(4)),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// The time until a domain's writes and reads are answered again, as reports have it.
fn rto(scenario: &Scenario, outcome: &Outcome, domain: usize) -> f64 {
    let columns = Columns::new(&[], [scenario]);
    let series = objectives::Series::of(&outcome.windows, columns.slis());
    let row = objectives::measure(scenario, &columns, &series, outcome, 0);
    let measure = Measure::Domain {
        kind: DomainMeasure::Rto,
        domain: scenario.domains[domain].name.clone(),
    };
    let position = columns.position(&measure);
    position.map_or(f64::NAN, |i| row.values[i].as_f64())
}

fn of_mean(values: &[f64]) -> Finding {
    Finding::of(
        mean_and_error(values).0,
        Noise::Observations(values.len() as f64),
    )
}

fn of_share(values: &[f64], is: impl Fn(&f64) -> bool) -> Finding {
    let n = values.len() as f64;
    let share = values.iter().filter(|value| is(value)).count() as f64 / n;
    Finding::of(share, Noise::Observations(n))
}

/// The standard error of a standard deviation follows from the fourth moment.
fn of_spread(values: &[f64]) -> Finding {
    let n = values.len() as f64;
    let fourth_power = |x: f64| x * x * x * x;
    let sd = spread(values);
    let mean = mean_and_error(values).0;
    let fourth = values.iter().map(|v| fourth_power(v - mean)).sum::<f64>() / n;
    let error = ((fourth - fourth_power(sd)).max(0.0) / n).sqrt() / (2.0 * sd.max(1e-300));
    Finding::of(sd, Noise::Estimated(error, n))
}

/// The largest of many values that are uniform over so many seconds comes close to the end.
fn of_largest(values: &[f64], width: f64) -> Finding {
    let most = values.iter().copied().fold(0.0, f64::max);
    let slack = width * MISSED_PARTS / values.len() as f64;
    Finding::within(most, Noise::Expectation, slack)
}

fn of_quantile(metric: &Metric, values: &[f64]) -> Finding {
    match metric.number() {
        Some(known) if metric.test.kind == "quantile_sign" => {
            of_share(values, |value| *value <= known)
        }
        _ => Finding::not("the metric is not known"),
    }
}
