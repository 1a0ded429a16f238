//! `[[variant]]`: the variants that a scenario's own file brings.
//!
//! They are taken out of the file before anything is laid over it; what one holds in `with` is an
//! overlay, whose values keep their places.

use crate::scenario::layer::{Layer, Parsed};
use crate::scenario::merge::Clash;
use crate::scenario::path::Step;
use crate::scenario::quantity::Wrong;
use crate::scenario::reader::{Draw, Reader};
use crate::scenario::section::Section;
use crate::scenario::tree::{At, Node, Table, Value};

/// Key of the array.
pub const KEY: &str = "variant";
/// Most variants of a file.
const MOST: usize = 100;

/// A variant of a file.
pub struct Own {
    /// Its name.
    pub name: String,
    /// What it lays over the file.
    pub with: Node,
}

/// Takes the variants out of a scenario's file; what is wrong with them is noted.
pub fn take(root: &mut Node, clashes: &mut Vec<Clash>) -> Vec<Own> {
    let Some(top) = root.table_mut() else {
        return Vec::new();
    };
    let Some(place) = top.0.iter().position(|entry| entry.key == KEY) else {
        return Vec::new();
    };
    let entry = top.0.remove(place);
    let at = entry.at;
    let alone = Node::plain(Value::Table(Table(vec![entry])), at);
    let reader = Reader::new(Draw::Middle);
    let found = read(&reader, &alone);
    clashes.extend(reader.finish().0);
    found
}

fn read(reader: &Reader, alone: &Node) -> Vec<Own> {
    let mut top = Section::of(reader, alone, "");
    let mut found: Vec<(Own, At, String)> = Vec::new();
    for mut section in top.tables(KEY, MOST) {
        let name = section.name();
        let with = section.take("with");
        match with {
            None => section.wrong(
                "with",
                "is missing: nothing tells the variant from the scenario",
                "write with = { … }, laid over the scenario as a file would be",
            ),
            Some(with) if with.table().is_none() => section.wrong(
                "with",
                format!("expected a table, found {}", with.kind()),
                "write with = { … }, laid over the scenario as a file would be",
            ),
            Some(with) => {
                let own = Own {
                    name,
                    with: with.clone(),
                };
                found.push((own, section.at, section.path.clone()));
            }
        }
    }
    reader.duplicates(
        found
            .iter()
            .map(|(own, at, path)| (own.name.as_str(), *at, path.as_str())),
    );
    found.into_iter().map(|(own, ..)| own).collect()
}

/// Names of the variants that a scenario's file brings, in its order; those that are wrong are left
/// out.
pub fn names(base: &Layer) -> Vec<String> {
    let Ok(Parsed::File(mut root)) = base.parse(0) else {
        return Vec::new();
    };
    let mut names: Vec<String> = Vec::new();
    for own in take(&mut root, &mut Vec::new()) {
        if !names.contains(&own.name) {
            names.push(own.name);
        }
    }
    names
}

/// Variants belong to the scenario's own file: takes them out of what is laid over it. Whether
/// something else is left to be laid.
pub fn forbid(over: &mut Parsed, clashes: &mut Vec<Clash>) -> bool {
    let at = match over {
        Parsed::Set(steps, value) => match steps.first() {
            Some(Step::Key(key)) if key == KEY => value.at,
            _ => return true,
        },
        Parsed::File(node) => {
            let Some(top) = node.table_mut() else {
                return true;
            };
            let Some(place) = top.0.iter().position(|entry| entry.key == KEY) else {
                return true;
            };
            top.0.remove(place).at
        }
    };
    let wrong = Wrong::new(
        "variants stand in the scenario's own file, and not in what is laid over it",
        "--variant NAME=FILE makes a variant of a file",
    );
    clashes.push((at, KEY.to_string(), wrong));
    matches!(over, Parsed::File(_))
}
