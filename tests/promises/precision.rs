//! How precisely things are known, through the real program.

use crate::program::{PROGRAM, fresh, run, written};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A region that is dark all the time: every request fails, 50 per second times `demand`.
const DARK: &str = r#"
format = 1
horizon = "10min"
step = "10s"

[[region]]
name = "east"

[[market]]
name = "viewers"
requests = "50/s"

[variation]
demand = 0

[[fault]]
kind = "region-dark"
region = "east"
at = "0s"
for = "10min"

[[hypothesis]]
name = "few fail"
claim = "failed_starts < 45000"
in = 0.1
"#;

fn json(dir: &Path, name: &str) -> Value {
    let bytes = fs::read(dir.join(name)).expect("it is there");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

fn with(text: &str) -> tempfile::TempDir {
    let dir = fresh();
    fs::write(dir.path().join("d.toml"), text).expect("written");
    dir
}

#[test]
fn replications_end_when_all_is_precise_enough() {
    let dir = with(DARK);
    let ask = |out: &str, threads: &str| {
        let args = [
            "run",
            "d.toml",
            "--precision",
            "mean(failed_starts)=0.05%",
            "--precision",
            "p(failed_starts < 45000)=5%",
            "-j",
            threads,
            "-o",
            out,
            "--no-plots",
        ];
        let (code, text, err) = run(dir.path(), &args);
        assert_eq!(code, Some(0), "{text}{err}");
        assert!(
            text.contains("Precision mean(failed_starts)=0.05%: reached after"),
            "{text}"
        );
        json(&dir.path().join(out), "summary.json")
    };
    let summary = ask("one", "1");
    // 30,000 requests, 173 the standard deviation: 511 replications for 15 either way.
    let done = summary["replications"].as_u64().expect("a number");
    assert!([337, 505, 757].contains(&done), "{done}");
    let found = &summary["variants"][0]["precision"];
    for one in found.as_array().expect("two were asked for") {
        assert_eq!(one["reached"], true, "{one}");
        let of = |key: &str| one[key].as_f64().expect("a number");
        assert!(of("half_width") <= of("wanted"), "{one}");
    }
    assert_eq!(ask("three", "3"), summary);
    let (code, out, err) = run(
        dir.path(),
        &["run", "one/manifest.json", "-q", "-o", "again"],
    );
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(err.contains("the digest is the same"), "{err}");
}

#[test]
fn replications_end_at_their_most_and_say_so() {
    let dir = with(DARK);
    let args = [
        "run",
        "d.toml",
        "--precision",
        "mean(failed_starts)=0.5",
        "--max-replications",
        "120",
        "-o",
        "out",
        "--no-plots",
    ];
    let (code, text, err) = run(dir.path(), &args);
    assert_eq!(code, Some(0), "{text}{err}");
    assert!(
        text.contains("NOT reached after 120 replications"),
        "{text}"
    );
    let summary = json(&dir.path().join("out"), "summary.json");
    assert_eq!(summary["replications"], 120);
    assert_eq!(summary["variants"][0]["precision"][0]["reached"], false);
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let dir = with(DARK);
    for (args, expected) in [
        (
            &["--precision", "p95(rto)=5%", "-n", "10"][..],
            "leave out -n",
        ),
        (&["--max-replications", "10"], "--precision ends"),
        (&["--precision", "p95(rtoo)=5%"], "did you mean \"rto\""),
        (&["--precision", "p95(rto)"], "says no precision"),
        (
            &["--precision", "mean(rpo(nowhere))=5s"],
            "no variant measures rpo(nowhere)",
        ),
        (
            &["--precision", "mean(before(cpu[east]))=5%"],
            "no variant measures before(cpu[east])",
        ),
    ] {
        let (code, out, err) = run(dir.path(), &[&["run", "d.toml", "-q"], args].concat());
        assert_eq!(code, Some(2), "{args:?} {out}{err}");
        assert!(err.contains(expected), "{args:?} {err}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_search_for_precision_too() {
    let dir = with(DARK);
    let args = [
        "run",
        "d.toml",
        "--precision",
        "mean(failed_starts)=0.00001",
        "--max-replications",
        "1000000",
        "-o",
        "out",
        "--no-plots",
    ];
    let mut child = Command::new(PROGRAM)
        .args(args)
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    // The lock is there as soon as it runs; some replications follow.
    for _ in 0..600 {
        if dir.path().join("out").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(4));
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill is there").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let out = dir.path().join("out");
    let manifest = json(&out, "manifest.json");
    assert_eq!(manifest["planned"], 1_000_000);
    let done = manifest["replications"].as_u64().expect("a number");
    assert!((1..1_000_000).contains(&done), "{done}");
    let rows = String::from_utf8_lossy(&written(&out)["replications.csv"])
        .lines()
        .count()
        - 1;
    assert_eq!(rows as u64, done);
    let (_, _, err) = run(
        dir.path(),
        &["run", "out/manifest.json", "-q", "-o", "again"],
    );
    assert!(err.contains("the digest is the same"), "{err}");
}

#[test]
fn both_intervals_are_told_where_inputs_are_uncertain() {
    let dir = with(DARK);
    let args = [
        "run",
        "d.toml",
        "-n",
        "200",
        "-o",
        "out",
        "--no-plots",
        "--set",
        "demand={uncertain=[1, 2]}",
    ];
    let (_, text, err) = run(dir.path(), &args);
    assert!(
        text.contains("failed_starts is moved most by demand (+1.00"),
        "{text}{err}"
    );
    let summary = json(&dir.path().join("out"), "summary.json");
    let unknown = &summary["variants"][0]["unknown"];
    let measures = unknown["measures"].as_array().expect("measures");
    let failed = measures
        .iter()
        .find(|one| one["name"] == "failed_starts")
        .expect("they vary");
    let of = |of: &str, key: &str| failed[of][key].as_f64().expect("a number");
    // 30,000 times a factor between 1 and 2, of which 5 % lie below 1.05; four and a half standard
    // errors of the quantile of 200.
    let (lo, hi) = (of("outcome", "lo"), of("outcome", "hi"));
    assert!(
        (lo - 31_500.0).abs() < 2_080.0 && (hi - 58_500.0).abs() < 2_080.0,
        "{lo} {hi}"
    );
    assert!(of("outcome", "variance_share") > 0.99);
    // The simulation's interval is of the mean, and shrinks.
    let half = 0.5 * (of("simulation", "hi") - of("simulation", "lo"));
    assert!((half - 1_206.0).abs() < 250.0, "{half}");
    assert!((of("simulation", "mean") - 45_000.0).abs() < 3_000.0);
    // Whether fewer than 45,000 fail depends on nothing else than the factor.
    let few = &unknown["hypotheses"][0]["outcome"];
    assert_eq!(few["lo"].as_f64().expect("a number").round(), 0.0);
    assert_eq!(few["hi"].as_f64().expect("a number").round(), 1.0);
    // Where all is certain nothing is said.
    let (_, text, _) = run(
        dir.path(),
        &["run", "d.toml", "-n", "12", "-o", "sure", "--no-plots"],
    );
    assert!(!text.contains("uncertain inputs"), "{text}");
    let summary = json(&dir.path().join("sure"), "summary.json");
    assert!(summary["variants"][0].get("unknown").is_none());
}

#[test]
fn a_run_of_several_variants_and_overlays_is_repeated() {
    let dir = with(DARK);
    fs::write(dir.path().join("over.toml"), "horizon = \"12min\"\n").expect("written");
    let args = [
        "run",
        "d.toml",
        "-q",
        "-n",
        "3",
        "-s",
        "4",
        "-o",
        "first",
        "-p",
        "none",
        "-p",
        "flow",
        "--with",
        "over.toml",
        "--set",
        "demand=0.9",
        "--set",
        "dns.ttl={uncertain=[\"10s\", \"60s\"]}",
    ];
    let (code, out, err) = run(dir.path(), &args);
    assert!(matches!(code, Some(0 | 4)), "{out}{err}");
    fs::remove_file(dir.path().join("over.toml")).expect("it goes");
    let (again, out, err) = run(
        dir.path(),
        &["run", "first/manifest.json", "-q", "-o", "second"],
    );
    assert_eq!(again, code, "{out}{err}");
    assert!(err.contains("the digest is the same"), "{err}");
    let file = |dir_name: &str, name: &str| {
        fs::read(dir.path().join(dir_name).join(name)).expect("it is there")
    };
    assert_eq!(
        file("first", "summary.json"),
        file("second", "summary.json")
    );
}
