//! The error budget: what is spent of it, how fast, and who is told.
//!
//! The burn rate of some time is the share of eligible starts that failed in it, divided by the share
//! that may fail. Levels are judged at the end of each window, over the last `short` and the last
//! `long` (as far as the run has lasted): both must burn at a level's rate. A region burns on its own
//! in the same way. Before the run has lasted `short` nothing is judged: a single failed start would
//! raise the alarm.

use crate::model::measure::Measured;
use crate::model::money::{Alert, Budget, BurnLevel};
use crate::model::observation::Observation;
use crate::model::outcome::{Entry, Marks, Window};
use crate::model::scenario::Scenario;
use crate::objectives::judgement::Judgement;
use crate::units::{Span, Time, human_secs};

const DAY_SECS: f64 = 86_400.0;

/// Share of the budget of its whole window that the run spent; absent where nobody starts anything.
pub fn spent(scenario: &Scenario, windows: &[Window]) -> Measured {
    let failed: u64 = windows.iter().map(|w| w.global.starts_failed).sum();
    match scenario.allowed_failures() {
        allowed if allowed > 0.0 => Measured::Value(failed as f64 / allowed),
        _ => Measured::Absent,
    }
}

/// Failed and eligible starts up to each window's end, of all regions together and of each.
struct Sums {
    failed: Vec<f64>,
    all: Vec<f64>,
    places: usize,
}

impl Sums {
    fn of(windows: &[Window]) -> Sums {
        let places = 1 + windows.first().map_or(0, |w| w.regions.len());
        let mut sums = Sums {
            failed: vec![0.0; places],
            all: vec![0.0; places],
            places,
        };
        for window in windows {
            for o in [&window.global].into_iter().chain(&window.regions) {
                // The same place, one window earlier.
                let before = sums.failed.len() - places;
                let failed = o.starts_failed as f64;
                sums.failed.push(sums.failed[before] + failed);
                sums.all
                    .push(sums.all[before] + failed + o.starts_ok as f64);
            }
        }
        sums
    }

    /// Burn rate over `windows[from..to]` in a place.
    fn burn(&self, from: usize, to: usize, place: usize, budget: &Budget) -> f64 {
        let difference =
            |sums: &[f64]| sums[to * self.places + place] - sums[from * self.places + place];
        match difference(&self.all) {
            all if all > 0.0 => difference(&self.failed) / all / (1.0 - budget.target),
            _ => 0.0,
        }
    }
}

/// The burn level at the end of each window.
pub fn levels(scenario: &Scenario, windows: &[Window]) -> Vec<BurnLevel> {
    let budget = &scenario.budget;
    let allowed = scenario.allowed_failures();
    let sums = Sums::of(windows);
    let begin = windows.first().map_or(Time::ZERO, |w| w.from);
    (0..windows.len())
        .map(|i| {
            let until = windows[i].until;
            if allowed > 0.0 && sums.failed[(i + 1) * sums.places] >= allowed {
                return BurnLevel::Exceeded;
            }
            if until.since(begin) < budget.short {
                return BurnLevel::Normal;
            }
            let first = |length: Span| {
                let from = Time(until.0.saturating_sub(length.0));
                windows[..=i].partition_point(|w| w.from < from)
            };
            let (short, long) = (first(budget.short), first(budget.long));
            let burn = |place| {
                let over = |from| sums.burn(from, i + 1, place, budget);
                over(short).min(over(long))
            };
            let burning = || (1..sums.places).filter(|&place| burn(place) >= budget.high);
            match burn(0) {
                rate if rate >= budget.critical || burning().count() > 1 => BurnLevel::Critical,
                rate if rate >= budget.high => BurnLevel::High,
                rate if rate >= budget.elevated => BurnLevel::Elevated,
                _ if behind(scenario, &windows[i]) => BurnLevel::Elevated,
                _ => BurnLevel::Normal,
            }
        })
        .collect()
}

/// Whether what some region reads of a domain is older, on average, than the domain's RPO allows.
fn behind(scenario: &Scenario, window: &Window) -> bool {
    let older = |region: &Observation| {
        let domains = scenario.domains.iter().zip(&region.domains);
        domains
            .filter_map(|(domain, seen)| Some((domain.rpo?.secs(), seen)))
            .any(|(rpo, seen)| seen.age_secs > rpo * seen.aged_reads as f64)
    };
    window.regions.iter().any(older)
}

/// Every alert of a run, in order of time: each time that the level rises, and each time that an
/// objective has been broken for `sustain`.
pub fn alerts(
    windows: &[Window],
    levels: &[BurnLevel],
    judgement: &Judgement,
) -> Vec<(Time, Alert)> {
    let mut found = Vec::new();
    let mut before = BurnLevel::Normal;
    let mut in_a_row = vec![0; judgement.objectives()];
    for (i, window) in windows.iter().enumerate() {
        if levels[i] > before {
            found.push((window.until, Alert::Burn(levels[i])));
        }
        before = levels[i];
        for (o, broken) in judgement.broken_objectives(i).enumerate() {
            in_a_row[o] = if broken { in_a_row[o] + 1 } else { 0 };
            if in_a_row[o] == judgement.sustain() {
                found.push((window.until, Alert::Objective(judgement.number(o))));
            }
        }
    }
    found
}

/// The first of each alert, in seconds from the fault (without one, from the beginning). A level that
/// was skipped counts as reached with the one above it.
pub fn first_of_each(alerts: &[(Time, Alert)], marks: &Marks) -> Vec<(Alert, f64)> {
    let from = marks.fault.unwrap_or(Time::ZERO).secs();
    let mut first: Vec<(Alert, f64)> = Vec::new();
    for &(at, alert) in alerts {
        let reached: Vec<Alert> = match alert {
            Alert::Burn(level) => BurnLevel::ALL
                .into_iter()
                .filter(|&l| l > BurnLevel::Normal && l <= level)
                .map(Alert::Burn)
                .collect(),
            Alert::Objective(_) => vec![alert],
        };
        for alert in reached {
            if !first.iter().any(|&(known, _)| known == alert) {
                first.push((alert, at.secs() - from));
            }
        }
    }
    first
}

/// What an alert says.
pub fn words(scenario: &Scenario, alert: Alert) -> (String, String) {
    match alert {
        Alert::Burn(level) => (
            format!("error budget: {}", level.name()),
            level.action().to_string(),
        ),
        Alert::Objective(number) => {
            let threshold = &scenario.objectives[number].threshold;
            (
                format!("objective: {} {}", threshold.sli, threshold.text),
                format!("broken for {}", human_secs(scenario.sustain.secs())),
            )
        }
    }
}

/// Alerts as lines of a log.
pub fn entries(scenario: &Scenario, alerts: &[(Time, Alert)]) -> Vec<Entry> {
    let entry = |&(at, alert): &(Time, Alert)| {
        let (what, cause) = words(scenario, alert);
        Entry {
            at,
            part: "alert".into(),
            what,
            cause,
        }
    };
    alerts.iter().map(entry).collect()
}

/// Minutes in `days` days in which a share may fail: what a target amounts to.
pub fn minutes_of(share: f64, days: f64) -> f64 {
    share * days * DAY_SECS / 60.0
}

#[cfg(test)]
mod tests;
