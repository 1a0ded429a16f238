//! A comparison in plain words, no surer than its data.

use crate::model::measure::{DomainMeasure, Impact, Measure};
use crate::model::observation::Unit;
use crate::report::figure;
use crate::stats::Estimate;
use crate::study::{Comparison, Evidence};

/// The unit of a measure that is compared.
pub fn unit(measure: &Measure) -> Unit {
    match measure {
        Measure::Time(_) => Unit::Seconds,
        Measure::Domain { kind, .. } if kind.is_time() => Unit::Seconds,
        Measure::Money(_) => Unit::UsdPerHour,
        _ => Unit::Count,
    }
}

/// What a measure is called in a sentence.
pub fn noun(measure: &Measure) -> String {
    match measure {
        Measure::Time(_) => "RTO".to_string(),
        Measure::Impact(Impact::FailedStarts) => "failed starts".to_string(),
        Measure::Impact(Impact::RebufferedViewers) => "rebuffered viewers".to_string(),
        Measure::Domain {
            kind: DomainMeasure::Rpo,
            domain,
        } => format!("RPO of {domain}"),
        Measure::Domain {
            kind: DomainMeasure::LostWrites,
            domain,
        } => format!("lost writes of {domain}"),
        other => other.to_string(),
    }
}

/// How a measure's difference is said, around an amount: `recovers 41 s sooner`.
struct Words {
    verb: &'static str,
    less: String,
    more: String,
    /// What it is to have a value by the horizon, and to have none.
    always: &'static str,
    never: &'static str,
}

fn words(measure: &Measure) -> Words {
    let words = |verb, less: &str, more: &str| Words {
        verb,
        less: less.to_string(),
        more: more.to_string(),
        always: "has an end",
        never: "has no end",
    };
    match measure {
        Measure::Time(_) => Words {
            always: "recovers",
            never: "never recovers",
            ..words("recovers", "sooner", "later")
        },
        Measure::Impact(Impact::FailedStarts) => {
            words("has", "fewer failed starts", "more failed starts")
        }
        Measure::Impact(Impact::RebufferedViewers) => {
            words("has", "fewer rebuffered viewers", "more rebuffered viewers")
        }
        Measure::Domain {
            kind: DomainMeasure::Rpo,
            domain,
        } => words(
            "loses",
            &format!("less of {domain}'s data"),
            &format!("more of {domain}'s data"),
        ),
        Measure::Domain { domain, .. } => words(
            "loses",
            &format!("fewer writes of {domain}"),
            &format!("more writes of {domain}"),
        ),
        _ => words("costs", "less", "more"),
    }
}

/// A comparison as a sentence of its own.
pub fn sentence(comparison: &Comparison) -> String {
    let Comparison { a, b, pairs, .. } = comparison;
    let noun = noun(&comparison.of);
    match comparison.evidence() {
        Evidence::NoPairs => {
            format!("{b} and {a} cannot be compared by {noun}: no replication has both")
        }
        Evidence::Same if comparison.censored_b == *pairs => {
            let never = words(&comparison.of).never;
            format!("{b} {never} in {pairs} of {pairs} replications, nor does {a}")
        }
        Evidence::Same => format!("{b} and {a} have the same {noun} in {}", each(*pairs)),
        Evidence::NotApart => format!(
            "{b} and {a} cannot be told apart by {noun}: {}",
            undecided(comparison)
        ),
        Evidence::TooFew => {
            let said = predicate(comparison, &format!(" than {a}"));
            format!("{b} {said}; {} too few to tell", these(*pairs))
        }
        Evidence::Apart => format!("{b} {}", predicate(comparison, &format!(" than {a}"))),
    }
}

/// Equal measures that are named, at most.
#[cfg(feature = "cli")]
const MOST_NAMED: usize = 2;

/// All comparisons of one variant with the first as one sentence.
#[cfg(feature = "cli")]
pub fn together(comparisons: &[&Comparison]) -> String {
    let Some(first) = comparisons.first() else {
        return String::new();
    };
    let of = |wanted: &[Evidence]| -> Vec<&&Comparison> {
        let all = comparisons.iter();
        all.filter(|c| wanted.contains(&c.evidence())).collect()
    };
    let mut parts = Vec::new();
    let told: Vec<String> = of(&[Evidence::Apart])
        .iter()
        .map(|c| predicate(c, ""))
        .collect();
    if !told.is_empty() {
        parts.push(format!("{} {}", first.b, listed(&told)));
    }
    let few = of(&[Evidence::TooFew]);
    if let Some(one) = few.first() {
        let said: Vec<String> = few.iter().map(|c| predicate(c, "")).collect();
        parts.push(format!(
            "{} {}; {} too few to tell",
            first.b,
            listed(&said),
            these(one.pairs)
        ));
    }
    let nouns = |of: &[&&Comparison]| {
        let nouns: Vec<String> = of.iter().map(|c| noun(&c.of)).collect();
        listed(&nouns)
    };
    let unclear = of(&[Evidence::NotApart]);
    if !unclear.is_empty() {
        parts.push(format!("not told apart: {}", nouns(&unclear)));
    }
    let same = of(&[Evidence::Same]);
    match same.len() {
        0 => {}
        1..=MOST_NAMED => parts.push(format!("the same: {}", nouns(&same))),
        many if many == comparisons.len() => parts.push("no measure differs".to_string()),
        many => parts.push(format!("the same: {many} other measures")),
    }
    let none = of(&[Evidence::NoPairs]);
    if !none.is_empty() {
        parts.push(format!("not to be compared: {}", nouns(&none)));
    }
    match told.is_empty() && few.is_empty() {
        true => format!("{}: {}", first.b, parts.join("; ")),
        false => parts.join("; "),
    }
}

