//! The proxies of an edge and what they carry.

use super::Serving;
use crate::model::scenario::Scenario;
use crate::world::plan::Plan;
use crate::world::pool::{PoolState, Servers, Zone};
use crate::world::state::World;

impl Serving {
    /// Loads the proxies: what enters at an edge, and what others send on.
    pub(super) fn load_proxies(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        world: &World,
        dt_secs: f64,
    ) {
        self.proxied.fill(0.0);
        self.crossing = 0.0;
        for e in 0..self.regions {
            for (lane, m) in self.all_markets() {
                let rate = self.enters(lane, e, m);
                if rate <= 0.0 {
                    continue;
                }
                self.proxied[e] += rate;
                let row = self.row(lane, e, m);
                for s in (0..self.regions).filter(|&s| s != e) {
                    let sent = self.first[row + s]
                        + self.exposed[row..row + self.regions].iter().sum::<f64>()
                            * self.allowed[e]
                            * self.elsewhere[row + s];
                    let sent = sent * (1.0 - self.stopped(world, e, s));
                    self.proxied[s] += rate * sent;
                    self.crossing += rate * sent;
                }
            }
        }
        for e in 0..self.regions {
            if !world.edge_lives(scenario, e) {
                self.proxies[e] = PoolState::default();
                self.proxies_by_zone[e].stop(world.proxy_zones[e].len());
                continue;
            }
            let zones = scenario.regions[e].zones.max(1) as f64;
            let alive = 1.0 - world.doors.failed(e);
            // A handshake is CPU that the same proxies spend.
            let handshakes = self.connections[e] * scenario.edge.handshake_secs;
            let mean_secs = plan.edge_secs
                + if self.proxied[e] > 0.0 {
                    handshakes / self.proxied[e]
                } else {
                    0.0
                };
            let servers = |slots: f64| Servers {
                slots,
                queue: Plan::proxy_places(scenario, slots),
                mean_secs,
                scv: 1.0,
            };
            let slots = f64::from(scenario.edge.slots);
            self.proxies[e] = if world.proxy_zones[e].is_empty() {
                let all = plan.proxies[e] as f64 * slots / zones;
                let rate = self.proxied[e] / zones;
                world.proxies[e].evaluate(rate, dt_secs, &servers(all * alive))
            } else {
                let own = |zone: &Zone| servers(zone.instances * slots * alive);
                let zones = &world.proxy_zones[e];
                self.proxies_by_zone[e].evaluate(zones, self.proxied[e], dt_secs, &own)
            };
        }
    }
}
