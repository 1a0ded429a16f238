//! Files in, rates on the scenario's clock out.

use crate::model::scenario::Market;
use crate::scenario::{Document, Layer};
use std::path::Path;

/// A run of 40 minutes whose fault begins after 15; `DEMAND` stands for the market's.
const TEXT: &str = r#"
format = 1
horizon = "40min"

[[region]]
name = "east"

[[region]]
name = "west"

[[market]]
name = "viewers"
starts = DEMAND

[[fault]]
kind = "region-dark"
region = "east"
at = "15min"
for = "10min"
"#;

fn load_from(dir: &Path, demand: &str, sets: &[&str]) -> Result<Document, String> {
    let text = TEXT.replace("DEMAND", demand);
    let layer = Layer::file("test.toml", &text, Some(dir));
    let sets = sets.iter().map(|set| Layer::set(set)).collect();
    Document::load("test", layer, None, sets).map_err(|problems| problems.to_string())
}

/// A document whose data file holds this.
fn load(csv: &str, keys: &str) -> Result<Document, String> {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("d.csv"), csv).expect("written");
    load_from(dir.path(), &format!("{{ csv = \"d.csv\", {keys} }}"), &[])
}

fn market(csv: &str, keys: &str) -> Market {
    let document = load(csv, keys).unwrap_or_else(|told| panic!("{told}"));
    document.scenario().markets[0].clone()
}

fn told(csv: &str, keys: &str) -> String {
    let text = load(csv, keys).expect_err(csv);
    text.replace('\\', "/")
}

/// Ten-minute counts that rise to 1,200 per minute in the third hour of six.
fn day() -> String {
    let mut csv = "timestamp,value\n".to_string();
    for i in 0..36 {
        let count = if (12..18).contains(&i) { 12_000 } else { 3_000 };
        csv += &format!("2024-05-01 {:02}:{:02}:00,{count}\n", i / 6, i % 6 * 10);
    }
    csv
}

#[test]
fn the_busiest_hour_s_middle_is_at_the_fault() {
    let market = market(&day(), "unit = \"per bucket\"");
    let series = market.series.expect("measured");
    assert_eq!(market.starts, 20.0);
    assert_eq!((series.every_secs, series.factors.len()), (600.0, 36));
    assert_eq!(series.busiest_secs(), 900.0);
    // 02:30 is at the fault, so the run begins at 02:15.
    assert_eq!(series.zero_unix_ms, 1_714_529_700_000);
}

#[test]
fn a_place_can_be_given_in_any_zone() {
    let zero = |keys: &str| {
        let market = market(&day(), &format!("unit = \"per bucket\", {keys}"));
        market.series.expect("measured").zero_unix_ms
    };
    let four = 1_714_536_000_000;
    assert_eq!(zero("place = \"2024-05-01 04:00 at start\""), four);
    assert_eq!(zero("place = 2024-05-01T04:00:00"), four);
    assert_eq!(zero("place = \"2024-05-01 04:15 at fault\""), four);
    assert_eq!(zero("place = \"2024-05-01 06:00+02:00\""), four);
    assert_eq!(
        zero("zone = \"Europe/Berlin\", place = \"2024-05-01 04:00\""),
        four - 7_200_000
    );
    assert_eq!(zero("place = \"busiest hour at start\""), 1_714_530_600_000);
}

#[test]
fn what_is_counted_and_the_scale_make_the_rate() {
    let starts = |keys: &str| market(&day(), keys).starts;
    for (unit, rate) in [
        ("second", 12_000.0),
        ("minute", 200.0),
        ("hour", 12_000.0 / 3600.0),
    ] {
        let starts = starts(&format!("unit = \"per {unit}\""));
        assert!((starts - rate).abs() < 1e-9, "{unit}: {starts}");
    }
    assert_eq!(starts("scale = \"900/s\""), 900.0);
    assert_eq!(starts("unit = \"per bucket\", scale = 2.5"), 50.0);
    assert_eq!(
        starts("unit = \"per bucket\", scale = { uncertain = [1, 2] }"),
        30.0
    );
    assert_eq!(
        starts("scale = { uncertain = [\"800/s\", \"900/s\"] }"),
        850.0
    );
}

#[test]
fn few_counts_are_averaged_until_they_tell_something() {
    let sparse = day().replace("000\n", "\n");
    let series = market(&sparse, "unit = \"per bucket\"")
        .series
        .expect("measured");
    // 4.5 in ten minutes on average: an hour is all that is averaged.
    assert_eq!(series.every_secs, 3600.0);
    let as_told = market(&sparse, "unit = \"per bucket\", resample = \"20min\"").series;
    let series = as_told.expect("measured");
    assert_eq!(series.every_secs, 1200.0);
    assert!((series.factors[0] - 0.25).abs() < 1e-12);
    assert_eq!(series.factors.len(), 18);
}

