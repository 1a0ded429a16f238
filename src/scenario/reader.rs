//! Reading a merged tree: typed values out, mistakes and origins noted on the way.

use crate::engine::stream::Stream;
use crate::model::scenario::{Input, Origin, Uncertain};
use crate::problem::nearest;
use crate::scenario::default::DefaultValue;
use crate::scenario::distribution;
use crate::scenario::layer::parse_value;
use crate::scenario::merge::Clash;
use crate::scenario::path::join;
use crate::scenario::quantity::{LONGEST_SECS, Unit, Wrong};
use crate::scenario::tree::{At, Node, Table, Value};
use crate::scenario::write;
use crate::units::{Dist, Span};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// More mistakes than anyone reads.
const MOST_MISTAKES: usize = 1_000;
/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// Which value an uncertain input has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Its smallest.
    Low,
    /// The middle.
    Middle,
    /// Its largest.
    High,
    /// One drawn uniformly; draws that break a rule together are drawn anew, `attempt` by `attempt`.
    Of {
        /// Seed of the study.
        seed: u64,
        /// Number of the replication.
        replication: u64,
        /// From 0.
        attempt: u64,
    },
}

/// What reading gathers.
pub struct Reader {
    draw: Draw,
    clashes: RefCell<Vec<Clash>>,
    inputs: RefCell<Vec<Input>>,
    uncertain: RefCell<Vec<Uncertain>>,
}

impl Reader {
    /// A reader with nothing read.
    pub fn new(draw: Draw) -> Reader {
        Reader {
            draw,
            clashes: RefCell::default(),
            inputs: RefCell::default(),
            uncertain: RefCell::default(),
        }
    }

    /// Notes a mistake.
    pub fn wrong(&self, at: At, path: &str, wrong: Wrong) {
        let mut clashes = self.clashes.borrow_mut();
        if clashes.len() < MOST_MISTAKES {
            clashes.push((at, path.to_string(), wrong));
        }
    }

    /// Mistakes, inputs and uncertain values, in the order of reading.
    pub fn finish(self) -> (Vec<Clash>, Vec<Input>, Vec<Uncertain>) {
        (
            self.clashes.into_inner(),
            self.inputs.into_inner(),
            self.uncertain.into_inner(),
        )
    }

    fn input(&self, path: &str, value: String, origin: Origin, note: &str) {
        self.inputs.borrow_mut().push(Input {
            path: path.to_string(),
            value,
            origin,
            note: note.to_string(),
        });
    }

    /// Notes a guess that stands in for a value that no key holds.
    pub fn guessed(&self, path: &str, value: &str) {
        self.input(path, value.to_string(), Origin::Guess, "default");
    }

    /// Reads a number with a unit, which may be uncertain.
    pub fn quantity(&self, node: &Node, path: &str, unit: Unit, range: Range) -> Option<f64> {
        let Some(bounds) = node.table().and_then(|t| t.get("uncertain")) else {
            return self.plain(node, path, unit, range);
        };
        let Value::Array(ends) = &bounds.value else {
            self.wrong(bounds.at, path, two_ends());
            return None;
        };
        let [lo, hi] = &ends[..] else {
            self.wrong(bounds.at, path, two_ends());
            return None;
        };
        Section::of(self, node, path).take("uncertain");
        let lo = self.plain(lo, path, unit, range);
        let hi = self.plain(hi, path, unit, range);
        let (lo, hi) = (lo?, hi?);
        if !(lo < hi && hi.is_finite()) {
            self.wrong(bounds.at, path, two_ends());
            return None;
        }
        self.uncertain.borrow_mut().push(Uncertain {
            path: path.to_string(),
            lo,
            hi,
        });
        let at = match self.draw {
            Draw::Low => 0.0,
            Draw::Middle => 0.5,
            Draw::High => 1.0,
            Draw::Of {
                seed,
                replication,
                attempt,
            } => Stream::new(seed, replication, "uncertain", path)
                .draws(attempt, 0)
                .uniform(),
        };
        Some(lo + at * (hi - lo))
    }

    fn plain(&self, node: &Node, path: &str, unit: Unit, range: Range) -> Option<f64> {
        let value = match &node.value {
            Value::Integer(integer) => unit.bare(*integer as f64),
            Value::Float(float) => unit.bare(*float),
            Value::Text(text) => unit.parse(text),
            _ => Err(Wrong::new(
                format!("expected a value, found {}", node.kind()),
                unit.example(),
            )),
        };
        match value {
            Ok(value) if range.holds(value) => Some(value),
            Ok(value) => {
                self.wrong(
                    node.at,
                    path,
                    Wrong::new(
                        format!("{} is out of range", unit.show(value)),
                        range.hint(unit),
                    ),
                );
                None
            }
            Err(wrong) => {
                self.wrong(node.at, path, wrong);
                None
            }
        }
    }

