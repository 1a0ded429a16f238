//! Links between regions that carry only so much.
//!
//! A link carries so many bytes per second, both directions together. Requests that edges send on and
//! calls of services come first: what they ask for beyond the capacity fails at once, each with the
//! same chance, `1 - capacity / asked`. Nothing waits for a link, so below its capacity it changes
//! nothing. Replication gets what is left.

use crate::model::scenario::{RegionId, Scenario};

/// A link is said to carry all again below this share of its capacity.
const SPARE: f64 = 0.95;
/// A bandwidth that exceeds another by less does so by rounding.
const ROUNDING: f64 = 1e-9;

/// What links are asked to carry, and what of it they lose. Without capacities all lists are empty.
#[derive(Clone, Debug, Default)]
pub struct Links {
    regions: usize,
    /// Bytes per second, `[a][b]`, the same both ways; infinite where there is no limit.
    capacity: Vec<f64>,
    /// Asked by requests that edges send on, in bytes per second, `[a][b]`, both ways together.
    proxied: Vec<f64>,
    /// Asked by calls.
    called: Vec<f64>,
    /// Asked by replication.
    replicated: Vec<f64>,
    /// Share of requests and calls that is lost.
    lost: Vec<f64>,
    /// Whether the link was said to be full.
    full: Vec<bool>,
    /// Whether the calls of this step changed what is lost, after the requests were sent.
    drifted: bool,
}

/// A link that is full, or carries all again.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Its ends.
    pub between: (RegionId, RegionId),
    /// Whether it is full.
    pub full: bool,
    /// Share of its capacity that is asked for.
    pub load: f64,
    /// Share of requests and calls that is lost.
    pub lost: f64,
}

impl Links {
    /// Idle links.
    pub fn new(scenario: &Scenario) -> Links {
        let capacity: Vec<f64> = scenario.link_capacity.concat();
        let cells = capacity.len();
        Links {
            regions: scenario.regions.len(),
            capacity,
            proxied: vec![0.0; cells],
            called: vec![0.0; cells],
            replicated: vec![0.0; cells],
            lost: vec![0.0; cells],
            full: vec![false; cells],
            drifted: false,
        }
    }

    /// Whether no link has a limit.
    pub fn is_empty(&self) -> bool {
        self.capacity.is_empty()
    }

    /// Share of what one region sends to another that is lost.
    pub fn lost(&self, one: RegionId, other: RegionId) -> f64 {
        match self.is_empty() {
            true => 0.0,
            false => self.lost[one * self.regions + other],
        }
    }

    /// Whether any link loses anything.
    pub fn any_lost(&self) -> bool {
        self.lost.iter().any(|&lost| lost > 0.0)
    }

    /// What edges ask to send on, in bytes per second, `[from][to]`. Returns how much the largest
    /// lost share moves.
    pub fn ask_proxied(&mut self, bytes_per_sec: &[f64]) -> f64 {
        self.drifted = false;
        both_ways(&mut self.proxied, bytes_per_sec, self.regions);
        self.find_lost()
    }

    /// The same of calls.
    pub fn ask_called(&mut self, bytes_per_sec: &[f64]) -> f64 {
        both_ways(&mut self.called, bytes_per_sec, self.regions);
        let moved = self.find_lost();
        self.drifted |= moved > 1e-6;
        moved
    }

    /// The same of replication, which loses nothing.
    pub fn ask_replicated(&mut self, bytes_per_sec: &[f64]) {
        both_ways(&mut self.replicated, bytes_per_sec, self.regions);
    }

    /// Whether requests were sent before calls had changed what is lost.
    pub fn drifted(&self) -> bool {
        self.drifted
    }

    fn find_lost(&mut self) -> f64 {
        let mut moved: f64 = 0.0;
        for (cell, lost) in self.lost.iter_mut().enumerate() {
            let asked = self.proxied[cell] + self.called[cell];
            let share = match asked > self.capacity[cell] * (1.0 + ROUNDING) {
                true => 1.0 - self.capacity[cell] / asked,
                false => 0.0,
            };
            moved = moved.max((share - *lost).abs());
            *lost = share;
        }
        moved
    }

    /// Bytes per second that requests and calls leave to replication; infinite where there is no limit.
    pub fn left_for_replication(&self, one: RegionId, other: RegionId) -> f64 {
        if self.is_empty() {
            return f64::INFINITY;
        }
        let cell = one * self.regions + other;
        (self.capacity[cell] - self.proxied[cell] - self.called[cell]).max(0.0)
    }

