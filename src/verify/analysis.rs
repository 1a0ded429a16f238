//! Family 13: the statistics that reports use, and the samplers that traffic is counted by.

use super::case::{Case, Metric};
use super::judge::{Finding, Noise, mean_and_error};
use crate::model::measure::Measured;
use crate::simulate::{Stream, binomial, normal_quantile, poisson};
use crate::stats::{
    Estimate, Paired, Share, benjamini_hochberg, bonferroni, holm, quantile_interval,
    relative_half_width, sign_test, t_quantile,
};
use serde_json::Value;

/// Values that are drawn of each law.
const DRAWS: u64 = 200_000;
/// Intervals of which it is counted how many cover.
const INTERVALS: u64 = 10_000;
/// Most values in a list that a case describes.
const MOST: f64 = 1e6;
/// Groups of correlated paths, and the paths of a group.
const GROUPS: u64 = 200;
const PATHS: u64 = 20;
/// A metric that no report's function gives.
const UNKNOWN: &str = "the metric is not known";

/// What the reports' statistics say of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "tq" => Ok(each(case, quantile)),
        "mean_ci" => mean(case),
        "quantile_ci" => ranks(case),
        "paired" => paired(case),
        "props" => Ok(each(case, share)),
        "holm" => corrected(case),
        "coverage" => covered(case, seed),
        "dispersion" => samplers(case, seed),
        "batch" => correlated(case, seed),
        "rinott" | "ocba" => Err("no report ranks or selects policies".into()),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

fn each(case: &Case, find: impl Fn(&Metric) -> Finding) -> Vec<Finding> {
    case.metrics.iter().map(find).collect()
}

/// A value that is there; one that is not fails.
fn known(value: Option<f64>) -> Finding {
    exact(value.unwrap_or(f64::NAN))
}

fn exact(value: f64) -> Finding {
    Finding::of(value, Noise::Expectation)
}

/// The list that a metric of this name gives.
fn list(case: &Case, name: &str) -> Result<Vec<f64>, String> {
    let metric = case.inputs.iter().find(|metric| metric.name == name);
    let numbers = metric.map(Metric::numbers).unwrap_or_default();
    match numbers.is_empty() {
        true => Err(format!("the list {name} is missing")),
        false => Ok(numbers),
    }
}

/// The numbers in a name, in order: `n=100,q=0.5` has 100 and 0.5.
fn numbers(name: &str) -> Vec<f64> {
    let parts = name.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    parts.filter_map(|part| part.parse().ok()).collect()
}

fn quantile(metric: &Metric) -> Finding {
    let (name, found) = (metric.name.as_str(), numbers(&metric.name));
    match (name.split('(').next().unwrap_or_default(), &found[..]) {
        ("t_quantile", &[p, degrees]) if (0.5..1.0).contains(&p) && degrees >= 1.0 => {
            exact(t_quantile(p, degrees))
        }
        ("normal_quantile", &[p]) if p > 0.0 && p < 1.0 => exact(normal_quantile(p)),
        _ => Finding::not(UNKNOWN),
    }
}

fn mean(case: &Case) -> Result<Vec<Finding>, String> {
    let (data, level) = (list(case, "data")?, case.share("conf")?);
    if data.len() < 2 || level <= 0.0 || level >= 1.0 {
        return Err("an interval needs two values, and a level between 0 and 1".into());
    }
    let estimate = Estimate::at(level, &data).ok_or("there are no values")?;
    let half = estimate.hi.map_or(f64::NAN, |hi| hi - estimate.mean);
    let n = data.len() as f64;
    Ok(each(case, |metric| match metric.name.as_str() {
        "mean" => exact(estimate.mean),
        "sd" => exact(half / t_quantile(0.5 + 0.5 * level, n - 1.0) * n.sqrt()),
        "ci_halfwidth" => exact(half),
        "relative_precision" => exact(half / estimate.mean.abs()),
        name if name.starts_with("LawKelton") => match numbers(name)[..] {
            [tolerance] => exact(relative_half_width(tolerance)),
            _ => Finding::not(UNKNOWN),
        },
        _ => Finding::not(UNKNOWN),
    }))
}

/// Ranks of the interval of a quantile: ends of that of the values 1, 2, 3 and so on.
fn ranks(case: &Case) -> Result<Vec<Finding>, String> {
    let level = case.share("conf")?;
    if level <= 0.0 || level >= 1.0 {
        return Err("a level lies between 0 and 1".into());
    }
    let ends = |n: usize, q: f64, level: f64| {
        let values: Vec<f64> = (1..=n).map(|rank| rank as f64).collect();
        quantile_interval(&values, q, level)
    };
    Ok(each(case, |metric| {
        match (metric.name.as_str(), &numbers(&metric.name)[..]) {
            // A bound from above alone, at 95 %: the upper end of an interval at 90 %.
            ("min_n_for_upper_bound_on_q99_at_95%", _) => {
                let bounded = |n: &usize| ends(*n, 0.99, 0.9)[1].is_some();
                exact((1..1000).find(bounded).map_or(f64::NAN, |n| n as f64))
            }
            (name, &[n, q]) if name.starts_with("n=") && n <= MOST && q > 0.0 && q < 1.0 => {
                let [lo, hi] = ends(n as usize, q, level);
                Finding::list(metric, &[lo.unwrap_or(0.0), hi.unwrap_or(n + 1.0)])
            }
            _ => Finding::not(UNKNOWN),
        }
    }))
}

