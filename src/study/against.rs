//! A result against one that was saved: what got worse, and what better.
//!
//! A saved summary has no replications that could be paired; what is left of them are intervals.

use crate::model::observation::{Better, Unit};
use crate::slis;
use crate::stats::{Interval, LEVEL, Unpaired, holm};
use serde::Serialize;
use serde_json::Value;

/// How a result differs from a saved one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    /// Scenario of the saved result.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// Its replications.
    pub replications: u64,
    /// Whether it is the same result, bit for bit.
    pub same_digest: bool,
    /// Variants of this result alone.
    pub added: Vec<String>,
    /// Variants of the saved one alone.
    pub removed: Vec<String>,
    /// Every figure that both have with an interval.
    pub changes: Vec<Change>,
}

/// A figure of a variant, then and now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Name of the variant.
    pub variant: String,
    /// What is compared: `rto p50`, `during(error_rate)`, `holds: recovers in time`.
    pub figure: String,
    /// What it was.
    pub old: f64,
    /// What it is.
    pub new: f64,
    /// Lower end of the interval of `new - old`, 95 % for it alone.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// Chance of so large a difference if there were none, Holm-corrected for all figures.
    pub p_adjusted: f64,
    /// What that means.
    pub verdict: Trend,
    /// How the figure is written.
    #[serde(skip)]
    pub unit: Unit,
}

/// Where a figure goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trend {
    /// Beyond chance, in the bad direction.
    Worse,
    /// Beyond chance, in the good one.
    Better,
    /// Not beyond chance.
    Unclear,
}

impl Against {
    /// Whether any figure is worse.
    pub fn is_worse(&self) -> bool {
        self.changes.iter().any(|c| c.verdict == Trend::Worse)
    }
}

/// Names of the variants of a saved summary.
///
/// # Errors
///
/// Why it is none, and what would be right.
pub fn saved_variants(old: &Value) -> Result<Vec<&str>, (String, String)> {
    const HINT: &str = "name the summary.json of an earlier run";
    let wrong = |what: &str| Err((what.to_string(), HINT.to_string()));
    if old.get("program").is_some() {
        return wrong("is the manifest of a run, not its summary");
    }
    match old.get("format").and_then(Value::as_u64) {
        Some(1) => {}
        Some(format) => {
            return wrong(&format!(
                "has format {format}, and this version reads format 1"
            ));
        }
        None => return wrong("is not the summary of a run"),
    }
    match variants(old) {
        Some(variants) => Ok(variants.into_iter().map(|(name, _)| name).collect()),
        None => wrong("is not the summary of a run: it has no variants with names"),
    }
}

/// Compares two summaries in the shape of `summary.json`.
///
/// # Errors
///
/// What is wrong with the old one, and what would be right.
pub fn against(old: &Value, new: &Value) -> Result<Against, (String, String)> {
    saved_variants(old)?;
    let old_variants = variants(old).unwrap_or_default();
    let new_variants = variants(new).unwrap_or_default();
    let only = |these: &[(&str, &Value)], those: &[(&str, &Value)]| -> Vec<String> {
        let missing = |name: &&str| those.iter().all(|(other, _)| other != name);
        let names = these.iter().map(|(name, _)| *name);
        names.filter(missing).map(str::to_string).collect()
    };
    let replications = |of: &Value| of.get("replications").and_then(Value::as_u64).unwrap_or(0);
    let (then, now) = (replications(old), replications(new));
    let mut found = Vec::new();
    for (name, new) in &new_variants {
        let Some((_, old)) = old_variants.iter().find(|(other, _)| other == name) else {
            continue;
        };
        let before = figures(old, then);
        for now in figures(new, now) {
            let same = before.iter().find(|then| then.name == now.name);
            found.extend(same.map(|then| (name.to_string(), then.clone(), now)));
        }
    }
    if found.is_empty() {
        let name = |variants: &[(&str, &Value)]| {
            let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
            names.join(", ")
        };
        return Err((
            "has no figure with an interval in common with this run".to_string(),
            format!(
                "its variants are {}, this run's {}; intervals need more than one replication",
                name(&old_variants),
                name(&new_variants)
            ),
        ));
    }
    let tested: Vec<Unpaired> = found
        .iter()
        .map(|(_, then, now)| Unpaired::of(then.interval, now.interval))
        .collect();
    let adjusted = holm(&tested.iter().map(|test| test.p).collect::<Vec<f64>>());
    let changes = found.into_iter().zip(tested).zip(adjusted);
    let text = |key: &str| old.get(key).and_then(Value::as_str).unwrap_or_default();
    Ok(Against {
        scenario: text("scenario").to_string(),
        seed: old.get("seed").and_then(Value::as_u64).unwrap_or(0),
        replications: then,
        same_digest: !text("digest").is_empty() && old.get("digest") == new.get("digest"),
        added: only(&new_variants, &old_variants),
        removed: only(&old_variants, &new_variants),
        changes: changes
            .map(|(((variant, then, now), test), p)| change(variant, &then, now, test, p))
            .collect(),
    })
}

