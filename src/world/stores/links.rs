//! Links from senders to receivers: what held them up, how far behind the receivers are, and up to
//! where the writes of a sender have arrived.

use crate::units::{Span, Time};

/// Stretches of time that are remembered per link.
const MOST_HOLDS: usize = 64;

/// From one region to another.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// When nothing was sent: `[from, until)`, in order; the last may be open (`Time::NEVER`).
    holds: Vec<(Time, Time)>,
}

impl Link {
    /// Whether nothing is sent from now on.
    pub fn hold(&mut self, held: bool, now: Time) {
        let is_held = self.held_since().is_some();
        match (is_held, held) {
            (false, true) => {
                if self.holds.len() == MOST_HOLDS {
                    self.holds.remove(0);
                }
                self.holds.push((now, Time::NEVER));
            }
            (true, false) => {
                if let Some(last) = self.holds.last_mut() {
                    last.1 = now;
                }
                self.holds.retain(|(from, until)| from < until);
            }
            _ => {}
        }
    }

    /// Since when nothing has been sent.
    pub fn held_since(&self) -> Option<Time> {
        let open = self.holds.last().filter(|hold| hold.1 == Time::NEVER);
        open.map(|hold| hold.0)
    }

    /// The beginning of the stretch in which nothing was sent at a moment.
    fn held_at(&self, at: Time) -> Option<Time> {
        let found = self.holds.iter().rev().find(|hold| hold.0 <= at);
        found.filter(|hold| at < hold.1).map(|hold| hold.0)
    }

    /// All writes before this had been sent by `at`: when writes are sent at once, or in batches.
    pub fn sent(&self, batches: Option<Batches>, at: Time) -> Time {
        let Some(batches) = batches else {
            return self.held_at(at).unwrap_or(at);
        };
        let mut last = batches.last(at);
        while let Some(from) = self.held_at(last).filter(|_| last > Time::ZERO) {
            last = batches.last(Time(from.0.saturating_sub(1)));
        }
        last
    }
}

/// When batches are sent.
#[derive(Clone, Copy, Debug)]
pub struct Batches {
    /// How often.
    pub every: Span,
    /// The first one after the beginning.
    pub phase: Time,
}

impl Batches {
    /// The last batch at or before a moment; the beginning if there was none.
    fn last(&self, at: Time) -> Time {
        match at.0.checked_sub(self.phase.0) {
            Some(since) => Time(at.0 - since % self.every.0.max(1)),
            None => Time::ZERO,
        }
    }
}

/// How far the receivers of a sender are behind, as faults have it: times so much, plus so many
/// seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag {
    now: (f64, f64),
    before: (f64, f64),
    since: Time,
}

impl Default for Lag {
    fn default() -> Lag {
        Lag {
            now: (1.0, 0.0),
            before: (1.0, 0.0),
            since: Time::ZERO,
        }
    }
}

impl Lag {
    /// It is different from now on.
    pub fn change(&mut self, lag: (f64, f64), now: Time) {
        if lag != self.now {
            *self = Lag {
                now: lag,
                before: self.now,
                since: now,
            };
        }
    }

    /// What was sent by this moment had arrived at `at`, if the lag of a calm day is `secs`.
    pub fn arrived(&self, secs: f64, at: Time) -> Time {
        let ago = |(times, plus): (f64, f64)| {
            Time(at.0.saturating_sub(Span::from_secs(secs * times + plus).0))
        };
        // What was sent before the lag grew is not delayed by it.
        ago(self.now).max(ago(self.before).min(self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> Time {
        Time::from_secs(secs)
    }

    #[test]
    fn nothing_is_sent_while_a_link_is_held() {
        let mut link = Link::default();
        link.hold(true, at(10.0));
        assert_eq!(link.sent(None, at(5.0)), at(5.0));
        assert_eq!(link.sent(None, at(15.0)), at(10.0));
        link.hold(false, at(20.0));
        assert_eq!(link.sent(None, at(19.0)), at(10.0));
        assert_eq!(link.sent(None, at(20.0)), at(20.0));
        assert_eq!(link.held_since(), None);
    }

    #[test]
    fn a_hold_of_no_length_leaves_nothing() {
        let mut link = Link::default();
        link.hold(true, at(10.0));
        link.hold(false, at(10.0));
        assert_eq!(link.sent(None, at(10.0)), at(10.0));
    }

    #[test]
    fn batches_leave_at_their_times_and_a_held_one_leaves_later() {
        let batches = Some(Batches {
            every: Span::from_secs(5.0),
            phase: at(2.0),
        });
        let mut link = Link::default();
        assert_eq!(link.sent(batches, at(1.0)), Time::ZERO);
        assert_eq!(link.sent(batches, at(11.9)), at(7.0));
        assert_eq!(link.sent(batches, at(12.0)), at(12.0));
        link.hold(true, at(11.0));
        link.hold(false, at(18.0));
        assert_eq!(
            link.sent(batches, at(19.0)),
            at(7.0),
            "those at 12 and 17 were held"
        );
        assert_eq!(link.sent(batches, at(22.0)), at(22.0));
    }

    #[test]
    fn a_lag_that_grows_delays_what_is_sent_from_then_on() {
        let mut lag = Lag::default();
        lag.change((10.0, 5.0), at(100.0));
        assert_eq!(lag.arrived(1.0, at(100.5)), at(99.5));
        assert_eq!(lag.arrived(1.0, at(105.0)), at(100.0));
        assert_eq!(lag.arrived(1.0, at(150.0)), at(135.0));
        lag.change((1.0, 0.0), at(200.0));
        assert_eq!(
            lag.arrived(1.0, at(200.5)),
            at(199.5),
            "it catches up at once"
        );
    }
}
