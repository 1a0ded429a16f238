//! From two samples to verdicts.
//!
//! | value | passes when |
//! |---|---|
//! | mean | the mean difference is within 4.5 standard errors plus 1 % |
//! | latency and other quantiles | the same plus 10 % |
//! | time | the medians are within one window plus 4.5 standard errors of their difference |
//! | minutes of windows | as a mean, plus one window |
//! | spread | the ratio of standard deviations is within [0.9, 1.1], widened by 4.5 of its standard errors |
//! | `not over` | the shares of replications in which a time had not ended agree as means do |
//!
//! For few replications 4.5 standard errors stand for Student's t of the same error, 6.8e-6. Standard
//! errors are those of the differences within replications; that of a spread is found by leaving out one
//! replication at a time, and is at least that of a normal law.

use super::super::judge::{ERROR, mean_and_error};
use super::super::report::{Row, Verdict};
use crate::model::measure::{Impact, Measure, Measured};
use crate::model::outcome::OutsideValidity;
use crate::model::scenario::Scenario;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Of a mean.
const SHARE: f64 = 0.01;
/// Of a quantile.
const QUANTILE_SHARE: f64 = 0.1;
/// Of a standard deviation.
const SPREAD_SHARE: f64 = 0.1;
/// A spread below this share of the mean is not judged: it changes nothing that a mean could show. Guess.
const LEAST_SPREAD: f64 = 1e-3;
/// Replications that a verdict needs.
const FEWEST: usize = 4;

/// What is compared of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Its mean, within a share of it and so much more, and perhaps its spread.
    Mean {
        share: f64,
        slack: f64,
        spread: bool,
    },
    /// Its median, within a window.
    Time { window: f64 },
}

/// The values of both, replication by replication.
pub struct Sample<'a> {
    pub single: Vec<Measured>,
    pub counted: Vec<Measured>,
    /// Replications that counted traffic itself says not to rely on.
    pub outside: Vec<Option<&'a OutsideValidity>>,
}

/// How a measure is compared; `None`: a counter.
pub fn kind(measure: Option<&Measure>, scenario: &Scenario) -> Kind {
    let mean = |share, slack, spread| Kind::Mean {
        share,
        slack,
        spread,
    };
    match measure {
        Some(Measure::Time(_)) => Kind::Time {
            window: scenario.sample.secs(),
        },
        Some(Measure::Sli { sli, .. }) => {
            let quantile = sli.contains("_p");
            mean(
                if quantile { QUANTILE_SHARE } else { SHARE },
                0.0,
                !quantile,
            )
        }
        Some(Measure::Impact(Impact::BrokenMinutes)) => {
            mean(SHARE, scenario.sample.secs() / 60.0, true)
        }
        Some(Measure::Impact(Impact::Metastable | Impact::Toppled)) => mean(SHARE, 0.0, false),
        _ => mean(SHARE, 0.0, true),
    }
}

/// The rows of one value; none where neither fidelity observed it.
pub fn rows(id: &str, name: &str, kind: Kind, sample: &Sample) -> Vec<Row> {
    let count = sample.single.len();
    let all: Vec<usize> = (0..count).collect();
    let trusted: Vec<usize> = (0..count)
        .filter(|&r| sample.outside[r].is_none())
        .collect();
    let mut rows = Vec::new();
    for test in [Test::Presence, Test::Level, Test::Spread] {
        let Some(finding) = test.apply(kind, sample, &all) else {
            continue;
        };
        let mut row = Row {
            family: "cross".into(),
            id: id.into(),
            metric: format!("{name}{}", test.suffix(kind)),
            fidelity: "cohort".into(),
            expected: Some(finding.single),
            simulated: Some(finding.counted),
            z: (finding.error > 0.0).then(|| finding.off / finding.error),
            verdict: Verdict::Pass,
            why: String::new(),
        };
        if !finding.passes() {
            row.verdict = Verdict::Fail;
            row.why = format!(
                "off by {:.2e}, allowed is {:.2e}",
                finding.off, finding.allowed
            );
            let holds = || {
                test.apply(kind, sample, &trusted)
                    .is_none_or(|f| f.passes())
            };
            let first = sample.outside.iter().flatten().min_by_key(|o| o.at);
            if let Some(first) = first
                && (trusted.len() < FEWEST || holds())
            {
                row.verdict = Verdict::NotCovered;
                row.why = format!(
                    "outside validity: {} at {} s, {}; {}",
                    first.pool,
                    first.at.secs(),
                    first.reason,
                    row.why
                );
            }
        }
        rows.push(row);
    }
    rows
}

/// What a test found.
struct Finding {
    single: f64,
    counted: f64,
    /// Difference; of spreads, the logarithm of their ratio.
    off: f64,
    error: f64,
    allowed: f64,
}

impl Finding {
    fn passes(&self) -> bool {
        // A hair's breadth for rounding.
        self.off.abs() <= self.allowed + 1e-12 * (1.0 + self.single.abs())
    }
}