fn paired(case: &Case) -> Result<Vec<Finding>, String> {
    let (x, y) = (list(case, "x")?, list(case, "y")?);
    if x.len() != y.len() || x.len() < 2 {
        return Err("its lists are not of pairs".into());
    }
    let measured =
        |values: &[f64]| -> Vec<Measured> { values.iter().copied().map(Measured::Value).collect() };
    let pairs = Paired::of(&measured(&y), &measured(&x));
    let difference = pairs.difference.ok_or("there are no pairs")?;
    let (lo, hi) = (
        difference.lo.unwrap_or(f64::NAN),
        difference.hi.unwrap_or(f64::NAN),
    );
    // In units of its standard error.
    let t = t_quantile(0.975, difference.n as f64 - 1.0) * difference.mean / (hi - difference.mean);
    Ok(each(case, |metric| match metric.name.as_str() {
        "mean_diff" => exact(difference.mean),
        "paired_t" => exact(t),
        "paired_t_pvalue" => known(pairs.p_mean),
        "wilcoxon_W" => known(pairs.ranks.map(|ranks| ranks.w)),
        "wilcoxon_p" => known(pairs.ranks.map(|ranks| ranks.p)),
        "correlation" => known(pairs.correlation),
        "variance_ratio_independent/paired" => known(pairs.pairing),
        "ci95_low" => exact(lo),
        "ci95_high" => exact(hi),
        "sign_test_positive" => exact(pairs.more as f64),
        "sign_test_pvalue" => exact(sign_test(pairs.less, pairs.more)),
        _ => Finding::not(UNKNOWN),
    }))
}

fn share(metric: &Metric) -> Finding {
    let (name, found) = (metric.name.as_str(), numbers(&metric.name));
    let of = |level: f64, holds: f64, n: f64| match holds <= n && n <= MOST {
        true => Share::at(level, holds as u64, n as u64),
        false => None,
    };
    match (name.split('(').next().unwrap_or_default(), &found[..]) {
        ("clopper_pearson", &[holds, n]) => match of(0.95, holds, n) {
            Some(share) => Finding::list(metric, &[share.lo, share.hi]),
            None => Finding::not(UNKNOWN),
        },
        ("wilson", &[holds, n]) if holds <= n && n <= MOST => {
            match Share::wilson(holds as u64, n as u64) {
                Some(share) => Finding::list(metric, &[share.lo, share.hi]),
                None => Finding::not(UNKNOWN),
            }
        }
        // A bound from above alone.
        ("rule_of_three_exact_upper", &[holds, n, percent]) if percent < 100.0 => {
            match of(1.0 - 2.0 * (1.0 - percent / 100.0), holds, n) {
                Some(share) => exact(share.hi),
                None => Finding::not(UNKNOWN),
            }
        }
        _ => Finding::not(UNKNOWN),
    }
}

fn corrected(case: &Case) -> Result<Vec<Finding>, String> {
    let p = list(case, "pvalues")?;
    let tests = p.len() as u64;
    let alone: Vec<f64> = p.iter().map(|&p| bonferroni(p, tests)).collect();
    Ok(each(case, |metric| match metric.name.as_str() {
        "holm_adjusted" => Finding::list(metric, &holm(&p)),
        "bonferroni" => Finding::list(metric, &alone),
        "benjamini_hochberg" => Finding::list(metric, &benjamini_hochberg(&p)),
        _ => Finding::not(UNKNOWN),
    }))
}

