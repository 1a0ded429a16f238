//! Measured rates, and where they lie on the scenario's clock.

use crate::model::scenario::{Fault, Market};
use crate::model::series::{Series, busiest, hour_of};
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::{Range, Reader};
use crate::scenario::schema::market::{MOST_STARTS, list};
use crate::scenario::section::Section;
use crate::scenario::series::moment::{self, Millis};
use crate::scenario::series::{is_rate, place_text};
use crate::scenario::tree::At;
use crate::units::human_secs;
use jiff::tz::TimeZone;

/// Largest factor on data.
const MOST_TIMES: f64 = 1e9;

/// What of the data lies where.
#[derive(Clone, Copy, Debug)]
struct Placing {
    when: When,
    at_fault: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Busiest,
    At(Millis),
}

/// A series that waits for the faults to be known.
pub struct Unplaced {
    market: String,
    begins: Millis,
    /// `None`: the busiest hour, at the first fault if there is one.
    placing: Option<Placing>,
    at: At,
    path: String,
}

/// Reads `{ rates, begins, every, place, scale }`: the rate of the busiest hour, and the series that
/// begins with the scenario until it is placed.
pub fn read(table: &mut Section, market: &str) -> Option<(f64, Series, Unplaced)> {
    let begins = begins(table);
    let every = table.take("every");
    let path = table.path_of("every");
    let range = Range::new(1.0, 366.0 * 86_400.0);
    let every = every.and_then(|node| table.reader.plain(node, &path, Unit::Seconds, range));
    let placing = placing(table);
    let scale = scale(table);
    let rates = list(
        table,
        "rates",
        Unit::PerSecond,
        Range::new(0.0, MOST_STARTS),
    );
    let (begins, every_secs, rates) = (begins?, every?, rates?);
    let window = hour_of(every_secs);
    let (_, most) = busiest(&rates, window, 0..usize::MAX)?;
    if most == 0.0 {
        table.wrong("rates", "all rates are zero", "give a rate above zero");
        return None;
    }
    let starts = match scale? {
        Scale::To(rate) => rate,
        Scale::Times(factor) => most * factor,
    };
    if starts > MOST_STARTS {
        table.wrong(
            "scale",
            format!("makes {starts} per second"),
            format!("at most {MOST_STARTS}"),
        );
        return None;
    }
    let series = Series {
        factors: rates.iter().map(|rate| rate / most).collect(),
        first_secs: 0.5 * every_secs,
        every_secs,
        zero_unix_ms: begins,
    };
    let unplaced = Unplaced {
        market: market.to_string(),
        begins,
        placing: placing.ok()?,
        at: table.place_of("place"),
        path: table.path_of("place"),
    };
    Some((starts, series, unplaced))
}

fn begins(table: &mut Section) -> Option<Millis> {
    let Some(node) = table.take("begins") else {
        table.wrong(
            "begins",
            "is missing",
            "write begins = \"2014-04-10T00:00:00Z\"",
        );
        return None;
    };
    let text = place_text(node).unwrap_or_default();
    match moment::read(&text, &TimeZone::UTC, None) {
        Ok(at) => Some(at),
        Err(wrong) => {
            table.is_wrong("begins", wrong);
            None
        }
    }
}

enum Scale {
    /// The busiest hour has this rate.
    To(f64),
    /// All rates are so many times as high.
    Times(f64),
}

/// A rate with its unit is what the busiest hour is scaled to; a plain number is a factor.
fn scale(table: &mut Section) -> Option<Scale> {
    let Some(node) = table.take("scale") else {
        return Some(Scale::Times(1.0));
    };
    let path = table.path_of("scale");
    if is_rate(node) {
        let range = Range::positive(MOST_STARTS);
        let rate = table.reader.quantity(node, &path, Unit::PerSecond, range)?;
        return Some(Scale::To(rate));
    }
    let range = Range::positive(MOST_TIMES);
    let factor = table.reader.quantity(node, &path, Unit::Number, range)?;
    Some(Scale::Times(factor))
}

