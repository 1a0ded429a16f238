//! Variants and overlays, as the program takes them.

use crate::given::drill;
use crate::program::{fresh, run, written};
use std::fs;
use std::path::Path;

/// A folder with the drill, to which something is added, and further files.
fn folder(added: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = fresh();
    fs::write(dir.path().join("drill.toml"), drill() + added).expect("written");
    for (name, text) in files {
        fs::write(dir.path().join(name), text).expect("written");
    }
    dir
}

/// Standard output of something that goes well.
fn told(dir: &Path, args: &[&str]) -> String {
    let (code, out, err) = run(dir, args);
    assert_eq!(code, Some(0), "{args:?}: {err}");
    out
}

/// What is said of something that is wrong.
fn refused(dir: &Path, args: &[&str]) -> String {
    let (code, out, err) = run(dir, args);
    assert_eq!(code, Some(2), "{args:?}: {out}{err}");
    err
}

/// The rows of each variant in a run's `replications.csv`, by the variant's name.
fn rows(dir: &Path) -> Vec<(String, Vec<String>)> {
    let csv = String::from_utf8(written(dir)["replications.csv"].clone()).expect("text");
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for line in csv.lines().skip(1) {
        let (name, rest) = line.split_once(',').expect("columns");
        match rows.iter_mut().find(|(known, _)| known == name) {
            Some((_, own)) => own.push(rest.to_string()),
            None => rows.push((name.to_string(), vec![rest.to_string()])),
        }
    }
    rows
}

#[test]
fn later_layers_win() {
    let layer = |ttl: &str| format!("[dns]\nttl = \"{ttl}\"\n");
    let strategy = layer("2s") + "[policy]\nuse = \"flow\"\n";
    let dir = folder(
        "",
        &[
            ("strategy.toml", &strategy),
            ("variant.toml", &layer("3s")),
            ("first.toml", &layer("4s")),
            ("second.toml", &layer("5s")),
        ],
    );
    let layers: [&[&str]; 5] = [
        &["-p", "strategy.toml"],
        &["--variant", "v=variant.toml"],
        &["--with", "first.toml", "--with", "second.toml"],
        &["--set", "dns.ttl=6s", "--set", "dns.ttl=7s"],
        &["--vary", "dns.ttl=8s,9s"],
    ];
    // Whatever order they are given in.
    for (count, ttl) in ["20s", "2s", "3s", "5s", "7s", "9s"].iter().enumerate() {
        let mut args = vec!["show", "drill.toml"];
        args.extend(layers[..count].iter().rev().copied().flatten());
        let shown = told(dir.path(), &args);
        let last = shown.lines().rev().find(|line| line.starts_with("ttl = "));
        assert_eq!(last, Some(format!("ttl = \"{ttl}\"").as_str()), "{args:?}");
    }
}

#[test]
fn a_variant_that_changes_nothing_is_the_same_bit_for_bit() {
    let dir = folder(
        "\n[[variant]]\nname = \"own\"\nwith = {}\n",
        &[
            ("empty.toml", "# nothing\n"),
            ("again.toml", "format = 1\n"),
        ],
    );
    let args =
        "run drill.toml -n 1 -q --no-plots -p flow --variant file=empty.toml --with again.toml";
    let args: Vec<&str> = args.split(' ').collect();
    run(dir.path(), &args);
    let rows = rows(&dir.path().join("out/drill"));
    let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["flow", "own", "file"]);
    assert_eq!(rows[0].1, rows[1].1);
    assert_eq!(rows[0].1, rows[2].1);
    // And a variant that changes something is not.
    let args = "run drill.toml -n 1 -q --no-plots -p flow --vary service.*.headroom=0.6,0.7";
    let args: Vec<&str> = args.split(' ').collect();
    run(dir.path(), &args);
    let varied = self::rows(&dir.path().join("out/drill"));
    assert_eq!(
        varied.len(),
        4,
        "the policy and the file's own variant, each with both values"
    );
    assert_eq!(varied[0].0, "flow service.*.headroom=0.6");
    assert_ne!(varied[0].1, varied[1].1);
}

#[test]
fn a_lost_region_is_the_fault_that_the_scenario_has_anyway() {
    let dir = folder("", &[]);
    let run = |more: &[&str]| {
        let mut args = vec!["run", "drill.toml", "-n", "1", "-q", "--no-plots"];
        args.extend(more);
        self::run(dir.path(), &args);
        rows(&dir.path().join("out/drill"))
    };
    let plain = run(&[]);
    let each = run(&["--each", "region"]);
    let names: Vec<&str> = each.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ash", "birch", "cedar"]);
    // Losses have further columns behind those of the drill.
    let as_plain = |rows: &[String]| rows[0].starts_with(&plain[0].1[0]);
    assert!(as_plain(&each[1].1), "the drill loses birch");
    assert!(!as_plain(&each[0].1));
    assert!(as_plain(&run(&["--each", "fault"])[0].1));
    let shown = told(dir.path(), &["show", "drill.toml", "--each", "zone"]);
    assert_eq!(shown.matches("kind = \"zone-loss\"").count(), 8);
}

