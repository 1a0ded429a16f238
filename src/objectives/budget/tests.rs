use super::*;
use crate::model::scenario::Market;
use crate::objectives::testing::*;

/// The scenario by hand, with 200 starts a second: what its outcomes show.
fn busy() -> Scenario {
    let mut scenario = scenario();
    scenario.markets = vec![Market {
        name: "viewers".into(),
        near: vec![0, 1],
        may: None,
        starts: 200.0,
        profile: vec![1.0],
        series: None,
        wave: None,
        utc_offset_secs: 0.0,
        rtt_secs: 0.0,
    }];
    scenario
}

fn level_at(secs: f64, failing: impl Fn(f64) -> [f64; 2]) -> BurnLevel {
    let outcome = outcome(failing);
    let levels = levels(&busy(), &outcome.windows);
    let window = outcome
        .windows
        .partition_point(|w| w.until < Time::from_secs(secs));
    levels[window]
}

#[test]
fn the_seed_minutes_are_corrected() {
    assert!((minutes_of(0.001, 365.25) - 526.0).abs() < 0.1);
    assert!((minutes_of(0.0001, 365.25) - 52.6).abs() < 0.01);
    assert!((minutes_of(0.0001, 30.0) - 4.32).abs() < 1e-9);
}

#[test]
fn the_budget_is_a_months_failures() {
    let mut scenario = busy();
    // 200/s for 30 days, of which one in ten thousand may fail: 51,840.
    assert!((scenario.allowed_failures() - 51_840.0).abs() < 1e-6);
    // One minute in which a tenth of 200/s fails.
    let outcome = failing_in(&[(600.0, 660.0)]);
    let value = spent(&scenario, &outcome.windows).as_f64();
    assert!((value - 1200.0 / 51_840.0).abs() < 1e-12);
    // Half the demand on average has half the budget.
    scenario.markets[0].profile = vec![1.0, 0.0];
    assert!((scenario.allowed_failures() - 25_920.0).abs() < 1e-6);
    scenario.markets.clear();
    assert_eq!(spent(&scenario, &outcome.windows), Measured::Absent);
}

#[test]
fn levels_follow_the_burn_rate_of_both_windows() {
    // All the time at so many times 0.01 %, to the nearest start in 1,000.
    let always = |share: f64| move |_: f64| [share, 0.0];
    assert_eq!(level_at(1200.0, always(0.0)), BurnLevel::Normal);
    assert_eq!(level_at(1200.0, always(0.001)), BurnLevel::Elevated);
    assert_eq!(level_at(1200.0, always(0.002)), BurnLevel::High);
    assert_eq!(level_at(1200.0, always(0.004)), BurnLevel::Critical);
    // A burst that is over leaves the short window first.
    let burst = |from: f64| {
        [
            if (600.0..630.0).contains(&from) {
                0.02
            } else {
                0.0
            },
            0.0,
        ]
    };
    assert!(level_at(630.0, burst) >= BurnLevel::Elevated);
    assert_eq!(level_at(1200.0, burst), BurnLevel::Normal);
    // The long window holds the level down while little has burnt.
    assert!(level_at(630.0, burst) < BurnLevel::Critical);
}

#[test]
fn two_regions_that_burn_are_critical() {
    assert_eq!(level_at(1200.0, |_| [0.0, 0.0015]), BurnLevel::High);
    assert_eq!(level_at(1200.0, |_| [0.001, 0.001]), BurnLevel::Critical);
}

#[test]
fn nothing_is_judged_before_the_short_window_has_passed() {
    assert_eq!(level_at(10.0, |_| [0.01, 0.01]), BurnLevel::Normal);
    assert_eq!(level_at(300.0, |_| [0.01, 0.01]), BurnLevel::Critical);
}

#[test]
fn an_empty_budget_is_exceeded_for_good() {
    let mut scenario = busy();
    scenario.markets[0].starts = 1.0;
    let outcome = failing_in(&[(600.0, 660.0)]);
    let levels = levels(&scenario, &outcome.windows);
    assert_eq!(levels[59], BurnLevel::Normal);
    assert!(levels[62..].iter().all(|&l| l == BurnLevel::Exceeded));
}

#[test]
fn alerts_tell_rising_levels_and_broken_objectives() {
    let scenario = busy();
    let outcome = failing_in(&[(600.0, 720.0)]);
    let (_, row) = row(&scenario, &outcome);
    let time = |wanted: Alert| {
        let found = row.alerts.iter().find(|(alert, _)| *alert == wanted);
        found.map(|&(_, secs)| secs)
    };
    // Broken windows for the whole of the 60 s.
    assert_eq!(time(Alert::Objective(0)), Some(60.0));
    let elevated = time(Alert::Burn(BurnLevel::Elevated)).expect("it burns");
    let critical = time(Alert::Burn(BurnLevel::Critical)).expect("in both regions");
    assert!(elevated <= critical && critical < 120.0);
    assert_eq!(time(Alert::Burn(BurnLevel::Exceeded)), None);
    let (what, cause) = words(&scenario, Alert::Burn(BurnLevel::Critical));
    assert_eq!(what, "error budget: critical");
    assert_eq!(cause, BurnLevel::Critical.action());
}

#[test]
fn a_calm_run_alerts_nobody() {
    let (_, row) = row(&busy(), &failing_in(&[]));
    assert!(row.alerts.is_empty());
}
