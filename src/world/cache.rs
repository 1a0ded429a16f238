//! A cache in front of a call: what it holds follows from what was asked for.
//!
//! Each market has a catalogue of its own, and a share of lookups may go to one that all share. A
//! catalogue in sight of `n` requests has `1 - exp(-p n)` of each object (Poisson requests). The
//! least recently used cache holds what was asked for since some moment in the past (Che's
//! approximation with a window that moves with the load); until it is full, since the beginning.
//! Random replacement and times to live follow the share held of each popularity bin instead.

use crate::model::scenario::{Cache, Eviction};
use crate::world::catalogue::Catalogue;
use std::collections::VecDeque;

/// Segments of the window that are kept apart.
const SEGMENTS: usize = 256;

/// A cache's contents.
#[derive(Clone, Debug)]
pub struct CacheState {
    capacity: f64,
    common: f64,
    coalesce: bool,
    /// Requests in sight per catalogue (markets, then the common one).
    window: Vec<f64>,
    /// Part of what a step adds to the window that leaves it at the other end.
    leaving: Vec<f64>,
    /// The window's parts, oldest first: requests per catalogue.
    segments: VecDeque<Vec<f64>>,
    /// Fetches under way, when equal misses are not merged: seconds left and requests.
    underway: VecDeque<(f64, Vec<f64>)>,
    /// Share held per catalogue and bin, for the other laws.
    held: Option<Held>,
}

#[derive(Clone, Debug)]
struct Held {
    ttl_secs: f64,
    renew: bool,
    shares: Vec<f64>,
}

impl CacheState {
    /// An empty cache.
    pub fn new(cache: &Cache, catalogue: &Catalogue, markets: usize) -> CacheState {
        let windowed = cache.eviction == Eviction::Lru && cache.ttl_secs.is_infinite();
        let held = (!windowed).then(|| Held {
            ttl_secs: cache.ttl_secs,
            renew: cache.renew_ttl,
            shares: vec![0.0; (markets + 1) * catalogue.bins.len()],
        });
        CacheState {
            capacity: cache.capacity,
            common: cache.common,
            coalesce: cache.coalesce,
            window: vec![0.0; markets + 1],
            leaving: vec![0.0; markets + 1],
            segments: VecDeque::new(),
            underway: VecDeque::new(),
            held,
        }
    }

    /// Requests per catalogue: each market's own, and the common one.
    fn by_catalogue(&self, lookups: &[f64], i: usize) -> f64 {
        match lookups.get(i) {
            Some(own) => own * (1.0 - self.common),
            None => self.common * lookups.iter().sum::<f64>(),
        }
    }

    /// A market's value from its own catalogue's and the common one's.
    fn mixed(&self, own: f64, shared: f64) -> f64 {
        (1.0 - self.common) * own + self.common * shared
    }

    /// Has served this mix (lookups per second and market) for so long.
    pub fn warm(&mut self, catalogue: &Catalogue, lookups_per_sec: &[f64], secs: f64) {
        let secs = secs.min(1e12);
        if self.held.is_some() {
            // Steady states of these laws are reached within a few lifetimes.
            let mut gone = 0.0;
            while gone < secs {
                let part = (secs / 64.0).max(1e-3).min(secs - gone);
                let counts: Vec<f64> = lookups_per_sec.iter().map(|r| r * part).collect();
                self.commit(catalogue, &counts, 1.0, part, 0.0);
                gone += part;
            }
            return;
        }
        let fits = self
            .characteristic_secs(catalogue, lookups_per_sec)
            .min(secs);
        let requests: Vec<f64> = (0..self.window.len())
            .map(|i| self.by_catalogue(lookups_per_sec, i) * fits)
            .collect();
        for (window, add) in self.window.iter_mut().zip(&requests) {
            *window += add;
        }
        if fits < secs {
            self.leaving.fill(1.0);
        }
        self.segments.push_back(requests);
    }

