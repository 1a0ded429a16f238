//! Load balancers take so many new connections: a DNS flip crushes those of the survivors, what is
//! proxied from region to region passes them by, and they scale slowly.

use crate::given::{drill, outcome, over};
use darkregion::model::outcome::Outcome;

/// The region goes dark for longer; capacity behind the balancers is ample, so only they refuse.
const AMPLE: &[&str] = &[
    "horizon=20min",
    "fault[0].for=15min",
    "service.*.headroom=4",
    "edge.headroom=4",
    "variation.demand=0",
    // A device that bypasses the edge has no answer from a dark region, whatever the policy.
    "device.legacy.direct=false",
];

fn run(policy: &str, more: &[&str]) -> Outcome {
    let sets: Vec<&str> = AMPLE.iter().chain(more).copied().collect();
    outcome(&drill(), Some(policy), &sets)
}

fn said(outcome: &Outcome, what: &str) -> usize {
    let says = |e: &&darkregion::model::outcome::Entry| e.what.contains(what);
    outcome.log.iter().filter(says).count()
}

/// Requests without an answer once the failover is done.
fn unanswered(outcome: &Outcome) -> u64 {
    over(outcome, 360.0, 1080.0).unreachable
}

const REFUSE: &str = "refuse new connections";

#[test]
fn a_dns_flip_crushes_the_balancers_of_the_survivors_and_proxying_does_not() {
    let tight = &["balancer.headroom=0.2"];
    let flipped = run("dns-only", tight);
    let proxied = run("edge-proxy", tight);
    assert!(said(&flipped, REFUSE) >= 1, "{:#?}", flipped.log);
    assert!(unanswered(&flipped) > 1000, "{}", unanswered(&flipped));
    assert_eq!(said(&proxied, REFUSE), 0, "{:#?}", proxied.log);
    assert_eq!(unanswered(&proxied), 0);
    let free = run("dns-only", &[]);
    assert_eq!(unanswered(&free), 0);
    // Half of birch's starts come to each of the others: 600/s knock where 480/s get in, and what is
    // refused comes back, until use has been high for five minutes.
    let failed = |o: &Outcome| over(o, 300.0, 480.0).starts_failed;
    assert!(
        failed(&flipped) > 5 * failed(&free).max(100),
        "{} {}",
        failed(&flipped),
        failed(&free)
    );
}

#[test]
fn they_scale_and_then_refuse_no_more() {
    let scaled = run("dns-only", &["balancer.headroom=0.2"]);
    assert!(
        said(&scaled, "have scaled to 960/s") >= 1,
        "{:#?}",
        scaled.log
    );
    assert_eq!(said(&scaled, REFUSE), said(&scaled, "refuse no more"));
    assert_eq!(over(&scaled, 900.0, 1080.0).unreachable, 0);
    let never = run(
        "dns-only",
        &["balancer.headroom=0.2", "balancer.scale_after=1h"],
    );
    assert!(over(&never, 900.0, 1080.0).unreachable > 1000);
}

#[test]
fn more_headroom_never_refuses_more() {
    let mut last = u64::MAX;
    for headroom in ["0.1", "0.2", "0.4", "0.8", "1.2", "4"] {
        let set = format!("balancer.headroom={headroom}");
        let now = unanswered(&run("dns-only", &[&set]));
        assert!(now <= last, "{headroom}: {now} after {last}");
        last = now;
    }
    assert_eq!(last, 0);
}

#[test]
fn balancers_that_are_impaired_refuse_and_do_not_scale() {
    let fault = |more: &[&str]| {
        let text = format!(
            "{}[[fault]]\nkind = \"balancer-limit\"\nregion = \"cedar\"\nshare = 0.3\nat = \"3min\"\nfor = \"8min\"\n",
            crate::given::PARTS
        );
        outcome(&text, Some("none"), more)
    };
    // Nobody tries another region, whose balancers would scale.
    let limited = fault(&["balancer.headroom=0.5", "device.*.fallback_after=0"]);
    assert_eq!(said(&limited, REFUSE), 1, "{:#?}", limited.log);
    assert_eq!(said(&limited, "have scaled"), 0);
    assert!(over(&limited, 200.0, 600.0).unreachable > 10_000);
    // The one that is impaired is the one that refuses.
    let used = |r: usize| {
        let during = limited
            .windows
            .iter()
            .filter(|w| w.from.secs() >= 300.0 && w.until.secs() <= 600.0);
        during.map(|w| w.regions[r].unreachable).sum::<u64>()
    };
    assert_eq!((used(0), used(1)), (0, 0));
    assert!(used(2) > 0);
    let free = fault(&[]);
    assert_eq!(over(&free, 0.0, 720.0).unreachable, 0);
}

/// A session that comes over opens a connection, and so does one that looks for its region anew.
#[test]
fn sessions_that_come_over_are_refused_too() {
    // The edge dies with its region, so sessions are cut off and follow names.
    let cut = |balancer: &str| {
        run(
            "dns-only",
            &["edge.global=false", "device.*.fallback_after=0", balancer],
        )
    };
    let wide = cut("balancer.headroom=1000");
    let narrow = cut("balancer.headroom=0.2");
    let still = |o: &Outcome| over(o, 180.0, 900.0).rebuffered;
    assert!(
        still(&narrow) > 1.05 * still(&wide),
        "{} {}",
        still(&narrow),
        still(&wide)
    );
    let asked = over(&wide, 180.0, 360.0).connections;
    let before = over(&wide, 0.0, 180.0).connections;
    assert!(asked > 1.05 * before, "{asked} {before}");
}
