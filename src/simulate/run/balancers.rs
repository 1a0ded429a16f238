//! What the load balancers did in a step, for the log.

use super::Run;
use crate::model::outcome::Entry;
use crate::units::Time;
use crate::world::balancer::Turn;

impl Run<'_> {
    /// Notes who begins or ceases to refuse, and what has scaled.
    pub(super) fn note_admissions(&mut self, now: Time) {
        let scenario = &self.sim.scenario;
        let Some(limits) = &scenario.balancer else {
            return;
        };
        for (region, admission) in scenario.regions.iter().zip(self.traffic.admissions()) {
            let mut note = |what: String, cause: String| {
                self.outcome.log.push(Entry {
                    at: now,
                    part: region.name.clone(),
                    what,
                    cause,
                });
            };
            let against = format!(
                "{:.0}/s want in, {:.0}/s can",
                admission.offered, admission.limit
            );
            match admission.turn {
                Some(Turn::Begins) => {
                    note("its load balancers refuse new connections".into(), against);
                }
                Some(Turn::Ends) => note("its load balancers refuse no more".into(), against),
                None => {}
            }
            if let Some(limit) = admission.scaled {
                note(
                    format!("its load balancers have scaled to {limit:.0}/s"),
                    format!(
                        "more than {:.0} % in use for {}",
                        100.0 * limits.scale_above,
                        limits.scale_after
                    ),
                );
            }
        }
    }
}
