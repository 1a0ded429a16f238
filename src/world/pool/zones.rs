//! A pool whose zones differ: each is solved on its own load and slots.

use super::{Pool, PoolState, Servers, Wait};

/// One zone of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Zone {
    /// Share of the pool's requests that come to it.
    pub share: f64,
    /// Instances in service.
    pub instances: f64,
    /// How many times longer a request takes there.
    pub slowness: f64,
    /// State of its queue.
    pub pool: Pool,
}

/// What a step does to each zone.
#[derive(Clone, Debug, Default)]
pub struct ByZone {
    states: Vec<PoolState>,
    /// Share of the accepted requests that each took; empty where all are alike.
    taken: Vec<f64>,
    /// So much longer every request takes because the service works badly, in seconds.
    pub drag_secs: f64,
}

impl Zone {
    /// A zone with so many instances that gets a share of the requests.
    pub fn of(share: f64, instances: u64) -> Zone {
        Zone {
            share,
            instances: instances as f64,
            slowness: 1.0,
            pool: Pool::default(),
        }
    }

    fn lives(&self) -> bool {
        self.share > 0.0 || self.instances > 0.0
    }
}

impl ByZone {
    /// A step of the zones together: what is refused of all, the slots busy in an average zone that
    /// has load or instances, and the mean wait.
    pub fn evaluate(
        &mut self,
        zones: &[Zone],
        rate_per_sec: f64,
        dt_secs: f64,
        servers: &dyn Fn(&Zone) -> Servers,
    ) -> PoolState {
        self.states.clear();
        self.taken.clear();
        self.states.resize(zones.len(), PoolState::default());
        let Some(first) = zones.iter().find(|z| z.lives()) else {
            return Pool::default().evaluate(rate_per_sec, dt_secs, &Servers::default());
        };
        let living = zones.iter().filter(|z| z.lives()).count() as f64;
        if zones.iter().all(|z| z == first || !z.lives()) {
            let state = first
                .pool
                .evaluate(rate_per_sec / living, dt_secs, &servers(first));
            for (zone, mine) in zones.iter().zip(&mut self.states) {
                if zone.lives() {
                    *mine = state;
                }
            }
            return state;
        }
        for (zone, state) in zones.iter().zip(&mut self.states) {
            if zone.lives() {
                let rate = rate_per_sec * zone.share;
                *state = zone.pool.evaluate(rate, dt_secs, &servers(zone));
            }
        }
        let mut all = PoolState::default();
        for (zone, state) in zones.iter().zip(&self.states) {
            all.refused += zone.share * state.refused;
            all.busy += state.busy / living;
            all.doubtful |= state.doubtful;
            all.moving |= state.moving;
            self.taken.push(zone.share * (1.0 - state.refused));
        }
        all.refused = all.refused.clamp(0.0, 1.0);
        let accepted: f64 = self.taken.iter().sum();
        if accepted > 0.0 {
            self.taken.iter_mut().for_each(|t| *t /= accepted);
        }
        all.wait = self.mixed();
        all
    }

    /// One law with the mean of the mixture, the shortest wait of all and the share that waits longer.
    fn mixed(&self) -> Wait {
        let waits = || self.taken.iter().zip(&self.states).filter(|t| *t.0 > 0.0);
        let fixed = waits()
            .map(|(_, s)| s.wait.fixed)
            .fold(f64::INFINITY, f64::min);
        if fixed.is_infinite() {
            return Wait::default();
        }
        let mean: f64 = waits().map(|(t, s)| t * s.wait.mean()).sum();
        let share: f64 = waits().map(|(t, s)| t * s.wait.tail(fixed)).sum();
        Wait {
            share,
            fixed,
            mean: if share > 0.0 {
                (mean - fixed).max(0.0) / share
            } else {
                0.0
            },
            cap: waits().map(|(_, s)| s.wait.cap).fold(0.0, f64::max),
            drift: None,
        }
    }

    /// Share of accepted requests that waits longer than `secs`; `None` where all zones are alike.
    pub fn tail(&self, secs: f64) -> Option<f64> {
        let each = self.taken.iter().zip(&self.states);
        let tails = each.map(|(t, s)| t * s.wait.tail(secs - self.drag_secs));
        (!self.taken.is_empty()).then(|| tails.sum())
    }

    /// Every wait as [`Wait::told`]; the law of all together.
    pub fn tell(&mut self, step_secs: f64, told: &dyn Fn(f64, f64) -> f64, all: Wait) -> Wait {
        for state in &mut self.states {
            state.wait = state.wait.told(step_secs, told);
        }
        if self.taken.is_empty() {
            all.told(step_secs, told)
        } else {
            self.mixed()
        }
    }

