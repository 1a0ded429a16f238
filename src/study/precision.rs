//! Replications until what is asked is known precisely enough.
//!
//! Looking at an interval again and again until it happens to be short makes it too short. Therefore
//! it is looked at seldom: after [`FIRST`] replications, and then each time that there are half as
//! many more; never depending on threads or blocks. A relative tolerance is held against the true
//! value, which is only known up to the tolerance itself, so it is made a little smaller.

use crate::model::measure::{Impact, Measure, Measured};
use crate::model::money::Money;
use crate::model::observation::Unit;
use crate::model::outcome::Row;
use crate::model::precision::{Precision, Statistic, Within};
use crate::objectives::{Columns, holds};
use crate::slis;
use crate::stats::{Estimate, LEVEL, Share, quantile, quantile_interval, relative_half_width};
use serde::Serialize;

/// Replications before the first look.
pub const FIRST: u64 = 100;

/// Replications before the next look.
pub fn next(replications: u64) -> u64 {
    replications + replications / 2
}

/// How precisely something is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrecisionSummary {
    /// What was asked.
    pub asked: String,
    /// The estimate; `None` where there is none, as among censored times.
    pub estimate: Option<f64>,
    /// Half the width of its 95 % interval; `None` where it has an open end.
    pub half_width: Option<f64>,
    /// The half-width that was asked for.
    pub wanted: Option<f64>,
    /// Whether it is that narrow.
    pub reached: bool,
    /// How it is written.
    #[serde(skip)]
    pub unit: Unit,
}

/// How precisely the rows of a variant tell what is asked.
pub fn judge(asked: &Precision, columns: &Columns, rows: &[Row]) -> PrecisionSummary {
    let of = |row: &Row, measure: &Measure| {
        let position = columns.position(measure);
        position.map_or(Measured::Absent, |position| row.values[position])
    };
    let values = |measure: &Measure| -> Vec<f64> {
        let values = rows.iter().map(|row| of(row, measure).as_f64());
        values.filter(|value| !value.is_nan()).collect()
    };
    let (estimate, ends) = match &asked.of {
        Statistic::Mean(measure) => {
            let values = values(measure);
            let known = values.iter().all(|value| value.is_finite());
            match Estimate::of(&values).filter(|_| known) {
                Some(mean) => (Some(mean.mean), [mean.lo, mean.hi]),
                None => (None, [None, None]),
            }
        }
        Statistic::Quantile(q, measure) => {
            let mut values = values(measure);
            values.sort_by(f64::total_cmp);
            (quantile(&values, *q), quantile_interval(&values, *q, LEVEL))
        }
        Statistic::Share(claim) => {
            let held = rows
                .iter()
                .filter(|row| holds(claim, |subject| of(row, &subject.measure)));
            match Share::of(held.count() as u64, rows.len() as u64) {
                Some(share) => (Some(share.share), [Some(share.lo), Some(share.hi)]),
                None => (None, [None, None]),
            }
        }
    };
    let half_width = match ends {
        [Some(lo), Some(hi)] => Some(0.5 * (hi - lo)),
        _ => None,
    };
    let wanted = estimate.map(|estimate| match asked.within {
        Within::Absolute(amount) => amount,
        Within::Relative(share) => relative_half_width(share) * estimate.abs(),
    });
    PrecisionSummary {
        asked: asked.text.clone(),
        estimate,
        half_width,
        wanted,
        unit: match &asked.of {
            Statistic::Share(_) => Unit::Share,
            Statistic::Mean(measure) | Statistic::Quantile(_, measure) => unit(measure),
        },
        reached: matches!((half_width, wanted), (Some(half), Some(wanted)) if half <= wanted),
    }
}

fn unit(measure: &Measure) -> Unit {
    match measure {
        Measure::Time(_) => Unit::Seconds,
        Measure::Domain { kind, .. } if kind.is_time() => Unit::Seconds,
        Measure::Sli { sli, .. } => slis::find(sli).map_or(Unit::Count, |sli| sli.unit()),
        Measure::Impact(Impact::DowntimeMinutes | Impact::BrokenMinutes) => Unit::Minutes,
        Measure::Impact(Impact::Availability | Impact::ErrorBudgetSpent) => Unit::Share,
        Measure::Money(Money::CostRelative) => Unit::Count,
        Measure::Money(_) => Unit::UsdPerHour,
        Measure::Impact(_) | Measure::Domain { .. } => Unit::Count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::measure::TimeMeasure;
    use crate::scenario::precision;
    use crate::simulate::Stream;

    fn columns() -> Columns {
        Columns::new(&[], [])
    }

    fn row(rto: Measured) -> Row {
        let columns = columns();
        let place = columns.position(&Measure::Time(TimeMeasure::Rto));
        let mut values = vec![Measured::Absent; columns.measures().len()];
        values[place.expect("every study has it")] = rto;
        Row {
            values,
            ..Row::default()
        }
    }

    fn asked(text: &str) -> Precision {
        precision(text).unwrap_or_else(|told| panic!("{told}"))
    }

    #[test]
    fn what_stops_is_as_precise_as_it_says() {
        // Exponential times of mean 100 s: replications until the mean is known to 10 %. The true
        // mean must lie within 10 % of the estimate in 95 % of the studies.
        let goal = asked("mean(rto)=10%");
        let (studies, mut within, mut covered, mut most) = (300, 0, 0, 0);
        for study in 0..studies {
            let draws = Stream::new(study, 0, "test", "rto");
            let value =
                |i: u64| Measured::Value(-100.0 * libm::log(1.0 - draws.draws(i, 0).uniform()));
            let (mut rows, mut look) = (Vec::new(), FIRST);
            let found = loop {
                while (rows.len() as u64) < look {
                    rows.push(row(value(rows.len() as u64)));
                }
                let found = judge(&goal, &columns(), &rows);
                if found.reached {
                    break found;
                }
                look = next(look);
            };
            let error = (found.estimate.expect("it has one") - 100.0).abs();
            within += u64::from(error <= 10.0);
            covered += u64::from(error <= found.half_width.expect("it has one"));
            most = look.max(most);
        }
        // 384 would do for a fixed number; the next look after that is at 505.
        assert!(most < 1_200, "{most}");
        // 0.95 less four standard errors of 300 studies.
        assert!(within >= 270, "{within} of {studies} within 10 %");
        assert!(covered >= 270, "{covered} of {studies} covered");
    }

    #[test]
    fn censored_times_are_never_precise_in_the_mean() {
        let rows: Vec<Row> = (0..400)
            .map(|i| match i % 100 {
                0 => row(Measured::Censored),
                _ => row(Measured::Value(100.0)),
            })
            .collect();
        let judged = |text: &str| judge(&asked(text), &columns(), &rows);
        assert!(!judged("mean(rto)=50%").reached);
        assert!(judged("p50(rto)=1%").reached);
        let tail = judged("p99(rto)=50%");
        assert_eq!((tail.half_width, tail.reached), (None, false));
        let share = judged("p(rto <= 2min)=2%");
        assert_eq!((share.estimate, share.reached), (Some(0.99), true));
        assert!(!judged("p(rto <= 2min)=0.5%").reached);
    }
}
