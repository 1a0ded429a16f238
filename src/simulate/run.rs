//! The loop of one replication: advance the traffic to the next event, let the event happen, ask the
//! policy.

use super::Simulator;
use super::digest::digest;
use super::events::Event;
use super::marks::Watch;
use super::reports::{Report, Reports};
use crate::control::actuator::Actuator;
use crate::control::monitor::Monitor;
use crate::control::operator::Operator;
use crate::engine::queue::Queue;
use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::faults;
use crate::model::action::Action;
use crate::model::episode::{Episode, Impairment};
use crate::model::observation::Observation;
use crate::model::outcome::{Entry, Marks, Outcome, OutsideValidity, Window};
use crate::model::policy::{Memory, Phase};
use crate::model::scenario::{RegionId, Scenario};
use crate::model::telemetry::{Announced, MarketTelemetry, RegionTelemetry, Telemetry};
use crate::traffic::arrivals::Address;
use crate::traffic::cohort::{Cohort, PIECES, View};
use crate::units::{Span, Time};
use crate::world::edge::Ejection;
use crate::world::state::World;

/// A replication under way.
pub struct Run<'a> {
    sim: &'a Simulator,
    seed: u64,
    replication: u64,
    now: Time,
    /// Up to when the traffic was advanced.
    flowed: Time,
    /// Whether the next step may be long.
    calm: bool,
    end: Time,
    queue: Queue<Event>,
    episodes: Vec<Episode>,
    active: Vec<bool>,
    announced: Vec<Announced>,
    world: World,
    cohort: Cohort,
    monitor: Monitor,
    operator: Operator,
    actuator: Actuator,
    memory: Memory,
    wake: Time,
    reports: Reports,
    watch: Watch,
    outcome: Outcome,
    window_from: Time,
    window_end: Time,
    address: Address,
    pushes: Vec<u64>,
    mirrored: Vec<(RegionId, usize, f64)>,
    /// When the newest routes of each edge reach the proxies' source.
    routed: Vec<Time>,
    doubtful_since: Option<Time>,
    last_miss: Vec<f64>,
}

impl<'a> Run<'a> {
    /// The beginning of a replication.
    pub fn new(sim: &'a Simulator, seed: u64, replication: u64) -> Run<'a> {
        let (scenario, plan) = (&sim.scenario, &sim.plan);
        let knobs = &scenario.policy.knobs;
        let world = World::new(scenario, plan, knobs, seed, replication);
        let view = View {
            scenario,
            plan,
            knobs,
            cut: sim.cut.as_ref(),
            laws: &sim.laws,
        };
        let cohort = Cohort::new(&view, &world, seed, replication);
        let mut queue = Queue::new();
        let mut episodes = Vec::new();
        for fault in &scenario.faults {
            if let Some(kind) = faults::find(&fault.kind) {
                episodes.extend(kind.episodes(fault));
            }
        }
        episodes.retain(|episode| episode.from < episode.until);
        for (i, episode) in episodes.iter().enumerate() {
            if let Some(at) = episode.announced {
                queue.push(at, Event::Announced(i));
            }
            queue.push(episode.from, Event::Begins(i));
            queue.push(episode.until, Event::Ends(i));
        }
        let end = Time::ZERO + scenario.horizon;
        let marks = Marks {
            fault: episodes.iter().map(|e| e.from).min(),
            fault_end: episodes.iter().map(|e| e.until).max(),
            ..Marks::default()
        };
        let sample = scenario.sample;
        let grid = marks.fault.map_or(0, |fault| fault.0 % sample.0);
        let window_end = Time(if grid > 0 { grid } else { sample.0 }).min(end);
        let names: Vec<String> = scenario.regions.iter().map(|r| r.name.clone()).collect();
        let regions = names.len();
        let first = report(sim, &world, None, Time::ZERO);
        Run {
            monitor: Monitor::new(&scenario.control, &names, seed, replication),
            operator: Operator::new(knobs, seed, replication, &names),
            actuator: Actuator::new(&scenario.control, knobs, seed, replication, &names),
            memory: Memory::default(),
            wake: Time::NEVER,
            reports: Reports::new(scenario, plan, first),
            watch: Watch::new(scenario),
            active: vec![false; episodes.len()],
            announced: Vec::new(),
            outcome: Outcome {
                marks,
                ..Outcome::default()
            },
            window_from: Time::ZERO,
            window_end,
            address: Address { cell: 0, cut: 0 },
            pushes: vec![0; scenario.markets.len()],
            mirrored: Vec::new(),
            routed: vec![Time::ZERO; regions],
            doubtful_since: None,
            last_miss: vec![0.0; regions],
            now: Time::ZERO,
            flowed: Time::ZERO,
            calm: false,
            sim,
            seed,
            replication,
            end,
            queue,
            episodes,
            world,
            cohort,
        }
    }

    fn view(&self) -> View<'a> {
        View {
            scenario: &self.sim.scenario,
            plan: &self.sim.plan,
            knobs: &self.sim.scenario.policy.knobs,
            cut: self.sim.cut.as_ref(),
            laws: &self.sim.laws,
        }
    }

