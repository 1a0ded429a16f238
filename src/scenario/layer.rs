//! A text with its origin, and how it is parsed.

use crate::problem::{Place, Problem};
use crate::scenario::comments::Comments;
use crate::scenario::data;
use crate::scenario::path::{Step, parse_assignment};
use crate::scenario::quantity::Wrong;
use crate::scenario::tree::{At, Entry, Node, Table, Value};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Largest file, in bytes.
pub const LARGEST_BYTES: usize = 10_000_000;
/// Most keys of a table and entries of an array of tables.
const MOST_ENTRIES: usize = 1_000;
/// Most values of an array.
pub const MOST_VALUES: usize = 100_000;
/// Longest key, in bytes.
const LONGEST_KEY: usize = 200;
/// Deepest nesting.
const DEEPEST: usize = 16;

/// A text with its origin.
#[derive(Clone, Debug)]
pub struct Layer {
    name: String,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    File { text: String, dir: PathBuf },
    Set { assignment: String },
}

/// A parsed layer.
pub enum Parsed {
    /// A whole file.
    File(Node),
    /// One value and where it goes.
    Set(Vec<Step>, Node),
}

impl Layer {
    /// A file's text. `name` is what messages call it; data files that it names are looked for in
    /// `dir` (`None`: the current directory).
    pub fn file(name: &str, text: &str, dir: Option<&Path>) -> Layer {
        Layer {
            name: name.to_string(),
            source: Source::File {
                text: text.to_string(),
                dir: dir.unwrap_or(Path::new("")).to_path_buf(),
            },
        }
    }

    /// One assignment, `PATH=VALUE`, as `--set` takes it. VALUE is TOML; a bare word is a string.
    pub fn set(assignment: &str) -> Layer {
        Layer {
            name: "--set".to_string(),
            source: Source::Set {
                assignment: assignment.to_string(),
            },
        }
    }

    /// The same of a value that is varied.
    pub fn vary(path: &str, value: &str) -> Layer {
        Layer::set(&format!("{path}={value}")).called("--vary")
    }

    /// The same layer under the name of another flag.
    pub(super) fn called(mut self, flag: &str) -> Layer {
        self.name = flag.to_string();
        self
    }

    /// Where an offset is, for people.
    pub fn place(&self, at: At) -> Place {
        let (line, column) = match &self.source {
            Source::Set { .. } => (0, 0),
            Source::File { text, .. } => {
                let mut offset = at.offset.min(text.len());
                while !text.is_char_boundary(offset) {
                    offset -= 1;
                }
                let before = &text[..offset];
                let start = before.rfind('\n').map_or(0, |i| i + 1);
                (
                    before.bytes().filter(|&b| b == b'\n').count() + 1,
                    before[start..].chars().count() + 1,
                )
            }
        };
        Place {
            file: self.name.clone(),
            line,
            column,
        }
    }

    /// Parses the layer, which is number `index`; all syntax errors at once.
    pub fn parse(&self, index: usize) -> Result<Parsed, Vec<Problem>> {
        let found = match &self.source {
            Source::File { text, dir } => parse_file(text, dir, index).map(Parsed::File),
            Source::Set { assignment } => {
                parse_set(assignment, index).map(|(steps, node)| Parsed::Set(steps, node))
            }
        };
        found.map_err(|wrongs| {
            let problem = |(offset, path, wrong): (usize, String, Wrong)| Problem {
                place: self.place(At {
                    layer: index,
                    offset,
                }),
                path,
                message: wrong.message,
                hint: wrong.hint,
                unreadable: wrong.unreadable,
            };
            wrongs.into_iter().map(problem).collect()
        })
    }
}

/// Mistakes of a layer: offset, path and what is wrong.
pub type Wrongs = Vec<(usize, String, Wrong)>;

