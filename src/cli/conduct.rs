//! From a plan to a finished study.

use crate::cli::failure::Failure;
use crate::cli::interrupt;
use crate::cli::progress::Progress;
use crate::model::outcome::Outcome;
use crate::model::precision::Precision;
use crate::problem::{Problem, Problems};
use crate::report::Findings;
use crate::simulate::{self, Facts, Simulator};
use crate::study::{self, Plan, Simulators, Study, Summary};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A finished study with all that reports need.
pub struct Conducted {
    /// What the replications left.
    pub study: Study,
    /// What they say together.
    pub summary: Summary,
    /// The worst replication of each variant.
    pub worst: Vec<Option<Outcome>>,
    /// What each variant amounts to.
    pub facts: Vec<Facts>,
}

impl Conducted {
    /// As reports take it.
    pub fn findings<'a>(&'a self, plan: &'a Plan) -> Findings<'a> {
        Findings {
            plan,
            study: &self.study,
            summary: &self.summary,
            worst: &self.worst,
        }
    }
}

/// What makes a plan's scenarios unfit to run, although they could be loaded.
///
/// # Errors
///
/// All of it, each mistake once.
pub fn fit(plan: &Plan, file: &str) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for variant in &plan.variants {
        problems.extend(simulate::errors(variant.document.scenario()));
    }
    problems.extend(study::unknown_variants(plan));
    let mut once: Vec<Problem> = Vec::new();
    for mut problem in problems {
        problem.place.file = file.to_string();
        if !once.contains(&problem) {
            once.push(problem);
        }
    }
    let problems = once;
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Failure::Input(Problems(problems))),
    }
}

/// Runs a plan on so many threads, only until what is asked is known so precisely if anything is; also
/// says how long it took, in seconds.
///
/// # Errors
///
/// If threads cannot be had, or a replication panics.
pub fn conduct(
    plan: &Plan,
    threads: usize,
    quiet: bool,
    asked: &[Precision],
) -> Result<(Conducted, f64), Failure> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Failure::Files(format!("{threads} threads cannot be started: {error}")))?;
    interrupt::listen();
    let total = plan.replications * plan.variants.len() as u64;
    let progress = Progress::new(total, quiet);
    let work = || {
        let simulators = Simulators::new(plan);
        let study = study::run_until(plan, &simulators, &progress, asked.to_vec());
        let summary = study::summarize(plan, &study);
        let worst = summary.variants.iter().enumerate().map(|(v, variant)| {
            let replication = variant.worst_replication?;
            Some(study::replay(plan, &simulators, v, replication))
        });
        let facts = plan.variants.iter().map(|variant| {
            let scenario = variant.document.scenario();
            Simulator::new(scenario).facts()
        });
        Conducted {
            worst: worst.collect(),
            facts: facts.collect(),
            study,
            summary,
        }
    };
    // Nothing outlives a panic but its message.
    catch_unwind(AssertUnwindSafe(|| timed(|| pool.install(work))))
        .map_err(|payload| Failure::Bug(message(payload.as_ref())))
}

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the manifest says how long a run took, and nothing else depends on it"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = std::time::Instant::now();
    let done = work();
    (done, began.elapsed().as_secs_f64())
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked without a message").to_string()
}
