//! Requests that wait for something that hangs: a dead instance in rotation that neither answers nor
//! refuses. Whoever calls it gives up after its timeout; the wait is in the latency of those that are
//! answered all the same, by another attempt or without the call.

use super::{Flow, Graph, Link, expected_attempts};

/// Requests that have waited for something that hangs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Held {
    /// Their share.
    pub share: f64,
    /// How long they have waited on average, in seconds.
    pub secs: f64,
}

impl Held {
    /// The wait averaged over all requests.
    pub fn mean(&self) -> f64 {
        self.share * self.secs
    }

    /// These, and others that wait so long on average over all.
    fn of(share: f64, mean_secs: f64) -> Held {
        if share <= 0.0 {
            return Held::default();
        }
        Held {
            share: share.min(1.0),
            secs: mean_secs / share.min(1.0),
        }
    }

    /// Those that meet one of two in a row.
    pub fn and(self, then: Held) -> Held {
        let share = 1.0 - (1.0 - self.share) * (1.0 - then.share);
        Held::of(share, self.mean() + then.mean())
    }

    /// Those that meet one of two at once: who waits for both waits for the longer.
    fn beside(self, other: Held) -> Held {
        let share = 1.0 - (1.0 - self.share) * (1.0 - other.share);
        let both = self.share * other.share * self.secs.min(other.secs);
        Held::of(share, self.mean() + other.mean() - both)
    }
}

/// What the calls of one link wait for, per call.
#[derive(Clone, Copy)]
struct Calls {
    /// Of those that leave their caller with a good answer.
    good: Held,
    /// Of all, those that fail their caller.
    failing: Held,
}

impl Flow {
    /// Share of what arrives at a service that is given to instances that hang, and of its good answers
    /// those that have waited for something that hangs behind it.
    pub fn held(&self, service: usize) -> Held {
        self.held[service]
    }

    /// Requests to a service that fail after they have waited for something that hangs; who calls one
    /// of its own instances gives up after `timeout_secs`.
    pub fn held_failing(&self, service: usize, timeout_secs: f64) -> Held {
        let (hang, behind) = (self.hang[service], self.held_failing[service]);
        Held::of(
            hang + (1.0 - hang) * behind.share,
            hang * timeout_secs + (1.0 - hang) * behind.mean(),
        )
    }

    /// Share of what arrives at a service that is given to instances that hang.
    pub fn hanging(&self, service: usize) -> f64 {
        self.hang[service]
    }

    /// Notes what hangs in a step; with nothing that does, nobody waits.
    pub(super) fn note_hanging(&mut self, shares: impl Iterator<Item = f64>) {
        for (mine, here) in self.hang.iter_mut().zip(shares) {
            *mine = here;
        }
        let outside = self.outside.as_ref();
        let there = outside.is_some_and(|o| o.hanging.iter().any(|h| *h != Default::default()));
        let hangs = there || self.hang.iter().any(|&share| share > 0.0);
        if self.hangs && !hangs {
            self.held.fill(Held::default());
            self.held_failing.fill(Held::default());
        }
        self.hangs = hangs;
    }

    /// Finds who waits at a service for what it calls, once that is known of all that it calls.
    pub(super) fn hold(&mut self, graph: &Graph, v: usize) {
        if !self.hangs {
            return;
        }
        let mut together = Held::default();
        let mut after = Held::default();
        let mut failing = Held::default();
        for link in &graph.nodes[v].calls {
            let calls = self.waiting_calls(graph, v, link);
            match link.parallel {
                true => together = together.beside(calls.good),
                false => after = after.and(calls.good),
            }
            failing = failing.beside(calls.failing);
        }
        self.held[v] = together.and(after);
        let whole = 1.0 - self.broken[v];
        self.held_failing[v] = Held::of(failing.share * whole, failing.mean() * whole);
    }

    /// What a caller's calls over a link wait for, all repetitions together.
    fn waiting_calls(&self, graph: &Graph, v: usize, link: &Link) -> Calls {
        let fail = self.mean_failing(graph, v, link);
        let attempts = link.attempts;
        // Attempts that fail after a wait.
        let slow = self.held_failing(link.to, link.timeout_secs);
        let slow = Held {
            share: slow.share.min(fail),
            secs: slow.secs.min(link.timeout_secs),
        };
        let (fast, all) = (fail - slow.share, f64::from(attempts));
        let lost = libm::pow(fail, all);
        // Of those that end well, who has never waited, and how often they have.
        let (mut never, mut waits) = (0.0, 0.0);
        for before in 0..attempts {
            let before = f64::from(before);
            never += libm::pow(fast, before) * (1.0 - fail);
            if fail > 0.0 {
                let ends = libm::pow(fail, before) * (1.0 - fail);
                waits += before * slow.share / fail * ends;
            }
        }
        let behind = self.held[link.to];
        let good = if link.critical {
            let well = (1.0 - lost).max(1e-300);
            let tries = Held::of(1.0 - never / well, waits / well * slow.secs);
            tries.and(behind)
        } else {
            // Those that fail for good are done without.
            let never = never + libm::pow(fast, all);
            let waits = slow.share * expected_attempts(fail, attempts);
            let behind = Held::of(behind.share * (1.0 - lost), behind.mean() * (1.0 - lost));
            Held::of(1.0 - never, waits * slow.secs).and(behind)
        };
        let failing = match link.critical && fail > 0.0 {
            true => Held::of(
                lost - libm::pow(fast, all),
                lost * all * slow.share / fail * slow.secs,
            ),
            false => Held::default(),
        };
        let needed = link.cache.map_or(1.0, |c| self.mean_miss(graph, c));
        let repeat = |once: Held| {
            let share = 1.0 - libm::pow(1.0 - (once.share * needed).min(1.0), link.count);
            let mean = match link.parallel {
                true => share * once.secs,
                false => once.mean() * needed * link.count,
            };
            Held::of(share, mean)
        };
        Calls {
            good: repeat(good),
            failing: repeat(failing),
        }
    }

    /// Share of the attempts of a caller's calls over a link that fail, all priorities and markets
    /// together.
    fn mean_failing(&self, graph: &Graph, v: usize, link: &Link) -> f64 {
        let (mut all, mut failing) = (0.0, 0.0);
        for p in 0..graph.priorities.len() {
            for m in 0..graph.markets {
                let rate = self.rate[graph.at(v, p, m)];
                let slot = (link.id * graph.priorities.len() + p) * graph.markets + m;
                all += rate;
                failing += rate * self.call_fail[slot];
            }
        }
        if all > 0.0 { failing / all } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_in_a_row_add_up_and_waits_at_once_do_not() {
        let half = Held {
            share: 0.5,
            secs: 2.0,
        };
        let row = half.and(half);
        assert!((row.share - 0.75).abs() < 1e-12);
        assert!((row.mean() - 2.0).abs() < 1e-12);
        let once = half.beside(half);
        assert!((once.share - 0.75).abs() < 1e-12);
        assert!((once.secs - 2.0).abs() < 1e-12);
        assert_eq!(half.and(Held::default()), half);
    }
}
