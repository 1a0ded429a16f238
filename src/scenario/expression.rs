//! The language of claims and thresholds: `rto <= 3min and before(error_rate) < 0.1 %`, `>= 99 %`.

use crate::model::measure::{
    Claim, DomainMeasure, Impact, Measure, Op, Operand, SliSpan, Subject, Term, Threshold,
    TimeMeasure,
};
use crate::model::money::Money;
use crate::model::observation;
use crate::scenario::known;
use crate::scenario::quantity::Unit;
use crate::scenario::reader::suggest;
use crate::slis;

/// Longest expression, in bytes.
const LONGEST: usize = 2_000;

/// Reads a claim about a replication: `MEASURE OP VALUE`, joined by `and`, where VALUE may be
/// another measure, and MEASURE that of another variant, `VARIANT.MEASURE`. Durations in seconds,
/// shares as fractions.
pub fn claim(text: &str) -> Result<Claim, String> {
    check_length(text)?;
    let mut rest = text.trim();
    let mut terms = Vec::new();
    loop {
        let (left, after) = subject(rest)?;
        let (op, after) = operator(after)?;
        let (right, after) = operand(&left.measure, after)?;
        terms.push(Term { left, op, right });
        let after = after.trim_start();
        if after.is_empty() {
            return Ok(Claim {
                terms,
                text: text.trim().to_string(),
            });
        }
        rest = after
            .strip_prefix("and ")
            .ok_or_else(|| format!("expected `and`, found {after:.40?}"))?
            .trim_start();
    }
}

/// Reads a threshold on an SLI per window, `OP VALUE`.
pub fn threshold(sli: &str, text: &str) -> Result<Threshold, String> {
    check_length(text)?;
    check_sli(sli)?;
    let (op, rest) = operator(text.trim())?;
    let value = value(sli_unit(sli), rest.trim())?;
    Ok(Threshold {
        sli: sli.to_string(),
        op,
        value,
        text: text.trim().to_string(),
    })
}

/// Regions that a claim names.
pub fn regions(claim: &Claim) -> Vec<&str> {
    claim
        .subjects()
        .filter_map(|subject| match &subject.measure {
            Measure::Sli { region, .. } => region.as_deref(),
            _ => None,
        })
        .collect()
}

/// Domains that a claim names.
pub fn domains(claim: &Claim) -> Vec<&str> {
    claim
        .subjects()
        .filter_map(|subject| match &subject.measure {
            Measure::Domain { domain, .. } => Some(domain.as_str()),
            _ => None,
        })
        .collect()
}

/// Measures that a claim names.
pub fn measures(claim: &Claim) -> impl Iterator<Item = &Measure> {
    claim.subjects().map(|subject| &subject.measure)
}

fn check_length(text: &str) -> Result<(), String> {
    match text.len() {
        0..=LONGEST => Ok(()),
        _ => Err(format!("longer than {LONGEST} bytes")),
    }
}

fn check_sli(sli: &str) -> Result<(), String> {
    let known = known::sli_names();
    if known.contains(&sli) {
        return Ok(());
    }
    Err(format!(
        "there is no SLI {sli:?}; {}",
        suggest(sli, known.into_iter())
    ))
}

/// `MEASURE`, or `VARIANT.MEASURE`; a variant's name with other characters than letters, digits, `-`
/// and `_` is quoted.
fn subject(text: &str) -> Result<(Subject, &str), String> {
    let text = text.trim_start();
    let (variant, rest) = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let named = text[1..].split_once(quote);
            let (name, rest) = named.ok_or_else(|| format!("an open quote in {text:.60?}"))?;
            let rest = rest.strip_prefix('.');
            let rest = rest.ok_or_else(|| format!("write {quote}{name}{quote}.MEASURE"))?;
            (Some(name), rest)
        }
        _ => {
            let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
            let end = text.find(|c| !plain(c)).unwrap_or(text.len());
            match text[end..].strip_prefix('.') {
                Some(rest) if end > 0 => (Some(&text[..end]), rest),
                _ => (None, text),
            }
        }
    };
    let (measure, rest) = measure(rest)?;
    let variant = variant.map(str::to_string);
    Ok((Subject { variant, measure }, rest))
}

