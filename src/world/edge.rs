//! The edge: which region serves what enters here, how a pushed route spreads over the proxies, and
//! how much proxies may try again.

use crate::engine::law;
use crate::units::{Dist, Span, Time};

/// Routes of the traffic that enters at one region.
#[derive(Clone, Debug)]
pub struct Routes {
    /// Before any push: `[market][serving region]`.
    base: Vec<Vec<f64>>,
    /// Pushes, oldest first: when they became available to the proxies, and what they say.
    pushes: Vec<(Time, Vec<Vec<f64>>)>,
    /// First and last instant after a push at which a proxy may pick it up.
    support_secs: (f64, f64),
}

impl Routes {
    /// Everything that enters at `home` is served there.
    pub fn local(home: usize, regions: usize, markets: usize, poll: &Dist) -> Routes {
        let mut row = vec![0.0; regions];
        row[home] = 1.0;
        Routes {
            base: vec![row; markets],
            pushes: Vec::new(),
            support_secs: (law::quantile(poll, 0.0), law::quantile(poll, 1.0)),
        }
    }

    /// A new table becomes available to the proxies.
    pub fn push(&mut self, at: Time, shares: Vec<Vec<f64>>) {
        self.pushes.push((at, shares));
    }

    /// Drops pushes that every proxy has.
    pub fn settle(&mut self, now: Time, poll: &Dist) {
        while let Some((at, _)) = self.pushes.first() {
            if law::cdf(poll, now.since(*at).secs()) < 1.0 {
                break;
            }
            // Every proxy has the first push, so nothing older is left anywhere.
            self.base = self.pushes.remove(0).1;
        }
    }

    /// Whether every proxy has the newest table.
    pub fn settled(&self) -> bool {
        self.pushes.is_empty()
    }

    /// Next instant at which proxies begin or cease to pick up a table.
    pub fn next_time(&self, now: Time) -> Time {
        let (first, last) = self.support_secs;
        self.pushes
            .iter()
            .flat_map(|(at, _)| [*at + Span::from_secs(first), *at + Span::from_secs(last)])
            .filter(|&at| at > now && at < Time::NEVER)
            .min()
            .unwrap_or(Time::NEVER)
    }

    /// Share of the proxies that have the newest table.
    pub fn current(&self, now: Time, poll: &Dist) -> f64 {
        self.pushes
            .last()
            .map_or(1.0, |(at, _)| law::cdf(poll, now.since(*at).secs()))
    }

    /// Where a market's requests are served by a proxy that has a push after `delay`.
    pub fn held(&self, market: usize, now: Time, delay: Span) -> &[f64] {
        let has = |push: &&(Time, Vec<Vec<f64>>)| push.0 + delay <= now;
        match self.pushes.iter().rev().find(has) {
            Some((_, table)) => &table[market],
            None => &self.base[market],
        }
    }

    /// Where a market's requests are served at a moment, averaged over the proxies. A proxy that
    /// has a table also had every older one before: their phases are the same.
    pub fn shares(&self, market: usize, now: Time, poll: &Dist, out: &mut [f64]) {
        let reached = |i: usize| {
            self.pushes
                .get(i)
                .map_or(0.0, |(at, _)| law::cdf(poll, now.since(*at).secs()))
        };
        let old = 1.0 - reached(0);
        for (share, base) in out.iter_mut().zip(&self.base[market]) {
            *share = old * base;
        }
        for (i, (_, table)) in self.pushes.iter().enumerate() {
            let have = (reached(i) - reached(i + 1)).max(0.0);
            for (share, new) in out.iter_mut().zip(&table[market]) {
                *share += have * new;
            }
        }
    }
}

/// A retry budget: retries as a share of the requests of the last ten seconds.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    share: f64,
    tokens: f64,
}

/// Seconds of requests that a full budget stands for.
const BUDGET_SECS: f64 = 10.0;

impl Budget {
    /// A full budget for an edge with this many requests per second.
    pub fn new(share: f64, requests_per_sec: f64) -> Budget {
        Budget {
            share,
            tokens: if share.is_finite() {
                share * requests_per_sec * BUDGET_SECS
            } else {
                0.0
            },
        }
    }

    /// Of `wanted` retries in a step with `requests` requests, the share that may be made.
    pub fn spend(&mut self, wanted: f64, requests: f64, dt_secs: f64) -> f64 {
        if self.share.is_infinite() {
            return 1.0;
        }
        let rate = if dt_secs > 0.0 {
            requests / dt_secs
        } else {
            0.0
        };
        self.tokens = (self.tokens + self.share * requests).min(self.share * rate * BUDGET_SECS);
        if wanted <= 0.0 {
            return if self.share > 0.0 { 1.0 } else { 0.0 };
        }
        let allowed = self.tokens.min(wanted);
        self.tokens -= allowed;
        allowed / wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_reaches_proxies_as_they_poll_and_the_newest_wins() {
        let poll = Dist::Uniform { lo: 0.0, hi: 30.0 };
        let mut routes = Routes::local(0, 3, 1, &poll);
        routes.push(Time::from_secs(10.0), vec![vec![0.0, 1.0, 0.0]]);
        routes.push(Time::from_secs(25.0), vec![vec![0.0, 0.0, 1.0]]);
        let mut shares = [0.0; 3];
        routes.shares(0, Time::from_secs(34.0), &poll, &mut shares);
        // 24 of 30 have the first or newer; 9 of 30 the second.
        for (got, want) in shares.iter().zip([0.2, 0.5, 0.3]) {
            assert!((got - want).abs() < 1e-12);
        }
        routes.settle(Time::from_secs(56.0), &poll);
        assert!(routes.settled());
        routes.shares(0, Time::from_secs(56.0), &poll, &mut shares);
        assert_eq!(shares, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_budget_allows_its_share_and_no_more() {
        let mut budget = Budget::new(0.2, 100.0);
        let mut made = 0.0;
        for _ in 0..1000 {
            made += 100.0 * budget.spend(100.0, 100.0, 1.0);
        }
        // Ten seconds of credit at the start, then a fifth of the requests.
        assert!(
            (made - (200.0 + 0.2 * 100.0 * 999.0)).abs() < 25.0,
            "{made}"
        );
        assert_eq!(Budget::new(f64::INFINITY, 1.0).spend(1e9, 1.0, 1.0), 1.0);
    }
}
