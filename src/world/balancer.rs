//! Load balancers: a limit on the new connections that a region takes per second, which scales by
//! itself and slowly. What is beyond it gets no answer.
//!
//! - Only what opens a connection counts: a start (and each of its retries), a plain request, a
//!   session that looks for its region anew or comes over from another. Requests on an open connection
//!   and traffic proxied from another region pass the balancers by.
//! - A second takes as many connections as the limit says, no matter how they come within it. The
//!   share that is refused is the expected excess of a Poisson count over a second's limit, whatever
//!   the step: at a load `n` equal to the limit that is `sqrt(n / 2 pi)` a second.
//! - The limit grows by a factor whenever its use has been high for so long in all; time below counts
//!   back. It never shrinks: a run is short against the days after which providers take capacity away.
//! - An impaired balancer takes a share of its limit and does not scale.

use crate::engine::normal;
use crate::model::scenario::BalancerLimits;

/// A refused share below this is none.
const NOTHING: f64 = 1e-6;
/// From this refused share on the balancers are said to refuse.
const REFUSING: f64 = 1e-3;
/// They are said to have ceased after so long below, in seconds.
const QUIET_SECS: f64 = 30.0;
/// Up to this many connections per second, the excess is summed exactly.
const EXACT: f64 = 400.0;

/// The load balancers of one region.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// New connections per second that they take when nothing impairs them.
    limit: f64,
    /// Share of new connections that was refused in the last step.
    refused: f64,
    /// How long use has been high, less the time since in which it was not, in seconds.
    high_secs: f64,
    /// How long nothing was refused, while an episode of refusing lasts.
    refusing: Option<f64>,
}

/// What a step of a balancer was, for the log and the observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Admission {
    /// New connections that wanted in, per second.
    pub offered: f64,
    /// New connections that could have come in, per second.
    pub limit: f64,
    /// Whether an episode of refusing begins or ends.
    pub turn: Option<Turn>,
    /// The limit to which it has just scaled.
    pub scaled: Option<f64>,
}

/// An episode of refusing begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It begins.
    Begins,
    /// It ends.
    Ends,
}

impl Balancer {
    /// Balancers that were scaled for the connections planned for the region.
    pub fn new(limits: &BalancerLimits, planned: f64) -> Balancer {
        Balancer {
            limit: scaled_for(limits, planned),
            refused: 0.0,
            high_secs: 0.0,
            refusing: None,
        }
    }

    /// New connections per second that it takes at the moment, unimpaired.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// Share of new connections that was refused in the last step.
    pub fn refused(&self) -> f64 {
        self.refused
    }

    /// Whether nothing is refused and nothing scales.
    pub fn calm(&self) -> bool {
        self.refused <= 0.0 && self.refusing.is_none() && self.high_secs <= 0.0
    }

    /// Takes a step: so many new connections per second arrive, and a share of the limit is there.
    pub fn step(
        &mut self,
        limits: &BalancerLimits,
        offered: f64,
        share: f64,
        dt_secs: f64,
    ) -> Admission {
        let limit = self.limit * share;
        self.refused = refused(offered, limit);
        Admission {
            offered,
            limit,
            turn: self.turn(dt_secs),
            scaled: self.scale(limits, offered, share, dt_secs),
        }
    }

    fn turn(&mut self, dt_secs: f64) -> Option<Turn> {
        let refuses = self.refused >= REFUSING;
        match &mut self.refusing {
            None if refuses => {
                self.refusing = Some(0.0);
                Some(Turn::Begins)
            }
            Some(quiet) if refuses => {
                *quiet = 0.0;
                None
            }
            Some(quiet) => {
                *quiet += dt_secs;
                if *quiet < QUIET_SECS {
                    return None;
                }
                self.refusing = None;
                Some(Turn::Ends)
            }
            None => None,
        }
    }

    fn scale(
        &mut self,
        limits: &BalancerLimits,
        offered: f64,
        share: f64,
        dt_secs: f64,
    ) -> Option<f64> {
        if share < 1.0 {
            return None;
        }
        if offered <= limits.scale_above * self.limit {
            self.high_secs = (self.high_secs - dt_secs).max(0.0);
            return None;
        }
        self.high_secs += dt_secs;
        // The rounding of steps must not cost one more of them.
        if self.high_secs < limits.scale_after.secs() - 1e-6 {
            return None;
        }
        self.high_secs = 0.0;
        self.limit *= limits.scale_factor;
        Some(self.limit)
    }
}

