//! Imports run one way: what a module may import is one table, held by parsing every source file.

use crate::source::{Source, only_in_tests, sources};
use std::collections::BTreeSet;
use syn::visit::Visit;

/// What each module may import, besides itself. `a::b` stands for that part of `a` alone.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("problem", &[]),
    ("model", &["units", "problem"]),
    ("engine", &["units"]),
    (
        "faults",
        &[
            "units",
            "problem",
            "model",
            "engine::stream",
            "engine::sampling",
            "engine::law",
        ],
    ),
    ("policies", &["units", "problem", "model"]),
    ("slis", &["units", "problem", "model"]),
    ("world", &["units", "model", "engine"]),
    ("traffic", &["units", "model", "engine", "world"]),
    ("control", &["units", "model", "engine", "world"]),
    (
        "scenario",
        &[
            "units", "problem", "model", "engine", "faults", "policies", "slis", "world",
        ],
    ),
    (
        "simulate",
        &[
            "units", "problem", "model", "engine", "faults", "policies", "slis", "world",
            "traffic", "control", "scenario",
        ],
    ),
    ("stats", &["units", "problem", "model"]),
    ("objectives", &["units", "problem", "model"]),
    ("study", STUDY),
    ("report", WITH_STUDY),
    ("verify", WITH_STUDY),
    ("testing", &["units", "model", "faults", "policies"]),
];

/// `slis` for the registry of what is summarised.
const STUDY: &[&str] = &[
    "units",
    "problem",
    "model",
    "slis",
    "scenario",
    "simulate",
    "stats",
    "objectives",
];

const WITH_STUDY: &[&str] = &[
    "units",
    "problem",
    "model",
    "slis",
    "scenario",
    "simulate",
    "stats",
    "objectives",
    "study",
];

/// May import everything.
const FREE: [&str; 3] = ["cli", "lib", "main"];

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for source in sources() {
        wrong.extend(violations(&source));
    }
    assert!(wrong.is_empty(), "forbidden imports:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_is_in_the_table() {
    let listed: BTreeSet<String> = MAY_IMPORT
        .iter()
        .map(|(module, _)| *module)
        .chain(FREE)
        .map(str::to_string)
        .collect();
    let found: BTreeSet<String> = sources().iter().map(Source::top).collect();
    assert_eq!(found, listed);
}

#[test]
fn a_forbidden_import_is_found_in_every_disguise() {
    let check = |module: &str, text: &str| {
        let path = format!("src/{module}.rs");
        let text = text.to_string();
        violations(&Source { path, text }).len()
    };
    for text in [
        "use crate::world::pool::Pool;",
        "use crate::{units::Time, world::{pool, cache}};",
        "use super::super::world;",
        "fn f() { let x: crate::world::state::State; }",
        "fn f() { crate::world::plan::f(1); }",
        "fn f() { assert!(crate::world::plan::f(1)); }",
        "mod inner { use super::super::super::world as w; }",
        "use crate::*;",
        "use crate as everything;",
        "use ::darkregion::world;",
    ] {
        assert!(check("policies/mine", text) > 0, "{text}");
    }
    for text in [
        "use crate::model::action::Action; use std::fmt; use super::mine;",
        "#[cfg(test)] mod tests { use crate::world; }",
        "/// See [`crate::world`].\nfn f() {}",
    ] {
        assert_eq!(check("policies/mine", text), 0, "{text}");
    }
    assert_eq!(
        check("faults/mine", "use crate::engine::stream::Stream;"),
        0
    );
    assert_eq!(check("faults/mine", "use crate::engine::queue::Queue;"), 1);
    assert_eq!(check("world/mine", "use crate::policies;"), 1);
    assert_eq!(check("cli/mine", "use crate::policies;"), 0);
}

fn violations(source: &Source) -> Vec<String> {
    let top = source.top();
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(module, _)| *module == top) else {
        return Vec::new();
    };
    let allowed: Vec<Vec<&str>> = allowed.iter().map(|a| a.split("::").collect()).collect();
    let mut imports = Imports {
        module: source.module(),
        found: BTreeSet::new(),
    };
    imports.visit_file(&syn::parse_file(&source.text).expect("what compiles parses"));
    let wrong = imports.found.iter().filter(|path| {
        path.first() != Some(&top) && !allowed.iter().any(|allowed| path.starts_with_all(allowed))
    });
    let say = |path: &Vec<String>| format!("{}: crate::{}", source.path, path.join("::"));
    wrong.map(say).collect()
}

trait StartsWithAll {
    fn starts_with_all(&self, start: &[&str]) -> bool;
}

impl StartsWithAll for Vec<String> {
    fn starts_with_all(&self, start: &[&str]) -> bool {
        self.len() >= start.len() && self.iter().zip(start).all(|(a, b)| a == b)
    }
}

/// Collects every path into the crate, from the crate's root.
struct Imports {
    module: Vec<String>,
    found: BTreeSet<Vec<String>>,
}

impl Imports {
    fn note(&mut self, path: &[String]) {
        let mut at = match path.first().map(String::as_str) {
            Some("crate" | "darkregion") => Vec::new(),
            Some("super" | "self") => self.module.clone(),
            _ => return,
        };
        for segment in path {
            match segment.as_str() {
                "crate" | "darkregion" | "self" => {}
                "super" => {
                    at.pop();
                }
                name => at.push(name.to_string()),
            }
        }
        self.found.insert(at);
    }

    fn note_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.note_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Name(name) => self.note_leaf(before, name.ident.to_string()),
            syn::UseTree::Rename(rename) => self.note_leaf(before, rename.ident.to_string()),
            syn::UseTree::Glob(_) => self.note_leaf(before, "*".to_string()),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(tree, before);
                }
            }
        }
    }

    fn note_leaf(&mut self, before: &mut Vec<String>, name: String) {
        before.push(name);
        self.note(before);
        before.pop();
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if only_in_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !only_in_tests(&item.attrs) {
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !only_in_tests(&item.attrs) {
            self.note_tree(&item.tree, &mut Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.note(&segments);
        syn::visit::visit_path(self, path);
    }

    /// What stands in a macro's call is not parsed: its paths are found by their tokens.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let tokens = call.tokens.to_string();
        let joined = tokens
            .replace(" :: ", "::")
            .replace(":: ", "::")
            .replace(" ::", "::");
        let start = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
        for word in joined.split(start) {
            let path: Vec<String> = word.split("::").map(str::to_string).collect();
            if path.len() > 1 {
                self.note(&path);
            }
        }
        syn::visit::visit_macro(self, call);
    }
}
