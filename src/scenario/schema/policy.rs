//! The policy: its name, and the knobs that the file turns.

use crate::model::policy::{Detect, Failback, Knobs, Shed, Spread, WatchedSli};
use crate::model::scenario::{PolicyChoice, RegionId};
use crate::scenario::default::{guess, required, setting};
use crate::scenario::known;
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::Range;
use crate::scenario::schema::scope::{Parts, scope};
use crate::scenario::section::Section;
use crate::scenario::tree::Node;

/// Most stages of a shift.
const MOST_STAGES: usize = 100;
/// Utilisation from which `shed = "cubic"` sheds.
const SHED_FROM: f64 = 0.8;

/// The policy, its own knobs changed by the section's keys.
pub fn policy(mut section: Section, regions: &[&str], parts: &Parts) -> PolicyChoice {
    // Strategies were taken for what they stand for before; a mistyped one is suggested too.
    let policies = known::policy_names();
    let names: Vec<&str> = policies
        .iter()
        .copied()
        .chain(known::strategy_names())
        .collect();
    let named = section.reference("use", "policy or strategy", &names);
    let name = named
        .map(|index| names[index])
        .filter(|name| policies.contains(name));
    let name = name.unwrap_or("none");
    let mut knobs = known::knobs(name);
    change(&mut section, &mut knobs, regions);
    scope(&mut section, &mut knobs, parts);
    PolicyChoice {
        name: name.to_string(),
        knobs,
    }
}

fn change(section: &mut Section, knobs: &mut Knobs, regions: &[&str]) {
    for (key, flag) in [
        ("failover", &mut knobs.failover),
        ("dns_after_edge", &mut knobs.dns_after_edge),
        ("dark_capacity", &mut knobs.dark_capacity),
        ("prewarm", &mut knobs.prewarm),
        ("isolate", &mut knobs.isolate),
        ("edge_retry", &mut knobs.edge_retry),
        ("prescale", &mut knobs.prescale),
        ("prescale_first", &mut knobs.prescale_first),
        ("freeze_scale_in", &mut knobs.freeze_scale_in),
        ("dns_stages", &mut knobs.dns_stages),
    ] {
        *flag = section.flag(key, *flag);
    }
    for (key, span) in [
        ("hold", &mut knobs.hold),
        ("eject_for", &mut knobs.eject_for),
        ("cool_down", &mut knobs.cool_down),
    ] {
        *span = section.span(key, setting(format!("{}s", span.secs())), Range::SPAN);
    }
    let decide = section.dist("decide", setting("0s"));
    if section.has("decide") {
        knobs.decide = decide;
    }
    if let Some(nodes) = section.array("route") {
        let words: Vec<Option<&str>> = nodes.iter().map(Node::text).collect();
        if words.iter().any(|w| !matches!(w, Some("edge" | "dns"))) {
            section.wrong(
                "route",
                "traffic is moved by the edge, by DNS or by both",
                "write [\"edge\", \"dns\"]",
            );
        }
        knobs.route_by_edge = words.contains(&Some("edge"));
        knobs.route_by_dns = words.contains(&Some("dns"));
    }
    let shed = section.choice(
        "shed",
        &[
            ("uniform", Shed::Uniform),
            ("priority", Shed::Priority),
            ("cubic", Shed::Cubic { from: SHED_FROM }),
        ],
    );
    if section.has("shed") {
        knobs.shed = shed;
    }
    if let Shed::Cubic { from } = &mut knobs.shed {
        let known = guess(from.to_string());
        *from = section.share("shed_from", known, Range::new(0.0, 0.99));
    } else if section.take("shed_from").is_some() {
        section.wrong(
            "shed_from",
            "nothing is shed before a pool is full",
            "write shed = \"cubic\", or remove it",
        );
    }
    let budget = setting(knobs.edge_retry_budget.to_string());
    knobs.edge_retry_budget =
        section.share("edge_retry_budget", budget, Range::new(0.0, f64::INFINITY));
    let failures = setting(knobs.eject_after.to_string());
    knobs.eject_after = section.count("eject_after", failures, 0, 1_000_000);
    let most = setting(knobs.eject_most.to_string());
    knobs.eject_most = section.share("eject_most", most, Range::SHARE);
    if let Some(stages) = stages(section, "stages") {
        knobs.stages = stages;
    }
    let error = setting(knobs.estimate_error.to_string());
    knobs.estimate_error = section.share("estimate_error", error, Range::new(0.0, 2.0));
    gate(section, knobs);
    detect(section, knobs);
    failback(section, &mut knobs.failback);
    if let Some(spread) = spread(section, regions) {
        knobs.spread = spread;
    }
}

/// What holds a stage up.
fn gate(section: &mut Section, knobs: &mut Knobs) {
    if !section.has("gate") {
        section.take("gate");
        return;
    }
    let mut gate = section.section("gate");
    knobs.gate_utilisation = gate.share(
        "utilisation",
        setting(knobs.gate_utilisation.to_string()),
        Range::positive(f64::INFINITY),
    );
    let deadline = setting(format!("{}s", knobs.gate_deadline.secs()));
    knobs.gate_deadline = gate.span("deadline", deadline, Range::SPAN);
}

