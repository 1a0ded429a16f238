//! Text and tables as Markdown that can be pasted.

/// Puts every line that is not part of a table into a paragraph of its own. An empty line ends a
/// table.
pub fn paragraphs(text: &str) -> String {
    let mut out = String::new();
    let mut in_table = false;
    for line in text.lines().map(str::trim) {
        let table = line.starts_with('|');
        if line.is_empty() {
            in_table = false;
            continue;
        }
        let goes_on = table && in_table;
        if !goes_on && !out.is_empty() {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        in_table = table;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stay_together_and_lines_do_not() {
        let text = "# Title\nsaid\n\n| a |\n| --- |\n| 1 |\n  note\n| b |\n\n| c |\n";
        let markdown = "# Title\n\nsaid\n\n| a |\n| --- |\n| 1 |\n\nnote\n\n| b |\n\n| c |\n";
        assert_eq!(paragraphs(text), markdown);
    }
}
