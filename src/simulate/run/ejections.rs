//! What the log says of instances that health checks take out of a pool.

use super::Run;
use crate::model::scenario::RegionId;

impl Run<'_> {
    /// Tells of pools of a region whose health checks have found all the dead, or found so many that
    /// none is ejected.
    pub(super) fn tell_pools(&mut self, region: RegionId) {
        let scenario = &self.sim.scenario;
        let mut notes = Vec::new();
        for (v, service) in scenario.services.iter().enumerate() {
            let instances = &self.world.regions[region].instances[v];
            let (dead, seen, open) = (
                instances.dead(),
                instances.found_dead(),
                instances.fails_open(),
            );
            let told = &mut self.told_pools[region][v];
            let name = &service.name;
            if open != told.1 {
                notes.push(match open {
                    true => (
                        format!("{name} fails open: none is ejected, {seen} look dead"),
                        "more than may be ejected",
                    ),
                    false => (format!("{name} no longer fails open"), ""),
                });
                told.1 = open;
            }
            // Told when the last of those that died is found out.
            if seen == dead {
                if seen > told.0 && !open {
                    let what = format!("all {seen} dead instances of {name} are ejected");
                    notes.push((what, "their health checks failed"));
                }
                told.0 = seen;
            }
        }
        for (what, cause) in notes {
            self.log(region, what, cause);
        }
    }
}
