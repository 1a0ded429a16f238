//! What fails on the way back from the called to the callers: timeouts, lost calls, fallbacks.

use super::{Flow, Graph, Link, POINTS};

impl Flow {
    /// Share of the caller's requests that get as far as call `j`: parallel calls are made at once,
    /// the others in order, each only while no critical one has failed.
    pub(super) fn reached(&self, graph: &Graph, v: usize, j: usize, p: usize, m: usize) -> f64 {
        let calls = &graph.nodes[v].calls;
        if calls[j].parallel || !self.hurt {
            return 1.0;
        }
        let before = |(i, link): &(usize, &Link)| link.critical && (link.parallel || *i < j);
        calls
            .iter()
            .enumerate()
            .filter(before)
            .map(|(_, link)| 1.0 - self.failing_calls(graph, link, p, m))
            .product()
    }

    /// Share of requests in which a call (all its repetitions together) fails for good.
    pub(super) fn failing_calls(&self, graph: &Graph, link: &Link, p: usize, m: usize) -> f64 {
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let once = libm::pow(
            self.call_fail[(link.id * classes + p) * markets + m],
            f64::from(link.attempts),
        );
        if once <= 0.0 {
            return 0.0;
        }
        let needed = link.cache.map_or(1.0, |c| self.miss[c * markets + m]);
        1.0 - libm::pow(1.0 - (once * needed).min(1.0), link.count)
    }

    /// One pass from the called to the callers: what fails, and how often it is tried.
    /// Returns the largest change of an attempt count or of a failing share.
    pub(super) fn gather(&mut self, graph: &Graph) -> f64 {
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let mut change: f64 = 0.0;
        for &v in graph.order.iter().rev() {
            if self.leaves(v) {
                self.hear(graph, v);
                continue;
            }
            self.wait_secs[v] = self.response_wait(graph, v);
            for p in 0..classes {
                let passed = (1.0 - self.refused[v * classes + p]) * (1.0 - self.broken[v]);
                for m in 0..markets {
                    let (mut good, mut plain) = (1.0, 1.0);
                    for link in &graph.nodes[v].calls {
                        let to_class = link.priority.map_or(p, |lower| lower.max(p));
                        let called = graph.at(link.to, to_class, m);
                        let late = self.late(link);
                        let fail = 1.0 - (1.0 - self.fail[called]) * (1.0 - late);
                        let slot = (link.id * classes + p) * markets + m;
                        let attempts = expected_attempts(fail, link.attempts);
                        change = change
                            .max((attempts - self.attempts[slot]).abs())
                            .max((fail - self.call_fail[slot]).abs());
                        self.attempts[slot] = attempts;
                        self.call_fail[slot] = fail;
                        let lost = self.failing_calls(graph, link, p, m);
                        if link.critical {
                            good *= 1.0 - lost;
                        } else if link.fallback {
                            plain *= 1.0 - lost;
                        }
                        let needed = link.cache.map_or(1.0, |c| self.miss[c * markets + m]);
                        let inherited = self.degraded[called] * needed;
                        if inherited > 0.0 {
                            plain *= libm::pow(1.0 - inherited.min(1.0), link.count);
                        }
                    }
                    let cell = graph.at(v, p, m);
                    self.fail[cell] = 1.0 - passed * good;
                    self.degraded[cell] = 1.0 - plain;
                }
            }
            self.hold(graph, v);
        }
        change
    }

    /// Share of a call's attempts that answer too late.
    pub(super) fn late(&self, link: &Link) -> f64 {
        let held = self.held[link.to];
        match held.share > 0.0 {
            true => {
                let (held_late, late) = (self.late_by(link, held.secs), self.late_by(link, 0.0));
                held.share * held_late + (1.0 - held.share) * late
            }
            false => self.late_by(link, 0.0),
        }
    }

    /// The same, of answers that have waited so much longer.
    fn late_by(&self, link: &Link, more_secs: f64) -> f64 {
        let wait = &self.pools[link.to].wait;
        let beyond = self.wait_secs[link.to] - wait.mean() + self.far(link.to) + more_secs;
        if wait.share <= 0.0 && wait.fixed <= 0.0 && beyond <= 0.0 {
            return link.slow;
        }
        let late = self.beyond(link.to, &link.response_secs, link.timeout_secs - beyond);
        late.max(link.slow)
    }