    /// So many zones stop: nothing is served, and nobody waits any more.
    pub fn stop(&mut self, zones: usize) {
        *self = ByZone::default();
        self.states.resize(zones, PoolState::default());
    }

    /// Makes the evaluated step happen.
    pub fn commit(&self, zones: &mut [Zone]) {
        for (zone, state) in zones.iter_mut().zip(&self.states) {
            zone.pool.commit(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: f64 = 8.0;

    fn zone(share: f64, instances: f64) -> Zone {
        Zone {
            share,
            instances,
            slowness: 1.0,
            pool: Pool::default(),
        }
    }

    fn servers(zone: &Zone) -> Servers {
        Servers {
            slots: zone.instances * SLOTS,
            queue: zone.instances * 1e3,
            mean_secs: 0.1 * zone.slowness,
            scv: 1.0,
        }
    }

    /// In the stationary law: a step is long enough to reach it.
    fn settled(zones: &[Zone], rate: f64) -> PoolState {
        ByZone::default().evaluate(zones, rate, 1e6, &servers)
    }

    /// Mean wait of M/M/c, all arrivals, by Erlang's C formula with factorials.
    fn erlang_c_wait(servers: u32, offered: f64, mean_secs: f64) -> f64 {
        let (mut sum, mut term) = (0.0, 1.0);
        for n in 0..servers {
            sum += term;
            term *= offered / f64::from(n + 1);
        }
        let spare = f64::from(servers) - offered;
        let last = term * f64::from(servers) / spare;
        last / (sum + last) * mean_secs / spare
    }

    #[test]
    fn each_zone_waits_by_its_own_erlang_c() {
        // 24, 16 and 8 slots; half, three tenths and a fifth of the load.
        let zones = [zone(0.5, 3.0), zone(0.3, 2.0), zone(0.2, 1.0)];
        let rate = 300.0;
        let state = settled(&zones, rate);
        let wait = |share: f64, slots| share * erlang_c_wait(slots, rate * share * 0.1, 0.1);
        let mean = wait(0.5, 24) + wait(0.3, 16) + wait(0.2, 8);
        assert!((state.wait.mean() / mean - 1.0).abs() < 0.01, "{state:?}");
        assert!((state.busy * 3.0 - rate * 0.1).abs() < 1e-6);
        assert!(state.refused < 1e-12);
    }

    #[test]
    fn equal_zones_are_one_of_average_size_bit_for_bit() {
        let zones = [
            zone(0.25, 5.0),
            zone(0.25, 5.0),
            zone(0.25, 5.0),
            zone(0.25, 5.0),
        ];
        let state = settled(&zones, 1500.0);
        let one = Pool::default().evaluate(1500.0 / 4.0, 1e6, &servers(&zones[0]));
        assert_eq!(format!("{state:?}"), format!("{one:?}"));
    }

    #[test]
    fn uneven_zones_are_never_better_than_even_ones() {
        for load in [0.5, 0.8, 0.95, 1.2] {
            let rate = load * 12.0 * SLOTS / 0.1;
            let mut before = settled(&[zone(1.0 / 3.0, 4.0); 3], rate);
            // More load on one zone, or fewer instances in one.
            for skew in [0.02, 0.05, 0.1, 0.2] {
                let more = zone(1.0 / 3.0 + skew, 4.0);
                let less = zone(1.0 / 3.0 - skew / 2.0, 4.0);
                let state = settled(&[more, less, less], rate);
                assert!(state.refused >= before.refused - 1e-9, "{load} {skew}");
                if state.refused < 1e-9 {
                    assert!(state.wait.mean() >= before.wait.mean(), "{load} {skew}");
                }
                before = state;
            }
            let even = settled(&[zone(0.25, 3.0); 4], rate);
            let sizes = [6.0, 3.0, 2.0, 1.0];
            let split = settled(&sizes.map(|n| zone(n / 12.0, n)), rate);
            if load < 1.0 {
                assert!(split.wait.mean() > even.wait.mean(), "{load}");
            } else {
                // Each refuses what is beyond its slots.
                assert!((split.refused - (1.0 - 1.0 / load)).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn a_backlog_in_one_zone_delays_its_share_alone() {
        let mut zones = [zone(0.5, 4.0), zone(0.25, 4.0), zone(0.25, 4.0)];
        let mut by_zone = ByZone::default();
        // The first gets 600/s and serves 320/s.
        for _ in 0..60 {
            by_zone.evaluate(&zones, 1200.0, 1.0, &servers);
            by_zone.commit(&mut zones);
        }
        by_zone.evaluate(&zones, 1200.0, 1.0, &servers);
        let taken = by_zone.tail(2.0).expect("the zones differ");
        let share = by_zone.taken[0];
        assert!(
            (taken - share).abs() < 0.02 && share < 0.5,
            "{taken} {share}"
        );
    }
}
