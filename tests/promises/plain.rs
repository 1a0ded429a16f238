//! Systems without playback: plain requests of several kinds.

use crate::given::{assert_same_windows, outcome, over};
use darkregion::model::outcome::Outcome;

/// Two regions; nine of ten requests read, and one writes, which nothing but the user repeats.
const SHOP: &str = r#"
format = 1
horizon = "12min"

[[region]]
name = "east"

[[region]]
name = "west"

[[market]]
name = "near east"
near = ["east", "west"]
requests = "3000/s"

[[market]]
name = "near west"
near = ["west", "east"]
requests = "1000/s"

[[device]]
name = "browser"
share = 1
attempts = 1

[edge]
global = true
headroom = 4.0

[[service]]
name = "reader"
time = "10ms"
headroom = 4.0

[[service]]
name = "writer"
time = "40ms"
headroom = 4.0

[[request]]
name = "read"
to = "reader"
start = 1
share = "90 %"

[[request]]
name = "write"
to = "writer"
start = 1
share = "10 %"
safe = false

[ambient]
start_failure = 0
request_failure = 0

[variation]
demand = 0
"#;

const DARK: &str =
    "[[fault]]\nkind = \"region-dark\"\nregion = \"east\"\nat = \"3min\"\nfor = \"5min\"\n";

fn run(faults: &str, policy: &str, sets: &[&str]) -> Outcome {
    outcome(&format!("{SHOP}{faults}"), Some(policy), sets)
}

#[test]
fn every_request_is_of_one_kind() {
    let calm = run("", "none", &[]);
    let seen = over(&calm, 0.0, 720.0);
    let all = calm.ledger.starts;
    assert_eq!(seen.answered_ok, all, "each makes one request");
    assert_eq!(calm.ledger.starts_ok, all);
    assert!((all as f64 / (4000.0 * 720.0) - 1.0).abs() < 0.005, "{all}");
    // The services are busy by their kinds' shares; the proxies beside them.
    let busy = |sets: &[&str]| over(&run("", "none", sets), 0.0, 720.0).busy_slot_secs / 720.0;
    let swapped = ["request.read.share=0.1", "request.write.share=0.9"];
    let more = busy(&swapped) - busy(&[]);
    let law = 4000.0 * 0.8 * (0.040 - 0.010);
    assert!((more / law - 1.0).abs() < 0.02, "{more}, not {law}");
}

#[test]
fn a_kind_of_all_requests_is_no_mix_bit_for_bit() {
    let sets = [
        "request.read.share=1",
        "request.write.share=0",
        "service.writer.instances=9",
    ];
    let only = run(DARK, "edge-proxy", &sets);
    let text = SHOP.replace("share = \"90 %\"\n", "");
    let (head, write) = text
        .split_once("[[request]]\nname = \"write\"")
        .expect("it is there");
    let (_, tail) = write.split_once("safe = false\n").expect("it is there");
    let without = outcome(
        &format!("{head}{tail}{DARK}"),
        Some("edge-proxy"),
        &["service.writer.instances=9"],
    );
    assert_eq!(only.ledger, without.ledger);
    assert_same_windows(&only.windows, &without.windows, "one kind");
}

#[test]
fn only_safe_kinds_are_repeated_by_the_edge() {
    let faults: String = ["reader", "writer"]
        .map(|service| {
            format!(
                "[[fault]]\nkind = \"service-degraded\"\nservice = \"{service}\"\nregion = \"east\"\n\
                 errors = 0.04\nat = \"3min\"\nfor = \"5min\"\n"
            )
        })
        .concat();
    let failed = |sets: &[&str]| {
        let sets: Vec<&str> = ["policy.edge_retry=true"]
            .iter()
            .chain(sets)
            .copied()
            .collect();
        let hurt = run(&faults, "none", &sets);
        let ledger = hurt.ledger;
        let settled = ledger.starts_ok + ledger.starts_failed + ledger.starts_ambient;
        assert_eq!(settled, ledger.starts, "every request is settled");
        over(&hurt, 180.0, 480.0).starts_failed as f64
    };
    assert_eq!(failed(&["request.write.safe=true"]), 0.0);
    // A write in ten of 3,000 requests per second, of which one in 25 fails, for 300 s; counts of
    // thousands lie within five times their square root.
    let near = |count: f64, law: f64| {
        assert!((count - law).abs() < 5.0 * law.sqrt(), "{count}, not {law}");
    };
    near(failed(&[]), 3600.0);
    near(
        failed(&["request.write.safe=true", "request.read.safe=false"]),
        32_400.0,
    );
}

#[test]
fn retries_stay_of_their_kind() {
    // The writer is broken for a minute, and users try again until it works.
    let broken = "[[fault]]\nkind = \"service-degraded\"\nservice = \"writer\"\nregion = \"east\"\nerrors = 1\n\
                  at = \"3min\"\nfor = \"1min\"\n";
    let sets = [
        "device.browser.attempts=100",
        "device.browser.backoff.cap=5s",
    ];
    let lost = run(broken, "none", &sets);
    assert_eq!(lost.ledger.starts_failed, 0);
    assert_eq!(lost.ledger.starts_ok, lost.ledger.starts);
    assert!(lost.ledger.retries > 50_000, "{}", lost.ledger.retries);
    // Each succeeds once: no read is repeated for a write.
    assert_eq!(over(&lost, 0.0, 720.0).answered_ok, lost.ledger.starts);
}
