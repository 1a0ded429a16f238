//! Numbers with units as text: `90s`, `2.5min`, `4200/s`, `25 %`.

/// Longest duration that a file may hold: a hundred years, in seconds.
pub const LONGEST_SECS: f64 = 100.0 * 365.25 * 86_400.0;

/// What a number measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A pure number.
    Number,
    /// A duration, in seconds.
    Seconds,
    /// A rate, per second.
    PerSecond,
    /// A share, as a fraction.
    Share,
    /// An amount of money, in US dollars.
    Usd,
    /// Money per time, in US dollars per hour.
    UsdPerHour,
    /// Money per data, in US dollars per gigabyte.
    UsdPerGb,
    /// Money per data and time, in US dollars per gigabyte and month.
    UsdPerGbMonth,
    /// An amount of data, in bytes.
    Bytes,
    /// Data per time, in bytes per second.
    Bandwidth,
}

/// What is wrong with a value, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
    /// Whether a file that it names could not be read, and nothing else is wrong.
    pub unreadable: bool,
}

impl Wrong {
    /// Builds one.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Wrong {
        Wrong {
            message: message.into(),
            hint: hint.into(),
            unreadable: false,
        }
    }

    /// A file that could not be read.
    pub fn unreadable(message: impl Into<String>, hint: impl Into<String>) -> Wrong {
        Wrong {
            unreadable: true,
            ..Wrong::new(message, hint)
        }
    }
}

impl Unit {
    /// An example, for hints.
    pub fn example(self) -> &'static str {
        match self {
            Unit::Number => "write a number such as 1.5",
            Unit::Seconds => {
                "write a duration with its unit, such as \"90s\", \"2.5min\" or \"800ms\""
            }
            Unit::PerSecond => {
                "write a rate such as \"4200/s\" or \"10/min\"; a plain number is per second"
            }
            Unit::Share => "write a share such as 0.25 or \"25 %\"",
            Unit::Usd => "write an amount such as \"0.5 USD\"",
            Unit::UsdPerHour => "write a price such as \"0.17 USD/h\"",
            Unit::UsdPerGb => "write a price such as \"0.02 USD/GB\"",
            Unit::UsdPerGbMonth => "write a price such as \"0.08 USD/GB/month\"",
            Unit::Bytes => "write an amount of data such as \"20 kB\" or \"1.5 MB\"",
            Unit::Bandwidth => "write a bandwidth such as \"10 Gbit/s\" or \"1250 MB/s\"",
        }
    }

    /// What it is called.
    pub fn noun(self) -> &'static str {
        match self {
            Unit::Number => "a number",
            Unit::Seconds => "a duration",
            Unit::PerSecond => "a rate",
            Unit::Share => "a share",
            Unit::Usd => "an amount of money",
            Unit::UsdPerHour | Unit::UsdPerGb | Unit::UsdPerGbMonth => "a price",
            Unit::Bytes => "an amount of data",
            Unit::Bandwidth => "a bandwidth",
        }
    }

    /// Reads a text.
    pub fn parse(self, text: &str) -> Result<f64, Wrong> {
        let text = text.trim();
        let value = match self {
            Unit::Number => text.parse().ok(),
            Unit::Seconds => return seconds(text),
            Unit::PerSecond => per_second(text),
            Unit::Share => share(text),
            Unit::Usd | Unit::UsdPerHour | Unit::UsdPerGb | Unit::UsdPerGbMonth => {
                return money(self, text);
            }
            Unit::Bytes | Unit::Bandwidth => return data(self, text),
        };
        value.ok_or_else(|| self.wrong(text))
    }

    /// What a bare number means.
    pub fn bare(self, number: f64) -> Result<f64, Wrong> {
        if self.currency().is_some() && number != 0.0 {
            return Err(Wrong::new(
                format!("an amount of money without a unit: {number}"),
                self.example(),
            ));
        }
        if matches!(self, Unit::Bytes | Unit::Bandwidth) && number != 0.0 && number.is_finite() {
            return Err(Wrong::new(
                format!("{} without a unit: {number}", self.noun()),
                self.example(),
            ));
        }
        if self == Unit::Seconds && number != 0.0 && number.is_finite() {
            return Err(Wrong::new(
                format!("a duration without a unit: {number}"),
                format!("write \"{number}s\", \"{number}min\" or \"{number}ms\""),
            ));
        }
        Ok(number)
    }

    /// A value in a form that reads back as the same.
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Seconds if value.is_finite() => format!("{value}s"),
            Unit::PerSecond => format!("{value}/s"),
            Unit::Bytes => format!("{value} B"),
            Unit::Bandwidth => format!("{value} B/s"),
            _ if let Some(unit) = self.currency() => format!("{value} {unit}"),
            _ => format!("{value}"),
        }
    }

    /// The unit of an amount of money.
    fn currency(self) -> Option<&'static str> {
        match self {
            Unit::Usd => Some("USD"),
            Unit::UsdPerHour => Some("USD/h"),
            Unit::UsdPerGb => Some("USD/GB"),
            Unit::UsdPerGbMonth => Some("USD/GB/month"),
            Unit::Number
            | Unit::Seconds
            | Unit::PerSecond
            | Unit::Share
            | Unit::Bytes
            | Unit::Bandwidth => None,
        }
    }

    fn wrong(self, text: &str) -> Wrong {
        let shown: String = text.chars().take(60).collect();
        Wrong::new(
            format!("expected {}, found {shown:?}", self.noun()),
            self.example(),
        )
    }
}

