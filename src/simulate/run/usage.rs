//! What has to be paid for.

use crate::model::money::{PoolUsage, Usage};
use crate::simulate::Simulator;
use crate::units::Time;
use crate::world::region::Region;

/// Adds what runs beyond the plan for so long. What is launched is paid for before it serves.
pub fn beyond_plan(usage: &mut Usage, sim: &Simulator, regions: &[Region], secs: f64) {
    for (region, sized) in regions.iter().zip(&sim.plan.sized) {
        if !region.resizes() {
            continue;
        }
        let pools = sim.plan.alone.len();
        usage.pools.resize(pools, PoolUsage::default());
        for (v, sized) in sized.iter().enumerate() {
            let more = region.present(v).saturating_sub(sized.serving + sized.dark);
            usage.pools[v].on_demand_secs += more as f64 * secs;
        }
    }
}

/// Adds what does not depend on what happened: how long it was, and what was planned.
pub fn complete(usage: &mut Usage, sim: &Simulator, end: Time) {
    let (scenario, plan) = (&sim.scenario, &sim.plan);
    usage.hours = end.secs() / 3600.0;
    let planned = |pool: usize| -> u64 {
        if pool == scenario.services.len() {
            return plan.proxies.iter().sum();
        }
        plan.sized
            .iter()
            .map(|s| s[pool].serving + s[pool].dark)
            .sum()
    };
    usage.pools.resize(plan.alone.len(), PoolUsage::default());
    for (pool, usage) in usage.pools.iter_mut().enumerate() {
        usage.planned = planned(pool) as f64;
        usage.alone = plan.alone[pool] as f64;
    }
}
