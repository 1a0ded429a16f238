//! How long a session plays on without its region.

use crate::engine::law;
use crate::model::request::When;
use crate::model::scenario::{Buffer, Scenario, Session};

/// Points of the tables.
const POINTS: usize = 4096;

/// Laws of the time until a session without its region stands still.
#[derive(Clone, Debug)]
pub struct Cut {
    buffer: Played,
    needs: Needs,
    /// Interactive requests of a playing session, per second; the first one stands still.
    interactive_per_sec: f64,
}

/// When a session that has lost its region begins to live on its buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Needs {
    /// Never: the media come from elsewhere and nothing must be renewed.
    Nothing,
    /// At once: the media come from the region.
    Media,
    /// When the next renewal is due, at a uniform moment of this period in seconds.
    Renewal(f64),
}

impl Cut {
    /// The laws of a scenario; `None` where nothing streams.
    pub fn new(scenario: &Scenario) -> Option<Cut> {
        let session = scenario.session.as_ref()?;
        let interactive_per_sec = scenario
            .requests
            .iter()
            .map(|r| match r.when {
                When::Rate { per_sec } => per_sec,
                _ => 0.0,
            })
            .sum();
        let renewal_secs = scenario.requests.iter().find_map(|r| match r.when {
            When::Every {
                period_secs,
                renews: true,
            } => Some(period_secs),
            _ => None,
        });
        Some(Cut::of(session, renewal_secs, interactive_per_sec))
    }

    fn of(session: &Session, renewal_secs: Option<f64>, interactive_per_sec: f64) -> Cut {
        Cut {
            buffer: Played::new(&session.buffer, session.download_speed),
            needs: match (session.media_from_region, renewal_secs) {
                (true, _) => Needs::Media,
                (false, Some(period)) if period > 0.0 => Needs::Renewal(period),
                (false, Some(_)) => Needs::Media,
                (false, None) => Needs::Nothing,
            },
            interactive_per_sec,
        }
    }

    /// A time by which nearly every session without its region stands still.
    pub fn longest_secs(&self) -> f64 {
        let renewal = match self.needs {
            Needs::Renewal(period) => period,
            _ => 0.0,
        };
        self.buffer.longest_secs + renewal
    }

    /// Share of sessions that stand still `secs` after they lost their connection (`lost`), or after
    /// a renewal failed: the buffer has run out, or the viewer asked for something.
    pub fn stalled_by(&self, secs: f64, lost: bool) -> f64 {
        let secs = secs.max(0.0);
        let played = match self.needs {
            Needs::Nothing if lost => 0.0,
            Needs::Renewal(period) if lost => {
                let since = self.buffer.integral((secs - period).max(0.0));
                (self.buffer.integral(secs) - since) / period
            }
            _ => self.buffer.at(secs),
        };
        1.0 - (1.0 - played) * libm::exp(-self.interactive_per_sec * secs)
    }
}

/// Share of sessions with less than so many seconds of media, and its integral, on a grid of
/// squares: fine near zero, and as far as nearly every buffer lasts.
#[derive(Clone, Debug)]
struct Played {
    longest_secs: f64,
    /// Share and integral of it.
    points: Vec<(f64, f64)>,
    /// Share beyond the grid.
    beyond: f64,
}

impl Played {
    fn new(buffer: &Buffer, speed: f64) -> Played {
        let longest_secs = match buffer {
            Buffer::Level(level) => law::quantile(level, 1.0 - 1e-7),
            Buffer::Filling { max, .. } => *max,
        }
        .clamp(1e-6, 1e6);
        let mut points = Vec::with_capacity(POINTS);
        let (mut last, mut sum) = ((0.0, 0.0), 0.0);
        for i in 0..POINTS {
            let part = i as f64 / (POINTS - 1) as f64;
            let secs = longest_secs * part * part;
            let share = below(buffer, speed, secs);
            sum += 0.5 * (share + last.1) * (secs - last.0);
            last = (secs, share);
            points.push((share, sum));
        }
        Played {
            longest_secs,
            points,
            beyond: below(buffer, speed, longest_secs * (1.0 + 1e-9)),
        }
    }

    /// The point of the grid before `secs`, how far it lies before, and the slope from there.
    fn before(&self, secs: f64) -> ((f64, f64), f64, f64) {
        let last = (POINTS - 1) as f64;
        let i = ((secs / self.longest_secs).sqrt() * last).min(last - 1.0) as usize;
        let at = |i: usize| self.longest_secs * (i as f64 / last) * (i as f64 / last);
        let slope = (self.points[i + 1].0 - self.points[i].0) / (at(i + 1) - at(i));
        (self.points[i], secs - at(i), slope)
    }

    fn at(&self, secs: f64) -> f64 {
        if secs > self.longest_secs {
            return self.beyond;
        }
        let ((share, _), past, slope) = self.before(secs);
        share + slope * past
    }

