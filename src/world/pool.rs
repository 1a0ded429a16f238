//! A pool of slots with a bounded queue: the law of M/M/c/K at the current load, and the queue's way
//! towards it.
//!
//! With service times far below a step, the queue is in its stationary law most of the time; what
//! takes longer is filling up under overload and draining afterwards. So the mean queue moves
//! towards its stationary value no faster than the flows allow: by what arrives beyond capacity plus
//! what chance alone can pile up, and down by spare capacity.

mod stationary;
mod wait;
mod zones;

use stationary::Stationary;
pub use wait::{Drift, Wait};
pub use zones::{ByZone, Zone};

/// What serves: in one zone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Servers {
    /// Slots.
    pub slots: f64,
    /// Waiting places.
    pub queue: f64,
    /// Mean time that a request keeps a slot busy.
    pub mean_secs: f64,
    /// Squared coefficient of variation of that time.
    pub scv: f64,
}

impl Servers {
    /// With no more places than are served in so many seconds: who would wait longer is refused.
    pub fn within(self, secs: f64) -> Servers {
        if secs == f64::INFINITY {
            return self;
        }
        let served = self.slots / self.mean_secs.max(1e-12) * secs;
        Servers {
            queue: self.queue.min(served),
            ..self
        }
    }
}

/// State of the queue between steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pool {
    waiting: f64,
}

/// What a step does.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolState {
    /// Share of arrivals that is refused.
    pub refused: f64,
    /// Slots busy on average.
    pub busy: f64,
    /// How long accepted requests wait.
    pub wait: Wait,
    /// Whether the queue is on its way to where this load leads: longer or shorter by more than there
    /// are slots.
    pub moving: bool,
    /// Whether counted traffic may be off: few slots, or a load close to capacity.
    pub doubtful: bool,
    next: Pool,
}

/// Beyond so many standard deviations of spare slots nobody waits (Erlang C is below 1e-8).
const FAR: f64 = 6.0;

impl Pool {
    /// What a step of `dt_secs` at a constant rate of arrivals does.
    pub fn evaluate(&self, rate_per_sec: f64, dt_secs: f64, servers: &Servers) -> PoolState {
        let Servers {
            slots,
            queue,
            mean_secs,
            scv,
        } = *servers;
        if slots <= 0.0 {
            return PoolState {
                refused: if rate_per_sec > 0.0 { 1.0 } else { 0.0 },
                ..PoolState::default()
            };
        }
        let offered = rate_per_sec * mean_secs;
        let load = offered / slots;
        if self.waiting < 1e-9 && (slots - offered) > FAR * slots.sqrt() {
            return PoolState {
                busy: offered,
                doubtful: slots < 20.0 && rate_per_sec > 0.0,
                ..PoolState::default()
            };
        }
        if mean_secs <= 0.0 {
            return PoolState::default();
        }
        let law = Stationary::new(slots, offered, queue, scv);
        let capacity = slots / mean_secs;
        let target = law.waiting;
        let begin = self.waiting.min(queue);
        // What chance alone does to a queue: the mean of a random walk's distance.
        let variance = rate_per_sec * (1.0 + scv) * dt_secs;
        let chance = (begin * begin + 2.0 / std::f64::consts::PI * variance).sqrt() - begin;
        let (end, reached) = if begin < target {
            let excess = (rate_per_sec - capacity).max(0.0) * dt_secs;
            toward(begin, target, begin + chance + excess)
        } else {
            let spare = (capacity - rate_per_sec * (1.0 - law.refused)).max(0.0) * dt_secs;
            // With no spare capacity a queue falls by what the full end keeps out.
            let kept_out = if queue > 0.0 {
                chance * begin / queue
            } else {
                0.0
            };
            toward(begin, target, begin - spare.max(kept_out))
        };
        let mean_waiting = reached * 0.5 * (begin + end) + (1.0 - reached) * end;
        // Refusals begin when the law is reached; before, only what can neither be served nor wait.
        let (refused, served) = if rate_per_sec <= 0.0 || dt_secs <= 0.0 {
            (0.0, (begin - end) / dt_secs.max(f64::MIN_POSITIVE))
        } else {
            let growth = (end - begin) / dt_secs;
            let beyond = 1.0 - (capacity + growth) / rate_per_sec;
            let refused = (law.refused * (1.0 - reached)).max(beyond).clamp(0.0, 1.0);
            (refused, rate_per_sec * (1.0 - refused) - growth)
        };
        let served = served.clamp(0.0, capacity);
        let wait_behind = |waiting: f64| {
            let mean_wait = if served > 0.0 { waiting / served } else { 0.0 };
            // All wait behind a backlog that the law does not know. Above capacity the law itself keeps
            // near its full end, and only its distance from there is random.
            let backlog = (waiting - target).max(0.0) / capacity;
            let random = (mean_wait - backlog).max(0.0).min(law.spread / capacity);
            let share = law.waits * (waiting / target.max(f64::MIN_POSITIVE)).min(1.0);
            if random > 0.0 && share > 0.0 {
                Wait {
                    share,
                    fixed: mean_wait - random,
                    mean: random / share,
                    cap: (queue / capacity).max(mean_wait),
                    drift: None,
                }
            } else {
                Wait {
                    fixed: mean_wait,
                    cap: mean_wait,
                    ..Wait::default()
                }
            }
        };
        let mut wait = wait_behind(mean_waiting);
        if (end - begin).abs() > slots && rate_per_sec > 0.0 && refused < 1.0 {
            let accepted = rate_per_sec * (1.0 - refused) * dt_secs;
            let rest = wait_behind(end);
            wait.drift = Some(Drift {
                // While it grows nobody is refused, while it shrinks nobody needs to be.
                part: if reached >= 1.0 {
                    1.0
                } else {
                    ((capacity * reached * dt_secs + (end - begin)) / accepted).clamp(0.0, 1.0)
                },
                from: begin / capacity,
                to: end / capacity,
                rest: [rest.share, rest.fixed, rest.mean, rest.cap],
            });
        }
        PoolState {
            refused,
            busy: (served * mean_secs).min(slots),
            wait,
            moving: (end - target).abs() > slots,
            doubtful: rate_per_sec > 0.0
                && (slots < 20.0 || (1.0 - load).abs() * slots.sqrt() < 1.0),
            next: Pool { waiting: end },
        }
    }

    /// Makes an evaluated step happen.
    pub fn commit(&mut self, state: &PoolState) {
        *self = state.next;
    }
}

/// From `begin` to `end` at an even pace, but not beyond `target`: where it ends, and the part of
/// the time until then.
fn toward(begin: f64, target: f64, end: f64) -> (f64, f64) {
    let (way, whole) = (target - begin, end - begin);
    if way == 0.0 || whole / way >= 1.0 {
        (
            target,
            if whole == 0.0 {
                0.0
            } else {
                (way / whole).clamp(0.0, 1.0)
            },
        )
    } else {
        (end, 1.0)
    }
}

#[cfg(test)]
mod tests;
