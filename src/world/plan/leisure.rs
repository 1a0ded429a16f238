//! Planning for workers: what their work keeps busy on average.

use super::{Load, Plan};
use crate::model::scenario::{Scenario, ServiceId};
use crate::model::work::WorkSource;
use crate::world::workers;

impl Plan {
    /// Adds the mean work of workers to the loads of the regions that do it: at the busiest planned
    /// hour of each region that brings it.
    pub(super) fn add_leisure(&mut self, scenario: &Scenario) {
        for w in 0..self.graph.workers.len() {
            let v = self.graph.workers[w];
            let hosts = workers::hosts(scenario, &self.graph, v);
            for (region, host) in hosts.into_iter().enumerate() {
                let at_home = host == region;
                let most = self.leisure(scenario, v, &self.peak[region], at_home);
                let first = self.leisure(scenario, v, &self.first[region], at_home);
                self.peak[host].busy[v] += most;
                self.first[host].busy[v] += first;
            }
        }
    }

    /// Slots that the work brought by a load keeps busy.
    fn leisure(&self, scenario: &Scenario, v: ServiceId, load: &Load, at_home: bool) -> f64 {
        let markets = self.graph.markets;
        let asked = |q: usize| {
            load.requests[q * markets..(q + 1) * markets]
                .iter()
                .sum::<f64>()
        };
        let per_sec = match scenario.services[v].worker.as_ref().map(|w| &w.source) {
            Some(WorkSource::Requests { from, each }) => {
                each * from.iter().map(|&q| asked(q)).sum::<f64>()
            }
            Some(WorkSource::Rate { per_sec }) if at_home => *per_sec,
            _ => 0.0,
        };
        per_sec * self.graph.nodes[v].mean_secs
    }

    /// All the work of all regions, to be done in one.
    pub(super) fn gather_leisure(&self, all: &mut Load) {
        for &v in &self.graph.workers {
            all.busy[v] = self.peak.iter().map(|load| load.busy[v]).sum();
        }
    }
}
