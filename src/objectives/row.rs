//! All measures of one replication.

use crate::model::measure::{Measure, Measured, SliSpan, TimeMeasure};
use crate::model::outcome::{Entry, Marks, Outcome, Row};
use crate::model::policy::Phase;
use crate::model::scenario::{RegionId, Scenario};
use crate::objectives::cost::money;
use crate::objectives::impact::impact;
use crate::objectives::judgement::Judgement;
use crate::objectives::recovery::{Recovery, recovery};
use crate::objectives::spans::{Spans, disturbed};
use crate::objectives::worst_minute::{together, worst_minute};
use crate::objectives::{Columns, Series};
use crate::objectives::{budget, claims, domains};
use crate::units::Time;

/// Measures a replication of a scenario (as drawn for it). `series` holds the columns' SLIs in the
/// outcome's windows.
///
/// Times are from the first fault, those of a failover from the first because of which a region can be
/// left, unless the failover began before it, and RTO from the one that breaks an objective; a control
/// plane that acts on an announcement decides, and may
/// have shifted, before it: then they are negative. Without a fault there are no times.
pub fn measure(
    scenario: &Scenario,
    columns: &Columns,
    series: &Series,
    outcome: &Outcome,
    replication: u64,
) -> Row {
    let (windows, marks) = (&outcome.windows, &outcome.marks);
    let judgement = Judgement::new(scenario, columns, windows, series);
    let levels = budget::levels(scenario, windows);
    let recovered = marks
        .fault
        .map(|fault| recovery(windows, &judgement, fault, &marks.strikes, scenario.sustain));
    let spans = Spans::new(
        windows,
        &judgement,
        marks,
        disturbed(scenario, marks),
        recovered.and_then(|recovered| recovered.at),
    );
    let start = disturbed(scenario, marks).unwrap_or(Time::ZERO);
    let start = windows.partition_point(|window| window.until <= start);
    let mut places: Vec<Place> = Vec::new();
    let values: Vec<Measured> = columns
        .measures()
        .iter()
        .map(|measure| match measure {
            Measure::Time(time) => time_from_fault(*time, scenario, marks, recovered),
            Measure::Impact(kind) => impact(*kind, scenario, outcome, &judgement, &levels),
            Measure::Domain { kind, domain } => {
                domains::measure(*kind, domain, scenario, outcome, series)
            }
            Measure::Money(kind) => money(*kind, scenario, outcome, &windows[start..]),
            Measure::Sli { span, sli, region } => {
                let Some(region) = find_region(scenario, region.as_deref()) else {
                    return Measured::Absent;
                };
                let known = places.iter().position(|place| place.region == region);
                let known = known.unwrap_or_else(|| {
                    places.push(Place::new(scenario, columns, outcome, &spans, region));
                    places.len() - 1
                });
                places[known].value(*span, columns.sli(sli))
            }
        })
        .collect();
    let value = |measure: &Measure| {
        let position = columns.position(measure);
        position.map_or(Measured::Absent, |position| values[position])
    };
    let holds = scenario
        .hypotheses
        .iter()
        .map(|hypothesis| {
            claims::holds(&hypothesis.claim, |subject| match subject.own() {
                Some(measure) => value(measure),
                // Whoever knows the rows of all variants judges it.
                None => Measured::Absent,
            })
        })
        .collect();
    Row {
        replication,
        holds,
        phases: first_entries(marks),
        alerts: budget::first_of_each(&budget::alerts(windows, &levels, &judgement), marks),
        breaches: outcome.breaches.clone(),
        digest: outcome.digest,
        outside_validity: outcome.outside_validity.clone(),
        values,
    }
}

/// The log of a replication with its alerts, in order of time.
pub fn alert_log(scenario: &Scenario, columns: &Columns, outcome: &Outcome) -> Vec<Entry> {
    let windows = &outcome.windows;
    let series = Series::of(windows, columns.slis());
    let judgement = Judgement::new(scenario, columns, windows, &series);
    let levels = budget::levels(scenario, windows);
    let alerts = budget::alerts(windows, &levels, &judgement);
    let mut log = outcome.log.clone();
    log.extend(budget::entries(scenario, &alerts));
    log.sort_by_key(|entry| entry.at);
    log
}

