//! A parsed file in which each value knows its place.

use crate::model::scenario::Origin;

/// Where a value stands: which layer, and how many bytes into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// Index of the layer.
    pub layer: usize,
    /// Byte offset in the layer's text.
    pub offset: usize,
}

/// What a comment says of a value's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Kind of origin.
    pub origin: Origin,
    /// The words after the tag.
    pub words: String,
}

/// A value with its place and its note.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub at: At,
    /// Note of its line.
    pub note: Option<Note>,
}

/// A TOML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A float, possibly infinite or not a number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A date or time, which no key takes.
    Date(String),
    /// An array.
    Array(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A table: few entries, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table(pub Vec<Entry>);

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: At,
    /// The value.
    pub node: Node,
}

impl Table {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|e| e.key == key).map(|e| &e.node)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0
            .iter_mut()
            .find(|e| e.key == key)
            .map(|e| &mut e.node)
    }

    /// Sets a key, in its old place if it has one.
    pub fn insert(&mut self, key: &str, at: At, node: Node) {
        match self.0.iter_mut().find(|e| e.key == key) {
            Some(entry) => {
                entry.at = at;
                entry.node = node;
            }
            None => self.0.push(Entry {
                key: key.to_string(),
                at,
                node,
            }),
        }
    }

    /// Deletes a key; whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|e| e.key != key);
        self.0.len() < before
    }

    /// Whether the table says `remove = true`.
    pub fn is_removal(&self) -> bool {
        self.get("remove")
            .is_some_and(|node| node.value == Value::Bool(true))
    }
}

impl Node {
    /// A value that no file holds.
    pub fn plain(value: Value, at: At) -> Node {
        Node {
            value,
            at,
            note: None,
        }
    }

    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The table, to be changed.
    pub fn table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What tells an element of an array of tables from the others: its `name`, or else the service
    /// that it calls, or the SLI that it is about.
    pub fn id(&self) -> Option<&str> {
        let table = self.table()?;
        ["name", "to", "sli"]
            .iter()
            .find_map(|key| table.get(key))?
            .text()
    }

    /// The kind of value, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Bool(_) => "true or false",
            Value::Date(_) => "a date or time",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }
}
