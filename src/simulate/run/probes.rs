//! What probes of a region meet: nothing while it is dark or none of its instances can answer, and, if
//! they are deep, what is known to be broken behind the door.

use super::Run;
use crate::control::monitor::Condition;
use crate::model::scenario::{RegionId, Scenario, ServiceId};
use crate::world::plan::Plan;

/// Services of each region that probes depend on.
pub struct Probed {
    /// Those that requests enter: one instance of each must be in service.
    doors: Vec<Vec<ServiceId>>,
    /// Those on whose errors a deep probe fails; empty where probes are shallow.
    critical: Vec<Vec<ServiceId>>,
}

impl Probed {
    /// What a scenario's probes depend on. Services that a region lacks are no part of it.
    pub fn new(scenario: &Scenario, plan: &Plan) -> Probed {
        let services = 0..scenario.services.len();
        let entered = |v: &ServiceId| scenario.requests.iter().any(|request| request.to == *v);
        let mut critical: Vec<bool> = services.clone().map(|v| entered(&v)).collect();
        for &caller in &scenario.call_order {
            for call in &scenario.services[caller].calls {
                critical[call.to] |= critical[caller] && call.critical;
            }
        }
        let there = |r: RegionId, v: ServiceId| plan.sized[r][v].serving > 0;
        let each = |which: &dyn Fn(&ServiceId) -> bool| -> Vec<Vec<ServiceId>> {
            let regions = 0..scenario.regions.len();
            let of = |r| {
                services
                    .clone()
                    .filter(|v| there(r, *v) && which(v))
                    .collect()
            };
            regions.map(of).collect()
        };
        Probed {
            doors: each(&entered),
            critical: each(&|v| scenario.control.deep && critical[*v]),
        }
    }
}

impl Run<'_> {
    /// Whether nothing in a region answers a probe.
    pub(super) fn silent(&self, region: RegionId) -> bool {
        let here = &self.world.regions[region];
        let mut doors = self.probed.doors[region].iter();
        here.dark.is_some() || doors.any(|&v| here.instances[v].in_service() == 0)
    }

    /// What probes of a region meet may have changed.
    pub(super) fn follow_probes(&mut self, region: RegionId) {
        let (here, condition) = (&self.world.regions[region], &self.world.condition);
        let silent = self.silent(region);
        let zones = 0..self.sim.scenario.regions[region].zones;
        let hang = match here.dark {
            Some(dark) => dark.hang,
            None => {
                silent && {
                    let mut zones = zones.map(|zone| condition.zone_down(region, zone));
                    zones.any(|down| down == Some(true))
                }
            }
        };
        let critical = self.probed.critical[region].iter();
        let good = critical.map(|&v| 1.0 - condition.seen_degraded(region, v).errors);
        let met = Condition {
            silent,
            hang,
            failing: 1.0 - good.product::<f64>(),
        };
        let dark = here.dark.is_some();
        self.monitor.condition_changed(self.now, region, dark, met);
    }
}
