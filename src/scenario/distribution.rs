//! Distributions of durations: `"40ms"`, `{ lognormal = { median = "10ms", p99 = "50ms" } }`, …

use crate::scenario::default::{required, setting};
use crate::scenario::quantity::{LONGEST_SECS, Unit, Wrong};
use crate::scenario::reader::{Range, Reader, suggest};
use crate::scenario::section::Section;
use crate::scenario::tree::Node;
use crate::units::Dist;

/// Most parts of a sum or mixture.
const MOST_PARTS: usize = 20;
/// Quantiles of the standard normal distribution at 0.95 and 0.99.
const Z95: f64 = 1.644_853_626_951_472_2;
const Z99: f64 = 2.326_347_874_040_841;

const NO_ENDS: &str = "needs its smallest and its largest value";
const UNIFORM_HINT: &str = "write { uniform = [\"1s\", \"3s\"] }";

const LAWS: [&str; 8] = [
    "lognormal",
    "uniform",
    "exponential",
    "pareto",
    "sum",
    "mixture",
    "empirical",
    "uncertain",
];

/// Reads a distribution; a plain or uncertain value is a fixed one.
pub fn read(reader: &Reader, node: &Node, path: &str) -> Option<Dist> {
    read_nested(reader, node, path, 0)
}

fn read_nested(reader: &Reader, node: &Node, path: &str, depth: usize) -> Option<Dist> {
    let secs = |node: &Node| reader.quantity(node, path, Unit::Seconds, Range::SPAN);
    let Some(table) = node.table() else {
        return secs(node).map(Dist::Fixed);
    };
    if table.get("uncertain").is_some() {
        return secs(node).map(Dist::Fixed);
    }
    let key = match &table.0[..] {
        [entry] => entry.key.as_str(),
        _ => "",
    };
    let Some(&law) = LAWS.iter().find(|law| **law == key) else {
        let wrong = Wrong::new("not a distribution", suggest(key, LAWS.iter().copied()));
        reader.wrong(node.at, path, wrong);
        return None;
    };
    let mut section = Section::part(reader, node, path, &LAWS);
    if depth > 3 {
        let wrong = Wrong::new("distributions are nested too deeply", "at most 4 levels");
        reader.wrong(node.at, path, wrong);
        return None;
    }
    match law {
        "lognormal" => {
            let keys = ["median", "mean", "p95", "p99", "sigma", "scv"];
            let node = section.take("lognormal")?;
            lognormal(Section::part(reader, node, &section.path_of(law), &keys))
        }
        "pareto" => {
            let node = section.take("pareto")?;
            pareto(Section::part(reader, node, &section.path_of(law), &[]))
        }
        "exponential" => {
            let mean = section.take("exponential")?;
            let mean = reader.quantity(mean, path, Unit::Seconds, Range::SOME_SPAN)?;
            Some(Dist::Exponential { mean })
        }
        "uniform" => {
            let [lo, hi] = section.array("uniform")? else {
                section.wrong("uniform", NO_ENDS, UNIFORM_HINT);
                return None;
            };
            let path = section.path_of("uniform");
            let end = |node, i| {
                reader.quantity(node, &format!("{path}[{i}]"), Unit::Seconds, Range::SPAN)
            };
            match (end(lo, 0), end(hi, 1)) {
                (Some(lo), Some(hi)) if lo < hi => Some(Dist::Uniform { lo, hi }),
                (Some(lo), Some(hi)) if lo == hi => Some(Dist::Fixed(lo)),
                (Some(_), Some(_)) => {
                    section.wrong("uniform", NO_ENDS, UNIFORM_HINT);
                    None
                }
                _ => None,
            }
        }
        "empirical" => {
            let nodes = section.array("empirical")?;
            if nodes.is_empty() {
                section.wrong("empirical", "has no values", "give at least one");
            }
            let path = section.path_of("empirical");
            let read = |node| reader.plain(node, &path, Unit::Seconds, Range::SPAN);
            let values: Vec<Option<f64>> = nodes.iter().map(read).collect();
            let mut values: Vec<f64> = values.into_iter().collect::<Option<_>>()?;
            values.sort_by(f64::total_cmp);
            match values[..] {
                [] => None,
                [only] => Some(Dist::Fixed(only)),
                _ => Some(Dist::Empirical(values)),
            }
        }
        "sum" => {
            let nodes = parts(&mut section, "sum")?;
            let path = section.path_of("sum");
            let parts = nodes
                .iter()
                .enumerate()
                .map(|(i, node)| read_nested(reader, node, &format!("{path}[{i}]"), depth + 1));
            Some(Dist::Sum(parts.collect::<Option<Vec<Dist>>>()?))
        }
        _ => {
            let nodes = parts(&mut section, "mixture")?;
            let path = section.path_of("mixture");
            let parts = nodes.iter().enumerate().map(|(i, node)| {
                let path = format!("{path}[{i}]");
                let mut part = Section::part(reader, node, &path, &["share", "of"]);
                let share = part.certain("share", required("0.5"), Unit::Share, Range::SHARE);
                let Some(of) = part.take("of") else {
                    part.wrong("of", "is missing", "write { share = 0.5, of = … }");
                    return None;
                };
                let of = read_nested(reader, of, &part.path_of("of"), depth + 1)?;
                Some((share, of))
            });
            let parts: Vec<Option<(f64, Dist)>> = parts.collect();
            let parts: Vec<(f64, Dist)> = parts.into_iter().collect::<Option<_>>()?;
            let total: f64 = parts.iter().map(|(share, _)| share).sum();
            if (total - 1.0).abs() > 1e-9 {
                section.wrong(
                    "mixture",
                    format!("the shares sum to {total}"),
                    "they must sum to 1",
                );
                return None;
            }
            Some(Dist::Mixture(parts))
        }
    }
}

