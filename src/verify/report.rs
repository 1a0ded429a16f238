//! What was found: a row per known value.

use serde::Serialize;
use std::fmt;

/// Verdict on one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Within the tolerance.
    Pass,
    /// Not within it.
    Fail,
    /// Not simulated.
    NotCovered,
}

/// One known value and what the simulator says of it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Family of the case.
    pub family: String,
    /// The case.
    pub id: String,
    /// The metric.
    pub metric: String,
    /// How traffic was simulated.
    pub fidelity: String,
    /// The known value; for a quantile, its probability; for a distribution, distance zero.
    pub expected: Option<f64>,
    /// The simulated one.
    pub simulated: Option<f64>,
    /// Standard errors between the two, where there is a standard error.
    pub z: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it fails or is not covered.
    pub why: String,
}

/// All rows and totals.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Rows that pass.
    pub passed: usize,
    /// Rows that fail.
    pub failed: usize,
    /// Rows that are not covered.
    pub not_covered: usize,
    /// The rows.
    pub cases: Vec<Row>,
}

impl Report {
    /// Counts the verdicts.
    pub fn new(cases: Vec<Row>) -> Report {
        let count = |verdict| cases.iter().filter(|row| row.verdict == verdict).count();
        Report {
            passed: count(Verdict::Pass),
            failed: count(Verdict::Fail),
            not_covered: count(Verdict::NotCovered),
            cases,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::NotCovered => "not covered",
        })
    }
}

impl fmt::Display for Report {
    /// A table for people: every value that was simulated, then per case why others were not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>| value.map_or("-".into(), short);
        let mut family = "";
        let covered = |row: &&Row| row.verdict != Verdict::NotCovered;
        for row in self.cases.iter().filter(covered) {
            if row.family != family {
                family = &row.family;
                writeln!(f, "{family}")?;
                writeln!(
                    f,
                    "  {:<18} {:<40} {:>11} {:>11} {:>6}",
                    "case", "value", "expected", "simulated", "z"
                )?;
            }
            let z = row.z.map_or("-".into(), |z| format!("{z:.1}"));
            writeln!(
                f,
                "  {:<18} {:<40} {:>11} {:>11} {z:>6}  {}",
                row.id,
                row.metric,
                number(row.expected),
                number(row.simulated),
                row.verdict
            )?;
            if !row.why.is_empty() {
                writeln!(f, "    {}", row.why)?;
            }
        }
        let mut last = None;
        for row in self.cases.iter().filter(|row| !covered(row)) {
            if last.is_none() {
                writeln!(f, "not covered")?;
            }
            let key = (&row.family, &row.id, &row.why);
            if last != Some(key) {
                writeln!(f, "  {} {}: {}", row.family, row.id, row.why)?;
                last = Some(key);
            }
        }
        write!(
            f,
            "{} pass, {} fail, {} are not covered",
            self.passed, self.failed, self.not_covered
        )
    }
}

/// Six significant digits.
fn short(value: f64) -> String {
    let digits = if value == 0.0 {
        0
    } else {
        (5 - libm::floor(libm::log10(value.abs())) as i32).clamp(0, 8) as usize
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        text
    }
}
