//! Starts that wait for their next attempt, counted: in cells of a grid by when they are due,
//! and within a cell by what they have in common.

use crate::engine::sampling;
use crate::engine::stream::Draws;
use crate::model::scenario::{DeviceClass, RegionId};
use crate::units::{Span, Time};
use std::collections::BTreeMap;

/// Viewers begin to leave after waiting so long.
/// Source: <https://studylib.net/doc/18846583/video-stream-quality-impacts-viewer-behavior>.
pub const PATIENCE_SECS: f64 = 2.0;
/// Of all viewers, so many more leave with each further second. Same source.
pub const LEAVING_PER_SEC: f64 = 0.058;

/// Cells that a wait is spread over at most.
const SPREAD: u64 = 512;

/// Starts with the same past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiters {
    /// The kind of plain request that they are; `None`: they make all that a start makes.
    pub kind: Option<usize>,
    /// Cell of the click: starts of one cell are counted together.
    pub born_cell: u64,
    /// How long they have waited on average when the next attempt is made.
    pub waited_secs: f64,
    /// How long they had waited when it was last settled who has left.
    pub seen_secs: f64,
    /// Attempts made so far.
    pub attempts: u32,
    /// Region that the last attempt was sent to.
    pub entry: RegionId,
    /// Share of the class's demand that pointed to that region then.
    pub share_then: f64,
    /// Whether they keep a connection to it meanwhile.
    pub connected: bool,
    /// How many.
    pub count: u64,
}

/// Starts of one market and device class that wait.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    cells: BTreeMap<u64, Vec<Waiters>>,
    total: u64,
}

impl Waiting {
    /// How many wait.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Takes out those that are due in `[from, to)`; cells are `grid` long.
    pub fn due(
        &mut self,
        (from, to): (Time, Time),
        grid: Span,
        draws: &mut Draws,
        out: &mut Vec<Waiters>,
    ) {
        out.clear();
        while let Some(mut cell) = self.cells.first_entry() {
            let begin = Time(cell.key().saturating_mul(grid.0)).max(from);
            let end = Time((cell.key() + 1).saturating_mul(grid.0));
            if begin >= to {
                break;
            }
            if end <= to {
                let all = cell.remove();
                self.total -= all.iter().map(|w| w.count).sum::<u64>();
                out.extend(all);
                continue;
            }
            // The step ends inside the cell: those due in it are spread evenly over what is left.
            let part = to.since(begin).secs() / end.since(begin).secs();
            for waiters in cell.get_mut() {
                let taken = sampling::binomial(draws, waiters.count, part);
                waiters.count -= taken;
                self.total -= taken;
                if taken > 0 {
                    out.push(Waiters {
                        count: taken,
                        ..*waiters
                    });
                }
            }
            cell.get_mut().retain(|w| w.count > 0);
            break;
        }
    }

    /// Adds starts that are due in a cell.
    pub fn add(&mut self, cell: u64, waiters: Waiters) {
        if waiters.count == 0 {
            return;
        }
        self.total += waiters.count;
        let here = self.cells.entry(cell).or_default();
        let same = here.iter_mut().find(|w| {
            w.kind == waiters.kind
                && w.born_cell == waiters.born_cell
                && w.attempts == waiters.attempts
                && w.entry == waiters.entry
                && w.connected == waiters.connected
        });
        match same {
            Some(known) => {
                let all = (known.count + waiters.count) as f64;
                let part = waiters.count as f64 / all;
                known.share_then += (waiters.share_then - known.share_then) * part;
                known.waited_secs += (waiters.waited_secs - known.waited_secs) * part;
                known.seen_secs += (waiters.seen_secs - known.seen_secs) * part;
                known.count += waiters.count;
            }
            None => here.push(waiters),
        }
    }

    /// Schedules the next attempt of starts that failed somewhere in `[from, to)` (seconds), each
    /// after a wait that is uniform between `wait.0` and `wait.1`.
    pub fn schedule(
        &mut self,
        (from, to): (f64, f64),
        wait: (f64, f64),
        grid: Span,
        earliest_cell: u64,
        waiters: Waiters,
        draws: &mut Draws,
    ) {
        let grid_secs = grid.secs();
        let (begin, end) = (from + wait.0, to + wait.1);
        let first = ((begin / grid_secs) as u64).max(earliest_cell);
        let last = ((end / grid_secs) as u64).max(first);
        let mut left = waiters.count;
        let mut below = 0.0;
        // A long wait is told in coarse cells, so that its spread costs no more than a short one's.
        let stride = (last - first) / SPREAD + 1;
        let mut cell = first;
        while cell <= last {
            let next = cell.saturating_add(stride);
            if left == 0 {
                break;
            }
            let edge = next as f64 * grid_secs;
            let upto = if next > last {
                1.0
            } else {
                sum_of_uniforms((from, to), wait, edge)
            };
            let share = if below < 1.0 {
                ((upto - below) / (1.0 - below)).clamp(0.0, 1.0)
            } else {
                1.0
            };
            let here = if next > last {
                left
            } else {
                sampling::binomial(draws, left, share)
            };
            below = upto;
            left -= here;
            self.add(
                cell,
                Waiters {
                    count: here,
                    ..waiters
                },
            );
            cell = next;
        }
    }
}