    /// The part of it that one sender gets who asks for `own`: all that the others do not ask for, or,
    /// where they together ask for too much, in proportion.
    pub fn share_of_left(&self, one: RegionId, other: RegionId, own: f64) -> f64 {
        let left = self.left_for_replication(one, other);
        if left == f64::INFINITY {
            return left;
        }
        let all = self.replicated[one * self.regions + other].max(own);
        match all > left {
            true => left * own / all,
            false => left - (all - own),
        }
    }

    /// Links that are full now and were not, or carry all again.
    pub fn look(&mut self) -> Vec<Note> {
        let mut notes = Vec::new();
        for a in 0..self.regions {
            for b in a + 1..self.regions {
                let cell = a * self.regions + b;
                let asked = self.proxied[cell] + self.called[cell] + self.replicated[cell];
                let load = asked / self.capacity[cell];
                let full = match self.full[cell] {
                    true => load > SPARE,
                    false => load > 1.0 + ROUNDING,
                };
                if full != self.full[cell] {
                    self.full[cell] = full;
                    notes.push(Note {
                        between: (a, b),
                        full,
                        load,
                        lost: self.lost[cell],
                    });
                }
            }
        }
        notes
    }
}

/// Adds up both directions of each pair.
fn both_ways(sum: &mut [f64], one_way: &[f64], regions: usize) {
    for a in 0..regions {
        for b in 0..regions {
            sum[a * regions + b] = one_way[a * regions + b] + one_way[b * regions + a];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two regions and a link of 100 bytes per second.
    fn pair() -> Links {
        Links {
            regions: 2,
            capacity: vec![f64::INFINITY, 100.0, 100.0, f64::INFINITY],
            proxied: vec![0.0; 4],
            called: vec![0.0; 4],
            replicated: vec![0.0; 4],
            lost: vec![0.0; 4],
            full: vec![false; 4],
            drifted: false,
        }
    }

    #[test]
    fn both_directions_and_all_kinds_share_a_link() {
        let mut links = pair();
        links.ask_proxied(&[0.0, 60.0, 30.0, 0.0]);
        assert!(!links.any_lost());
        assert_eq!(links.left_for_replication(0, 1), 10.0);
        links.ask_called(&[0.0, 10.0, 25.0, 0.0]);
        assert_eq!(links.lost(0, 1), 1.0 - 100.0 / 125.0);
        assert_eq!(links.lost(1, 0), links.lost(0, 1));
        assert_eq!(links.left_for_replication(1, 0), 0.0);
        assert!(links.drifted());
    }

    #[test]
    fn what_is_left_goes_to_senders_as_they_ask() {
        let mut links = pair();
        links.ask_proxied(&[0.0, 40.0, 0.0, 0.0]);
        links.ask_replicated(&[0.0, 10.0, 20.0, 0.0]);
        // All of it passes: who asks for 10 may have what the other does not want.
        assert_eq!(links.share_of_left(0, 1, 10.0), 40.0);
        links.ask_replicated(&[0.0, 30.0, 90.0, 0.0]);
        assert_eq!(links.share_of_left(0, 1, 30.0), 15.0);
        assert_eq!(links.share_of_left(1, 0, 90.0), 45.0);
    }

    #[test]
    fn a_full_link_is_told_once() {
        let mut links = pair();
        links.ask_replicated(&[0.0, 101.0, 0.0, 0.0]);
        assert_eq!(links.look().len(), 1);
        links.ask_replicated(&[0.0, 98.0, 0.0, 0.0]);
        assert!(links.look().is_empty());
        links.ask_replicated(&[0.0, 120.0, 0.0, 0.0]);
        assert!(links.look().is_empty());
        links.ask_replicated(&[0.0, 90.0, 0.0, 0.0]);
        let notes = links.look();
        assert!(notes.len() == 1 && !notes[0].full);
    }

    #[test]
    fn without_capacities_there_is_no_limit() {
        let links = Links::default();
        assert!(links.is_empty() && !links.any_lost());
        assert_eq!(links.lost(3, 4), 0.0);
        assert_eq!(links.share_of_left(0, 1, 1e9), f64::INFINITY);
    }
}