    /// How long a window of this mix fills the cache; infinite when everything fits.
    fn characteristic_secs(&self, catalogue: &Catalogue, lookups_per_sec: &[f64]) -> f64 {
        let rates: Vec<f64> = (0..self.window.len())
            .map(|i| self.by_catalogue(lookups_per_sec, i))
            .collect();
        let asked = rates.iter().filter(|&&r| r > 0.0).count() as f64;
        if asked * catalogue.objects <= self.capacity {
            return f64::INFINITY;
        }
        let holds = |secs: f64| {
            rates
                .iter()
                .map(|r| catalogue.distinct(r * secs))
                .sum::<f64>()
        };
        let (mut lo, mut hi) = (-30.0_f64, 60.0_f64);
        for _ in 0..60 {
            let middle = 0.5 * (lo + hi);
            if holds(libm::exp(middle)) > self.capacity {
                hi = middle;
            } else {
                lo = middle;
            }
        }
        libm::exp(0.5 * (lo + hi))
    }

    /// Share of each market's lookups that hit when the cache is steady for the mix.
    pub fn steady_hit(&self, catalogue: &Catalogue, lookups_per_sec: &[f64], out: &mut [f64]) {
        let hits: Vec<f64> = match &self.held {
            None => {
                let secs = self.characteristic_secs(catalogue, lookups_per_sec);
                (0..self.window.len())
                    .map(|i| {
                        let rate = self.by_catalogue(lookups_per_sec, i);
                        if rate <= 0.0 {
                            0.0
                        } else if secs.is_infinite() {
                            1.0
                        } else {
                            catalogue.hit(rate * secs)
                        }
                    })
                    .collect()
            }
            Some(held) => {
                let pressure = self.steady_pressure(held, catalogue, lookups_per_sec);
                (0..self.window.len())
                    .map(|i| {
                        let rate = self.by_catalogue(lookups_per_sec, i);
                        let share =
                            |&(count, p): &(f64, f64)| count * p * held.steady(p * rate, pressure);
                        catalogue.bins.iter().map(share).sum()
                    })
                    .collect()
            }
        };
        let shared = hits[hits.len() - 1];
        for (m, hit) in out.iter_mut().enumerate() {
            *hit = self.mixed(hits[m], shared);
        }
    }

    /// Rate at which an object is pushed out in the steady state.
    fn steady_pressure(&self, held: &Held, catalogue: &Catalogue, lookups_per_sec: &[f64]) -> f64 {
        let holds = |pressure: f64| -> f64 {
            (0..self.window.len())
                .map(|i| {
                    let rate = self.by_catalogue(lookups_per_sec, i);
                    let share = |&(count, p): &(f64, f64)| count * held.steady(p * rate, pressure);
                    catalogue.bins.iter().map(share).sum::<f64>()
                })
                .sum()
        };
        if holds(0.0) <= self.capacity {
            return 0.0;
        }
        let (mut lo, mut hi) = (-60.0_f64, 60.0_f64);
        for _ in 0..80 {
            let middle = 0.5 * (lo + hi);
            if holds(libm::exp(middle)) > self.capacity {
                lo = middle;
            } else {
                hi = middle;
            }
        }
        libm::exp(0.5 * (lo + hi))
    }

    /// Share of each market's lookups in a step that miss. `lookups` counts those of the step,
    /// `fetched` is the share of fetches that succeed (a failed one fills nothing), `fetch_secs` how
    /// long one takes.
    pub fn misses(
        &self,
        catalogue: &Catalogue,
        lookups: &[f64],
        fetched: f64,
        dt_secs: f64,
        fetch_secs: f64,
        out: &mut [f64],
    ) {
        let of = |i: usize| match &self.held {
            None => self.window_miss(
                catalogue,
                i,
                self.by_catalogue(lookups, i),
                fetched,
                dt_secs,
                fetch_secs,
            ),
            Some(held) => {
                let rate = if dt_secs > 0.0 {
                    self.by_catalogue(lookups, i) / dt_secs
                } else {
                    0.0
                };
                let pressure = self.pressure(held, catalogue, lookups, fetched, dt_secs);
                let row = &held.shares[i * catalogue.bins.len()..(i + 1) * catalogue.bins.len()];
                let miss = catalogue.bins.iter().zip(row).map(|(&(count, p), &share)| {
                    let (_, mean) = held.after(share, p * rate, fetched, pressure, dt_secs);
                    count * p * (1.0 - mean)
                });
                miss.sum::<f64>()
            }
        };
        let shared = if self.common > 0.0 {
            of(lookups.len())
        } else {
            0.0
        };
        for (m, miss) in out.iter_mut().enumerate() {
            *miss = if self.common < 1.0 {
                self.mixed(of(m), shared)
            } else {
                shared
            };
        }
    }

