//! `run`: many replications of a scenario under one or more policies.

use crate::cli::computing::Computing;
use crate::cli::conduct::{Conducted, conduct, fit};
use crate::cli::failure::{Failure, complain, say};
use crate::cli::format::Format;
use crate::cli::load::{Overlays, Source, source, variants};
use crate::cli::output::{Output, joint_digest, page_digest};
use crate::cli::precise::Precise;
use crate::cli::{against, interrupt, repeat};
use crate::report::manifest::{Machine, Manifest, Merged, PROGRAM};
use crate::report::terminal::{self, Style};
use crate::report::{self, Page};
use crate::study::{Against, Plan};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// What runs when nothing is named.
const DEFAULT: &str = "chaos-kong";
/// Replications of all variants together, at most: each leaves a row of about a kilobyte.
const MOST_REPLICATIONS: u64 = 10_000_000;
const MOST_THREADS: i64 = 1_024;
/// Exit code where something is worse than in an earlier run.
const WORSE: u8 = 1;

/// Arguments of `run`.
#[derive(clap::Args)]
pub struct Args {
    /// Built-in scenario, file, or - for standard input; the manifest.json of a run repeats it
    pub scenario: Option<String>,
    #[command(flatten)]
    /// How it is run.
    pub flags: Flags,
}

/// Flags of `run`.
#[derive(clap::Args, Clone)]
pub struct Flags {
    /// Replications of each variant [default: 1000]
    #[arg(short = 'n', long, value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=MOST_REPLICATIONS))]
    pub replications: Option<u64>,
    /// Seed of all randomness [default: 1]
    #[arg(short, long, value_name = "N")]
    pub seed: Option<u64>,
    /// Threads [default: one per processor]
    #[arg(short = 'j', long, value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS))]
    pub threads: Option<u16>,
    #[command(flatten)]
    /// How traffic is computed.
    pub computing: Computing,
    #[command(flatten)]
    /// How precise results are to be.
    pub precise: Precise,
    #[command(flatten)]
    /// What is laid over the scenario.
    pub overlays: Overlays,
    /// The summary.json of an earlier run: exit code 1 if anything is worse than it was
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Directory of the results [default: out/SCENARIO]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// No progress, and no tables unless a format is asked for
    #[arg(short, long)]
    pub quiet: bool,
    /// No pictures
    #[arg(long, conflicts_with = "png")]
    pub no_plots: bool,
    /// Pictures as PNG too
    #[arg(long)]
    pub png: bool,
}

/// Which pictures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// None.
    None,
    /// As SVG.
    Svg,
    /// As SVG and as PNG.
    SvgAndPng,
}

/// What is told of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Each by itself.
    Alone,
    /// Each by itself, and against the first.
    Compared,
}

/// Runs a scenario, or what a manifest says.
///
/// # Errors
///
/// If the input is wrong, or files cannot be read or written.
pub fn run(scenario: Option<&str>, flags: &Flags, told: Told) -> Result<u8, Failure> {
    let scenario = scenario.unwrap_or(DEFAULT);
    if repeat::is_manifest(scenario) {
        return repeat::repeat(scenario, flags, told);
    }
    let most = flags.precise.most(flags.replications)?;
    let source = source(scenario)?;
    let plan = Plan {
        variants: flags.computing.of(variants(&source, &flags.overlays)?),
        seed: flags.seed.unwrap_or(1),
        replications: most.or(flags.replications).unwrap_or(1_000),
    };
    let Source { name, file, .. } = &source;
    let pictures = match (flags.no_plots, flags.png) {
        (true, _) => Pictures::None,
        (false, false) => Pictures::Svg,
        (false, true) => Pictures::SvgAndPng,
    };
    let finished = finish(&plan, name, file, flags, pictures, told)?;
    Ok(finished.exit)
}

/// A run whose results are written and told.
pub struct Finished {
    /// Exit code.
    pub exit: u8,
    /// What was written beside the pages.
    pub manifest: Option<Manifest>,
}

