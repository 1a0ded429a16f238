//! The variants of a scenario: policies and strategies, overlays, varied values, lost targets.

use super::{Source, dir_of, is_path, read, stem};
use crate::cli::failure::Failure;
use crate::model::variant::{TargetKind, VariedValue};
use crate::problem::{Place, Problem, Problems};
use crate::scenario::{Document, Kind, Layer, PolicyArg, Vary, builtins, grid, variant_names};
use crate::study::{Variant, VariantOrigin};
use clap::ValueEnum;
use std::path::PathBuf;

/// Most variants of a run.
const MOST_VARIANTS: usize = 300;

/// What is laid over a scenario, and what makes variants of it.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Overlays {
    /// Policy or strategy, a name or a file; several are variants
    #[arg(short, long = "policy", value_name = "NAME|FILE")]
    pub policy: Vec<String>,
    /// File laid over the scenario as a variant of its own (repeatable)
    #[arg(long, value_name = "NAME=FILE")]
    pub variant: Vec<String>,
    /// File laid over all variants (repeatable, later ones win)
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,
    /// One value: service.playback.headroom=0.6, 'service.*.dark=0', 'fault[0].at="5min"'
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// A variant per value: dns.ttl=10s..60s/6 (six of them), 'service.*.dark=0,0.2,0.4'; several
    /// make a grid
    #[arg(long, value_name = "PATH=LO..HI/STEPS")]
    pub vary: Vec<String>,
    /// A variant per thing that is lost, instead of the scenario's faults
    #[arg(long, value_enum)]
    pub each: Option<Each>,
}

/// What is lost, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Each {
    /// A region goes dark for as long as the scenario's first fault that lasts, at the busiest hour
    Region,
    /// The same of a zone
    Zone,
    /// Each fault of the scenario happens alone
    Fault,
}

impl Overlays {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        let Overlays {
            policy,
            variant,
            with,
            set,
            vary,
            each,
        } = self;
        let texts = [policy, variant, set, vary];
        texts.iter().all(|texts| texts.is_empty()) && with.is_empty() && each.is_none()
    }
}

/// What variants are made from: the scenario under a policy or strategy, or with an overlay of its
/// own.
struct Base {
    /// Its name; `None`: that of the policy or strategy that the scenario has itself.
    name: Option<String>,
    policy: Option<PolicyArg>,
    /// A `[[variant]]` of the file.
    own: Option<String>,
    /// `--variant`.
    over: Option<Layer>,
}

/// The variants of a scenario.
///
/// There is one for each policy that is asked for, or one as the file stands; then, over the first
/// of these, one for each `[[variant]]` of the file and each `--variant`. With `--vary` and `--each`,
/// each of them is taken once for every value and every target.
///
/// # Errors
///
/// All mistakes of all variants, each once; or that a file cannot be read.
pub fn variants(source: &Source, overlays: &Overlays) -> Result<Vec<Variant>, Failure> {
    let mut layers = Vec::new();
    for path in &overlays.with {
        let path = path.to_string_lossy();
        layers.push(layer(&path)?);
    }
    layers.extend(overlays.set.iter().map(|assignment| Layer::set(assignment)));
    let mut found = Found {
        source,
        layers,
        points: grid(&varied(overlays)?),
        each: overlays.each,
        variants: Vec::new(),
        problems: Vec::new(),
    };
    let bases = bases(source, overlays)?;
    found.fits(bases.len())?;
    let several = bases.len() > 1;
    for base in bases {
        found.add(&base, several)?;
    }
    if !found.problems.is_empty() {
        return Err(Failure::Input(Problems(found.problems)));
    }
    distinct(found.variants.iter().map(|variant| variant.name.as_str()))?;
    Ok(found.variants)
}

fn varied(overlays: &Overlays) -> Result<Vec<Vary>, Failure> {
    let mut varied: Vec<Vary> = Vec::new();
    let mut points: usize = 1;
    for text in &overlays.vary {
        let vary = Vary::parse(text).map_err(Failure::Input)?;
        if varied.iter().any(|known| known.path == vary.path) {
            return Err(Failure::input(
                format!("--vary: {} is varied twice", vary.path),
                "write all of its values as one list",
            ));
        }
        points = points.saturating_mul(vary.values.len());
        varied.push(vary);
    }
    match points {
        0..=MOST_VARIANTS => Ok(varied),
        _ => Err(too_many(points)),
    }
}

fn too_many(variants: usize) -> Failure {
    Failure::input(
        format!("{variants} variants are too many"),
        format!("at most {MOST_VARIANTS}: vary fewer values"),
    )
}

