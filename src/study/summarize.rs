//! From rows to the summary.

use crate::model::domain::Domain;
use crate::model::measure::{DomainMeasure, Impact, Measure, Measured, SliSpan, TimeMeasure};
use crate::model::money::{Alert, BurnLevel, Money};
use crate::model::outcome::Row;
use crate::model::policy::Phase;
use crate::model::scenario::{Origin, RegionId, Scenario};
use crate::objectives::{Columns, budget};
use crate::simulate::Digest;
use crate::stats::{Distribution, Estimate, Share, Verdict};
use crate::study::precision::judge;
use crate::study::summary::*;
use crate::study::unknown::unknown;
use crate::study::{Plan, Study, Variant, comparisons, guards, loss, regions, worst};
use crate::units::Span;

/// Impacts that are shown as distributions.
const IMPACTS: [Impact; 6] = [
    Impact::FailedStarts,
    Impact::RebufferedViewers,
    Impact::ViewerMinutes,
    Impact::DowntimeMinutes,
    Impact::BrokenMinutes,
    Impact::ErrorBudgetSpent,
];

/// What a study says.
///
/// # Panics
///
/// If the plan has no variant, or is not the one that the study ran.
pub fn summarize(plan: &Plan, study: &Study) -> Summary {
    let first = plan.variants.first().expect("a plan has a variant");
    let scenario = first.document.scenario();
    let inputs = |origin| {
        let inputs = scenario.inputs.iter();
        inputs.filter(|input| input.origin == origin).count() as u64
    };
    Summary {
        format: 1,
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        seed: plan.seed,
        replications: study.replications,
        fidelity: scenario.fidelity.name(),
        scale: scenario.scale,
        digest: format!("{:016x}", digest(study)),
        guesses: inputs(Origin::Guess),
        fitted: inputs(Origin::Fitted),
        variants: plan
            .variants
            .iter()
            .zip(&study.variants)
            .map(|(variant, results)| {
                let scenario = variant.document.scenario();
                let columns = &study.columns;
                let rows = &results.rows;
                let asked = study.asked.iter();
                VariantSummary {
                    unknown: unknown(scenario, columns, rows, &results.beliefs),
                    precision: asked.map(|one| judge(one, columns, rows)).collect(),
                    ..summarize_variant(variant, columns, rows)
                }
            })
            .collect(),
        comparisons: comparisons(plan, study),
    }
}

fn summarize_variant(variant: &Variant, columns: &Columns, rows: &[Row]) -> VariantSummary {
    let scenario = variant.document.scenario();
    let of = |measure: Measure| -> Vec<Measured> {
        let position = columns.position(&measure);
        let position = position.expect("every study has the columns of the summary");
        rows.iter().map(|row| row.values[position]).collect()
    };
    let distribution = |measure| Distribution::of(&of(measure));
    let mean = |measure| Estimate::of(&values(&of(measure)));
    let share = |impact| {
        let values = values(&of(Measure::Impact(impact)));
        let yes = values.iter().filter(|&&value| value == 1.0).count();
        Share::of(yes as u64, values.len() as u64)
    };
    let hypotheses: Vec<HypothesisSummary> = (0..scenario.hypotheses.len())
        .map(|i| hypothesis(scenario, rows, i))
        .collect();
    let sli = |name: &'static str| {
        let [before, during, after] = SliSpan::ALL.map(|span| {
            mean(Measure::Sli {
                span,
                sli: name.into(),
                region: None,
            })
        });
        let summary = SliSummary {
            before,
            during,
            after,
        };
        (name, summary)
    };
    let time = |time: TimeMeasure| (time.name(), distribution(Measure::Time(time)));
    let impact = |impact: Impact| (impact.name(), distribution(Measure::Impact(impact)));
    VariantSummary {
        name: variant.name.clone(),
        origin: variant.origin.clone(),
        verdict: joint(hypotheses.iter().map(|hypothesis| hypothesis.verdict)),
        worst_replication: worst(columns, rows),
        hypotheses,
        slis: Named(columns.slis().iter().map(|one| sli(one.name())).collect()),
        regions: regions::summarize(scenario, columns, rows),
        times_s: Named(TimeMeasure::ALL.map(time).into()),
        phases: phases(scenario, rows),
        domains: domains(scenario, &of),
        metastable: share(Impact::Metastable),
        toppled: share(Impact::Toppled),
        availability: mean(Measure::Impact(Impact::Availability)),
        impact: Impacts {
            of: Named(IMPACTS.map(impact).into()),
            burn_level: usual_level(&values(&of(Measure::Impact(Impact::BurnLevel)))).name(),
        },
        alerts: alerts(scenario, rows),
        guards: guards::summarize(scenario, rows),
        cost: Costs {
            usd_per_hour: mean(Measure::Money(Money::Cost)),
            relative: mean(Measure::Money(Money::CostRelative)),
            reserved: mean(Measure::Money(Money::CostReserved)),
            on_demand: mean(Measure::Money(Money::CostOnDemand)),
            storage: mean(Measure::Money(Money::CostStorage)),
            transfer: mean(Measure::Money(Money::CostTransfer)),
            harm_usd: mean(Measure::Money(Money::Harm)),
        },
        loss: variant
            .origin
            .target
            .as_ref()
            .map(|_| loss::summarize(scenario, columns, rows)),
        unknown: None,
        precision: Vec::new(),
        outside_validity: outside_validity(rows),
    }
}

