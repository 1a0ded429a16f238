//! Data files that a scenario names: `{ csv = "traffic.csv" }` and `{ empirical = "times.csv" }` are
//! replaced by what the files hold, so a merged scenario stands on its own.

use crate::scenario::layer::{LARGEST_BYTES, MOST_VALUES, Wrongs};
use crate::scenario::path::join;
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::tree::{Node, Value};
use std::io::Read;
use std::path::Path;

/// Replaces all names of data files in a tree.
pub fn inline(node: &mut Node, path: &str, dir: &Path, wrongs: &mut Wrongs) {
    match &mut node.value {
        Value::Array(nodes) => {
            for (index, node) in nodes.iter_mut().enumerate() {
                let path = match node.id() {
                    Some(id) => join(path, id),
                    None => format!("{path}[{index}]"),
                };
                inline(node, &path, dir, wrongs);
            }
        }
        Value::Table(table) => {
            for entry in &mut table.0 {
                let (column, unit) = match entry.key.as_str() {
                    "csv" => ("rate", Unit::PerSecond),
                    "empirical" => ("seconds", Unit::Seconds),
                    _ => {
                        inline(&mut entry.node, &join(path, &entry.key), dir, wrongs);
                        continue;
                    }
                };
                let Some(file) = entry.node.text() else {
                    continue;
                };
                match values(&dir.join(file), column, unit) {
                    Ok(values) => {
                        let at = entry.node.at;
                        let node = |v: f64| Node::plain(Value::Text(unit.show(v)), at);
                        entry.node.value = Value::Array(values.into_iter().map(node).collect());
                        if column == "rate" {
                            entry.key = "rates".to_string();
                        }
                    }
                    Err(wrong) => {
                        wrongs.push((entry.node.at.offset, join(path, &entry.key), wrong));
                    }
                }
            }
        }
        _ => {}
    }
}

/// The column of a CSV file; plain numbers are seconds, or per second.
fn values(path: &Path, column: &str, unit: Unit) -> Result<Vec<f64>, Wrong> {
    let shown = path.display();
    let unreadable = |why: String| {
        Wrong::new(
            format!("cannot read {shown}: {why}"),
            "a data file is looked for in the folder of the file that names it",
        )
    };
    let meta = std::fs::metadata(path).map_err(|e| unreadable(e.kind().to_string()))?;
    if !meta.is_file() {
        return Err(unreadable("not a file".into()));
    }
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| {
            file.take(LARGEST_BYTES as u64 + 1)
                .read_to_string(&mut text)
        })
        .map_err(|e| unreadable(e.kind().to_string()))?;
    if text.len() > LARGEST_BYTES {
        return Err(unreadable(format!("larger than {LARGEST_BYTES} bytes")));
    }
    let hint = format!("a CSV file with a column `{column}`");
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let position = reader
        .headers()
        .map_err(|e| unreadable(e.to_string()))?
        .iter()
        .position(|header| header == column)
        .ok_or_else(|| Wrong::new(format!("{shown} has no column `{column}`"), &hint))?;
    let mut values = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| unreadable(e.to_string()))?;
        let line = record.position().map_or(0, |p| p.line());
        let text = record.get(position).unwrap_or_default();
        let value = match text.parse::<f64>() {
            Ok(number) => Ok(number),
            Err(_) => unit.parse(text),
        };
        match value {
            Ok(value) if value.is_finite() && value >= 0.0 => values.push(value),
            _ => {
                return Err(Wrong::new(
                    format!("{shown}, line {line}: {text:.60?} is not a value of `{column}`"),
                    unit.example(),
                ));
            }
        }
        if values.len() > MOST_VALUES {
            return Err(Wrong::new(
                format!("{shown} has too many values"),
                format!("at most {MOST_VALUES}"),
            ));
        }
    }
    if values.is_empty() {
        return Err(Wrong::new(format!("{shown} has no values"), hint));
    }
    Ok(values)
}
