//! From a simulated value to a verdict.
//!
//! | test | a simulated value passes when it is within |
//! |---|---|
//! | `z_mean` | `z sd / sqrt(n) + bias`, `sd` known, `n` simulated |
//! | `poisson_count` | the same, for `n` counts whose variance is their mean |
//! | `z_prop`, `quantile_sign` | `z sqrt(p (1 - p) / n) + bias`; the exact binomial test where `n p (1 - p) < 100` |
//! | `z_time_average` | `z sqrt(v / T) + bias`, `v` the known asymptotic variance, `T` simulated |
//! | `rep_t`, or a spread that is estimated | Student's t at the same error, with the replications' own spread, `+ bias` |
//! | `deterministic` | the tolerances given |
//! | `ks` | the band of Dvoretzky, Kiefer and Wolfowitz, for `n` simulated |
//!
//! Of a list of numbers the largest difference is held to the tolerance.
//!
//! A value that is read between windows is known only to within a window: `slack` comes on top.
//! Caches are followed as expectations. Such a value has no spread of its own; it is held to the
//! tolerance that the case is given for so many observations, or to half a percent where the case
//! gives none.

use super::case::{Case, Metric};
use super::report::{Row, Verdict};
use crate::model::fidelity::Fidelity;
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// Two-sided error of one test: that of 4.5 standard errors.
pub const ERROR: f64 = 6.8e-6;
/// How far an expectation may lie off where a case gives neither spread nor bias. Guess.
const EXPECTATION_SHARE: f64 = 0.005;

/// What the simulator says of a metric.
#[derive(Clone, Debug)]
pub enum Finding {
    /// A value.
    Value(Evidence),
    /// Nothing, and why.
    NotCovered(String),
}

/// A simulated value and what is known of its error.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// The value; for quantiles, the share of observations up to the expected quantile; for whole
    /// distributions, the largest distance.
    pub value: f64,
    /// Its random error.
    pub noise: Noise,
    /// How far off it may be because it was read from windows.
    pub slack: f64,
    /// What moved.
    pub fidelity: Fidelity,
}

/// Random error of a simulated value.
#[derive(Clone, Copy, Debug)]
pub enum Noise {
    /// Mean of so many observations, whose law the test knows.
    Observations(f64),
    /// Standard error, from so many replications.
    Estimated(f64, f64),
    /// Mean over so many seconds, whose asymptotic variance the test knows.
    Time(f64),
    /// None: an expectation.
    Expectation,
    /// The value is known to be a bound: the largest that was found must not be above it.
    Bound,
}

impl Finding {
    /// A value without slack.
    pub fn of(value: f64, noise: Noise) -> Finding {
        Finding::Value(Evidence {
            value,
            noise,
            slack: 0.0,
            fidelity: Fidelity::Cohort,
        })
    }

    /// A value that is known to within `slack`.
    pub fn within(value: f64, noise: Noise, slack: f64) -> Finding {
        Finding::Value(Evidence {
            value,
            noise,
            slack,
            fidelity: Fidelity::Cohort,
        })
    }

    /// The mean over replications.
    pub fn mean(values: &[f64]) -> Finding {
        let (mean, se) = mean_and_error(values);
        Finding::of(mean, Noise::Estimated(se, values.len() as f64))
    }

    /// Means over replications that are known as a list: the one that is furthest off, by its own
    /// error, stands for all.
    pub fn means(known: &[f64], found: &[Vec<f64>]) -> Finding {
        let off = |(known, values): (&f64, &Vec<f64>)| {
            let (mean, se) = mean_and_error(values);
            ((mean - known).abs(), se, values.len() as f64)
        };
        let all = known.iter().zip(found).map(off);
        let worst = all.max_by(|a, b| (a.0 * b.1).total_cmp(&(b.0 * a.1)));
        match worst {
            Some((off, se, n)) => Finding::of(off, Noise::Estimated(se, n)),
            None => Finding::not("the list is empty"),
        }
    }