/// Every domain's figures, and whether they are within its targets in 95 % of the replications.
fn domains(scenario: &Scenario, of: &dyn Fn(Measure) -> Vec<Measured>) -> Domains {
    const AT_LEAST: f64 = 0.95;
    let summary = |domain: &Domain| {
        let measured = |kind| {
            of(Measure::Domain {
                kind,
                domain: domain.name.clone(),
            })
        };
        let distribution = |kind| Distribution::of(&measured(kind));
        let kept = |value: &Measured, target: Option<Span>| match (value, target) {
            (Measured::Absent, _) | (_, None) => true,
            (value, Some(target)) => value.as_f64() <= target.secs(),
        };
        let (rto, rpo) = (measured(DomainMeasure::Rto), measured(DomainMeasure::Rpo));
        let both = rto.iter().zip(&rpo);
        let held = both.filter(|(rto, rpo)| kept(rto, domain.rto) && kept(rpo, domain.rpo));
        DomainSummary {
            verdict: Verdict::of(held.count() as u64, rto.len() as u64, AT_LEAST),
            rto_s: Distribution::of(&rto),
            rpo_s: Distribution::of(&rpo),
            lost_writes: distribution(DomainMeasure::LostWrites),
            late_writes: distribution(DomainMeasure::LateWrites),
            conflicts: distribution(DomainMeasure::Conflicts),
            reconcile_s: distribution(DomainMeasure::Reconcile),
            reassigned: distribution(DomainMeasure::Reassigned),
            exposure_s: distribution(DomainMeasure::Exposure),
        }
    };
    let named = |domain: &Domain| (domain.name.clone(), summary(domain));
    Domains(scenario.domains.iter().map(named).collect())
}

fn values(measured: &[Measured]) -> Vec<f64> {
    let known = measured.iter().filter_map(|value| match value {
        Measured::Value(value) => Some(*value),
        Measured::Absent | Measured::Censored => None,
    });
    known.collect()
}

fn hypothesis(scenario: &Scenario, rows: &[Row], i: usize) -> HypothesisSummary {
    let hypothesis = &scenario.hypotheses[i];
    let held = rows.iter().filter(|row| row.holds[i]).count() as u64;
    let n = rows.len() as u64;
    HypothesisSummary {
        name: hypothesis.name.clone(),
        claim: hypothesis.claim.text.clone(),
        holds: Share::of(held, n),
        verdict: Verdict::of(held, n, hypothesis.at_least),
        held,
    }
}

