//! The recovery time and the moment of recovery.

use crate::model::measure::Measured;
use crate::model::outcome::Window;
use crate::model::scenario::Fault;
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
/// Only windows from the fault on count, and the stretch is sought from the first broken one on:
/// what breaks late is not recovered from beforehand. Of several faults the clock starts at the
/// one that breaks an objective: the last that began before the end of the first broken window.
pub fn recovery(
    windows: &[Window],
    judgement: &Judgement,
    fault: Time,
    faults: &[Fault],
    sustain: Span,
) -> Recovery {
    let from_fault = windows.partition_point(|window| window.from < fault);
    let Some(first) = (from_fault..windows.len()).find(|&i| judgement.broken(i)) else {
        return Recovery {
            rto: Measured::Value(0.0),
            at: Some(fault + sustain),
        };
    };
    let breaking = faults
        .iter()
        .map(|fault| fault.at)
        .filter(|&at| at < windows[first].until)
        .fold(fault, Time::max);
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
