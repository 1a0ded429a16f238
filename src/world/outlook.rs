//! How fast services will work later on, as far as the timetable of faults says: whoever joins a queue
//! now is served at the pace of then. What the control plane will do is not in it.

use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{RegionId, ServiceId};
use crate::units::Time;
use crate::world::condition::Condition;

/// From each moment on, how many times longer requests to a service take than in good health.
pub type Outlook = Vec<(Time, f64)>;

/// What the episodes that are still to begin or to end do to a service in a region.
pub fn outlook(episodes: &[&Episode], region: RegionId, service: ServiceId, now: Time) -> Outlook {
    let slows = |e: &&&Episode| matches!(e.impairment, Impairment::Degraded { .. });
    let slowing: Vec<&&Episode> = episodes.iter().filter(slows).collect();
    let mut moments: Vec<Time> = slowing.iter().flat_map(|e| [e.from, e.until]).collect();
    moments.retain(|&at| at > now && at < Time::NEVER);
    moments.sort_unstable();
    moments.dedup();
    let slowness = |at: Time| {
        let active = slowing.iter().filter(|e| e.from <= at && at < e.until);
        let condition = Condition::of(active.map(|e| &e.impairment));
        condition.degraded(region, service).slowness
    };
    let mut changes: Outlook = Vec::new();
    let mut last = slowness(now);
    for at in moments {
        let next = slowness(at);
        if next != last {
            changes.push((at, next));
            last = next;
        }
    }
    changes
}

/// The pace of a service that is to change: what now takes a second will take so many.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ahead {
    /// So many seconds from now, and the factor from then on.
    changes: Vec<(f64, f64)>,
}

impl Ahead {
    /// The outlook at a moment, when requests take `slowness` times longer than in good health.
    pub fn new(outlook: &[(Time, f64)], now: Time, slowness: f64) -> Ahead {
        let later = outlook.iter().filter(|change| change.0 > now);
        Ahead {
            changes: later
                .map(|&(at, then)| (at.since(now).secs(), then / slowness))
                .collect(),
        }
    }

    /// Whether nothing will change.
    pub fn is_steady(&self) -> bool {
        self.changes.is_empty()
    }

    /// How long it takes until work is done that would take `secs` at the present pace, if it begins
    /// `later` than now; before the first change, that is.
    pub fn secs(&self, later: f64, secs: f64) -> f64 {
        let (mut now, mut left, mut factor) = (later, secs, 1.0);
        for &(at, next) in &self.changes {
            let done = (at - now) / factor;
            if done >= left {
                break;
            }
            left -= done;
            (now, factor) = (at, next);
        }
        now + left * factor - later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> Time {
        Time::from_secs(secs)
    }

    fn slow(from: f64, until: f64, slowness: f64) -> Episode {
        Episode {
            from: at(from),
            until: at(until),
            impairment: Impairment::Degraded {
                region: Some(0),
                service: Some(0),
                slowness,
                errors: 0.0,
                seen: true,
            },
            announced: None,
            fault: 0,
        }
    }

    #[test]
    fn overlapping_episodes_multiply_and_others_do_not_matter() {
        let (one, two) = (slow(10.0, 20.0, 5.0), slow(15.0, 30.0, 2.0));
        let all = [&one, &two];
        let seen = outlook(&all, 0, 0, at(12.0));
        assert_eq!(seen, [(at(15.0), 10.0), (at(20.0), 2.0), (at(30.0), 1.0)]);
        assert_eq!(outlook(&all, 1, 0, at(0.0)), []);
        assert_eq!(outlook(&all, 0, 1, at(0.0)), []);
    }

    #[test]
    fn work_is_done_at_the_pace_of_its_time() {
        // Five times slower now, healthy in four seconds: four seconds do what 0.8 do in health.
        let ahead = Ahead::new(&[(at(10.0), 1.0)], at(6.0), 5.0);
        assert_eq!(ahead.secs(0.0, 3.0), 3.0);
        assert_eq!(ahead.secs(0.0, 4.0), 4.0);
        assert!((ahead.secs(0.0, 14.0) - (4.0 + 10.0 / 5.0)).abs() < 1e-12);
        // Who comes three seconds later is there when it gets well.
        assert!((ahead.secs(3.0, 14.0) - (1.0 + 13.0 / 5.0)).abs() < 1e-12);
        assert!((ahead.secs(4.0, 14.0) - 14.0 / 5.0).abs() < 1e-12);
        // Slower soon, and healthy again after it.
        let dip = Ahead::new(&[(at(1.0), 10.0), (at(3.0), 1.0)], at(0.0), 1.0);
        assert!((dip.secs(0.0, 1.1) - 2.0).abs() < 1e-12);
        assert!((dip.secs(0.0, 2.0) - (3.0 + 0.8)).abs() < 1e-12);
        assert!(Ahead::new(&[(at(1.0), 2.0)], at(2.0), 2.0).is_steady());
        assert_eq!(Ahead::default().secs(1.0, 7.5), 7.5);
    }
}
