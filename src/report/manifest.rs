//! `manifest.json`: how a result came about, enough to repeat it. The only page that may differ
//! between two equal runs.

use crate::model::fidelity::Fidelity;
use crate::report::Page;
use crate::study::VariantOrigin;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the page.
pub const NAME: &str = "manifest.json";

/// Value of [`Manifest::program`].
pub const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// A run and where it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`PROGRAM`]: tells this file from others of its name.
    pub program: String,
    /// Version of the program.
    pub version: String,
    /// The command line.
    pub command: Vec<String>,
    /// Name of the scenario.
    pub scenario: String,
    /// Hash of the merged files of all variants.
    pub scenario_hash: String,
    /// The variants, each with its merged file.
    pub variants: Vec<Merged>,
    /// How traffic was computed.
    #[serde(default)]
    pub fidelity: Fidelity,
    /// How much of itself the scenario was shrunk to.
    #[serde(default = "whole")]
    pub scale: f64,
    /// Seed of all randomness.
    pub seed: u64,
    /// Replications asked for, of each variant.
    pub planned: u64,
    /// How precise results were to be: what ended the replications, if anything did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precision: Vec<String>,
    /// Replications done: fewer if the run was interrupted, or precise enough.
    pub replications: u64,
    /// Where it ran.
    pub machine: Machine,
    /// How long it took, in seconds.
    pub wall_secs: f64,
    /// Digest of all other pages.
    pub digest: String,
    /// Digest of each of them.
    pub pages: BTreeMap<String, String>,
}

/// A variant's file after everything was laid over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merged {
    /// Name of the variant.
    pub name: String,
    /// Where it comes from.
    #[serde(default)]
    pub origin: VariantOrigin,
    /// The text.
    pub toml: String,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Processors that the program may use.
    pub cores: usize,
    /// Threads that it used.
    pub threads: usize,
}

/// Nothing was shrunk.
fn whole() -> f64 {
    1.0
}

impl Manifest {
    /// The page.
    pub fn page(&self) -> Page {
        let mut bytes = serde_json::to_vec_pretty(self)
            .expect("a manifest has text keys and finite numbers, which JSON can hold");
        bytes.push(b'\n');
        Page::new(NAME, bytes)
    }

    /// Reads a page back; `None` if it is something else's manifest.
    pub fn parse(bytes: &[u8]) -> Option<Manifest> {
        let manifest: Manifest = serde_json::from_slice(bytes).ok()?;
        (manifest.program == PROGRAM).then_some(manifest)
    }
}
