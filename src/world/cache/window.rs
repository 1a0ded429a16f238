//! A cache that lets the least recently used go: it holds what was asked for since some moment in
//! the past (Che's approximation with a window that moves with the load); until it is full, since
//! the beginning.

use crate::model::scenario::Cache;
use crate::world::catalogue::Catalogue;
use std::collections::VecDeque;

/// Parts of the window that are kept apart, about.
const SEGMENTS: usize = 256;
/// Parts of the time of a fetch that are kept apart, about.
const UNDERWAY: f64 = 32.0;

/// The requests in sight, per catalogue.
#[derive(Clone, Debug)]
pub(super) struct Window {
    capacity: f64,
    coalesce: bool,
    /// Requests in sight.
    sight: Vec<f64>,
    /// Of what a step adds to the sight, the part that leaves it at the other end.
    leaving: Vec<f64>,
    /// The sight's parts, oldest first.
    segments: VecDeque<Vec<f64>>,
    /// What the last fetch time asked for, oldest first, when equal misses are not merged.
    underway: VecDeque<Underway>,
    /// Of the step that is committed: what it adds, and the sight before it lets anything go.
    added: Vec<f64>,
    before: Vec<f64>,
}

#[derive(Clone, Debug, Default)]
struct Underway {
    secs: f64,
    requests: Vec<f64>,
}

impl Window {
    pub fn new(cache: &Cache, catalogues: usize) -> Window {
        Window {
            capacity: cache.capacity,
            coalesce: cache.coalesce,
            sight: vec![0.0; catalogues],
            leaving: vec![0.0; catalogues],
            segments: VecDeque::new(),
            underway: VecDeque::new(),
            added: vec![0.0; catalogues],
            before: vec![0.0; catalogues],
        }
    }

    /// Starting empty, has served these rates for so long.
    pub fn warm(&mut self, catalogue: &Catalogue, rates: &[f64], secs: f64) {
        let fits = self.characteristic_secs(catalogue, rates).min(secs);
        for (sight, rate) in self.sight.iter_mut().zip(rates) {
            *sight = rate * fits;
        }
        self.leaving.fill(if fits < secs { 1.0 } else { 0.0 });
        self.segments.clear();
        self.segments.push_back(self.sight.clone());
        self.underway.clear();
    }

    /// How long a window at these rates fills the cache; infinite when everything fits.
    fn characteristic_secs(&self, catalogue: &Catalogue, rates: &[f64]) -> f64 {
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
        super::crossing((-30.0, 60.0), |secs| holds(secs) > self.capacity)
    }

    /// Hit ratio per catalogue in the steady state.
    pub fn steady(&self, catalogue: &Catalogue, rates: &[f64]) -> Vec<f64> {
        let secs = self.characteristic_secs(catalogue, rates);
        let hit = |&rate: &f64| {
            if rate <= 0.0 {
                0.0
            } else if secs.is_infinite() {
                1.0
            } else {
                catalogue.hit(rate * secs)
            }
        };
        rates.iter().map(hit).collect()
    }

    /// Share of a catalogue's lookups in a step that miss.
    pub fn miss(
        &self,
        catalogue: &Catalogue,
        i: usize,
        lookups: f64,
        fetched: f64,
        (dt_secs, fetch_secs): (f64, f64),
    ) -> f64 {
        let added = lookups * fetched;
        let here = self.sight[i];
        let leaves = added * self.leaving[i];
        if self.coalesce || fetch_secs <= 0.0 || dt_secs <= 0.0 {
            return catalogue.miss_between(here, here + added - leaves);
        }
        // What was asked for less than a fetch ago does not hit yet: the lookups of this step see
        // what the steps before asked for arrive in turn, and then their own.
        let (mut asked, mut covered) = (0.0, 0.0);
        for underway in &self.underway {
            asked += underway.requests[i];
            covered += underway.secs;
        }
        let (mut seen, mut left, mut missed) = ((here - asked).max(0.0), dt_secs, 0.0);
        let mut pass = |secs: f64, arriving: f64| {
            let part = secs.min(left);
            if part > 0.0 {
                let next = (seen + arriving * part / secs - leaves * part / dt_secs).max(0.0);
                missed += part * catalogue.miss_between(seen, next);
                seen = next;
                left -= part;
            }
        };
        pass(fetch_secs - covered, 0.0);
        for underway in &self.underway {
            pass(underway.secs, underway.requests[i]);
        }
        pass(dt_secs, added);
        missed / dt_secs
    }

    /// Makes a step happen.
    pub fn commit(
        &mut self,
        catalogue: &Catalogue,
        lookups: impl Fn(usize) -> f64,
        fetched: f64,
        (dt_secs, fetch_secs): (f64, f64),
    ) {
        for (i, added) in self.added.iter_mut().enumerate() {
            *added = lookups(i) * fetched;
        }
        if !self.coalesce {
            self.send(dt_secs, fetch_secs);
        }
        if self.added.iter().all(|&a| a <= 0.0) {
            return;
        }
        for (sight, add) in self.sight.iter_mut().zip(&self.added) {
            *sight += add;
        }
        self.remember();
        self.forget(catalogue);
    }

