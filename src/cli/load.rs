//! From arguments to loaded scenarios.

use crate::cli::failure::Failure;
use crate::problem::{Place, Problem, nearest};
use crate::scenario::{Kind, Layer, builtin, builtins};
use std::io::Read;
use std::path::{Path, PathBuf};

mod variants;

pub use variants::{Overlays, variants};

/// Bytes that are read of a file, at most: a little more than a scenario may have, so that a longer
/// one is still seen to be too long.
const MOST_BYTES: u64 = 10_000_001;
/// The same of a manifest or a summary.
const MOST_RESULT_BYTES: u64 = 1 << 30;

/// A scenario's text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name of the scenario.
    pub name: String,
    /// What messages call the file.
    pub file: String,
    /// The text.
    pub text: String,
    dir: Option<PathBuf>,
}

impl Source {
    /// The text as the lowest layer.
    pub fn layer(&self) -> Layer {
        Layer::file(&self.file, &self.text, self.dir.as_deref())
    }
}

/// Whether an argument is a path, and not the name of something built in.
pub fn is_path(argument: &str) -> bool {
    argument == "-" || argument.contains('/') || argument.ends_with(".toml")
}

/// Reads what an argument names: a path, `-` for standard input, or a built-in scenario.
///
/// # Errors
///
/// If it cannot be read, or nothing is called so.
pub fn source(argument: &str) -> Result<Source, Failure> {
    if is_path(argument) {
        return Ok(Source {
            name: match argument {
                "-" => "stdin".to_string(),
                path => stem(path),
            },
            file: argument.to_string(),
            text: read(argument)?,
            dir: dir_of(argument),
        });
    }
    let known = builtins().iter().find(|b| b.name == argument);
    match known.map_or(builtin(argument), |known| Some(known.text)) {
        Some(_) if known.is_some_and(|known| known.kind == Kind::Strategy) => Err(Failure::input(
            format!("{argument} is a strategy, not a scenario"),
            format!("darkregion run chaos-kong -p {argument}"),
        )),
        Some(text) => Ok(Source {
            name: argument.to_string(),
            file: argument.to_string(),
            text: text.to_string(),
            dir: None,
        }),
        None => Err(unknown_scenario(argument)),
    }
}

fn unknown_scenario(argument: &str) -> Failure {
    let scenarios = || {
        let scenarios = builtins().iter().filter(|b| b.kind == Kind::Scenario);
        scenarios.map(|b| b.name)
    };
    let hint = match nearest(argument, scenarios()) {
        Some(name) => format!("did you mean {name}?"),
        None => {
            let names: Vec<&str> = scenarios().collect();
            format!(
                "built in: {}; a file's name has a / or ends in .toml",
                names.join(", ")
            )
        }
    };
    Failure::input(format!("there is no scenario {argument:.60?}"), hint)
}

/// Reads a text file, `-` for standard input.
///
/// # Errors
///
/// If it cannot be read or is not text.
pub fn read(path: &str) -> Result<String, Failure> {
    let bytes = bytes(path, MOST_BYTES)?;
    text(path, bytes)
}

/// Reads what a run has written: it holds every variant, so that it may be much longer than what a user
/// writes.
///
/// # Errors
///
/// As [`read`], and if it is longer than a run writes.
pub fn read_result(path: &str) -> Result<String, Failure> {
    let bytes = bytes(path, MOST_RESULT_BYTES + 1)?;
    if bytes.len() as u64 > MOST_RESULT_BYTES {
        return Err(Failure::input(
            format!("{path} is larger than {} MB", MOST_RESULT_BYTES >> 20),
            "name a file that a run has written",
        ));
    }
    text(path, bytes)
}

fn bytes(path: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => std::io::stdin().take(most).read_to_end(&mut bytes),
        path => std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    if let Err(error) = read {
        return Err(Failure::file(Path::new(path), "cannot be read", &error));
    }
    Ok(bytes)
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let problem = Problem {
            place: Place {
                file: path.to_string(),
                ..Place::default()
            },
            message: format!(
                "is not text: byte {} is not UTF-8",
                error.utf8_error().valid_up_to()
            ),
            hint: "save it as UTF-8".to_string(),
            ..Problem::default()
        };
        Failure::Input(problem.into())
    })
}

fn stem(path: &str) -> String {
    let stem = Path::new(path).file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn dir_of(path: &str) -> Option<PathBuf> {
    let parent = Path::new(path).parent()?;
    (!parent.as_os_str().is_empty()).then(|| parent.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_path_and_a_near_miss() {
        assert!(is_path("a/b") && is_path("x.toml") && is_path("-"));
        assert!(!is_path("chaos-kong"));
        let failure = source("chaos-kng").unwrap_err();
        let Failure::Input(problems) = failure else {
            panic!("a wrong name is wrong input: {failure:?}");
        };
        assert_eq!(problems.0[0].hint, "did you mean chaos-kong?");
        assert!(matches!(source("no/such.toml"), Err(Failure::Files(_))));
    }
}
