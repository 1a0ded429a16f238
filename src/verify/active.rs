//! Family 02, sessions under a wave of demand: each lasts its own time and none waits for another, so
//! that their number is Poisson about a mean that lags behind the wave.

use super::base;
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use super::lines;
use super::paths::Path;
use super::series::Series;
use super::station::{self, Present, Station};
use crate::model::outcome::{Outcome, Window};
use crate::model::scenario::Wave;
use crate::simulate::Visit;
use crate::units::Time;

/// Replications.
const REPLICATIONS: u64 = 60;
/// Windows of a period, which are counted at their ends.
const WINDOWS: f64 = 5760.0;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let period = case.positive("period")?;
    let mean = case.within("service", "mean")?;
    if !(1.0..=1e6).contains(&period) || !(1e-3..=1e6).contains(&mean) {
        return Err("its times are not between a millisecond and a million seconds".into());
    }
    let wave = Wave {
        amplitude: case.share("b")?,
        period_secs: period,
        phase: 0.0,
    };
    if case.word("service", "type")? != "exp" {
        return one_by_one(case, wave, mean, seed);
    }
    let mut scenario = base::playing();
    scenario.faults.clear();
    scenario.policy.knobs.failover = false;
    scenario.markets[0].starts = case.positive("a")?;
    scenario.markets[0].wave = Some(wave);
    if let Some(session) = &mut scenario.session {
        session.length = vec![(1.0, mean)];
    }
    let sample = period / WINDOWS;
    let last = case.last_moment().max(period);
    base::windows(&mut scenario, sample, last + 2.0 * sample);
    let runs = base::replicate(&scenario, seed, REPLICATIONS, |outcome| {
        let playing = |w: &Window| Some(w.global.playing_sessions);
        Series::read(&outcome.windows, Time::ZERO, playing)
    });
    let peaks: Vec<f64> = runs
        .iter()
        .map(|series| series.peak(period) - 0.25 * period)
        .collect();
    let series = Series::mean(&runs);
    let find = |metric: &Metric| match metric.name.split('(').next().unwrap_or_default() {
        "mean_active" => match metric.moment().and_then(|secs| series.at(secs)) {
            Some((value, slack)) => {
                Finding::within(value, Noise::Observations(REPLICATIONS as f64), slack)
            }
            None => Finding::not("its moment is beyond the run"),
        },
        "peak_lag_seconds" => Finding::mean(&peaks).with_slack(0.5 * sample),
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// Sessions last a mixture of exponential times. What lasts other times is a request that keeps one of
/// very many slots busy, in systems that begin empty some turns of the wave before.
fn one_by_one(case: &Case, wave: Wave, mean: f64, seed: u64) -> Result<Vec<Finding>, String> {
    /// Systems of a replication, and arrivals that the case may make.
    const ZONES: usize = 64;
    const ARRIVALS: f64 = 2e6;
    /// Times that one lasts until all who came at the beginning have gone, or hardly any has not.
    const GONE: f64 = 10.0;
    const SLOTS: u32 = 1_000_000;
    let (time, _) = lines::service(case)?;
    let rate = case.positive("a")?;
    let turns = (GONE * mean / wave.period_secs).ceil();
    let warm = turns * wave.period_secs;
    let secs = warm + case.last_moment() + 1e-3 * wave.period_secs;
    let systems = (ARRIVALS / (rate * secs)).max(256.0) / ZONES as f64;
    if rate * secs > 1e5 || secs > 1e7 {
        return Err("too many arrive, or it lasts too long".into());
    }
    let stations = [Station::new(SLOTS, time)];
    let mut scenario = station::scenario(rate, ZONES, &stations, (secs, secs + GONE * mean));
    scenario.markets[0].wave = Some(wave);
    let read = |_: &Outcome, visits: Vec<Visit>| -> Vec<Path> {
        let zones = station::by_zone(visits, 0, ZONES);
        zones
            .iter()
            .map(|zone| Path::of(zone.iter().map(station::stay)))
            .collect()
    };
    let count = systems.ceil() as u64;
    let paths = station::watch(&scenario, (seed, count), &Present::nobody(), read).concat();
    let n = paths.len() as f64;
    let find = |metric: &Metric| match metric.moment() {
        Some(secs) if metric.name.starts_with("mean_active") => {
            let there = paths.iter().map(|path| path.at(warm + secs) as f64);
            Finding::of(there.sum::<f64>() / n, Noise::Observations(n)).by_request()
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}
