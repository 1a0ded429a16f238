//! One observer of one region: a prober that counts failures in a row.
//!
//! An answer is *right* when it tells whether anything answers in the region and *wrong* otherwise (a
//! failed probe of a living region, a missed failure of a dead one). Right answers come in runs whose length
//! is geometric, so the observer goes from wrong answer to wrong answer, and a healthy region that
//! is never called dead costs nothing.

use crate::engine::stream::Stream;
use crate::units::{Span, Time};

/// Shortest time between probes: an interval of zero would stop the clock.
const SHORTEST_INTERVAL: Span = Span(1_000_000);
/// Wrong answers that are looked at in advance at most.
const LOOK_AHEAD: usize = 256;

/// How probes are sent and counted.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Time between probes.
    pub interval: Span,
    /// A probe that hangs fails after this.
    pub timeout: Span,
    /// Whether the interval runs from the end of the last probe instead of its start.
    pub back_to_back: bool,
    /// Answers in a row that change the observer's mind.
    pub threshold: u64,
    /// Chance that a probe of a healthy region fails.
    pub false_alarm: f64,
    /// Chance that a probe of a dead region is answered.
    pub missed: f64,
}

/// A region's true condition, as probes meet it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Condition {
    /// Whether nothing in it answers: it is dark, or no instance serves yet.
    pub silent: bool,
    /// Whether connections to it hang instead of being refused.
    pub hang: bool,
    /// Share of probes that fail although it answers: what a deep probe meets.
    pub failing: f64,
}

/// Where an observer stands before its next probe.
#[derive(Clone, Copy, Debug)]
struct Stand {
    /// Number of the next probe.
    ordinal: u64,
    /// When it is sent.
    sent: Time,
    /// Answers in a row against what the observer says.
    run: u64,
}

/// What comes next if the region's condition stays.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The observer changes its mind.
    Change {
        /// When the deciding probe is sent.
        sent: Time,
        /// When it is answered, or fails.
        at: Time,
        /// Where the observer stands after it.
        then: Stand,
    },
    /// It stands there and has not changed its mind until then.
    Stand(Stand),
    /// It never changes its mind.
    Never,
}

/// One observer of one region.
#[derive(Clone, Debug)]
pub struct Observer {
    pace: Pace,
    stream: Stream,
    condition: Condition,
    says_dead: bool,
    stand: Stand,
    next: Next,
}

impl Observer {
    /// An observer of a healthy region whose first probe is somewhere in the first interval.
    pub fn new(pace: Pace, stream: Stream) -> Observer {
        let pace = Pace {
            interval: pace.interval.max(SHORTEST_INTERVAL),
            threshold: pace.threshold.max(1),
            ..pace
        };
        // Slots 0 and 1 are for answers.
        let phase = stream.draws(0, 2).uniform();
        let mut observer = Observer {
            pace,
            stream,
            condition: Condition::default(),
            says_dead: false,
            stand: Stand {
                ordinal: 0,
                sent: Time::from_secs(phase * pace.interval.secs()),
                run: 0,
            },
            next: Next::Never,
        };
        observer.next = observer.ahead(Time::NEVER, LOOK_AHEAD);
        observer
    }

    /// Whether it says that the region is dead.
    pub fn says_dead(&self) -> bool {
        self.says_dead
    }

    /// When [`Observer::advance`] is to be called.
    pub fn next_time(&self) -> Time {
        match self.next {
            Next::Change { at, .. } => at,
            Next::Stand(stand) => stand.sent,
            Next::Never => Time::NEVER,
        }
    }

    /// Lives through [`Observer::next_time`]; it may change its mind.
    pub fn advance(&mut self) {
        match self.next {
            Next::Change { then, .. } => {
                self.says_dead = !self.says_dead;
                self.stand = then;
            }
            Next::Stand(stand) => self.stand = stand,
            Next::Never => return,
        }
        self.next = self.ahead(Time::NEVER, LOOK_AHEAD);
    }

