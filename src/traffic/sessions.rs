//! Playing sessions, counted: per market, device class, region that they are connected to and phase
//! of their length; and those that do without their region for the moment.

use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::scenario::{MarketId, RegionId};
use std::cmp::Ordering;

/// Sessions that have lost what they need from their region and try to get it back.
#[derive(Clone, Debug)]
pub struct Starved {
    /// Market.
    pub market: MarketId,
    /// Device class.
    pub class: usize,
    /// Region that they are connected to or ask.
    pub region: RegionId,
    /// Since when, in seconds from the beginning.
    pub since_secs: f64,
    /// How many, per phase of their length.
    pub phases: Vec<u64>,
    /// Of these, how many stand still.
    pub stalled: u64,
    /// Whether they wait for an interactive answer (and stand still from the first moment).
    pub waiting: bool,
    /// Whether they lost their connection, and not just an answer.
    pub lost: bool,
}

impl Starved {
    /// Order of groups: by place, kind, and since when.
    fn order(&self, other: &Starved) -> Ordering {
        let key = |g: &Starved| (g.market, g.class, g.region, g.waiting, g.lost);
        key(self)
            .cmp(&key(other))
            .then(self.since_secs.total_cmp(&other.since_secs))
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.phases.iter().sum()
    }

    /// Takes `leaving` of them out, per phase; says how many of those stood still.
    pub fn take(&mut self, leaving: u64, draws: &mut Draws, out: &mut [u64]) -> u64 {
        let all = self.count();
        split(draws, &mut self.phases, leaving, out);
        let still = if leaving == all {
            self.stalled
        } else {
            // Which of them leave does not depend on who stands still.
            hypergeometric(draws, all, self.stalled, leaving)
        };
        self.stalled -= still;
        still
    }
}

/// Counts of playing sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    classes: usize,
    regions: usize,
    phases: usize,
    counts: Vec<u64>,
    /// Begun in this step.
    born: Vec<u64>,
    /// Those that do without their region.
    pub starved: Vec<Starved>,
}

impl Sessions {
    /// Nobody plays.
    pub fn new(markets: usize, classes: usize, regions: usize, phases: usize) -> Sessions {
        Sessions {
            classes,
            regions,
            phases,
            counts: vec![0; markets * classes * regions * phases],
            born: vec![0; markets * classes * regions * phases],
            starved: Vec::new(),
        }
    }

    fn row(&self, market: MarketId, class: usize, region: RegionId) -> usize {
        ((market * self.classes + class) * self.regions + region) * self.phases
    }

    /// Counts per phase.
    pub fn phases(&self, market: MarketId, class: usize, region: RegionId) -> &[u64] {
        let row = self.row(market, class, region);
        &self.counts[row..row + self.phases]
    }

    /// Counts per phase, to be changed.
    pub fn phases_mut(&mut self, market: MarketId, class: usize, region: RegionId) -> &mut [u64] {
        let row = self.row(market, class, region);
        &mut self.counts[row..row + self.phases]
    }

    /// Those that begin in this step, per phase.
    pub fn born_mut(&mut self, market: MarketId, class: usize, region: RegionId) -> &mut [u64] {
        let row = self.row(market, class, region);
        &mut self.born[row..row + self.phases]
    }

    /// Ends a step at a place: of each phase the given share of the old and of the new sessions goes
    /// on. Says how many ended.
    pub fn end_step(
        &mut self,
        (market, class, region): (MarketId, usize, RegionId),
        shares: &[(f64, f64)],
        draws: &mut Draws,
    ) -> u64 {
        let row = self.row(market, class, region);
        let mut ended = 0;
        for (i, &(old, new)) in shares.iter().enumerate() {
            let born = std::mem::take(&mut self.born[row + i]);
            let count = &mut self.counts[row + i];
            let gone = sampling::binomial(draws, *count, 1.0 - old);
            let gone_new = sampling::binomial(draws, born, 1.0 - new);
            *count = *count + born - gone - gone_new;
            ended += gone + gone_new;
        }
        ended
    }

