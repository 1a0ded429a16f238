//! The monitor against the laws of detection. With phase `phi ~ U(0, I)`, threshold `k` and timeout
//! `to`: periodic probes detect after `phi + (k-1) I + to`, back-to-back ones after
//! `phi + (k-1)(I+to) + to`, `m` of `n` observers after the `m`-th smallest; a run of `k` failures of
//! chance `q` each takes `(1-q^k) / (q^k (1-q))` probes in the mean (Feller, volume I, chapter XIII).

use super::*;
use crate::units::{Dist, Span};

fn control(interval: f64, threshold: u32, timeout: f64) -> Control {
    Control {
        home: None,
        observers: 1,
        agree: 1,
        interval: Span::from_secs(interval),
        timeout: Span::from_secs(timeout),
        threshold,
        back_to_back: false,
        deep: false,
        false_alarm: 0.0,
        missed: 0.0,
        delay: Span::ZERO,
        push: Dist::Fixed(0.0),
        push_failure: 0.0,
        push_timeout: Span::from_secs(30.0),
    }
}

fn names() -> Vec<String> {
    vec!["a".into(), "b".into()]
}

/// A region goes dark, hanging or refusing, or comes back.
fn change(monitor: &mut Monitor, at: Time, region: RegionId, dark: bool, hang: bool) {
    let met = Condition {
        silent: dark,
        hang: dark && hang,
        failing: 0.0,
    };
    monitor.condition_changed(at, region, dark, met);
}

