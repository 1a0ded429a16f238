//! Numbers as people read them: with units, and no more digits than mean something.

use crate::model::observation::Unit;
use crate::units::{human_secs, three_digits};

/// A value in its unit.
pub fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Share => percent(value),
        Unit::Seconds => human_secs(value),
        Unit::Count => count(value),
        Unit::Minutes => human_secs(60.0 * value),
    }
}

/// A share as a percentage. It is as exact as its distance from the nearer of 0 and 1 deserves:
/// `98.5 %`, `99.97 %`, `0.02 %`.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let distance = percent.abs().min((100.0 - percent).abs());
    let decimals: usize = match distance {
        d if d >= 1.0 => 1,
        d if d >= 0.1 => 2,
        d if d >= 0.01 => 3,
        _ => 4,
    };
    let text = format!("{percent:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "0" | "-0" if percent > 0.0 => "< 0.0001 %".to_string(),
        "0" | "-0" => "0 %".to_string(),
        "100" if percent < 100.0 => "> 99.9999 %".to_string(),
        text => format!("{text} %"),
    }
}

/// A number of things: `12`, `4,210`, `2.35 million`.
pub fn count(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() {
        human_secs(value)
    } else if magnitude >= 1e9 {
        format!("{} billion", three_digits(value / 1e9))
    } else if magnitude >= 1e6 {
        format!("{} million", three_digits(value / 1e6))
    } else if magnitude >= 100.0 {
        grouped(value)
    } else {
        three_digits(value)
    }
}

/// A whole number with commas between thousands.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

/// A whole number: `1,000`.
pub fn whole(value: u64) -> String {
    grouped(value as f64)
}

/// A mean with half of its interval: `150 ms ±0.4`; without one just the mean.
pub fn mean(unit: Unit, mean: f64, half: Option<f64>) -> String {
    let text = value(unit, mean);
    let Some(half) = half.filter(|half| half.is_finite()) else {
        return text;
    };
    let in_unit = |scale: f64| format!("{text} ±{}", one_digit(half * scale));
    match unit {
        Unit::Share => in_unit(100.0),
        Unit::Seconds => in_unit(per_second(&text)),
        Unit::Minutes => in_unit(60.0 * per_second(&text)),
        Unit::Count if mean.abs() < 1e6 => in_unit(1.0),
        Unit::Count => text,
    }
}

/// How many of the unit at the end of a duration make a second.
fn per_second(duration: &str) -> f64 {
    match duration.rsplit(' ').next() {
        Some("us") => 1e6,
        Some("ms") => 1e3,
        Some("min") => 1.0 / 60.0,
        Some("h") => 1.0 / 3600.0,
        Some("d") => 1.0 / 86_400.0,
        _ => 1.0,
    }
}

/// One significant digit, and all digits before the point.
fn one_digit(value: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let decimals = (-libm::floor(libm::log10(value.abs()))).clamp(0.0, 4.0) as usize;
    let text = format!("{value:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    text.to_string()
}

/// The interval of a quantile: `[145, 151]` where the ends have the unit of the value itself, else
/// with units. An end that the data do not reach is `?`.
pub fn interval(unit: Unit, around: f64, ends: [Option<f64>; 2]) -> String {
    let split = |text: String| match text.rsplit_once(' ') {
        Some((number, unit)) => (number.to_string(), unit.to_string()),
        None => (text, String::new()),
    };
    let (_, own) = split(value(unit, around));
    let ends = ends.map(|end| end.map(|end| split(value(unit, end))));
    let same = ends.iter().flatten().all(|(_, unit)| *unit == own);
    let [lo, hi] = ends.map(|end| match end {
        None => "?".to_string(),
        Some((number, _)) if same => number,
        Some((number, unit)) => format!("{number} {unit}"),
    });
    format!("[{lo}, {hi}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact_where_it_matters() {
        let cases = [
            (0.985, "98.5 %"),
            (0.99968, "99.968 %"),
            (0.0002, "0.02 %"),
            (0.00841, "0.84 %"),
            (0.333, "33.3 %"),
            (1.0, "100 %"),
            (0.0, "0 %"),
            (1e-9, "< 0.0001 %"),
            (1.0 - 1e-9, "> 99.9999 %"),
            (1.25, "125 %"),
        ];
        for (share, text) in cases {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn counts_are_grouped() {
        let cases = [
            (0.0, "0"),
            (12.34, "12.3"),
            (999.6, "1,000"),
            (12_345.0, "12,345"),
            (-4_210.0, "-4,210"),
            (2_345_678.0, "2.35 million"),
            (f64::INFINITY, "never"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn intervals_share_the_unit_of_their_value_where_they_can() {
        let ends = |lo, hi| [Some(lo), Some(hi)];
        let seconds = Unit::Seconds;
        assert_eq!(interval(seconds, 150.0, ends(145.0, 151.0)), "[2.42, 2.52]");
        assert_eq!(
            interval(seconds, 121.0, ends(110.0, 130.0)),
            "[110 s, 2.17 min]"
        );
        assert_eq!(interval(seconds, 30.0, [Some(29.0), None]), "[29, ?]");
        assert_eq!(mean(seconds, 0.1503, Some(0.00041)), "150 ms ±0.4");
        assert_eq!(mean(Unit::Share, 0.985, Some(0.000_12)), "98.5 % ±0.01");
        assert_eq!(mean(Unit::Minutes, 2.5, None), "2.5 min");
    }
}
