//! How many starts a market expects, at any moment and over any interval.

use crate::model::scenario::{Market, Scenario};
use crate::model::series::Series;
use crate::units::Time;

/// Seconds in a day.
const DAY_SECS: f64 = 86_400.0;

/// The rate of one market's starts, without the shock of a replication.
#[derive(Clone, Debug)]
pub struct Demand {
    starts_per_sec: f64,
    shape: Shape,
    surges: Vec<Surge>,
}

/// More viewers than usual from one moment to another, in seconds from the beginning.
#[derive(Clone, Copy, Debug)]
struct Surge {
    from_secs: f64,
    until_secs: f64,
    factor: f64,
}

#[derive(Clone, Debug)]
enum Shape {
    Constant,
    Profile {
        factors: Vec<f64>,
        local_start_secs: f64,
    },
    Wave {
        amplitude: f64,
        period_secs: f64,
        phase: f64,
    },
    Series(Series),
}

impl Demand {
    /// The demand of a market of the scenario.
    pub fn new(scenario: &Scenario, market: &Market) -> Demand {
        let shape = match (&market.wave, market.profile.len()) {
            _ if market.series.is_some() => {
                Shape::Series(market.series.clone().expect("it is there"))
            }
            (Some(wave), _) => Shape::Wave {
                amplitude: wave.amplitude,
                period_secs: wave.period_secs,
                phase: wave.phase,
            },
            (None, 0 | 1) => Shape::Constant,
            (None, _) => Shape::Profile {
                factors: market.profile.clone(),
                local_start_secs: scenario.start_of_day_secs + market.utc_offset_secs,
            },
        };
        let level = match market.profile.as_slice() {
            [one] if market.wave.is_none() => *one,
            _ => 1.0,
        };
        Demand {
            starts_per_sec: market.starts * scenario.demand * level,
            shape,
            surges: Vec::new(),
        }
    }

    /// So many times as many starts from one moment to another; where several overlap they multiply.
    pub fn surge(&mut self, from: Time, until: Time, factor: f64) {
        self.surges.push(Surge {
            from_secs: from.secs(),
            until_secs: until.secs(),
            factor,
        });
    }

    /// Starts per second at a moment, in seconds from the beginning; negative moments are before it.
    pub fn rate(&self, secs: f64) -> f64 {
        self.usual_rate(secs) * self.surging(secs)
    }

    /// The factor of all surges at a moment.
    fn surging(&self, secs: f64) -> f64 {
        let on = self
            .surges
            .iter()
            .filter(|s| s.from_secs <= secs && secs < s.until_secs);
        on.map(|surge| surge.factor).product()
    }

    /// The rate without surges.
    fn usual_rate(&self, secs: f64) -> f64 {
        let factor = match &self.shape {
            Shape::Constant => 1.0,
            Shape::Profile {
                factors,
                local_start_secs,
            } => {
                let part = DAY_SECS / factors.len() as f64;
                let position = (secs + local_start_secs).rem_euclid(DAY_SECS) / part;
                let below = (position as usize).min(factors.len() - 1);
                let above = (below + 1) % factors.len();
                let inside = position - below as f64;
                factors[below] * (1.0 - inside) + factors[above] * inside
            }
            Shape::Wave {
                amplitude,
                period_secs,
                phase,
            } => {
                let turn = 2.0 * std::f64::consts::PI / period_secs;
                1.0 + amplitude * libm::sin(turn * secs + phase)
            }
            Shape::Series(series) => {
                // Before and after the data it is as at their ends.
                let last = series.factors.len() - 1;
                let position = (secs - series.first_secs) / series.every_secs;
                let position = position.clamp(0.0, last as f64);
                let below = position as usize;
                let inside = position - below as f64;
                let above = (below + 1).min(last);
                series.factors[below] * (1.0 - inside) + series.factors[above] * inside
            }
        };
        self.starts_per_sec * factor.max(0.0)
    }

    /// Expected number of starts in `[from, to)`, in seconds from the beginning: the exact integral.
    pub fn expected(&self, from: f64, to: f64) -> f64 {
        if self.surges.is_empty() {
            return self.usually_expected(from, to);
        }
        // Between two ends of surges the factor is constant.
        let (mut at, mut sum) = (from, 0.0);
        while at < to {
            let ends = self.surges.iter().flat_map(|s| [s.from_secs, s.until_secs]);
            let end = ends.filter(|&end| end > at).fold(to, f64::min);
            sum += self.usually_expected(at, end) * self.surging(at);
            at = end;
        }
        sum
    }

