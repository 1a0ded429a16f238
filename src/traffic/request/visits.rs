//! A record of what became of each piece of work at a service, for tests against known laws.

use super::calls::{State, Task};
use super::{Requests, Scene};
use crate::model::scenario::ServiceId;
use crate::traffic::cohort::View;
use crate::units::Time;
use crate::world::state::World;

/// What became of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// Where.
    pub region: usize,
    /// When it arrived.
    pub arrived: Time,
    /// How long it waited for a slot, in seconds; `None`: no slot took it.
    pub waited_secs: Option<f64>,
    /// From its arrival to its answer, in seconds.
    pub stayed_secs: f64,
    /// Whether the answer was good.
    pub good: bool,
}

/// Visits of one service.
pub(super) struct Visits {
    service: ServiceId,
    list: Vec<Visit>,
}

impl Requests {
    /// Records what becomes of the work of a service from now on, which begins with so many pieces of
    /// work in each zone of each region.
    pub fn record(&mut self, view: &View, world: &mut World, service: ServiceId, present: u64) {
        let mut scene = Scene { view, world };
        self.look_around(&mut scene);
        for r in 0..self.regions {
            for zone in self.zones(r, service) {
                for _ in 0..present {
                    self.put(zone, r, service);
                }
            }
        }
        self.visits = Some(Visits {
            service,
            list: Vec::new(),
        });
    }

    /// Hands out what was recorded.
    pub fn take_visits(&mut self) -> Vec<Visit> {
        self.visits
            .as_mut()
            .map_or(Vec::new(), |v| std::mem::take(&mut v.list))
    }

    /// Notes a piece of work that has come to its end.
    pub(super) fn note_visit(&mut self, task: &Task, good: bool) {
        let now = self.now;
        let Some(visits) = &mut self.visits else {
            return;
        };
        if usize::from(task.service) != visits.service {
            return;
        }
        let (arrived, began) = task.times;
        visits.list.push(Visit {
            region: usize::from(task.region),
            arrived: Time(arrived),
            waited_secs: (task.state != State::Waits).then(|| (began - arrived) as f64 * 1e-9),
            stayed_secs: (now - arrived) as f64 * 1e-9,
            good,
        });
    }
}
