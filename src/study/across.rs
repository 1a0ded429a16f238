//! Claims that speak of other variants: judged once all variants of a replication are there.

use crate::model::measure::Measured;
use crate::model::outcome::Row;
use crate::objectives::{Columns, holds};
use crate::problem::{Problem, nearest};
use crate::study::Plan;

/// Hypotheses that name a variant which the plan does not have.
pub fn unknown_variants(plan: &Plan) -> Vec<Problem> {
    let names = || plan.variants.iter().map(|variant| variant.name.as_str());
    let mut problems = Vec::new();
    for (own, variant) in plan.variants.iter().enumerate() {
        let hypotheses = variant.document.scenario().hypotheses.iter().enumerate();
        for (i, hypothesis) in hypotheses {
            for name in hypothesis.claim.variants() {
                if find(plan, own, name).is_some() {
                    continue;
                }
                let hint = match nearest(name, names()) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => {
                        let names: Vec<&str> = names().collect();
                        format!(
                            "variants of this run: {}; add it with -p {name:.60}",
                            names.join(", ")
                        )
                    }
                };
                let problem = Problem {
                    path: format!("hypothesis[{i}].claim"),
                    message: format!("no variant is called {name:.60?}"),
                    hint,
                    ..Problem::default()
                };
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
    }
    problems
}

/// The variant that a claim of another one means: that of this name or, where something was varied
/// or lost, the one made from what has this name, with the same varied and lost.
fn find(plan: &Plan, own: usize, name: &str) -> Option<usize> {
    let origin = &plan.variants[own].origin;
    let mut variants = plan.variants.iter();
    variants
        .clone()
        .position(|variant| variant.name == name)
        .or_else(|| {
            variants.position(|variant| {
                let other = &variant.origin;
                let same = other.values == origin.values && other.target == origin.target;
                same && other.base == name
            })
        })
}

/// Judges the claims of one replication that name variants; `rows` are of all variants, in the
/// plan's order.
pub fn judge(plan: &Plan, columns: &Columns, rows: &mut [&mut Row]) {
    for own in 0..rows.len() {
        let hypotheses = plan.variants[own].document.scenario().hypotheses.iter();
        for (i, hypothesis) in hypotheses.enumerate() {
            if hypothesis.claim.variants().next().is_none() {
                continue;
            }
            rows[own].holds[i] = holds(&hypothesis.claim, |subject| {
                let variant = match &subject.variant {
                    Some(name) => find(plan, own, name),
                    None => Some(own),
                };
                let column = columns.position(&subject.measure);
                match variant.zip(column) {
                    Some((variant, column)) => rows[variant].values[column],
                    None => Measured::Absent,
                }
            });
        }
    }
}