fn joint(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.fold(Verdict::Pass, |all, one| match (all, one) {
        (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
        (Verdict::Pass, Verdict::Pass) => Verdict::Pass,
        _ => Verdict::Inconclusive,
    })
}

fn phases(scenario: &Scenario, rows: &[Row]) -> Vec<PhaseSummary> {
    let entered = |region: RegionId, phase: Phase| -> Vec<Measured> {
        let entries = rows.iter().flat_map(|row| &row.phases);
        entries
            .filter(|entry| (entry.0, entry.1) == (region, phase))
            .map(|entry| Measured::Value(entry.2))
            .collect()
    };
    let all = (0..scenario.regions.len()).flat_map(|r| Phase::ALL.map(|phase| (r, phase)));
    all.map(|(region, phase)| (region, phase, entered(region, phase)))
        .filter(|(_, _, entered)| !entered.is_empty())
        .map(|(region, phase, entered)| PhaseSummary {
            region: scenario.regions[region].name.clone(),
            phase: phase.name(),
            entered_s: Distribution::of(&entered),
        })
        .collect()
}

/// The highest burn level of the median replication; of two middle ones, the lower.
fn usual_level(numbers: &[f64]) -> BurnLevel {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted
        .get(middle)
        .map_or(BurnLevel::Normal, |&number| BurnLevel::of_number(number))
}

/// Alerts that any replication gave, levels first.
fn alerts(scenario: &Scenario, rows: &[Row]) -> Vec<AlertSummary> {
    let levels = BurnLevel::ALL.into_iter().skip(1).map(Alert::Burn);
    let objectives = (0..scenario.objectives.len()).map(Alert::Objective);
    levels
        .chain(objectives)
        .filter_map(|alert| {
            let given = rows.iter().flat_map(|row| &row.alerts);
            let times: Vec<Measured> = given
                .filter(|(given, _)| *given == alert)
                .map(|&(_, secs)| Measured::Value(secs))
                .collect();
            (!times.is_empty()).then(|| AlertSummary {
                name: budget::words(scenario, alert).0,
                share: Share::of(times.len() as u64, rows.len() as u64),
                at_s: Distribution::of(&times),
            })
        })
        .collect()
}

fn outside_validity(rows: &[Row]) -> Option<Unreliable> {
    let mut outside = rows
        .iter()
        .filter_map(|row| Some((row.replication, row.outside_validity.as_ref()?)));
    let (first, why) = outside.next()?;
    Some(Unreliable {
        replications: 1 + outside.count() as u64,
        first,
        pool: why.pool.clone(),
        at_s: why.at.secs(),
        lasting_s: why.lasting.secs(),
        reason: why.reason.clone(),
    })
}

/// Whether a measure is an SLI of a part that a scenario need not have.
fn of_a_part(study: &Study, measure: &Measure) -> bool {
    let Measure::Sli { sli, .. } = measure else {
        return false;
    };
    let slis = study.columns.slis();
    let place = study.columns.sli(sli);
    place.is_some_and(|place| slis[place].optional())
}

/// The fingerprint of every row: of the simulated outcomes and of what was measured of them. What
/// prices and budgets make of it is left out: they change nothing of what happens. So are SLIs of parts
/// that the scenario does not have.
fn digest(study: &Study) -> u64 {
    let mut digest = Digest::new();
    for results in &study.variants {
        for row in &results.rows {
            digest.add_u64(row.replication);
            digest.add_u64(row.digest);
            let measured = study.columns.tabled().iter().zip(&row.values);
            for (measure, value) in measured.filter(|(measure, _)| !measure.is_valuation()) {
                match value {
                    Measured::Absent if of_a_part(study, measure) => {}
                    Measured::Absent => digest.add_u64(0),
                    Measured::Censored => digest.add_u64(1),
                    Measured::Value(value) => {
                        digest.add_u64(2);
                        digest.add_f64(*value);
                    }
                }
            }
            for &holds in &row.holds {
                digest.add_u64(u64::from(holds));
            }
        }
    }
    digest.finish()
}
