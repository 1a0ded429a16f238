//! Parts that no closed form stands for change what they are about, and in which direction.

use crate::given::{PARTS, drill, outcome, over};
use darkregion::model::outcome::Outcome;

fn shifted_secs(outcome: &Outcome) -> f64 {
    outcome.marks.shifted.map_or(f64::INFINITY, |at| at.secs())
}

#[test]
fn pushes_that_fail_are_repeated_and_cost_their_timeout() {
    let sure = shifted_secs(&outcome(&drill(), Some("flow"), &[]));
    let failing = ["control.push_failure=0.9", "control.push_timeout=40s"];
    let late = shifted_secs(&outcome(&drill(), Some("flow"), &failing));
    assert!(late >= sure + 39.0, "{sure} {late}");
}

#[test]
fn instances_that_start_slowly_serve_less_when_a_region_is_back() {
    let errors = |factor: &str| {
        let factor = format!("service.*.slow_factor={factor}");
        let sets = ["service.*.slow_start=3min", &factor];
        let back = over(&outcome(&drill(), Some("none"), &sets), 420.0, 720.0);
        back.answered_error
    };
    let (fast, slow) = (errors("1"), errors("30"));
    assert!(slow > 2 * fast + 100, "{fast} {slow}");
}

#[test]
fn who_has_no_patience_stands_still_at_every_interactive_request() {
    let stood = |patience: &str| {
        let patience = format!("session.patience={patience}");
        let calm = over(&outcome(PARTS, Some("none"), &[&patience]), 0.0, 180.0);
        calm.rebuffered
    };
    let (patient, hasty) = (stood("10s"), stood("0s"));
    // Half a request a minute and session.
    let asked = 0.5 / 60.0 * over(&outcome(PARTS, Some("none"), &[]), 0.0, 180.0).playing_secs;
    assert!(patient < 0.01 * asked, "{patient} of {asked}");
    assert!((hasty / asked - 1.0).abs() < 0.05, "{hasty} of {asked}");
}
