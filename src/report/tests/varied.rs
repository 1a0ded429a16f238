//! Variants that differ in a value, or in what they lose.

use super::Unwatched;
use crate::report::terminal::{Style, text};
use crate::report::{Findings, data, pictures};
use crate::scenario::{Document, Layer, PolicyArg, builtin};
use crate::simulate::{Facts, Simulator};
use crate::study::{
    Plan, Simulators, Target, TargetKind, Variant, VariantOrigin, VariedValue, run, summarize,
};

fn document(sets: &[String]) -> Document {
    let tiny = Layer::file("tiny", builtin("tiny").unwrap(), None);
    let objective = "[[objective]]\nsli = \"stream_start_success\"\ntarget = \">= 99 %\"\n";
    let mut layers = vec![Layer::file("extra", objective, None)];
    layers.extend(sets.iter().map(|set| Layer::set(set)));
    let policy = PolicyArg::Name("flow".into());
    let document = Document::load("tiny", tiny, Some(policy), layers);
    document.unwrap_or_else(|problems| panic!("{problems}"))
}

/// Three values of the headroom, and each region lost.
fn plan() -> Plan {
    let mut variants = Vec::new();
    for headroom in [0.2, 0.6, 1.2] {
        let set = format!("service.*.headroom={headroom}");
        let mut variant = Variant::new(&format!("flow {headroom}"), document(&[set]));
        variant.origin.base = "flow".into();
        variant.origin.values = vec![VariedValue {
            path: "service.*.headroom".into(),
            text: headroom.to_string(),
            number: Some(headroom),
        }];
        variants.push(variant);
    }
    for region in ["east", "west"] {
        let set = format!("fault[0].region={region}");
        let mut variant = Variant::new(&format!("without {region}"), document(&[set]));
        variant.origin = VariantOrigin {
            base: "each".into(),
            values: Vec::new(),
            target: Some(Target {
                kind: TargetKind::Region,
                name: region.into(),
                hour: None,
            }),
        };
        variants.push(variant);
    }
    Plan {
        variants,
        seed: 7,
        replications: 3,
    }
}

#[test]
fn values_and_losses_fill_tables_and_a_curve() {
    let plan = plan();
    let simulators = Simulators::new(&plan);
    let study = run(&plan, &simulators, &Unwatched);
    let summary = summarize(&plan, &study);
    let facts: Vec<Facts> = plan
        .variants
        .iter()
        .map(|variant| Simulator::new(variant.document.scenario()).facts())
        .collect();
    let worst: Vec<_> = plan.variants.iter().map(|_| None).collect();
    let findings = Findings {
        plan: &plan,
        study: &study,
        summary: &summary,
        worst: &worst,
    };
    let out = text(&findings, &facts, false, "out", Style::default());
    // A row each, and no block of tables.
    assert!(!out.contains("time from the fault"), "{out}");
    for name in [
        "service.*.headroom",
        "0.2",
        "0.6",
        "1.2",
        "lost",
        "east",
        "west",
        "CPU",
    ] {
        assert!(out.contains(name), "{name}: {out}");
    }
    let pages = pictures(&findings);
    let sweep = pages.iter().find(|page| page.name == "sweep.svg");
    let sweep = std::str::from_utf8(&sweep.expect("a value was varied").bytes).unwrap();
    assert!(sweep.contains("service.*.headroom") && !sweep.contains("NaN"));
    let json: serde_json::Value = serde_json::from_slice(&data(&findings)[0].bytes).unwrap();
    assert_eq!(json["variants"][1]["origin"]["values"][0]["number"], 0.6);
    assert!(json["variants"][1].get("loss").is_none());
    // Whoever survives serves both halves: the lost region's CPU is not what is shown.
    let loss = &summary.variants[3].loss.as_ref().unwrap();
    let east_lost = loss.survivors_peak_cpu.unwrap().mean;
    let column = study
        .columns
        .measures()
        .iter()
        .position(|measure| measure.to_string() == "during(cpu[west])");
    let rows = &study.variants[3].rows;
    let west: f64 = rows
        .iter()
        .map(|row| row.values[column.unwrap()].as_f64())
        .sum();
    assert!((east_lost - west / rows.len() as f64).abs() < 1e-12);
    assert!(loss.shed_worst_minute.unwrap().mean >= 0.0);
}
