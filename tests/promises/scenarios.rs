//! The built-in scenarios show what they say, and would not without what they say it is due to.

use assert_cmd::Command;

/// Exit code of a run of a built-in scenario.
fn code(scenario: &str, sets: &[&str]) -> Option<i32> {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let mut command = Command::new(env!("CARGO_BIN_EXE_darkregion"));
    command.args(["run", scenario, "-n", "80", "-q", "--no-plots", "-o"]);
    command.arg(dir.path());
    for set in sets {
        command.args(["--set", set]);
    }
    let output = command.output().expect("it runs");
    output.status.code()
}

#[test]
fn a_lost_zone_is_absorbed_once_health_checks_have_found_out() {
    assert_eq!(code("chaos-gorilla", &[]), Some(0));
    let slow = ["service.*.health.threshold=30"];
    assert_eq!(code("chaos-gorilla", &slow), Some(1));
}

#[test]
fn instances_that_die_are_replaced_and_nobody_notices() {
    assert_eq!(code("chaos-monkey", &[]), Some(0));
}

#[test]
fn what_is_lost_with_a_region_is_what_replication_lagged() {
    assert_eq!(code("replication-lag", &[]), Some(0));
    assert_eq!(code("replication-lag", &["fault[0].extra=1s"]), Some(1));
}

#[test]
fn a_small_shop_lives_on_its_second_region_if_that_has_the_capacity() {
    assert_eq!(code("small-saas", &[]), Some(0));
    assert_eq!(code("small-saas", &["service.*.headroom=0.2"]), Some(1));
}

#[test]
fn an_outage_of_ten_seconds_stays_unless_its_work_is_cancelled() {
    assert_eq!(code("metastable-retries", &[]), Some(0));
    let patient = ["device.*.timeout=3s"];
    assert_eq!(code("metastable-retries", &patient), Some(1));
}

#[test]
fn a_lost_cache_does_not_fill_unless_it_is_patient() {
    assert_eq!(code("metastable-cache", &[]), Some(0));
}

#[test]
fn a_cut_by_78_percent_heals_and_one_by_80_stays() {
    assert_eq!(code("metastable-mongo", &[]), Some(0));
}
