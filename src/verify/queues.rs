//! Family 01 where service times are exponential: systems begin in their stationary law, so that one
//! customer of each is an independent draw, and the mean over a long time has a known variance.

use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use super::paths::{self, Path, Sums};
use super::station::{self, PLENTY, Present, Station};
use crate::model::outcome::Outcome;
use crate::simulate::Visit;
use crate::units::Dist;

/// Systems of a replication.
const ZONES: usize = 64;
/// So many arrivals are waited for until the first has come: all but one in 8,000 have it then.
const AFTER: f64 = 9.0;
/// Work that a case may make, and customers that are looked at at least.
const WORK: f64 = 3e6;
const FEWEST: f64 = 8000.0;
/// Arrivals of the long runs, and how many systems share them.
const LONG: f64 = 1e6;
const LONG_ZONES: usize = 16;

/// A system of exponential servers.
pub struct System {
    /// Arrivals per second.
    pub rate: f64,
    /// Slots.
    pub slots: u32,
    /// Rate of a slot.
    pub each: f64,
    /// Waiting places.
    pub places: u32,
    /// Rate at which each of those who wait leaves.
    pub leaving: f64,
}

impl System {
    /// From the parameters of a case.
    pub fn new(case: &Case) -> Result<System, String> {
        let slots = case.count("c", 100_000)?;
        let (rate, each) = match case.model.as_str() {
            "erlang_b_case" => (case.positive("offered_load")?, 1.0),
            _ => (case.positive("lambda")?, case.positive("mu")?),
        };
        let places = match case.model.as_str() {
            // All who are there: those served too.
            "mmck" => case
                .count("K", PLENTY)?
                .checked_sub(slots)
                .ok_or("fewer may be there than are served")?,
            "erlang_b_case" => 0,
            _ => PLENTY,
        };
        let leaving = match case.model.as_str() {
            "erlang_a" => case.positive("theta")?,
            _ => 0.0,
        };
        if ![rate, each].iter().all(|of| station::RATES.contains(of)) {
            return Err(
                "its rates are not between one in 100 seconds and a million a second".into(),
            );
        }
        if case.model == "mmc" && rate >= 0.999 * each * f64::from(slots) {
            return Err("its queue has no stationary law, or hardly one".into());
        }
        Ok(System {
            rate,
            slots,
            each,
            places,
            leaving,
        })
    }

    /// Arrivals, slots, the rate of each, and waiting places.
    pub fn of(rate: f64, slots: u32, each: f64, places: u32) -> System {
        System {
            rate,
            slots,
            each,
            places,
            leaving: 0.0,
        }
    }

    fn deaths(&self, n: f64) -> f64 {
        let slots = f64::from(self.slots);
        n.min(slots) * self.each + (n - slots).max(0.0) * self.leaving
    }

    /// How many are there at first.
    pub fn present(&self) -> Present {
        let most = u64::from(self.slots) + u64::from(self.places);
        Present::stationary(self.rate, |n| self.deaths(n), most)
    }

    /// The station.
    pub fn station(&self) -> Station {
        let patience = (self.leaving > 0.0).then_some(Dist::Exponential {
            mean: 1.0 / self.leaving,
        });
        Station {
            places: self.places,
            patience,
            ..Station::new(
                self.slots,
                Dist::Exponential {
                    mean: 1.0 / self.each,
                },
            )
        }
    }

    /// So long until nobody is left who came before, but for one in very many.
    fn drain_secs(&self, present: &Present) -> f64 {
        let slots = f64::from(self.slots);
        let line = (present.most() - slots).max(0.0) / (slots * self.each);
        2.0 * line + 40.0 / self.each
    }
}

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let system = System::new(case)?;
    let present = system.present();
    let customers = tagged(case, &system, &present, seed);
    let long = Long::run(case, &system, &present, seed);
    let find = |metric: &Metric| -> Finding {
        of_customers(case, metric, &customers)
            .or_else(|| long.find(metric, &system))
            .unwrap_or_else(|| Finding::not("the metric is not known"))
    };
    Ok(case
        .metrics
        .iter()
        .map(|metric| find(metric).by_request())
        .collect())
}

