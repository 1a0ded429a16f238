//! Worker services: a backlog per region, which spare capacity works off.
//!
//! The backlog is a fluid: within a step work arrives evenly and the pool works at one pace, so that
//! it rises or falls on a straight line, and its end is exact. First come, first done: the oldest
//! item is as old as the part of the past that is not done yet.

use crate::model::scenario::{RegionId, Scenario, ServiceId};
use crate::model::work::{WorkObservation, WorkOutcome, WorkSource};
use crate::units::Time;
use crate::world::exchange;
use crate::world::graph::Graph;
use crate::world::stores::Asked;
use std::collections::VecDeque;

/// Pieces of the past that a backlog remembers; beyond, neighbours are taken together.
const PIECES: usize = 1024;
/// Less than this of an item is none.
const NOTHING: f64 = 1e-9;

/// Work that arrived evenly over a time and is not done.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from_secs: f64,
    until_secs: f64,
    items: f64,
}

/// The backlog of a worker in a region.
#[derive(Clone, Debug, Default)]
pub struct Backlog {
    pieces: VecDeque<Piece>,
    waiting: f64,
    behind: bool,
    gone: bool,
    busy_secs: f64,
    window: WorkObservation,
    all: WorkObservation,
}

impl Backlog {
    /// Items that wait.
    pub fn waiting(&self) -> f64 {
        self.waiting
    }

    /// How long the oldest item has waited, in seconds.
    pub fn age_secs(&self, now_secs: f64) -> f64 {
        let oldest = self.pieces.front();
        oldest.map_or(0.0, |piece| (now_secs - piece.from_secs).max(0.0))
    }

    /// Work arrives evenly from one moment to another, and up to `pace` items per second are done.
    /// Says how many were.
    pub fn advance(&mut self, from_secs: f64, until_secs: f64, arrives: f64, pace: f64) -> f64 {
        let before = self.waiting;
        let done = (before + arrives).min(pace * (until_secs - from_secs));
        if arrives > 0.0 {
            self.pieces.push_back(Piece {
                from_secs,
                until_secs,
                items: arrives,
            });
        }
        self.waiting = before + arrives - done;
        if self.waiting <= NOTHING * (before + arrives).max(1.0) {
            self.waiting = 0.0;
            self.pieces.clear();
        } else {
            self.take(done);
            self.thin();
        }
        // What is left in rounding counts as done, so that the counts balance.
        let done = before + arrives - self.waiting;
        for seen in [&mut self.window, &mut self.all] {
            seen.arrived += arrives;
            seen.done += done;
        }
        done
    }

    /// The oldest items are done.
    fn take(&mut self, mut done: f64) {
        while let Some(piece) = self.pieces.front_mut() {
            if piece.items > done {
                let share = done / piece.items;
                piece.from_secs += share * (piece.until_secs - piece.from_secs);
                piece.items -= done;
                return;
            }
            done -= piece.items;
            self.pieces.pop_front();
        }
    }

    /// Takes neighbours together where there are too many.
    fn thin(&mut self) {
        if self.pieces.len() <= PIECES {
            return;
        }
        let old = std::mem::take(&mut self.pieces);
        for (i, piece) in old.into_iter().enumerate() {
            match self.pieces.back_mut() {
                Some(last) if i % 2 == 1 => {
                    last.until_secs = piece.until_secs;
                    last.items += piece.items;
                }
                _ => self.pieces.push_back(piece),
            }
        }
    }

    /// All that waits is lost, and so is what arrives. Says how much waited.
    fn lose(&mut self, arrives: f64) -> f64 {
        let waited = std::mem::take(&mut self.waiting);
        self.pieces.clear();
        for seen in [&mut self.window, &mut self.all] {
            seen.arrived += arrives;
            seen.lost += waited + arrives;
        }
        waited
    }
}

/// What a worker did that is worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkNote {
    /// The region.
    pub region: RegionId,
    /// What happened.
    pub what: String,
    /// Why.
    pub cause: String,
}

/// How fast a pool works.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Items per second.
    pub per_sec: f64,
    /// Slots that do it.
    pub slots: f64,
}

/// All workers of a replication; none where the scenario has none.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    /// `[worker][region]`.
    backlogs: Vec<Vec<Backlog>>,
    /// Where the work of a region goes, `[worker][region]`.
    hosts: Vec<Vec<RegionId>>,
}

/// Where the work of each region is done: there, or in the nearest region that has the worker.
pub fn hosts(scenario: &Scenario, graph: &Graph, worker: ServiceId) -> Vec<RegionId> {
    let partial = graph.partial.iter().find(|p| p.service == worker);
    (0..scenario.regions.len())
        .map(|r| {
            let host = |p| exchange::host(&scenario.rtt_secs, p, r, &|_| true);
            partial.and_then(host).unwrap_or(r)
        })
        .collect()
}

