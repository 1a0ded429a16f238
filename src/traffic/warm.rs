//! Warm connections of plain users, counted: which region the devices of a class are connected to,
//! by when they connected, and where the names of the others point.
//!
//! A market has as many devices as its requests per second times the mean time between a device's
//! requests. They ask independently, at random moments, so a request is of any of them with the same
//! chance: of one that is connected, and goes where its connection leads, or of one that is not,
//! opens a connection and goes where its name points. A connection closes by the law of its
//! [`Life`], whatever its region does; those opened within one stretch of time are counted together,
//! as opened evenly within it. Those open at the beginning are as old as in equilibrium.

use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::scenario::{MarketId, RegionId};
use crate::world::connections::life::Life;

/// Stretches in which connections are counted together, per mean life.
const STRETCHES: f64 = 32.0;
/// Those who close in the course of a step have half of it to ask again, on average: as if this part
/// of them had been there from its beginning (see [`Warm::openings`]).
const LATE: f64 = 0.75;

/// The connections of one device class.
#[derive(Clone, Debug)]
pub struct Warm {
    /// Stretches in which connections were opened, oldest first.
    stretches: Vec<Stretch>,
    longest_secs: f64,
    markets: Vec<Devices>,
}

/// When some connections were opened, in seconds.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: f64,
    to: f64,
    /// Expected time open of those that open at the end, and at the beginning, from now on.
    newest: f64,
    oldest: f64,
    /// Share that closes in this step.
    closing: f64,
}

/// The devices of one market.
#[derive(Clone, Debug, Default)]
struct Devices {
    count: u64,
    /// Without a connection, by where their names point.
    closed: Vec<u64>,
    /// Of these, whose connection closes in this step.
    late: Vec<u64>,
    /// The same, by where it led.
    left: Vec<u64>,
    /// Connected, `[stretch][region]`.
    open: Vec<Vec<Open>>,
    /// Of the first attempts, and of the later ones, those that came to open a connection in this
    /// step, by region.
    came: Vec<u64>,
    again: Vec<u64>,
}

/// Connections to a region that were opened together.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    count: u64,
    /// Share of the class's names that pointed there then.
    pointed: f64,
}

impl Warm {
    /// No devices yet.
    pub fn new(life: &Life, markets: usize, regions: usize, step_secs: f64) -> Warm {
        let none = Devices {
            closed: vec![0; regions],
            late: vec![0; regions],
            left: vec![0; regions],
            open: vec![vec![Open::default(); regions]],
            came: vec![0; regions],
            again: vec![0; regions],
            ..Devices::default()
        };
        Warm {
            // All that was opened before the beginning.
            stretches: vec![Stretch {
                from: f64::NEG_INFINITY,
                to: 0.0,
                newest: life.mean_secs(),
                oldest: 0.0,
                closing: 0.0,
            }],
            longest_secs: (life.mean_secs() / STRETCHES).max(step_secs),
            markets: vec![none; markets],
        }
    }

    /// The devices of a market in equilibrium, where their names point.
    pub fn begin(
        &mut self,
        m: MarketId,
        life: &Life,
        count: u64,
        pointing: &[f64],
        draws: &mut Draws,
    ) {
        let devices = &mut self.markets[m];
        devices.count = count;
        let connected = sampling::binomial(draws, count, life.open_share());
        let mut there = vec![0; pointing.len()];
        sampling::multinomial(draws, connected, pointing, &mut there);
        for ((open, count), &pointed) in devices.open[0].iter_mut().zip(there).zip(pointing) {
            *open = Open { count, pointed };
        }
        sampling::multinomial(draws, count - connected, pointing, &mut devices.closed);
    }

    /// Begins a step: what share of each stretch's connections closes in it.
    pub fn grow_older(&mut self, life: &Life, from_secs: f64, to_secs: f64) {
        let used = |i: usize| {
            self.markets
                .iter()
                .any(|d| d.open[i].iter().any(|o| o.count > 0))
        };
        let last = self.stretches.len() - 1;
        let kept: Vec<bool> = (0..=last).map(|i| i == last || used(i)).collect();
        if kept.contains(&false) {
            for devices in &mut self.markets {
                let mut kept = kept.iter();
                devices.open.retain(|_| kept.next() == Some(&true));
            }
            let mut kept = kept.iter();
            self.stretches.retain(|_| kept.next() == Some(&true));
        }
        for stretch in &mut self.stretches {
            let (before, newest) = (
                stretch.newest - stretch.oldest,
                life.beyond(to_secs - stretch.to),
            );
            let oldest = life.beyond(to_secs - stretch.from);
            let left = newest - oldest;
            stretch.closing = match before > 0.0 {
                true => (1.0 - left / before).clamp(0.0, 1.0),
                false => 1.0,
            };
            (stretch.newest, stretch.oldest) = (newest, oldest);
        }
        let all = life.mean_secs();
        let last = self.stretches.len() - 1;
        let last = &mut self.stretches[last];
        if from_secs - last.from < self.longest_secs {
            // What opens in this step is counted with what opened before it.
            (last.to, last.newest) = (to_secs, all);
            return;
        }
        self.stretches.push(Stretch {
            from: from_secs,
            to: to_secs,
            newest: all,
            oldest: life.beyond(to_secs - from_secs),
            closing: 0.0,
        });
        for devices in &mut self.markets {
            let regions = devices.closed.len();
            devices.open.push(vec![Open::default(); regions]);
        }
    }

