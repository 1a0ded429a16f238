//! A region that goes dark, and one that has power again.

use super::Run;
use crate::model::scenario::RegionId;
use crate::world::condition::Condition;
use crate::world::ejection::Ejection;

impl Run<'_> {
    /// A region may go dark, hang or refuse, or come back.
    pub(super) fn change_darkness(&mut self, region: RegionId, next: Condition) {
        let (was, is) = (self.world.regions[region].dark, next.dark(region));
        match (was, is) {
            (Some(_), Some(hang)) => {
                if let Some(dark) = &mut self.world.regions[region].dark {
                    dark.hang = hang;
                }
                self.world.set_condition(next);
            }
            (None, Some(hang)) => {
                if self.feels_darkness(region) {
                    self.touch();
                }
                self.world.set_condition(next);
                self.go_dark(region, hang);
            }
            (Some(_), None) => {
                if self.feels_darkness(region) {
                    self.touch();
                }
                self.world.set_condition(next);
                self.come_back(region);
            }
            (None, None) => self.world.set_condition(next),
        }
    }

    /// Whether anything changes at once when a region goes dark or comes back.
    fn feels_darkness(&self, region: RegionId) -> bool {
        let (stores, workers) = (&self.world.stores, &self.world.workers);
        self.traffic.reaches(region) || !stores.is_empty() || !workers.is_empty()
    }

    fn go_dark(&mut self, region: RegionId, hang: bool) {
        self.world.regions[region].goes_dark(self.now, hang);
        for ejections in &mut self.world.ejections {
            ejections[region] = Ejection::failing(self.now);
        }
        let how = if hang {
            "connections hang"
        } else {
            "connections are refused"
        };
        self.log(region, "goes dark".into(), how);
    }

    fn come_back(&mut self, region: RegionId) {
        self.world.regions[region].comes_back(&self.sim.scenario, &self.sim.plan, self.now);
        for (e, ejections) in self.world.ejections.iter_mut().enumerate() {
            if !self.world.reach.cut(e, region) {
                ejections[region] = Ejection::default();
            }
        }
        self.log(
            region,
            "has power again: instances boot, caches are empty".into(),
            "the fault ends",
        );
    }
}
