//! Comparisons of variants and with saved results, by the real program.

use crate::given::drill;
use crate::program::{fresh, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Two policies that do nothing, and that differ in nothing but what is paid; a third that acts.
fn with_policies() -> TempDir {
    let dir = fresh();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
    write("drill.toml", &drill());
    write("plain.toml", "[policy]\nuse = \"none\"\n");
    write(
        "dear.toml",
        "[policy]\nuse = \"none\"\n[prices]\nreserved = \"0.214 USD/h\"\non_demand = \"0.34 USD/h\"\n\
         storage = \"0.16 USD/GB/month\"\ntransfer = \"0.04 USD/GB\"\n",
    );
    dir
}

fn summary(dir: &Path) -> Value {
    let bytes = fs::read(dir.join("summary.json")).expect("it is there");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

/// The comparison of a variant by a measure.
fn comparison<'a>(summary: &'a Value, b: &str, measure: &str) -> &'a Value {
    let all = summary["comparisons"].as_array().expect("a list");
    let found = all.iter().find(|c| c["b"] == b && c["measure"] == measure);
    found.unwrap_or_else(|| panic!("{b} {measure} in {all:?}"))
}

/// Values of a measure by variant, in the order of replications.
fn column(dir: &Path, measure: &str) -> BTreeMap<String, Vec<f64>> {
    let mut reader = csv::Reader::from_path(dir.join("replications.csv")).expect("it is there");
    let at = reader
        .headers()
        .expect("a head")
        .iter()
        .position(|h| h == measure);
    let at = at.expect("the measure has a column");
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("a row");
        let value = row[at].parse().expect("a number");
        values.entry(row[0].to_string()).or_default().push(value);
    }
    values
}

#[test]
fn differences_are_those_of_pairs_and_of_nothing_else() {
    let dir = with_policies();
    let (code, out, err) = run(
        dir.path(),
        &[
            "compare",
            "drill.toml",
            "-n",
            "10",
            "-o",
            "out",
            "-p",
            "./plain.toml",
            "-p",
            "./dear.toml",
            "-p",
            "edge-proxy",
        ],
    );
    assert_eq!(code, Some(0), "{out}{err}");
    let results = dir.path().join("out");
    let summary = summary(&results);
    // The same deployment at twice the prices: nothing but the cost differs, and that twofold.
    for measure in ["rto", "failed_starts", "rebuffered_viewers"] {
        let same = comparison(&summary, "dear", measure);
        assert_eq!((&same["less"], &same["more"]), (&0.into(), &0.into()));
        assert_eq!(same["p_adjusted"], 1.0, "{same}");
    }
    let cost = comparison(&summary, "dear", "cost");
    assert!((cost["relative"].as_f64().expect("a number") - 1.0).abs() < 1e-9);
    assert!(out.contains("dear costs 100 % more"), "{out}");
    // 2 / 2^10 of the sign test, and Holm's factor is at most the number of comparisons.
    let tests = summary["comparisons"].as_array().expect("a list").len() as f64;
    let p = cost["p_adjusted"].as_f64().expect("a number") * 512.0;
    assert!((1.0..=tests + 1e-9).contains(&p), "{p}");
    // By hand from the rows.
    for measure in ["failed_starts", "rebuffered_viewers", "cost"] {
        let values = column(&results, measure);
        let pairs = values["plain"].iter().zip(&values["edge-proxy"]);
        let differences: Vec<f64> = pairs.map(|(a, b)| b - a).collect();
        let mean = differences.iter().sum::<f64>() / 10.0;
        let found = comparison(&summary, "edge-proxy", measure);
        let told = found["difference"]["mean"].as_f64().expect("a number");
        assert!(
            (told - mean).abs() <= 1e-9 * mean.abs().max(1.0),
            "{measure}: {found}"
        );
        let less = differences.iter().filter(|d| **d < 0.0).count();
        assert_eq!(found["less"], less, "{measure}");
        let sentence = found["sentence"].as_str().expect("text");
        assert!(sentence.starts_with("edge-proxy "), "{sentence}");
    }
    let picture = fs::read_to_string(results.join("comparison.svg")).expect("it is there");
    assert!(picture.contains("rebuffered viewers") && !picture.contains("NaN"));
    let (_, table) = out.split_once("Compared with plain").expect("it is told");
    let (table, _) = table.split_once("Files are in").expect("it is told");
    assert!(
        table.lines().all(|line| line.chars().count() <= 100),
        "{table}"
    );
}

