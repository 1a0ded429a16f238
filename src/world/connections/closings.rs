//! When each of the connections closes that were open at a moment.

use super::Legacy;
use crate::engine::stream::Draws;
use crate::units::Span;

/// No connection lives longer than a year, in seconds.
const LONGEST_SECS: f64 = 365.0 * 86_400.0;
/// The law is known beforehand at so many points.
const CELLS: usize = 256;

/// The law of the moments at which connections close, ready to be drawn from.
#[derive(Clone, Debug)]
pub struct Closings {
    legacy: Legacy,
    /// Seconds after which a further of [`CELLS`] equal parts has closed, and the share still open then.
    known: Vec<(f64, f64)>,
}

impl Closings {
    /// The law of these connections.
    pub fn of(legacy: Legacy) -> Closings {
        let mut known = vec![(0.0, 1.0)];
        for cell in 1..CELLS {
            let open = 1.0 - cell as f64 / CELLS as f64;
            let secs = closing(&legacy, open, known[cell - 1], None);
            known.push((secs, open_after(&legacy, secs)));
        }
        Closings { legacy, known }
    }

    /// When one of these connections, or any other that is seen at a random moment of its life, closes: in
    /// seconds from then.
    pub fn after(&self, draws: &mut Draws) -> f64 {
        let closed = draws.uniform();
        let cell = ((closed * CELLS as f64) as usize).min(CELLS - 1);
        let next = self.known.get(cell + 1).copied();
        closing(&self.legacy, 1.0 - closed, self.known[cell], next)
    }
}

/// Share still open after so many seconds.
fn open_after(legacy: &Legacy, secs: f64) -> f64 {
    legacy.open(legacy.since + Span::from_secs(secs))
}

/// When a share is still open, to a millionth: between two moments with what is open then, or after the
/// first.
fn closing(legacy: &Legacy, share: f64, first: (f64, f64), last: Option<(f64, f64)>) -> f64 {
    // What is open beyond the share, falling.
    let over = |(secs, open): (f64, f64)| (secs, open - share);
    let (mut low, mut high) = (over(first), last.map_or((0.0, 1.0), over));
    while high.1 > 0.0 {
        if high.0 >= LONGEST_SECS {
            return high.0;
        }
        if high.0 > low.0 {
            low = high;
        }
        let secs = (2.0 * low.0).max(1.0);
        high = over((secs, open_after(legacy, secs)));
    }
    // Along the chord; an end that stays counts half, so that both close in.
    let mut moved = 0;
    while high.0 - low.0 > 1e-6 * high.0.max(1e-3) && low.1 > 0.0 {
        let part = low.1 / (low.1 - high.1);
        let secs = low.0 + (high.0 - low.0) * part.clamp(1e-3, 1.0 - 1e-3);
        let here = over((secs, open_after(legacy, secs)));
        if here.1.abs() < 1e-12 {
            return secs;
        }
        match here.1 > 0.0 {
            true => {
                low = here;
                high.1 *= if moved > 0 { 0.5 } else { 1.0 };
                moved = 1;
            }
            false => {
                high = here;
                low.1 *= if moved < 0 { 0.5 } else { 1.0 };
                moved = -1;
            }
        }
    }
    0.5 * (low.0 + high.0)
}

#[cfg(test)]
mod tests {
    use super::super::Idle;
    use super::*;
    use crate::engine::stream::Stream;
    use crate::units::{Dist, Time};

    #[test]
    fn what_is_drawn_has_the_law_of_what_is_open() {
        let ages = [
            Dist::Fixed(300.0),
            Dist::Exponential { mean: 120.0 },
            Dist::Uniform { lo: 0.0, hi: 600.0 },
            Dist::Lognormal {
                mu: 5.0,
                sigma: 1.2,
            },
            Dist::Pareto {
                min: 10.0,
                alpha: 1.5,
                max: 1e5,
            },
        ];
        let idles = [
            Idle::Never,
            Idle::Between { period_secs: 200.0 },
            Idle::Gaps { per_sec: 0.01 },
        ];
        for (age, idle) in ages.iter().flat_map(|age| idles.map(|idle| (age, idle))) {
            let legacy = Legacy {
                age: age.clone(),
                idle,
                since: Time::from_secs(50.0),
            };
            let closings = Closings::of(legacy.clone());
            let stream = Stream::new(1, 0, "test", "closings");
            for i in 0..2_000 {
                let after = closings.after(&mut stream.draws(i, 0));
                let open = 1.0 - stream.draws(i, 0).uniform();
                // Its quantile, to a millionth.
                let near = |by: f64| open_after(&legacy, after * by);
                assert!(
                    near(1.0 - 3e-6) >= open - 1e-9 && near(1.0 + 3e-6) <= open + 1e-9,
                    "{age:?} {idle:?}: {after} for {open}"
                );
            }
        }
        // Without an end.
        let legacy = Legacy {
            age: Dist::Pareto {
                min: 1.0,
                alpha: 0.9,
                max: f64::INFINITY,
            },
            idle: Idle::Never,
            since: Time::ZERO,
        };
        let draw = Stream::new(1, 0, "test", "closings").draws(0, 0).clone();
        assert!(Closings::of(legacy).after(&mut draw.clone()) >= LONGEST_SECS);
    }
}
