//! What the control plane is told of regions besides probes: SLIs of windows that are past, what
//! follows from them or from a person who notices, and who agrees to a return. Only where the policy
//! looks at any of it.

use super::Run;
use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::observation::Observation;
use crate::model::outcome::Window;
use crate::model::policy::{Detect, Knobs, Phase, WatchedSli};
use crate::model::scenario::RegionId;
use crate::model::telemetry::RegionTelemetry;
use crate::simulate::events::Event;
use crate::slis;
use crate::units::{Span, Time};
use std::collections::BTreeMap;

/// What is known of the regions besides probes.
pub struct Watching {
    /// Whether the policy looks at SLIs.
    slis: bool,
    /// Regions whose SLI is beyond the policy's limit, or of which a person said so.
    failing: Vec<bool>,
    /// Episodes that hit each region, that a person has noticed, and of whose end nobody knows yet.
    noticed: Vec<usize>,
    /// When a person will notice that an episode has begun, per episode, as long as nobody has.
    unnoticed: BTreeMap<usize, Time>,
    /// Times that somebody noticed something of each region.
    notices: Vec<u64>,
    /// When the return of each region's traffic will have been agreed to, once it was asked for.
    agreed: Vec<Option<Time>>,
    /// Times that it was asked for.
    asked: Vec<u64>,
    /// Weights of DNS in normal times, per market.
    planned: Vec<Vec<f64>>,
}

impl Watching {
    /// Nothing is known yet; `planned` are the weights of DNS at the beginning.
    pub fn new(knobs: &Knobs, regions: usize, planned: Vec<Vec<f64>>) -> Watching {
        let sli = matches!(knobs.detect, Detect::Sli { .. });
        let gated = knobs.gate_utilisation.is_finite();
        Watching {
            slis: knobs.failover && (sli || gated || knobs.failback.automatic),
            failing: vec![false; regions],
            noticed: vec![0; regions],
            unnoticed: BTreeMap::new(),
            notices: vec![0; regions],
            agreed: vec![None; regions],
            asked: vec![0; regions],
            planned,
        }
    }

    /// Weights of DNS in normal times.
    pub fn planned(&self, market: usize) -> &[f64] {
        &self.planned[market]
    }
}

