//! What a provider lets a region launch: a bucket of calls, a quota, and launches that fail.

use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::scenario::Launches;
use crate::units::Time;

/// The state of a region's limits.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    tokens: f64,
    at: Time,
}

/// What became of launches that were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// Begun.
    pub begun: u64,
    /// Refused because nothing can be launched.
    pub blocked: u64,
    /// Over the rate.
    pub throttled: u64,
    /// Over the quota.
    pub over_quota: u64,
    /// Failed: the provider had no capacity.
    pub failed: u64,
}

impl Bucket {
    /// A full bucket.
    pub fn new(limits: &Launches) -> Bucket {
        Bucket {
            tokens: limits.burst,
            at: Time::ZERO,
        }
    }

    /// Asks for so many launches in a region where `present` instances are there.
    pub fn ask(
        &mut self,
        limits: &Launches,
        now: Time,
        asked: u64,
        present: u64,
        (blocked, short): (bool, bool),
        draws: &mut Draws,
    ) -> Granted {
        if blocked {
            return Granted {
                blocked: asked,
                ..Granted::default()
            };
        }
        let passed = now.since(self.at).secs();
        self.tokens = (self.tokens + passed * limits.per_sec).min(limits.burst);
        self.at = now;
        let left = (limits.quota - present as f64).clamp(0.0, asked as f64) as u64;
        let called = left.min((self.tokens + 1e-9).max(0.0) as u64);
        self.tokens -= called as f64;
        let good = (1.0 - limits.failing) * if short { 1.0 - limits.shortage } else { 1.0 };
        let begun = if good < 1.0 {
            sampling::binomial(draws, called, good)
        } else {
            called
        };
        Granted {
            begun,
            blocked: 0,
            throttled: left - called,
            over_quota: asked - left,
            failed: called - begun,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::Stream;
    use crate::units::Span;
    use proptest::prelude::*;

    fn limits(burst: f64, per_sec: f64, quota: f64, failing: f64) -> Launches {
        Launches {
            burst,
            per_sec,
            quota,
            failing,
            shortage: 0.5,
            retry: Span::from_secs(60.0),
        }
    }

    proptest! {
        #[test]
        fn neither_the_bucket_nor_the_quota_is_ever_exceeded(
            burst in 1.0..500.0f64, per_sec in 0.1..50.0f64, quota in 1u64..3000,
            failing in 0.0..1.0f64, asks in prop::collection::vec((0u64..2000, 0u64..100), 1..30),
        ) {
            let limits = limits(burst, per_sec, quota as f64, failing);
            let mut bucket = Bucket::new(&limits);
            let stream = Stream::new(1, 0, "test", "bucket");
            let (mut present, mut called, mut secs) = (0, 0u64, 0u64);
            for (i, (asked, wait)) in asks.into_iter().enumerate() {
                secs += wait;
                let now = Time::ZERO + Span::from_secs(secs as f64);
                let mut draws = stream.draws(i as u64, 0);
                let all = bucket.ask(&limits, now, asked, present, (false, true), &mut draws);
                let sum = all.begun + all.failed + all.throttled + all.over_quota + all.blocked;
                prop_assert_eq!(sum, asked);
                present += all.begun;
                called += all.begun + all.failed;
                prop_assert!(present <= quota);
                prop_assert!(called as f64 <= burst + per_sec * secs as f64 + 1e-6);
            }
        }
    }

    #[test]
    fn nothing_is_launched_while_launches_are_blocked() {
        let limits = limits(1000.0, 5.0, f64::INFINITY, 0.0);
        let mut draws = Stream::new(1, 0, "test", "blocked").draws(0, 0);
        let granted =
            Bucket::new(&limits).ask(&limits, Time::ZERO, 7, 0, (true, false), &mut draws);
        assert_eq!((granted.begun, granted.blocked), (0, 7));
    }
}
