//! Origins that live and fail: proxies eject them; and limits on requests in flight to an origin.

use crate::given::{assert_same_windows, drill, outcome, over, scenario};
use darkregion::model::observation::Observation;
use darkregion::model::outcome::Outcome;
use darkregion::world::plan::Plan;

/// Three regions with capacity to spare, and viewers who ask the first for 3,000 answers a second and
/// never again. Thirty proxies; each sends 100 requests a second, of 10 ms.
const EAST: &str = r#"
format = 1
horizon = "10min"

[[region]]
name = "east"
zones = 1

[[region]]
name = "north"
zones = 1

[[region]]
name = "west"
zones = 1

[[market]]
name = "viewers"
near = ["east", "north", "west"]
requests = "3000/s"

[[device]]
name = "any"
share = 1
attempts = 1

[[service]]
name = "api"
slots = 10
instances = 20
time = "10ms"

[edge]
slots = 1
headroom = 9
handshake = "0s"

[ambient]
request_failure = 0

[variation]
demand = 0
store = 0

[policy]
edge_retry = true
edge_retry_budget = 0
eject_most = 0.1
"#;

/// The service of a region fails a share of its requests, from minute one to the end.
fn failing(region: &str, errors: f64) -> String {
    format!(
        "\n[[fault]]\nkind = \"gray-failure\"\nregion = \"{region}\"\nservice = \"api\"\n\
         errors = {errors}\nat = \"1min\"\nfor = \"1d\"\n"
    )
}

fn run(faults: &str, sets: &[&str]) -> Outcome {
    outcome(&format!("{EAST}{faults}"), None, sets)
}

/// Share of the answers of a stretch that were errors.
fn errors(outcome: &Outcome, from: f64, until: f64) -> f64 {
    let o: Observation = over(outcome, from, until);
    o.answered_error as f64 / (o.answered_error + o.answered_ok) as f64
}

#[test]
fn the_share_that_is_ejected_is_that_of_runs_of_failures() {
    let proxies = Plan::new(&scenario(EAST, None, &[])).proxies[0];
    assert_eq!(proxies, 30);
    for (p, after, lasts) in [(0.3, 5, 10.0), (0.5, 8, 3.0), (0.05, 2, 5.0)] {
        let k = format!("policy.eject_after={after}");
        let for_secs = format!("policy.eject_for={lasts}s");
        let o = run(&failing("east", p), &[&k, &for_secs, "horizon=50min"]);
        let row = libm::pow(p, f64::from(after));
        let learning = (1.0 - row) / ((1.0 - p) * row) / 100.0;
        let open = learning / (learning + lasts);
        let measured = errors(&o, 240.0, 3000.0) / p;
        assert!(
            (measured / open - 1.0).abs() < 0.05,
            "{p} {after}: {measured} {open}"
        );
    }
}

#[test]
fn a_region_that_fails_everything_is_left_within_seconds_without_a_budget() {
    let broken = failing("east", 1.0);
    let lost = |sets: &[&str]| over(&run(&broken, sets), 60.0, 120.0).answered_error as f64;
    let (never, usual) = (lost(&["policy.eject_after=0"]), lost(&[]));
    assert!((never / 180_000.0 - 1.0).abs() < 0.02, "{never}");
    // Five requests of each of thirty proxies, and five more after half a minute.
    assert!((usual / 300.0 - 1.0).abs() < 0.3, "{usual}");
    let late = lost(&["policy.eject_after=50"]);
    assert!((late / usual / 10.0 - 1.0).abs() < 0.3, "{late} {usual}");
    let soon = lost(&["policy.eject_for=5s"]);
    assert!((soon / usual / 6.0 - 1.0).abs() < 0.3, "{soon} {usual}");
    // No retry at the edge, no ejection.
    let off = lost(&["policy.edge_retry=false"]);
    assert_eq!(off, never);
    // The others answer at once, and the log says why.
    let o = run(&broken, &[]);
    let north = &o.windows[11].regions[1];
    assert!(north.answered_ok > 10_000, "{}", north.answered_ok);
    let said = |what: &str| o.log.iter().filter(|e| e.what.contains(what)).count();
    assert_eq!(said("of its proxies have ejected east"), 1);
}

