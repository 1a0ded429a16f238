//! The control plane of a replication: what the policy is told, what it orders, and what the orders do.

use super::Run;
use crate::control::actuator::Refusal;
use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::action::Action;
use crate::model::policy::Scope;
use crate::model::scenario::{MarketId, RegionId, Scenario, ServiceId};
use crate::model::telemetry::{MarketTelemetry, RegionTelemetry, Telemetry};
use crate::simulate::events::Event;
use crate::units::{Span, Time};

impl Run<'_> {
    pub(super) fn carry_out(&mut self, action: Action) {
        let scenario = &self.sim.scenario;
        let felt = match &action {
            Action::SetRoutes { from, .. } => self.traffic.reaches(*from),
            Action::Isolate { region, .. }
            | Action::Prewarm { region, .. }
            | Action::ReleaseDark { region } => self.traffic.reaches(*region),
            // What these change comes later: a new answer, the first instance in service.
            Action::SetDns { .. }
            | Action::ActivateDark { .. }
            | Action::Scale { .. }
            | Action::FreezeScaleIn { .. }
            | Action::EnterPhase { .. } => false,
        };
        if felt {
            self.touch();
        }
        match action {
            Action::SetRoutes { from, shares } => {
                let what = format!(
                    "new routes for what enters here{}: {}",
                    self.scope_words(),
                    self.mean_shares(&shares)
                );
                self.log(from, what, "pushed to its proxies, which poll");
                self.world.routes[from].push(self.now, shares);
            }
            Action::SetDns { market, weights } => {
                let stream = Stream::new(
                    self.seed,
                    self.replication,
                    "propagation",
                    &scenario.markets[market].name,
                );
                let (pushed, newest) = &mut self.pushes[market];
                let mut draws = stream.draws(*pushed, 0);
                *pushed += 1;
                let delay = sampling::sample(&mut draws, &scenario.dns.propagation);
                let at = (self.now + Span::from_secs(delay)).max(*newest);
                *newest = at;
                self.queue.push(at, Event::Answer { market, weights });
            }
            Action::ActivateDark { region }
            | Action::ReleaseDark { region }
            | Action::Scale { region, .. }
            | Action::FreezeScaleIn { region, .. }
            | Action::Prewarm { region, .. }
                if self.world.regions[region].dark.is_some() =>
            {
                self.log(
                    region,
                    "an order reaches nobody".into(),
                    "the region is dark",
                );
                self.actuator.lost(&action, self.now);
                self.tell_undone();
                if matches!(action, Action::Prewarm { .. }) {
                    self.warming[region] = Some(Time::NEVER);
                }
            }
            Action::ActivateDark { region } => {
                let called = self.world.regions[region].activate_dark(scenario, self.now);
                self.log(
                    region,
                    format!("{called} dark instances are called into service"),
                    "",
                );
            }
            Action::ReleaseDark { region } => {
                let released = self.world.regions[region].release_dark();
                if released > 0 {
                    let what = format!("{released} instances are dark capacity again");
                    self.log(region, what, "");
                }
            }
            Action::Scale {
                region,
                service,
                instances,
            } => self.scale(region, service, instances),
            Action::FreezeScaleIn { region, on } => {
                self.world.regions[region].freeze_scale_in(on);
                let what = if on {
                    "no instance is taken out from now on"
                } else {
                    "instances may be taken out again"
                };
                self.log(region, what.into(), "");
            }
            Action::Prewarm { region, market } => {
                self.mirror(region, market);
            }
            Action::Isolate { region, on } => {
                self.world.isolated[region] = on;
                let what = if on {
                    "is isolated: no retries from or to it"
                } else {
                    "is no longer isolated"
                };
                self.log(region, what.into(), "");
            }
            Action::EnterPhase { region, phase } => self.enter(region, phase),
        }
    }

    /// The authoritative servers give a new answer, unless the provider is stuck: then it waits.
    pub(super) fn answer(&mut self, market: MarketId, mut weights: Vec<f64>) {
        let name = &self.sim.scenario.markets[market].name;
        if self.world.condition.dns_stuck() {
            let what = format!("a new answer for {name} waits");
            let entry = self.entry("dns", what, "changes take no effect");
            self.outcome.log.push(entry);
            self.stuck.retain(|waiting| waiting.0 != market);
            self.stuck.push((market, weights));
            return;
        }
        self.touch();
        if !self.world.reach.admit(market, &mut weights) {
            let what = format!("the answer for {name} stays as it is");
            let cause = "no region of the new one may serve it";
            self.outcome.log.push(self.entry("dns", what, cause));
            return;
        }
        self.world
            .set_answer(&self.sim.plan.lanes, self.now, market, &weights);
        let view = self.view();
        self.traffic.answer_changed(&view, self.now, market);
        let what = format!(
            "{name}{} is answered {}",
            self.scope_words(),
            self.shares(&weights)
        );
        let entry = self.entry("dns", what, "");
        self.outcome.log.push(entry);
    }

    /// Sends a region the lookups that a market makes elsewhere.
    pub(super) fn mirror(&mut self, region: RegionId, market: usize) {
        let plan = &self.sim.plan;
        let markets = plan.graph.markets;
        let rates: Vec<f64> = (0..plan.graph.caches.len())
            .map(|c| {
                let cell = c * markets + market;
                let served =
                    |r: &crate::world::region::Region| r.flow.lookups[cell] - r.flow.mirrored[cell];
                let living = self.world.regions.iter().filter(|r| r.dark.is_none());
                let lookups: f64 = living.map(served).sum();
                lookups * self.traffic.lookups_that_move(plan, c, market)
            })
            .collect();
        self.world.regions[region].mirror(market, &rates);
        let total: f64 = rates.iter().sum();
        self.mirrored.push((region, market, total));
        let name = &self.sim.scenario.markets[market].name;
        self.log(
            region,
            format!("its caches are warmed for {name}"),
            "mirrored lookups",
        );
    }

    /// A market that is served where its lookups were mirrored needs no mirror.
    pub(super) fn stop_mirrors(&mut self) {
        let plan = &self.sim.plan;
        let markets = plan.graph.markets;
        let world = &mut self.world;
        self.mirrored.retain(|&(region, market, wanted)| {
            let flow = &world.regions[region].flow;
            let real: f64 = (0..plan.graph.caches.len())
                .map(|c| flow.lookups[c * markets + market] - flow.mirrored[c * markets + market])
                .sum();
            let home = self.sim.scenario.markets[market].near[0];
            let cut = |r: RegionId| world.regions[r].dark.is_some();
            let done = real > 0.05 * wanted || cut(region) || cut(home);
            if done {
                let none = vec![0.0; plan.graph.caches.len()];
                world.regions[region].mirror(market, &none);
            }
            !done
        });
    }

    /// Asks the policy, and submits what it wants.
    pub(super) fn ask_policy(&mut self) {
        // Nobody decides while the control plane is down; when it is back it sees what is then.
        if self.world.condition.control_down() {
            return;
        }
        let telemetry = self.telemetry();
        let knobs = &self.sim.scenario.policy.knobs;
        let decision = self.sim.policy.decide(knobs, &telemetry, &self.memory);
        self.memory = decision.memory;
        self.wake = decision
            .wake
            .filter(|&at| at > self.now)
            .unwrap_or(Time::NEVER);
        let mut orders = Vec::new();
        for action in decision.actions {
            match action {
                Action::EnterPhase { region, phase } if region < telemetry.regions.len() => {
                    self.enter(region, phase);
                }
                other => orders.push(other),
            }
        }
        if orders.is_empty() {
            return;
        }
        let submission = self.actuator.submit(&telemetry, orders);
        for refusal in submission.refusals {
            self.refused(&refusal);
        }
        self.tell_undone();
        if submission.failed_pushes > 0 {
            let what = format!(
                "a push failed {} times and was repeated",
                submission.failed_pushes
            );
            let entry = self.entry("actuator", what, "");
            self.outcome.log.push(entry);
        }
        for order in submission.orders {
            let moves = matches!(
                order.action,
                Action::SetRoutes { .. } | Action::SetDns { .. } | Action::ActivateDark { .. }
            );
            // What a false alarm before the fault has caused is not counted from the fault.
            let marks = &mut self.outcome.marks;
            let about =
                marks.fault.is_none_or(|fault| fault <= self.now) || !self.announced.is_empty();
            if about {
                marks.first_action.get_or_insert(self.now);
            }
            if moves && about {
                marks.decide.get_or_insert(self.now);
            }
            match &order.action {
                Action::SetRoutes { from, .. } => self.routed[*from] = order.effective,
                Action::Prewarm { region, .. } => self.warming[*region] = Some(order.effective),
                _ => {}
            }
            self.queue
                .push(order.effective, Event::Effective(order.action));
        }
    }

    /// What was refused is said once for as long as it lasts, and nobody has it.
    fn refused(&mut self, refusal: &Refusal) {
        let scenario = &self.sim.scenario;
        if let (Action::SetRoutes { from, .. }, None) = (&refusal.action, refusal.market)
            && let Some(routed) = self.routed.get_mut(*from)
        {
            *routed = Time::NEVER;
        }
        if refusal.again {
            return;
        }
        let part = match refusal.market {
            Some(market) => format!(" as far as {} goes", scenario.markets[market].name),
            None => String::new(),
        };
        let what = format!("refuses {}{part}", describe(&refusal.action, scenario));
        let entry = self.entry("actuator", what, &refusal.reason);
        self.outcome.log.push(entry);
    }

    /// The policy looks again when it will have been told of what did not happen.
    fn tell_undone(&mut self) {
        let told = self.actuator.next_time(self.now);
        if told < Time::NEVER {
            self.queue.push(told, Event::Reported);
        }
    }

    pub(super) fn telemetry(&mut self) -> Telemetry {
        let scenario = &self.sim.scenario;
        let watched: Vec<RegionTelemetry> = (0..scenario.regions.len())
            .map(|r| self.watched(r))
            .collect();
        let report = self.reports.newest(self.now);
        let mut telemetry = Telemetry {
            now: self.now,
            regions: watched
                .into_iter()
                .enumerate()
                .map(|(r, watched)| RegionTelemetry {
                    capacity: report.capacity[r],
                    dark_capacity: report.dark[r],
                    load: report.regions[r],
                    // A report from before the newest routes says nothing of them.
                    routes_current: if report.at <= self.routed[r] {
                        0.0
                    } else {
                        report.routes[r]
                    },
                    // Nor of what was to be warmed and was not.
                    warmed: if self.warming[r].is_some_and(|at| report.at <= at) {
                        0.0
                    } else {
                        report.warmed[r]
                    },
                    booted: report.booted[r],
                    replicated: report.replicated[r],
                    ..watched
                })
                .collect(),
            markets: (0..scenario.markets.len())
                .map(|m| MarketTelemetry {
                    near: scenario.markets[m].near.clone(),
                    load: report.markets[m],
                    stays: report.markets[m] * report.stays.get(m).copied().unwrap_or(0.0),
                    dns: self.world.answers[m].clone(),
                    planned: self.watching.planned(m).to_vec(),
                    may: (0..scenario.regions.len())
                        .map(|r| self.world.reach.may(m, r))
                        .collect(),
                    market: m,
                    need: Vec::new(),
                    need_stays: Vec::new(),
                })
                .collect(),
            announced: self.announced.clone(),
            undone: self.actuator.undone(self.now),
        };
        self.tell_needs(&mut telemetry);
        self.operator.show(&mut telemetry);
        telemetry
    }

    /// What is known of a region besides its load.
    fn watched(&self, region: RegionId) -> RegionTelemetry {
        let mut known = RegionTelemetry {
            dead: self.believed_dead(region),
            dead_since: self.monitor.dead_since(region),
            failing: self.failing(region),
            may_return: self.may_return(region),
            ..RegionTelemetry::default()
        };
        self.last_slis(region, &mut known);
        known
    }

    /// What the policy moves, if it is not everything: said after whose routes or answers change.
    fn scope_words(&self) -> String {
        let scenario = &self.sim.scenario;
        let list = |names: Vec<&str>| names.join(", ");
        if self.sim.plan.lanes.count() == 1 {
            return String::new();
        }
        match &scenario.policy.knobs.scope {
            Scope::Region => String::new(),
            Scope::Services(services) => {
                let names = services.iter().map(|&v| scenario.services[v].name.as_str());
                format!(" on its way to {}", list(names.collect()))
            }
            Scope::Devices(classes) => {
                let names = classes.iter().map(|&k| scenario.devices[k].name.as_str());
                format!(" from {} devices", list(names.collect()))
            }
        }
    }

    pub(super) fn shares(&self, weights: &[f64]) -> String {
        let parts: Vec<String> = weights
            .iter()
            .zip(&self.sim.scenario.regions)
            .filter(|(w, _)| **w > 0.0)
            .map(|(w, region)| format!("{} {:.0} %", region.name, w * 100.0))
            .collect();
        parts.join(", ")
    }

    /// Shares over all markets, weighted by their demand at the beginning.
    pub(super) fn mean_shares(&self, shares: &[Vec<f64>]) -> String {
        let mut mean = vec![0.0; self.sim.scenario.regions.len()];
        let mut all = 0.0;
        for (row, demand) in shares.iter().zip(&self.sim.plan.demand) {
            let rate = demand.rate(self.now.secs());
            all += rate;
            for (sum, share) in mean.iter_mut().zip(row) {
                *sum += rate * share;
            }
        }
        mean.iter_mut().for_each(|share| *share /= all.max(1e-300));
        self.shares(&mean)
    }
}