/// Runs a plan, writes its pages and says what came out.
pub fn finish(
    plan: &Plan,
    name: &str,
    file: &str,
    flags: &Flags,
    pictures: Pictures,
    told: Told,
) -> Result<Finished, Failure> {
    let variants = plan.variants.len() as u64;
    if told == Told::Compared && variants < 2 {
        return Err(Failure::input(
            format!("there is only one variant, {}", plan.variants[0].name),
            if flags.overlays.each.is_some() {
                "there is one thing to lose: give -p twice or more, or run it alone with darkregion run"
            } else {
                "give -p twice or more: darkregion compare chaos-kong -p dns-only -p flow-dark"
            },
        ));
    }
    if plan.replications.saturating_mul(variants) > MOST_REPLICATIONS {
        return Err(Failure::input(
            format!(
                "{variants} variants of {} replications are too many",
                plan.replications
            ),
            format!("at most {MOST_REPLICATIONS} in all"),
        ));
    }
    let asked = flags.precise.asked(plan)?;
    let dir = flags.out.clone().unwrap_or_else(|| default_dir(name));
    // A run that is repeated is compared with what it was, and must not replace it.
    let dir = match flags.out.is_none() && Path::new(file).starts_with(&dir) {
        true => default_dir(&format!("{name}-again")),
        false => dir,
    };
    let saved = match &flags.against {
        Some(path) => {
            let names: Vec<&str> = plan.variants.iter().map(|v| &*v.name).collect();
            Some(against::read(path, &names)?)
        }
        None => None,
    };
    let output = Output::open(&dir, &report::names())?;
    fit(plan, file)?;
    let threads = match flags.threads {
        Some(threads) => usize::from(threads),
        None => cores(),
    };
    let (conducted, wall_secs) = conduct(plan, threads, flags.quiet, &asked)?;
    let done = conducted.study.replications;
    if done == 0 {
        complain("interrupted before the first replication was done: nothing is written");
        return Ok(Finished {
            exit: interrupt::EXIT,
            manifest: None,
        });
    }
    let findings = conducted.findings(plan);
    let mut pages = report::data(&findings);
    if pictures != Pictures::None {
        let drawn = report::pictures(&findings);
        if pictures == Pictures::SvgAndPng {
            pages.extend(report::raster(&drawn));
        }
        pages.extend(drawn);
    }
    let manifest = Manifest {
        precision: flags.precise.precision.clone(),
        ..manifest(plan, name, &pages, done, threads, wall_secs)
    };
    pages.push(manifest.page());
    output.write(&pages)?;
    let against = match &saved {
        Some(saved) => Some(saved.compare(&conducted.summary)?),
        None => None,
    };
    tell(plan, &conducted, against.as_ref(), &dir, flags, told)?;
    let exit = match conducted.study.cancelled {
        true => interrupt::EXIT,
        false if against.is_some_and(|against| against.is_worse()) => WORSE,
        false => conducted.summary.exit_code(),
    };
    Ok(Finished {
        exit,
        manifest: Some(manifest),
    })
}

fn tell(
    plan: &Plan,
    conducted: &Conducted,
    against: Option<&Against>,
    dir: &Path,
    flags: &Flags,
    told: Told,
) -> Result<(), Failure> {
    if flags.format == Format::Json {
        return say(&report::summary(&conducted.summary, against));
    }
    if flags.quiet && flags.format == Format::Text {
        return Ok(());
    }
    let out = dir.display().to_string();
    let text = terminal::text(
        &conducted.findings(plan),
        &conducted.facts,
        told == Told::Compared,
        &out,
        style(flags.format),
    );
    say(text.as_bytes())?;
    if let (Some(against), Some(path)) = (against, &flags.against) {
        let (path, style) = (path.display().to_string(), style(flags.format));
        let text = terminal::against(against, &path, plan.seed, style);
        say(text.as_bytes())?;
    }
    Ok(())
}

/// Colours only where somebody looks, and nobody objects (<https://no-color.org>).
fn style(format: Format) -> Style {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let dumb = set("TERM").is_some_and(|term| term == "dumb");
    Style {
        colour: std::io::stdout().is_terminal() && set("NO_COLOR").is_none() && !dumb,
        markdown: format == Format::Markdown,
    }
}

/// `out/<scenario>`, whatever characters the scenario's name has.
fn default_dir(name: &str) -> PathBuf {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let name: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    let name = name.trim_start_matches('.');
    let name = if name.is_empty() { "scenario" } else { name };
    Path::new("out").join(name)
}

fn manifest(
    plan: &Plan,
    name: &str,
    pages: &[Page],
    done: u64,
    threads: usize,
    wall_secs: f64,
) -> Manifest {
    let variants: Vec<Merged> = plan
        .variants
        .iter()
        .map(|variant| Merged {
            name: variant.name.clone(),
            origin: variant.origin.clone(),
            toml: variant.document.toml(),
        })
        .collect();
    let pages: std::collections::BTreeMap<String, String> = pages
        .iter()
        .map(|page| (page.name.clone(), page_digest(&page.bytes)))
        .collect();
    Manifest {
        program: PROGRAM.to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        command: std::env::args_os()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
        scenario: name.to_string(),
        scenario_hash: joint_digest(variants.iter().map(|v| (&*v.name, &*v.toml))),
        variants,
        fidelity: plan.variants[0].document.scenario().fidelity,
        scale: plan.variants[0].document.scenario().scale,
        seed: plan.seed,
        planned: plan.replications,
        precision: Vec::new(),
        replications: done,
        machine: Machine {
            os: std::env::consts::OS.to_string(),
            arch: std::env::consts::ARCH.to_string(),
            cores: cores(),
            threads,
        },
        wall_secs,
        digest: joint_digest(pages.iter().map(|(name, digest)| (&**name, &**digest))),
        pages,
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stay_below_out_whatever_the_scenario_is_called() {
        for (name, dir) in [
            ("chaos-kong", "out/chaos-kong"),
            ("..", "out/scenario"),
            ("", "out/scenario"),
            ("../../etc", "out/-..-etc"),
            ("naïve drill", "out/naïve drill"),
        ] {
            assert_eq!(default_dir(name), Path::new(dir), "{name}");
        }
    }
}