    fn window_miss(
        &self,
        catalogue: &Catalogue,
        i: usize,
        lookups: f64,
        fetched: f64,
        dt_secs: f64,
        fetch_secs: f64,
    ) -> f64 {
        let here = self.window[i];
        let gained = lookups * fetched * (1.0 - self.leaving[i]);
        if self.coalesce || fetch_secs <= 0.0 {
            return catalogue.miss_between(here, here + gained);
        }
        // What is under way does not hit yet: the requests in sight lag by the time of a fetch.
        let waiting: f64 = self.underway.iter().map(|u| u.1[i]).sum();
        let arrives: f64 = self
            .underway
            .iter()
            .map(|(left, requests)| {
                requests[i] * ((dt_secs - left) / fetch_secs.min(dt_secs)).clamp(0.0, 1.0)
            })
            .sum();
        let own = gained * ((dt_secs - fetch_secs) / dt_secs).max(0.0);
        let seen = (here - waiting).max(0.0);
        let during = ((dt_secs - fetch_secs) / dt_secs).clamp(0.0, 1.0);
        if during <= 0.0 {
            return catalogue.miss_between(seen, seen + arrives);
        }
        // First what was under way arrives, then what this step asked for.
        let settled = seen + arrives;
        (1.0 - during) * catalogue.miss_between(seen, settled)
            + during * catalogue.miss_between(settled, settled + own)
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
        if self.held.is_some() {
            self.commit_held(catalogue, lookups, fetched, dt_secs);
            return;
        }
        let added: Vec<f64> = (0..self.window.len())
            .map(|i| self.by_catalogue(lookups, i) * fetched)
            .collect();
        if added.iter().all(|&a| a <= 0.0) {
            return;
        }
        if !self.coalesce && fetch_secs > 0.0 {
            for underway in &mut self.underway {
                underway.0 -= dt_secs;
            }
            while self.underway.front().is_some_and(|u| u.0 <= 0.0) {
                self.underway.pop_front();
            }
            let share = (fetch_secs / dt_secs).min(1.0);
            self.underway
                .push_back((fetch_secs, added.iter().map(|a| a * share).collect()));
        }
        for (window, add) in self.window.iter_mut().zip(&added) {
            *window += add;
        }
        self.remember(added.clone());
        self.forget(catalogue, &added);
    }

    /// Adds a segment, joined to the newest if the mix is the same.
    fn remember(&mut self, added: Vec<f64>) {
        let scale = |v: &[f64]| v.iter().sum::<f64>();
        if let Some(last) = self.segments.back_mut() {
            let (a, b) = (scale(last), scale(&added));
            let alike = last
                .iter()
                .zip(&added)
                .all(|(x, y)| (x / a - y / b).abs() < 1e-3);
            if alike {
                for (x, y) in last.iter_mut().zip(&added) {
                    *x += y;
                }
                return;
            }
        }
        self.segments.push_back(added);
        if self.segments.len() > SEGMENTS {
            // The oldest are told apart least: they leave together.
            if let Some(first) = self.segments.pop_front() {
                if let Some(second) = self.segments.front_mut() {
                    for (x, y) in second.iter_mut().zip(&first) {
                        *x += y;
                    }
                }
            }
        }
    }

