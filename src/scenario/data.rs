//! Data files that a scenario names: `{ empirical = "times.csv" }` is replaced by what the file holds,
//! so a merged scenario stands on its own; of `{ csv = "traffic.csv" }` it is settled which file it is.

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
                let empirical = entry.key == "empirical";
                if !empirical && entry.key != "csv" {
                    inline(&mut entry.node, &join(path, &entry.key), dir, wrongs);
                    continue;
                }
                let Some(file) = entry.node.text() else {
                    continue;
                };
                let file = dir.join(file);
                if !empirical {
                    // What else is said of it may lie in other layers.
                    entry.node.value = Value::Text(file.to_string_lossy().into_owned());
                    continue;
                }
                let unit = Unit::Seconds;
                let values = text(&file, LARGEST_BYTES)
                    .and_then(|text| column(&text, &file.to_string_lossy(), "seconds", unit));
                match values {
                    Ok(values) => {
                        let at = entry.node.at;
                        let node = |v: f64| Node::plain(Value::Text(unit.show(v)), at);
                        entry.node.value = Value::Array(values.into_iter().map(node).collect());
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

/// The text of a data file of at most so many bytes.
pub fn text(path: &Path, most: usize) -> Result<String, Wrong> {
    let shown = path.display();
    let unreadable = |why: String| {
        Wrong::unreadable(
            format!("cannot read {shown}: {why}"),
            "a data file is looked for in the folder of the file that names it",
        )
    };
    let meta = std::fs::metadata(path).map_err(|e| unreadable(e.kind().to_string()))?;
    if !meta.is_file() {
        return Err(unreadable("not a file".into()));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(e.kind().to_string()))?;
    if bytes.len() > most {
        return Err(unreadable(format!("larger than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        Wrong::new(
            format!("{shown}, line {line}: is not text in UTF-8"),
            "save it as UTF-8",
        )
    })
}

/// A column of a CSV file; plain numbers are seconds, or per second.
pub fn column(text: &str, shown: &str, column: &str, unit: Unit) -> Result<Vec<f64>, Wrong> {
    let unreadable = |why: String| Wrong::new(format!("cannot read {shown}: {why}"), "");
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
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
