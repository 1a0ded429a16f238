//! Connections that plain users keep: where their requests go, and what opens and closes them.

use super::{Cohort, View};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::scenario::{DeviceClass, MarketId, RegionId};
use crate::traffic::arrivals::Address;
use crate::traffic::waiting::Waiters;
use crate::traffic::warm::Warm;
use crate::units::Time;
use crate::world::connections::life::Life;
use crate::world::plan::Plan;
use crate::world::state::World;

/// Starts per second that are made on an open connection.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    place: (MarketId, usize, RegionId),
    /// The kind of plain request; `None`: all as they come.
    kind: Option<usize>,
    rate: f64,
}

/// Parts of a step's address, so that each draws numbers of its own.
const BREAKING: u32 = 1 << 30;
const SETTLING: u32 = 1 << 31;

/// Connections of each device class before anybody is there.
pub(super) fn none_yet(view: &View, markets: usize, regions: usize) -> Vec<Option<Warm>> {
    let step = view.scenario.step.secs();
    let lives = view.plan.lives.iter().map(Option::as_ref);
    lives
        .map(|life| Some(Warm::new(life?, markets, regions, step)))
        .collect()
}

impl Cohort {
    /// Classes that keep connections.
    fn keepers<'a>(
        &'a mut self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (usize, &'a Life, &'a mut Warm)> {
        let each = self.warm.iter_mut().zip(&plan.lives).enumerate();
        each.filter_map(|(k, (warm, life))| Some((k, life.as_ref()?, warm.as_mut()?)))
    }

    /// Whether any class keeps connections.
    pub(super) fn keeps_connections(&self) -> bool {
        self.warm.iter().any(Option::is_some)
    }

    /// Connections in equilibrium at the beginning.
    pub(super) fn connect_first(&mut self, view: &View, world: &World) {
        for m in 0..view.scenario.markets.len() {
            let mut draws = self.streams[m].connections.draws(u64::MAX, 0);
            let rate = world.demand[m].rate(0.0) * world.demand_factor;
            for (k, life, warm) in self.keepers(view.plan) {
                let count = devices(&view.scenario.devices[k], life, rate);
                warm.begin(m, life, count, world.resolvers[m][k].share(), &mut draws);
            }
        }
    }

    /// Connections grow older by a step; where nobody answers, and on proxies that have just failed,
    /// they break.
    pub(super) fn age_connections(
        &mut self,
        view: &View,
        world: &World,
        (from, to): (Time, Time),
        at: Address,
    ) {
        if !self.keeps_connections() {
            return;
        }
        let scenario = view.scenario;
        for m in 0..scenario.markets.len() {
            let address = at.cut | BREAKING;
            let mut draws = self.streams[m].connections.draws(at.cell, address);
            for (k, class) in scenario.devices.iter().enumerate() {
                let broken: Vec<f64> = (0..scenario.regions.len())
                    .map(|r| match self.answers(view, world, (m, k, r)) {
                        false => 1.0,
                        true if class.direct => 0.0,
                        true => self.broken_proxies[r],
                    })
                    .collect();
                let range = self.pointing(m, k, scenario.devices.len());
                let pointing = &self.pointing[range];
                let Some(warm) = &mut self.warm[k] else {
                    continue;
                };
                for (r, &share) in broken.iter().enumerate().filter(|b| *b.1 > 0.0) {
                    warm.break_off((m, r), share, pointing, &mut draws);
                }
            }
        }
        for (_, life, warm) in self.keepers(view.plan) {
            warm.grow_older(life, from.secs(), to.secs());
        }
    }

    /// A market's connections close, names move, and devices come and go with demand.
    pub(super) fn step_connections(
        &mut self,
        view: &View,
        world: &World,
        m: MarketId,
        (from, to): (Time, Time),
        at: Address,
    ) {
        if !self.keeps_connections() {
            return;
        }
        let scenario = view.scenario;
        let mut draws = self.streams[m].connections.draws(at.cell, at.cut);
        let expected = world.demand[m].expected(from.secs(), to.secs()) * world.demand_factor;
        let rate = expected / to.since(from).secs();
        let ranges: Vec<_> = (0..scenario.devices.len())
            .map(|k| self.pointing(m, k, scenario.devices.len()))
            .collect();
        let (pointed, pointing) = (self.pointed.clone(), self.pointing.clone());
        for (k, life, warm) in self.keepers(view.plan) {
            let count = devices(&scenario.devices[k], life, rate);
            let range = ranges[k].clone();
            let names = (&pointed[range.clone()], &pointing[range]);
            warm.step(m, count, names, &mut draws);
        }
    }

    /// Shares of a class's requests in a step that go to a region: (to open a connection, on one).
    /// Without connections all go where `pointing` of the names point.
    pub(super) fn ways(&self, (m, k, r): (MarketId, usize, RegionId), pointing: f64) -> (f64, f64) {
        match &self.warm[k] {
            Some(warm) if warm.count(m) > 0 => {
                (warm.to_connect((m, r)), warm.on_connection((m, r)))
            }
            _ => (pointing, 0.0),
        }
    }

    /// Share of a class's requests that go to a region.
    pub(super) fn headed(&self, place: (MarketId, usize, RegionId), pointing: f64) -> f64 {
        let (opens, has) = self.ways(place, pointing);
        opens + has
    }

    /// Connections per second that requests of those without one open at a region.
    pub(super) fn opened(&self, (m, k, r): (MarketId, usize, RegionId), rate: f64, dt: f64) -> f64 {
        match &self.warm[k] {
            Some(warm) if warm.count(m) > 0 => warm.openings((m, r), rate * dt) / dt,
            _ => rate,
        }
    }

    /// Notes starts per second on open connections: they pass the load balancers by.
    pub(super) fn keep(
        &mut self,
        place: (MarketId, usize, RegionId),
        kind: Option<usize>,
        rate: f64,
    ) {
        self.kept.push(Kept { place, kind, rate });
    }

    /// Adds the load of starts on open connections.
    pub(super) fn add_kept(&mut self, view: &View, world: &World) {
        let mut kept = std::mem::take(&mut self.kept);
        for Kept { place, kind, rate } in kept.drain(..) {
            self.add_calls(view, world, place, kind, rate);
        }
        self.kept = kept;
    }

    /// So many of a group of starts have opened a connection.
    pub(super) fn connect(
        &mut self,
        (m, k, r): (MarketId, usize, RegionId),
        past: &Waiters,
        count: u64,
    ) {
        if let Some(warm) = &mut self.warm[k]
            && !past.connected
        {
            warm.arrive((m, r), count, past.attempts > 1);
        }
    }

    /// Of those who try again after a wait (of all who failed, of whom some have no connection), how
    /// many keep their connection.
    pub(super) fn still_connected(
        &self,
        class: &DeviceClass,
        k: usize,
        (again, failed, outside): (u64, u64, u64),
        wait_secs: (f64, f64),
        draws: &mut Draws,
    ) -> u64 {
        if self.warm[k].is_none() || wait_secs.1 >= class.connection_idle.secs() {
            return 0;
        }
        let inside = failed - outside.min(failed);
        if again == failed || inside == 0 {
            return inside.min(again);
        }
        sampling::binomial(draws, again, inside as f64 / failed as f64)
    }

    /// Ends a market's step: connections that were opened in it.
    pub(super) fn settle_connections(&mut self, view: &View, m: MarketId, dt: f64, at: Address) {
        if !self.keeps_connections() {
            return;
        }
        let address = at.cut | SETTLING;
        let mut draws = self.streams[m].connections.draws(at.cell, address);
        let classes = view.scenario.devices.len();
        let ranges: Vec<_> = (0..classes).map(|k| self.pointing(m, k, classes)).collect();
        let pointing = self.pointing.clone();
        for (k, life, warm) in self.keepers(view.plan) {
            warm.settle(m, life, dt, &pointing[ranges[k].clone()], &mut draws);
        }
    }

    /// Whether connections change so slowly that long steps show it.
    pub(super) fn connections_calm(&self, plan: &Plan) -> bool {
        let classes = self.warm.len();
        let mut each = self.warm.iter().zip(&plan.lives).enumerate();
        each.all(|(k, pair)| match pair {
            (Some(warm), Some(life)) => {
                let pointing = |m| self.pointing[self.pointing(m, k, classes)].to_vec();
                warm.calm(life, &pointing)
            }
            _ => true,
        })
    }
}

/// Devices of a class in a market that brings so many requests per second.
fn devices(class: &DeviceClass, life: &Life, requests_per_sec: f64) -> u64 {
    (requests_per_sec * class.share * life.think_secs()).round() as u64
}
