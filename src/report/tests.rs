//! Pages of a small study, run for real.

mod varied;

use super::*;
use crate::report::terminal::{Style, text};
use crate::scenario::{Document, Layer, PolicyArg, builtin};
use crate::simulate::{Facts, Simulator};
use crate::study::{Simulators, Variant, Watch, replay, run, summarize};

struct Unwatched;

impl Watch for Unwatched {
    fn finished(&self, _done: u64) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// Hands over a study of `tiny` with hypotheses and objectives, under two policies.
fn with_findings(check: impl FnOnce(&Findings, &[Facts])) {
    let extra = r#"
        horizon = "12min"
        [[objective]]
        sli = "stream_start_success"
        target = ">= 99 %"
        [[hypothesis]]
        name = "a name that is much longer than it would have to be to see lines broken"
        claim = "rto <= 1min and during(stream_start_success[east]) >= 10 %"
    "#;
    let variant = |policy: &str| {
        let tiny = Layer::file("tiny", builtin("tiny").unwrap(), None);
        let extra = Layer::file("extra", extra, None);
        let policy_arg = PolicyArg::Name(policy.into());
        let document = Document::load("tiny", tiny, Some(policy_arg), vec![extra]);
        Variant::new(
            policy,
            document.unwrap_or_else(|problems| panic!("{problems}")),
        )
    };
    let plan = Plan {
        variants: vec![variant("flow"), variant("none")],
        seed: 7,
        replications: 3,
    };
    let simulators = Simulators::new(&plan);
    let study = run(&plan, &simulators, &Unwatched);
    let summary = summarize(&plan, &study);
    let worst: Vec<Option<Outcome>> = (0..2)
        .map(|v| {
            Some(replay(
                &plan,
                &simulators,
                v,
                summary.variants[v].worst_replication?,
            ))
        })
        .collect();
    let facts: Vec<Facts> = plan
        .variants
        .iter()
        .map(|variant| Simulator::new(variant.document.scenario()).facts())
        .collect();
    let findings = Findings {
        plan: &plan,
        study: &study,
        summary: &summary,
        worst: &worst,
    };
    check(&findings, &facts);
}

#[test]
fn pages_are_whole_and_their_names_are_known() {
    with_findings(|findings, facts| {
        let data = data(findings);
        let pictures = pictures(findings);
        let known = names();
        for page in data.iter().chain(&pictures) {
            assert!(known.contains(&page.name), "{}", page.name);
        }
        assert_eq!(
            data,
            super::data(findings),
            "equal studies give equal pages"
        );
        tables(&data, findings);
        drawings(&pictures);
        words(findings, facts);
    });
}

fn tables(data: &[Page], findings: &Findings) {
    let rows = |name: &str| -> Vec<::csv::StringRecord> {
        let page = data.iter().find(|page| page.name == name).unwrap();
        let mut reader = ::csv::Reader::from_reader(&page.bytes[..]);
        reader.records().map(|row| row.unwrap()).collect()
    };
    let replications = rows("replications.csv");
    assert_eq!(replications.len(), 2 * 3);
    assert_eq!(replications[4].get(0), Some("none"));
    assert_eq!(replications[4].get(1), Some("1"));
    let measures = findings.study.columns.tabled().len();
    assert!(replications.iter().all(|row| row.len() == 2 + measures));
    // 12 minutes of 10 s, two regions and both together, two variants.
    let slis = findings.study.columns.slis().len();
    assert_eq!(rows("timeline.csv").len(), 72 * 3 * slis * 2);
    let events = rows("events.csv");
    let dark = events.iter().find(|row| row.get(2) == Some("300"));
    assert!(dark.is_some(), "the fault is in the log: {events:?}");
    let summary: serde_json::Value = serde_json::from_slice(&data[0].bytes).unwrap();
    assert_eq!(summary["variants"][0]["name"], "flow");
    assert_eq!(summary["replications"], 3);
}

fn drawings(pictures: &[Page]) {
    let names: Vec<&str> = pictures.iter().map(|page| &*page.name).collect();
    for name in [
        "timelines.svg",
        "timeline-latency_p99.svg",
        "rto.svg",
        "rebuffer.svg",
    ] {
        assert!(names.contains(&name), "{name} is missing: {names:?}");
    }
    for page in pictures {
        let text = std::str::from_utf8(&page.bytes).unwrap();
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
        assert!(
            !text.contains("NaN") && !text.contains("inf"),
            "{}",
            page.name
        );
        assert!(
            text.contains("flow") && text.contains("none"),
            "{}",
            page.name
        );
    }
}

fn words(findings: &Findings, facts: &[Facts]) {
    let plain = text(findings, facts, true, "out/tiny", Style::default());
    let lines: Vec<&str> = plain.lines().collect();
    let (last, others) = lines.split_last().unwrap();
    assert!(last.starts_with("Intervals are of the simulation's randomness, for these inputs; "));
    assert!(last.ends_with(" fitted: `darkregion show --guesses`."));
    for line in others {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(others.contains(&"Files are in out/tiny"));
    assert!(plain.contains("3 replications each, seed 7"));
    assert!(!plain.contains('\u{1b}'), "no colours unless asked for");
    let coloured = Style {
        colour: true,
        ..Style::default()
    };
    let coloured = text(findings, facts, true, "out/tiny", coloured);
    assert!(coloured.contains("\u{1b}[1m"));
}
