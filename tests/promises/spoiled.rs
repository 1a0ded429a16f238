//! Spoiled input: whatever is done to a valid text, it is read, or refused with a place. Nothing panics,
//! and what is accepted runs.

use crate::random::config;
use darkregion::problem::Problems;
use darkregion::scenario::{Document, Layer};
use darkregion::simulate::{Simulator, warnings};
use darkregion::testing::scenarios;
use proptest::prelude::*;

/// Most steps, windows and resolvers of an accepted text that is run: the limits of what is accepted are
/// far wider.
const MOST_STEPS: f64 = 2_000.0;
const MOST_RESOLVERS: usize = 10_000;

/// What is done to a text.
#[derive(Clone, Debug)]
enum Spoil {
    Delete,
    Double,
    Swap(usize),
    /// The value of a line.
    Value(String),
    /// A number within a line.
    Number(usize, String),
    /// A quoted text within a line.
    Text(usize, String),
    /// The key of a line.
    Key(String),
    /// Characters in the middle of a line.
    Insert(usize, String),
    Cut(usize),
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(
            &[
                "-1",
                "0",
                "nan",
                "-nan",
                "inf",
                "-inf",
                "1e308",
                "-1e308",
                "5e-324",
                "9223372036854775807",
                "-9223372036854775808",
                "0.1",
                "1e9",
                "\"\"",
                "\"-5s\"",
                "\"1e9s\"",
                "\"1e300d\"",
                "\"nan s\"",
                "\"0s\"",
                "\"5 %\"",
                "\"-1/s\"",
                "\"1e99/s\"",
                "true",
                "[]",
                "{}",
                "[[]]",
                "[\"\", \"\"]",
                "[nan]",
                "[0, 0, 0]",
                "[-1]",
                "1979-05-27T07:32:00Z",
                "'''x'''",
                "\"\\u0000\"",
                "{ uncertain = [1, 2] }",
                "{ uncertain = [2, 1] }",
                "{ uncertain = [nan, inf] }",
                "{ uniform = [\"5s\", \"1s\"] }",
                "{ exponential = \"0s\" }",
                "{ lognormal = {} }",
                "{ pareto = { min = '0s', alpha = 0, max = '1s' } }",
                "{ csv = \"../x\" }",
                "\"ash\"",
                "[\"ash\", \"ash\"]",
                "\"global\"",
            ][..]
        )
        .prop_map(str::to_string),
        (
            1usize..3000,
            prop::sample::select(&["[", "{a=", "[{a="][..])
        )
            .prop_map(|(n, open)| open.repeat(n)),
        "-?[0-9]{1,25}(\\.[0-9]{1,3})?",
        "\"[0-9]{1,12}(ms|s|min|h|d|%|/s|kB| Gbit/s)\"",
        "\\PC{0,20}",
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop::sample::select(
        &[
            "0",
            "-1",
            "1e30",
            "nan",
            "inf",
            "0.000001",
            "99999999999999999999",
            "3",
            "1e6",
            "0x10",
            "1_000",
            "-0.0",
        ][..],
    )
    .prop_map(str::to_string)
}

fn spoil() -> impl Strategy<Value = (usize, Spoil)> {
    let how = prop_oneof![
        Just(Spoil::Delete),
        Just(Spoil::Double),
        any::<usize>().prop_map(Spoil::Swap),
        value().prop_map(Spoil::Value),
        (any::<usize>(), number()).prop_map(|(i, with)| Spoil::Number(i, with)),
        (any::<usize>(), "[a-z]{0,9}|\\PC{0,3}").prop_map(|(i, with)| Spoil::Text(i, with)),
        "[a-z_.]{0,10}|\"\"|a.b.c.d".prop_map(Spoil::Key),
        (any::<usize>(), "\\PC{1,3}|[\\[\\]{}\"'=,#\n\r\t\u{0}]")
            .prop_map(|(at, with)| Spoil::Insert(at, with)),
        any::<usize>().prop_map(Spoil::Cut),
    ];
    (any::<usize>(), how)
}

/// Ranges of a line that are numbers, and those between quotes.
fn spans(line: &str, quoted: bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut begin = None;
    for (i, c) in line.char_indices().chain([(line.len(), '\n')]) {
        if quoted {
            if c == '"' {
                match begin.take() {
                    Some(from) => found.push((from, i)),
                    None => begin = Some(i + 1),
                }
            }
        } else if c.is_ascii_digit() || c == '.' && begin.is_some() {
            begin = begin.or(Some(i));
        } else if let Some(from) = begin.take() {
            found.push((from, i));
        }
    }
    found
}