#[test]
fn one_variant_is_nothing_to_compare() {
    let dir = with_policies();
    let (code, out, err) = run(dir.path(), &["compare", "drill.toml", "-p", "none"]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("-p twice"), "{err}");
    assert!(!dir.path().join("out").exists(), "nothing ran");
}

#[test]
fn a_claim_may_speak_of_another_variant() {
    let dir = with_policies();
    let claims = |claim: &str| {
        format!(
            "{}\n[[hypothesis]]\nname = \"x\"\nin = 0.1\nclaim = \"{claim}\"\n",
            drill()
        )
    };
    let variants = [
        "-p",
        "edge-proxy",
        "-p",
        "none",
        "-n",
        "3",
        "-q",
        "--no-plots",
        "-o",
        "out",
    ];
    for (claim, expected) in [
        ("none.cost < cost", 0),
        ("none.cost < edge-proxy.cost and 'none'.cost > 0 USD/h", 0),
        ("none.cost > cost", 4),
    ] {
        fs::write(dir.path().join("claims.toml"), claims(claim)).expect("written");
        let args = [&["run", "claims.toml"], &variants[..]].concat();
        let (code, out, err) = run(dir.path(), &args);
        assert_eq!(code, Some(expected), "{claim}: {out}{err}");
        // Judged by pairs: the same for whichever variant, if it names all of them.
        let summary = summary(&dir.path().join("out"));
        let verdict = |v: usize| summary["variants"][v]["hypotheses"][0]["verdict"].clone();
        assert_eq!(
            verdict(0),
            if expected == 0 {
                "pass"
            } else {
                "inconclusive"
            }
        );
        if claim.contains("edge-proxy.") {
            assert_eq!(verdict(0), verdict(1));
        }
    }
    fs::write(dir.path().join("claims.toml"), claims("nona.rto > rto")).expect("written");
    let args = [&["run", "claims.toml"], &variants[..]].concat();
    let (code, _, err) = run(dir.path(), &args);
    assert_eq!(code, Some(2), "{err}");
    assert!(
        err.contains("hypothesis[0].claim") && err.contains("\"none\""),
        "{err}"
    );
    let (code, _, err) = run(dir.path(), &["check", "claims.toml", "-p", "none"]);
    assert_eq!(code, Some(2), "{err}");
}

#[test]
fn a_saved_result_tells_better_from_worse() {
    let dir = with_policies();
    let of = |more: &[&str]| {
        let common = ["run", "drill.toml", "-p", "none", "-n", "8", "--no-plots"];
        run(dir.path(), &[&common[..], more].concat())
    };
    assert_eq!(of(&["-q", "-o", "old"]).0, Some(0));
    let against = ["--against", "old/summary.json", "-o", "new"];
    let with = |more: &[&str]| of(&[&against[..], more].concat());
    let (code, out, _) = with(&[]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("The same result, bit for bit"), "{out}");
    // Nothing but the price changes, by the same in every replication.
    let (code, out, err) = with(&["--set", "prices.reserved=\"0.2 USD/h\""]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("WORSE") && !out.contains("better"), "{out}");
    let (code, out, err) = with(&["--set", "prices.reserved=\"0.05 USD/h\""]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("better") && !out.contains("WORSE"), "{out}");
    // A quarter of the time in the dark, in other weather.
    let (_, out, _) = with(&["--set", "fault[0].for=\"1min\"", "-s", "2"]);
    let rto = out.lines().find(|line| line.contains("rto p50"));
    assert!(rto.is_some_and(|line| line.contains("better")), "{out}");
    assert!(out.contains("seeds 1 and 2"), "{out}");
    let (_, out, _) = with(&["--format", "json"]);
    let told: Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(told["against"]["seed"], 1);
    // What depends on a file elsewhere is not in the results, which are the scenario's alone.
    assert!(summary(&dir.path().join("new")).get("against").is_none());
}

