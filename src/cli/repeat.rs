//! `run manifest.json`: the same run again, and whether the same came out.

use crate::cli::failure::{Failure, complain};
use crate::cli::load::read_result;
use crate::cli::precise::Precise;
use crate::cli::run::{Flags, Pictures, Told, finish};
use crate::report::manifest::{Manifest, Merged};
use crate::scenario::{Document, Layer};
use crate::study::{Plan, Variant};

/// Exit code where something else comes out.
const DIFFERENT: u8 = 1;

/// Whether an argument names a manifest.
pub fn is_manifest(argument: &str) -> bool {
    argument.ends_with(".json")
}

/// Repeats the run of a manifest.
///
/// # Errors
///
/// As `run`, and if flags contradict the manifest.
pub fn repeat(path: &str, flags: &Flags, told: Told) -> Result<u8, Failure> {
    let manifest = Manifest::parse(read_result(path)?.as_bytes()).ok_or_else(|| {
        Failure::input(
            format!("{path} is not the manifest of a run"),
            "a scenario's file ends in .toml",
        )
    })?;
    let given = flags.replications.is_some() || flags.seed.is_some() || !flags.computing.is_empty();
    if given || !flags.overlays.is_empty() || !flags.precise.is_empty() {
        return Err(Failure::input(
            format!("{path} says itself what was run"),
            "leave out -n, -s, -p, --fidelity, --scale, --precision and what is laid over a scenario, or name the scenario",
        ));
    }
    let variants: Result<Vec<Variant>, Failure> = manifest
        .variants
        .iter()
        .map(|merged| {
            let variant = variant(path, &manifest.scenario, merged)?;
            let document = variant.document.computed(manifest.fidelity, manifest.scale);
            Ok(Variant {
                document,
                ..variant
            })
        })
        .collect();
    let plan = Plan {
        variants: variants?,
        seed: manifest.seed,
        replications: manifest.replications,
    };
    if plan.variants.is_empty() || plan.replications == 0 {
        return Err(Failure::input(
            format!("{path} has no variants or no replications"),
            "",
        ));
    }
    let drawn = |end: &str| manifest.pages.keys().any(|name| name.ends_with(end));
    let pictures = match (drawn(".svg"), drawn(".png")) {
        (_, true) => Pictures::SvgAndPng,
        (true, false) => Pictures::Svg,
        (false, false) => Pictures::None,
    };
    let flags = Flags {
        precise: Precise {
            precision: manifest.precision.clone(),
            max_replications: None,
        },
        ..flags.clone()
    };
    let finished = finish(&plan, &manifest.scenario, path, &flags, pictures, told)?;
    let Some(new) = finished.manifest else {
        return Ok(finished.exit);
    };
    if new.digest == manifest.digest {
        complain(&format!(
            "the digest is the same as in {path}: {}",
            new.digest
        ));
        return Ok(finished.exit);
    }
    let differing: Vec<&str> = new
        .pages
        .iter()
        .filter(|(name, digest)| manifest.pages.get(*name) != Some(digest))
        .map(|(name, _)| name.as_str())
        .collect();
    complain(&format!(
        "the digest is NOT the same as in {path}, which version {} wrote: {} differ",
        manifest.version,
        differing.join(", ")
    ));
    Ok(DIFFERENT)
}

fn variant(path: &str, scenario: &str, merged: &Merged) -> Result<Variant, Failure> {
    let layer = Layer::file(path, &merged.toml, None);
    let document = Document::load(scenario, layer, None, Vec::new());
    Ok(Variant {
        name: merged.name.clone(),
        document: document.map_err(Failure::Input)?,
        origin: merged.origin.clone(),
    })
}
