//! How long the connection of a plain user lives, who asks for something at random moments: until
//! two requests lie further apart than the idle timeout, or it has reached its age.
//!
//! With requests at a rate `r` and a timeout `T`, the time `I` until it idles out, from the request
//! that opened it, has a law of its own: it never ends before `T`, ends at `T` when no second request
//! came, and later with a density of `r exp(-r T)` times the chance that it was open a time `T`
//! before. A connection of age `x` is open with chance `P(A > x) P(I > x)`.

use crate::engine::law;
use crate::units::Dist;

/// Panels per idle timeout while the law of idling out is followed exactly.
const FINE: usize = 64;
/// So many timeouts; beyond, the chance of being open falls geometrically.
const EXACT: usize = 16;
/// Beyond, each panel is longer than the last by this factor.
const GROWTH: f64 = 1.02;
/// A chance that is nothing.
const NOTHING: f64 = 1e-13;
/// Nothing lives longer, in seconds.
const LONGEST_SECS: f64 = 1e10;

/// The law of a connection's life.
#[derive(Clone, Debug)]
pub struct Life {
    age: Dist,
    think_secs: f64,
    panels: Vec<Panel>,
}

/// A stretch of a connection's life.
#[derive(Clone, Copy, Debug)]
struct Panel {
    from: f64,
    to: f64,
    /// Chance that it has not idled out, at both ends.
    first: f64,
    last: f64,
    /// Expected time open beyond the end.
    beyond: f64,
}

impl Life {
    /// The law for a maximum age, an idle timeout and a mean time between requests, in seconds.
    pub fn new(age: &Dist, idle_secs: f64, think_secs: f64) -> Life {
        let mut panels = idling(idle_secs, think_secs);
        let alive = |x: f64| 1.0 - law::cdf(age, x);
        let open = panels
            .iter()
            .take_while(|p| p.first > NOTHING && alive(p.from) > NOTHING);
        let count = open.count();
        panels.truncate(count);
        let mut life = Life {
            age: age.clone(),
            think_secs,
            panels,
        };
        let mut beyond = 0.0;
        for i in (0..life.panels.len()).rev() {
            life.panels[i].beyond = beyond;
            beyond += life.open_within(&life.panels[i], life.panels[i].from);
        }
        life
    }

    /// Mean time between two requests of a user, in seconds.
    pub fn think_secs(&self) -> f64 {
        self.think_secs
    }

    /// Mean time that a connection is open.
    pub fn mean_secs(&self) -> f64 {
        self.beyond(0.0)
    }

    /// Expected time that a connection is open after an age of so many seconds, as seen when it is
    /// opened: `int_x^inf P(open at u) du`.
    pub fn beyond(&self, secs: f64) -> f64 {
        let x = secs.max(0.0);
        let at = self.panels.partition_point(|panel| panel.to <= x);
        match self.panels.get(at) {
            Some(panel) => self.open_within(panel, x) + panel.beyond,
            None => 0.0,
        }
    }

    /// Share of the users, in equilibrium, whose connection is open.
    pub fn open_share(&self) -> f64 {
        let mean = self.mean_secs();
        mean / (mean + self.think_secs)
    }

    /// Share of the requests, in equilibrium, that find none open: a user opens one, makes
    /// `mean_secs / think_secs` further requests while it is open, and opens the next.
    pub fn opening_share(&self) -> f64 {
        1.0 - self.open_share()
    }

    /// Expected time open from `x` to the end of a panel.
    fn open_within(&self, panel: &Panel, x: f64) -> f64 {
        let alive = law::restricted_mean(&self.age, panel.to) - law::restricted_mean(&self.age, x);
        let gone = (x - panel.from) / (panel.to - panel.from);
        let first = match panel.last > 0.0 {
            true => panel.first * libm::pow(panel.last / panel.first, gone),
            false => panel.first * (1.0 - gone),
        };
        alive.max(0.0) * logarithmic_mean(first, panel.last)
    }
}

