//! Targets of domains of data, against how they are stored.

use super::warn;
use crate::engine::law;
use crate::model::domain::{Domain, Mode};
use crate::model::scenario::Scenario;
use crate::problem::Problem;
use crate::units::human_secs;

/// Targets and grace periods that the store of a domain cannot keep, and quorums of two.
pub fn stores(scenario: &Scenario, found: &mut Vec<Problem>) {
    for domain in &scenario.domains {
        let path = |key: &str| format!("domain.{}.{key}", domain.name);
        let behind = behind_secs(domain);
        if let Some(rpo) = domain.rpo.map(|rpo| rpo.secs()).filter(|&rpo| rpo < behind) {
            found.push(warn(
                path("rpo"),
                format!(
                    "receivers are {} behind on average: a loss takes more than the {} asked for",
                    human_secs(behind),
                    human_secs(rpo)
                ),
                "send sooner, write to a quorum, or ask for less",
            ));
        }
        let away = promotion_secs(domain);
        let grace = domain.grace.secs();
        if grace > 0.0 && grace < away {
            found.push(warn(
                path("grace"),
                format!(
                    "ends after {}, before reads go to another region, {} after a loss on average",
                    human_secs(grace),
                    human_secs(away)
                ),
                "make it longer, or the steps of the promotion shorter",
            ));
        }
        let replicas = domain.store.replicas.len();
        if domain.store.mode == Mode::Quorum && replicas == 2 {
            found.push(warn(
                path("store.replicas"),
                "a majority of two is both: the loss of either stops all writes".into(),
                "take three replicas",
            ));
        }
    }
}

/// How old the oldest write is that has not arrived, on average; with a quorum, none is.
fn behind_secs(domain: &Domain) -> f64 {
    match domain.store.mode {
        Mode::Quorum => 0.0,
        Mode::Asynchronous | Mode::Primary => {
            law::mean(&domain.store.lag) + domain.store.ship.secs() / 2.0
        }
    }
}

/// From the loss of a primary until reads go to another region, on average.
fn promotion_secs(domain: &Domain) -> f64 {
    let steps = &domain.store.promotion;
    match domain.store.mode {
        Mode::Primary => law::mean(&steps.detect) + law::mean(&steps.repoint),
        Mode::Asynchronous | Mode::Quorum => 0.0,
    }
}
