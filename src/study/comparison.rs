//! Every variant against the first.

use crate::model::measure::{DomainMeasure, Impact, Measure, Measured, TimeMeasure};
use crate::model::money::Money;
use crate::model::scenario::Scenario;
use crate::stats::{
    Distribution, Estimate, LEVEL, Paired, SignedRanks, benjamini_hochberg, bonferroni, holm,
    sign_test,
};
use crate::study::{Plan, Study};
use serde::Serialize;

/// A measure of one variant against the same of the first, replication by replication.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Name of the first variant.
    pub a: String,
    /// Name of the other one.
    pub b: String,
    /// What is compared: `rto`, `rpo(playback)`.
    pub measure: String,
    /// Mean of `b - a` over the pairs in which neither is censored.
    pub difference: Option<Estimate>,
    /// The same, relative to the mean of `a` in these pairs; `None` where that is 0.
    pub relative: Option<f64>,
    /// Lower end of its interval, by the delta method.
    pub relative_lo: Option<f64>,
    /// Upper end of its interval.
    pub relative_hi: Option<f64>,
    /// The sign test's p value over all pairs, Holm-corrected for all comparisons of the study.
    pub p_adjusted: f64,
    /// The same p value with Benjamini's and Hochberg's correction: of the comparisons below a level at
    /// most that share are wrong.
    pub p_discovery: f64,
    /// The paired t test's p value of the difference, for it alone.
    pub p_mean: Option<f64>,
    /// Wilcoxon's signed-rank test of the pairs in which neither is censored, for it alone.
    pub signed_ranks: Option<SignedRanks>,
    /// Correlation of `a` and `b` over these pairs.
    pub correlation: Option<f64>,
    /// How many times as many replications the same interval would take in different weather.
    pub pairing: Option<f64>,
    /// Replications in which both have a value, or would have had one after the horizon.
    pub pairs: u64,
    /// Pairs in which `a` is censored.
    pub censored_a: u64,
    /// Pairs in which `b` is censored.
    pub censored_b: u64,
    /// Pairs in which `b` is less than `a`.
    pub less: u64,
    /// Pairs in which `b` is more than `a`.
    pub more: u64,
    /// Median of `a` over all replications.
    pub p50_a: Option<f64>,
    /// Median of `b` over all replications.
    pub p50_b: Option<f64>,
    /// The measure.
    #[serde(skip)]
    pub of: Measure,
    /// Comparisons of the study.
    #[serde(skip)]
    pub tests: u64,
}

/// What may be concluded from a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// There is no pair.
    NoPairs,
    /// The values are equal in every pair.
    Same,
    /// Even if all pairs pointed one way, they would be too few.
    TooFew,
    /// Chance alone may have made the difference.
    NotApart,
    /// One is more often the larger than chance allows.
    Apart,
}

impl Comparison {
    /// What may be concluded, with an error rate of 5 % over all comparisons of the study.
    pub fn evidence(&self) -> Evidence {
        let allowed = 1.0 - LEVEL;
        if self.pairs == 0 {
            Evidence::NoPairs
        } else if self.less + self.more == 0 {
            Evidence::Same
        } else if self.p_adjusted < allowed {
            Evidence::Apart
        } else if least(self.pairs, self.tests) >= allowed {
            Evidence::TooFew
        } else {
            Evidence::NotApart
        }
    }
}

/// The adjusted p value of so many pairs that all point the same way, if it is the least of all: of the
/// least one Holm's is Bonferroni's.
fn least(pairs: u64, tests: u64) -> f64 {
    bonferroni(sign_test(0, pairs), tests)
}

/// The fewest pairs with which so many comparisons can be told apart, if all point the same way.
pub fn fewest_pairs(tests: u64) -> u64 {
    (1..)
        .find(|&n| least(n, tests) < 1.0 - LEVEL)
        .expect("the sign test's p value falls with every pair")
}

/// Every variant against the first, measure by measure: recovery, failed starts, rebuffering, cost
/// and what becomes of data. What no replication of either has is left out.
pub fn comparisons(plan: &Plan, study: &Study) -> Vec<Comparison> {
    let (Some((first, others)), Some((first_results, other_results))) =
        (plan.variants.split_first(), study.variants.split_first())
    else {
        return Vec::new();
    };
    let measures = measures(plan.variants.iter().map(|v| v.document.scenario()));
    let mut found = Vec::new();
    let mut p_values = Vec::new();
    for (other, results) in others.iter().zip(other_results) {
        for measure in &measures {
            let Some(column) = study.columns.position(measure) else {
                continue;
            };
            let values = |rows: &[crate::model::outcome::Row]| -> Vec<Measured> {
                rows.iter().map(|row| row.values[column]).collect()
            };
            let (a, b) = (values(&first_results.rows), values(&results.rows));
            if a.iter().chain(&b).all(|value| *value == Measured::Absent) {
                continue;
            }
            let paired = Paired::of(&a, &b);
            p_values.push(paired.p);
            found.push(Comparison {
                a: first.name.clone(),
                b: other.name.clone(),
                measure: measure.to_string(),
                difference: paired.difference,
                relative: paired.relative.map(|relative| relative.mean),
                relative_lo: paired.relative.and_then(|relative| relative.lo),
                relative_hi: paired.relative.and_then(|relative| relative.hi),
                p_adjusted: paired.p,
                p_discovery: paired.p,
                p_mean: paired.p_mean,
                signed_ranks: paired.ranks,
                correlation: paired.correlation,
                pairing: paired.pairing,
                pairs: paired.pairs,
                censored_a: paired.censored_a,
                censored_b: paired.censored_b,
                less: paired.less,
                more: paired.more,
                p50_a: Distribution::of(&a).p50,
                p50_b: Distribution::of(&b).p50,
                of: measure.clone(),
                tests: 0,
            });
        }
    }
    let tests = found.len() as u64;
    let adjusted = holm(&p_values)
        .into_iter()
        .zip(benjamini_hochberg(&p_values));
    for (comparison, (p, discovery)) in found.iter_mut().zip(adjusted) {
        comparison.p_adjusted = p;
        comparison.p_discovery = discovery;
        comparison.tests = tests;
    }
    found
}

fn measures<'a>(scenarios: impl Iterator<Item = &'a Scenario>) -> Vec<Measure> {
    let mut measures = vec![
        Measure::Time(TimeMeasure::Rto),
        Measure::Impact(Impact::FailedStarts),
        Measure::Impact(Impact::RebufferedViewers),
        Measure::Money(Money::Cost),
    ];
    for domain in scenarios.flat_map(|scenario| &scenario.domains) {
        for kind in [DomainMeasure::Rpo, DomainMeasure::LostWrites] {
            let measure = Measure::Domain {
                kind,
                domain: domain.name.clone(),
            };
            if !measures.contains(&measure) {
                measures.push(measure);
            }
        }
    }
    measures
}