    /// The same without surges.
    fn usually_expected(&self, from: f64, to: f64) -> f64 {
        match &self.shape {
            Shape::Constant => self.starts_per_sec * (to - from),
            Shape::Profile {
                factors,
                local_start_secs,
            } => {
                // Linear between the knots: the trapezoid is exact on each piece.
                let part = DAY_SECS / factors.len() as f64;
                let mut at = from;
                let mut sum = 0.0;
                while at < to {
                    let local = at + local_start_secs;
                    let knot = ((local / part).floor() + 1.0) * part - local_start_secs;
                    let end = if knot > at { knot.min(to) } else { to };
                    // The rate just before a knot, so that both ends lie on the same piece.
                    sum += 0.5 * (self.usual_rate(at) + self.usual_rate(end)) * (end - at);
                    at = end;
                }
                sum
            }
            Shape::Wave {
                amplitude,
                period_secs,
                phase,
            } => {
                let turn = 2.0 * std::f64::consts::PI / period_secs;
                let swing = libm::cos(turn * from + phase) - libm::cos(turn * to + phase);
                self.starts_per_sec * ((to - from) + amplitude / turn * swing)
            }
            Shape::Series(series) => {
                let (mut at, mut sum) = (from, 0.0);
                while at < to {
                    let passed = ((at - series.first_secs) / series.every_secs).floor();
                    let knot = series.first_secs + (passed + 1.0) * series.every_secs;
                    let end = if knot > at { knot.min(to) } else { to };
                    sum += 0.5 * (self.usual_rate(at) + self.usual_rate(end)) * (end - at);
                    at = end;
                }
                sum
            }
        }
    }

    /// The largest usual rate of the day (of the wave's period), found on its knots; of measured rates
    /// that of the busiest hour.
    pub fn peak(&self) -> f64 {
        match &self.shape {
            Shape::Constant => self.starts_per_sec,
            Shape::Profile { factors, .. } => {
                self.starts_per_sec * factors.iter().fold(0.0, |a: f64, &b| a.max(b))
            }
            Shape::Wave { amplitude, .. } => self.starts_per_sec * (1.0 + amplitude),
            Shape::Series(_) => self.starts_per_sec,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Demand {
        Demand {
            starts_per_sec: 10.0,
            shape: Shape::Profile {
                factors: vec![0.2, 1.0, 0.6, 0.4],
                local_start_secs: 3600.0,
            },
            surges: Vec::new(),
        }
    }

    #[test]
    fn the_integral_is_the_sum_of_the_rate() {
        let wave = Demand {
            starts_per_sec: 10.0,
            shape: Shape::Wave {
                amplitude: 0.9,
                period_secs: 600.0,
                phase: 1.0,
            },
            surges: Vec::new(),
        };
        let mut surging = profile();
        surging.surge(Time::from_secs(5_000.0), Time::from_secs(50_000.0), 1.5);
        surging.surge(Time::from_secs(40_000.0), Time::from_secs(60_000.0), 2.0);
        for demand in [profile(), wave, surging] {
            let steps = 200_000;
            let (from, to) = (100.0, 90_000.0);
            let width = (to - from) / steps as f64;
            let sum: f64 = (0..steps)
                .map(|i| demand.rate(from + (i as f64 + 0.5) * width) * width)
                .sum();
            let exact = demand.expected(from, to);
            assert!((sum - exact).abs() < 1e-5 * exact, "{sum} {exact}");
        }
    }

    #[test]
    fn the_day_repeats_and_is_read_linearly() {
        let demand = profile();
        assert!((demand.rate(0.0) - demand.rate(DAY_SECS)).abs() < 1e-9);
        // An hour into a part of six hours, from 0.2 to 1.0.
        assert!((demand.rate(0.0) - 10.0 * (0.2 + 0.8 / 6.0)).abs() < 1e-9);
        assert_eq!(demand.peak(), 10.0);
    }

    #[test]
    fn a_surge_acts_from_its_beginning_to_its_end() {
        let mut demand = profile();
        let usual = profile();
        demand.surge(Time::from_secs(100.25), Time::from_secs(200.5), 3.0);
        assert_eq!(demand.rate(100.0), usual.rate(100.0));
        assert_eq!(demand.rate(100.25), 3.0 * usual.rate(100.25));
        assert_eq!(demand.rate(200.5), usual.rate(200.5));
        let more = demand.expected(90.0, 300.0) - usual.expected(90.0, 300.0);
        assert!((more - 2.0 * usual.expected(100.25, 200.5)).abs() < 1e-9);
        assert_eq!(demand.peak(), usual.peak());
    }
}
