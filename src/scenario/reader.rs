//! Reading a merged tree: typed values out, mistakes and origins noted on the way.

use crate::engine::stream::Stream;
use crate::model::scenario::{Input, Origin, Uncertain};
use crate::problem::nearest;
use crate::scenario::merge::Clash;
use crate::scenario::path::join;
use crate::scenario::quantity::{LONGEST_SECS, Unit, Wrong};
use crate::scenario::section::Section;
use crate::scenario::tree::{At, Node, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// More mistakes than anyone reads.
const MOST_MISTAKES: usize = 1_000;
/// Longest name, in characters.
pub const LONGEST_NAME: usize = 100;

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
    /// Keys that were asked for, where someone wants to know them.
    keys: Option<RefCell<BTreeSet<String>>>,
}

impl Reader {
    /// A reader with nothing read.
    pub fn new(draw: Draw) -> Reader {
        Reader {
            draw,
            clashes: RefCell::default(),
            inputs: RefCell::default(),
            uncertain: RefCell::default(),
            keys: None,
        }
    }

    /// A reader that remembers which keys it was asked for.
    pub fn of_keys() -> Reader {
        Reader {
            keys: Some(RefCell::default()),
            ..Reader::new(Draw::Middle)
        }
    }

    /// Notes that a table of this shape (`service[].calls[]`) may have a key.
    pub fn knows(&self, shape: &str, key: &str) {
        if let Some(keys) = &self.keys {
            keys.borrow_mut().insert(join(shape, key));
        }
    }

    /// The keys that it was asked for.
    pub fn keys(self) -> Vec<String> {
        let keys = self.keys.map(RefCell::into_inner).unwrap_or_default();
        keys.into_iter().collect()
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

    /// Notes an input.
    pub fn input(&self, path: &str, value: String, origin: Origin, note: &str) {
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
        let value = lo + at * (hi - lo);
        self.uncertain.borrow_mut().push(Uncertain {
            path: path.to_string(),
            lo,
            hi,
            value,
        });
        Some(value)
    }

    /// Reads a number with a unit, which may not be uncertain.
    pub fn plain(&self, node: &Node, path: &str, unit: Unit, range: Range) -> Option<f64> {
        let value = match &node.value {
            Value::Integer(integer) => unit.bare(*integer as f64),
            Value::Float(float) => unit.bare(*float),
            Value::Text(text) => unit.parse(text),
            _ => Err(Wrong::new(
                format!("expected {}, found {}", unit.noun(), node.kind()),
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
        // Where nothing is known, that is the mistake, and it is noted elsewhere.
        if found.is_none() && !known.is_empty() {
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