/// A path each of whose values remembers a share `phi` of the one before. Taken for a replication each,
/// paths have a mean whose interval is right; taken for replications, the values of one path do not.
/// That is why every value in a report is one of independent replications.
fn correlated(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (n, phi) = (case.count("n", 2_000)?, case.share("phi")?);
    if n < 2 || phi >= 1.0 {
        return Err("a path has two values, and forgets".into());
    }
    let stream = Stream::new(seed, 0, "verify", "paths");
    // The variance that an interval of a mean takes for that of one value.
    let variance = |estimate: &Estimate| {
        let half = estimate.hi.map_or(f64::NAN, |hi| hi - estimate.mean);
        let values = estimate.n as f64;
        let error = half / t_quantile(0.975, values - 1.0);
        error * error * values
    };
    let (mut of_means, mut naive, mut covers) = (Vec::new(), Vec::new(), Vec::new());
    for group in 0..GROUPS {
        let mut means = Vec::new();
        for path in 0..PATHS {
            let mut draws = stream.draws(group * PATHS + path, 0);
            let mut value = normal_quantile(draws.uniform()) / (1.0 - phi * phi).sqrt();
            let mut values = vec![value];
            for _ in 1..n {
                value = phi * value + normal_quantile(draws.uniform());
                values.push(value);
            }
            let estimate = Estimate::of(&values).ok_or("a path is empty")?;
            let ends = estimate.lo.zip(estimate.hi);
            let holds = ends.is_some_and(|(lo, hi)| lo <= 0.0 && 0.0 <= hi);
            covers.push(f64::from(u8::from(holds)));
            means.push(estimate.mean);
            if path == 0 {
                naive.push(variance(&estimate) / n as f64);
            }
        }
        let over_paths = Estimate::of(&means).ok_or("there are no paths")?;
        of_means.push(variance(&over_paths));
    }
    let long: Vec<f64> = of_means
        .iter()
        .map(|variance| variance * n as f64)
        .collect();
    Ok(each(case, |metric| match metric.name.as_str() {
        "var_of_mean_exact" => Finding::mean(&of_means),
        "asymptotic_variance" => Finding::mean(&long),
        name if name.starts_with("naive_var_of_mean") => Finding::mean(&naive),
        name if name.starts_with("naive_95%_CI") => Finding::mean(&covers),
        _ => Finding::not(UNKNOWN),
    }))
}

/// How many of the intervals of a mean cover it.
fn covered(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let n = case.count("n", 10_000)?;
    let share = |mean: f64, law: &dyn Fn(f64) -> f64| {
        let stream = Stream::new(seed, 0, "verify", "intervals");
        let covers = |i: &u64| {
            let mut draws = stream.draws(*i, 0);
            let values: Vec<f64> = (0..n).map(|_| law(draws.uniform())).collect();
            let ends = Estimate::of(&values).map(|e| (e.lo, e.hi));
            matches!(ends, Some((Some(lo), Some(hi))) if lo <= mean && mean <= hi)
        };
        let count = (0..INTERVALS).filter(covers).count() as f64;
        let all = INTERVALS as f64;
        Finding::of(count / all, Noise::Observations(all))
    };
    Ok(each(case, |metric| match metric.name.as_str() {
        "coverage_normal" => share(0.0, &normal_quantile),
        "coverage_exponential" => share(1.0, &|u| -libm::log(u)),
        _ => Finding::not(UNKNOWN),
    }))
}

fn samplers(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let listed = |key: &str| {
        let list = case.params.get(key).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let number = |value: &Value| value.as_f64().filter(|x| (0.0..=1e15).contains(x));
    let drawn =
        |draw: &dyn Fn(u64) -> u64| -> Vec<f64> { (0..DRAWS).map(|i| draw(i) as f64).collect() };
    let mut laws = Vec::new();
    let stream = Stream::new(seed, 0, "verify", "counts");
    for law in listed("binom") {
        let (n, p) = (law.get(0).and_then(number), law.get(1).and_then(number));
        let (Some(n), Some(p)) = (n, p) else {
            return Err("a binomial law is not two numbers".into());
        };
        let values = drawn(&|i| binomial(&mut stream.draws(i, 0), n as u64, p));
        laws.push(("binom", vec![n, p], values));
    }
    for mean in listed("poisson") {
        let mean = number(&mean).ok_or("a mean is not a number")?;
        let values = drawn(&|i| poisson(&mut stream.draws(i, 1), mean));
        laws.push(("poisson", vec![mean], values));
    }
    let n = Noise::Observations(DRAWS as f64);
    Ok(each(case, |metric| {
        // As in `binom(10,0.3)_mean`.
        let (kind, rest) = metric.name.split_once('(').unwrap_or_default();
        let (law, what) = rest.split_once(')').unwrap_or_default();
        let law: Vec<f64> = law
            .split(',')
            .filter_map(|part| part.parse().ok())
            .collect();
        let Some((_, _, values)) = laws.iter().find(|l| (l.0, &l.1) == (kind, &law)) else {
            return Finding::not("its law is not known");
        };
        let share = |of: &dyn Fn(f64) -> bool| {
            let count = values.iter().filter(|x| of(**x)).count();
            Finding::of(count as f64 / values.len() as f64, n)
        };
        match (what, &numbers(what)[..]) {
            ("_mean", _) => Finding::of(mean_and_error(values).0, n),
            ("_var", _) => {
                let (mean, _) = mean_and_error(values);
                let squares: Vec<f64> = values.iter().map(|x| (x - mean) * (x - mean)).collect();
                Finding::mean(&squares)
            }
            (_, &[bound]) if what.starts_with("_P(X>") => share(&|x| x > bound),
            ("_P(X=0)", _) => share(&|x| x == 0.0),
            _ => Finding::not(UNKNOWN),
        }
    }))
}
