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
        let mean_wait = if served > 0.0 {
            mean_waiting / served
        } else {
            0.0
        };
        // All wait behind a backlog that the law does not know. Above capacity the law itself keeps
        // near its full end, and only its distance from there is random.
        let backlog = (mean_waiting - target).max(0.0) / capacity;
        let random = (mean_wait - backlog).max(0.0).min(law.spread / capacity);
        let share = law.waits * (mean_waiting / target.max(f64::MIN_POSITIVE)).min(1.0);
        let wait = if random > 0.0 && share > 0.0 {
            Wait {
                share,
                fixed: mean_wait - random,
                mean: random / share,
                cap: (queue / capacity).max(mean_wait),
            }
        } else {
            Wait {
                fixed: mean_wait,
                cap: mean_wait,
                ..Wait::default()
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

/// The stationary law of M/M/c/K, `K = c + queue`, for any load; the mean queue of those who find
/// all slots busy is stretched for service times that are not exponential.
struct Stationary {
    /// Share of arrivals refused.
    refused: f64,
    /// Share of accepted arrivals that wait.
    waits: f64,
    /// Mean number that waits.
    waiting: f64,
    /// Mean distance of the queue from its full end above capacity, infinite below.
    spread: f64,
}

impl Stationary {
    fn new(slots: f64, offered: f64, queue: f64, scv: f64) -> Stationary {
        if offered <= 0.0 {
            return Stationary {
                refused: 0.0,
                waits: 0.0,
                waiting: 0.0,
                spread: f64::INFINITY,
            };
        }
        let load = offered / slots;
        // The weight of `j` waiting is `load^j`; above capacity all are divided by the last.
        let (nobody, anybody, full) = if load > 1.0 {
            let first = libm::exp(-queue * libm::log(load));
            (first, sum(1.0 / load, queue) - first, 1.0)
        } else {
            let last = libm::exp(queue * libm::log(load));
            (1.0, sum(load, queue) - 1.0, last)
        };
        let all = inverse_erlang_b(slots, offered) * nobody + anybody;
        let refused = full / all;
        // Allen-Cunneen: the mean queue below capacity grows by `(1 + scv) / 2`, and so does the mean
        // distance from the full end above it.
        let stretch = (1.0 + scv) / 2.0;
        let stretched = |r: f64| stretch * r / (1.0 - r + stretch * r);
        let (mean, spread) = if load > 1.0 {
            let below = mean_up_to(stretched(1.0 / load), queue);
            (queue - below, stretch / (load - 1.0))
        } else {
            (mean_up_to(stretched(load), queue), f64::INFINITY)
        };
        Stationary {
            refused,
            waits: ((nobody + anybody - full) / (all - full).max(f64::MIN_POSITIVE))
                .clamp(0.0, 1.0),
            waiting: (nobody + anybody) / all * mean,
            spread,
        }
    }
}

/// Sum of `r^j` for `j` from 0 to `n`, `r <= 1`.
fn sum(r: f64, n: f64) -> f64 {
    let log = libm::log(r);
    if (n + 1.0) * -log < 1e-6 {
        (n + 1.0) * (1.0 + 0.5 * n * log)
    } else {
        libm::expm1((n + 1.0) * log) / libm::expm1(log)
    }
}

/// Mean of `j` from 0 to `n` with weights `r^j`, `r <= 1`.
fn mean_up_to(r: f64, n: f64) -> f64 {
    weighted_sum(r, n) / sum(r, n)
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
    let each = 1.0 / offered;
    while left > 0.0 {
        // A last fraction of a slot counts by its size.
        term *= left * each * left.min(1.0);
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
        let accepted: f64 = weights[..slots + queue].iter().sum();
        let waits: f64 = weights[slots..slots + queue].iter().sum::<f64>() / accepted;
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
            let law = Stationary::new(slots as f64, offered, queue as f64, 1.0);
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

    /// Closed forms of M/M/c/K: `c`, `K`, arrivals at mean service 1, blocking, wait given accepted,
    /// mean wait of accepted, mean busy.
    #[test]
    fn settled_pools_have_the_figures_of_mmck() {
        for (c, k, rate, blocked, waits, wait, busy) in [
            (10.0, 20.0, 9.0, 0.0295101, 0.5680014, 0.2639276, 8.7344094),
            (10.0, 30.0, 15.0, 0.3333521, 0.9997839, 1.8002125, 9.9997178),
            (1.0, 5.0, 0.9, 0.1260225, 0.7558057, 1.7902860, 0.7865797),
            (
                100.0, 150.0, 105.0, 0.0500099, 0.9610388, 0.3342179, 99.7489587,
            ),
        ] {
            let servers = Servers {
                slots: c,
                queue: k - c,
                mean_secs: 1.0,
                scv: 1.0,
            };
            let state = settle(rate, &servers);
            let got = [
                state.refused,
                state.wait.share,
                state.wait.mean(),
                state.busy,
            ];
            for (got, want) in got.iter().zip([blocked, waits, wait, busy]) {
                assert!((got / want - 1.0).abs() < 1e-5, "{c} {k}: {got} {want}");
            }
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

    /// Sums of what a pool did while its load goes through `(rate, seconds)`: seconds waited by all,
    /// requests refused, served, arrived; and what is left in its queue.
    fn totals(servers: &Servers, loads: &[(f64, f64)], dt: f64) -> [f64; 5] {
        let (mut pool, mut sums) = (Pool::default(), [0.0; 5]);
        for &(rate, secs) in loads {
            for _ in 0..(secs / dt).round() as u32 {
                let state = pool.evaluate(rate, dt, servers);
                pool.commit(&state);
                sums[0] += state.wait.mean() * rate * (1.0 - state.refused) * dt;
                sums[1] += state.refused * rate * dt;
                sums[2] += state.busy / servers.mean_secs * dt;
                sums[3] += rate * dt;
            }
        }
        sums[4] = pool.waiting;
        sums
    }

    /// Capacity 1000 per second.
    fn thousand(queue: f64, scv: f64) -> Servers {
        Servers {
            slots: 100.0,
            queue,
            mean_secs: 0.1,
            scv,
        }
    }

    #[test]
    fn nothing_is_lost_whatever_the_load_does() {
        for scv in [0.0, 1.0, 4.0] {
            for queue in [0.0, 30.0, 500.0, 1e5] {
                for loads in [
                    [(1400.0, 20.0), (1050.0, 20.0), (700.0, 60.0)],
                    [(1000.0, 60.0), (990.0, 60.0), (1010.0, 60.0)],
                    [(3000.0, 10.0), (1001.0, 60.0), (0.0, 10.0)],
                ] {
                    for dt in [0.01, 1.0] {
                        let [_, refused, served, arrived, left] =
                            totals(&thousand(queue, scv), &loads, dt);
                        let gone = served + refused + left;
                        assert!(
                            (gone / arrived - 1.0).abs() < 1e-3,
                            "{scv} {queue} {loads:?} {dt}: {gone} of {arrived}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn halving_the_step_changes_little_whatever_the_load_does() {
        for loads in [
            [(1400.0, 20.0), (700.0, 40.0)],
            [(1050.0, 60.0), (900.0, 60.0)],
            [(980.0, 60.0), (1020.0, 60.0)],
        ] {
            for queue in [500.0, 1e5] {
                let servers = thousand(queue, 1.0);
                let (whole, half) = (totals(&servers, &loads, 2.0), totals(&servers, &loads, 1.0));
                for i in 0..3 {
                    let close = (whole[i] - half[i]).abs() <= 0.01 * half[i] + 1.0;
                    assert!(close, "{loads:?} {queue}: {whole:?} {half:?}");
                }
            }
        }
    }

    #[test]
    fn waits_and_refusals_rise_with_load_without_a_jump() {
        for (slots, queue, scv) in [
            (400.0, 20.0, 4.0),
            (400.0, 400.0, 0.0),
            (30.0, 300.0, 1.0),
            (1000.0, 100.0, 2.5),
        ] {
            let servers = Servers {
                slots,
                queue,
                mean_secs: 0.02,
                scv,
            };
            let cap = queue * 0.02 / slots;
            let at = |load: f64| settle(slots * 50.0 * load, &servers);
            let mut last = at(0.9);
            for i in 1..300 {
                let state = at(0.9 + 0.001 * f64::from(i));
                let (refused, wait) = (state.refused, state.wait.mean());
                assert!(refused >= last.refused - 1e-9, "{i}: {servers:?}");
                assert!(wait >= last.wait.mean() - 1e-9, "{i}: {servers:?}");
                assert!(refused - last.refused < 0.004, "{i}: {servers:?}");
                assert!(wait - last.wait.mean() < 0.12 * cap, "{i}: {servers:?}");
                last = state;
            }
            let (below, above) = (at(1.0 - 1e-6), at(1.0 + 1e-6));
            for part in [0.0, 0.1, 0.5, 0.9] {
                let (a, b) = (below.wait.tail(part * cap), above.wait.tail(part * cap));
                assert!((a - b).abs() < 1e-3, "{part}: {a} {b} {servers:?}");
            }
        }
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
