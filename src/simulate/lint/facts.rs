//! What there is, and what the faults will hit.

use crate::faults;
use crate::model::scenario::Scenario;
use crate::model::series::Series;
use crate::units::three_digits;
use crate::world::plan::Plan;

/// Which part of its data each market with measured demand goes through, a line each.
pub fn measured(scenario: &Scenario, plan: &Plan) -> Vec<String> {
    let markets = scenario.markets.iter().enumerate();
    markets
        .filter_map(|(m, market)| {
            let series = market.series.as_ref()?;
            Some(format!(
                "Demand of {}: begins as at {} UTC, {}/s; the busiest hour of the data is around {} UTC, {}/s",
                market.name,
                moment(series, 0.0),
                three_digits(plan.demand[m].rate(0.0)),
                moment(series, series.busiest_secs()),
                three_digits(market.starts * scenario.demand),
            ))
        })
        .collect()
}

/// The moment of the data so many seconds after the beginning of the scenario, UTC.
pub fn moment(series: &Series, secs: f64) -> String {
    let ms = series.zero_unix_ms + (secs * 1e3) as i64;
    let shown = jiff::Timestamp::from_millisecond(ms);
    shown.map_or_else(
        |_| format!("{ms} ms"),
        |t| t.strftime("%F %H:%M").to_string(),
    )
}

/// What each fault hits, a line each.
pub fn targets(scenario: &Scenario, plan: &Plan) -> Vec<String> {
    let all: f64 = plan.first.iter().map(|load| load.total).sum();
    scenario
        .faults
        .iter()
        .map(|fault| {
            let what = faults::find(&fault.kind)
                .map_or_else(|| fault.kind.clone(), |kind| kind.describe(fault, scenario));
            let (Some(region), None, None) = (fault.region, fault.zone, fault.other) else {
                return what;
            };
            let share = plan.first[region].total / all.max(1e-300);
            let instances: u64 = plan.sized[region].iter().map(|s| s.serving).sum();
            format!(
                "{what}: {instances} instances, {:.0} % of all requests at the beginning",
                share * 100.0
            )
        })
        .collect()
}

/// Per region and service: instances, headroom, spare of capacity, CPU; a line each.
pub fn deployment(scenario: &Scenario, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (r, region) in scenario.regions.iter().enumerate() {
        for (v, service) in scenario.services.iter().enumerate() {
            let sized = plan.sized[r][v];
            let slots = sized.serving as f64 * f64::from(service.slots);
            let (busiest, now) = (plan.peak[r].busy[v], plan.first[r].busy[v]);
            let headroom = if busiest > 0.0 {
                slots / busiest - 1.0
            } else {
                f64::INFINITY
            };
            let headroom = if headroom.is_finite() {
                format!("{headroom:.2}")
            } else {
                "unused".into()
            };
            lines.push(format!(
                "{} {}: {} instances ({} dark), headroom {headroom}, spare {:.0} % of capacity, CPU {:.0} % at the busiest hour, {:.0} % at the beginning",
                region.name,
                service.name,
                sized.serving,
                sized.dark,
                100.0 * (1.0 - busiest / slots.max(1e-300)).max(0.0),
                100.0 * busiest / slots.max(1e-300),
                100.0 * now / slots.max(1e-300),
            ));
        }
    }
    lines
}
