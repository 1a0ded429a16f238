//! Numbers as people read them: with units, and no more digits than mean something.

use crate::model::observation::Unit;

/// How a value is written: times this factor, with so many decimals, followed by a unit.
struct Scale {
    factor: f64,
    decimals: usize,
    unit: &'static str,
}

/// The scale that suits a value.
fn scale(unit: Unit, value: f64) -> Scale {
    let (factor, name) = match unit {
        Unit::Share => (100.0, " %"),
        Unit::Seconds => duration(value),
        Unit::Minutes => {
            let (factor, name) = duration(60.0 * value);
            (60.0 * factor, name)
        }
        Unit::Count => match value.abs() {
            v if v >= 1e9 => (1e-9, " billion"),
            v if v >= 1e6 => (1e-6, " million"),
            v if v >= 1e4 => (1e-3, " thousand"),
            _ => (1.0, ""),
        },
        Unit::Usd => (1.0, " USD"),
        Unit::UsdPerHour => (1.0, " USD/h"),
    };
    let scaled = (factor * value).abs();
    let decimals = match unit {
        // As exact as its distance from the nearer of 0 and 1 deserves.
        Unit::Share => match scaled.min((100.0 - scaled).abs()) {
            distance if distance >= 1.0 => 1,
            distance if distance >= 0.1 => 2,
            distance if distance >= 0.01 => 3,
            _ => 4,
        },
        _ => decimals(scaled, 3),
    };
    Scale {
        factor,
        decimals,
        unit: name,
    }
}

fn duration(secs: f64) -> (f64, &'static str) {
    match secs.abs() {
        0.0 => (1.0, " s"),
        s if s < 1e-3 => (1e6, " us"),
        s if s < 1.0 => (1e3, " ms"),
        s if s < 120.0 => (1.0, " s"),
        s if s < 7_200.0 => (1.0 / 60.0, " min"),
        s if s < 172_800.0 => (1.0 / 3_600.0, " h"),
        _ => (1.0 / 86_400.0, " d"),
    }
}

/// Decimals that show so many significant digits.
fn decimals(value: f64, digits: i32) -> usize {
    if value == 0.0 {
        return 0;
    }
    (digits - 1 - libm::floor(libm::log10(value.abs())) as i32).clamp(0, 6) as usize
}

/// A number with at most so many decimals, and commas between thousands.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    let whole = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    if value < 0.0 && text != "0" {
        grouped.push('-');
    }
    for (i, c) in text.char_indices() {
        if i > 0 && i < whole && (whole - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped
}

/// A value in its unit: `98.5 %`, `2.5 min`, `281 thousand`.
pub fn value(unit: Unit, value: f64) -> String {
    if !value.is_finite() {
        return "never".to_string();
    }
    let scale = scale(unit, value);
    let text = number(scale.factor * value, scale.decimals);
    let text = match (unit, &*text) {
        // What is nearly nothing or nearly all is neither.
        (Unit::Share, "0") if value > 0.0 => "< 0.0001",
        (Unit::Share, "100") if value < 1.0 => "> 99.9999",
        (_, text) => text,
    };
    format!("{text}{}", scale.unit)
}

/// A share as a percentage: `98.5 %`, `99.97 %`, `0.02 %`.
pub fn percent(share: f64) -> String {
    value(Unit::Share, share)
}

/// A number of things: `12`, `4,210`, `2.35 million`.
pub fn count(number: f64) -> String {
    value(Unit::Count, number)
}

/// A whole number to the last digit: `1,000`.
pub fn whole(value: u64) -> String {
    number(value as f64, 0)
}

/// A mean with half of its interval, unless that is too small to be seen beside it: `150 ms ±2`.
pub fn mean(unit: Unit, mean: f64, half: Option<f64>) -> String {
    let text = value(unit, mean);
    let scale = scale(unit, mean);
    // Half of the mean's last digit.
    let visible = 0.5 * libm::exp10(-(scale.decimals as f64));
    match half.map(|half| half * scale.factor) {
        Some(half) if half.is_finite() && half >= visible => {
            format!("{text} ±{}", number(half, decimals(half, 1)))
        }
        _ => text,
    }
}

/// The interval of a value, in that value's unit: `[145, 151]`. An end that the data do not reach
/// is `?`; nothing at all where they reach neither.
pub fn interval(unit: Unit, around: f64, ends: [Option<f64>; 2]) -> String {
    if ends == [None, None] {
        return String::new();
    }
    let scale = scale(unit, around);
    let [lo, hi] = ends.map(|end| match (unit, end) {
        (_, None) => "?".to_string(),
        // Each end is as far from 0 or 1 as it is.
        (Unit::Share, Some(end)) => percent(end).trim_end_matches(" %").to_string(),
        (_, Some(end)) => number(scale.factor * end, scale.decimals),
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
    fn counts_are_grouped_and_large_ones_rounded() {
        let cases = [
            (0.0, "0"),
            (12.34, "12.3"),
            (1_234.6, "1,235"),
            (-4_210.0, "-4,210"),
            (280_813.0, "281 thousand"),
            (2_345_678.0, "2.35 million"),
            (f64::INFINITY, "never"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
        assert_eq!(whole(1_234_567), "1,234,567");
    }

    #[test]
    fn an_interval_is_in_the_unit_of_its_value() {
        let ends = |lo, hi| [Some(lo), Some(hi)];
        let seconds = Unit::Seconds;
        assert_eq!(value(seconds, 150.0), "2.5 min");
        assert_eq!(interval(seconds, 150.0, ends(145.0, 151.0)), "[2.42, 2.52]");
        assert_eq!(interval(seconds, 117.0, ends(112.0, 122.4)), "[112, 122]");
        assert_eq!(interval(seconds, 30.0, [Some(29.0), None]), "[29, ?]");
        assert_eq!(
            interval(Unit::Share, 1.0, ends(0.91190, 1.0)),
            "[91.2, 100]"
        );
        assert_eq!(
            interval(Unit::Count, 281e3, ends(269_221.0, 306_867.0)),
            "[269, 307]"
        );
    }

    #[test]
    fn half_an_interval_is_shown_where_it_can_be_seen() {
        assert_eq!(mean(Unit::Seconds, 0.1503, Some(0.0021)), "150 ms ±2");
        assert_eq!(mean(Unit::Seconds, 0.1503, Some(0.0001)), "150 ms");
        assert_eq!(mean(Unit::Share, 0.968, Some(0.0007)), "96.8 % ±0.07");
        assert_eq!(mean(Unit::Share, 0.968, Some(0.0001)), "96.8 %");
        assert_eq!(mean(Unit::Minutes, 2.5, None), "2.5 min");
    }
}
