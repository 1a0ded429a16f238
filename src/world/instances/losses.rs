//! Instances that died: they stay in rotation until health checks find out, and fail what they are
//! given.

use super::{BATCHES, Instances};
use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::model::scenario::Service;
use crate::units::{Dist, Span, Time};

/// Up to so many instances each has a delay of its own; more are drawn into classes.
const FEW: u64 = 200;

/// The dead of a pool.
#[derive(Clone, Debug)]
pub struct Losses {
    interval_secs: f64,
    threshold: f64,
    eject_most: f64,
    dead: Vec<Dead>,
    /// Zones without power.
    down: Vec<usize>,
}

/// Some that died together and are found out together.
#[derive(Clone, Copy, Debug)]
struct Dead {
    count: u64,
    /// The zone whose loss killed them; they boot when it is back.
    zone: Option<usize>,
    /// When health checks find out.
    found: Time,
    /// Whether they are found out.
    seen: bool,
    /// Whether they hang, and do not refuse.
    hangs: bool,
}

impl Losses {
    /// Nobody is dead.
    pub fn new(service: &Service) -> Losses {
        Losses {
            interval_secs: service.health_interval.secs(),
            threshold: f64::from(service.health_threshold),
            eject_most: service.eject_most,
            dead: Vec::new(),
            down: Vec::new(),
        }
    }

    /// Zones that are down.
    pub fn zones_down(&self) -> u32 {
        self.down.len() as u32
    }

    /// Instances that are dead and neither replaced nor started again.
    pub fn dead(&self) -> u64 {
        self.dead.iter().map(|d| d.count).sum()
    }

    /// Dead instances that hang and do not refuse.
    pub fn hung(&self) -> u64 {
        let hung = self.dead.iter().filter(|d| d.hangs);
        hung.map(|d| d.count).sum()
    }

    /// Dead instances that health checks have found out.
    pub fn seen(&self) -> u64 {
        let seen = self.dead.iter().filter(|d| d.seen);
        seen.map(|d| d.count).sum()
    }

    /// When the next ones are found out.
    pub fn next_time(&self) -> Time {
        let unseen = self.dead.iter().filter(|d| !d.seen);
        unseen.map(|d| d.found).min().unwrap_or(Time::NEVER)
    }

    /// Finds out what is due.
    pub fn advance(&mut self, now: Time) {
        for dead in &mut self.dead {
            dead.seen |= dead.found <= now;
        }
    }

    /// Share of what arrives that is given to dead instances, beside so many living ones: all in
    /// rotation get the same. Those found dead are out, unless so many are that it fails open.
    pub fn broken(&self, living: f64) -> f64 {
        if self.dead.is_empty() {
            return 0.0;
        }
        let (all, seen) = (self.dead() as f64, self.seen() as f64);
        let out = ejected(seen, living + all, self.eject_most);
        let rotation = living + all - out;
        if rotation > 0.0 {
            (all - out) / rotation
        } else {
            0.0
        }
    }

    /// The same, given to those that hang.
    pub fn hanging(&self, living: f64) -> f64 {
        let fails_open = ejected(
            self.seen() as f64,
            living + self.dead() as f64,
            self.eject_most,
        ) < self.seen() as f64;
        let (all, hanging) = self.in_rotation(fails_open);
        match hanging > 0.0 {
            true => self.broken(living) * hanging / all,
            false => 0.0,
        }
    }

    /// Dead instances that are still given requests, and how many of them hang; where the pool fails
    /// open, all are.
    pub fn in_rotation(&self, fails_open: bool) -> (f64, f64) {
        let there = self.dead.iter().filter(|d| fails_open || !d.seen);
        let count = |hangs: bool| -> u64 {
            let each = there.clone().filter(|d| d.hangs || !hangs);
            each.map(|d| d.count).sum()
        };
        (count(false) as f64, count(true) as f64)
    }

