//! What is measured of the world for the control plane. It arrives later: nothing that a policy is told
//! is read anywhere else.

use super::Run;
use super::needs;
use crate::model::policy::Detect;
use crate::model::scenario::{MarketId, RegionId};
use crate::simulate::Simulator;
use crate::simulate::reports::Report;
use crate::traffic::Traffic;
use crate::units::Time;
use crate::world::state::World;

/// Lookups of a market that a region gets although it does not serve it: where, whose, and how many per
/// second.
pub type Mirrored = (RegionId, MarketId, f64);

impl Run<'_> {
    /// What is measured now is on its way.
    pub(super) fn send_report(&mut self) {
        let traffic = Some(&self.traffic);
        let report = report(self.sim, &self.world, traffic, &self.mirrored, self.flowed);
        self.reports.send(report);
    }
}

/// What is measured now; all traffic before is counted.
pub(super) fn report(
    sim: &Simulator,
    world: &World,
    traffic: Option<&Traffic>,
    mirrored: &[Mirrored],
    now: Time,
) -> Report {
    let (scenario, plan) = (&sim.scenario, &sim.plan);
    let knobs = &scenario.policy.knobs;
    let regions = 0..scenario.regions.len();
    let carried = |r: usize, of: &dyn Fn(usize) -> f64| {
        let most = plan.carries(plan.mix(r), of);
        if most.is_finite() { most } else { 0.0 }
    };
    // What only some policies look at costs the others nothing.
    let returns = knobs.failback.automatic;
    let by_sli = matches!(knobs.detect, Detect::Sli { .. });
    let scales = needs::scales(scenario);
    Report {
        at: now,
        missing: regions
            .clone()
            .filter(|&r| world.condition.hears_nothing_of(r))
            .collect(),
        markets: traffic.map_or(Vec::new(), |t| t.market_load().to_vec()),
        stays: traffic.map_or(Vec::new(), Traffic::staying),
        regions: world
            .regions
            .iter()
            .map(|r| r.entering.iter().sum())
            .collect(),
        capacity: regions
            .clone()
            .map(|r| carried(r, &|v| world.regions[r].instances[v].in_service() as f64))
            .collect(),
        dark: regions
            .clone()
            .map(|r| carried(r, &|v| world.regions[r].instances[v].dark() as f64))
            .collect(),
        routes: regions
            .clone()
            .map(|e| {
                if world.edge_lives(scenario, e) {
                    world.routes[e].current(now, &scenario.edge.poll)
                } else {
                    // No proxy is left that could lack them.
                    1.0
                }
            })
            .collect(),
        warmed: regions
            .clone()
            .map(|r| warmed(sim, world, mirrored, r))
            .collect(),
        booted: regions
            .clone()
            .map(|r| if returns { booted(sim, world, r) } else { 1.0 })
            .collect(),
        replicated: regions
            .clone()
            .map(|r| !returns || world.stores.caught_up(scenario, r, now))
            .collect(),
        looks_bad: regions
            .clone()
            .map(|r| by_sli && looks_bad(sim, world, r))
            .collect(),
        in_service: if scales {
            let here = world.regions.iter();
            here.map(|r| r.instances.iter().map(|i| i.in_service()).collect())
                .collect()
        } else {
            Vec::new()
        },
    }
}

/// Share of the steady hit ratio that a region's warming caches have, least warm market first.
fn warmed(sim: &Simulator, world: &World, mirrored: &[Mirrored], region: RegionId) -> f64 {
    let plan = &sim.plan;
    let share = |market: usize| {
        let of: Vec<bool> = (0..plan.graph.markets).map(|m| m == market).collect();
        let here = &world.regions[region];
        match (here.hits(plan, &of), here.steady_hits(plan, &of)) {
            (Some((all, hits)), Some(steady)) if steady > 0.0 => (hits / all / steady).min(1.0),
            _ => 1.0,
        }
    };
    mirrored
        .iter()
        .filter(|m| m.0 == region)
        .map(|m| share(m.1))
        .fold(1.0, f64::min)
}

/// Share of the planned instances of a region that are in service, of the service that has least.
fn booted(sim: &Simulator, world: &World, region: RegionId) -> f64 {
    let here = &world.regions[region];
    let planned = sim.plan.sized[region].iter().zip(&here.instances);
    planned
        .filter(|(sized, _)| sized.serving > 0)
        .map(|(sized, now)| now.in_service() as f64 / sized.serving as f64)
        .fold(1.0, f64::min)
}

/// Whether health checks within a region see anything wrong.
fn looks_bad(sim: &Simulator, world: &World, region: RegionId) -> bool {
    let services = 0..sim.scenario.services.len();
    services
        .map(|v| world.condition.seen_degraded(region, v))
        .any(|d| d.errors > 0.0 || d.slowness > 1.0)
}
