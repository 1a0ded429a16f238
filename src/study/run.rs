//! Replications in parallel, folded in order.

use crate::model::outcome::{Outcome, Row};
use crate::model::precision::Precision;
use crate::model::scenario::Scenario;
use crate::objectives::{Columns, Series, measure};
use crate::slis;
use crate::study::unknown::{AGAIN, Belief};
use crate::study::{Plan, Timeline, across, loss, precision, regions};
use rayon::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// Simulates one replication of a variant, whose scenario is given as drawn for it.
pub trait Simulates: Sync {
    /// The same arguments always give the same outcome.
    fn run(&self, variant: usize, scenario: &Scenario, replication: u64) -> Outcome;
}

/// Who follows a study while it runs. Called from its worker threads.
pub trait Watch: Sync {
    /// So many replications, of all variants together, are done.
    fn finished(&self, done: u64);
    /// Whether to stop: what has begun is finished, nothing more begins.
    fn cancelled(&self) -> bool;
}

/// What the replications left.
pub struct Study {
    /// The measures of the rows.
    pub columns: Columns,
    /// Replications done, of every variant the same: fewer than planned if the study was
    /// cancelled, and then the first ones without a gap.
    pub replications: u64,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// How precise it was to become.
    pub asked: Vec<Precision>,
    /// Per variant, in the plan's order.
    pub variants: Vec<Results>,
}

/// What the replications of one variant left.
pub struct Results {
    /// A row per replication, in order.
    pub rows: Vec<Row>,
    /// The uncertain inputs of each row; none for a variant without any.
    pub beliefs: Vec<Belief>,
    /// SLIs over time.
    pub timeline: Timeline,
}

/// Jobs between two folds: enough to keep all cores busy, few enough for their timelines to fit
/// into memory. It has no influence on results.
const BLOCK: usize = 64;
/// Values of timelines that a block may hold: 64 MB.
const BLOCK_VALUES: usize = 1 << 23;

/// Runs a study on rayon's current thread pool. It holds the same, bit for bit, for any number of
/// threads.
///
/// # Panics
///
/// If a replication panics, with its scenario, variant, seed and number in the message.
pub fn run(plan: &Plan, simulates: &dyn Simulates, watch: &dyn Watch) -> Study {
    run_until(plan, simulates, watch, Vec::new())
}

/// The same, but only until all that is asked is known so precisely for every variant; see
/// [`PrecisionSummary`](crate::study::PrecisionSummary).
///
/// # Panics
///
/// As [`run`].
pub fn run_until(
    plan: &Plan,
    simulates: &dyn Simulates,
    watch: &dyn Watch,
    asked: Vec<Precision>,
) -> Study {
    let scenarios = plan
        .variants
        .iter()
        .map(|variant| variant.document.scenario());
    let columns = Columns::new(slis::all(), scenarios.clone())
        .with(loss::measures(plan))
        .and_for_the_summary(regions::measures(plan));
    let timelines = Timeline::all(scenarios, columns.slis().len());
    let mut variants: Vec<Results> = timelines
        .into_iter()
        .map(|timeline| Results {
            rows: Vec::new(),
            beliefs: Vec::new(),
            timeline,
        })
        .collect();
    let per_block = replications_per_block(&variants);
    let done = AtomicU64::new(0);
    let mut replications = 0;
    let mut cancelled = false;
    let mut look = match asked.is_empty() {
        true => u64::MAX,
        false => precision::FIRST,
    };
    while replications < plan.replications && !variants.is_empty() {
        let until = plan.replications.min(look);
        let wanted = per_block.min(until - replications);
        let block: Vec<Option<Vec<Job>>> = simulate_block(
            plan,
            simulates,
            watch,
            &columns,
            &variants,
            replications..replications + wanted,
            &done,
        );
        let mut whole: Vec<Vec<Job>> = block.into_iter().map_while(|jobs| jobs).collect();
        for jobs in &mut whole {
            let mut rows: Vec<&mut Row> = jobs.iter_mut().map(|(row, ..)| row).collect();
            across::judge(plan, &columns, &mut rows);
        }
        replications += whole.len() as u64;
        cancelled = (whole.len() as u64) < wanted;
        fold(&mut variants, whole);
        if cancelled {
            break;
        }
        if replications == look {
            let reached = |results: &Results| {
                let mut asked = asked.iter();
                asked.all(|one| precision::judge(one, &columns, &results.rows).reached)
            };
            if variants.iter().all(reached) {
                break;
            }
            look = precision::next(look);
        }
    }
    Study {
        columns,
        replications,
        cancelled,
        asked,
        variants,
    }
}

