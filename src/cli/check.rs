//! `check`: all mistakes of scenarios at once, what looks wrong, and what the faults will hit.

use crate::cli::failure::{Failure, code, complain, say};
use crate::cli::format::{self, Format};
use crate::cli::load::{Overlays, source, variants};
use crate::problem::{Place, Problem, Problems};
use crate::simulate::{self, Simulator};
use crate::study::{self, Plan};
use serde::Serialize;
use std::fmt::Write;

/// Arguments of `check`.
#[derive(clap::Args)]
pub struct Args {
    /// Scenarios: built-in names, files, or - for standard input
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    #[command(flatten)]
    pub overlays: Overlays,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Mistakes only
    #[arg(short, long)]
    pub quiet: bool,
}

/// What was found in one file.
#[derive(Default)]
struct Found {
    file: String,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
    /// What its faults hit and what is deployed, for people.
    facts: Vec<String>,
}

/// Checks every file; one that is wrong keeps none of the others from being checked.
pub fn check(args: &Args) -> Result<u8, Failure> {
    let found: Vec<Found> = args
        .scenarios
        .iter()
        .map(|argument| look(argument, &args.overlays))
        .collect();
    match args.format {
        Format::Json => say(&json(&found)?)?,
        Format::Markdown => {
            for found in &found {
                say(markdown(found).as_bytes())?;
            }
        }
        Format::Text => {
            for found in &found {
                if !found.errors.is_empty() {
                    complain(&Problems(found.errors.clone()).to_string());
                }
                if !args.quiet {
                    say(text(found).as_bytes())?;
                }
            }
        }
    }
    let errors: Vec<Problem> = found.into_iter().flat_map(|found| found.errors).collect();
    Ok(match errors.is_empty() {
        true => 0,
        false => code(&errors),
    })
}

fn look(argument: &str, overlays: &Overlays) -> Found {
    let mut found = Found {
        file: argument.to_string(),
        ..Found::default()
    };
    let loaded = source(argument).and_then(|source| variants(&source, overlays));
    let variants = match loaded {
        Ok(variants) => variants,
        Err(Failure::Input(Problems(errors))) => {
            found.errors = errors;
            return found;
        }
        Err(Failure::Files(message) | Failure::Bug(message)) => {
            found.errors.push(Problem {
                message,
                unreadable: true,
                ..Problem::default()
            });
            return found;
        }
        Err(Failure::ClosedPipe) => return found,
    };
    for variant in &variants {
        let scenario = variant.document.scenario();
        add(&mut found.errors, simulate::errors(scenario), argument);
        add(&mut found.warnings, simulate::warnings(scenario), argument);
    }
    let plan = Plan {
        variants,
        seed: 1,
        replications: 1,
    };
    add(&mut found.errors, study::unknown_variants(&plan), argument);
    if let Some(variant) = plan.variants.first() {
        let facts = Simulator::new(variant.document.scenario()).facts();
        let faults = facts.faults.iter().map(|fault| format!("fault: {fault}"));
        let demand = facts.demand.iter().cloned();
        let deployment = facts.deployment.iter().cloned();
        found.facts = demand.chain(faults).chain(deployment).collect();
    }
    found
}

/// Adds problems, each once, with the file that they are of.
fn add(to: &mut Vec<Problem>, problems: Vec<Problem>, file: &str) {
    for problem in problems {
        let place = Place {
            file: file.to_string(),
            ..Place::default()
        };
        let problem = Problem { place, ..problem };
        if !to.contains(&problem) {
            to.push(problem);
        }
    }
}

fn text(found: &Found) -> String {
    let counted = |n: usize, noun: &str| match n {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    };
    let mut text = format!(
        "{}: {}, {}\n",
        found.file,
        counted(found.errors.len(), "error"),
        counted(found.warnings.len(), "warning")
    );
    for fact in &found.facts {
        let _ = writeln!(text, "  {fact}");
    }
    for warning in &found.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

#[derive(Serialize)]
struct Report<'a> {
    files: Vec<FileReport<'a>>,
}

#[derive(Serialize)]
struct FileReport<'a> {
    file: &'a str,
    errors: Vec<ProblemReport<'a>>,
    warnings: Vec<ProblemReport<'a>>,
}

#[derive(Serialize)]
struct ProblemReport<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    path: &'a str,
    message: &'a str,
    hint: &'a str,
}

/// A heading, what the faults hit, and a table of what is wrong or looks wrong.
fn markdown(found: &Found) -> String {
    let mut text = format!("## {}\n\n", found.file);
    for fact in &found.facts {
        let _ = writeln!(text, "- {fact}");
    }
    let errors = found.errors.iter().map(|problem| ("error", problem));
    let warnings = found.warnings.iter().map(|problem| ("warning", problem));
    let problems: Vec<(&str, &Problem)> = errors.chain(warnings).collect();
    if problems.is_empty() {
        text.push_str("\nNo errors, no warnings.\n\n");
        return text;
    }
    text.push('\n');
    text.push_str(&format::head(&["", "place", "path", "message", "hint"]));
    for (kind, problem) in problems {
        let Place { line, column, .. } = problem.place;
        let place = match line {
            0 => String::new(),
            line => format!("{line}:{column}"),
        };
        let cells = [kind, &place, &problem.path, &problem.message, &problem.hint];
        text.push_str(&format::row(&cells));
    }
    text.push('\n');
    text
}

fn json(found: &[Found]) -> Result<Vec<u8>, Failure> {
    fn report(problem: &Problem) -> ProblemReport<'_> {
        let Problem {
            place,
            path,
            message,
            hint,
            unreadable: _,
        } = problem;
        ProblemReport {
            file: &place.file,
            line: place.line,
            column: place.column,
            path,
            message,
            hint,
        }
    }
    let files = found.iter().map(|found| FileReport {
        file: &found.file,
        errors: found.errors.iter().map(report).collect(),
        warnings: found.warnings.iter().map(report).collect(),
    });
    let report = Report {
        files: files.collect(),
    };
    format::json(&report)
}
