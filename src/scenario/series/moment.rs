//! Moments as data files write them, and the zones in which they do.

use crate::scenario::quantity::Wrong;
use crate::scenario::reader::suggest;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// Milliseconds since 1970, UTC.
pub type Millis = i64;

/// Plain numbers from here on are seconds since 1970 (this one is in 1973), and beyond a thousand
/// times as much milliseconds.
const FIRST_EPOCH_SECS: f64 = 1e8;

const EXAMPLE: &str = "write it as 2014-04-10 18:30:00, with Z or an offset such as +02:00 where it \
                       has one, or as seconds since 1970";

/// The zone of a text: `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`. The
/// names' rules come with the program, so that they are the same everywhere.
pub fn zone(text: &str) -> Result<TimeZone, Wrong> {
    let text = text.trim();
    if text == "Z" || text == "UTC" {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(text) {
        return Ok(offset.to_time_zone());
    }
    TimeZone::get(text).map_err(|_| {
        let known: Vec<String> = jiff::tz::db()
            .available()
            .map(|name| name.to_string())
            .collect();
        let near = suggest(text, known.iter().map(String::as_str));
        let hint = match near.starts_with("did") {
            true => near,
            false => "write \"Europe/Berlin\", \"-05:00\" or \"UTC\"".to_string(),
        };
        Wrong::new(format!("there is no time zone {text:.60?}"), hint)
    })
}

/// `+02:00`, `-0530` or `+2`.
fn offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|&c| c != ':').collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (&digits[..], "0"),
        4 => digits.split_at(2),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60)
        .then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

/// Whether a text could be meant as a moment.
pub fn looks_like_one(text: &str) -> bool {
    read(text, &TimeZone::UTC, None).is_ok()
}

/// Whether a text says by itself which moment it means, without a zone.
pub fn is_absolute(text: &str) -> bool {
    let text = text.trim();
    text.parse::<f64>().is_ok() || absolute(text).is_some()
}

/// Reads a moment. Where it does not say its offset it is in `zone`; an hour that the clocks there
/// go through twice is taken so that it comes after `previous`.
pub fn read(text: &str, zone: &TimeZone, previous: Option<Millis>) -> Result<Millis, Wrong> {
    let text = text.trim();
    let wrong = || Wrong::new(format!("{text:.60?} is not a moment"), EXAMPLE);
    if let Ok(number) = text.parse::<f64>() {
        let millis = match number {
            n if (FIRST_EPOCH_SECS..1e3 * FIRST_EPOCH_SECS).contains(&n) => n * 1e3,
            n if (1e3 * FIRST_EPOCH_SECS..1e6 * FIRST_EPOCH_SECS).contains(&n) => n,
            _ => return Err(wrong()),
        };
        return Ok(millis.round() as Millis);
    }
    if let Some(timestamp) = absolute(text) {
        return Ok(timestamp.as_millisecond());
    }
    let local: DateTime = text.parse().map_err(|_| wrong())?;
    let at = |offset: Offset| {
        let timestamp = offset.to_timestamp(local).map_err(|_| wrong())?;
        Ok(timestamp.as_millisecond())
    };
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset),
        AmbiguousOffset::Gap { .. } => Err(Wrong::new(
            format!("{text:.60?} does not exist in this zone: the clocks skip it"),
            "look whether the zone is the right one",
        )),
        AmbiguousOffset::Fold { before, after } => {
            let first = at(before)?;
            match previous {
                Some(previous) if first <= previous => at(after),
                _ => Ok(first),
            }
        }
    }
}

/// Both moments of a text without an offset that is in an hour which the clocks of the zone go through
/// twice; `None` of any other.
pub fn twice(text: &str, zone: &TimeZone) -> Option<[Millis; 2]> {
    let local: DateTime = text.trim().parse().ok()?;
    let at = |offset: Offset| Some(offset.to_timestamp(local).ok()?.as_millisecond());
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Fold { before, after } => Some([at(before)?, at(after)?]),
        _ => None,
    }
}

/// A moment with `Z`, `UTC` or an offset.
fn absolute(text: &str) -> Option<Timestamp> {
    let text = match text.strip_suffix("UTC") {
        Some(local) => format!("{}Z", local.trim_end()),
        None => text.to_string(),
    };
    text.parse().ok()
}

/// A moment for people and files, UTC.
pub fn show(millis: Millis) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(timestamp) => timestamp.to_string(),
        Err(_) => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, name: &str, previous: Option<Millis>) -> Millis {
        let zone = zone(name).unwrap_or_else(|wrong| panic!("{}", wrong.message));
        read(text, &zone, previous).unwrap_or_else(|wrong| panic!("{}", wrong.message))
    }

    #[test]
    fn a_moment_is_the_same_however_it_is_written() {
        // date -u -d '2014-04-10 18:30' +%s
        let expected = 1_397_154_600_000;
        for text in [
            "2014-04-10 18:30:00",
            "2014-04-10T18:30",
            "2014-04-10 18:30:00.000",
            "2014-04-10T18:30:00Z",
            "2014-04-10 18:30:00 UTC",
            "2014-04-10 20:30:00+02:00",
            "2014-04-10T13:30:00-0500",
            "1397154600",
            "1397154600.0",
            "1397154600000",
        ] {
            assert_eq!(at(text, "UTC", None), expected, "{text}");
        }
        assert_eq!(at("2014-04-10 20:30", "Europe/Berlin", None), expected);
        assert_eq!(at("2014-04-10 13:30", "-05:00", None), expected);
        assert_eq!(at("2014-04-10 21:30", "+3", None), expected);
        assert_eq!(show(expected), "2014-04-10T18:30:00Z");
        assert_eq!(at(&show(expected + 250), "UTC", None), expected + 250);
    }

    #[test]
    fn an_hour_that_is_there_twice_goes_on() {
        let new_york = "America/New_York";
        let first = at("2014-11-02 01:30", new_york, None);
        let again = at("2014-11-02 01:00", new_york, Some(first));
        assert_eq!(again - first, 30 * 60_000);
        let zone = zone(new_york).expect("it is known");
        assert!(read("2014-03-09 02:30", &zone, None).is_err(), "skipped");
    }

    #[test]
    fn what_is_no_moment_is_told() {
        for text in [
            "",
            "soon",
            "04/10/2014 18:30",
            "2014-13-01",
            "12",
            "1e99",
            "nan",
        ] {
            assert!(read(text, &TimeZone::UTC, None).is_err(), "{text}");
        }
        let told = zone("Europe/Berln").expect_err("a near miss");
        assert_eq!(told.hint, "did you mean \"Europe/Berlin\"?");
        for text in ["+25:00", "é", "+é0", "CET+", ""] {
            assert!(zone(text).is_err(), "{text}");
        }
    }
}