    /// The devices of a market in a step: how many there are, where the names of those without a
    /// connection point now, and whose connection closes.
    pub fn step(
        &mut self,
        m: MarketId,
        count: u64,
        (pointed, pointing): (&[f64], &[f64]),
        draws: &mut Draws,
    ) {
        self.markets[m].resize(count, pointing, draws);
        self.markets[m].follow_names(pointed, pointing, draws);
        let closing = self.stretches.iter().map(|s| s.closing);
        let devices = &mut self.markets[m];
        devices.late.fill(0);
        devices.left.fill(0);
        for (i, share) in closing.enumerate() {
            for r in 0..pointing.len() {
                let open = &mut devices.open[i][r];
                let closed = sampling::binomial(draws, open.count, share);
                open.count -= closed;
                devices.left[r] += closed;
                named(
                    closed,
                    (r, open.pointed),
                    pointing,
                    draws,
                    &mut devices.late,
                );
            }
        }
        for (closed, late) in devices.closed.iter_mut().zip(&devices.late) {
            *closed += late;
        }
    }

    /// A share of the connections to a region breaks.
    pub fn break_off(
        &mut self,
        (m, r): (MarketId, RegionId),
        share: f64,
        pointing: &[f64],
        draws: &mut Draws,
    ) {
        let devices = &mut self.markets[m];
        for opened in &mut devices.open {
            let open = &mut opened[r];
            let broken = sampling::binomial(draws, open.count, share);
            open.count -= broken;
            named(
                broken,
                (r, open.pointed),
                pointing,
                draws,
                &mut devices.closed,
            );
        }
    }

    /// Devices of a market.
    pub fn count(&self, m: MarketId) -> u64 {
        self.markets[m].count
    }

    /// Devices connected to a region.
    pub fn connected(&self, (m, r): (MarketId, RegionId)) -> u64 {
        self.markets[m].open.iter().map(|open| open[r].count).sum()
    }

    /// Share of a step's requests that are made on a connection to a region. Whose connection closes in
    /// the step still had it for half of it.
    pub fn on_connection(&self, (m, r): (MarketId, RegionId)) -> f64 {
        let devices = &self.markets[m];
        let open = self.connected((m, r)) as f64 + 0.5 * devices.left[r] as f64;
        open / devices.count.max(1) as f64
    }

    /// Share of a step's requests that come to open a connection where names point to a region.
    pub fn to_connect(&self, (m, r): (MarketId, RegionId)) -> f64 {
        let devices = &self.markets[m];
        let closed = devices.closed[r] as f64 - 0.5 * devices.late[r] as f64;
        closed / devices.count.max(1) as f64
    }

    /// Connections that so many requests of a step are expected to open at a region: each device's
    /// second request finds one.
    pub fn openings(&self, (m, r): (MarketId, RegionId), requests: f64) -> f64 {
        let devices = &self.markets[m];
        let free = devices.closed[r] as f64 - (1.0 - LATE) * devices.late[r] as f64;
        if free <= 0.0 {
            return 0.0;
        }
        -free * libm::expm1(-requests / free)
    }

    /// Requests came to open a connection at a region, and were let in; `again`: not for the first
    /// time.
    pub fn arrive(&mut self, (m, r): (MarketId, RegionId), count: u64, again: bool) {
        let devices = &mut self.markets[m];
        match again {
            true => devices.again[r] += count,
            false => devices.came[r] += count,
        }
    }

    /// Ends a step: connections that were opened in it.
    pub fn settle(
        &mut self,
        m: MarketId,
        life: &Life,
        dt_secs: f64,
        pointing: &[f64],
        draws: &mut Draws,
    ) {
        // Opened at any moment of the step, they may be closed again.
        let lasting = ((life.mean_secs() - life.beyond(dt_secs)) / dt_secs).clamp(0.0, 1.0);
        for r in 0..pointing.len() {
            let came = self.markets[m].came[r];
            let opened = match came {
                0 => 0,
                came => {
                    let opened = self.openings((m, r), came as f64) / came as f64;
                    sampling::binomial(draws, came, opened)
                }
            };
            let devices = &mut self.markets[m];
            let taken = devices.take(r, opened + devices.again[r]);
            let staying = sampling::binomial(draws, taken, lasting);
            devices.closed[r] += taken - staying;
            if let Some(newest) = devices.open.last_mut() {
                newest[r].add(staying, pointing[r]);
            }
            (devices.came[r], devices.again[r]) = (0, 0);
        }
    }

