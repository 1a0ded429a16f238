//! Events that are not near: buckets of equal width, and what lies beyond the last of them. Nothing
//! in here is sorted.

use super::Entry;
use crate::units::Time;

/// Events that a bucket should hold at first. Measured: with 2 the buckets themselves cost more than
/// they save, with 4 to 8 it makes no difference.
const PER_BUCKET: usize = 8;

/// Events in no order.
type Bucket<E> = Vec<Entry<E>>;

/// Events that come later than all that are near.
#[derive(Clone, Debug)]
pub struct Far<E> {
    /// Bucket `i` holds the events from `start + (i << width_bits)` on, up to the next.
    buckets: Vec<Bucket<E>>,
    start: Time,
    width_bits: u32,
    /// Buckets that are behind.
    passed: usize,
    /// Events in buckets.
    in_buckets: usize,
    /// Events after the last bucket.
    beyond: Vec<Entry<E>>,
}

impl<E> Far<E> {
    /// Nothing far.
    pub fn new() -> Far<E> {
        Far {
            buckets: Vec::new(),
            start: Time::ZERO,
            width_bits: 0,
            passed: 0,
            in_buckets: 0,
            beyond: Vec::new(),
        }
    }

    /// Events that are far.
    pub fn len(&self) -> usize {
        self.in_buckets + self.beyond.len()
    }

    /// Adds an event, which lies after all buckets that are behind.
    // Apart, so that a short queue does not pay for it.
    #[inline(never)]
    pub fn add(&mut self, entry: Entry<E>) {
        let bucket = (entry.time().since(self.start).0 >> self.width_bits) as usize;
        match self.buckets.get_mut(bucket) {
            Some(bucket) => {
                bucket.push(entry);
                self.in_buckets += 1;
            }
            None => self.beyond.push(entry),
        }
    }

    /// The next bucket that is not empty, and its last moment, in exchange for an empty one; gives
    /// that back if there is none. Events may still lie beyond.
    pub fn next_bucket(&mut self, emptied: Bucket<E>) -> Result<(Bucket<E>, Time), Bucket<E>> {
        if self.in_buckets == 0 {
            return Err(emptied);
        }
        while self.buckets[self.passed].is_empty() {
            self.passed += 1;
        }
        let bucket = std::mem::replace(&mut self.buckets[self.passed], emptied);
        self.in_buckets -= bucket.len();
        self.passed += 1;
        // The last bucket may reach past the end of time.
        let end = (self.passed as u128) << self.width_bits;
        let until = (u128::from(self.start.0) + end - 1).min(u128::from(Time::NEVER.0));
        Ok((bucket, Time(until as u64)))
    }

    /// Takes out all events.
    pub fn take_all(&mut self) -> Vec<Entry<E>> {
        let mut all = std::mem::take(&mut self.beyond);
        if self.in_buckets > 0 {
            for bucket in &mut self.buckets[self.passed..] {
                all.append(bucket);
            }
            self.in_buckets = 0;
        }
        all
    }

    /// Takes these events in, at least two, there being no others, into buckets whose width is that
    /// of [`PER_BUCKET`] of the sooner half. As many buckets as would hold all of them if they came
    /// evenly; what comes later is left for the next time.
    pub fn spread(&mut self, mut all: Vec<Entry<E>>) {
        let half = all.len() / 2;
        let middle = all.select_nth_unstable_by_key(half, |entry| entry.key).1;
        let middle = middle.time();
        let sooner = all[..half].iter().map(Entry::time);
        self.start = sooner.min().unwrap_or(middle);
        let width = u128::from(middle.since(self.start).0) * PER_BUCKET as u128 / half as u128;
        self.width_bits = width.max(1).ilog2();
        self.passed = 0;
        let count = all.len().next_power_of_two() / PER_BUCKET;
        self.buckets.resize_with(count.max(1), Vec::new);
        for entry in all {
            self.add(entry);
        }
    }
}
