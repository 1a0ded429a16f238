//! The state of one domain: how it follows regions and links as they come and go.

use super::Note;
use super::conflicts;
use super::history::History;
use super::leader::{Leader, Vacancy};
use super::links::{Batches, Lag, Link};
use super::sender;
use crate::engine::stream::Stream;
use crate::engine::{law, sampling};
use crate::model::domain::{Domain, DomainId, DomainObservation, DomainOutcome, Mode};
use crate::model::scenario::{RegionId, Scenario};
use crate::units::{Span, Time, human_secs};
use crate::world::condition::Condition;

/// A replica that is behind by more than so many times the usual is late; a guess.
const USUAL_TIMES: f64 = 3.0;

/// A domain.
#[derive(Clone, Debug)]
pub struct DomainState {
    pub(super) domain: DomainId,
    pub(super) leader: Leader,
    pub(super) regions: Vec<Sender>,
    /// `[sender][receiver]`.
    pub(super) links: Vec<Vec<Link>>,
    /// Whether anything limits how many writes a region sends.
    pub(super) limited: bool,
    /// Whether links do.
    pub(super) shares_links: bool,
    /// Bytes of writes on their way so far, each replica's for itself.
    pub(super) moved_bytes: f64,
    /// Since when reads have not been answered by the store, per region.
    pub(super) reads_lost: Vec<Option<Time>>,
    /// The window under way, per region.
    pub window: Vec<DomainObservation>,
    pub(super) found: DomainOutcome,
    pub(super) luck: Stream,
    promotions: Stream,
    losses: Vec<Loss>,
    /// Since when two living regions have not heard of each other's writes, `[a][b]`, a < b.
    apart: Vec<Vec<Option<Time>>>,
    reconciling: Option<Reconciling>,
}

/// A region as a sender of its writes.
#[derive(Clone, Debug)]
pub struct Sender {
    /// What it took.
    pub history: History,
    /// Writes that wait to be sent, where there is a limit.
    pub waiting: u64,
    /// Whether it reaches anybody.
    pub open: bool,
    /// Writes that it can send per second.
    pub per_sec: f64,
    /// How far its receivers are behind.
    pub lag: Lag,
    /// Whether it was said that it is behind by more than the target.
    pub alarmed: bool,
    pub(super) batches: Option<Batches>,
    pub(super) luck: Stream,
    dark: bool,
    lost: u64,
}

/// What a region took with it when it died.
#[derive(Clone, Copy, Debug)]
struct Loss {
    region: RegionId,
    at: Time,
    writes: u64,
    open: bool,
}

#[derive(Clone, Copy, Debug)]
struct Reconciling {
    first: Time,
    until: Time,
    count: u64,
}

/// What has reached the survivors of a region.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tail {
    age_secs: f64,
    writes: u64,
}

impl DomainState {
    /// Whether a region has caught up with what the others wrote.
    pub(super) fn caught_up(&self, scenario: &Scenario, region: RegionId, counted: Time) -> bool {
        let late = |s: RegionId| {
            s != region
                && (self.links[s][region].held_since().is_some()
                    || self.late(scenario, s, region, counted))
        };
        self.reads_lost[region].is_none()
            && self.reconciling.is_none()
            && !(0..self.regions.len()).any(late)
    }

    /// Whether a replica is behind by more than the target, where there is one, and by more than
    /// usual. Within a step of the simulation nobody can tell; a majority is never behind.
    fn late(&self, scenario: &Scenario, sender: RegionId, receiver: RegionId, at: Time) -> bool {
        let domain = &scenario.domains[self.domain];
        let store = &domain.store;
        if store.mode == Mode::Quorum
            || !store.replicas.contains(&receiver)
            || self.regions[sender].history.total() == 0
        {
            return false;
        }
        let target = domain.rpo.map_or(0.0, Span::secs);
        let usual = USUAL_TIMES * (self.usual_lag(scenario) + store.ship.secs());
        let most = target.max(usual).max(scenario.step.secs());
        self.behind_secs(scenario, sender, receiver, at) > most
    }

