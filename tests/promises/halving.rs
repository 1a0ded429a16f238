//! The step is a matter of speed: halving it moves no indicator beyond its interval. A healthy
//! drill hides nearly every mistake of this kind, so it is tried under overload and exactly at
//! capacity too.

use crate::given::{PARTS, drill, mean, over, scenario};
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;
use darkregion::slis;

const REPLICATIONS: u64 = 8;

/// Indicators over the time in which the region is dark, and over the rest after it.
fn indicators(outcome: &Outcome) -> Vec<Option<f64>> {
    let span = |from, until| over(outcome, from, until);
    let spans = [span(0.0, 180.0), span(180.0, 420.0), span(420.0, 720.0)];
    let slis = slis::all();
    spans
        .iter()
        .flat_map(|o| slis.iter().map(|sli| sli.measure(o)))
        .collect()
}

fn names() -> Vec<String> {
    let spans = ["before", "dark", "after"];
    let slis = slis::all();
    let name = |span: &str, sli: &str| format!("{sli} {span}");
    spans
        .iter()
        .flat_map(|span| slis.iter().map(|s| name(span, s.name())))
        .collect()
}

/// How much of a value the step may move in the mean, relative to it; beyond it, it must lie
/// within the interval of the paired differences.
const ALLOWED: f64 = 0.01;

/// Where retries have taken nearly everything down, what is left depends on the step by up to a point
/// of all starts: a known deviation, allowed in those tests and nowhere else.
const STORM: f64 = 1.0;
/// Otherwise small shares are compared with this.
const SMALL: f64 = 0.01;

fn check(text: &str, policy: &str, sets: &[&str], (what, least): (&str, f64)) {
    let with = |step: &str| {
        let step = format!("step={step}");
        let sets: Vec<&str> = sets.iter().copied().chain([step.as_str()]).collect();
        let simulator = Simulator::new(&scenario(text, Some(policy), &sets));
        let all = (0..REPLICATIONS).map(|r| indicators(&simulator.run(11, r)));
        all.collect::<Vec<_>>()
    };
    let whole = with("1s");
    let mut wrong = Vec::new();
    for step in ["500ms"] {
        let finer = with(step);
        for (i, name) in names().iter().enumerate() {
            let pairs: Vec<(f64, f64)> = whole
                .iter()
                .zip(&finer)
                .filter_map(|(a, b)| Some((a[i]?, b[i]?)))
                .collect();
            if pairs.len() < 2 {
                continue;
            }
            let (level, _) = mean(&pairs.iter().map(|(a, _)| *a).collect::<Vec<_>>());
            let moved: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
            let (moved, half) = mean(&moved);
            // Shares are compared with the whole where they are tiny, times with themselves.
            let scale = level.abs().max(least);
            if moved.abs() > half + ALLOWED * scale {
                wrong.push(format!(
                    "{step}: {name} {level:.5} moves by {moved:.5} ± {half:.5}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{what} under {policy}:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn halving_the_step_moves_nothing_on_a_calm_day() {
    check(PARTS, "none", &[], ("calm", SMALL));
}

#[test]
fn halving_the_step_moves_nothing_in_a_healthy_drill() {
    check(
        &drill(),
        "flow",
        &["service.*.headroom=1.5"],
        ("healthy", SMALL),
    );
}

/// While the survivors are found to be one too few, retries multiply the load.
#[test]
fn halving_the_step_moves_nothing_in_a_storm_of_retries() {
    check(&drill(), "flow", &[], ("storm", STORM));
}

#[test]
fn halving_the_step_moves_nothing_when_survivors_are_overloaded() {
    check(
        &drill(),
        "flow",
        &["service.*.headroom=0.2"],
        ("overloaded", STORM),
    );
}

#[test]
fn halving_the_step_moves_nothing_when_survivors_are_exactly_at_capacity() {
    check(
        &drill(),
        "flow",
        &["service.*.headroom=0.5"],
        ("critical", STORM),
    );
    check(
        &drill(),
        "edge-proxy",
        &["service.*.headroom=0.5"],
        ("critical", STORM),
    );
}

#[test]
fn halving_the_step_moves_nothing_under_dns_alone() {
    check(&drill(), "dns-only", &["edge.global=false"], ("dns", SMALL));
}
