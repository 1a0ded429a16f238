//! Words that describe a fault before anything runs.

use crate::model::scenario::{Fault, MarketId, RegionId, Scenario, ServiceId};
use crate::units::{Time, three_digits};

/// `from 5min for 10min` or `from 5min to the end`, and whether it is announced.
pub fn when(fault: &Fault, scenario: &Scenario) -> String {
    let lasting = if fault.at + fault.duration < Time::ZERO + scenario.horizon {
        format!("for {}", fault.duration)
    } else {
        "to the end".to_string()
    };
    format!("from {} {lasting}{}", fault.at, announced(fault))
}

/// `; announced 15min before`, or nothing.
pub fn announced(fault: &Fault) -> String {
    if fault.announced.is_zero() {
        String::new()
    } else {
        format!("; announced {} before", fault.announced)
    }
}

/// A region's name, or `all regions`.
pub fn region(region: Option<RegionId>, scenario: &Scenario) -> &str {
    region.map_or("all regions", |r| &scenario.regions[r].name)
}

/// A service's name, or `every service`.
pub fn service(service: Option<ServiceId>, scenario: &Scenario) -> &str {
    service.map_or("every service", |v| &scenario.services[v].name)
}

/// A market's name, or `all markets`.
pub fn market(market: Option<MarketId>, scenario: &Scenario) -> &str {
    market.map_or("all markets", |m| &scenario.markets[m].name)
}

/// A domain's name, or `all domains`.
pub fn domain(domain: Option<usize>, scenario: &Scenario) -> String {
    let known = domain.and_then(|d| scenario.domains.get(d));
    known.map_or("all domains".into(), |domain| domain.name.clone())
}

/// A share as `25 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", three_digits(100.0 * share))
}

/// Share of the demand at the busiest hours that the markets have which `picks` chooses.
pub fn demand_of(scenario: &Scenario, picks: impl Fn(MarketId) -> bool) -> f64 {
    let starts = |all: bool| -> f64 {
        let markets = scenario.markets.iter().enumerate();
        markets
            .filter(|(m, _)| all || picks(*m))
            .map(|(_, market)| market.starts)
            .sum()
    };
    let all = starts(true);
    if all > 0.0 { starts(false) / all } else { 0.0 }
}
