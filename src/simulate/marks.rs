//! Moments that are measured from the fault, found while the run goes on.

use crate::model::episode::{Episode, Impairment};
use crate::model::outcome::Marks;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::traffic::Traffic;
use crate::units::{Span, Time};
use crate::world::fleet::Fleet;
use crate::world::plan::Plan;
use crate::world::region::Region;
use crate::world::state::World;

/// A region counts as shifted when so much of its first attempts is routed elsewhere.
const SHIFTED: f64 = 0.99;
/// A cache counts as warm at this share of its steady hit ratio.
const WARM: f64 = 0.95;
/// The steady hit ratio is computed anew so often.
const RENEW: Span = Span(10_000_000_000);

/// What is known of the marks before the run.
///
/// The fault begins when the scenario says so, also where its first strike is drawn.
pub fn first_marks(scenario: &Scenario, episodes: &[Episode]) -> Marks {
    let begins = |e: &Episode| scenario.faults[e.fault].at.min(e.from);
    Marks {
        fault: episodes.iter().map(begins).min(),
        strikes: strikes(scenario, episodes),
        reason: {
            let leave = |e: &&Episode| e.impairment.evacuable().is_some();
            episodes.iter().filter(leave).map(begins).min()
        },
        fault_end: episodes.iter().map(|e| e.until).max(),
        hit: hit(scenario, episodes),
        takes_region: episodes
            .iter()
            .any(|e| matches!(e.impairment, Impairment::RegionDark { .. })),
        ..Marks::default()
    }
}

/// When something strikes, in order. A fault that reaches its regions one after the other strikes
/// once; one whose failures are drawn with each of them.
fn strikes(scenario: &Scenario, episodes: &[Episode]) -> Vec<Time> {
    let strike = |e: &Episode| {
        let fault = &scenario.faults[e.fault];
        match fault.every.is_zero() && fault.mtbf.is_zero() {
            true => fault.at,
            false => e.from,
        }
    };
    let mut strikes: Vec<Time> = episodes.iter().map(strike).collect();
    strikes.sort_unstable();
    strikes.dedup();
    strikes
}

/// Regions that a fault hits directly.
fn hit(scenario: &Scenario, episodes: &[Episode]) -> Vec<RegionId> {
    let nearest = |m: MarketId| scenario.markets[m].near[0];
    let hits = |r: RegionId| episodes.iter().any(|e| e.impairment.hits(r, nearest));
    (0..scenario.regions.len()).filter(|&r| hits(r)).collect()
}

/// Watches one run for its marks.
pub struct Watch {
    /// Regions that a fault hits.
    hit: Vec<RegionId>,
    /// Markets whose home is hit.
    moved: Vec<bool>,
    steady: Option<(Time, Vec<Option<f64>>)>,
    /// Instances in service before the first loss, by region that lost some.
    before: Vec<(RegionId, Vec<u64>)>,
}

impl Watch {
    /// Watches for the regions that these episodes hit.
    pub fn new(scenario: &Scenario, episodes: &[Episode]) -> Watch {
        let hit = hit(scenario, episodes);
        Watch {
            moved: scenario
                .markets
                .iter()
                .map(|m| hit.contains(&m.near[0]))
                .collect(),
            hit,
            steady: None,
            before: Vec::new(),
        }
    }

    /// Whether a fault hits the region.
    pub fn hits(&self, region: RegionId) -> bool {
        self.hit.contains(&region)
    }

    /// A region is about to lose instances.
    pub fn loses(&mut self, region: RegionId, here: &Region) {
        if self.before.iter().all(|(r, _)| *r != region) {
            let counts = here.instances.iter().map(|i| i.in_service());
            self.before.push((region, counts.collect()));
        }
    }

    /// Whether every living region that lost instances has as many in service as before.
    fn redundant(&self, world: &World) -> bool {
        self.before.iter().all(|(r, before)| {
            let here = &world.regions[*r];
            let back = |(i, n): (&Fleet, &u64)| i.in_service() >= *n;
            here.dark.is_some() || here.instances.iter().zip(before).all(back)
        })
    }

    /// Looks at the step that has just ended.
    pub fn step(
        &mut self,
        plan: &Plan,
        world: &World,
        traffic: &Traffic,
        now: Time,
        marks: &mut Marks,
    ) {
        let begun = match (marks.first_action, marks.fault) {
            (Some(action), Some(fault)) => action.min(fault) <= now,
            (Some(begins), None) | (None, Some(begins)) => begins <= now,
            (None, None) => false,
        };
        if !begun || marks.fault.is_none() {
            return;
        }
        if !self.before.is_empty() {
            marks.lost_instances = true;
            if marks.redundant.is_none() && self.redundant(world) {
                marks.redundant = Some(now);
            }
        }
        // What is shifted is what a policy moves away, or what a dead region cannot keep.
        if marks.shifted.is_none() && (marks.takes_region || marks.decide.is_some()) {
            let (away, all) = self
                .hit
                .iter()
                .map(|&r| traffic.shifted()[r])
                .fold((0.0, 0.0), |sum, s| (sum.0 + s.0, sum.1 + s.1));
            if all > 0.0 && away >= SHIFTED * all {
                marks.shifted = Some(now);
            }
        }
        if marks.shifted.is_some() && marks.warm.is_none() && self.warm(plan, world, now) {
            marks.warm = Some(now);
        }
    }

    /// Whether the moved markets hit nearly as often as they will where they are served now.
    fn warm(&mut self, plan: &Plan, world: &World, now: Time) -> bool {
        let stale = self
            .steady
            .as_ref()
            .is_none_or(|(at, _)| now.since(*at) >= RENEW);
        let living = |r: usize| world.regions[r].dark.is_none() && !self.hit.contains(&r);
        if stale {
            let steady = (0..world.regions.len())
                .map(|r| {
                    living(r)
                        .then(|| world.regions[r].steady_hits(plan, &self.moved))
                        .flatten()
                })
                .collect();
            self.steady = Some((now, steady));
        }
        let Some((_, steady)) = &self.steady else {
            return false;
        };
        let (mut weight, mut hits, mut wanted) = (0.0, 0.0, 0.0);
        for (r, steady) in steady.iter().enumerate().filter(|s| living(s.0)) {
            let (Some(steady), Some((all, here))) =
                (steady, world.regions[r].hits(plan, &self.moved))
            else {
                continue;
            };
            weight += all;
            hits += here;
            wanted += all * steady;
        }
        // Without caches there is nothing to warm.
        weight <= 0.0 || hits >= WARM * wanted
    }
}
