//! Family 04: how long names and connections hold traffic where it was.
//!
//! The east is taken out of DNS while it is healthy; which region first attempts go to (or sessions
//! play in) is counted. Requests are so many that only the resolvers' own chance is left, apart from
//! the cases of seldom asked resolvers.

use super::base::{self, EAST, WEST};
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use super::ramp;
use super::series::Series;
use crate::model::outcome::Window;
use crate::model::scenario::Scenario;
use crate::units::{Dist, Span, Time};

/// Requests per second that leave no noise to speak of.
pub const MANY: f64 = 1e12;
/// Resolvers or sessions: as many as the tests are meant for, at most so many.
const MOST: f64 = 1e6;
/// Windows of the first run, and of each longer one.
const FINE: f64 = 1000.0;
const COARSE: f64 = 400.0;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "dns_residual" => residual(case, seed, 0.0, case.positive("T")?),
        "dns_two_layer" => residual(case, seed, case.positive("T2")?, case.positive("T1")?),
        "dns_sparse" => sparse(case, seed),
        "conn_residual" => connections(case, seed),
        "weighted_ramp" => ramp::shift(case, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// Individuals that the tests of a case are meant for.
pub fn individuals(case: &Case) -> f64 {
    let n = case.metrics.iter().filter_map(|m| m.test.n);
    n.fold(1000.0, f64::max).min(MOST)
}

pub fn share_on_old(window: &Window) -> Option<f64> {
    let all = window.global.first_attempts;
    (all > 0).then(|| window.regions[EAST].first_attempts as f64 / all as f64)
}

/// Runs a drained scenario to longer and longer horizons with coarser windows, and joins the shares.
fn drained(
    scenario: &Scenario,
    seed: u64,
    replications: u64,
    (first, last): (f64, f64),
    read: impl Fn(&Window) -> Option<f64> + Sync,
) -> Vec<Series> {
    let mut joined = vec![Series::default(); replications as usize];
    let (mut until, mut parts) = (first, FINE);
    loop {
        let secs = until / parts;
        let mut scenario = scenario.clone();
        base::windows(&mut scenario, secs, until + 4.0 * secs);
        let flip = Time(2 * scenario.sample.0);
        base::drain(&mut scenario, flip);
        let series = base::replicate(&scenario, seed, replications, |outcome| {
            Series::read(&outcome.windows, flip, &read)
        });
        for (joined, series) in joined.iter_mut().zip(&series) {
            joined.then(series);
        }
        if until >= last {
            return joined;
        }
        (until, parts) = ((until * 4.0).min(last), COARSE);
    }
}

fn residual(case: &Case, seed: u64, pin: f64, ttl: f64) -> Result<Vec<Finding>, String> {
    let violators = case.maybe("violator_fraction")?.unwrap_or(0.0).min(1.0);
    let stale = case.maybe("violator_mean")?.unwrap_or(1.0).max(1e-3);
    let mut scenario = base::alone(base::plain());
    let n = individuals(case);
    scenario.dns.ttl = Span::from_secs(ttl);
    scenario.dns.resolvers = n as usize;
    scenario.markets[0].starts = MANY;
    let class = &mut scenario.devices[0];
    class.pin = Span::from_secs(pin);
    class.violators.share = violators;
    class.violators.stale = Dist::Exponential { mean: stale };
    let tail = if violators > 0.0 { 25.0 * stale } else { 0.0 };
    let last = case.last_moment().max(tail).max(1.1 * (ttl + pin));
    if last > 1e9 {
        return Err("it lasts longer than a billion seconds".into());
    }
    let series = drained(&scenario, seed, 1, (1.1 * (ttl + pin), last), share_on_old);
    let series = Series::mean(&series);
    let on_old = |metric: &Metric| share(metric, &series, n);
    Ok(case.metrics.iter().map(on_old).collect())
}

/// Findings that all kinds of stickiness share.
fn share(metric: &Metric, series: &Series, n: f64) -> Finding {
    let noise = Noise::Observations(n);
    if metric.test.kind == "quantile_sign" {
        let at = metric.number().and_then(|secs| series.at(secs));
        return match at {
            Some((on_old, slack)) => Finding::within(1.0 - on_old, noise, slack),
            None => Finding::not("its quantile is no moment of the run"),
        };
    }
    if metric.name.starts_with("mean_residual") {
        return Finding::of(series.integral(f64::INFINITY), noise);
    }
    match metric.moment().and_then(|secs| series.at(secs)) {
        Some((on_old, slack)) => Finding::within(on_old, noise, slack),
        None => Finding::not("the metric is not known"),
    }
}

fn sparse(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    const REPLICATIONS: u64 = 24;
    const PARTS: f64 = 60.0;
    let (rate, ttl) = (case.positive("lambda")?, case.positive("T")?);
    let n = individuals(case);
    let mut scenario = base::alone(base::plain());
    scenario.dns.ttl = Span::from_secs(ttl);
    scenario.dns.resolvers = n as usize;
    scenario.markets[0].starts = rate * n;
    let secs = ttl / PARTS;
    base::windows(
        &mut scenario,
        secs,
        case.last_moment().max(ttl) + 4.0 * secs,
    );
    let flip = Time(2 * scenario.sample.0);
    base::drain(&mut scenario, flip);
    let runs = base::replicate(&scenario, seed, REPLICATIONS, |outcome| {
        let old: u64 = outcome
            .windows
            .iter()
            .filter(|window| window.from >= flip)
            .map(|window| window.regions[EAST].first_attempts)
            .sum();
        let series = Series::read(&outcome.windows, flip, share_on_old);
        (series, old as f64 / n)
    });
    let (all, exposures): (Vec<Series>, Vec<f64>) = runs.into_iter().unzip();
    let series = Series::mean(&all);
    // The line through two windows makes their noise 2.5 times larger in variance.
    let runs = REPLICATIONS as f64;
    let observed = 1.0 / (2.5 / (rate * n * secs * runs) + 1.0 / (n * runs));
    let find = |metric: &Metric| {
        if metric.name.starts_with("expected_requests") {
            return Finding::mean(&exposures);
        }
        match metric.moment().and_then(|secs| series.at(secs)) {
            Some((on_old, slack)) => {
                // The difference of noisy windows says little of how the share moves.
                let slack = slack.min(secs / ttl);
                Finding::within(on_old, Noise::Observations(observed), slack)
            }
            None => Finding::not("the metric is not known"),
        }
    };
    Ok(case.metrics.iter().map(find).collect())
}

fn connections(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    const REPLICATIONS: u64 = 12;
    let mean = case.within("lifetime", "mean")?;
    if !(1e-3..1e6).contains(&mean) {
        return Err("the mean life is not between 1 ms and a million seconds".into());
    }
    let (age, last) = match case.word("lifetime", "type")? {
        "exp" => (Dist::Exponential { mean }, 25.0 * mean),
        "det" => (Dist::Fixed(mean), 1.1 * mean),
        "lognormal" => {
            let scv = case.within("lifetime", "scv")?;
            let sigma2 = libm::log1p(scv);
            let (mu, sigma) = (libm::log(mean) - sigma2 / 2.0, sigma2.sqrt());
            let last = mean * libm::exp(6.0 * sigma);
            (Dist::Lognormal { mu, sigma }, last)
        }
        "pareto" => {
            let alpha = case.within("lifetime", "alpha")?;
            if alpha <= 1.0 {
                return Err("a Pareto law needs alpha above 1 to have a mean".into());
            }
            let min = mean * (alpha - 1.0) / alpha;
            let max = f64::INFINITY;
            (Dist::Pareto { min, alpha, max }, 3e5 * mean)
        }
        other => return Err(format!("the law {other:.40} is not known")),
    };
    let n = individuals(case);
    let mut scenario = base::playing();
    scenario.dns.ttl = Span::ZERO;
    scenario.devices[0].connection_age = age;
    if let Some(session) = &mut scenario.session {
        session.length = vec![(1.0, 1e4 * last)];
        scenario.markets[0].starts = n / (1e4 * last);
    }
    let last = last.max(case.last_moment() * 1.01);
    let open = |window: &Window| {
        let all = window.global.playing_secs;
        (all > 0.0).then(|| 1.0 - window.regions[WEST].playing_secs / all)
    };
    let all = drained(&scenario, seed, REPLICATIONS, (2.0 * mean, last), open);
    let residuals: Vec<f64> = all.iter().map(|s| s.integral(f64::INFINITY)).collect();
    let series = Series::mean(&all);
    let n = n * REPLICATIONS as f64;
    let find = |metric: &Metric| match metric.name.as_str() {
        "mean_residual" => match Finding::mean(&residuals) {
            // Sessions play in a step where they began it: half a window too long.
            Finding::Value(found) => Finding::within(found.value, found.noise, mean / FINE),
            other => other,
        },
        _ => share(metric, &series, n),
    };
    Ok(case.metrics.iter().map(find).collect())
}
