//! The measures of outcomes made by hand.

use crate::model::measure::Measured::{self, Absent, Censored, Value};
use crate::model::measure::{Impact, Measure, Op, Operand, SliSpan, Term, TimeMeasure};
use crate::model::outcome::{Outcome, Window};
use crate::model::policy::Phase;
use crate::model::scenario::Scenario;
use crate::objectives::testing::*;
use crate::units::{Span, Time};

fn get(scenario: &Scenario, outcome: &Outcome, measure: Measure) -> Measured {
    let (columns, row) = row(scenario, outcome);
    row.values[columns.position(&measure).expect("a column")]
}

fn time(outcome: &Outcome, time: TimeMeasure) -> Measured {
    get(&scenario(), outcome, Measure::Time(time))
}

fn rto(ranges: &[(f64, f64)]) -> Measured {
    time(&failing_in(ranges), TimeMeasure::Rto)
}

fn impact(outcome: &Outcome, impact: Impact) -> Measured {
    get(&scenario(), outcome, Measure::Impact(impact))
}

fn sli(span: SliSpan, sli: &str, region: Option<&str>) -> Measure {
    Measure::Sli {
        span,
        sli: sli.into(),
        region: region.map(Into::into),
    }
}

fn success(outcome: &Outcome, span: SliSpan) -> Measured {
    get(&scenario(), outcome, sli(span, "success", None))
}

fn at(seconds: f64) -> Option<Time> {
    Some(Time::from_secs(seconds))
}

#[test]
fn rto_ends_with_the_last_broken_window_before_the_first_stretch() {
    assert_eq!(rto(&[]), Value(0.0));
    assert_eq!(rto(&[(600.0, 640.0)]), Value(40.0));
    // What breaks late is not recovered from beforehand.
    assert_eq!(rto(&[(700.0, 750.0)]), Value(150.0));
    // A gap of 50 s is not a stretch of 60 s.
    assert_eq!(rto(&[(600.0, 640.0), (690.0, 700.0)]), Value(100.0));
    // One of 60 s is: what follows is a relapse.
    assert_eq!(rto(&[(600.0, 640.0), (700.0, 900.0)]), Value(40.0));
    // Broken before the fault does not count.
    assert_eq!(rto(&[(100.0, 150.0)]), Value(0.0));
}

#[test]
fn rto_is_censored_without_a_stretch_before_the_horizon() {
    assert_eq!(rto(&[(600.0, 2400.0)]), Censored);
    assert_eq!(rto(&[(600.0, 2350.0)]), Censored);
    assert_eq!(rto(&[(600.0, 2340.0)]), Value(1740.0));
}

#[test]
fn rto_starts_with_the_strike_that_breaks() {
    // Faults at these seconds, and the first broken window from 900 s to 910 s.
    let rto = |strikes: &[f64], broken: &[(f64, f64)]| {
        let mut outcome = failing_in(broken);
        outcome.marks.strikes = strikes.iter().map(|at| Time::from_secs(*at)).collect();
        time(&outcome, TimeMeasure::Rto)
    };
    let broken = [(900.0, 950.0)];
    // A harmless one and a harmful one, which begins with the window, within it, or before it.
    assert_eq!(rto(&[600.0, 900.0], &broken), Value(50.0));
    assert_eq!(rto(&[600.0, 905.0], &broken), Value(45.0));
    assert_eq!(rto(&[600.0, 870.0], &broken), Value(80.0));
    // Another one after the first broken window, while it is broken or later.
    assert_eq!(rto(&[600.0, 900.0, 910.0, 2000.0], &broken), Value(50.0));
    // Two within the window: the first of them.
    assert_eq!(rto(&[600.0, 901.0, 909.0], &broken), Value(49.0));
    // Two harmful ones that are recovered from apart, and such as run into each other.
    let apart = [(650.0, 700.0), (900.0, 950.0)];
    assert_eq!(rto(&[600.0, 900.0], &apart), Value(100.0));
    let one = [(650.0, 850.0), (900.0, 950.0)];
    assert_eq!(rto(&[600.0, 900.0], &one), Value(350.0));
}

#[test]
fn a_window_without_observations_holds() {
    let mut outcome = failing_in(&[(600.0, 700.0)]);
    outcome.windows[65].global = Default::default();
    assert_eq!(time(&outcome, TimeMeasure::Rto), Value(100.0));
    for window in &mut outcome.windows[62..70] {
        window.global = Default::default();
    }
    assert_eq!(time(&outcome, TimeMeasure::Rto), Value(20.0));
}

#[test]
fn a_partial_window_is_not_judged_but_its_failures_count() {
    let mut outcome = failing_in(&[(2390.0, 2400.0)]);
    outcome.windows[239].until = Time::from_secs(2395.0);
    assert_eq!(impact(&outcome, Impact::BrokenMinutes), Value(0.0));
    assert_eq!(impact(&outcome, Impact::FailedStarts), Value(200.0));
    assert_eq!(time(&outcome, TimeMeasure::Rto), Value(0.0));
}

