//! Who may and can serve whom: markets that only some regions may serve, and pairs of regions between
//! which no traffic passes.

use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::world::condition::Condition;

/// Limits on where requests may be sent. Both lists are empty where nothing is limited.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    regions: usize,
    /// `[market][region]`.
    may: Vec<bool>,
    /// `[region][region]`.
    cut: Vec<bool>,
}

impl Reach {
    /// The limits of a scenario in which nothing is impaired.
    pub fn new(scenario: &Scenario) -> Reach {
        let regions = scenario.regions.len();
        let limited = scenario.markets.iter().any(|m| m.may.is_some());
        let may = scenario.markets.iter().filter(|_| limited).flat_map(|m| {
            let listed = move |r: RegionId| m.may.as_ref().is_none_or(|may| may.contains(&r));
            (0..regions).map(listed)
        });
        Reach {
            regions,
            may: may.collect(),
            cut: Vec::new(),
        }
    }

    /// The partitions of a condition.
    pub fn cut_as(&mut self, condition: &Condition) {
        let n = self.regions;
        self.cut.clear();
        if condition.any_cut() {
            let pairs = (0..n * n).map(|i| condition.cut(i / n, i % n));
            self.cut.extend(pairs);
        }
    }

    /// Whether a market may be served in a region.
    pub fn may(&self, market: MarketId, region: RegionId) -> bool {
        self.may.is_empty() || self.may[market * self.regions + region]
    }

    /// Whether nothing passes between two regions.
    pub fn cut(&self, one: RegionId, other: RegionId) -> bool {
        !self.cut.is_empty() && self.cut[one * self.regions + other]
    }

    /// Whether any market may not be served everywhere.
    pub fn limits_markets(&self) -> bool {
        !self.may.is_empty()
    }

    /// Whether all may be sent everywhere.
    pub fn free(&self) -> bool {
        self.may.is_empty() && self.cut.is_empty()
    }

    /// Takes regions that may not serve a market out of shares; the others take over in proportion.
    /// Whether anything is left: if not, the shares stay as they are.
    pub fn admit(&self, market: MarketId, shares: &mut [f64]) -> bool {
        if self.may.is_empty() {
            return true;
        }
        let row = &self.may[market * self.regions..(market + 1) * self.regions];
        let all: f64 = shares.iter().sum();
        let left: f64 = shares.iter().zip(row).filter(|s| *s.1).map(|s| s.0).sum();
        if left <= 0.0 {
            return false;
        }
        for (share, may) in shares.iter_mut().zip(row) {
            *share = if *may { *share * all / left } else { 0.0 };
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_region_may_not_serve_goes_to_those_that_may() {
        let reach = Reach {
            regions: 3,
            may: vec![true, true, false, true, true, true],
            cut: Vec::new(),
        };
        let mut shares = [0.2, 0.3, 0.5];
        assert!(reach.admit(0, &mut shares));
        for (got, want) in shares.iter().zip([0.4, 0.6, 0.0]) {
            assert!((got - want).abs() < 1e-12);
        }
        let mut only = [0.0, 0.0, 1.0];
        assert!(!reach.admit(0, &mut only));
        assert_eq!(only, [0.0, 0.0, 1.0]);
        assert!(reach.admit(1, &mut only));
        assert!(reach.may(1, 2) && !reach.may(0, 2));
    }
}
