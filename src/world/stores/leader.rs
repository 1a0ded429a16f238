//! The primary of a domain, and how another region becomes it: its loss is noticed, it is decided, the
//! old one is fenced, a new one is promoted. Reads come back earlier: they only have to be sent
//! elsewhere.

use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::domain::Promotion;
use crate::model::scenario::RegionId;
use crate::units::{Span, Time};

/// Who takes the writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leader {
    /// This region.
    Is(RegionId),
    /// Nobody, until another is promoted.
    Lost(Vacancy),
}

/// From the loss of a primary to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vacancy {
    /// The lost one.
    pub old: RegionId,
    /// Its loss is noticed.
    pub noticed: Time,
    /// Reads go elsewhere from here on.
    pub reads: Time,
    /// It can no longer take writes.
    pub fenced: Time,
    /// Another takes writes; `Time::NEVER` where none was there to be promoted when it was time.
    pub promoted: Time,
    /// Up to where it was followed.
    pub seen: Time,
    /// Whether the next living replica is promoted at once.
    pub waiting: bool,
}

impl Vacancy {
    /// A primary is lost now.
    pub fn new(
        old: RegionId,
        promotion: &Promotion,
        now: Time,
        luck: Stream,
        ordinal: u64,
    ) -> Vacancy {
        let mut slot = 0;
        let mut after = |from: Time, law| {
            slot += 1;
            from + Span::from_secs(sampling::sample(&mut luck.draws(ordinal, slot), law))
        };
        let noticed = after(now, &promotion.detect);
        let decided = after(noticed, &promotion.decide);
        let fenced = after(decided, &promotion.fence);
        Vacancy {
            old,
            noticed,
            fenced,
            promoted: after(fenced, &promotion.promote),
            reads: after(noticed, &promotion.repoint),
            seen: now,
            waiting: false,
        }
    }

    /// The next step that was not yet followed.
    pub fn next_time(&self) -> Time {
        let steps = [self.noticed, self.reads, self.fenced, self.promoted];
        let later = steps.into_iter().filter(|&at| at > self.seen);
        later.min().unwrap_or(Time::NEVER)
    }

    /// Whether a step falls between what was seen and `now`.
    pub fn passes(&self, step: Time, now: Time) -> bool {
        self.seen < step && step <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Dist;

    #[test]
    fn steps_follow_each_other_and_reads_come_first() {
        let promotion = Promotion {
            detect: Dist::Fixed(20.0),
            decide: Dist::Fixed(0.0),
            fence: Dist::Fixed(5.0),
            promote: Dist::Fixed(30.0),
            repoint: Dist::Fixed(2.0),
        };
        let luck = Stream::new(1, 0, "promotion", "billing");
        let at = Time::from_secs;
        let mut vacancy = Vacancy::new(0, &promotion, at(100.0), luck, 0);
        assert_eq!(vacancy.noticed, at(120.0));
        assert_eq!(vacancy.reads, at(122.0));
        assert_eq!(vacancy.fenced, at(125.0));
        assert_eq!(vacancy.promoted, at(155.0));
        assert_eq!(vacancy.next_time(), at(120.0));
        assert!(vacancy.passes(vacancy.noticed, at(120.0)));
        vacancy.seen = at(125.0);
        assert!(!vacancy.passes(vacancy.noticed, at(130.0)));
        assert_eq!(vacancy.next_time(), at(155.0));
    }
}