/// Seconds in a unit, as `(multiply by, divide by)`, so that decimal figures stay exact.
fn factor(unit: &str) -> Option<(f64, f64)> {
    Some(match unit {
        "ns" => (1.0, 1e9),
        "us" | "µs" | "μs" => (1.0, 1e6),
        "ms" => (1.0, 1e3),
        "s" => (1.0, 1.0),
        "min" => (60.0, 1.0),
        "h" => (3600.0, 1.0),
        "d" => (86_400.0, 1.0),
        _ => return None,
    })
}

fn seconds(text: &str) -> Result<f64, Wrong> {
    if let Ok(number) = text.parse::<f64>() {
        return Unit::Seconds.bare(number);
    }
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits]
            .parse()
            .map_err(|_| Unit::Seconds.wrong(text))?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(rest.len());
        let unit = &rest[..letters];
        let (times, over) = factor(unit).ok_or_else(|| {
            let hint = match unit {
                "m" => "minutes are \"min\", months are no unit".into(),
                "" => format!("write \"{text}s\" or \"{text}min\""),
                _ => "units are ns, us, ms, s, min, h and d".into(),
            };
            Wrong::new(format!("not a duration: {text:.60?}"), hint)
        })?;
        total += number * times / over;
        rest = rest[letters..].trim_start();
    }
    if text.is_empty() || text == "-" {
        return Err(Unit::Seconds.wrong(text));
    }
    Ok(sign * total)
}

fn per_second(text: &str) -> Option<f64> {
    match text.split_once('/') {
        None => text.parse().ok(),
        Some((number, unit)) => {
            let (times, over) = factor(unit.trim())?;
            Some(number.trim().parse::<f64>().ok()? * over / times)
        }
    }
}

fn share(text: &str) -> Option<f64> {
    match text.strip_suffix('%') {
        None => text.parse().ok(),
        Some(percent) => Some(percent.trim().parse::<f64>().ok()? / 100.0),
    }
}

/// Hours in a month, as clouds bill it.
const MONTH_HOURS: f64 = 730.0;

fn money(unit: Unit, text: &str) -> Result<f64, Wrong> {
    if let Ok(number) = text.parse::<f64>() {
        return unit.bare(number);
    }
    let (number, per) = text.split_once("USD").ok_or_else(|| unit.wrong(text))?;
    let number: f64 = number.trim().parse().map_err(|_| unit.wrong(text))?;
    let per: String = per.split_whitespace().collect();
    let factor = match (unit, per.as_str()) {
        (Unit::Usd, "") | (Unit::UsdPerHour, "/h") | (Unit::UsdPerGb, "/GB") => 1.0,
        (Unit::UsdPerHour, "/d") => 1.0 / 24.0,
        (Unit::UsdPerHour, "/month") => 1.0 / MONTH_HOURS,
        (Unit::UsdPerGb, "/TB") => 1e-3,
        (Unit::UsdPerGbMonth, "/GB/month" | "/GB-month") => 1.0,
        (Unit::UsdPerGbMonth, "/TB/month" | "/TB-month") => 1e-3,
        _ => return Err(unit.wrong(text)),
    };
    Ok(number * factor)
}

