//! What does nothing changes nothing, bit for bit.

use crate::given::{FAULT, PARTS, assert_same_windows, drill, outcome, policy_names};

/// The drill's fault with another duration.
fn fault_for(duration: &str) -> String {
    format!("{PARTS}{}", FAULT.replace("4min", duration))
}

#[test]
fn a_fault_too_short_to_matter_changes_nothing() {
    // Windows are aligned with the first fault; three minutes are a multiple of their length.
    for policy in policy_names() {
        let calm = outcome(PARTS, Some(policy), &[]);
        let short = outcome(&fault_for("1ns"), Some(policy), &[]);
        assert_same_windows(&calm.windows, &short.windows, &format!("under {policy}"));
        assert_eq!(calm.ledger, short.ledger, "under {policy}");
        let long = outcome(&drill(), Some(policy), &[]);
        assert_ne!(
            calm.ledger, long.ledger,
            "the whole fault matters under {policy}"
        );
    }
}

#[test]
fn a_fault_in_a_region_that_nobody_uses_changes_nothing_under_a_policy_that_does_nothing() {
    let with_idle = format!(
        "{PARTS}\n[[region]]\nname = \"dogwood\"\n\n[[market]]\nname = \"nobody\"\n\
         near = [\"dogwood\"]\nstarts = \"0.000001/s\"\n"
    );
    let fault = FAULT.replace("birch", "dogwood");
    let calm = outcome(&with_idle, Some("none"), &[]);
    let dark = outcome(&format!("{with_idle}{fault}"), Some("none"), &[]);
    for (a, b) in calm.windows.iter().zip(&dark.windows) {
        for region in 0..3 {
            assert_eq!(
                a.regions[region], b.regions[region],
                "region {region} at {}",
                a.from
            );
        }
    }
    assert_eq!(calm.ledger, dark.ledger);
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
    let budget = outcome(&drill(), Some("flow"), &["policy.edge_retry_budget=0"]);
    let off = outcome(&drill(), Some("flow"), &["policy.edge_retry=false"]);
    assert_same_windows(&budget.windows, &off.windows, "edge retry");
    let on = outcome(&drill(), Some("flow"), &[]);
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