#[test]
fn impacts_are_summed_from_the_fault_on() {
    let mut outcome = failing_in(&[(100.0, 110.0), (600.0, 660.0), (900.0, 960.0)]);
    outcome.windows[70].global.rebuffered = 5.0;
    outcome.windows[70].global.stalled_secs = 90.0;
    assert_eq!(impact(&outcome, Impact::FailedStarts), Value(2400.0));
    assert_eq!(impact(&outcome, Impact::RebufferedViewers), Value(5.0));
    assert_eq!(impact(&outcome, Impact::ViewerMinutes), Value(1.5));
    let Value(downtime) = impact(&outcome, Impact::DowntimeMinutes) else {
        panic!("downtime has a value");
    };
    assert!((downtime - 0.2).abs() < 1e-12, "{downtime}");
    // Of all windows, and of the whole run.
    assert_eq!(impact(&outcome, Impact::BrokenMinutes), Value(130.0 / 60.0));
    let Value(availability) = impact(&outcome, Impact::Availability) else {
        panic!("availability has a value");
    };
    assert!((availability - (1.0 - 2600.0 / 480_000.0)).abs() < 1e-12);
}

#[test]
fn during_is_the_worst_minute_until_recovery() {
    // One window at 50 % and two at 10 %, in different minutes; after recovery it is worse still.
    let outcome = outcome(|from| {
        let failing = match from {
            600.0 => 0.5,
            680.0 | 690.0 => 0.1,
            900.0 => 1.0,
            _ => 0.0,
        };
        [failing; 2]
    });
    assert_eq!(success(&outcome, SliSpan::Before), Value(1.0));
    assert_eq!(
        success(&outcome, SliSpan::During),
        Value(1.0 - 0.5 / 6.0),
        "the minute from 600 s"
    );
    // From recovery (RTO 10 s: the stretch begins at 610 s and is full at 670 s) to the fault's end.
    let Value(after) = success(&outcome, SliSpan::After) else {
        panic!("there is a span after recovery");
    };
    assert!((after - (1.0 - 1.2 / 113.0)).abs() < 1e-12, "{after}");
}

#[test]
fn each_sli_has_its_own_worst_minute_and_quantiles_come_from_merged_histograms() {
    let mut outcome = failing_in(&[(600.0, 2400.0)]);
    let mut during = |slow: f64| {
        for window in &mut outcome.windows {
            window.global.latency = latency(0.1, 10.0);
        }
        outcome.windows[150].global.latency.add(1.0, slow);
        let of = |sli_name| get(&scenario(), &outcome, sli(SliSpan::During, sli_name, None));
        assert_eq!(of("success"), Value(0.9));
        match of("latency") {
            Value(median) => median,
            _ => panic!("latency has a value"),
        }
    };
    // The minute holds 60 fast answers. The median of its slowest window alone would be 1 s twice.
    assert!((during(61.0) - 1.0).abs() < 0.06);
    assert!((during(59.0) - 0.1).abs() < 0.006);
}

#[test]
fn an_announced_drill_is_disturbed_from_its_first_action_on() {
    let mut announced = scenario();
    announced.faults[0].announced = Span::from_secs(300.0);
    let mut outcome = failing_in(&[(480.0, 490.0)]);
    outcome.marks.first_action = at(475.0);
    outcome.marks.decide = at(475.0);
    let before = sli(SliSpan::Before, "success", None);
    let during = sli(SliSpan::During, "success", None);
    assert_eq!(get(&announced, &outcome, before.clone()), Value(1.0));
    assert_eq!(
        get(&announced, &outcome, during.clone()),
        Value(1.0 - 0.1 / 6.0)
    );
    let decide = Measure::Time(TimeMeasure::Decide);
    assert_eq!(get(&announced, &outcome, decide), Value(-125.0));
    // A false alarm before an incident belongs to the time before it.
    assert!(matches!(get(&scenario(), &outcome, before), Value(x) if x < 1.0));
    assert_eq!(get(&scenario(), &outcome, during), Value(1.0));
}

#[test]
fn without_a_fault_everything_is_before() {
    let mut calm = scenario();
    calm.faults.clear();
    let mut outcome = failing_in(&[(600.0, 660.0)]);
    outcome.marks = Default::default();
    for time in TimeMeasure::ALL {
        assert_eq!(get(&calm, &outcome, Measure::Time(time)), Absent);
    }
    let value = |span| get(&calm, &outcome, sli(span, "success", None));
    assert_eq!(value(SliSpan::Before), Value(1.0 - 0.1 * 6.0 / 240.0));
    assert_eq!(value(SliSpan::During), Absent);
    assert_eq!(value(SliSpan::After), Absent);
    let failed = get(&calm, &outcome, Measure::Impact(Impact::FailedStarts));
    assert_eq!(failed, Value(1200.0));
}

