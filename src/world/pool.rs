//! A pool of slots with a bounded queue: the law of M/M/c/K at the current load, and the queue's way
//! towards it.
//!
//! With service times far below a step, the queue is in its stationary law most of the time; what
//! takes longer is filling up under overload and draining afterwards. So the mean queue moves
//! towards its stationary value no faster than the flows allow: by what arrives beyond capacity plus
//! what chance alone can pile up, and down by spare capacity.

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
    /// Whether counted traffic may be off: few slots, or a load close to capacity.
    pub doubtful: bool,
    next: Pool,
}

/// Law of the wait of accepted requests: `fixed`, and for a share of them an exponential on top,
/// cut off at `cap`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wait {
    /// Share that waits (beyond `fixed`).
    pub share: f64,
    /// Everybody waits so long behind a backlog, in seconds.
    pub fixed: f64,
    /// Mean of the exponential part of those who wait, in seconds.
    pub mean: f64,
    /// Nobody waits longer, in seconds.
    pub cap: f64,
}

impl Wait {
    /// Share that waits longer than `secs`.
    pub fn tail(&self, secs: f64) -> f64 {
        if secs < self.fixed {
            1.0
        } else if self.share <= 0.0 || self.mean <= 0.0 || secs >= self.cap {
            0.0
        } else {
            self.share * libm::exp(-(secs - self.fixed) / self.mean)
        }
    }

    /// Mean wait of all accepted requests, in seconds.
    pub fn mean(&self) -> f64 {
        self.fixed + self.share * self.mean
    }
}