    /// Notes names that occur twice.
    pub fn duplicates<'a>(&self, names: impl Iterator<Item = (&'a str, At, &'a str)>) {
        let mut seen = BTreeMap::new();
        for (name, at, path) in names {
            if seen.insert(name, at).is_some() {
                self.wrong(
                    at,
                    path,
                    Wrong::new(
                        format!("{name:?} is there twice"),
                        "give each its own name, or remove one",
                    ),
                );
            }
        }
    }

    /// Finds a name among known ones, or notes the mistake.
    pub fn find(
        &self,
        at: At,
        path: &str,
        name: &str,
        what: &str,
        known: &[impl AsRef<str>],
    ) -> Option<usize> {
        let found = known.iter().position(|k| k.as_ref() == name);
        if found.is_none() {
            let shown: String = name.chars().take(LONGEST_NAME).collect();
            let wrong = Wrong::new(
                format!("there is no {what} {shown:?}"),
                suggest(name, known.iter().map(|k| k.as_ref())),
            );
            self.wrong(at, path, wrong);
        }
        found
    }
}

/// A hint: the nearest name, or else the known ones.
pub fn suggest<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    // The comparison takes quadratic time.
    let near = (name.len() <= 4 * LONGEST_NAME)
        .then(|| nearest(name, known.clone()))
        .flatten();
    match near {
        Some(near) => format!("did you mean {near:?}?"),
        None => {
            let some: Vec<&str> = known.take(40).collect();
            match some.is_empty() {
                true => "there are none".to_string(),
                false => format!("known: {}", some.join(", ")),
            }
        }
    }
}

fn two_ends() -> Wrong {
    Wrong::new(
        "an uncertain value needs two ends, the smaller one first",
        "write { uncertain = [lo, hi] }",
    )
}

/// Values that a key takes.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    lo: f64,
    hi: f64,
    /// Whether `lo` itself is out.
    open: bool,
}

impl Range {
    /// From `lo` to `hi`.
    pub const fn new(lo: f64, hi: f64) -> Range {
        Range {
            lo,
            hi,
            open: false,
        }
    }

    /// More than zero, up to `hi`.
    pub const fn positive(hi: f64) -> Range {
        Range {
            lo: 0.0,
            hi,
            open: true,
        }
    }

    /// A share.
    pub const SHARE: Range = Range::new(0.0, 1.0);
    /// A duration.
    pub const SPAN: Range = Range::new(0.0, LONGEST_SECS);
    /// A duration that is not zero.
    pub const SOME_SPAN: Range = Range::positive(LONGEST_SECS);

    fn holds(self, value: f64) -> bool {
        (self.lo..=self.hi).contains(&value) && !(self.open && value == self.lo)
    }

    fn hint(self, unit: Unit) -> String {
        let least = if self.open { "more than" } else { "at least" };
        let most = match self.hi {
            f64::INFINITY => String::new(),
            LONGEST_SECS if unit == Unit::Seconds => " and at most a hundred years".to_string(),
            hi => format!(" and at most {}", unit.show(hi)),
        };
        format!("{least} {}{most}", unit.show(self.lo))
    }
}

/// A table being read. When it goes, it notes the keys that nobody asked for.
pub struct Section<'r> {
    /// Where mistakes and inputs go.
    pub reader: &'r Reader,
    table: &'r Table,
    /// Path of the table.
    pub path: String,
    /// Where it stands.
    pub at: At,
    known: Vec<&'static str>,
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
            records: true,
        }
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
        self.known.push(key);
        self.table.get(key)
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

    /// The only key, for tables that say one of several things.
    pub fn only_key(&self) -> Option<&'r str> {
        match &self.table.0[..] {
            [entry] => Some(&entry.key),
            _ => None,
        }
    }

    /// Path of a key.
    pub fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Notes a mistake of a key's value, or of the table where the key is absent.
    pub fn wrong(&self, key: &str, message: impl Into<String>, hint: impl Into<String>) {
        let wrong = Wrong::new(message, hint);
        self.reader
            .wrong(self.place_of(key), &self.path_of(key), wrong);
    }

    /// A table within; where it is absent, an empty one, so that defaults are read.
    pub fn section(&mut self, key: &'static str) -> Section<'r> {
        match self.take(key) {
            Some(node) => Section::of(self.reader, node, &self.path_of(key)),
            None => Section {
                reader: self.reader,
                table: &EMPTY,
                path: self.path_of(key),
                at: self.at,
                known: Vec::new(),
                records: true,
            },
        }
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
        let section = |(index, node): (usize, &'r Node)| {
            let path = match node.id() {
                Some(id) if key != "objective" => join(&path, id),
                _ => format!("{path}[{index}]"),
            };
            Section::of(self.reader, node, &path)
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
                self.wrong(
                    key,
                    "is missing",
                    format!("write {key} = …, for example {}", default.text),
                );
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
                let wrong = Wrong::new(format!("{value} is not a whole number"), "");
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

    /// The same, of a key that must be there.
    pub fn required_reference(
        &mut self,
        key: &'static str,
        what: &str,
        known: &[impl AsRef<str>],
    ) -> Option<usize> {
        if !self.has(key) {
            let names = known.iter().map(|k| k.as_ref()).take(10);
            let names: Vec<&str> = names.collect();
            self.wrong(
                key,
                "is missing",
                format!("write {key} = \"…\"; known: {}", names.join(", ")),
            );
        }
        self.reference(key, what, known)
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