    /// Runs until the horizon. Traffic advances in steps of its own; what the control plane does in
    /// between cuts a step only when it changes what the traffic meets.
    pub fn complete(mut self) -> Outcome {
        self.happen();
        while self.now < self.end {
            let (event, stop) = (self.next_event(), self.next_stop());
            self.now = event.min(stop);
            if stop <= event {
                self.flow();
                self.calm = self.is_calm();
            }
            self.happen();
        }
        self.finish()
    }

    /// Whether nothing moves, so that a step may be long.
    fn is_calm(&mut self) -> bool {
        let plan = &self.sim.plan;
        let mut steady = true;
        for (region, last) in self.world.regions.iter().zip(&mut self.last_miss) {
            let (all, misses) = region
                .flow
                .lookups
                .iter()
                .zip(&region.flow.miss)
                .fold((0.0, 0.0), |sum, (n, miss)| (sum.0 + n, sum.1 + n * miss));
            let miss = if all > 0.0 { misses / all } else { 0.0 };
            steady &= (miss - *last).abs() <= 1e-3 * last.max(1e-3) || plan.graph.caches.is_empty();
            *last = miss;
        }
        steady
            && self.outcome.steps > 0
            && self.cohort.calm()
            && self.world.routes.iter().all(|r| r.settled())
            && self
                .world
                .resolvers
                .iter()
                .flatten()
                .all(|r| r.next_time() >= self.end)
            && !self
                .world
                .regions
                .iter()
                .any(|r| !r.idle() && r.in_motion(self.now))
    }

    /// The end of the next step, if nothing cuts it.
    fn next_stop(&self) -> Time {
        let scenario = &self.sim.scenario;
        let after = |grid: Span| Time((self.flowed.0 / grid.0 + 1).saturating_mul(grid.0));
        let mut next = self.end.min(self.window_end).min(after(scenario.sample));
        if !self.calm {
            let pieces = if self.cohort.storms(&self.world) {
                PIECES
            } else {
                1
            };
            let piece = Span((scenario.step.0 / u64::from(pieces)).max(1));
            next = next.min(after(piece)).min(after(scenario.step));
        }
        let routes = self.world.routes.iter().map(|r| r.next_time(self.flowed));
        routes
            .filter(|&at| at > self.flowed)
            .fold(next, Time::min)
            .max(self.now)
    }

    /// When anything happens next besides traffic.
    fn next_event(&self) -> Time {
        let moments = [
            self.queue.peek_time().unwrap_or(Time::NEVER),
            self.monitor.next_time(),
            self.operator.next_time(),
            self.wake,
        ];
        let regions = self.world.regions.iter().map(|r| r.next_time());
        let later = moments
            .into_iter()
            .chain(regions)
            .filter(|&at| at > self.now);
        later.fold(Time::NEVER, Time::min)
    }

    /// Something is about to change what the traffic meets: it is advanced up to now.
    fn touch(&mut self) {
        self.flow();
        self.calm = false;
    }

