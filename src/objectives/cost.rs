//! What a replication costs.
//!
//! Cost is in US dollars per hour, averaged over the horizon. Planned instances (in service and
//! dark) are reserved and paid for all the time; what was launched beyond them is on demand and paid
//! for as long as it exists. *Relative* cost is against the cheapest deployment in one region: all
//! markets at their common busiest hour, the same services without headroom, one copy of the data,
//! nothing moved between regions. The harm of failures is in no cost.

use crate::model::measure::Measured;
use crate::model::money::{Money, PoolUsage, Usage};
use crate::model::outcome::{Outcome, Window};
use crate::model::scenario::Scenario;

/// Hours in a month, as clouds bill it.
const MONTH_HOURS: f64 = 730.0;
/// Bytes in a gigabyte.
const BYTES_PER_GB: f64 = 1e9;

/// An amount of money; `disturbed` are the windows from the disturbance on.
pub fn money(
    money: Money,
    scenario: &Scenario,
    outcome: &Outcome,
    disturbed: &[Window],
) -> Measured {
    if money == Money::Harm {
        return harm(scenario, disturbed).map_or(Measured::Absent, Measured::Value);
    }
    let usage = &outcome.usage;
    if usage.hours <= 0.0 {
        return Measured::Absent;
    }
    let bill = Bill::of(scenario, usage);
    Measured::Value(match money {
        Money::Cost => bill.total(),
        Money::CostRelative => match alone(scenario, usage) {
            alone if alone > 0.0 => bill.total() / alone,
            _ => return Measured::Absent,
        },
        Money::CostReserved => bill.reserved,
        Money::CostOnDemand => bill.on_demand,
        Money::CostStorage => bill.storage,
        Money::CostTransfer => bill.transfer,
        Money::Harm => return Measured::Absent,
    })
}

/// USD per hour.
struct Bill {
    reserved: f64,
    on_demand: f64,
    storage: f64,
    transfer: f64,
}

impl Bill {
    fn of(scenario: &Scenario, usage: &Usage) -> Bill {
        let prices = &scenario.prices;
        let sum = |of: &dyn Fn(usize, &PoolUsage) -> f64| -> f64 {
            let pools = usage.pools.iter().enumerate();
            pools.map(|(v, pool)| of(v, pool)).sum()
        };
        let proxied_bytes = usage.proxied_requests * scenario.edge.bytes;
        let moved_gb = (proxied_bytes + usage.moved_bytes) / BYTES_PER_GB;
        Bill {
            reserved: sum(&|v, pool| pool.planned * reserved(scenario, v)),
            on_demand: sum(&|v, pool| pool.on_demand_secs * on_demand(scenario, v))
                / 3600.0
                / usage.hours,
            storage: scenario.regions.len() as f64 * copy(scenario),
            transfer: moved_gb * prices.transfer_per_gb / usage.hours,
        }
    }

    fn total(&self) -> f64 {
        self.reserved + self.on_demand + self.storage + self.transfer
    }
}

/// USD per hour of the cheapest deployment in one region.
fn alone(scenario: &Scenario, usage: &Usage) -> f64 {
    let pools = usage.pools.iter().enumerate();
    pools
        .map(|(v, pool)| pool.alone * reserved(scenario, v))
        .sum::<f64>()
        + copy(scenario)
}

/// USD per hour of one copy of the data.
fn copy(scenario: &Scenario) -> f64 {
    scenario.prices.stored_gb * scenario.prices.storage_per_gb_month / MONTH_HOURS
}

/// Price of an hour of an instance beyond the plan; proxies come after the services.
fn on_demand(scenario: &Scenario, pool: usize) -> f64 {
    let own = scenario.services.get(pool).and_then(|s| s.price_per_hour);
    own.unwrap_or(scenario.prices.on_demand_per_hour)
}

/// Price of an hour of a planned instance.
fn reserved(scenario: &Scenario, pool: usize) -> f64 {
    let prices = &scenario.prices;
    match scenario.services.get(pool).and_then(|s| s.price_per_hour) {
        Some(own) if prices.on_demand_per_hour > 0.0 => {
            own * prices.reserved_per_hour / prices.on_demand_per_hour
        }
        Some(own) => own,
        None => prices.reserved_per_hour,
    }
}

