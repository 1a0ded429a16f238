//! Real demand, through the real program.

use crate::program::{fresh, run, written};
use std::fs;
use std::path::Path;

/// Two markets of a long file, no fault; the run of an hour lies where `PLACE` says.
const SCENARIO: &str = r#"
format = 1
horizon = "1h"
step = "10s"

[[region]]
name = "east"

[[market]]
name = "viewers"
requests = { csv = "long.csv", unit = "per bucket", place = "PLACE", zone = "Europe/Berlin" }

[[market]]
name = "others"
requests = { csv = "long.csv", unit = "per minute", place = "PLACE", zone = "Europe/Berlin" }

[[device]]
name = "impatient"
share = 1
attempts = 1

[variation]
demand = 0
"#;

/// Three hours of half-hourly values, the first at 17:00 in Berlin, in summer.
fn files(dir: &Path, place: &str) {
    let mut csv = "\u{feff}\"timestamp\";\"market\";\"value\"\r\n".to_string();
    for (i, value) in [1800, 3600, 7200, 7200, 3600, 1800].into_iter().enumerate() {
        let at = format!("2024-06-01 {}:{:02}:00", 17 + i / 2, i % 2 * 30);
        csv += &format!("{at};viewers;{value}\r\n{at};others;{}\r\n", 60 * 10);
    }
    fs::write(dir.join("long.csv"), csv).expect("written");
    fs::write(dir.join("d.toml"), SCENARIO.replace("PLACE", place)).expect("written");
}

/// Mean of a column of `replications.csv`.
fn mean(csv: &[u8], column: &str) -> f64 {
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers().expect("a header").clone();
    let position = header.iter().position(|name| name == column);
    let position = position.unwrap_or_else(|| panic!("{column} is a column"));
    let cell = |record: csv::StringRecord| record[position].parse::<f64>().expect("a number");
    let values: Vec<f64> = reader.records().map(|r| cell(r.expect("a row"))).collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn arrivals_are_those_of_the_data_at_their_place() {
    let dir = fresh();
    // With a region that is dark all the time and nobody to act, every request fails.
    let dark =
        "\n[[fault]]\nkind = \"region-dark\"\nregion = \"east\"\nat = \"0s\"\nfor = \"1h\"\n";
    files(dir.path(), "2024-06-01 17:30 at start");
    let text = fs::read_to_string(dir.path().join("d.toml")).expect("it is there");
    fs::write(dir.path().join("d.toml"), text + dark).expect("written");
    let args = ["run", "d.toml", "-q", "-n", "40", "-o", "out", "--no-plots"];
    let (code, out, err) = run(dir.path(), &args);
    assert_eq!(code, Some(0), "{out}{err}");
    // Linear between the middles of half hours: 1.5, 2, 3, 4, 4 per second at quarters of hours from
    // 17:30 on, and 10 more of the other market.
    let expected = 900.0 * (1.75 + 2.5 + 3.5 + 4.0) + 3600.0 * 10.0;
    let files = written(&dir.path().join("out"));
    let failed = mean(&files["replications.csv"], "failed_starts");
    let error = f64::sqrt(expected / 40.0);
    assert!(
        (failed - expected).abs() < 4.5 * error,
        "{failed} {expected} {error}"
    );
}

#[test]
fn a_run_of_data_is_repeated_without_them() {
    let dir = fresh();
    files(dir.path(), "busiest hour of all at start");
    let args = ["run", "d.toml", "-q", "-n", "2", "-o", "first"];
    let (code, out, err) = run(dir.path(), &args);
    assert_eq!(code, Some(0), "{out}{err}");
    let hash = |dir: &str, at: &Path| {
        let manifest = fs::read(at.join(dir).join("manifest.json")).expect("it is there");
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
        manifest["scenario_hash"].clone()
    };
    let first = hash("first", dir.path());
    let csv = fs::read_to_string(dir.path().join("long.csv")).expect("it is there");
    fs::remove_file(dir.path().join("long.csv")).expect("it goes");
    let again = ["run", "first/manifest.json", "-q", "-o", "second"];
    let (code, out, err) = run(dir.path(), &again);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(err.contains("the digest is the same"), "{err}");
    assert_eq!(hash("second", dir.path()), first);
    // One value more or less is another scenario.
    fs::write(dir.path().join("long.csv"), csv.replace("7200", "7201")).expect("written");
    let (code, ..) = run(
        dir.path(),
        &["run", "d.toml", "-q", "-n", "2", "-o", "third"],
    );
    assert_eq!(code, Some(0));
    assert_ne!(hash("third", dir.path()), first);
}

#[test]
fn check_tells_where_the_run_lies_and_what_is_wrong_with_a_file() {
    let dir = fresh();
    files(dir.path(), "busiest hour at start");
    let (code, out, err) = run(dir.path(), &["check", "d.toml"]);
    assert_eq!(code, Some(0), "{out}{err}");
    // 18:30 in Berlin.
    assert!(
        out.contains("Demand of viewers: begins as at 2024-06-01 16:30 UTC"),
        "{out}"
    );
    let csv = fs::read_to_string(dir.path().join("long.csv")).expect("it is there");
    fs::write(
        dir.path().join("long.csv"),
        csv.replace("18:30:00;others", "18:00:00;others"),
    )
    .expect("written");
    let (code, out, err) = run(dir.path(), &["check", "d.toml"]);
    assert_eq!(code, Some(2), "{out}{err}");
    let told = format!("{out}{err}");
    assert!(
        told.contains("d.toml:15:20: market.others.requests.csv"),
        "{told}"
    );
    assert!(
        told.contains("long.csv, line 9: the same moment as in line 7"),
        "{told}"
    );
    // A file that cannot be read is no mistake in the scenario, unless there are others.
    fs::remove_file(dir.path().join("long.csv")).expect("removed");
    for verb in ["check", "run"] {
        let (code, out, err) = run(dir.path(), &[verb, "d.toml"]);
        assert_eq!(code, Some(3), "{out}{err}");
        assert!(
            format!("{out}{err}").contains("cannot read long.csv"),
            "{out}{err}"
        );
    }
    let (code, ..) = run(dir.path(), &["run", "d.toml", "--set", "dns.ttl=soon"]);
    assert_eq!(code, Some(2));
}