pub(super) fn measure(text: &str) -> Result<(Measure, &str), String> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    let (word, rest) = (&text[..end], text[end..].trim_start());
    if word.is_empty() {
        return Err(format!("expected a measure, found {text:.40?}"));
    }
    let mut kinds = DomainMeasure::ALL.into_iter();
    let kind = kinds.find(|kind| kind.name() == word);
    // Without a domain, `rto` is that of the whole.
    if let Some(kind) = kind.filter(|kind| rest.starts_with('(') || *kind != DomainMeasure::Rto) {
        let (domain, rest) = rest
            .strip_prefix('(')
            .and_then(|r| r.split_once(')'))
            .ok_or_else(|| format!("write {word}(DOMAIN)"))?;
        let domain = domain.trim().to_string();
        return Ok((Measure::Domain { kind, domain }, rest));
    }
    if let Some(time) = TimeMeasure::ALL.into_iter().find(|t| t.name() == word) {
        return Ok((Measure::Time(time), rest));
    }
    if let Some(impact) = Impact::ALL.into_iter().find(|i| i.name() == word) {
        return Ok((Measure::Impact(impact), rest));
    }
    if let Some(money) = Money::ALL.into_iter().find(|m| m.name() == word) {
        return Ok((Measure::Money(money), rest));
    }
    let Some(span) = SliSpan::ALL.into_iter().find(|s| s.name() == word) else {
        let times = TimeMeasure::ALL.iter().map(|t| t.name());
        let impacts = Impact::ALL.iter().map(|i| i.name());
        let money = Money::ALL.iter().map(|m| m.name());
        let spans = SliSpan::ALL.iter().map(|s| s.name());
        // The `rto` of a domain is named as that of the whole.
        let domains = DomainMeasure::ALL.iter().skip(1).map(|d| d.name());
        let plain = times.chain(impacts).chain(money);
        let known: Vec<&str> = plain.chain(spans).chain(domains).collect();
        return Err(format!(
            "there is no measure {word:?}; {}",
            suggest(word, known.into_iter())
        ));
    };
    let (inside, rest) = rest
        .strip_prefix('(')
        .and_then(|r| r.split_once(')'))
        .ok_or_else(|| format!("write {word}(SLI) or {word}(SLI[REGION])"))?;
    let (sli, region) = match inside.split_once('[') {
        None => (inside.trim(), None),
        Some((sli, region)) => {
            let region = region
                .trim_end()
                .strip_suffix(']')
                .ok_or_else(|| format!("an open bracket in {inside:.60?}"))?;
            (sli.trim(), Some(region.trim().to_string()))
        }
    };
    check_sli(sli)?;
    let sli = sli.to_string();
    Ok((Measure::Sli { span, sli, region }, rest))
}

fn operator(text: &str) -> Result<(Op, &str), String> {
    // Longer ones first.
    for (symbol, op) in [
        ("<=", Op::AtMost),
        (">=", Op::AtLeast),
        ("!=", Op::NotEqual),
        ("==", Op::Equal),
        ("<", Op::Less),
        (">", Op::Greater),
        ("=", Op::Equal),
    ] {
        if let Some(rest) = text.trim_start().strip_prefix(symbol) {
            return Ok((op, rest));
        }
    }
    Err(format!(
        "expected one of < <= > >= = !=, found {:.40?}",
        text.trim()
    ))
}

fn operand<'t>(left: &Measure, text: &'t str) -> Result<(Operand, &'t str), String> {
    let text = text.trim_start();
    let number = |c: char| c.is_ascii_digit() || c == '.' || c == '-' || c == '+';
    if text.starts_with(number) {
        let end = text.find(" and ").unwrap_or(text.len());
        let value = value(unit(left), text[..end].trim())?;
        return Ok((Operand::Value(value), &text[end..]));
    }
    let (right, rest) = subject(text)?;
    if unit(left) != unit(&right.measure) {
        return Err(format!(
            "{left} and {right} do not measure the same kind of thing"
        ));
    }
    Ok((Operand::Subject(right), rest))
}

fn value(unit: Unit, text: &str) -> Result<f64, String> {
    let value = unit
        .parse(text)
        .map_err(|wrong| format!("{}; {}", wrong.message, wrong.hint))?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(format!("{text:.40?} is not a finite value"))
    }
}

fn sli_unit(sli: &str) -> Unit {
    let sli = slis::find(sli).expect("the name was checked");
    match sli.unit() {
        observation::Unit::Share => Unit::Share,
        observation::Unit::Seconds => Unit::Seconds,
        observation::Unit::Count | observation::Unit::Minutes => Unit::Number,
        observation::Unit::Usd => Unit::Usd,
        observation::Unit::UsdPerHour => Unit::UsdPerHour,
    }
}