#[test]
fn it_is_tried_again_when_it_is_well() {
    let short = failing("east", 1.0).replace("1d", "2min");
    let o = run(&short, &[]);
    let east = |from: f64, until: f64| {
        let windows = o.windows.iter();
        let within = windows.filter(|w| w.from.secs() >= from && w.until.secs() <= until);
        within.map(|w| w.regions[0].answered_ok).sum::<u64>() as f64
    };
    assert!(east(70.0, 180.0) < 2000.0);
    assert!((east(220.0, 280.0) / 180_000.0 - 1.0).abs() < 0.02);
    assert!(
        o.log
            .iter()
            .any(|e| e.what == "its proxies send to east again")
    );
}

#[test]
fn no_more_origins_are_ejected_than_may_be() {
    let both = failing("east", 1.0) + &failing("west", 1.0);
    // With one ejected, half of what is sent elsewhere meets the other.
    let one = errors(&run(&both, &[]), 120.0, 600.0);
    assert!((one - 0.5).abs() < 0.05, "{one}");
    let two = errors(&run(&both, &["policy.eject_most=0.7"]), 120.0, 600.0);
    assert!(two < 0.02, "{two}");
    // Never all: the last is left.
    let all = both + &failing("north", 1.0);
    let three = errors(&run(&all, &["policy.eject_most=1"]), 120.0, 600.0);
    assert!(three > 0.99, "{three}");
}

#[test]
fn who_may_be_served_in_one_region_only_stays_there() {
    let only = [
        "market.viewers.may=['east']",
        "market.viewers.near=['east']",
    ];
    let o = run(&failing("east", 1.0), &only);
    assert!(errors(&o, 120.0, 600.0) > 0.999);
}

#[test]
fn half_steps_eject_as_whole_ones() {
    let lost = |step: &str| errors(&run(&failing("east", 0.6), &[step]), 60.0, 600.0);
    let (whole, half) = (lost("step=1s"), lost("step=500ms"));
    assert!((whole / half - 1.0).abs() < 0.1, "{whole} {half}");
}

#[test]
fn a_limit_refuses_what_erlangs_formula_says() {
    // 100 requests a second of 10 ms: one in flight per proxy. Laws of response times have bins, which
    // move a mean by up to 3 %, and that counts once for each place.
    let mut blocked = 1.0;
    for limit in 1..=4 {
        blocked = blocked / (f64::from(limit) + blocked);
        let set = format!("edge.origin_limit={limit}");
        let o = run("", &[&set, "policy.edge_retry=false"]);
        let refused = errors(&o, 0.0, 600.0);
        assert!(
            (refused / blocked - 1.0).abs() < 0.03 * f64::from(limit),
            "{limit}: {refused} {blocked}"
        );
        // What is refused is tried in another region, if the policy says so.
        let budget = "policy.edge_retry_budget=inf";
        let retried = errors(&run("", &[&set, budget]), 0.0, 600.0);
        assert!(retried < 0.8 * refused, "{limit}: {retried} {refused}");
    }
}

#[test]
fn a_limit_keeps_the_queue_of_a_slow_origin_short() {
    let slow = "\n[[fault]]\nkind = \"gray-failure\"\nregion = \"east\"\nservice = \"api\"\n\
                slowness = 10\nat = \"1min\"\nfor = \"1d\"\n";
    let slowest = |sets: &[&str]| {
        let o = over(&run(slow, sets), 120.0, 600.0);
        o.latency.quantile(0.99).expect("some are answered")
    };
    let free = slowest(&["policy.edge_retry=false"]);
    let limited = slowest(&["policy.edge_retry=false", "edge.origin_limit=5"]);
    assert!(limited < 0.8 * free, "{limited} {free}");
}

#[test]
fn what_is_not_needed_changes_nothing() {
    let plain = outcome(&drill(), Some("flow"), &[]);
    for set in ["edge.origin_limit=1000000", "policy.eject_most=0"] {
        let other = outcome(&drill(), Some("flow"), &[set]);
        assert_same_windows(&plain.windows, &other.windows, set);
    }
}
