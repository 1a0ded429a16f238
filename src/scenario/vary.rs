//! `--vary`: values of one input, each of which makes a variant.

use crate::model::variant::VariedValue;
use crate::problem::{Place, Problem, Problems};
use crate::scenario::layer::parse_value;
use crate::scenario::path::{parse_path, split_assignment};
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::tree::{Node, Value};

/// Most values of one input.
const MOST_VALUES: usize = 300;

/// One input and the values that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Vary {
    /// Path of the input.
    pub path: String,
    /// Its values, at least two, no two the same.
    pub values: Vec<VariedValue>,
}

impl Vary {
    /// Reads `PATH=LO..HI/STEPS`, so many values from LO to HI, both included, or a list
    /// `PATH=A,B,C`. Values are TOML, or bare words.
    ///
    /// # Errors
    ///
    /// If there are no values, or they cannot be told apart.
    pub fn parse(text: &str) -> Result<Vary, Problems> {
        read(text).map_err(|wrong| {
            let place = Place {
                file: "--vary".to_string(),
                ..Place::default()
            };
            let problem = Problem {
                place,
                path: String::new(),
                message: wrong.message,
                hint: wrong.hint,
                unreadable: wrong.unreadable,
            };
            problem.into()
        })
    }
}

/// Every combination of the values of several inputs, the last one changing fastest; one without any
/// value where nothing is varied.
pub fn grid(varied: &[Vary]) -> Vec<Vec<VariedValue>> {
    varied.iter().fold(vec![Vec::new()], |points, vary| {
        let with = |point: &Vec<VariedValue>, value: &VariedValue| {
            let mut point = point.clone();
            point.push(value.clone());
            point
        };
        points
            .iter()
            .flat_map(|point| vary.values.iter().map(move |value| with(point, value)))
            .collect()
    })
}

fn read(text: &str) -> Result<Vary, Wrong> {
    let (path, values) = split_assignment(text).map_err(|wrong| Wrong {
        hint: HINT.to_string(),
        ..wrong
    })?;
    parse_path(path)?;
    let parts = split(values);
    let texts = match &parts[..] {
        [range] if dots(range).is_some() => range_of(range)?,
        parts if parts.iter().any(|part| dots(part).is_some()) => {
            return Err(Wrong::new(
                format!("a range within a list: {values:.80?}"),
                HINT,
            ));
        }
        parts => parts.iter().map(|part| part.trim().to_string()).collect(),
    };
    let mut found: Vec<VariedValue> = Vec::new();
    for text in texts {
        if text.is_empty() {
            return Err(Wrong::new(format!("an empty value in {values:.80?}"), HINT));
        }
        let node = parse_value(&text, 0).map_err(|mut wrongs| wrongs.remove(0).2)?;
        if found.iter().any(|known| known.text == text) {
            return Err(Wrong::new(
                format!("{text:.60} is there twice in {values:.80?}"),
                "give each value once",
            ));
        }
        found.push(VariedValue {
            path: path.to_string(),
            number: number(&node),
            text,
        });
    }
    match found.len() {
        0 | 1 => Err(Wrong::new(
            format!("only one value in {values:.80?}"),
            format!("{HINT}; for one value there is --set"),
        )),
        2..=MOST_VALUES => Ok(Vary {
            path: path.to_string(),
            values: found,
        }),
        many => Err(too_many(&many.to_string())),
    }
}

const HINT: &str = "write PATH=LO..HI/STEPS, such as service.*.headroom=0.2..0.8/7, or PATH=A,B,C";

fn too_many(many: &str) -> Wrong {
    Wrong::new(
        format!("{many} values are too many"),
        format!("at most {MOST_VALUES}"),
    )
}

/// Splits at the commas that stand in no quotes and no brackets.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, c) in outside(text) {
        if c == ',' {
            parts.push(&text[from..at]);
            from = at + 1;
        }
    }
    parts.push(&text[from..]);
    parts
}

/// Where the two dots of a range stand.
fn dots(text: &str) -> Option<usize> {
    let at = outside(text).map(|(at, _)| at);
    at.into_iter().find(|&at| text[at..].starts_with(".."))
}