    fn add(
        &mut self,
        now: Time,
        count: u64,
        (zone, hangs): (Option<usize>, bool),
        stream: Stream,
        slot: u32,
    ) {
        // Each is probed at a phase of its own; it must fail so many times in a row.
        let delay = Dist::Uniform {
            lo: self.interval_secs * (self.threshold - 1.0),
            hi: self.interval_secs * self.threshold,
        };
        for (found, count) in spread(now, count, &delay, stream, slot) {
            self.dead.push(Dead {
                count,
                zone,
                found,
                seen: found <= now,
                hangs,
            });
        }
    }

    /// Forgets so many that were found out, because others take their place; says how many.
    pub fn replace(&mut self, count: u64) -> u64 {
        let mut left = count;
        for dead in self.dead.iter_mut().filter(|d| d.seen) {
            let taken = left.min(dead.count);
            dead.count -= taken;
            left -= taken;
        }
        self.dead.retain(|d| d.count > 0);
        count - left
    }
}

/// How many of `seen` dead instances are out of rotation in a pool of `all`: none when more look dead
/// than may be ejected.
pub fn ejected(seen: f64, all: f64, most: f64) -> f64 {
    if seen > most * all { 0.0 } else { seen }
}

/// The part of each of these counts that is lost when `lost` of all are, to within one each.
fn parts(counts: &mut [&mut u64], lost: u64) {
    let all: u64 = counts.iter().map(|c| **c).sum();
    let (mut before, mut gone) = (0u128, 0u128);
    for count in counts {
        before += u128::from(**count);
        let until = before * u128::from(lost) / u128::from(all.max(1));
        **count -= (until - gone) as u64;
        gone = until;
    }
}

/// When each of a crowd is done, after delays of this law from now on. Sorted.
pub fn spread(now: Time, count: u64, delay: &Dist, stream: Stream, slot: u32) -> Vec<(Time, u64)> {
    let mut draws = stream.draws(now.0, slot);
    let mut times: Vec<(Time, u64)> = if count <= FEW {
        (0..count)
            .map(|_| sampling::sample(&mut draws, delay))
            .map(|secs| (now + Span::from_secs(secs.max(0.0)), 1))
            .collect()
    } else {
        let mut counts = [0; BATCHES];
        let even = [1.0 / BATCHES as f64; BATCHES];
        sampling::multinomial(&mut draws, count, &even, &mut counts);
        let class =
            |i: usize| crate::engine::law::quantile(delay, (i as f64 + 0.5) / even.len() as f64);
        let counted = counts.iter().enumerate().filter(|(_, n)| **n > 0);
        counted
            .map(|(i, &n)| (now + Span::from_secs(class(i)), n))
            .collect()
    };
    times.sort_unstable();
    times.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    times
}

impl Instances {
    /// Instances that are dead and not replaced.
    pub fn dead(&self) -> u64 {
        self.losses.dead()
    }

    /// Of these, instances that hang and do not refuse.
    pub fn hung(&self) -> u64 {
        self.losses.hung()
    }

    /// Instances that are dead and not replaced, and how many of them are found out: none in the dark.
    pub fn dead_and_seen(&self) -> (f64, f64) {
        match self.down {
            true => (0.0, 0.0),
            false => (self.losses.dead() as f64, self.losses.seen() as f64),
        }
    }

    /// Of these, instances that health checks have found out.
    pub fn found_dead(&self) -> u64 {
        self.losses.seen()
    }

    /// Whether so many look dead that none of them is ejected.
    pub fn fails_open(&self) -> bool {
        let living: u64 = self.serving.iter().map(|g| g.0).sum();
        let (seen, all) = (self.losses.seen() as f64, self.losses.dead() + living);
        !self.down && seen > 0.0 && ejected(seen, all as f64, self.losses.eject_most) == 0.0
    }

