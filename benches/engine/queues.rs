//! The engine's queue, and what it was chosen from. All are in the order of (time, sequence).

use crate::workloads::Pending;
use darkregion::engine::queue::Queue;
use darkregion::units::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

impl Pending for Queue<u32> {
    #[inline]
    fn push(&mut self, nanos: u64, event: u32) {
        Queue::push(self, Time(nanos), event);
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, u32)> {
        Queue::pop(self).map(|(time, event)| (time.0, event))
    }
}

/// A standard heap of event structs, compared field by field.
#[derive(Default)]
pub struct Structs {
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    pushed: u64,
}

impl Pending for Structs {
    #[inline]
    fn push(&mut self, nanos: u64, event: u32) {
        self.heap.push(Reverse((nanos, self.pushed, event)));
        self.pushed += 1;
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, u32)> {
        self.heap
            .pop()
            .map(|Reverse((time, _, event))| (time, event))
    }
}

/// Time and sequence number as one integer.
type Key = u128;

fn key(nanos: u64, sequence: u64) -> Key {
    (Key::from(nanos) << 64) | Key::from(sequence)
}

fn nanos(key: Key) -> u64 {
    (key >> 64) as u64
}

#[derive(Clone, Copy)]
struct Entry {
    key: Key,
    event: u32,
}

impl Ord for Entry {
    #[inline]
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.key.cmp(&self.key)
    }
}

impl PartialOrd for Entry {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Entry {}

/// A standard heap of packed keys: what all else is compared with.
#[derive(Default)]
pub struct Packed {
    heap: BinaryHeap<Entry>,
    pushed: u64,
}

impl Pending for Packed {
    #[inline]
    fn push(&mut self, nanos: u64, event: u32) {
        let key = key(nanos, self.pushed);
        self.heap.push(Entry { key, event });
        self.pushed += 1;
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, u32)> {
        self.heap.pop().map(|entry| (nanos(entry.key), entry.event))
    }
}

/// A heap with four children per node, of packed keys.
#[derive(Default)]
pub struct FourAry {
    heap: Vec<Entry>,
    pushed: u64,
}

impl Pending for FourAry {
    #[inline]
    fn push(&mut self, nanos: u64, event: u32) {
        let key = key(nanos, self.pushed);
        let entry = Entry { key, event };
        self.pushed += 1;
        let mut at = self.heap.len();
        self.heap.push(entry);
        while at > 0 {
            let parent = (at - 1) / 4;
            if self.heap[parent].key < key {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = entry;
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, u32)> {
        let last = self.heap.pop()?;
        let Some(&top) = self.heap.first() else {
            return Some((nanos(last.key), last.event));
        };
        let heap = &mut self.heap[..];
        let mut at = 0;
        while 4 * at + 1 < heap.len() {
            let children = 4 * at + 1..(4 * at + 5).min(heap.len());
            let mut least = children.start;
            for child in children {
                if heap[child].key < heap[least].key {
                    least = child;
                }
            }
            if last.key < heap[least].key {
                break;
            }
            heap[at] = heap[least];
            at = least;
        }
        heap[at] = last;
        Some((nanos(top.key), top.event))
    }
}

/// A wheel of buckets, each sorted when its time has come. How wide they are is set by hand for the
/// workload, which a simulator cannot do: what buckets could give at best.
pub struct Wheel {
    buckets: Vec<Vec<Entry>>,
    width_bits: u32,
    /// The bucket under way, latest first.
    current: Vec<Entry>,
    turn: u64,
    len: usize,
    pushed: u64,
}

impl Wheel {
    /// No event may come later than `buckets << width_bits` nanoseconds from now.
    pub fn new(buckets: usize, width_bits: u32) -> Wheel {
        Wheel {
            buckets: vec![Vec::new(); buckets],
            width_bits,
            current: Vec::new(),
            turn: 0,
            len: 0,
            pushed: 0,
        }
    }
}

impl Pending for Wheel {
    #[inline]
    fn push(&mut self, nanos: u64, event: u32) {
        let key = key(nanos, self.pushed);
        let entry = Entry { key, event };
        self.pushed += 1;
        self.len += 1;
        let turn = nanos >> self.width_bits;
        if turn == self.turn {
            let at = self.current.partition_point(|other| other.key > key);
            self.current.insert(at, entry);
            return;
        }
        let buckets = self.buckets.len() as u64;
        assert!(turn - self.turn < buckets, "an event beyond the wheel");
        self.buckets[(turn % buckets) as usize].push(entry);
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, u32)> {
        if self.len == 0 {
            return None;
        }
        while self.current.is_empty() {
            self.turn += 1;
            let at = (self.turn % self.buckets.len() as u64) as usize;
            std::mem::swap(&mut self.current, &mut self.buckets[at]);
            self.current.sort_unstable();
        }
        self.len -= 1;
        let entry = self.current.pop()?;
        Some((nanos(entry.key), entry.event))
    }
}
