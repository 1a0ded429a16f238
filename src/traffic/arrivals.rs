//! How many starts arrive: Poisson counts on a fixed grid, split exactly when a step is shorter, so
//! that every policy faces the same arrivals whatever its steps.

use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::units::{Span, Time};
use crate::world::demand::Demand;

/// Arrivals of one market.
#[derive(Clone, Debug)]
pub struct Arrivals {
    stream: Stream,
    block: Option<u64>,
    left: u64,
}

/// Where draws of a step are addressed: its cell of the step grid and the cut within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Cell of the step grid.
    pub cell: u64,
    /// How many steps began in the cell before.
    pub cut: u32,
}

impl Arrivals {
    /// Arrivals of the market of that name.
    pub fn new(seed: u64, replication: u64, market: &str) -> Arrivals {
        Arrivals {
            stream: Stream::new(seed, replication, "arrivals", market),
            block: None,
            left: 0,
        }
    }

    /// Arrivals in `[from, to)`, which lies in one block of length `grid`.
    pub fn take(
        &mut self,
        demand: &Demand,
        factor: f64,
        (from, to): (Time, Time),
        grid: Span,
        at: Address,
    ) -> u64 {
        let block = from.0 / grid.0;
        let end = Time((block + 1).saturating_mul(grid.0));
        assert!(to <= end, "a step crosses the grid of the arrivals");
        if self.block != Some(block) {
            assert!(self.left == 0, "arrivals of a block were left behind");
            self.block = Some(block);
            // The part of the block before `from` (only at the very beginning) has no arrivals.
            let mean = factor * demand.expected(from.secs(), end.secs());
            self.left = sampling::poisson(&mut self.stream.draws(block, 0), mean);
        }
        if to == end {
            return std::mem::take(&mut self.left);
        }
        let (here, rest) = (
            demand.expected(from.secs(), to.secs()),
            demand.expected(from.secs(), end.secs()),
        );
        let part = if rest > 0.0 {
            (here / rest).min(1.0)
        } else {
            0.0
        };
        let mut draws = self.stream.draws(at.cell, at.cut + 1);
        let taken = sampling::binomial(&mut draws, self.left, part);
        self.left -= taken;
        taken
    }
}