    /// All replicas alike.
    pub fn new(
        scenario: &Scenario,
        id: DomainId,
        domain: &Domain,
        seed: u64,
        replication: u64,
    ) -> DomainState {
        let regions = scenario.regions.len();
        let store = &domain.store;
        // Batches have no limit.
        let shares_links =
            !scenario.link_capacity.is_empty() && store.bytes > 0.0 && store.ship.is_zero();
        let stream = |purpose: &str, region: &str| {
            let entity = format!("{}/{region}", domain.name);
            Stream::new(seed, replication, purpose, &entity)
        };
        let sender = |r: RegionId| {
            let name = &scenario.regions[r].name;
            let luck = stream("replication", name);
            let every = domain.store.ship;
            Sender {
                history: History::new(stream("writes", name)),
                waiting: 0,
                open: true,
                per_sec: domain.store.throughput,
                lag: Lag::default(),
                alarmed: false,
                batches: (!every.is_zero()).then(|| Batches {
                    every,
                    phase: Time((luck.draws(0, 3).uniform() * every.0 as f64) as u64),
                }),
                luck,
                dark: false,
                lost: 0,
            }
        };
        DomainState {
            domain: id,
            leader: Leader::Is(domain.store.primary),
            regions: (0..regions).map(sender).collect(),
            links: vec![vec![Link::default(); regions]; regions],
            limited: store.throughput.is_finite() || shares_links,
            shares_links,
            moved_bytes: 0.0,
            reads_lost: vec![None; regions],
            window: vec![DomainObservation::default(); regions],
            found: DomainOutcome::default(),
            luck: stream("domain", ""),
            promotions: stream("promotion", ""),
            losses: Vec::new(),
            apart: vec![vec![None; regions]; regions],
            reconciling: None,
        }
    }

    /// When the next thing happens by itself.
    pub fn next_time(&self, scenario: &Scenario, now: Time) -> Time {
        let steps = match self.leader {
            Leader::Is(_) => Time::NEVER,
            Leader::Lost(vacancy) => vacancy.next_time(),
        };
        let reconciled = self.reconciling.map_or(Time::NEVER, |r| r.until);
        let grace = scenario.domains[self.domain].grace;
        let ends = self.reads_lost.iter().flatten().map(|&since| since + grace);
        let grace_ends = ends.filter(|&end| end > now).min().unwrap_or(Time::NEVER);
        steps.min(reconciled).min(grace_ends)
    }

    /// What became of it.
    pub fn outcome(&self) -> DomainOutcome {
        DomainOutcome {
            reconcile_secs: match self.reconciling {
                Some(_) => None,
                None => Some(self.found.reconcile_secs.unwrap_or(0.0)),
            },
            ..self.found
        }
    }

    pub(super) fn note(&self, notes: &mut Vec<Note>, what: String, cause: impl Into<String>) {
        notes.push(Note {
            domain: self.domain,
            what,
            cause: cause.into(),
        });
    }

    /// Lets happen what is due by itself.
    pub fn advance(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        now: Time,
        notes: &mut Vec<Note>,
    ) {
        if let Some(done) = self.reconciling.filter(|r| r.until <= now) {
            let took = done.until.since(done.first).secs();
            let longest = self.found.reconcile_secs.unwrap_or(0.0).max(took);
            self.found.reconcile_secs = Some(longest);
            self.reconciling = None;
            let what = format!(
                "{} conflicts are reconciled, in {}",
                done.count,
                human_secs(took)
            );
            self.note(notes, what, "");
        }
        self.advance_leader(scenario, condition, now, notes);
        self.note_reads(scenario, condition, now);
    }

    fn advance_leader(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        now: Time,
        notes: &mut Vec<Note>,
    ) {
        let Leader::Lost(mut vacancy) = self.leader else {
            return;
        };
        let old = &scenario.regions[vacancy.old].name;
        let reads = if vacancy.passes(vacancy.reads, now) {
            Some("its reads go to another region")
        } else {
            None
        };
        for (step, what) in [
            (vacancy.noticed, Some("the loss of its primary is noticed")),
            (vacancy.reads, reads),
            (vacancy.fenced, Some("its lost primary is fenced")),
        ] {
            if let Some(what) = what.filter(|_| vacancy.passes(step, now)) {
                self.note(notes, what.into(), format!("{old} is dark"));
            }
        }
        let due = vacancy.passes(vacancy.promoted, now) || vacancy.waiting;
        vacancy.seen = now;
        self.leader = Leader::Lost(vacancy);
        if !due {
            return;
        }
        let living = |r: &&RegionId| condition.dark(**r).is_none();
        let replicas = scenario.domains[self.domain].store.replicas.iter();
        let rtt = |r: &&RegionId| scenario.rtt_secs[vacancy.old][**r];
        let others = replicas.filter(living).filter(|r| **r != vacancy.old);
        let next = others.min_by(|a, b| rtt(a).total_cmp(&rtt(b)));
        // With nobody else there, the old one is as good as any once it is back.
        let next = next.copied().or_else(|| {
            let back = condition.dark(vacancy.old).is_none();
            back.then_some(vacancy.old)
        });
        match next {
            Some(next) => {
                self.leader = Leader::Is(next);
                let what = format!(
                    "{} is promoted and takes its writes",
                    scenario.regions[next].name
                );
                self.note(notes, what, format!("{old} was lost"));
            }
            None => {
                vacancy.waiting = true;
                self.leader = Leader::Lost(vacancy);
            }
        }
    }