/// One customer of each of many systems: the first to come after one that came at the beginning.
fn tagged(case: &Case, system: &System, present: &Present, seed: u64) -> Vec<Visit> {
    let meant = case.metrics.iter().filter_map(|m| m.test.n);
    let meant = meant.fold(FEWEST, f64::max);
    let each = AFTER + present.mean();
    let n = meant.min(WORK / each).max(FEWEST);
    let replications = (n / ZONES as f64).ceil() as u64;
    let until = AFTER / system.rate;
    let secs = until + system.drain_secs(present);
    let scenario = station::scenario(system.rate, ZONES, &[system.station()], (until, secs));
    let first = |_: &Outcome, visits: Vec<Visit>| -> Vec<Visit> {
        let zones = station::by_zone(visits, 0, ZONES);
        let first = |zone: &Vec<Visit>| {
            let later = zone.iter().find(|visit| visit.arrived.secs() > 0.0);
            later.copied()
        };
        zones.iter().filter_map(first).collect()
    };
    let present = present.after_arrival();
    station::watch(&scenario, (seed, replications), &present, first).concat()
}

/// What customers say who are independent of each other.
fn of_customers(case: &Case, metric: &Metric, customers: &[Visit]) -> Option<Finding> {
    let n = customers.len() as f64;
    let share = |of: &dyn Fn(&Visit) -> bool, among: &[Visit]| {
        let all = among.len() as f64;
        let those = among.iter().filter(|visit| of(visit)).count() as f64;
        Finding::of(those / all, Noise::Observations(all))
    };
    let mean = |of: &dyn Fn(&Visit) -> f64, among: &[Visit]| {
        let all = among.len() as f64;
        let sum: f64 = among.iter().map(of).sum();
        Finding::of(sum / all, Noise::Observations(all))
    };
    let waited = |visit: &Visit| visit.waited_secs.unwrap_or(visit.stayed_secs);
    let accepted: Vec<Visit> = customers
        .iter()
        .filter(|visit| visit.waited_secs.is_some())
        .copied()
        .collect();
    let quantile = |of: &dyn Fn(&Visit) -> f64| match metric.test.kind.as_str() {
        "quantile_sign" => {
            let most = metric.number()?;
            Some(share(&|visit| of(visit) <= most, &accepted))
        }
        // An atom at zero: the quantile is there if it holds so many.
        _ => {
            let p: f64 = metric.name.rsplit('q').next()?.parse().ok()?;
            let mut all: Vec<f64> = accepted.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            let se = (p * (1.0 - p) / n).sqrt();
            let at = ((p - case.z * se) * n).max(0.0) as usize;
            Some(Finding::of(all.get(at).copied()?, Noise::Expectation))
        }
    };
    let is_loss = case.model == "mmck" || case.model == "erlang_b_case";
    Some(match metric.name.as_str() {
        "prob_wait" | "prob_wait_given_accepted" => {
            let among = if case.model == "mmck" {
                &accepted[..]
            } else {
                customers
            };
            share(&|visit| waited(visit) > 0.0, among)
        }
        "mean_wait" | "mean_wait_accepted" => mean(&waited, &accepted),
        "mean_sojourn" => mean(&|visit| visit.stayed_secs, &accepted),
        "sd_wait" => {
            let one = |visit: &Visit| Sums::of(std::iter::once(waited(visit)));
            let all: Vec<Sums> = accepted.iter().map(one).collect();
            paths::spread_of(&all)
        }
        // With lognormal times, by systems that are followed for long.
        "blocking_prob" if case.model == "erlang_b_case" => return None,
        "blocking_prob" if is_loss => share(&|visit| visit.waited_secs.is_none(), customers),
        "prob_abandon" => share(&|visit| visit.waited_secs.is_none(), customers),
        "mean_wait_all(incl. abandoning)" => {
            let one = |visit: &Visit| Sums::of(std::iter::once(waited(visit)));
            paths::mean_of(&customers.iter().map(one).collect::<Vec<_>>())
        }
        name if name.starts_with("wait") => return quantile(&waited),
        name if name.starts_with("sojourn") => return quantile(&|visit| visit.stayed_secs),
        _ => return None,
    })
}

/// Systems that are followed for long.
struct Long {
    paths: Vec<Path>,
    served: Vec<f64>,
    /// Refused by loss systems with other laws of service.
    refused: Vec<Sums>,
    carried: Vec<f64>,
    secs: f64,
}

