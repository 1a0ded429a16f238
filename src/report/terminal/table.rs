//! Tables and colours.

use crate::stats::Verdict;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table,
    TableStyle, Width,
};

/// Widest line.
pub const COLUMNS: usize = 100;
/// Widest column that is kept whole.
const WHOLE: u16 = 44;
/// Space left of a table.
const INDENT: &str = "  ";

/// A line below the header, and none else.
const RULED: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// How text is dressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether colours and bold letters may be used.
    pub colour: bool,
    /// Whether it is Markdown, to be pasted.
    pub markdown: bool,
}

impl Style {
    /// A title of a level, 1 the highest.
    pub fn title(self, level: usize, text: &str) -> String {
        match self.markdown {
            true => format!("{} {text}", "#".repeat(level)),
            false => self.bold(text),
        }
    }

    /// Bold text.
    pub fn bold(self, text: &str) -> String {
        self.dressed(text, "1")
    }

    /// A verdict in its colour.
    pub fn verdict(self, verdict: Verdict) -> String {
        let code = match verdict {
            Verdict::Pass => "32",
            Verdict::Fail => "31",
            Verdict::Inconclusive => "33",
        };
        self.dressed(word(verdict), code)
    }

    fn dressed(self, text: &str, code: &str) -> String {
        match self.colour {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_string(),
        }
    }
}

/// A verdict as a word.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// A cell with a verdict.
pub fn verdict(verdict: Verdict) -> Cell {
    let colour = match verdict {
        Verdict::Pass => Color::Green,
        Verdict::Fail => Color::Red,
        Verdict::Inconclusive => Color::Yellow,
    };
    Cell::new(word(verdict)).fg(colour)
}

/// A cell that says whether something is as it should be.
pub fn good(is: bool, text: &str) -> Cell {
    Cell::new(text).fg(if is { Color::Green } else { Color::Red })
}

/// A cell that is read first.
pub fn bold(text: impl ToString) -> Cell {
    Cell::new(text).add_attribute(Attribute::Bold)
}

/// A table: text to the left, the columns `numbers` to the right. The columns `whole` are not
/// broken into lines unless they are very wide.
pub fn rendered(
    header: &[&str],
    numbers: std::ops::Range<usize>,
    whole: std::ops::Range<usize>,
    rows: Vec<Vec<Cell>>,
    style: Style,
) -> String {
    if style.markdown {
        return piped(header, &numbers, &rows);
    }
    let longest: Vec<u16> = (0..header.len())
        .map(|i| {
            let cells = rows.iter().filter_map(|row| row.get(i)).map(Cell::content);
            let texts = std::iter::once(header[i].to_string()).chain(cells);
            texts.map(|text| longest_word(&text)).max().unwrap_or(0)
        })
        .collect();
    let mut table = Table::new();
    table
        .load_style(RULED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width((COLUMNS - INDENT.len()) as u16)
        .set_header(header.iter().map(Cell::new))
        .add_rows(rows);
    if style.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let widths = table.column_max_content_widths();
    for (i, column) in table.column_iter_mut().enumerate() {
        // Columns are a space apart, and the first begins where the text around it does.
        column.set_padding((0, 2));
        if numbers.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if whole.contains(&i) && widths[i] <= WHOLE {
            column.set_constraint(ColumnConstraint::ContentWidth);
        } else {
            // Lines break between words.
            let longest = longest[i].min(WHOLE) + 2;
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(longest)));
        }
    }
    let text = table.to_string();
    text.lines()
        .map(|line| format!("{INDENT}{}\n", line.trim_end()))
        .collect()
}

/// Columns of the longest word of a text.
fn longest_word(text: &str) -> u16 {
    let words = text.split_whitespace().map(|word| word.chars().count());
    words.max().unwrap_or(0).min(usize::from(u16::MAX)) as u16
}

/// A table in Markdown.
fn piped(header: &[&str], numbers: &std::ops::Range<usize>, rows: &[Vec<Cell>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let plain = |text: String| {
        let text = text.replace('|', "\\|");
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.join("<br>")
    };
    let mut text = line(header.iter().map(|name| plain(name.to_string())).collect());
    let rule = (0..header.len()).map(|i| match numbers.contains(&i) {
        true => "---:".to_string(),
        false => "---".to_string(),
    });
    text += &line(rule.collect());
    for row in rows {
        text += &line(row.iter().map(|cell| plain(cell.content())).collect());
    }
    text
}