/// Value of failed starts and lost viewer-minutes; `None` where neither is given.
fn harm(scenario: &Scenario, disturbed: &[Window]) -> Option<f64> {
    let prices = &scenario.prices;
    if prices.failed_start.is_none() && prices.viewer_minute.is_none() {
        return None;
    }
    let all = disturbed.iter().map(|window| &window.global);
    Some(
        all.map(|o| {
            o.starts_failed as f64 * prices.failed_start.unwrap_or(0.0)
                + o.stalled_secs / 60.0 * prices.viewer_minute.unwrap_or(0.0)
        })
        .sum(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objectives::testing::{failing_in, scenario};

    fn usage() -> Usage {
        let pool = |planned, on_demand_secs, alone| PoolUsage {
            planned,
            on_demand_secs,
            alone,
        };
        Usage {
            hours: 2.0,
            // One service is not priced in the scenario by hand: these are proxies.
            pools: vec![pool(20.0, 7200.0, 10.0)],
            proxied_requests: 1e6,
            moved_bytes: 20e9,
        }
    }

    fn of(what: Money, scenario: &Scenario, usage: Usage) -> Measured {
        let outcome = Outcome {
            usage,
            ..failing_in(&[(600.0, 660.0)])
        };
        money(what, scenario, &outcome, &outcome.windows[60..])
    }

    fn value(what: Money, scenario: &Scenario) -> f64 {
        of(what, scenario, usage()).as_f64()
    }

    #[test]
    fn planned_instances_are_reserved_and_others_on_demand() {
        let mut scenario = scenario();
        scenario.prices.reserved_per_hour = 0.1;
        scenario.prices.on_demand_per_hour = 0.2;
        assert!((value(Money::CostReserved, &scenario) - 2.0).abs() < 1e-12);
        // Two instance-hours within two hours.
        assert!((value(Money::CostOnDemand, &scenario) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn data_is_paid_for_where_it_is_kept_and_when_it_moves() {
        let mut scenario = scenario();
        scenario.prices.stored_gb = 730.0;
        scenario.prices.storage_per_gb_month = 0.1;
        scenario.edge.bytes = 100e3;
        scenario.prices.transfer_per_gb = 0.02;
        assert!((value(Money::CostStorage, &scenario) - 0.2).abs() < 1e-12);
        // 100 GB of requests and 20 of others within two hours.
        assert!((value(Money::CostTransfer, &scenario) - 1.2).abs() < 1e-12);
    }

    #[test]
    fn the_total_is_its_parts_and_relative_to_one_region() {
        let scenario = scenario();
        let parts = [
            Money::CostReserved,
            Money::CostOnDemand,
            Money::CostStorage,
            Money::CostTransfer,
        ];
        let sum: f64 = parts.iter().map(|&part| value(part, &scenario)).sum();
        let total = value(Money::Cost, &scenario);
        assert!((total - sum).abs() < 1e-12);
        let alone = 10.0 * scenario.prices.reserved_per_hour;
        let relative = value(Money::CostRelative, &scenario);
        assert!((relative - total / alone).abs() < 1e-12);
    }

    #[test]
    fn harm_is_absent_unless_given_and_in_no_cost() {
        let mut scenario = scenario();
        assert_eq!(of(Money::Harm, &scenario, usage()), Measured::Absent);
        let cost = value(Money::Cost, &scenario);
        scenario.prices.failed_start = Some(0.5);
        // Six windows in which a tenth of 2 x 1,000 starts fails.
        assert!((value(Money::Harm, &scenario) - 600.0).abs() < 1e-9);
        assert_eq!(value(Money::Cost, &scenario), cost);
    }

    #[test]
    fn nothing_counted_costs_nothing_known() {
        let scenario = scenario();
        let cost = of(Money::Cost, &scenario, Usage::default());
        assert_eq!(cost, Measured::Absent);
    }
}
