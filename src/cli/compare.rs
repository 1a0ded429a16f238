//! `compare`: a run, and every variant against the first.

use crate::cli::failure::Failure;
use crate::cli::run::{self, Flags, Told};

/// Arguments of `compare`.
#[derive(clap::Args)]
pub struct Args {
    /// Built-in scenario, file, or - for standard input; the manifest.json of a run repeats it
    pub scenario: String,
    #[command(flatten)]
    /// How it is run.
    pub flags: Flags,
}

/// Runs a scenario and compares its variants.
pub fn compare(args: &Args) -> Result<u8, Failure> {
    run::run(Some(&args.scenario), &args.flags, Told::Compared)
}
