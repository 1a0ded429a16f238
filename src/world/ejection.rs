//! What the proxies of one edge know of one origin: since when it fails everything, and how many of
//! them have ejected it because it failed them too often in a row.

use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::units::{Span, Time};

/// What the proxies of one edge know of one origin.
#[derive(Clone, Debug, Default)]
pub struct Ejection {
    /// Since when every request to the origin has failed: it is dark, or cut off.
    pub failing_since: Option<Time>,
    /// Proxies that have ejected it though it lives, by when they try again, earliest first.
    out: Vec<Out>,
}

/// Proxies that try an origin again at the same time.
#[derive(Clone, Copy, Debug)]
struct Out {
    until: Time,
    proxies: u64,
}

/// How proxies eject a living origin: each is a two-state process, since the failures in a row that
/// it waits for come as a rare event, and an ejection lasts for a fixed time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Mean time from the first request until a proxy ejects the origin, in seconds; infinite: never.
    pub mean_secs: f64,
    /// How long it is ejected.
    pub eject_for: Span,
}

/// Mean number of requests until so many in a row have failed, each with the same chance:
/// `(1 - p^k) / ((1 - p) p^k)`. Infinite where that never happens.
pub fn requests_until(failures: u32, failing: f64) -> f64 {
    if failures == 0 || failing <= 0.0 {
        return f64::INFINITY;
    }
    let failures = f64::from(failures);
    if failing >= 1.0 {
        return failures;
    }
    libm::expm1(-failures * libm::log(failing)) / (1.0 - failing)
}

impl Pace {
    /// A proxy that sends there: the chance that it has the origin ejected after `secs`, and the share
    /// of that time for which it has.
    fn after(&self, secs: f64) -> (f64, f64) {
        if secs <= 0.0 || self.mean_secs == f64::INFINITY {
            return (0.0, 0.0);
        }
        let lasts = self.eject_for.secs();
        // Within the time of an ejection none ends; where several fit, they come and go.
        let (most, rate) = if lasts >= secs {
            (1.0, 1.0 / self.mean_secs)
        } else {
            let most = lasts / (self.mean_secs + lasts);
            (most, 1.0 / self.mean_secs + 1.0 / lasts)
        };
        let x = secs * rate;
        (-most * libm::expm1(-x), most * reached(x))
    }

    /// When, of `secs`, proxies eject the origin that do so and have it ejected at the end, on average.
    fn moment_secs(&self, secs: f64) -> f64 {
        let x = secs / self.mean_secs;
        match x < 1e-3 {
            true => secs * (0.5 - x / 12.0),
            false => secs * (1.0 / x - 1.0 / libm::expm1(x)),
        }
    }

    /// When those that eject the origin within `secs` from `from` try it again.
    fn until(&self, from: Time, secs: f64) -> Time {
        if self.eject_for.secs() >= secs {
            from + Span::from_secs(self.moment_secs(secs)) + self.eject_for
        } else {
            from + Span::from_secs(secs + 0.5 * self.eject_for.secs())
        }
    }
}

/// Mean over `[0, x]` of `1 - exp(-t)`.
fn reached(x: f64) -> f64 {
    match x < 1e-3 {
        true => x * (0.5 - x * (1.0 / 6.0 - x / 24.0)),
        false => 1.0 + libm::expm1(-x) / x,
    }
}

impl Ejection {
    /// What proxies know of an origin that begins to fail everything.
    pub fn failing(since: Time) -> Ejection {
        Ejection {
            failing_since: Some(since),
            ..Ejection::default()
        }
    }

    /// Proxies that have it ejected though it lives.
    pub fn out(&self) -> u64 {
        self.out.iter().map(|o| o.proxies).sum()
    }

