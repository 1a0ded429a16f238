//! The loop of one replication: advance the traffic to the next event, let the event happen, ask the
//! policy.

use super::Simulator;
use super::digest::digest;
use super::events::Event;
use super::marks::{Watch, first_marks};
use super::reports::Reports;
use crate::control::actuator::Actuator;
use crate::control::monitor::Monitor;
use crate::control::operator::Operator;
use crate::engine::queue::Queue;
use crate::faults;
use crate::model::episode::{Episode, Impairment};
use crate::model::fidelity::Fidelity;
use crate::model::observation::Observation;
use crate::model::outcome::{Entry, Outcome, Window};
use crate::model::policy::{Memory, Phase};
use crate::model::scenario::{MarketId, RegionId, ServiceId};
use crate::model::telemetry::Announced;
use crate::traffic::Traffic;
use crate::traffic::arrivals::Address;
use crate::traffic::cohort::{PIECES, View};
use crate::traffic::request::visits::Visit;
use crate::units::{Span, Time};
use crate::world::condition::Condition;
use crate::world::edge::Routes;
use crate::world::state::World;

mod balancers;
mod darkness;
mod data;
mod edges;
mod ejections;
mod episodes;
mod guards;
mod links;
mod needs;
mod orders;
mod origins;
mod pools;
mod probes;
mod reporting;
mod usage;
mod validity;
mod watching;
mod working;

use episodes::surge;
use guards::Guards;
use probes::Probed;
use reporting::{Mirrored, report};
use watching::Watching;

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
    guards: Guards,
    world: World,
    traffic: Traffic,
    monitor: Monitor,
    probed: Probed,
    /// What the log has told of pools, per region and service: dead instances that were found out, and
    /// whether the pool fails open.
    told_pools: Vec<Vec<(u64, bool)>>,
    operator: Operator,
    actuator: Actuator,
    memory: Memory,
    wake: Time,
    reports: Reports,
    watching: Watching,
    /// Answers of DNS that wait for its provider.
    stuck: Vec<(MarketId, Vec<f64>)>,
    watch: Watch,
    outcome: Outcome,
    window_from: Time,
    window_end: Time,
    address: Address,
    /// Answers of DNS pushed, per market, and when the newest takes effect: none overtakes an older one.
    pushes: Vec<(u64, Time)>,
    mirrored: Vec<Mirrored>,
    /// When the newest order to warm each region's caches reaches it; never: it did not.
    warming: Vec<Option<Time>>,
    /// When the newest routes of each edge reach the proxies' source; never: they were refused.
    routed: Vec<Time>,
    /// What of origins the log has told.
    told_origins: origins::Told,
    last_miss: Vec<f64>,
    /// When the next thing happens by itself in the stores.
    stores_due: Time,
}

