//! What the control plane is told: loads as they were some time ago.

use crate::model::scenario::Scenario;
use crate::units::{Span, Time};
use crate::world::plan::Plan;
use std::collections::VecDeque;

/// Loads at a moment.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// When it was measured.
    pub at: Time,
    /// Requests per second of each market.
    pub markets: Vec<f64>,
    /// Requests per second served by each region.
    pub regions: Vec<f64>,
    /// Requests per second that each region's instances in service can serve, at its mix.
    pub capacity: Vec<f64>,
    /// The same of dark capacity.
    pub dark: Vec<f64>,
    /// Share of each edge's proxies that have the newest routes.
    pub routes: Vec<f64>,
}

/// Reports on their way.
pub struct Reports {
    delay: Span,
    known: Report,
    coming: VecDeque<Report>,
}

impl Reports {
    /// The first report is of the planned load.
    pub fn new(scenario: &Scenario, plan: &Plan, first: Report) -> Reports {
        let markets = scenario.markets.len();
        let by_market = (0..markets)
            .map(|m| {
                plan.first
                    .iter()
                    .flat_map(|load| load.requests.iter().skip(m).step_by(markets))
                    .sum()
            })
            .collect();
        Reports {
            delay: scenario.control.delay,
            known: Report {
                markets: by_market,
                regions: plan.first.iter().map(|load| load.total).collect(),
                ..first
            },
            coming: VecDeque::new(),
        }
    }

    /// Sends a report.
    pub fn send(&mut self, report: Report) {
        let now = report.at;
        self.coming.push_back(report);
        // What has arrived in the meantime is all that anyone can ask for.
        self.newest(now);
    }

    /// The newest report that has arrived.
    pub fn newest(&mut self, now: Time) -> &Report {
        while let Some(next) = self.coming.front() {
            if next.at + self.delay > now {
                break;
            }
            if let Some(next) = self.coming.pop_front() {
                self.known = next;
            }
        }
        &self.known
    }
}
