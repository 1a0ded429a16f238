//! Orders on their way: unsafe ones are refused, never silently obeyed, and the others take effect
//! after the push.
//!
//! | refused | because |
//! |---|---|
//! | shares or weights that are negative, not numbers, of the wrong number or do not sum to one | they mean nothing |
//! | unknown regions or markets | there is nobody to obey |
//! | more traffic to a region that is believed dead, while another is believed alive | it would be lost |
//! | activation, release, scaling or warming in a region that is believed dead | the order reaches nobody |
//! | scaling of an unknown service, or beyond its maximum | it cannot be had |
//! | activation where no capacity is dark | there is nothing to activate |
//! | taking traffic from a region again within its cool-down, after it was given back | it would swing |

use crate::engine::sampling::sample;
use crate::engine::stream::Stream;
use crate::model::action::Action;
use crate::model::policy::{Knobs, Phase};
use crate::model::scenario::{Control, MarketId, RegionId, ServiceId};
use crate::model::telemetry::{RegionTelemetry, Telemetry};
use crate::units::{Dist, Span, Time};
use std::collections::BTreeMap;

/// Shares that differ by less are the same.
const TOLERANCE: f64 = 1e-9;

/// A push that failed so often arrives the next time.
const MOST_PUSHES: u32 = 1000;

/// Checks orders and pushes them.
#[derive(Clone, Debug)]
pub struct Actuator {
    push: Dist,
    push_failure: f64,
    push_timeout: Span,
    cool_down: Span,
    seed: u64,
    replication: u64,
    names: Vec<String>,
    /// Routes last ordered, per region that traffic enters at and market; empty: all stays there.
    routes: Vec<Vec<Vec<f64>>>,
    departures: Vec<Departure>,
    /// Failovers begun, per region.
    incidents: Vec<u64>,
    /// The region of the last failover, and decisions pushed since it began.
    incident: Option<(RegionId, u64)>,
    /// Decisions pushed outside any failover.
    others: u64,
    /// When the last order of each kind for each target takes effect: none overtakes an older one.
    last: BTreeMap<Target, Time>,
}

/// How traffic was last taken from a region.
#[derive(Clone, Copy, Debug, Default)]
struct Departure {
    /// When it began.
    since: Option<Time>,
    /// Whether some of it was given back since.
    returned: bool,
}

/// What became of a decision's requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Submission {
    /// Orders that will take effect, in order.
    pub orders: Vec<Order>,
    /// Requests that were refused.
    pub refusals: Vec<Refusal>,
    /// Times that the push failed before it arrived; what the repetitions took is in the orders' times.
    pub failed_pushes: u32,
}

/// An order on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// When it takes effect where it is pushed to. Labels of phases take effect at once.
    pub effective: Time,
    /// What is ordered.
    pub action: Action,
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What was asked for.
    pub action: Action,
    /// Why not.
    pub reason: String,
}

/// Which way an order moves a region's own traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Movement {
    Away,
    Back,
}

/// What an order replaces an older order for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Routes(RegionId),
    Answer(MarketId),
    Isolation(RegionId),
    ScaleIn(RegionId),
}

fn target(action: &Action) -> Option<Target> {
    match *action {
        Action::SetRoutes { from, .. } => Some(Target::Routes(from)),
        Action::SetDns { market, .. } => Some(Target::Answer(market)),
        Action::Isolate { region, .. } => Some(Target::Isolation(region)),
        Action::FreezeScaleIn { region, .. } => Some(Target::ScaleIn(region)),
        _ => None,
    }
}

impl Actuator {
    /// An actuator of the named regions.
    pub fn new(
        control: &Control,
        knobs: &Knobs,
        seed: u64,
        replication: u64,
        names: &[String],
    ) -> Actuator {
        Actuator {
            push: control.push.clone(),
            push_failure: control.push_failure,
            push_timeout: control.push_timeout,
            cool_down: knobs.cool_down,
            seed,
            replication,
            names: names.to_vec(),
            routes: vec![Vec::new(); names.len()],
            departures: vec![Departure::default(); names.len()],
            incidents: vec![0; names.len()],
            incident: None,
            others: 0,
            last: BTreeMap::new(),
        }
    }

