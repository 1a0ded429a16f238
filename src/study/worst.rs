//! Which replication went worst.

use crate::model::measure::{Impact, Measure, Measured, TimeMeasure};
use crate::model::outcome::Row;
use crate::objectives::Columns;
use std::cmp::Ordering;

/// The worst of some replications: the longest RTO, censored first; then the most failed starts;
/// then the lowest number. `None` without any.
pub fn worst(columns: &Columns, rows: &[Row]) -> Option<u64> {
    let value = |row: &Row, measure| {
        let position = columns.position(&measure);
        match position.map_or(Measured::Absent, |position| row.values[position]) {
            // No fault, no recovery: nothing to be slow at.
            Measured::Absent => f64::NEG_INFINITY,
            known => known.as_f64(),
        }
    };
    let worse = |a: &Row, b: &Row| {
        [
            Measure::Time(TimeMeasure::Rto),
            Measure::Impact(Impact::FailedStarts),
        ]
        .into_iter()
        .map(|measure| value(a, measure.clone()).total_cmp(&value(b, measure)))
        .fold(Ordering::Equal, Ordering::then)
        .then(b.replication.cmp(&a.replication))
    };
    rows.iter()
        .max_by(|a, b| worse(a, b))
        .map(|row| row.replication)
}