    /// The largest value found of one that is known to have a bound.
    pub fn at_most(largest: f64) -> Finding {
        Finding::of(largest, Noise::Bound)
    }

    /// Whether something holds.
    pub fn whether(holds: bool) -> Finding {
        Finding::of(f64::from(holds), Noise::Expectation)
    }

    /// Numbers that are known as a list: their largest difference from it.
    pub fn list(metric: &Metric, found: &[f64]) -> Finding {
        let known: Vec<f64> = metric.numbers();
        let differences = known.iter().zip(found).map(|(a, b)| (a - b).abs());
        let off = match known.len() == found.len() {
            true => differences.fold(0.0, f64::max),
            false => f64::NAN,
        };
        Finding::of(off, Noise::Expectation)
    }

    /// The same, of requests simulated one by one.
    pub fn by_request(self) -> Finding {
        match self {
            Finding::Value(evidence) => Finding::Value(Evidence {
                fidelity: Fidelity::Request,
                ..evidence
            }),
            other => other,
        }
    }

    /// The same, which may be so much further off.
    pub fn with_slack(self, slack: f64) -> Finding {
        match self {
            Finding::Value(evidence) => Finding::Value(Evidence { slack, ..evidence }),
            other => other,
        }
    }

    /// Not covered.
    pub fn not(why: &str) -> Finding {
        Finding::NotCovered(why.into())
    }
}

/// Mean and standard error.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, (squares / (n - 1.0).max(1.0) / n).sqrt())
}

/// Standard deviation of the values.
pub fn spread(values: &[f64]) -> f64 {
    mean_and_error(values).1 * (values.len() as f64).sqrt()
}

/// The row of a metric.
pub fn judge(case: &Case, metric: &Metric, finding: Finding) -> Row {
    let mut row = Row {
        family: case.family.clone(),
        id: case.id.clone(),
        metric: metric.name.clone(),
        fidelity: "cohort".into(),
        expected: expected(metric),
        simulated: None,
        z: None,
        verdict: Verdict::NotCovered,
        why: String::new(),
    };
    let evidence = match finding {
        Finding::NotCovered(why) => {
            row.why = why;
            return row;
        }
        Finding::Value(evidence) => evidence,
    };
    let Some(expected) = row.expected.filter(|e| e.is_finite()) else {
        row.why = "the case gives no value to compare with".into();
        return row;
    };
    if !evidence.value.is_finite() {
        row.verdict = Verdict::Fail;
        row.why = "the simulation gives no value".into();
        return row;
    }
    row.simulated = Some(evidence.value);
    row.fidelity = evidence.fidelity.name().into();
    let (se, tolerance) = match tolerance(case, metric, expected, &evidence) {
        Ok(found) => found,
        Err(why) => {
            row.why = why;
            return row;
        }
    };
    let off = evidence.value - expected;
    // Replications that differ by rounding have no error of their own.
    if se > 1e-9 * (1.0 + expected.abs()) {
        row.z = Some(off / se);
    }
    let pass = match binomial(metric, expected, &evidence) {
        _ if matches!(evidence.noise, Noise::Bound) => {
            row.why = "a bound, and the largest value found".into();
            off <= tolerance + 1e-9 * (1.0 + expected.abs())
        }
        Some(pass) => pass,
        // A hair's breadth for rounding.
        None => off.abs() <= tolerance + 1e-9 * (1.0 + expected.abs()),
    };
    if pass {
        row.verdict = Verdict::Pass;
    } else {
        row.verdict = Verdict::Fail;
        row.why = format!("off by {off:.4}, allowed is {tolerance:.4}");
    }
    row
}

fn expected(metric: &Metric) -> Option<f64> {
    match metric.test.kind.as_str() {
        "quantile_sign" => metric.test.p,
        "ks" => Some(0.0),
        // Of a list, the largest difference is judged.
        _ if metric.value.is_array() => Some(0.0),
        _ => metric.number(),
    }
}

