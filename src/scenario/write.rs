//! A tree as TOML text.

use crate::model::scenario::Origin;
use crate::scenario::tree::{Node, Table, Value};
use std::fmt::Write;

/// A whole file.
pub fn file(root: &Table) -> String {
    let mut text = String::new();
    let is_header = |node: &Node| match &node.value {
        Value::Table(_) => true,
        Value::Array(nodes) => !nodes.is_empty() && nodes.iter().all(|n| n.table().is_some()),
        _ => false,
    };
    for entry in root.0.iter().filter(|e| !is_header(&e.node)) {
        pair(&mut text, &entry.key, &entry.node);
    }
    for entry in root.0.iter().filter(|e| is_header(&e.node)) {
        let name = key(&entry.key);
        match &entry.node.value {
            Value::Array(nodes) => {
                for table in nodes.iter().filter_map(Node::table) {
                    section(&mut text, &format!("[[{name}]]"), table);
                }
            }
            Value::Table(table) => section(&mut text, &format!("[{name}]"), table),
            _ => unreachable!("filtered above"),
        }
    }
    text
}

fn section(text: &mut String, header: &str, table: &Table) {
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{header}");
    for entry in &table.0 {
        pair(text, &entry.key, &entry.node);
    }
}

fn pair(text: &mut String, name: &str, node: &Node) {
    if let Some(note) = &node.note {
        let tag = match note.origin {
            Origin::Sourced => "source",
            Origin::Guess => "guess",
            Origin::Fitted => "fitted",
            Origin::Given => unreachable!("no comment says so"),
        };
        let _ = writeln!(text, "# {tag}: {}", note.words);
    }
    let _ = writeln!(text, "{} = {}", key(name), value(node));
}

fn key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_string()
    } else {
        string(key)
    }
}

fn string(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

/// A value on one line.
pub fn value(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => string(text),
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) if float.is_nan() => "nan".to_string(),
        Value::Float(float) => format!("{float:?}"),
        Value::Bool(flag) => flag.to_string(),
        Value::Date(date) => date.clone(),
        Value::Array(nodes) => {
            let nodes: Vec<String> = nodes.iter().map(value).collect();
            format!("[{}]", nodes.join(", "))
        }
        Value::Table(table) => {
            let pair =
                |e: &crate::scenario::tree::Entry| format!("{} = {}", key(&e.key), value(&e.node));
            let pairs: Vec<String> = table.0.iter().map(pair).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}