    /// So many instances die at once; says how many there were to die.
    pub fn kill(&mut self, now: Time, count: u64, stream: Stream) -> u64 {
        let lost = count.min(self.in_service());
        self.lose(lost);
        self.losses.add(now, lost, (None, false), stream, 4);
        lost
    }

    fn lose(&mut self, lost: u64) {
        let mut counts: Vec<&mut u64> = self.serving.iter_mut().map(|g| &mut g.0).collect();
        parts(&mut counts, lost);
        let mut left: u64 = self.serving.iter().map(|g| g.0).sum();
        // Who was about to leave may be among the dead.
        for leaving in self.leaving.iter_mut().rev() {
            leaving.1 = leaving.1.min(left);
            left -= leaving.1;
        }
        self.called = self.called.min(self.serving.iter().map(|g| g.0).sum());
    }

    /// A zone loses power, with its share of all that serve and of all that are on their way; says
    /// how many served. They refuse what they are given, or hang.
    pub fn lose_zone(&mut self, now: Time, zone: usize, hangs: bool, stream: Stream) -> u64 {
        if self.losses.down.contains(&zone) {
            return 0;
        }
        let up = u64::from(self.zones - self.losses.zones_down()).max(1);
        self.losses.down.push(zone);
        if self.down {
            return 0;
        }
        let share = |all: u64| all.div_ceil(up);
        let lost = share(self.in_service());
        self.lose(lost);
        let booting: u64 = self.coming.iter().map(|c| c.1).sum();
        let booting = if up == 1 { booting } else { booting / up };
        let mut counts: Vec<&mut u64> = self.coming.iter_mut().map(|c| &mut c.1).collect();
        parts(&mut counts, booting);
        self.coming.retain(|c| c.1 > 0);
        let slot = 8 + zone as u32;
        self.losses
            .add(now, lost + booting, (Some(zone), hangs), stream, slot);
        lost
    }

    /// A zone has power again: those of its instances that nobody replaced boot; says how many.
    pub fn recover_zone(&mut self, now: Time, zone: usize, boot: &Dist, stream: Stream) -> u64 {
        self.losses.down.retain(|z| *z != zone);
        if self.down {
            return 0;
        }
        let here = |d: &Dead| d.zone == Some(zone);
        let dead = self.losses.dead.iter().filter(|d| here(d));
        let count = dead.map(|d| d.count).sum();
        self.losses.dead.retain(|d| !here(d));
        self.schedule(now, count, boot, stream, 5);
        count
    }

    /// What was dead when the whole region lost power starts with all the rest; zones that are down
    /// stay so.
    pub(super) fn revive(&mut self) -> u64 {
        let dead = self.losses.dead();
        self.losses.dead.clear();
        dead
    }

    /// Zones of the pool without power.
    pub fn zones_down(&self) -> Vec<usize> {
        self.losses.down.clone()
    }

    /// Whether what died in a zone hangs.
    pub fn hang_in(&mut self, zone: usize, hangs: bool) {
        let here = self.losses.dead.iter_mut().filter(|d| d.zone == Some(zone));
        here.for_each(|dead| dead.hangs = hangs);
    }

    /// Makes a zone's loss count again, after the whole region has started anew: what it launches
    /// there refuses.
    pub(super) fn lose_again(&mut self, now: Time, zone: usize, stream: Stream) {
        self.losses.down.retain(|z| *z != zone);
        self.lose_zone(now, zone, false, stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let (mut a, mut b, mut c) = (10, 0, 21);
        parts(&mut [&mut a, &mut b, &mut c], 10);
        assert_eq!(a + b + c, 21);
        assert!(a >= 6 && b == 0);
    }

    #[test]
    fn a_pool_fails_open_when_too_many_look_dead() {
        assert_eq!(ejected(5.0, 10.0, 0.5), 5.0);
        assert_eq!(ejected(6.0, 10.0, 0.5), 0.0);
        assert_eq!(ejected(0.0, 10.0, 0.0), 0.0);
    }
}
