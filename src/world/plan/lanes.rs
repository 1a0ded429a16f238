//! How much of a service's load the policy cannot move.

use super::Plan;
use crate::model::scenario::Scenario;
use crate::world::lanes::STAYS;

impl Plan {
    /// Share of each service's load at the beginning that is out of the policy's scope, per region.
    pub(super) fn staying(&self, scenario: &Scenario) -> Vec<Vec<f64>> {
        if self.lanes.count() == 1 {
            return Vec::new();
        }
        let markets = scenario.markets.len();
        let stays = |request: usize| -> f64 {
            let classes = scenario.devices.iter().enumerate();
            classes
                .filter(|(k, _)| self.lanes.of(request, self.lanes.group(*k)) == STAYS)
                .map(|(_, class)| class.share)
                .sum()
        };
        let share = |part: f64, all: f64| match all > 0.0 {
            true => (part / all).clamp(0.0, 1.0),
            false => 0.0,
        };
        self.first
            .iter()
            .map(|first| {
                let requests = first.requests.iter().enumerate();
                let rest = requests.map(|(cell, rate)| rate * stays(cell / markets));
                let rest = self.flow_of(scenario, rest.collect(), 0.0);
                let services = rest.busy.iter().zip(&first.busy);
                services.map(|(&part, &all)| share(part, all)).collect()
            })
            .collect()
    }
}
