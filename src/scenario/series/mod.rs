//! Demand from data: `starts = { csv = "traffic.csv", … }` is replaced by the rates that the file
//! holds, so a merged scenario stands on its own.
//!
//! | module | what it does |
//! |---|---|
//! | `moment` | texts to moments, zones |
//! | `rows` | the CSV file to rows of one market |
//! | `grid` | rows to equal buckets |
//!
//! Where the rates lie on the scenario's clock is settled when the scenario is read, since it depends
//! on the faults.

mod grid;
pub mod moment;
mod rows;
#[cfg(test)]
mod tests;

use crate::model::scenario::Origin;
use crate::scenario::data;
use crate::scenario::merge::Clash;
use crate::scenario::path::join;
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::{Draw, Range, Reader, suggest};
use crate::scenario::section::Section;
use crate::scenario::tree::{At, Node, Note, Table, Value};
use crate::units::human_secs;
use grid::{Per, Series, Shaping};
use jiff::tz::TimeZone;
use rows::Asked;
use std::collections::BTreeMap;
use std::path::Path;

/// Largest data file, in bytes.
const LARGEST_BYTES: usize = 50_000_000;

/// What a value may count, as it is written.
const PER: [(&str, Per); 4] = [
    ("per second", Per::Secs(1)),
    ("per minute", Per::Secs(60)),
    ("per hour", Per::Secs(3600)),
    ("per bucket", Per::Bucket),
];

/// The place that is the same for all markets of a file, before `at fault` or `at start`.
const BUSIEST_OF_ALL: &str = "busiest hour of all";

/// Replaces the data files of all markets in a merged scenario.
pub fn inline(root: &mut Node, clashes: &mut Vec<Clash>) {
    let mut files = BTreeMap::new();
    let markets = root.table_mut().and_then(|top| top.get_mut("market"));
    let Some(Value::Array(markets)) = markets.map(|node| &mut node.value) else {
        return;
    };
    for (index, market) in markets.iter_mut().enumerate() {
        let path = match market.id() {
            Some(id) => join("market", id),
            None => format!("market[{index}]"),
        };
        let name = market.id().unwrap_or_default().to_string();
        let Some(table) = market.table_mut() else {
            continue;
        };
        for key in ["starts", "requests"] {
            let Some(node) = table.get_mut(key) else {
                continue;
            };
            if node.table_mut().is_some_and(names_a_file) {
                rates(node, &join(&path, key), &name, &mut files, clashes);
            }
        }
    }
}

/// Whether a table names a data file, and no later layer has rates instead. Rates of an earlier one
/// are dropped.
fn names_a_file(table: &mut Table) -> bool {
    const RATES: [&str; 3] = ["rates", "begins", "every"];
    let layer = |table: &Table, key: &str| {
        let entry = table.0.iter().find(|entry| entry.key == key);
        entry.map(|entry| entry.at.layer)
    };
    match (layer(table, "csv"), layer(table, "rates")) {
        (None, _) => false,
        (Some(csv), Some(rates)) if csv < rates => {
            let of_data = |key: &str| key != "scale" && key != "place" && !RATES.contains(&key);
            table.0.retain(|entry| !of_data(&entry.key));
            false
        }
        (Some(csv), Some(rates)) if csv > rates => {
            table.0.retain(|entry| !RATES.contains(&entry.key.as_str()));
            true
        }
        (Some(_), _) => true,
    }
}

/// Replaces `{ csv = … }` by the rates in the file; where that cannot be done it stays as it is.
fn rates(
    node: &mut Node,
    path: &str,
    name: &str,
    files: &mut BTreeMap<String, String>,
    clashes: &mut Vec<Clash>,
) {
    let reader = Reader::new(Draw::Middle);
    let made = {
        let mut section = Section::of(&reader, node, path);
        made(&mut section, name, files)
    };
    let (mut wrongs, ..) = reader.finish();
    match made {
        Some((table, note)) if wrongs.is_empty() => {
            node.value = Value::Table(table);
            node.note.get_or_insert(note);
        }
        _ => clashes.append(&mut wrongs),
    }
}

