//! What a replication cost its viewers.

use crate::model::measure::{Impact, Measured};
use crate::model::money::BurnLevel;
use crate::model::observation::Observation;
use crate::model::outcome::{Outcome, Window};
use crate::model::scenario::Scenario;
use crate::objectives::budget;
use crate::objectives::judgement::Judgement;
use crate::objectives::spans::disturbed;
use crate::units::Time;

/// The load is back to normal when the demand is at most so many times what it was at its highest
/// before the disturbance (guess: what a quarter of an hour of a usual evening adds).
const BACK_TO_NORMAL: f64 = 1.05;

/// The value of an impact. Counts are from the disturbance on (the fault, or an announced drill's
/// first action), over the whole run where there is none.
pub fn impact(
    impact: Impact,
    scenario: &Scenario,
    outcome: &Outcome,
    judgement: &Judgement,
    levels: &[BurnLevel],
) -> Measured {
    let windows = &outcome.windows;
    let disturbed = disturbed(scenario, &outcome.marks).unwrap_or(Time::ZERO);
    let start = windows.partition_point(|window| window.until <= disturbed);
    let sum =
        |of: fn(&Observation) -> f64| windows[start..].iter().map(|w| of(&w.global)).sum::<f64>();
    let yes = |verdict| if verdict { 1.0 } else { 0.0 };
    Measured::Value(match impact {
        Impact::FailedStarts => sum(|o| o.starts_failed as f64),
        Impact::RebufferedViewers => sum(|o| o.rebuffered),
        Impact::ViewerMinutes => sum(|o| o.stalled_secs) / 60.0,
        Impact::DowntimeMinutes => windows[start..].iter().map(downtime_minutes).sum(),
        Impact::BrokenMinutes => judgement.broken_windows() as f64 * scenario.sample.secs() / 60.0,
        Impact::ErrorBudgetSpent => return budget::spent(scenario, windows),
        Impact::BurnLevel => levels.iter().max().copied().unwrap_or_default().number(),
        Impact::Availability => match availability(windows) {
            Some(share) => share,
            None => return Measured::Absent,
        },
        Impact::Metastable => yes(metastable(outcome, judgement, start)),
        Impact::Toppled => yes((0..scenario.regions.len()).any(|region| {
            !outcome.marks.hit.contains(&region) && judgement.topples(region, start)
        })),
    })
}

/// The share of a window's eligible starts that failed, times its length: no start, no downtime.
fn downtime_minutes(window: &Window) -> f64 {
    let (ok, failed) = (window.global.starts_ok, window.global.starts_failed);
    if failed == 0 {
        return 0.0;
    }
    failed as f64 / (ok + failed) as f64 * (window.until - window.from).secs() / 60.0
}

/// The share of eligible starts that succeeded over the whole horizon.
fn availability(windows: &[Window]) -> Option<f64> {
    let ok: u64 = windows.iter().map(|w| w.global.starts_ok).sum();
    let failed: u64 = windows.iter().map(|w| w.global.starts_failed).sum();
    (ok + failed > 0).then(|| ok as f64 / (ok + failed) as f64)
}

/// Whether the fault has ended, the load is back to normal, and yet the run ends with an objective
/// broken: for the whole of its last `sustain`, so that neither an unlucky last window nor a
/// recovery under way counts. What was broken as long before the fault is not of its making.
fn metastable(outcome: &Outcome, judgement: &Judgement, start: usize) -> bool {
    let windows = &outcome.windows;
    let Some(fault_end) = outcome.marks.fault_end else {
        return false;
    };
    let mut before = (0..start)
        .rev()
        .filter(|&i| judgement.full(i))
        .take(judgement.sustain())
        .peekable();
    if before.peek().is_some() && before.all(|i| judgement.broken(i)) {
        return false;
    }
    let normal = windows[..start].iter().map(|w| w.demand).reduce(f64::max);
    let mut last = (0..windows.len())
        .rev()
        .filter(|&i| judgement.full(i))
        .take(judgement.sustain())
        .peekable();
    last.peek().is_some()
        && last.all(|i| {
            let back = normal.is_none_or(|normal| windows[i].demand <= BACK_TO_NORMAL * normal);
            windows[i].from >= fault_end && back && judgement.broken(i)
        })
}
