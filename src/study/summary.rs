//! What a study says, in the shape of `summary.json`.

use crate::stats::{Distribution, Estimate, Share, Verdict};
use crate::study::{Comparison, LossSummary, PrecisionSummary, Unknown, VariantOrigin};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A whole study. Times and latencies are in seconds, shares are fractions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Version of this format.
    pub format: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// Replications done of each variant.
    pub replications: u64,
    /// How traffic is computed.
    pub fidelity: &'static str,
    /// How much of itself the scenario was shrunk to.
    #[serde(skip_serializing_if = "is_whole")]
    pub scale: f64,
    /// Fingerprint of every row.
    pub digest: String,
    /// Inputs that are guesses.
    pub guesses: u64,
    /// Inputs that are fitted to a result.
    pub fitted: u64,
    /// The variants, in the plan's order.
    pub variants: Vec<VariantSummary>,
    /// Every variant against the first; their page adds a sentence to each.
    #[serde(skip)]
    pub comparisons: Vec<Comparison>,
}

impl Summary {
    /// The exit code of a program that ran this study: 0 if every hypothesis of the first variant
    /// passes, 1 if one fails, 4 if there are too few replications to tell.
    pub fn exit_code(&self) -> u8 {
        match self.variants.first().map(|variant| variant.verdict) {
            Some(Verdict::Pass) | None => 0,
            Some(Verdict::Fail) => 1,
            Some(Verdict::Inconclusive) => 4,
        }
    }
}

/// One variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantSummary {
    /// Its name.
    pub name: String,
    /// What was varied or lost to make it; there only if anything was.
    #[serde(skip_serializing_if = "unvaried")]
    pub origin: VariantOrigin,
    /// Fails if any hypothesis fails, passes if all pass.
    pub verdict: Verdict,
    /// The replication with the longest RTO; `None` without replications.
    pub worst_replication: Option<u64>,
    /// The hypotheses, in the scenario's order.
    pub hypotheses: Vec<HypothesisSummary>,
    /// Every SLI.
    pub slis: Named<SliSummary>,
    /// Every SLI of every region, by the region's name.
    pub regions: BTreeMap<String, Named<SliSummary>>,
    /// Every time.
    pub times_s: Named<Distribution>,
    /// Phases that any replication entered, by region and in their usual order.
    pub phases: Vec<PhaseSummary>,
    /// Every domain of data, by name.
    pub domains: Domains,
    /// Share of replications that stay broken after the trigger.
    pub metastable: Option<Share>,
    /// Share of replications in which a region broke that no fault hit.
    pub toppled: Option<Share>,
    /// Share of eligible starts that succeed.
    pub availability: Option<Estimate>,
    /// Impacts, from the disturbance on.
    pub impact: Impacts,
    /// Alerts that any replication gave.
    pub alerts: Vec<AlertSummary>,
    /// Guards of faults, in the scenario's order; there only if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<GuardSummary>,
    /// What it costs.
    pub cost: Costs,
    /// What is left when something is lost; there only for variants that lose something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossSummary>,
    /// What its uncertain inputs leave open; there only if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
    /// How precisely is known what was asked for; there only if something was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub precision: Vec<PrecisionSummary>,
    /// Replications in which numbers cannot be relied on; there only if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_validity: Option<Unreliable>,
}

fn unvaried(origin: &VariantOrigin) -> bool {
    !origin.is_varied()
}

/// What it did to viewers and to the error budget.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Impacts {
    /// Every impact.
    #[serde(flatten)]
    pub of: Named<Distribution>,
    /// The highest level of burning in the median replication.
    pub burn_level: &'static str,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertSummary {
    /// What it says.
    pub name: String,
    /// Share of replications that gave it.
    pub share: Option<Share>,
    /// When it was first given, from the fault.
    pub at_s: Distribution,
}

/// A guard of a fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GuardSummary {
    /// The kind of the fault and the limit.
    pub name: String,
    /// What a breach does: `warn`, `abort` the drill or, in an incident, `failover`.
    pub action: &'static str,
    /// Share of replications in which it was breached, and so did that.
    pub breached: Option<Share>,
    /// When the control plane knew of it, from the fault's beginning.
    pub at_s: Distribution,
}

/// Money, as means over replications: in USD per hour where nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Costs {
    /// All of it.
    pub usd_per_hour: Option<Estimate>,
    /// Relative to the cheapest deployment in one region.
    pub relative: Option<Estimate>,
    /// Planned instances.
    pub reserved: Option<Estimate>,
    /// Instances beyond the plan.
    pub on_demand: Option<Estimate>,
    /// Data kept.
    pub storage: Option<Estimate>,
    /// Data moved between regions.
    pub transfer: Option<Estimate>,
    /// Value of failed starts and lost viewer-minutes of the run, in USD; in no cost.
    pub harm_usd: Option<Estimate>,
}

/// Domains of data by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Domains(pub Vec<(String, DomainSummary)>);

impl Serialize for Domains {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, domain)| (name, domain)))
    }
}

/// What became of a domain's data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DomainSummary {
    /// From the fault until its writes and reads are answered again.
    pub rto_s: Distribution,
    /// Age of what a lost region took with it.
    pub rpo_s: Distribution,
    /// Writes that had reached no surviving region.
    pub lost_writes: Distribution,
    /// Of these, those that came back.
    pub late_writes: Distribution,
    /// Keys written on both sides.
    pub conflicts: Distribution,
    /// From conflicts found to conflicts reconciled.
    pub reconcile_s: Distribution,
    /// Viewers assigned anew.
    pub reassigned: Distribution,
    /// The largest age that a loss could have taken with it.
    pub exposure_s: Distribution,
    /// Whether recovery time and age are within their targets.
    pub verdict: Verdict,
}

/// A hypothesis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HypothesisSummary {
    /// Its name.
    pub name: String,
    /// What it claims, as the user wrote it.
    pub claim: String,
    /// Share of replications in which it holds.
    pub holds: Option<Share>,
    /// Whether that is enough.
    pub verdict: Verdict,
    /// Replications in which it holds.
    #[serde(skip)]
    pub held: u64,
}

/// An SLI in the three spans of a run, as means over replications.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SliSummary {
    /// Before the fault.
    pub before: Option<Estimate>,
    /// In its worst minute until recovery.
    pub during: Option<Estimate>,
    /// From recovery on.
    pub after: Option<Estimate>,
}

/// A phase of a region's failover.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseSummary {
    /// The region.
    pub region: String,
    /// The phase.
    pub phase: &'static str,
    /// When it was first entered, from the fault.
    pub entered_s: Distribution,
}

/// Replications outside the range in which counted traffic is exact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unreliable {
    /// How many.
    pub replications: u64,
    /// The first of them.
    pub first: u64,
    /// The pool that left the range in it.
    pub pool: String,
    /// When, in seconds from the beginning.
    pub at_s: f64,
    /// For how long in all.
    pub lasting_s: f64,
    /// Why.
    pub reason: String,
}

/// Values by name, in an order that means something.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<(&'static str, T)>);

impl<T> Named<T> {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Whether nothing was shrunk.
fn is_whole(scale: &f64) -> bool {
    *scale == 1.0
}