/// An order in a few words. What a policy asks for may be about what does not exist.
fn describe(action: &Action, scenario: &Scenario) -> String {
    let name = |region: RegionId| match scenario.regions.get(region) {
        Some(region) => region.name.clone(),
        None => format!("region {region}"),
    };
    let service = |v: ServiceId| match scenario.services.get(v) {
        Some(service) => service.name.clone(),
        None => format!("service {v}"),
    };
    match action {
        Action::SetRoutes { from, .. } => format!("new routes for {}", name(*from)),
        Action::SetDns { market, .. } => match scenario.markets.get(*market) {
            Some(market) => format!("a new answer for {}", market.name),
            None => format!("a new answer for market {market}"),
        },
        Action::ActivateDark { region } => format!("to call dark capacity in {}", name(*region)),
        Action::ReleaseDark { region } => format!("to release dark capacity in {}", name(*region)),
        Action::Scale {
            region,
            service: v,
            instances,
        } => format!(
            "{instances} instances of {} in {}",
            service(*v),
            name(*region)
        ),
        Action::FreezeScaleIn { region, on } => format!(
            "to {} scale-in in {}",
            if *on { "freeze" } else { "allow" },
            name(*region)
        ),
        Action::Prewarm { region, .. } => format!("to warm the caches of {}", name(*region)),
        Action::Isolate { region, .. } => format!("to isolate {}", name(*region)),
        Action::EnterPhase { region, .. } => format!("a phase of {}", name(*region)),
    }
}