    /// Takes one decision's actions at `telemetry.now`, with the telemetry that it was made on. All
    /// its orders are pushed together: one delay per decision.
    pub fn submit(&mut self, telemetry: &Telemetry, actions: Vec<Action>) -> Submission {
        let mut submission = Submission::default();
        for action in actions {
            match self.refuse(&action, telemetry) {
                Some(reason) => submission.refusals.push(Refusal { action, reason }),
                None => {
                    self.note(&action, telemetry);
                    submission.orders.push(Order {
                        effective: telemetry.now,
                        action,
                    });
                }
            }
        }
        let label = |order: &Order| matches!(order.action, Action::EnterPhase { .. });
        if !submission.orders.iter().all(label) {
            let (delay, failed) = self.draw_push();
            submission.failed_pushes = failed;
            for order in submission.orders.iter_mut().filter(|order| !label(order)) {
                order.effective += delay;
                if let Some(target) = target(&order.action) {
                    let last = self.last.entry(target).or_insert(order.effective);
                    *last = order.effective.max(*last);
                    order.effective = *last;
                }
            }
        }
        submission
    }

    /// Why a request must not be obeyed, if it must not.
    pub fn refuse(&self, action: &Action, telemetry: &Telemetry) -> Option<String> {
        let regions = self.names.len();
        let (Action::SetRoutes { from: region, .. }
        | Action::ActivateDark { region }
        | Action::ReleaseDark { region }
        | Action::Scale { region, .. }
        | Action::FreezeScaleIn { region, .. }
        | Action::Prewarm { region, .. }
        | Action::Isolate { region, .. }
        | Action::EnterPhase { region, .. }) = action
        else {
            return self.refuse_shares(action, telemetry);
        };
        let Some(name) = self.names.get(*region) else {
            return Some(format!("there is no region {region} of {regions}"));
        };
        let dead = telemetry.regions[*region].dead == Some(true);
        // An unknown capacity is none.
        let has_dark = telemetry.regions[*region].dark_capacity > 0.0;
        match action {
            Action::ActivateDark { .. }
            | Action::ReleaseDark { .. }
            | Action::Scale { .. }
            | Action::FreezeScaleIn { .. }
            | Action::Prewarm { .. }
                if dead =>
            {
                Some(format!(
                    "{name} is believed dead: the order would reach nobody"
                ))
            }
            Action::Scale {
                service, instances, ..
            } => self.refuse_size(*service, *instances, &telemetry.regions[*region]),
            Action::ActivateDark { .. } if !has_dark => {
                Some(format!("{name} has no dark capacity left"))
            }
            Action::Prewarm { market, .. } if *market >= telemetry.markets.len() => {
                Some(format!("there is no market {market}"))
            }
            _ => self.refuse_shares(action, telemetry),
        }
    }

    /// What is known of no service, and what a service may not have.
    fn refuse_size(
        &self,
        service: ServiceId,
        instances: u64,
        region: &RegionTelemetry,
    ) -> Option<String> {
        let Some(known) = region.services.get(service) else {
            return Some(format!("there is no service {service} to scale"));
        };
        (instances as f64 > known.most).then(|| {
            format!(
                "{instances} instances are more than the {} allowed",
                known.most
            )
        })
    }

    fn refuse_shares(&self, action: &Action, telemetry: &Telemetry) -> Option<String> {
        let rows: Vec<&Vec<f64>> = match action {
            Action::SetRoutes { shares, .. } => shares.iter().collect(),
            Action::SetDns { weights, .. } => vec![weights],
            _ => return None,
        };
        let markets = telemetry.markets.len();
        match action {
            Action::SetRoutes { .. } if rows.len() != markets => {
                return Some(format!(
                    "shares for {} markets instead of {markets}",
                    rows.len()
                ));
            }
            Action::SetDns { market, .. } if *market >= markets => {
                return Some(format!("there is no market {market}"));
            }
            _ => {}
        }
        for shares in &rows {
            if shares.len() != self.names.len() {
                return Some(format!(
                    "shares for {} regions instead of {}",
                    shares.len(),
                    self.names.len()
                ));
            }
            if let Some(share) = shares.iter().find(|s| !s.is_finite() || **s < 0.0) {
                return Some(format!("{share} is not a share"));
            }
            let sum: f64 = shares.iter().sum();
            if (sum - 1.0).abs() > TOLERANCE {
                return Some(format!("shares sum to {sum}, not to one"));
            }
        }
        self.refuse_dead_target(action, telemetry)
            .or_else(|| self.refuse_cool_down(action, telemetry))
    }

