//! `verify --cross`: the two fidelities of a scenario against each other.

use crate::cli::computing::Computing;
use crate::cli::conduct::fit;
use crate::cli::failure::{Failure, complain, say};
use crate::cli::format::{self, Format};
use crate::cli::interrupt;
use crate::cli::load::{Overlays, source, variants};
use crate::cli::progress::Progress;
use crate::model::fidelity::Fidelity;
use crate::study::Plan;
use crate::verify::cross::{self, Case, Pair};
use crate::verify::{Report, Row, Verdict};

/// All scenarios of the cross-check set.
const ALL: &str = "all";
const REPLICATIONS: u64 = 20;
/// Fewer say nothing about a spread, nor much about a mean.
const FEWEST: u64 = 4;
const MOST: u64 = 100_000;

/// Flags of `verify --cross`.
#[derive(clap::Args, Clone)]
pub struct Flags {
    /// Compare the two fidelities of a scenario (as run takes it), of one of the cross-check set, or of
    /// all of that
    #[arg(long, value_name = "SCENARIO|all", conflicts_with = "dir")]
    pub cross: Option<String>,
    /// Replications in each fidelity, with --cross [default: 20]
    #[arg(short = 'n', long, value_name = "N", requires = "cross",
        value_parser = clap::value_parser!(u64).range(FEWEST..=MOST))]
    pub replications: Option<u64>,
    /// Shrink rates, sessions and capacities together, with --cross
    #[arg(long, value_name = "SHARE", requires = "cross", value_parser = crate::cli::computing::scale)]
    pub scale: Option<f64>,
    /// Policy or strategy, a name or a file, with --cross (repeatable)
    #[arg(short, long = "policy", value_name = "NAME|FILE", requires = "cross")]
    pub policy: Vec<String>,
    /// File laid over the scenario, with --cross (repeatable, later ones win)
    #[arg(long, value_name = "FILE", requires = "cross")]
    pub with: Vec<std::path::PathBuf>,
    /// One value, with --cross: service.playback.headroom=0.6 (repeatable)
    #[arg(long, value_name = "PATH=VALUE", requires = "cross")]
    pub set: Vec<String>,
}

/// Compares and prints what was found.
pub fn verify(
    argument: &str,
    flags: &Flags,
    seed: u64,
    format: Format,
    quiet: bool,
) -> Result<u8, Failure> {
    let pairs = pairs(argument, flags)?;
    let replications = flags.replications.unwrap_or(REPLICATIONS);
    interrupt::listen();
    let report = {
        let progress = Progress::new(replications * 2 * pairs.len() as u64, quiet);
        cross::compare(&pairs, replications, seed, &progress)
    };
    let Some(report) = report else {
        complain("interrupted: nothing is judged");
        return Ok(interrupt::EXIT);
    };
    let end = format!("{replications} replications, seed {seed}");
    match format {
        Format::Json => say(&format::json(&report)?)?,
        Format::Markdown => say(markdown(&report, &pairs, &end).as_bytes())?,
        Format::Text if quiet => {}
        Format::Text => say(text(&report, &pairs, &end).as_bytes())?,
    }
    Ok(u8::from(report.failed > 0))
}

fn pairs(argument: &str, flags: &Flags) -> Result<Vec<Pair>, Failure> {
    let chosen: Vec<&Case> = cross::cases()
        .iter()
        .filter(|case| argument == ALL || case.name == argument)
        .collect();
    if !chosen.is_empty() {
        let laid_over = flags.policy.len() + flags.with.len() + flags.set.len();
        if laid_over > 0 || flags.scale.is_some() {
            return Err(Failure::input(
                format!("--cross {argument}: scenarios of the set are compared as they are"),
                "leave out -p, --set, --with and --scale, or name a scenario or a file",
            ));
        }
        let pairs = chosen.into_iter().map(Case::pair).collect::<Result<_, _>>();
        return pairs.map_err(|problems| Failure::Bug(problems.to_string()));
    }
    let source = source(argument).map_err(hinted)?;
    let overlays = Overlays {
        policy: flags.policy.clone(),
        with: flags.with.clone(),
        set: flags.set.clone(),
        ..Overlays::default()
    };
    let variants = variants(&source, &overlays)?;
    let of = |fidelity| {
        let computing = Computing {
            fidelity: Some(fidelity),
            scale: flags.scale,
        };
        computing.of(variants.clone())
    };
    let [counted, single] = [Fidelity::Cohort, Fidelity::Request].map(|fidelity| Plan {
        variants: of(fidelity),
        seed: 1,
        replications: 1,
    });
    fit(&counted, &source.file)?;
    fit(&single, &source.file)?;
    let several = variants.len() > 1;
    let both = counted.variants.into_iter().zip(single.variants);
    let pair = |(counted, single): (crate::study::Variant, crate::study::Variant)| Pair {
        name: match several {
            true => format!("{} {}", source.name, counted.name),
            false => source.name.clone(),
        },
        counted: counted.document,
        single: single.document,
    };
    Ok(both.map(pair).collect())
}

