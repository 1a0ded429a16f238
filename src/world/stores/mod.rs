//! Domains of data: replicas, what is on its way between them, who takes writes, and what is lost.
//!
//! | module | what it holds |
//! |---|---|
//! | [`history`] | how many writes a region took, and when |
//! | [`sender`] | a sender with a limit, as a queue |
//! | [`links`] | what keeps writes from being sent, and up to where they have arrived |
//! | [`leader`] | the primary, and how another region becomes it |
//! | [`reach`] | where a domain can be written and read, and how far that is |
//! | [`conflicts`] | keys that both sides wrote |
//! | [`domain`] | a domain's state as regions and links come and go |
//! | [`sharing`] | what links leave to the senders of all domains |
//! | [`count`] | a step: what was asked for and answered, how old it was |
//!
//! Choices where the model is silent:
//!
//! - What is on its way from a region to the others is behind by one and the same lag at a moment. A
//!   lag that grows delays only what is sent from then on.
//! - A write has reached the surviving regions when one of them has it. If no other region lives, what
//!   had reached any of them counts as kept.
//! - A receiver that was cut off or dark catches up at once when it is back; a sender with a limit
//!   stops only where it reaches nobody.
//! - A primary that is cut off, and not dark, stays primary: those who do not reach it cannot write.
//! - The region that was promoted stays primary when the old one is back.
//! - Several writes of one request are made together and pay one round trip.

pub mod conflicts;
pub mod count;
pub mod domain;
pub mod history;
pub mod leader;
pub mod links;
pub mod reach;
pub mod sender;
pub mod sharing;

use crate::model::domain::{DomainObservation, DomainOutcome};
use crate::model::scenario::{RegionId, Scenario};
use crate::units::Time;
use crate::world::condition::Condition;
use crate::world::links::Links;
use domain::DomainState;

/// Something worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The domain.
    pub domain: usize,
    /// What happened.
    pub what: String,
    /// Why.
    pub cause: String,
}

/// What requests of a kind feel of the stores in a region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// Share that fails.
    pub blocked: f64,
    /// Share of the others that get a fallback or a cached value.
    pub degraded: f64,
    /// Time that they wait for other regions, as (share, seconds); empty: none.
    pub delays: Vec<(f64, f64)>,
}

/// Requests of a kind that were asked of a region in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Answered.
    pub answered: u64,
    /// Failed, or without an answer.
    pub failed: u64,
}

/// All domains of a replication; none where the scenario has none.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    domains: Vec<DomainState>,
}

impl Stores {
    /// All replicas alike, nothing lost, and senders in equilibrium for `per_sec`, the expected rate of
    /// each kind of request in each region at the beginning, `[region][request]`.
    pub fn new(scenario: &Scenario, per_sec: &[f64], seed: u64, replication: u64) -> Stores {
        let new = |(d, domain)| {
            let mut state = DomainState::new(scenario, d, domain, seed, replication);
            state.begin(scenario, per_sec);
            state
        };
        Stores {
            domains: scenario.domains.iter().enumerate().map(new).collect(),
        }
    }

    /// Whether there is no domain.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Whether a region has caught up with what the others wrote: nothing to it is held up or late,
    /// its reads are answered, and no conflict waits to be reconciled. All writes up to `counted` are
    /// counted.
    pub fn caught_up(&self, scenario: &Scenario, region: RegionId, counted: Time) -> bool {
        let mut domains = self.domains.iter();
        domains.all(|domain| domain.caught_up(scenario, region, counted))
    }

    /// When the next thing happens by itself.
    pub fn next_time(&self, scenario: &Scenario, now: Time) -> Time {
        let time = |domain: &DomainState| domain.next_time(scenario, now);
        self.domains.iter().map(time).min().unwrap_or(Time::NEVER)
    }

    /// Lets happen what is due.
    pub fn advance(&mut self, scenario: &Scenario, condition: &Condition, now: Time) -> Vec<Note> {
        let mut notes = Vec::new();
        for domain in &mut self.domains {
            domain.advance(scenario, condition, now, &mut notes);
        }
        notes
    }

    /// The condition has changed at `now`; all writes before are counted.
    pub fn follow(&mut self, scenario: &Scenario, condition: &Condition, now: Time) -> Vec<Note> {
        let mut notes = Vec::new();
        for domain in &mut self.domains {
            domain.follow(scenario, condition, now, &mut notes);
        }
        notes
    }

    /// What each kind of request feels in a region.
    pub fn effects(
        &self,
        scenario: &Scenario,
        condition: &Condition,
        region: RegionId,
        now: Time,
    ) -> Vec<Effect> {
        let mut effects = vec![Effect::default(); scenario.requests.len()];
        for domain in &self.domains {
            domain.affect(scenario, condition, region, now, &mut effects);
        }
        effects
    }

    /// Counts a step: `asked` is `[region][request]`. Senders get what the links leave to them.
    pub fn step(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        links: &mut Links,
        span: (Time, Time),
        asked: &[Asked],
    ) -> Vec<Note> {
        let mut notes = Vec::new();
        if !links.is_empty() {
            sharing::share(scenario, condition, links, &mut self.domains);
        }
        for domain in &mut self.domains {
            domain.step(scenario, condition, span, asked, &mut notes);
        }
        notes
    }

    /// Hands out what a region saw in the window, a domain each.
    pub fn end_window(&mut self, region: RegionId) -> Vec<DomainObservation> {
        let take = |d: &mut DomainState| std::mem::take(&mut d.window[region]);
        self.domains.iter_mut().map(take).collect()
    }

    /// Bytes of writes that were on their way between regions.
    pub fn moved_bytes(&self) -> f64 {
        self.domains.iter().map(|d| d.moved_bytes).sum()
    }

    /// What became of each domain.
    pub fn outcomes(&self) -> Vec<DomainOutcome> {
        self.domains.iter().map(DomainState::outcome).collect()
    }
}