#[test]
fn gaps_are_filled_by_a_straight_line_up_to_a_limit() {
    let without = |lines: std::ops::Range<usize>| -> String {
        let day = day();
        let kept = day.lines().enumerate().filter(|(i, _)| !lines.contains(i));
        kept.map(|(_, line)| format!("{line}\n")).collect()
    };
    // Rows 12 to 14 of the data: two of the busy hour, and the last before it.
    let series = market(&without(12..15), "unit = \"per bucket\"")
        .series
        .expect("measured");
    let factor = |i: usize| series.factors[i] / series.factors[15];
    for (i, expected) in [(11, 0.4375), (12, 0.625), (13, 0.8125), (14, 1.0)] {
        assert!((factor(i) - expected).abs() < 1e-12, "{i}");
    }
    let message = told(&without(10..18), "unit = \"per bucket\"");
    assert!(
        message.contains("d.csv, line 11: 80 min without values"),
        "{message}"
    );
    assert!(message.contains("gap = \"4800s\""), "{message}");
    let _ = market(&without(10..18), "unit = \"per bucket\", gap = \"80min\"");
    // A row without a value is as good as none.
    let empty = day()
        .replace("02:00:00,12000", "02:00:00,")
        .replace("02:10:00,12000", "02:10:00,NaN");
    let series = market(&empty, "unit = \"per bucket\"")
        .series
        .expect("measured");
    assert_eq!(series.factors[12] / series.factors[14], 0.5);
}

/// Half-hourly counts of two days in New York, on the first of which the clocks go through one o'clock
/// twice; the file has that hour so many times, once as the sum of both.
fn autumn(times: usize) -> String {
    let mut csv = "timestamp,value\n".to_string();
    let mut add = |day: usize, half: usize, count: u32| {
        csv += &format!(
            "2014-11-0{day} {:02}:{:02}:00,{count}\n",
            half / 2,
            half % 2 * 30
        );
    };
    for day in [2, 3] {
        for half in 0..48 {
            match (day, half, times) {
                (2, 2, 1) => add(day, half, 36_000),
                (2, 3, 1) => add(day, half, 36_000),
                (2, 2, _) => {
                    for half in [2, 3, 2, 3] {
                        add(day, half, 18_000);
                    }
                }
                (2, 3, _) => {}
                _ => add(day, half, 18_000),
            }
        }
    }
    csv
}

#[test]
fn an_hour_that_is_there_once_and_passed_twice_is_not_known() {
    let unit = "unit = \"per bucket\"";
    let new_york = &format!("{unit}, zone = \"America/New_York\"");
    // 49 hours whichever way: what is not known lies on the line between its neighbours.
    for times in [1, 2] {
        let market = market(&autumn(times), new_york);
        let series = market.series.expect("measured");
        assert_eq!(series.factors.len(), 98, "{times}");
        assert!(
            (market.starts - 10.0).abs() < 1e-9,
            "{times}: {}",
            market.starts
        );
    }
    // Where no zone is given nobody can tell.
    assert_eq!(market(&autumn(1), unit).starts, 20.0);
    assert!(told(&autumn(2), unit).contains("is earlier than line"));
}

#[test]
fn files_are_read_however_they_were_exported() {
    let plain = market(&day(), "unit = \"per bucket\"");
    let same = |csv: String, keys: &str| {
        let market = market(&csv, &format!("unit = \"per bucket\", {keys}"));
        assert_eq!(market.series, plain.series, "{keys} {csv:.80}");
        assert_eq!(market.starts, plain.starts);
    };
    same(format!("\u{feff}{}", day()), "");
    same(day().replace('\n', "\r\n"), "");
    same(day().replace(',', ";"), "");
    same(day().replace(',', "\t"), "");
    same(
        day().replace("timestamp,value", "\"timestamp\",\"value\""),
        "",
    );
    same(
        day().replace("timestamp,value", "when,starts"),
        "time = \"when\"",
    );
    same(day().replace("timestamp,value", "Time,Requests"), "");
    same(day().replace(":00,", ":00Z,"), "");
    same(day().replace('\n', "\n\n"), "");
    same(
        day()
            .replace("timestamp,value", "timestamp,value,quality")
            .replace("000\n", "000,7\n"),
        "",
    );
    let epoch = |line: (usize, &str)| match line.0 {
        0 => format!("{}\n", line.1),
        i => format!("{},{}\n", 1_714_521_600 + 600 * (i - 1), &line.1[20..]),
    };
    same(day().lines().enumerate().map(epoch).collect(), "");
}

