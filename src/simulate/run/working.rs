//! Workers work at leisure, after the requests of a step.

use super::Run;
use crate::model::observation::Observation;
use crate::units::Time;

impl Run<'_> {
    /// Advances the backlogs over the step that has just been advanced.
    pub(super) fn work(&mut self, from: Time, to: Time) {
        if self.world.workers.is_empty() {
            return;
        }
        let (scenario, plan) = (&self.sim.scenario, &self.sim.plan);
        let mut workers = std::mem::take(&mut self.world.workers);
        let regions = &self.world.regions;
        let pace = |v: usize, r: usize| regions[r].pace(plan, v, from);
        let asked = self.traffic.asked();
        let notes = workers.step(scenario, &plan.graph, (from, to), asked, &pace);
        self.world.workers = workers;
        for note in notes {
            let part = &scenario.regions[note.region].name;
            let mut entry = self.entry(part, note.what, &note.cause);
            entry.at = to;
            self.outcome.log.push(entry);
        }
    }

    /// Adds what the workers did in a window.
    pub(super) fn observe_work(&mut self, regions: &mut [Observation]) {
        if self.world.workers.is_empty() {
            return;
        }
        for (r, observation) in regions.iter_mut().enumerate() {
            let (work, busy_secs) = self.world.workers.end_window(r);
            observation.work = work;
            observation.busy_slot_secs += busy_secs;
        }
    }
}
