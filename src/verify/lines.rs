//! Family 01 where no law of the beginning is at hand: other laws of service, patience that runs out,
//! stations in a row, and work that comes back. Systems begin empty, and are looked at after a while;
//! they are independent, so that the spread between them says how sure their mean is.

use super::case::{Case, Metric};
use super::judge::Finding;
use super::paths::{self, Path, Sums};
use super::retries;
use super::station::{self, Present, Station};
use crate::model::outcome::Outcome;
use crate::model::scenario::Scenario;
use crate::simulate::Visit;
use crate::units::{Dist, Span};

/// Systems of a replication, and replications.
const ZONES: usize = 64;
const REPLICATIONS: u64 = 4;
/// The same of stations in a row, whose systems must not mix.
const ALONE: u64 = 256;
/// Arrivals that a case may make, all systems together, and the part of them before anybody counts.
const ARRIVALS: f64 = 1.6e6;
const WARM: f64 = 0.2;
/// Arrivals that may be in a system at the end, and are still served.
const LEFT: f64 = 600.0;
/// What stands for any number of attempts.
const UNLIMITED: u32 = 1_000_000;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let rate = case.positive("lambda")?;
    if !station::RATES.contains(&rate) {
        return Err("its rate is not between one in 100 seconds and a million a second".into());
    }
    match case.model.as_str() {
        "mmc_det_patience" => {
            let (slots, each) = (case.count("c", 10_000)?, case.positive("mu")?);
            let station = Station {
                patience: Some(Dist::Fixed(case.positive("tau")?)),
                ..Station::new(slots, Dist::Exponential { mean: 1.0 / each })
            };
            Ok(single(case, rate, &station, seed))
        }
        "mg1" => {
            let (time, mean) = service(case)?;
            let station = Station::new(1, time);
            if rate * mean >= 0.98 {
                return Err("its queue has no stationary law, or hardly one".into());
            }
            Ok(single(case, rate, &station, seed))
        }
        "tandem" => tandem(case, rate, seed),
        "jackson_feedback" => feedback(case, rate, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// The law of service of a case, and its mean.
pub fn service(case: &Case) -> Result<(Dist, f64), String> {
    let part = |key: &str| case.within("service", key).and_then(sensible);
    let word = case.word("service", "type")?;
    let mean = match word {
        "h2" => {
            let first = part("p1")?.min(1.0);
            first * part("mean1")? + (1.0 - first) * part("mean2")?
        }
        _ => part("mean")?,
    };
    let law = match word {
        "exp" => Dist::Exponential {
            mean: part("mean")?,
        },
        "det" => Dist::Fixed(part("mean")?),
        "h2" => {
            let first = part("p1")?.min(1.0);
            let phase = |mean: f64| Dist::Exponential { mean };
            Dist::Mixture(vec![
                (first, phase(part("mean1")?)),
                (1.0 - first, phase(part("mean2")?)),
            ])
        }
        "lognormal" => {
            let sigma2 = libm::log1p(part("scv")?);
            Dist::Lognormal {
                mu: libm::log(part("mean")?) - 0.5 * sigma2,
                sigma: sigma2.sqrt(),
            }
        }
        "erlang" => {
            let phases = part("k")?.round().clamp(1.0, 1000.0);
            let phase = Dist::Exponential {
                mean: part("mean")? / phases,
            };
            Dist::Sum(vec![phase; phases as usize])
        }
        other => return Err(format!("the law {other:.40} is not known")),
    };
    Ok((law, mean))
}

fn sensible(value: f64) -> Result<f64, String> {
    match (1e-6..=1e6).contains(&value) {
        true => Ok(value),
        false => Err("a part of its law is not between one in a million and a million".into()),
    }
}

/// When systems are looked at, when nobody comes any more, and when all have been served.
fn times(rate: f64, systems: f64) -> (f64, f64, f64) {
    let secs = (ARRIVALS / systems / rate).max(2.0 * LEFT / rate);
    (WARM * secs, secs, secs + LEFT / rate)
}

/// What a system of one station has seen.
struct Seen {
    visits: Vec<Visit>,
    busy: f64,
    waiting: f64,
    served: f64,
}

fn single(case: &Case, rate: f64, station: &Station, seed: u64) -> Vec<Finding> {
    let (warm, secs, end) = times(rate, ZONES as f64 * REPLICATIONS as f64);
    let stations = std::slice::from_ref(station);
    let scenario = station::scenario(rate, ZONES, stations, (secs, end));
    let read = |_: &Outcome, visits: Vec<Visit>| -> Vec<Seen> {
        let zones = station::by_zone(visits, 0, ZONES);
        let mean = |stays: &mut dyn Iterator<Item = (f64, f64)>| {
            Path::of(stays).mean((warm, secs), |n| n as f64)
        };
        let one = |zone: Vec<Visit>| {
            let waited = |v: &Visit| v.waited_secs.unwrap_or(v.stayed_secs);
            let in_line = |v: &Visit| (v.arrived.secs(), v.arrived.secs() + waited(v));
            let served = zone.iter().filter(|v| v.waited_secs.is_some());
            let in_slot = |v: &Visit| (in_line(v).1, station::stay(v).1);
            let left = served.clone().map(|v| station::stay(v).1);
            Seen {
                busy: mean(&mut served.clone().map(in_slot)),
                waiting: mean(&mut zone.iter().map(in_line)),
                served: left.filter(|at| (warm..secs).contains(at)).count() as f64,
                visits: zone
                    .into_iter()
                    .filter(|v| v.arrived.secs() > warm)
                    .collect(),
            }
        };
        zones.into_iter().map(one).collect()
    };
    let systems: Vec<Seen> =
        station::watch(&scenario, (seed, REPLICATIONS), &Present::nobody(), read)
            .into_iter()
            .flatten()
            .collect();
    let of = |value: &dyn Fn(&Visit) -> Option<f64>| -> Vec<Sums> {
        let one = |seen: &Seen| Sums::of(seen.visits.iter().filter_map(value));
        systems.iter().map(one).collect()
    };
    let share = |holds: &dyn Fn(&Visit) -> bool| {
        paths::mean_of(&of(&|visit| Some(f64::from(holds(visit)))))
    };
    let per_system = |value: &dyn Fn(&Seen) -> f64| {
        Finding::mean(&systems.iter().map(value).collect::<Vec<_>>())
    };
    let waited = |v: &Visit| v.waited_secs.unwrap_or(v.stayed_secs);
    let slots = f64::from(station.slots);
    let find = |metric: &Metric| match metric.name.as_str() {
        "utilisation" => per_system(&|seen| seen.busy / slots),
        "mean_queue_length" => per_system(&|seen| seen.waiting),
        "goodput" => per_system(&|seen| seen.served / (secs - warm)),
        "prob_wait" | "prob_wait(>0)" => share(&|visit| waited(visit) > 0.0),
        "prob_timeout" => share(&|visit| visit.waited_secs.is_none()),
        "mean_wait" | "mean_wait_of_served" => paths::mean_of(&of(&|visit| visit.waited_secs)),
        "mean_wait_all(timeouts count tau)" => paths::mean_of(&of(&|visit| Some(waited(visit)))),
        "sd_wait" => paths::spread_of(&of(&|visit| visit.waited_secs)),
        "mean_sojourn" => paths::mean_of(&of(&|visit| Some(visit.stayed_secs))),
        name if name.starts_with("wait_q") => {
            let most = metric.number().unwrap_or(f64::NAN);
            share(&|visit| waited(visit) <= most)
        }
        _ => Finding::not("the metric is not known"),
    };
    case.metrics
        .iter()
        .map(|metric| find(metric).by_request())
        .collect()
}

/// Stations in a row: who is served by one goes on to the next.
fn tandem(case: &Case, rate: f64, seed: u64) -> Result<Vec<Finding>, String> {
    let list = case.params.get("stations").and_then(|list| list.as_array());
    let list = list.ok_or("the parameter stations is missing")?;
    let station = |of: &serde_json::Value| {
        let part = |key: &str| of.get(key).and_then(serde_json::Value::as_f64);
        let slots = part("c").filter(|c| (1.0..=1e4).contains(c) && c.fract() == 0.0)?;
        let each = part("mu").filter(|mu| mu * slots > 1.01 * rate)?;
        Some(Station::new(
            slots as u32,
            Dist::Exponential { mean: 1.0 / each },
        ))
    };
    let stations: Option<Vec<Station>> = list.iter().map(station).collect();
    let stations = stations.filter(|s| (1..=16).contains(&s.len()));
    let stations = stations.ok_or("its stations do not keep up, or are not one to sixteen")?;
    let (warm, secs, end) = times(rate, ALONE as f64);
    let scenario = station::scenario(rate, 1, &stations, (secs, end));
    // A visit of one station lasts until all behind it are done.
    let read = |_: &Outcome, visits: Vec<Visit>| -> Vec<(Sums, f64, Vec<f64>)> {
        let count = stations.len();
        let at = |v: usize| visits.iter().filter(move |visit| visit.service == v);
        let one = |v: usize| {
            let counted = at(v).filter(|visit| visit.arrived.secs() > warm);
            let stays: Vec<f64> = counted.map(|visit| visit.stayed_secs).collect();
            let path = Path::of(at(v).map(station::stay));
            let there = path.mean((warm, secs), |n| n as f64);
            (
                Sums::of(stays.iter().copied()),
                there,
                if v == 0 { stays } else { Vec::new() },
            )
        };
        (0..count).map(one).collect()
    };
    let systems = station::watch(&scenario, (seed, ALONE), &Present::nobody(), read);
    let stays = |v: usize| -> Vec<Sums> {
        let next = |system: &[(Sums, f64, Vec<f64>)]| system.get(v + 1).map_or(0.0, |s| s.0.sum);
        let own = |system: &Vec<(Sums, f64, Vec<f64>)>| Sums {
            sum: system[v].0.sum - next(system),
            ..system[v].0
        };
        systems.iter().map(own).collect()
    };
    let there = |v: usize| -> Vec<f64> {
        let next = |system: &[(Sums, f64, Vec<f64>)]| system.get(v + 1).map_or(0.0, |s| s.1);
        systems
            .iter()
            .map(|system| system[v].1 - next(system))
            .collect()
    };
    let whole = || systems.iter().map(|system| system[0].0).collect::<Vec<_>>();
    let number = |name: &str| -> Option<usize> {
        let v = name.rsplit('_').next()?.parse().ok()?;
        (v < stations.len()).then_some(v)
    };
    let find = |metric: &Metric| match metric.name.as_str() {
        "mean_end_to_end_sojourn" => paths::mean_of(&whole()),
        "sd_end_to_end" => paths::spread_of(&whole()),
        name if name.starts_with("end_to_end_q") => {
            let most = metric.number().unwrap_or(f64::NAN);
            let below = |stays: &Vec<f64>| Sums::of(stays.iter().map(|s| f64::from(*s <= most)));
            paths::mean_of(&systems.iter().map(|s| below(&s[0].2)).collect::<Vec<_>>())
        }
        name => match (number(name), name) {
            (Some(v), name) if name.starts_with("mean_sojourn_station") => {
                paths::mean_of(&stays(v))
            }
            (Some(v), name) if name.starts_with("mean_number_station") => Finding::mean(&there(v)),
            _ => Finding::not("the metric is not known"),
        },
    };
    Ok(case
        .metrics
        .iter()
        .map(|metric| find(metric).by_request())
        .collect())
}

/// Work that comes back: a call after the station fails for a share of the requests, and their clients
/// try again at once.
fn feedback(case: &Case, rate: f64, seed: u64) -> Result<Vec<Finding>, String> {
    let (slots, each) = (case.count("c", 10_000)?, case.positive("mu")?);
    let back = case.share("feedback")?;
    if rate >= 0.99 * f64::from(slots) * each * (1.0 - back) {
        return Err("its queue has no stationary law, or hardly one".into());
    }
    let station = Station::new(slots, Dist::Exponential { mean: 1.0 / each });
    let check = Station::new(1_000_000, Dist::Fixed(0.0));
    let (warm, secs, end) = times(rate, ALONE as f64);
    let mut scenario: Scenario = station::scenario(rate, 1, &[station, check], (secs, end));
    let class = &mut scenario.devices[0];
    class.attempts = UNLIMITED;
    class.backoff_base = Span::ZERO;
    class.retry_budget = f64::INFINITY;
    class.fallback_after = 0;
    let fault = retries::erring(&scenario, 1, back);
    scenario.faults.insert(0, fault);
    struct Seen {
        visits: Sums,
        good: f64,
        there: f64,
        rate: f64,
    }
    let read = |_: &Outcome, visits: Vec<Visit>| {
        let here = || visits.iter().filter(|visit| visit.service == 0);
        let counted = || here().filter(|v| (warm..secs).contains(&v.arrived.secs()));
        let path = Path::of(here().map(station::stay));
        Seen {
            visits: Sums::of(counted().map(|visit| visit.stayed_secs)),
            good: counted().filter(|visit| visit.good).count() as f64,
            there: path.mean((warm, secs), |n| n as f64),
            rate: counted().count() as f64 / (secs - warm),
        }
    };
    let systems = station::watch(&scenario, (seed, ALONE), &Present::nobody(), read);
    let each_of = |of: &dyn Fn(&Seen) -> f64| -> Vec<f64> { systems.iter().map(of).collect() };
    let per_good = |of: &dyn Fn(&Seen) -> f64| {
        let one = |seen: &Seen| Sums {
            count: seen.good,
            sum: of(seen),
            squares: 0.0,
        };
        paths::mean_of(&systems.iter().map(one).collect::<Vec<_>>())
    };
    let find = |metric: &Metric| match metric.name.as_str() {
        "station_arrival_rate" => Finding::mean(&each_of(&|seen| seen.rate)),
        // Who leaves for good has made all its visits; the last of the beginning and the end cancel.
        "mean_visits" => per_good(&|seen| seen.visits.count),
        "mean_sojourn_per_visit" => {
            paths::mean_of(&systems.iter().map(|seen| seen.visits).collect::<Vec<_>>())
        }
        "mean_total_sojourn" => per_good(&|seen| seen.visits.sum),
        "mean_number" => Finding::mean(&each_of(&|seen| seen.there)),
        _ => Finding::not("the metric is not known"),
    };
    Ok(case
        .metrics
        .iter()
        .map(|metric| find(metric).by_request())
        .collect())
}
