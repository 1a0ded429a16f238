//! What the control plane is told: loads, capacity and readiness as they were some time ago.

use crate::model::scenario::{RegionId, Scenario};
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
    /// Share of it that is out of the policy's scope; empty: not known yet.
    pub stays: Vec<f64>,
    /// Requests per second served by each region.
    pub regions: Vec<f64>,
    /// Requests per second that each region's instances in service can serve, at its mix.
    pub capacity: Vec<f64>,
    /// The same of dark capacity.
    pub dark: Vec<f64>,
    /// Share of each edge's proxies that have the newest routes.
    pub routes: Vec<f64>,
    /// Share of the steady hit ratio that each region's warming caches have, least warm market first.
    pub warmed: Vec<f64>,
    /// Share of each region's planned instances that are in service, of the service that has least.
    pub booted: Vec<f64>,
    /// Whether each region's data have caught up.
    pub replicated: Vec<bool>,
    /// Whether health checks within each region see anything wrong.
    pub looks_bad: Vec<bool>,
    /// Instances in service, `[region][service]`; empty where nobody asks.
    pub in_service: Vec<Vec<u64>>,
    /// Regions of which nothing is reported: what was known of them stays, and none of their proxies is
    /// known to have the newest routes.
    pub missing: Vec<RegionId>,
}

/// A market's load of now is at most so old: what a dead region no longer reports is remembered for so
/// long. Guess.
const REMEMBERED: Span = Span(300_000_000_000);

/// Reports on their way.
pub struct Reports {
    delay: Span,
    /// The highest load of each market lately, and when it was measured.
    highest: Vec<(f64, Time)>,
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
        let by_market: Vec<f64> = by_market;
        Reports {
            delay: scenario.control.delay,
            highest: by_market.iter().map(|&load| (load, Time::ZERO)).collect(),
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

    /// The highest load of a market in the reports of the last minutes: requests that a dead region
    /// answers to nobody are in no report, and yet will come.
    pub fn highest_load(&self, market: usize) -> f64 {
        self.highest[market].0
    }

    /// The newest report that had arrived when somebody last asked for it.
    pub fn known(&self) -> &Report {
        &self.known
    }

    /// The newest report that has arrived.
    pub fn newest(&mut self, now: Time) -> &Report {
        while let Some(next) = self.coming.front() {
            if next.at + self.delay > now {
                break;
            }
            if let Some(mut next) = self.coming.pop_front() {
                for (highest, &load) in self.highest.iter_mut().zip(&next.markets) {
                    if load >= highest.0 || next.at.since(highest.1) > REMEMBERED {
                        *highest = (load, next.at);
                    }
                }
                for &r in &next.missing {
                    next.regions[r] = self.known.regions[r];
                    next.capacity[r] = self.known.capacity[r];
                    next.dark[r] = self.known.dark[r];
                    next.routes[r] = 0.0;
                    next.warmed[r] = self.known.warmed[r];
                    next.booted[r] = self.known.booted[r];
                    next.replicated[r] = self.known.replicated[r];
                    next.looks_bad[r] = self.known.looks_bad[r];
                    if let Some(last) = self.known.in_service.get(r) {
                        next.in_service[r].clone_from(last);
                    }
                }
                self.known = next;
            }
        }
        &self.known
    }
}
