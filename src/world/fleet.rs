//! All instances of a service in a region: one crowd where requests go to every instance alike, or
//! one per zone where zones have weights.
//!
//! A zone gets its weight's share of the requests times the part of its planned instances that is in
//! rotation, so one that boots gets its load as it comes, and one that is lost keeps its load until
//! health checks find out.

use crate::engine::stream::Stream;
use crate::model::scenario::{Region, Service};
use crate::units::{Dist, Time};
use crate::world::graph::Capacity;
use crate::world::instances::{Instances, ejected};
use crate::world::plan::Sized;
use crate::world::pool::Zone;
use crate::world::zones::apportion;

/// Up to so many instances die one by one; of more, each zone loses its share.
const FEW: u64 = 200;

/// Instances of a service in a region.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// All zones together, or each.
    crowds: Vec<Instances>,
    /// Weight and planned instances of each zone; empty where all are together.
    shares: Vec<(f64, f64)>,
    eject_most: f64,
}

impl Fleet {
    /// A fleet at its planned size but for `serving` instances in service; `zones`: what was planned
    /// of each, where they have weights.
    pub fn new(
        service: &Service,
        region: &Region,
        planned: (Sized, &[Sized]),
        serving: u64,
    ) -> Fleet {
        let (all, zones) = planned;
        if zones.is_empty() {
            return Fleet {
                crowds: vec![Instances::new(service, region.zones, serving, all.dark)],
                shares: Vec::new(),
                eject_most: service.eject_most,
            };
        }
        let each: Vec<u64> = match serving == all.serving {
            true => zones.iter().map(|z| z.serving).collect(),
            false => apportion(serving, &region.zone_weights),
        };
        let crowds = each.iter().zip(zones);
        let weights = region.zone_weights.iter().zip(zones);
        Fleet {
            crowds: crowds
                .map(|(&serving, zone)| Instances::new(service, 1, serving, zone.dark))
                .collect(),
            shares: weights
                .map(|(&weight, zone)| (weight, zone.serving.max(1) as f64))
                .collect(),
            eject_most: service.eject_most,
        }
    }

    fn sum(&self, of: impl Fn(&Instances) -> u64) -> u64 {
        self.crowds.iter().map(of).sum()
    }

    /// Instances that take requests.
    pub fn in_service(&self) -> u64 {
        self.sum(Instances::in_service)
    }

    /// Instances that are dark and not called yet.
    pub fn dark(&self) -> u64 {
        self.sum(Instances::dark)
    }

    /// Instances that are dead and not replaced.
    pub fn dead(&self) -> u64 {
        self.sum(Instances::dead)
    }

    /// Of these, instances that hang and do not refuse.
    pub fn hung(&self) -> u64 {
        self.sum(Instances::hung)
    }

    /// Of these, instances that health checks have found out.
    pub fn found_dead(&self) -> u64 {
        self.sum(Instances::found_dead)
    }

    /// Whether so many look dead that none of them is ejected: of the whole fleet.
    pub fn fails_open(&self) -> bool {
        if let [together] = &self.crowds[..] {
            return together.fails_open();
        }
        let seen = self.found_dead() as f64;
        let all = (self.in_service() + self.dead()) as f64;
        seen > 0.0 && ejected(seen, all, self.eject_most) == 0.0
    }

    /// Instances that are believed to serve and stay, or are on their way: the dead count until their
    /// health checks have found out.
    pub fn believed_standing(&self) -> u64 {
        self.sum(Instances::believed_standing)
    }

    /// Instances that serve and stay, or are on their way.
    pub fn standing(&self) -> u64 {
        self.sum(Instances::standing)
    }

    /// All that are there in any state: they count against a quota.
    pub fn present(&self) -> u64 {
        self.sum(Instances::present)
    }

    /// Ever begun, and no more there.
    pub fn ledger(&self) -> (u64, u64) {
        (self.sum(|i| i.ledger().0), self.sum(|i| i.ledger().1))
    }

    /// Whether any is on its way into service.
    pub fn any_coming(&self) -> bool {
        self.crowds.iter().any(Instances::any_coming)
    }

    /// When the next one begins to serve, leaves, or is found dead.
    pub fn next_time(&self) -> Time {
        let next = self.crowds.iter().map(Instances::next_time);
        next.min().unwrap_or(Time::NEVER)
    }

    /// Whether some are still slower than they will be.
    pub fn warming(&self, now: Time) -> bool {
        self.crowds.iter().any(|i| i.warming(now))
    }