    /// Advances the traffic up to now.
    fn flow(&mut self) {
        let (view, from, next) = (self.view(), self.flowed, self.now);
        if next <= from {
            return;
        }
        let cell = from.0 / view.scenario.step.0;
        self.address = if cell == self.address.cell && self.outcome.steps > 0 {
            Address {
                cell,
                cut: self.address.cut + 1,
            }
        } else {
            Address { cell, cut: 0 }
        };
        self.cohort
            .advance(&view, &mut self.world, (from, next), self.address);
        self.outcome.steps += 1;
        self.note_validity(next.since(from));
        self.flowed = next;
        for routes in &mut self.world.routes {
            if !routes.settled() {
                routes.settle(next, &view.scenario.edge.poll);
            }
        }
        self.watch.step(
            view.plan,
            &self.world,
            &self.cohort,
            next,
            &mut self.outcome.marks,
        );
        if next == self.window_end {
            self.close_window();
        }
        let report = report(self.sim, &self.world, Some(&self.cohort), next);
        self.reports.send(report);
        self.stop_mirrors();
    }

    /// Everything that is due now.
    fn happen(&mut self) {
        let mut asked = self.wake <= self.now;
        asked |= self.handle_due();
        if self.monitor.next_time() <= self.now {
            for change in self.monitor.advance(self.now) {
                asked = true;
                self.believe(change.region, change.dead);
            }
        }
        for r in 0..self.world.regions.len() {
            if self.world.regions[r].next_time() <= self.now {
                if !self.world.regions[r].idle() {
                    self.touch();
                }
                let before: u64 = self.world.regions[r]
                    .instances
                    .iter()
                    .map(|i| i.in_service())
                    .sum();
                self.world.regions[r].advance(self.now);
                let after: u64 = self.world.regions[r]
                    .instances
                    .iter()
                    .map(|i| i.in_service())
                    .sum();
                let still = self.world.regions[r].next_time() < Time::NEVER;
                if !still && after > before {
                    let what = format!("the last of {after} instances takes requests");
                    self.log(r, what, "");
                }
                asked = true;
            } else if self.world.regions[r].in_motion(self.now) {
                self.world.regions[r].advance(self.now);
            }
        }
        let busy = self.memory.regions.iter().any(|m| m.phase != Phase::Normal);
        if asked || busy || !self.announced.is_empty() || self.operator.next_time() <= self.now {
            self.ask_policy();
            // What it ordered without any delay takes effect at once.
            self.handle_due();
        }
    }