    /// Integral of the share from zero: the mean time that a buffer has been empty by then.
    fn integral(&self, secs: f64) -> f64 {
        if secs > self.longest_secs {
            let whole = self.points[POINTS - 1].1;
            return whole + (secs - self.longest_secs) * self.beyond;
        }
        let ((share, sum), past, slope) = self.before(secs);
        sum + past * (share + 0.5 * slope * past)
    }
}

/// Share of playing sessions that have less than so many seconds of media. A filling buffer grows by
/// `speed - 1` per second from its start to its full level, and ages are uniform over the length.
fn below(buffer: &Buffer, speed: f64, secs: f64) -> f64 {
    match buffer {
        _ if secs <= 0.0 => 0.0,
        Buffer::Level(level) => law::cdf(level, secs),
        Buffer::Filling { start, max, length } => {
            if secs <= start.min(*max) {
                0.0
            } else if secs > *max || speed <= 1.0 {
                1.0
            } else {
                ((secs - start) / (speed - 1.0) / length).min(1.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Dist;

    fn session(buffer: Buffer, speed: f64, media_from_region: bool) -> Session {
        Session {
            length: vec![(1.0, 3600.0)],
            buffer,
            media_from_region,
            retry_secs: 1.0,
            patience_secs: 5.0,
            resume_secs: 2.0,
            download_speed: speed,
        }
    }

    fn uniform(lo: f64, hi: f64) -> Buffer {
        Buffer::Level(Dist::Uniform { lo, hi })
    }

    /// Buffers of `lo..hi` seconds and an outage that lasts `from..to`: share that stands still, and
    /// mean stall with the time to resume.
    #[test]
    fn stalls_follow_the_buffer() {
        for (lo, hi, from, to, resume, speed, stalled, stall) in [
            (10.0, 30.0, 20.0, 20.0, 2.0, 4.0, 0.5, 2.75),
            (20.0, 60.0, 15.0, 75.0, 5.0, 3.0, 0.583_333, 12.291_667),
            (26.0, 30.0, 10.0, 70.0, 0.0, 2.0, 0.7, 14.711_111),
        ] {
            let cut = Cut::of(&session(uniform(lo, hi), speed, true), None, 0.0);
            let (mut share, mut mean) = (0.0, 0.0);
            for i in 0..1000 {
                let lasts = from + (to - from) * (f64::from(i) + 0.5) / 1000.0;
                share += cut.stalled_by(lasts, true) / 1000.0;
                mean += cut.buffer.integral(lasts) / 1000.0;
            }
            mean += share * resume / speed;
            assert!((share - stalled).abs() < 1e-3, "{share} {stalled}");
            assert!((mean - stall).abs() < 1e-2, "{mean} {stall}");
        }
    }

    /// Length, speed, start, full level, outage: share that stands still, up to the full level itself.
    #[test]
    fn a_filling_buffer_is_low_only_in_young_sessions() {
        for (length, speed, start, max, lasts, stalled) in [
            (1800.0, 1.5, 2.0, 30.0, 12.0, 0.011_111),
            (600.0, 2.0, 4.0, 60.0, 45.0, 0.068_333),
            (3600.0, 1.2, 1.0, 40.0, 40.0, 0.054_167),
        ] {
            let filling = Buffer::Filling { start, max, length };
            let cut = Cut::of(&session(filling, speed, true), None, 0.0);
            assert!((cut.stalled_by(lasts, true) - stalled).abs() < 1e-5);
            assert!(cut.stalled_by(start, true) < 1e-5);
            assert_eq!(cut.stalled_by(max + 0.1, true), 1.0);
        }
    }

    #[test]
    fn a_renewal_comes_due_at_a_uniform_moment() {
        let cut = Cut::of(&session(uniform(10.0, 30.0), 4.0, false), Some(60.0), 0.0);
        // The sum of two uniforms.
        for (secs, want) in [
            (10.0, 0.0),
            (30.0, 10.0 / 60.0),
            (50.0, 0.5),
            (90.0, 1.0),
            (500.0, 1.0),
        ] {
            let got = cut.stalled_by(secs, true);
            assert!((got - want).abs() < 1e-4, "{secs}: {got} {want}");
        }
        // After a renewal failed there is nothing to wait for.
        assert!((cut.stalled_by(20.0, false) - 0.5).abs() < 1e-3);
    }

    #[test]
    fn viewers_who_ask_for_something_stand_still_however_long_it_takes() {
        let cut = Cut::of(&session(uniform(10.0, 30.0), 4.0, false), None, 0.001);
        for secs in [5.0, 500.0, 5000.0] {
            let want = 1.0 - libm::exp(-0.001 * secs);
            assert!((cut.stalled_by(secs, true) - want).abs() < 1e-9);
        }
    }

    #[test]
    fn long_tails_do_not_blur_short_buffers() {
        let level = Dist::Pareto {
            min: 10.0,
            alpha: 1.5,
            max: f64::INFINITY,
        };
        let buffer = Played::new(&Buffer::Level(level.clone()), 4.0);
        for secs in [5.0, 12.0, 30.0, 100.0, 3000.0] {
            let want = law::cdf(&level, secs);
            assert!((buffer.at(secs) - want).abs() < 0.01, "{secs}");
        }
    }
}
