//! From the text of a CSV file to rows of moments and values.

use super::moment::{self, Millis};
use crate::scenario::quantity::Wrong;
use crate::scenario::reader::suggest;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Most rows of a file.
const MOST_ROWS: usize = 2_000_000;
/// A day in milliseconds.
const DAY: Millis = 86_400_000;
/// Columns that hold the moment where nothing else is said.
const TIMES: [&str; 5] = ["timestamp", "time", "datetime", "date", "ts"];
/// Columns that hold the market where nothing else is said.
const MARKETS: [&str; 2] = ["market", "region"];
/// The column of values where nothing else is said.
const VALUE: &str = "value";

/// What is asked of a file.
#[derive(Default)]
pub struct Asked<'a> {
    /// Column of moments.
    pub time: Option<&'a str>,
    /// Column of values.
    pub column: Option<&'a str>,
    /// Column that says which market a row is of.
    pub by: Option<&'a str>,
    /// The market wanted, as that column has it.
    pub market: Option<&'a str>,
    /// Zone of the moments.
    pub zone: Option<TimeZone>,
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Line of the file, from 1.
    pub line: u64,
    /// When its bucket begins.
    pub at: Millis,
    /// Its value.
    pub value: f64,
}

/// The rows of one market.
#[derive(Debug)]
pub struct Rows {
    /// In order; those without a value are left out.
    pub rows: Vec<Row>,
    /// Sums over all markets of the file, by moment; empty where it has only one.
    pub all: BTreeMap<Millis, f64>,
    /// First passes of moments that the clocks go through twice and the file has once: nobody knows
    /// which pass is meant, or whether both are added up, so neither has a value.
    pub unsure: BTreeSet<Millis>,
}

/// Whether a file has moments, and is not the shape of a day.
pub fn has_moments(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = reader(text);
    reader.headers().is_ok_and(|header| {
        let known = |name: &str| TIMES.iter().any(|time| name.eq_ignore_ascii_case(time));
        header.iter().any(known) || !header.iter().any(|name| name == "rate")
    })
}

/// A reader of a file with any of the usual separators.
fn reader(text: &str) -> csv::Reader<&[u8]> {
    let header = text.lines().next().unwrap_or_default();
    let separator = match (header.contains(','), header.contains(';')) {
        (false, true) => b';',
        (false, false) if header.contains('\t') => b'\t',
        _ => b',',
    };
    csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

/// Columns of a file.
struct Columns {
    time: usize,
    value: usize,
    by: Option<usize>,
}

/// Reads the rows of a market, which by default is called `name`; `sum` asks for the sums over all
/// markets too. What is wrong is said of `shown`, the file.
pub fn read(text: &str, shown: &str, name: &str, asked: &Asked, sum: bool) -> Result<Rows, Wrong> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Wrong::new(format!("{shown} is empty"), EXAMPLE));
    }
    let mut reader = reader(text);
    let header = reader
        .headers()
        .map_err(|error| unreadable(shown, &error))?
        .clone();
    let columns = columns(&header, shown, asked)?;
    let wanted = asked.market.unwrap_or(name);
    let utc = TimeZone::UTC;
    let zone = asked.zone.as_ref().unwrap_or(&utc);
    let wrong = |line: u64, message: String, hint: &str| {
        Wrong::new(format!("{shown}, line {line}: {message}"), hint)
    };
    let mut found = Rows {
        rows: Vec::new(),
        all: BTreeMap::new(),
        unsure: BTreeSet::new(),
    };
    // Markets and days on which a second pass was seen, and first passes by market and day.
    let mut seconds: BTreeSet<(String, i64)> = BTreeSet::new();
    let mut firsts: Vec<(String, i64, Millis)> = Vec::new();
    let mut others: BTreeSet<String> = BTreeSet::new();
    let mut last: BTreeMap<String, (u64, Millis)> = BTreeMap::new();
    let mut absolute: Option<(u64, bool)> = None;
    let mut record = csv::StringRecord::new();
    let mut count = 0;
    loop {
        let before = reader.position().line();
        if !reader
            .read_record(&mut record)
            .map_err(|error| unreadable(shown, &error))?
        {
            break;
        }
        let line = line_of(text, record.position().map(|p| p.byte()), before);
        count += 1;
        if count > MOST_ROWS {
            return Err(Wrong::new(
                format!("{shown} has too many rows"),
                format!("at most {MOST_ROWS}"),
            ));
        }
        let market = columns
            .by
            .map_or("", |by| record.get(by).unwrap_or_default());
        let ours = columns.by.is_none() || market == wanted;
        if !ours {
            if others.len() < 40 {
                others.insert(market.to_string());
            }
            if !sum {
                continue;
            }
        }
        let written = record.get(columns.time).unwrap_or_default();
        let is_absolute = moment::is_absolute(written);
        match absolute {
            None => absolute = Some((line, is_absolute)),
            Some((first, was)) if was != is_absolute && moment::looks_like_one(written) => {
                return Err(wrong(
                    line,
                    format!(
                        "{written:.60?} and the moment of line {first} do not both say their offset"
                    ),
                    "write all moments with an offset, or none",
                ));
            }
            Some(_) => {}
        }
        if is_absolute && asked.zone.is_some() {
            return Err(wrong(
                line,
                format!("{written:.60?} says itself which moment it means"),
                "leave out zone",
            ));
        }
        let previous = last.get(market).copied();
        let at = moment::read(written, zone, previous.map(|(_, at)| at))
            .map_err(|told| wrong(line, told.message, &told.hint))?;
        match previous {
            Some((before, then)) if then == at => {
                return Err(wrong(
                    line,
                    format!("the same moment as in line {before}: {written}"),
                    "each moment once; an hour that is there twice in autumn needs zone = \"Europe/Berlin\", say",
                ));
            }
            Some((before, then)) if then > at => {
                return Err(wrong(
                    line,
                    format!("{written} is earlier than line {before}"),
                    "sort the file by its moments, the oldest first",
                ));
            }
            _ => {
                last.insert(market.to_string(), (line, at));
            }
        }
        if !is_absolute && let Some([first, second]) = moment::twice(written, zone) {
            let day = first.div_euclid(DAY);
            match at == second {
                true => {
                    seconds.insert((market.to_string(), day));
                }
                false => firsts.push((market.to_string(), day, first)),
            }
        }
        let text = record.get(columns.value).unwrap_or_default();
        let Some(value) = value(text).map_err(|told| wrong(line, told.message, &told.hint))? else {
            continue;
        };
        if sum {
            *found.all.entry(at).or_insert(0.0) += value;
        }
        if ours {
            found.rows.push(Row { line, at, value });
        }
    }
    for (market, day, first) in firsts {
        let ours = columns.by.is_none() || market == wanted;
        if !seconds.contains(&(market, day)) && (sum || ours) {
            found.unsure.insert(first);
        }
    }
    found.rows.retain(|row| !found.unsure.contains(&row.at));
    found.all.retain(|at, _| !found.unsure.contains(at));
    if !found.rows.is_empty() {
        return Ok(found);
    }
    match (others.is_empty(), columns.by) {
        (false, Some(by)) => Err(Wrong::new(
            format!(
                "{shown} has no rows whose {} is {wanted:.60?}",
                header.get(by).unwrap_or_default()
            ),
            suggest(wanted, others.iter().map(String::as_str)),
        )),
        _ => Err(Wrong::new(format!("{shown} has no values"), EXAMPLE)),
    }
}