fn made(
    section: &mut Section,
    name: &str,
    files: &mut BTreeMap<String, String>,
) -> Option<(Table, Note)> {
    let at = section.place_of("csv");
    let csv = section.text("csv")?;
    if !files.contains_key(csv) {
        match data::text(Path::new(csv), LARGEST_BYTES) {
            Ok(text) => files.insert(csv.to_string(), text),
            Err(wrong) => {
                section.is_wrong("csv", wrong);
                section.ignore_rest();
                return None;
            }
        };
    }
    let text = &files[csv];
    if !section.has("time") && !rows::has_moments(text) {
        return day(section, csv, text, at);
    }
    let zone = zone(section);
    let asked = Asked {
        time: section.text("time"),
        column: section.text("column"),
        by: section.text("by"),
        market: section.text("market"),
        zone: zone.clone(),
    };
    let shaping = Shaping {
        per: per(section)?,
        gap: length(section, "gap"),
        resample: length(section, "resample"),
    };
    let scale = section.take("scale").cloned();
    let place = section.take("place").cloned();
    let placed = place.as_ref().and_then(place_text);
    let of_all = placed
        .as_ref()
        .is_some_and(|text| text.starts_with(BUSIEST_OF_ALL));
    let found = rows::read(text, csv, name, &asked, of_all).and_then(|found| {
        Ok((
            grid::series(&found.rows, &found.unsure, csv, &shaping)?,
            found,
        ))
    });
    let (series, found) = match found {
        Ok(found) => found,
        Err(wrong) => {
            section.is_wrong("csv", wrong);
            return None;
        }
    };
    let place = match (place, placed) {
        (Some(node), Some(text)) => {
            let text = match of_all {
                true => common(&text, &found, csv, &shaping),
                false => Ok(absolute(&text, zone.as_ref())),
            };
            Some(within(section, text, node.at)?)
        }
        // It is not a text, which is found when the scenario is read.
        (place, _) => place,
    };
    let words = format!(
        "{csv}, {} values, {} filled, means of {}",
        found.rows.len(),
        series.filled,
        human_secs(series.every as f64 / 1e3)
    );
    Some((table(&series, at, place, scale), sourced(words)))
}

/// The rates of a day, as a column `rate` has them.
fn day(section: &mut Section, csv: &str, text: &str, at: At) -> Option<(Table, Note)> {
    match data::column(text, csv, "rate", Unit::PerSecond) {
        Ok(values) => {
            let words = format!("{csv}, {} rates of a day", values.len());
            let mut table = Table::default();
            table.insert("rates", at, numbers(&values, at));
            Some((table, sourced(words)))
        }
        Err(wrong) => {
            section.is_wrong("csv", wrong);
            None
        }
    }
}

fn sourced(words: String) -> Note {
    Note {
        origin: Origin::Sourced,
        words: words.chars().filter(|c| !c.is_control()).collect(),
    }
}

fn numbers(values: &[f64], at: At) -> Node {
    let number = |value: &f64| Node::plain(Value::Float(*value), at);
    Node::plain(Value::Array(values.iter().map(number).collect()), at)
}

fn table(series: &Series, at: At, place: Option<Node>, scale: Option<Node>) -> Table {
    let text = |text: String| Node::plain(Value::Text(text), at);
    let mut table = Table::default();
    table.insert("begins", at, text(moment::show(series.begins)));
    let every = Unit::Seconds.show(series.every as f64 / 1e3);
    table.insert("every", at, text(every));
    for (key, node) in [("place", place), ("scale", scale)] {
        if let Some(node) = node {
            table.insert(key, node.at, node);
        }
    }
    table.insert("rates", at, numbers(&series.rates, at));
    table
}

