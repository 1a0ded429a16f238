//! Work that comes to nothing: what hangs, and what is dropped because nobody waits for it any more.
//!
//! A service that cancels knows until when an answer is of use. It drops work when whoever asked has
//! given up, wherever the work is, and it gives no slot to work that could hardly be done in time. What is
//! dropped is not answered: whoever still waits learns of it by giving up.

use super::calls::{Caller, State, Task};
use super::edge::Owner;
use super::slab::{Key, Slab};
use super::timeline::Kind;
use super::{Requests, Scene};
use crate::model::scenario::ServiceId;
use crate::units::Span;
use crate::world::graph::{Link, POINTS};

/// Nobody.
const NONE: u32 = u32::MAX;

/// What a piece of work has to do with other work, where services cancel.
#[derive(Clone, Copy, Debug)]
struct Tie {
    /// Later than this no slot takes it.
    latest: u64,
    /// Its caller, the first of its own calls, and its neighbours among its caller's: places.
    caller: u32,
    first: u32,
    next: u32,
    before: u32,
}

const UNTIED: Tie = Tie {
    latest: u64::MAX,
    caller: NONE,
    first: NONE,
    next: NONE,
    before: NONE,
};

/// The ties of all work, by its place.
pub struct Ties {
    /// Which services cancel; the proxies never do.
    cancels: Vec<bool>,
    /// Whether any does: otherwise nothing is tied.
    any: bool,
    ties: Vec<Tie>,
}

impl Ties {
    /// Nothing is under way; these services cancel.
    pub fn new(services: impl Iterator<Item = bool>) -> Ties {
        let cancels: Vec<bool> = services.chain([false]).collect();
        Ties {
            any: cancels.contains(&true),
            cancels,
            ties: Vec::new(),
        }
    }

    fn at(&mut self, place: u32) -> &mut Tie {
        let place = place as usize;
        if place >= self.ties.len() {
            self.ties.resize(place + 1, UNTIED);
        }
        &mut self.ties[place]
    }

    /// Work of a caller that is of use until then.
    fn tie(&mut self, work: Key, caller: Option<Key>, latest: u64) {
        let caller = caller.map_or(NONE, |caller| caller.index);
        let next = match caller {
            NONE => NONE,
            caller => std::mem::replace(&mut self.at(caller).first, work.index),
        };
        if next != NONE {
            self.at(next).before = work.index;
        }
        let tie = self.at(work.index);
        *tie = Tie {
            latest,
            caller,
            next,
            ..*tie
        };
    }

    /// Takes work from its caller.
    fn leave(&mut self, work: u32) {
        let Tie {
            caller,
            next,
            before,
            ..
        } = *self.at(work);
        if before != NONE {
            self.at(before).next = next;
        } else if caller != NONE {
            self.at(caller).first = next;
        }
        if next != NONE {
            self.at(next).before = before;
        }
        let tie = self.at(work);
        (tie.caller, tie.next, tie.before) = (NONE, NONE, NONE);
    }
}

impl Requests {
    /// A client asks a service, and waits no longer than it does.
    pub(super) fn tie_request(&mut self, scene: &Scene, work: Key, (q, gives_up): (usize, u64)) {
        if self.ties.any {
            let slow = scene.view.plan.graph.entry_secs[q][POINTS - 1];
            let latest = gives_up.saturating_sub(Span::from_secs(slow).0);
            self.ties.tie(work, None, latest);
        }
    }

    /// Work calls other work, and waits for it as long as the link says.
    pub(super) fn tie_call(&mut self, link: &Link, caller: Key, call: Key) {
        if self.ties.any {
            let secs = (link.timeout_secs - link.response_secs[POINTS - 1]).max(0.0);
            let latest = self.now.saturating_add(Span::from_secs(secs).0);
            self.ties.tie(call, Some(caller), latest);
        }
    }

