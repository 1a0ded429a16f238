//! The two loops that everything is measured with, over any queue and any source of randomness.

use std::collections::VecDeque;

/// Servers of the M/M/c queue; customers come at 0.8 of what they serve.
pub const SERVERS: u32 = 10;
/// Mean seconds between two customers; a service takes 1 s on average.
pub const GAP: f64 = 0.125;
/// Processes of PHOLD, and messages that each begins with.
pub const PROCESSES: u32 = 1024;
const MESSAGES: u32 = 16;
/// Seconds that a message takes at least, and on average beyond that.
pub const LOOKAHEAD: f64 = 0.1;

/// Events that wait, by time in nanoseconds.
pub trait Pending {
    fn push(&mut self, nanos: u64, event: u32);
    fn pop(&mut self) -> Option<(u64, u32)>;
}

/// What is random; times in nanoseconds.
pub trait Luck {
    /// How long after the one before this customer comes, and how long its service takes.
    fn customer(&mut self, customer: u64) -> (u64, u64);
    /// Where the next message of a process goes, and how long it takes.
    fn message(&mut self, process: u32) -> (u32, u64);
}

/// What a loop did.
#[derive(Clone, Copy)]
pub struct Done {
    pub events: u64,
    /// Mean seconds that a customer waited, or that a message was under way: the same, but for
    /// chance, in every implementation.
    pub mean_secs: f64,
}

/// M/M/c: two events per customer.
pub fn mmc(mut pending: impl Pending, mut luck: impl Luck, customers: u64) -> Done {
    const ARRIVAL: u32 = 0;
    const DEPARTURE: u32 = 1;
    let (mut events, mut came, mut busy) = (0, 0, 0);
    // When the customer came, and how long its service takes.
    let mut line: VecDeque<(u64, u64)> = VecDeque::new();
    let mut waited = 0;
    let (gap, mut service) = luck.customer(0);
    pending.push(gap, ARRIVAL);
    while let Some((now, event)) = pending.pop() {
        events += 1;
        if event == ARRIVAL {
            if busy < SERVERS {
                busy += 1;
                pending.push(now + service, DEPARTURE);
            } else {
                line.push_back((now, service));
            }
            came += 1;
            if came < customers {
                let (gap, next) = luck.customer(came);
                service = next;
                pending.push(now + gap, ARRIVAL);
            }
        } else if let Some((since, service)) = line.pop_front() {
            waited += now - since;
            pending.push(now + service, DEPARTURE);
        } else {
            busy -= 1;
        }
    }
    let mean_secs = waited as f64 / 1e9 / customers as f64;
    Done { events, mean_secs }
}

/// PHOLD: every message that arrives sends another, to anyone.
pub fn phold(mut pending: impl Pending, mut luck: impl Luck, events: u64) -> Done {
    for process in 0..PROCESSES {
        for _ in 0..MESSAGES {
            let (_, delay) = luck.message(process);
            pending.push(delay, process);
        }
    }
    let mut arrived = vec![0u64; PROCESSES as usize];
    let mut now = 0;
    for _ in 0..events {
        let (time, process) = pending.pop().expect("messages are never lost");
        now = time;
        arrived[process as usize] += 1;
        let (to, delay) = luck.message(process);
        pending.push(now + delay, to);
    }
    let events: u64 = arrived.iter().sum();
    let messages = f64::from(PROCESSES * MESSAGES);
    let mean_secs = now as f64 / 1e9 * messages / events as f64;
    Done { events, mean_secs }
}
