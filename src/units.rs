//! Typed quantities. The clock is in integer nanoseconds, so two runs can never disagree about
//! which of two events came first.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Nanoseconds in a second.
const NANOS: u64 = 1_000_000_000;

/// A point in simulated time, in nanoseconds since the scenario began.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Time(pub u64);

/// A length of simulated time, in nanoseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span(pub u64);

impl Time {
    /// The beginning of the scenario.
    pub const ZERO: Time = Time(0);
    /// Later than everything.
    pub const NEVER: Time = Time(u64::MAX);

    /// The point so many seconds after the beginning; negative and non-finite values clamp.
    #[inline]
    pub fn from_secs(seconds: f64) -> Time {
        Time(nanos(seconds))
    }

    /// Seconds since the beginning.
    pub fn secs(self) -> f64 {
        self.0 as f64 / NANOS as f64
    }

    /// The span from `earlier` to `self`, zero if `earlier` is later.
    #[inline]
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// So many seconds; negative and non-finite values clamp.
    #[inline]
    pub fn from_secs(seconds: f64) -> Span {
        Span(nanos(seconds))
    }

    /// Length in seconds.
    pub fn secs(self) -> f64 {
        self.0 as f64 / NANOS as f64
    }

    /// Whether the span is empty.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

#[inline]
fn nanos(seconds: f64) -> u64 {
    // To the nearest, halves up, as `f64::round` does; that would be a call per event into the
    // platform's library, where the processor's own instruction is not sure to be there.
    let exact = seconds * NANOS as f64;
    // `as` saturates, and sends NaN to zero; the largest value is kept free for `NEVER`.
    let whole = exact as u64;
    let up = exact - whole as f64 >= 0.5;
    whole.saturating_add(u64::from(up)).min(u64::MAX - 1)
}

impl Add<Span> for Time {
    type Output = Time;
    #[inline]
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Time> for Time {
    type Output = Span;
    fn sub(self, earlier: Time) -> Span {
        self.since(earlier)
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

/// A duration for people: at most two units, no needless digits (`2.5 min`, `12 ms`, `1.2 h`).
pub fn human_secs(seconds: f64) -> String {
    let magnitude = seconds.abs();
    let (value, unit) = if !seconds.is_finite() {
        return if seconds > 0.0 {
            "never".into()
        } else {
            "-".into()
        };
    } else if magnitude == 0.0 {
        return "0 s".into();
    } else if magnitude < 1e-3 {
        (seconds * 1e6, "us")
    } else if magnitude < 1.0 {
        (seconds * 1e3, "ms")
    } else if magnitude < 120.0 {
        (seconds, "s")
    } else if magnitude < 7200.0 {
        (seconds / 60.0, "min")
    } else if magnitude < 172_800.0 {
        (seconds / 3600.0, "h")
    } else {
        (seconds / 86_400.0, "d")
    };
    format!("{} {unit}", three_digits(value))
}

/// A number with three significant digits and no trailing zeros.
pub fn three_digits(value: f64) -> String {
    let digits = if value == 0.0 {
        0
    } else {
        (2 - libm::floor(libm::log10(value.abs())) as i32).clamp(0, 9) as usize
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        text
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&human_secs(self.secs()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&human_secs(self.secs()))
    }
}

/// A distribution of a non-negative quantity. Times are in seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same value.
    Fixed(f64),
    /// Uniform between two values.
    Uniform {
        /// Smallest value.
        lo: f64,
        /// Largest value.
        hi: f64,
    },
    /// Exponential with this mean.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// Lognormal: `exp(mu + sigma Z)`.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Pareto with the smallest value `min` and tail index `alpha`, cut off at `max`
    /// (`f64::INFINITY`: not cut off).
    Pareto {
        /// Smallest value.
        min: f64,
        /// Tail index.
        alpha: f64,
        /// Largest value.
        max: f64,
    },
    /// A sum of independent parts, such as a fixed delay plus an exponential one.
    Sum(Vec<Dist>),
    /// One of several, each with its share.
    Mixture(Vec<(f64, Dist)>),
    /// A sorted sample, read linearly between its points.
    Empirical(Vec<f64>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rounded(seconds: f64) -> u64 {
        ((seconds * NANOS as f64).round() as u64).min(u64::MAX - 1)
    }

    #[test]
    fn seconds_that_are_no_number_of_nanoseconds_clamp() {
        for seconds in [f64::NEG_INFINITY, -1.0, -0.4e-9, -0.0, f64::NAN] {
            assert_eq!(Span::from_secs(seconds), Span::ZERO, "{seconds}");
        }
        for seconds in [f64::INFINITY, f64::MAX, 1e12, 18_446_744_073.709_552] {
            assert_eq!(Span::from_secs(seconds).0, u64::MAX - 1, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn seconds_round_to_the_nearest_nanosecond(bits: u64, halves in 0u64..1 << 54) {
            for seconds in [f64::from_bits(bits), halves as f64 / 2e9, bits as f64 / 1e9] {
                for close in [seconds.next_down(), seconds, seconds.next_up()] {
                    prop_assert_eq!(Span::from_secs(close).0, rounded(close), "{}", close);
                }
            }
        }
    }
}