    /// Whether connections are as in equilibrium, or change slowly: less than `1e-3` of the devices a
    /// second.
    pub fn calm(&self, life: &Life, pointing: &dyn Fn(MarketId) -> Vec<f64>) -> bool {
        let mut markets = self.markets.iter().enumerate();
        markets.all(|(m, devices)| {
            let all = devices.count as f64;
            let closed: u64 = devices.closed.iter().sum();
            let usual = all * life.opening_share();
            if closed as f64 > 1.25 * usual + 5.0 * usual.sqrt() + 5.0 {
                return false;
            }
            let connected = (all - closed as f64).max(0.0);
            let here = |(r, share): (RegionId, &f64)| {
                let over = self.connected((m, r)) as f64 - share * connected;
                // Chance alone makes counts differ by so much; none where names are sure.
                match over > 3.0 * (connected * share * (1.0 - share)).sqrt() {
                    true => over,
                    false => 0.0,
                }
            };
            let elsewhere: f64 = pointing(m).iter().enumerate().map(here).sum();
            elsewhere <= 1e-3 * all * life.mean_secs()
        })
    }
}

impl Devices {
    /// There are so many devices now: new ones have no connection, and any may leave.
    fn resize(&mut self, count: u64, pointing: &[f64], draws: &mut Draws) {
        if count >= self.count {
            let mut new = vec![0; pointing.len()];
            sampling::multinomial(draws, count - self.count, pointing, &mut new);
            for (closed, new) in self.closed.iter_mut().zip(new) {
                *closed += new;
            }
        } else {
            let (mut all, mut leaving) = (self.count, self.count - count);
            let open = self.open.iter_mut().flatten().map(|open| &mut open.count);
            for cell in self.closed.iter_mut().chain(open) {
                let here = *cell;
                if here == 0 || leaving == 0 {
                    continue;
                }
                let rest = all - here;
                let share = here as f64 / all as f64;
                let gone = sampling::binomial(draws, leaving, share);
                let gone = gone.clamp(leaving.saturating_sub(rest), here);
                *cell -= gone;
                leaving -= gone;
                all = rest;
            }
        }
        self.count = count;
    }

    /// Names that pointed to one region point to another.
    fn follow_names(&mut self, pointed: &[f64], pointing: &[f64], draws: &mut Draws) {
        if pointed == pointing {
            return;
        }
        let more: Vec<f64> = pointing
            .iter()
            .zip(pointed)
            .map(|(b, a)| (b - a).max(0.0))
            .collect();
        let sum: f64 = more.iter().sum();
        if sum <= 0.0 {
            return;
        }
        let shares: Vec<f64> = more.iter().map(|more| more / sum).collect();
        let mut moved = vec![0; pointing.len()];
        for r in 0..pointing.len() {
            if pointing[r] < pointed[r] {
                let leave = 1.0 - pointing[r] / pointed[r];
                let leaving = sampling::binomial(draws, self.closed[r], leave);
                self.closed[r] -= leaving;
                let mut to = vec![0; pointing.len()];
                sampling::multinomial(draws, leaving, &shares, &mut to);
                moved.iter_mut().zip(to).for_each(|(sum, to)| *sum += to);
            }
        }
        for (closed, moved) in self.closed.iter_mut().zip(moved) {
            *closed += moved;
        }
    }

    /// Takes so many of those without a connection, first of those whose names point to a region: who
    /// used another region's own name comes from elsewhere. Says how many there were.
    fn take(&mut self, region: RegionId, wanted: u64) -> u64 {
        let mut left = wanted;
        let regions = self.closed.len();
        for r in (0..regions).map(|i| (region + i) % regions) {
            let taken = left.min(self.closed[r]);
            self.closed[r] -= taken;
            left -= taken;
        }
        wanted - left
    }
}

impl Open {
    fn add(&mut self, count: u64, pointed: f64) {
        if count == 0 {
            return;
        }
        let part = count as f64 / (self.count + count) as f64;
        self.pointed += (pointed - self.pointed) * part;
        self.count += count;
    }
}

/// Where the names of devices point that were connected to a region when such a share of all pointed
/// there.
fn named(
    count: u64,
    (region, then): (RegionId, f64),
    pointing: &[f64],
    draws: &mut Draws,
    out: &mut [u64],
) {
    if count == 0 {
        return;
    }
    let others: f64 = (0..pointing.len())
        .filter(|&r| r != region)
        .map(|r| pointing[r])
        .sum();
    let stay = match then > 0.0 {
        true => (pointing[region] / then).min(1.0),
        // They used the region's own name, whatever theirs said.
        false => pointing[region],
    };
    let staying = match others > 0.0 {
        true => sampling::binomial(draws, count, stay),
        false => count,
    };
    out[region] += staying;
    if staying < count {
        let shares: Vec<f64> = (0..pointing.len())
            .map(|r| {
                if r == region {
                    0.0
                } else {
                    pointing[r] / others
                }
            })
            .collect();
        let mut to = vec![0; shares.len()];
        sampling::multinomial(draws, count - staying, &shares, &mut to);
        out.iter_mut().zip(to).for_each(|(sum, to)| *sum += to);
    }
}

#[cfg(test)]
mod tests;
