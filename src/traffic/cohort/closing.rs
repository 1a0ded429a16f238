//! Long-lived connections that close, and where their sessions go.

use super::{Cohort, View};
use crate::engine::sampling;
use crate::model::scenario::{MarketId, RegionId};
use crate::traffic::arrivals::Address;
use crate::units::Time;
use crate::world::state::World;

impl Cohort {
    /// Long-lived connections close in their time, and then follow names.
    pub(super) fn close_connections(
        &mut self,
        view: &View,
        world: &World,
        m: MarketId,
        (from, to): (Time, Time),
        at: Address,
    ) {
        let scenario = view.scenario;
        let regions = scenario.regions.len();
        for k in 0..scenario.devices.len() {
            let Some(legacy) = self.legacy[m][k].take() else {
                continue;
            };
            let mut draws = self.streams[m]
                .sessions
                .draws(at.cell, at.cut & 0x3f_ffff | (k as u32 + 1) << 22 | 1 << 30);
            let closing = legacy.closing_share(from, to);
            let range = self.pointing(m, k, scenario.devices.len());
            let pointing = self.pointing[range].to_vec();
            let counts: Vec<u64> = (0..regions).map(|r| self.sessions.count(m, k, r)).collect();
            // Those that look for their region are where their names point, too.
            let mut placed = counts.clone();
            for group in &self.sessions.starved {
                if (group.market, group.class) == (m, k) {
                    placed[group.region] += group.count();
                }
            }
            let all: u64 = placed.iter().sum();
            // Sessions whose names point elsewhere by now: more are connected here than point here.
            let excess: Vec<f64> = placed
                .iter()
                .zip(&pointing)
                .map(|(&count, share)| {
                    let here = share * all as f64;
                    let over = count as f64 - here;
                    // Chance alone makes counts differ by so much; none where names are sure.
                    if *share > 0.0 && over.abs() < 3.0 * (here * (1.0 - share)).max(0.0).sqrt() {
                        0.0
                    } else {
                        over
                    }
                })
                .collect();
            let wanted: Vec<f64> = excess.iter().map(|e| (-e).max(0.0)).collect();
            let wanting: f64 = wanted.iter().sum();
            let misplaced = excess.iter().any(|&e| e > 0.0) && wanting > 0.0;
            for r in (0..regions).filter(|&r| misplaced && excess[r] > 0.0) {
                let part = (excess[r] / placed[r] as f64).min(1.0);
                let moved = sampling::binomial(&mut draws, counts[r], closing * part);
                let targets: Vec<f64> = wanted.iter().map(|w| w / wanting).collect();
                let mut arrive = vec![0; regions];
                sampling::multinomial(&mut draws, moved, &targets, &mut arrive);
                for (s, moved) in arrive.into_iter().enumerate().filter(|a| a.1 > 0) {
                    let mut phases = vec![0; self.sessions.phases(m, k, r).len()];
                    self.sessions
                        .take((m, k, r), moved, &mut draws, &mut phases);
                    let moved = self.come_over(
                        world,
                        ((m, k, s), scenario.devices[k].direct),
                        &mut phases,
                        from,
                        &mut draws,
                    );
                    for (here, new) in self.sessions.phases_mut(m, k, s).iter_mut().zip(&phases) {
                        *here += new;
                    }
                    if scenario.devices[k].direct {
                        continue;
                    }
                    let alike = self.alike_in((m, k), r, s);
                    let cell = self.cell((m, k, s));
                    self.reconnects[cell] += moved as f64;
                    self.changes[cell] += moved as f64 * (1.0 - alike).max(0.0);
                }
            }
            // Names may still be on their way, and then connections must go on following them.
            if misplaced || self.pointing != self.pointed {
                self.legacy[m][k] = Some(legacy);
            }
        }
    }

    /// Share of a class's sessions that are served in the same region whichever of two edges they enter
    /// at, all that they ask for.
    fn alike_in(&self, (m, k): (MarketId, usize), r: RegionId, s: RegionId) -> f64 {
        let lanes = &self.serving.lanes;
        let taken = match lanes.groups() {
            1 => 0..lanes.count(),
            _ => lanes.group(k)..lanes.group(k) + 1,
        };
        taken
            .map(|lane| {
                let (old, new) = (
                    self.serving.served(lane, r, m),
                    self.serving.served(lane, s, m),
                );
                old.iter().zip(&new).map(|(a, b)| a.min(*b)).sum()
            })
            .fold(f64::INFINITY, f64::min)
    }
}
