//! How often intervals cover what is true: `cargo bench --bench coverage`.
//!
//! Many small studies of a scenario whose time to recovery follows a known law (composite V6 of the
//! cases: a constant, a uniform phase of the probes, an exponential push). Each study is run and
//! summarised as `run` does it; counted is in how many the interval holds the true value. Ends with
//! an error where that is not the share that the interval promises.

use darkregion::model::measure::{Measure, TimeMeasure};
use darkregion::scenario::{Document, Layer};
use darkregion::stats::{Estimate, Share};
use darkregion::study::{Plan, Simulators, Variant, Watch, run, summarize};

/// Studies, and replications of each.
const STUDIES: u64 = 400;
const REPLICATIONS: u64 = 100;
/// Confidence with which a wrong share is told: that of 4.5 standard errors.
const CERTAIN: f64 = 1.0 - 6.8e-6;

/// Mean, median and 95 % quantile of the law.
const MEAN: f64 = 98.5;
const P50: f64 = 96.5593925132666;
const P95: f64 = 114.98007325721895;
/// What intervals of a hundred values cover: order statistics cannot cover 95 % exactly.
const EXACT_MEAN: f64 = 0.95;
const EXACT_P50: f64 = 0.9647997997822952;
const EXACT_P95: f64 = 0.9826070607121813;

struct Silent;

impl Watch for Silent {
    fn finished(&self, _done: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

fn main() {
    let text = include_str!("coverage.toml");
    let document = Document::load(
        "coverage",
        Layer::file("coverage.toml", text, None),
        None,
        Vec::new(),
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let mut covered = [0u64; 3];
    for seed in 0..STUDIES {
        let plan = Plan {
            variants: vec![Variant::new("coverage", document.clone())],
            seed,
            replications: REPLICATIONS,
        };
        let study = run(&plan, &Simulators::new(&plan), &Silent);
        let summary = summarize(&plan, &study);
        let rto = summary.variants[0].times_s.get("rto").expect("an RTO");
        let position = study.columns.position(&Measure::Time(TimeMeasure::Rto));
        let column = position.expect("a column of the RTO");
        let rows = study.variants[0].rows.iter();
        let values: Vec<f64> = rows.map(|row| row.values[column].as_f64()).collect();
        let mean = Estimate::of(&values).map_or([None; 2], |mean| [mean.lo, mean.hi]);
        let ends = [(mean, MEAN), (rto.p50_ci, P50), (rto.p95_ci, P95)];
        for (count, (ends, truth)) in covered.iter_mut().zip(ends) {
            let above = ends[0].is_none_or(|lo| lo <= truth);
            let below = ends[1].is_none_or(|hi| truth <= hi);
            *count += u64::from(above && below);
        }
    }
    let exact = [("mean", EXACT_MEAN), ("p50", EXACT_P50), ("p95", EXACT_P95)];
    let mut wrong = false;
    for ((name, exact), count) in exact.into_iter().zip(covered) {
        let share = Share::at(CERTAIN, count, STUDIES).expect("there are studies");
        println!(
            "{name} of the RTO: {:.1} % of {STUDIES} intervals of {REPLICATIONS} replications cover it, {:.1} % should",
            100.0 * share.share,
            100.0 * exact
        );
        wrong |= exact < share.lo || exact > share.hi;
    }
    assert!(!wrong, "an interval covers more or less often than it says");
}
