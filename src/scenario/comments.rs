//! What TOML parsers skip: the comments that tell a value's origin, and keys with absurdly many dots.

use crate::model::scenario::Origin;
use crate::scenario::tree::Note;

/// Dots in one key at most; deeper tables than any file needs would exhaust the stack.
const DOTS: usize = 8;

/// A layer's text, line by line.
pub struct Comments {
    /// Byte offset of each line's beginning.
    starts: Vec<usize>,
    /// Note that holds for the values of each line.
    notes: Vec<Option<Note>>,
    /// Offset of a key with too many dots.
    pub too_deep: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    /// In a string: its quote, and whether it is a triple one.
    Quoted(u8, bool),
    Comment,
}

/// A line as seen from outside of strings.
#[derive(Clone, Default)]
struct Line {
    /// Offset of the comment, if there is one.
    comment: Option<usize>,
    /// Whether there is anything but the comment.
    code: bool,
}

impl Comments {
    /// Scans a text.
    pub fn scan(text: &str) -> Comments {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        let mut lines = vec![Line::default()];
        let mut state = State::Code;
        let (mut dots, mut too_deep) = (0, None);
        let mut i = 0;
        while i < bytes.len() {
            let byte = bytes[i];
            if byte == b'\n' {
                starts.push(i + 1);
                lines.push(Line {
                    comment: None,
                    code: matches!(state, State::Quoted(_, true)),
                });
                if !matches!(state, State::Quoted(_, true)) {
                    state = State::Code;
                }
                dots = 0;
                i += 1;
                continue;
            }
            let line = lines.last_mut().expect("a text has a first line");
            match state {
                State::Comment => {}
                State::Code => match byte {
                    b'#' => {
                        line.comment = Some(i);
                        state = State::Comment;
                    }
                    b'"' | b'\'' => {
                        line.code = true;
                        let triple = bytes[i..].starts_with(&[byte; 3]);
                        state = State::Quoted(byte, triple);
                        i += if triple { 2 } else { 0 };
                    }
                    b'.' => {
                        dots += 1;
                        if dots > DOTS && too_deep.is_none() {
                            too_deep = Some(i);
                        }
                    }
                    b'=' | b',' | b'[' | b']' | b'{' | b'}' => {
                        dots = 0;
                        line.code = true;
                    }
                    _ => line.code |= !byte.is_ascii_whitespace(),
                },
                State::Quoted(quote, triple) => {
                    if byte == b'\\' && quote == b'"' && bytes.get(i + 1) != Some(&b'\n') {
                        i += 1;
                    } else if byte == quote && (!triple || bytes[i..].starts_with(&[quote; 3])) {
                        i += if triple { 2 } else { 0 };
                        state = State::Code;
                    }
                }
            }
            i += 1;
        }
        let notes = notes(text, &lines);
        Comments {
            starts,
            notes,
            too_deep,
        }
    }

    /// The note that holds for a value at an offset.
    pub fn note(&self, offset: usize) -> Option<Note> {
        let line = self.starts.partition_point(|&start| start <= offset);
        self.notes.get(line.saturating_sub(1)).cloned().flatten()
    }
}

/// Per line: the note in its own comment, or else in the lines directly above that are nothing but
/// comment.
fn notes(text: &str, lines: &[Line]) -> Vec<Option<Note>> {
    let mut above: Option<Note> = None;
    let mut notes = Vec::with_capacity(lines.len());
    for line in lines {
        let words = line.comment.map(|at| {
            let rest = &text[at + 1..];
            rest.lines().next().unwrap_or_default().trim()
        });
        let own = words.and_then(tagged);
        if line.code {
            notes.push(own.or(above.take()));
        } else {
            match (own, words, &mut above) {
                (Some(note), _, _) => above = Some(note),
                (None, Some(more), Some(note)) => {
                    note.words.push(' ');
                    note.words.push_str(more);
                }
                (None, Some(_), None) => {}
                (None, None, _) => above = None,
            }
            notes.push(None);
        }
    }
    notes
}

fn tagged(words: &str) -> Option<Note> {
    let (tag, rest) = words.split_once(':')?;
    let origin = match tag.trim() {
        "source" => Origin::Sourced,
        "guess" => Origin::Guess,
        "fitted" => Origin::Fitted,
        _ => return None,
    };
    Some(Note {
        origin,
        words: rest.trim().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note_of(text: &str, value: &str) -> Option<(Origin, String)> {
        let offset = text.find(value).expect("the value is in the text");
        let note = Comments::scan(text).note(offset)?;
        Some((note.origin, note.words))
    }

    #[test]
    fn a_note_stands_on_the_line_or_above_it() {
        let text =
            "a = '#x' # source: there\n# guess: so\n# it seems\nb = 22\n\n# fitted: y\n\nc = 33";
        assert_eq!(
            note_of(text, "'#x'"),
            Some((Origin::Sourced, "there".into()))
        );
        assert_eq!(
            note_of(text, "22"),
            Some((Origin::Guess, "so it seems".into()))
        );
        assert_eq!(note_of(text, "33"), None);
    }

    #[test]
    fn many_dots_are_found_in_keys_only() {
        assert!(
            Comments::scan(&format!("{} = 1", ["a"; 50].join(".")))
                .too_deep
                .is_some()
        );
        let numbers = vec!["1.5"; 50].join(", ");
        assert_eq!(
            Comments::scan(&format!("x = [{numbers}] # ..........\ny = '...........'")).too_deep,
            None
        );
    }
}
