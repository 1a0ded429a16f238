//! `summary.json`.

use crate::study::Summary;

/// The summary as JSON, indented, with a line end.
pub fn summary(summary: &Summary) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(summary)
        .expect("a summary has text keys and finite numbers, which JSON can hold");
    bytes.push(b'\n');
    bytes
}
