//! `--precision`: how long replications go on.

use crate::cli::failure::Failure;
use crate::model::measure::Measure;
use crate::model::precision::{Precision, Statistic};
use crate::objectives::Columns;
use crate::scenario::{measures, precision};
use crate::slis;
use crate::study::Plan;

/// Replications of each variant at most, where nothing else is said.
pub const MOST: u64 = 20_000;

/// How precise results are to be.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Precise {
    /// Replications go on until half a 95 % interval is that narrow: 'p95(rto)=5%', 'mean(rto)=2s',
    /// 'p(rto <= 3min)=1%' (repeatable)
    #[arg(long, value_name = "FUNC(MEASURE)=WIDTH")]
    pub precision: Vec<String>,
    /// And end here if it is not [default: 20000]
    #[arg(long, value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub max_replications: Option<u64>,
}

impl Precise {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.precision.is_empty() && self.max_replications.is_none()
    }

    /// Replications of each variant at most, if precision is what ends them; `fixed` is the number
    /// that was asked for otherwise.
    pub fn most(&self, fixed: Option<u64>) -> Result<Option<u64>, Failure> {
        match (self.precision.is_empty(), self.max_replications, fixed) {
            (true, None, _) => Ok(None),
            (true, Some(_), _) => Err(Failure::input(
                "--max-replications bounds a run that --precision ends",
                "write -n for a fixed number of replications",
            )),
            (false, _, Some(_)) => Err(Failure::input(
                "-n and --precision both say how many replications there are",
                "leave out -n; --max-replications bounds them",
            )),
            (false, most, None) => Ok(Some(most.unwrap_or(MOST))),
        }
    }

    /// What is asked of the variants of a plan.
    pub fn asked(&self, plan: &Plan) -> Result<Vec<Precision>, Failure> {
        let scenarios = plan
            .variants
            .iter()
            .map(|variant| variant.document.scenario());
        let columns = Columns::new(slis::all(), scenarios);
        let read = |text: &String| {
            let wrong = |message: String| Failure::input(format!("--precision: {message}"), "");
            let asked = precision(text).map_err(wrong)?;
            let missing = |measure: &&Measure| columns.position(measure).is_none();
            match named(&asked).into_iter().find(missing) {
                None => Ok(asked),
                Some(measure) => Err(Failure::input(
                    format!("--precision: no variant measures {measure}"),
                    "an SLI of one region is measured where a hypothesis names it; a domain must be there",
                )),
            }
        };
        self.precision.iter().map(read).collect()
    }
}

fn named(asked: &Precision) -> Vec<&Measure> {
    match &asked.of {
        Statistic::Mean(measure) | Statistic::Quantile(_, measure) => vec![measure],
        Statistic::Share(claim) => measures(claim).collect(),
    }
}
