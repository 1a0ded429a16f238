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
    /// Whether it holds an answer at a random moment.
    holds: bool,
    /// When it asks, within its time to live; when the application reads, within its pin.
    phase: f64,
    pin_phase: f64,
    choice: f64,
    lateness: f64,
    /// Moment as of which it will know the answer at its next re-reading.
    asks: Time,
}

impl Resolvers {
    /// Resolvers that hold the given answer. `requests_per_sec` is each one's mean demand: one that
    /// is asked seldom holds an unexpired answer only part of the time, `lT / (1 + lT)`.
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

    /// Share of the devices that each region's answer is held for.
    pub fn share(&self) -> &[f64] {
        &self.shares
    }

    /// The authoritative answer changes to these weights per region, which sum to one.
    pub fn set_answer(&mut self, now: Time, weights: &[f64]) {
        self.answers.push((now, cumulative(weights)));
        let first = self.anchor.is_none();
        let anchor = *self.anchor.get_or_insert(now);
        for i in 0..self.units.len() {
            if self.units[i].pending {
                continue;
            }
            if first && !self.units[i].holds && !self.units[i].violates {
                // Its next request asks anew in any case.
                self.read(i, now);
                self.units[i].holds = true;
                continue;
            }
            self.schedule(i, now, anchor);
        }
        self.refresh();
    }

    /// Schedules the re-reading that follows `after`.
    fn schedule(&mut self, i: usize, after: Time, anchor: Time) {
        let unit = &mut self.units[i];
        let asks = if unit.violates {
            after + Span::from_secs(law::quantile(&self.stale, unit.lateness))
        } else {
            next_in_phase(anchor, unit.phase, self.ttl, after)
        };
        let reads = if self.pin.is_zero() {
            asks
        } else {
            next_in_phase(anchor, unit.pin_phase, self.pin, asks)
        };
        unit.asks = asks;
        unit.pending = true;
        self.due.push(Reverse((reads, i as u32)));
    }