    /// Over a step, of proxies that have the living origin ejected: how many on average; and how many of
    /// the `open` others eject it, as expected.
    pub fn expected(&self, (from, to): (Time, Time), open: f64, pace: &Pace) -> (f64, f64) {
        let secs = to.since(from).secs();
        let (chance, share) = pace.after(secs);
        let mut sum = open * share * secs;
        for out in &self.out {
            let back = out.until.min(to).max(from);
            let rest = to.since(back).secs();
            let again = pace.after(rest).1 * rest;
            sum += out.proxies as f64 * (back.since(from).secs() + again);
        }
        (sum / secs.max(f64::MIN_POSITIVE), open * chance)
    }

    /// Lives through a step: some of the `open` proxies, and of those that try again, eject the living
    /// origin. Returns how many of the first.
    pub fn advance(
        &mut self,
        (from, to): (Time, Time),
        open: u64,
        pace: &Pace,
        draws: &mut Draws,
    ) -> u64 {
        let mut next = Vec::new();
        let mut eject = |proxies: u64, since: Time| {
            let secs = to.since(since).secs();
            let chance = pace.after(secs).0;
            let ejected = match chance > 0.0 {
                true => sampling::binomial(draws, proxies, chance),
                false => 0,
            };
            let until = pace.until(since, secs);
            if ejected > 0 && until > to {
                next.push(Out {
                    until,
                    proxies: ejected,
                });
            }
            ejected
        };
        let ejected = eject(open, from);
        for back in self.out.iter().filter(|out| out.until <= to) {
            eject(back.proxies, back.until.max(from));
        }
        self.out.retain(|out| out.until > to);
        self.out.append(&mut next);
        self.out.sort_by_key(|out| out.until);
        self.out.dedup_by(|later, first| {
            let same = later.until == first.until;
            if same {
                first.proxies += later.proxies;
            }
            same
        });
        ejected
    }