    /// Sessions that have what they need.
    pub fn count(&self, market: MarketId, class: usize, region: RegionId) -> u64 {
        self.phases(market, class, region).iter().sum()
    }

    /// All sessions, starved ones included.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.starved.iter().map(Starved::count).sum::<u64>()
    }

    /// Adds a group, to one with the same past if there is any.
    pub fn add_starved(&mut self, mut group: Starved) {
        if group.waiting {
            // They stand still already: since when does not matter any more.
            group.since_secs = 0.0;
        }
        // Groups are kept in order, so that equal ones are found fast.
        match self.starved.binary_search_by(|known| known.order(&group)) {
            Ok(same) => {
                let known = &mut self.starved[same];
                for (mine, theirs) in known.phases.iter_mut().zip(&group.phases) {
                    *mine += theirs;
                }
                known.stalled += group.stalled;
            }
            Err(place) => self.starved.insert(place, group),
        }
    }

    /// Takes `leaving` sessions out of a place, whatever their phase.
    pub fn take(
        &mut self,
        (market, class, region): (MarketId, usize, RegionId),
        leaving: u64,
        draws: &mut Draws,
        out: &mut [u64],
    ) {
        let row = self.row(market, class, region);
        split(
            draws,
            &mut self.counts[row..row + self.phases],
            leaving,
            out,
        );
    }
}

/// Moves `leaving` members out of groups, each member as likely as any other.
fn split(draws: &mut Draws, groups: &mut [u64], leaving: u64, out: &mut [u64]) {
    let mut all: u64 = groups.iter().sum();
    let mut left = leaving.min(all);
    for (group, taken) in groups.iter_mut().zip(out) {
        *taken = if left == all {
            (*group).min(left)
        } else {
            hypergeometric(draws, all, *group, left)
        };
        all -= *group;
        left -= *taken;
        *group -= *taken;
    }
}

/// Marked members among `drawn` of `all`, of which `marked` are marked.
///
/// Drawn exactly, one by one, while it is cheap; beyond, as a binomial with the same mean that is
/// held within the possible values (its spread matters only next to counts in the thousands).
fn hypergeometric(draws: &mut Draws, all: u64, marked: u64, drawn: u64) -> u64 {
    if marked == 0 || drawn == 0 || all == 0 {
        return 0;
    }
    if marked >= all {
        return drawn.min(all);
    }
    let least = (drawn + marked).saturating_sub(all);
    let most = drawn.min(marked);
    if drawn.min(all - drawn) <= 32 {
        let few = drawn.min(all - drawn);
        let (mut left, mut good, mut found) = (all, marked, 0);
        for _ in 0..few {
            if draws.uniform() * (left as f64) < good as f64 {
                found += 1;
                good -= 1;
            }
            left -= 1;
        }
        // When nearly all leave, the few that stay were drawn.
        return if few == drawn { found } else { marked - found };
    }
    sampling::binomial(draws, drawn, marked as f64 / all as f64).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::Stream;

    #[test]
    fn taking_out_neither_makes_nor_loses_sessions() {
        let mut sessions = Sessions::new(2, 1, 2, 2);
        sessions.phases_mut(1, 0, 1).copy_from_slice(&[1000, 3000]);
        let mut draws = Stream::new(1, 0, "test", "sessions").draws(0, 0);
        let mut out = [0; 2];
        sessions.take((1, 0, 1), 400, &mut draws, &mut out);
        assert_eq!(out[0] + out[1], 400);
        assert_eq!(sessions.count(1, 0, 1), 3600);
        assert!((out[0] as f64 - 100.0).abs() < 60.0, "{out:?}");
        sessions.take((1, 0, 1), 3600, &mut draws, &mut out);
        assert_eq!(sessions.total(), 0);
    }

    #[test]
    fn few_drawn_or_few_left_are_exact() {
        let mut sum = 0;
        for i in 0..4000 {
            let mut draws = Stream::new(2, 0, "test", "urn").draws(i, 0);
            let found = hypergeometric(&mut draws, 10, 4, 7);
            assert!((1..=4).contains(&found));
            sum += found;
        }
        assert!((sum as f64 / 4000.0 - 2.8).abs() < 0.06);
    }
}
