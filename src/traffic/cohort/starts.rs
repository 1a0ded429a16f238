//! Starts: arrivals, attempts in a row, waiting for the next, and what comes of them.

use super::{Cohort, PIECES, View, next_near};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::request::When;
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::traffic::arrivals::Address;
use crate::traffic::waiting::{self, Waiters};
use crate::units::{Span, Time};
use crate::world::state::World;

/// What became of the calls of an attempt.
pub(super) struct Answers {
    /// Starts that got through.
    good: u64,
    /// Starts whose connection nobody took.
    refused: u64,
    /// Of those that failed, how many hear of it only when they give up.
    unheard: u64,
    /// Whether anyone answered.
    answered: bool,
    /// How long those that failed had waited for something that hangs, on average.
    held_secs: f64,
    /// Whether nothing but ambient failures can have failed them.
    healthy: bool,
}

/// Starts with the same past that make an attempt in this step.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    entry: RegionId,
    past: Waiters,
}

/// Chance that a start fails for reasons outside the service.
fn ambient_failure(scenario: &Scenario, world: &World, market: MarketId) -> f64 {
    let usual = scenario.ambient.start_failure;
    match world.condition.cdn(market).1 {
        0.0 => usual,
        more => 1.0 - (1.0 - usual) * (1.0 - more),
    }
}

/// Cells in which retries wait.
fn waiting_grid(scenario: &Scenario) -> Span {
    Span((scenario.step.0 / u64::from(PIECES)).max(1))
}

impl Cohort {
    /// Draws arrivals and takes out due retries, and adds their load.
    pub(super) fn collect_starts(
        &mut self,
        view: &View,
        world: &World,
        m: MarketId,
        (from, to): (Time, Time),
        at: Address,
        out: &mut [Vec<Attempt>],
    ) {
        let scenario = view.scenario;
        let (classes, regions) = (scenario.devices.len(), scenario.regions.len());
        let dt = to.since(from).secs();
        let demand = &world.demand[m];
        let count =
            self.arrivals[m].take(demand, world.demand_factor, (from, to), scenario.sample, at);
        let expected = demand.expected(from.secs(), to.secs()) * world.demand_factor;
        self.ledger.starts += count;
        let mut draws = self.streams[m].split.draws(at.cell, at.cut);
        let mut shares = std::mem::take(&mut self.buffers.shares);
        let mut counts = std::mem::take(&mut self.buffers.counts);
        let cells = classes * regions;
        // Behind those who open a connection come those who have one, if there are any.
        let ways = match self.keeps_connections() {
            true => 2,
            false => 1,
        };
        for (k, class) in scenario.devices.iter().enumerate() {
            for r in 0..regions {
                let row = self.pointing(m, k, classes).start;
                let (opens, has) = self.ways((m, k, r), self.pointing[row + r]);
                shares[k * regions + r] = class.share * opens;
                if ways > 1 {
                    shares[cells + k * regions + r] = class.share * has;
                }
            }
        }
        let cells = ways * cells;
        sampling::multinomial(&mut draws, count, &shares[..cells], &mut counts[..cells]);
        let fresh = Waiters {
            kind: None,
            born_cell: at.cell,
            waited_secs: 0.0,
            seen_secs: 0.0,
            attempts: 0,
            entry: 0,
            share_then: 1.0,
            connected: false,
            count: 0,
        };
        // What is left of the shares' sum but for rounding is of the last kind.
        let mix: Vec<(usize, f64)> = scenario.mix().collect();
        let parts: Vec<f64> = mix.iter().map(|kind| kind.1).collect();
        let mut of_kind = vec![0; mix.len()];
        let mut arrived: Vec<u64> = (0..classes)
            .map(|k| counts[k * regions..(k + 1) * regions].iter().sum())
            .collect();
        for (cell, &count) in counts[..cells].iter().enumerate().skip(classes * regions) {
            arrived[cell / regions - classes] += count;
        }
        for (k, &arrived) in arrived.iter().enumerate() {
            self.restraint[m][k].arrive(&scenario.devices[k], arrived, (expected, dt), to);
        }
        for cell in 0..cells {
            let (connected, k, r) = (
                cell >= classes * regions,
                cell / regions % classes,
                cell % regions,
            );
            if shares[cell] > 0.0 {
                let rate = expected * shares[cell] / dt;
                match connected {
                    true => self.keep((m, k, r), None, rate),
                    false => {
                        let opened = self.opened((m, k, r), rate, dt);
                        self.add_starts(view, world, (m, k, r), None, rate, opened);
                    }
                }
            }
            let mut begin = |kind: Option<usize>, count: u64| {
                if count > 0 {
                    let entry = r;
                    let past = Waiters {
                        kind,
                        entry,
                        count,
                        connected,
                        ..fresh
                    };
                    out[k].push(Attempt { entry, past });
                }
            };
            if mix.is_empty() {
                begin(None, counts[cell]);
                continue;
            }
            sampling::multinomial(&mut draws, counts[cell], &parts, &mut of_kind);
            for (&(q, _), &count) in mix.iter().zip(&of_kind) {
                begin(Some(q), count);
            }
        }
        self.buffers.shares = shares;
        self.buffers.counts = counts;
        for (k, list) in out.iter_mut().enumerate() {
            if self.waiting[m][k].total() > 0 {
                self.take_retries(view, world, (m, k), (from, to), &mut draws, list);
            }
        }
    }

