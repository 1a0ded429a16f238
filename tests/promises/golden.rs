//! Numbers do not move unnoticed: a healthy and an overloaded run against files, and once more in a
//! process whose C library does not see fused multiply-add. `UPDATE_GOLDEN=1` writes the files.

use crate::given::{drill, outcome};
use crate::source::root;
use darkregion::model::outcome::Outcome;
use std::fmt::Write;
use std::fs;
use std::process::Command;

/// Set in the process without fused multiply-add.
const CHILD: &str = "DARKREGION_GOLDEN_CHILD";

/// What is kept of a run: its digest, its accounts, its log, and some counts of each minute.
fn text(outcome: &Outcome) -> String {
    let mut text = format!("digest {:016x}\n{:?}\n", outcome.digest, outcome.ledger);
    for entry in &outcome.log {
        let _ = writeln!(
            text,
            "{} {}: {} ({})",
            entry.at.0, entry.part, entry.what, entry.cause
        );
    }
    text +=
        "until_s ok failed ambient answered_ok degraded error unreachable rebuffered hits p99\n";
    for window in &outcome.windows {
        let o = &window.global;
        let _ = writeln!(
            text,
            "{} {} {} {} {} {} {} {} {:?} {:?} {:?}",
            window.until.secs(),
            o.starts_ok,
            o.starts_failed,
            o.starts_ambient,
            o.answered_ok,
            o.answered_degraded,
            o.answered_error,
            o.unreachable,
            o.rebuffered,
            o.cache_hits,
            o.latency.quantile(0.99),
        );
    }
    text
}

fn check(name: &str, policy: &str, sets: &[&str]) {
    let found = text(&outcome(&drill(), Some(policy), sets));
    let path = root().join(format!("tests/golden/{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() && std::env::var_os(CHILD).is_none() {
        fs::write(&path, &found).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&path)
        .unwrap_or_else(|why| panic!("{}: {why}; UPDATE_GOLDEN=1 writes it", path.display()));
    let differs = expected.lines().zip(found.lines()).find(|(e, f)| e != f);
    assert!(
        expected == found,
        "{name} has moved. If that is meant, run with UPDATE_GOLDEN=1 and say why in CHANGELOG.md.\n\
         first difference (expected, found): {differs:#?}"
    );
}

#[test]
fn healthy() {
    check("healthy", "flow-dark", &[]);
}

#[test]
fn overloaded() {
    check("overloaded", "edge-proxy", &["service.*.headroom=0.1"]);
}

#[test]
fn the_same_without_fused_multiply_add() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let tests = std::env::current_exe().expect("this is a program");
    let child = Command::new(tests)
        .args(["golden::healthy", "golden::overloaded", "--exact"])
        .env(
            "GLIBC_TUNABLES",
            "glibc.cpu.hwcaps=-FMA,-AVX2_Usable,-AVX2,-FMA4",
        )
        .env(CHILD, "1")
        .output()
        .expect("the tests run once more");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}");
    assert!(said.contains("2 passed"), "both ran: {said}");
}
