//! Scenarios that the promises are tried on: small enough to run in milliseconds, with every part
//! of the model in them.

use darkregion::model::observation::Observation;
use darkregion::model::outcome::{Outcome, Window};
use darkregion::model::scenario::Scenario;
use darkregion::policies;
use darkregion::scenario::{Document, Layer, PolicyArg};
use darkregion::simulate::Simulator;

/// Many small instances, so that a headroom of a few percent is not lost in rounding. Three unlike regions, three markets, priorities, caches, a store, sessions; no fault.
pub const PARTS: &str = r#"
format = 1
horizon = "12min"

[[region]]
name = "ash"
zones = 3

[[region]]
name = "birch"
zones = 2

[[region]]
name = "cedar"
zones = 3

[[link]]
between = ["ash", "birch"]
rtt = "60ms"

[[link]]
between = ["ash", "cedar"]
rtt = "80ms"

[[market]]
name = "north"
near = ["ash", "birch", "cedar"]
starts = "400/s"
rtt = "30ms"

[[market]]
name = "middle"
near = ["birch", "cedar", "ash"]
starts = "400/s"
rtt = "40ms"

[[market]]
name = "south"
near = ["cedar", "ash", "birch"]
starts = "400/s"
rtt = "50ms"

[[device]]
name = "modern"
share = 0.8
fallback_after = 2

[[device]]
name = "sticky"
share = 0.15
pin = "5min"
violators = { share = 0.1 }
retry_budget = 0.2

[[device]]
name = "legacy"
share = 0.05
direct = true

[dns]
ttl = "20s"
propagation = { uniform = ["2s", "10s"] }
resolvers = 40

[edge]
global = true
slots = 8
time = { lognormal = { median = "4ms", p99 = "12ms" } }

[[service]]
name = "play"
slots = 2
headroom = 0.6
calls = [
  { to = "who", timeout = "500ms" },
  { to = "rights", critical = true, timeout = "800ms", attempts = 2 },
  { to = "titles", timeout = "800ms" },
]

[[service]]
name = "browse"
slots = 1
headroom = 0.6
calls = [
  { to = "who", timeout = "500ms" },
  { to = "titles", count = 2, timeout = "800ms" },
  { to = "advice", fallback = "default rows", timeout = "300ms" },
]

[[service]]
name = "who"
slots = 1
headroom = 0.6
dark = 0.2
time = "3ms"

[[service]]
name = "rights"
slots = 1
headroom = 0.6
time = { exponential = "8ms" }

[[service]]
name = "advice"
slots = 1
headroom = 0.6
time = { lognormal = { median = "20ms", p99 = "70ms" } }

[[service]]
name = "titles"
slots = 1
headroom = 0.6
time = "2ms"
calls = [
  { to = "store", timeout = "800ms", cache = { objects = 20_000, zipf = 0.9, capacity = 15_000, warm = "24h" } },
]

[[service]]
name = "store"
slots = 1
headroom = 2.0
time = { exponential = "30ms" }

[[request]]
name = "start"
to = "play"
start = 2
priority = 1

[[request]]
name = "renew"
to = "play"
every = "60s"
renews = true
priority = 1

[[request]]
name = "look"
to = "browse"
rate = "0.5/min"
priority = 2

[[request]]
name = "again"
to = "play"
on = "reconnect"
priority = 1

[[request]]
name = "rights again"
to = "play"
on = "region-change"
priority = 1

[session]
length = { mixture = [{ share = 0.5, of = { exponential = "3min" } }, { share = 0.5, of = { exponential = "20min" } }] }
buffer = { uniform = ["20s", "100s"] }

[ambient]
start_failure = 0.005
request_failure = 0.0002
stall_rate = "0.0005/s"
stall = "5s"

[[objective]]
sli = "stream_start_success"
target = ">= 99 %"

[[objective]]
sli = "rebuffer_rate"
target = "< 2 %"
"#;

/// A region goes dark for four minutes, three minutes after the beginning.
pub const FAULT: &str = r#"
[[fault]]
kind = "region-dark"
region = "birch"
at = "3min"
for = "4min"
"#;

/// The parts and the fault.
pub fn drill() -> String {
    format!("{PARTS}{FAULT}")
}

/// Loads a text with a policy or strategy (or the text's own) and assignments laid over it.
pub fn document(text: &str, policy: Option<&str>, sets: &[&str]) -> Document {
    Document::load(
        "given",
        Layer::file("given.toml", text, None),
        policy.map(|name| PolicyArg::Name(name.to_string())),
        sets.iter().map(|set| Layer::set(set)).collect(),
    )
    .unwrap_or_else(|problems| panic!("{sets:?}: {problems}"))
}

/// The scenario of [`document`].
pub fn scenario(text: &str, policy: Option<&str>, sets: &[&str]) -> Scenario {
    document(text, policy, sets).scenario().clone()
}

/// Observations of all regions over the windows within `[from, until]`, in seconds.
pub fn over(outcome: &Outcome, from: f64, until: f64) -> Observation {
    let mut merged = Observation::default();
    for window in &outcome.windows {
        if window.from.secs() >= from && window.until.secs() <= until {
            merged.merge(&window.global);
        }
    }
    merged
}

/// Runs replication 0 of [`scenario`].
pub fn outcome(text: &str, policy: Option<&str>, sets: &[&str]) -> Outcome {
    Simulator::new(&scenario(text, policy, sets)).run(1, 0)
}

/// Names of all policies, and of the strategies.
pub fn policy_names() -> Vec<&'static str> {
    let names = policies::all().iter().map(|policy| policy.name());
    names.chain(["flow-dark"]).collect()
}

/// Panics where two rows of windows differ in a bit, with the first that does.
pub fn assert_same_windows(a: &[Window], b: &[Window], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}: number of windows");
    for (a, b) in a.iter().zip(b) {
        let same = a.from == b.from
            && a.until == b.until
            && a.demand.to_bits() == b.demand.to_bits()
            && a.regions == b.regions
            && a.global == b.global;
        if !same {
            let say = |w: &Window| {
                let all = w.regions.iter().chain([&w.global]);
                all.map(|o| format!("{o:#?}")).collect::<String>()
            };
            let (left, right) = (say(a), say(b));
            let differ = left.lines().zip(right.lines()).filter(|(l, r)| l != r);
            let differ: Vec<String> = differ.take(6).map(|(l, r)| format!("{l} |{r}")).collect();
            panic!(
                "{what}: windows from {} differ:\n{}",
                a.from,
                differ.join("\n")
            );
        }
    }
}

/// Mean and half-width of a 99.9 % interval of the mean, of independent values.
pub fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    (mean, 3.55 * (variance / n).sqrt())
}
