//! Reading `--precision`: `p95(rto)=5%`, `mean(cost)=0.5 USD/h`, `p(rto <= 3min)=1%`.

use crate::model::precision::{Precision, Statistic, Within};
use crate::scenario::expression::{claim, measure, unit};
use crate::scenario::quantity::Unit;

const FORM: &str = "write 'p95(rto)=5%', 'mean(failed_starts)=100' or 'p(rto <= 3min)=1%'";

/// Reads `FUNC(MEASURE)=TOLERANCE` or `p(CLAIM)=TOLERANCE`. A tolerance in percent is relative to the
/// estimate, but for `p` in points; without percent it is an amount in the measure's unit.
///
/// # Errors
///
/// What is wrong, and what would be right.
pub fn precision(text: &str) -> Result<Precision, String> {
    let form = || format!("{text:.80?} says no precision; {FORM}");
    if text.len() > 2_000 {
        return Err("longer than 2000 bytes".to_string());
    }
    let (left, tolerance) = text.rsplit_once('=').ok_or_else(form)?;
    let (function, inside) = left.trim().split_once('(').ok_or_else(form)?;
    let inside = inside.trim_end().strip_suffix(')').ok_or_else(form)?;
    let of_measure = || {
        let (measure, rest) = measure(inside.trim())?;
        match rest.trim() {
            "" => Ok(measure),
            rest => Err(format!("{rest:.40?} is too much; {FORM}")),
        }
    };
    let of = match function.trim() {
        "p" => {
            let claim = claim(inside)?;
            if let Some(variant) = claim.variants().next() {
                return Err(format!(
                    "every variant is to be known so precisely: leave out {variant:?}"
                ));
            }
            Statistic::Share(claim)
        }
        "mean" => Statistic::Mean(of_measure()?),
        quantile => {
            let digits = quantile.strip_prefix('p');
            let percent = digits.and_then(|digits| digits.parse::<u32>().ok());
            match percent.filter(|percent| (1..=99).contains(percent)) {
                Some(percent) => Statistic::Quantile(f64::from(percent) / 100.0, of_measure()?),
                None => {
                    return Err(format!(
                        "there is no function {quantile:.40?}; known: mean, p1 to p99, p(CLAIM)"
                    ));
                }
            }
        }
    };
    let within = within(&of, tolerance.trim())?;
    Ok(Precision {
        of,
        within,
        text: text.trim().to_string(),
    })
}

fn within(of: &Statistic, text: &str) -> Result<Within, String> {
    let (value, relative) = match (of, text.strip_suffix('%')) {
        (Statistic::Share(_), _) => (Unit::Share.parse(text), false),
        (_, Some(percent)) => {
            let percent = Unit::Number.parse(percent);
            (percent.map(|percent| percent / 100.0), true)
        }
        (Statistic::Mean(measure) | Statistic::Quantile(_, measure), None) => {
            (unit(measure).parse(text), false)
        }
    };
    let value = value.map_err(|wrong| format!("{}; {}", wrong.message, wrong.hint))?;
    if !(value > 0.0 && value.is_finite()) {
        return Err(format!(
            "a precision of {text:.40} cannot be reached; {FORM}"
        ));
    }
    Ok(match relative {
        true => Within::Relative(value),
        false => Within::Absolute(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::measure::{Measure, TimeMeasure};

    #[test]
    fn tolerances_are_relative_in_percent_and_amounts_without() {
        let rto = || Measure::Time(TimeMeasure::Rto);
        let read = |text: &str| precision(text).unwrap_or_else(|told| panic!("{text}: {told}"));
        let p95 = read("p95(rto)=5%");
        assert_eq!(p95.of, Statistic::Quantile(0.95, rto()));
        assert_eq!(p95.within, Within::Relative(0.05));
        let mean = read(" mean( rto ) = 2s ");
        assert_eq!(
            (mean.of, mean.within),
            (Statistic::Mean(rto()), Within::Absolute(2.0))
        );
        let share = read("p(rto <= 3min and toppled = 0)=1 %");
        assert!(matches!(share.of, Statistic::Share(claim) if claim.terms.len() == 2));
        assert_eq!(share.within, Within::Absolute(0.01));
        assert_eq!(
            read("mean(availability)=0.001").within,
            Within::Absolute(0.001)
        );
        assert_eq!(
            read("p5(before(error_rate))=10%").within,
            Within::Relative(0.1)
        );
    }

    #[test]
    fn mistakes_are_told_with_what_would_be_right() {
        for (text, expected) in [
            ("p95(rto)", "says no precision"),
            ("rto=5%", "says no precision"),
            ("p95(rtoo)=5%", "did you mean \"rto\""),
            ("p95(rto <= 3s)=5%", "too much"),
            ("p100(rto)=5%", "known: mean"),
            ("p0(rto)=5%", "known: mean"),
            ("max(rto)=5%", "known: mean"),
            ("p95(rto)=0%", "cannot be reached"),
            ("p95(rto)=-5%", "cannot be reached"),
            ("p95(rto)=nan%", "cannot be reached"),
            ("p95(rto)=3", "unit"),
            ("p95(rto)=", "a duration"),
            ("p(rto)=1%", "expected one of"),
            ("é(rto)=1%", "known: mean"),
        ] {
            let told = precision(text).expect_err(text);
            assert!(told.contains(expected), "{text}: {told}");
        }
    }
}
