//! The event queue: earliest first, and among equals the one that was pushed first.

use crate::units::Time;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Events in the order of (time, sequence). The order is total, so a run never depends on how
/// the heap happens to lie in memory.
#[derive(Clone, Debug)]
pub struct Queue<E> {
    heap: BinaryHeap<Entry<E>>,
    pushed: u64,
}

#[derive(Clone, Debug)]
struct Entry<E> {
    time: Time,
    sequence: u64,
    event: E,
}

impl<E> Queue<E> {
    /// An empty queue.
    pub fn new() -> Queue<E> {
        Queue {
            heap: BinaryHeap::new(),
            pushed: 0,
        }
    }

    /// Adds an event.
    pub fn push(&mut self, time: Time, event: E) {
        self.heap.push(Entry {
            time,
            sequence: self.pushed,
            event,
        });
        self.pushed += 1;
    }

    /// Takes the next event out; `None` when there is none.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        self.heap.pop().map(|entry| (entry.time, entry.event))
    }

    /// The time of the next event; `None` when there is none.
    pub fn peek_time(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.time)
    }

    /// Events waiting.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue::new()
    }
}

impl<E> Ord for Entry<E> {
    // The standard heap gives the greatest first: the earliest has to be the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time, other.sequence).cmp(&(self.time, self.sequence))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_queue_has_nothing() {
        let mut queue: Queue<u8> = Queue::default();
        assert!(queue.is_empty());
        assert_eq!(queue.peek_time(), None);
        assert_eq!(queue.pop(), None);
    }

    proptest! {
        #[test]
        fn events_come_by_time_and_then_in_the_order_of_pushing(
            times in prop::collection::vec(0u64..20, 0..200)
        ) {
            let mut queue = Queue::new();
            let mut expected: Vec<(Time, usize)> = Vec::new();
            for (i, &time) in times.iter().enumerate() {
                queue.push(Time(time), i);
                expected.push((Time(time), i));
            }
            expected.sort();
            prop_assert_eq!(queue.len(), times.len());
            prop_assert_eq!(queue.peek_time(), expected.first().map(|&(time, _)| time));
            let popped: Vec<(Time, usize)> = std::iter::from_fn(|| queue.pop()).collect();
            prop_assert_eq!(popped, expected);
        }
    }
}
