//! Every key of a scenario moves what it is about, by about as much as an estimate by hand says.

use crate::given::{PARTS, drill, over, scenario};
use darkregion::model::outcome::Outcome;
use darkregion::model::policy::Phase;
use darkregion::simulate::Simulator;

/// A measure of a run: what it is, and the same as a number, summed over a few replications.
type Measure = fn(&Outcome) -> f64;

/// Keys set together, a measure, and between which factors they move it.
struct Move {
    /// Policy or strategy.
    policy: &'static str,
    /// What both runs have in common.
    base: &'static [&'static str],
    /// What the second run has besides.
    change: &'static [&'static str],
    /// What moves.
    measure: Measure,
    /// Smallest and largest factor.
    by: (f64, f64),
    /// The estimate.
    because: &'static str,
}

const BEFORE: (f64, f64) = (0.0, 180.0);
const DARK: (f64, f64) = (180.0, 420.0);
const ALL: (f64, f64) = (0.0, 720.0);

macro_rules! in_time {
    ($($name:ident, $span:ident, $o:ident => $value:expr;)*) => {
        $(fn $name(outcome: &Outcome) -> f64 {
            let $o = over(outcome, $span.0, $span.1);
            $value
        })*
    };
}

in_time! {
    requests, BEFORE, o => o.first_attempts as f64;
    calm_errors, BEFORE, o => o.answered_error as f64;
    calm_failures, BEFORE, o => o.starts_ambient as f64;
    slots, BEFORE, o => o.slot_secs;
    busy, BEFORE, o => o.busy_slot_secs;
    store_busy, BEFORE, o => o.store_busy_secs;
    lookups, BEFORE, o => o.cache_lookups;
    misses, BEFORE, o => o.cache_lookups - o.cache_hits;
    median_latency, BEFORE, o => o.latency.quantile(0.5).unwrap_or(0.0);
    degraded, BEFORE, o => o.answered_degraded as f64;
    median_delay, BEFORE, o => o.start_delay.quantile(0.5).unwrap_or(0.0);
    calm_stood, BEFORE, o => o.stood_still;
    dark_misses, DARK, o => o.cache_lookups - o.cache_hits;
    dark_slots, DARK, o => o.slot_secs;
    dark_errors, DARK, o => o.answered_error as f64;
    dark_unreachable, DARK, o => o.unreachable as f64;
    dark_failed, DARK, o => o.starts_failed as f64;
    dark_latency, DARK, o => o.latency.quantile(0.99).unwrap_or(0.0);
    dark_slow_delay, DARK, o => o.start_delay.quantile(0.99).unwrap_or(0.0);
    rebuffered, ALL, o => o.rebuffered;
    stalled, ALL, o => o.stalled_secs;
}

fn starts(o: &Outcome) -> f64 {
    o.ledger.starts as f64
}
fn sessions(o: &Outcome) -> f64 {
    o.ledger.sessions_first as f64
}
fn retries(o: &Outcome) -> f64 {
    o.ledger.retries as f64
}
fn since_fault(outcome: &Outcome, mark: Option<darkregion::units::Time>) -> f64 {
    let fault = outcome.marks.fault.expect("the drill has a fault");
    mark.map_or(1e6, |at| at.secs() - fault.secs())
}
fn detect(o: &Outcome) -> f64 {
    since_fault(o, o.marks.detect)
}
fn decide(o: &Outcome) -> f64 {
    since_fault(o, o.marks.decide)
}
fn shifted(o: &Outcome) -> f64 {
    since_fault(o, o.marks.shifted)
}
fn shifted_since_notice(o: &Outcome) -> f64 {
    120.0 + shifted(o)
}
fn isolated(o: &Outcome) -> f64 {
    let isolated = o
        .marks
        .phases
        .iter()
        .find(|(_, phase, _)| *phase == Phase::Isolation);
    since_fault(o, isolated.map(|(.., at)| *at))
}