/// The chance of not having idled out, panel by panel.
fn idling(idle_secs: f64, think_secs: f64) -> Vec<Panel> {
    let rate = 1.0 / think_secs;
    let none = libm::exp(-rate * idle_secs);
    let width = idle_secs / FINE as f64;
    let panel = |from: f64, to: f64, first: f64, last: f64| Panel {
        from,
        to,
        first,
        last,
        beyond: 0.0,
    };
    let mut panels: Vec<Panel> = Vec::with_capacity(FINE * EXACT);
    let mut open = 1.0;
    for i in 0..FINE * EXACT {
        if i == FINE {
            // No second request came.
            open -= none;
        }
        let last = match i.checked_sub(FINE) {
            None => open,
            // Idles out now who asked a timeout ago and not since.
            Some(then) => {
                let asked = 0.5 * (panels[then].first + panels[then].last) * rate * width;
                (open - none * asked).max(0.0)
            }
        };
        panels.push(panel(i as f64 * width, (i + 1) as f64 * width, open, last));
        open = last;
    }
    let before = panels[FINE * (EXACT - 1) - 1].last;
    let falling = match open > NOTHING {
        true => libm::log(before / open) / idle_secs,
        false => return panels,
    };
    let mut from = EXACT as f64 * idle_secs;
    while from < LONGEST_SECS && open > NOTHING {
        let to = from * GROWTH;
        let last = open * libm::exp(-falling * (to - from));
        panels.push(panel(from, to, open, last));
        (from, open) = (to, last);
    }
    panels
}

/// The mean of what falls geometrically from one value to another.
fn logarithmic_mean(first: f64, last: f64) -> f64 {
    if last <= 0.0 || first - last < 1e-4 * first {
        return 0.5 * (first + last);
    }
    (first - last) / libm::log(first / last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sampling;
    use crate::engine::stream::Stream;

    /// Without a maximum age a connection lives `(exp(r T) - 1) / r` on average.
    #[test]
    fn it_idles_out_as_a_poisson_stream_leaves_gaps() {
        let forever = Dist::Fixed(1e9);
        for (idle, think) in [(65.0, 20.0), (65.0, 60.0), (10.0, 100.0), (30.0, 5.0)] {
            let life = Life::new(&forever, idle, think);
            let want = think * libm::expm1(idle / think);
            let got = life.mean_secs();
            assert!(
                (got / want - 1.0).abs() < 1e-3,
                "{idle} {think}: {got} {want}"
            );
            // Nothing closes before the first timeout.
            assert!((life.beyond(0.0) - life.beyond(idle) - idle).abs() < 1e-6 * idle);
        }
    }

    /// Who asks all the time keeps a connection until its age.
    #[test]
    fn it_reaches_its_age() {
        for age in [
            Dist::Fixed(600.0),
            Dist::Uniform {
                lo: 1200.0,
                hi: 1220.0,
            },
            Dist::Exponential { mean: 40.0 },
        ] {
            let life = Life::new(&age, 65.0, 1.0);
            let mean = law::mean(&age);
            assert!((life.mean_secs() / mean - 1.0).abs() < 1e-6, "{age:?}");
            for x in [0.5, 30.0, 300.0, 1210.0, 5000.0] {
                let residual = law::residual_survival(&age, x);
                let got = life.beyond(x) / mean;
                assert!(
                    (got - residual).abs() < 1e-6,
                    "{age:?} {x}: {got} {residual}"
                );
            }
            let opening = 1.0 / (1.0 + mean);
            assert!((life.opening_share() - opening).abs() < 1e-6);
        }
    }

    /// Both together, against connections that are followed one by one.
    #[test]
    fn it_lives_as_long_as_connections_followed_one_by_one() {
        let age = Dist::Uniform {
            lo: 100.0,
            hi: 300.0,
        };
        let (idle, think) = (40.0, 20.0);
        let life = Life::new(&age, idle, think);
        let stream = Stream::new(1, 0, "test", "life");
        let n = 200_000;
        let at = [0.0, 20.0, 60.0, 150.0, 250.0];
        let (mut sums, mut squares) = ([0.0; 5], [0.0; 5]);
        for i in 0..n {
            let mut draws = stream.draws(i, 0);
            let most = sampling::sample(&mut draws, &age);
            let mut last = 0.0;
            let end = loop {
                let gap = sampling::exponential(&mut draws, think);
                if gap > idle {
                    break last + idle;
                }
                last += gap;
                if last > most {
                    break most;
                }
            };
            for (k, x) in at.into_iter().enumerate() {
                let beyond = (end.min(most) - x).max(0.0);
                sums[k] += beyond;
                squares[k] += beyond * beyond;
            }
        }
        for (k, x) in at.into_iter().enumerate() {
            let got = sums[k] / n as f64;
            let standard_error = ((squares[k] / n as f64 - got * got) / n as f64).sqrt();
            assert!(
                (got - life.beyond(x)).abs() < 4.5 * standard_error,
                "{x}: {got} {}",
                life.beyond(x)
            );
        }
    }
}
