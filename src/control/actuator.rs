//! Orders on their way: unsafe ones are refused, never silently obeyed, and the others take effect
//! after the push.
//!
//! | refused | because |
//! |---|---|
//! | shares or weights that are negative, not numbers, of the wrong number or do not sum to one | they mean nothing |
//! | unknown regions or markets | there is nobody to obey |
//! | more traffic to a region that is believed dead, while another is believed alive | it would be lost; of new routes, only the part of the markets that this is about |
//! | activation, release, scaling or warming in a region that is believed dead | the order reaches nobody |
//! | scaling of an unknown service, or beyond its maximum | it cannot be had |
//! | activation where no capacity is dark | there is nothing to activate |
//! | taking traffic from a region again within its cool-down, after it was given back | it would swing |
//!
//! What makes sense and is refused all the same, or reaches nobody, is told to the policy later, again
//! and again until something else is ordered for the same thing: a policy that still wants it asks again.

use crate::engine::sampling::sample;
use crate::engine::stream::Stream;
use crate::model::action::Action;
use crate::model::policy::{Knobs, Phase};
use crate::model::scenario::{Control, MarketId, RegionId, ServiceId};
use crate::model::telemetry::Telemetry;
use crate::units::{Dist, Span, Time};
use std::collections::BTreeMap;

/// Shares that differ by less are the same.
const TOLERANCE: f64 = 1e-9;

/// The policy is told so long after a refusal, and so often as long as it lasts. Guess.
const TOLD_AGAIN: Span = Span(10_000_000_000);

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
    /// What was last asked for and did not happen, per target.
    undone: BTreeMap<Target, Undone>,
}

/// A request that did not happen.
#[derive(Clone, Debug)]
struct Undone {
    action: Action,
    reason: String,
    /// When the policy is told next.
    told: Time,
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
    /// Of new routes, the market whose part alone was refused; `None`: all of it was.
    pub market: Option<MarketId>,
    /// Why not.
    pub reason: String,
    /// Whether the last request for the same thing was refused for the same reason.
    pub again: bool,
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
    Dark(RegionId),
    Instances(RegionId, ServiceId),
    Caches(RegionId, MarketId),
}

fn target(action: &Action) -> Option<Target> {
    match *action {
        Action::SetRoutes { from, .. } => Some(Target::Routes(from)),
        Action::SetDns { market, .. } => Some(Target::Answer(market)),
        Action::Isolate { region, .. } => Some(Target::Isolation(region)),
        Action::FreezeScaleIn { region, .. } => Some(Target::ScaleIn(region)),
        Action::ActivateDark { region } | Action::ReleaseDark { region } => {
            Some(Target::Dark(region))
        }
        Action::Scale {
            region, service, ..
        } => Some(Target::Instances(region, service)),
        Action::Prewarm { region, market } => Some(Target::Caches(region, market)),
        Action::EnterPhase { .. } => None,
    }
}

