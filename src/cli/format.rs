//! What standard output gets.

use crate::cli::failure::Failure;
use clap::ValueEnum;
use serde::Serialize;

/// What standard output gets, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people
    #[default]
    Text,
    /// JSON
    Json,
    /// Markdown, to be pasted
    Markdown,
}

/// Something as indented JSON with a line end.
///
/// # Errors
///
/// If it cannot be said in JSON.
pub fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| Failure::Bug(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A row of a table in Markdown.
pub fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| cell.replace('|', "\\|").replace('\n', "<br>"))
        .collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The head of such a table.
pub fn head(names: &[&str]) -> String {
    row(names) + &row(&vec!["---"; names.len()])
}