    fn refuse_dead_target(&self, action: &Action, telemetry: &Telemetry) -> Option<String> {
        if telemetry.regions.iter().all(|r| r.dead != Some(false)) {
            return None;
        }
        let dead = |region: &RegionId| telemetry.regions[*region].dead == Some(true);
        let more = |region: &RegionId| {
            self.changes(action, telemetry, *region)
                .any(|change| change > TOLERANCE)
        };
        let target = (0..self.names.len())
            .filter(dead)
            .find(more)
            .map(|region| &self.names[region])?;
        Some(format!(
            "new traffic to {target}, which is believed dead while another region is alive"
        ))
    }

    fn refuse_cool_down(&self, action: &Action, telemetry: &Telemetry) -> Option<String> {
        (0..self.names.len()).find_map(|region| {
            let Departure { since, returned } = self.departures[region];
            let over = since? + self.cool_down;
            let again =
                returned && self.movement(action, telemetry, region) == Some(Movement::Away);
            (again && telemetry.now < over).then(|| {
                format!(
                    "{} was failed over at {}: not again before {over}",
                    self.names[region],
                    since.unwrap_or(Time::ZERO)
                )
            })
        })
    }

    /// Per market: by how much an order raises the share of `region`.
    fn changes<'a>(
        &'a self,
        action: &'a Action,
        telemetry: &'a Telemetry,
        region: RegionId,
    ) -> Box<dyn Iterator<Item = f64> + 'a> {
        match action {
            Action::SetRoutes { from, shares } => {
                Box::new(shares.iter().enumerate().map(move |(market, shares)| {
                    let unchanged = if region == *from { 1.0 } else { 0.0 };
                    let last = self.routes[*from].get(market);
                    shares[region] - last.map_or(unchanged, |shares| shares[region])
                }))
            }
            Action::SetDns { market, weights } => {
                let last = telemetry.markets[*market].dns.get(region);
                let last = last.copied().filter(|weight| weight.is_finite());
                Box::new(std::iter::once(weights[region] - last.unwrap_or(0.0)))
            }
            _ => Box::new(std::iter::empty()),
        }
    }

    /// Which way an order moves a region's own traffic, if it does: what enters at its edge, and
    /// the markets nearest to it.
    fn movement(
        &self,
        action: &Action,
        telemetry: &Telemetry,
        region: RegionId,
    ) -> Option<Movement> {
        let own = match action {
            Action::SetRoutes { from, .. } => *from == region,
            Action::SetDns { market, .. } => {
                telemetry.markets[*market].near.first() == Some(&region)
            }
            _ => false,
        };
        if !own {
            return None;
        }
        let (mut away, mut back) = (false, false);
        for change in self.changes(action, telemetry, region) {
            away |= change < -TOLERANCE;
            back |= change > TOLERANCE;
        }
        match (away, back) {
            (true, _) => Some(Movement::Away),
            (false, true) => Some(Movement::Back),
            (false, false) => None,
        }
    }

    /// Remembers an order that was accepted.
    fn note(&mut self, action: &Action, telemetry: &Telemetry) {
        for region in 0..self.names.len() {
            let movement = self.movement(action, telemetry, region);
            let departure = &mut self.departures[region];
            match movement {
                Some(Movement::Away) if departure.since.is_none() || departure.returned => {
                    *departure = Departure {
                        since: Some(telemetry.now),
                        returned: false,
                    };
                }
                Some(Movement::Back) => departure.returned = true,
                _ => {}
            }
        }
        match action {
            Action::SetRoutes { from, shares } => self.routes[*from].clone_from(shares),
            Action::EnterPhase {
                region,
                phase: Phase::FailoverInitiated,
            } => {
                self.incidents[*region] += 1;
                self.incident = Some((*region, 0));
            }
            _ => {}
        }
    }

    /// The delay of the next decision, and how often its push fails first. It is addressed by the
    /// failover that it belongs to, so that policies that act differently before still meet the same
    /// delays in it.
    fn draw_push(&mut self) -> (Span, u32) {
        let (entity, index) = match &mut self.incident {
            Some((region, decisions)) => {
                *decisions += 1;
                let incident = self.incidents[*region];
                (self.names[*region].as_str(), (incident << 32) + *decisions)
            }
            None => {
                self.others += 1;
                ("", self.others)
            }
        };
        let stream = Stream::new(self.seed, self.replication, "push", entity);
        let mut delay = Span::from_secs(sample(&mut stream.draws(index, 0), &self.push));
        let mut failed = 0;
        if self.push_failure > 0.0 {
            let mut draws = stream.draws(index, 1);
            while failed < MOST_PUSHES && draws.uniform() < self.push_failure {
                failed += 1;
                delay = delay + self.push_timeout;
            }
        }
        (delay, failed)
    }
}

#[cfg(test)]
mod tests;
