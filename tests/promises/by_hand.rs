//! A scenario for each part as its page describes it, through the built program; what comes out is what
//! arithmetic by hand says.

use crate::program::{fresh, run};
use std::collections::BTreeMap;
use std::fs;

/// So many regions with a market each, plain requests, one attempt, and nothing that chance adds.
fn world(regions: &[&str], rate: &str) -> String {
    let mut text = String::from("format = 1\nhorizon = \"10min\"\nvariation.demand = 0\n");
    text += "variation.store = 0\nvariation.catalogue = 0\nedge.global = true\nedge.headroom = 4\n";
    for region in regions {
        text += &format!(
            "[[region]]\nname = \"{region}\"\nzones = 1\n[[market]]\nname = \"of {region}\"\n\
             near = [\"{region}\"]\nrequests = \"{rate}\"\n"
        );
    }
    text + "[[device]]\nname = \"plain\"\nshare = 1\nattempts = 1\n"
}

/// Measures of the only replication, by their names.
fn measures(text: &str, args: &[&str]) -> BTreeMap<String, f64> {
    let dir = fresh();
    fs::write(dir.path().join("hand.toml"), text).expect("written");
    let fixed = ["run", "hand.toml", "-n", "1", "--no-plots", "--out", "out"];
    let (code, _, told) = run(dir.path(), &[&fixed[..], args].concat());
    assert_eq!(code, Some(0), "{told}\n{text}");
    let table = fs::read_to_string(dir.path().join("out/replications.csv")).expect("written");
    let mut lines = table.lines();
    let names = lines.next().expect("names").split(',');
    let values = lines.next().expect("a row").split(',');
    let pairs = names.map(String::from).zip(values);
    pairs
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect()
}

fn near(found: f64, known: f64, within: f64, what: &str) {
    let off = (found - known).abs();
    assert!(
        off <= within * known.abs(),
        "{what}: {found}, by hand {known}"
    );
}

fn fault(kind: &str, keys: &str) -> String {
    format!("[[fault]]\nkind = \"{kind}\"\nat = \"2min\"\n{keys}\n")
}

/// Proxies that weigh next to nothing, so that CPU is that of services.
const SLIGHT: [&str; 8] = [
    "--set",
    "edge.headroom=0",
    "--set",
    "edge.time=0.001ms",
    "--set",
    "edge.handshake=0ms",
    "--set",
    "edge.slots=1",
];

const API: &str = "[[service]]\nname = \"api\"\nslots = 1\ntime = \"50ms\"\n";

/// With R regions each survivor carries R / (R - 1) of its own load.
#[test]
fn survivors_carry_what_the_lost_region_had() {
    let names = ["a", "b", "c"];
    for regions in [2, 3] {
        let text = world(&names[..regions], "2000/s")
            + API
            + "headroom = 3\n[policy]\nuse = \"edge-proxy\"\n"
            + &fault("region-dark", "region = \"a\"\nfor = \"8min\"");
        let found = measures(&text, &SLIGHT);
        let r = regions as f64;
        // 100 busy slots of 400 in each region.
        near(
            found["after(cpu)"] / found["before(cpu)"],
            r / (r - 1.0),
            0.04,
            "load of survivors",
        );
    }
}

/// A cache that hits with h sends 1 - h of its lookups on; empty, it sends all: 1 / (1 - h) times.
#[test]
fn a_flushed_cache_multiplies_the_load_of_its_store() {
    let text = world(&["a"], "1000/s")
        + API
        + "headroom = 3\ncalls = [{ to = \"store\", cache = { objects = 1e6, zipf = 0.9, warm = \"1h\", coalesce = false } }]\n\
           [[service]]\nname = \"store\"\nslots = 1\ntime = \"5ms\"\ninstances = 100\n"
        + &fault("cache-flush", "");
    let found = measures(&text, &["--set", "sample=1s", "--set", "edge.slots=1000"]);
    let hits = found["before(cache_hit_ratio)"];
    assert!((0.5..0.99).contains(&hits), "{hits}");
    // What the store is asked for is the misses, in every window.
    near(
        found["before(store)"],
        1000.0 * (1.0 - hits) * 0.005 / 100.0,
        0.03,
        "store before",
    );
    let during = found["during(cache_hit_ratio)"];
    near(
        found["during(store)"],
        1000.0 * (1.0 - during) * 0.005 / 100.0,
        0.05,
        "store after",
    );
    assert!(found["during(store)"] < found["before(store)"] / (1.0 - hits));
    assert!(found["during(store)"] > 1.5 * found["before(store)"]);
}

