//! Merging of layers: later ones win.
//!
//! Tables merge key by key. Arrays of tables whose entries all have a `name` merge by it, and the
//! name `*` means all there are, even none; every other array is replaced. `remove = true` deletes what
//! it stands in; below `*`, wherever that is.

use crate::scenario::path::{Step, join};
use crate::scenario::quantity::Wrong;
use crate::scenario::reader::suggest;
use crate::scenario::tree::{At, Node, Table, Value};

/// A mistake found while merging: place, path and what is wrong.
pub type Clash = (At, String, Wrong);

/// Entities that exist without being declared, with their names.
pub fn implied_name(key: &str, root: &Table) -> Option<&'static str> {
    match key {
        "service" => Some("service"),
        "device" => Some("all"),
        "request" if streams(root) => Some("start"),
        "request" => Some("request"),
        _ => None,
    }
}

/// The entity that stands where an array of them is absent.
pub fn implied(key: &str, root: &Table) -> Option<Node> {
    let at = At::default();
    let mut table = Table::default();
    let name = implied_name(key, root)?;
    table.insert("name", at, Node::plain(Value::Text(name.to_string()), at));
    match key {
        "device" => table.insert("share", at, Node::plain(Value::Integer(1), at)),
        "request" => table.insert("start", at, Node::plain(Value::Integer(1), at)),
        _ => {}
    }
    Some(Node::plain(
        Value::Array(vec![Node::plain(Value::Table(table), at)]),
        at,
    ))
}

/// Whether the markets bring session starts and not plain requests.
fn streams(root: &Table) -> bool {
    let Some(Value::Array(markets)) = root.get("market").map(|node| &node.value) else {
        return true;
    };
    !markets
        .iter()
        .filter_map(Node::table)
        .any(|market| market.get("requests").is_some())
}

/// Lays a whole file over another.
pub fn overlay(base: &mut Node, over: Node, clashes: &mut Vec<Clash>) {
    // `*` of something undeclared means what is implied.
    if let (Some(root), Some(top)) = (base.table_mut(), over.table()) {
        for entry in &top.0 {
            let all = matches!(&entry.node.value, Value::Array(nodes) if nodes.iter().any(|n| n.id() == Some("*")));
            if all
                && root.get(&entry.key).is_none()
                && let Some(node) = implied(&entry.key, root)
            {
                root.insert(&entry.key, node.at, node);
            }
        }
    }
    Merge {
        of_all: false,
        clashes,
    }
    .node(base, over, "");
}

struct Merge<'a> {
    /// Whether it is below `*`.
    of_all: bool,
    clashes: &'a mut Vec<Clash>,
}

impl Merge<'_> {
    fn node(&mut self, base: &mut Node, over: Node, path: &str) {
        match (&mut base.value, over.value) {
            // What is not known is one value: nothing else of its kind mixes with it.
            (Value::Table(table), Value::Table(over))
                if table.get("uncertain").is_some() == over.get("uncertain").is_some() =>
            {
                self.tables(table, over, path);
            }
            (Value::Array(nodes), Value::Array(over)) if mergeable(nodes, &over) => {
                self.named(nodes, over, path);
            }
            (_, value) => {
                *base = Node {
                    value,
                    at: over.at,
                    note: over.note,
                };
                sweep(base);
            }
        }
    }

    fn tables(&mut self, base: &mut Table, over: Table, path: &str) {
        for entry in over.0 {
            let path = join(path, &entry.key);
            let removal = entry.node.table().is_some_and(Table::is_removal);
            match base.get_mut(&entry.key) {
                Some(_) if removal => {
                    base.remove(&entry.key);
                }
                None if removal && self.of_all => {}
                None if removal => self.clashes.push((
                    entry.at,
                    path,
                    Wrong::new("cannot be removed: it is not there", ""),
                )),
                Some(node) => self.node(node, entry.node, &path),
                None => {
                    let mut node = entry.node;
                    if let Value::Array(nodes) = &mut node.value {
                        // All of none.
                        nodes.retain(|node| node.table().is_none() || node.id() != Some("*"));
                    }
                    sweep(&mut node);
                    base.insert(&entry.key, entry.at, node);
                }
            }
        }
    }

    fn named(&mut self, base: &mut Vec<Node>, over: Vec<Node>, path: &str) {
        for node in over {
            let Value::Table(mut table) = node.value else {
                continue;
            };
            let name = table.get("name").and_then(Node::text).unwrap_or_default();
            let name = name.to_string();
            let path = join(path, &name);
            let removal = table.is_removal();
            if name == "*" {
                table.remove("name");
                if removal {
                    base.clear();
                }
                let within = std::mem::replace(&mut self.of_all, true);
                for each in base.iter_mut().filter_map(Node::table_mut) {
                    self.tables(each, table.clone(), &path);
                }
                self.of_all = within;
                continue;
            }
            let known = base.iter().position(|n| n.id() == Some(name.as_str()));
            match known {
                Some(index) if removal => {
                    base.remove(index);
                }
                Some(index) => {
                    if let Some(mine) = base[index].table_mut() {
                        self.tables(mine, table, &path);
                    }
                }
                None if removal && self.of_all => {}
                None if removal => self.clashes.push((node.at, path, unknown(&name, base))),
                None => {
                    let mut new = Node {
                        value: Value::Table(table),
                        ..node
                    };
                    sweep(&mut new);
                    base.push(new);
                }
            }
        }
    }
}

