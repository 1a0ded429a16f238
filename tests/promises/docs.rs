//! Examples in the docs: those that are whole scenarios load, fragments are TOML.

use crate::source::{Source, files, root};
use darkregion::scenario::{Document, Layer};
use std::fs;

fn pages() -> Vec<Source> {
    let mut pages = files("docs", ".md");
    pages.push(Source {
        path: "README.md".into(),
        text: fs::read_to_string(root().join("README.md")).expect("it is there"),
    });
    pages
}

/// The examples of a page in TOML, each with the number of its first line.
fn examples(page: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.text.lines().enumerate() {
        open = match (open, line.trim()) {
            (None, "```toml") => Some((number + 2, String::new())),
            (None, _) => None,
            (Some(example), "```") => {
                found.push(example);
                None
            }
            (Some((first, text)), _) => Some((first, format!("{text}{line}\n"))),
        };
    }
    assert!(open.is_none(), "{}: an example does not end", page.path);
    found
}

#[test]
fn examples_load() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for (line, text) in examples(&page) {
            count += 1;
            let place = format!("{}:{line}", page.path);
            let first = text.lines().find(|line| !line.trim().is_empty());
            if first.is_some_and(|line| line.starts_with("format = 1")) {
                let layer = Layer::file(&place, &text, None);
                if let Err(problems) = Document::load("example", layer, None, Vec::new()) {
                    wrong.push(problems.to_string());
                }
            } else if let Err(error) = text.parse::<toml::Table>() {
                wrong.push(format!("{place}: {error}"));
            }
        }
    }
    assert!(count > 3);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Targets of links of a page, `[text](target)`.
fn links(text: &str) -> Vec<&str> {
    let starts = text.match_indices("](").map(|(at, _)| &text[at + 2..]);
    starts
        .filter_map(|rest| rest.split_once(')').map(|pair| pair.0))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        let file = root().join(&page.path);
        let folder = file.parent().expect("a page is in a folder");
        for link in links(&page.text) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            count += 1;
            if !folder.join(target).exists() {
                wrong.push(format!("{}: {link} leads nowhere", page.path));
            }
        }
    }
    assert!(count > 3);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_is_listed() {
    let list = fs::read_to_string(root().join("docs/README.md")).expect("it is there");
    for page in files("docs", ".md") {
        let name = page.path.trim_start_matches("docs/").to_string();
        let listed = links(&list).contains(&name.as_str());
        assert!(listed || name == "README.md", "{name} is not listed");
    }
}