impl<'a> Run<'a> {
    /// The beginning of a replication.
    pub fn of(sim: &'a Simulator, fidelity: Fidelity, seed: u64, replication: u64) -> Run<'a> {
        let (scenario, plan) = (&sim.scenario, &sim.plan);
        let knobs = &scenario.policy.knobs;
        let episodes = faults::timetable(scenario, seed, replication);
        let mut world = World::new(scenario, plan, knobs, seed, replication);
        surge(&mut world, &episodes);
        world.foresee(&episodes.iter().collect::<Vec<_>>(), Time::ZERO);
        let view = View {
            scenario,
            plan,
            knobs,
            cut: sim.cut.as_ref(),
            laws: &sim.laws,
        };
        let traffic = Traffic::new(fidelity, &view, &mut world, (seed, replication));
        let mut queue = Queue::new();
        for (i, episode) in episodes.iter().enumerate() {
            if let Some(at) = episode.announced {
                queue.push(at, Event::Announced(i));
            }
            queue.push(episode.from, Event::Begins(i));
            if !episode.impairment.momentary() {
                queue.push(episode.until, Event::Ends(i));
            }
        }
        let end = Time::ZERO + scenario.horizon;
        let marks = first_marks(scenario, &episodes);
        let sample = scenario.sample;
        // Windows begin with the first fault of the scenario, whether it strikes in this replication or not.
        let first_fault = scenario.faults.iter().map(|fault| fault.at).min();
        let grid = first_fault.map_or(0, |fault| fault.0 % sample.0);
        let window_end = Time(if grid > 0 { grid } else { sample.0 }).min(end);
        let names: Vec<String> = scenario.regions.iter().map(|r| r.name.clone()).collect();
        let regions = names.len();
        let first = report(sim, &world, None, &[], Time::ZERO);
        Run {
            monitor: Monitor::new(&scenario.control, &names, seed, replication),
            probed: Probed::new(scenario, plan),
            told_pools: vec![vec![(0, false); scenario.services.len()]; regions],
            operator: Operator::new(knobs, seed, replication, &names),
            actuator: Actuator::new(&scenario.control, knobs, seed, replication, &names),
            memory: Memory::default(),
            wake: Time::NEVER,
            reports: Reports::new(scenario, plan, first),
            watching: Watching::new(knobs, regions, world.answers.clone()),
            stuck: Vec::new(),
            watch: Watch::new(scenario, &episodes),
            active: vec![false; episodes.len()],
            announced: Vec::new(),
            guards: Guards::new(scenario),
            outcome: Outcome {
                marks,
                ..Outcome::default()
            },
            window_from: Time::ZERO,
            window_end,
            address: Address { cell: 0, cut: 0 },
            pushes: vec![(0, Time::ZERO); scenario.markets.len()],
            mirrored: Vec::new(),
            warming: vec![None; regions],
            routed: vec![Time::ZERO; regions],
            told_origins: origins::Told::default(),
            last_miss: vec![0.0; regions],
            stores_due: Time::NEVER,
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
            traffic,
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
        self.live();
        self.finish()
    }

    /// The same, one request at a time, and what became of each piece of work at a service, whose pools
    /// begin with so many pieces in each zone.
    pub fn complete_with_visits(
        mut self,
        present: (ServiceId, &dyn Fn(usize) -> u64),
    ) -> (Outcome, Vec<Visit>) {
        let view = self.view();
        if let Traffic::Request(requests) = &mut self.traffic {
            requests.record(&view, &mut self.world, present);
        }
        self.live();
        let visits = match &mut self.traffic {
            Traffic::Request(requests) => requests.take_visits(),
            Traffic::Cohort(_) => Vec::new(),
        };
        (self.finish(), visits)
    }

    /// Lives through all of it.
    fn live(&mut self) {
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
            && self.traffic.calm(&self.sim.plan)
            && self.felt_routes().all(|r| r.settled())
            && self.world.balancers.iter().all(|b| b.calm())
            && self
                .world
                .resolvers
                .iter()
                .flatten()
                .all(|r| r.next_time() == Time::NEVER)
            && !self
                .world
                .regions
                .iter()
                .any(|r| !r.idle() && r.in_motion(self.now))
    }

    /// Routes of edges that anyone enters: those of others change nothing.
    fn felt_routes(&self) -> impl Iterator<Item = &Routes> {
        let routes = self.world.routes.iter().enumerate();
        routes
            .filter(|(e, _)| self.traffic.reaches(*e))
            .map(|(_, routes)| routes)
    }

    /// The end of the next step, if nothing cuts it.
    fn next_stop(&self) -> Time {
        let scenario = &self.sim.scenario;
        let after = |grid: Span| Time((self.flowed.0 / grid.0 + 1).saturating_mul(grid.0));
        let mut next = self.end.min(self.window_end).min(after(scenario.sample));
        if !self.calm {
            let pieces = if self.traffic.storms(&self.world) {
                PIECES
            } else {
                1
            };
            let piece = Span((scenario.step.0 / u64::from(pieces)).max(1));
            next = next.min(after(piece)).min(after(scenario.step));
        }
        let routes = self.felt_routes().map(|r| r.next_time(self.flowed));
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
            self.stores_due,
        ];
        let regions = self.world.regions.iter();
        let regions = regions.map(|r| r.next_time().min(r.next_look()));
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
        self.traffic
            .advance(&view, &mut self.world, (from, next), self.address);
        self.outcome.steps += 1;
        self.outcome.events += self.traffic.events();
        self.count_data(from, next);
        self.work(from, next);
        let crossing = self.traffic.serving().crossing;
        self.outcome.usage.proxied_requests += crossing * next.since(from).secs();
        self.carry(from, next);
        let secs = next.since(from).secs();
        usage::beyond_plan(&mut self.outcome.usage, self.sim, &self.world.regions, secs);
        self.note_validity(next.since(from));
        self.note_admissions(next);
        self.note_origins(next);
        self.flowed = next;
        for routes in &mut self.world.routes {
            if !routes.settled() {
                routes.settle(next, &view.scenario.edge.poll);
            }
        }
        for region in &mut self.world.regions {
            if region.dark.is_none() {
                region.measure(view.plan, next);
            }
        }
        self.watch.step(
            view.plan,
            &self.world,
            &self.traffic,
            next,
            &mut self.outcome.marks,
        );
        if next == self.window_end {
            self.close_window();
        }
        self.send_report();
        self.stop_mirrors();
        if self.any_origin_failing() {
            self.note_lost_origins();
        }
    }

    /// Everything that is due now.
    fn happen(&mut self) {
        let mut asked = self.wake <= self.now;
        asked |= self.handle_due();
        if self.stores_due <= self.now {
            self.advance_data();
        }
        self.stores_due = self.world.stores.next_time(&self.sim.scenario, self.now);
        if self.monitor.next_time() <= self.now {
            for change in self.monitor.advance(self.now) {
                asked = true;
                self.believe(change.region, change.dead);
            }
        }
        for r in 0..self.world.regions.len() {
            if self.world.regions[r].next_time() <= self.now {
                if !self.world.regions[r].idle()
                    || !self.world.workers.is_empty()
                    || self.traffic.feels_idle()
                {
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
                self.tell_pools(r);
                self.follow_probes(r);
                asked = true;
            } else if self.world.regions[r].in_motion(self.now) {
                self.world.regions[r].advance(self.now);
            }
        }
        self.look_at_pools();
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
                let (at, until) = (episode.from, episode.until);
                if let Some(region) = episode.impairment.evacuable() {
                    self.announced.push(Announced {
                        region,
                        at,
                        until,
                        aborted: false,
                    });
                    self.log(region, format!("a drill is announced for {at}"), "");
                }
            }
            Event::Breached { fault, guard } => self.breached(fault, guard),
            Event::Reported => self.look_at_slis(),
            Event::Noticed { episode, begins } => self.noticed(episode, begins),
            Event::Effective(action) => self.carry_out(action),
            Event::Backup(edge) => self.take_backup(edge),
            Event::Proxies(edge) => {
                self.touch();
                self.edge_changed(edge);
            }
            Event::Answer { market, weights } => self.answer(market, weights),
        }
    }

