//! Family 03: what fails and is repaired at random, over years.
//!
//! Elements are regions (and zones in them) that the fault `random` takes. What is up when is read
//! from the log; hardly anyone asks for anything.

use super::base;
use super::case::{Case, Metric};
use super::judge::{Finding, Noise, mean_and_error};
use crate::model::outcome::Outcome;
use crate::model::scenario::{Element, Fault, Scenario};
use crate::units::{Dist, Span};

/// Replications that begin as usual, and that begin with all up.
const USUAL: u64 = 150;
const FRESH: u64 = 400;
/// How often the known time to the first failure a run lasts, so that hardly any sees none.
const PATIENCE: f64 = 12.0;
/// Failures, all elements together, in a run that begins as usual.
const FAILURES: f64 = 400.0;
/// The shortest mean time of a case lasts so long: ages beside the steps of what boots anew.
const SHORTEST_SECS: f64 = 36_000.0;
/// Longest run that is simulated.
const LONGEST_SECS: f64 = 1e12;
/// Most elements.
const MOST: u32 = 100;

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "k_of_n" => redundant(case, seed),
        "two_state" => single(case, seed),
        "region_composite" => composite(case, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// Failures and repairs of one kind of element, per unit of time.
struct Rates {
    of: Element,
    fail: f64,
    repair: f64,
    repairers: u32,
}

/// A system of regions with equal zones.
struct System {
    regions: u32,
    zones: u32,
    /// Zones that a region needs.
    need_zones: u32,
    rates: Vec<Rates>,
}

impl System {
    /// Seconds of a unit of time of the case.
    fn unit_secs(&self) -> f64 {
        let fastest = self.rates.iter().map(|r| r.fail.max(r.repair));
        SHORTEST_SECS * fastest.fold(0.0, f64::max)
    }

    fn scenario(&self, units: f64, stationary: bool) -> Result<Scenario, String> {
        let unit_secs = self.unit_secs();
        let secs = units * unit_secs;
        if !(secs > 0.0 && secs <= LONGEST_SECS) {
            return Err("it lasts longer than is simulated".into());
        }
        let mut scenario = base::regions(self.regions, self.zones);
        base::windows(&mut scenario, secs, secs);
        scenario.control.interval = scenario.horizon;
        scenario.control.timeout = scenario.horizon;
        let fault = |rates: &Rates| Fault {
            kind: "random".into(),
            of: Some(rates.of),
            duration: scenario.horizon,
            mtbf: Span::from_secs(unit_secs / rates.fail),
            mttr: Some(Dist::Exponential {
                mean: unit_secs / rates.repair,
            }),
            repairers: rates.repairers,
            count: 1,
            stationary,
            ..Fault::default()
        };
        scenario.faults = self.rates.iter().map(fault).collect();
        Ok(scenario)
    }

    fn live(
        &self,
        seed: u64,
        count: u64,
        units: f64,
        stationary: bool,
    ) -> Result<Vec<Path>, String> {
        let scenario = self.scenario(units, stationary)?;
        Ok(base::replicate(&scenario, seed, count, |outcome| {
            self.path(&scenario, outcome, units)
        }))
    }

    /// How many regions are up when, read from the log.
    fn path(&self, scenario: &Scenario, outcome: &Outcome, units: f64) -> Path {
        let count = scenario.regions.len();
        let (mut dark, mut lost) = (vec![false; count], vec![0_u32; count]);
        let mut path = Path {
            changes: vec![(0.0, count)],
            end: units,
        };
        for entry in &outcome.log {
            let named = |r: &crate::model::scenario::Region| r.name == entry.part;
            let Some(region) = scenario.regions.iter().position(named) else {
                continue;
            };
            let what = entry.what.as_str();
            if what.starts_with("goes dark") {
                dark[region] = true;
            } else if what.starts_with("has power again") {
                dark[region] = false;
            } else if what.starts_with("zone ") && what.contains("is down") {
                lost[region] += 1;
            } else if what.starts_with("no longer: zone ") {
                lost[region] = lost[region].saturating_sub(1);
            } else {
                continue;
            }
            let works = |r: &usize| !dark[*r] && lost[*r] + self.need_zones <= self.zones;
            path.note(
                entry.at.secs() / self.unit_secs(),
                (0..count).filter(works).count(),
            );
        }
        path
    }
}

/// How many regions are up, from each change on; times are in units of the case.
struct Path {
    changes: Vec<(f64, usize)>,
    end: f64,
}

impl Path {
    fn note(&mut self, at: f64, up: usize) {
        match self.changes.last_mut() {
            Some(last) if last.0 == at => last.1 = up,
            _ => self.changes.push((at, up)),
        }
    }

    /// Regions that are up at a moment.
    fn at(&self, moment: f64) -> usize {
        let later = self.changes.partition_point(|change| change.0 <= moment);
        self.changes[later.max(1) - 1].1
    }

    /// Integral of what `of` makes of the number up, to `end`.
    fn integral(&self, end: f64, of: impl Fn(usize) -> f64) -> f64 {
        let ends = self.changes.iter().skip(1).map(|change| change.0);
        let ends = ends.chain([self.end]);
        let parts = self.changes.iter().zip(ends);
        parts
            .map(|(&(from, up), until)| of(up) * (until.min(end) - from).max(0.0))
            .sum()
    }

    /// Share of the time with at least so many up.
    fn share(&self, need: usize) -> f64 {
        self.integral(self.end, |up| f64::from(u8::from(up >= need))) / self.end
    }

    fn mean_up(&self) -> f64 {
        self.integral(self.end, |up| up as f64) / self.end
    }

    /// Times at which fewer than `need` are up, and were not just before.
    fn outages(&self, need: usize) -> impl Iterator<Item = f64> {
        let pairs = self.changes.windows(2);
        pairs
            .filter(move |pair| pair[0].1 >= need && pair[1].1 < need)
            .map(|pair| pair[1].0)
    }
}

fn mean(paths: &[Path], of: impl Fn(&Path) -> f64) -> Finding {
    Finding::mean(&paths.iter().map(of).collect::<Vec<_>>())
}

fn share(paths: &[Path], of: impl Fn(&Path) -> bool) -> Finding {
    let count = paths.len() as f64;
    let hits = paths.iter().filter(|path| of(path)).count();
    Finding::of(hits as f64 / count, Noise::Observations(count))
}

/// A ratio of means over replications, with the error of its first-order expansion.
fn ratio(paths: &[Path], above: impl Fn(&Path) -> f64, below: impl Fn(&Path) -> f64) -> Finding {
    let pairs: Vec<(f64, f64)> = paths.iter().map(|p| (above(p), below(p))).collect();
    let count = pairs.len() as f64;
    let (a, b) = pairs
        .iter()
        .fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
    let ratio = a / b;
    let off: Vec<f64> = pairs
        .iter()
        .map(|p| (p.0 - ratio * p.1) * count / b)
        .collect();
    Finding::of(ratio, Noise::Estimated(mean_and_error(&off).1, count))
}

/// So many of the same, of which some are needed.
fn redundant(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let regions = case.count("n", MOST)?;
    let need = case.count("k", MOST)? as usize;
    let fail = case.positive("lambda")?;
    let system = System {
        regions,
        zones: 1,
        need_zones: 1,
        rates: vec![Rates {
            of: Element::Region,
            fail,
            repair: case.positive("mu")?,
            repairers: case.count("repairers", MOST)?,
        }],
    };
    let usual = system.live(seed, USUAL, FAILURES / fail / f64::from(regions), true)?;
    let named = |metric: &&Metric| metric.name == "mttf_from_all_up";
    let known = case.metrics.iter().find(named).and_then(Metric::number);
    let reach = (PATIENCE * known.unwrap_or(0.0)).max(1.01 * case.last_moment());
    let fresh = system.live(seed ^ 1, FRESH, reach.max(1.0 / fail), false)?;
    let down = |path: &Path| path.end * (1.0 - path.share(need));
    let outages = |path: &Path| path.outages(need).count() as f64;
    let find = |metric: &Metric| {
        let moment = metric.moment().unwrap_or(f64::INFINITY);
        match metric.name.split('(').next().unwrap_or_default() {
            "steady_availability" => mean(&usual, |path| path.share(need)),
            "outage_frequency_per_time" => mean(&usual, |path| outages(path) / path.end),
            "mean_outage_duration" => ratio(&usual, down, outages),
            "mean_uptime_between_outages" => ratio(&usual, |path| path.end - down(path), outages),
            "mean_up_count" => mean(&usual, Path::mean_up),
            "mttf_from_all_up" => {
                mean(&fresh, |path| path.outages(need).next().unwrap_or(path.end))
            }
            _ if moment > reach => Finding::not("its moment is beyond the run"),
            "point_availability" => share(&fresh, |path| path.at(moment) >= need),
            "reliability_no_outage_by" => share(&fresh, |path| {
                path.outages(need).next().is_none_or(|at| at > moment)
            }),
            _ => Finding::not("the metric is not known"),
        }
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// One element that works at first.
fn single(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let system = System {
        regions: 1,
        zones: 1,
        need_zones: 1,
        rates: vec![Rates {
            of: Element::Region,
            fail: case.positive("lambda")?,
            repair: case.positive("mu")?,
            repairers: 1,
        }],
    };
    let length = case.positive("T")?;
    let reach = length.max(1.01 * case.last_moment());
    let fresh = system.live(seed, 10 * FRESH, reach, false)?;
    let find = |metric: &Metric| match metric.name.split('(').next().unwrap_or_default() {
        "availability" => match metric.moment() {
            Some(moment) => share(&fresh, |path| path.at(moment) > 0),
            None => Finding::not("its moment is missing"),
        },
        "mean_downtime_in_[0,T]" => {
            let up = |path: &Path| path.integral(length, |up| up as f64);
            let down: Vec<f64> = fresh.iter().map(|path| length - up(path)).collect();
            let runs = Noise::Observations(down.len() as f64);
            Finding::of(mean_and_error(&down).0, runs)
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

/// Regions, each with a failure of its own and with zones that fail.
fn composite(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (zones, need_zones) = (case.count("n_az", MOST)?, case.count("k_az", MOST)?);
    let need = case.count("need_regions", MOST)? as usize;
    let (zone, region) = (case.positive("lambda_az")?, case.positive("lambda_r")?);
    let rates = |of, fail, repair| Rates {
        of,
        fail,
        repair,
        repairers: 0,
    };
    let system = System {
        regions: case.count("regions", MOST)?,
        zones,
        need_zones,
        rates: vec![
            rates(Element::Zone, zone, case.positive("mu_az")?),
            rates(Element::Region, region, case.positive("mu_r")?),
        ],
    };
    let regions = f64::from(system.regions);
    let all = regions * (region + zone * f64::from(zones));
    let usual = system.live(seed, USUAL, FAILURES / all, true)?;
    let find = |metric: &Metric| match metric.name.as_str() {
        "region_availability" => mean(&usual, |path| path.mean_up() / regions),
        "service_availability" => mean(&usual, |path| path.share(need)),
        "expected_regions_up" => mean(&usual, Path::mean_up),
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}