impl Long {
    fn run(case: &Case, system: &System, present: &Present, seed: u64) -> Long {
        let horizons = case.metrics.iter().filter_map(|m| m.test.horizon);
        let meant = horizons.fold(0.0, f64::max);
        let arrivals = LONG.min(meant * system.rate).max(1.0);
        let secs = arrivals / system.rate / LONG_ZONES as f64;
        let all = secs + system.drain_secs(present);
        let scenario = station::scenario(system.rate, LONG_ZONES, &[system.station()], (secs, all));
        let read = |_: &Outcome, visits: Vec<Visit>| {
            let zones = station::by_zone(visits, 0, LONG_ZONES);
            zones
                .iter()
                .map(|zone| {
                    let there = zone
                        .iter()
                        .filter(|v| v.stayed_secs > 0.0)
                        .map(station::stay);
                    let left = |v: &&Visit| v.waited_secs.is_some() && station::stay(v).1 < secs;
                    let served = zone.iter().filter(left).count();
                    (Path::of(there), served as f64 / secs)
                })
                .collect::<Vec<_>>()
        };
        let seed_of_long = seed ^ 1;
        let found = station::watch(&scenario, (seed_of_long, 1), present, read).concat();
        let (paths, served) = found.into_iter().unzip();
        let (refused, carried) = match case.model.as_str() {
            "erlang_b_case" => other_laws(system, seed),
            _ => (Vec::new(), Vec::new()),
        };
        Long {
            paths,
            served,
            refused,
            carried,
            secs,
        }
    }

    fn find(&self, metric: &Metric, system: &System) -> Option<Finding> {
        let slots = u64::from(system.slots);
        let all = slots + u64::from(system.places);
        let time = Noise::Time(self.secs * self.paths.len() as f64);
        let over = |of: &dyn Fn(u64) -> f64| -> Vec<f64> {
            let one = |path: &Path| path.mean((0.0, self.secs), of);
            self.paths.iter().map(one).collect()
        };
        let mean = |of: &dyn Fn(u64) -> f64| {
            let values = over(of);
            Finding::of(values.iter().sum::<f64>() / values.len() as f64, time)
        };
        Some(match metric.name.as_str() {
            "prob_wait_time_average(N>=c)" => mean(&|n| f64::from(n >= slots)),
            "mean_queue_length_time_average" | "mean_queue_length" => {
                mean(&|n| n.saturating_sub(slots) as f64)
            }
            "mean_number_in_system_time_average" => mean(&|n| n as f64),
            "mean_busy_servers" => mean(&|n| n.min(slots) as f64),
            "blocking_time_fraction" | "blocking_time_fraction_exp_service" => {
                mean(&|n| f64::from(n >= all))
            }
            "goodput" => Finding::mean(&self.served),
            "blocking_prob" => paths::mean_of(&self.refused),
            "carried_load" => Finding::mean(&self.carried),
            "stationary_pmf_first_12" => {
                let known = metric.numbers();
                let of = |n: usize| over(&|there| f64::from(there == n as u64));
                Finding::means(&known, &(0..known.len()).map(of).collect::<Vec<_>>())
            }
            _ => return None,
        })
    }
}

/// Loss systems do not depend on the law of service beyond its mean: who is refused where it is
/// lognormal, and how many slots are busy where it is fixed.
fn other_laws(system: &System, seed: u64) -> (Vec<Sums>, Vec<f64>) {
    /// Services before who comes is counted.
    const WARM: f64 = 30.0;
    /// Arrivals that are counted, all systems together.
    const COUNTED: f64 = 5e5;
    /// Squared coefficient of variation of the lognormal law.
    const SCV: f64 = 2.0;
    let mean = 1.0 / system.each;
    let sigma2 = libm::log1p(SCV);
    let laws = [
        Dist::Lognormal {
            mu: libm::log(mean) - 0.5 * sigma2,
            sigma: sigma2.sqrt(),
        },
        Dist::Fixed(mean),
    ];
    let warm = WARM * mean;
    let secs = warm + (COUNTED / system.rate / ZONES as f64).max(WARM * mean);
    let mut found = laws.into_iter().map(|time| {
        let station = Station {
            time,
            ..system.station()
        };
        let end = secs + 200.0 * mean;
        let scenario = station::scenario(system.rate, ZONES, &[station], (secs, end));
        let read = |_: &Outcome, visits: Vec<Visit>| {
            let zones = station::by_zone(visits, 0, ZONES);
            let one = |zone: &Vec<Visit>| {
                let counted = zone.iter().filter(|v| v.arrived.secs() > warm);
                let refused = Sums::of(counted.map(|v| f64::from(v.waited_secs.is_none())));
                let there = zone.iter().filter(|v| v.waited_secs.is_some());
                let busy = Path::of(there.map(station::stay)).mean((warm, secs), |n| n as f64);
                (refused, busy)
            };
            zones.iter().map(one).collect::<Vec<_>>()
        };
        station::watch(&scenario, (seed ^ 2, 4), &Present::nobody(), read).concat()
    });
    let lognormal = found.next().unwrap_or_default();
    let fixed = found.next().unwrap_or_default();
    (
        lognormal.into_iter().map(|f| f.0).collect(),
        fixed.into_iter().map(|f| f.1).collect(),
    )
}
