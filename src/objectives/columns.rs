//! Which measures a row holds, and in what order.

use crate::model::measure::{DomainMeasure, Impact, Measure, SliSpan, TimeMeasure};
use crate::model::money::Money;
use crate::model::observation::Sli;
use crate::model::scenario::Scenario;

/// The measures of a study's rows: the times, every global SLI before, during and after, the
/// impacts, the money, what became of every domain, and whatever else the hypotheses name (SLIs of one region). All variants of a study
/// share them.
#[derive(Clone)]
pub struct Columns {
    slis: Vec<&'static dyn Sli>,
    measures: Vec<Measure>,
}

impl Columns {
    /// The columns of a study of these scenarios.
    pub fn new<'a>(
        slis: &[&'static dyn Sli],
        scenarios: impl IntoIterator<Item = &'a Scenario>,
    ) -> Columns {
        let mut measures: Vec<Measure> = TimeMeasure::ALL.map(Measure::Time).into();
        for sli in slis {
            measures.extend(SliSpan::ALL.map(|span| Measure::Sli {
                span,
                sli: sli.name().into(),
                region: None,
            }));
        }
        measures.extend(Impact::ALL.map(Measure::Impact));
        measures.extend(Money::ALL.map(Measure::Money));
        for scenario in scenarios {
            for domain in &scenario.domains {
                let of = |kind| Measure::Domain {
                    kind,
                    domain: domain.name.clone(),
                };
                let new = DomainMeasure::ALL.map(of).into_iter();
                let new: Vec<Measure> = new.filter(|one| !measures.contains(one)).collect();
                measures.extend(new);
            }
            for subject in scenario.hypotheses.iter().flat_map(|h| h.claim.subjects()) {
                if !measures.contains(&subject.measure) {
                    measures.push(subject.measure.clone());
                }
            }
        }
        Columns {
            slis: slis.to_vec(),
            measures,
        }
    }

    /// The same and further measures, each once.
    pub fn with(mut self, measures: impl IntoIterator<Item = Measure>) -> Columns {
        for measure in measures {
            if !self.measures.contains(&measure) {
                self.measures.push(measure);
            }
        }
        self
    }

    /// The measures, in the order of a row's values.
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The SLIs, in the order of the registry.
    pub fn slis(&self) -> &[&'static dyn Sli] {
        &self.slis
    }

    /// Where a measure stands in a row.
    pub fn position(&self, measure: &Measure) -> Option<usize> {
        self.measures.iter().position(|column| column == measure)
    }

    /// Where an SLI stands in [`Columns::slis`].
    pub fn sli(&self, name: &str) -> Option<usize> {
        self.slis.iter().position(|sli| sli.name() == name)
    }
}
