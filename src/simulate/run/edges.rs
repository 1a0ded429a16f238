//! What impairments do to edges, links and caches.

use super::Run;
use crate::model::episode::Impairment;
use crate::model::scenario::{RegionId, ServiceId};

impl Run<'_> {
    /// The condition has changed by an impairment that is no darkness.
    pub(super) fn condition_changed(&mut self, changed: &Impairment) {
        if let Impairment::Partition { a, b } = *changed {
            self.world.follow_cuts(self.now);
            let names = &self.sim.scenario.regions;
            let (one, other) = (&names[a].name, &names[b].name);
            let what = if self.world.reach.cut(a, b) {
                format!("nothing passes between {one} and {other}")
            } else {
                format!("traffic passes between {one} and {other} again")
            };
            let entry = self.entry("network", what, "a partition");
            self.outcome.log.push(entry);
        }
    }

    /// Caches in front of what a service calls lose what they hold.
    pub(super) fn flush_caches(&mut self, region: Option<RegionId>, service: Option<ServiceId>) {
        let plan = &self.sim.plan;
        for r in 0..self.world.regions.len() {
            if region.is_some_and(|only| only != r) || self.world.regions[r].dark.is_some() {
                continue;
            }
            let flushed = self.world.regions[r].flush_caches(plan, service);
            if flushed > 0 {
                let what = format!("{flushed} of its caches are empty");
                self.log(r, what, "they were flushed");
            }
        }
    }
}
