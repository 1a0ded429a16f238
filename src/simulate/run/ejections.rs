//! What the log says of ejections: instances that health checks take out of a pool, and origins that
//! proxies avoid.

use super::Run;
use crate::model::scenario::RegionId;

/// What was told last.
pub struct Told {
    /// Per region and service: dead instances that were found out, and whether the pool fails open.
    pools: Vec<Vec<(u64, bool)>>,
    /// Per edge and origin: whether the proxies have ejected it.
    origins: Vec<Vec<bool>>,
}

impl Told {
    /// Nothing is ejected.
    pub fn new(regions: usize, services: usize) -> Told {
        Told {
            pools: vec![vec![(0, false); services]; regions],
            origins: vec![vec![false; regions]; regions],
        }
    }
}

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
            let told = &mut self.told.pools[region][v];
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

    /// Tells of edges whose proxies have ejected an origin, or send to it again.
    pub(super) fn tell_origins(&mut self) {
        let regions = self.world.regions.len();
        let failures = self.sim.scenario.policy.knobs.eject_after;
        for edge in 0..regions {
            for origin in 0..regions {
                let failing = !self.world.reaches(edge, origin);
                let told = &mut self.told.origins[edge][origin];
                if *told == failing || (failing && !self.cohort.serving.avoids(edge, origin)) {
                    continue;
                }
                *told = failing;
                let name = &self.sim.scenario.regions[origin].name;
                let (what, cause) = match failing {
                    true => (
                        format!("its proxies eject {name}"),
                        format!("{failures} failures in a row"),
                    ),
                    false => (format!("its proxies use {name} again"), String::new()),
                };
                self.log(edge, what, &cause);
            }
        }
    }

    /// Whether any edge has an origin that fails everything, or had one that was ejected.
    pub(super) fn any_origin_failing(&self) -> bool {
        self.world.regions.iter().any(|r| r.dark.is_some())
            || self.world.condition.any_cut()
            || self.told.origins.iter().flatten().any(|told| *told)
    }
}