fn change(variant: String, then: &Figure, now: Figure, test: Unpaired, p: f64) -> Change {
    let (old, new) = (then.interval.value, now.interval.value);
    // What is computed in another order may differ in its last digits.
    let equal = (new - old).abs() <= 1e-9 * old.abs().max(new.abs());
    let verdict = match (p < 1.0 - LEVEL && !equal, now.better) {
        (false, _) => Trend::Unclear,
        (true, Better::Higher) if new > old => Trend::Better,
        (true, Better::Lower) if new < old => Trend::Better,
        (true, _) => Trend::Worse,
    };
    Change {
        variant,
        figure: now.name,
        old,
        new,
        lo: test.difference.lo,
        hi: test.difference.hi,
        p_adjusted: p,
        verdict,
        unit: now.unit,
    }
}

fn variants(summary: &Value) -> Option<Vec<(&str, &Value)>> {
    let variants = summary.get("variants")?.as_array()?;
    let named = variants.iter().map(|v| Some((v.get("name")?.as_str()?, v)));
    named.collect()
}

/// A figure with its interval.
#[derive(Clone, Debug)]
struct Figure {
    name: String,
    interval: Interval,
    better: Better,
    unit: Unit,
}

/// Every figure of a variant of so many replications that has an interval.
fn figures(variant: &Value, replications: u64) -> Vec<Figure> {
    let mut found = Vec::new();
    let mut add = |name: String, interval: Option<Interval>, better: Better, unit: Unit| {
        found.extend(interval.map(|interval| Figure {
            name,
            interval,
            better,
            unit,
        }));
    };
    for hypothesis in list(variant, "hypotheses") {
        let name = hypothesis.get("name").and_then(Value::as_str);
        let holds = hypothesis.get("holds");
        let holds = holds.and_then(|holds| share(holds, replications));
        let name = format!("holds: {}", name.unwrap_or_default());
        add(name, holds, Better::Higher, Unit::Share);
    }
    let mut time = |name: &str, dist: &Value| {
        for q in ["p50", "p95"] {
            let name = format!("{name} {q}");
            add(name, quantile(dist, q), Better::Lower, Unit::Seconds);
        }
        let name = format!("{name} has no end");
        add(name, censored(dist), Better::Lower, Unit::Share);
    };
    if let Some(rto) = variant.pointer("/times_s/rto") {
        time("rto", rto);
    }
    for (domain, dists) in entries(variant, "domains") {
        for (kind, key) in [("rto", "rto_s"), ("rpo", "rpo_s")] {
            if let Some(dist) = dists.get(key) {
                time(&format!("{kind}({domain})"), dist);
            }
        }
    }
    for (sli, spans) in entries(variant, "slis") {
        if let Some(known) = slis::find(sli) {
            let during = spans.get("during").and_then(mean);
            add(
                format!("during({sli})"),
                during,
                known.better(),
                known.unit(),
            );
        }
    }
    for (key, unit) in [
        ("failed_starts", Unit::Count),
        ("rebuffered_viewers", Unit::Count),
        ("downtime_minutes", Unit::Minutes),
    ] {
        let dist = variant.get("impact").and_then(|impact| impact.get(key));
        let p50 = dist.and_then(|dist| quantile(dist, "p50"));
        add(format!("{key} p50"), p50, Better::Lower, unit);
    }
    let at = |path: &str| variant.pointer(path);
    let availability = at("/availability").and_then(mean);
    add(
        "availability".into(),
        availability,
        Better::Higher,
        Unit::Share,
    );
    let cost = at("/cost/usd_per_hour").and_then(mean);
    add("cost".into(), cost, Better::Lower, Unit::UsdPerHour);
    found
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn number(value: &Value, key: &str) -> Option<f64> {
    value.get(key)?.as_f64()
}

fn interval(value: Option<f64>, lo: Option<f64>, hi: Option<f64>) -> Option<Interval> {
    let (value, lo, hi) = (value?, lo?, hi?);
    (lo <= value && value <= hi).then_some(Interval { value, lo, hi })
}

fn mean(value: &Value) -> Option<Interval> {
    let of = |key| number(value, key);
    interval(of("mean"), of("lo"), of("hi"))
}

/// A share of so many replications.
fn share(value: &Value, replications: u64) -> Option<Interval> {
    let share = number(value, "share").filter(|share| (0.0..=1.0).contains(share))?;
    let holds = (share * replications as f64).round();
    Interval::of_share(holds as u64, replications)
}

/// A quantile with both ends of its interval; `None` where any of them is among the censored.
fn quantile(dist: &Value, q: &str) -> Option<Interval> {
    let ends = dist.get(format!("{q}_ci"))?;
    let end = |i: usize| ends.get(i).and_then(Value::as_f64);
    interval(number(dist, q), end(0), end(1))
}

/// The share of replications without an end.
fn censored(dist: &Value) -> Option<Interval> {
    let count = |key: &str| dist.get(key).and_then(Value::as_u64);
    Interval::of_share(count("censored")?, count("n")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn summary(rto: f64, starts: f64, digest: &str) -> Value {
        json!({
            "format": 1, "scenario": "s", "seed": 3, "replications": 100, "digest": digest,
            "variants": [{
                "name": "flow",
                "hypotheses": [{ "name": "h", "holds": { "share": 0.9, "lo": 0.82, "hi": 0.95 } }],
                "times_s": { "rto": { "n": 100, "censored": 0, "p50": rto, "p95": null,
                    "p50_ci": [rto - 5.0, rto + 5.0], "p95_ci": [null, null] } },
                "slis": { "stream_start_success": { "before": null,
                    "during": { "n": 100, "mean": starts, "lo": starts - 0.001, "hi": starts + 0.001 } } },
                "cost": { "usd_per_hour": null },
            }]
        })
    }

    fn trend(against: &Against, figure: &str) -> Trend {
        let mut changes = against.changes.iter();
        changes.find(|c| c.figure == figure).expect(figure).verdict
    }

    #[test]
    fn worse_and_better_are_told_by_the_figure_s_own_direction() {
        let found = against(&summary(100.0, 0.98, "a"), &summary(120.0, 0.99, "b")).unwrap();
        assert_eq!(trend(&found, "rto p50"), Trend::Worse);
        assert_eq!(trend(&found, "during(stream_start_success)"), Trend::Better);
        assert_eq!(trend(&found, "holds: h"), Trend::Unclear);
        assert_eq!(trend(&found, "rto has no end"), Trend::Unclear);
        assert_eq!(found.changes.len(), 4, "{found:?}");
        assert!(found.is_worse() && !found.same_digest);
        let back = against(&summary(120.0, 0.99, "b"), &summary(100.0, 0.98, "a")).unwrap();
        assert_eq!(trend(&back, "rto p50"), Trend::Better);
    }

    #[test]
    fn what_is_within_the_intervals_is_unclear() {
        // 8 apart with 5 each: 8 / 7.07 of the half-width.
        let found = against(&summary(100.0, 0.98, "a"), &summary(108.0, 0.98, "b")).unwrap();
        assert_eq!(trend(&found, "rto p50"), Trend::Unclear);
        let same = against(&summary(100.0, 0.98, "a"), &summary(100.0, 0.98, "a")).unwrap();
        assert!(same.same_digest && !same.is_worse());
    }

    #[test]
    fn what_is_no_summary_is_refused_with_a_hint() {
        let new = summary(100.0, 0.98, "a");
        let mut other = summary(100.0, 0.98, "a");
        other["variants"][0]["name"] = "dns-only".into();
        for (old, expected) in [
            (json!({ "program": "darkregion", "format": 1 }), "manifest"),
            (json!({}), "not the summary"),
            (json!([1]), "not the summary"),
            (json!({ "format": 2 }), "format 2"),
            (json!({ "format": 1 }), "no variants"),
            (json!({ "format": 1, "variants": [{}] }), "no variants"),
            (other, "in common"),
        ] {
            let (what, hint) = against(&old, &new).unwrap_err();
            assert!(what.contains(expected), "{old}: {what}");
            assert!(!hint.is_empty());
        }
    }
}
