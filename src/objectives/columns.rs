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
    /// So many of them are rows of a table for other tools; the rest is for the summary.
    tabled: usize,
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
            tabled: measures.len(),
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
        self.tabled = self.measures.len();
        self
    }

    /// The same and measures that only the summary needs, each once.
    pub fn and_for_the_summary(self, measures: impl IntoIterator<Item = Measure>) -> Columns {
        let tabled = self.tabled;
        Columns {
            tabled,
            ..self.with(measures)
        }
    }

    /// The measures that belong into a table, in the order of a row's values, of which they are the
    /// first.
    pub fn tabled(&self) -> &[Measure] {
        &self.measures[..self.tabled]
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
