//! A cache in front of a call: object by object where it keeps the least recently used ones, by classes
//! of popularity elsewhere.

use super::slab::Key;
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::scenario::{Cache, Eviction};
use crate::world::catalogue::Catalogue;

/// Most objects of a cache that are followed one by one, all catalogues together.
const MOST: f64 = 16e6;
/// No object.
const NONE: u32 = u32::MAX;

/// What a lookup finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The object.
    Hit,
    /// Nothing; which object it was, where objects are told apart.
    Miss(Option<u32>),
}

/// One cache of one region.
pub struct Shelf {
    markets: usize,
    common: f64,
    /// Whether equal misses under way are merged into one fetch.
    pub coalesce: bool,
    law: Law,
}

enum Law {
    Objects(Box<Objects>),
    /// Share of each market's lookups that miss.
    Classes(Vec<f64>),
}

/// Popularity of a catalogue, object by object.
struct Popularity {
    /// Per bin: its first rank, how many ranks it has, the chance of one of them, and of all bins before
    /// it.
    bins: Vec<(f64, f64, f64, f64)>,
    /// So many objects stand at each rank.
    stretch: f64,
}

struct Objects {
    popularity: Popularity,
    /// Objects of a catalogue.
    each: u32,
    capacity: u32,
    held: u32,
    /// Neighbours in the order of their last use; an object that points to itself is not there.
    newer: Vec<u32>,
    older: Vec<u32>,
    newest: u32,
    oldest: u32,
    /// Chance that a lookup of each catalogue hits.
    mass: Vec<f64>,
    /// Fetches under way.
    fetching: Vec<Key>,
}

impl Popularity {
    fn new(catalogue: &Catalogue, stretch: f64) -> Popularity {
        let (mut first, mut below) = (0.0, 0.0);
        let mut bins = Vec::with_capacity(catalogue.bins.len());
        for &(count, chance) in &catalogue.bins {
            bins.push((first, count, chance, below));
            first += count;
            below += count * chance;
        }
        Popularity { bins, stretch }
    }

    fn draw(&self, draws: &mut Draws) -> u32 {
        let u = draws.uniform();
        let bin = self.bins.partition_point(|bin| bin.3 <= u).max(1) - 1;
        let (first, count, chance, below) = self.bins[bin];
        let inside = ((u - below) / chance).clamp(0.0, count * (1.0 - 1e-12));
        ((first + inside) * self.stretch) as u32
    }

    fn chance(&self, object: u32) -> f64 {
        let rank = (f64::from(object) + 0.5) / self.stretch;
        let bin = self.bins.partition_point(|bin| bin.0 <= rank).max(1) - 1;
        self.bins[bin].2 / self.stretch
    }
}

impl Shelf {
    /// A cache that has served these lookups per second and market for as long as it says; objects of a
    /// catalogue are `stretch` times as many as it says. `miss`: what it then misses, by market.
    pub fn new(
        cache: &Cache,
        catalogue: &Catalogue,
        stretch: f64,
        per_sec: &[f64],
        miss: &[f64],
        draws: &mut Draws,
    ) -> Shelf {
        let markets = per_sec.len();
        let objects = (catalogue.objects * stretch).ceil().max(1.0);
        let plain = cache.eviction == Eviction::Lru && cache.ttl_secs.is_infinite();
        let law = match plain && objects * (markets + 1) as f64 <= MOST {
            true => {
                let all = objects as usize * (markets + 1);
                let mut held = Objects {
                    popularity: Popularity::new(catalogue, stretch),
                    each: objects as u32,
                    capacity: cache.capacity.max(0.0) as u32,
                    held: 0,
                    newer: (0..all as u32).collect(),
                    older: (0..all as u32).collect(),
                    newest: NONE,
                    oldest: NONE,
                    mass: vec![0.0; markets + 1],
                    fetching: vec![Key::NONE; all],
                };
                let mut rates: Vec<f64> =
                    per_sec.iter().map(|n| n * (1.0 - cache.common)).collect();
                rates.push(cache.common * per_sec.iter().sum::<f64>());
                held.warm(&rates, cache.warm_secs, draws);
                Law::Objects(Box::new(held))
            }
            false => Law::Classes(miss.to_vec()),
        };
        Shelf {
            markets,
            common: cache.common,
            coalesce: cache.coalesce,
            law,
        }
    }

    /// Looks for the object that a market's request needs.
    pub fn look_up(&mut self, market: usize, draws: &mut Draws) -> Found {
        match &mut self.law {
            Law::Classes(miss) => match draws.uniform() < miss[market] {
                true => Found::Miss(None),
                false => Found::Hit,
            },
            Law::Objects(objects) => {
                let shared = self.common > 0.0 && draws.uniform() < self.common;
                let catalogue = if shared { self.markets } else { market };
                let object = objects.popularity.draw(draws).min(objects.each - 1);
                let object = catalogue as u32 * objects.each + object;
                match objects.has(object) {
                    true => {
                        objects.unlink(object);
                        objects.link(object);
                        Found::Hit
                    }
                    false => Found::Miss(Some(object)),
                }
            }
        }
    }

    /// A fetch has brought an object.
    pub fn fill(&mut self, object: u32) {
        if let Law::Objects(objects) = &mut self.law {
            objects.fill(object);
        }
    }

    /// The fetch of an object that is under way, if any.
    pub fn fetching(&self, object: u32) -> Key {
        match &self.law {
            Law::Objects(objects) => objects.fetching[object as usize],
            Law::Classes(_) => Key::NONE,
        }
    }