/// Simulates a replication again, to look at its log and its windows.
///
/// # Panics
///
/// As [`run`].
pub fn replay(plan: &Plan, simulates: &dyn Simulates, variant: usize, replication: u64) -> Outcome {
    named(plan, variant, replication, || {
        let scenario = plan.variants[variant]
            .document
            .drawn(plan.seed, replication);
        simulates.run(variant, &scenario, replication)
    })
    .unwrap_or_else(|message| resume_unwind(Box::new(message)))
}

/// A row, the values for its variant's timeline, and the uncertain inputs if there are any.
type Job = (Row, Vec<f64>, Option<Belief>);

fn replications_per_block(variants: &[Results]) -> u64 {
    let values = |results: &Results| results.timeline.size();
    let each = variants.iter().map(values).sum::<usize>().max(1);
    let jobs = BLOCK.div_ceil(variants.len().max(1));
    jobs.min(BLOCK_VALUES / each).max(1) as u64
}

/// Per replication the jobs of all variants; `None` where the study was cancelled before all of
/// them were done.
fn simulate_block(
    plan: &Plan,
    simulates: &dyn Simulates,
    watch: &dyn Watch,
    columns: &Columns,
    variants: &[Results],
    replications: std::ops::Range<u64>,
    done: &AtomicU64,
) -> Vec<Option<Vec<Job>>> {
    let job = |variant: usize, replication: u64| {
        if watch.cancelled() {
            return None;
        }
        let job = named(plan, variant, replication, || {
            let scenario = plan.variants[variant]
                .document
                .drawn(plan.seed, replication);
            let outcome = simulates.run(variant, &scenario, replication);
            let series = Series::of(&outcome.windows, columns.slis());
            let row = measure(&scenario, columns, &series, &outcome, replication);
            let timeline = &variants[variant].timeline;
            let values = timeline.values(&outcome, &series, columns.slis());
            let belief = (!scenario.uncertain.is_empty()).then(|| {
                let again = replication | AGAIN;
                let outcome = simulates.run(variant, &scenario, again);
                let series = Series::of(&outcome.windows, columns.slis());
                let row = measure(&scenario, columns, &series, &outcome, again);
                Belief {
                    inputs: scenario.uncertain.iter().map(|input| input.value).collect(),
                    values: row.values,
                    holds: row.holds,
                }
            });
            (row, values, belief)
        });
        watch.finished(done.fetch_add(1, Ordering::Relaxed) + 1);
        Some(job)
    };
    let count = variants.len();
    let first = replications.start;
    let jobs: Vec<Option<Result<Job, String>>> = (0..(replications.end - first) as usize * count)
        .into_par_iter()
        .with_max_len(1)
        .map(|i| job(i % count, first + (i / count) as u64))
        .collect();
    let mut jobs = jobs
        .into_iter()
        .map(|job| job.map(|job| job.unwrap_or_else(|message| resume_unwind(Box::new(message)))));
    replications
        .map(|_| {
            let of_all: Vec<Option<Job>> = jobs.by_ref().take(count).collect();
            of_all.into_iter().collect()
        })
        .collect()
}

/// Adds replications to what is there, in their order.
fn fold(variants: &mut [Results], replications: Vec<Vec<Job>>) {
    let mut values: Vec<Vec<Vec<f64>>> = variants.iter().map(|_| Vec::new()).collect();
    for jobs in replications {
        let all = variants.iter_mut().zip(&mut values).zip(jobs);
        for ((results, values), (row, own, belief)) in all {
            results.rows.push(row);
            results.beliefs.extend(belief);
            values.push(own);
        }
    }
    for (results, values) in variants.iter_mut().zip(&values) {
        let values: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
        results.timeline.add(&values);
    }
}

/// Runs one replication; if it panics, a message that says which one, so that it can be replayed.
fn named<T>(
    plan: &Plan,
    variant: usize,
    replication: u64,
    replicate: impl FnOnce() -> T,
) -> Result<T, String> {
    // Nothing outside sees what a panic leaves behind: it only borrows.
    catch_unwind(AssertUnwindSafe(replicate)).map_err(|payload| {
        let Plan { variants, seed, .. } = plan;
        let name = &variants[variant].name;
        let scenario = &variants[variant].document.scenario().name;
        let why = message(payload.as_ref());
        format!(
            "replication {replication} of scenario {scenario}, variant {name}, seed {seed}: {why}"
        )
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked without a message")
}
