//! Instances of one service in one region: in service, dark, activating, booting, slow at first.

use crate::engine::law;
use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::scenario::Service;
use crate::units::{Dist, Span, Time};

mod losses;
mod sizing;

use losses::Losses;
pub use losses::ejected;

/// Delays of a crowd of instances are drawn into so many classes of equal probability.
const BATCHES: usize = 24;

/// Instances of a service in a region.
#[derive(Clone, Debug)]
pub struct Instances {
    zones: u32,
    slow_start: Span,
    slow_factor: f64,
    /// Groups in service: number and when they began to serve (`None`: long ago).
    serving: Vec<(u64, Option<Time>)>,
    /// Dark ones that nobody has called yet.
    dark: u64,
    /// Dark ones that were called and not released since.
    called: u64,
    /// On their way into service: when, and how many. Sorted.
    coming: Vec<(Time, u64)>,
    /// Whether the region is dark: nothing serves.
    down: bool,
    /// Dead ones, and zones that are down.
    losses: Losses,
    /// Taken out of rotation, and still found by callers until then. Sorted.
    leaving: Vec<(Time, u64)>,
    /// Ever begun: at first, or launched later.
    begun: u64,
    /// No more there: taken out, or dead and replaced.
    gone: u64,
}

impl Instances {
    /// `serving` instances in service since long ago and `dark` out of rotation.
    pub fn new(service: &Service, zones: usize, serving: u64, dark: u64) -> Instances {
        Instances {
            zones: zones as u32,
            slow_start: service.slow_start,
            slow_factor: service.slow_factor,
            serving: vec![(serving, None)],
            dark,
            called: 0,
            coming: Vec::new(),
            down: false,
            losses: Losses::new(service),
            leaving: Vec::new(),
            begun: serving + dark,
            gone: 0,
        }
    }

    /// Instances that take requests.
    pub fn in_service(&self) -> u64 {
        if self.down {
            0
        } else {
            self.serving.iter().map(|group| group.0).sum()
        }
    }

    /// Instances that are dark and not called yet.
    pub fn dark(&self) -> u64 {
        self.dark
    }

    /// Whether any is on its way into service.
    pub fn any_coming(&self) -> bool {
        !self.coming.is_empty()
    }

    /// When the next one begins to serve, leaves, or is found dead.
    pub fn next_time(&self) -> Time {
        let first = |list: &[(Time, u64)]| list.first().map_or(Time::NEVER, |c| c.0);
        let losses = self.losses.next_time();
        first(&self.coming).min(first(&self.leaving)).min(losses)
    }

    /// Whether some are still slower than they will be.
    pub fn warming(&self, now: Time) -> bool {
        self.serving
            .iter()
            .any(|&(_, since)| since.is_some_and(|since| now < since + self.slow_start))
    }

    /// Takes those that are due into service.
    pub fn advance(&mut self, now: Time) {
        while let Some(&(at, count)) = self.coming.first() {
            if at > now {
                break;
            }
            self.coming.remove(0);
            self.serving.push((count, Some(at)));
        }
        self.leave(now);
        self.losses.advance(now);
        let slow_start = self.slow_start;
        let mut settled = 0;
        self.serving.retain(|&(count, since)| {
            let done = since.is_none_or(|since| since + slow_start <= now);
            if done {
                settled += count;
            }
            !done
        });
        if settled > 0 {
            self.serving.insert(0, (settled, None));
        }
    }

    /// Dead instances that are still given requests, and how many of them hang.
    pub fn dead_in_rotation(&self, fails_open: bool) -> (f64, f64) {
        match self.down {
            true => (0.0, 0.0),
            false => self.losses.in_rotation(fails_open),
        }
    }

    /// The capacity at a moment.
    pub fn capacity(&self, now: Time) -> crate::world::graph::Capacity {
        let (mut all, mut work) = (0.0, 0.0);
        if !self.down {
            for &(count, since) in &self.serving {
                let left = since.map_or(0.0, |since| {
                    let age = now.since(since).secs();
                    let whole = self.slow_start.secs();
                    if whole > 0.0 {
                        (1.0 - age / whole).max(0.0)
                    } else {
                        0.0
                    }
                });
                all += count as f64;
                work += count as f64 / (1.0 + (self.slow_factor - 1.0) * left);
            }
        }
        crate::world::graph::Capacity {
            instances: all,
            zones: f64::from(self.zones - self.losses.zones_down()),
            // A pool of fast and slow instances serves as much as equal ones at the harmonic mean.
            slowness: if work > 0.0 { all / work } else { 1.0 },
            broken: if self.down {
                0.0
            } else {
                self.losses.broken(all)
            },
            hanging: if self.down {
                0.0
            } else {
                self.losses.hanging(all)
            },
            drag_secs: 0.0,
        }
    }

    /// Calls the dark instances into rotation, each after its own delay.
    pub fn activate(&mut self, now: Time, delay: &Dist, stream: Stream) -> u64 {
        let called = std::mem::take(&mut self.dark);
        self.called += called;
        self.schedule(now, called, delay, stream, 0);
        called
    }

    /// Takes those that were called back out of rotation, the newest first, as far as they serve.
    pub fn release(&mut self) -> u64 {
        let mut left = self.called;
        for group in self.serving.iter_mut().rev() {
            let taken = left.min(group.0);
            group.0 -= taken;
            left -= taken;
        }
        self.serving
            .retain(|group| group.0 > 0 || group.1.is_none());
        let released = self.called - left;
        self.called = left;
        self.dark += released;
        released
    }

    /// The region goes dark: nothing serves until it starts anew.
    pub fn stop(&mut self) {
        self.down = true;
    }

    /// The region has power again: every instance that was in service or called boots anew and starts
    /// slowly; dark ones boot too, unseen.
    pub fn restart(&mut self, now: Time, boot: &Dist, stream: Stream) {
        self.down = false;
        let called: u64 = self.serving.iter().map(|group| group.0).sum::<u64>()
            + self.coming.iter().map(|c| c.1).sum::<u64>()
            + self.revive();
        let called = called - self.leaving.iter().map(|l| l.1).sum::<u64>();
        self.gone += self.leaving.drain(..).map(|l| l.1).sum::<u64>();
        self.serving.clear();
        self.coming.clear();
        self.schedule(now, called, boot, stream, 1);
        for zone in self.zones_down() {
            self.lose_again(now, zone, stream);
        }
    }

    fn schedule(&mut self, now: Time, count: u64, delay: &Dist, stream: Stream, slot: u32) {
        if count == 0 {
            return;
        }
        let mut counts = [0; BATCHES];
        let mut draws = stream.draws(now.0, slot);
        sampling::multinomial(
            &mut draws,
            count,
            &[1.0 / BATCHES as f64; BATCHES],
            &mut counts,
        );
        for (i, &members) in counts.iter().enumerate() {
            if members > 0 {
                let secs = law::quantile(delay, (i as f64 + 0.5) / BATCHES as f64);
                self.coming.push((now + Span::from_secs(secs), members));
            }
        }
        self.coming.sort_unstable();
    }
}