    /// Share of the good answers to requests of a kind that take longer than `secs`.
    pub fn tardy(&self, graph: &Graph, request: usize, secs: f64) -> f64 {
        let entry = graph.entries[request].0;
        let points = &graph.entry_secs[request];
        if !self.waits && self.far_secs.is_empty() && points[POINTS - 1] <= secs {
            return 0.0;
        }
        let left = secs - self.far(entry);
        let (together, after) = self.waits_behind(graph, entry, &|link| link.cache.is_none());
        let mut timely = 1.0 - self.beyond(entry, points, left - together - after);
        // Who misses a cache waits for the store behind it, unless the call gives up before.
        for link in &graph.nodes[entry].calls {
            let Some(cache) = link.cache else { continue };
            let (given_up, late) = (
                self.late(link),
                self.beyond(link.to, &link.response_secs, left),
            );
            if late > given_up {
                let among_good = (late - given_up) / (1.0 - given_up);
                timely *= 1.0 - self.mean_miss(graph, cache).min(1.0) * among_good;
            }
        }
        1.0 - timely
    }

    /// Share of the answers of a service that take longer than `secs`, its wait and these response
    /// times together.
    fn beyond(&self, service: usize, response_secs: &[f64; POINTS], secs: f64) -> f64 {
        let late = |&response: &f64| {
            let left = secs - response;
            if left <= 0.0 {
                1.0
            } else {
                self.waiting_longer(service, left)
            }
        };
        response_secs.iter().map(late).sum::<f64>() / POINTS as f64
    }

    /// Mean wait for a service: its own and that of the slowest of its parallel calls and of all
    /// its others.
    pub(super) fn response_wait(&self, graph: &Graph, v: usize) -> f64 {
        let (together, after) = self.waits_behind(graph, v, &|_| true);
        self.pools[v].wait.mean() + together + after
    }

    /// Mean wait for the slowest of a service's parallel calls, and for all its others, of those calls
    /// that count.
    fn waits_behind(&self, graph: &Graph, v: usize, counts: &dyn Fn(&Link) -> bool) -> (f64, f64) {
        let (mut together, mut after) = (0.0_f64, 0.0);
        for link in graph.nodes[v].calls.iter().filter(|link| counts(link)) {
            // Only who misses waits for the store.
            let wait =
                self.wait_secs[link.to] * link.cache.map_or(1.0, |c| self.mean_miss(graph, c));
            if wait <= 0.0 {
                continue;
            }
            if link.parallel {
                together = together.max(wait.min(link.timeout_secs));
            } else {
                after += wait.min(link.timeout_secs) * link.count;
            }
        }
        (together, after)
    }

    /// Share of a cache's lookups that miss, over all markets.
    pub(super) fn mean_miss(&self, graph: &Graph, cache: usize) -> f64 {
        let cells = cache * graph.markets..(cache + 1) * graph.markets;
        let lookups = &self.lookups[cells.clone()];
        let all: f64 = lookups.iter().sum();
        let missed: f64 = lookups
            .iter()
            .zip(&self.miss[cells])
            .map(|(n, miss)| n * miss)
            .sum();
        if all > 0.0 { missed / all } else { 0.0 }
    }
    /// Share of a cache's fetches that succeed, over priorities and markets.
    pub(super) fn fetch_success(&self, graph: &Graph, cache: usize) -> f64 {
        if !self.hurt {
            return 1.0;
        }
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let (v, j) = graph.cached[cache];
        let link = &graph.nodes[v].calls[j];
        let (mut all, mut lost) = (0.0, 0.0);
        for p in 0..classes {
            let accepted = (1.0 - self.refused[v * classes + p]) * (1.0 - self.broken[v]);
            for m in 0..markets {
                let weight =
                    self.rate[graph.at(v, p, m)] * accepted * self.miss[cache * markets + m];
                let fail = self.call_fail[(link.id * classes + p) * markets + m];
                all += weight;
                lost += weight * libm::pow(fail, f64::from(link.attempts));
            }
        }
        if all > 0.0 { 1.0 - lost / all } else { 1.0 }
    }
}

/// Expected attempts of a call that fails with chance `fail` and is tried `attempts` times at most.
pub fn expected_attempts(fail: f64, attempts: u32) -> f64 {
    if fail <= 0.0 || attempts <= 1 {
        return 1.0;
    }
    if fail >= 1.0 - 1e-12 {
        return f64::from(attempts);
    }
    (1.0 - libm::pow(fail, f64::from(attempts))) / (1.0 - fail)
}