const EXAMPLE: &str = "the first line names the columns, such as timestamp,value";

/// The line on which a record begins: the reader counts from the end of the one before it, which
/// blank lines may lie between.
fn line_of(text: &str, byte: Option<u64>, line: u64) -> u64 {
    let Some(rest) = byte.and_then(|byte| text.get(byte as usize..)) else {
        return line;
    };
    let blank = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    line + rest.as_bytes()[..blank]
        .iter()
        .filter(|&&b| b == b'\n')
        .count() as u64
}

fn columns(header: &csv::StringRecord, shown: &str, asked: &Asked) -> Result<Columns, Wrong> {
    if header.iter().any(moment::looks_like_one) {
        return Err(Wrong::new(
            format!("{shown}, line 1: these are values, and not the names of columns"),
            EXAMPLE,
        ));
    }
    let names = || header.iter();
    let find = |name: &str| names().position(|known| known == name);
    let among = |known: &[&str]| {
        let mut known = known.iter();
        known.find_map(|one| names().position(|name| name.eq_ignore_ascii_case(one)))
    };
    let missing = |name: &str| {
        Wrong::new(
            format!("{shown} has no column {name:.60?}"),
            suggest(name, names()),
        )
    };
    let named = |name: Option<&str>, usual: &[&str]| match name {
        Some(name) => find(name).map(Some).ok_or_else(|| missing(name)),
        None => Ok(among(usual)),
    };
    let listed = || names().collect::<Vec<_>>().join(", ");
    let time = named(asked.time, &TIMES)?.ok_or_else(|| {
        Wrong::new(
            format!("{shown} has no column called {}", TIMES.join(", ")),
            format!("say which it is, time = \"…\"; there are {}", listed()),
        )
    })?;
    let by = named(asked.by, &MARKETS)?;
    if let (None, Some(market)) = (by, asked.market) {
        return Err(Wrong::new(
            format!("{shown} has no column that says which rows are of {market:.60?}"),
            format!("say which it is, by = \"…\"; there are {}", listed()),
        ));
    }
    let value = match asked.column {
        Some(name) => find(name).ok_or_else(|| missing(name))?,
        None => {
            let others: Vec<usize> = (0..header.len())
                .filter(|&i| i != time && Some(i) != by)
                .collect();
            match (among(&[VALUE]), &others[..]) {
                (Some(value), _) => value,
                (None, &[only]) => only,
                _ => {
                    return Err(Wrong::new(
                        format!("{shown} has no column called {VALUE}"),
                        format!("say which it is, column = \"…\"; there are {}", listed()),
                    ));
                }
            }
        }
    };
    if value == time || Some(value) == by {
        return Err(Wrong::new(
            format!("{shown}: one column cannot be two things"),
            format!("there are {}", listed()),
        ));
    }
    Ok(Columns { time, value, by })
}

/// A value; `None` where there is none.
fn value(text: &str) -> Result<Option<f64>, Wrong> {
    if text.is_empty() || text.eq_ignore_ascii_case("null") || text.eq_ignore_ascii_case("nan") {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(Some(value)),
        Ok(_) => Err(Wrong::new(
            format!("{text:.60} is no demand"),
            "a value is finite and not negative; leave it empty where it is not known",
        )),
        Err(_) if text.contains(',') => Err(Wrong::new(
            format!("{text:.60?} is not a number"),
            "write a decimal point, and no separators of thousands: 1234.5",
        )),
        Err(_) => Err(Wrong::new(
            format!("{text:.60?} is not a number"),
            "write a number such as 1234.5; leave it empty where it is not known",
        )),
    }
}

fn unreadable(shown: &str, error: &csv::Error) -> Wrong {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => Wrong::new(
            format!(
                "{shown}, line {}: {len} values in a row, and {expected_len} in the first line",
                pos.as_ref().map_or(0, csv::Position::line),
            ),
            "every row has a value for each column; decimals have a point and not a comma",
        ),
        _ => Wrong::new(format!("cannot read {shown}: {error}"), EXAMPLE),
    }
}
