//! Paths of values: `service.playback.headroom`, `service.*.dark`, `fault[0].at`,
//! `service."a.b".slots`.

use crate::scenario::quantity::Wrong;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key of a table, or a name in an array of tables.
    Key(String),
    /// An index of an array.
    Index(usize),
    /// All elements of an array of tables.
    All,
}

/// Reads `PATH=VALUE`; the value stays text.
pub fn parse_assignment(text: &str) -> Result<(Vec<Step>, &str), Wrong> {
    let (path, value) = split_assignment(text)?;
    Ok((parse_path(path)?, value))
}

/// Splits `PATH=VALUE`.
pub fn split_assignment(text: &str) -> Result<(&str, &str), Wrong> {
    let mut quoted = false;
    let equals = text.find(|c| {
        quoted ^= c == '"';
        c == '=' && !quoted
    });
    let Some(equals) = equals else {
        return Err(Wrong::new(
            format!("no value in {text:.80?}"),
            "write PATH=VALUE, such as service.playback.headroom=0.6",
        ));
    };
    Ok((text[..equals].trim(), text[equals + 1..].trim()))
}

/// Reads a path.
pub fn parse_path(text: &str) -> Result<Vec<Step>, Wrong> {
    let wrong = |what: &str| {
        Wrong::new(
            format!("{what} in the path {text:.80?}"),
            "write keys joined by dots, such as service.playback.headroom, service.*.dark or \
             fault[0].at; a name that holds a dot is quoted",
        )
    };
    let mut steps = Vec::new();
    let mut rest = text.trim();
    loop {
        if let Some(after) = rest.strip_prefix('"') {
            let end = after.find('"').ok_or_else(|| wrong("an open quote"))?;
            steps.push(Step::Key(after[..end].to_string()));
            rest = &after[end + 1..];
        } else {
            let end = rest.find(['.', '[', '"']).unwrap_or(rest.len());
            match rest[..end].trim() {
                "" => return Err(wrong("an empty key")),
                "*" => steps.push(Step::All),
                key => steps.push(Step::Key(key.to_string())),
            }
            rest = &rest[end..];
        }
        while let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']').ok_or_else(|| wrong("an open bracket"))?;
            let index = after[..end].trim().parse();
            steps.push(Step::Index(index.map_err(|_| wrong("a bad index"))?));
            rest = &after[end + 1..];
        }
        if rest.is_empty() {
            return match steps.len() {
                0..=16 => Ok(steps),
                _ => Err(wrong("too many keys")),
            };
        }
        rest = rest
            .strip_prefix('.')
            .ok_or_else(|| wrong("a missing dot"))?;
    }
}

/// A path extended by a key or name, quoted where it must be.
pub fn join(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && !key.contains(['.', '[', ']', '"', '=', ' ']) && key != "*";
    let key = if plain {
        key.to_string()
    } else {
        format!("\"{key}\"")
    };
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Step::{All, Index, Key};

    #[test]
    fn paths_have_keys_names_indices_and_stars() {
        let key = |text: &str| Key(text.to_string());
        assert_eq!(
            parse_assignment("service.*.dark=0"),
            Ok((vec![key("service"), All, key("dark")], "0"))
        );
        assert_eq!(
            parse_assignment("fault[0].at = \"5min\""),
            Ok((vec![key("fault"), Index(0), key("at")], "\"5min\""))
        );
        assert_eq!(
            parse_assignment("service.\"a.b=c\".slots=3"),
            Ok((vec![key("service"), key("a.b=c"), key("slots")], "3"))
        );
        for bad in [
            "x", "=3", "a..b=3", "a[x]=3", "a[0=3", "\"a=3", ".a=1", "a.=1",
        ] {
            assert!(parse_assignment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn joined_paths_read_back() {
        for key in ["us-east-1", "a.b", "two words", "*", "x[0]"] {
            let path = join("service", key);
            assert_eq!(
                parse_path(&path),
                Ok(vec![Key("service".into()), Key(key.into())]),
                "{path}"
            );
        }
    }
}
