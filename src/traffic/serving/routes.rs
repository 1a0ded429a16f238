//! Where requests go first, and what each region receives.

use super::{Fate, Serving, Way};
use crate::model::policy::Knobs;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::units::Time;
use crate::world::plan::Plan;
use crate::world::state::World;

impl Serving {
    /// Where retries go: to the spare capacity of living regions that are not isolated.
    pub(super) fn choose_elsewhere(&mut self, plan: &Plan, world: &World) {
        let mut load = vec![0.0; self.regions];
        for e in 0..self.regions {
            for (lane, m) in self.all_markets() {
                let row = self.row(lane, e, m);
                let total = self.enters(lane, e, m);
                if total > 0.0 {
                    for s in 0..self.regions {
                        load[s] += total * self.share[row + s];
                    }
                }
            }
        }
        for lane in 0..self.lanes.count() {
            let capacity: Vec<f64> = (0..self.regions)
                .map(|s| {
                    let region = &world.regions[s];
                    if region.dark.is_some() || self.isolated(world, lane, s) {
                        return 0.0;
                    }
                    let carries =
                        plan.carries(plan.mix(s), &|v| region.instances[v].in_service() as f64);
                    if carries.is_finite() { carries } else { 1.0 }
                })
                .collect();
            self.share_out(world, lane, &load, &capacity);
        }
    }

    /// Splits a lane's retries by what regions that carry so much have to spare.
    fn share_out(&mut self, world: &World, lane: usize, load: &[f64], capacity: &[f64]) {
        for e in 0..self.regions {
            let spare: Vec<f64> = (0..self.regions)
                .map(|s| (capacity[s] - load[s]).max(0.0))
                .collect();
            let weights = if spare.iter().sum::<f64>() > 0.0 {
                &spare[..]
            } else {
                capacity
            };
            let total: f64 = weights.iter().sum();
            for m in 0..self.markets {
                let row = self.row(lane, e, m);
                for s in 0..self.regions {
                    self.elsewhere[row + s] = if total > 0.0 { weights[s] / total } else { 0.0 };
                }
            }
            if !world.reach.free() {
                self.limit_elsewhere(world, (lane, e), &spare, capacity);
            }
        }
    }

    /// Leaves out regions that may not serve a market, and those that an edge cannot reach.
    fn limit_elsewhere(
        &mut self,
        world: &World,
        (lane, e): (usize, RegionId),
        spare: &[f64],
        capacity: &[f64],
    ) {
        for m in 0..self.markets {
            let row = self.row(lane, e, m);
            let open = |s: RegionId| world.reach.may(m, s) && !world.reach.cut(e, s);
            let sum = |of: &[f64]| (0..of.len()).filter(|&s| open(s)).map(|s| of[s]).sum();
            let (spare_sum, all): (f64, f64) = (sum(spare), sum(capacity));
            let (weights, total) = if spare_sum > 0.0 {
                (spare, spare_sum)
            } else {
                (capacity, all)
            };
            for s in 0..self.regions {
                let here = open(s) && total > 0.0;
                self.elsewhere[row + s] = if here { weights[s] / total } else { 0.0 };
            }
        }
    }

    /// Takes regions that may not serve a market out of its routes. Where nothing is left of them, an
    /// edge serves the market in its own region, if that may.
    pub(super) fn keep_to_allowed(
        &mut self,
        world: &World,
        (lane, e, m): (usize, RegionId, MarketId),
    ) {
        let row = self.row(lane, e, m);
        let shares = &mut self.share[row..row + self.regions];
        if !world.reach.admit(m, shares) {
            shares.fill(0.0);
            let home = if world.reach.may(m, e) { Some(e) } else { None };
            let first = || (0..self.regions).find(|&s| world.reach.may(m, s));
            if let Some(s) = home.or_else(first) {
                shares[s] = 1.0;
            }
        }
    }