#[test]
fn times_are_censored_when_they_began_and_absent_when_not() {
    let mut outcome = failing_in(&[]);
    outcome.marks.shifted = at(700.0);
    let times = |outcome: &Outcome| TimeMeasure::ALL.map(|one| time(outcome, one));
    let rto = Value(0.0);
    assert_eq!(
        times(&outcome),
        [
            Censored,
            Censored,
            Value(100.0),
            Absent,
            rto,
            Absent,
            Absent,
            Absent
        ]
    );
    outcome.marks.detect = at(630.0);
    outcome.marks.failback_begins = at(2000.0);
    assert_eq!(
        times(&outcome),
        [
            Value(30.0),
            Censored,
            Value(100.0),
            Absent,
            rto,
            Value(70.0),
            Censored,
            Absent
        ]
    );
    outcome.marks.shifted = None;
    assert_eq!(time(&outcome, TimeMeasure::Restore), Censored);
}

#[test]
fn a_region_of_its_own_topples_and_a_hit_one_does_not() {
    let toppled = |west: f64, until: f64| {
        let outcome = outcome(|from| {
            let west = if within(from, &[(700.0, until)]) {
                west
            } else {
                0.0
            };
            [1.0, west]
        });
        impact(&outcome, Impact::Toppled)
    };
    assert_eq!(toppled(0.0, 900.0), Value(0.0));
    assert_eq!(toppled(0.2, 750.0), Value(0.0));
    assert_eq!(toppled(0.2, 760.0), Value(1.0));
}

#[test]
fn metastable_is_broken_at_the_horizon_without_a_reason() {
    let stuck = failing_in(&[(600.0, 2400.0)]);
    let metastable = |outcome: &Outcome| impact(outcome, Impact::Metastable);
    assert_eq!(metastable(&stuck), Value(1.0));
    assert_eq!(metastable(&failing_in(&[(600.0, 2390.0)])), Value(0.0));
    assert_eq!(metastable(&failing_in(&[(2390.0, 2400.0)])), Value(0.0));
    let mut impaired = stuck.clone();
    impaired.marks.fault_end = at(2345.0);
    assert_eq!(metastable(&impaired), Value(0.0), "the fault just ended");
    let mut busier = stuck;
    busier.windows[238].demand = 106.0;
    assert_eq!(metastable(&busier), Value(0.0), "the load is not back");
}

#[test]
fn hypotheses_bring_their_columns() {
    let mut scenario = scenario();
    let west = sli(SliSpan::During, "success", Some("west"));
    scenario.hypotheses = vec![
        at_most(Measure::Time(TimeMeasure::Rto), 60.0),
        at_most(west.clone(), 0.95),
        at_most(sli(SliSpan::During, "success", Some("nowhere")), 2.0),
    ];
    scenario.hypotheses[0].claim.terms.push(Term {
        left: Measure::Time(TimeMeasure::Rto).into(),
        op: Op::Less,
        right: Operand::Subject(sli(SliSpan::Before, "latency", Some("east")).into()),
    });
    let outcome = outcome(|from| {
        [
            0.0,
            if within(from, &[(600.0, 660.0)]) {
                0.1
            } else {
                0.0
            },
        ]
    });
    let (columns, row) = row(&scenario, &outcome);
    assert_eq!(
        columns.measures().len(),
        TimeMeasure::ALL.len() + 2 * 3 + 10 + 7 + 3
    );
    assert_eq!(row.values.len(), columns.measures().len());
    assert_eq!(row.values[columns.position(&west).unwrap()], Value(0.9));
    // East has no latency, and nothing is a region that is not there.
    assert_eq!(row.holds, [false, true, false]);
}

#[test]
fn phases_are_first_entries_from_the_fault() {
    let mut outcome = failing_in(&[]);
    let secs = Time::from_secs;
    outcome.marks.phases = vec![
        (0, Phase::FailoverInitiated, secs(590.0)),
        (0, Phase::RouteShift, secs(640.0)),
        (0, Phase::FailoverInitiated, secs(700.0)),
    ];
    let (_, row) = row(&scenario(), &outcome);
    assert_eq!(
        row.phases,
        [
            (0, Phase::FailoverInitiated, -10.0),
            (0, Phase::RouteShift, 40.0)
        ]
    );
}

#[test]
fn an_empty_run_has_no_values_and_does_no_harm() {
    let mut outcome = failing_in(&[]);
    outcome.windows = Vec::new();
    assert_eq!(success(&outcome, SliSpan::Before), Absent);
    assert_eq!(impact(&outcome, Impact::Availability), Absent);
    outcome.windows = vec![Window {
        until: Time::from_secs(5.0),
        regions: vec![observed(0.0), observed(0.0)],
        ..Window::default()
    }];
    outcome.marks.fault = None;
    assert_eq!(success(&outcome, SliSpan::Before), Absent);
}