#[test]
fn a_manifest_repeats_the_variants_with_where_they_come_from() {
    let dir = folder("", &[("ttl.toml", "[dns]\nttl = \"5s\"\n")]);
    let args = "run drill.toml -n 1 -q --no-plots -p flow --variant short=ttl.toml --each region";
    run(dir.path(), &args.split(' ').collect::<Vec<_>>());
    let out = dir.path().join("out/drill");
    let first = written(&out);
    let manifest = String::from_utf8(first["manifest.json"].clone()).expect("text");
    assert!(manifest.contains("\"base\": \"short\""), "{manifest}");
    let args = "run out/drill/manifest.json -q -o again";
    let (_, _, err) = run(dir.path(), &args.split(' ').collect::<Vec<_>>());
    assert!(err.contains("the digest is the same"), "{err}");
    let mut again = written(&dir.path().join("again"));
    assert!(String::from_utf8_lossy(&again["manifest.json"]).contains("\"base\": \"short\""));
    again.remove("manifest.json");
    for (name, bytes) in again {
        assert_eq!(first[&name], bytes, "{name}");
    }
}

#[test]
fn check_looks_at_every_variant() {
    let dir = folder(
        "\n[[variant]]\nname = \"good\"\nwith = { dns = { ttl = \"5s\" } }\n",
        &[],
    );
    told(dir.path(), &["check", "drill.toml"]);
    let added = "\n[[variant]]\nname = \"good\"\nwith = { dns = { ttl = \"5s\" } }\n\
                 [[variant]]\nname = \"bad\"\nwith = { dns = { tll = \"5s\" } }\n";
    let text = drill() + added;
    let line = 1 + text
        .lines()
        .take_while(|line| !line.contains("tll"))
        .count();
    let dir = folder(added, &[]);
    let err = refused(dir.path(), &["check", "drill.toml"]);
    assert!(
        err.contains(&format!("drill.toml:{line}:18: dns.tll: unknown key")),
        "{err}"
    );
    assert!(err.contains("did you mean \"ttl\"?"), "{err}");
}

#[test]
fn mistakes_name_what_brought_them() {
    let dir = folder(
        "\n[[variant]]\nname = \"flow\"\nwith = {}\n",
        &[("typo.toml", "\n[dns]\ntll = \"5s\"\n"), ("fine.toml", "")],
    );
    for (args, expected) in [
        (
            "--variant a=typo.toml",
            "typo.toml:3:1: dns.tll: unknown key",
        ),
        (
            "--variant fine.toml",
            "--variant: no file in \"fine.toml\"\n  hint: write NAME=FILE",
        ),
        (
            "--variant =fine.toml",
            "--variant: \"\" is not a usable name",
        ),
        ("--variant a=", "--variant: no file in"),
        (
            "--variant a=fine.toml --variant a=fine.toml",
            "two variants are called \"a\"",
        ),
        ("-p flow", "two variants are called \"flow\""),
        ("-p flwo", "did you mean \"flow\"?"),
        (
            "--vary dns.tll=1s,2s",
            "--vary: dns.tll: unknown key\n  hint: did you mean \"ttl\"?",
        ),
        (
            "--vary dns.ttl=1..3/3",
            "--vary: dns.ttl: a duration without a unit: 1",
        ),
        ("--vary dns.ttl=1s..3s", "--vary: no number of values"),
        (
            "--vary dns.ttl=1s,2s --vary dns.ttl=3s,4s",
            "dns.ttl is varied twice",
        ),
        (
            "--vary service.play.slots=1..2/3",
            "--vary: service.play.slots: 1.5 is not a whole number",
        ),
        (
            "--vary dns.ttl=1s..9s/200 --vary service.*.dark=0,1",
            "400 variants are too many",
        ),
        (
            "--each region --set fault.remove=true",
            "--each: the scenario has no fault that lasts",
        ),
        ("--each planet", "[possible values: region, zone, fault]"),
    ] {
        let args: Vec<&str> = ["run", "drill.toml"]
            .into_iter()
            .chain(args.split(' '))
            .collect();
        let err = refused(dir.path(), &args);
        assert!(err.contains(expected), "{args:?}: {err}");
    }
    let (code, _, err) = run(
        dir.path(),
        &["run", "drill.toml", "--variant", "a=absent.toml"],
    );
    assert_eq!(code, Some(3), "{err}");
}
