//! RTO counts from what broke an objective, and times from the first fault.

use crate::given::scenario;
use crate::measured::Run;

const WORLD: &str = r#"
format = 1
horizon = "15min"

[[region]]
name = "east"

[[market]]
name = "users"
requests = "300/s"

[[service]]
name = "api"
headroom = 2

[[service]]
name = "spare"

[[request]]
name = "ask"
to = "api"
start = 1

[[objective]]
sli = "error_rate"
target = "< 10 %"
"#;

/// A fault of the service that everybody needs, or of one that nobody does.
fn fault(service: &str, at_secs: u32, for_secs: u32) -> String {
    format!(
        "[[fault]]\nkind = \"service-degraded\"\nservice = \"{service}\"\nerrors = 0.5\n\
         at = \"{at_secs}s\"\nfor = \"{for_secs}s\"\n"
    )
}

fn rto(faults: &[String]) -> f64 {
    let text = format!("{WORLD}{}", faults.concat());
    Run::new(&scenario(&text, Some("none"), &[]), 1, 0).measure("rto")
}

#[test]
fn a_harmless_fault_before_or_amid_a_harmful_one_changes_no_rto() {
    let alone = rto(&[fault("api", 300, 60)]);
    assert_eq!(alone, 60.0);
    let before = [fault("spare", 60, 60), fault("api", 300, 60)];
    assert_eq!(rto(&before), alone);
    let over = [fault("spare", 60, 500), fault("api", 300, 60)];
    assert_eq!(rto(&over), alone);
    let amid = [fault("api", 300, 60), fault("spare", 320, 60)];
    assert_eq!(rto(&amid), alone);
    assert_eq!(rto(&[fault("spare", 300, 60)]), 0.0);
}

#[test]
fn two_harmful_faults_are_one_recovery_if_nothing_holds_between_them() {
    let apart = [fault("api", 120, 60), fault("api", 400, 90)];
    assert_eq!(rto(&apart), 60.0, "that of the first");
    let close = [fault("api", 120, 60), fault("api", 220, 60)];
    assert_eq!(rto(&close), 160.0, "40 s are no stretch of 60 s");
    let overlapping = [fault("api", 120, 60), fault("api", 160, 60)];
    assert_eq!(rto(&overlapping), 100.0);
}

#[test]
fn a_random_fault_is_recovered_from_since_its_failure() {
    // It may fail from the first second on, and does much later: the one region goes dark for 30 s.
    let random = "[[fault]]\nkind = \"random\"\nof = \"region\"\nat = \"0s\"\nfor = \"15min\"\n\
                  mtbf = \"10min\"\nmttr = \"30s\"\n";
    let text = format!("{WORLD}{random}").replace("error_rate", "unreachable_rate");
    let scenario = scenario(
        &text,
        Some("none"),
        &["service.api.boot=10s", "sustain=30s"],
    );
    let mut failed = 0;
    for replication in 0..12 {
        let run = Run::new(&scenario, 1, replication);
        let dark = run.measure("when goes dark");
        if !(60.0..600.0).contains(&dark) {
            continue;
        }
        failed += 1;
        let rto = run.measure("rto");
        // Down for 30 s, booted after 10 s more, and windows of 10 s.
        assert!((30.0..=70.0).contains(&rto), "dark at {dark}: {rto}");
        assert_eq!(run.outcome().marks.fault.map(|at| at.secs()), Some(0.0));
    }
    assert!(failed >= 3, "{failed}");
}