    /// A fetch of an object is under way, or (`Key::NONE`) no longer.
    pub fn set_fetching(&mut self, object: u32, fetch: Key) {
        if let Law::Objects(objects) = &mut self.law {
            objects.fetching[object as usize] = fetch;
        }
    }

    /// Forgets all that it holds.
    pub fn clear(&mut self) {
        match &mut self.law {
            Law::Objects(objects) => objects.clear(),
            Law::Classes(miss) => miss.fill(1.0),
        }
    }

    /// The chance that a market's next lookup misses.
    pub fn miss(&self, market: usize) -> f64 {
        match &self.law {
            Law::Objects(objects) => {
                let hit = (1.0 - self.common) * objects.mass[market]
                    + self.common * objects.mass[self.markets];
                (1.0 - hit).clamp(0.0, 1.0)
            }
            Law::Classes(miss) => miss[market],
        }
    }

    /// Whether it follows classes of popularity, so that it must be told what they miss.
    pub fn by_class(&mut self) -> Option<&mut [f64]> {
        match &mut self.law {
            Law::Objects(_) => None,
            Law::Classes(miss) => Some(miss),
        }
    }
}

impl Objects {
    fn has(&self, object: u32) -> bool {
        self.newer[object as usize] != object
    }

    fn chance(&self, object: u32) -> f64 {
        self.popularity.chance(object % self.each)
    }

    /// What has been asked for lately, as it is after so long: each object was last asked for an
    /// exponential time ago, and the latest fit.
    fn warm(&mut self, rates: &[f64], secs: f64, draws: &mut Draws) {
        let mut seen = Vec::new();
        for (i, &rate) in rates.iter().enumerate().filter(|r| *r.1 > 0.0) {
            for object in 0..self.each {
                let mean = 1.0 / (rate * self.popularity.chance(object));
                let ago = sampling::exponential(draws, mean);
                if ago < secs {
                    seen.push((ago, i as u32 * self.each + object));
                }
            }
        }
        seen.sort_by(|a, b| a.0.total_cmp(&b.0));
        seen.truncate(self.capacity as usize);
        for &(_, object) in seen.iter().rev() {
            self.fill(object);
        }
    }

    fn fill(&mut self, object: u32) {
        if self.has(object) || self.capacity == 0 {
            return;
        }
        if self.held >= self.capacity {
            self.evict();
        }
        self.link(object);
        self.held += 1;
        let chance = self.chance(object);
        self.mass[(object / self.each) as usize] += chance;
    }

    fn evict(&mut self) {
        let object = self.oldest;
        self.unlink(object);
        self.held -= 1;
        let chance = self.chance(object);
        let mass = &mut self.mass[(object / self.each) as usize];
        *mass = (*mass - chance).max(0.0);
    }

    fn clear(&mut self) {
        while self.oldest != NONE {
            self.evict();
        }
        self.mass.fill(0.0);
    }

    /// Puts an object before all others.
    fn link(&mut self, object: u32) {
        self.newer[object as usize] = NONE;
        self.older[object as usize] = self.newest;
        match self.newest {
            NONE => self.oldest = object,
            second => self.newer[second as usize] = object,
        }
        self.newest = object;
    }

    fn unlink(&mut self, object: u32) {
        let (newer, older) = (self.newer[object as usize], self.older[object as usize]);
        match newer {
            NONE => self.newest = older,
            newer => self.older[newer as usize] = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.newer[older as usize] = newer,
        }
        self.newer[object as usize] = object;
        self.older[object as usize] = object;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::Stream;

    fn cache(objects: u64, capacity: f64, warm_secs: f64) -> Cache {
        Cache {
            objects,
            zipf: 0.9,
            capacity,
            eviction: Eviction::Lru,
            ttl_secs: f64::INFINITY,
            renew_ttl: false,
            common: 0.0,
            coalesce: true,
            warm_secs,
        }
    }

    fn shelf(cache: &Cache, rate: f64) -> (Shelf, Catalogue, Draws) {
        let catalogue = Catalogue::new(cache.objects as f64, cache.zipf);
        let mut draws = Stream::new(1, 0, "test", "shelf").draws(0, 0);
        let shelf = Shelf::new(cache, &catalogue, 1.0, &[rate], &[1.0], &mut draws);
        (shelf, catalogue, draws)
    }

    fn misses(shelf: &mut Shelf, count: u32, draws: &mut Draws) -> f64 {
        let mut missed = 0.0;
        for _ in 0..count {
            if let Found::Miss(Some(object)) = shelf.look_up(0, draws) {
                missed += 1.0;
                shelf.fill(object);
            }
        }
        missed
    }

    #[test]
    fn a_cold_cache_misses_every_object_once() {
        let (mut shelf, catalogue, mut draws) = shelf(&cache(10_000, 1e9, 0.0), 10.0);
        assert_eq!(shelf.miss(0), 1.0);
        let missed = misses(&mut shelf, 20_000, &mut draws);
        let expected = catalogue.distinct(20_000.0);
        assert!(
            (missed / expected - 1.0).abs() < 0.03,
            "{missed} {expected}"
        );
        let law = 1.0 - catalogue.hit(20_000.0);
        assert!((shelf.miss(0) / law - 1.0).abs() < 0.03);
    }

    #[test]
    fn a_full_cache_keeps_the_ratio_that_it_begins_with() {
        let (mut shelf, _, mut draws) = shelf(&cache(20_000, 2_000.0, 1e9), 10.0);
        let before = shelf.miss(0);
        let missed = misses(&mut shelf, 40_000, &mut draws) / 40_000.0;
        assert!((missed / before - 1.0).abs() < 0.04, "{missed} {before}");
        shelf.clear();
        assert_eq!(shelf.miss(0), 1.0);
    }
}
