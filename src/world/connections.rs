//! Warm connections: how long those that are open now stay open.

use crate::engine::law;
use crate::units::{Dist, Time};

/// Connections that were open, in equilibrium, at a moment.
#[derive(Clone, Debug)]
pub struct Legacy {
    age: Dist,
    since: Time,
}

impl Legacy {
    /// Connections whose whole life follows `age`, seen at `since`.
    pub fn new(age: &Dist, since: Time) -> Legacy {
        Legacy {
            age: age.clone(),
            since,
        }
    }

    /// Share still open at a moment: the equilibrium residual life, `(1/m) int_t^inf (1 - F)`.
    pub fn open(&self, at: Time) -> f64 {
        law::residual_survival(&self.age, at.since(self.since).secs())
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
            let legacy = Legacy::new(&age, since);
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
        let fixed = Legacy::new(&Dist::Fixed(600.0), Time::ZERO);
        let (from, to) = (Time::from_secs(700.0), Time::from_secs(701.0));
        assert_eq!(fixed.closing_share(from, to), 1.0);
    }
}
