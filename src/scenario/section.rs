//! A table of the merged tree being read key by key, against the schema.

use crate::model::scenario::Origin;
use crate::scenario::default::DefaultValue;
use crate::scenario::distribution;
use crate::scenario::layer::parse_value;
use crate::scenario::path::join;
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::{Range, Reader, suggest};
use crate::scenario::tree::{At, Node, Table, Value};
use crate::scenario::write;
use crate::units::{Dist, Span};

/// A table being read. When it goes, it notes the keys that nobody asked for.
pub struct Section<'r> {
    /// Where mistakes and inputs go.
    pub reader: &'r Reader,
    /// What it holds.
    pub(super) table: &'r Table,
    /// Path of the table.
    pub path: String,
    /// Where it stands.
    pub at: At,
    known: Vec<&'static str>,
    /// Path without names and places, `service[].calls[]`; `None` within a value.
    shape: Option<String>,
    /// Whether figures in it are inputs of their own, and not parts of one.
    records: bool,
}

static EMPTY: Table = Table(Vec::new());

impl<'r> Section<'r> {
    /// A table; anything else is a mistake and reads as an empty one.
    pub fn of(reader: &'r Reader, node: &'r Node, path: &str) -> Section<'r> {
        let table = node.table().unwrap_or_else(|| {
            let wrong = Wrong::new(format!("expected a table, found {}", node.kind()), "");
            reader.wrong(node.at, path, wrong);
            &EMPTY
        });
        Section {
            reader,
            table,
            path: path.to_string(),
            at: node.at,
            known: Vec::new(),
            shape: None,
            records: true,
        }
    }

    /// A file.
    pub fn file(reader: &'r Reader, node: &'r Node) -> Section<'r> {
        Section::of(reader, node, "").shaped(Some(String::new()))
    }

    fn shaped(mut self, shape: Option<String>) -> Section<'r> {
        self.shape = shape;
        self
    }

    /// A table within a value that is one input as a whole; `keys` are those that it may have.
    pub fn part(
        reader: &'r Reader,
        node: &'r Node,
        path: &str,
        keys: &[&'static str],
    ) -> Section<'r> {
        let mut section = Section::of(reader, node, path);
        section.records = false;
        section.known.extend(keys);
        section
    }

    /// The value of a key, which is known from now on.
    pub fn take(&mut self, key: &'static str) -> Option<&'r Node> {
        if !self.known.contains(&key) {
            self.known.push(key);
            if let Some(shape) = &self.shape {
                self.reader.knows(shape, key);
            }
        }
        self.table.get(key)
    }

    /// Takes every key for known: what it may hold cannot be told.
    pub fn ignore_rest(&mut self) {
        self.table = &EMPTY;
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Whether a key is there and holds a table with another key.
    pub fn child_has(&self, key: &str, inner: &str) -> bool {
        let table = self.table.get(key).and_then(Node::table);
        table.is_some_and(|t| t.get(inner).is_some())
    }

    /// Whether a key is there and holds a table.
    pub fn child_is_table(&self, key: &str) -> bool {
        self.table
            .get(key)
            .is_some_and(|node| node.table().is_some())
    }

    /// Where a key's value stands.
    pub fn place_of(&self, key: &str) -> At {
        self.table.get(key).map_or(self.at, |node| node.at)
    }

    /// Notes the origin of a value that is read piece by piece; `shown` says what it amounts to.
    pub fn note_input(&self, key: &str, shown: String) {
        let note = self.table.get(key).and_then(|node| node.note.as_ref());
        let (origin, words) = match note {
            Some(note) => (note.origin, note.words.as_str()),
            None => (Origin::Given, ""),
        };
        self.reader.input(&self.path_of(key), shown, origin, words);
    }

    /// Notes the origin of a default.
    pub fn note_default(&self, key: &str, default: &DefaultValue) {
        if let Some(origin) = default.origin.filter(|_| self.records) {
            self.reader.input(
                &self.path_of(key),
                default.text.to_string(),
                origin,
                default.note,
            );
        }
    }

    /// Path of a key.
    pub fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Notes a mistake of a key's value, or of the table where the key is absent.
    pub fn wrong(&self, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.is_wrong(key, Wrong::new(message, hint));
    }

    /// The same with what is already known to be wrong.
    pub fn is_wrong(&self, key: &str, wrong: Wrong) {
        self.reader
            .wrong(self.place_of(key), &self.path_of(key), wrong);
    }

    /// A table within; where it is absent, an empty one, so that defaults are read.
    pub fn section(&mut self, key: &'static str) -> Section<'r> {
        let shape = self.shape.as_ref().map(|shape| join(shape, key));
        let section = match self.take(key) {
            Some(node) => Section::of(self.reader, node, &self.path_of(key)),
            None => Section {
                reader: self.reader,
                table: &EMPTY,
                path: self.path_of(key),
                at: self.at,
                known: Vec::new(),
                shape: None,
                records: true,
            },
        };
        section.shaped(shape)
    }

    /// The tables of an array, each under its name, at most `most`.
    pub fn tables(&mut self, key: &'static str, most: usize) -> Vec<Section<'r>> {
        let Some(node) = self.take(key) else {
            return Vec::new();
        };
        let Value::Array(nodes) = &node.value else {
            self.wrong(
                key,
                format!("expected an array of tables, found {}", node.kind()),
                match self.path.is_empty() {
                    true => format!("write [[{key}]]"),
                    false => format!("write {key} = [{{ … }}]"),
                },
            );
            return Vec::new();
        };
        if nodes.len() > most {
            self.wrong(
                key,
                format!("{} entries are too many", nodes.len()),
                format!("at most {most}"),
            );
        }
        let path = self.path_of(key);
        let shape = self.shape.as_ref();
        let shape = shape.map(|shape| format!("{}[]", join(shape, key)));
        let section = |(index, node): (usize, &'r Node)| {
            let path = match node.id() {
                Some(id) if key != "objective" => join(&path, id),
                _ => format!("{path}[{index}]"),
            };
            Section::of(self.reader, node, &path).shaped(shape.clone())
        };
        nodes.iter().take(most).enumerate().map(section).collect()
    }

    /// Reads a figure, or its default. It is an input, whose origin is noted.
    fn read<T>(
        &mut self,
        key: &'static str,
        default: &DefaultValue,
        read: impl Fn(&Node, &str) -> Option<T>,
    ) -> T {
        let path = self.path_of(key);
        let stand_in = || {
            let node = parse_value(&default.text, 0)
                .unwrap_or_else(|_| panic!("the default of {path} is TOML"));
            read(&node, &path).unwrap_or_else(|| panic!("the default of {path} is valid"))
        };
        let Some(node) = self.take(key) else {
            if default.missing {
                let example = parse_value(&default.text, 0).map(|node| write::value(&node));
                let example = example.unwrap_or_default();
                self.wrong(key, "is missing", format!("for example {key} = {example}"));
            }
            self.note_default(key, default);
            return stand_in();
        };
        if self.records {
            self.note_input(key, write::value(node));
        }
        read(node, &path).unwrap_or_else(stand_in)
    }

    /// A number with a unit.
    pub fn quantity(
        &mut self,
        key: &'static str,
        default: DefaultValue,
        unit: Unit,
        range: Range,
    ) -> f64 {
        let reader = self.reader;
        self.read(key, &default, |node, path| {
            reader.quantity(node, path, unit, range)
        })
    }

    /// A pure number.
    pub fn number(&mut self, key: &'static str, default: DefaultValue, range: Range) -> f64 {
        self.quantity(key, default, Unit::Number, range)
    }

    /// A share; more than 1 where `range` allows it.
    pub fn share(&mut self, key: &'static str, default: DefaultValue, range: Range) -> f64 {
        self.quantity(key, default, Unit::Share, range)
    }

    /// A duration in seconds.
    pub fn secs(&mut self, key: &'static str, default: DefaultValue, range: Range) -> f64 {
        self.quantity(key, default, Unit::Seconds, range)
    }

    /// A duration.
    pub fn span(&mut self, key: &'static str, default: DefaultValue, range: Range) -> Span {
        Span::from_secs(self.secs(key, default, range))
    }

    /// A number that must not be uncertain, because others must fit it.
    pub fn certain(
        &mut self,
        key: &'static str,
        default: DefaultValue,
        unit: Unit,
        range: Range,
    ) -> f64 {
        let reader = self.reader;
        self.read(key, &default, |node, path| {
            if node.table().is_some_and(|t| t.get("uncertain").is_some()) {
                let wrong = Wrong::new(
                    "cannot be uncertain: other values must fit it",
                    unit.example(),
                );
                reader.wrong(node.at, path, wrong);
                return None;
            }
            reader.plain(node, path, unit, range)
        })
    }

    /// A whole number; an uncertain one is rounded.
    pub fn count(&mut self, key: &'static str, default: DefaultValue, lo: u32, hi: u32) -> u32 {
        let reader = self.reader;
        let range = Range::new(f64::from(lo), f64::from(hi));
        self.read(key, &default, |node, path| {
            let uncertain = node.table().is_some();
            let value = reader.quantity(node, path, Unit::Number, range)?;
            if value.fract() != 0.0 && !uncertain {
                let wrong = Wrong::new(
                    format!("{value} is not a whole number"),
                    "this is a number of whole things",
                );
                reader.wrong(node.at, path, wrong);
                return None;
            }
            Some(value.round() as u32)
        })
    }

    /// A distribution of a duration in seconds.
    pub fn dist(&mut self, key: &'static str, default: DefaultValue) -> Dist {
        let reader = self.reader;
        self.read(key, &default, |node, path| {
            distribution::read(reader, node, path)
        })
    }

    /// A figure that `read` understands.
    pub fn figure<T>(
        &mut self,
        key: &'static str,
        default: DefaultValue,
        read: impl Fn(&Node, &str) -> Option<T>,
    ) -> T {
        self.read(key, &default, read)
    }

    /// The values of an array, if it is there.
    pub fn array(&mut self, key: &'static str) -> Option<&'r [Node]> {
        let node = self.take(key)?;
        match &node.value {
            Value::Array(nodes) => Some(nodes),
            _ => {
                self.wrong(
                    key,
                    format!("expected an array, found {}", node.kind()),
                    format!("write {key} = [ … ]"),
                );
                None
            }
        }
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        for entry in &self.table.0 {
            if !self.known.contains(&entry.key.as_str()) {
                let known = self.known.iter().copied();
                let wrong = Wrong::new("unknown key", suggest(&entry.key, known));
                self.reader
                    .wrong(entry.at, &self.path_of(&entry.key), wrong);
            }
        }
    }
}
