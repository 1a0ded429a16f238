//! From arguments to loaded scenarios.

use crate::cli::failure::Failure;
use crate::problem::{Place, Problem, Problems, nearest};
use crate::scenario::{Document, Kind, Layer, PolicyArg, builtin, builtins};
use crate::study::Variant;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes that are read of a file, at most: a little more than a scenario may have, so that a longer
/// one is still seen to be too long.
const MOST_BYTES: u64 = 10_000_001;

/// What is laid over a scenario.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Overlays {
    /// Policy or strategy, a name or a file; several are variants
    #[arg(short, long = "policy", value_name = "NAME|FILE")]
    pub policy: Vec<String>,
    /// File laid over the scenario (repeatable, later ones win)
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,
    /// One value: service.playback.headroom=0.6, 'service.*.dark=0', 'fault[0].at="5min"'
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
}

impl Overlays {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.policy.is_empty() && self.with.is_empty() && self.set.is_empty()
    }
}

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

/// The variants of a scenario: one per policy that is asked for, or the one that the file names.
///
/// # Errors
///
/// All mistakes of all variants, each once; or that a file cannot be read.
pub fn variants(source: &Source, overlays: &Overlays) -> Result<Vec<Variant>, Failure> {
    let mut layers = Vec::new();
    for path in &overlays.with {
        let path = path.to_string_lossy();
        layers.push(Layer::file(&path, &read(&path)?, dir_of(&path).as_deref()));
    }
    layers.extend(overlays.set.iter().map(|assignment| Layer::set(assignment)));
    let mut asked: Vec<(String, Option<PolicyArg>)> = Vec::new();
    for argument in &overlays.policy {
        let (name, policy) = policy(argument)?;
        if asked.iter().any(|(known, _)| *known == name) {
            return Err(Failure::input(
                format!("two variants are called {name}"),
                "give each policy once; a file's variant has the name of the file",
            ));
        }
        asked.push((name, Some(policy)));
    }
    if asked.is_empty() {
        asked.push((String::new(), None));
    }
    let mut problems = Vec::new();
    let mut variants = Vec::new();
    for (name, policy) in asked {
        let base = Layer::file(&source.file, &source.text, source.dir.as_deref());
        match Document::load(&source.name, base, policy, layers.clone()) {
            Ok(document) => {
                let name = match name.is_empty() {
                    true => own_name(&source.text, &document),
                    false => name,
                };
                variants.push(Variant::new(&name, document));
            }
            Err(Problems(found)) => {
                for problem in found {
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                }
            }
        }
    }
    match problems.is_empty() {
        true => Ok(variants),
        false => Err(Failure::Input(Problems(problems))),
    }
}

/// A policy's argument and the name of its variant.
fn policy(argument: &str) -> Result<(String, PolicyArg), Failure> {
    if !is_path(argument) {
        return Ok((argument.to_string(), PolicyArg::Name(argument.to_string())));
    }
    let layer = Layer::file(argument, &read(argument)?, dir_of(argument).as_deref());
    Ok((stem(argument), PolicyArg::File(layer)))
}

/// The name of a scenario's only variant: the strategy that its file names, or its policy.
fn own_name(text: &str, document: &Document) -> String {
    let policy = document.scenario().policy.name.as_str();
    let asked = policy_used(text);
    let strategy = builtins().iter().find(|b| {
        // Only as long as nothing was laid over it that names another policy.
        b.kind == Kind::Strategy
            && asked.as_deref() == Some(b.name)
            && policy_used(b.text).as_deref() == Some(policy)
    });
    strategy.map_or(policy, |b| b.name).to_string()
}

/// What a file's `[policy] use` says.
fn policy_used(text: &str) -> Option<String> {
    let file: toml::Table = text.parse().ok()?;
    let name = file.get("policy")?.get("use")?.as_str()?;
    Some(name.to_string())
}

/// Reads a text file, `-` for standard input.
///
/// # Errors
///
/// If it cannot be read or is not text.
pub fn read(path: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => std::io::stdin().take(MOST_BYTES).read_to_end(&mut bytes),
        path => {
            std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
        }
    };
    if let Err(error) = read {
        return Err(Failure::file(Path::new(path), "cannot be read", &error));
    }
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

    fn tiny() -> Source {
        source("tiny").expect("tiny is built in")
    }

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

    #[test]
    fn a_variant_per_policy_and_none_twice() {
        let overlays = |names: &[&str]| Overlays {
            policy: names.iter().map(|name| name.to_string()).collect(),
            ..Overlays::default()
        };
        let names: Vec<String> = variants(&tiny(), &overlays(&["flow-dark", "none"]))
            .unwrap()
            .into_iter()
            .map(|variant| variant.name)
            .collect();
        assert_eq!(names, ["flow-dark", "none"]);
        assert!(variants(&tiny(), &overlays(&["none", "none"])).is_err());
    }

    #[test]
    fn a_variant_is_named_after_its_strategy() {
        let own = |set: &[&str]| {
            let overlays = Overlays {
                set: set.iter().map(|set| set.to_string()).collect(),
                ..Overlays::default()
            };
            let kong = source("chaos-kong").unwrap();
            variants(&kong, &overlays).unwrap()[0].name.clone()
        };
        assert_eq!(own(&[]), "flow-dark");
        assert_eq!(own(&["policy.use=none"]), "none");
        assert_eq!(
            variants(&tiny(), &Overlays::default()).unwrap()[0].name,
            "none"
        );
    }
}
