//! What the control plane believes of regions: observers probe them, and a region is believed dead
//! while enough observers say so.
//!
//! A probe of a live region is answered at once, apart from false alarms, which fail at once, and from
//! what a deep probe meets behind the door. A probe of a region in which nothing answers, because it is
//! dark or its instances still boot, fails at once when connections are refused and after the timeout
//! when they hang, apart from missed failures, which are answered. What a probe meets is decided when it is
//! sent. Observers stand outside all regions; a control plane whose home region is dark hears
//! nothing of them, and believes nothing until it is back.

use crate::control::observer::{Observer, Pace};
use crate::engine::stream::Stream;
use crate::model::scenario::{Control, RegionId};
use crate::units::Time;

pub use crate::control::observer::Condition;

/// All observers of all regions.
#[derive(Clone, Debug)]
pub struct Monitor {
    regions: Vec<Watched>,
    /// Observers that must call a region dead.
    agree: usize,
    /// Home region of the control plane.
    home: Option<RegionId>,
    /// When the control plane came back and has not yet heard what it missed.
    back_since: Option<Time>,
    next: Time,
}

#[derive(Clone, Debug)]
struct Watched {
    observers: Vec<Observer>,
    dark: bool,
    condition: Condition,
    dead: bool,
    since: Time,
}

/// A change of belief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeliefChange {
    /// When.
    pub at: Time,
    /// Of which region.
    pub region: RegionId,
    /// Whether it is believed dead now.
    pub dead: bool,
}

impl Monitor {
    /// Observers of the named regions, all of which are alive and believed to be. Each observer
    /// begins at a random moment of the first interval.
    pub fn new(control: &Control, names: &[String], seed: u64, replication: u64) -> Monitor {
        let pace = Pace {
            interval: control.interval,
            timeout: control.timeout,
            back_to_back: control.back_to_back,
            threshold: u64::from(control.threshold),
            false_alarm: control.false_alarm,
            missed: control.missed,
        };
        let watch = |name: &String| Watched {
            observers: (0..control.observers)
                .map(|i| {
                    let entity = format!("{name}/{i}");
                    Observer::new(pace, Stream::new(seed, replication, "probe", &entity))
                })
                .collect(),
            dark: false,
            condition: Condition::default(),
            dead: false,
            since: Time::ZERO,
        };
        let mut monitor = Monitor {
            regions: names.iter().map(watch).collect(),
            agree: control.agree.max(1) as usize,
            home: control.home,
            back_since: None,
            next: Time::NEVER,
        };
        monitor.find_next();
        monitor
    }

    /// A region goes dark or comes back, or probes of it meet something else. The monitor must have
    /// been advanced to `now`.
    pub fn condition_changed(
        &mut self,
        now: Time,
        region: RegionId,
        dark: bool,
        condition: Condition,
    ) {
        let watched = &self.regions[region];
        if (watched.dark, watched.condition) == (dark, condition) {
            return;
        }
        assert!(
            self.next >= now,
            "the monitor is advanced to a moment before a region changes at it"
        );
        let was_blind = self.blind();
        let watched = &mut self.regions[region];
        watched.dark = dark;
        watched.condition = condition;
        for observer in &mut watched.observers {
            observer.condition_changed(now, condition);
        }
        if self.blind() {
            self.back_since = None;
        } else if was_blind {
            self.back_since = Some(now);
        }
        self.find_next();
    }

    /// The next moment at which a belief may change: nothing changes before it.
    /// [`Time::NEVER`] while all is calm and no probe lies.
    pub fn next_time(&self) -> Time {
        self.next
    }

    /// Lives through everything up to and including `to`; the changes of belief in order of time.
    pub fn advance(&mut self, to: Time) -> Vec<BeliefChange> {
        let mut changes = Vec::new();
        while self.next <= to && self.next < Time::NEVER {
            let at = self.next;
            self.back_since = None;
            for watched in &mut self.regions {
                for observer in &mut watched.observers {
                    if observer.next_time() <= at {
                        observer.advance();
                    }
                }
            }
            if !self.blind() {
                self.settle(at, &mut changes);
            }
            self.find_next();
        }
        changes
    }

    /// Whether a region is believed dead; `None` while the control plane hears of nothing.
    pub fn dead(&self, region: RegionId) -> Option<bool> {
        (!self.blind()).then(|| self.regions[region].dead)
    }

    /// When that belief was formed.
    pub fn dead_since(&self, region: RegionId) -> Time {
        self.regions[region].since
    }

    /// Whether the control plane's own region is dark.
    fn blind(&self) -> bool {
        self.home.is_some_and(|home| self.regions[home].dark)
    }

    fn settle(&mut self, at: Time, changes: &mut Vec<BeliefChange>) {
        for (region, watched) in self.regions.iter_mut().enumerate() {
            let votes = watched.observers.iter().filter(|o| o.says_dead()).count();
            let dead = votes >= self.agree;
            if dead != watched.dead {
                watched.dead = dead;
                watched.since = at;
                changes.push(BeliefChange { at, region, dead });
            }
        }
    }

    fn find_next(&mut self) {
        let observers = self.regions.iter().flat_map(|w| &w.observers);
        self.next = observers
            .map(Observer::next_time)
            .chain(self.back_since)
            .min()
            .unwrap_or(Time::NEVER);
    }
}

#[cfg(test)]
mod tests;
