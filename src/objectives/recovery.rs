//! The recovery time and the moment of recovery.

use crate::model::measure::Measured;
#[cfg(doc)]
use crate::model::outcome::Marks;
use crate::model::outcome::Window;
use crate::objectives::judgement::Judgement;
use crate::units::{Span, Time};

/// When, if ever, the objectives held again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recovery {
    /// RTO in seconds.
    pub rto: Measured,
    /// RTO and `sustain` after the fault; `None` when censored.
    pub at: Option<Time>,
}

/// The RTO: the end of the last broken window before the first stretch of `sustain` in which every
/// objective holds, minus the time of the fault; 0 if no window is broken; censored if there is no
/// such stretch before the horizon.
///
/// Only windows from the first fault on count, and the stretch is sought from the first broken one
/// on: what breaks late is not recovered from beforehand. Of several strikes (see [`Marks::strikes`])
/// the clock starts with the one that [breaks](breaking) an objective.
pub fn recovery(
    windows: &[Window],
    judgement: &Judgement,
    fault: Time,
    strikes: &[Time],
    sustain: Span,
) -> Recovery {
    let from_fault = windows.partition_point(|window| window.from < fault);
    let Some(first) = (from_fault..windows.len()).find(|&i| judgement.broken(i)) else {
        return Recovery {
            rto: Measured::Value(0.0),
            at: Some(fault + sustain),
        };
    };
    let breaking = breaking(&windows[first], strikes).unwrap_or(fault);
    let (mut last_broken, mut held) = (first, 0);
    for i in (first..windows.len()).filter(|&i| judgement.full(i)) {
        if judgement.broken(i) {
            (last_broken, held) = (i, 0);
        } else {
            held += 1;
        }
        if held == judgement.sustain() {
            let end = windows[last_broken].until;
            return Recovery {
                rto: Measured::Value((end - breaking).secs()),
                at: Some(end + sustain),
            };
        }
    }
    Recovery {
        rto: Measured::Censored,
        at: None,
    }
}

/// The strike that breaks the first broken window: the first of those in it, or else the last one
/// before it. What came earlier had its windows, and broke none of them.
fn breaking(broken: &Window, strikes: &[Time]) -> Option<Time> {
    let before = strikes.partition_point(|strike| *strike < broken.from);
    let within = strikes.get(before).filter(|strike| **strike < broken.until);
    within.or(strikes[..before].last()).copied()
}