fn bases(source: &Source, overlays: &Overlays) -> Result<Vec<Base>, Failure> {
    let mut bases = Vec::new();
    for argument in &overlays.policy {
        let (name, policy) = policy(argument)?;
        bases.push(Base {
            name: Some(name),
            policy: Some(policy),
            own: None,
            over: None,
        });
    }
    if bases.is_empty() {
        bases.push(Base {
            name: None,
            policy: None,
            own: None,
            over: None,
        });
    }
    let first = bases[0].policy.clone();
    let with = |name: String, own: Option<String>, over: Option<Layer>| Base {
        name: Some(name),
        policy: first.clone(),
        own,
        over,
    };
    for name in variant_names(&source.layer()) {
        bases.push(with(name.clone(), Some(name), None));
    }
    for argument in &overlays.variant {
        let (name, path) = named_file(argument)?;
        bases.push(with(name.to_string(), None, Some(layer(path)?)));
    }
    distinct(bases.iter().filter_map(|base| base.name.as_deref()))?;
    Ok(bases)
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Failure::input(
                format!("two variants are called {name:?}"),
                "each policy (-p), [[variant]] and --variant makes one and needs a name of its own; a \
                 file given with -p has that of the file",
            ));
        }
    }
    Ok(())
}

/// Splits `NAME=FILE`.
fn named_file(argument: &str) -> Result<(&str, &str), Failure> {
    let wrong = |message: String| {
        let problem = Problem {
            place: Place {
                file: "--variant".to_string(),
                ..Place::default()
            },
            message,
            hint: "write NAME=FILE, such as --variant short-ttl=ttl.toml".to_string(),
            ..Problem::default()
        };
        Err(Failure::Input(problem.into()))
    };
    match argument.split_once('=') {
        None => wrong(format!("no file in {argument:.80?}")),
        Some((name, _)) if !is_usable(name) => wrong(format!("{name:.80?} is not a usable name")),
        Some((_, "")) => wrong(format!("no file in {argument:.80?}")),
        Some(both) => Ok(both),
    }
}

/// As the names in a scenario's file.
fn is_usable(name: &str) -> bool {
    let bad = |c: char| c.is_control() || "\"[](),*".contains(c);
    (1..=100).contains(&name.chars().count()) && name.trim() == name && !name.contains(bad)
}

fn layer(path: &str) -> Result<Layer, Failure> {
    let text = read(path)?;
    Ok(Layer::file(path, &text, dir_of(path).as_deref()))
}

/// A policy's argument and the name of its variant.
fn policy(argument: &str) -> Result<(String, PolicyArg), Failure> {
    if !is_path(argument) {
        return Ok((argument.to_string(), PolicyArg::Name(argument.to_string())));
    }
    Ok((stem(argument), PolicyArg::File(layer(argument)?)))
}

/// Variants and mistakes found so far.
struct Found<'a> {
    source: &'a Source,
    /// Over all variants, in order.
    layers: Vec<Layer>,
    points: Vec<Vec<VariedValue>>,
    each: Option<Each>,
    variants: Vec<Variant>,
    problems: Vec<Problem>,
}

impl Found<'_> {
    /// Whether so many bases make too many variants, as far as that is known before anything is
    /// loaded.
    fn fits(&self, bases: usize) -> Result<(), Failure> {
        match self.points.len().saturating_mul(bases) {
            0..=MOST_VARIANTS => Ok(()),
            many => Err(too_many(many)),
        }
    }

    /// Adds the variants of one base.
    fn add(&mut self, base: &Base, several: bool) -> Result<(), Failure> {
        // Its name does not depend on what is varied.
        let Some(plain) = self.load(base, &[]) else {
            return Ok(());
        };
        let name = match &base.name {
            Some(name) => name.clone(),
            None => own_name(&self.source.text, &plain),
        };
        for point in self.points.clone() {
            let document = match point.is_empty() {
                true => Some(plain.clone()),
                false => self.load(base, &point),
            };
            let Some(document) = document else {
                continue;
            };
            let origin = VariantOrigin {
                base: name.clone(),
                values: point,
                target: None,
            };
            self.add_each(document, origin, several)?;
        }
        Ok(())
    }

    /// Adds the variants of a scenario whose values are all set.
    fn add_each(
        &mut self,
        document: Document,
        origin: VariantOrigin,
        several: bool,
    ) -> Result<(), Failure> {
        let Some(each) = self.each else {
            self.push(document, origin, several);
            return self.fits_all();
        };
        let kind = match each {
            Each::Region => TargetKind::Region,
            Each::Zone => TargetKind::Zone,
            Each::Fault => TargetKind::Fault,
        };
        match document.each(kind) {
            Ok(targets) => {
                for (target, document) in targets {
                    let origin = VariantOrigin {
                        target: Some(target),
                        ..origin.clone()
                    };
                    self.push(document, origin, several);
                }
            }
            Err(problems) => self.note(problems),
        }
        self.fits_all()
    }

    fn fits_all(&self) -> Result<(), Failure> {
        match self.variants.len() {
            0..=MOST_VARIANTS => Ok(()),
            many => Err(too_many(many)),
        }
    }

    fn push(&mut self, document: Document, origin: VariantOrigin, several: bool) {
        self.variants.push(Variant {
            name: title(&origin, several),
            document,
            origin,
        });
    }

    fn load(&mut self, base: &Base, point: &[VariedValue]) -> Option<Document> {
        let mut layers: Vec<Layer> = base.over.iter().cloned().collect();
        layers.extend(self.layers.iter().cloned());
        let vary = |value: &VariedValue| Layer::vary(&value.path, &value.text);
        layers.extend(point.iter().map(vary));
        let (name, own) = (&self.source.name, base.own.as_deref());
        let policy = base.policy.clone();
        match Document::load_variant(name, self.source.layer(), own, policy, layers) {
            Ok(document) => Some(document),
            Err(problems) => {
                self.note(problems);
                None
            }
        }
    }

    fn note(&mut self, Problems(found): Problems) {
        for problem in found {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }
}