    /// Splits routes to dark regions into what proxies have learned to avoid and what they have not.
    pub(super) fn avoid_dark(
        &mut self,
        knobs: &Knobs,
        plan: &Plan,
        world: &World,
        from: Time,
        to: Time,
    ) {
        for e in 0..self.regions {
            let per_proxy: Vec<f64> = (0..self.lanes.count())
                .map(|lane| {
                    let entering: f64 = (0..self.markets)
                        .flat_map(|m| (0..self.requests).map(move |q| (q, m)))
                        .map(|(q, m)| self.entering[self.flow(lane, e, q, m)])
                        .sum();
                    entering / plan.proxies[e].max(1) as f64
                })
                .collect();
            for (lane, m) in self.all_markets() {
                let row = self.row(lane, e, m);
                for s in 0..self.regions {
                    self.first[row + s] = self.share[row + s];
                    self.exposed[row + s] = 0.0;
                }
                for d in 0..self.regions {
                    let share = self.share[row + d];
                    if share <= 0.0 || world.reaches(e, d) {
                        continue;
                    }
                    let exposed = if knobs.edge_retry && !self.isolated(world, lane, d) {
                        // A proxy counts the failures of an origin, whatever they were asked for.
                        let lanes = per_proxy.iter().enumerate();
                        let asked = lanes.map(|(l, rate)| rate * self.share[self.row(l, e, m) + d]);
                        world.ejections[e][d].exposed(
                            from,
                            to,
                            knobs.eject_after,
                            knobs.eject_for,
                            asked.sum(),
                        )
                    } else {
                        1.0
                    };
                    self.first[row + d] = 0.0;
                    self.exposed[row + d] = share * exposed;
                    let mut placed = 0.0;
                    for s in 0..self.regions {
                        let part = self.elsewhere[row + s];
                        self.first[row + s] += share * (1.0 - exposed) * part;
                        placed += part;
                    }
                    // With nowhere to go it stays where it was.
                    self.exposed[row + d] += share * (1.0 - exposed) * (1.0 - placed);
                }
            }
        }
    }

    /// Sends everything on its way. What a full link loses is tried over others, which may fill them.
    pub(super) fn send(&mut self, scenario: &Scenario, knobs: &Knobs, world: &mut World) {
        const ROUNDS: usize = 16;
        const CLOSE: f64 = 1e-9;
        self.add_up(scenario, knobs, world);
        if world.links.is_empty() {
            return;
        }
        for _ in 0..ROUNDS {
            if world.links.ask_proxied(&self.asked_bytes) < CLOSE {
                break;
            }
            self.add_up(scenario, knobs, world);
        }
    }

    /// Adds up what each region receives.
    fn add_up(&mut self, scenario: &Scenario, knobs: &Knobs, world: &mut World) {
        self.asked_bytes.fill(0.0);
        for region in &mut world.regions {
            region.entering.fill(0.0);
        }
        let mut fate = std::mem::take(&mut self.fate);
        for (q, request) in scenario.requests.iter().enumerate() {
            for m in 0..self.markets {
                for e in 0..self.regions {
                    for lane in 0..self.lanes.count() {
                        let rate = self.direct[self.flow(lane, e, q, m)];
                        if rate > 0.0 && world.regions[e].dark.is_none() {
                            world.regions[e].entering[q * self.markets + m] += rate;
                        }
                        let rate = self.entering[self.flow(lane, e, q, m)];
                        if rate <= 0.0 {
                            continue;
                        }
                        let way = Way {
                            lane,
                            edge: e,
                            market: m,
                            request: q,
                        };
                        let tried = self.tried(way, knobs, request.safe, world, &mut fate);
                        for s in 0..self.regions {
                            let passed = 1.0 - self.stopped(world, e, s);
                            world.regions[s].entering[q * self.markets + m] +=
                                rate * tried[s] * passed;
                        }
                        if self.asked_bytes.is_empty() {
                            continue;
                        }
                        for s in (0..self.regions).filter(|&s| s != e) {
                            let passed = 1.0 - self.refused(e, s);
                            self.asked_bytes[e * self.regions + s] +=
                                rate * fate.ok[s] * passed * scenario.edge.bytes;
                        }
                    }
                }
            }
        }
        self.fate = fate;
    }

    /// Attempts that are sent to each living region, per request; fills the fate as it goes.
    pub(super) fn tried<'a>(
        &self,
        way: Way,
        knobs: &Knobs,
        safe: bool,
        world: &World,
        fate: &'a mut Fate,
    ) -> &'a [f64] {
        fate.reset(self.regions);
        let (e, m, q) = (way.edge, way.market, way.request);
        let row = self.row(way.lane, e, m);
        let retry = |from: RegionId| {
            let isolated = |r: RegionId| self.isolated(world, way.lane, r);
            if knobs.edge_retry && safe && !isolated(from) && !isolated(e) {
                self.allowed[e]
            } else {
                0.0
            }
        };
        // `ok` first holds the attempts that are sent to a region.
        for s in 0..self.regions {
            fate.ok[s] += self.first[row + s];
            let exposed = self.exposed[row + s];
            let again = if exposed > 0.0 {
                exposed * retry(s)
            } else {
                0.0
            };
            let failed = self.first[row + s] * self.failing_from(world, (e, s), q, m);
            let again_alive = if failed > 0.0 { failed * retry(s) } else { 0.0 };
            if again + again_alive <= 0.0 {
                continue;
            }
            let own = self.elsewhere[row + s];
            for t in 0..self.regions {
                let weight = self.elsewhere[row + t];
                fate.ok[t] += again * weight;
                if t != s && own < 1.0 {
                    fate.ok[t] += again_alive * weight / (1.0 - own);
                }
            }
        }
        &fate.ok
    }
}
