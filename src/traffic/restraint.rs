//! What holds the retries of a class back: a bucket of tokens, and a breaker. Both count what the devices
//! of the class in one market have seen together.

use crate::model::scenario::DeviceClass;
use crate::units::Time;

/// Seconds of first attempts that a full bucket stands for if nothing else is said, and over which a
/// breaker looks back.
const MEMORY_SECS: f64 = 10.0;

/// Tokens, and recent attempts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restraint {
    tokens: f64,
    attempts: f64,
    failed: f64,
    /// Until when the breaker has forgotten.
    since: Time,
}

impl Restraint {
    /// At the beginning nothing has failed.
    pub(super) fn new(class: &DeviceClass) -> Restraint {
        Restraint {
            tokens: class.retry_burst.unwrap_or(0.0),
            ..Restraint::default()
        }
    }

    /// So many first attempts have arrived until now; the market as a whole expects `expected` in
    /// `dt_secs`.
    pub(super) fn arrive(
        &mut self,
        class: &DeviceClass,
        arrived: u64,
        (expected, dt_secs): (f64, f64),
        now: Time,
    ) {
        // A bucket holds what a few seconds put in, however long it was calm.
        let budget = class.retry_budget.min(1e18);
        let put_in = match class.retry_by_success {
            true => 0.0,
            false => budget * arrived as f64,
        };
        let most = match class.retry_burst {
            Some(burst) => burst,
            None => (budget * expected / dt_secs * class.share * MEMORY_SECS).max(put_in),
        };
        self.tokens = (self.tokens + put_in).min(most);
        self.forget(class, now);
    }

    /// What was long ago counts less.
    fn forget(&mut self, class: &DeviceClass, now: Time) {
        if class.retry_breaker < 1.0 {
            let kept = libm::exp(-now.since(self.since).secs() / MEMORY_SECS);
            self.attempts *= kept;
            self.failed *= kept;
            self.since = now;
        }
    }

    /// So many attempts have been made, of which some failed.
    pub(super) fn hear(&mut self, class: &DeviceClass, (tried, failed): (u64, u64)) {
        if class.retry_breaker < 1.0 {
            self.attempts += tried as f64;
            self.failed += failed as f64;
        }
        // What is too much goes at the next arrivals.
        if class.retry_by_success && class.retry_budget.is_finite() {
            self.tokens += class.retry_budget * (tried - failed) as f64;
        }
    }

    /// How many of the wanted retries are made.
    pub(super) fn allow(&mut self, class: &DeviceClass, wanted: u64) -> u64 {
        if class.retry_breaker < 1.0 && self.failed > class.retry_breaker * self.attempts {
            return 0;
        }
        if !class.retry_budget.is_finite() {
            return wanted;
        }
        let allowed = (self.tokens.max(0.0) as u64).min(wanted);
        self.tokens -= allowed as f64;
        allowed
    }
}
