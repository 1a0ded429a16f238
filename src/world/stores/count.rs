//! A step of a domain: what was asked for, what was answered and how old it was, and what has to be
//! sent.

use super::domain::DomainState;
use super::history::Piece;
use super::sender;
use super::{Asked, Note};
use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::domain::Mode;
use crate::model::scenario::{RegionId, Scenario};
use crate::units::{Time, human_secs};
use crate::world::condition::Condition;

impl DomainState {
    /// Senders with a limit begin in equilibrium; `per_sec` is the expected rate of each kind of
    /// request in each region at the beginning, `[region][request]`.
    pub fn begin(&mut self, scenario: &Scenario, per_sec: &[f64]) {
        if !self.limited {
            return;
        }
        let domain = &scenario.domains[self.domain];
        let (regions, requests) = (scenario.regions.len(), scenario.requests.len());
        let all: f64 = per_sec.iter().sum();
        let mut expected = vec![0.0; regions];
        for (r, rates) in per_sec.chunks(requests.max(1)).enumerate() {
            let Some(reach) = self.writes_to(scenario, &Condition::default(), r) else {
                continue;
            };
            let own: f64 = domain.written_by.iter().map(|&q| rates[q]).sum();
            let share = if all > 0.0 {
                rates.iter().sum::<f64>() / all
            } else {
                1.0 / regions as f64
            };
            expected[reach.region] += own * domain.writes + domain.write_rate * share;
        }
        for (sender, rate) in self.regions.iter_mut().zip(expected) {
            let mut draws = sender.luck.draws(0, 4);
            sender.waiting = sender::equilibrium(&mut draws, rate / sender.per_sec);
        }
    }

    /// Counts a step; `asked` is `[region][request]`.
    pub fn step(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        (from, to): (Time, Time),
        asked: &[Asked],
        notes: &mut Vec<Note>,
    ) {
        let domain = &scenario.domains[self.domain];
        let (regions, requests) = (scenario.regions.len(), scenario.requests.len());
        let mut draws = self.luck.draws(from.0, 1);
        let secs = to.since(from).secs();
        let mut weights = vec![0.0; regions];
        for (r, weight) in weights.iter_mut().enumerate() {
            let here = &asked[r * requests..(r + 1) * requests];
            if condition.dark(r).is_none() {
                *weight = here.iter().map(|a| a.answered as f64).sum();
            }
        }
        let more_writes = spread(&mut draws, domain.write_rate * secs, &weights, condition);
        let more_reads = spread(&mut draws, domain.read_rate * secs, &weights, condition);
        let middle = Time(from.0 + (to.0 - from.0) / 2);
        let mut taken = vec![0; regions];
        let stand_in = !domain.fallback.is_empty();
        for r in 0..regions {
            let sum = |kinds: &[usize]| {
                let of = kinds.iter().map(|&q| asked[r * requests + q]);
                of.fold((0, 0), |all, a| (all.0 + a.answered, all.1 + a.failed))
            };
            let (good, bad) = sum(&domain.written_by);
            let good = times(&mut draws, good, domain.writes);
            let bad = times(&mut draws, bad, domain.writes);
            let living = condition.dark(r).is_none();
            let written = self.writes_to(scenario, condition, r).filter(|_| living);
            let answered = written.is_some() || stand_in && living;
            self.window[r].writes += good + bad + more_writes[r];
            self.window[r].writes_answered += good + if answered { more_writes[r] } else { 0 };
            if let Some(reach) = written {
                taken[reach.region] += good + more_writes[r];
            }
            let (good, bad) = sum(&domain.read_by);
            let read = self
                .reads_from(scenario, condition, r, from)
                .filter(|_| living);
            let cached = living && self.within_grace(scenario, r, from);
            let answered = read.is_some() || stand_in && living || cached;
            let good = good + if answered { more_reads[r] } else { 0 };
            self.window[r].reads += good + bad + if answered { 0 } else { more_reads[r] };
            self.window[r].reads_answered += good;
            if good == 0 {
                continue;
            }
            let age = match (read, self.reads_lost[r]) {
                (Some(reach), _) => self.age_secs(scenario, reach.region, middle),
                (None, Some(since)) if cached => middle.since(since).secs(),
                _ => continue,
            };
            self.window[r].aged_reads += good;
            self.window[r].age_secs += good as f64 * age;
        }
        self.take(scenario, (from, to), &taken);
        self.watch(scenario, condition, to, notes);
    }

