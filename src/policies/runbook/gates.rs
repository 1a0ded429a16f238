//! What holds a stage up: targets that are too busy, and capacity that was ordered and is not there
//! yet; and the capacity that the survivors will need.

use super::Incident;
use crate::model::action::Action;
use crate::model::policy::Phase;
use crate::model::scenario::RegionId;
use crate::policies::spread;

/// A service of a region that is short of what it will need.
struct Short {
    region: RegionId,
    service: usize,
    /// Instances that it will need, as far as it may have them.
    wanted: f64,
}

impl Incident<'_> {
    /// Whether the next stage may go. Nothing waits for longer than the deadline.
    pub(super) fn gates_open(&mut self, dead: bool) -> bool {
        let knobs = self.view.knobs;
        let scaling = knobs.prescale && knobs.prescale_first && !self.shortage().is_empty();
        let busy = !dead && knobs.gate_utilisation.is_finite() && self.targets_busy();
        if !scaling && !busy {
            return true;
        }
        let now = self.view.now();
        now >= *self.memory.gated_since.get_or_insert(now) + knobs.gate_deadline
    }

    fn targets_busy(&self) -> bool {
        self.targets.iter().any(|r| {
            let known = &self.view.telemetry.regions[*r];
            let limit = self.view.knobs.gate_utilisation;
            known.failing || known.utilisation.is_some_and(|busy| busy > limit)
        })
    }

    /// Orders the instances that the targets will be short of, once.
    pub(super) fn prescale(&mut self) {
        if !self.view.knobs.prescale || self.memory.scaled_at.is_some() {
            return;
        }
        self.memory.scaled_at = Some(self.view.now());
        let shortage = self.shortage();
        if shortage.is_empty() {
            return;
        }
        for short in shortage {
            self.actions.push(Action::Scale {
                region: short.region,
                service: short.service,
                instances: short.wanted as u64,
            });
        }
        self.enter(Phase::ScaleUp);
    }

    /// What the targets will be short of when all of the region's traffic has left.
    fn shortage(&self) -> Vec<Short> {
        let telemetry = self.view.telemetry;
        let count = telemetry.regions.len();
        let services = telemetry.regions.iter().map(|r| r.services.len()).max();
        let mut need = vec![vec![0.0; services.unwrap_or(0)]; count];
        for market in telemetry.markets.iter().filter(|m| !m.need.is_empty()) {
            let weights = match market.planned.is_empty() {
                true => &market.dns,
                false => &market.planned,
            };
            let shares = self.spread(market);
            for (from, weight) in weights.iter().enumerate().take(count) {
                let weight = spread::amount(*weight).min(1.0);
                let away = match (&shares, from == self.view.region) {
                    (None, _) => 0.0,
                    (_, true) => 1.0,
                    (_, false) => self.away[from],
                };
                for (to, need) in need.iter_mut().enumerate() {
                    let stays = if to == from { 1.0 - away } else { 0.0 };
                    let comes = shares.as_ref().map_or(0.0, |shares| away * shares[to]);
                    for (v, (sum, one)) in need.iter_mut().zip(&market.need).enumerate() {
                        let all = spread::amount(*one);
                        let out_of_scope = market.need_stays.get(v).copied().unwrap_or(0.0);
                        let rest = spread::amount(out_of_scope).min(all);
                        *sum += weight * (stays + comes) * (all - rest);
                        if to == from {
                            *sum += weight * rest;
                        }
                    }
                }
            }
        }
        let mut shortage = Vec::new();
        for &region in &self.targets {
            let services = telemetry.regions[region].services.iter().enumerate();
            for (service, known) in services {
                let most = spread::amount(known.most);
                let wanted = need[region][service].ceil().min(most).min(1e9);
                if wanted > spread::amount(known.in_service) {
                    shortage.push(Short {
                        region,
                        service,
                        wanted,
                    });
                }
            }
        }
        shortage
    }

    /// Keeps what the region has, for when its traffic comes back. A dead one hears of nothing.
    pub(super) fn freeze(&mut self) {
        let region = self.view.region;
        let known = &self.view.telemetry.regions[region];
        let scales = self.view.knobs.freeze_scale_in && !known.services.is_empty();
        if scales && !self.memory.frozen && known.dead == Some(false) {
            self.memory.frozen = true;
            self.actions
                .push(Action::FreezeScaleIn { region, on: true });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decide;
    use crate::model::action::Action;
    use crate::model::policy::{Knobs, Memory};
    use crate::model::telemetry::{MarketTelemetry, RegionTelemetry, ServiceTelemetry, Telemetry};
    use crate::units::Time;

    #[test]
    fn only_what_leaves_is_scaled_for() {
        let region = |dead: bool| RegionTelemetry {
            dead: Some(dead),
            services: vec![ServiceTelemetry {
                in_service: 2.0,
                most: 100.0,
            }],
            ..RegionTelemetry::default()
        };
        let ordered = |need_stays: Vec<f64>| {
            let telemetry = Telemetry {
                now: Time::ZERO,
                regions: vec![region(true), region(false)],
                markets: vec![MarketTelemetry {
                    near: vec![0, 1],
                    planned: vec![1.0, 0.0],
                    need: vec![10.0],
                    need_stays,
                    ..MarketTelemetry::default()
                }],
                announced: Vec::new(),
                undone: Vec::new(),
            };
            let knobs = Knobs {
                failover: true,
                route_by_edge: true,
                prescale: true,
                ..Knobs::default()
            };
            let actions = decide(&knobs, &telemetry, &Memory::default()).actions;
            actions.into_iter().find_map(|action| match action {
                Action::Scale { instances, .. } => Some(instances),
                _ => None,
            })
        };
        assert_eq!(ordered(Vec::new()), Some(10));
        assert_eq!(ordered(vec![6.0]), Some(4));
        assert_eq!(ordered(vec![9.0]), None, "two are there already");
    }
}
