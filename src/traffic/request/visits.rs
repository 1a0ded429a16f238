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
    /// In which zone.
    pub zone: usize,
    /// At which service.
    pub service: ServiceId,
    /// When it arrived.
    pub arrived: Time,
    /// How long it waited for a slot, in seconds; `None`: no slot took it.
    pub waited_secs: Option<f64>,
    /// From its arrival to its answer, in seconds.
    pub stayed_secs: f64,
    /// Whether the answer was good.
    pub good: bool,
}

/// Visits of all services.
#[derive(Default)]
pub(super) struct Visits {
    list: Vec<Visit>,
}

impl Requests {
    /// Records what becomes of the work of services from now on; the first begins with so many pieces
    /// of work in each zone of each region.
    pub fn record(
        &mut self,
        view: &View,
        world: &mut World,
        (service, present): (ServiceId, &dyn Fn(usize) -> u64),
    ) {
        let mut scene = Scene { view, world };
        self.look_around(&mut scene);
        for r in 0..self.regions {
            for (z, zone) in self.zones(r, service).enumerate() {
                for _ in 0..present(z) {
                    self.put(zone, r, service);
                }
            }
        }
        self.visits = Some(Visits::default());
    }

    /// Hands out what was recorded.
    pub fn take_visits(&mut self) -> Vec<Visit> {
        self.visits
            .as_mut()
            .map_or(Vec::new(), |v| std::mem::take(&mut v.list))
    }

    /// Notes a piece of work that has come to its end.
    pub(super) fn note_visit(&mut self, task: &Task, good: bool) {
        if self.visits.is_none() || usize::from(task.service) >= self.services {
            return;
        }
        let now = self.now;
        let (region, service) = (usize::from(task.region), usize::from(task.service));
        let zone = (task.pool as usize).saturating_sub(self.zones(region, service).start);
        let (arrived, began) = task.times;
        let visit = Visit {
            region,
            zone,
            service,
            arrived: Time(arrived),
            waited_secs: (task.state != State::Waits).then(|| (began - arrived) as f64 * 1e-9),
            stayed_secs: (now - arrived) as f64 * 1e-9,
            good,
        };
        if let Some(visits) = &mut self.visits {
            visits.list.push(visit);
        }
    }
}
