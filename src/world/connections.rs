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

    #[test]
    fn the_residual_life_is_that_of_the_equilibrium() {
        let at = Time::from_secs;
        let fixed = Legacy::new(&Dist::Fixed(600.0), Time::ZERO);
        assert!((fixed.open(at(150.0)) - 0.75).abs() < 1e-9);
        assert!((fixed.closing_share(at(150.0), at(300.0)) - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(fixed.closing_share(at(700.0), at(701.0)), 1.0);
        let memoryless = Legacy::new(&Dist::Exponential { mean: 600.0 }, at(5.0));
        assert!((memoryless.open(at(605.0)) - libm::exp(-1.0)).abs() < 1e-9);
        // A lognormal life of mean 1200 s and squared variation 2.
        let sigma2 = libm::log(3.0);
        let mu = libm::log(1200.0) - sigma2 / 2.0;
        let lognormal = Legacy::new(
            &Dist::Lognormal {
                mu,
                sigma: sigma2.sqrt(),
            },
            Time::ZERO,
        );
        assert!((lognormal.open(at(600.0)) - 0.6048).abs() < 1e-3);
        assert!((lognormal.open(at(3600.0)) - 0.1263).abs() < 1e-3);
    }
}
