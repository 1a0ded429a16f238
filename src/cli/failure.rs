//! What ends a verb early.

use crate::problem::{Problem, Problems};
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Why a verb ended early.
#[derive(Debug)]
pub enum Failure {
    /// The input is wrong.
    Input(Problems),
    /// A file could not be read or written.
    Files(String),
    /// Nobody reads standard output any more.
    ClosedPipe,
    /// The program itself is wrong.
    Bug(String),
}

impl Failure {
    /// A mistake that has no place in a file.
    pub fn input(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        let problem = Problem {
            message: message.into(),
            hint: hint.into(),
            ..Problem::default()
        };
        Failure::Input(problem.into())
    }

    /// A file with which something could not be done.
    pub fn file(path: &Path, what: &str, error: &std::io::Error) -> Failure {
        Failure::Files(format!("{}: {what}: {error}", path.display()))
    }

    /// Says it on standard error and gives the exit code.
    pub fn report(&self) -> u8 {
        match self {
            Failure::Input(problems) => complain(&problems.to_string()),
            Failure::Files(message) => complain(&format!("error: {message}")),
            Failure::Bug(message) => complain(&format!("bug in the program: {message}")),
            Failure::ClosedPipe => {}
        }
        match self {
            Failure::Input(problems) => code(&problems.0),
            Failure::Files(_) => 3,
            Failure::ClosedPipe => 0,
            // As a panic, which it was.
            Failure::Bug(_) => 101,
        }
    }
}

/// The exit code of mistakes: that of files where nothing else is wrong than that some could not be read.
pub fn code(problems: &[Problem]) -> u8 {
    match !problems.is_empty() && problems.iter().all(|problem| problem.unreadable) {
        true => 3,
        false => 2,
    }
}

/// Writes lines to standard error; when that is closed there is nobody to tell.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes to standard output.
///
/// # Errors
///
/// If that cannot be written to.
pub fn say(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::ClosedPipe,
        _ => Failure::Files(format!("standard output cannot be written: {error}")),
    })
}
