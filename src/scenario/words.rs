//! What a section holds besides figures: flags, words, names, and names of other entities.

use crate::scenario::quantity::Wrong;
use crate::scenario::reader::{LONGEST_NAME, suggest};
use crate::scenario::section::Section;
use crate::scenario::tree::Value;

impl<'r> Section<'r> {
    /// True or false.
    pub fn flag(&mut self, key: &'static str, default: bool) -> bool {
        match self.take(key).map(|node| &node.value) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.wrong(key, "expected true or false", "write true or false");
                default
            }
        }
    }

    /// One of several words; the first is the default.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&'static str, T)]) -> T {
        let word = self.text(key).unwrap_or(choices[0].0);
        match choices.iter().find(|(name, _)| *name == word) {
            Some((_, choice)) => *choice,
            None => {
                let names = choices.iter().map(|(name, _)| *name);
                self.wrong(key, format!("unknown: {word:.60?}"), suggest(word, names));
                choices[0].1
            }
        }
    }

    /// A string, if it is there.
    pub fn text(&mut self, key: &'static str) -> Option<&'r str> {
        let node = self.take(key)?;
        if node.text().is_none() {
            let found = node.kind();
            self.wrong(
                key,
                format!("expected a string, found {found}"),
                "write it in quotes",
            );
        }
        node.text()
    }

    /// A string that must be there; empty when it is not.
    pub fn required_text(&mut self, key: &'static str) -> &'r str {
        if !self.has(key) {
            self.wrong(key, "is missing", format!("write {key} = \"…\""));
        }
        self.text(key).unwrap_or_default()
    }

    /// The name of an entity, which reports and expressions will use.
    pub fn name(&mut self) -> String {
        let name = self.required_text("name");
        let bad = |c: char| c.is_control() || "\"[](),=*".contains(c);
        if self.table.get("name").is_some_and(|n| n.text().is_some())
            && (name.trim() != name
                || name.is_empty()
                || name.contains(bad)
                || name.chars().count() > LONGEST_NAME)
        {
            self.wrong(
                "name",
                "not a usable name",
                format!("1 to {LONGEST_NAME} characters without quotes, brackets, commas, = and *"),
            );
        }
        name.to_string()
    }

    /// A name that must be among known ones; `None` is noted unless the key is absent.
    pub fn reference(
        &mut self,
        key: &'static str,
        what: &str,
        known: &[impl AsRef<str>],
    ) -> Option<usize> {
        let name = self.text(key)?;
        let at = self.table.get(key)?.at;
        self.reader.find(at, &self.path_of(key), name, what, known)
    }

    /// Names, each of which must be among known ones and there once; `None` where the key is absent.
    pub fn references(
        &mut self,
        key: &'static str,
        what: &str,
        known: &[impl AsRef<str>],
    ) -> Option<Vec<usize>> {
        let path = self.path_of(key);
        let mut named: Vec<usize> = Vec::new();
        for node in self.array(key)? {
            let wrong = |message: String, hint: String| {
                self.reader.wrong(node.at, &path, Wrong::new(message, hint));
            };
            let Some(name) = node.text() else {
                wrong(
                    format!("expected a {what}'s name, found {}", node.kind()),
                    "write it in quotes".into(),
                );
                continue;
            };
            match self.reader.find(node.at, &path, name, what, known) {
                Some(index) if named.contains(&index) => wrong(
                    format!("{name:?} is listed twice"),
                    format!("name each {what} once"),
                ),
                Some(index) => named.push(index),
                None => {}
            }
        }
        Some(named)
    }

    /// The same, of a key that must be there.
    pub fn required_reference(
        &mut self,
        key: &'static str,
        what: &str,
        known: &[impl AsRef<str>],
    ) -> Option<usize> {
        if !self.has(key) {
            let names = known.iter().map(|k| k.as_ref()).take(40);
            let names: Vec<&str> = names.collect();
            self.wrong(
                key,
                "is missing",
                format!("write {key} = \"…\"; known: {}", names.join(", ")),
            );
        }
        self.reference(key, what, known)
    }
}
