//! The real program, as people and scripts meet it.

use crate::given::drill;
use assert_cmd::Command;
use darkregion::policies;
use darkregion::scenario::{Kind, builtins};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The program that was built with these tests.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_darkregion");

pub fn fresh() -> TempDir {
    TempDir::new().expect("a temporary directory")
}

/// The program in a directory of its own.
fn program(dir: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .current_dir(dir)
        .timeout(Duration::from_secs(120))
        .env_remove("RUST_BACKTRACE");
    command
}

/// A directory with `drill.toml` in it and one hypothesis: three replications that keep it pass it,
/// one does not tell, and forty that break it fail it.
fn with_drill(claim: &str) -> TempDir {
    let dir = fresh();
    let hypothesis = format!("\n[[hypothesis]]\nname = \"it\"\nclaim = \"{claim}\"\nin = 0.1\n");
    fs::write(dir.path().join("drill.toml"), drill() + &hypothesis).expect("written");
    dir
}

const CERTAIN: &str = "availability > 0";
const IMPOSSIBLE: &str = "availability < 0";

/// Exit code, standard output, standard error.
pub fn run(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = program(dir).args(args).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it writes text");
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// All files below a directory, by name, without the lock.
pub fn written(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("it is there");
    entries
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned();
            (name, fs::read(path).expect("it can be read"))
        })
        .filter(|(name, _)| !name.starts_with('.'))
        .collect()
}

#[test]
fn a_run_in_a_fresh_directory_writes_every_result() {
    let dir = with_drill(CERTAIN);
    let (code, out, err) = run(dir.path(), &["run", "drill.toml", "-n", "3", "-p", "flow"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let files = written(&dir.path().join("out/drill"));
    for name in [
        "summary.json",
        "replications.csv",
        "timeline.csv",
        "events.csv",
        "manifest.json",
    ] {
        assert!(files.contains_key(name), "{name} in {:?}", files.keys());
    }
    let pictures = files.iter().filter(|(name, _)| name.ends_with(".svg"));
    let pictures: Vec<_> = pictures.map(|(_, bytes)| bytes).collect();
    assert!(!pictures.is_empty(), "{:?}", files.keys());
    for picture in pictures {
        assert!(String::from_utf8_lossy(picture).contains("<svg"));
    }
    let rows = String::from_utf8_lossy(&files["replications.csv"])
        .lines()
        .count();
    assert_eq!(rows, 4, "a line for each replication below the head");
    let left = fs::read_dir(dir.path()).expect("it is there").count();
    assert_eq!(left, 2, "nothing but the scenario and out/");
}

#[test]
fn json_is_all_that_standard_output_gets_when_it_is_asked_for() {
    let dir = with_drill(CERTAIN);
    for args in [
        vec![
            "run",
            "drill.toml",
            "-n",
            "2",
            "--format",
            "json",
            "-p",
            "flow",
            "-p",
            "none",
        ],
        vec!["check", "drill.toml", "--format", "json"],
    ] {
        let (code, out, err) = run(dir.path(), &args);
        assert_eq!(code, Some(0), "{args:?}: {out:.300}{err}");
        let value: serde_json::Value =
            serde_json::from_str(&out).unwrap_or_else(|why| panic!("{args:?}: {why}: {out:.300}"));
        assert!(value.is_object() || value.is_array(), "{args:?}");
    }
    let (_, out, _) = run(
        dir.path(),
        &["run", "drill.toml", "-n", "2", "--format", "json", "-q"],
    );
    let said: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    let file = fs::read(dir.path().join("out/drill/summary.json")).expect("it is written");
    let file: serde_json::Value = serde_json::from_slice(&file).expect("it is JSON");
    assert_eq!(said, file);
    assert_eq!(said["replications"], 2);
}

#[test]
fn exit_codes_say_what_happened() {
    let pass = with_drill(CERTAIN);
    let fail = with_drill(IMPOSSIBLE);
    let many = [
        "run",
        "drill.toml",
        "-q",
        "--no-plots",
        "-n",
        "80",
        "--set",
        "horizon=8min",
    ];
    assert_eq!(run(pass.path(), &many).0, Some(0), "the hypothesis holds");
    assert_eq!(run(fail.path(), &many).0, Some(1), "the hypothesis fails");
    let few = ["run", "drill.toml", "-q", "--no-plots", "-n", "1"];
    let (code, ..) = run(pass.path(), &few);
    assert_eq!(code, Some(4), "one replication does not tell");
    for absent in [
        ["run", "nowhere.toml"],
        ["check", "nowhere.toml"],
        ["verify", "nowhere.toml"],
    ] {
        let (code, out, err) = run(pass.path(), &absent);
        assert_eq!(code, Some(3), "{absent:?}: {out}{err}");
        assert!(err.contains("nowhere.toml"), "{err}");
    }
    for wrong in [
        vec!["run", "drill.toml", "--set", "horizon"],
        vec!["run", "drill.toml", "--set", "no.such.key=1"],
        vec!["run", "drill.toml", "-p", "no-such-policy"],
        vec!["run", "drill.toml", "-n", "0"],
        vec!["run", "drill.toml", "-n", "many"],
        vec!["run", "drill.toml", "-j", "0"],
        vec!["run", "drill.toml", "--no-such-flag"],
        vec!["run", "drill.toml", "--format", "yaml"],
        vec!["no-such-verb"],
        vec!["show", "no-such-thing"],
        vec!["list", "no-such-list"],
    ] {
        let (code, out, err) = run(pass.path(), &wrong);
        assert_eq!(code, Some(2), "{wrong:?}: {out}{err}");
        assert!(
            !err.is_empty() && !err.contains("panicked"),
            "{wrong:?}: {err}"
        );
        assert_eq!(out, "", "{wrong:?} keeps standard output clean");
    }
}

#[test]
fn a_place_that_cannot_be_written_to_is_exit_code_3_before_anything_runs() {
    let dir = with_drill(CERTAIN);
    fs::write(dir.path().join("taken"), "a file").expect("written");
    for out in ["taken", "taken/below"] {
        let args = ["run", "drill.toml", "-n", "1000000", "-o", out];
        let (code, said, err) = run(dir.path(), &args);
        assert_eq!(code, Some(3), "{out}: {said}{err}");
        assert!(err.contains("taken"), "{err}");
    }
    assert_eq!(
        fs::read(dir.path().join("taken")).expect("it is there"),
        b"a file"
    );
}

#[cfg(unix)]
#[test]
fn a_read_only_directory_is_exit_code_3() {
    use std::os::unix::fs::PermissionsExt;
    let dir = with_drill(CERTAIN);
    let out = dir.path().join("readonly");
    fs::create_dir(&out).expect("made");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o555)).expect("set");
    if fs::write(out.join("probe"), "").is_ok() {
        // Who may write anywhere (root) cannot be refused.
        return;
    }
    let (code, ..) = run(
        dir.path(),
        &["run", "drill.toml", "-n", "2", "-o", "readonly"],
    );
    assert_eq!(code, Some(3));
}

