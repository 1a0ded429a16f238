//! Warm connections: how long those that are open now stay open.

pub mod closings;
pub mod life;

use crate::engine::law;
use crate::model::request::{Request, When};
use crate::model::scenario::DeviceClass;
use crate::units::{Dist, Time};

/// Connections of playing sessions that were open, in equilibrium, at a moment.
#[derive(Clone, Debug)]
pub struct Legacy {
    age: Dist,
    idle: Idle,
    since: Time,
}

/// How a connection closes for lack of use.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Idle {
    /// It is used often enough, or by media alone.
    Never,
    /// Each use comes later than the idle timeout: the next one opens a connection anew.
    Between { period_secs: f64 },
    /// Uses at random moments leave a gap longer than the timeout so often.
    Gaps { per_sec: f64 },
}

impl Idle {
    fn of(class: &DeviceClass, requests: &[Request]) -> Idle {
        let timeout = class.connection_idle.secs();
        let shortest = requests
            .iter()
            .filter_map(|r| match r.when {
                When::Every { period_secs, .. } => Some(period_secs),
                _ => None,
            })
            .fold(f64::INFINITY, f64::min);
        let random: f64 = requests
            .iter()
            .map(|r| match r.when {
                When::Rate { per_sec } => per_sec,
                _ => 0.0,
            })
            .sum();
        if shortest <= timeout || shortest.is_infinite() && random <= 0.0 {
            Idle::Never
        } else if shortest.is_finite() {
            Idle::Between {
                period_secs: shortest,
            }
        } else {
            // Mean time until a gap of that length in a Poisson stream: (exp(r T) - 1) / r.
            Idle::Gaps {
                per_sec: random / libm::expm1(random * timeout),
            }
        }
    }
}

impl Legacy {
    /// Connections of a class whose whole life follows its `connection_age`, unless they are used so
    /// seldom that they idle out, seen at `since`.
    pub fn new(class: &DeviceClass, requests: &[Request], since: Time) -> Legacy {
        Legacy {
            age: class.connection_age.clone(),
            idle: Idle::of(class, requests),
            since,
        }
    }

    /// Share still in use at a moment: the equilibrium residual life, `(1/m) int_t^inf (1 - F)`, of
    /// those that have not idled out.
    pub fn open(&self, at: Time) -> f64 {
        let secs = at.since(self.since).secs();
        let used = match self.idle {
            Idle::Never => 1.0,
            Idle::Between { period_secs } => (1.0 - secs / period_secs).max(0.0),
            Idle::Gaps { per_sec } => libm::exp(-per_sec * secs),
        };
        law::residual_survival(&self.age, secs) * used
    }

    /// Of those open at `from`, the share that closes until `to`.
    pub fn closing_share(&self, from: Time, to: Time) -> f64 {
        let open = self.open(from);
        if open <= 0.0 {
            1.0
        } else {
            (1.0 - self.open(to) / open).clamp(0.0, 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scenario::Violators;
    use crate::units::Span;

    fn class(age: Dist) -> DeviceClass {
        DeviceClass {
            name: "all".into(),
            share: 1.0,
            direct: false,
            violators: Violators {
                share: 0.0,
                stale: Dist::Fixed(0.0),
            },
            pin: Span::ZERO,
            connection_age: age,
            connection_idle: Span::from_secs(65.0),
            think: None,
            timeout: Span::from_secs(10.0),
            attempts: 1,
            backoff_base: Span::from_secs(1.0),
            backoff_factor: 1.6,
            backoff_cap: Span::from_secs(120.0),
            jitter: 0.2,
            retry_budget: f64::INFINITY,
            retry_by_success: false,
            retry_burst: None,
            retry_breaker: 1.0,
            fallback_after: 0,
        }
    }

    fn aged(age: Dist, since: Time) -> Legacy {
        Legacy::new(&class(age), &[], since)
    }

    fn request(when: When) -> Request {
        Request {
            name: "any".into(),
            to: 0,
            when,
            priority: 1,
            safe: true,
            share: None,
        }
    }

    #[test]
    fn a_connection_that_is_used_seldom_idles_out() {
        let at = Time::from_secs;
        let long = class(Dist::Fixed(1e9));
        let often = request(When::Every {
            period_secs: 60.0,
            renews: false,
        });
        let seldom = request(When::Every {
            period_secs: 100.0,
            renews: false,
        });
        assert!(Legacy::new(&long, &[often], Time::ZERO).open(at(50.0)) > 0.999);
        let legacy = Legacy::new(&long, &[seldom], Time::ZERO);
        assert!((legacy.open(at(25.0)) - 0.75).abs() < 1e-6);
        assert_eq!(legacy.open(at(100.0)), 0.0);
        let random = request(When::Rate { per_sec: 0.02 });
        let mean = libm::expm1(1.3) / 0.02;
        let legacy = Legacy::new(&long, &[random], Time::ZERO);
        assert!((legacy.open(at(mean)) - libm::exp(-1.0)).abs() < 1e-6);
    }

    /// Mean 600 s fixed and exponential, 1200 s lognormal with squared variation 2, 300 s Pareto with
    /// tail index 2.5: share still open.
    #[test]
    fn the_residual_life_is_that_of_the_equilibrium() {
        let sigma2 = libm::log(3.0);
        let lognormal = Dist::Lognormal {
            mu: libm::log(1200.0) - sigma2 / 2.0,
            sigma: sigma2.sqrt(),
        };
        let pareto = Dist::Pareto {
            min: 180.0,
            alpha: 2.5,
            max: f64::INFINITY,
        };
        let since = Time::from_secs(5.0);
        for (age, open) in [
            (
                Dist::Fixed(600.0),
                [(150.0, 0.75), (300.0, 0.5), (599.0, 0.001_666_667)],
            ),
            (
                Dist::Exponential { mean: 600.0 },
                [
                    (60.0, 0.904_837_418),
                    (600.0, 0.367_879_441),
                    (1800.0, 0.049_787_068),
                ],
            ),
            (
                lognormal,
                [
                    (60.0, 0.950_130_285),
                    (600.0, 0.604_778_054),
                    (3600.0, 0.126_264_601),
                ],
            ),
            (
                pareto,
                [(60.0, 0.8), (300.0, 0.185_903_201), (1800.0, 0.012_649_111)],
            ),
        ] {
            let legacy = aged(age.clone(), since);
            assert_eq!(legacy.open(since), 1.0);
            let mut left = 1.0;
            let mut last = since;
            for (secs, want) in open {
                let at = Time::from_secs(5.0 + secs);
                assert!((legacy.open(at) - want).abs() < 1e-8, "{age:?} {secs}");
                // Closing from step to step leaves the same.
                left *= 1.0 - legacy.closing_share(last, at);
                assert!((left - want).abs() < 1e-8, "{age:?} {secs}");
                last = at;
            }
        }
        let fixed = aged(Dist::Fixed(600.0), Time::ZERO);
        let (from, to) = (Time::from_secs(700.0), Time::from_secs(701.0));
        assert_eq!(fixed.closing_share(from, to), 1.0);
    }
}
