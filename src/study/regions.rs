//! SLIs of single regions.

use crate::model::measure::{Measure, Measured, SliSpan};
use crate::model::outcome::Row;
use crate::model::scenario::Scenario;
use crate::objectives::Columns;
use crate::slis;
use crate::stats::Estimate;
use crate::study::Plan;
use crate::study::summary::{Named, SliSummary};
use std::collections::BTreeMap;

/// Every SLI of every region of a plan, before, during and after.
pub fn measures(plan: &Plan) -> Vec<Measure> {
    let mut names: Vec<&str> = plan
        .variants
        .iter()
        .flat_map(|variant| &variant.document.scenario().regions)
        .map(|region| region.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str, sli: &str| SliSpan::ALL.map(|span| measure(span, sli, name));
    names
        .iter()
        .flat_map(|name| slis::all().iter().flat_map(|sli| of(name, sli.name())))
        .collect()
}

/// What the replications of a variant say of each of its regions.
pub fn summarize(
    scenario: &Scenario,
    columns: &Columns,
    rows: &[Row],
) -> BTreeMap<String, Named<SliSummary>> {
    let places: BTreeMap<&Measure, usize> = columns
        .measures()
        .iter()
        .enumerate()
        .map(|(place, measure)| (measure, place))
        .collect();
    let mean = |measure: Measure| {
        let place = *places.get(&measure)?;
        let values = rows.iter().filter_map(|row| match row.values[place] {
            Measured::Value(value) => Some(value),
            Measured::Absent | Measured::Censored => None,
        });
        Estimate::of(&values.collect::<Vec<f64>>())
    };
    let sli = |region: &str, sli: &'static str| {
        let [before, during, after] = SliSpan::ALL.map(|span| mean(measure(span, sli, region)));
        let summary = SliSummary {
            before,
            during,
            after,
        };
        (sli, summary)
    };
    scenario
        .regions
        .iter()
        .map(|region| {
            let all = columns.slis().iter();
            let all = all.map(|one| sli(&region.name, one.name()));
            (region.name.clone(), Named(all.collect()))
        })
        .collect()
}

fn measure(span: SliSpan, sli: &str, region: &str) -> Measure {
    Measure::Sli {
        span,
        sli: sli.into(),
        region: Some(region.into()),
    }
}