    /// Retries that are due: who has left, and which region they are sent to now.
    pub(super) fn take_retries(
        &mut self,
        view: &View,
        world: &World,
        (m, k): (MarketId, usize),
        (from, to): (Time, Time),
        draws: &mut Draws,
        out: &mut Vec<Attempt>,
    ) {
        let scenario = view.scenario;
        let class = &scenario.devices[k];
        let mut due = std::mem::take(&mut self.buffers.due);
        self.waiting[m][k].due((from, to), waiting_grid(scenario), draws, &mut due);
        let dt = to.since(from).secs();
        let pointing = self.pointing[self.pointing(m, k, scenario.devices.len())].to_vec();
        for mut waiters in due.drain(..) {
            if scenario.session.is_some() {
                let stay = waiting::still_there(waiters.seen_secs, waiters.waited_secs);
                waiters.seen_secs = waiters.waited_secs;
                let staying = sampling::binomial(draws, waiters.count, stay);
                self.give_up(waiters.entry, waiters.count - staying, false);
                waiters.count = staying;
            }
            if waiters.count == 0 {
                continue;
            }
            let old = waiters.entry;
            // Who waits where nobody answers any more has lost the connection.
            let kept = waiters.connected && self.answers(view, world, (m, k, old));
            waiters.connected = false;
            let mut go = |this: &mut Cohort, entry: RegionId, count: u64| {
                if count > 0 {
                    let (place, rate) = ((m, k, entry), count as f64 / dt);
                    this.add_starts(view, world, place, waiters.kind, rate, rate);
                    out.push(Attempt {
                        entry,
                        past: Waiters {
                            entry,
                            count,
                            ..waiters
                        },
                    });
                }
            };
            if class.fallback_after > 0 && waiters.attempts >= class.fallback_after {
                go(self, next_near(scenario, m, old), waiters.count);
                continue;
            }
            if kept {
                self.keep((m, k, old), waiters.kind, waiters.count as f64 / dt);
                waiters.connected = true;
                out.push(Attempt {
                    entry: old,
                    past: waiters,
                });
                continue;
            }
            // Names that pointed to the region then may point elsewhere now.
            let stay = if waiters.share_then > 0.0 {
                (pointing[old] / waiters.share_then).min(1.0)
            } else {
                0.0
            };
            let others: Vec<f64> = (0..pointing.len())
                .map(|r| if r == old { 0.0 } else { pointing[r] })
                .collect();
            let sum: f64 = others.iter().sum();
            let staying = if sum > 0.0 {
                sampling::binomial(draws, waiters.count, stay)
            } else {
                waiters.count
            };
            go(self, old, staying);
            if waiters.count > staying {
                let shares: Vec<f64> = others.iter().map(|s| s / sum).collect();
                let mut counts = vec![0; shares.len()];
                sampling::multinomial(draws, waiters.count - staying, &shares, &mut counts);
                for (r, count) in counts.into_iter().enumerate() {
                    go(self, r, count);
                }
            }
        }
        self.buffers.due = due;
    }

    /// Adds the load of starts, per second, of a class that enter at a region, and of the connections
    /// that they open.
    pub(super) fn add_starts(
        &mut self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        kind: Option<usize>,
        rate: f64,
        opened: f64,
    ) {
        self.add_calls(view, world, (m, k, r), kind, rate);
        if !view.scenario.devices[k].direct {
            self.serving.connections[r] += opened;
        }
        if self.answers(view, world, (m, k, r)) {
            self.wanted.now[r] += opened;
        }
    }

