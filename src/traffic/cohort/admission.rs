//! New connections in front of the proxies: what the load balancers let in, and who has to try again.

use super::{Cohort, View, retry_request};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::request::When;
use crate::model::scenario::{BalancerLimits, MarketId, RegionId};
use crate::traffic::sessions::Starved;
use crate::units::Time;
use crate::world::balancer::Admission;
use crate::world::state::World;

/// New connections per region.
#[derive(Default)]
pub(super) struct Wanted {
    /// Per second of the step under way.
    pub now: Vec<f64>,
    /// Per second of the last step, of those whom its load did not know yet: who came over from
    /// another region while it went on.
    pub came: Vec<f64>,
}

impl Cohort {
    /// Whether anyone answers a class's connections at a region.
    pub(super) fn answers(
        &self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
    ) -> bool {
        if view.scenario.devices[k].direct {
            world.regions[r].dark.is_none()
        } else {
            world.door(view.scenario, m, r).is_some()
        }
    }

    /// The balancers take a step: what they refuse of the starts, as expected, is no load behind them.
    pub(super) fn admit(&mut self, view: &View, world: &mut World, dt: f64) {
        self.admissions.clear();
        if let Some(limits) = &view.scenario.balancer {
            self.balance(view, world, limits, dt);
        } else if world.doors.pristine() {
            return;
        }
        for r in 0..view.scenario.regions.len() {
            self.lighten(view, world, r);
        }
    }

    /// Balancers with a limit take a step.
    fn balance(&mut self, view: &View, world: &mut World, limits: &BalancerLimits, dt: f64) {
        if let (Some(session), Some(_)) = (&view.scenario.session, retry_request(view.scenario)) {
            for group in self.sessions.starved.iter().filter(|g| g.lost) {
                if self.answers(view, world, (group.market, group.class, group.region)) {
                    let rate = group.count() as f64 / session.retry_secs.max(dt);
                    self.wanted.now[group.region] += rate;
                }
            }
        }
        for r in 0..view.scenario.regions.len() {
            let (offered, share) = if world.edge_lives(view.scenario, r) {
                let offered = self.wanted.now[r] + self.wanted.came[r];
                (offered, world.condition.balancer_share(r))
            } else {
                (0.0, 0.0)
            };
            let admission = world.balancers[r].step(limits, offered, share, dt);
            let window = &mut self.window[r];
            window.connections += admission.offered * dt;
            window.connection_limit += admission.limit * dt;
            self.admissions.push(admission);
        }
        self.wanted.came.fill(0.0);
    }

    /// What is refused of a region's starts is no load behind.
    fn lighten(&mut self, view: &View, world: &World, r: RegionId) {
        let (admitted, direct) = (1.0 - world.refused(r, false), 1.0 - world.refused(r, true));
        if admitted >= 1.0 {
            return;
        }
        self.serving.connections[r] *= admitted;
        for (q, request) in view.scenario.requests.iter().enumerate() {
            if !matches!(request.when, When::Start { .. }) {
                continue;
            }
            for m in 0..view.scenario.markets.len() {
                for lane in 0..self.serving.lanes.count() {
                    let flow = self.serving.flow(lane, r, q, m);
                    self.serving.entering[flow] *= admitted;
                    self.serving.direct[flow] *= direct;
                }
            }
        }
    }

    /// What the load balancers of each region did in the last step; empty where they have no limit.
    pub fn admissions(&self) -> &[Admission] {
        &self.admissions
    }

    /// How many of `count` connections at a region the balancers refuse, or proxies that have failed
    /// take: they get no answer.
    pub(super) fn refuse(
        &mut self,
        world: &World,
        (r, direct): (RegionId, bool),
        count: u64,
        draws: &mut Draws,
    ) -> u64 {
        let share = world.refused(r, direct);
        if share <= 0.0 {
            return 0;
        }
        let refused = sampling::binomial(draws, count, share);
        self.window[r].unreachable += refused;
        refused
    }

    /// Sessions that come over to a region with their connection closed; who is refused looks for a
    /// region anew. Returns how many got in; `phases` holds them.
    pub(super) fn come_over(
        &mut self,
        world: &World,
        ((m, k, r), direct): ((MarketId, usize, RegionId), bool),
        phases: &mut Vec<u64>,
        now: Time,
        draws: &mut Draws,
    ) -> u64 {
        let count: u64 = phases.iter().sum();
        self.wanted.came[r] += count as f64 / self.dt_secs;
        let refused = self.refuse(world, (r, direct), count, draws);
        if refused > 0 {
            let mut group = Starved {
                market: m,
                class: k,
                region: r,
                since_secs: now.secs(),
                phases: std::mem::take(phases),
                stalled: 0,
                waiting: false,
                lost: true,
            };
            *phases = vec![0; group.phases.len()];
            group.take(count - refused, draws, phases);
            self.sessions.add_starved(group);
        }
        count - refused
    }
}