    /// Adds what regions took to what they have to send.
    fn take(&mut self, scenario: &Scenario, (from, to): (Time, Time), taken: &[u64]) {
        let store = &scenario.domains[self.domain].store;
        let secs = to.since(from).secs();
        if store.bytes > 0.0 {
            let holds = |r: RegionId| usize::from(store.replicas.contains(&r));
            let copies = taken.iter().enumerate();
            self.moved_bytes += copies
                .map(|(r, &writes)| (writes as f64) * (store.replicas.len() - holds(r)) as f64)
                .sum::<f64>()
                * store.bytes;
        }
        for (sender, &writes) in self.regions.iter_mut().zip(taken) {
            sender.history.push(Piece {
                from,
                until: to,
                writes,
                waiting: sender.waiting,
                open: sender.open,
                per_sec: sender.per_sec,
            });
            if self.limited {
                let mut draws = sender.luck.draws(from.0, 5);
                let chances = match sender.open {
                    true => sampling::poisson(&mut draws, sender.per_sec * secs),
                    false => 0,
                };
                sender.waiting = sender::jump(sender.waiting, writes, chances, draws.uniform());
            }
        }
    }

    /// Mean age of the data in a replica: a share of it comes from each region that takes writes.
    fn age_secs(&self, scenario: &Scenario, replica: RegionId, at: Time) -> f64 {
        let store = &scenario.domains[self.domain].store;
        if store.strong_reads {
            return 0.0;
        }
        let (mut sum, mut writes) = (0.0, 0.0);
        for (s, sender) in self.regions.iter().enumerate() {
            let last = sender.history.pieces.back();
            let weight = last.map_or(0.0, |piece| piece.writes as f64);
            if weight > 0.0 {
                writes += weight;
                if s != replica {
                    sum += weight * self.behind_secs(scenario, s, replica, at);
                }
            }
        }
        if writes > 0.0 { sum / writes } else { 0.0 }
    }

    /// Notes how much a loss would take with it, and warns when that is more than the target.
    fn watch(
        &mut self,
        scenario: &Scenario,
        condition: &Condition,
        now: Time,
        notes: &mut Vec<Note>,
    ) {
        let domain = &scenario.domains[self.domain];
        if domain.store.mode == Mode::Quorum {
            return;
        }
        for s in 0..self.regions.len() {
            if condition.dark(s).is_some() || self.regions[s].history.total() == 0 {
                continue;
            }
            if domain.store.mode == Mode::Primary && self.leader != super::leader::Leader::Is(s) {
                continue;
            }
            let receivers = domain.store.replicas.iter().copied();
            let behind = receivers
                .filter(|&r| r != s && condition.dark(r).is_none())
                .map(|r| self.behind_secs(scenario, s, r, now))
                .reduce(f64::min);
            let Some(behind) = behind else {
                continue;
            };
            self.found.exposure_secs = self.found.exposure_secs.max(behind);
            let Some(target) = domain.rpo else {
                continue;
            };
            let over = behind > target.secs();
            if over == self.regions[s].alarmed {
                continue;
            }
            self.regions[s].alarmed = over;
            let name = &scenario.regions[s].name;
            let (what, cause) = if over {
                (
                    format!(
                        "replication from {name} is behind by {}",
                        human_secs(behind)
                    ),
                    format!("alarm: its loss would take more than the target of {target}"),
                )
            } else {
                let what = format!("replication from {name} has caught up");
                (what, format!("behind by {}", human_secs(behind)))
            };
            self.note(notes, what, cause);
        }
    }
}

/// A Poisson count spread by weights; equally over living regions where all weights are zero.
fn spread(draws: &mut Draws, mean: f64, weights: &[f64], condition: &Condition) -> Vec<u64> {
    let mut counts = vec![0; weights.len()];
    if mean <= 0.0 {
        return counts;
    }
    let count = sampling::poisson(draws, mean);
    let alive = |r: usize| f64::from(u8::from(condition.dark(r).is_none()));
    let alike: Vec<f64> = (0..weights.len()).map(alive).collect();
    let mut shares: Vec<f64> = match weights.iter().sum::<f64>() {
        total if total > 0.0 => weights.to_vec(),
        _ => alike,
    };
    let total: f64 = shares.iter().sum();
    if total <= 0.0 {
        // Nobody is left to ask: the first region stands for all.
        counts[0] = count;
        return counts;
    }
    shares.iter_mut().for_each(|share| *share /= total);
    sampling::multinomial(draws, count, &shares, &mut counts);
    counts
}

/// So many times a mean that need not be whole: each makes the whole part, and some one more.
fn times(draws: &mut Draws, count: u64, mean: f64) -> u64 {
    let whole = mean.floor();
    let more = match mean - whole {
        rest if rest > 0.0 => sampling::binomial(draws, count, rest),
        _ => 0,
    };
    count * whole as u64 + more
}
