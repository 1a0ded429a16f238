//! Which regions take traffic while all is well; the others stand by.

use crate::model::scenario::{Market, RegionId};
use crate::scenario::schema::market;
use crate::scenario::section::Section;
use crate::scenario::tree::Value;

const HINT: &str = "write \"all\", a number such as 1, or the names of regions";

/// Puts the active regions first in every market's order; returns those that stand by: that are not
/// active and home to no market.
pub fn standby(top: &mut Section, markets: &mut [Market], regions: &[&str]) -> Vec<RegionId> {
    let Some(node) = top.take("active") else {
        return Vec::new();
    };
    let active = match &node.value {
        Value::Text(word) if word == "all" => return Vec::new(),
        Value::Integer(count) if *count >= 1 => {
            let most = usize::try_from(*count).unwrap_or(usize::MAX);
            let mut busiest = busiest(markets, regions.len());
            busiest.truncate(most);
            busiest
        }
        Value::Array(_) => {
            let listed = market::only_regions(top, "active", regions, "is active");
            let Some(listed) = listed else {
                return Vec::new();
            };
            listed
        }
        _ => {
            top.wrong("active", "not a choice of regions", HINT);
            return Vec::new();
        }
    };
    for market in markets.iter_mut() {
        market.near.sort_by_key(|region| !active.contains(region));
    }
    let home = |region: &RegionId| markets.iter().any(|m| m.near.first() == Some(region));
    let idle = (0..regions.len()).filter(|region| !active.contains(region) && !home(region));
    idle.collect()
}

/// The regions, those first that are home to most of the demand.
fn busiest(markets: &[Market], regions: usize) -> Vec<RegionId> {
    let starts = |region: RegionId| -> f64 {
        let home = markets.iter().filter(|m| m.near.first() == Some(&region));
        home.map(|market| market.starts).sum()
    };
    let mut order: Vec<RegionId> = (0..regions).collect();
    order.sort_by(|&a, &b| starts(b).total_cmp(&starts(a)));
    order
}
