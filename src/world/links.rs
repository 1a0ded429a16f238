//! How much the links between regions carry.
//!
//! Requests that an edge sends on and calls of services that a region lacks share the link between
//! two regions, both ways together, each at the size of a request with its answer. Up to its capacity
//! a link changes nothing. Beyond, of all that wants through, the share `1 - capacity / offered` fails
//! at once.

use crate::model::scenario::{RegionId, Scenario};

/// A saturated link is no longer so once less than this share of its capacity is wanted.
const RELIEVED: f64 = 0.95;
/// Shares that move less have settled.
const CLOSE: f64 = 1e-4;

/// A link with a capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkState {
    /// Its ends, the smaller first.
    pub ends: (RegionId, RegionId),
    /// Requests per second that it carries.
    pub capacity: f64,
    /// Requests per second that want through.
    pub offered: f64,
    /// Share of them that fails.
    pub lost: f64,
    saturated: bool,
}

/// A link saturates, or does no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saturation {
    /// More is wanted than it carries.
    Begins,
    /// Clearly less is wanted.
    Ends,
}

/// The links that have a capacity; none where the scenario gives none.
#[derive(Clone, Debug, Default)]
pub struct Links {
    links: Vec<LinkState>,
    /// Which link joins two regions, `[a][b]`.
    between: Vec<Vec<Option<usize>>>,
}

impl Links {
    /// Idle links.
    pub fn new(scenario: &Scenario) -> Links {
        let regions = scenario.regions.len();
        if scenario.link_capacities.is_empty() {
            return Links::default();
        }
        let mut between = vec![vec![None; regions]; regions];
        // A request without a size, as `prices.request_kb = 0` says, needs no link.
        let request_bytes = 1000.0 * scenario.prices.request_kb;
        let mut links = Vec::new();
        for &(a, b, bytes_per_sec) in &scenario.link_capacities {
            between[a][b] = Some(links.len());
            between[b][a] = Some(links.len());
            links.push(LinkState {
                ends: (a, b),
                capacity: match request_bytes > 0.0 {
                    true => bytes_per_sec / request_bytes,
                    false => f64::INFINITY,
                },
                offered: 0.0,
                lost: 0.0,
                saturated: false,
            });
        }
        Links { links, between }
    }

    /// Whether none has a capacity.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Share of what goes from one region to another that fails on the way.
    pub fn lost(&self, from: RegionId, to: RegionId) -> f64 {
        let link = self.between.get(from).and_then(|row| row[to]);
        link.map_or(0.0, |l| self.links[l].lost)
    }

    /// Whether anything fails on any link.
    pub fn hurt(&self) -> bool {
        self.links.iter().any(|l| l.lost > 0.0)
    }

    /// Counts anew what wants through.
    pub fn clear(&mut self) {
        for link in &mut self.links {
            link.offered = 0.0;
        }
    }

    /// So many requests per second want through between two regions.
    pub fn offer(&mut self, from: RegionId, to: RegionId, per_sec: f64) {
        if let Some(l) = self.between.get(from).and_then(|row| row[to]) {
            self.links[l].offered += per_sec;
        }
    }

    /// Finds what fails. Says whether that was known already.
    pub fn settle(&mut self) -> bool {
        let mut settled = true;
        for link in &mut self.links {
            let lost = if link.offered > link.capacity {
                1.0 - link.capacity / link.offered
            } else {
                0.0
            };
            settled &= (lost - link.lost).abs() <= CLOSE && (lost > 0.0) == (link.lost > 0.0);
            link.lost = lost;
        }
        settled
    }

    /// Links that saturate, or do no longer.
    pub fn turns(&mut self) -> Vec<(LinkState, Saturation)> {
        let mut turns = Vec::new();
        for link in &mut self.links {
            let turn = match link.saturated {
                false if link.lost > 0.0 => Saturation::Begins,
                true if link.offered < RELIEVED * link.capacity => Saturation::Ends,
                _ => continue,
            };
            link.saturated = !link.saturated;
            turns.push((*link, turn));
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(capacity: f64) -> Links {
        Links {
            links: vec![LinkState {
                ends: (0, 1),
                capacity,
                offered: 0.0,
                lost: 0.0,
                saturated: false,
            }],
            between: vec![vec![None, Some(0)], vec![Some(0), None]],
        }
    }

    #[test]
    fn beyond_capacity_the_rest_fails_both_ways_alike() {
        let mut links = one(100.0);
        links.offer(0, 1, 60.0);
        links.offer(1, 0, 40.0);
        assert!(links.settle() && !links.hurt());
        links.offer(1, 0, 100.0);
        assert!(!links.settle());
        assert_eq!((links.lost(0, 1), links.lost(1, 0)), (0.5, 0.5));
        assert_eq!(links.lost(0, 0), 0.0);
        assert!(links.settle());
    }

    #[test]
    fn it_saturates_once_per_episode() {
        let mut links = one(100.0);
        let mut said = Vec::new();
        for offered in [90.0, 101.0, 98.0, 103.0, 94.0, 99.0] {
            links.clear();
            links.offer(0, 1, offered);
            links.settle();
            said.extend(links.turns().into_iter().map(|(_, turn)| turn));
        }
        assert_eq!(said, [Saturation::Begins, Saturation::Ends]);
    }
}