fn parse_file(text: &str, dir: &Path, layer: usize) -> Result<Node, Wrongs> {
    if text.len() > LARGEST_BYTES {
        let wrong = Wrong::new(
            "the file is too large",
            format!("at most {LARGEST_BYTES} bytes"),
        );
        return Err(vec![(0, String::new(), wrong)]);
    }
    let comments = Comments::scan(text);
    if let Some(offset) = comments.too_deep {
        return Err(vec![(offset, String::new(), too_deep())]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut wrongs: Wrongs = errors
            .iter()
            .take(20)
            .map(|e| {
                let offset = e.span().map_or(0, |span| span.start);
                let wrong = Wrong::new(format!("not TOML: {}", e.message()), "");
                (offset, String::new(), wrong)
            })
            .collect();
        wrongs.sort_by_key(|(offset, ..)| *offset);
        return Err(wrongs);
    }
    let mut growth = Growth {
        layer,
        comments,
        wrongs: Vec::new(),
    };
    let table = growth.table(table.get_ref(), 0);
    let mut root = Node::plain(Value::Table(table), At { layer, offset: 0 });
    if growth.wrongs.is_empty() {
        data::inline(&mut root, "", dir, &mut growth.wrongs);
    }
    if growth.wrongs.is_empty() {
        Ok(root)
    } else {
        Err(growth.wrongs)
    }
}

fn parse_set(assignment: &str, layer: usize) -> Result<(Vec<Step>, Node), Wrongs> {
    let fail = |wrong: Wrong| vec![(0, String::new(), wrong)];
    let (steps, value) = parse_assignment(assignment).map_err(fail)?;
    Ok((steps, parse_value(value, layer)?))
}

/// Parses one value: TOML, or a bare word, which is a string.
pub fn parse_value(value: &str, layer: usize) -> Result<Node, Wrongs> {
    let at = At { layer, offset: 0 };
    let mut node = match parse_file(&format!("value = {value}"), Path::new(""), layer) {
        Ok(Node {
            value: Value::Table(Table(mut entries)),
            ..
        }) if entries.len() == 1 => entries.remove(0).node,
        // Whatever looks like a bare word is one; the rest was meant to be TOML.
        Err(_) if !value.contains(['"', '\'', '{', '}', '[', ']', '=', '\n']) => {
            Node::plain(Value::Text(value.to_string()), at)
        }
        Err(wrongs) => return Err(wrongs.into_iter().map(|(_, p, w)| (0, p, w)).collect()),
        Ok(_) => {
            let wrong = Wrong::new(
                "more than one value",
                "write PATH=VALUE, one --set for each",
            );
            return Err(vec![(0, String::new(), wrong)]);
        }
    };
    node.note = None;
    Ok(node)
}

fn too_deep() -> Wrong {
    Wrong::new("nested too deeply", format!("at most {DEEPEST} levels"))
}

/// Turns the parser's tree into ours, within limits.
struct Growth {
    layer: usize,
    comments: Comments,
    wrongs: Wrongs,
}

impl Growth {
    fn wrong(&mut self, offset: usize, wrong: Wrong) {
        if self.wrongs.len() < 20 {
            self.wrongs.push((offset, String::new(), wrong));
        }
    }

    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Table {
        let mut entries = Vec::new();
        for (key, value) in table.iter() {
            let offset = key.span().start;
            if key.get_ref().len() > LONGEST_KEY {
                self.wrong(
                    offset,
                    Wrong::new(
                        "the key is too long",
                        format!("at most {LONGEST_KEY} bytes"),
                    ),
                );
                continue;
            }
            if entries.len() == MOST_ENTRIES {
                self.wrong(
                    offset,
                    Wrong::new(
                        "too many keys in one table",
                        format!("at most {MOST_ENTRIES}"),
                    ),
                );
                break;
            }
            entries.push(Entry {
                key: key.get_ref().to_string(),
                at: At {
                    layer: self.layer,
                    offset,
                },
                node: self.node(value, depth + 1),
            });
        }
        Table(entries)
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let offset = value.span().start;
        if depth > DEEPEST {
            self.wrong(offset, too_deep());
            return Node::plain(Value::Bool(false), At::default());
        }
        let grown = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(integer) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(integer) => Value::Integer(integer),
                    Err(_) => Value::Float(f64::INFINITY),
                }
            }
            DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Table(table) => Value::Table(self.table(table, depth)),
            DeValue::Array(array) => {
                let tables = array.iter().any(|e| e.get_ref().is_table());
                let most = if tables { MOST_ENTRIES } else { MOST_VALUES };
                if array.len() > most {
                    self.wrong(
                        offset,
                        Wrong::new("the array is too long", format!("at most {most} values")),
                    );
                }
                let nodes = array.iter().take(most);
                Value::Array(nodes.map(|e| self.node(e, depth + 1)).collect())
            }
        };
        Node {
            value: grown,
            at: At {
                layer: self.layer,
                offset,
            },
            note: self.comments.note(offset),
        }
    }
}