    fn begin(&mut self, i: usize) {
        if self.guards.aborted(self.episodes[i].fault) {
            return;
        }
        let impairment = self.episodes[i].impairment.clone();
        self.tell(i, true);
        if impairment.momentary() {
            self.strike(&impairment);
            return;
        }
        self.active[i] = true;
        self.change_condition(&impairment);
        self.will_be_noticed(i, true);
    }

    fn end(&mut self, i: usize) {
        self.announced.retain(|a| a.until > self.now);
        if !std::mem::take(&mut self.active[i]) {
            return;
        }
        let impairment = self.episodes[i].impairment.clone();
        self.tell(i, false);
        self.change_condition(&impairment);
        self.will_be_noticed(i, false);
        self.guards.ended(&self.episodes, &self.active, i);
        for region in 0..self.world.regions.len() {
            self.tell_operator(region);
        }
    }

    /// The set of active episodes has changed by one: the world's condition follows.
    fn change_condition(&mut self, changed: &Impairment) {
        let active = self.episodes.iter().zip(&self.active);
        let next = Condition::of(active.filter(|(_, on)| **on).map(|(e, _)| &e.impairment));
        match *changed {
            Impairment::RegionDark { region, .. } => self.change_darkness(region, next),
            Impairment::DnsStuck => {
                self.world.set_condition(next);
                if !self.world.condition.dns_stuck() {
                    for (market, weights) in std::mem::take(&mut self.stuck) {
                        self.answer(market, weights);
                    }
                }
            }
            Impairment::ControlDown | Impairment::ControlBlind { .. } => {
                self.world.set_condition(next);
            }
            Impairment::ZoneDown { region, zone, .. } => self.change_zone(region, zone, next),
            _ => {
                self.touch();
                self.world.set_condition(next);
                self.condition_changed(changed);
            }
        }
        self.foresee();
        self.follow_data();
        for region in 0..self.world.regions.len() {
            self.follow_probes(region);
            self.heed_notices(region);
            self.tell_operator(region);
        }
    }

    /// What happens at one instant.
    fn strike(&mut self, impairment: &Impairment) {
        self.touch();
        match impairment {
            Impairment::CacheFlushed { region, service } => self.flush_caches(*region, *service),
            Impairment::InstancesKilled {
                region,
                service,
                count,
            } => self.kill(*region, *service, *count),
            _ => unreachable!("what lasts is no strike"),
        }
    }

    fn believe(&mut self, region: RegionId, dead: bool) {
        self.tell_operator(region);
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
        let truth = self.silent(region);
        let cause = if truth == dead {
            "enough observers agree"
        } else {
            "probes were answered wrongly"
        };
        let entry = self.entry("control plane", what, cause);
        self.outcome.log.push(entry);
    }

    fn close_window(&mut self) {
        let view = self.view();
        let secs = self.window_end.since(self.window_from).secs();
        let mut regions = self.traffic.end_window(&view, secs);
        self.observe_data(&mut regions);
        self.observe_work(&mut regions);
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
            demand: self.world.demand.iter().map(|d| d.rate(middle)).sum(),
        });
        self.watch_guards();
        self.report_window();
        self.window_from = self.window_end;
        self.window_end = (self.window_end + view.scenario.sample).min(self.end);
    }

    fn finish(mut self) -> Outcome {
        if self.window_from < self.flowed {
            self.window_end = self.flowed;
            self.close_window();
        }
        usage::complete(&mut self.outcome.usage, self.sim, self.flowed);
        let ledger = &mut self.outcome.ledger;
        *ledger = self.traffic.ledger();
        self.outcome.domains = self.world.stores.outcomes();
        self.outcome.usage.moved_bytes += self.world.stores.moved_bytes();
        self.outcome.work = self
            .world
            .workers
            .outcomes(&self.sim.scenario, &self.sim.plan.graph);
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
}
