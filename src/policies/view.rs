//! What a policy knows, as seen from one region: who is to be evacuated, and who can help.

use super::spread;
use crate::model::policy::{Knobs, RegionMemory};
use crate::model::scenario::RegionId;
use crate::model::telemetry::{Announced, Telemetry};
use crate::units::Time;

/// What is known, as seen from one region.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The policy's knobs.
    pub knobs: &'a Knobs,
    /// What is known.
    pub telemetry: &'a Telemetry,
    /// The region.
    pub region: RegionId,
}

impl<'a> View<'a> {
    /// Now.
    pub fn now(&self) -> Time {
        self.telemetry.now
    }

    /// Whether a region is believed dead.
    pub fn dead(&self, region: RegionId) -> bool {
        self.telemetry.regions[region].dead == Some(true)
    }

    /// The drill of a region that was announced and is acted on.
    pub fn announced(&self, region: RegionId) -> Option<&'a Announced> {
        if !self.knobs.prewarm && self.knobs.stages.len() < 2 {
            return None;
        }
        self.telemetry
            .announced
            .iter()
            .find(|drill| drill.region == region && !drill.aborted && self.now() < drill.until)
    }

    /// Whether a region's drill was aborted, so that all is to be as before at once.
    pub fn aborted(&self, region: RegionId) -> bool {
        let drills = &self.telemetry.announced;
        drills.iter().any(|d| d.region == region && d.aborted)
    }

    /// Whether a region is to be evacuated because it fails, though it is not dead.
    fn failing(&self, region: RegionId) -> bool {
        self.telemetry.regions[region].failing && !self.aborted(region)
    }

    /// Whether a region is to be evacuated, or stay so.
    pub fn evacuates(&self, region: RegionId) -> bool {
        self.dead(region) || self.failing(region) || self.announced(region).is_some()
    }

    /// Regions that may take the traffic: believed alive and not to be evacuated themselves; where
    /// there is none, those that are still believed alive, unless the region itself is merely failing
    /// as they are.
    pub fn targets(&self) -> Vec<RegionId> {
        let alive: Vec<RegionId> = (0..self.telemetry.regions.len())
            .filter(|r| *r != self.region && self.telemetry.regions[*r].dead == Some(false))
            .collect();
        let staying: Vec<RegionId> = alive
            .iter()
            .copied()
            .filter(|r| !self.evacuates(*r))
            .collect();
        if staying.is_empty() && self.failing(self.region) && !self.dead(self.region) {
            return Vec::new();
        }
        if staying.is_empty() { alive } else { staying }
    }

    /// Number of stages.
    pub fn stages(&self) -> usize {
        self.knobs.stages.len().max(1)
    }

    /// Share of the traffic that has left after so many stages; the last one empties the region.
    pub fn moved(&self, stages: usize) -> f64 {
        match stages {
            0 => 0.0,
            n if n >= self.stages() => 1.0,
            n => spread::amount(self.knobs.stages[n - 1]).min(1.0),
        }
    }

    /// Number of stages of the return.
    pub fn return_stages(&self) -> usize {
        self.knobs.failback.stages.len().max(1)
    }

    /// Share of a region's traffic that is elsewhere by what was ordered.
    pub fn away(&self, memory: &RegionMemory) -> f64 {
        let back = match memory.returned {
            0 => 0.0,
            n if n >= self.return_stages() => 1.0,
            n => spread::amount(self.knobs.failback.stages[n - 1]).min(1.0),
        };
        self.moved(memory.stage) * (1.0 - back)
    }

    /// Requests per second of the region that are out of the policy's scope.
    fn stays(&self) -> f64 {
        let markets = self.telemetry.markets.iter();
        let stays = markets.map(|market| {
            let planned = market.planned.get(self.region).copied().unwrap_or(0.0);
            spread::amount(market.stays) * spread::amount(planned).min(1.0)
        });
        stays.sum()
    }

    /// Whether what is in service in these regions can serve all that is asked for now.
    pub fn capacity_covers(&self, targets: &[RegionId]) -> bool {
        let capacity: f64 = targets
            .iter()
            .map(|r| spread::amount(self.telemetry.regions[*r].capacity))
            .sum();
        let asked: f64 = self.telemetry.markets.iter().map(|m| m.load).sum();
        let served: f64 = self.telemetry.regions.iter().map(|r| r.load).sum();
        let stays = self.stays();
        capacity >= asked - stays && capacity >= served - stays
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::telemetry::{MarketTelemetry, RegionTelemetry};

    #[test]
    fn what_stays_needs_no_capacity_elsewhere() {
        let region = |capacity: f64, load: f64| RegionTelemetry {
            capacity,
            load,
            ..RegionTelemetry::default()
        };
        let covers = |capacity: f64, stays: f64| {
            let telemetry = Telemetry {
                now: Time::ZERO,
                regions: vec![region(0.0, 100.0), region(capacity, 50.0)],
                markets: vec![MarketTelemetry {
                    load: 150.0,
                    stays,
                    planned: vec![1.0, 0.0],
                    ..MarketTelemetry::default()
                }],
                announced: Vec::new(),
                undone: Vec::new(),
            };
            let view = View {
                knobs: &Knobs::default(),
                telemetry: &telemetry,
                region: 0,
            };
            view.capacity_covers(&[1])
        };
        assert_eq!([covers(149.0, 0.0), covers(150.0, 0.0)], [false, true]);
        assert_eq!([covers(109.0, 40.0), covers(110.0, 40.0)], [false, true]);
    }
}