impl Workers {
    /// Nothing waits.
    pub fn new(scenario: &Scenario, graph: &Graph) -> Workers {
        let regions = scenario.regions.len();
        let workers = &graph.workers;
        Workers {
            backlogs: vec![vec![Backlog::default(); regions]; workers.len()],
            hosts: workers.iter().map(|&v| hosts(scenario, graph, v)).collect(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.backlogs.is_empty()
    }

    /// Advances all backlogs over a step. `asked` is `[region][request]`, `pace` is that of a service
    /// in a region, or `None` where the region is dark.
    pub fn step(
        &mut self,
        scenario: &Scenario,
        graph: &Graph,
        (from, to): (Time, Time),
        asked: &[Asked],
        pace: &dyn Fn(ServiceId, RegionId) -> Option<Pace>,
    ) -> Vec<WorkNote> {
        let mut notes = Vec::new();
        let dt_secs = to.since(from).secs();
        let requests = scenario.requests.len();
        for (w, &v) in graph.workers.iter().enumerate() {
            let service = &scenario.services[v];
            let Some(worker) = &service.worker else {
                continue;
            };
            let mut arrives = vec![0.0; scenario.regions.len()];
            for (r, &host) in self.hosts[w].iter().enumerate() {
                arrives[host] += match &worker.source {
                    WorkSource::Requests { from, each } => {
                        let answered = from.iter().map(|&q| asked[r * requests + q].answered);
                        each * answered.sum::<u64>() as f64
                    }
                    WorkSource::Rate { per_sec } if host == r => per_sec * dt_secs,
                    WorkSource::Rate { .. } => 0.0,
                };
            }
            for (region, arrives) in arrives.into_iter().enumerate() {
                let backlog = &mut self.backlogs[w][region];
                let pace = pace(v, region);
                let mut note = |what: String, cause: String| {
                    notes.push(WorkNote {
                        region,
                        what,
                        cause,
                    });
                };
                if pace.is_none() && worker.lost_in_dark {
                    let waited = backlog.lose(arrives);
                    if !std::mem::replace(&mut backlog.gone, true) {
                        let what = format!("the backlog of {} is lost", service.name);
                        note(what, format!("{waited:.0} items waited in a dark region"));
                    }
                    backlog.behind = false;
                    continue;
                }
                backlog.gone = false;
                let pace = pace.unwrap_or_default();
                let done = backlog.advance(from.secs(), to.secs(), arrives, pace.per_sec);
                if done > 0.0 && pace.per_sec > 0.0 {
                    backlog.busy_secs += done / pace.per_sec * pace.slots;
                }
                let age_secs = backlog.age_secs(to.secs());
                let waiting = backlog.waiting;
                let window = &mut backlog.window;
                window.backlog = window.backlog.max(waiting);
                window.age_secs = window.age_secs.max(age_secs);
                if !backlog.behind && age_secs > worker.late_secs {
                    backlog.behind = true;
                    let what = format!("{} falls behind", service.name);
                    note(
                        what,
                        format!("{waiting:.0} items wait, the oldest for {age_secs:.0} s"),
                    );
                } else if backlog.behind && waiting == 0.0 {
                    backlog.behind = false;
                    let what = format!("{} has caught up", service.name);
                    note(what, "its backlog is done".into());
                }
            }
        }
        notes
    }

    /// What the workers of a region did in a window, and the slot-seconds that it kept busy.
    pub fn end_window(&mut self, region: RegionId) -> (Vec<WorkObservation>, f64) {
        let mut busy_secs = 0.0;
        let seen = self.backlogs.iter_mut().map(|of| {
            busy_secs += std::mem::take(&mut of[region].busy_secs);
            std::mem::take(&mut of[region].window)
        });
        (seen.collect(), busy_secs)
    }

    /// What became of all work.
    pub fn outcomes(&self, scenario: &Scenario, graph: &Graph) -> Vec<WorkOutcome> {
        let of = |(backlogs, &v): (&Vec<Backlog>, &ServiceId)| {
            let sum = |of: &dyn Fn(&Backlog) -> f64| backlogs.iter().map(of).sum();
            WorkOutcome {
                service: scenario.services[v].name.clone(),
                arrived: sum(&|b| b.all.arrived),
                done: sum(&|b| b.all.done),
                waiting: sum(&|b| b.waiting),
                lost: sum(&|b| b.all.lost),
            }
        };
        self.backlogs.iter().zip(&graph.workers).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_rises_and_drains_by_spare_capacity() {
        let mut backlog = Backlog::default();
        // 100 s at 10/s against 4/s: 600 wait, and the oldest came after 40 s.
        for i in 0..100 {
            backlog.advance(f64::from(i), f64::from(i + 1), 10.0, 4.0);
        }
        assert!((backlog.waiting() - 600.0).abs() < 1e-6);
        assert!((backlog.age_secs(100.0) - 60.0).abs() < 1e-6);
        // Then 2/s against 8/s: it is empty after 100 s, and not before.
        backlog.advance(100.0, 199.0, 198.0, 8.0);
        assert!((backlog.waiting() - 6.0).abs() < 1e-6);
        assert!(backlog.age_secs(199.0) < 4.0);
        let done = backlog.advance(199.0, 205.0, 12.0, 8.0);
        assert!((done - 18.0).abs() < 1e-6, "{done}");
        assert_eq!(backlog.waiting(), 0.0);
        assert_eq!(backlog.age_secs(205.0), 0.0);
    }

    #[test]
    fn what_arrived_is_done_or_waits_and_memory_is_bounded() {
        let mut backlog = Backlog::default();
        for i in 0..10_000 {
            let pace = if i % 3 == 0 { 9.0 } else { 0.0 };
            backlog.advance(f64::from(i), f64::from(i + 1), 5.0, pace);
            assert!(backlog.pieces.len() <= PIECES);
        }
        let all = backlog.all;
        assert!((all.arrived - all.done - backlog.waiting()).abs() < 1e-6);
        // Three fifths of the past are done.
        assert!((backlog.age_secs(10_000.0) - 4000.0).abs() < 40.0);
        let waited = backlog.lose(1.0);
        assert!((backlog.all.arrived - backlog.all.done - backlog.all.lost).abs() < 1e-6);
        assert!(waited > 0.0 && backlog.waiting() == 0.0);
    }
}