/// The region that a request is about, if it is about one.
fn about(action: &Action) -> Option<RegionId> {
    match *action {
        Action::SetRoutes { from: region, .. }
        | Action::ActivateDark { region }
        | Action::ReleaseDark { region }
        | Action::Scale { region, .. }
        | Action::FreezeScaleIn { region, .. }
        | Action::Prewarm { region, .. }
        | Action::Isolate { region, .. }
        | Action::EnterPhase { region, .. } => Some(region),
        Action::SetDns { .. } => None,
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
            undone: BTreeMap::new(),
        }
    }

    /// Takes one decision's actions at `telemetry.now`, with the telemetry that it was made on. All
    /// its orders are pushed together: one delay per decision.
    pub fn submit(&mut self, telemetry: &Telemetry, actions: Vec<Action>) -> Submission {
        let mut submission = Submission::default();
        for mut action in actions {
            let reason = self.meaningless(&action, telemetry);
            if let Some(reason) = reason {
                // It would mean as little if it was asked for again.
                submission.refusals.push(Refusal {
                    action,
                    market: None,
                    reason,
                    again: false,
                });
                continue;
            }
            for (market, reason) in self.keep_stranded(&mut action, telemetry) {
                submission.refusals.push(Refusal {
                    action: action.clone(),
                    market: Some(market),
                    reason,
                    again: false,
                });
            }
            match self.refuse(&action, telemetry) {
                Some(reason) => {
                    let again = self.note_undone(&action, &reason, telemetry.now + TOLD_AGAIN);
                    submission.refusals.push(Refusal {
                        action,
                        market: None,
                        reason,
                        again,
                    });
                }
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

    /// An order reached nobody at `now`. Nobody answers the push, which is noticed when it times out.
    pub fn lost(&mut self, action: &Action, now: Time) {
        let newer = target(action).and_then(|target| self.last.get(&target));
        if newer.is_none_or(|effective| *effective <= now) {
            let noticed = now + self.push_timeout.max(TOLD_AGAIN);
            self.note_undone(action, "it reached nobody", noticed);
        }
    }

    /// What the policy is told at `now` of requests that did not happen.
    pub fn undone(&mut self, now: Time) -> Vec<Action> {
        let due = self.undone.values_mut().filter(|undone| undone.told <= now);
        due.map(|undone| {
            undone.told = now + TOLD_AGAIN;
            undone.action.clone()
        })
        .collect()
    }

    /// When the policy is told first of what did not happen, if that is later than `now`.
    pub fn next_time(&self, now: Time) -> Time {
        let told = self.undone.values().map(|undone| undone.told);
        told.filter(|told| *told > now).min().unwrap_or(Time::NEVER)
    }

    /// Remembers what did not happen; whether the same was the case the last time.
    fn note_undone(&mut self, action: &Action, reason: &str, told: Time) -> bool {
        let Some(target) = target(action) else {
            return false;
        };
        let new = Undone {
            action: action.clone(),
            reason: reason.into(),
            told,
        };
        let last = self.undone.insert(target, new);
        last.is_some_and(|last| last.reason == reason)
    }

    /// Why a request means nothing, if it does not: who and what it is about does not exist, or its
    /// numbers are none.
    fn meaningless(&self, action: &Action, telemetry: &Telemetry) -> Option<String> {
        let (regions, markets) = (self.names.len(), telemetry.markets.len());
        if let Some(region) = about(action).filter(|region| *region >= regions) {
            return Some(format!("there is no region {region} of {regions}"));
        }
        match action {
            Action::SetDns { market, .. } | Action::Prewarm { market, .. }
                if *market >= markets =>
            {
                Some(format!("there is no market {market}"))
            }
            Action::SetDns { weights, .. } => self.no_shares(weights),
            Action::SetRoutes { shares, .. } if shares.len() != markets => Some(format!(
                "shares for {} markets instead of {markets}",
                shares.len()
            )),
            Action::SetRoutes { shares, .. } => shares.iter().find_map(|row| self.no_shares(row)),
            Action::Scale {
                region, service, ..
            } if *service >= telemetry.regions[*region].services.len() => {
                Some(format!("there is no service {service} to scale"))
            }
            _ => None,
        }
    }

    fn no_shares(&self, shares: &[f64]) -> Option<String> {
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
        ((sum - 1.0).abs() > TOLERANCE).then(|| format!("shares sum to {sum}, not to one"))
    }

    /// Why a request that means something must not be obeyed now, if it must not.
    fn refuse(&self, action: &Action, telemetry: &Telemetry) -> Option<String> {
        let dead = |region: RegionId| {
            let dead = telemetry.regions[region].dead == Some(true);
            let name = &self.names[region];
            dead.then(|| format!("{name} is believed dead: the order would reach nobody"))
        };
        match *action {
            Action::ReleaseDark { region }
            | Action::FreezeScaleIn { region, .. }
            | Action::Prewarm { region, .. } => dead(region),
            Action::Scale {
                region,
                service,
                instances,
            } => dead(region).or_else(|| {
                let most = telemetry.regions[region].services[service].most;
                let fits = instances as f64 <= most;
                (!fits).then(|| format!("{instances} instances are more than the {most} allowed"))
            }),
            // An unknown capacity is none.
            Action::ActivateDark { region } => dead(region).or_else(|| {
                let has = telemetry.regions[region].dark_capacity > 0.0;
                let name = &self.names[region];
                (!has).then(|| format!("{name} has no dark capacity left"))
            }),
            Action::SetRoutes { .. } | Action::SetDns { .. } => self
                .refuse_dead_target(action, telemetry)
                .or_else(|| self.refuse_cool_down(action, telemetry)),
            Action::Isolate { .. } | Action::EnterPhase { .. } => None,
        }
    }

    /// Lets the markets stay where they are that new routes would send to a region that is believed
    /// dead, with the reason, unless that is true of all of them.
    fn keep_stranded(&self, action: &mut Action, telemetry: &Telemetry) -> Vec<(MarketId, String)> {
        let Action::SetRoutes { from, shares } = action else {
            return Vec::new();
        };
        let (from, mut kept) = (*from, shares.clone());
        let mut stranded = Vec::new();
        for (market, row) in shares.iter().enumerate() {
            let changes = |region| row[region] - self.routed(from, market, region);
            if let Some(reason) = self.dead_target(telemetry, changes) {
                kept[market] = (0..self.names.len())
                    .map(|region| self.routed(from, market, region))
                    .collect();
                stranded.push((market, reason));
            }
        }
        if stranded.len() == shares.len() {
            return Vec::new();
        }
        *shares = kept;
        stranded
    }

    /// Share of a market that enters at `from` that was last sent to `region`.
    fn routed(&self, from: RegionId, market: MarketId, region: RegionId) -> f64 {
        let unchanged = if region == from { 1.0 } else { 0.0 };
        let last = self.routes[from].get(market);
        last.map_or(unchanged, |shares| shares[region])
    }

    fn refuse_dead_target(&self, action: &Action, telemetry: &Telemetry) -> Option<String> {
        self.dead_target(telemetry, |region| {
            let changes = self.changes(action, telemetry, region);
            changes.fold(f64::NEG_INFINITY, f64::max)
        })
    }

    /// Why an order must not be obeyed that raises the shares of regions so much, if it must not.
    fn dead_target(
        &self,
        telemetry: &Telemetry,
        raised: impl Fn(RegionId) -> f64,
    ) -> Option<String> {
        if telemetry.regions.iter().all(|r| r.dead != Some(false)) {
            return None;
        }
        let dead = |region: &RegionId| telemetry.regions[*region].dead == Some(true);
        let target = (0..self.names.len())
            .filter(dead)
            .find(|region| raised(*region) > TOLERANCE)
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
                let changes = shares.iter().enumerate().map(move |(market, shares)| {
                    shares[region] - self.routed(*from, market, region)
                });
                Box::new(changes)
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
        if let Some(target) = target(action) {
            self.undone.remove(&target);
        }
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