/// The name of a variant: of its base if that is all, or else what tells it from the others.
fn title(origin: &VariantOrigin, several: bool) -> String {
    let values = origin.values.iter();
    let mut parts: Vec<String> = values
        .map(|value| format!("{}={}", value.path, value.text))
        .collect();
    parts.extend(origin.target.iter().map(|target| target.name.clone()));
    if several || parts.is_empty() {
        parts.insert(0, origin.base.clone());
    }
    parts.join(" ")
}

/// The name of a scenario's own variant: the strategy that its file names, or its policy.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::load::source;

    fn tiny() -> Source {
        source("tiny").expect("tiny is built in")
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    fn names(overlays: &Overlays) -> Vec<String> {
        let variants = variants(&tiny(), overlays).unwrap();
        variants.into_iter().map(|variant| variant.name).collect()
    }

    #[test]
    fn a_variant_per_policy_and_none_twice() {
        let overlays = |names: &[&str]| Overlays {
            policy: texts(names),
            ..Overlays::default()
        };
        assert_eq!(
            names(&overlays(&["flow-dark", "none"])),
            ["flow-dark", "none"]
        );
        assert!(variants(&tiny(), &overlays(&["none", "none"])).is_err());
    }

    #[test]
    fn a_variant_is_named_after_its_strategy() {
        let own = |set: &[&str]| {
            let overlays = Overlays {
                set: texts(set),
                ..Overlays::default()
            };
            let kong = source("chaos-kong").unwrap();
            variants(&kong, &overlays).unwrap()[0].name.clone()
        };
        assert_eq!(own(&[]), "flow-dark");
        assert_eq!(own(&["policy.use=none"]), "none");
        assert_eq!(names(&Overlays::default()), ["none"]);
    }

    #[test]
    fn values_and_targets_are_taken_for_each_base() {
        let mut overlays = Overlays {
            vary: texts(&["dns.ttl=10s,20s", "service.*.headroom=0.5..1/2"]),
            ..Overlays::default()
        };
        let expected = [
            "dns.ttl=10s service.*.headroom=0.5",
            "dns.ttl=10s service.*.headroom=1",
            "dns.ttl=20s service.*.headroom=0.5",
            "dns.ttl=20s service.*.headroom=1",
        ];
        assert_eq!(names(&overlays), expected);
        overlays.vary.pop();
        overlays.each = Some(Each::Region);
        overlays.policy = texts(&["flow", "none"]);
        let found = variants(&tiny(), &overlays).unwrap();
        let last = found.last().unwrap();
        assert_eq!(found.len(), 8);
        assert_eq!(last.name, "none dns.ttl=20s west");
        assert_eq!(last.origin.base, "none");
        assert_eq!(last.origin.values[0].number, Some(20.0));
        assert_eq!(last.origin.target.as_ref().unwrap().name, "west");
        let scenario = last.document.scenario();
        assert_eq!(scenario.dns.ttl.secs(), 20.0);
        assert_eq!(scenario.faults.len(), 1);
        assert_eq!(scenario.faults[0].region, Some(1));
    }

    #[test]
    fn variants_are_not_too_many() {
        let overlays = Overlays {
            vary: texts(&["dns.ttl=1s..2s/100", "service.*.headroom=0.5..1/4"]),
            ..Overlays::default()
        };
        let Err(Failure::Input(problems)) = variants(&tiny(), &overlays) else {
            panic!("400 are too many");
        };
        assert!(problems.to_string().contains("400 variants"), "{problems}");
    }
}
