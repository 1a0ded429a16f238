//! The stores of a replication: they follow the condition and are told what was asked.

use super::Run;
use crate::model::observation::Observation;
use crate::units::Time;
use crate::world::stores::Note;

impl Run<'_> {
    /// The set of impairments has changed: the stores follow.
    pub(super) fn follow_data(&mut self) {
        let notes = self.world.follow_stores(&self.sim.scenario, self.now);
        self.log_data(notes);
    }

    /// What is due in the stores happens.
    pub(super) fn advance_data(&mut self) {
        self.touch();
        let notes = self.world.advance_stores(&self.sim.scenario, self.now);
        self.log_data(notes);
    }

    /// Counts the step that has just been advanced.
    pub(super) fn count_data(&mut self, from: Time, to: Time) {
        if self.world.stores.is_empty() {
            return;
        }
        let world = &mut self.world;
        let scenario = &self.sim.scenario;
        let asked = self.traffic.asked();
        let notes = world.stores.step(
            scenario,
            &world.condition,
            &mut world.links,
            (from, to),
            asked,
        );
        self.log_data(notes);
    }

    /// Adds what the stores saw in a window.
    pub(super) fn observe_data(&mut self, regions: &mut [Observation]) {
        if self.world.stores.is_empty() {
            return;
        }
        for (r, observation) in regions.iter_mut().enumerate() {
            observation.domains = self.world.stores.end_window(r);
        }
    }

    fn log_data(&mut self, notes: Vec<Note>) {
        for note in notes {
            let part = &self.sim.scenario.domains[note.domain].name;
            let entry = self.entry(part, note.what, &note.cause);
            self.outcome.log.push(entry);
        }
    }
}