/// Beyond so many square roots of the slots to spare, fewer than one request in a million waits.
const FAR: f64 = 5.0;

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
        let law = Stationary::new(slots, offered, queue);
        let capacity = slots / mean_secs;
        // Allen-Cunneen for service times that are not exponential; far above capacity the queue is
        // full whatever their law.
        let beyond = 4.0 * (load - 1.0).max(0.0) * slots.sqrt();
        let variable = 1.0 + ((1.0 + scv) / 2.0 - 1.0) / (1.0 + beyond);
        let target = (law.waiting * variable).min(queue);
        let begin = self.waiting.min(queue);
        let (end, reached) = if begin < target {
            let excess = (rate_per_sec - capacity).max(0.0) * dt_secs;
            let chance = 2.0 / std::f64::consts::PI * rate_per_sec * (1.0 + scv) * dt_secs;
            toward(begin, target, (begin * begin + chance).sqrt() + excess)
        } else {
            let spare = (capacity - rate_per_sec).max(0.0) * dt_secs;
            // With no spare capacity the queue stays; chance alone lets it fall to the law's mean.
            let chance = 2.0 / std::f64::consts::PI * rate_per_sec * (1.0 + scv) * dt_secs;
            let fall = spare.max((begin * begin + chance).sqrt() - begin);
            toward(begin, target, begin - fall)
        };
        let mean_waiting = reached * 0.5 * (begin + end) + (1.0 - reached) * end;
        // Refusals begin when the law is reached; on the way down nobody is refused.
        let refused = law.refused * (1.0 - reached);
        let accepted = rate_per_sec * (1.0 - refused);
        let served = if dt_secs > 0.0 {
            (accepted + (begin - end) / dt_secs).clamp(0.0, capacity)
        } else {
            accepted.min(capacity)
        };
        let mean_wait = if served > 0.0 {
            mean_waiting / served
        } else {
            0.0
        };
        let cap = queue * mean_secs / slots;
        // Below capacity waits are exponential given that there is one; at or above it, or behind a
        // backlog that the law does not know, everybody waits alike.
        let backlog = (mean_waiting - target).max(0.0) / capacity;
        let wait = if load >= 1.0 {
            Wait {
                share: 0.0,
                fixed: mean_wait.min(cap),
                mean: 0.0,
                cap,
            }
        } else {
            let random = (mean_wait - backlog).max(0.0);
            let share = (law.waits * (mean_waiting / target.max(1e-300)).min(1.0)).max(1e-300);
            Wait {
                share: if random > 0.0 { share } else { 0.0 },
                fixed: backlog,
                mean: random / share,
                cap: cap.max(backlog),
            }
        };
        PoolState {
            refused,
            busy: (served * mean_secs).min(slots),
            wait,
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

/// The stationary law of M/M/c/K, `K = c + queue`, for any load.
struct Stationary {
    refused: f64,
    waits: f64,
    waiting: f64,
}

impl Stationary {
    fn new(slots: f64, offered: f64, queue: f64) -> Stationary {
        if offered <= 0.0 {
            return Stationary {
                refused: 0.0,
                waits: 0.0,
                waiting: 0.0,
            };
        }
        let load = offered / slots;
        // Sums of load^j for j in 0..n and of j load^j for j in 0..=n.
        let log = libm::log(load);
        let geometric = |n: f64| {
            if (n * log).abs() < 1e-6 {
                n * (1.0 + 0.5 * (n - 1.0) * log)
            } else {
                libm::expm1(n * log) / libm::expm1(log)
            }
        };
        // Above capacity the powers overflow: all weights are divided by the last one.
        let top = if log > 0.0 { queue * log } else { 0.0 };
        let inverse_blocking = inverse_erlang_b(slots, offered);
        let (ones, weighted) = if log > 0.0 {
            // From the top down: sum over i = queue - j of exp(-i log).
            let down = -libm::expm1(-(queue + 1.0) * log) / -libm::expm1(-log);
            let places = if (queue * log).abs() < 1e-6 {
                queue * (queue + 1.0) / 2.0
            } else {
                let r = libm::exp(-log);
                let mean_down = weighted_sum(r, queue);
                queue * down - mean_down
            };
            (down - libm::exp(-top), places)
        } else {
            let up = geometric(queue + 1.0) - 1.0;
            (up, weighted_sum(load, queue))
        };
        // Weight of "all slots busy, nobody waits" is exp(-top); below it, inverse blocking minus one.
        let base = libm::exp(-top);
        let all = inverse_blocking * base + ones;
        let full = if log > 0.0 {
            1.0
        } else {
            libm::exp(queue * log)
        };
        Stationary {
            refused: full / all,
            waits: ((base + ones - full) / all).clamp(0.0, 1.0),
            waiting: weighted / all,
        }
    }
}

/// Sum of `j r^j` for `j` from 1 to `n`, `r <= 1`.
fn weighted_sum(r: f64, n: f64) -> f64 {
    let gap = 1.0 - r;
    if gap * n < 1e-4 {
        // Nearly equal weights: the first two terms of the expansion.
        return n * (n + 1.0) / 2.0 * (1.0 - gap * (2.0 * n - 2.0) / 3.0);
    }
    let last = libm::exp(n * libm::log(r));
    r * (1.0 - (n + 1.0) * last + n * last * r) / (gap * gap)
}

/// `1 / B(c, a)` by the finite sum of falling products, which is exact for whole `c`.
fn inverse_erlang_b(slots: f64, offered: f64) -> f64 {
    let (mut sum, mut term, mut left) = (1.0, 1.0, slots);
    while left > 0.0 {
        // A last fraction of a slot counts by its size.
        term *= left / offered * left.min(1.0);
        sum += term;
        if sum > 1e10 || (left < offered && term < 1e-12 * sum) {
            break;
        }
        left -= 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(rate: f64, servers: &Servers) -> PoolState {
        let mut pool = Pool::default();
        let mut state = PoolState::default();
        for _ in 0..2000 {
            state = pool.evaluate(rate, 10.0, servers);
            pool.commit(&state);
        }
        state
    }

    /// M/M/c/K by its balance equations.
    fn exact(slots: usize, queue: usize, offered: f64) -> (f64, f64, f64) {
        let mut weights = vec![1.0];
        for n in 1..=slots + queue {
            let last: f64 = weights[n - 1];
            weights.push(last * offered / n.min(slots) as f64);
        }
        let all: f64 = weights.iter().sum();
        let refused = weights[slots + queue] / all;
        let waits: f64 = weights[slots..slots + queue].iter().sum::<f64>() / all;
        let waiting = (0..=queue)
            .map(|j| j as f64 * weights[slots + j])
            .sum::<f64>()
            / all;
        (refused, waits, waiting)
    }

    #[test]
    fn the_law_is_that_of_the_balance_equations() {
        for (slots, queue, offered) in [
            (1, 5, 0.7),
            (20, 20, 16.0),
            (20, 40, 20.0),
            (50, 10, 65.0),
            (200, 200, 190.0),
            (8, 0, 6.0),
            (30, 300, 40.0),
        ] {
            let law = Stationary::new(slots as f64, offered, queue as f64);
            let (refused, waits, waiting) = exact(slots, queue, offered);
            assert!(
                (law.refused - refused).abs() < 1e-9,
                "{slots} {queue} {offered}: {} {refused}",
                law.refused
            );
            assert!(
                (law.waits - waits).abs() < 1e-9,
                "{slots} {queue} {offered}: {} {waits}",
                law.waits
            );
            assert!(
                (law.waiting - waiting).abs() < 1e-6 * (1.0 + waiting),
                "{slots} {queue} {offered}: {} {waiting}",
                law.waiting
            );
        }
    }

    #[test]
    fn waits_follow_erlang_c() {
        // M/M/20 at 0.9, mean service 20 ms: P(wait) = 0.5508 by the recursion, mean C/(c mu - lambda).
        let servers = Servers {
            slots: 20.0,
            queue: 1e6,
            mean_secs: 0.02,
            scv: 1.0,
        };
        let state = settle(900.0, &servers);
        let mut b = 1.0;
        for n in 1..=20 {
            b = 18.0 * b / (n as f64 + 18.0 * b);
        }
        let c = b / (1.0 - 0.9 * (1.0 - b));
        assert!(
            (state.wait.share - c).abs() < 1e-6,
            "{} {c}",
            state.wait.share
        );
        assert!((state.wait.mean() - c / 100.0).abs() < 1e-6);
        assert!((state.wait.tail(0.01) - c * libm::exp(-1.0)).abs() < 1e-6);
    }

    #[test]
    fn load_moves_everything_continuously_and_upwards() {
        let servers = Servers {
            slots: 400.0,
            queue: 400.0,
            mean_secs: 0.02,
            scv: 1.5,
        };
        let (mut last_refused, mut last_wait) = (0.0, 0.0);
        for i in 0..200 {
            let rate = 20_000.0 * (0.9 + 0.001 * i as f64);
            let state = settle(rate, &servers);
            assert!(state.refused >= last_refused - 1e-12);
            assert!(state.wait.mean() >= last_wait - 1e-9, "{i}");
            assert!(state.refused - last_refused < 0.003, "a jump at {i}");
            assert!(state.wait.mean() - last_wait < 0.1 * 0.02, "a jump at {i}");
            (last_refused, last_wait) = (state.refused, state.wait.mean());
        }
        assert!((last_refused - (1.0 - 1.0 / 1.099)).abs() < 1e-3);
    }

    #[test]
    fn halving_the_step_changes_little_on_the_way_up_and_down() {
        let servers = Servers {
            slots: 100.0,
            queue: 1e5,
            mean_secs: 0.1,
            scv: 1.0,
        };
        let run = |dt: f64| {
            let (mut pool, mut sums) = (Pool::default(), (0.0, 0.0));
            let mut at = 0.0;
            while at < 60.0 - 1e-9 {
                let rate = if at < 20.0 { 1400.0 } else { 700.0 };
                let state = pool.evaluate(rate, dt, &servers);
                pool.commit(&state);
                sums.0 += state.wait.mean() * dt;
                sums.1 += state.busy * dt;
                at += dt;
            }
            sums
        };
        let (whole, half) = (run(2.0), run(1.0));
        assert!((whole.0 / half.0 - 1.0).abs() < 0.01, "{whole:?} {half:?}");
        assert!((whole.1 / half.1 - 1.0).abs() < 0.01, "{whole:?} {half:?}");
    }

    #[test]
    fn what_arrives_is_served_refused_or_waits() {
        let servers = Servers {
            slots: 50.0,
            queue: 2000.0,
            mean_secs: 0.05,
            scv: 1.0,
        };
        let (mut pool, mut arrived, mut served, mut refused) = (Pool::default(), 0.0, 0.0, 0.0);
        for i in 0..300 {
            let rate = if i < 100 { 1500.0 } else { 600.0 };
            let state = pool.evaluate(rate, 1.0, &servers);
            pool.commit(&state);
            arrived += rate;
            refused += rate * state.refused;
            served += state.busy / 0.05;
        }
        assert!(
            ((served + refused) / arrived - 1.0).abs() < 0.01,
            "{served} {refused} {arrived}"
        );
    }

    #[test]
    fn no_slots_refuse_everything_and_no_load_does_nothing() {
        let none = Servers {
            slots: 0.0,
            queue: 10.0,
            mean_secs: 0.1,
            scv: 1.0,
        };
        assert_eq!(Pool::default().evaluate(5.0, 1.0, &none).refused, 1.0);
        let some = Servers { slots: 3.0, ..none };
        let idle = Pool::default().evaluate(0.0, 1.0, &some);
        assert_eq!((idle.refused, idle.busy), (0.0, 0.0));
    }
}