    /// The condition has changed.
    pub fn follow(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        now: Time,
        notes: &mut Vec<Note>,
    ) {
        let regions = scenario.regions.len();
        for s in 0..regions {
            let lag = condition.lag(self.domain, s);
            self.regions[s].lag.change(lag, now);
        }
        let dark = |r: RegionId| condition.dark(r).is_some();
        for r in (0..regions).filter(|&r| dark(r)) {
            if !std::mem::replace(&mut self.regions[r].dark, true) {
                self.lose(scenario, condition, r, now, notes);
            }
        }
        self.separate(scenario, condition, now, notes);
        for r in (0..regions).filter(|&r| !dark(r)) {
            if std::mem::replace(&mut self.regions[r].dark, false) {
                self.regain(scenario, r, now, notes);
            }
        }
        for s in 0..regions {
            let stopped = condition.replication_broken(self.domain, s) || dark(s);
            let mut open = regions == 1;
            for r in (0..regions).filter(|&r| r != s) {
                let held = stopped || dark(r) || condition.cut(s, r);
                let holds = scenario.domains[self.domain].store.replicas.contains(&r);
                open |= holds && !held;
                self.links[s][r].hold(held, now);
            }
            self.regions[s].open = open;
        }
        self.advance_leader(scenario, condition, now, notes);
        self.note_reads(scenario, condition, now);
    }

    /// Notes in which regions the store stops, or begins again, to answer reads.
    fn note_reads(&mut self, scenario: &Scenario, condition: &Condition, now: Time) {
        for r in 0..self.reads_lost.len() {
            let answered = condition.dark(r).is_some()
                || self.reads_from(scenario, condition, r, now).is_some();
            self.reads_lost[r] = match (answered, self.reads_lost[r]) {
                (true, _) => None,
                (false, since) => since.or(Some(now)),
            };
        }
    }

    /// A region dies.
    fn lose(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        region: RegionId,
        now: Time,
        notes: &mut Vec<Note>,
    ) {
        let domain = &scenario.domains[self.domain];
        let name = &scenario.regions[region].name;
        if domain.store.mode == Mode::Primary
            && self.leader == Leader::Is(region)
            && domain.store.replicas.len() > 1
        {
            let ordinal = self.regions[region].lost;
            let vacancy = Vacancy::new(
                region,
                &domain.store.promotion,
                now,
                self.promotions,
                ordinal,
            );
            self.leader = Leader::Lost(vacancy);
        }
        let tail = self.tail(scenario, condition, region, now);
        self.regions[region].lost += 1;
        self.found.rpo_secs = self.found.rpo_secs.max(tail.age_secs);
        self.found.lost_writes += tail.writes;
        if domain.sticky {
            self.found.reassigned += tail.writes;
        }
        self.losses.push(Loss {
            region,
            at: now,
            writes: tail.writes,
            open: true,
        });
        if tail.writes > 0 {
            let what = format!(
                "{} acknowledged writes of {name} had reached no other region, the oldest up to {} old",
                tail.writes,
                human_secs(tail.age_secs)
            );
            self.note(notes, what, format!("{name} goes dark"));
        }
    }

    /// What a region takes with it if it dies now.
    fn tail(
        &self,
        scenario: &Scenario,
        condition: &Condition,
        region: RegionId,
        now: Time,
    ) -> Tail {
        const NOTHING: Tail = Tail {
            age_secs: 0.0,
            writes: 0,
        };
        let store = &scenario.domains[self.domain].store;
        let sender = &self.regions[region];
        if sender.history.total() == 0 {
            return NOTHING;
        }
        let others = || store.replicas.iter().copied().filter(move |&r| r != region);
        let living: Vec<RegionId> = others().filter(|&r| condition.dark(r).is_none()).collect();
        let majority = store.replicas.len() / 2 + 1;
        if store.mode == Mode::Quorum && living.len() + majority > store.replicas.len() {
            // Every majority has a member among the living.
            return NOTHING;
        }
        let mut draws = sender.luck.draws(sender.lost, 0);
        let lag = sampling::sample(&mut draws, &store.lag);
        let sent = sender.lag.arrived(lag, now);
        let receivers: Vec<RegionId> = if living.is_empty() {
            others().collect()
        } else {
            living
        };
        let arrived = |&r: &RegionId| self.links[region][r].sent(sender.batches, sent);
        // With nobody to send to, it takes everything with it.
        let best = receivers.iter().map(arrived).max().unwrap_or(Time::ZERO);
        let mut tail = Tail {
            age_secs: now.since(best).secs(),
            writes: sender.history.since(best),
        };
        if self.limited {
            let line = sender::unsent(&sender.history, sent, sender.luck);
            let line = Tail {
                age_secs: now.since(line.oldest).secs(),
                writes: line.writes,
            };
            // The line holds what came after `sent` too, placed by draws of its own: the larger of
            // two draws of one count would be too many.
            if best >= sent {
                return line;
            }
            tail.age_secs = tail.age_secs.max(line.age_secs);
            tail.writes = tail.writes.max(line.writes);
        }
        tail
    }

