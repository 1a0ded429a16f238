//! What happens to the instances of a replication: they die, are replaced, and follow the load.

use super::Run;
use crate::model::policy::Phase;
use crate::model::scenario::{RegionId, ServiceId};
use crate::world::condition::Condition;
use crate::world::region::Note;

impl Run<'_> {
    /// A zone loses power or has it again.
    pub(super) fn change_zone(&mut self, region: RegionId, zone: usize, next: Condition) {
        self.touch();
        self.world.set_condition(next);
        let down = self.world.condition.zone_down(region, zone).is_some();
        self.note_before_loss(region, down);
        let scenario = &self.sim.scenario;
        let condition = &self.world.condition;
        let here = &mut self.world.regions[region];
        let count = here.zone_changed(scenario, self.now, (region, zone), condition);
        let what = match down {
            true => format!("zone {} goes down with {count} instances", zone + 1),
            false => format!("zone {} has power again: {count} instances boot", zone + 1),
        };
        self.log(region, what, "");
        self.tell_pools(region);
        if !self.sim.scenario.edge.global {
            self.edge_changed(region);
        }
    }

    /// Instances of a service die.
    pub(super) fn kill(&mut self, region: RegionId, service: ServiceId, count: u64) {
        if self.world.regions[region].dark.is_some() {
            return;
        }
        self.note_before_loss(region, true);
        let lost = self.world.regions[region].kill(self.now, service, count);
        let name = &self.sim.scenario.services[service].name;
        self.log(region, format!("{lost} instances of {name} die"), "");
        self.tell_pools(region);
        self.follow_probes(region);
    }

    fn note_before_loss(&mut self, region: RegionId, lost: bool) {
        if lost {
            let world = &self.world;
            self.watch.loses(region, &world.regions[region]);
        }
    }

    /// Autoscalers whose time has come look at their pools.
    pub(super) fn look_at_pools(&mut self) {
        for r in 0..self.world.regions.len() {
            if self.world.regions[r].next_look() <= self.now {
                let short = self.short_of(r);
                let scenario = &self.sim.scenario;
                let notes = self.world.regions[r].look(scenario, self.now, short);
                self.log_all(r, notes);
                self.tell_pools(r);
            }
        }
    }

    /// An order to bring a service to a size.
    pub(super) fn scale(&mut self, region: RegionId, service: ServiceId, wanted: u64) {
        let short = self.short_of(region);
        let (scenario, now) = (&self.sim.scenario, self.now);
        let here = &mut self.world.regions[region];
        let notes = here.scale_to(scenario, service, wanted, now, short);
        self.log_all(region, notes);
    }

    /// Whether everybody launches at once: another region is dark, or is being left.
    fn short_of(&self, region: RegionId) -> bool {
        let left = |r: RegionId| {
            let memory = self.memory.regions.get(r);
            memory.is_some_and(|memory| memory.phase != Phase::Normal)
        };
        let mut others = (0..self.world.regions.len()).filter(|r| *r != region);
        others.any(|r| self.world.regions[r].dark.is_some() || left(r))
    }

    fn log_all(&mut self, region: RegionId, notes: Vec<Note>) {
        for (what, why) in notes {
            self.log(region, what, why);
        }
    }
}