/// How it is found out that a region must be evacuated.
fn detect(section: &mut Section, knobs: &mut Knobs) {
    if !section.child_is_table("detect") {
        section.choice("detect", &[("health", ())]);
        return;
    }
    let mut detect = section.section("detect");
    if detect.has("manual") {
        knobs.detect = Detect::Manual {
            notice: detect.dist("manual", required("5min")),
        };
        return;
    }
    let sli = detect.choice(
        "sli",
        &[
            ("error_rate", WatchedSli::ErrorRate),
            ("latency_p99", WatchedSli::Latency),
            ("eligible_start_success", WatchedSli::StartSuccess),
            ("burn_rate", WatchedSli::BurnRate),
        ],
    );
    let limit = match sli {
        WatchedSli::Latency => detect.secs("limit", required("500ms"), Range::positive(3600.0)),
        WatchedSli::BurnRate => detect.number("limit", required("14.4"), Range::positive(1e6)),
        WatchedSli::ErrorRate | WatchedSli::StartSuccess => {
            detect.share("limit", required("5 %"), Range::SHARE)
        }
    };
    knobs.detect = Detect::Sli {
        sli,
        limit,
        lasting: detect.span("for", guess("60s"), Range::SPAN),
    };
}

/// How traffic goes back: `manual`, `automatic`, or automatic with its own keys.
fn failback(section: &mut Section, failback: &mut Failback) {
    if !section.child_is_table("failback") {
        let automatic = section.choice("failback", &[("manual", false), ("automatic", true)]);
        if section.has("failback") {
            failback.automatic = automatic;
        }
        return;
    }
    let mut table = section.section("failback");
    failback.automatic = true;
    for (key, flag) in [
        ("gate_data", &mut failback.gate_data),
        ("gate_caches", &mut failback.gate_caches),
        ("gate_instances", &mut failback.gate_instances),
    ] {
        *flag = table.flag(key, *flag);
    }
    failback.stable = table.span("stable", guess("5min"), Range::SPAN);
    failback.hold = table.span("hold", guess("2min"), Range::SPAN);
    failback.back_off = table.span("back_off", guess("10min"), Range::SPAN);
    failback.decide = table.dist("decide", setting("0s"));
    failback.most_errors = table.share("most_errors", guess("5 %"), Range::SHARE);
    failback.most_utilisation = table.share("most_utilisation", guess("95 %"), Range::SHARE);
    if let Some(stages) = stages(&mut table, "stages") {
        failback.stages = stages;
    }
}

/// Growing shares, the last of which is 1.
fn stages(section: &mut Section, key: &'static str) -> Option<Vec<f64>> {
    let path = section.path_of(key);
    let nodes = section.array(key)?;
    let reader = section.reader;
    let values: Vec<Option<f64>> = nodes
        .iter()
        .enumerate()
        .map(|(i, node)| {
            reader.quantity(
                node,
                &format!("{path}[{i}]"),
                Unit::Share,
                Range::positive(1.0),
            )
        })
        .collect();
    let values: Vec<f64> = values.into_iter().collect::<Option<_>>()?;
    let growing = values.windows(2).all(|pair| pair[0] < pair[1]);
    if !growing || values.last() != Some(&1.0) || values.len() > MOST_STAGES {
        section.wrong(
            key,
            "stages grow up to all of the traffic",
            "write [0.01, 0.25, 0.5, 1]",
        );
        return None;
    }
    Some(values)
}

fn spread(section: &mut Section, regions: &[&str]) -> Option<Spread> {
    if !section.child_is_table("spread") {
        let nearest = section.choice("spread", &[("spare", false), ("nearest", true)]);
        let spread = if nearest {
            Spread::Nearest
        } else {
            Spread::Spare
        };
        return section.has("spread").then_some(spread);
    }
    let path = section.path_of("spread");
    let node = section.take("spread")?;
    let mut weights: Vec<(RegionId, f64)> = Vec::new();
    let entries = &node.table()?.0;
    for entry in entries {
        let region = section
            .reader
            .find(entry.at, &path, &entry.key, "region", regions);
        let path = crate::scenario::path::join(&path, &entry.key);
        let weight = section
            .reader
            .quantity(&entry.node, &path, Unit::Share, Range::new(0.0, 1e6));
        if let (Some(region), Some(weight)) = (region, weight) {
            weights.push((region, weight));
        }
    }
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 && weights.len() == entries.len() {
        let wrong = Wrong::new("no region has a weight", "write { \"us-west-2\" = 1 }");
        section.reader.wrong(node.at, &path, wrong);
        return None;
    }
    weights.sort_by_key(|(region, _)| *region);
    Some(Spread::Fixed(weights))
}
