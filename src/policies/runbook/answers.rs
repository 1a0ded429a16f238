//! What DNS is to answer.

use super::Incident;
use crate::model::action::Action;
use crate::model::scenario::RegionId;
use crate::policies::spread;

impl Incident<'_> {
    /// Takes the region, and every other that is to be empty, out of the answers of DNS.
    pub(super) fn move_dns(&mut self) {
        self.memory.dns_moved = true;
        let view = self.view;
        for market in &view.telemetry.markets {
            let leaves = |r: RegionId| r == view.region || view.evacuates(r);
            let weights: Vec<f64> = (0..view.telemetry.regions.len())
                .map(|r| spread::amount(market.dns.get(r).copied().unwrap_or(0.0)))
                .collect();
            if weights[view.region] <= 0.0 {
                continue;
            }
            let (Some(weights), Some(shares)) = (spread::normalized(weights), self.spread(market))
            else {
                continue;
            };
            let moved: f64 = (0..weights.len())
                .filter(|r| leaves(*r))
                .map(|r| weights[r])
                .sum();
            let weights = (0..weights.len())
                .map(|r| moved * shares[r] + if leaves(r) { 0.0 } else { weights[r] })
                .collect();
            self.actions.push(Action::SetDns {
                market: market.market,
                weights,
            });
        }
    }

    /// Gives the markets of the region the answers of normal times, but for what is away.
    pub(super) fn answer(&mut self) {
        let view = self.view;
        for market in &view.telemetry.markets {
            let planned: Vec<f64> = (0..view.telemetry.regions.len())
                .map(|r| spread::amount(market.planned.get(r).copied().unwrap_or(0.0)))
                .collect();
            if planned[view.region] <= 0.0 {
                continue;
            }
            let (Some(planned), Some(shares)) = (spread::normalized(planned), self.spread(market))
            else {
                continue;
            };
            let gone = |r: RegionId| match view.dead(r) || (r != view.region && view.evacuates(r)) {
                true => 1.0,
                false => self.away[r],
            };
            let moved: f64 = (0..planned.len()).map(|r| planned[r] * gone(r)).sum();
            let weights = (0..planned.len())
                .map(|r| moved * shares[r] + planned[r] * (1.0 - gone(r)))
                .collect();
            self.actions.push(Action::SetDns {
                market: market.market,
                weights,
            });
        }
    }
}
