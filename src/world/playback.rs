//! How long a session plays on without its region.

use crate::engine::law;
use crate::model::scenario::{Buffer, Scenario, When};

/// Points of the tables.
const POINTS: usize = 4096;

/// Laws of the time until a session without its region stands still.
#[derive(Clone, Debug)]
pub struct Cut {
    /// From the loss of the connection, and from a failed renewal.
    lost: Table,
    refused: Table,
}

#[derive(Clone, Debug)]
struct Table {
    step_secs: f64,
    values: Vec<f64>,
}

impl Cut {
    /// The laws of a scenario; `None` where nothing streams.
    pub fn new(scenario: &Scenario) -> Option<Cut> {
        let session = scenario.session.as_ref()?;
        let interactive: f64 = scenario
            .requests
            .iter()
            .map(|r| match r.when {
                When::Rate { per_sec } => per_sec,
                _ => 0.0,
            })
            .sum();
        let renewal = scenario.requests.iter().find_map(|r| match r.when {
            When::Every {
                period_secs,
                renews: true,
            } => Some(period_secs),
            _ => None,
        });
        let buffer = |secs: f64| below(&session.buffer, session.download_speed, secs);
        // Media from the region stop at once; from elsewhere they go on until a renewal is due.
        let (needs, wait) = match (session.media_from_region, renewal) {
            (true, _) => (true, 0.0),
            (false, Some(period)) => (true, period),
            (false, None) => (false, 0.0),
        };
        let with_events =
            |played: f64, secs: f64| 1.0 - (1.0 - played) * libm::exp(-interactive * secs);
        let longest = longest_buffer(&session.buffer) + wait;
        let refused = Table::new(longest, |secs| with_events(buffer(secs), secs));
        let lost = Table::new(longest, |secs| {
            let played = if !needs {
                0.0
            } else if wait > 0.0 {
                // The renewal is due at a uniform moment of its period.
                let parts = 64;
                (0..parts)
                    .map(|i| buffer(secs - wait * (i as f64 + 0.5) / parts as f64))
                    .sum::<f64>()
                    / parts as f64
            } else {
                buffer(secs)
            };
            with_events(played, secs)
        });
        Some(Cut { lost, refused })
    }

    /// A time by which nearly every session without its region stands still.
    pub fn longest_secs(&self) -> f64 {
        self.lost.step_secs * (POINTS - 1) as f64
    }

    /// Share of sessions that stand still `secs` after they lost their connection (`lost`), or after
    /// a renewal failed.
    pub fn stalled_by(&self, secs: f64, lost: bool) -> f64 {
        if lost {
            self.lost.at(secs)
        } else {
            self.refused.at(secs)
        }
    }
}

impl Table {
    fn new(longest: f64, law: impl Fn(f64) -> f64) -> Table {
        let step_secs = longest.max(1.0) / (POINTS - 1) as f64;
        Table {
            step_secs,
            values: (0..POINTS).map(|i| law(i as f64 * step_secs)).collect(),
        }
    }

    fn at(&self, secs: f64) -> f64 {
        let position = (secs / self.step_secs).max(0.0);
        let i = position as usize;
        match (self.values.get(i), self.values.get(i + 1)) {
            (Some(a), Some(b)) => a + (b - a) * (position - i as f64),
            _ => self.values[POINTS - 1],
        }
    }
}

/// Chance that a playing session has less than so many seconds of media.
fn below(buffer: &Buffer, speed: f64, secs: f64) -> f64 {
    match buffer {
        _ if secs <= 0.0 => 0.0,
        Buffer::Level(level) => law::cdf(level, secs),
        Buffer::Filling { start, max, length } => {
            if secs <= *start {
                0.0
            } else if secs > *max {
                1.0
            } else if speed <= 1.0 {
                // It never fills beyond where it starts.
                1.0
            } else {
                ((secs - start) / (speed - 1.0) / length).min(1.0)
            }
        }
    }
}

/// A time by which nearly every buffer has run out.
fn longest_buffer(buffer: &Buffer) -> f64 {
    match buffer {
        Buffer::Level(level) => law::quantile(level, 1.0 - 1e-7).min(1e6),
        Buffer::Filling { max, .. } => *max * 1.001,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Dist;

    #[test]
    fn a_filling_buffer_is_low_only_in_young_sessions() {
        let buffer = Buffer::Filling {
            start: 1.0,
            max: 40.0,
            length: 3600.0,
        };
        // Speed 1.2: 195 s until it is full.
        assert!((1.0 - below(&buffer, 1.2, 40.0) - 0.9458).abs() < 1e-4);
        assert_eq!(below(&buffer, 1.2, 40.1), 1.0);
        assert_eq!(below(&buffer, 1.2, 1.0), 0.0);
    }

    #[test]
    fn tables_follow_the_law() {
        let level = Buffer::Level(Dist::Uniform { lo: 10.0, hi: 40.0 });
        let table = Table::new(longest_buffer(&level), |secs| below(&level, 4.0, secs));
        assert!((table.at(22.0) - 0.4).abs() < 1e-3);
        assert!((table.at(1e9) - 1.0).abs() < 1e-6);
        assert_eq!(table.at(0.0), 0.0);
    }
}