/// 100 items a second arrive and 80 are done: after t the oldest has waited for t / 5.
#[test]
fn a_backlog_grows_by_what_is_not_done() {
    let text = world(&["a"], "10/s")
        + API
        + "[[service]]\nname = \"mailer\"\nslots = 1\ntime = \"100ms\"\ninstances = 8\n\
           worker = { rate = \"100/s\" }\n[[request]]\nname = \"ask\"\nto = \"api\"\nstart = 1\n";
    let found = measures(&text, &[]);
    near(
        found["before(backlog_age)"],
        600.0 / 5.0,
        0.01,
        "age of the oldest item",
    );
}

/// Zuil's curve: with x the way from 80 % to a full pool, priorities above 100 (1 - x^3) are shed.
#[test]
fn shedding_follows_the_cubic_curve() {
    // 1,040 a second of 50 ms are 52 slots; 55 are there. Half of the requests are of each priority.
    let (offered, slots) = (52.0, 55.0);
    let text = world(&["a"], "1040/s")
        + API
        + "instances = 55\nqueue = 1000\n\
           [[request]]\nname = \"first\"\nto = \"api\"\nstart = 1\nshare = 0.5\npriority = 1\n\
           [[request]]\nname = \"second\"\nto = \"api\"\nstart = 1\nshare = 0.5\npriority = 2\n\
           [policy]\nuse = \"none\"\nshed = \"cubic\"\n";
    let found = measures(&text, &["--set", "edge.slots=1000"]);
    // The pool is found where what is shed holds it: by bisection.
    let shed = |busy: f64| {
        let x = ((busy / slots - 0.8) / 0.2).clamp(0.0, 1.0);
        ((100.0 - 100.0 * (1.0 - x * x * x)) / 50.0).min(1.0)
    };
    let (mut low, mut high) = (0.0, offered);
    for _ in 0..60 {
        let busy = 0.5 * (low + high);
        match offered * (1.0 - 0.5 * shed(busy)) > busy {
            true => low = busy,
            false => high = busy,
        }
    }
    near(
        found["before(error_rate)"],
        0.5 * shed(low),
        0.05,
        "share that is shed",
    );
}

/// A bucket of 20 launches that gains one a second: the last of 80 is launched after 60 s.
#[test]
fn launches_come_as_their_bucket_allows() {
    let redundant = |burst: &str, rate: &str| {
        let text = world(&["a"], "4000/s")
            + API
            + "headroom = 1\nboot = \"10s\"\nslow_start = \"0s\"\nhealth = { interval = \"5s\", threshold = 1 }\n\
               scaling = { interval = \"5s\", delay = \"0s\", cooldown_out = \"0s\", in = false }\n"
            + &fault("instance-kill", "count = 80\nservice = \"api\"");
        let (burst, rate) = (
            format!("launches.burst={burst}"),
            format!("launches.rate={rate}"),
        );
        measures(&text, &["--set", &burst, "--set", &rate])["redundant"]
    };
    let (slow, fast) = (redundant("20", "1/s"), redundant("1000", "1/s"));
    // Found out within 5 s, asked for at the next evaluation, booted in 10 s.
    assert!((10.0..=22.0).contains(&fast), "{fast}");
    // 60 of them wait for a launch each second; every evaluation of 5 s takes what has come.
    assert!((55.0..=65.0).contains(&(slow - fast)), "{slow} and {fast}");
}

/// A write to a quorum of three waits for the nearer of the two others.
#[test]
fn a_quorum_write_pays_the_way_to_the_majority() {
    let latency = |mode: &str| {
        let text = world(&["a", "b", "c"], "100/s")
            + "[[link]]\nbetween = [\"a\", \"b\"]\nrtt = \"40ms\"\n[[link]]\nbetween = [\"a\", \"c\"]\nrtt = \"90ms\"\n\
               [[link]]\nbetween = [\"b\", \"c\"]\nrtt = \"40ms\"\n"
            + API
            + "headroom = 9\n[[request]]\nname = \"ask\"\nto = \"api\"\nstart = 1\n[[domain]]\nname = \"d\"\nstore = { mode = \""
            + mode
            + "\" }\n";
        measures(&text, &[])["before(latency_p50)"]
    };
    // From each region another one is 40 ms away.
    near(
        latency("quorum") - latency("asynchronous"),
        0.040,
        0.08,
        "round trip to the majority",
    );
}

/// What was acknowledged within the lag is lost with its region, and nothing that is older.
#[test]
fn a_lag_is_what_a_loss_takes_with_it() {
    let text = world(&["a", "b"], "100/s")
        + API
        + "[[domain]]\nname = \"d\"\nstore = { mode = \"asynchronous\", lag = \"5s\" }\n"
        + &fault("region-dark", "region = \"a\"\nfor = \"2min\"");
    let found = measures(&text, &[]);
    near(found["rpo(d)"], 5.0, 1e-6, "rpo");
    // 100 writes a second for 5 s, within five standard deviations.
    near(found["lost_writes(d)"], 500.0, 0.23, "lost writes");
}