    /// Moves the window's beginning until what it holds fits.
    fn forget(&mut self, catalogue: &Catalogue, added: &[f64]) {
        let before = self.window.clone();
        let holds = |window: &[f64]| window.iter().map(|&n| catalogue.distinct(n)).sum::<f64>();
        let asked = self.window.iter().filter(|&&n| n > 0.0).count() as f64;
        if asked * catalogue.objects > self.capacity {
            while holds(&self.window) > self.capacity {
                let Some(first) = self.segments.front() else {
                    break;
                };
                let without = |part: f64| -> Vec<f64> {
                    let less = |(n, gone): (&f64, &f64)| (n - part * gone).max(0.0);
                    self.window.iter().zip(first).map(less).collect()
                };
                if holds(&without(1.0)) > self.capacity {
                    self.window = without(1.0);
                    self.segments.pop_front();
                    continue;
                }
                let (mut lo, mut hi) = (0.0, 1.0);
                // Secant steps inside a bracket: what is held is nearly linear in the part.
                let (mut over_lo, mut over_hi) = (
                    holds(&self.window) - self.capacity,
                    holds(&without(1.0)) - self.capacity,
                );
                for _ in 0..40 {
                    let guess = lo + (hi - lo) * over_lo / (over_lo - over_hi);
                    let part = guess.clamp(lo + 1e-3 * (hi - lo), hi - 1e-3 * (hi - lo));
                    let over = holds(&without(part)) - self.capacity;
                    if over > 0.0 {
                        (lo, over_lo) = (part, over);
                    } else {
                        (hi, over_hi) = (part, over);
                    }
                    if -over_hi < 1e-6 * self.capacity.max(1e-9) || hi - lo < 1e-12 {
                        break;
                    }
                }
                self.window = without(hi);
                let part = hi;
                if let Some(first) = self.segments.front_mut() {
                    for n in first {
                        *n *= 1.0 - part;
                    }
                }
                break;
            }
        }
        for (i, left) in self.leaving.iter_mut().enumerate() {
            *left = if added[i] > 0.0 {
                ((before[i] - self.window[i]) / added[i]).max(0.0)
            } else {
                0.0
            };
        }
    }

    /// Rate at which an object is pushed out at the moment.
    fn pressure(
        &self,
        held: &Held,
        catalogue: &Catalogue,
        lookups: &[f64],
        fetched: f64,
        dt_secs: f64,
    ) -> f64 {
        if dt_secs <= 0.0 {
            return 0.0;
        }
        let bins = catalogue.bins.len();
        let (mut holds, mut inserts, mut expires) = (0.0, 0.0, 0.0);
        for i in 0..self.window.len() {
            let rate = self.by_catalogue(lookups, i) / dt_secs;
            for (b, &(count, p)) in catalogue.bins.iter().enumerate() {
                let share = held.shares[i * bins + b];
                holds += count * share;
                inserts += count * p * rate * fetched * (1.0 - share);
                expires += count * share * held.expiry(p * rate);
            }
        }
        let spare = ((self.capacity - holds) / dt_secs).max(0.0);
        if holds <= 0.0 {
            0.0
        } else {
            ((inserts - expires - spare) / holds).max(0.0)
        }
    }

    fn commit_held(&mut self, catalogue: &Catalogue, lookups: &[f64], fetched: f64, dt_secs: f64) {
        let Some(mut held) = self.held.take() else {
            return;
        };
        let bins = catalogue.bins.len();
        // Short pieces: what is pushed out depends on what was just put in.
        let busiest: f64 = (0..self.window.len())
            .map(|i| self.by_catalogue(lookups, i))
            .sum();
        let pieces = (4.0 * busiest / self.capacity.max(1.0))
            .ceil()
            .clamp(1.0, 256.0);
        let piece = dt_secs / pieces;
        let part: Vec<f64> = lookups.iter().map(|n| n / pieces).collect();
        for _ in 0..pieces as usize {
            let pressure = self.pressure(&held, catalogue, &part, fetched, piece);
            for i in 0..self.window.len() {
                let rate = self.by_catalogue(&part, i) / piece.max(1e-300);
                for (b, &(_, p)) in catalogue.bins.iter().enumerate() {
                    let share = &mut held.shares[i * bins + b];
                    *share = held_after(
                        *share,
                        p * rate,
                        fetched,
                        pressure + held_expiry(&held.ttl_secs, held.renew, p * rate),
                        piece,
                    )
                    .0;
                }
            }
        }
        self.held = Some(held);
    }
}

