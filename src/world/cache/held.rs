//! A cache by the share that it holds of each popularity bin: for random replacement and times to
//! live, where what is held does not follow from a window of the past.
//!
//! An absent object comes in with its next lookup that is fetched, a present one leaves at a rate.
//! Expiry has the rate that gives the known steady share: `lT / (1 + lT)` when the time to live runs
//! from the fill, `1 - exp(-lT)` when each use renews it. A full cache pushes every object out at the
//! same rate. (With a time to live this is so for the least recently used as well: an approximation
//! that matters only where capacity and the time to live both bind.)

use crate::model::scenario::Cache;
use crate::world::catalogue::Catalogue;

/// Shares held, per catalogue and bin.
#[derive(Clone, Debug)]
pub(super) struct Held {
    capacity: f64,
    ttl_secs: f64,
    renew: bool,
    shares: Vec<f64>,
}

impl Held {
    pub fn new(cache: &Cache, catalogue: &Catalogue, catalogues: usize) -> Held {
        Held {
            capacity: cache.capacity,
            ttl_secs: cache.ttl_secs,
            renew: cache.renew_ttl,
            shares: vec![0.0; catalogues * catalogue.bins.len()],
        }
    }

    /// Starting empty, has served these rates for so long; full caches pushed out evenly meanwhile.
    pub fn warm(&mut self, catalogue: &Catalogue, rates: &[f64], secs: f64) {
        let pressure = self.even_pressure(catalogue, rates, secs);
        let rows = self.shares.chunks_mut(catalogue.bins.len());
        let (ttl_secs, renew) = (self.ttl_secs, self.renew);
        for (row, rate) in rows.zip(rates) {
            for (share, (_, p)) in row.iter_mut().zip(&catalogue.bins) {
                let out = pressure + expiry(ttl_secs, renew, p * rate);
                *share = after(0.0, p * rate, out, secs).0;
            }
        }
    }

    /// Hit ratio per catalogue in the steady state.
    pub fn steady(&self, catalogue: &Catalogue, rates: &[f64]) -> Vec<f64> {
        let pressure = self.even_pressure(catalogue, rates, f64::INFINITY);
        let hit = |&rate: &f64| -> f64 {
            let share = |&(count, p): &(f64, f64)| {
                let out = pressure + expiry(self.ttl_secs, self.renew, p * rate);
                count * p * after(0.0, p * rate, out, f64::INFINITY).0
            };
            catalogue.bins.iter().map(share).sum()
        };
        rates.iter().map(hit).collect()
    }

    /// The even rate of pushing out at which a cache that starts empty is just full in the end; zero
    /// if it never fills.
    fn even_pressure(&self, catalogue: &Catalogue, rates: &[f64], secs: f64) -> f64 {
        let holds = |pressure: f64| -> f64 {
            let row = |&rate: &f64| -> f64 {
                let share = |&(count, p): &(f64, f64)| {
                    let out = pressure + expiry(self.ttl_secs, self.renew, p * rate);
                    count * after(0.0, p * rate, out, secs).0
                };
                catalogue.bins.iter().map(share).sum()
            };
            rates.iter().filter(|&&r| r > 0.0).map(row).sum()
        };
        if holds(0.0) <= self.capacity {
            return 0.0;
        }
        super::crossing((-60.0, 60.0), |pressure| holds(pressure) <= self.capacity)
    }

    /// Share of each catalogue's lookups in a step that miss.
    pub fn misses(
        &self,
        catalogue: &Catalogue,
        lookups: impl Fn(usize) -> f64,
        fetched: f64,
        dt_secs: f64,
    ) -> Vec<f64> {
        let mut shares = self.shares.clone();
        self.step(&mut shares, catalogue, lookups, fetched, dt_secs)
    }

    /// Makes a step happen.
    pub fn commit(
        &mut self,
        catalogue: &Catalogue,
        lookups: impl Fn(usize) -> f64,
        fetched: f64,
        dt_secs: f64,
    ) {
        let mut shares = std::mem::take(&mut self.shares);
        self.step(&mut shares, catalogue, lookups, fetched, dt_secs);
        self.shares = shares;
    }

    /// Advances the shares over a step; gives the share of lookups that miss meanwhile.
    fn step(
        &self,
        shares: &mut [f64],
        catalogue: &Catalogue,
        lookups: impl Fn(usize) -> f64,
        fetched: f64,
        dt_secs: f64,
    ) -> Vec<f64> {
        let bins = catalogue.bins.len();
        let rows = shares.len() / bins;
        let total: f64 = (0..rows).map(&lookups).sum();
        let per_sec = if dt_secs > 0.0 { 1.0 / dt_secs } else { 0.0 };
        // Short pieces where it may fill: what is pushed out depends on what was just put in.
        let fits = rows as f64 * catalogue.objects <= self.capacity;
        let pieces = if fits {
            1.0
        } else {
            (4.0 * total / self.capacity).ceil().clamp(1.0, 256.0)
        };
        let mut missed = vec![0.0; rows];
        for _ in 0..pieces as usize {
            let piece = dt_secs / pieces;
            let pressure = if fits {
                0.0
            } else {
                let rate = |i: usize| lookups(i) * per_sec;
                self.pressure(shares, catalogue, rate, fetched, piece)
            };
            for (i, row) in shares.chunks_mut(bins).enumerate() {
                let rate = lookups(i) * per_sec;
                for (share, &(count, p)) in row.iter_mut().zip(&catalogue.bins) {
                    let out = pressure + expiry(self.ttl_secs, self.renew, p * rate);
                    let (next, mean) = after(*share, p * rate * fetched, out, piece);
                    *share = next;
                    missed[i] += count * p * (1.0 - mean) / pieces;
                }
            }
        }
        missed
    }

    /// Rate at which an object is pushed out at the moment.
    fn pressure(
        &self,
        shares: &[f64],
        catalogue: &Catalogue,
        rate: impl Fn(usize) -> f64,
        fetched: f64,
        piece_secs: f64,
    ) -> f64 {
        let (mut holds, mut inserts, mut expires) = (0.0, 0.0, 0.0);
        for (i, row) in shares.chunks(catalogue.bins.len()).enumerate() {
            let rate = rate(i);
            for (share, &(count, p)) in row.iter().zip(&catalogue.bins) {
                holds += count * share;
                inserts += count * p * rate * fetched * (1.0 - share);
                expires += count * share * expiry(self.ttl_secs, self.renew, p * rate);
            }
        }
        let spare = (self.capacity - holds) / piece_secs;
        if holds > 0.0 && piece_secs > 0.0 {
            ((inserts - expires - spare) / holds).max(0.0)
        } else {
            0.0
        }
    }
}

/// Rate at which an object that is asked for at `rate` expires.
fn expiry(ttl_secs: f64, renew: bool, rate: f64) -> f64 {
    let uses = rate * ttl_secs;
    if ttl_secs.is_infinite() {
        0.0
    } else if renew && uses > 1e-9 {
        rate / libm::expm1(uses)
    } else {
        1.0 / ttl_secs
    }
}

/// Share after a time, and its mean over that time, when an absent object comes in at the rate
/// `into` and a present one leaves at `out`.
fn after(share: f64, into: f64, out: f64, secs: f64) -> (f64, f64) {
    let pace = into + out;
    if pace * secs <= 0.0 || pace <= 0.0 {
        return (share, share);
    }
    let steady = into / pace;
    if secs.is_infinite() {
        return (steady, steady);
    }
    let gone = -libm::expm1(-pace * secs);
    (
        share + (steady - share) * gone,
        steady + (share - steady) * gone / (pace * secs),
    )
}
