//! Before, during and after, as ranges of windows.

use crate::model::measure::SliSpan;
use crate::model::outcome::{Marks, Window};
use crate::model::scenario::Scenario;
use crate::objectives::judgement::Judgement;
use crate::units::Time;
use std::ops::Range;

/// The moment from which a replication is disturbed: the first fault, or the first action where a
/// drill was announced and acted upon earlier. `None` without a fault.
pub fn disturbed(scenario: &Scenario, marks: &Marks) -> Option<Time> {
    let fault = marks.fault?;
    let announced = scenario.faults.iter().any(|f| !f.announced.is_zero());
    let action = marks.first_action.filter(|_| announced);
    Some(action.map_or(fault, |action| action.min(fault)))
}

/// Full windows before the disturbance, from there to recovery, and from recovery on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spans {
    before: Range<usize>,
    during: Range<usize>,
    after: Range<usize>,
}

impl Spans {
    /// The spans of a replication that is disturbed at `disturbed` (`None`: all of it is before)
    /// and recovers at `recovered` (`None`: not by the horizon).
    pub fn new(
        windows: &[Window],
        judgement: &Judgement,
        marks: &Marks,
        disturbed: Option<Time>,
        recovered: Option<Time>,
    ) -> Spans {
        let full = |range: Range<usize>| {
            let first = range.clone().find(|&i| judgement.full(i));
            let last = range.clone().rev().find(|&i| judgement.full(i));
            match (first, last) {
                (Some(first), Some(last)) => first..last + 1,
                _ => range.start..range.start,
            }
        };
        let ended_by = |time: Time| windows.partition_point(|window| window.until <= time);
        let Some(disturbed) = disturbed else {
            let end = windows.len();
            return Spans {
                before: full(0..end),
                during: end..end,
                after: end..end,
            };
        };
        let start = ended_by(disturbed);
        let end = recovered.map_or(windows.len(), ended_by).max(start);
        // Of the windows after recovery none may begin before it.
        let from = windows.partition_point(|window| recovered.is_none_or(|at| window.from < at));
        // What was over before the recovery does not end what comes after it.
        let later = |stop: &Time| recovered.is_some_and(|at| *stop > at);
        let stop = [marks.failback_begins, marks.fault_end]
            .into_iter()
            .flatten()
            .filter(later)
            .fold(Time::NEVER, Time::min);
        Spans {
            before: full(0..start),
            during: full(start..end),
            after: full(from..ended_by(stop).max(from)),
        }
    }

    /// The windows of a span.
    pub fn range(&self, span: SliSpan) -> Range<usize> {
        match span {
            SliSpan::Before => self.before.clone(),
            SliSpan::During => self.during.clone(),
            SliSpan::After => self.after.clone(),
        }
    }
}