    /// Adds what starts, per second, ask for: of one kind, or of all as they come.
    pub(super) fn add_calls(
        &mut self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        kind: Option<usize>,
        rate: f64,
    ) {
        for (q, request) in view.scenario.requests.iter().enumerate() {
            let When::Start { count } = request.when else {
                continue;
            };
            let each = match kind {
                None => request.per_start(),
                Some(only) if only == q => f64::from(count),
                Some(_) => continue,
            };
            self.add_flow(view, world, (m, k, r), q, rate * each);
        }
    }

    /// Starts that fail for good, counted where they were sent to.
    fn give_up(&mut self, region: RegionId, count: u64, ambient: bool) {
        let window = &mut self.window[region];
        window.failed_for_good += count;
        if ambient {
            window.starts_ambient += count;
            self.ledger.starts_ambient += count;
        } else {
            window.starts_failed += count;
            self.ledger.starts_failed += count;
        }
        self.ledger.given_up += count;
    }

    /// Makes the attempts of starts that share a past, and settles who is done and who waits.
    pub(super) fn attempt(
        &mut self,
        view: &View,
        world: &World,
        (m, k): (MarketId, usize),
        attempt: Attempt,
        (from, to): (Time, Time),
        draws: &mut Draws,
    ) {
        let scenario = view.scenario;
        let class = &scenario.devices[k];
        let Attempt { entry: r, mut past } = attempt;
        let mut extra_secs = 0.0;
        loop {
            let tried = past.count;
            self.ledger.attempts += tried;
            if past.attempts == 0 {
                self.window[r].first_attempts += tried;
            } else {
                self.ledger.retries += tried;
            }
            past.attempts += 1;
            let Answers {
                good,
                refused,
                unheard,
                answered,
                held_secs,
                healthy,
            } = self.make_calls(view, world, (m, k, r), &past, extra_secs, from, draws);
            let failed = tried - good;
            // Those who stay without a connection.
            let outside = if answered { refused } else { tried };
            self.connect((m, k, r), &past, tried - outside);
            self.ledger.attempts_failed += failed;
            self.restraint[m][k].hear(class, (tried, failed));
            let unlucky = ambient_failure(view.scenario, world, m);
            self.succeed(view, (m, k, r), good, unlucky, draws);
            if failed == 0 {
                return;
            }
            let mut again = if past.attempts >= class.attempts {
                0
            } else {
                failed
            };
            again = self.restraint[m][k].allow(class, again);
            // What only chance has failed, from the first attempt on, is not the service's doing.
            let ambient = healthy && past.waited_secs == 0.0;
            self.give_up(r, failed - again, ambient);
            if again == 0 {
                return;
            }
            past.count = again;
            let (lo, hi) = waiting::backoff(class, past.attempts);
            // Where nothing but chance fails, the next attempt meets what this one met: it is made
            // in the same step, and its wait is only counted.
            if healthy {
                let before = past.waited_secs + extra_secs;
                extra_secs += 0.5 * (lo + hi);
                let stay = if scenario.session.is_some() {
                    waiting::still_there(before, past.waited_secs + extra_secs)
                } else {
                    1.0
                };
                let staying = sampling::binomial(draws, again, stay);
                self.give_up(r, again - staying, ambient);
                past.count = staying;
                past.connected = self.warm[k].is_some();
                if staying == 0 {
                    return;
                }
                continue;
            }
            // A connection that hangs is only known to have failed after the client's timeout.
            let hangs = !answered && world.regions[r].dark.is_some_and(|dark| dark.hang);
            let known = match hangs {
                true => class.timeout.secs(),
                false => held_secs,
            };
            // So is an answer that does not come in time, or never.
            let silent = match unheard {
                0 => 0,
                all if all == failed => again,
                some => sampling::binomial(draws, again, some as f64 / failed as f64),
            };
            let pointing = self.pointing(m, k, scenario.devices.len());
            past.entry = r;
            past.share_then = self.pointing[pointing.start + r];
            // A connection on which an answer is late stays open.
            let told = (again - silent, failed - unheard.min(failed), outside);
            let patience = class.timeout.secs();
            for ((count, failed, outside), known) in
                [(told, known), ((silent, unheard, 0), patience)]
            {
                if count == 0 {
                    continue;
                }
                let wait = (known + lo, known + hi);
                let next = Waiters {
                    waited_secs: past.waited_secs + (extra_secs + known + 0.5 * (lo + hi)),
                    ..past
                };
                let patient = waiting::still_there(next.seen_secs, next.waited_secs) > 0.0;
                if scenario.session.is_some() && !patient {
                    // Nobody waits that long: that they failed is known now.
                    self.give_up(r, count, false);
                    continue;
                }
                let connected =
                    self.still_connected(class, k, (count, failed, outside), wait, draws);
                // A retry that would fall into this step waits for its end: the step's load is set.
                let grid = waiting_grid(scenario);
                for (connected, count) in [(true, connected), (false, count - connected)] {
                    if count > 0 {
                        self.waiting[m][k].schedule(
                            (from.secs(), to.secs()),
                            wait,
                            grid,
                            to.0.div_ceil(grid.0),
                            Waiters {
                                connected,
                                count,
                                ..next
                            },
                            draws,
                        );
                    }
                }
            }
            return;
        }
    }