#[test]
fn a_market_finds_its_rows_in_a_long_file() {
    let mut csv = "timestamp,market,value\n".to_string();
    for i in 0..36 {
        let busy = |hour: usize| if i / 6 == hour { 24_000 } else { 3_000 };
        for (market, hour) in [("viewers", 4), ("others", 1)] {
            csv += &format!(
                "2024-05-01 {:02}:{:02},{market},{}\n",
                i / 6,
                i % 6 * 10,
                busy(hour)
            );
        }
        csv += &format!(
            "2024-05-01 {:02}:{:02},third,{}\n",
            i / 6,
            i % 6 * 10,
            busy(1)
        );
    }
    let zero = |keys: &str| {
        let market = market(&csv, &format!("unit = \"per bucket\", {keys}"));
        assert_eq!(market.starts, 40.0);
        market.series.expect("measured").zero_unix_ms - 1_714_521_600_000
    };
    let minutes = |m: i64| m * 60_000;
    assert_eq!(zero(""), minutes(4 * 60 + 15));
    assert_eq!(zero("market = \"others\""), minutes(60 + 15));
    // The hour in which all of them together have most.
    assert_eq!(
        zero("place = \"busiest hour of all at fault\""),
        minutes(60 + 15)
    );
    let message = told(&csv, "unit = \"per bucket\", market = \"other\"");
    assert!(
        message.contains("no rows whose market is \"other\""),
        "{message}"
    );
    assert!(message.contains("did you mean \"others\"?"), "{message}");
    // Another name of the column.
    let by = csv.replacen("market", "cell", 1);
    let message = told(&by, "unit = \"per bucket\"");
    assert!(
        message.contains("column called value") || message.contains("same moment"),
        "{message}"
    );
    let _ = market(&by, "unit = \"per bucket\", by = \"cell\"");
}

