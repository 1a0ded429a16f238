//! The error budget, alerts, and what it costs.

use crate::model::money::BurnLevel;
use crate::model::observation::Unit;
use crate::model::scenario::Scenario;
use crate::objectives::budget::minutes_of;
use crate::report::figure;
use crate::stats::Estimate;
use crate::study::VariantSummary;
use crate::units::human_secs;
use std::fmt::Write;

/// A line on each, where there is something to say.
pub fn lines(scenario: &Scenario, variant: &VariantSummary) -> String {
    let mut text = String::new();
    budget(&mut text, scenario, variant);
    alerts(&mut text, variant);
    cost(&mut text, variant);
    text
}

fn budget(text: &mut String, scenario: &Scenario, variant: &VariantSummary) {
    let Some(spent) = variant.impact.of.get("error_budget_spent") else {
        return;
    };
    let Some(p50) = spent.p50 else { return };
    let budget = &scenario.budget;
    let level = variant.impact.burn_level;
    let action = BurnLevel::ALL.into_iter().find(|l| l.name() == level);
    let minutes = minutes_of(1.0 - budget.target, budget.window.secs() / 86_400.0);
    let _ = writeln!(
        text,
        "Error budget: {} of {}, which is {}; p50 {} spent, level {level}: {}",
        figure::percent(1.0 - budget.target),
        human_secs(budget.window.secs()),
        human_secs(60.0 * minutes),
        figure::percent(p50),
        action.unwrap_or_default().action(),
    );
}

fn alerts(text: &mut String, variant: &VariantSummary) {
    let told: Vec<String> = variant
        .alerts
        .iter()
        .map(|alert| {
            let share = alert.share.map_or(1.0, |share| share.share);
            let often = match share < 1.0 {
                true => format!(" (in {})", figure::percent(share)),
                false => String::new(),
            };
            let at = alert.at_s.p50.map_or_else(|| "-".into(), human_secs);
            format!("{} at {at}{often}", alert.name)
        })
        .collect();
    if !told.is_empty() {
        let _ = writeln!(text, "Alerts: {}", told.join(", "));
    }
}

fn cost(text: &mut String, variant: &VariantSummary) {
    let cost = &variant.cost;
    let Some(total) = &cost.usd_per_hour else {
        return;
    };
    let shown = |estimate: &Option<Estimate>| {
        let mean = estimate.as_ref().map_or(0.0, |e| e.mean);
        figure::value(Unit::UsdPerHour, mean)
    };
    let relative = match &cost.relative {
        Some(relative) => format!(
            ", {} times the cheapest deployment in one region",
            figure::value(Unit::Count, relative.mean)
        ),
        None => String::new(),
    };
    let harm = match &cost.harm_usd {
        Some(harm) => format!(
            "; apart from it, failures are worth {}",
            figure::value(Unit::Usd, harm.mean)
        ),
        None => String::new(),
    };
    let _ = writeln!(
        text,
        "Cost: {} (reserved {}, on demand {}, storage {}, transfer {}){relative}{harm}",
        figure::value(Unit::UsdPerHour, total.mean),
        shown(&cost.reserved),
        shown(&cost.on_demand),
        shown(&cost.storage),
        shown(&cost.transfer),
    );
}