/// The characters that stand in no quotes and no brackets, and where.
fn outside(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut depth, mut quote) = (0_u32, None);
    text.char_indices().filter(move |&(_, c)| {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => return depth == 0,
        }
        false
    })
}

/// The values of `LO..HI/STEPS`.
fn range_of(text: &str) -> Result<Vec<String>, Wrong> {
    let no_steps = || {
        Wrong::new(
            format!("no number of values in {text:.80?}"),
            "write LO..HI/STEPS: so many values, both ends included",
        )
    };
    let (ends, steps) = text.rsplit_once('/').ok_or_else(no_steps)?;
    let at = dots(ends).ok_or_else(no_steps)?;
    let (lo, hi) = (ends[..at].trim(), ends[at + 2..].trim());
    let steps: usize = match steps.trim() {
        digits if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().map_err(|_| too_many(digits))?
        }
        _ => return Err(no_steps()),
    };
    match steps {
        0 | 1 => {
            return Err(Wrong::new(
                format!("{steps} values in {text:.80?}"),
                "both ends are included: at least 2",
            ));
        }
        2..=MOST_VALUES => {}
        _ => return Err(too_many(&steps.to_string())),
    }
    let ends = between(lo, hi).ok_or_else(|| {
        Wrong::new(
            format!("{lo:.40} and {hi:.40} are not the ends of a range"),
            "write two numbers with the same kind of unit: 0.2..0.8/7, 10s..2min/5, 5%..20%/4",
        )
    })?;
    if ends.lo >= ends.hi {
        return Err(Wrong::new(
            format!("{lo:.40}..{hi:.40} has no values"),
            "the smaller end comes first",
        ));
    }
    let step = (ends.hi - ends.lo) / (steps - 1) as f64;
    // Enough decimals to be right to a thousandth of a step.
    let decimals = (3.0 - libm::floor(libm::log10(step))).clamp(0.0, 12.0) as usize;
    let value = |i: usize| {
        let value = match i {
            0 => ends.lo,
            i if i + 1 == steps => ends.hi,
            i => {
                let text = format!("{:.decimals$}", ends.lo + step * i as f64);
                text.parse().expect("a number that was just written")
            }
        };
        format!("{}{}", rounded(value), ends.unit)
    };
    Ok((0..steps).map(value).collect())
}

/// The ends of a range in one unit.
struct Ends {
    lo: f64,
    hi: f64,
    unit: String,
}

/// As they are written if both have the same unit, or else in the basic one.
fn between(lo: &str, hi: &str) -> Option<Ends> {
    let (lo, hi) = (bare(lo), bare(hi));
    let ((a, unit), (b, other)) = (amount(lo)?, amount(hi)?);
    if unit == other {
        let unit = unit.to_string();
        return Some(Ends { lo: a, hi: b, unit });
    }
    UNITS.iter().find_map(|unit| {
        let lo = unit.parse(lo).ok()?;
        let hi = unit.parse(hi).ok()?;
        let shown = unit.show(1.0);
        let unit = shown.trim_start_matches('1').to_string();
        Some(Ends { lo, hi, unit })
    })
}