#[test]
fn a_file_that_is_no_saved_result_is_refused_before_anything_runs() {
    let dir = with_policies();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
    write("text.json", "not { json");
    write("other.json", "{\"format\": 1}");
    write("new.json", "{\"format\": 9, \"variants\": []}");
    write(
        "names.json",
        "{\"format\": 1, \"variants\": [{\"name\": \"x\"}]}",
    );
    for (file, expected, code) in [
        ("text.json", "text.json:1:2: is not JSON", 2),
        ("other.json", "no variants", 2),
        ("new.json", "format 9", 2),
        ("names.json", "none of this run's variants", 2),
        ("missing.json", "missing.json", 3),
    ] {
        let args = [
            "run",
            "drill.toml",
            "-p",
            "none",
            "-n",
            "1000000",
            "--against",
            file,
        ];
        let (found, out, err) = run(dir.path(), &args);
        assert_eq!(found, Some(code), "{file}: {out}{err}");
        assert!(err.contains(expected), "{file}: {err}");
    }
}

#[test]
fn markdown_is_tables_and_paragraphs() {
    let dir = with_policies();
    let commands: [&[&str]; 6] = [
        &[
            "compare",
            "drill.toml",
            "-n",
            "3",
            "-p",
            "none",
            "-p",
            "flow",
        ],
        &["run", "drill.toml", "-n", "3"],
        &["check", "drill.toml"],
        &["list"],
        &["show", "flow-dark"],
        &["show", "--guesses"],
    ];
    for command in commands {
        let (_, out, err) = run(dir.path(), &[command, &["--format", "markdown"]].concat());
        assert!(!out.contains('─') && !out.contains('\u{1b}'), "{out}{err}");
        let mut columns = None;
        for line in out.lines() {
            let cells = line.replace("\\|", "").matches('|').count();
            columns = match line.starts_with('|') {
                true => {
                    assert!(columns.is_none_or(|n| n == cells), "{command:?}: {line}");
                    Some(cells)
                }
                false => None,
            };
        }
        assert!(
            out.contains("| ---") || out.contains("```toml"),
            "{command:?}: {out}"
        );
    }
}

#[test]
fn every_verb_speaks_json() {
    let dir = with_policies();
    let commands: [&[&str]; 5] = [
        &["list"],
        &["list", "faults"],
        &["show", "flow"],
        &["show", "--guesses"],
        &[
            "compare",
            "drill.toml",
            "-n",
            "2",
            "-p",
            "none",
            "-p",
            "flow",
        ],
    ];
    for command in commands {
        let (code, out, err) = run(dir.path(), &[command, &["--format", "json"]].concat());
        assert_eq!(code, Some(0), "{command:?}: {err}");
        let value: Value =
            serde_json::from_str(&out).unwrap_or_else(|why| panic!("{command:?}: {why}"));
        assert!(value.is_object(), "{command:?}");
    }
}

#[test]
fn a_png_stands_beside_every_svg_when_it_is_asked_for() {
    let dir = with_policies();
    let args = [
        "compare",
        "drill.toml",
        "-n",
        "2",
        "-p",
        "none",
        "-p",
        "flow",
        "-q",
        "-o",
        "out",
    ];
    let (code, _, err) = run(dir.path(), &[&args[..], &["--png"]].concat());
    assert_eq!(code, Some(0), "{err}");
    let (mut svgs, mut pngs) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir.path().join("out")).expect("it is there") {
        let path = entry.expect("a file").path();
        let name = path.file_stem().expect("a name").to_owned();
        match path.extension().and_then(|end| end.to_str()) {
            Some("svg") => svgs.push(name),
            Some("png") => {
                let bytes = fs::read(&path).expect("it can be read");
                assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
                // 900 units wide, two pixels each.
                assert_eq!(
                    u32::from_be_bytes(bytes[16..20].try_into().expect("four")),
                    1800
                );
                pngs.push(name);
            }
            _ => {}
        }
    }
    svgs.sort();
    pngs.sort();
    assert!(svgs.len() > 5, "{svgs:?}");
    assert_eq!(svgs, pngs);
}