/// The parts of a sum or mixture, of which there must be some.
fn parts<'r>(section: &mut Section<'r>, key: &'static str) -> Option<&'r [Node]> {
    let nodes = section.array(key)?;
    if nodes.is_empty() || nodes.len() > MOST_PARTS {
        section.wrong(
            key,
            format!("has {} parts", nodes.len()),
            format!("1 to {MOST_PARTS} parts"),
        );
        return None;
    }
    Some(nodes)
}

fn lognormal(mut law: Section) -> Option<Dist> {
    let by_mean = law.has("mean");
    let (centre, spread): (&'static str, [&'static str; 3]) = if by_mean {
        ("mean", ["scv", "scv", "scv"])
    } else {
        ("median", ["p95", "p99", "sigma"])
    };
    let given: Vec<&'static str> = ["p95", "p99", "sigma", "scv"]
        .into_iter()
        .filter(|key| law.has(key))
        .collect();
    let centre_secs = law.secs(centre, required("10ms"), Range::SOME_SPAN);
    let mut sigma = None;
    if let [key] = given[..]
        && spread.contains(&key)
    {
        sigma = Some(match key {
            "sigma" => law.number("sigma", setting("0"), Range::new(0.0, 10.0)),
            "scv" => {
                let scv = law.number("scv", setting("0"), Range::new(0.0, 1e6));
                libm::sqrt(libm::log(1.0 + scv))
            }
            _ => {
                let tail = law.secs(key, setting("1d"), Range::SOME_SPAN);
                if tail > 0.0 && tail < centre_secs {
                    law.wrong(key, "is below the median", "a quantile above the median");
                    return None;
                }
                let z = if key == "p95" { Z95 } else { Z99 };
                libm::log(tail.max(centre_secs) / centre_secs) / z
            }
        });
    } else {
        let path = law.path.clone();
        law.reader.wrong(
            law.at,
            &path,
            Wrong::new(
                "a lognormal law has two figures",
                "write median with one of p95, p99 and sigma, or mean with scv",
            ),
        );
    }
    let sigma = sigma?;
    if sigma == 0.0 {
        return Some(Dist::Fixed(centre_secs));
    }
    let log = libm::log(centre_secs);
    let mu = if by_mean {
        log - sigma * sigma / 2.0
    } else {
        log
    };
    Some(Dist::Lognormal { mu, sigma })
}

fn pareto(mut law: Section) -> Option<Dist> {
    let min = law.secs("min", required("60s"), Range::SOME_SPAN);
    let alpha = law.number("alpha", required("1.5"), Range::new(0.01, 100.0));
    let max = law.secs("max", setting("inf"), Range::positive(f64::INFINITY));
    if max <= min {
        law.wrong("max", "is not above min", "write a larger max, or none");
        return None;
    }
    if max.is_finite() && max > LONGEST_SECS {
        law.wrong("max", "is longer than a hundred years", "or write none");
        return None;
    }
    Some(Dist::Pareto { min, alpha, max })
}

/// Reads a length as a mixture of exponentials: `"30min"`, `{ exponential = "30min" }` or
/// `{ mixture = [{ share, of = "30min" }, …] }`, as `(share, mean seconds)`.
pub fn exponentials(reader: &Reader, node: &Node, path: &str) -> Option<Vec<(f64, f64)>> {
    let mean = |dist: &Dist| match dist {
        Dist::Fixed(mean) | Dist::Exponential { mean } if *mean > 0.0 => Some(*mean),
        _ => None,
    };
    let dist = read(reader, node, path)?;
    let parts = match &dist {
        Dist::Mixture(parts) => parts
            .iter()
            .map(|(share, part)| Some((*share, mean(part)?)))
            .collect(),
        other => mean(other).map(|mean| vec![(1.0, mean)]),
    };
    if parts.is_none() {
        let wrong = Wrong::new(
            "must be exponential, or a mixture of exponentials",
            "write a mean such as \"30min\", or { mixture = [{ share = 0.4, of = \"5min\" }, { share = 0.6, of = \"50min\" }] }",
        );
        reader.wrong(node.at, path, wrong);
    }
    parts
}
