//! The event queue: earliest first, and among equals the one that was pushed first.
//!
//! What is near lies in a binary heap, what is far in buckets of time that nobody sorts before
//! their time has come. While few events wait, all of them are near: the queue is a heap, and
//! nothing else was found to be faster. From some [`MANY`] events on buckets pay, and the more
//! the longer the queue: with 16,000 events waiting they are nearly twice as fast as the heap.
//! `cargo bench --bench engine` compares them with what was not chosen.
//!
//! Time and sequence number are one integer, so that a comparison is one comparison. Events move
//! about in the queue and should be small: up to 16 bytes, an entry is half a line of the cache.

mod far;

use crate::units::Time;
use far::Far;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// So many events have to wait before any are put into buckets.
pub const MANY: usize = 512;

/// Events in the order of (time, sequence). The order is total, so a run never depends on how
/// the queue happens to lie in memory.
#[derive(Clone, Debug)]
pub struct Queue<E> {
    /// All events up to `near_until`; empty only if nothing waits.
    near: BinaryHeap<Entry<E>>,
    near_until: Time,
    far: Far<E>,
    /// More events than this in `near` are spread anew.
    crowded: usize,
    pushed: u64,
}

/// An event that waits.
#[derive(Clone, Debug)]
struct Entry<E> {
    /// Time in the upper half, sequence number in the lower.
    key: u128,
    event: E,
}

impl<E> Queue<E> {
    /// An empty queue.
    pub fn new() -> Queue<E> {
        Queue {
            near: BinaryHeap::new(),
            near_until: Time::NEVER,
            far: Far::new(),
            crowded: MANY,
            pushed: 0,
        }
    }

    /// Adds an event.
    #[inline]
    pub fn push(&mut self, time: Time, event: E) {
        let entry = Entry::new(time, self.pushed, event);
        self.pushed += 1;
        if time > self.near_until {
            self.far.add(entry);
            return;
        }
        self.near.push(entry);
        if self.near.len() > self.crowded {
            self.spread();
        }
    }

    /// Takes the next event out; `None` when there is none.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let entry = self.near.pop()?;
        if self.near.is_empty() && self.near_until != Time::NEVER {
            self.approach();
        }
        Some((entry.time(), entry.event))
    }

    /// The time of the next event; `None` when there is none.
    #[inline]
    pub fn peek_time(&self) -> Option<Time> {
        self.near.peek().map(Entry::time)
    }

    /// Events waiting.
    pub fn len(&self) -> usize {
        self.near.len() + self.far.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.near.is_empty()
    }

    /// Makes the next bucket the near events, now that there are none.
    #[inline(never)]
    fn approach(&mut self) {
        // The allocation of the old bucket serves again.
        let emptied = std::mem::take(&mut self.near).into_vec();
        match self.far.next_bucket(emptied) {
            Ok((bucket, until)) => {
                self.near = bucket.into();
                self.near_until = until;
            }
            Err(emptied) => {
                self.near = emptied.into();
                self.spread();
            }
        }
    }

    /// Decides anew, from all events that wait, what is near.
    #[cold]
    #[inline(never)]
    fn spread(&mut self) {
        let mut all = self.far.take_all();
        all.extend(self.near.drain());
        // Half of what it takes to begin with buckets, or the queue might go to and fro.
        if all.len() <= MANY / 2 {
            self.near.append(&mut all.into());
            self.near_until = Time::NEVER;
            self.crowded = MANY;
            return;
        }
        self.far.spread(all);
        self.approach();
        // Where buckets cannot tell the near events apart, it is no use to try soon again.
        self.crowded = MANY.max(2 * self.near.len());
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue::new()
    }
}

impl<E> Entry<E> {
    #[inline]
    fn new(time: Time, sequence: u64, event: E) -> Entry<E> {
        let key = (u128::from(time.0) << 64) | u128::from(sequence);
        Entry { key, event }
    }

    #[inline]
    fn time(&self) -> Time {
        Time((self.key >> 64) as u64)
    }
}

impl<E> Ord for Entry<E> {
    // The standard heap gives the greatest first: the earliest has to be the greatest.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl<E> PartialOrd for Entry<E> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests;
