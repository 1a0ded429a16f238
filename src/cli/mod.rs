//! The program: a thin shell over the library. One file per verb holds its arguments and what it
//! does; what verbs share is beside them.
//!
//! | module | what it holds |
//! |---|---|
//! | `run`, `compare`, `check`, `list`, `show`, `verify` | the verbs |
//! | `load` | from an argument to a loaded scenario |
//! | `conduct` | from a plan to a finished study, with progress and Ctrl-C |
//! | `cross` | `verify --cross` |
//! | `computing` | in which fidelity, and how much of the scenario |
//! | `output` | the only place that writes files |
//! | `against` | the summary of an earlier run |
//! | `format` | what standard output gets |
//! | `failure` | what ends a verb early, and its exit code |

mod against;
mod check;
mod compare;
mod computing;
mod conduct;
mod cross;
mod failure;
mod format;
mod interrupt;
mod list;
mod load;
mod output;
mod policy_file;
mod precise;
mod progress;
mod repeat;
mod run;
mod show;
mod verify;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Simulates what viewers see when a region goes dark, and how a failover policy copes.
#[derive(Parser)]
#[command(
    name = "darkregion",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Without a verb: runs the built-in scenario chaos-kong.\n\
        Exit codes: 0 every hypothesis passes, 1 one fails, 4 too few replications to tell, \
        2 the input is wrong, 3 files could not be read or written, 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: run::Flags,
}

#[derive(Subcommand)]
enum Verb {
    /// Runs many replications of a scenario under one or more policies or strategies
    Run(run::Args),
    /// Runs variants of a scenario and compares each with the first, replication by replication
    Compare(compare::Args),
    /// Finds all mistakes in scenarios, warns of what looks wrong, says what faults will hit
    Check(check::Args),
    /// Lists what is built in
    List(list::Args),
    /// Prints something built in, to be saved and edited; or the inputs that are guesses
    Show(show::Args),
    /// Runs cases whose results are known through the simulator and compares
    Verify(verify::Args),
}

/// Runs the program with the process' arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help into a closed pipe is nobody's problem.
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    let done = match cli.verb {
        None => run::run(None, &cli.run, run::Told::Alone),
        Some(Verb::Run(args)) => run::run(args.scenario.as_deref(), &args.flags, run::Told::Alone),
        Some(Verb::Compare(args)) => compare::compare(&args),
        Some(Verb::Check(args)) => check::check(&args),
        Some(Verb::List(args)) => list::list(&args),
        Some(Verb::Show(args)) => show::show(&args),
        Some(Verb::Verify(args)) => verify::verify(&args),
    };
    ExitCode::from(done.unwrap_or_else(|failure| failure.report()))
}