/// What a measure is compared with.
pub(super) fn unit(measure: &Measure) -> Unit {
    match measure {
        Measure::Time(_) => Unit::Seconds,
        Measure::Domain { kind, .. } if kind.is_time() => Unit::Seconds,
        Measure::Domain { .. } => Unit::Number,
        Measure::Sli { sli, .. } => sli_unit(sli),
        Measure::Impact(Impact::Availability | Impact::ErrorBudgetSpent) => Unit::Share,
        Measure::Impact(_) | Measure::Money(Money::CostRelative) => Unit::Number,
        Measure::Money(Money::Harm) => Unit::Usd,
        Measure::Money(_) => Unit::UsdPerHour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn claims_are_terms_joined_by_and() {
        let claim =
            claim("rto <= 3min and during(error_rate[us-west-2]) < 0.1 % and restore<=detect")
                .expect("a good claim");
        assert_eq!(claim.terms.len(), 3);
        assert_eq!(
            claim.terms[0].right,
            Operand::Value(180.0),
            "durations are in seconds"
        );
        assert_eq!(claim.terms[1].right, Operand::Value(0.001));
        assert_eq!(
            claim.terms[2].right,
            Operand::Subject(Measure::Time(TimeMeasure::Detect).into())
        );
        assert_eq!(regions(&claim), ["us-west-2"]);
    }

    #[test]
    fn a_domain_is_named_in_brackets() {
        let claim = claim(
            "rto <= 3min and rto(playback) <= rto and rpo( billing ) < 30s and lost_writes(billing) = 0",
        );
        let claim = claim.expect("a good claim");
        assert_eq!(domains(&claim), ["playback", "billing", "billing"]);
        assert_eq!(claim.terms[2].right, Operand::Value(30.0));
        assert_eq!(claim.terms[3].left.to_string(), "lost_writes(billing)");
    }

    #[test]
    fn a_variant_stands_before_its_measure() {
        let text = "no-dark.rto > rto and 'two words.'.during(error_rate[west]) >= \"x\".after(error_rate) \
                    and 2x.cost<1.5 USD/h";
        let claim = claim(text).expect("a good claim");
        let variants: Vec<&str> = claim.variants().collect();
        assert_eq!(variants, ["no-dark", "two words.", "x", "2x"]);
        assert_eq!(claim.terms[0].left.to_string(), "no-dark.rto");
        let rto = Measure::Time(TimeMeasure::Rto);
        assert_eq!(claim.terms[0].right, Operand::Subject(rto.into()));
        assert_eq!(claim.terms[0].left.own(), None);
        assert_eq!(regions(&claim), ["west"]);
    }

    #[test]
    fn money_is_compared_in_its_unit() {
        let claim = claim("cost <= 1.5 USD/h and cost_relative < 2 and error_budget_spent < 10 %");
        let terms = claim.expect("a good claim").terms;
        assert_eq!(terms[0].right, Operand::Value(1.5));
        assert_eq!(terms[1].right, Operand::Value(2.0));
        assert_eq!(terms[2].right, Operand::Value(0.1));
    }

    #[test]
    fn thresholds_know_the_unit_of_their_sli() {
        let share = threshold("stream_start_success", ">= 99 %").expect("a share");
        assert_eq!((share.op, share.value), (Op::AtLeast, 0.99));
        let time = threshold("latency_p99", "< 800ms").expect("a duration");
        assert_eq!((time.op, time.value), (Op::Less, 0.8));
    }

    #[test]
    fn mistakes_are_told_with_what_would_be_right() {
        for (text, expected) in [
            ("rto <= 3", "unit"),
            ("rtoo <= 3min", "did you mean \"rto\""),
            ("during(error_rat) < 1 %", "did you mean \"error_rate\""),
            ("during error_rate < 1 %", "during(SLI)"),
            ("rto < availability", "same kind"),
            ("rpo < 3s", "rpo(DOMAIN)"),
            ("rto(playback < 3s", "rto(DOMAIN)"),
            ("rto 3min", "expected one of"),
            ("rto < 3min or rto > 1s", "3min or"),
            ("", "expected a measure"),
            ("failed_starts < inf", "no measure"),
            ("no-dark.rtoo > 1s", "did you mean \"rto\""),
            ("'no-dark.rto > 1s", "open quote"),
            ("'no-dark' > 1s", "'no-dark'.MEASURE"),
            ("no-dark > 1s", "no measure"),
        ] {
            let message = claim(text).expect_err(text);
            assert!(message.contains(expected), "{text}: {message}");
        }
        assert!(threshold("cpu", "80 %").is_err());
        assert!(threshold("cpuu", "< 80 %").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(rto|during|a\\.|\"|'|\\(|\\[|and| |<|=|cpu|9|min|%|é){0,12}") {
            let _ = claim(&text);
            let _ = threshold("cpu", &text);
        }

        #[test]
        fn what_a_claim_shows_reads_back(secs in 0.0..1e6f64) {
            let first = claim(&format!("rto <= {secs}s")).expect("valid");
            prop_assert_eq!(&first, &claim(&first.text).expect("valid"));
        }
    }
}