    /// Keeps what the last fetch time asked for.
    fn send(&mut self, dt_secs: f64, fetch_secs: f64) {
        if let Some(newest) = self.underway.back_mut()
            && newest.secs + dt_secs <= fetch_secs / UNDERWAY
        {
            newest.secs += dt_secs;
            for (n, add) in newest.requests.iter_mut().zip(&self.added) {
                *n += add;
            }
        } else {
            self.underway.push_back(Underway {
                secs: dt_secs,
                requests: self.added.clone(),
            });
        }
        let mut over = self.underway.iter().map(|u| u.secs).sum::<f64>() - fetch_secs;
        while let Some(oldest) = self.underway.front_mut()
            && over > 0.0
        {
            if oldest.secs <= over {
                over -= oldest.secs;
                self.underway.pop_front();
            } else {
                let stays = 1.0 - over / oldest.secs;
                oldest.secs -= over;
                for n in &mut oldest.requests {
                    *n *= stays;
                }
                over = 0.0;
            }
        }
    }

    /// Adds a segment, joined to the newest if that is small or has the same mix.
    fn remember(&mut self) {
        let total = |v: &[f64]| v.iter().sum::<f64>();
        let grain = total(&self.sight) / (SEGMENTS / 2) as f64;
        let more = total(&self.added);
        if let Some(last) = self.segments.back_mut() {
            let size = total(last);
            let alike = |(x, y): (&f64, &f64)| (x / size - y / more).abs() < 1e-3;
            if size + more <= grain || last.iter().zip(&self.added).all(alike) {
                for (x, y) in last.iter_mut().zip(&self.added) {
                    *x += y;
                }
                return;
            }
        }
        // While the sight grows, the oldest segments are the smallest: they are joined.
        let mut spare = Vec::new();
        if self.segments.len() >= SEGMENTS {
            spare = self.segments.pop_front().unwrap_or_default();
            if let Some(second) = self.segments.front_mut() {
                for (x, y) in second.iter_mut().zip(&spare) {
                    *x += y;
                }
            }
        }
        spare.clone_from(&self.added);
        self.segments.push_back(spare);
    }

    /// Moves the window's beginning until what it holds fits.
    fn forget(&mut self, catalogue: &Catalogue) {
        self.before.clone_from(&self.sight);
        let asked = self.sight.iter().filter(|&&n| n > 0.0).count() as f64;
        if asked * catalogue.objects > self.capacity {
            let mut over = self.over(catalogue, 0.0);
            while over > 0.0 && !self.segments.is_empty() {
                let rest = self.over(catalogue, 1.0);
                let part = if rest > 0.0 {
                    1.0
                } else {
                    self.part(catalogue, over, rest)
                };
                let mut first = self.segments.pop_front().unwrap_or_default();
                for (sight, gone) in self.sight.iter_mut().zip(&mut first) {
                    *sight = (*sight - part * *gone).max(0.0);
                    *gone *= 1.0 - part;
                }
                if part < 1.0 {
                    self.segments.push_front(first);
                }
                over = rest;
            }
        }
        for (i, leaving) in self.leaving.iter_mut().enumerate() {
            *leaving = if self.added[i] > 0.0 {
                ((self.before[i] - self.sight[i]) / self.added[i]).max(0.0)
            } else {
                0.0
            };
        }
    }

    /// Objects beyond capacity when a part of the oldest segment is out of sight.
    fn over(&self, catalogue: &Catalogue, part: f64) -> f64 {
        let held = self.sight.iter().enumerate().map(|(i, n)| {
            let gone = self.segments.front().map_or(0.0, |first| part * first[i]);
            catalogue.distinct(n - gone)
        });
        held.sum::<f64>() - self.capacity
    }

    /// The part of the oldest segment that must go, from what is over with none of it gone and with
    /// all: secant steps inside a bracket, as what is held is nearly linear in the part.
    fn part(&self, catalogue: &Catalogue, mut over_lo: f64, mut over_hi: f64) -> f64 {
        let (mut lo, mut hi) = (0.0, 1.0);
        for _ in 0..40 {
            if -over_hi < 1e-6 * self.capacity || hi - lo < 1e-12 {
                break;
            }
            let guess = lo + (hi - lo) * over_lo / (over_lo - over_hi);
            // A little beyond the guess, so that both ends close in.
            let part = (guess + 0.01 * (hi - lo)).min(0.5 * (guess + hi));
            let over = self.over(catalogue, part);
            if over > 0.0 {
                (lo, over_lo) = (part, over);
            } else {
                (hi, over_hi) = (part, over);
            }
        }
        hi
    }

    #[cfg(test)]
    pub fn is_small(&self) -> bool {
        self.segments.len() <= SEGMENTS && self.underway.len() as f64 <= 2.0 * UNDERWAY + 2.0
    }
}