const AMPLE: &[&str] = &["service.*.headroom=4", "edge.headroom=4"];
/// The edge dies with its region, and only DNS leads elsewhere.
const LOCAL: &[&str] = &[
    "edge.global=false",
    "device.*.fallback_after=0",
    "service.*.headroom=4",
    "edge.headroom=4",
];
/// A drill with notice.
const ANNOUNCED: &[&str] = &[
    "service.*.headroom=4",
    "edge.headroom=4",
    "fault[0].announced=2min",
    "policy.hold=20s",
];
/// An edge tries nothing twice.
const FIRST_ONLY: &[&str] = &[
    "service.*.headroom=4",
    "edge.headroom=4",
    "policy.edge_retry=false",
];
/// The survivors cannot carry all that viewers look at, and nobody tries again soon.
const CROWDED: &[&str] = &[
    "service.*.headroom=0.3",
    "device.*.attempts=1",
    "policy.edge_retry=false",
    "session.retry=10min",
    "request.look.rate=5/min",
];
/// Who fails tries the same again.
const STUBBORN: &[&str] = &[
    "service.*.headroom=4",
    "edge.headroom=4",
    "device.*.fallback_after=0",
    "device.*.retry_budget=inf",
];
/// The survivors cannot carry the load.
const TIGHT: &[&str] = &["service.*.headroom=0.2"];

macro_rules! moves {
    ($($policy:literal, $base:expr, [$($change:literal),*], $measure:ident, $low:literal .. $high:literal, $because:literal;)*) => {
        &[$(Move {
            policy: $policy,
            base: $base,
            change: &[$($change),*],
            measure: $measure,
            by: ($low, $high),
            because: $because,
        }),*]
    };
}

const DEMAND: &[Move] = moves! {
    "none", &[], ["demand=2"], starts, 1.98..2.02, "twice the demand";
    "none", &[], ["demand=2"], sessions, 1.95..2.05, "twice the sessions";
    "none", &[], ["market.north.starts=800/s"], starts, 1.31..1.35, "one market of three doubles";
    "none", &[], ["market.*.wave={amplitude=0.5,period='24min'}"], starts, 1.25..1.4, "the mean of 1 + sin/2 over half a period is 1 + 1/pi";
    "none", &[], ["market.*.profile=[1,0.5]"], starts, 0.9..1.0, "falls to a half over 12 hours";
    "none", &[], ["market.*.rtt=140ms"], median_delay, 1.3..20.0, "each round trip takes 100 ms more";
    "none", &[], ["session.length={exponential='20min'}"], sessions, 1.6..1.9, "690 s become 1,200 s";
    "none", &[], ["request.start.start=4"], busy, 1.05..1.15, "two more for each of 1,200 starts a second, beside 22,900";
    "none", &[], ["request.renew.every=30s"], requests, 1.4..2.0, "twice as many renewals";
    "none", &[], ["request.look.rate='5/min'"], requests, 3.0..6.0, "ten times as many looks";
    "none", &[], ["ambient.start_failure=0.02"], calm_failures, 3.5..4.5, "four times as likely";
    "none", &[], ["ambient.request_failure=0.002"], calm_errors, 5.0..10.0, "ten times as likely, beside failed starts";
    "none", &[], ["ambient.stall_rate='0.001/s'"], calm_stood, 1.7..2.1, "twice as often";
};

const SERVICES: &[Move] = moves! {
    "none", &[], ["service.*.headroom=1.4"], slots, 1.2..1.5, "2.4 / 1.6, the proxies apart";
    "none", &[], ["service.rights.time='16ms'"], busy, 1.05..1.4, "one of seven services takes twice as long";
    "none", &[], ["service.play.slots=4"], slots, 0.99..1.1, "half as many instances of twice the size";
    "none", &[], ["edge.time='40ms'"], median_latency, 1.8..8.0, "36 ms more for each request";
    "none", &[], ["edge.headroom=3"], slots, 1.02..1.8, "twice as many proxies";
    "none", &[], ["edge.slots=80"], slots, 1.0..1.3, "proxies are rounded up";
    "none", &[], ["service.titles.time='40ms'"], median_latency, 1.5..8.0, "38 ms more for each request";
    "flow-dark", TIGHT, ["service.*.dark=1"], dark_slots, 1.1..2.0, "dark capacity is called";
    "flow-dark", TIGHT, ["service.*.activation=300s"], dark_slots, 0.7..0.97, "dark capacity comes too late";
    "none", &[], ["service.store.time='300ms'"], store_busy, 5.0..11.0, "ten times as long";
    "none", &["service.rights.instances=3", "service.rights.slots=20"], ["region.ash.zone_weights=[2,1,1]"], calm_errors, 5.0..1e6, "43 busy slots: half of them do not fit into a third of 60";
    "none", &["service.*.headroom=0"], ["service.*.queue=0"], calm_errors, 1.1..1e6, "who would wait is refused";
};