#[test]
fn what_cannot_be_read_is_told_with_its_line() {
    let edit = |from: &str, to: &str| told(&day().replace(from, to), "unit = \"per bucket\"");
    for (from, to, expected) in [
        (
            "02:10:00",
            "02:00:00",
            "d.csv, line 15: the same moment as in line 14",
        ),
        (
            "02:10:00",
            "01:00:00",
            "d.csv, line 15: 2024-05-01 01:00:00 is earlier than line 14",
        ),
        (
            "02:10:00",
            "02:15:00",
            "d.csv, line 15: 15 min after the row before it",
        ),
        (
            "02:10:00",
            "02:65:00",
            "d.csv, line 15: \"2024-05-01 02:65:00\" is not a moment",
        ),
        (
            "02:10:00,12000",
            "02:10:00,many",
            "d.csv, line 15: \"many\" is not a number",
        ),
        (
            "02:10:00,12000",
            "02:10:00,-5",
            "d.csv, line 15: -5 is no demand",
        ),
        (
            "02:10:00,12000",
            "02:10:00,inf",
            "d.csv, line 15: inf is no demand",
        ),
        (
            "02:10:00,12000",
            "02:10:00,12,5",
            "d.csv, line 15: 3 values in a row",
        ),
        ("02:10:00,12000", "02:10:00,\"12,5\"", "decimal point"),
        (
            "02:10:00,12000",
            "02:10:00",
            "d.csv, line 15: 1 values in a row",
        ),
        (
            "02:10:00,",
            "02:10:00Z,",
            "d.csv, line 15: \"2024-05-01 02:10:00Z\" and the moment of line 2",
        ),
        ("timestamp,value\n", "", "d.csv, line 1: these are values"),
        (
            "timestamp,value",
            "when,value",
            "no column called timestamp",
        ),
        ("timestamp", "timestamp,a,b", "no column"),
    ] {
        let message = edit(from, to);
        if from != "timestamp" {
            assert!(message.contains(expected), "{from} {to}: {message}");
        }
    }
    let keyed = |csv: &str, keys: &str, expected: &str| {
        let message = told(csv, keys);
        assert!(message.contains(expected), "{keys}: {message}");
    };
    let counted = "unit = \"per bucket\"";
    keyed("", counted, "d.csv is empty");
    keyed(" \n\n", counted, "d.csv is empty");
    keyed("timestamp,value\n", counted, "d.csv has no values");
    keyed(
        "timestamp,value\n2024-05-01,\n",
        counted,
        "d.csv has no values",
    );
    keyed("timestamp,value\n2024-05-01,5\n", counted, "single value");
    keyed(
        "timestamp,a,b\n2024-05-01,5,6\n",
        counted,
        "say which it is, column",
    );
    keyed(
        "timestamp,value\n2024-05-01 00:00,0\n2024-05-01 01:00,0\n",
        counted,
        "all values are zero",
    );
    keyed(
        &day(),
        "place = \"busiest hour at fault\"",
        "starts.unit: is missing",
    );
    keyed(
        &day(),
        "unit = \"per buket\"",
        "did you mean \"per bucket\"?",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", plase = 1",
        "did you mean \"place\"?",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", zone = \"Europe/Berln\"",
        "did you mean \"Europe/Berlin\"?",
    );
    keyed(
        &day().replace(":00,", ":00Z,"),
        "unit = \"per bucket\", zone = \"UTC\"",
        "leave out zone",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", place = \"2024-05-01 05:50\"",
        "does not lie within the data",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", place = \"2024-04-01 05:50\"",
        "does not lie within the data",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", place = \"sometime\"",
        "which moment",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", place = \"busiest hour at noon\"",
        "no \"noon\" to be placed at",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", place = 5",
        "expected a string",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", resample = \"15min\"",
        "whole multiple",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", resample = \"2d\"",
        "makes 0 buckets",
    );
    keyed(&day(), "unit = \"per bucket\", scale = -1", "out of range");
    keyed(
        &day(),
        "unit = \"per bucket\", scale = \"1e12/s\"",
        "out of range",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", column = \"valu\"",
        "did you mean \"value\"?",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", column = \"timestamp\"",
        "cannot be two things",
    );
    keyed(
        &day(),
        "unit = \"per bucket\", market = \"x\"",
        "say which it is, by",
    );
    let short: String = day()
        .lines()
        .take(4)
        .map(|line| format!("{line}\n"))
        .collect();
    keyed(&short, counted, "no hour has enough of them around it");
    let halves = "timestamp,value\n2024-05-01 00:00,5\n";
    let latin = [halves.as_bytes(), b"2024-05-01 00:30,\xe9\n"].concat();
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("d.csv"), latin).expect("written");
    let message = load_from(
        dir.path(),
        "{ csv = \"d.csv\", unit = \"per bucket\" }",
        &[],
    );
    let message = message.expect_err("Latin-1");
    assert!(
        message.contains("d.csv, line 3: is not text in UTF-8"),
        "{message}"
    );
    // Two moments far apart are no reason to fill memory.
    keyed(
        "timestamp,value\n2024-05-01 00:00:00,1\n2024-05-01 00:00:01,1\n9000-01-01,1\n",
        "unit = \"per bucket\", gap = \"1d\"",
        "spans",
    );
}

#[test]
fn what_was_read_stands_on_its_own() {
    let document = load(
        &day(),
        "unit = \"per bucket\", scale = 2, place = \"2024-05-01 03:00\"",
    );
    let document = document.unwrap_or_else(|told| panic!("{told}"));
    let text = document.toml();
    assert!(!text.contains("csv ="), "{text}");
    assert!(
        text.contains("# source: ") && text.contains("d.csv, 36 values"),
        "{text}"
    );
    let layer = Layer::file("again.toml", &text, None);
    let again = Document::load("test", layer, None, Vec::new()).unwrap_or_else(|p| panic!("{p}"));
    let (a, b) = (
        &document.scenario().markets[0],
        &again.scenario().markets[0],
    );
    assert_eq!((a.starts, &a.series), (b.starts, &b.series));
    assert_eq!(again.toml(), text);
}

#[test]
fn later_layers_change_what_is_read_or_replace_it() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("d.csv"), day()).expect("written");
    let starts = |sets: &[&str]| {
        let document = load_from(
            dir.path(),
            "{ csv = \"d.csv\", unit = \"per bucket\" }",
            sets,
        );
        let document = document.unwrap_or_else(|told| panic!("{told}"));
        let market = &document.scenario().markets[0];
        (
            market.starts,
            market.series.as_ref().map(|s| s.zero_unix_ms),
        )
    };
    let (rate, placed) = starts(&["market.viewers.starts.scale=\"70/s\""]);
    assert_eq!((rate, placed), (70.0, Some(1_714_529_700_000)));
    // The busiest hour follows the fault.
    let (_, later) = starts(&["fault[0].at=\"20min\""]);
    assert_eq!(later, Some(1_714_529_400_000));
    assert_eq!(starts(&["market.viewers.starts=\"5/s\""]), (5.0, None));
    assert_eq!(
        starts(&["market.viewers.starts.rates=[\"5/s\", \"6/s\"]"]),
        (6.0, None)
    );
}
