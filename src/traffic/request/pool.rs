//! The slots of one zone and who waits for them: a true queue.

use super::calls::Task;
use super::slab::{Key, Slab};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::units::{Dist, Span};
use std::collections::VecDeque;

/// What becomes of work that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A slot takes it.
    Served,
    /// It waits; who had to make way for it, if anybody.
    Waits(Option<Key>),
    /// There is no place.
    Refused,
}

/// One zone of a service's pool, or of an edge's proxies.
pub struct Pool {
    /// Slots in service.
    pub slots: u64,
    /// Places to wait.
    pub places: u64,
    /// Share of the pool's work that comes here.
    pub share: f64,
    /// How many times longer work takes.
    pub slowness: f64,
    /// Slots that work.
    pub busy: u64,
    waiting: u64,
    /// Who waits, per priority class, with a number by which they came.
    queues: Vec<VecDeque<(u64, Key)>>,
    came: u64,
    /// Slot-nanoseconds worked since they were last asked for, and up to when.
    worked: u128,
    since: u64,
    time: Dist,
    /// Who has waited so long goes; nobody does without it.
    patience: Option<Dist>,
    draws: Draws,
}

impl Pool {
    /// An idle pool without slots.
    pub fn new(classes: usize, time: &Dist, draws: Draws) -> Pool {
        Pool {
            slots: 0,
            places: 0,
            share: 0.0,
            slowness: 1.0,
            busy: 0,
            waiting: 0,
            queues: vec![VecDeque::new(); classes.max(1)],
            came: 0,
            worked: 0,
            since: 0,
            time: time.clone(),
            patience: None,
            draws,
        }
    }

    /// Who waits.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    fn pass(&mut self, now: u64) {
        self.worked += u128::from(now - self.since) * u128::from(self.busy);
        self.since = now;
    }

    /// Slot-seconds worked since this was last asked.
    pub fn take_worked_secs(&mut self, now: u64) -> f64 {
        self.pass(now);
        std::mem::take(&mut self.worked) as f64 * 1e-9
    }

    /// Work arrives. Where `ranked`, the least important that waits makes way for what is more
    /// important, the latest first.
    pub fn enter(
        &mut self,
        now: u64,
        work: Key,
        class: usize,
        ranked: bool,
        tasks: &Slab<Task>,
    ) -> Entry {
        if self.busy < self.slots {
            self.pass(now);
            self.busy += 1;
            return Entry::Served;
        }
        let mut out = None;
        if self.waiting >= self.places {
            if !ranked || self.waiting == 0 {
                return Entry::Refused;
            }
            out = self.least(class, tasks);
            if out.is_none() {
                return Entry::Refused;
            }
            self.waiting -= 1;
        }
        self.waiting += 1;
        self.came += 1;
        let queue = &mut self.queues[class];
        // Those who have given up are forgotten, even where no slot gets free.
        while queue.front().is_some_and(|first| !tasks.lives(first.1)) {
            queue.pop_front();
        }
        queue.push_back((self.came, work));
        Entry::Waits(out)
    }

    /// The latest of the least important class below `class` that waits, taken out.
    fn least(&mut self, class: usize, tasks: &Slab<Task>) -> Option<Key> {
        for queue in self.queues[class + 1..].iter_mut().rev() {
            while let Some((_, work)) = queue.pop_back() {
                if tasks.lives(work) {
                    return Some(work);
                }
            }
        }
        None
    }

    /// A slot has finished: it takes who waits longest, if it may go on.
    pub fn finish(&mut self, now: u64, tasks: &Slab<Task>) -> Option<Key> {
        self.pass(now);
        self.busy -= 1;
        self.take(now, tasks)
    }

    /// A free slot takes who waits longest.
    pub fn take(&mut self, now: u64, tasks: &Slab<Task>) -> Option<Key> {
        if self.busy >= self.slots || self.waiting == 0 {
            return None;
        }
        self.pass(now);
        loop {
            let heads = self.queues.iter().enumerate();
            let first = heads.filter_map(|(p, queue)| Some((queue.front()?.0, p)));
            let (_, class) = first.min()?;
            let (_, work) = self.queues[class].pop_front()?;
            if tasks.lives(work) {
                self.waiting -= 1;
                self.busy += 1;
                return Some(work);
            }
        }
    }

    /// One of those who wait has given up: its place is free.
    pub fn leave(&mut self) {
        self.waiting -= 1;
    }

    /// A slot is gone with what it was working on.
    pub fn lose(&mut self, now: u64) {
        self.pass(now);
        self.busy -= 1;
    }

    /// Takes out all who wait.
    pub fn clear_waiting(&mut self, tasks: &Slab<Task>) -> Vec<Key> {
        let mut all: Vec<(u64, Key)> = self.queues.iter_mut().flat_map(|q| q.drain(..)).collect();
        all.sort_unstable_by_key(|w| w.0);
        self.waiting = 0;
        let works = all.into_iter().map(|w| w.1);
        works.filter(|&work| tasks.lives(work)).collect()
    }

    /// Who has waited for a time with this law goes.
    pub fn with_patience(self, patience: Option<Dist>) -> Pool {
        Pool { patience, ..self }
    }

    /// How long the next piece of work waits at most, in seconds; `None`: as long as it takes.
    pub fn patience(&mut self) -> Option<f64> {
        let patience = self.patience.as_ref()?;
        Some(sampling::sample(&mut self.draws, patience))
    }

    /// How long a slot takes for the next piece of work, in nanoseconds.
    pub fn time(&mut self, more_secs: f64) -> u64 {
        let secs = sampling::sample(&mut self.draws, &self.time) + more_secs;
        Span::from_secs(secs * self.slowness).0
    }
}
