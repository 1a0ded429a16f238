//! Planning for services that only some regions have: who has one is sized for all who call it.

use super::busiest::Days;
use super::{Load, Plan};
use crate::model::scenario::Scenario;
use crate::world::exchange;
use crate::world::graph::{Flow, Outside};

impl Plan {
    /// Adds to the loads of regions what others call in them.
    pub(super) fn share(&mut self, scenario: &Scenario, days: &Days) {
        self.first = self.together(scenario, 0.0);
        let regions = 0..scenario.regions.len();
        let busiest = regions.map(|r| {
            let home = |m: usize| scenario.markets[m].near.first() == Some(&r);
            days.busiest_secs(&home)
        });
        let loads: Vec<Vec<Load>> = busiest.map(|secs| self.together(scenario, secs)).collect();
        for region in 0..scenario.regions.len() {
            let mut peak = loads[region][region].clone();
            // Callers may be busiest at another hour than the region itself.
            for other in &loads {
                for (most, busy) in peak.busy.iter_mut().zip(&other[region].busy) {
                    *most = most.max(*busy);
                }
            }
            self.peak[region] = peak;
        }
    }

    /// The loads of all regions at a moment, each calling others for what it lacks.
    pub(super) fn together(&self, scenario: &Scenario, secs: f64) -> Vec<Load> {
        let regions = scenario.regions.len();
        let alone: Vec<Load> = (0..regions).map(|r| self.load(scenario, r, secs)).collect();
        let mut flows: Vec<Flow> = (0..regions)
            .map(|r| {
                let mut flow = Flow::new(&self.graph);
                flow.outside = Outside::new(&self.graph, r);
                flow
            })
            .collect();
        let host = |p, r| exchange::host(&scenario.rtt_secs, p, r, &|_| true);
        let hosts: Vec<Vec<_>> = self
            .graph
            .partial
            .iter()
            .map(|p| (0..regions).map(|r| host(p, r)).collect())
            .collect();
        let between = exchange::Between {
            rtt_secs: &scenario.rtt_secs,
            lost: &|_, _| 0.0,
        };
        let living = vec![false; regions];
        // A call passes through as many regions as there are partial services, at most.
        for _ in 0..=self.graph.partial.len() {
            for (flow, load) in flows.iter_mut().zip(&alone) {
                self.settle(flow, &load.requests);
            }
            let mut all: Vec<&mut Flow> = flows.iter_mut().collect();
            exchange::exchange(&self.graph, &between, &hosts, &living, &mut all);
        }
        alone
            .into_iter()
            .zip(&flows)
            .map(|(load, flow)| self.kept_busy(scenario, flow, load.requests, load.connections))
            .collect()
    }
}
