//! Where a domain can be written and read from, and how far that is.

use super::Effect;
use super::domain::DomainState;
use super::leader::Leader;
use crate::model::domain::Mode;
use crate::model::scenario::{RegionId, Scenario};
use crate::units::Time;
use crate::world::condition::Condition;

/// Delays that are told apart for one kind of request; more are taken as their mean.
const MOST_DELAYS: usize = 8;

/// Where a request's data are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// The region that answers.
    pub region: RegionId,
    /// Round trip until it has answered, in seconds.
    pub secs: f64,
}

impl DomainState {
    /// Whether one region reaches another.
    fn reaches(&self, condition: &Condition, from: RegionId, to: RegionId) -> bool {
        condition.dark(to).is_none() && (from == to || !condition.cut(from, to))
    }

    /// The nearest replica that a region reaches.
    fn nearest(&self, scenario: &Scenario, condition: &Condition, from: RegionId) -> Option<Reach> {
        let replicas = &scenario.domains[self.domain].store.replicas;
        let reach = |region: RegionId| Reach {
            region,
            secs: scenario.rtt_secs[from][region],
        };
        let reached = |to: &RegionId| self.reaches(condition, from, *to);
        // Its own, even where another is no further.
        if replicas.contains(&from) && reached(&from) {
            return Some(reach(from));
        }
        let others = replicas.iter().copied().filter(reached).map(reach);
        others.min_by(|a, b| a.secs.total_cmp(&b.secs))
    }

    /// The majority of the replicas, as far as its slowest member.
    fn majority(
        &self,
        scenario: &Scenario,
        condition: &Condition,
        from: RegionId,
    ) -> Option<Reach> {
        let replicas = &scenario.domains[self.domain].store.replicas;
        let mut secs: Vec<f64> = replicas
            .iter()
            .filter(|&&to| self.reaches(condition, from, to))
            .map(|&to| scenario.rtt_secs[from][to])
            .collect();
        secs.sort_by(f64::total_cmp);
        let slowest = *secs.get(replicas.len() / 2)?;
        let region = self.nearest(scenario, condition, from)?.region;
        Some(Reach {
            region,
            secs: slowest,
        })
    }

    /// Where a region's writes go; `None`: nobody takes them.
    pub fn writes_to(
        &self,
        scenario: &Scenario,
        condition: &Condition,
        from: RegionId,
    ) -> Option<Reach> {
        match scenario.domains[self.domain].store.mode {
            Mode::Asynchronous => self.nearest(scenario, condition, from),
            Mode::Quorum => self.majority(scenario, condition, from),
            Mode::Primary => match self.leader {
                Leader::Is(region) if self.reaches(condition, from, region) => Some(Reach {
                    region,
                    secs: scenario.rtt_secs[from][region],
                }),
                Leader::Is(_) | Leader::Lost(_) => None,
            },
        }
    }

    /// Where a region's reads go; `None`: nobody answers them.
    pub fn reads_from(
        &self,
        scenario: &Scenario,
        condition: &Condition,
        from: RegionId,
        now: Time,
    ) -> Option<Reach> {
        let store = &scenario.domains[self.domain].store;
        match (store.mode, store.strong_reads) {
            (Mode::Quorum, true) => self.majority(scenario, condition, from),
            (Mode::Primary, true) => match self.leader {
                Leader::Lost(vacancy) if vacancy.reads <= now => {
                    self.nearest(scenario, condition, from)
                }
                Leader::Lost(_) => None,
                Leader::Is(_) => self.writes_to(scenario, condition, from),
            },
            _ => self.nearest(scenario, condition, from),
        }
    }

    /// Whether reads that nobody answers are answered from what was read before.
    pub fn within_grace(&self, scenario: &Scenario, region: RegionId, now: Time) -> bool {
        let grace = scenario.domains[self.domain].grace;
        self.reads_lost[region].is_some_and(|since| now < since + grace)
    }

    /// Adds what requests feel of this domain in a region.
    pub fn affect(
        &self,
        scenario: &Scenario,
        condition: &Condition,
        region: RegionId,
        now: Time,
        effects: &mut [Effect],
    ) {
        let domain = &scenario.domains[self.domain];
        let stand_in = !domain.fallback.is_empty();
        let writing = domain.writes.min(1.0);
        let written = self.writes_to(scenario, condition, region);
        for &q in &domain.written_by {
            match written {
                Some(reach) => effects[q].wait(writing, reach.secs),
                None if stand_in => effects[q].degrade(writing),
                None => effects[q].block(writing),
            }
        }
        let read = self.reads_from(scenario, condition, region, now);
        for &q in &domain.read_by {
            match read {
                Some(reach) => effects[q].wait(1.0, reach.secs),
                None if stand_in || self.within_grace(scenario, region, now) => {
                    effects[q].degrade(1.0);
                }
                None => effects[q].block(1.0),
            }
        }
    }
}

impl Effect {
    fn block(&mut self, share: f64) {
        self.blocked = 1.0 - (1.0 - self.blocked) * (1.0 - share);
    }

    fn degrade(&mut self, share: f64) {
        self.degraded = 1.0 - (1.0 - self.degraded) * (1.0 - share);
    }

    /// A share waits so much longer, independently of what it waits for already.
    fn wait(&mut self, share: f64, secs: f64) {
        if secs <= 0.0 || share <= 0.0 {
            return;
        }
        if self.delays.is_empty() {
            self.delays.push((1.0, 0.0));
        }
        if share >= 1.0 {
            self.delays.iter_mut().for_each(|delay| delay.1 += secs);
            return;
        }
        if 2 * self.delays.len() > MOST_DELAYS {
            let mean = self.mean_delay();
            self.delays = vec![(1.0, mean)];
        }
        let longer: Vec<(f64, f64)> = self
            .delays
            .iter()
            .map(|&(part, delay)| (part * share, delay + secs))
            .collect();
        self.delays
            .iter_mut()
            .for_each(|delay| delay.0 *= 1.0 - share);
        self.delays.extend(longer);
    }

    /// The mean of the delays, in seconds.
    pub fn mean_delay(&self) -> f64 {
        self.delays.iter().map(|(share, secs)| share * secs).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_of_several_domains_compose() {
        let mut effect = Effect::default();
        effect.wait(1.0, 0.0);
        assert_eq!(effect, Effect::default(), "what is near costs nothing");
        effect.wait(1.0, 0.06);
        effect.wait(0.25, 0.1);
        let total: f64 = effect.delays.iter().map(|d| d.0).sum();
        assert!((total - 1.0).abs() < 1e-12);
        assert!((effect.mean_delay() - 0.085).abs() < 1e-12);
        for _ in 0..10 {
            effect.wait(0.5, 0.02);
        }
        assert!(effect.delays.len() <= MOST_DELAYS);
        assert!((effect.mean_delay() - 0.185).abs() < 1e-12);
        effect.block(0.5);
        effect.block(0.5);
        assert!((effect.blocked - 0.75).abs() < 1e-12);
    }
}
