//! One queue, request by request: a referee for what counted queues say of metastable failures. It shares
//! nothing with the simulator.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A server that works on one request after the other, and clients that give up and try again.
pub struct Fifo {
    /// Requests per second.
    pub load: f64,
    /// Requests per second that it can serve.
    pub capacity: f64,
    /// Requests that may wait.
    pub queue: usize,
    /// From when, for how long, and to what share the capacity is cut.
    pub cut: (f64, f64, f64),
    /// Clients give up after so many seconds.
    pub timeout: f64,
    /// Attempts per request.
    pub attempts: u32,
}

impl Fifo {
    /// Good answers per second between two moments.
    pub fn goodput(&self, (from, until): (f64, f64), seed: u64) -> f64 {
        let mut state = seed;
        let mut gap = |rate: f64| {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let uniform = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
            -libm::log(1.0 - uniform) / rate
        };
        let mut again: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
        let nanos = |secs: f64| (secs * 1e9) as u64;
        let mut ends = VecDeque::new();
        let (mut fresh, mut free, mut good) = (gap(self.load), 0.0_f64, 0_u64);
        loop {
            let (now, made) = match again.peek() {
                Some(&Reverse((at, made))) if (at as f64) * 1e-9 < fresh => {
                    again.pop();
                    (at as f64 * 1e-9, made)
                }
                _ => {
                    let now = fresh;
                    fresh += gap(self.load);
                    (now, 0)
                }
            };
            if now >= until {
                return good as f64 / (until - from);
            }
            while ends.front().is_some_and(|&end| end <= now) {
                ends.pop_front();
            }
            let mut known = now + 1e-3;
            if ends.len() < self.queue {
                free = self.end(free.max(now), gap(self.capacity));
                ends.push_back(free);
                if free <= now + self.timeout {
                    good += u64::from(free >= from && free < until);
                    continue;
                }
                known = now + self.timeout;
            }
            if made + 1 < self.attempts {
                again.push(Reverse((nanos(known), made + 1)));
            }
        }
    }

    /// When work ends that begins at a moment and takes so long at full capacity.
    fn end(&self, mut now: f64, mut work: f64) -> f64 {
        let (from, length, left) = self.cut;
        for (until, speed) in [(from, 1.0), (from + length, left)] {
            if now < until {
                let done = ((until - now) * speed).min(work);
                now += done / speed;
                work -= done;
            }
        }
        now + work
    }
}
