//! Guards of faults: limits on SLIs that the control plane watches while a fault lasts, in windows
//! that are as old as its metrics. A breach warns, or aborts a drill; in an incident it begins the
//! failover of the regions that are hit.

use super::Run;
use crate::model::episode::Episode;
use crate::model::outcome::{Breach, Effect, Entry};
use crate::model::scenario::{RegionId, Scenario};
use crate::model::telemetry::Announced;
use crate::simulate::events::Event;
use crate::slis;

/// What is known of the guards.
pub struct Guards {
    /// Whether any fault has one.
    any: bool,
    /// Faults that were aborted.
    aborted: Vec<usize>,
    /// Regions to be evacuated because of a fault's guard, with the fault.
    alarms: Vec<(RegionId, usize)>,
}

impl Guards {
    /// The guards of a scenario's faults.
    pub fn new(scenario: &Scenario) -> Guards {
        Guards {
            any: scenario.faults.iter().any(|fault| !fault.guards.is_empty()),
            aborted: Vec::new(),
            alarms: Vec::new(),
        }
    }

    /// Whether a fault was aborted: what remains of it does not happen.
    pub fn aborted(&self, fault: usize) -> bool {
        self.aborted.contains(&fault)
    }

    /// Whether a guard asks to evacuate a region.
    pub fn alarmed(&self, region: RegionId) -> bool {
        self.alarms.iter().any(|alarm| alarm.0 == region)
    }

    /// An episode has ended: with the last of its fault the alarm is over.
    pub fn ended(&mut self, episodes: &[Episode], active: &[bool], ended: usize) {
        let fault = episodes[ended].fault;
        let mut on = episodes.iter().zip(active).filter(|(_, on)| **on);
        if !on.any(|(episode, _)| episode.fault == fault) {
            self.alarms.retain(|alarm| alarm.1 != fault);
        }
    }
}

impl Run<'_> {
    /// Whether anything of a fault is active, or strikes again and again.
    fn lasts(&self, fault: usize) -> bool {
        let whole = &self.sim.scenario.faults[fault];
        let within = whole.at <= self.now && self.now < whole.at + whole.duration;
        let strikes = |e: &Episode| e.fault == fault && e.impairment.momentary();
        if within && !self.guards.aborted(fault) && self.episodes.iter().any(strikes) {
            return true;
        }
        let mut on = self
            .episodes
            .iter()
            .zip(&self.active)
            .filter(|(_, on)| **on);
        on.any(|(episode, _)| episode.fault == fault)
    }

    /// Looks at the window that has just closed; a breach is heard of later.
    pub(super) fn watch_guards(&mut self) {
        if !self.guards.any {
            return;
        }
        let Some(window) = self.outcome.windows.last() else {
            return;
        };
        let known = window.until + self.sim.scenario.control.delay;
        let mut broken = Vec::new();
        for (f, fault) in self.sim.scenario.faults.iter().enumerate() {
            if window.from < fault.at || !self.lasts(f) {
                continue;
            }
            for (g, guard) in fault.guards.iter().enumerate() {
                let limit = &guard.threshold;
                let value = slis::find(&limit.sli).and_then(|sli| sli.measure(&window.global));
                if value.is_some_and(|value| !limit.op.holds(value, limit.value)) {
                    broken.push(Event::Breached { fault: f, guard: g });
                }
            }
        }
        for breach in broken {
            self.queue.push(known, breach);
        }
    }

    /// The control plane hears of a breach; one that comes too late, or that nobody hears, is none.
    pub(super) fn breached(&mut self, f: usize, g: usize) {
        let mut known = self.outcome.breaches.iter();
        let again = known.any(|b| (b.fault, b.guard) == (f, g));
        if again || !self.lasts(f) || self.blind(None) {
            return;
        }
        let fault = &self.sim.scenario.faults[f];
        let guard = &fault.guards[g];
        let effect = match (guard.aborts, fault.drill) {
            (false, _) => Effect::Warned,
            (true, true) => Effect::Aborted,
            (true, false) => Effect::FailedOver,
        };
        self.outcome.breaches.push(Breach {
            fault: f,
            guard: g,
            at: self.now,
            effect,
        });
        let limit = format!("{} {}", guard.threshold.sli, guard.threshold.text);
        let what = match effect {
            Effect::Warned => "warns: the fault goes on",
            Effect::Aborted => "aborts the drill and rolls it back",
            Effect::FailedOver => "begins the failover: this is no drill",
        };
        self.outcome.log.push(Entry {
            at: self.now,
            part: "guard".into(),
            what: what.into(),
            cause: format!("{limit} was broken"),
        });
        match effect {
            Effect::Warned => {}
            Effect::Aborted => self.abort(f),
            Effect::FailedOver => {
                let episodes = self.episodes.iter().filter(|e| e.fault == f);
                let regions: Vec<RegionId> =
                    episodes.filter_map(|e| e.impairment.region()).collect();
                for region in regions {
                    self.guards.alarms.push((region, f));
                    self.tell_operator(region);
                }
            }
        }
    }

    /// Ends what is active of a drill, and lets nothing more of it begin.
    fn abort(&mut self, f: usize) {
        self.guards.aborted.push(f);
        for i in 0..self.episodes.len() {
            let episode = &self.episodes[i];
            if episode.fault != f {
                continue;
            }
            if let Some(region) = episode.impairment.evacuable() {
                let drill = Announced {
                    region,
                    at: episode.from,
                    until: episode.until,
                    aborted: true,
                };
                let same = |a: &Announced| (a.region, a.at) == (drill.region, drill.at);
                self.announced.retain(|a| !same(a));
                self.announced.push(drill);
            }
            self.end(i);
        }
        let marks = &mut self.outcome.marks;
        let others = self.episodes.iter().filter(|e| e.fault != f);
        marks.fault_end = others.map(|e| e.until).chain([self.now]).max();
    }
}