/// Observations behind a share; those that the case names for an expectation.
fn observations(metric: &Metric, evidence: &Evidence) -> Option<f64> {
    let n = match evidence.noise {
        Noise::Observations(n) => n,
        Noise::Estimated(..) | Noise::Time(_) | Noise::Bound => return None,
        Noise::Expectation => metric.test.n?,
    };
    (n >= 1.0).then_some(n)
}

/// Standard error and tolerance.
fn tolerance(
    case: &Case,
    metric: &Metric,
    expected: f64,
    evidence: &Evidence,
) -> Result<(f64, f64), String> {
    let test = &metric.test;
    let extra = test.bias.unwrap_or(0.0).max(0.0) + evidence.slack;
    if let Noise::Estimated(se, n) = evidence.noise {
        if n < 2.0 {
            return Err("too few replications".into());
        }
        let given = match test.kind.as_str() {
            "deterministic" => given_tolerance(metric, expected),
            _ => 0.0,
        };
        let t = StudentsT::new(0.0, 1.0, n - 1.0)
            .map_err(|error| error.to_string())?
            .inverse_cdf(1.0 - ERROR / 2.0);
        return Ok((se, t * se + extra + given));
    }
    if let Noise::Time(secs) = evidence.noise {
        let variance = test
            .asym_var
            .ok_or("the test gives no asymptotic variance")?;
        let se = (variance / secs).sqrt();
        return Ok((se, case.z * se + extra));
    }
    let n = observations(metric, evidence);
    match (test.kind.as_str(), n) {
        ("z_mean", Some(n)) => {
            let sd = test.sd.ok_or("the test gives no sd")?;
            let se = sd / n.sqrt();
            Ok((se, case.z * se + extra))
        }
        ("poisson_count", Some(n)) => {
            let se = (expected.max(0.0) / n).sqrt();
            Ok((se, case.z * se + extra))
        }
        ("z_prop" | "quantile_sign", Some(n)) => {
            let se = (expected * (1.0 - expected) / n).max(0.0).sqrt();
            Ok((se, case.z * se + extra))
        }
        ("ks", Some(n)) => Ok((0.0, (libm::log(2.0 / ERROR) / (2.0 * n)).sqrt() + extra)),
        ("deterministic", _) => Ok((0.0, given_tolerance(metric, expected) + extra)),
        ("rep_t", _) => {
            let exactness = match evidence.noise {
                Noise::Expectation if test.bias.unwrap_or(0.0) <= 0.0 => {
                    EXPECTATION_SHARE * expected.abs()
                }
                _ => 0.0,
            };
            Ok((0.0, extra + exactness))
        }
        (kind, _) => Err(format!(
            "a test of kind {kind:.40} is not known, or lacks its n"
        )),
    }
}

fn given_tolerance(metric: &Metric, expected: f64) -> f64 {
    let (abs, rel) = (metric.test.abs, metric.test.rel);
    abs.unwrap_or(0.0).max(rel.unwrap_or(0.0) * expected.abs())
}

/// The exact test of a share of few observations; `None` where the normal law does.
fn binomial(metric: &Metric, expected: f64, evidence: &Evidence) -> Option<bool> {
    let n = observations(metric, evidence)?;
    let share = matches!(metric.test.kind.as_str(), "z_prop" | "quantile_sign");
    if !share || n * expected * (1.0 - expected) >= 100.0 || !(0.0..=1.0).contains(&expected) {
        return None;
    }
    let reach = metric.test.bias.unwrap_or(0.0).max(0.0) + evidence.slack;
    let low = (expected - reach).max(0.0);
    let high = (expected + reach).min(1.0);
    let nearest = evidence.value.clamp(low, high);
    let n = n.round();
    let seen = (evidence.value * n).round().clamp(0.0, n) as u64;
    let law = Binomial::new(nearest, n as u64).ok()?;
    let below = law.cdf(seen);
    let above = if seen == 0 { 1.0 } else { law.sf(seen - 1) };
    Some(2.0 * below.min(above) >= ERROR)
}
