//! What links between regions carried in a step.

use super::Run;
use crate::units::Time;
use crate::world::exchange;

impl Run<'_> {
    /// Counts the bytes of calls between regions, and says which links are full.
    pub(super) fn carry(&mut self, from: Time, to: Time) {
        let (scenario, plan) = (&self.sim.scenario, &self.sim.plan);
        let bytes = exchange::passing_bytes(scenario, plan, &self.world);
        self.outcome.usage.moved_bytes += bytes * to.since(from).secs();
        if self.world.links.is_empty() {
            return;
        }
        for note in self.world.links.look() {
            let (a, b) = note.between;
            let (a, b) = (&scenario.regions[a].name, &scenario.regions[b].name);
            let (what, cause) = match (note.full, note.lost) {
                (false, _) => (
                    format!("the link between {a} and {b} can carry all again"),
                    format!("{:.0} % of it is asked for", note.load * 100.0),
                ),
                (true, lost) => (
                    format!("the link between {a} and {b} is full"),
                    match lost > 0.0 {
                        true => format!(
                            "requests and calls ask for more than it carries: {:.1} % of them fail",
                            lost * 100.0
                        ),
                        false => "replication gets what requests and calls leave".into(),
                    },
                ),
            };
            let mut entry = self.entry("links", what, &cause);
            entry.at = to;
            self.outcome.log.push(entry);
        }
    }
}