    /// Handles the events that are due; whether there were any.
    fn handle_due(&mut self) -> bool {
        let mut any = false;
        while self.queue.peek_time().is_some_and(|at| at <= self.now) {
            if let Some((_, event)) = self.queue.pop() {
                self.handle(event);
                any = true;
            }
        }
        any
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Begins(i) => self.begin(i),
            Event::Ends(i) => self.end(i),
            Event::Announced(i) => {
                let episode = &self.episodes[i];
                let Impairment::RegionDark { region, .. } = episode.impairment;
                let (at, until) = (episode.from, episode.until);
                self.announced.push(Announced { region, at, until });
                self.log(region, format!("a drill is announced for {at}"), "");
            }
            Event::Effective(action) => self.carry_out(action),
            Event::Answer { market, weights } => {
                self.touch();
                self.world.set_answer(self.now, market, &weights);
                let view = self.view();
                self.cohort.answer_changed(&view, self.now, market);
                let name = &self.sim.scenario.markets[market].name;
                let entry = self.entry(
                    "dns",
                    format!("{name} is answered {}", self.shares(&weights)),
                    "",
                );
                self.outcome.log.push(entry);
            }
        }
    }

    fn begin(&mut self, i: usize) {
        let Impairment::RegionDark { region, .. } = self.episodes[i].impairment;
        self.active[i] = true;
        let hang = self.hangs(region);
        if let Some(dark) = &mut self.world.regions[region].dark {
            dark.hang = hang;
            return;
        }
        if self.cohort.serving.reaches(region) {
            self.touch();
        }
        self.world.regions[region].goes_dark(self.now, hang);
        for ejections in &mut self.world.ejections {
            ejections[region] = Ejection {
                failing_since: Some(self.now),
            };
        }
        self.monitor.condition_changed(self.now, region, true, hang);
        let how = if hang {
            "connections hang"
        } else {
            "connections are refused"
        };
        self.log(region, "goes dark".into(), how);
    }

    /// Whether connections to a dark region hang: any of its active episodes may make them.
    fn hangs(&self, region: RegionId) -> bool {
        self.episodes
            .iter()
            .zip(&self.active)
            .any(|(episode, &active)| {
                let Impairment::RegionDark { region: hit, hang } = episode.impairment;
                active && hit == region && hang
            })
    }

    fn end(&mut self, i: usize) {
        let Impairment::RegionDark { region, .. } = self.episodes[i].impairment;
        self.active[i] = false;
        self.announced
            .retain(|a| a.region != region || a.until > self.now);
        let still = self
            .episodes
            .iter()
            .zip(&self.active)
            .any(|(other, &active)| {
                let Impairment::RegionDark { region: same, .. } = other.impairment;
                active && same == region
            });
        if still {
            let hang = self.hangs(region);
            if let Some(dark) = &mut self.world.regions[region].dark {
                dark.hang = hang;
            }
            return;
        }
        if self.cohort.serving.reaches(region) {
            self.touch();
        }
        self.world.regions[region].comes_back(&self.sim.scenario, &self.sim.plan, self.now);
        for ejections in &mut self.world.ejections {
            ejections[region] = Ejection::default();
        }
        self.monitor
            .condition_changed(self.now, region, false, false);
        self.log(
            region,
            "has power again: instances boot, caches are empty".into(),
            "the fault ends",
        );
    }

    fn believe(&mut self, region: RegionId, dead: bool) {
        self.operator.believes(region, dead, self.now);
        let hit = self.outcome.marks.fault.is_none() || self.watch.hits(region);
        let begun = self
            .outcome
            .marks
            .fault
            .is_none_or(|fault| fault <= self.now);
        if dead && hit && begun && self.outcome.marks.detect.is_none() {
            self.outcome.marks.detect = Some(self.now);
        }
        let what = format!(
            "{} is believed {}",
            self.sim.scenario.regions[region].name,
            if dead { "dead" } else { "alive" }
        );
        let truth = self.world.regions[region].dark.is_some();
        let cause = if truth == dead {
            "enough observers agree"
        } else {
            "probes were answered wrongly"
        };
        let entry = self.entry("control plane", what, cause);
        self.outcome.log.push(entry);
    }

    fn carry_out(&mut self, action: Action) {
        let scenario = &self.sim.scenario;
        let felt = match &action {
            Action::SetRoutes { from, .. } => self.cohort.serving.reaches(*from),
            Action::Isolate { region, .. } | Action::Prewarm { region, .. } => {
                self.cohort.serving.reaches(*region)
            }
            // What these change comes later: a new answer, the first instance in service.
            Action::SetDns { .. } | Action::ActivateDark { .. } | Action::EnterPhase { .. } => {
                false
            }
        };
        if felt {
            self.touch();
        }
        match action {
            Action::SetRoutes { from, shares } => {
                let what = format!(
                    "new routes for what enters here: {}",
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
                let mut draws = stream.draws(self.pushes[market], 0);
                self.pushes[market] += 1;
                let delay = sampling::sample(&mut draws, &scenario.dns.propagation);
                let at = self.now + Span::from_secs(delay);
                self.queue.push(at, Event::Answer { market, weights });
            }
            Action::ActivateDark { region } | Action::Prewarm { region, .. }
                if self.world.regions[region].dark.is_some() =>
            {
                self.log(
                    region,
                    "an order reaches nobody".into(),
                    "the region is dark",
                );
            }
            Action::ActivateDark { region } => {
                let called = self.world.regions[region].activate_dark(scenario, self.now);
                self.log(
                    region,
                    format!("{called} dark instances are called into service"),
                    "",
                );
            }
            Action::Prewarm { region, market } => self.mirror(region, market),
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

    fn enter(&mut self, region: RegionId, phase: Phase) {
        self.outcome.marks.phases.push((region, phase, self.now));
        self.log(region, format!("enters {}", phase.name()), "");
    }

    /// Sends a region the lookups that a market makes elsewhere.
    fn mirror(&mut self, region: RegionId, market: usize) {
        let plan = &self.sim.plan;
        let markets = plan.graph.markets;
        let rates: Vec<f64> = (0..plan.graph.caches.len())
            .map(|c| {
                let cell = c * markets + market;
                let served =
                    |r: &crate::world::region::Region| r.flow.lookups[cell] - r.flow.mirrored[cell];
                let living = self.world.regions.iter().filter(|r| r.dark.is_none());
                living.map(served).sum()
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

    /// Share of the steady hit ratio that a region's warming caches have, least warm market first.
    fn warmed(&self, region: RegionId) -> f64 {
        let plan = &self.sim.plan;
        let share = |market: usize| {
            let of: Vec<bool> = (0..plan.graph.markets).map(|m| m == market).collect();
            let here = &self.world.regions[region];
            match (here.hits(plan, &of), here.steady_hits(plan, &of)) {
                (Some((all, hits)), Some(steady)) if steady > 0.0 => (hits / all / steady).min(1.0),
                _ => 1.0,
            }
        };
        self.mirrored
            .iter()
            .filter(|m| m.0 == region)
            .map(|m| share(m.1))
            .fold(1.0, f64::min)
    }

    /// A market that is served where its lookups were mirrored needs no mirror.
    fn stop_mirrors(&mut self) {
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
    fn ask_policy(&mut self) {
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
                Action::EnterPhase { region, phase } => self.enter(region, phase),
                other => orders.push(other),
            }
        }
        if orders.is_empty() {
            return;
        }
        let submission = self.actuator.submit(&telemetry, orders);
        for refusal in submission.refusals {
            let what = format!("refuses {}", describe(&refusal.action, &self.sim.scenario));
            let entry = self.entry("actuator", what, &refusal.reason);
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
            if let Action::SetRoutes { from, .. } = &order.action {
                self.routed[*from] = order.effective;
            }
            self.queue
                .push(order.effective, Event::Effective(order.action));
        }
    }

    fn telemetry(&mut self) -> Telemetry {
        let scenario = &self.sim.scenario;
        let warmed: Vec<f64> = (0..scenario.regions.len())
            .map(|r| {
                if self.mirrored.is_empty() {
                    1.0
                } else {
                    self.warmed(r)
                }
            })
            .collect();
        let report = self.reports.newest(self.now);
        let mut telemetry = Telemetry {
            now: self.now,
            regions: (0..scenario.regions.len())
                .map(|r| RegionTelemetry {
                    dead: self.monitor.dead(r),
                    dead_since: self.monitor.dead_since(r),
                    capacity: report.capacity[r],
                    dark_capacity: report.dark[r],
                    load: report.regions[r],
                    // A report from before the newest routes says nothing of them.
                    routes_current: if report.at <= self.routed[r] {
                        0.0
                    } else {
                        report.routes[r]
                    },
                    warmed: warmed[r],
                })
                .collect(),
            markets: (0..scenario.markets.len())
                .map(|m| MarketTelemetry {
                    near: scenario.markets[m].near.clone(),
                    load: report.markets[m],
                    dns: self.world.answers[m].clone(),
                    market: m,
                })
                .collect(),
            announced: self.announced.clone(),
        };
        self.operator.show(&mut telemetry);
        telemetry
    }

    /// Notes pools whose load leaves the range in which counted traffic is exact.
    fn note_validity(&mut self, lasted: Span) {
        let scenario = &self.sim.scenario;
        let mut found = None;
        for (r, region) in self.world.regions.iter().enumerate() {
            if region.dark.is_some() || found.is_some() {
                continue;
            }
            found = region
                .flow
                .pools
                .iter()
                .position(|p| p.doubtful)
                .map(|v| (r, v));
        }
        let Some((r, v)) = found else {
            self.doubtful_since = None;
            return;
        };
        self.doubtful_since.get_or_insert(self.now);
        let region = &self.world.regions[r];
        let slots = region.capacity[v].instances * self.sim.plan.graph.nodes[v].slots
            / region.capacity[v].zones.max(1.0);
        let outside = self
            .outcome
            .outside_validity
            .get_or_insert_with(|| OutsideValidity {
                pool: format!(
                    "{} in {}",
                    scenario.services[v].name, scenario.regions[r].name
                ),
                at: self.now,
                lasting: Span::ZERO,
                reason: if slots < 20.0 {
                    format!("{slots:.0} slots in a zone are few")
                } else {
                    "its load is close to its capacity".into()
                },
            });
        outside.lasting = outside.lasting + lasted;
    }

    fn close_window(&mut self) {
        let view = self.view();
        let secs = self.window_end.since(self.window_from).secs();
        let regions = self.cohort.end_window(&view, secs);
        let mut global = Observation::default();
        for region in &regions {
            global.merge(region);
        }
        let middle = 0.5 * (self.window_from.secs() + self.window_end.secs());
        self.outcome.windows.push(Window {
            from: self.window_from,
            until: self.window_end,
            regions,
            global,
            demand: view.plan.demand.iter().map(|d| d.rate(middle)).sum(),
        });
        self.window_from = self.window_end;
        self.window_end = (self.window_end + view.scenario.sample).min(self.end);
    }

    fn finish(mut self) -> Outcome {
        if self.window_from < self.flowed {
            self.window_end = self.flowed;
            self.close_window();
        }
        let ledger = &mut self.outcome.ledger;
        *ledger = self.cohort.ledger;
        ledger.starts_waiting = self.cohort.starts_waiting();
        ledger.sessions_last = self.cohort.sessions.total();
        self.outcome.digest = digest(&self.outcome);
        self.outcome
    }

    fn entry(&self, part: &str, what: String, cause: &str) -> Entry {
        Entry {
            at: self.now,
            part: part.into(),
            what,
            cause: cause.into(),
        }
    }

    fn log(&mut self, region: RegionId, what: String, cause: &str) {
        let entry = self.entry(&self.sim.scenario.regions[region].name, what, cause);
        self.outcome.log.push(entry);
    }

    fn shares(&self, weights: &[f64]) -> String {
        let parts: Vec<String> = weights
            .iter()
            .zip(&self.sim.scenario.regions)
            .filter(|(w, _)| **w > 0.0)
            .map(|(w, region)| format!("{} {:.0} %", region.name, w * 100.0))
            .collect();
        parts.join(", ")
    }

    /// Shares over all markets, weighted by their demand at the beginning.
    fn mean_shares(&self, shares: &[Vec<f64>]) -> String {
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

/// An order in a few words.
fn describe(action: &Action, scenario: &Scenario) -> String {
    let name = |region: RegionId| scenario.regions[region].name.as_str();
    match action {
        Action::SetRoutes { from, .. } => format!("new routes for {}", name(*from)),
        Action::SetDns { market, .. } => {
            format!("a new answer for {}", scenario.markets[*market].name)
        }
        Action::ActivateDark { region } => format!("to call dark capacity in {}", name(*region)),
        Action::Prewarm { region, .. } => format!("to warm the caches of {}", name(*region)),
        Action::Isolate { region, .. } => format!("to isolate {}", name(*region)),
        Action::EnterPhase { region, .. } => format!("a phase of {}", name(*region)),
    }
}

/// What is measured now.
fn report(sim: &Simulator, world: &World, cohort: Option<&Cohort>, now: Time) -> Report {
    let (scenario, plan) = (&sim.scenario, &sim.plan);
    let carried = |r: usize, of: &dyn Fn(usize) -> f64| {
        let most = plan.carries(&plan.peak[r], of);
        if most.is_finite() { most } else { 0.0 }
    };
    Report {
        at: now,
        markets: cohort.map_or(Vec::new(), |c| c.market_load.clone()),
        regions: world
            .regions
            .iter()
            .map(|r| r.entering.iter().sum())
            .collect(),
        capacity: (0..scenario.regions.len())
            .map(|r| carried(r, &|v| world.regions[r].instances[v].in_service() as f64))
            .collect(),
        dark: (0..scenario.regions.len())
            .map(|r| carried(r, &|v| world.regions[r].instances[v].dark() as f64))
            .collect(),
        routes: (0..scenario.regions.len())
            .map(|e| {
                if world.edge_lives(scenario, e) {
                    world.routes[e].current(now, &scenario.edge.poll)
                } else {
                    // No proxy is left that could lack them.
                    1.0
                }
            })
            .collect(),
    }
}