const CALLS: &[Move] = moves! {
    "none", &[], ["service.browse.calls[1].count=20"], lookups, 4.5..5.5, "16,500 + 20 x 6,700 against 16,500 + 2 x 6,700 a second";
    "none", &[], ["service.play.calls[0].parallel=false"], median_latency, 1.02..2.0, "one after the other";
    "none", &["service.rights.time={exponential='200ms'}"], ["service.play.calls[1].timeout=300ms"], calm_errors, 2.0..1e6, "more calls take longer than 300 ms than 800 ms";
    "none", &["service.rights.time={exponential='200ms'}"], ["service.play.calls[1].attempts=1"], calm_errors, 2.0..1e6, "no second attempt";
    "none", &["service.advice.time={exponential='200ms'}"], ["service.browse.calls[2].timeout=100ms"], degraded, 1.5..10.0, "exp(-1/2) against exp(-3/2): 2.7 times";
};

const CONTROL: &[Move] = moves! {
    "flow", AMPLE, ["control.interval=20s"], detect, 1.5..2.5, "three checks at twice the interval";
    "flow", AMPLE, ["control.threshold=6"], detect, 1.7..2.5, "five intervals and a half, not two and a half";
    "flow", AMPLE, ["control.observers=1"], detect, 0.9..1.5, "the first failure of one, not the second of three";
    "flow", AMPLE, ["control.delay=40s"], isolated, 1.2..2.0, "that all proxies have the routes is known 30 s later";
    "flow", AMPLE, ["control.push=60s"], shifted, 1.5..4.0, "routes leave 57 s later";
    "flow", AMPLE, ["policy.decide=60s"], decide, 2.0..4.0, "somebody thinks for a minute";
    "flow", AMPLE, ["control.missed=0.5"], detect, 1.05..10.0, "half of the failures are not seen";
};

const DNS: &[Move] = moves! {
    "dns-only", LOCAL, ["dns.ttl=120s"], dark_unreachable, 1.2..3.0, "the mean age grows by 50 s";
    "dns-only", LOCAL, ["dns.propagation=60s"], dark_unreachable, 1.2..2.5, "54 s later";
    "dns-only", LOCAL, ["device.modern.pin=10min"], dark_unreachable, 1.3..5.0, "four of five re-read every 10 minutes";
    "dns-only", LOCAL, ["device.modern.violators.share=0.9"], dark_unreachable, 1.1..3.0, "most keep the old answer";
    "dns-only", LOCAL, ["device.modern.fallback_after=2"], dark_unreachable, 0.1..0.95, "after two failures another host is asked";
    "none", AMPLE, ["edge.global=false"], dark_unreachable, 2.0..1000.0, "a dead edge answers nobody";
    "flow", AMPLE, ["edge.poll=100s"], shifted, 1.3..4.0, "every proxy learns only after 100 s";
};

const CLIENTS: &[Move] = moves! {
    "none", AMPLE, ["device.*.attempts=1"], retries, 0.0..0.0, "no retries";
    "none", AMPLE, ["device.*.attempts=1"], dark_failed, 1.01..5.0, "some retries would have come after the end";
    "none", AMPLE, ["device.*.retry_budget=0.1"], retries, 0.02..0.6, "a tenth of the requests";
    "none", STUBBORN, ["device.*.attempts=6"], retries, 1.5..2.5, "five, not two, and some viewers leave";
    "none", AMPLE, ["device.*.backoff.base=4s"], dark_slow_delay, 1.0..100.0, "retries come later";
    "none", &["service.*.headroom=4", "edge.headroom=4", "request.look.rate=0/s"], ["session.buffer=20min"], rebuffered, 0.0..0.0, "longer than the fault";
    "none", &["session.buffer=5s"], ["session.resume=30s"], stalled, 1.01..1.06, "28 s of media more to wait for, at four times real time, after four minutes";
    "none", AMPLE, ["session.buffer=5s"], rebuffered, 1.05..5.0, "runs dry in seconds";
    "none", &["session.buffer=5s"], ["session.media=region"], rebuffered, 1.01..50.0, "no media from the dark region";
};

const CACHES: &[Move] = moves! {
    "none", &[], ["request.look.rate='5/min'"], lookups, 2.0..8.0, "looks ask twice";
    "none", &[], ["service.titles.calls[0].cache.capacity=4000"], misses, 1.5..10.0, "a quarter of the objects fits";
    "none", &[], ["service.titles.calls[0].cache.zipf=0.4"], misses, 1.2..10.0, "flatter popularity";
    "none", &[], ["service.titles.calls[0].cache.objects=200000"], misses, 1.5..10.0, "ten times as many objects";
    "flow", AMPLE, ["service.titles.calls[0].cache.common=1"], dark_misses, 0.1..0.95, "the moved market's objects are known";
    "flow", AMPLE, ["service.titles.calls[0].cache.ttl=20s"], misses, 1.1..50.0, "entries expire";
    "none", &[], ["service.titles.calls[0].cache.warm='0s'"], misses, 1.2..50.0, "empty at the beginning";
};