    /// Takes those that are due into service.
    pub fn advance(&mut self, now: Time) {
        self.crowds.iter_mut().for_each(|i| i.advance(now));
    }

    /// The capacity at a moment; where zones have weights, `zones` gets each of them.
    pub fn capacity(&self, now: Time, zones: &mut [Zone]) -> Capacity {
        if let [together] = &self.crowds[..] {
            let here = together.capacity(now);
            if let [zone] = zones {
                zone.share = 1.0;
                zone.instances = here.instances;
                zone.slowness = here.slowness;
            }
            return here;
        }
        let each: Vec<Capacity> = self.crowds.iter().map(|i| i.capacity(now)).collect();
        let dead: Vec<(f64, f64)> = self.crowds.iter().map(Instances::dead_and_seen).collect();
        let seen: f64 = dead.iter().map(|d| d.1).sum();
        let there = |z: usize| each[z].instances + dead[z].0;
        let all: f64 = (0..each.len()).map(there).sum();
        let fails_open = ejected(seen, all, self.eject_most) < seen;
        let mut capacity = Capacity::default();
        let (mut given, mut whole, mut work) = (0.0, 0.0, 0.0);
        let mut hanging = 0.0;
        for (z, zone) in zones.iter_mut().enumerate() {
            let rotation = there(z) - if fails_open { 0.0 } else { dead[z].1 };
            let (weight, planned) = self.shares[z];
            let share = weight * (rotation / planned).min(1.0);
            zone.instances = each[z].instances;
            zone.slowness = each[z].slowness;
            zone.share = if rotation > 0.0 {
                share * zone.instances / rotation
            } else {
                0.0
            };
            let (_, hangs) = self.crowds[z].dead_in_rotation(fails_open);
            if hangs > 0.0 && rotation > 0.0 {
                hanging += share * hangs / rotation;
            }
            given += share;
            whole += zone.share;
            work += zone.instances / zone.slowness;
            capacity.instances += zone.instances;
        }
        if whole > 0.0 {
            capacity.broken = 1.0 - whole / given;
            zones.iter_mut().for_each(|zone| zone.share /= whole);
        } else if given > 0.0 {
            capacity.broken = 1.0;
        }
        if hanging > 0.0 {
            capacity.hanging = hanging / given;
        }
        // Shares add up to one but for rounding, and so does what is not broken.
        if capacity.broken < 1e-12 {
            capacity.broken = 0.0;
        }
        let living = zones.iter().filter(|z| z.instances > 0.0).count();
        capacity.zones = living.max(1) as f64;
        capacity.slowness = if work > 0.0 {
            capacity.instances / work
        } else {
            1.0
        };
        capacity
    }

    /// Each crowd with its own stream.
    fn each<T>(&mut self, stream: Stream, act: impl Fn(&mut Instances, Stream) -> T) -> Vec<T> {
        if let [together] = &mut self.crowds[..] {
            return vec![act(together, stream)];
        }
        let crowds = self.crowds.iter_mut().enumerate();
        crowds.map(|(z, i)| act(i, in_zone(stream, z))).collect()
    }

    /// Calls the dark instances into rotation, each after its own delay.
    pub fn activate(&mut self, now: Time, delay: &Dist, stream: Stream) -> u64 {
        let called = self.each(stream, |i, own| i.activate(now, delay, own));
        called.iter().sum()
    }

    /// Takes those that were called back out of rotation, the newest first, as far as they serve.
    pub fn release(&mut self) -> u64 {
        self.crowds.iter_mut().map(Instances::release).sum()
    }

    /// The region goes dark: nothing serves until it starts anew.
    pub fn stop(&mut self) {
        self.crowds.iter_mut().for_each(Instances::stop);
    }

    /// The region has power again: all instances boot anew.
    pub fn restart(&mut self, now: Time, boot: &Dist, stream: Stream) {
        self.each(stream, |i, own| i.restart(now, boot, own));
    }

