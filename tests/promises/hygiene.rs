//! Rules of style that a reader would otherwise have to watch.

use crate::source::{Source, files, root, sources};
use std::fs;

const LONGEST_LINES: usize = 700;

/// What code may use only in these modules; the empty list: nowhere.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("HashMap", &[]),
    ("HashSet", &[]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
    ("dbg!", &[]),
    ("unsafe", &[]),
    ("std::time", &["cli"]),
    ("Instant::now", &["cli"]),
    ("SystemTime", &["cli"]),
    ("thread_local!", &[]),
    ("static mut", &[]),
    ("println!", &["cli", "main"]),
    ("eprintln!", &["cli", "main"]),
    ("print!", &["cli", "main"]),
    ("eprint!", &["cli", "main"]),
    ("std::fs", &["cli", "scenario", "verify"]),
    ("std::env", &["cli", "main"]),
    ("std::process", &["cli", "main"]),
    ("RefCell", &["scenario"]),
    ("rand::", &[]),
    ("clap", &["cli"]),
    ("plotters", &["report"]),
    ("indicatif", &["cli"]),
    ("ctrlc", &["cli"]),
];

/// Words that say nothing to a reader of this crate.
const UNWANTED: [&str; 12] = [
    "house", "houses", "room", "rooms", "wire", "wires", "utils", "helpers", "todo", "fixme",
    "xxx", "hack",
];

/// Code alone: without comments, and without the tests at the end of a file.
fn code(source: &Source) -> String {
    let end = source.text.find("#[cfg(test)]\nmod ");
    let text = &source.text[..end.unwrap_or(source.text.len())];
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a text holds a word as a word of its own.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let first = word.chars().next();
        let last = word.chars().next_back();
        !(part(before) && part(first) || part(after) && part(last))
    })
}

#[test]
fn words_are_found_whole() {
    assert!(has_word("a room with", "room"));
    assert!(!has_word("headroom, rooms", "room"));
    assert!(has_word("use clap::Parser", "clap"));
    assert!(has_word("x rand::rng()", "rand::"));
    assert!(!has_word("eprintln!(", "println!"));
}

#[test]
fn what_belongs_to_few_modules_stays_there() {
    let mut wrong = Vec::new();
    for source in sources() {
        let code = code(&source);
        for (what, modules) in KEPT_TO {
            if has_word(&code, what) && !modules.contains(&source.top().as_str()) {
                wrong.push(format!("{}: {what}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short() {
    let all = files("src", ".rs");
    let long: Vec<String> = all
        .iter()
        .map(|s| (s.text.lines().count(), &s.path))
        .filter(|(lines, _)| *lines > LONGEST_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split these:\n{}", long.join("\n"));
}

#[test]
fn no_word_says_nothing() {
    let mut texts = files("src", ".rs");
    texts.extend(files("scenarios", ".toml"));
    texts.extend(files("docs", ".md"));
    texts.extend(
        ["README.md", "CHANGELOG.md", "Cargo.toml"]
            .into_iter()
            .map(|path| Source {
                path: path.to_string(),
                text: fs::read_to_string(root().join(path)).unwrap_or_default(),
            }),
    );
    let mut wrong = Vec::new();
    for source in &texts {
        for (number, line) in source.text.lines().enumerate() {
            let line = line.to_lowercase();
            for word in UNWANTED.iter().filter(|word| has_word(&line, word)) {
                wrong.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_silenced_lint_has_a_reason() {
    for source in files("src", ".rs") {
        for (number, line) in source.text.lines().enumerate() {
            let silences = line.contains("#[allow(") || line.contains("#![allow(");
            let rest: String = source.text.lines().skip(number).take(6).collect();
            let reason = rest
                .split(")]")
                .next()
                .is_some_and(|a| a.contains("reason"));
            assert!(!silences || reason, "{}:{}", source.path, number + 1);
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for source in files("src", ".rs") {
        let begins = source.text.starts_with("//!") || source.text.starts_with("#![doc");
        let tests = source.path.ends_with("tests.rs") || source.path.contains("/tests/");
        assert!(
            begins || tests,
            "{} begins without a line on itself",
            source.path
        );
    }
}
