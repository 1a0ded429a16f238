//! The queue of events: packed keys, the near future in a heap and the rest in buckets of time.
//!
//! An event is one integer: when it happens, a number that keeps equals in order, what it is, and which
//! entity it is about with the generation of its place. An event whose entity has gone is dropped
//! when its time comes.

use super::slab::Key;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Bits of the parts of a key, from the lowest; the time has the rest.
const INDEX: u32 = 28;
const GENERATION: u32 = 21;
const KIND: u32 = 5;
const SEQUENCE: u32 = 18;

/// Most buckets of a timeline.
const BUCKETS: u64 = 1 << 16;
/// Most empty buckets that are kept.
const SPARE: usize = 64;
/// Shortest bucket: 2^24 ns.
const SHORTEST: u32 = 24;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A start of a market arrives.
    Arrival,
    /// A slot is done with a piece of work.
    Done,
    /// A piece of work arrives after a way.
    Arrives,
    /// A proxy knows that an attempt failed.
    Known,
    /// An answer that waited for the stores goes out.
    Answer,
    /// A start makes its next call.
    Next,
    /// A start makes its next attempt.
    Retry,
    /// A viewer leaves.
    Leaves,
    /// A session ends.
    Ends,
    /// A session looks for its region.
    Tries,
    /// A session has used up its buffer.
    Dry,
    /// A session's connection closes.
    Closes,
    /// A session of a market asks for something.
    Asks,
    /// A session of a market stalls on the network.
    Stalls,
    /// That is over.
    Resumes,
    /// A lookup is mirrored to a region's caches.
    Mirror,
    /// A session's first turn to ask for what it asks for periodically.
    Turn,
    /// The first timer of a ring is due.
    Ring,
    /// A proxy gives up on an instance that hangs.
    HangsUp,
    /// A piece of work has waited in a queue for as long as it may.
    Tires,
}

const KINDS: [Kind; 20] = [
    Kind::Arrival,
    Kind::Done,
    Kind::Arrives,
    Kind::Known,
    Kind::Answer,
    Kind::Next,
    Kind::Retry,
    Kind::Leaves,
    Kind::Ends,
    Kind::Tries,
    Kind::Dry,
    Kind::Closes,
    Kind::Asks,
    Kind::Stalls,
    Kind::Resumes,
    Kind::Mirror,
    Kind::Turn,
    Kind::Ring,
    Kind::HangsUp,
    Kind::Tires,
];

/// An event that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in nanoseconds.
    pub at: u64,
    /// What.
    pub kind: Kind,
    /// About whom.
    pub about: Key,
}

/// Events in the order of (time, sequence).
pub struct Timeline {
    near: BinaryHeap<Reverse<u128>>,
    buckets: Vec<Vec<Reverse<u128>>>,
    /// Buckets that are used again.
    spare: Vec<Vec<Reverse<u128>>>,
    /// Logarithm of a bucket's length in nanoseconds.
    width: u32,
    /// First bucket that is not in the heap yet.
    next: usize,
    sequence: u64,
    end: u64,
}

impl Timeline {
    /// Nothing happens; what is later than `end` never will.
    pub fn new(end: u64) -> Timeline {
        assert!(
            end < 1 << (128 - INDEX - GENERATION - KIND - SEQUENCE),
            "a run lasts less than two years"
        );
        let mut width = SHORTEST;
        while end >> width >= BUCKETS {
            width += 1;
        }
        Timeline {
            near: BinaryHeap::new(),
            buckets: vec![Vec::new(); (end >> width) as usize + 1],
            spare: Vec::new(),
            width,
            next: 0,
            sequence: 0,
            end,
        }
    }