fn apply(lines: &mut Vec<String>, at: usize, spoil: &Spoil) {
    if lines.is_empty() {
        return;
    }
    let at = at % lines.len();
    let line = lines[at].clone();
    let within = |i: usize| {
        let mut i = i % (line.len() + 1);
        while !line.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    let replace = |spans: Vec<(usize, usize)>, i: usize, with: &str| match spans.len() {
        0 => line.clone(),
        n => {
            let (from, to) = spans[i % n];
            format!("{}{with}{}", &line[..from], &line[to..])
        }
    };
    match spoil {
        Spoil::Delete => {
            lines.remove(at);
        }
        Spoil::Double => lines.insert(at, line),
        Spoil::Swap(other) => {
            let other = other % lines.len();
            lines.swap(at, other);
        }
        Spoil::Value(value) => {
            if let Some((key, _)) = line.split_once(" = ") {
                lines[at] = format!("{key} = {value}");
            }
        }
        Spoil::Number(i, with) => lines[at] = replace(spans(&line, false), *i, with),
        Spoil::Text(i, with) => lines[at] = replace(spans(&line, true), *i, with),
        Spoil::Key(key) => {
            if let Some((_, value)) = line.split_once(" = ") {
                lines[at] = format!("{key} = {value}");
            }
        }
        Spoil::Insert(i, with) => {
            let i = within(*i);
            lines[at] = format!("{}{with}{}", &line[..i], &line[i..]);
        }
        Spoil::Cut(i) => {
            let i = within(*i);
            lines[at] = line[..i].to_string();
        }
    }
}

fn spoiled(text: &str, spoils: &[(usize, Spoil)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    for (at, spoil) in spoils {
        apply(&mut lines, *at, spoil);
    }
    lines.join("\n")
}

fn load(text: &str) -> Result<Document, Problems> {
    Document::load(
        "spoiled",
        Layer::file("spoiled.toml", text, None),
        None,
        Vec::new(),
    )
}

/// Whether a run takes no longer than a test may.
fn cheap(document: &Document) -> bool {
    let scenario = document.scenario();
    let steps = scenario.horizon.secs() / scenario.step.secs();
    let windows = scenario.horizon.secs() / scenario.sample.secs();
    let resolvers = scenario.dns.resolvers * scenario.markets.len() * scenario.devices.len();
    steps <= MOST_STEPS && windows <= MOST_STEPS && resolvers <= MOST_RESOLVERS
}

proptest! {
    #![proptest_config(config(300, "proptest-regressions/random/spoiled.txt"))]

    #[test]
    fn a_spoiled_text_is_read_or_refused_with_a_place(
        text in scenarios(),
        spoils in prop::collection::vec(spoil(), 1..4),
    ) {
        let text = spoiled(&text, &spoils);
        match load(&text) {
            Err(Problems(problems)) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(!problem.message.is_empty());
                    prop_assert_eq!(&problem.place.file, "spoiled.toml", "{}", problem);
                    prop_assert!(problem.place.line >= 1 && problem.place.column >= 1, "{}", problem);
                    prop_assert!(problem.place.line <= text.lines().count() + 1, "{}", problem);
                }
            }
            Ok(document) if cheap(&document) => {
                let drawn = document.drawn(3, 0);
                let simulator = Simulator::new(&drawn);
                let _ = (warnings(&drawn), simulator.facts());
                let outcome = simulator.run(3, 0);
                prop_assert_eq!(outcome.windows.last().map(|w| w.until.0), Some(drawn.horizon.0));
                prop_assert!(load(&document.toml()).is_ok(), "{}", document.toml());
            }
            Ok(_) => {}
        }
    }
}

#[cfg(feature = "cli")]
#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let dir = crate::program::fresh();
    let path = dir.path().join("bytes.toml");
    std::fs::write(&path, b"format = 1\n# caf\xe9\n").expect("written");
    let (code, _, told) = crate::program::run(dir.path(), &["run", "bytes.toml", "-n", "1"]);
    assert_eq!(code, Some(2), "{told}");
    let expected = "bytes.toml: is not text: byte 16 is not UTF-8";
    assert!(told.contains(expected), "{told}");
}