/// New connections per second that balancers take which were scaled for the planned ones.
pub fn scaled_for(limits: &BalancerLimits, planned: f64) -> f64 {
    match limits.limit {
        Some(limit) => limit,
        None => ((1.0 + limits.headroom) * planned).max(limits.least),
    }
}

/// Share of Poisson arrivals beyond what a second takes.
pub fn refused(offered: f64, limit: f64) -> f64 {
    if offered <= 0.0 {
        return 0.0;
    }
    let share = (excess(offered, limit) / offered).clamp(0.0, 1.0);
    if share < NOTHING { 0.0 } else { share }
}

/// Expected excess of a Poisson count over a limit.
fn excess(mean: f64, limit: f64) -> f64 {
    let sd = mean.sqrt();
    // Far below the limit nothing exceeds it.
    if limit > mean + 8.0 * sd + 40.0 {
        return 0.0;
    }
    if mean <= EXACT {
        let mut chance = libm::exp(-mean);
        let (mut missing, mut count) = (0.0, 0.0);
        while count < limit {
            missing += (limit - count) * chance;
            count += 1.0;
            chance *= mean / count;
        }
        return (mean - limit + missing).max(0.0);
    }
    let z = (mean - limit) / sd;
    let density = libm::exp(-0.5 * z * z) / libm::sqrt(std::f64::consts::TAU);
    ((mean - limit) * normal::cdf(z) + sd * density).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    fn limits() -> BalancerLimits {
        BalancerLimits {
            headroom: 0.5,
            limit: None,
            least: 10.0,
            scale_above: 0.7,
            scale_factor: 2.0,
            scale_after: Span::from_secs(300.0),
        }
    }

    #[test]
    fn the_limit_is_the_plan_with_headroom_or_what_the_file_says() {
        let limits = limits();
        assert_eq!(Balancer::new(&limits, 1000.0).limit, 1500.0);
        assert_eq!(Balancer::new(&limits, 0.0).limit, 10.0);
        let fixed = BalancerLimits {
            limit: Some(77.0),
            ..limits
        };
        assert_eq!(Balancer::new(&fixed, 1000.0).limit, 77.0);
    }

    #[test]
    fn at_its_limit_chance_alone_refuses() {
        for load in [100.0f64, 390.0, 410.0, 10_000.0] {
            let by_hand = (load / std::f64::consts::TAU).sqrt();
            assert!(
                (excess(load, load) / by_hand - 1.0).abs() < 2e-3,
                "{load}: {}",
                excess(load, load)
            );
        }
        assert!((refused(3000.0, 1000.0) - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(refused(1000.0, 1500.0), 0.0);
        assert_eq!(refused(5.0, 0.0), 1.0);
        // Poisson with mean 2 over a limit of 1.5: 0.5 + 1.5 e^-2 + 0.5 * 2 e^-2.
        let by_hand = 0.5 + 2.5 * (-2.0f64).exp();
        assert!((excess(2.0, 1.5) - by_hand).abs() < 1e-12);
    }

    #[test]
    fn more_headroom_refuses_less() {
        for load in [3.0, 390.0, 2000.0] {
            let mut last = 1.0;
            for tenth in 0..30 {
                let share = refused(load, load * f64::from(tenth) / 10.0);
                assert!(share <= last);
                last = share;
            }
            assert!(last < 0.05);
        }
    }

    #[test]
    fn it_scales_after_high_use_and_not_before() {
        let limits = limits();
        let mut balancer = Balancer::new(&limits, 1000.0);
        let mut scaled = Vec::new();
        let mut turns = Vec::new();
        for second in 1..=1000 {
            let admission = balancer.step(&limits, 4000.0, 1.0, 1.0);
            scaled.extend(admission.scaled.map(|limit| (second, limit)));
            turns.extend(admission.turn.map(|turn| (second, turn)));
        }
        // Use of 6000 by 4000 is below 70 %.
        assert_eq!(scaled, [(300, 3000.0), (600, 6000.0)]);
        assert_eq!(turns, [(1, Turn::Begins), (630, Turn::Ends)]);
        assert!(balancer.calm());
    }

    #[test]
    fn impaired_it_takes_its_share_and_does_not_scale() {
        let limits = limits();
        let mut balancer = Balancer::new(&limits, 1000.0);
        for _ in 0..1000 {
            let admission = balancer.step(&limits, 1000.0, 0.3, 1.0);
            assert_eq!((admission.limit, admission.scaled), (450.0, None));
        }
        assert!((balancer.refused() - 0.55).abs() < 1e-6);
    }
}
