//! What has to be paid for.

use crate::model::money::{PoolUsage, Usage};
use crate::simulate::Simulator;
use crate::units::Time;

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