impl Held {
    fn expiry(&self, rate: f64) -> f64 {
        held_expiry(&self.ttl_secs, self.renew, rate)
    }

    /// Share of an object held in the steady state.
    fn steady(&self, rate: f64, pressure: f64) -> f64 {
        let out = pressure + self.expiry(rate);
        if rate <= 0.0 {
            0.0
        } else {
            rate / (rate + out)
        }
    }

    fn after(
        &self,
        share: f64,
        rate: f64,
        fetched: f64,
        pressure: f64,
        dt_secs: f64,
    ) -> (f64, f64) {
        held_after(share, rate, fetched, pressure + self.expiry(rate), dt_secs)
    }
}

/// Rate at which an object expires: chosen so that the steady share is exact, `lT / (1 + lT)` when
/// the time to live runs from the fill and `1 - exp(-lT)` when each use renews it.
fn held_expiry(ttl_secs: &f64, renew: bool, rate: f64) -> f64 {
    if ttl_secs.is_infinite() {
        0.0
    } else if renew {
        let uses = rate * ttl_secs;
        if uses < 1e-9 {
            1.0 / ttl_secs
        } else {
            rate / libm::expm1(uses)
        }
    } else {
        1.0 / ttl_secs
    }
}

/// Share after a time, and its mean over that time, when an absent object comes in at
/// `rate * fetched` and a present one leaves at `out`.
fn held_after(share: f64, rate: f64, fetched: f64, out: f64, dt_secs: f64) -> (f64, f64) {
    let into = rate * fetched;
    let pace = into + out;
    if pace * dt_secs <= 0.0 {
        return (share, share);
    }
    let steady = into / pace;
    let decay = libm::exp(-pace * dt_secs);
    let mean = steady + (share - steady) * -libm::expm1(-pace * dt_secs) / (pace * dt_secs);
    (steady + (share - steady) * decay, mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(objects: u64, zipf: f64, capacity: f64) -> Cache {
        Cache {
            objects,
            zipf,
            capacity,
            eviction: Eviction::Lru,
            ttl_secs: f64::INFINITY,
            renew_ttl: false,
            common: 0.0,
            coalesce: true,
            warm_secs: 0.0,
        }
    }

    /// Warm-up from empty and the steady state: the figures of Che's approximation for a million
    /// objects, Zipf 0.9, 50,000 places, 20,000 requests per second.
    #[test]
    fn a_cold_cache_warms_as_distinct_objects_arrive() {
        let spec = cache(1_000_000, 0.9, 50_000.0);
        let catalogue = Catalogue::new(1e6, 0.9);
        let mut steady = [0.0];
        let mut state = CacheState::new(&spec, &catalogue, 1);
        state.steady_hit(&catalogue, &[20_000.0], &mut steady);
        assert!((steady[0] - 0.5542).abs() < 1e-3, "{steady:?}");
        for (secs, misses) in [
            (0.235_185_723, 3534.0),
            (0.940_742_892, 12_390.0),
            (2.351_857_23, 27_700.0),
        ] {
            for pieces in [1, 7] {
                let mut state = CacheState::new(&spec, &catalogue, 1);
                let mut sum = 0.0;
                let dt = secs / pieces as f64;
                for _ in 0..pieces {
                    let counts = [20_000.0 * dt];
                    let mut out = [0.0];
                    state.misses(&catalogue, &counts, 1.0, dt, 0.0, &mut out);
                    sum += out[0] * counts[0];
                    state.commit(&catalogue, &counts, 1.0, dt, 0.0);
                }
                assert!((sum / misses - 1.0).abs() < 2e-3, "{secs} {pieces}: {sum}");
            }
        }
        for _ in 0..40 {
            state.commit(&catalogue, &[5000.0], 1.0, 0.25, 0.0);
        }
        let mut out = [0.0];
        state.misses(&catalogue, &[5000.0], 1.0, 0.25, 0.0, &mut out);
        assert!((1.0 - out[0] - 0.5542).abs() < 2e-3, "{out:?}");
    }

    #[test]
    fn random_replacement_and_lifetimes_reach_their_fixed_points() {
        let catalogue = Catalogue::new(300.0, 1.0);
        let mut random = cache(300, 1.0, 60.0);
        random.eviction = Eviction::Random;
        let mut state = CacheState::new(&random, &catalogue, 1);
        let mut hit = [0.0];
        state.steady_hit(&catalogue, &[1000.0], &mut hit);
        assert!((hit[0] - 0.5815).abs() < 1e-3, "{hit:?}");
        state.warm(&catalogue, &[1000.0], 10.0);
        let mut miss = [0.0];
        state.misses(&catalogue, &[100.0], 1.0, 0.1, 0.0, &mut miss);
        assert!((1.0 - miss[0] - 0.5815).abs() < 5e-3, "{miss:?}");
        for (renew, want) in [(false, 2.0 / 3.0), (true, 1.0 - libm::exp(-2.0))] {
            let mut ttl = cache(1, 1.0, 10.0);
            (ttl.ttl_secs, ttl.renew_ttl) = (20.0, renew);
            let one = Catalogue::new(1.0, 1.0);
            CacheState::new(&ttl, &one, 1).steady_hit(&one, &[0.1], &mut hit);
            assert!((hit[0] - want).abs() < 1e-9);
        }
    }

    #[test]
    fn misses_that_are_not_merged_fetch_again_until_the_first_returns() {
        let spec = Cache {
            coalesce: false,
            ..cache(1000, 0.9, 1e9)
        };
        let catalogue = Catalogue::new(1000.0, 0.9);
        let mut state = CacheState::new(&spec, &catalogue, 1);
        let (mut fetched, dt) = (0.0, 0.005);
        let mut seen = Vec::new();
        for i in 0..400 {
            let counts = [2000.0 * dt];
            let mut out = [0.0];
            state.misses(&catalogue, &counts, 1.0, dt, 0.1, &mut out);
            fetched += out[0] * counts[0];
            state.commit(&catalogue, &counts, 1.0, dt, 0.1);
            if [9, 19, 99, 399].contains(&i) {
                seen.push(fetched);
            }
        }
        for (got, want) in seen.iter().zip([100.0, 200.0, 537.3, 957.7]) {
            assert!((got / want - 1.0).abs() < 0.01, "{seen:?}");
        }
    }

    #[test]
    fn an_origin_that_fails_fills_nothing() {
        let spec = cache(20_000, 0.9, 1e9);
        let catalogue = Catalogue::new(20_000.0, 0.9);
        let mut state = CacheState::new(&spec, &catalogue, 1);
        state.commit(&catalogue, &[4000.0], 0.0, 1.0, 0.0);
        let mut out = [0.0];
        state.misses(&catalogue, &[1e-9], 1.0, 1.0, 0.0, &mut out);
        assert!((out[0] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_newcomer_pushes_others_out_and_both_settle() {
        let spec = cache(100_000, 0.9, 60_000.0);
        let catalogue = Catalogue::new(100_000.0, 0.9);
        let mut state = CacheState::new(&spec, &catalogue, 2);
        state.warm(&catalogue, &[5000.0, 0.0], 1e6);
        let mut steady = [0.0; 2];
        state.steady_hit(&catalogue, &[5000.0, 5000.0], &mut steady);
        let (mut out, mut last) = ([0.0; 2], 1.0);
        for _ in 0..600 {
            state.misses(&catalogue, &[5000.0, 5000.0], 1.0, 1.0, 0.0, &mut out);
            state.commit(&catalogue, &[5000.0, 5000.0], 1.0, 1.0, 0.0);
            assert!(out[1] <= last + 5e-3, "{last} {out:?} {:?}", state.leaving);
            last = out[1];
        }
        assert!(
            (1.0 - out[0] - steady[0]).abs() < 5e-3,
            "{out:?} {steady:?}"
        );
        assert!(
            (1.0 - out[1] - steady[1]).abs() < 5e-3,
            "{out:?} {steady:?}"
        );
        assert!(state.segments.len() <= SEGMENTS);
    }
}