fn within(section: &Section, place: Result<String, Wrong>, at: At) -> Option<Node> {
    match place {
        Ok(text) => Some(Node::plain(Value::Text(text), at)),
        Err(wrong) => {
            section.is_wrong("place", wrong);
            None
        }
    }
}

/// What a place says, as text: TOML has moments of its own.
pub fn place_text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) | Value::Date(text) => Some(text.trim().to_string()),
        _ => None,
    }
}

/// A place with its moment in UTC.
fn absolute(place: &str, zone: Option<&TimeZone>) -> String {
    let (when, what) = match place.rsplit_once(" at ") {
        Some((when, what)) => (when, format!(" at {what}")),
        None => (place, String::new()),
    };
    let utc = TimeZone::UTC;
    match moment::read(when, zone.unwrap_or(&utc), None) {
        Ok(at) => moment::show(at) + &what,
        // Words, or a mistake, which is found when the scenario is read.
        Err(_) => place.to_string(),
    }
}

/// The place of the busiest hour of all markets together.
fn common(place: &str, found: &rows::Rows, csv: &str, shaping: &Shaping) -> Result<String, Wrong> {
    let row = |(&at, &value): (&i64, &f64)| rows::Row { line: 0, at, value };
    let rows: Vec<rows::Row> = found.all.iter().map(row).collect();
    let sum = grid::series(&rows, &found.unsure, csv, shaping)?;
    let window = sum.hour();
    let busiest = crate::model::series::busiest(&sum.rates, window, 0..usize::MAX);
    let (first, _) = busiest.ok_or_else(|| Wrong::new(format!("{csv} has no hour"), ""))?;
    let middle = sum.begins + sum.every * (2 * first + window) as i64 / 2;
    Ok(format!(
        "{}{}",
        moment::show(middle),
        &place[BUSIEST_OF_ALL.len()..]
    ))
}

impl Series {
    /// Buckets in an hour, at least one.
    fn hour(&self) -> usize {
        crate::model::series::hour_of(self.every as f64 / 1e3)
    }
}

fn zone(section: &mut Section) -> Option<TimeZone> {
    let text = section.text("zone")?;
    match moment::zone(text) {
        Ok(zone) => Some(zone),
        Err(wrong) => {
            section.is_wrong("zone", wrong);
            None
        }
    }
}

/// What a value counts. Where the whole is scaled to a rate it makes no difference.
fn per(section: &mut Section) -> Option<Per> {
    let choices = || PER.iter().map(|(text, _)| *text);
    let Some(text) = section.text("unit") else {
        if section.take("scale").is_some_and(is_rate) {
            return Some(Per::Bucket);
        }
        if section.has("unit") {
            return None;
        }
        section.wrong(
            "unit",
            "is missing: what a value counts",
            format!(
                "unit = \"per bucket\", or one of {}",
                choices().collect::<Vec<_>>().join(", ")
            ),
        );
        return None;
    };
    let found = PER.iter().find(|(known, _)| *known == text);
    if found.is_none() {
        let message = format!("there is no unit {text:.40?}");
        section.wrong("unit", message, suggest(text, choices()));
    }
    found.map(|(_, per)| *per)
}

/// Whether a scale is a rate with its unit, and not a factor.
pub fn is_rate(scale: &Node) -> bool {
    let ends = scale.table().and_then(|table| table.get("uncertain"));
    let first = match ends.map(|ends| &ends.value) {
        Some(Value::Array(ends)) => ends.first().unwrap_or(scale),
        _ => scale,
    };
    first.text().is_some_and(|text| text.contains('/'))
}

/// A length in milliseconds.
fn length(section: &mut Section, key: &'static str) -> Option<i64> {
    let node = section.take(key)?;
    let path = section.path_of(key);
    let range = Range::new(0.001, 366.0 * 86_400.0);
    let secs = section.reader.plain(node, &path, Unit::Seconds, range)?;
    Some((secs * 1e3).round() as i64)
}
