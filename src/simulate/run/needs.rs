//! What a policy is told so that it can scale the survivors before they need it: instances in
//! service, how many there may be, and an estimate of what each market takes. Only where the policy
//! looks at it and something can be scaled.

use super::Run;
use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::scenario::{RegionId, Scenario};
use crate::model::telemetry::{ServiceTelemetry, Telemetry};
use crate::units::Dist;
use crate::world::scaling;

/// Whether the policy is told of instances, and there is something to scale.
pub(super) fn scales(scenario: &Scenario) -> bool {
    let knobs = &scenario.policy.knobs;
    let scales =
        !scenario.standby.is_empty() || scenario.services.iter().any(|s| s.scaling.is_some());
    scales && (knobs.prescale || knobs.freeze_scale_in)
}

impl Run<'_> {
    /// Fills in what can be scaled, and what it will take.
    pub(super) fn tell_needs(&self, telemetry: &mut Telemetry) {
        let scenario = &self.sim.scenario;
        let knobs = &scenario.policy.knobs;
        if !scales(scenario) {
            return;
        }
        for (r, region) in telemetry.regions.iter_mut().enumerate() {
            region.services = self.scalable(r);
        }
        if !knobs.prescale {
            return;
        }
        let errors: Vec<f64> = (0..scenario.services.len())
            .map(|v| self.estimate_error(v))
            .collect();
        for market in &mut telemetry.markets {
            // What the market's requests take where they are served in normal times.
            let home = scenario.markets[market.market].near[0];
            let first = &self.sim.plan.first[home];
            let load = self.reports.highest_load(market.market);
            let needed = |(v, error): (usize, &f64)| {
                let service = &scenario.services[v];
                let slots = load * first.busy[v] / first.total;
                let need = slots * (1.0 + service.headroom) / f64::from(service.slots) * error;
                // A home that nobody enters at the beginning says nothing.
                if need.is_finite() { need } else { 0.0 }
            };
            market.need = errors.iter().enumerate().map(needed).collect();
            if let Some(stays) = self.sim.plan.stays.get(home) {
                let needs = market.need.iter().zip(stays);
                market.need_stays = needs.map(|(need, stays)| need * stays).collect();
            }
        }
    }

    fn scalable(&self, region: RegionId) -> Vec<ServiceTelemetry> {
        let services = self.sim.scenario.services.iter().enumerate();
        let known = services.map(|(v, service)| {
            let in_service = self.reports.known().in_service[region][v];
            let planned = self.sim.plan.sized[region][v].full;
            let standby = self.sim.scenario.standby.contains(&region);
            let most = match &service.scaling {
                Some(rules) if service.scalable && planned > 0 => scaling::most(rules, planned),
                None if service.scalable && standby => planned.max(in_service),
                _ => in_service,
            };
            ServiceTelemetry {
                in_service: in_service as f64,
                most: most as f64,
            }
        });
        known.collect()
    }

    /// Factor of mean one by which the estimate of a service is off in this replication.
    fn estimate_error(&self, service: usize) -> f64 {
        let scenario = &self.sim.scenario;
        let relative = scenario.policy.knobs.estimate_error;
        let variance = libm::log1p(relative * relative);
        let name = &scenario.services[service].name;
        let stream = Stream::new(self.seed, self.replication, "estimate", name);
        let error = Dist::Lognormal {
            mu: -0.5 * variance,
            sigma: libm::sqrt(variance),
        };
        sampling::sample(&mut stream.draws(0, 0), &error)
    }
}
