//! A cache in front of a call: what it holds follows from what was asked for.
//!
//! Each market has a catalogue of its own, and a share of lookups may go to one that all share. A
//! catalogue in sight of `n` requests has `1 - exp(-p n)` of each object (Poisson requests).
//!
//! | eviction | time to live | law |
//! |---|---|---|
//! | least recently used | none | `window`: what was asked for since some moment |
//! | any other | | `held`: the share held of each popularity bin |

mod held;
mod window;

use crate::model::scenario::{Cache, Eviction};
use crate::world::catalogue::Catalogue;
use held::Held;
use window::Window;

/// A cache's contents.
#[derive(Clone, Debug)]
pub struct CacheState {
    markets: usize,
    common: f64,
    law: Law,
}

#[derive(Clone, Debug)]
enum Law {
    Window(Window),
    Held(Held),
}

impl CacheState {
    /// An empty cache.
    pub fn new(cache: &Cache, catalogue: &Catalogue, markets: usize) -> CacheState {
        CacheState {
            markets,
            common: cache.common,
            law: if cache.eviction == Eviction::Lru && cache.ttl_secs.is_infinite() {
                Law::Window(Window::new(cache, markets + 1))
            } else {
                Law::Held(Held::new(cache, catalogue, markets + 1))
            },
        }
    }

    /// Starting empty, has served this mix (lookups per second and market) for so long.
    pub fn warm(&mut self, catalogue: &Catalogue, lookups_per_sec: &[f64], secs: f64) {
        let rates = self.rates(lookups_per_sec);
        let secs = secs.min(1e12);
        match &mut self.law {
            Law::Window(window) => window.warm(catalogue, &rates, secs),
            Law::Held(held) => held.warm(catalogue, &rates, secs),
        }
    }

    /// Share of each market's lookups that hit when the cache is steady for the mix.
    pub fn steady_hit(&self, catalogue: &Catalogue, lookups_per_sec: &[f64], out: &mut [f64]) {
        let rates = self.rates(lookups_per_sec);
        let hits = match &self.law {
            Law::Window(window) => window.steady(catalogue, &rates),
            Law::Held(held) => held.steady(catalogue, &rates),
        };
        for (m, hit) in out.iter_mut().enumerate() {
            *hit = self.mixed(hits[m], hits[self.markets]);
        }
    }

    /// Share of each market's lookups in a step that miss. `lookups` counts those of the step,
    /// `fetched` is the share of fetches that succeed (a failed one fills nothing), `fetch_secs` how
    /// long one takes, which matters where equal misses under way are not merged.
    pub fn misses(
        &self,
        catalogue: &Catalogue,
        lookups: &[f64],
        fetched: f64,
        dt_secs: f64,
        fetch_secs: f64,
        out: &mut [f64],
    ) {
        let per_catalogue = |i| by_catalogue(self.common, lookups, i);
        match &self.law {
            Law::Window(window) => {
                let times = (dt_secs, fetch_secs);
                let of = |i| window.miss(catalogue, i, per_catalogue(i), fetched, times);
                let shared = if self.common > 0.0 {
                    of(self.markets)
                } else {
                    0.0
                };
                for (m, miss) in out.iter_mut().enumerate() {
                    *miss = self.mixed(of(m), shared);
                }
            }
            Law::Held(held) => {
                let missed = held.misses(catalogue, per_catalogue, fetched, dt_secs);
                for (m, miss) in out.iter_mut().enumerate() {
                    *miss = self.mixed(missed[m], missed[self.markets]);
                }
            }
        }
    }

    /// Makes a step happen.
    pub fn commit(
        &mut self,
        catalogue: &Catalogue,
        lookups: &[f64],
        fetched: f64,
        dt_secs: f64,
        fetch_secs: f64,
    ) {
        let common = self.common;
        let per_catalogue = |i| by_catalogue(common, lookups, i);
        match &mut self.law {
            Law::Window(window) => {
                window.commit(catalogue, per_catalogue, fetched, (dt_secs, fetch_secs));
            }
            Law::Held(held) => held.commit(catalogue, per_catalogue, fetched, dt_secs),
        }
    }

    /// Rate per catalogue: each market's own, then the common one.
    fn rates(&self, lookups_per_sec: &[f64]) -> Vec<f64> {
        (0..=self.markets)
            .map(|i| by_catalogue(self.common, lookups_per_sec, i))
            .collect()
    }

    /// A market's value from its own catalogue's and the common one's.
    fn mixed(&self, own: f64, shared: f64) -> f64 {
        (1.0 - self.common) * own + self.common * shared
    }
}

/// Of a market's lookups those for its own catalogue; after the last market, those of all for the
/// common one.
fn by_catalogue(common: f64, lookups: &[f64], i: usize) -> f64 {
    match lookups.get(i) {
        Some(own) => own * (1.0 - common),
        None => common * lookups.iter().sum::<f64>(),
    }
}

/// Where a condition that fails for small values and holds for large ones begins to hold, to a
/// relative 1e-7, between exponentials of two bounds.
fn crossing((mut lo, mut hi): (f64, f64), holds: impl Fn(f64) -> bool) -> f64 {
    while hi - lo > 1e-7 {
        let middle = 0.5 * (lo + hi);
        if holds(libm::exp(middle)) {
            hi = middle;
        } else {
            lo = middle;
        }
    }
    libm::exp(0.5 * (lo + hi))
}

#[cfg(test)]
mod tests;
