//! Where counted traffic may be off.

use super::Run;
use crate::model::outcome::OutsideValidity;
use crate::units::Span;

impl Run<'_> {
    /// Notes pools whose load leaves the range in which counted traffic is exact.
    pub(super) fn note_validity(&mut self, lasted: Span) {
        let scenario = &self.sim.scenario;
        let mut found = None;
        for (r, region) in self.world.regions.iter().enumerate() {
            if region.dark.is_some() || found.is_some() {
                continue;
            }
            found = region
                .flow
                .pools
                .iter()
                .position(|p| p.doubtful)
                .map(|v| (r, v));
        }
        let Some((r, v)) = found else {
            return;
        };
        let region = &self.world.regions[r];
        let slots = region.capacity[v].instances * self.sim.plan.graph.nodes[v].slots
            / region.capacity[v].zones.max(1.0);
        let outside = self
            .outcome
            .outside_validity
            .get_or_insert_with(|| OutsideValidity {
                pool: format!(
                    "{} in {}",
                    scenario.services[v].name, scenario.regions[r].name
                ),
                at: self.now,
                lasting: Span::ZERO,
                reason: if slots < 20.0 {
                    format!("{slots:.0} slots in a zone are few")
                } else {
                    "its load is close to its capacity".into()
                },
            });
        outside.lasting = outside.lasting + lasted;
    }
}