    /// The region's condition changes. Probes that were sent before met the old one.
    pub fn condition_changed(&mut self, now: Time, condition: Condition) {
        if condition == self.condition {
            return;
        }
        let decided = matches!(self.next, Next::Change { sent, .. } if sent < now);
        if !decided && let Next::Stand(stand) = self.ahead(now, usize::MAX) {
            self.stand = stand;
        }
        self.condition = condition;
        if !decided {
            self.next = self.ahead(Time::NEVER, LOOK_AHEAD);
        }
    }

    /// What happens to the probes that are sent before `until`, up to so many wrong answers.
    fn ahead(&self, until: Time, wrong_answers: usize) -> Next {
        let Condition {
            silent,
            hang,
            failing,
        } = self.condition;
        let wrong_share = if silent {
            self.pace.missed
        } else if failing > 0.0 {
            1.0 - (1.0 - self.pace.false_alarm) * (1.0 - failing)
        } else {
            self.pace.false_alarm
        };
        // A right answer of a silent region is a failure; whatever else is known at once.
        let wait = if silent && hang {
            self.pace.timeout
        } else {
            Span::ZERO
        };
        let (right, wrong) = (self.period(wait), self.period(Span::ZERO));
        let right_counts = silent != self.says_dead;
        let threshold = self.pace.threshold;
        let mut stand = self.stand;
        for _ in 0..wrong_answers {
            let gap = self.right_answers(stand.ordinal, wrong_share);
            let sent_before = probes_before(stand.sent, until, right);
            let needed = if right_counts {
                threshold - stand.run
            } else {
                u64::MAX
            };
            if right_counts && needed <= gap.min(sent_before) {
                let sent = after(stand.sent, right, needed - 1);
                return Next::Change {
                    sent,
                    at: sent + wait,
                    then: Stand {
                        ordinal: stand.ordinal.saturating_add(needed),
                        sent: after(stand.sent, right, needed),
                        run: 0,
                    },
                };
            }
            let passed = gap.min(sent_before);
            if passed == u64::MAX {
                return Next::Never;
            }
            stand = Stand {
                ordinal: stand.ordinal.saturating_add(passed),
                sent: after(stand.sent, right, passed),
                run: match (right_counts, passed) {
                    (true, _) => stand.run + passed,
                    (false, 0) => stand.run,
                    (false, _) => 0,
                },
            };
            if stand.sent == Time::NEVER {
                return Next::Never;
            }
            if stand.sent >= until {
                return Next::Stand(stand);
            }
            let sent = stand.sent;
            stand = Stand {
                ordinal: stand.ordinal.saturating_add(1),
                sent: after(sent, wrong, 1),
                run: if right_counts { 0 } else { stand.run + 1 },
            };
            if stand.run == threshold {
                return Next::Change {
                    sent,
                    at: sent,
                    then: Stand { run: 0, ..stand },
                };
            }
        }
        Next::Stand(stand)
    }

    /// From the sending of a probe that is known after `wait` to the sending of the next.
    fn period(&self, wait: Span) -> Span {
        if self.pace.back_to_back {
            wait + self.pace.interval
        } else {
            wait.max(self.pace.interval)
        }
    }

    /// Number of right answers from a probe on until the next wrong one: geometric.
    fn right_answers(&self, ordinal: u64, wrong_share: f64) -> u64 {
        if wrong_share <= 0.0 {
            return u64::MAX;
        }
        if wrong_share >= 1.0 {
            return 0;
        }
        let slot = u32::from(self.condition.silent);
        let uniform = self.stream.draws(ordinal, slot).uniform();
        // `as` saturates.
        (libm::log(uniform) / libm::log1p(-wrong_share)) as u64
    }
}

/// Number of probes of a period that are sent before `until`, the first one at `first`.
fn probes_before(first: Time, until: Time, period: Span) -> u64 {
    if until == Time::NEVER {
        u64::MAX
    } else {
        until.since(first).0.div_ceil(period.0)
    }
}

/// So many periods later.
fn after(time: Time, period: Span, count: u64) -> Time {
    time + Span(period.0.saturating_mul(count))
}