#[derive(Clone, Copy)]
enum Test {
    /// In how many replications there is a value.
    Presence,
    /// How large it is.
    Level,
    /// How much it varies.
    Spread,
}

impl Test {
    fn suffix(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Test::Presence, Kind::Time { .. }) => ", not over",
            (Test::Presence, Kind::Mean { .. }) => ", without value",
            (Test::Level, Kind::Time { .. }) => ", median",
            (Test::Level, Kind::Mean { .. }) => "",
            (Test::Spread, _) => ", spread",
        }
    }

    /// What it finds in these replications; `None` where there is nothing to compare.
    fn apply(self, kind: Kind, sample: &Sample, replications: &[usize]) -> Option<Finding> {
        if let Test::Presence = self {
            return presence(sample, replications);
        }
        let (mut single, mut counted) = (Vec::new(), Vec::new());
        for &r in replications {
            if let (Measured::Value(a), Measured::Value(b)) = (sample.single[r], sample.counted[r])
            {
                single.push(a);
                counted.push(b);
            }
        }
        if single.len() < 2 || single.iter().chain(&counted).all(|&v| v == 0.0) {
            return None;
        }
        match (self, kind) {
            (Test::Spread, Kind::Mean { spread: true, .. }) => spread(&single, &counted),
            (Test::Spread, _) => None,
            (_, Kind::Mean { share, slack, .. }) => Some(level(&single, &counted, share, slack)),
            (_, Kind::Time { window }) => Some(middle(&single, &counted, window)),
        }
    }
}

/// Shares of replications without a value: nothing to tell where all have one, or none has.
fn presence(sample: &Sample, replications: &[usize]) -> Option<Finding> {
    let lacks = |values: &[Measured]| -> Vec<f64> {
        let lacks = replications.iter().map(|&r| match values[r] {
            Measured::Value(_) => 0.0,
            Measured::Absent | Measured::Censored => 1.0,
        });
        lacks.collect()
    };
    let (single, counted) = (lacks(&sample.single), lacks(&sample.counted));
    let all = |value: f64| single.iter().chain(&counted).all(|&v| v == value);
    (single.len() >= 2 && !all(0.0) && !all(1.0)).then(|| level(&single, &counted, SHARE, 0.0))
}

fn differences(single: &[f64], counted: &[f64]) -> Vec<f64> {
    counted.iter().zip(single).map(|(c, s)| c - s).collect()
}

fn level(single: &[f64], counted: &[f64], share: f64, slack: f64) -> Finding {
    let (off, error) = mean_and_error(&differences(single, counted));
    let (a, b) = (mean_and_error(single).0, mean_and_error(counted).0);
    Finding {
        single: a,
        counted: b,
        off,
        error,
        allowed: reach(single.len()) * error + share * a.abs() + slack,
    }
}

/// The median's standard error is that of the mean times sqrt(pi / 2), of a normal law.
fn middle(single: &[f64], counted: &[f64], window: f64) -> Finding {
    let error = mean_and_error(&differences(single, counted)).1;
    let error = error * std::f64::consts::FRAC_PI_2.sqrt();
    let (a, b) = (median(single), median(counted));
    Finding {
        single: a,
        counted: b,
        off: b - a,
        error,
        allowed: reach(single.len()) * error + window,
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0
}

/// Standard deviations, their ratio judged by its logarithm.
fn spread(single: &[f64], counted: &[f64]) -> Option<Finding> {
    let n = single.len();
    let deviation = |values: &[f64]| mean_and_error(values).1 * (values.len() as f64).sqrt();
    let (a, b) = (deviation(single), deviation(counted));
    let least = LEAST_SPREAD * mean_and_error(single).0.abs();
    if n < FEWEST || a.max(b) <= least {
        return None;
    }
    // So much may be there or not.
    let (a, b) = (a.max(least), b.max(least));
    if a <= 0.0 || b <= 0.0 {
        // One never varies where the other does: nothing to take a logarithm of, and the means tell.
        return None;
    }
    let without = |values: &[f64], left_out: usize| -> f64 {
        let rest = values.iter().enumerate().filter(|&(i, _)| i != left_out);
        deviation(&rest.map(|(_, &v)| v).collect::<Vec<f64>>()).max(least)
    };
    let ratio = |i: usize| libm::log(without(counted, i) / without(single, i));
    let ratios: Vec<f64> = (0..n).map(ratio).filter(|r| r.is_finite()).collect();
    // A single replication that makes all the spread says nothing about it.
    if ratios.len() < n {
        return None;
    }
    let jackknife = mean_and_error(&ratios).1 * (n as f64 - 1.0);
    let common = correlation(single, counted);
    let normal = ((1.0 - common * common).max(0.0) / (n as f64 - 1.0)).sqrt();
    let error = jackknife.max(normal);
    let off = libm::log(b / a);
    let edge = if off > 0.0 {
        1.0 + SPREAD_SHARE
    } else {
        1.0 - SPREAD_SHARE
    };
    Some(Finding {
        single: a,
        counted: b,
        off,
        error,
        allowed: reach(n) * error + libm::log(edge).abs(),
    })
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean_and_error(a).0, mean_and_error(b).0);
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        a.iter()
            .zip(b)
            .map(|(x, y)| f(x - mean_a, y - mean_b))
            .sum()
    };
    let (aa, bb) = (sum(&|x, _| x * x), sum(&|_, y| y * y));
    match aa * bb > 0.0 {
        true => sum(&|x, y| x * y) / (aa * bb).sqrt(),
        false => 0.0,
    }
}

