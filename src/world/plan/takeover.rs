//! Planning for the loss of a region: what the others keep for it.

use super::busiest::Days;
use super::{Load, Plan};
use crate::model::scenario::{RegionId, Scenario, ServiceId};

/// Slots of a service in a region.
pub(super) struct Wanted {
    /// In service.
    pub serving: f64,
    /// Dark.
    pub dark: f64,
    /// In service when the region has taken over all that it is ready for.
    pub full: f64,
}

impl Plan {
    /// What is wanted of a service in a region.
    pub(super) fn wanted(&self, scenario: &Scenario, region: RegionId, v: ServiceId) -> Wanted {
        let service = &scenario.services[v];
        let own = self.peak[region].busy[v];
        let planned = |busy: f64| match service.after_loss {
            None => (1.0 + service.headroom) * busy,
            Some(most_used) => busy.max(self.after_loss(region, v)) / most_used,
        };
        let serving = planned(own);
        if !scenario.standby.contains(&region) {
            return Wanted {
                serving,
                dark: service.dark * own,
                full: serving,
            };
        }
        let has = |r: &&RegionId| self.graph.has(**r, v);
        let sharing = scenario.standby.iter().filter(has).count();
        let takes = own.max(self.stands_by(sharing, &|load| load.busy[v]));
        let full = planned(takes);
        Wanted {
            // What others call here while all is well needs all of its capacity.
            serving: serving.max(service.standby * full),
            dark: service.dark * takes,
            full,
        }
    }

    /// Slots that a service keeps busy in a region after the loss of any one other, at the busiest hour
    /// of each: survivors share what was lost in proportion to their own load, or evenly if they have
    /// none.
    fn after_loss(&self, region: RegionId, v: ServiceId) -> f64 {
        let busy = |r: RegionId| self.peak[r].busy[v];
        let own = busy(region);
        let regions = (0..self.peak.len()).filter(|&r| self.graph.has(r, v));
        let total: f64 = regions.clone().map(busy).sum();
        let survivors = regions.clone().count().saturating_sub(1).max(1) as f64;
        regions
            .filter(|&lost| lost != region)
            .map(|lost| {
                let left = total - busy(lost);
                let share = match left > 0.0 {
                    true => own / left,
                    false => 1.0 / survivors,
                };
                own + share * busy(lost)
            })
            .fold(own, f64::max)
    }

    /// What each of so many regions that stand by is ready to take over: together they take the largest
    /// of the others.
    fn stands_by(&self, sharing: usize, of: &dyn Fn(&Load) -> f64) -> f64 {
        let most = self.peak.iter().map(of).fold(0.0, f64::max);
        most / sharing.max(1) as f64
    }

    /// What proxies are planned to keep busy in a region.
    pub(super) fn edge_planned(&self, scenario: &Scenario, region: RegionId) -> f64 {
        match scenario.standby.contains(&region) {
            true => self.stands_by(scenario.standby.len(), &|load| load.edge_busy),
            false => self.peak[region].edge_busy,
        }
    }

    /// New connections per second that the balancers of a region are planned for.
    pub fn connections_planned(&self, scenario: &Scenario, region: RegionId) -> f64 {
        match scenario.standby.contains(&region) {
            true => self.stands_by(scenario.standby.len(), &|load| load.connections),
            false => self.peak[region].connections,
        }
    }

    /// For each region that is home to no market the load of those that would come: of the markets of
    /// which it is the second choice, or if there are none, of all that it may serve.
    pub(super) fn taken_over(&self, scenario: &Scenario, days: &Days) -> Vec<Option<Load>> {
        let markets = &scenario.markets;
        let any = |is: &dyn Fn(usize) -> bool| (0..markets.len()).any(is);
        let regions = 0..scenario.regions.len();
        let taken = regions.map(|r| {
            if any(&|m| markets[m].near.first() == Some(&r)) {
                return None;
            }
            let second = |m: usize| markets[m].near.get(1) == Some(&r);
            let may = |m: usize| markets[m].near.contains(&r);
            let mut load = match any(&second) {
                true => self.busiest(scenario, days, &second),
                false => self.busiest(scenario, days, &may),
            };
            for (v, busy) in load.busy.iter_mut().enumerate() {
                if !self.graph.has(r, v) {
                    *busy = 0.0;
                }
            }
            Some(load)
        });
        taken.collect()
    }

    /// The mix of requests that tells what a region can carry: its own, or where it is home to no
    /// market, that of the markets that would come.
    pub fn mix(&self, region: RegionId) -> &Load {
        self.taken[region].as_ref().unwrap_or(&self.peak[region])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Document, Layer};

    /// What a region that is home to nobody carries is worked out for the market that would come.
    #[test]
    fn the_second_choice_is_judged_by_its_markets() {
        const TEXT: &str = r#"
format = 1
[[region]]
name = "east"
[[region]]
name = "north"
[[region]]
name = "west"
[[market]]
name = "a"
near = ["east", "west"]
starts = "100/s"
[[market]]
name = "b"
near = ["east", "west"]
starts = "50/s"
may = ["east", "west"]
[[market]]
name = "c"
near = ["north"]
starts = "70/s"
[[service]]
name = "api"
slots = 2
time = "20ms"
"#;
        let layer = Layer::file("test.toml", TEXT, None);
        let document = Document::load("test", layer, None, Vec::new());
        let document = document.unwrap_or_else(|problems| panic!("{problems}"));
        let plan = Plan::new(document.scenario());
        let starts = |r: RegionId| plan.mix(r).total;
        assert_eq!([starts(0), starts(1), starts(2)], [150.0, 70.0, 150.0]);
        for region in 0..3 {
            let carries = plan.carries(plan.mix(region), &|_| 3.0);
            assert!((carries - 3.0 * 2.0 / 0.02).abs() < 1e-6, "{carries}");
        }
    }
}