    /// So many are launched, and serve after their delay: in the zones with power that lack most.
    pub fn launch(&mut self, now: Time, count: u64, delay: &Dist, stream: Stream) {
        if let [together] = &mut self.crowds[..] {
            together.launch(now, count, delay, stream);
            return;
        }
        let up = |i: &Instances| i.zones_down().is_empty();
        let any = self.crowds.iter().any(up);
        let crowds = self.crowds.iter().zip(&self.shares);
        let weights: Vec<f64> = crowds
            .map(|(i, share)| if up(i) || !any { share.0 } else { 0.0 })
            .collect();
        let standing = |z: usize| match weights[z] > 0.0 {
            true => self.crowds[z].standing(),
            false => 0,
        };
        let total: u64 = (0..weights.len()).map(standing).sum();
        let lacking: Vec<f64> = apportion(total + count, &weights)
            .iter()
            .enumerate()
            .map(|(z, wanted)| wanted.saturating_sub(standing(z)) as f64)
            .collect();
        let counts = apportion(count, &lacking);
        let mut left = count;
        for (z, (crowd, count)) in self.crowds.iter_mut().zip(counts).enumerate() {
            left -= crowd.launch(now, count, delay, in_zone(stream, z));
        }
        // Who takes the place of the dead of one zone may stand in another.
        for crowd in &mut self.crowds {
            left -= crowd.replace(left);
        }
    }

    /// So many are taken out of rotation, from the zones that have most beyond their weight.
    pub fn take_out(&mut self, now: Time, count: u64, discovery: &Dist, stream: Stream) -> u64 {
        if let [together] = &mut self.crowds[..] {
            return together.take_out(now, count, discovery, stream);
        }
        let weights: Vec<f64> = self.shares.iter().map(|s| s.0).collect();
        let total = self.standing();
        let count = count.min(total);
        let kept = apportion(total - count, &weights);
        let beyond: Vec<f64> = self
            .crowds
            .iter()
            .zip(kept)
            .map(|(i, kept)| i.standing().saturating_sub(kept) as f64)
            .collect();
        let counts = apportion(count, &beyond);
        let crowds = self.crowds.iter_mut().zip(counts).enumerate();
        crowds
            .map(|(z, (i, count))| i.take_out(now, count, discovery, in_zone(stream, z)))
            .sum()
    }

    /// So many instances die at once, in whatever zones; says how many there were to die.
    pub fn kill(&mut self, now: Time, count: u64, stream: Stream) -> u64 {
        if let [together] = &mut self.crowds[..] {
            return together.kill(now, count, stream);
        }
        let mut serving: Vec<f64> = self.crowds.iter().map(|i| i.in_service() as f64).collect();
        let count = count.min(self.in_service());
        let counts = if count > FEW {
            apportion(count, &serving)
        } else {
            let mut draws = stream.draws(now.0, 7);
            let mut counts = vec![0; serving.len()];
            for _ in 0..count {
                let mut at = draws.uniform() * serving.iter().sum::<f64>();
                let mut hit = 0;
                for (z, &here) in serving.iter().enumerate().filter(|s| *s.1 > 0.0) {
                    hit = z;
                    if at < here {
                        break;
                    }
                    at -= here;
                }
                serving[hit] -= 1.0;
                counts[hit] += 1;
            }
            counts
        };
        let crowds = self.crowds.iter_mut().zip(counts).enumerate();
        crowds
            .map(|(z, (i, count))| i.kill(now, count, in_zone(stream, z)))
            .sum()
    }

    /// A zone loses power, and its instances refuse what they are given, or hang; says how many served
    /// there.
    pub fn lose_zone(&mut self, now: Time, zone: usize, hangs: bool, stream: Stream) -> u64 {
        match &mut self.crowds[..] {
            [together] => together.lose_zone(now, zone, hangs, stream),
            crowds => crowds[zone].lose_zone(now, zone, hangs, stream),
        }
    }

    /// What died in a zone refuses what it is given, or hangs.
    pub fn hang_in(&mut self, zone: usize, hangs: bool) {
        self.crowds.iter_mut().for_each(|i| i.hang_in(zone, hangs));
    }

    /// A zone has power again: those of its instances that nobody replaced boot; says how many.
    pub fn recover_zone(&mut self, now: Time, zone: usize, boot: &Dist, stream: Stream) -> u64 {
        match &mut self.crowds[..] {
            [together] => together.recover_zone(now, zone, boot, stream),
            crowds => crowds[zone].recover_zone(now, zone, boot, stream),
        }
    }

    /// Zones without power.
    pub fn zones_down(&self) -> Vec<usize> {
        self.crowds.iter().flat_map(Instances::zones_down).collect()
    }
}

fn in_zone(stream: Stream, zone: usize) -> Stream {
    stream.part(&format!("zone {}", zone + 1))
}

#[cfg(test)]
mod tests;