/// Without the quotes around it.
fn bare(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// The finite number that a text begins with, and the rest: its unit.
fn amount(text: &str) -> Option<(f64, &str)> {
    let digits =
        text.find(|c: char| c.is_alphabetic() && c != 'e' || c == '/' || c == '%' || c == ' ');
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let number: f64 = number.replace('_', "").parse().ok()?;
    number.is_finite().then_some((number, unit))
}

/// With twelve digits: no traces of binary fractions.
fn rounded(value: f64) -> f64 {
    let text = format!("{value:.11e}");
    text.parse().expect("a number that was just written")
}

const UNITS: [Unit; 10] = [
    Unit::Number,
    Unit::Seconds,
    Unit::PerSecond,
    Unit::Share,
    Unit::Bytes,
    Unit::Bandwidth,
    Unit::Usd,
    Unit::UsdPerHour,
    Unit::UsdPerGb,
    Unit::UsdPerGbMonth,
];

/// A value as a number, where it is one.
fn number(node: &Node) -> Option<f64> {
    let number = match &node.value {
        Value::Integer(integer) => *integer as f64,
        Value::Float(float) => *float,
        Value::Text(text) => UNITS.iter().find_map(|unit| unit.parse(text).ok())?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<String> {
        let vary = Vary::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
        vary.values.into_iter().map(|value| value.text).collect()
    }

    fn numbers(text: &str) -> Vec<Option<f64>> {
        let vary = Vary::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
        vary.values.into_iter().map(|value| value.number).collect()
    }

    #[test]
    fn ranges_are_linear_and_include_both_ends() {
        for (text, expected) in [
            ("a.b=0.2..0.8/7", "0.2 0.3 0.4 0.5 0.6 0.7 0.8"),
            ("a = 10 .. 30 / 3", "10 20 30"),
            ("a=10s..2min/3", "10s 65s 120s"),
            ("a=1min..5min/3", "1min 3min 5min"),
            ("a=\"1min\"..\"2min\"/2", "1min 2min"),
            ("a=5%..20%/4", "5% 10% 15% 20%"),
            ("a=100/s..400/s/4", "100/s 200/s 300/s 400/s"),
            ("a=60/min..3/s/3", "1/s 2/s 3/s"),
            ("a=-1..1/3", "-1 0 1"),
            ("a=1e3..1_003/2", "1000 1003"),
            ("a=1kB..1MB/2", "1000 B|1000000 B"),
            ("a=10s..2min/4", "10s 46.67s 83.33s 120s"),
            ("a=0..1/4", "0 0.3333 0.6667 1"),
            ("a=1000000..2000000/4", "1000000 1333333 1666667 2000000"),
            ("a=1..1.000002/3", "1 1.000001 1.000002"),
        ] {
            let separator = if expected.contains('|') { "|" } else { " " };
            assert_eq!(texts(text).join(separator), expected, "{text}");
        }
        assert_eq!(numbers("a=1min..5min/3"), [60.0, 180.0, 300.0].map(Some));
        assert_eq!(numbers("a=5%..20%/2"), [0.05, 0.2].map(Some));
    }

    #[test]
    fn lists_hold_anything() {
        assert_eq!(texts("a=0.2, 0.3,1"), ["0.2", "0.3", "1"]);
        assert_eq!(numbers("policy.use=none,flow"), [None, None]);
        assert_eq!(
            texts("market.\"a=b\".near=[\"x\", \"y\"],['y', 'x']"),
            ["[\"x\", \"y\"]", "['y', 'x']"]
        );
        assert_eq!(texts("a=\"x,y\",z"), ["\"x,y\"", "z"]);
        let vary = Vary::parse("market.\"a=b\".rtt = 1ms,2ms").unwrap();
        assert_eq!(vary.path, "market.\"a=b\".rtt");
    }

    #[test]
    fn a_grid_has_every_combination() {
        let varied = [
            Vary::parse("a=1,2").unwrap(),
            Vary::parse("b=x,y,z").unwrap(),
        ];
        let points = grid(&varied);
        let names: Vec<String> = points
            .iter()
            .map(|point| point.iter().map(|value| value.text.as_str()).collect())
            .collect();
        assert_eq!(names, ["1x", "1y", "1z", "2x", "2y", "2z"]);
        assert_eq!(grid(&[]), [Vec::new()]);
    }

    #[test]
    fn what_cannot_be_varied_is_said_with_a_hint() {
        for text in [
            "",
            "a",
            "a=",
            "a=1",
            "a=1..2",
            "a=1..2/1",
            "a=1..2/x",
            "a=2..1/3",
            "a=1..1/3",
            "a=x..y/3",
            "a=1s..2/3",
            "a=1..2/301",
            "a=1..2/99999999999999999999999",
            "a=1,1",
            "a=1,,2",
            "a=1,{",
            "=1,2",
            "a..b=1,2",
            "a=inf..nan/3",
            "a=../3",
            "a=1..2/3,4",
        ] {
            let problems = Vary::parse(text).expect_err(text);
            assert!(!problems.0[0].message.is_empty(), "{text}");
            assert_eq!(problems.0[0].place.file, "--vary");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-c.=0-9/,s \"'{}\\[\\]µ%e-]{0,24}") {
            let _ = Vary::parse(&text);
        }
    }
}