/// Bytes, or bytes per second: decimal multiples of bytes or bits.
fn data(unit: Unit, text: &str) -> Result<f64, Wrong> {
    if let Ok(number) = text.parse::<f64>() {
        return unit.bare(number);
    }
    let amount = match unit {
        Unit::Bandwidth => text.strip_suffix("/s").ok_or_else(|| unit.wrong(text))?,
        _ => text,
    };
    let letters = amount
        .find(|c: char| c.is_alphabetic() && c != 'e')
        .ok_or_else(|| unit.wrong(text))?;
    let (number, size) = amount.split_at(letters);
    let number: f64 = number.trim().parse().map_err(|_| unit.wrong(text))?;
    let (prefix, over) = match (size.strip_suffix("bit"), size.strip_suffix('B')) {
        (Some(prefix), _) => (prefix, 8.0),
        (_, Some(prefix)) => (prefix, 1.0),
        _ => return Err(unit.wrong(text)),
    };
    let times = match prefix {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        _ => return Err(unit.wrong(text)),
    };
    Ok(number * times / over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNITS: [Unit; 10] = [
        Unit::Number,
        Unit::Seconds,
        Unit::PerSecond,
        Unit::Share,
        Unit::Usd,
        Unit::UsdPerHour,
        Unit::UsdPerGb,
        Unit::UsdPerGbMonth,
        Unit::Bytes,
        Unit::Bandwidth,
    ];

    #[test]
    fn data_come_in_decimal_bytes_or_bits() {
        for (unit, text, expected) in [
            (Unit::Bytes, "20 kB", 20e3),
            (Unit::Bytes, "1.5MB", 1.5e6),
            (Unit::Bytes, "800 bit", 100.0),
            (Unit::Bytes, "0", 0.0),
            (Unit::Bandwidth, "10 Gbit/s", 1.25e9),
            (Unit::Bandwidth, "1250 MB/s", 1.25e9),
        ] {
            assert_eq!(unit.parse(text), Ok(expected), "{text}");
        }
        for (unit, text) in [
            (Unit::Bytes, "20"),
            (Unit::Bytes, "20 KB"),
            (Unit::Bytes, "20 kB/s"),
            (Unit::Bandwidth, "10 Gbit"),
            (Unit::Bandwidth, "10 Gb/s"),
            (Unit::Bandwidth, "GB/s"),
            (Unit::Bandwidth, "fast"),
        ] {
            let wrong = unit.parse(text);
            assert!(
                wrong.is_err_and(|w| w.hint.contains("kB") || w.hint.contains("MB")),
                "{text}"
            );
        }
    }

    #[test]
    fn money_has_a_unit() {
        for (unit, text, expected) in [
            (Unit::Usd, "2.5 USD", 2.5),
            (Unit::UsdPerHour, "0.17 USD/h", 0.17),
            (Unit::UsdPerHour, "24USD / d", 1.0),
            (Unit::UsdPerHour, "730 USD/month", 1.0),
            (Unit::UsdPerGb, "20 USD/TB", 0.02),
            (Unit::UsdPerGbMonth, "0.08 USD/GB-month", 0.08),
            (Unit::UsdPerGbMonth, "0", 0.0),
        ] {
            assert_eq!(unit.parse(text), Ok(expected), "{text}");
        }
        for (unit, text) in [
            (Unit::UsdPerHour, "0.17"),
            (Unit::UsdPerHour, "0.17 USD"),
            (Unit::UsdPerHour, "0.17 EUR/h"),
            (Unit::UsdPerGb, "USD/GB"),
            (Unit::Usd, "2 USD/h"),
        ] {
            let wrong = unit.parse(text);
            assert!(wrong.is_err_and(|w| w.hint.contains("USD")), "{text}");
        }
    }

    #[test]
    fn units_mean_what_they_say() {
        for (text, expected) in [
            ("90s", 90.0),
            ("2.5min", 150.0),
            ("800ms", 0.8),
            ("3h", 10_800.0),
            ("1d", 86_400.0),
            ("20us", 20e-6),
            ("20min20s", 1220.0),
            ("-5h", -18_000.0),
            ("1 h 30 min", 5400.0),
            ("0", 0.0),
        ] {
            assert_eq!(Unit::Seconds.parse(text), Ok(expected), "{text}");
        }
        assert_eq!(Unit::PerSecond.parse("4200/s"), Ok(4200.0));
        assert_eq!(Unit::PerSecond.parse("30/min"), Ok(0.5));
        assert_eq!(Unit::Share.parse("25 %"), Ok(0.25));
        assert_eq!(Unit::Share.parse("0.25"), Ok(0.25));
    }

    #[test]
    fn a_missing_or_wrong_unit_is_a_mistake() {
        for text in ["90", "5m", "5 parsecs", "", "-", "s", "1.2.3s", "5min6"] {
            let wrong = Unit::Seconds.parse(text);
            assert!(wrong.is_err_and(|w| !w.hint.is_empty()), "{text}");
        }
        assert!(Unit::Share.parse("a lot").is_err());
        assert!(Unit::PerSecond.parse("5/fortnight").is_err());
    }

    proptest! {
        #[test]
        fn shown_values_read_back(value in 0.0..1e12f64) {
            for unit in UNITS {
                prop_assert_eq!(unit.parse(&unit.show(value)), Ok(value));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            for unit in UNITS {
                let _ = unit.parse(&text);
            }
        }
    }
}
