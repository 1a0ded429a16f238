//! The faults that `tests/mutations/run` plants into the simulator still have their place in the sources:
//! a fault that cannot be planted would be caught by no test.

use crate::source::{Source, files, root};
use std::fs;

/// What stood in a file, and what a patch makes of it.
#[derive(Debug)]
struct Hunk {
    file: String,
    old: String,
    new: String,
}

fn hunks(patch: &str) -> Vec<Hunk> {
    let mut file = String::new();
    let mut hunks: Vec<Hunk> = Vec::new();
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("+++ b/") {
            file = path.to_string();
        } else if line.starts_with("@@ ") {
            hunks.push(Hunk {
                file: file.clone(),
                old: String::new(),
                new: String::new(),
            });
        } else if let Some(hunk) = hunks.last_mut() {
            let (mark, rest) = line.split_at(1.min(line.len()));
            if mark != "+" {
                hunk.old += &format!("{rest}\n");
            }
            if mark != "-" {
                hunk.new += &format!("{rest}\n");
            }
        }
    }
    hunks
}

fn patches() -> Vec<Source> {
    files("tests/mutations", ".patch")
}

#[test]
fn every_fault_can_be_planted_once() {
    assert!(patches().len() >= 5);
    for Source { path, text } in patches() {
        let hunks = hunks(&text);
        assert!(!hunks.is_empty(), "{path} plants nothing");
        for Hunk { file, old, new } in hunks {
            let source = fs::read_to_string(root().join(&file)).expect("the file is there");
            assert_ne!(old, new, "{path} changes nothing");
            assert_eq!(
                source.matches(&old).count(),
                1,
                "{path} does not fit {file} any more:\n{old}"
            );
        }
    }
}

#[test]
fn every_fault_says_what_it_is_and_which_tests_fail() {
    for Source { path, text } in patches() {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.ends_with('.'), "{path} begins with what is wrong");
        let fails = |line: &&str| {
            line.starts_with("Fails: --lib ") || line.starts_with("Fails: --test promises ")
        };
        assert!(text.lines().any(|line| fails(&line)), "{path}");
    }
}