/// Whether an array merges by name.
fn mergeable(base: &[Node], over: &[Node]) -> bool {
    let name = |node: &Node| {
        let name = node.table().and_then(|t| t.get("name"));
        name.is_some_and(|n| n.text().is_some())
    };
    !over.is_empty() && over.iter().all(name) && base.iter().all(|n| n.table().is_some())
}

/// Drops what says `remove = true` in a value that replaces or adds.
fn sweep(node: &mut Node) {
    match &mut node.value {
        Value::Table(table) => {
            table
                .0
                .retain(|e| !e.node.table().is_some_and(Table::is_removal));
            table.0.iter_mut().for_each(|e| sweep(&mut e.node));
        }
        Value::Array(nodes) => {
            nodes.retain(|n| !n.table().is_some_and(Table::is_removal));
            nodes.iter_mut().for_each(sweep);
        }
        _ => {}
    }
}

fn unknown(name: &str, known: &[Node]) -> Wrong {
    let ids: Vec<&str> = known.iter().filter_map(Node::id).collect();
    let hint = suggest(name, ids.into_iter());
    Wrong::new(format!("there is no {name:?}"), hint)
}

/// Sets one value, or deletes when the last step is `remove` and the value is true.
pub fn assign(root: &mut Node, steps: &[Step], value: &Node, clashes: &mut Vec<Clash>) {
    if let ([Step::Key(first), second, ..], Some(table)) = (steps, root.table_mut())
        && table.get(first).is_none()
        && let Some(name) = implied_name(first, table)
        && (matches!(second, Step::All | Step::Index(0)) || *second == Step::Key(name.into()))
        && let Some(node) = implied(first, table)
    {
        table.insert(first, node.at, node);
    }
    let at = value.at;
    let (steps, value) = match steps {
        [before @ .., Step::Key(last)]
            if last == "remove" && value.value == Value::Bool(true) && !before.is_empty() =>
        {
            (before, None)
        }
        _ => (steps, Some(value)),
    };
    step(root, steps, &Edit { at, value }, String::new(), clashes);
}

/// What is done at the end of a path: a value is set, or (`None`) deleted.
struct Edit<'a> {
    at: At,
    value: Option<&'a Node>,
}

fn step(node: &mut Node, steps: &[Step], edit: &Edit, path: String, clashes: &mut Vec<Clash>) {
    let Some((first, rest)) = steps.split_first() else {
        if let Some(value) = edit.value {
            *node = value.clone();
        }
        return;
    };
    let at = edit.at;
    let delete = rest.is_empty() && edit.value.is_none();
    match (&mut node.value, first) {
        (Value::Table(table), Step::Key(key)) => {
            let path = join(&path, key);
            if delete {
                if !table.remove(key) {
                    clashes.push((
                        at,
                        path,
                        Wrong::new("cannot be removed: it is not there", ""),
                    ));
                }
                return;
            }
            if table.get(key).is_none() {
                table.insert(key, at, Node::plain(Value::Table(Table::default()), at));
            }
            let child = table.get_mut(key).expect("it was put there");
            step(child, rest, edit, path, clashes);
        }
        (Value::Array(nodes), Step::All) => {
            if nodes.is_empty() {
                clashes.push((at, path.clone(), Wrong::new("* means none here", "")));
            }
            if delete {
                nodes.clear();
            }
            for each in nodes {
                step(each, rest, edit, format!("{path}.*"), clashes);
            }
        }
        (Value::Array(nodes), Step::Key(_) | Step::Index(_)) => {
            let (index, path, wrong) = match first {
                Step::Key(name) => (
                    nodes.iter().position(|n| n.id() == Some(name.as_str())),
                    join(&path, name),
                    unknown(name, nodes),
                ),
                Step::Index(index) => (
                    Some(*index).filter(|&i| i < nodes.len()),
                    format!("{path}[{index}]"),
                    Wrong::new(
                        format!("there is no entry {index}"),
                        format!("there are {}, counted from 0", nodes.len()),
                    ),
                ),
                Step::All => unreachable!("matched above"),
            };
            match index {
                None => clashes.push((at, path, wrong)),
                Some(index) if delete => {
                    nodes.remove(index);
                }
                Some(index) => step(&mut nodes[index], rest, edit, path, clashes),
            }
        }
        (_, Step::Key(key)) => {
            let kind = node.kind();
            let wrong = Wrong::new(format!("{key:?} cannot be set in {kind}"), "");
            clashes.push((at, path, wrong));
        }
        (_, Step::All | Step::Index(_)) => {
            let wrong = Wrong::new("not an array of tables", "write the key without * and [ ]");
            clashes.push((at, path, wrong));
        }
    }
}