/// A name that is unknown may have been meant for one of the set.
fn hinted(failure: Failure) -> Failure {
    match failure {
        Failure::Input(mut problems) => {
            let names: Vec<&str> = cross::cases().iter().map(|case| case.name).collect();
            for problem in &mut problems.0 {
                problem.hint += &format!("; of the cross-check set: all, {}", names.join(", "));
            }
            Failure::Input(problems)
        }
        other => other,
    }
}

/// Every row of a single scenario; of several, those that do not pass, under a line for each.
fn text(report: &Report, pairs: &[Pair], end: &str) -> String {
    let mut text = String::new();
    for pair in pairs {
        let rows: Vec<&Row> = report.cases.iter().filter(|r| r.id == pair.name).collect();
        let count = |verdict| rows.iter().filter(|r| r.verdict == verdict).count();
        text += &format!(
            "{}: {} pass, {} fail, {} are not covered\n",
            pair.name,
            count(Verdict::Pass),
            count(Verdict::Fail),
            count(Verdict::NotCovered)
        );
        let shown = rows
            .iter()
            .filter(|r| pairs.len() == 1 || r.verdict != Verdict::Pass);
        for (i, row) in shown.enumerate() {
            if i == 0 {
                text += &format!(
                    "  {:<42} {:>11} {:>11} {:>8} {:>6}\n",
                    "value", "request", "cohort", "off", "z"
                );
            }
            let [single, counted, off, z] = cells(row);
            text += &format!(
                "  {:<42} {single:>11} {counted:>11} {off:>8} {z:>6}  {}\n",
                row.metric, row.verdict
            );
            if !row.why.is_empty() {
                text += &format!("    {}\n", row.why);
            }
        }
    }
    text + &total(report, end)
}

fn markdown(report: &Report, pairs: &[Pair], end: &str) -> String {
    let names = [
        "scenario", "value", "request", "cohort", "off", "z", "verdict", "why",
    ];
    let mut text = format::head(&names);
    for row in &report.cases {
        let shown = pairs.len() == 1 || row.verdict != Verdict::Pass;
        if shown {
            let [single, counted, off, z] = cells(row);
            let verdict = row.verdict.to_string();
            text += &format::row(&[
                &row.id,
                &row.metric,
                &single,
                &counted,
                &off,
                &z,
                &verdict,
                &row.why,
            ]);
        }
    }
    format!("{text}\n{}", total(report, end))
}

fn total(report: &Report, end: &str) -> String {
    format!(
        "{} pass, {} fail, {} are not covered; {end}\n",
        report.passed, report.failed, report.not_covered
    )
}

/// Both values, their difference in percent of the first, and the difference in standard errors.
fn cells(row: &Row) -> [String; 4] {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_string(), short);
    let off = match (row.expected, row.simulated) {
        (Some(a), Some(b)) if a != 0.0 => format!("{:+.1} %", 100.0 * (b / a - 1.0)),
        _ => "-".to_string(),
    };
    let z = row.z.map_or_else(|| "-".to_string(), |z| format!("{z:.1}"));
    [number(row.expected), number(row.simulated), off, z]
}

/// As many digits as say something.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.2}"),
        size if size > 0.0 && size < 1e-3 => format!("{value:.2e}"),
        _ => format!("{value:.5}"),
    }
}
