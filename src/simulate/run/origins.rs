//! What the log says of origins: those that proxies eject, because they fail everything or, although they
//! live, too often in a row, and those for which they refuse requests.

use super::Run;
use crate::model::outcome::Entry;
use crate::model::scenario::RegionId;
use crate::units::Time;

/// What the log has told: pairs of an edge and an origin.
#[derive(Default)]
pub(super) struct Told {
    /// Fail everything, and are ejected.
    lost: Vec<(RegionId, RegionId)>,
    /// Live, and are ejected.
    ejected: Vec<(RegionId, RegionId)>,
    refused: Vec<(RegionId, RegionId)>,
}

/// Share of an edge's proxies that must have ejected an origin before it is told.
const MANY: f64 = 0.5;
/// Share of the requests for an origin that must be refused before it is told.
const NOTED: f64 = 0.01;

impl Run<'_> {
    /// Notes origins that most proxies of an edge have ejected, and limits that refuse.
    pub(super) fn note_origins(&mut self, now: Time) {
        let serving = self.traffic.serving();
        let told = &self.told_origins;
        let quiet = !serving.ejecting() && !serving.refuses();
        if quiet && told.ejected.is_empty() && told.refused.is_empty() {
            return;
        }
        let scenario = &self.sim.scenario;
        let regions = scenario.regions.len();
        for (e, s) in (0..regions).flat_map(|e| (0..regions).map(move |s| (e, s))) {
            let (edge, origin) = (&scenario.regions[e].name, &scenario.regions[s].name);
            let out = self.world.ejections[e][s].out() as f64;
            let share = out / self.sim.plan.proxies[e].max(1) as f64;
            let mut note = |what: String, cause: String| {
                self.outcome.log.push(Entry {
                    at: now,
                    part: edge.clone(),
                    what,
                    cause,
                });
            };
            match turn(&mut self.told_origins.ejected, (e, s), share, MANY) {
                Some(true) => note(
                    format!(
                        "{:.0} % of its proxies have ejected {origin}",
                        100.0 * share
                    ),
                    format!(
                        "it fails {} requests in a row",
                        scenario.policy.knobs.eject_after
                    ),
                ),
                Some(false) => note(format!("its proxies send to {origin} again"), String::new()),
                None => {}
            }
            let refused = self.traffic.serving().refused(e, s);
            match turn(&mut self.told_origins.refused, (e, s), refused, NOTED) {
                Some(true) => note(
                    format!("its proxies refuse requests for {origin}"),
                    "too many are in flight".into(),
                ),
                Some(false) => note(
                    format!("its proxies refuse no more requests for {origin}"),
                    String::new(),
                ),
                None => {}
            }
        }
    }

    /// Notes origins that fail everything and that the proxies of an edge have ejected, or use again.
    pub(super) fn note_lost_origins(&mut self) {
        let regions = self.world.regions.len();
        let failures = self.sim.scenario.policy.knobs.eject_after;
        for edge in 0..regions {
            for origin in 0..regions {
                let failing = !self.world.reaches(edge, origin);
                let told = &mut self.told_origins.lost;
                let known = told.iter().position(|&pair| pair == (edge, origin));
                match (known, failing) {
                    (None, true) if self.traffic.serving().avoids(edge, origin) => {
                        told.push((edge, origin));
                    }
                    (Some(place), false) => {
                        told.remove(place);
                    }
                    _ => continue,
                }
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
            || !self.told_origins.lost.is_empty()
    }
}

/// Whether a share has passed what is noted, or has fallen to nothing since it was told.
fn turn(
    told: &mut Vec<(RegionId, RegionId)>,
    pair: (RegionId, RegionId),
    share: f64,
    noted: f64,
) -> Option<bool> {
    match told.iter().position(|&p| p == pair) {
        None if share >= noted => {
            told.push(pair);
            Some(true)
        }
        Some(i) if share <= 0.0 => {
            told.remove(i);
            Some(false)
        }
        _ => None,
    }
}