    /// A region is back with its data.
    fn regain(&mut self, scenario: &Scenario, region: RegionId, now: Time, notes: &mut Vec<Note>) {
        let domain = &scenario.domains[self.domain];
        let name = &scenario.regions[region].name;
        if let Leader::Lost(vacancy) = self.leader
            && vacancy.old == region
            && now < vacancy.noticed
        {
            self.leader = Leader::Is(region);
            let what = format!("{name} takes its writes again");
            self.note(notes, what, "it is back before its loss was noticed");
        }
        let mut losses = std::mem::take(&mut self.losses);
        for loss in losses.iter_mut().filter(|l| l.open && l.region == region) {
            loss.open = false;
            if loss.writes == 0 {
                continue;
            }
            let cause = format!("{name} is back with its data");
            if domain.store.discard {
                let what = format!("{} writes of {name} are thrown away for good", loss.writes);
                self.note(notes, what, cause);
                continue;
            }
            self.found.late_writes += loss.writes;
            let what = format!("{} writes of {name} arrive late", loss.writes);
            self.note(notes, what, cause);
            let others = (0..self.regions.len()).filter(|&r| r != region);
            let elsewhere: u64 = others.map(|r| self.regions[r].history.since(loss.at)).sum();
            self.meet(domain, (loss.writes, elsewhere), now, notes);
        }
        losses.retain(|loss| loss.open);
        self.losses = losses;
    }

    /// Regions that take writes part, or hear of each other again.
    fn separate(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        now: Time,
        notes: &mut Vec<Note>,
    ) {
        let domain = &scenario.domains[self.domain];
        if domain.store.mode != Mode::Asynchronous {
            return;
        }
        let broken = |r| condition.replication_broken(self.domain, r);
        let replicas = &domain.store.replicas;
        let mut meeting = Vec::new();
        for (i, &a) in replicas.iter().enumerate() {
            for &b in &replicas[i + 1..] {
                let living = condition.dark(a).is_none() && condition.dark(b).is_none();
                let apart = condition.cut(a, b) || broken(a) || broken(b);
                match self.apart[a][b] {
                    // What a dead region wrote before is counted when it is back.
                    Some(_) if !living => self.apart[a][b] = None,
                    None if living && apart => self.apart[a][b] = Some(now),
                    Some(since) if !apart => {
                        self.apart[a][b] = None;
                        let wrote = |r: RegionId| self.regions[r].history.since(since);
                        meeting.push((wrote(a), wrote(b)));
                    }
                    _ => {}
                }
            }
        }
        for sides in meeting {
            self.meet(domain, sides, now, notes);
        }
    }

    /// Two sides that did not hear of each other's writes do now.
    fn meet(
        &mut self,
        domain: &Domain,
        (here, there): (u64, u64),
        now: Time,
        notes: &mut Vec<Note>,
    ) {
        let mean = conflicts::expected(here as f64, there as f64, domain.keys, domain.zipf);
        let count = sampling::poisson(&mut self.luck.draws(now.0, 0), mean);
        if count == 0 {
            return;
        }
        self.found.conflicts += count;
        let more = Span::from_secs(count as f64 / domain.store.reconcile);
        let under_way = self.reconciling.get_or_insert(Reconciling {
            first: now,
            until: now,
            count: 0,
        });
        under_way.until = under_way.until.max(now) + more;
        under_way.count += count;
        let what = format!("{count} keys were written on both sides: they are reconciled");
        self.note(notes, what, format!("{here} writes meet {there}"));
    }

    /// How old what has arrived from a region is at a moment, in seconds, if the lag is as usual.
    pub(super) fn behind_secs(
        &self,
        scenario: &Scenario,
        sender: RegionId,
        receiver: RegionId,
        at: Time,
    ) -> f64 {
        let from = &self.regions[sender];
        let sent = from.lag.arrived(self.usual_lag(scenario), at);
        let mut arrived = self.links[sender][receiver].sent(from.batches, sent);
        if self.limited && from.waiting > 0 {
            let line = at.since(from.history.nth_last(from.waiting));
            arrived = arrived.min(Time(sent.0.saturating_sub(line.0)));
        }
        at.since(arrived).secs()
    }

    fn usual_lag(&self, scenario: &Scenario) -> f64 {
        law::mean(&scenario.domains[self.domain].store.lag)
    }
}
