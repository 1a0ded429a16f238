//! `verify`: known results against the simulator.

use crate::cli::cross;
use crate::cli::failure::{Failure, say};
use crate::cli::format::{self, Format};
use crate::problem::{Problem, Problems};
use crate::verify::{self, Case, Report};
use std::fs;
use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};

/// The list of the files beside it, which holds no cases.
const INDEX: &str = "INDEX.json";

/// Arguments of `verify`.
#[derive(clap::Args)]
pub struct Args {
    /// Directory with files of cases (*.json); without it, the cases that the program brings
    pub dir: Option<PathBuf>,
    /// Only families whose name begins so (`09`, `05_cache`; repeatable)
    #[arg(long, value_name = "NAME", conflicts_with = "cross")]
    pub family: Vec<String>,
    /// Only cases of this name (repeatable)
    #[arg(long, value_name = "ID", conflicts_with = "cross")]
    pub case: Vec<String>,
    #[command(flatten)]
    /// The two fidelities against each other.
    pub cross: cross::Flags,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Seed of all random numbers
    #[arg(short, long, default_value_t = 1)]
    pub seed: u64,
    /// The exit code only
    #[arg(short, long)]
    pub quiet: bool,
}

/// Runs all cases and prints what was found.
pub fn verify(args: &Args) -> Result<u8, Failure> {
    if let Some(argument) = &args.cross.cross {
        return cross::verify(argument, &args.cross, args.seed, args.format, args.quiet);
    }
    let mut cases = match &args.dir {
        None => verify::embedded(),
        Some(dir) => read(dir)?,
    };
    keep(&mut cases, args)?;
    let shown = stderr().is_terminal() && !args.quiet;
    let report = verify::run(&cases, args.seed, &|done| {
        if shown {
            // Progress that cannot be shown is nobody's problem.
            let _ = write!(stderr(), "\r{done} of {} cases ", cases.len());
        }
    });
    if shown {
        let _ = writeln!(stderr());
    }
    match args.format {
        Format::Json => {
            say(&format::json(&report)?)?;
        }
        Format::Markdown => say(markdown(&report, args.seed).as_bytes())?,
        Format::Text if args.quiet => {}
        Format::Text => say(format!("{report}, seed {}\n", args.seed).as_bytes())?,
    }
    Ok(u8::from(report.failed > 0))
}

/// Keeps the cases that are asked for.
fn keep(cases: &mut Vec<Case>, args: &Args) -> Result<(), Failure> {
    let known = |what: &str, name: &str, found: bool, hint: String| match found {
        true => Ok(()),
        false => Err(Failure::input(
            format!("no {what} is named {name:.60}"),
            &hint,
        )),
    };
    let mut families: Vec<&str> = cases.iter().map(|case| case.family.as_str()).collect();
    families.dedup();
    let hint = format!("families are {}", families.join(", "));
    for name in &args.family {
        let found = families.iter().any(|family| family.starts_with(name));
        known("family", name, found, hint.clone())?;
    }
    let of_families = |case: &Case| {
        args.family.is_empty() || args.family.iter().any(|f| case.family.starts_with(f))
    };
    cases.retain(of_families);
    for name in &args.case {
        let found = cases.iter().any(|case| case.id == *name);
        let hint = "see them with --format markdown".to_string();
        known("case", name, found, hint)?;
    }
    cases.retain(|case| args.case.is_empty() || args.case.contains(&case.id));
    Ok(())
}

/// A row per value.
fn markdown(report: &Report, seed: u64) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_string(), |v| v.to_string());
    let names = [
        "family",
        "case",
        "metric",
        "expected",
        "simulated",
        "z",
        "verdict",
        "why",
    ];
    let mut text = format::head(&names);
    for row in &report.cases {
        let z = row.z.map_or_else(|| "-".to_string(), |z| format!("{z:.1}"));
        text.push_str(&format::row(&[
            &row.family,
            &row.id,
            &row.metric,
            &number(row.expected),
            &number(row.simulated),
            &z,
            &row.verdict.to_string(),
            &row.why,
        ]));
    }
    let (passed, failed) = (report.passed, report.failed);
    let rest = report.not_covered;
    format!("{text}\n{passed} pass, {failed} fail, {rest} are not covered, seed {seed}\n")
}

/// The cases of all files of a directory, in order of their names.
fn read(dir: &Path) -> Result<Vec<Case>, Failure> {
    let wrong =
        |what: String| Failure::input(what, "give a directory that holds files of cases (*.json)");
    let entries =
        fs::read_dir(dir).map_err(|error| Failure::file(dir, "cannot be read", &error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter(|path| path.file_name().is_some_and(|name| name != INDEX))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(wrong(format!("{} holds no *.json file", dir.display())));
    }
    let mut cases = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file)
            .map_err(|error| Failure::file(file, "cannot be read", &error))?;
        match verify::parse(&file.display().to_string(), &text) {
            Ok(found) => cases.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(cases)
    } else {
        Err(Failure::Input(Problems(problems)))
    }
}
