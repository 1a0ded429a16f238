//! Names: resolvers that hold an answer for its time to live, or longer, each for its own share of a
//! market's devices of one class.
//!
//! Resolvers are individuals: the devices behind one move together. Each asks at a phase of its own
//! that is the same under every policy, and picks among weighted answers by a uniform of its own, so
//! a growing weight moves it once.

use crate::engine::law;
use crate::engine::normal;
use crate::engine::stream::Stream;
use crate::model::scenario::{DeviceClass, Dns};
use crate::units::{Span, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// All weights together; whole numbers, so that shares come out as exactly nought and one.
const WHOLE: u64 = 1 << 50;

/// The resolvers of one market and device class.
#[derive(Clone, Debug)]
pub struct Resolvers {
    ttl: Span,
    pin: Span,
    stale: crate::units::Dist,
    units: Vec<Unit>,
    /// Weight that points to each region.
    weights: Vec<u64>,
    shares: Vec<f64>,
    /// When the answer changed, and the cumulative weights since.
    answers: Vec<(Time, Vec<f64>)>,
    /// First change: phases run from it.
    anchor: Option<Time>,
    /// Next re-reading of each unit that has one.
    due: BinaryHeap<Reverse<(Time, u32)>>,
}

#[derive(Clone, Debug)]
struct Unit {
    weight: u64,
    region: u16,
    violates: bool,
    /// Whether a re-reading is scheduled.
    pending: bool,
    /// Whether its requests find an unexpired answer; otherwise each asks anew.
    holds: bool,
    /// When it asks, within its time to live; when the application reads, within its pin.
    phase: f64,
    pin_phase: f64,
    choice: f64,
    lateness: f64,
    /// When a violator asks at last.
    asks: Time,
}

impl Resolvers {
    /// Resolvers that hold the given answer. `requests_per_sec` is each one's mean demand `l`: of the
    /// requests at one that is asked seldom only `lT / (1 + lT)` find an unexpired answer, whose age
    /// is uniform within the time to live; so that share of the resolvers always holds one, and the
    /// rest never do.
    pub fn new(
        dns: &Dns,
        class: &DeviceClass,
        requests_per_sec: f64,
        weights: &[f64],
        stream: Stream,
    ) -> Resolvers {
        let count = dns.resolvers.max(1);
        let ttl_secs = dns.ttl.secs();
        let demand = requests_per_sec * ttl_secs;
        let holding = if demand.is_finite() {
            demand / (1.0 + demand)
        } else {
            1.0
        };
        let mut sizes = Vec::with_capacity(count);
        let mut units = Vec::with_capacity(count);
        for i in 0..count as u64 {
            let mut draws = stream.draws(i, 0);
            let [phase, choice, violator, lateness] = [(); 4].map(|()| draws.uniform());
            let [pin_phase, held, size, _] = [(); 4].map(|()| draws.uniform());
            let size = if dns.spread > 0.0 {
                libm::exp(dns.spread * normal::quantile(size))
            } else {
                1.0
            };
            sizes.push(size);
            units.push(Unit {
                weight: 0,
                region: 0,
                violates: violator < class.violators.share,
                pending: false,
                holds: held < holding,
                phase,
                pin_phase,
                choice,
                lateness,
                asks: Time::ZERO,
            });
        }
        let total: f64 = sizes.iter().sum();
        let mut left = WHOLE;
        for (i, (unit, size)) in units.iter_mut().zip(&sizes).enumerate() {
            unit.weight = if i + 1 == count {
                left
            } else {
                ((size / total * WHOLE as f64) as u64).min(left)
            };
            left -= unit.weight;
        }
        let mut resolvers = Resolvers {
            ttl: dns.ttl,
            pin: class.pin,
            stale: class.violators.stale.clone(),
            units,
            weights: vec![0; weights.len()],
            shares: vec![0.0; weights.len()],
            answers: vec![(Time::ZERO, cumulative(weights))],
            anchor: None,
            due: BinaryHeap::new(),
        };
        for i in 0..count {
            let region = pick(&resolvers.answers[0].1, resolvers.units[i].choice);
            resolvers.units[i].region = region;
            resolvers.weights[region as usize] += resolvers.units[i].weight;
        }
        resolvers.refresh();
        resolvers
    }

    fn refresh(&mut self) {
        for (share, &weight) in self.shares.iter_mut().zip(&self.weights) {
            *share = weight as f64 / WHOLE as f64;
        }
    }

    /// Sums of the resolvers' weights, each with those before it; the last is one.
    pub fn sums(&self) -> Vec<f64> {
        let mut sum = 0;
        let upto = |unit: &Unit| {
            sum += unit.weight;
            sum as f64 / WHOLE as f64
        };
        self.units.iter().map(upto).collect()
    }

    /// The region to which a resolver points.
    pub fn region_of(&self, unit: u32) -> usize {
        usize::from(self.units[unit as usize].region)
    }

    /// Reads what is due up to a moment.
    pub fn follow(&mut self, now: Time) {
        let anchor = self.anchor.unwrap_or(now);
        if self.next_time() > now {
            return;
        }
        while let Some(&Reverse((at, i))) = self.due.peek() {
            if at > now {
                break;
            }
            self.due.pop();
            self.read(i as usize, at, anchor);
        }
        self.refresh();
    }

    /// Share of the devices that each region's answer is held for.
    pub fn share(&self) -> &[f64] {
        &self.shares
    }

    /// The authoritative answer changes to these weights per region, which sum to one.
    pub fn set_answer(&mut self, now: Time, weights: &[f64]) {
        let sums = cumulative(weights);
        if self.answers[self.answers.len() - 1].1 == sums {
            return;
        }
        self.answers.push((now, sums));
        let anchor = *self.anchor.get_or_insert(now);
        for i in 0..self.units.len() {
            let unit = &self.units[i];
            let region = self.newest(unit.choice);
            if unit.pending || unit.region == region {
                continue;
            }
            if unit.holds || unit.violates || !self.pin.is_zero() {
                self.schedule(i, now, anchor);
            } else {
                self.point(i, region);
            }
        }
        self.refresh();
    }

    /// The region that the newest answer gives for a choice.
    fn newest(&self, choice: f64) -> u16 {
        pick(&self.answers[self.answers.len() - 1].1, choice)
    }

    /// Schedules the first re-reading that can give an answer as of `after` or later.
    fn schedule(&mut self, i: usize, after: Time, anchor: Time) {
        let unit = &mut self.units[i];
        let asks = if unit.violates {
            after + Span::from_secs(law::quantile(&self.stale, unit.lateness))
        } else if unit.holds {
            next_in_phase(anchor, unit.phase, self.ttl, after)
        } else {
            after
        };
        let reads = next_in_phase(anchor, unit.pin_phase, self.pin, asks);
        unit.asks = asks;
        unit.pending = true;
        self.due.push(Reverse((reads, i as u32)));
    }

    /// Takes the answer that the resolver holds at a scheduled re-reading.
    fn read(&mut self, i: usize, at: Time, anchor: Time) {
        let unit = &mut self.units[i];
        unit.pending = false;
        let asked = if unit.violates {
            unit.asks
        } else if unit.holds {
            last_in_phase(anchor, unit.phase, self.ttl, at)
        } else {
            at
        };
        let choice = unit.choice;
        let known = self.answers.partition_point(|a| a.0 <= asked).max(1) - 1;
        let region = pick(&self.answers[known].1, choice);
        self.point(i, region);
        if region != self.newest(choice) {
            // The resolver has not heard of the newest answer yet.
            self.schedule(i, Time(at.0.saturating_add(1)), anchor);
        }
    }

    fn point(&mut self, i: usize, region: u16) {
        let unit = &mut self.units[i];
        self.weights[unit.region as usize] -= unit.weight;
        self.weights[region as usize] += unit.weight;
        unit.region = region;
    }

    /// When anything changes next.
    pub fn next_time(&self) -> Time {
        self.due.peek().map_or(Time::NEVER, |Reverse((at, _))| *at)
    }

    /// Advances over `[from, to)`; `out` becomes the mean share per region over that time.
    pub fn advance(&mut self, from: Time, to: Time, out: &mut [f64]) {
        out.copy_from_slice(&self.shares);
        if self.next_time() >= to {
            return;
        }
        let span = to.since(from).secs();
        let anchor = self.anchor.unwrap_or(from);
        while self.next_time() < to {
            let Some(Reverse((at, i))) = self.due.pop() else {
                break;
            };
            let i = i as usize;
            let old = self.units[i].region as usize;
            self.read(i, at, anchor);
            let new = self.units[i].region as usize;
            if new != old {
                let weight = self.units[i].weight as f64 / WHOLE as f64;
                let part = if span > 0.0 {
                    to.since(at).secs() / span
                } else {
                    0.0
                };
                out[old] = (out[old] - weight * part).max(0.0);
                out[new] += weight * part;
            }
        }
        self.refresh();
    }
}

/// The first instant not before `after` that lies at the phase of a period counted from the anchor.
fn next_in_phase(anchor: Time, phase: f64, period: Span, after: Time) -> Time {
    if period.is_zero() {
        return after;
    }
    let offset = (phase * period.0 as f64) as u64;
    let gone = after.since(anchor).0;
    let periods = gone.saturating_sub(offset).div_ceil(period.0);
    let beyond = offset.saturating_add(periods.saturating_mul(period.0));
    Time(anchor.0.saturating_add(beyond))
}

/// The last such instant not after `until`; the anchor if there is none since.
fn last_in_phase(anchor: Time, phase: f64, period: Span, until: Time) -> Time {
    if period.is_zero() {
        return until;
    }
    let offset = (phase * period.0 as f64) as u64;
    match until.since(anchor).0.checked_sub(offset) {
        Some(gone) => Time(anchor.0 + offset + gone / period.0 * period.0),
        None => anchor,
    }
}

fn cumulative(weights: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    weights
        .iter()
        .map(|w| {
            sum += w;
            sum
        })
        .collect()
}

/// The region that a uniform picks; the last with any weight catches rounding.
fn pick(cumulative: &[f64], choice: f64) -> u16 {
    let found = cumulative.iter().position(|&sum| choice < sum);
    let last = (1..cumulative.len())
        .rev()
        .find(|&i| cumulative[i] > cumulative[i - 1])
        .unwrap_or(0);
    found.unwrap_or(last) as u16
}

#[cfg(test)]
mod tests;