/// The SLIs of one region, or of all together, in each span.
struct Place {
    region: Option<RegionId>,
    spans: [Vec<Option<f64>>; 3],
}

impl Place {
    fn new(
        scenario: &Scenario,
        columns: &Columns,
        outcome: &Outcome,
        spans: &Spans,
        region: Option<RegionId>,
    ) -> Place {
        let (windows, slis) = (&outcome.windows, columns.slis());
        Place {
            region,
            spans: SliSpan::ALL.map(|span| match span {
                SliSpan::During => {
                    worst_minute(windows, spans.range(span), scenario.sample, region, slis)
                }
                SliSpan::Before | SliSpan::After => {
                    together(windows, spans.range(span), region, slis)
                }
            }),
        }
    }

    fn value(&self, span: SliSpan, sli: Option<usize>) -> Measured {
        let place = SliSpan::ALL.iter().position(|&one| one == span);
        let values = &self.spans[place.expect("SliSpan::ALL has every span")];
        match sli.and_then(|sli| values[sli]) {
            Some(value) => Measured::Value(value),
            None => Measured::Absent,
        }
    }
}

/// `Some(None)` is all together; `None` a region that this scenario does not have.
fn find_region(scenario: &Scenario, name: Option<&str>) -> Option<Option<RegionId>> {
    match name {
        None => Some(None),
        Some(name) => scenario
            .regions
            .iter()
            .position(|r| r.name == name)
            .map(Some),
    }
}

fn time_from_fault(
    time: TimeMeasure,
    scenario: &Scenario,
    marks: &Marks,
    recovered: Option<Recovery>,
) -> Measured {
    let (Some(fault), Some(recovered)) = (marks.fault, recovered) else {
        return Measured::Absent;
    };
    // Nobody waits for a region's traffic to go elsewhere unless the region is gone, or a policy
    // has begun to act.
    let awaited = marks.takes_region || marks.decide.is_some();
    let since = |from: Time, mark: Option<Time>| match mark {
        Some(mark) => Measured::Value(seconds_from(from, mark)),
        None if awaited => Measured::Censored,
        None => Measured::Absent,
    };
    let began = marks.detect.or(marks.decide);
    let reason = marks.reason.unwrap_or(fault);
    let reason = if began.is_some_and(|at| at < reason) {
        fault
    } else {
        reason
    };
    match time {
        TimeMeasure::Detect => since(reason, marks.detect),
        TimeMeasure::Decide => since(reason, marks.decide),
        TimeMeasure::Shifted => since(reason, marks.shifted),
        TimeMeasure::Warm if !has_caches(scenario) => Measured::Absent,
        TimeMeasure::Warm => since(reason, marks.warm),
        TimeMeasure::Rto => recovered.rto,
        TimeMeasure::Restore => match marks.detect {
            Some(detect) => since(detect, marks.shifted),
            None => Measured::Absent,
        },
        // It has a beginning of its own: nobody waits for what was never begun.
        TimeMeasure::Failback if marks.failback_begins.is_none() => Measured::Absent,
        TimeMeasure::Failback => since(reason, marks.failback),
        TimeMeasure::Redundant if !marks.lost_instances => Measured::Absent,
        TimeMeasure::Redundant => since(fault, marks.redundant),
    }
}

fn has_caches(scenario: &Scenario) -> bool {
    let mut calls = scenario.services.iter().flat_map(|service| &service.calls);
    calls.any(|call| call.cache.is_some())
}

/// Seconds from one moment to another; negative when the other is earlier.
fn seconds_from(from: Time, to: Time) -> f64 {
    if to >= from {
        (to - from).secs()
    } else {
        -(from - to).secs()
    }
}

/// The first entry of each phase of each region, in seconds from the fault (without one, from the
/// beginning), in order of time.
fn first_entries(marks: &Marks) -> Vec<(RegionId, Phase, f64)> {
    let from = marks.fault.unwrap_or(Time::ZERO);
    let mut entries: Vec<(RegionId, Phase, f64)> = Vec::new();
    for &(region, phase, at) in &marks.phases {
        if !entries.iter().any(|&(r, p, _)| (r, p) == (region, phase)) {
            entries.push((region, phase, seconds_from(from, at)));
        }
    }
    entries
}
