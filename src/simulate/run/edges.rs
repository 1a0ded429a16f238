//! What impairments do to edges, links and caches.

use super::Run;
use crate::model::episode::Impairment;
use crate::model::scenario::Backup;
use crate::model::scenario::{RegionId, ServiceId};
use crate::simulate::events::Event;

impl Run<'_> {
    /// The condition has changed by an impairment that is no darkness.
    pub(super) fn condition_changed(&mut self, changed: &Impairment) {
        if let Impairment::EdgeFailed { region, .. } = *changed {
            self.edge_changed(region);
        }
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

    /// Another share of an edge's proxies answers.
    pub(super) fn edge_changed(&mut self, edge: RegionId) {
        let now = self.now;
        let before = self.world.doors.silent_since(edge);
        if before.is_some() && self.proxies_answer(edge) && self.world.doors.backup(edge) {
            self.world.doors.set_backup(edge, false);
            self.log(edge, "the backup route ends".into(), "its proxies answer");
        }
        let (world, scenario) = (&mut self.world, &self.sim.scenario);
        if let Some(at) = world.doors.follow(scenario, &world.condition, edge, now) {
            self.queue.push(at, Event::Proxies(edge));
        }
        let (world, settings) = (&self.world, &scenario.edge);
        if before.is_none()
            && world.doors.silent_since(edge).is_some()
            && settings.backup != Backup::None
        {
            let at = now + settings.backup_after;
            self.queue.push(at, Event::Backup(edge));
        }
    }

    /// Whether any proxy of an edge answers in the world's condition.
    fn proxies_answer(&self, edge: RegionId) -> bool {
        let (scenario, condition) = (&self.sim.scenario, &self.world.condition);
        let mut zones = 0..scenario.regions[edge].zones;
        let stands = scenario.edge.global || zones.any(|z| condition.zone_down(edge, z).is_none());
        stands && condition.edge_failed(edge) < 1.0
    }

    /// The backup route of an edge is taken, if the edge has been silent for long enough.
    pub(super) fn take_backup(&mut self, edge: RegionId) {
        let scenario = &self.sim.scenario;
        let since = self.world.doors.silent_since(edge);
        let due = since.is_some_and(|since| since + scenario.edge.backup_after <= self.now);
        if !due || self.world.doors.backup(edge) {
            return;
        }
        self.touch();
        self.world.doors.set_backup(edge, true);
        let what = match scenario.edge.backup {
            Backup::Direct => "the backup route is taken: straight to its services",
            _ => "the backup route is taken: the edge of the next region",
        };
        let cause = format!("no proxy has answered for {}", scenario.edge.backup_after);
        self.log(edge, what.into(), &cause);
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
