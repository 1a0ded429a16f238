//! Measured demand: hours that look like artefacts of its export.

use super::{facts, warn};
use crate::model::scenario::Scenario;
use crate::model::series::{busiest, hour_of};
use crate::problem::Problem;

/// How many times as high as any hour of another day the busiest hour may be. Guess.
const MOST: f64 = 1.2;
/// Days of data that tell what other days are like. Guess.
const FEWEST_DAYS: f64 = 3.0;

/// A busiest hour that no other day comes near: deployments are planned for it.
pub fn outliers(scenario: &Scenario, found: &mut Vec<Problem>) {
    for market in &scenario.markets {
        let Some(series) = &market.series else {
            continue;
        };
        let rates = &series.factors;
        let day = (86_400.0 / series.every_secs) as usize;
        if (rates.len() as f64) < FEWEST_DAYS * day as f64 {
            continue;
        }
        let window = hour_of(series.every_secs);
        let of = |begins| busiest(rates, window, begins);
        let Some((first, most)) = of(0..usize::MAX) else {
            continue;
        };
        let before = of(0..first.saturating_sub(day / 2));
        let after = of(first + day / 2..usize::MAX);
        let others = before.into_iter().chain(after).map(|(_, mean)| mean);
        let other = others.fold(0.0, f64::max);
        if most > MOST * other {
            let when = facts::moment(series, series.busiest_secs());
            found.push(warn(
                format!("market.{}", market.name),
                format!(
                    "the busiest hour of the data, around {when} UTC, is {:.0} % above any of other \
                     days, and capacity is planned for it",
                    100.0 * (most / other.max(1e-300) - 1.0).min(100.0)
                ),
                "if it is an artefact, cut it out of the file; an hour that is there twice when clocks go \
                 back is left out where zone = \"America/New_York\", say, tells it",
            ));
        }
    }
}