    /// Adds an event.
    #[inline]
    pub fn push(&mut self, at: u64, kind: Kind, about: Key) {
        if at >= self.end {
            return;
        }
        self.sequence = (self.sequence + 1) & ((1 << SEQUENCE) - 1);
        let generation = u128::from(about.generation & ((1 << GENERATION) - 1));
        let key = ((u128::from(at) << SEQUENCE | u128::from(self.sequence)) << KIND | kind as u128)
            << GENERATION
            | generation;
        let key = key << INDEX | u128::from(about.index);
        let bucket = (at >> self.width) as usize;
        if bucket < self.next {
            return self.near.push(Reverse(key));
        }
        let bucket = &mut self.buckets[bucket];
        if bucket.capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            *bucket = spare;
        }
        bucket.push(Reverse(key));
    }

    /// Takes out the next event before `until`.
    #[inline]
    pub fn pop(&mut self, until: u64) -> Option<Event> {
        loop {
            if let Some(Reverse(first)) = self.near.peek() {
                let key = *first;
                let at = (key >> (INDEX + GENERATION + KIND + SEQUENCE)) as u64;
                if at >= until {
                    return None;
                }
                self.near.pop();
                let kind = (key >> (INDEX + GENERATION)) as usize & ((1 << KIND) - 1);
                return Some(Event {
                    at,
                    kind: KINDS[kind],
                    about: Key {
                        index: key as u32 & ((1 << INDEX) - 1),
                        generation: (key >> INDEX) as u32 & ((1 << GENERATION) - 1),
                    },
                });
            }
            if (self.next as u64) << self.width >= until || self.next >= self.buckets.len() {
                return None;
            }
            let bucket = std::mem::take(&mut self.buckets[self.next]);
            self.next += 1;
            if !bucket.is_empty() {
                let empty = std::mem::replace(&mut self.near, bucket.into()).into_vec();
                if empty.capacity() > 0 && self.spare.len() < SPARE {
                    self.spare.push(empty);
                }
            }
        }
    }
}

/// Whether an event's generation is that of an entity.
#[inline]
pub fn same(event: u32, entity: u32) -> bool {
    (event ^ entity) & ((1 << GENERATION) - 1) == 0
}

/// Timers of one length: they are due in the order in which they were set, so that nothing has to be
/// sorted, and one whose entity has gone costs nothing when its time comes.
pub struct Ring {
    /// The length, in nanoseconds.
    pub lasts: u64,
    timers: VecDeque<(u64, Key)>,
    /// Whether the timeline knows when to look.
    armed: bool,
}

impl Ring {
    /// No timers.
    pub fn new(lasts: u64) -> Ring {
        Ring {
            lasts,
            timers: VecDeque::new(),
            armed: false,
        }
    }

    /// Sets a timer; says when to look, if nobody knows yet.
    #[inline]
    pub fn set(&mut self, now: u64, about: Key) -> Option<u64> {
        let at = now.saturating_add(self.lasts);
        self.timers.push_back((at, about));
        (!std::mem::replace(&mut self.armed, true)).then_some(at)
    }

    /// The next that is due now.
    #[inline]
    pub fn due(&mut self, now: u64) -> Option<Key> {
        match self.timers.front() {
            Some(&(at, about)) if at <= now => {
                self.timers.pop_front();
                Some(about)
            }
            _ => None,
        }
    }

    /// When to look again: those whose entity has gone are forgotten.
    #[inline]
    pub fn again(&mut self, lives: impl Fn(Key) -> bool) -> Option<u64> {
        while let Some(&(at, about)) = self.timers.front() {
            if lives(about) {
                return Some(at);
            }
            self.timers.pop_front();
        }
        self.armed = false;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn events_come_by_time_and_then_in_the_order_of_pushing(
            times in prop::collection::vec(0u64..3_000_000_000, 1..200), step in 1u64..500_000_000
        ) {
            let mut timeline = Timeline::new(3_000_000_000);
            let key = |i: usize| Key { index: i as u32, generation: 7 };
            let (early, late) = times.split_at(times.len() / 2);
            let mut expected: Vec<(u64, usize)> = Vec::new();
            for (i, &at) in early.iter().enumerate() {
                timeline.push(at, Kind::Done, key(i));
                expected.push((at, i));
            }
            let mut popped = Vec::new();
            // The rest is pushed on the way, never into the past.
            let (mut until, mut rest) = (0, late.iter().enumerate());
            while until < 3_000_000_000 {
                if let Some((i, &at)) = rest.next() {
                    let (at, i) = (at.max(until), i + early.len());
                    if at < 3_000_000_000 {
                        timeline.push(at, Kind::Arrives, key(i));
                        expected.push((at, i));
                    }
                }
                until += step;
                while let Some(event) = timeline.pop(until) {
                    prop_assert_eq!(event.about.generation, 7);
                    popped.push((event.at, event.about.index as usize));
                }
            }
            expected.sort();
            prop_assert_eq!(popped, expected);
        }
    }

    #[test]
    fn timers_of_a_ring_come_in_order_and_the_gone_are_forgotten() {
        let mut ring = Ring::new(10);
        let key = |index| Key {
            index,
            generation: 0,
        };
        assert_eq!(ring.set(0, key(0)), Some(10));
        assert_eq!(ring.set(1, key(1)), None);
        assert_eq!(ring.set(5, key(2)), None);
        assert_eq!(ring.due(10), Some(key(0)));
        assert_eq!(ring.due(10), None);
        assert_eq!(ring.again(|about| about.index != 1), Some(15));
    }
}
