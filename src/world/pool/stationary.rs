//! The stationary law of M/M/c/K, `K = c + queue`, for any load.

/// The law at one load; the mean queue of those who find all slots busy is stretched for service
/// times that are not exponential.
pub(super) struct Stationary {
    /// Share of arrivals refused.
    pub refused: f64,
    /// Share of accepted arrivals that wait.
    pub waits: f64,
    /// Mean number that waits.
    pub waiting: f64,
    /// Mean distance of the queue from its full end above capacity, infinite below.
    pub spread: f64,
}

impl Stationary {
    /// `offered` is the load in slots; `queue` the waiting places.
    pub fn new(slots: f64, offered: f64, queue: f64, scv: f64) -> Stationary {
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
