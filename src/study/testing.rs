//! Plans and simulators by hand, for tests.

use crate::model::outcome::Outcome;
use crate::model::policy::Phase;
use crate::model::scenario::Scenario;
use crate::objectives::testing::{outcome, within};
use crate::scenario::{Document, Layer};
use crate::study::{Plan, Simulates, Variant, Watch};
use crate::units::Time;
use std::sync::atomic::{AtomicU64, Ordering};

/// Fits the outcomes of [`crate::objectives::testing`].
const SCENARIO: &str = r#"
format = 1
title = "By hand"
horizon = "40min"

[[region]]
name = "east"

[[region]]
name = "west"

[[market]]
name = "viewers"
starts = "20/s"

[[fault]]
kind = "region-dark"
region = "east"
at = "10min"
for = "20min"

[[objective]]
sli = "eligible_start_success"
target = ">= 99 %"

[[hypothesis]]
name = "recovers"
claim = "rto <= 3min"
in = 0.5

[[hypothesis]]
name = "the west stands"
claim = "during(eligible_start_success[west]) >= 99 % and toppled = 0"
in = 0.5
"#;

/// A plan with variants of these names, and this laid over the scenario.
pub fn plan(names: &[&str], replications: u64, sets: &[&str]) -> Plan {
    let document = || {
        let base = Layer::file("by-hand.toml", SCENARIO, None);
        let sets = sets.iter().map(|set| Layer::set(set)).collect();
        Document::load("by-hand", base, None, sets).expect("a valid scenario")
    };
    let variants = names.iter().map(|name| Variant::new(name, document()));
    Plan {
        variants: variants.collect(),
        seed: 7,
        replications,
    }
}

/// The later the variant and the higher the replication's number, the longer a tenth of all starts
/// fails; in every eleventh replication it does not stop.
pub struct Fake;

impl Simulates for Fake {
    fn run(&self, variant: usize, _: &Scenario, replication: u64) -> Outcome {
        let lasting = match replication % 11 {
            10 => 2400.0,
            k => 10.0 * (k as f64 + variant as f64),
        };
        let failing = 0.1 + 0.001 * (replication % 7) as f64;
        let mut outcome = outcome(|from| {
            let broken = within(from, &[(600.0, 600.0 + lasting)]);
            [if broken { failing } else { 0.0 }, 0.0]
        });
        outcome.marks.detect = Some(Time::from_secs(630.0));
        outcome.marks.shifted = Some(Time::from_secs(650.0 + replication as f64));
        let phase = (0, Phase::RouteShift, Time::from_secs(631.0));
        outcome.marks.phases.push(phase);
        outcome.digest = replication;
        outcome
    }
}

/// Cancels when so many are done.
pub struct CancelAfter {
    most: u64,
    done: AtomicU64,
}

impl CancelAfter {
    pub fn new(most: u64) -> CancelAfter {
        CancelAfter {
            most,
            done: AtomicU64::new(0),
        }
    }

    pub fn never() -> CancelAfter {
        CancelAfter::new(u64::MAX)
    }

    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

impl Watch for CancelAfter {
    fn finished(&self, done: u64) {
        self.done.fetch_max(done, Ordering::Relaxed);
    }
    fn cancelled(&self) -> bool {
        self.done() >= self.most
    }
}