    /// Makes the calls of one attempt, kind by kind in a row.
    pub(super) fn make_calls(
        &mut self,
        view: &View,
        world: &World,
        (m, k, r): (MarketId, usize, RegionId),
        past: &Waiters,
        extra_secs: f64,
        now: Time,
        draws: &mut Draws,
    ) -> Answers {
        let scenario = view.scenario;
        let mut good = past.count;
        let mut fate = std::mem::take(&mut self.buffers.fate);
        let (mut mean, mut variance) = (0.0, 0.0);
        let mut server = r;
        let (mut unheard, mut answered, mut healthy) = (0, true, true);
        let (mut refused, mut held) = (0, 0.0);
        if !past.connected && self.answers(view, world, (m, k, r)) {
            let direct = scenario.devices[k].direct;
            refused = self.refuse(world, (r, direct), good, draws);
            good -= refused;
            healthy = world.refused(r, direct) <= 0.0;
        }
        for (q, request) in scenario.requests.iter().enumerate() {
            let When::Start { count } = request.when else {
                continue;
            };
            if past.kind.is_some_and(|only| only != q) {
                continue;
            }
            if good == 0 {
                break;
            }
            if !self.fate(view, world, (m, k, r), q, now, &mut fate) {
                self.window[r].unreachable += good;
                self.not_answered(r, q, scenario.requests.len(), good);
                good = 0;
                (answered, healthy) = (false, false);
                break;
            }
            healthy &= fate.failing <= 1e-12;
            let ambient = scenario.ambient.request_failure;
            let failing = fate.failing + (1.0 - fate.failing) * ambient;
            for _ in 0..count {
                let failed = sampling::binomial(draws, good, failing);
                good -= failed;
                if fate.hung_error > 0.0 {
                    held += failed as f64 * fate.hung_error / failing * fate.hung_secs;
                }
                unheard += self.record(view, world, (m, q, r), &fate, good, failed, draws);
                if good == 0 {
                    break;
                }
            }
            let (here, spread, served) = self.delay_of(view, world, (m, q, r), &fate);
            mean += f64::from(count) * (here + scenario.markets[m].rtt_secs);
            variance += f64::from(count) * spread;
            server = served;
        }
        self.buffers.fate = fate;
        if good > 0 {
            let waited = past.waited_secs;
            self.tallies[server].add_starts(m, good as f64, mean + waited + extra_secs, variance);
        }
        Answers {
            good,
            refused,
            unheard,
            answered,
            held_secs: held / (past.count - good).max(1) as f64,
            healthy,
        }
    }

    /// Settles starts that got through: ambient failures with a chance of `unlucky`, and sessions that
    /// begin.
    pub(super) fn succeed(
        &mut self,
        view: &View,
        (m, k, r): (MarketId, usize, RegionId),
        good: u64,
        unlucky: f64,
        draws: &mut Draws,
    ) {
        if good == 0 {
            return;
        }
        let scenario = view.scenario;
        let ambient = sampling::binomial(draws, good, unlucky);
        let ok = good - ambient;
        self.window[r].starts_ok += ok;
        self.window[r].starts_ambient += ambient;
        self.ledger.starts_ok += ok;
        self.ledger.starts_ambient += ambient;
        let Some(session) = &scenario.session else {
            return;
        };
        self.ledger.sessions_begun += ok;
        let shares: Vec<f64> = session.length.iter().map(|l| l.0).collect();
        let mut begun = std::mem::take(&mut self.buffers.phases);
        sampling::multinomial(draws, ok, &shares, &mut begun);
        for (count, new) in self.sessions.born_mut(m, k, r).iter_mut().zip(&begun) {
            *count += new;
        }
        self.buffers.phases = begun;
    }
}
