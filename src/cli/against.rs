//! `--against`: the summary of an earlier run.

use crate::cli::failure::Failure;
use crate::cli::load;
use crate::problem::{Place, Problem};
use crate::report;
use crate::study::{self, Against, Summary};
use serde_json::Value;
use std::path::Path;

/// A summary that was read.
pub struct Saved {
    path: String,
    value: Value,
}

/// Reads a summary that variants of these names are to be compared with.
///
/// # Errors
///
/// If it cannot be read, is not a summary, or has none of these variants.
pub fn read(path: &Path, names: &[&str]) -> Result<Saved, Failure> {
    let path = path.display().to_string();
    let text = load::read_result(&path)?;
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        wrong(
            &path,
            (error.line(), error.column()),
            "is not JSON".to_string(),
            "name the summary.json of an earlier run".to_string(),
        )
    })?;
    study::saved_variants(&value)
        .and_then(|saved| {
            if names.iter().any(|name| saved.contains(name)) {
                return Ok(());
            }
            Err((
                "has none of this run's variants".to_string(),
                format!("it has {}, this run {}", saved.join(", "), names.join(", ")),
            ))
        })
        .map_err(|(message, hint)| wrong(&path, (0, 0), message, hint))?;
    Ok(Saved { path, value })
}

impl Saved {
    /// How a result differs from it.
    ///
    /// # Errors
    ///
    /// If it is not a summary, or has nothing in common with the result.
    pub fn compare(&self, summary: &Summary) -> Result<Against, Failure> {
        let new = report::summary(summary, None);
        let new = serde_json::from_slice(&new).map_err(|error| Failure::Bug(error.to_string()))?;
        study::against(&self.value, &new)
            .map_err(|(message, hint)| wrong(&self.path, (0, 0), message, hint))
    }
}

fn wrong(path: &str, (line, column): (usize, usize), message: String, hint: String) -> Failure {
    let problem = Problem {
        place: Place {
            file: path.to_string(),
            line,
            column,
        },
        message,
        hint,
        ..Problem::default()
    };
    Failure::Input(problem.into())
}