/// `busiest hour at fault`, `2014-04-10 18:30 at start`.
fn placing(table: &mut Section) -> Result<Option<Placing>, ()> {
    let Some(node) = table.take("place") else {
        return Ok(None);
    };
    let told = |message: String| {
        table.wrong(
            "place",
            message,
            "write \"busiest hour at fault\", \"2014-04-10 18:30 at fault\", or either at start",
        );
    };
    let Some(text) = place_text(node) else {
        told(format!("expected a string, found {}", node.kind()));
        return Err(());
    };
    let (when, at_fault) = match text.rsplit_once(" at ") {
        Some((when, "fault")) => (when.trim(), true),
        Some((when, "start")) => (when.trim(), false),
        Some((_, what)) => {
            told(format!("there is no {what:.40?} to be placed at"));
            return Err(());
        }
        None => (text.as_str(), false),
    };
    if when == "busiest hour" && text.contains(" at ") {
        return Ok(Some(Placing {
            when: When::Busiest,
            at_fault,
        }));
    }
    match moment::read(when, &TimeZone::UTC, None) {
        Ok(at) => Ok(Some(Placing {
            when: When::At(at),
            at_fault,
        })),
        Err(_) => {
            told(format!(
                "{text:.60?} says neither which moment of the data nor where it is placed"
            ));
            Err(())
        }
    }
}

/// Lays the series on the scenario's clock.
pub fn place(
    reader: &Reader,
    markets: &mut [Market],
    waiting: Vec<Unplaced>,
    faults: &[Fault],
    horizon_secs: f64,
) {
    for unplaced in waiting {
        let market = markets.iter_mut().find(|m| m.name == unplaced.market);
        let Some(series) = market.and_then(|market| market.series.as_mut()) else {
            continue;
        };
        match shift(&unplaced, series, faults, horizon_secs) {
            Ok(into) => {
                series.first_secs -= into;
                series.zero_unix_ms += (into * 1e3).round() as Millis;
            }
            Err(wrong) => reader.wrong(unplaced.at, &unplaced.path, wrong),
        }
    }
}

/// How far into the data the scenario begins, in seconds.
fn shift(
    unplaced: &Unplaced,
    series: &Series,
    faults: &[Fault],
    horizon_secs: f64,
) -> Result<f64, Wrong> {
    let placing = unplaced.placing.unwrap_or(Placing {
        when: When::Busiest,
        at_fault: !faults.is_empty(),
    });
    let anchor = match (placing.at_fault, faults.first()) {
        (false, _) => 0.0,
        (true, Some(fault)) => fault.at.secs(),
        (true, None) => return Err(Wrong::new("there is no fault", "write it at start")),
    };
    let every = series.every_secs;
    let length = every * series.factors.len() as f64;
    let from_ms = |ms: Millis| (ms - unplaced.begins) as f64 / 1e3;
    // A rounding of a millisecond is no reason to refuse.
    let fits = |into: f64| into >= -0.001 && into + horizon_secs <= length + 0.001;
    match placing.when {
        When::At(at) => {
            let into = from_ms(at) - anchor;
            match fits(into) {
                true => Ok(into),
                false => Err(Wrong::new(
                    "the run does not lie within the data",
                    format!(
                        "they go from {} to {}, and the run takes {} from {} before that moment on",
                        moment::show(unplaced.begins),
                        moment::show(unplaced.begins + (length * 1e3) as Millis),
                        human_secs(horizon_secs),
                        human_secs(anchor),
                    ),
                )),
            }
        }
        When::Busiest => {
            let window = hour_of(every).min(series.factors.len());
            let middle = |first: usize| every * (first as f64 + 0.5 * window as f64);
            let first = ((anchor / every - 0.5 * window as f64 - 1e-9).ceil()).max(0.0) as usize;
            let latest = (length + anchor - horizon_secs) / every - 0.5 * window as f64;
            let begins = match latest < -1e-9 {
                true => 0..0,
                false => first..(latest + 1e-9) as usize + 1,
            };
            match busiest(&series.factors, window, begins) {
                Some((first, _)) => Ok(middle(first) - anchor),
                None => Err(Wrong::new(
                    format!(
                        "the run takes {}, and the data {}: no hour has enough of them around it",
                        human_secs(horizon_secs),
                        human_secs(length)
                    ),
                    "give more data, or make the horizon shorter",
                )),
            }
        }
    }
}