impl Run<'_> {
    /// A window has closed: it is reported later, and then the policy looks again.
    pub(super) fn report_window(&mut self) {
        if !self.watching.slis {
            return;
        }
        if let Some(window) = self.outcome.windows.last() {
            let known = window.until + self.sim.scenario.control.delay;
            self.queue.push(known, Event::Reported);
        }
    }

    /// Whether the control plane hears nothing of a region, or of any: it is blind, or its home region
    /// is dark.
    pub(super) fn blind(&self, region: Option<RegionId>) -> bool {
        let home = self.sim.scenario.control.home;
        let condition = &self.world.condition;
        region.map_or(condition.hears_nothing(), |r| condition.hears_nothing_of(r))
            || home.is_some_and(|home| self.world.regions[home].dark.is_some())
    }

    /// The windows that have been reported.
    fn reported(&self) -> &[Window] {
        let delay = self.sim.scenario.control.delay;
        let windows = &self.outcome.windows;
        &windows[..windows.partition_point(|w| w.until + delay <= self.now)]
    }

    /// Looks at the SLI that the policy watches, in every region.
    pub(super) fn look_at_slis(&mut self) {
        let Detect::Sli {
            sli,
            limit,
            lasting,
        } = self.sim.scenario.policy.knobs.detect
        else {
            return;
        };
        let looks_bad = self.reports.newest(self.now).looks_bad.clone();
        let allowed = (1.0 - self.sim.scenario.budget.target).max(1e-12);
        for region in 0..self.watching.failing.len() {
            // Nobody sees a metric: what was believed stays.
            if self.blind(Some(region)) {
                continue;
            }
            let was = self.watching.failing[region];
            let mut beyond = Span::ZERO;
            let mut known = false;
            for window in self.reported().iter().rev() {
                let Some(value) = watched(sli, &window.regions[region], allowed) else {
                    break;
                };
                known = true;
                let bad = match sli {
                    WatchedSli::StartSuccess => value < limit,
                    _ => value > limit,
                };
                if !bad {
                    break;
                }
                beyond = beyond + window.until.since(window.from);
                if beyond >= lasting {
                    break;
                }
            }
            let bad = known && beyond >= lasting && !beyond.is_zero();
            // A region without traffic shows no SLI: then its health checks must be fine again.
            let is = if known { bad } else { was && looks_bad[region] };
            self.say_failing(region, is, "its SLI is beyond the policy's limit");
        }
    }

    fn say_failing(&mut self, region: RegionId, is: bool, cause: &str) {
        if std::mem::replace(&mut self.watching.failing[region], is) == is {
            return;
        }
        self.tell_operator(region);
        if is && self.fault_began() && self.watch.hits(region) {
            self.outcome.marks.detect.get_or_insert(self.now);
        }
        let name = &self.sim.scenario.regions[region].name;
        let (what, cause) = match is {
            true => (format!("{name} is to be evacuated"), cause),
            false => (format!("{name} is well again"), ""),
        };
        let entry = self.entry("control plane", what, cause);
        self.outcome.log.push(entry);
    }

    /// An episode begins or ends that a person will notice, where persons do. What is over before
    /// anybody has noticed it is never noticed.
    pub(super) fn will_be_noticed(&mut self, episode: usize, begins: bool) {
        let Detect::Manual { notice } = &self.sim.scenario.policy.knobs.detect else {
            return;
        };
        let Some(region) = self.episodes[episode].impairment.evacuable() else {
            return;
        };
        let name = &self.sim.scenario.regions[region].name;
        let stream = Stream::new(self.seed, self.replication, "notice", name);
        let mut draws = stream.draws(self.watching.notices[region], 0);
        self.watching.notices[region] += 1;
        let at = self.now + Span::from_secs(sampling::sample(&mut draws, notice));
        let unnoticed = &mut self.watching.unnoticed;
        if begins {
            unnoticed.insert(episode, at);
        } else if unnoticed.get(&episode).is_some_and(|&begun| at <= begun) {
            unnoticed.remove(&episode);
            return;
        }
        self.queue.push(at, Event::Noticed { episode, begins });
    }

    /// A person notices that an episode has hit a region, or that it is over.
    pub(super) fn noticed(&mut self, episode: usize, begins: bool) {
        let Some(region) = self.episodes[episode].impairment.evacuable() else {
            return;
        };
        if !begins {
            self.watching.noticed[region] -= 1;
        } else if self.watching.unnoticed.remove(&episode).is_some() {
            self.watching.noticed[region] += 1;
        }
        self.heed_notices(region);
    }

    /// What people have noticed of a region is heeded, once the control plane hears of the region.
    pub(super) fn heed_notices(&mut self, region: RegionId) {
        let people = matches!(self.sim.scenario.policy.knobs.detect, Detect::Manual { .. });
        if people && !self.blind(Some(region)) {
            let is = self.watching.noticed[region] > 0;
            self.say_failing(region, is, "a person has noticed");
            self.tell_operator(region);
        }
    }

    /// Whoever decides hears what is known of a region, while anything is.
    pub(super) fn tell_operator(&mut self, region: RegionId) {
        if let Some(dead) = self.believed_dead(region) {
            self.operator.believes(region, dead, self.now);
        }
        let failing = self.failing(region);
        self.operator.says_failing(region, failing, self.now);
    }

    /// Whether a region is to be evacuated although it is not dead.
    pub(super) fn failing(&self, region: RegionId) -> bool {
        self.watching.failing[region] || self.guards.alarmed(region)
    }

    /// Whether a region is believed dead; what nobody has noticed is not, where a person must.
    pub(super) fn believed_dead(&self, region: RegionId) -> Option<bool> {
        if self.blind(Some(region)) {
            return None;
        }
        let dead = self.monitor.dead(region)?;
        let waits = matches!(self.sim.scenario.policy.knobs.detect, Detect::Manual { .. });
        Some(dead && (!waits || self.watching.noticed[region] > 0))
    }

    /// A region's SLIs as the last report has them.
    pub(super) fn last_slis(&self, region: RegionId, known: &mut RegionTelemetry) {
        if !self.watching.slis || self.blind(Some(region)) {
            return;
        }
        if let Some(window) = self.reported().last() {
            let seen = &window.regions[region];
            known.error_rate = errors(seen);
            known.latency_p99_secs = seen.latency.quantile(0.99);
            known.start_success =
                slis::find("eligible_start_success").and_then(|s| s.measure(seen));
            known.utilisation = (seen.slot_secs > 0.0).then_some(seen.hottest_pool);
        }
    }

    /// Whether whoever decides has agreed to a region's return.
    pub(super) fn may_return(&self, region: RegionId) -> bool {
        self.watching.agreed[region].is_some_and(|at| at <= self.now)
    }

    /// A policy's label for a region's failover; what is measured of the return follows from it.
    pub(super) fn enter(&mut self, region: RegionId, phase: Phase) {
        self.outcome.marks.phases.push((region, phase, self.now));
        self.log(region, format!("enters {}", phase.name()), "");
        match phase {
            Phase::FailbackReady => self.ask_for_return(region),
            Phase::GradualReturn => {
                self.outcome.marks.failback_begins.get_or_insert(self.now);
            }
            Phase::Normal => {
                let all = self.memory.regions.iter().all(|m| m.phase == Phase::Normal);
                if all && self.outcome.marks.failback_begins.is_some() {
                    self.outcome.marks.failback = Some(self.now);
                }
            }
            _ => self.watching.agreed[region] = None,
        }
    }

    fn ask_for_return(&mut self, region: RegionId) {
        let name = &self.sim.scenario.regions[region].name;
        let stream = Stream::new(self.seed, self.replication, "decide-return", name);
        let mut draws = stream.draws(self.watching.asked[region], 0);
        self.watching.asked[region] += 1;
        let decide = &self.sim.scenario.policy.knobs.failback.decide;
        let at = self.now + Span::from_secs(sampling::sample(&mut draws, decide));
        self.watching.agreed[region] = Some(at);
        if self.sim.scenario.policy.knobs.failback.automatic {
            self.queue.push(at, Event::Reported);
        }
    }

    /// Whether a fault has begun, or there is none.
    pub(super) fn fault_began(&self) -> bool {
        let fault = self.outcome.marks.fault;
        fault.is_none_or(|fault| fault <= self.now)
    }
}

/// Share of what was asked of a region that it failed: what its clients see, or what its edges see and
/// try elsewhere, whichever is more.
fn errors(seen: &Observation) -> Option<f64> {
    let failed = (seen.answered_error + seen.unreachable) as f64;
    let all = seen.answered_ok as f64 + failed;
    let clients = (all > 0.0).then(|| failed / all);
    let edges = (seen.asked > 0.0).then(|| seen.asked_failed / seen.asked);
    [clients, edges].into_iter().flatten().reduce(f64::max)
}

fn watched(sli: WatchedSli, seen: &Observation, allowed: f64) -> Option<f64> {
    let starts = || slis::find("eligible_start_success").and_then(|s| s.measure(seen));
    match sli {
        WatchedSli::ErrorRate => errors(seen),
        WatchedSli::Latency => seen.latency.quantile(0.99),
        WatchedSli::StartSuccess => starts(),
        WatchedSli::BurnRate => starts().map(|good| (1.0 - good) / allowed),
    }
}