const POLICY: &[Move] = moves! {
    "flow", CROWDED, ["policy.shed=uniform"], dark_failed, 1.05..50.0, "starts are no longer spared";
    "edge-proxy", AMPLE, ["policy.edge_retry=false"], dark_errors, 3.0..1e6, "errors reach the client";
    "gradual-prewarmed", ANNOUNCED, ["policy.hold=5min"], shifted_since_notice, 1.05..1e6, "each stage is held for longer";
    "gradual-prewarmed", ANNOUNCED, ["policy.stages=[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1]"], shifted_since_notice, 1.05..1e6, "ten stages take longer than fewer";
    "flow", AMPLE, ["policy.route=[]"], dark_unreachable, 1.0..100.0, "nothing is moved";
    "edge-proxy", AMPLE, ["policy.eject_after=0"], dark_errors, 0.0..1e9, "proxies go on trying";
    "flow", AMPLE, ["policy.failover=false"], shifted, 1.5..1e6, "nothing is moved";
    "edge-proxy", FIRST_ONLY, ["policy.scope={devices=['modern']}"], dark_errors, 1.5..50.0, "a fifth of what enters goes on failing, for four minutes and not half of one";
};

/// Plain users at one region.
const SHOP: &str = r#"
format = 1
horizon = "12min"
region = [{ name = "east" }]
market = [{ name = "users", requests = "2000/s" }]
device = [{ name = "browser", share = 1 }]
service = [{ name = "shop", time = "10ms" }]
"#;

/// The region of the drill loses a zone, and does not go dark.
fn zone_lost() -> String {
    let zone = "[[fault]]\nkind = \"zone-loss\"\nregion = \"birch\"\nzone = 1\nat = \"3min\"\nfor = \"4min\"\n";
    format!("{PARTS}{zone}")
}

const PLAIN: &[Move] = moves! {
    "none", &["edge.handshake=50ms"], ["device.browser.think=10s"], busy, 0.17..0.20, "20 slots of the shop, 2 of the proxies, and 100 for handshakes, of which one in a hundred is left";
};

const ZONES: &[Move] = moves! {
    "none", LOCAL, ["edge.health.interval=60s"], dark_unreachable, 1.5..2.2, "found after 90 s and not 45, beside sessions that are cut off once";
    "none", LOCAL, ["edge.health.threshold=1"], dark_unreachable, 0.25..0.7, "found after 15 s and not 45, beside sessions that are cut off once";
    "none", AMPLE, ["fault[0].mode=hang"], dark_latency, 1.5..50.0, "who is answered all the same has waited for a timeout";
};

fn check(moves: &[Move]) {
    check_in(&drill(), moves);
}

fn check_in(text: &str, moves: &[Move]) {
    let value = |policy: &str, measure: Measure, sets: &[&str]| -> f64 {
        let simulator = Simulator::new(&scenario(text, Some(policy), sets));
        (0..2).map(|r| measure(&simulator.run(13, r))).sum()
    };
    let mut wrong = Vec::new();
    for m in moves {
        let all: Vec<&str> = m.base.iter().chain(m.change).copied().collect();
        let before = value(m.policy, m.measure, m.base);
        let after = value(m.policy, m.measure, &all);
        let factor = after / before;
        let (low, high) = m.by;
        if !(low..=high).contains(&factor) {
            wrong.push(format!(
                "{:?} under {}: {before} becomes {after}, times {factor:.4}, not {low} to {high} ({})",
                m.change, m.policy, m.because
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn demand_moves_what_is_asked() {
    check(DEMAND);
}
#[test]
fn services_move_capacity_and_latency() {
    check(SERVICES);
}
#[test]
fn calls_move_what_their_caller_answers() {
    check(CALLS);
}
#[test]
fn control_moves_the_times() {
    check(CONTROL);
}
#[test]
fn dns_and_the_edge_move_who_is_unreachable() {
    check(DNS);
}
#[test]
fn clients_move_retries_and_rebuffering() {
    check(CLIENTS);
}
#[test]
fn caches_move_their_misses() {
    check(CACHES);
}
#[test]
fn knobs_move_the_failover() {
    check(POLICY);
}
#[test]
fn plain_users_move_their_connections() {
    check_in(SHOP, PLAIN);
}
#[test]
fn a_lost_zone_moves_proxies_and_waits() {
    check_in(&zone_lost(), ZONES);
}