/// Hours times price.
#[test]
fn cost_is_instances_hours_gigabytes_times_prices() {
    let costs = |instances: u32| {
        let text = world(&["a", "b"], "100/s") + API + &format!("instances = {instances}\n");
        let prices = [
            "prices.reserved=0.1 USD/h",
            "prices.storage=0.073 USD/GB/month",
            "prices.stored_gb=500",
        ];
        let sets: Vec<&str> = prices.iter().flat_map(|set| ["--set", *set]).collect();
        measures(&text, &sets)
    };
    let (few, many) = (costs(10), costs(30));
    near(
        many["cost_reserved"] - few["cost_reserved"],
        2.0 * 20.0 * 0.1,
        1e-9,
        "reserved",
    );
    // A month has 730 hours: 2 regions x 500 GB x 0.0001.
    near(few["cost_storage"], 0.1, 1e-9, "storage");
}

/// `headroom = h` leaves a CPU of 1 / (1 + h) at the busiest hour.
#[test]
fn headroom_says_how_busy_a_pool_is() {
    for headroom in [0.5, 1.0, 3.0] {
        let text = world(&["a"], "4000/s") + API + &format!("headroom = {headroom}\n");
        let found = measures(&text, &SLIGHT);
        near(found["before(cpu)"], 1.0 / (1.0 + headroom), 0.02, "cpu");
    }
}

/// Balancers refuse what is beyond their limit; a link loses what is beyond its capacity.
#[test]
fn what_does_not_fit_is_refused() {
    let text = world(&["a"], "1000/s")
        + API
        + "headroom = 1\n[balancer]\nlimit = \"800/s\"\nscale_after = \"1h\"\n";
    near(
        measures(&text, &[])["before(unreachable_rate)"],
        0.2,
        0.02,
        "1 - 800 / 1000",
    );
    // 1,000 requests a second of 10 kB each are 10 MB/s, of which 4 MB/s pass.
    let text = world(&["a", "b"], "1000/s")
        + "[[link]]\nbetween = [\"a\", \"b\"]\nrtt = \"10ms\"\ncapacity = \"4 MB/s\"\n"
        + API
        + "headroom = 3\ncalls = [{ to = \"ledger\" }]\n[[service]]\nname = \"ledger\"\nregions = [\"b\"]\n\
           slots = 1\ntime = \"5ms\"\nheadroom = 3\nbytes = \"10 kB\"\n";
    // Half of all requests come from a.
    near(
        measures(&text, &[])["before(error_rate)"],
        0.5 * 0.6,
        0.02,
        "1 - 4 / 10, of a half",
    );
}

/// A lost zone of three fails a third until it is found out; a share of errors fails that share.
#[test]
fn what_dies_fails_its_share() {
    let text = world(&["a"], "3000/s").replace("zones = 1", "zones = 3")
        + API
        + "headroom = 2\nhealth = { interval = \"60s\", threshold = 3 }\n"
        + &fault("zone-loss", "region = \"a\"\nzone = 1\nfor = \"2min\"");
    near(
        measures(&text, &[])["during(error_rate)"],
        1.0 / 3.0,
        0.02,
        "a zone of three",
    );
    let text = world(&["a"], "3000/s")
        + API
        + "headroom = 2\n"
        + &fault(
            "gray-failure",
            "service = \"api\"\nerrors = 0.25\nfor = \"2min\"",
        );
    let found = measures(&text, &[]);
    near(found["during(error_rate)"], 0.25, 0.02, "a share of errors");
    // 3,000 a second for 2 min, a quarter of them; the budget of 99.99 % in 30 days.
    near(
        found["failed_starts"],
        0.25 * 3000.0 * 120.0,
        0.02,
        "failed starts",
    );
    let month = 3000.0 * 30.0 * 86_400.0 * 1e-4;
    near(
        found["error_budget_spent"],
        found["failed_starts"] / month,
        0.01,
        "error budget",
    );
    near(
        found["availability"],
        1.0 - 0.25 * 120.0 / 600.0,
        0.001,
        "availability",
    );
}

/// Probes every 10 s, three failures, one observer that sees all: found out after 20 to 30 s.
#[test]
fn detection_takes_threshold_times_interval() {
    let text = world(&["a", "b"], "100/s")
        + API
        + "[control]\nobservers = 1\ninterval = \"10s\"\nthreshold = 3\n[policy]\nuse = \"edge-proxy\"\n"
        + &fault("region-dark", "region = \"a\"\nfor = \"5min\"");
    let detect = measures(&text, &[])["detect"];
    assert!((20.0..=30.0).contains(&detect), "{detect}");
}