/// Times from the fault to detection, sorted, over replications.
fn detections(control: &Control, hang: bool, replications: u64) -> Vec<f64> {
    let fault = Time::from_secs(1000.0);
    let mut times: Vec<f64> = (0..replications)
        .map(|replication| {
            let mut monitor = Monitor::new(control, &names(), 1, replication);
            assert!(monitor.advance(fault).is_empty(), "nothing is wrong before");
            change(&mut monitor, fault, 0, true, hang);
            loop {
                if let Some(change) = monitor.advance(monitor.next_time()).first() {
                    assert_eq!((change.region, change.dead), (0, true));
                    assert_eq!(monitor.dead(0), Some(true));
                    assert_eq!(monitor.dead_since(0), change.at);
                    break change.at.since(fault).secs();
                }
                assert!(
                    monitor.next_time() < Time::NEVER,
                    "a dead region is detected"
                );
            }
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Within 4.5 standard errors, given the law's own standard deviation.
fn assert_mean(values: &[f64], expected: f64, deviation: f64) {
    let error = 4.5 * deviation / (values.len() as f64).sqrt();
    let found = mean(values);
    assert!(
        (found - expected).abs() <= error,
        "mean {found}, expected {expected} +- {error}"
    );
}

/// The largest distance between the sample's and a uniform law's distribution function.
fn assert_uniform(sorted: &[f64], lo: f64, hi: f64) {
    let n = sorted.len() as f64;
    for (i, value) in sorted.iter().enumerate() {
        let share = (value - lo) / (hi - lo);
        assert!(
            (-1e-9..=1.0 + 1e-9).contains(&share),
            "{value} is outside {lo}..{hi}"
        );
        // Dvoretzky, Kiefer, Wolfowitz at 6.8e-6.
        let bound = (f64::ln(2.0 / 6.8e-6) / (2.0 * n)).sqrt();
        assert!((share - i as f64 / n).abs() <= bound + 1.0 / n);
    }
}

#[test]
fn periodic_probes() {
    for (interval, threshold, timeout, lo, hi) in [
        (10.0, 3, 2.0, 22.0, 32.0),
        (30.0, 3, 4.0, 64.0, 94.0),
        (1.0, 1, 0.5, 0.5, 1.5),
    ] {
        let times = detections(&control(interval, threshold, timeout), true, 4000);
        assert_uniform(&times, lo, hi);
        assert_mean(&times, (lo + hi) / 2.0, interval / 12f64.sqrt());
    }
}

#[test]
fn refused_probes_fail_at_once() {
    let times = detections(&control(10.0, 3, 2.0), false, 4000);
    assert_uniform(&times, 20.0, 30.0);
}

#[test]
fn back_to_back_probes() {
    for (interval, threshold, timeout, lo, hi) in [
        (10.0, 3, 5.0, 35.0, 45.0),
        (5.0, 2, 1.0, 7.0, 12.0),
        (30.0, 3, 10.0, 90.0, 120.0),
    ] {
        let control = Control {
            back_to_back: true,
            ..control(interval, threshold, timeout)
        };
        assert_uniform(&detections(&control, true, 4000), lo, hi);
    }
}

#[test]
fn a_quorum_waits_for_its_last_vote() {
    for (base, m, n, expected, deviation, median) in [
        (control(10.0, 3, 2.0), 3, 5, 27.0, 1.8898, 27.0),
        (control(30.0, 3, 4.0), 4, 16, 71.058_823_53, 2.9994, 70.7423),
        (control(10.0, 2, 1.0), 8, 8, 19.888_888_89, 0.9938, 20.1700),
    ] {
        let control = Control {
            agree: m,
            observers: n,
            ..base
        };
        let times = detections(&control, true, 4000);
        assert_mean(&times, expected, deviation);
        let below = times.iter().filter(|time| **time <= median).count() as f64;
        assert!(
            (below - 2000.0).abs() <= 4.5 * 1000f64.sqrt(),
            "{below} of 4000 below the median"
        );
    }
}

#[test]
fn gray_failures_take_a_run_of_failed_probes() {
    for (base, fails, expected, deviation, within_ten) in [
        (control(10.0, 3, 2.0), 0.5, 137.0, 119.1987, 0.507_812_5),
        (control(10.0, 3, 2.0), 0.9, 34.174_211, 14.9299, 0.994_837),
        (control(5.0, 2, 1.0), 0.3, 70.722_222, 65.5856, 0.503_588),
    ] {
        let control = Control {
            missed: 1.0 - fails,
            ..base
        };
        let times = detections(&control, true, 4000);
        assert_mean(&times, expected, deviation);
        // The tenth probe is answered by 10 I + to, the eleventh after it.
        let last = 10.0 * control.interval.secs() + control.timeout.secs();
        let share = times.iter().filter(|time| **time <= last).count() as f64 / 4000.0;
        let error = 4.5 * (within_ten * (1.0 - within_ten) / 4000.0f64).sqrt();
        assert!(
            (share - within_ten).abs() <= error,
            "{share} within ten probes, expected {within_ten}"
        );
    }
}

#[test]
fn false_alarms_come_as_rarely_as_they_should_and_end() {
    let control = Control {
        false_alarm: 0.05,
        ..control(10.0, 2, 2.0)
    };
    let mut firsts = Vec::new();
    let mut lasting = Vec::new();
    for replication in 0..2000 {
        let mut monitor = Monitor::new(&control, &names()[..1], 1, replication);
        let mut changes = Vec::new();
        while changes.len() < 2 {
            changes.extend(monitor.advance(monitor.next_time()));
        }
        assert!(changes[0].dead && !changes[1].dead);
        firsts.push(changes[0].at.secs());
        lasting.push(changes[1].at.since(changes[0].at).secs());
    }
    // 420 probes in the mean, the first one 5 s after the beginning; nearly exponential.
    assert_mean(&firsts, 4195.0, 4195.0);
    // Two answers in a row of chance 0.95: (1 - p^2) / (p^2 (1 - p)) probes, 10 s each.
    let p: f64 = 0.95;
    assert_mean(
        &lasting,
        10.0 * (1.0 - p * p) / (p * p * (1.0 - p)),
        3.5 * 2.0,
    );
}

#[test]
fn rare_false_alarms_of_a_year_are_cheap_and_calm_is_free() {
    let mut calm = Monitor::new(&control(10.0, 3, 2.0), &names(), 1, 0);
    assert_eq!(calm.next_time(), Time::NEVER);
    assert!(calm.advance(Time::NEVER).is_empty());

    let control = Control {
        false_alarm: 0.01,
        ..control(10.0, 3, 2.0)
    };
    let mut monitor = Monitor::new(&control, &names(), 1, 0);
    let year = Time::from_secs(365.0 * 86_400.0);
    let mut looks = 0;
    while monitor.next_time() <= year {
        monitor.advance(monitor.next_time());
        looks += 1;
    }
    // Three million probes of each region, thirty thousand of which fail.
    assert!((100..1000).contains(&looks), "{looks} looks");
}

#[test]
fn how_often_it_is_advanced_changes_nothing() {
    let control = Control {
        observers: 3,
        agree: 2,
        false_alarm: 0.1,
        missed: 0.2,
        ..control(10.0, 2, 4.0)
    };
    let run = |step: f64| {
        let mut monitor = Monitor::new(&control, &names(), 1, 0);
        let mut changes = Vec::new();
        for (at, dark) in [
            (500.0, true),
            (503.0, false),
            (800.0, true),
            (1400.0, false),
            (3000.0, false),
        ] {
            let at = Time::from_secs(at);
            let mut now = Time::ZERO;
            while now < at {
                now = (now + Span::from_secs(step)).min(at);
                changes.extend(monitor.advance(now));
            }
            change(&mut monitor, at, 1, dark, true);
        }
        changes
    };
    let changes = run(3000.0);
    assert!(changes.len() > 2);
    assert!(changes.is_sorted_by_key(|change| change.at));
    assert_eq!(changes, run(0.7));
    assert_eq!(changes, run(10.0));
}

#[test]
fn a_region_that_is_back_is_believed_after_as_many_answers() {
    let control = control(10.0, 3, 2.0);
    for replication in 0..100 {
        let mut monitor = Monitor::new(&control, &names(), 1, replication);
        change(&mut monitor, Time::ZERO, 0, true, true);
        let back = Time::from_secs(500.0);
        assert_eq!(monitor.advance(back).len(), 1);
        change(&mut monitor, back, 0, false, false);
        let changes = monitor.advance(Time::from_secs(1000.0));
        assert_eq!(changes.len(), 1);
        assert!(!changes[0].dead);
        let after = changes[0].at.since(back).secs();
        assert!((20.0..=30.0).contains(&after), "{after} s");
    }
}

#[test]
fn a_failure_shorter_than_its_detection_is_not_seen() {
    let mut monitor = Monitor::new(&control(10.0, 3, 2.0), &names(), 1, 0);
    change(&mut monitor, Time::ZERO, 0, true, true);
    let back = Time::from_secs(15.0);
    assert!(monitor.advance(back).is_empty());
    change(&mut monitor, back, 0, false, false);
    assert!(monitor.advance(Time::from_secs(1e6)).is_empty());
}

#[test]
fn a_control_plane_in_the_dark_region_hears_later() {
    let control = Control {
        home: Some(0),
        ..control(10.0, 3, 2.0)
    };
    let mut monitor = Monitor::new(&control, &names(), 1, 0);
    for region in [0, 1] {
        change(&mut monitor, Time::ZERO, region, true, true);
    }
    let back = Time::from_secs(300.0);
    assert!(monitor.advance(back).is_empty());
    assert_eq!((monitor.dead(0), monitor.dead(1)), (None, None));
    change(&mut monitor, back, 0, false, false);
    assert_eq!(monitor.next_time(), back);
    let changes = monitor.advance(back);
    let regions: Vec<_> = changes.iter().map(|c| (c.at, c.region, c.dead)).collect();
    assert_eq!(regions, [(back, 0, true), (back, 1, true)]);
    let later = monitor.advance(Time::from_secs(400.0));
    assert_eq!(later.len(), 1);
    assert_eq!(
        (monitor.dead(0), monitor.dead(1)),
        (Some(false), Some(true))
    );
}

#[test]
fn nonsense_is_survived() {
    let control = Control {
        observers: 0,
        agree: 0,
        ..control(0.0, 0, 0.0)
    };
    let mut monitor = Monitor::new(&control, &names(), 1, 0);
    change(&mut monitor, Time::ZERO, 0, true, true);
    assert!(monitor.advance(Time::NEVER).is_empty());
    let control = Control {
        observers: 1,
        agree: 1,
        ..control
    };
    let mut monitor = Monitor::new(&control, &names(), 1, 0);
    change(&mut monitor, Time::ZERO, 0, true, true);
    assert_eq!(monitor.advance(Time::NEVER).len(), 1);
}

/// What a deep probe meets behind the door: `k` failures in a row of chance `q` each.
#[test]
fn deep_probes_fail_as_often_as_what_they_call() {
    let control = control(10.0, 3, 2.0);
    let failing: f64 = 0.5;
    let times: Vec<f64> = (0..2000)
        .map(|replication| {
            let mut monitor = Monitor::new(&control, &names(), 1, replication);
            let met = Condition {
                failing,
                ..Condition::default()
            };
            monitor.condition_changed(Time::ZERO, 0, false, met);
            loop {
                if let Some(change) = monitor.advance(monitor.next_time()).first() {
                    assert_eq!((change.region, change.dead), (0, true));
                    break change.at.secs();
                }
            }
        })
        .collect();
    // Fourteen probes in the mean, the first after half an interval; 14.9 of standard deviation.
    let run = failing.powi(3);
    let probes = (1.0 - run) / (run * (1.0 - failing));
    assert_mean(&times, 10.0 * (probes - 0.5), 122.0);
}
