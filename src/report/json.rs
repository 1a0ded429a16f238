//! `summary.json`.

use crate::report::sentence::sentence;
use crate::study::{Against, Comparison, Summary};
use serde::Serialize;

/// A summary with its comparisons in words.
#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    comparisons: Vec<Told<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'a Against>,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    sentence: String,
}

/// The summary as JSON, indented, with a line end; also against a saved one.
pub fn summary(summary: &Summary, against: Option<&Against>) -> Vec<u8> {
    let comparisons = summary.comparisons.iter().map(|comparison| Told {
        comparison,
        sentence: sentence(comparison),
    });
    let page = Page {
        summary,
        comparisons: comparisons.collect(),
        against,
    };
    let mut bytes = serde_json::to_vec_pretty(&page)
        .expect("a summary has text keys and finite numbers, which JSON can hold");
    bytes.push(b'\n');
    bytes
}