/// Standard errors that a value from so many replications may lie off.
fn reach(replications: usize) -> f64 {
    let law = StudentsT::new(0.0, 1.0, replications as f64 - 1.0);
    law.expect("two replications at least")
        .inverse_cdf(1.0 - ERROR / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Span, Time};

    const MEAN: Kind = Kind::Mean {
        share: SHARE,
        slack: 0.0,
        spread: true,
    };

    fn values(of: impl Fn(usize) -> f64) -> Vec<Measured> {
        (0..40).map(|i| Measured::Value(of(i))).collect()
    }

    fn wave(i: usize) -> f64 {
        ((i * 7) % 40) as f64 / 40.0 - 0.4875
    }

    fn verdicts(single: Vec<Measured>, counted: Vec<Measured>, kind: Kind) -> Vec<Verdict> {
        let sample = Sample {
            outside: vec![None; single.len()],
            single,
            counted,
        };
        rows("a", "b", kind, &sample)
            .iter()
            .map(|r| r.verdict)
            .collect()
    }

    #[test]
    fn a_mean_may_lie_off_by_a_hundredth_and_its_error() {
        use Verdict::{Fail, Pass};
        let base = || values(|i| 10.0 + wave(i));
        assert_eq!(
            verdicts(base(), values(|i| 10.09 + wave(i)), MEAN),
            [Pass, Pass]
        );
        assert_eq!(
            verdicts(base(), values(|i| 10.11 + wave(i)), MEAN),
            [Fail, Pass]
        );
        // The same difference is nothing where single luck is larger.
        let other = |i: usize| 10.11 + wave((i * 3 + 5) % 40);
        assert_eq!(verdicts(base(), values(other), MEAN), [Pass, Pass]);
    }

    #[test]
    fn a_spread_may_lie_off_by_a_tenth_and_its_error() {
        use Verdict::{Fail, Pass};
        let base = || values(|i| 10.0 + wave(i));
        assert_eq!(
            verdicts(base(), values(|i| 10.0 + 1.05 * wave(i)), MEAN),
            [Pass, Pass]
        );
        assert_eq!(
            verdicts(base(), values(|i| 10.0 + 1.2 * wave(i)), MEAN),
            [Pass, Fail]
        );
        assert_eq!(
            verdicts(base(), values(|i| 10.0 + 0.8 * wave(i)), MEAN),
            [Pass, Fail]
        );
    }

    #[test]
    fn a_time_may_lie_off_by_a_window() {
        use Verdict::{Fail, Pass};
        let kind = Kind::Time { window: 10.0 };
        let base = || values(|i| 100.0 + wave(i));
        assert_eq!(verdicts(base(), values(|i| 110.0 + wave(i)), kind), [Pass]);
        assert_eq!(verdicts(base(), values(|i| 111.0 + wave(i)), kind), [Fail]);
        let mut never = base();
        never.iter_mut().for_each(|v| *v = Measured::Censored);
        assert_eq!(verdicts(base(), never, kind), [Fail]);
    }

    #[test]
    fn what_says_itself_that_it_is_off_does_not_fail() {
        let outside = OutsideValidity {
            pool: "back in east".into(),
            at: Time::from_secs(300.0),
            lasting: Span::from_secs(10.0),
            reason: "few".into(),
        };
        let sample = |marked: usize, off: f64| Sample {
            single: values(|i| 10.0 + wave(i)),
            counted: values(|i| 10.0 + wave(i) + if i < marked { 5.0 } else { off }),
            outside: (0..40).map(|i| (i < marked).then_some(&outside)).collect(),
        };
        let found = &rows("a", "b", MEAN, &sample(30, 0.0))[0];
        assert_eq!(found.verdict, Verdict::NotCovered);
        assert!(found.why.contains("back in east at 300 s"), "{}", found.why);
        // The others have no excuse.
        let found = &rows("a", "b", MEAN, &sample(30, 0.2))[0];
        assert_eq!(found.verdict, Verdict::Fail);
    }

    #[test]
    fn the_spread_of_a_few_replications_is_known_badly() {
        // 0.72 and 1.34, of samples that do not hang together.
        let one = [10.0, 11.0, 9.0, 10.5, 9.2, 10.1];
        let other = [12.0, 9.0, 10.5, 8.3, 11.0, 9.9];
        assert!(spread(&one, &other).unwrap().passes());
    }
}