    /// Takes the answer as of `asked`.
    fn read(&mut self, i: usize, asked: Time) {
        let known = self.answers.partition_point(|a| a.0 <= asked).max(1) - 1;
        let unit = &mut self.units[i];
        let region = pick(&self.answers[known].1, unit.choice);
        if region != unit.region {
            self.weights[unit.region as usize] -= unit.weight;
            self.weights[region as usize] += unit.weight;
            unit.region = region;
        }
        unit.pending = false;
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
            let asked = self.units[i].asks;
            self.read(i, asked);
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
            let newest = self.answers.last().map_or(Time::ZERO, |a| a.0);
            if newest > asked {
                self.schedule(i, asked.max(at).max(Time(asked.0 + 1)), anchor);
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
    Time(
        anchor
            .0
            .saturating_add(offset)
            .saturating_add(periods.saturating_mul(period.0)),
    )
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
mod tests {
    use super::*;
    use crate::model::scenario::Violators;
    use crate::units::Dist;

    fn class(violators: f64, mean: f64, pin: f64) -> DeviceClass {
        DeviceClass {
            name: "all".into(),
            share: 1.0,
            direct: false,
            violators: Violators {
                share: violators,
                stale: Dist::Exponential { mean },
            },
            pin: Span::from_secs(pin),
            connection_age: Dist::Fixed(1200.0),
            connection_idle: Span::from_secs(65.0),
            timeout: Span::from_secs(10.0),
            attempts: 1,
            backoff_base: Span::from_secs(1.0),
            backoff_factor: 1.6,
            backoff_cap: Span::from_secs(120.0),
            jitter: 0.2,
            retry_budget: f64::INFINITY,
            fallback_after: 0,
        }
    }

    fn resolvers(ttl: f64, class: &DeviceClass, demand: f64) -> Resolvers {
        let dns = Dns {
            ttl: Span::from_secs(ttl),
            propagation: Dist::Fixed(0.0),
            resolvers: 40_000,
            spread: 0.0,
        };
        let stream = Stream::new(3, 0, "resolvers", "test");
        Resolvers::new(&dns, class, demand, &[1.0, 0.0], stream)
    }

    /// Share on the old answer at each time after a change at 100 s.
    fn drain(mut resolvers: Resolvers, times: &[f64]) -> Vec<f64> {
        let mut at = Time::from_secs(100.0);
        resolvers.set_answer(at, &[0.0, 1.0]);
        let mut out = [0.0; 2];
        times
            .iter()
            .map(|&t| {
                let to = Time::from_secs(100.0 + t + 1e-9);
                resolvers.advance(at, to, &mut out);
                at = to;
                resolvers.share()[0]
            })
            .collect()
    }

    fn near(got: &[f64], want: &[f64]) {
        for (g, w) in got.iter().zip(want) {
            assert!((g - w).abs() < 0.012, "{got:?} {want:?}");
        }
    }

    #[test]
    fn answers_drain_in_a_straight_line_and_violators_slowly() {
        let hot = f64::INFINITY;
        let times = [0.0, 6.0, 15.0, 30.0, 45.0, 59.0, 60.0];
        near(
            &drain(resolvers(60.0, &class(0.0, 1.0, 0.0), hot), &times),
            &[1.0, 0.9, 0.75, 0.5, 0.25, 1.0 / 60.0, 0.0],
        );
        let late = drain(
            resolvers(60.0, &class(0.05, 1800.0, 0.0), hot),
            &[0.0, 30.0, 60.0, 300.0, 1800.0],
        );
        near(&late, &[1.0, 0.5242, 0.0484, 0.0423, 0.0184]);
    }

    #[test]
    fn seldom_asked_resolvers_hold_nothing_most_of_the_time() {
        let got = drain(
            resolvers(60.0, &class(0.0, 1.0, 0.0), 0.01),
            &[0.0, 15.0, 30.0, 45.0],
        );
        near(&got, &[0.375, 0.28125, 0.1875, 0.09375]);
    }

    #[test]
    fn an_application_that_keeps_answers_lags_behind_its_resolver() {
        let hot = f64::INFINITY;
        let got = drain(
            resolvers(60.0, &class(0.0, 1.0, 30.0), hot),
            &[10.0, 30.0, 45.0, 60.0, 80.0, 90.1],
        );
        near(&got, &[0.9722, 0.75, 0.5, 0.25, 0.0278, 0.0]);
        let got = drain(
            resolvers(30.0, &class(0.0, 1.0, 60.0), hot),
            &[15.0, 30.0, 60.0, 75.0],
        );
        near(&got, &[0.9375, 0.75, 0.25, 0.0625]);
    }

    #[test]
    fn a_ramp_of_weights_is_seen_through_the_time_to_live() {
        let mut resolvers = resolvers(60.0, &class(0.0, 1.0, 0.0), f64::INFINITY);
        let mut out = [0.0; 2];
        let mut seen = Vec::new();
        for second in 0..700_u32 {
            let at = Time::from_secs(f64::from(second));
            if second <= 600 {
                let new = f64::from(second) / 600.0;
                resolvers.set_answer(at, &[1.0 - new, new]);
            }
            if [30, 60, 300, 600, 630, 661].contains(&second) {
                seen.push(resolvers.share()[1]);
            }
            resolvers.advance(at, Time::from_secs(f64::from(second + 1)), &mut out);
        }
        near(&seen, &[0.0125, 0.05, 0.45, 0.95, 0.9875, 1.0]);
    }

    /// Shares on the new answer while its weight rises evenly over `ramp`, one change a second.
    fn ramp(mut resolvers: Resolvers, ramp: u32, times: &[u32]) -> Vec<f64> {
        let mut out = [0.0; 2];
        let mut seen = Vec::new();
        for second in 0..=times[times.len() - 1] {
            let at = Time::from_secs(f64::from(second));
            if second <= ramp {
                let new = f64::from(second) / f64::from(ramp);
                resolvers.set_answer(at, &[1.0 - new, new]);
            }
            if times.contains(&second) {
                seen.push(resolvers.share()[1]);
            }
            resolvers.advance(at, Time::from_secs(f64::from(second + 1)), &mut out);
        }
        seen
    }

    #[test]
    fn ramps_of_any_length_follow_the_mean_of_the_last_time_to_live() {
        let hot = f64::INFINITY;
        let plain = class(0.0, 1.0, 0.0);
        near(
            &ramp(
                resolvers(300.0, &plain, hot),
                120,
                &[60, 120, 300, 360, 421],
            ),
            &[0.05, 0.2, 0.8, 0.95, 1.0],
        );
        near(
            &ramp(resolvers(60.0, &plain, hot), 60, &[30, 60, 90, 121]),
            &[0.125, 0.5, 0.875, 1.0],
        );
        // Seldom asked: (w + lT mean of w) / (1 + lT), at every change and not only the first.
        near(
            &ramp(resolvers(60.0, &plain, 0.01), 60, &[30, 60, 90, 121]),
            &[0.3594, 0.8125, 0.9531, 1.0],
        );
    }

    #[test]
    fn an_application_reads_what_its_resolver_holds_by_then() {
        // Two layers smooth the ramp twice: the mean over 60 s of the mean over 10 s, 35 s late.
        let pinned = class(0.0, 1.0, 60.0);
        near(
            &ramp(
                resolvers(10.0, &pinned, f64::INFINITY),
                600,
                &[70, 300, 600, 671],
            ),
            &[35.0 / 600.0, 265.0 / 600.0, 565.0 / 600.0, 1.0],
        );
        // One that is asked seldom is asked by the application alone.
        near(
            &drain(
                resolvers(60.0, &class(0.0, 1.0, 30.0), 1e-9),
                &[0.0, 15.0, 30.0],
            ),
            &[1.0, 0.5, 0.0],
        );
    }

    #[test]
    fn going_back_is_as_slow_as_going() {
        for (demand, half) in [(f64::INFINITY, 0.5), (0.01, 0.1875)] {
            let mut resolvers = resolvers(60.0, &class(0.0, 1.0, 0.0), demand);
            let mut out = [0.0; 2];
            let at = Time::from_secs;
            resolvers.set_answer(at(0.0), &[0.0, 1.0]);
            resolvers.advance(at(0.0), at(600.0), &mut out);
            resolvers.set_answer(at(600.0), &[1.0, 0.0]);
            resolvers.advance(at(600.0), at(630.0), &mut out);
            assert!(
                (resolvers.share()[1] - half).abs() < 0.012,
                "{:?}",
                resolvers.share()
            );
            resolvers.advance(at(630.0), at(661.0), &mut out);
            assert_eq!(resolvers.share(), [1.0, 0.0]);
            assert_eq!(resolvers.next_time(), Time::NEVER);
        }
    }

    #[test]
    fn a_change_that_moves_nobody_costs_nothing() {
        let mut resolvers = resolvers(60.0, &class(0.1, 600.0, 0.0), f64::INFINITY);
        resolvers.set_answer(Time::ZERO, &[1.0, 0.0]);
        assert_eq!(resolvers.next_time(), Time::NEVER);
    }

    #[test]
    fn the_mean_over_a_step_is_the_integral() {
        let mut whole = resolvers(60.0, &class(0.0, 1.0, 0.0), f64::INFINITY);
        whole.set_answer(Time::ZERO, &[0.0, 1.0]);
        let mut out = [0.0; 2];
        whole.advance(Time::ZERO, Time::from_secs(30.0), &mut out);
        assert!(
            (out[0] - 0.75).abs() < 0.01 && (out[0] + out[1] - 1.0).abs() < 1e-9,
            "{out:?}"
        );
        whole.advance(Time::from_secs(30.0), Time::from_secs(90.0), &mut out);
        assert_eq!(whole.share(), [0.0, 1.0]);
        assert_eq!(whole.next_time(), Time::NEVER);
    }
}
