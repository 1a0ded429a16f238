use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn an_empty_queue_has_nothing() {
    let mut queue: Queue<u8> = Queue::default();
    assert!(queue.is_empty());
    assert_eq!(queue.peek_time(), None);
    assert_eq!(queue.pop(), None);
}

/// A queue beside a sorted set of the same events, which must agree at every step.
#[derive(Default)]
struct Pair {
    queue: Queue<u64>,
    sorted: BTreeSet<(Time, u64)>,
    pushed: u64,
    /// Whether buckets were in use at any time.
    bucketed: bool,
}

impl Pair {
    fn push(&mut self, time: Time) {
        self.queue.push(time, self.pushed);
        self.sorted.insert((time, self.pushed));
        self.pushed += 1;
        self.agree();
    }

    fn pop(&mut self) -> Option<Time> {
        let popped = self.queue.pop();
        assert_eq!(popped, self.sorted.pop_first());
        self.agree();
        popped.map(|(time, _)| time)
    }

    fn agree(&mut self) {
        self.bucketed |= self.queue.far.len() > 0;
        assert_eq!(self.queue.len(), self.sorted.len());
        assert_eq!(self.queue.is_empty(), self.sorted.is_empty());
        let first = self.sorted.first().map(|&(time, _)| time);
        assert_eq!(self.queue.peek_time(), first);
    }

    /// Pushes and pops by turns as `grows` says, and then pops all. Events come `ahead` of the last
    /// that was popped.
    fn run(&mut self, grows: impl Iterator<Item = bool>, mut ahead: impl FnMut() -> u64) {
        let mut now = Time::ZERO;
        for grows in grows {
            if grows {
                self.push(Time(now.0.saturating_add(ahead())));
            } else {
                now = self.pop().unwrap_or(now);
            }
        }
        while self.pop().is_some() {}
    }
}

/// A small generator that needs no dependency: splitmix64.
fn numbers(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// Three pushes to a pop, then one to one, then one to three: a thousand and more wait.
fn rise_stay_fall() -> impl Iterator<Item = bool> {
    let rise = (0..2_000).map(|i| i % 4 != 0);
    let stay = (0..6_000).map(|i| i % 2 == 0);
    let fall = (0..3_000).map(|i| i % 4 == 0);
    rise.chain(stay).chain(fall)
}

#[test]
fn long_queues_of_every_shape_keep_the_order() {
    /// From an event's number to how long until it comes.
    type Shape = fn(u64) -> u64;
    let shapes: [(&str, Shape); 7] = [
        ("now", |_| 0),
        ("one moment ahead", |_| 1_000),
        ("a few moments", |n| n % 3),
        ("evenly", |n| n % 1_000_000),
        ("over all scales", |n| n >> (n % 64)),
        ("soon, or at the end of time", |n| {
            if n.is_multiple_of(2) {
                n % 1_000
            } else {
                u64::MAX
            }
        }),
        ("very far", |n| n >> 14),
    ];
    for (name, shape) in shapes {
        let mut pair = Pair::default();
        let mut next = numbers(7);
        pair.run(rise_stay_fall(), || shape(next()));
        // Events that all come at once are all near.
        assert!(pair.bucketed || name == "now", "{name}");
        assert_eq!(pair.pushed, 1_500 + 3_000 + 750);
    }
}

#[test]
fn a_queue_that_has_been_long_is_as_good_as_new() {
    let mut pair = Pair::default();
    let mut next = numbers(3);
    for _ in 0..3 {
        pair.run(rise_stay_fall(), || next() % 1_000_000);
        assert_eq!(pair.queue.near_until, Time::NEVER);
    }
}

#[test]
fn a_push_into_the_past_comes_next() {
    let mut pair = Pair::default();
    for time in 0..2_000 {
        pair.push(Time(1_000 + time));
    }
    for _ in 0..700 {
        pair.pop();
    }
    pair.push(Time(5));
    assert_eq!(pair.pop(), Some(Time(5)));
    while pair.pop().is_some() {}
}

#[test]
fn a_crowd_within_one_bucket_is_spread_again() {
    let mut pair = Pair::default();
    // Wide buckets first.
    for i in 0..2_000 {
        pair.push(Time(1_000_000_000 * i));
    }
    // Then very many events within one of them.
    let mut next = numbers(5);
    for _ in 0..3_000 {
        pair.push(Time(next() % 1_000_000));
    }
    assert!(pair.queue.near.len() < 100, "{}", pair.queue.near.len());
    while pair.pop().is_some() {}
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn long_queues_are_sorted_lists(
        seed: u64,
        // How far ahead events may come, and how many of eight turns push.
        phases in prop::collection::vec((0u32..64, 1u64..8, 1usize..3_000), 1..6),
    ) {
        let mut pair = Pair::default();
        let mut next = numbers(seed);
        let mut now = Time::ZERO;
        for (shift, pushes, turns) in phases {
            for _ in 0..turns {
                if next() % 8 < pushes {
                    pair.push(Time(now.0.saturating_add(next() >> shift)));
                } else {
                    now = pair.pop().unwrap_or(now);
                }
            }
        }
        while pair.pop().is_some() {}
    }
}
