//! Which regions take traffic while all is well, and which stand by.

use crate::model::scenario::{Market, RegionId};
use crate::scenario::schema::market;
use crate::scenario::section::Section;
use crate::scenario::tree::Value;

const HINT: &str = "write \"all\", a number such as 1, or the names of regions";

/// What the regions that are home to no market are for.
#[derive(Default)]
pub struct Roles {
    /// Ready to take over.
    pub standby: Vec<RegionId>,
    /// Neither active nor ready to take over.
    pub unused: Vec<RegionId>,
}

/// Puts the active regions first in every market's order, and those that stand by next. A market that
/// may be served by none of the active ones keeps its home.
pub fn roles(
    top: &mut Section,
    markets: &mut [Market],
    regions: &[&str],
    rtt_secs: &[Vec<f64>],
) -> Roles {
    let Some(active) = chosen(
        top,
        "active",
        "is active",
        regions,
        busiest(markets, regions),
    ) else {
        if top.has("passive") && !top.has("active") {
            top.wrong(
                "passive",
                "nothing says which regions are active",
                "write active = 1 as well",
            );
        }
        top.take("passive");
        return Roles::default();
    };
    // The nearest ones, as the next primary of a store is the nearest replica.
    let mut rest: Vec<RegionId> = (0..regions.len()).collect();
    rest.retain(|region| !active.contains(region));
    let rtt = |region: RegionId| active.first().map_or(0.0, |first| rtt_secs[*first][region]);
    rest.sort_by(|&a, &b| rtt(a).total_cmp(&rtt(b)));
    let passive = chosen(top, "passive", "stands by", regions, rest.clone()).unwrap_or(rest);
    if let Some(both) = passive.iter().find(|region| active.contains(region)) {
        let message = format!("{:.60?} is active", regions[*both]);
        top.wrong("passive", message, "a region is one of the two");
    }
    let passive = |region: &RegionId| passive.contains(region);
    let active = |region: &RegionId| active.contains(region);
    for market in markets.iter_mut() {
        let order = |region: &RegionId| (!active(region), !passive(region));
        market.near.sort_by_key(order);
    }
    let home = |region: &RegionId| markets.iter().any(|m| m.near.first() == Some(region));
    let idle = (0..regions.len()).filter(|region| !active(region) && !home(region));
    let (standby, unused) = idle.partition(passive);
    Roles { standby, unused }
}

/// The regions that a key chooses, a number of them in this order; `None` where it is absent or wrong.
fn chosen(
    top: &mut Section,
    key: &'static str,
    what: &str,
    regions: &[&str],
    mut order: Vec<RegionId>,
) -> Option<Vec<RegionId>> {
    let node = top.take(key)?;
    match &node.value {
        Value::Text(word) if word == "all" => Some(order),
        Value::Integer(count) if *count >= 1 => {
            order.truncate(usize::try_from(*count).unwrap_or(usize::MAX));
            Some(order)
        }
        Value::Array(_) => {
            let listed = market::only_regions(top, key, regions, what);
            Some(listed.unwrap_or_else(|| (0..regions.len()).collect()))
        }
        _ => {
            top.wrong(key, "not a choice of regions", HINT);
            None
        }
    }
}

/// The regions, those first that are home to most of the demand.
fn busiest(markets: &[Market], regions: &[&str]) -> Vec<RegionId> {
    let starts = |region: RegionId| -> f64 {
        let home = markets.iter().filter(|m| m.near.first() == Some(&region));
        home.map(|market| market.starts).sum()
    };
    let mut order: Vec<RegionId> = (0..regions.len()).collect();
    order.sort_by(|&a, &b| starts(b).total_cmp(&starts(a)));
    order
}
