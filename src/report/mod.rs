//! What a study says, as pages of bytes. Nothing here reads a file, writes one or looks at a clock,
//! so equal studies give equal pages; only the [manifest] holds what may differ.
//!
//! | page | module |
//! |---|---|
//! | `summary.json` | `json` |
//! | `replications.csv`, `timeline.csv`, `events.csv` | `csv` |
//! | `*.svg` (feature `cli`) | `plots` |
//! | sentences on comparisons | `sentence` |
//! | `manifest.json` | [`manifest`] |
//! | what the terminal shows (feature `cli`) | `terminal` |

mod csv;
pub mod figure;
mod json;
pub mod manifest;
#[cfg(feature = "cli")]
mod plots;
mod sentence;
#[cfg(feature = "cli")]
pub mod terminal;
#[cfg(all(test, feature = "cli"))]
mod tests;

use crate::model::outcome::Outcome;
#[cfg(feature = "cli")]
use crate::model::scenario::Scenario;
use crate::study::{Plan, Study, Summary};

pub use json::summary;

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Name of the file.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Page {
    fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Page {
        Page {
            name: name.into(),
            bytes: bytes.into(),
        }
    }
}

/// All that reports draw on.
pub struct Findings<'a> {
    /// What was simulated.
    pub plan: &'a Plan,
    /// What the replications left.
    pub study: &'a Study,
    /// What they say together.
    pub summary: &'a Summary,
    /// The worst replication of each variant, simulated again; `None` where there is none.
    pub worst: &'a [Option<Outcome>],
}

/// The pages of a study that hold data: equal for equal studies.
pub fn data(findings: &Findings) -> Vec<Page> {
    vec![
        Page::new("summary.json", json::summary(findings.summary, None)),
        Page::new("replications.csv", csv::replications(findings)),
        Page::new("timeline.csv", csv::timeline(findings)),
        Page::new("events.csv", csv::events(findings)),
    ]
}

/// The pictures of a study, SVG.
#[cfg(feature = "cli")]
pub fn pictures(findings: &Findings) -> Vec<Page> {
    plots::pages(findings)
}

/// The same pictures as PNG.
#[cfg(feature = "cli")]
pub fn raster(pictures: &[Page]) -> Vec<Page> {
    plots::raster(pictures)
}

/// The SLI that stands for what viewers see: that of the first objective.
#[cfg(feature = "cli")]
fn shown_sli(scenario: &Scenario) -> &str {
    let objective = scenario.objectives.first();
    objective.map_or("stream_start_success", |o| &o.threshold.sli)
}

/// Every name that a page can have, the manifest's too.
#[cfg(feature = "cli")]
pub fn names() -> Vec<String> {
    let data = [
        "summary.json",
        "replications.csv",
        "timeline.csv",
        "events.csv",
        manifest::NAME,
    ];
    data.map(String::from)
        .into_iter()
        .chain(plots::names())
        .collect()
}
