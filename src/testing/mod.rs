//! Property tests: arbitrary valid scenarios, arbitrary telemetry, and what every policy promises.
//! With feature `proptest` alone.
//!
//! A policy of one's own is tested like this, with `#[test]` above the function:
//!
//! ```
//! use darkregion::testing::{assert_promises, memories, telemetries};
//! use proptest::prelude::*;
//! # struct Mine;
//! # impl darkregion::model::policy::Policy for Mine {
//! #     fn name(&self) -> &'static str { "mine" }
//! #     fn summary(&self) -> &'static str { "waits" }
//! #     fn knobs(&self) -> darkregion::model::policy::Knobs { Default::default() }
//! # }
//!
//! proptest! {
//!     fn mine_keeps_the_promises(known in telemetries(), memory in memories()) {
//!         assert_promises(&Mine, &darkregion::model::policy::Policy::knobs(&Mine), &known, &memory);
//!     }
//! }
//! # fn main() { mine_keeps_the_promises() }
//! ```
//!
//! Scenarios are texts, so that a case that fails can be saved and run:
//!
//! ```
//! use darkregion::scenario::{Document, Layer};
//! use darkregion::testing::scenarios;
//! use proptest::{prelude::*, test_runner::Config};
//!
//! proptest!(Config::with_cases(5), |(text in scenarios())| {
//!     let loaded = Document::load("mine", Layer::file("mine.toml", &text, None), None, vec![]);
//!     prop_assert!(loaded.is_ok());
//! });
//! ```

mod faults;
mod layout;
mod policy;
mod promises;
mod services;
mod tape;
mod telemetry;

pub use promises::{Promise, assert_promises, broken_promise};
pub use telemetry::{actions, knobs, memories, telemetries, telemetries_of};

use proptest::prelude::*;
use tape::Tape;

/// Most choices of each part of a scenario.
const MOST_CHOICES: usize = 160;

/// Texts of valid scenarios with every part of the model in them: one to four regions, sessions or plain
/// requests, a graph of services, domains, every kind of fault, every policy and its knobs. Small rates and
/// a few minutes, so that a run takes milliseconds. They shrink to the smallest scenario.
pub fn scenarios() -> impl Strategy<Value = String> + Clone {
    let choices = || proptest::collection::vec(any::<u16>(), 0..MOST_CHOICES);
    [choices(), choices(), choices(), choices()].prop_map(|choices| {
        let [layout, services, faults, policy] = choices.map(Tape::new);
        write(layout, services, faults, policy)
    })
}

fn write(mut layout: Tape, mut services: Tape, mut faults: Tape, mut policy: Tape) -> String {
    let mut names = Names::default();
    let mut text = layout::write(&mut layout, &mut names);
    text += &services::write(&mut services, &mut names);
    text += &faults::write(&mut faults, &names);
    text += &policy::write(&mut policy, &names);
    text
}

/// What the parts of a scenario can refer to.
#[derive(Default)]
struct Names {
    regions: Vec<&'static str>,
    zones: Vec<usize>,
    markets: Vec<&'static str>,
    devices: Vec<&'static str>,
    services: Vec<&'static str>,
    requests: Vec<&'static str>,
    domains: Vec<&'static str>,
    plain: bool,
}

/// `["a", "b"]`.
fn list(names: &[&str]) -> String {
    format!("{names:?}")
}