    /// Work waits for the same fetch as other work, which is of use for as long as either is.
    pub(super) fn tie_fetch(&mut self, leader: Key, follower: Key) {
        if self.ties.any {
            let latest = self.ties.at(follower.index).latest;
            let leader = self.ties.at(leader.index);
            leader.latest = leader.latest.max(latest);
        }
    }

    /// Work is under way no longer, and waits for none of its calls.
    pub(super) fn untie(&mut self, work: Key) {
        if !self.ties.any {
            return;
        }
        self.ties.leave(work.index);
        loop {
            let first = self.ties.at(work.index).first;
            if first == NONE {
                break;
            }
            self.ties.leave(first);
            if let Some(call) = self.tasks.key_at(first) {
                self.unless_awaited(call);
            }
        }
        *self.ties.at(work.index) = UNTIED;
    }

    /// A caller waits for a call no longer; who still waits for the same fetch may.
    fn unless_awaited(&mut self, call: Key) {
        let Some(task) = self.tasks.get_mut(call) else {
            return;
        };
        if !self.ties.cancels[usize::from(task.service)] {
            return;
        }
        task.caller = Caller::Nobody;
        let task = *task;
        if task.state != State::Follows {
            return self.abandon(call);
        }
        // The fetch that it waits for may have nobody else who waits.
        if let Some((c, object)) = task.fetches {
            let shelf = &self.shelves[usize::from(task.home) * self.caches + c as usize];
            let leader = shelf.fetching(object);
            let leads = self.tasks.get(leader);
            if leads.is_some_and(|task| task.caller == Caller::Nobody) {
                self.abandon(leader);
            }
        }
    }

    /// Drops work that nobody waits for any more, with what it has called; what others wait for goes on.
    fn abandon(&mut self, work: Key) {
        let Some(task) = self.tasks.get(work).copied() else {
            return;
        };
        if self.anybody_waits(&task) {
            return;
        }
        self.note_visit(&task, false);
        self.unfetch(work, &task);
        self.tasks.remove(work);
        let mut follower = task.follower;
        while let Some(follows) = self.tasks.remove(follower) {
            self.untie(follower);
            follower = follows.follower;
        }
        self.untie(work);
        let pool = task.pool as usize;
        match task.state {
            State::Works => self.free(pool),
            _ if task.queued => self.pools[pool].leave(),
            _ => {}
        }
    }

    /// Whether anybody waits for work, or for the fetch that it is.
    pub(super) fn anybody_waits(&self, task: &Task) -> bool {
        let waits = |caller: Caller| match caller {
            Caller::Nobody => false,
            Caller::Work(caller) => self.tasks.lives(caller),
            _ => true,
        };
        let mut follower = task.follower;
        let mut anybody = waits(task.caller);
        while let Some(follows) = self.tasks.get(follower).filter(|_| !anybody) {
            anybody = waits(follows.caller);
            follower = follows.follower;
        }
        anybody
    }

    /// A slot is free: the next takes it.
    pub(super) fn free(&mut self, pool: usize) {
        if let Some(next) = self.pools[pool].finish(self.now, &self.tasks) {
            self.serve(next);
        }
    }

    /// A slot is given to work that has waited for it, unless that is too late: then to the next.
    pub(super) fn serve(&mut self, mut work: Key) {
        while self.is_hopeless(work) {
            let task = &mut self.tasks[work];
            (task.queued, task.state) = (false, State::Hangs);
            let task = *task;
            self.unfetch(work, &task);
            let pool = task.pool as usize;
            match self.pools[pool].finish(self.now, &self.tasks) {
                Some(next) => work = next,
                None => return,
            }
        }
        self.begin(work);
    }

    fn is_hopeless(&mut self, work: Key) -> bool {
        self.ties.any
            && self.ties.cancels[usize::from(self.tasks[work].service)]
            && self.ties.at(work.index).latest < self.now
    }