/// `a, b and c`.
#[cfg(feature = "cli")]
fn listed(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn each(n: u64) -> String {
    match n {
        1 => "the one replication".to_string(),
        n => format!("each of {} replications", figure::whole(n)),
    }
}

fn these(n: u64) -> String {
    match n {
        1 => "one replication is".to_string(),
        n => format!("{} replications are", figure::whole(n)),
    }
}

/// What can be said without the variant's name: `recovers 41 s sooner than flow [39, 44]`.
fn predicate(comparison: &Comparison, than: &str) -> String {
    let Words {
        verb,
        less,
        more,
        always,
        never,
    } = words(&comparison.of);
    let Comparison {
        pairs,
        censored_a,
        censored_b,
        a,
        ..
    } = comparison;
    let censored = censored_a + censored_b > 0;
    let Some(difference) = &comparison.difference else {
        return match censored_b {
            0 => format!(
                "{always} in all {pairs} replications ({a}: in {})",
                pairs - censored_a
            ),
            _ => format!("{never} in {censored_b} of {pairs} replications ({a}: {censored_a})"),
        };
    };
    let fewer = comparison.less > comparison.more;
    let agrees = (difference.mean < 0.0) == fewer && !holds_zero(difference);
    let how = if fewer { &less } else { &more };
    let mut text = if agrees {
        let amount = amount(comparison, difference);
        let ends = ends(comparison, difference);
        format!("{verb} {amount} {how}{than}{ends}")
    } else {
        let often = comparison.less.max(comparison.more);
        format!(
            "{verb} {how}{than} in {often} of {pairs} replications; the mean difference is {}",
            with_ends(comparison, difference)
        )
    };
    if censored {
        text += &format!(
            " where both do, in {} of {pairs} replications, and {never} in {censored_b} ({a}: {censored_a})",
            difference.n
        );
    }
    text
}

/// Why two cannot be told apart.
fn undecided(comparison: &Comparison) -> String {
    let Comparison {
        pairs, less, more, ..
    } = comparison;
    let counts = format!("less in {less} and more in {more} of {pairs} replications");
    let mean = match &comparison.difference {
        Some(difference) => format!(
            ", the mean difference is {}",
            with_ends(comparison, difference)
        ),
        None => String::new(),
    };
    let censored = match comparison.censored_a + comparison.censored_b {
        0 => String::new(),
        _ => format!(
            ", and {} in {} ({}: {})",
            words(&comparison.of).never,
            comparison.censored_b,
            comparison.a,
            comparison.censored_a
        ),
    };
    format!("{counts}{mean}{censored}")
}

fn holds_zero(difference: &Estimate) -> bool {
    match (difference.lo, difference.hi) {
        (Some(lo), Some(hi)) => lo <= 0.0 && hi >= 0.0,
        // One pair: nothing says how far the mean may be off.
        _ => difference.mean == 0.0,
    }
}

/// Costs are compared as shares of the first variant's, everything else as it is.
fn compared(comparison: &Comparison, difference: &Estimate) -> (Unit, f64, [Option<f64>; 2]) {
    match (&comparison.of, comparison.relative) {
        (Measure::Money(_), Some(relative)) if difference.mean != 0.0 => {
            let ends = [comparison.relative_lo, comparison.relative_hi];
            (Unit::Share, relative, ends)
        }
        (measure, _) => (
            unit(measure),
            difference.mean,
            [difference.lo, difference.hi],
        ),
    }
}

fn amount(comparison: &Comparison, difference: &Estimate) -> String {
    let (unit, mean, _) = compared(comparison, difference);
    figure::value(unit, mean.abs())
}

/// The interval of a difference, without its sign: ` [39, 44]`.
fn ends(comparison: &Comparison, difference: &Estimate) -> String {
    let (unit, mean, [Some(lo), Some(hi)]) = compared(comparison, difference) else {
        return String::new();
    };
    let mut ends = [lo.abs(), hi.abs()];
    ends.sort_by(f64::total_cmp);
    format!(" {}", figure::interval(unit, mean.abs(), ends.map(Some)))
}

/// A difference with its sign: `+3 s`.
pub fn signed(unit: Unit, difference: f64) -> String {
    let plus = if difference > 0.0 { "+" } else { "" };
    format!("{plus}{}", figure::value(unit, difference))
}

/// The same with its interval: `-3 s [-9, 3]`.
fn with_ends(comparison: &Comparison, difference: &Estimate) -> String {
    let unit = unit(&comparison.of);
    let mean = signed(unit, difference.mean);
    let ends = figure::interval(unit, difference.mean, [difference.lo, difference.hi]);
    format!("{mean} {ends}").trim_end().to_string()
}

#[cfg(test)]
mod tests;