#[test]
fn results_are_replaced_and_foreign_files_are_left_alone() {
    let dir = with_drill(CERTAIN);
    let out = dir.path().join("results");
    let args = ["run", "drill.toml", "-q", "-n", "2", "-o", "results"];
    assert!(run(dir.path(), &args).0.is_some_and(|code| code != 3));
    fs::write(out.join("notes.txt"), "mine").expect("written");
    let before = written(&out);
    let again = [
        "run",
        "drill.toml",
        "-q",
        "-n",
        "3",
        "-o",
        "results",
        "--no-plots",
    ];
    assert!(run(dir.path(), &again).0.is_some_and(|code| code != 3));
    let after = written(&out);
    assert_eq!(after["notes.txt"], b"mine");
    assert_ne!(
        after["replications.csv"], before["replications.csv"],
        "it is replaced"
    );
    assert!(
        !after.keys().any(|name| name.ends_with(".svg")),
        "stale pictures are gone"
    );

    let foreign = dir.path().join("foreign");
    fs::create_dir(&foreign).expect("made");
    fs::write(foreign.join("summary.json"), "someone's").expect("written");
    let args = ["run", "drill.toml", "-q", "-n", "2", "-o", "foreign"];
    let (code, _, err) = run(dir.path(), &args);
    assert_eq!(code, Some(3), "{err}");
    assert_eq!(
        fs::read(foreign.join("summary.json")).expect("it is there"),
        b"someone's"
    );
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let dir = with_drill(CERTAIN);
    for args in [
        vec!["show", "chaos-kong"],
        vec!["list"],
        vec!["run", "drill.toml", "-n", "2"],
    ] {
        let mut child = Process::new(PROGRAM)
            .args(&args)
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let mut err = String::new();
        let mut stderr = child.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut err).expect("it writes text");
        let _ = child.wait().expect("it ends");
        assert!(
            !err.contains("panicked") && !err.contains("roken pipe"),
            "{args:?}: {err}"
        );
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_byte() {
    let dir = with_drill(CERTAIN);
    let with = |threads: &str| {
        let out = format!("out{threads}");
        let args = [
            "run",
            "drill.toml",
            "-q",
            "-n",
            "6",
            "-p",
            "flow-dark",
            "-p",
            "none",
        ];
        let more = ["-j", threads, "-o", &out];
        let _ = run(dir.path(), &[&args[..], &more[..]].concat());
        let mut files = written(&dir.path().join(&out));
        // The manifest says when, where and for how long.
        assert!(files.remove("manifest.json").is_some());
        files
    };
    let one = with("1");
    assert!(one.len() > 5, "{:?}", one.keys());
    for threads in ["2", "8"] {
        let many = with(threads);
        assert_eq!(
            one.keys().collect::<Vec<_>>(),
            many.keys().collect::<Vec<_>>()
        );
        for (name, bytes) in &one {
            assert!(
                many[name] == *bytes,
                "{name} differs with {threads} threads"
            );
        }
    }
}

#[test]
fn a_manifest_repeats_its_run() {
    let dir = with_drill(CERTAIN);
    let first = [
        "run",
        "drill.toml",
        "-q",
        "-n",
        "3",
        "-s",
        "9",
        "-o",
        "first",
        "--set",
        "demand=0.5",
    ];
    let _ = run(dir.path(), &first);
    let (code, out, err) = run(
        dir.path(),
        &["run", "first/manifest.json", "-q", "-o", "second"],
    );
    assert!(matches!(code, Some(0 | 4)), "{code:?} {out}{err}");
    let (a, b) = (
        written(&dir.path().join("first")),
        written(&dir.path().join("second")),
    );
    assert_eq!(a["replications.csv"], b["replications.csv"]);
    assert_eq!(a["summary.json"], b["summary.json"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_the_first_replications_and_a_manifest() {
    let dir = with_drill(CERTAIN);
    let mut child = Process::new(PROGRAM)
        .args([
            "run",
            "drill.toml",
            "-n",
            "1000000",
            "-o",
            "out",
            "--no-plots",
        ])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    // Long enough for some replications; if there are none yet, it says so and writes nothing.
    std::thread::sleep(Duration::from_secs(8));
    let kill = Process::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill is there").success());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    let files = written(&dir.path().join("out"));
    let manifest = files
        .get("manifest.json")
        .expect("the manifest says how far it came");
    let _: serde_json::Value = serde_json::from_slice(manifest).expect("it is JSON");
    let rows = String::from_utf8_lossy(&files["replications.csv"])
        .lines()
        .count()
        - 1;
    assert!((1..1_000_000).contains(&rows), "{rows} replications");
    let summary: serde_json::Value =
        serde_json::from_slice(&files["summary.json"]).expect("it is JSON");
    assert_eq!(summary["replications"], rows);
}

#[test]
fn all_mistakes_come_at_once_with_their_places() {
    let dir = fresh();
    let bad = "format = 1\nhorizn = \"1h\"\n[[region]]\nname = \"a\"\nzones = -1\n\
               [[market]]\nname = \"m\"\nnear = [\"b\"]\nstarts = \"fast\"\n";
    fs::write(dir.path().join("bad.toml"), bad).expect("written");
    let (code, _, err) = run(dir.path(), &["check", "bad.toml"]);
    assert_eq!(code, Some(2), "{err}");
    for place in ["bad.toml:2", "bad.toml:5", "bad.toml:8", "bad.toml:9"] {
        assert!(err.contains(place), "{place} in {err}");
    }
    assert!(err.contains("horizon"), "it suggests: {err}");
}

/// What a run writes and says of itself, with so many arguments.
fn results(dir: &Path, args: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let one = ["-n", "1", "--no-plots", "-q", "-o", "out"];
    let args: Vec<&str> = args.iter().chain(&one).copied().collect();
    let (code, _, err) = run(dir, &args);
    assert!(matches!(code, Some(0 | 1 | 4)), "{args:?}: {err}");
    let mut written = written(&dir.join("out"));
    assert!(written.remove("manifest.json").is_some(), "{args:?}");
    assert!(written.contains_key("summary.json"), "{args:?}");
    written
}

#[test]
fn what_is_shown_runs_the_same_bytes() {
    let dir = fresh();
    let shown = |name: &str| {
        let (code, text, err) = run(dir.path(), &["show", name]);
        assert_eq!(code, Some(0), "{err}");
        fs::write(dir.path().join(format!("{name}.toml")), text).expect("written");
        format!("./{name}.toml")
    };
    for built in builtins() {
        let (name, file) = (built.name, shown(built.name));
        match built.kind {
            Kind::Scenario => {
                let (code, out, err) = run(dir.path(), &["check", &file]);
                assert_eq!(code, Some(0), "{name}: {out}{err}");
                let of = |which| results(dir.path(), &["run", which]);
                let (by_name, saved) = (of(name), of(&file));
                assert!(by_name == saved, "{name} is another one once it is saved");
            }
            Kind::Strategy => {
                let by_name = results(dir.path(), &["run", "tiny", "-p", name]);
                let saved = results(dir.path(), &["run", "tiny", "-p", &file]);
                assert!(by_name == saved, "{name} is another one once it is saved");
            }
        }
    }
    for policy in policies::all() {
        let (name, file) = (policy.name(), shown(policy.name()));
        let by_name = results(dir.path(), &["run", "tiny", "-p", name]);
        let saved = results(dir.path(), &["run", "tiny", "-p", &file]);
        assert!(by_name == saved, "{name} is another one once it is saved");
    }
}
