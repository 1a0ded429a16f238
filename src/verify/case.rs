//! Oracle cases: what is known exactly, as JSON gives it.

use crate::problem::{Place, Problem};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Largest parameter that is accepted: far beyond any that is meant.
const LARGEST: f64 = 1e13;
/// Largest file in bytes.
const LARGEST_FILE: usize = 64 << 20;

/// One case: a model with parameters, and what is known of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Family that it belongs to (`04_dns_stickiness`).
    pub family: String,
    /// Name within the family.
    pub id: String,
    /// What is modelled.
    pub model: String,
    /// Parameters; times in seconds.
    pub params: Map<String, Value>,
    /// Known values.
    pub metrics: Vec<Metric>,
    /// Lists that the known values are of.
    pub inputs: Vec<Metric>,
    /// Standard errors that a simulated value may lie off.
    pub z: f64,
}

/// A known value and how to test against it.
#[derive(Clone, Debug, Deserialize)]
pub struct Metric {
    /// Name.
    pub name: String,
    /// The value: a number, or something else where the test is of more than one.
    #[serde(default)]
    pub value: Value,
    /// `exact`, `numeric`, `fluid` (exact for many clients) or `approx`.
    #[serde(default)]
    pub kind: String,
    /// The test.
    pub test: Test,
    /// `INPUT` where it is no result.
    #[serde(default)]
    note: Option<String>,
}

/// How a simulated value is tested.
#[derive(Clone, Debug, Deserialize)]
pub struct Test {
    /// `z_mean`, `z_prop`, `quantile_sign`, `rep_t`, `deterministic`, `ks` or `z_time_average`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Observations that the value's own tolerance is meant for.
    #[serde(alias = "reps")]
    pub n: Option<f64>,
    /// Known standard deviation of one observation.
    pub sd: Option<f64>,
    /// Known deviation of the model from the value.
    pub bias: Option<f64>,
    /// Known asymptotic variance of a mean over time, per second.
    pub asym_var: Option<f64>,
    /// Seconds that the mean over time is meant for.
    pub horizon: Option<f64>,
    /// Probability of a quantile.
    pub p: Option<f64>,
    /// Absolute tolerance.
    pub abs: Option<f64>,
    /// Relative tolerance.
    pub rel: Option<f64>,
}

#[derive(Deserialize)]
struct File {
    schema: String,
    family: String,
    z: f64,
    cases: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    model: String,
    params: Map<String, Value>,
    metrics: Vec<Metric>,
}

/// Reads the cases of one file.
///
/// # Errors
///
/// If the text is not JSON of the schema `failover-oracle/1`.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, Problem> {
    let wrong = |line: usize, column: usize, message: String| Problem {
        place: Place {
            file: file.into(),
            line,
            column,
        },
        message,
        hint: "a file of cases has schema, family, z and cases: {id, model, params, metrics}"
            .into(),
        ..Problem::default()
    };
    if text.len() > LARGEST_FILE {
        return Err(wrong(0, 0, "the file is larger than 64 MB".into()));
    }
    let read: File = serde_json::from_str(text)
        .map_err(|error| wrong(error.line(), error.column(), error.to_string()))?;
    if read.schema != "failover-oracle/1" {
        let found = format!("schema {:.60?} is not known", read.schema);
        return Err(wrong(0, 0, found));
    }
    if !(1.0..=100.0).contains(&read.z) {
        return Err(wrong(0, 0, "z is not between 1 and 100".into()));
    }
    let case = |entry: Entry| {
        let is_input = |metric: &Metric| metric.note.as_deref() == Some("INPUT");
        let (inputs, metrics) = entry.metrics.into_iter().partition(is_input);
        Case {
            family: read.family.clone(),
            id: entry.id,
            model: entry.model,
            params: entry.params,
            metrics,
            inputs,
            z: read.z,
        }
    };
    Ok(read.cases.into_iter().map(case).collect())
}

impl Case {
    /// A parameter that is a number between 0 and 1e13; `None` where it is absent.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn maybe(&self, key: &str) -> Result<Option<f64>, String> {
        match self.params.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => number(key, value).map(Some),
        }
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn number(&self, key: &str) -> Result<f64, String> {
        let missing = || format!("the parameter {key} is missing");
        self.maybe(key)?.ok_or_else(missing)
    }

    /// A parameter above zero.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn positive(&self, key: &str) -> Result<f64, String> {
        match self.number(key)? {
            value if value > 0.0 => Ok(value),
            _ => Err(format!("the parameter {key} is not above zero")),
        }
    }

    /// A parameter between 0 and 1.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn share(&self, key: &str) -> Result<f64, String> {
        match self.number(key)? {
            value if value <= 1.0 => Ok(value),
            _ => Err(format!("the parameter {key} is not a share")),
        }
    }

    /// A whole parameter between 1 and `most`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn count(&self, key: &str, most: u32) -> Result<u32, String> {
        let value = self.number(key)?;
        if value.fract() == 0.0 && value >= 1.0 && value <= f64::from(most) {
            Ok(value as u32)
        } else {
            Err(format!(
                "the parameter {key} is not a whole number from 1 to {most}"
            ))
        }
    }

    /// A number within a parameter that is an object.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn within(&self, key: &str, inner: &str) -> Result<f64, String> {
        let value = self.params.get(key).and_then(|table| table.get(inner));
        match value {
            Some(value) => number(&format!("{key}.{inner}"), value),
            None => Err(format!("the parameter {key}.{inner} is missing")),
        }
    }

    /// A word within a parameter that is an object.
    ///
    /// # Errors
    ///
    /// If it is missing.
    pub fn word(&self, key: &str, inner: &str) -> Result<&str, String> {
        let value = self.params.get(key).and_then(|table| table.get(inner));
        let missing = || format!("the parameter {key}.{inner} is missing or not a word");
        value.and_then(Value::as_str).ok_or_else(missing)
    }

    /// The numbers of a list of moments; none where it is absent.
    pub fn moments(&self, key: &str) -> Vec<f64> {
        let list = self.params.get(key).and_then(Value::as_array);
        let numbers = list.into_iter().flatten().filter_map(Value::as_f64);
        numbers
            .filter(|secs| (0.0..=LARGEST).contains(secs))
            .collect()
    }

    /// The largest moment that any metric's name gives.
    pub fn last_moment(&self) -> f64 {
        let named = self.metrics.iter().filter_map(Metric::moment);
        named.fold(0.0, f64::max)
    }
}

impl Metric {
    /// The value, if it is a number; 1 and 0 for true and false.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Bool(holds) => Some(f64::from(holds)),
            _ => self.value.as_f64(),
        }
    }

    /// The values, if they are a list of numbers.
    pub fn numbers(&self) -> Vec<f64> {
        let list = self.value.as_array().into_iter().flatten();
        list.filter_map(Value::as_f64).collect()
    }

    /// The moment in the name, as in `sli(t=5)`: seconds after the change that the case is about.
    pub fn moment(&self) -> Option<f64> {
        let rest = &self.name[self.name.find("t=")? + 2..];
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-')))
            .unwrap_or(rest.len());
        let moment: f64 = rest[..end].parse().ok()?;
        (0.0..=LARGEST).contains(&moment).then_some(moment)
    }
}

fn number(key: &str, value: &Value) -> Result<f64, String> {
    match value.as_f64() {
        Some(value) if (0.0..=LARGEST).contains(&value) => Ok(value),
        _ => Err(format!(
            "the parameter {key} is not a number between 0 and {LARGEST:e}"
        )),
    }
}
