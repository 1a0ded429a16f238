//! What does nothing changes nothing, bit for bit.

use crate::given::{FAULT, PARTS, assert_same_windows, drill, outcome, policy_names, scenario};
use darkregion::model::observation::Observation;
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;
use darkregion::units::Span;

#[test]
fn a_fault_of_no_length_changes_nothing() {
    // Windows are aligned with the first fault; three minutes are a multiple of their length.
    for policy in policy_names() {
        let calm = outcome(PARTS, Some(policy), &[]);
        let mut empty = scenario(&drill(), Some(policy), &[]);
        empty.faults[0].duration = Span::ZERO;
        let empty = Simulator::new(&empty).run(1, 0);
        assert_same_windows(&calm.windows, &empty.windows, &format!("under {policy}"));
        assert_eq!(calm.ledger, empty.ledger, "under {policy}");
        let long = outcome(&drill(), Some(policy), &[]);
        assert_ne!(
            calm.ledger, long.ledger,
            "the whole fault matters under {policy}"
        );
    }
}

/// The parts, a region without viewers, and that region's fault or none.
fn unused(fault: &str) -> String {
    let fault = fault.replace("birch", "zelkova");
    format!("{PARTS}\n[[region]]\nname = \"zelkova\"\n{fault}")
}

fn unused_fault_changes_nothing(policy: &str, sets: &[&str]) {
    // With room to spare nothing fails that proxies would repeat in the region without viewers:
    // only then does nobody use it.
    let spare = ["service.*.headroom=4"];
    let sets: Vec<&str> = spare.iter().chain(sets).copied().collect();
    let calm = outcome(&unused(""), Some(policy), &sets);
    let dark = outcome(&unused(FAULT), Some(policy), &sets);
    // The unused region itself is dark; everything else is the same.
    let others = |mut outcome: Outcome| {
        for window in &mut outcome.windows {
            window.regions.pop();
            window.global = Observation::default();
        }
        outcome
    };
    let (calm, dark) = (others(calm), others(dark));
    assert_same_windows(&calm.windows, &dark.windows, policy);
    assert_eq!(calm.ledger, dark.ledger, "{policy}");
}

#[test]
fn a_fault_in_a_region_that_nobody_uses_changes_nothing() {
    for policy in policy_names()
        .into_iter()
        .filter(|name| *name != "flow-dark")
    {
        // Flow with dark capacity calls it into service elsewhere, whoever is lost.
        unused_fault_changes_nothing(policy, &[]);
    }
}

#[test]
fn a_fault_in_a_region_that_nobody_uses_changes_nothing_in_steps_of_one_length() {
    // As above, without the longer steps that are taken while nothing moves.
    for policy in policy_names()
        .into_iter()
        .filter(|name| *name != "flow-dark")
    {
        unused_fault_changes_nothing(policy, &["sample=1s"]);
    }
}

#[test]
fn no_policy_is_the_policy_none() {
    let named = outcome(&drill(), Some("none"), &[]);
    let unnamed = outcome(&drill(), None, &[]);
    assert_eq!(named.digest, unnamed.digest);
    assert_same_windows(&named.windows, &unnamed.windows, "none");
}

#[test]
fn a_policy_that_may_not_fail_over_nor_retry_is_none() {
    let none = outcome(&drill(), Some("none"), &[]);
    for policy in policy_names().into_iter().filter(|p| *p != "flow-dark") {
        let off = [
            "policy.failover=false",
            "policy.edge_retry=false",
            "policy.shed=uniform",
        ];
        let off = outcome(&drill(), Some(policy), &off);
        assert_same_windows(&none.windows, &off.windows, policy);
    }
}

#[test]
fn no_budget_for_retries_is_one_attempt() {
    let budget = outcome(&drill(), Some("flow"), &["device.*.retry_budget=0"]);
    let single = outcome(&drill(), Some("flow"), &["device.*.attempts=1"]);
    assert_eq!(budget.ledger.retries, 0);
    assert_eq!(single.ledger.retries, 0);
    assert_same_windows(&budget.windows, &single.windows, "no retries");
    assert!(
        outcome(&drill(), Some("flow"), &[]).ledger.retries > 0,
        "there are retries otherwise"
    );
}

#[test]
fn the_edge_retry_without_a_budget_is_none() {
    let budget = outcome(
        &drill(),
        Some("flow"),
        &["policy.edge_retry_budget=0", "policy.eject_after=0"],
    );
    let off = outcome(
        &drill(),
        Some("flow"),
        &["policy.edge_retry=false", "policy.eject_after=0"],
    );
    assert_same_windows(&budget.windows, &off.windows, "edge retry");
    let on = outcome(&drill(), Some("flow"), &["policy.eject_after=0"]);
    assert_ne!(on.ledger, off.ledger, "the edge's retry matters otherwise");
}

#[test]
fn knobs_at_their_own_values_change_nothing() {
    let plain = outcome(&drill(), Some("flow"), &[]);
    let same = [
        "ambient.start_failure=0.005",
        "device.modern.timeout=10s",
        "step=1s",
        "policy.failover=true",
        "demand=1",
    ];
    assert_eq!(plain.digest, outcome(&drill(), Some("flow"), &same).digest);
}

#[test]
fn an_idle_region_changes_nothing_for_the_others() {
    let more = format!("{}\n[[region]]\nname = \"zelkova\"\nzones = 2\n", drill());
    // Policies that spread by spare capacity may use the new region; what none of them touches is
    // the same, and under `none` and in a calm run that is everything.
    for (text, extra) in [
        (drill(), more.clone()),
        (PARTS.to_string(), more.replace(FAULT, "")),
    ] {
        let few = outcome(&text, Some("none"), &[]);
        let many = outcome(&extra, Some("none"), &[]);
        assert_eq!(few.ledger, many.ledger);
        for (a, b) in few.windows.iter().zip(&many.windows) {
            for region in 0..3 {
                assert_eq!(
                    a.regions[region], b.regions[region],
                    "{region} at {}",
                    a.from
                );
            }
        }
    }
}