    /// Whether work for a service is not even begun, since its client has given up.
    pub(super) fn is_pointless(&self, owner: Owner, v: ServiceId) -> bool {
        owner == Owner::Nobody && self.ties.cancels[v]
    }

    /// A client has given up on a request: what works on it may be dropped.
    pub(super) fn drop_work(&mut self, key: Key, root: Key) {
        let direct = self.requests[key].edge.is_none();
        let Some(task) = self.tasks.get_mut(root) else {
            return;
        };
        let own = task.caller == Caller::Request(key);
        let silent = direct && task.state == State::Hangs;
        if !own || !silent && !self.ties.cancels[usize::from(task.service)] {
            return;
        }
        task.caller = Caller::Nobody;
        let at = usize::from(self.requests[key].at);
        self.counts.inside_failed[at] += 1;
        self.abandon(root);
        self.drop_request(key);
    }

    /// A caller has waited for a call as long as it does.
    pub(super) fn timed_out(&mut self, scene: &mut Scene, call: Key) {
        let Some(task) = self.tasks.get_mut(call) else {
            return;
        };
        let caller = std::mem::replace(&mut task.caller, Caller::Nobody);
        let task = *task;
        if self.ties.any {
            self.ties.leave(call.index);
        }
        match task.state {
            State::Hangs => self.hung_up(scene, call),
            _ => self.unless_awaited(call),
        }
        if let Caller::Work(work) = caller {
            self.answered(scene, work, &task, false);
        }
    }

    /// Nothing will come of work, and whoever waits for it learns so by giving up: a caller or a client
    /// when its own timeout has passed, a proxy when its connection is not made.
    pub(super) fn hang(&mut self, scene: &mut Scene, work: Key) {
        let task = &mut self.tasks[work];
        (task.state, task.queued) = (State::Hangs, false);
        let caller = task.caller;
        match caller {
            Caller::Work(caller) if self.tasks.lives(caller) => {}
            Caller::Request(request) if self.requests.lives(request) => {
                let asked = self.requests[request];
                if asked.edge.is_some() {
                    let after = scene.view.scenario.edge.connect_timeout_secs;
                    self.push_after(after, Kind::HangsUp, work);
                } else if asked.owner == Owner::Nobody {
                    self.hung_up(scene, work);
                }
            }
            _ => self.hung_up(scene, work),
        }
    }

    /// Whoever waited for work that hangs has given up.
    pub(super) fn hung_up(&mut self, scene: &mut Scene, work: Key) {
        if let Some(task) = self.tasks.get_mut(work)
            && task.state == State::Hangs
        {
            // No slot has taken it.
            task.state = State::Waits;
            self.done(scene, work, false);
        }
    }
}

/// Whether the timer of a call is still of use.
pub fn is_awaited(tasks: &Slab<Task>, call: Key) -> bool {
    tasks.get(call).is_some_and(|task| match task.caller {
        Caller::Work(work) => task.state == State::Hangs || tasks.lives(work),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(index: u32) -> Key {
        Key {
            index,
            generation: 0,
        }
    }

    fn calls(ties: &mut Ties, caller: u32) -> Vec<u32> {
        let mut calls = Vec::new();
        let mut next = ties.at(caller).first;
        while next != NONE {
            assert_eq!(ties.at(next).caller, caller);
            calls.push(next);
            next = ties.at(next).next;
        }
        calls
    }

    #[test]
    fn a_caller_knows_its_calls_whichever_leaves_first() {
        for order in [[1, 2, 3], [3, 2, 1], [2, 1, 3], [2, 3, 1]] {
            let mut ties = Ties::new([true].into_iter());
            for call in [1, 2, 3] {
                ties.tie(key(call), Some(key(0)), 5);
            }
            let mut left = vec![3, 2, 1];
            assert_eq!(calls(&mut ties, 0), left);
            for call in order {
                ties.leave(call);
                left.retain(|&other| other != call);
                assert_eq!(calls(&mut ties, 0), left, "{order:?}");
            }
        }
    }
}
