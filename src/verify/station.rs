//! Queues as services: each zone of a region is a system of its own, with its own slots and its own
//! waiting line; requests that arrive at random choose one at random, so that systems are independent.

use super::base;
use crate::model::outcome::Outcome;
use crate::model::scenario::{Call, Scenario, Service, ServiceId};
use crate::simulate::{Simulator, Stream, Visit};
use crate::units::{Dist, Span};
use rayon::prelude::*;

/// Waiting places where there is no limit.
pub const PLENTY: u32 = 1_000_000;
/// Rates per second that are followed request by request.
pub const RATES: std::ops::RangeInclusive<f64> = 1e-2..=1e6;
/// A client waits so long for an answer: for ever.
const PATIENT_SECS: f64 = 1e9;

/// What serves at one stop.
#[derive(Clone, Debug)]
pub struct Station {
    /// Slots.
    pub slots: u32,
    /// Waiting places.
    pub places: u32,
    /// How long a slot takes.
    pub time: Dist,
    /// Who waits longer than this in the line leaves it; `None`: nobody leaves.
    pub patience: Option<Dist>,
}

impl Station {
    /// Slots, a law, and as many waiting places as anybody wants.
    pub fn new(slots: u32, time: Dist) -> Station {
        Station {
            slots,
            places: PLENTY,
            time,
            patience: None,
        }
    }
}

/// Requests per second to each of so many systems, which are served by stations in a row. They come
/// until a moment; the rest of the time is for those who are still there.
pub fn scenario(
    rate: f64,
    zones: usize,
    stations: &[Station],
    (coming, secs): (f64, f64),
) -> Scenario {
    let mut scenario = base::alone(base::plain());
    base::through_edge(&mut scenario, 0.0);
    scenario.faults.clear();
    scenario.policy.knobs.failover = false;
    scenario.regions[base::EAST].zones = zones;
    let last = stations.len() - 1;
    let template = scenario.services[0].clone();
    let service = |(v, station): (ServiceId, &Station)| Service {
        name: format!("station-{v}"),
        slots: station.slots,
        queue: station.places,
        instances: Some(zones as u32),
        time: station.time.clone(),
        queue_timeout: station.patience.clone(),
        calls: if v == last {
            Vec::new()
        } else {
            vec![call(v + 1)]
        },
        ..template.clone()
    };
    scenario.services = stations.iter().enumerate().map(service).collect();
    scenario.call_order = (0..=last).collect();
    scenario.markets[0].starts = rate * zones as f64;
    let class = &mut scenario.devices[0];
    class.timeout = Span::from_secs(PATIENT_SECS);
    base::windows(&mut scenario, secs / 16.0, secs);
    if coming < secs {
        scenario.faults = vec![super::retries::surge(coming, secs - coming, 0.0)];
    }
    scenario
}

/// A call that is waited for as long as it takes.
pub fn call(to: ServiceId) -> Call {
    Call {
        to,
        count: 1.0,
        critical: true,
        fallback: String::new(),
        timeout_secs: PATIENT_SECS,
        attempts: 1,
        parallel: true,
        priority: 0,
        cache: None,
    }
}

/// How many are at the first station at the beginning.
#[derive(Clone, Debug)]
pub struct Present {
    /// Probability of at most so many.
    below: Vec<f64>,
    /// Who has come just now, if there is a place.
    more: u64,
}

impl Present {
    /// Nobody.
    pub fn nobody() -> Present {
        Present {
            below: vec![1.0],
            more: 0,
        }
    }

    /// The stationary law of births at a rate and deaths at a rate that depends on how many there are;
    /// at most `most` of them.
    pub fn stationary(births: f64, deaths: impl Fn(f64) -> f64, most: u64) -> Present {
        /// What is less probable than this, as a logarithm, does not happen.
        const NEVER: f64 = -40.0;
        let (mut weights, mut largest) = (vec![0.0], 0.0_f64);
        for n in 1..=most {
            let before = weights[weights.len() - 1];
            let weight = before + libm::log(births / deaths(n as f64));
            weights.push(weight);
            largest = largest.max(weight);
            if weight < largest + NEVER && weight < before {
                break;
            }
        }
        let part = |weight: &f64| libm::exp(weight - largest);
        let sum: f64 = weights.iter().map(part).sum();
        let mut total = 0.0;
        let below = weights.iter().map(|weight| {
            total += part(weight) / sum;
            total
        });
        Present {
            below: below.collect(),
            more: 0,
        }
    }

    /// The law just after an arrival, from which the next one finds the law that was there before: between
    /// a fixed moment and the first arrival after it, systems are left alone for longer than between two
    /// arrivals.
    pub fn after_arrival(&self) -> Present {
        Present {
            more: 1,
            ..self.clone()
        }
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        self.below.iter().map(|below| 1.0 - below).sum()
    }

    /// The most that there may be.
    pub fn most(&self) -> f64 {
        self.below.len() as f64
    }

    fn draw(&self, chance: f64) -> u64 {
        let most = self.below.len() - 1;
        let found = self.below.partition_point(|&below| below < chance);
        (found.min(most) as u64 + self.more).min(most as u64)
    }
}

/// Runs replications request by request, and keeps what `read` takes from what became of the work.
pub fn watch<T: Send>(
    scenario: &Scenario,
    (seed, count): (u64, u64),
    present: &Present,
    read: impl Fn(&Outcome, Vec<Visit>) -> T + Sync,
) -> Vec<T> {
    let simulator = Simulator::new(scenario);
    let one = |replication: u64| {
        let stream = Stream::new(seed, replication, "verify", "present");
        let first = |zone: usize| present.draw(stream.draws(zone as u64, 0).uniform());
        let (outcome, visits) = simulator.watch(seed, replication, (0, &first));
        read(&outcome, visits)
    };
    (0..count).into_par_iter().map(one).collect()
}

/// Visits of one station by zone, in the order of their arrival.
pub fn by_zone(visits: Vec<Visit>, station: ServiceId, zones: usize) -> Vec<Vec<Visit>> {
    let mut all = vec![Vec::new(); zones];
    for visit in visits {
        if visit.region == base::EAST && visit.service == station && visit.zone < zones {
            all[visit.zone].push(visit);
        }
    }
    for zone in &mut all {
        zone.sort_by_key(|visit| visit.arrived);
    }
    all
}

/// When somebody came, and when they left.
pub fn stay(visit: &Visit) -> (f64, f64) {
    let came = visit.arrived.secs();
    (came, came + visit.stayed_secs)
}
