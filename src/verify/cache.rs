//! Family 05: caches that fill, lose, expire and stampede.
//!
//! Caches are followed as expectations: a run has no noise. Popularity and requests in sight decide,
//! not seconds, so a case is run with its times stretched until windows are as short as they need
//! to be.

use super::base::{self, EAST};
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use super::paths::{self, Sums};
use super::series::Series;
use crate::model::observation::Observation;
use crate::model::outcome::Window;
use crate::model::scenario::{Cache, Call, Eviction, Scenario, Service};
use crate::units::{Dist, Span, Time};

/// Windows of a run.
const WINDOWS: f64 = 2000.0;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "cache_warm" => fill(case, seed),
        "cache_herd" => herd(case, seed),
        "ttl_cache" => expiry(case, seed),
        "cold_overload" => overload(case, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// A cache in front of a store, alone in the world.
pub fn cached(case: &Case) -> Result<(Scenario, Cache), String> {
    let objects = case.positive("N")?;
    let zipf = case.number("alpha")?;
    if !(1.0..=1e10).contains(&objects) || zipf > 5.0 {
        return Err("the catalogue is not between 1 and 1e10 objects, or alpha above 5".into());
    }
    let mut scenario = base::plain();
    scenario.markets.truncate(1);
    scenario.faults.clear();
    scenario.policy.knobs.failover = false;
    let cache = Cache {
        objects: objects.round() as u64,
        zipf,
        capacity: 4.0 * objects,
        eviction: Eviction::Lru,
        ttl_secs: f64::INFINITY,
        renew_ttl: false,
        common: 0.0,
        coalesce: true,
        warm_secs: 0.0,
    };
    Ok((scenario, cache))
}

/// Puts a store behind the service, and a cache between the two.
pub fn put_store(scenario: &mut Scenario, cache: Cache, store: Service) {
    scenario.services[0].calls = vec![Call {
        to: 1,
        count: 1.0,
        critical: true,
        fallback: String::new(),
        timeout_secs: 1e9,
        attempts: 1,
        parallel: true,
        priority: 0,
        cache: Some(cache),
    }];
    scenario.services.truncate(1);
    scenario.services.push(store);
    scenario.call_order = vec![0, 1];
}

/// A store that never refuses.
fn plenty(scenario: &Scenario, time_secs: f64) -> Service {
    Service {
        name: "store".into(),
        time: Dist::Fixed(time_secs),
        instances: Some(10_000_000),
        calls: Vec::new(),
        ..scenario.services[0].clone()
    }
}

/// A store that serves so many fetches per second and refuses the rest: a loss system so large that
/// chance does not matter.
pub fn limited(scenario: &Scenario, per_sec: f64) -> Service {
    const SLOTS: f64 = 1e6;
    Service {
        name: "store".into(),
        slots: SLOTS as u32,
        instances: Some(1),
        time: Dist::Fixed(SLOTS / per_sec),
        queue: 0,
        calls: Vec::new(),
        ..scenario.services[0].clone()
    }
}

/// Something read from a window.
type Quantity<'a> = &'a (dyn Fn(&Observation) -> Option<f64> + Sync);

/// Hit ratio of a window.
fn hits(o: &Observation) -> Option<f64> {
    (o.cache_lookups > 0.0).then(|| o.cache_hits / o.cache_lookups)
}

/// Runs a scenario once for so many seconds and reads a quantity per window.
fn read(scenario: &Scenario, seed: u64, rate: f64, secs: f64, of: &[Quantity]) -> Vec<Series> {
    // Windows must be at least as long as the clock can tell apart; ten milliseconds are plenty.
    let stretch = (WINDOWS * 1e-2 / secs).max(1.0);
    let mut scenario = scenario.clone();
    scenario.markets[0].starts = rate / stretch;
    for service in &mut scenario.services[1..] {
        if let Dist::Fixed(time) = &mut service.time {
            *time *= stretch;
        }
    }
    for cache in scenario.services[0]
        .calls
        .iter_mut()
        .filter_map(|c| c.cache.as_mut())
    {
        cache.ttl_secs *= stretch;
    }
    base::windows(&mut scenario, secs * stretch / WINDOWS, secs * stretch);
    let window =
        |window: &Window, of: &dyn Fn(&Observation) -> Option<f64>| of(&window.regions[EAST]);
    let mut all = base::replicate(&scenario, seed, 1, |outcome| -> Vec<Series> {
        of.iter()
            .map(|of| {
                let mut series = Series::read(&outcome.windows, Time::ZERO, |w| window(w, *of));
                series.stretch(1.0 / stretch);
                series
            })
            .collect()
    });
    all.remove(0)
}

/// A hit ratio at the moment in a metric's name.
fn at(metric: &Metric, series: &Series) -> Finding {
    match metric.moment().and_then(|secs| series.at(secs)) {
        Some((value, slack)) => Finding::within(value, Noise::Expectation, slack),
        None => Finding::not("the metric is not known, or its moment is beyond the run"),
    }
}

fn fill(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (mut scenario, mut cache) = cached(case)?;
    let (capacity, rate) = (case.positive("C")?, case.positive("rate")?);
    if capacity >= case.number("N")? {
        return Err("the cache holds the whole catalogue".into());
    }
    cache.capacity = capacity;
    let store = plenty(&scenario, 1e-9);
    put_store(&mut scenario, cache.clone(), store.clone());
    let fetches = |o: &Observation| Some(o.cache_fetches);
    let last = case.last_moment().max(1e-9);
    let rising = read(&scenario, seed, rate, 1.05 * last, &[&hits, &fetches]);
    // Windows hold counts; the integral wants rates.
    let missed = rising[1].per_second();
    let fill_secs = missed.reaches(capacity).unwrap_or(last);
    let steady = |eviction: Eviction| {
        let mut scenario = scenario.clone();
        let cache = Cache {
            eviction,
            ..cache.clone()
        };
        put_store(&mut scenario, cache, store.clone());
        read(&scenario, seed, rate, 60.0 * fill_secs, &[&hits])[0].last()
    };
    let (lru, random) = (steady(Eviction::Lru), steady(Eviction::Random));
    let approximate = |metric: &Metric| {
        let same = case
            .metrics
            .iter()
            .find(|other| other.name.starts_with("hit_rate(") && other.moment() == metric.moment());
        same.is_none_or(|other| other.test.bias.unwrap_or(0.0) > 0.0)
    };
    let find = |metric: &Metric| match metric.name.as_str() {
        "che_characteristic_time" => {
            // Until the cache is full every miss is a new object; known to within a window.
            let slack = 1.05 * last / WINDOWS;
            Finding::within(fill_secs, Noise::Expectation, slack)
        }
        "hit_rate_steady_che" => Finding::of(lru, Noise::Expectation),
        "hit_rate_steady_random_or_fifo" => Finding::of(random, Noise::Expectation),
        // What a counted cache holds is a mean: of small ones it is not exact once they are full.
        name if name.contains("EXACT") && approximate(metric) => {
            exact(&scenario, seed, rate, metric, fill_secs).by_request()
        }
        name if name.starts_with("mean_misses_in") => match metric.moment() {
            Some(secs) => Finding::of(missed.integral(secs), Noise::Expectation),
            None => Finding::not("the metric is not known"),
        },
        _ => at(metric, &rising[0]),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// The hit ratio near a moment, or for good, of caches whose objects are followed one by one.
fn exact(scenario: &Scenario, seed: u64, rate: f64, metric: &Metric, fill_secs: f64) -> Finding {
    /// Lookups that are counted, at most.
    const LOOKUPS: f64 = 1e5;
    /// Around the moment, as a share of the time until then.
    const AROUND: f64 = 0.04;
    /// Caches that are followed for good, and after so many times the time in which they fill.
    const CACHES: u64 = 64;
    const FILLED: f64 = 10.0;
    let n = metric.test.n.unwrap_or(LOOKUPS).min(LOOKUPS);
    let mut scenario = scenario.clone();
    scenario.markets[0].starts = rate;
    let (caches, from, until) = match metric.moment() {
        Some(secs) => {
            let width = AROUND * secs;
            let caches = (n / (width * rate)).ceil().clamp(64.0, 50_000.0);
            (caches as u64, secs - 0.5 * width, secs + 0.5 * width)
        }
        None => {
            let from = FILLED * fill_secs;
            (CACHES, from, from + n / rate / CACHES as f64)
        }
    };
    if !(0.0..=1e8).contains(&(until * rate * caches as f64)) || until > 1e7 {
        return Finding::not("too many lookups to be followed one by one");
    }
    scenario.sample = Span::from_secs(until - from).max(Span(1));
    scenario.step = scenario.sample;
    scenario.horizon = Span::from_secs(until);
    // Windows are counted from the first fault: it ends the run.
    scenario.faults = vec![super::retries::surge(until, 1.0, 1.0)];
    let seen = base::replicate_requests(&scenario, seed, caches, |outcome| {
        let last = outcome.windows.iter().rev().find(|w| w.until > w.from);
        let last = last.map(|w| &w.regions[EAST]);
        last.map_or_else(Sums::default, |o| Sums {
            count: o.cache_lookups,
            sum: o.cache_hits,
            squares: o.cache_hits,
        })
    });
    match metric.moment() {
        // Those of one cache are too few to depend on each other.
        Some(_) => {
            let all: f64 = seen.iter().map(|s| s.count).sum();
            let hits: f64 = seen.iter().map(|s| s.sum).sum();
            Finding::of(hits / all, Noise::Observations(all))
        }
        None => paths::mean_of(&seen),
    }
}

fn herd(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (scenario, cache) = cached(case)?;
    let (rate, latency) = (case.positive("rate")?, case.positive("latency")?);
    let store = plenty(&scenario, latency);
    let fetched = |coalesce: bool| {
        let mut scenario = scenario.clone();
        let cache = Cache {
            coalesce,
            ..cache.clone()
        };
        put_store(&mut scenario, cache, store.clone());
        let fetches = |o: &Observation| Some(o.cache_fetches);
        let last = 1.01 * case.last_moment().max(latency);
        read(&scenario, seed, rate, last, &[&fetches])[0].per_second()
    };
    let (merged, single) = (fetched(true), fetched(false));
    let find = |metric: &Metric| {
        let series = match metric.name.split('(').next() {
            Some("origin_fetches_coalesced") => &merged,
            Some("origin_fetches_no_coalescing") => &single,
            _ => return Finding::not("the metric is not known"),
        };
        match metric.moment() {
            Some(secs) => Finding::of(series.integral(secs), Noise::Expectation),
            None => Finding::not("the metric is not known"),
        }
    };
    Ok(case.metrics.iter().map(find).collect())
}

fn expiry(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (mut scenario, mut cache) = cached(case)?;
    let (rate, ttl) = (case.positive("rate")?, case.positive("ttl")?);
    cache.ttl_secs = ttl;
    let store = plenty(&scenario, 1e-9);
    let mut steady = |renew_ttl: bool| {
        let cache = Cache {
            renew_ttl,
            ..cache.clone()
        };
        put_store(&mut scenario, cache, store.clone());
        read(&scenario, seed, rate, 30.0 * ttl, &[&hits])[0].last()
    };
    let (set, renewed) = (steady(false), steady(true));
    let fetches = rate * (1.0 - set);
    let find = |metric: &Metric| match metric.name.as_str() {
        "hit_rate_ttl_set_on_miss_only" => Finding::of(set, Noise::Expectation),
        "hit_rate_ttl_refreshed_on_every_access" => Finding::of(renewed, Noise::Expectation),
        // Little's law: each fetch brings an object that lives for the time to live.
        "mean_objects_cached_set_on_miss_only" => Finding::of(fetches * ttl, Noise::Expectation),
        "origin_rate_set_on_miss_only" => Finding::of(fetches, Noise::Expectation),
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

fn overload(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (mut scenario, cache) = cached(case)?;
    let (rate, capacity) = (case.positive("rate")?, case.positive("origin_capacity")?);
    if capacity >= rate {
        return Err("the store is never overloaded".into());
    }
    let store = limited(&scenario, capacity);
    put_store(&mut scenario, cache, store);
    // Of few requests in a short window: the expected share, not the counted one.
    let good =
        |o: &Observation| (o.cache_lookups > 0.0).then(|| 1.0 - o.cache_failed / o.cache_lookups);
    let refused =
        |o: &Observation| (o.cache_fetches > 0.0).then(|| o.cache_failed / o.cache_fetches);
    let lost = |o: &Observation| Some(o.starts_failed as f64);
    let ends = case.metrics.iter().find(|m| m.name == "overload_ends_at");
    let ends = ends.and_then(Metric::number).unwrap_or(0.0);
    let last = 1.3 * case.last_moment().max(ends).max(1e-9);
    let read = read(
        &scenario,
        seed,
        rate,
        last,
        &[&hits, &good, &refused, &lost],
    );
    let end = overload_end(&read[2]);
    let find = |metric: &Metric| match metric.name.split('(').next().unwrap_or_default() {
        "overload_ends_at" => match end {
            Some(end) => Finding::of(end, Noise::Expectation),
            None => Finding::not("the overload does not end within the run"),
        },
        "hit_rate_when_overload_ends" => match end.and_then(|end| read[0].at(end)) {
            Some((value, slack)) => Finding::within(value, Noise::Expectation, slack),
            None => Finding::not("the overload does not end within the run"),
        },
        "success_rate" => at(metric, &read[1]),
        "hit_rate" => at(metric, &read[0]),
        "lost_requests_total" => {
            // Counted, in one run: as uncertain as a Poisson count.
            let lost = read[3].per_second().integral(f64::INFINITY);
            Finding::of(lost, Noise::Estimated(lost.sqrt(), 1e6))
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// When the share of refused fetches comes to nothing: the straight line through two and four
/// percent, below which chance keeps a little going.
pub fn overload_end(refused: &Series) -> Option<f64> {
    let (near, far) = (refused.stays_below(0.02)?, refused.stays_below(0.04)?);
    Some(2.0 * near - far)
}