/// Chance that a uniform moment in `a` plus a uniform wait in `b` is at most `x`.
fn sum_of_uniforms(a: (f64, f64), b: (f64, f64), x: f64) -> f64 {
    let (long, short) = if a.1 - a.0 >= b.1 - b.0 {
        (a, b)
    } else {
        (b, a)
    };
    let at = x - long.0 - short.0;
    let (width, narrow) = (long.1 - long.0, short.1 - short.0);
    if at <= 0.0 {
        return if width <= 0.0 && narrow <= 0.0 && at == 0.0 {
            1.0
        } else {
            0.0
        };
    }
    if at >= width + narrow {
        return 1.0;
    }
    if narrow <= 0.0 {
        return at / width;
    }
    if at <= narrow {
        at * at / (2.0 * width * narrow)
    } else if at <= width {
        (at - narrow / 2.0) / width
    } else {
        let rest = width + narrow - at;
        1.0 - rest * rest / (2.0 * width * narrow)
    }
}

/// Bounds of the wait before the attempt that follows `attempts` failed ones.
pub fn backoff(class: &DeviceClass, attempts: u32) -> (f64, f64) {
    let base = class.backoff_base.secs()
        * libm::pow(class.backoff_factor, f64::from(attempts.saturating_sub(1)));
    let wait = base.min(class.backoff_cap.secs());
    (
        wait * (1.0 - class.jitter).max(0.0),
        wait * (1.0 + class.jitter),
    )
}

/// Of the viewers who were there after `before` seconds, the share still there after `after`.
pub fn still_there(before: f64, after: f64) -> f64 {
    let then = staying(before);
    if then > 0.0 {
        (staying(after) / then).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// Share of the viewers still there after waiting `secs`.
pub fn staying(secs: f64) -> f64 {
    1.0 - (LEAVING_PER_SEC * (secs - PATIENCE_SECS)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::Stream;

    fn waiters(count: u64) -> Waiters {
        Waiters {
            kind: None,
            born_cell: 0,
            waited_secs: 0.0,
            seen_secs: 0.0,
            attempts: 1,
            entry: 0,
            share_then: 1.0,
            connected: false,
            count,
        }
    }

    #[test]
    fn every_start_comes_back_once_and_spread_over_its_interval() {
        let mut draws = Stream::new(1, 0, "test", "waiting").draws(0, 0);
        let mut waiting = Waiting::default();
        waiting.schedule(
            (0.0, 1.0),
            (0.8, 1.2),
            Span::from_secs(1.0),
            0,
            waiters(1_000_000),
            &mut draws,
        );
        let mut out = Vec::new();
        let mut seen = Vec::new();
        for cell in 0..4_u32 {
            // Half of a cell, then the rest.
            let at = |half: f64| Time::from_secs(f64::from(cell) + half);
            let grid = Span::from_secs(1.0);
            waiting.due((at(0.0), at(0.5)), grid, &mut draws, &mut out);
            let half: u64 = out.iter().map(|w| w.count).sum();
            waiting.due((at(0.5), at(1.0)), grid, &mut draws, &mut out);
            seen.push(half + out.iter().map(|w| w.count).sum::<u64>());
        }
        assert_eq!(seen.iter().sum::<u64>(), 1_000_000);
        assert_eq!(waiting.total(), 0);
        // The sum of U(0,1) and U(0.8,1.2) is symmetric about 1.5 and below 1 with chance 1/20.
        let early = 0.2 * 0.2 / (2.0 * 0.4);
        for (&got, want) in seen.iter().zip([early, 1.0 - 2.0 * early, early, 0.0]) {
            assert!((got as f64 / 1e6 - want).abs() < 1e-3, "{seen:?}");
        }
    }

    #[test]
    fn viewers_leave_after_two_seconds() {
        assert_eq!(staying(2.0), 1.0);
        assert!((staying(3.0) - 0.942).abs() < 1e-12);
        assert_eq!(staying(100.0), 0.0);
    }
}