    /// Share of the requests for an origin that fails everything which still go there, averaged over a
    /// step.
    ///
    /// A proxy ejects it after `after` failures in a row, for `eject_for`; then it tries again and
    /// needs as many failures to eject it anew.
    pub fn exposed(
        &self,
        from: Time,
        to: Time,
        after: u32,
        eject_for: Span,
        requests_per_proxy_sec: f64,
    ) -> f64 {
        let Some(since) = self.failing_since else {
            return 1.0;
        };
        if after == 0 || requests_per_proxy_sec <= 0.0 {
            return 1.0;
        }
        let learning = f64::from(after) / requests_per_proxy_sec;
        let again = learning / (learning + eject_for.secs());
        let (begin, end) = (from.since(since).secs(), to.since(since).secs());
        if end <= begin {
            return 1.0;
        }
        // All proxies learn alike fast at first; later their phases have spread.
        let first = (learning.min(end) - begin.min(learning)).max(0.0) / (end - begin);
        first + (1.0 - first) * again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::Stream;

    fn secs(secs: f64) -> Time {
        Time::from_secs(secs)
    }

    #[test]
    fn an_ejected_origin_is_tried_seldom() {
        let ejection = Ejection::failing(Time::ZERO);
        let for_30 = Span::from_secs(30.0);
        // Five failures at ten a second: half a second of learning.
        let first = ejection.exposed(Time::ZERO, secs(1.0), 5, for_30, 10.0);
        assert!((first - (0.5 + 0.5 * 0.5 / 30.5)).abs() < 1e-12);
        let later = ejection.exposed(secs(5.0), secs(6.0), 5, for_30, 10.0);
        assert!((later - 0.5 / 30.5).abs() < 1e-12);
        let never = Ejection::default();
        assert_eq!(never.exposed(Time::ZERO, secs(1.0), 5, for_30, 10.0), 1.0);
    }

    #[test]
    fn failures_in_a_row_take_as_many_requests_as_coins_do() {
        // Tossing a coin until two or five heads in a row: 6 and 62 tosses.
        assert!((requests_until(2, 0.5) - 6.0).abs() < 1e-12);
        assert!((requests_until(5, 0.5) - 62.0).abs() < 1e-10);
        assert_eq!(requests_until(5, 1.0), 5.0);
        assert!((requests_until(5, 1.0 - 1e-15) - 5.0).abs() < 0.1);
        assert_eq!(requests_until(5, 0.0), f64::INFINITY);
        assert_eq!(requests_until(0, 1.0), f64::INFINITY);
        // By tossing.
        let mut draws = Stream::new(1, 0, "test", "runs").draws(0, 0);
        let (mut sum, mut row, rounds) = (0u64, 0, 20_000);
        for _ in 0..rounds {
            while row < 3 {
                sum += 1;
                row = if draws.uniform() < 0.4 { row + 1 } else { 0 };
            }
            row = 0;
        }
        let mean = sum as f64 / f64::from(rounds);
        let exact = requests_until(3, 0.4);
        assert!((mean / exact - 1.0).abs() < 0.03, "{mean} {exact}");
    }

    /// The mean share ejected, drawn and as expected, of many proxies over a long time in steps.
    fn shares(pace: &Pace, step_secs: f64) -> (f64, f64) {
        const PROXIES: u64 = 200;
        let mut origin = Ejection::default();
        let stream = Stream::new(3, 0, "test", "ejections");
        let (mut drawn, mut expected) = (0.0, 0.0);
        let (warm, steps) = ((400.0 / step_secs) as u64, (6000.0 / step_secs) as u64);
        for i in 0..warm + steps {
            let step = (secs(i as f64 * step_secs), secs((i + 1) as f64 * step_secs));
            let open = PROXIES - origin.out();
            let mean = origin.expected(step, open as f64, pace).0;
            let before = origin.out();
            origin.advance(step, open, pace, &mut stream.draws(i, 0));
            if i >= warm {
                expected += mean / PROXIES as f64 / steps as f64;
                let between = 0.5 * (before + origin.out()) as f64;
                drawn += between / PROXIES as f64 / steps as f64;
            }
        }
        (drawn, expected)
    }

    #[test]
    fn the_share_ejected_is_that_of_a_process_with_two_states() {
        // Half of the requests fail, five in a row eject: 62 requests.
        for (rate, lasts, step) in [(2.0, 30.0, 1.0), (31.0, 4.0, 0.25), (6.2, 10.0, 10.0)] {
            let mean_secs = requests_until(5, 0.5) / rate;
            let pace = Pace {
                mean_secs,
                eject_for: Span::from_secs(lasts),
            };
            let exact = lasts / (lasts + mean_secs);
            let (drawn, expected) = shares(&pace, step);
            assert!((expected - exact).abs() < 0.01, "{expected} {exact}");
            assert!((drawn - exact).abs() < 0.02, "{drawn} {exact}");
        }
        // Many ejections within a step.
        let short = Pace {
            mean_secs: 0.3,
            eject_for: Span::from_secs(0.1),
        };
        let (_, expected) = shares(&short, 1.0);
        assert!((expected - 0.25).abs() < 0.02, "{expected}");
    }

    #[test]
    fn who_has_ejected_an_origin_tries_again_after_the_time() {
        let pace = Pace {
            mean_secs: 0.01,
            eject_for: Span::from_secs(30.0),
        };
        let mut origin = Ejection::default();
        let stream = Stream::new(3, 0, "test", "ejections");
        let first = (secs(0.0), secs(1.0));
        let (mean, ejected) = origin.expected(first, 50.0, &pace);
        assert!((mean - 50.0 * 0.99).abs() < 1e-9 && (ejected - 50.0).abs() < 1e-9);
        assert_eq!(
            origin.advance(first, 50, &pace, &mut stream.draws(0, 0)),
            50
        );
        let never = Pace {
            mean_secs: f64::INFINITY,
            ..pace
        };
        for i in 1..30 {
            let step = (secs(f64::from(i)), secs(f64::from(i + 1)));
            origin.advance(step, 0, &never, &mut stream.draws(i as u64, 0));
            assert_eq!(origin.out(), 50);
        }
        let last = (secs(30.0), secs(31.0));
        let mean = origin.expected(last, 0.0, &never).0;
        assert!((mean - 50.0 * 0.01).abs() < 1e-6, "{mean}");
        origin.advance(last, 0, &never, &mut stream.draws(30, 0));
        assert_eq!(origin.out(), 0);
    }
}
