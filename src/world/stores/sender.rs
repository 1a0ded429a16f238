//! A sender with a limit, its own or that of a link: writes wait in line and are sent one after the
//! other, each taking an exponential time. In equilibrium it is the queue M/M/1.
//!
//! Over a step the number that waits jumps exactly: given so many writes and so many chances to send,
//! their order is arbitrary, and how often the line was found empty follows from the lowest point of
//! such a path (reflection principle). What was under way at one instant is played back write by write.

use crate::engine::sampling;
use crate::engine::stream::{Draws, Stream};
use crate::units::Time;
use crate::world::stores::history::{History, Piece};
use std::collections::VecDeque;

/// Writes and chances to send that are played back one by one at most.
const PLAYED_BACK: f64 = 50_000.0;
/// Pieces that are played back at most.
const PIECES: usize = 64;

/// How many wait after `writes` came and there were `chances` to send, in arbitrary order.
pub fn jump(waiting: u64, writes: u64, chances: u64, u: f64) -> u64 {
    if waiting >= chances {
        return waiting + writes - chances;
    }
    // The largest depth that the path reaches with a chance of `u` or more.
    let ln = |n: u64| libm::lgamma(n as f64 + 1.0);
    let base = ln(writes) + ln(chances);
    let reached = |depth: u64| base - ln(writes + depth) - ln(chances - depth) >= libm::log(u);
    let (mut low, mut high) = (chances.saturating_sub(writes), chances);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if reached(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    waiting + writes + low.saturating_sub(waiting) - chances
}

/// How many wait in equilibrium under a load of `rho`; none where there is no equilibrium.
pub fn equilibrium(draws: &mut Draws, rho: f64) -> u64 {
    if rho <= 0.0 || rho >= 1.0 {
        return 0;
    }
    (libm::log(draws.uniform()) / libm::log(rho)) as u64
}

/// What was not yet sent at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsent {
    /// When the oldest such write was taken; the moment itself where there was none.
    pub oldest: Time,
    /// Their number, with all that were taken later.
    pub writes: u64,
}

/// Plays back what was not yet sent at a moment.
pub fn unsent(history: &History, at: Time, luck: Stream) -> Unsent {
    let Some(last) = history.piece_of(at) else {
        return Unsent {
            oldest: at,
            writes: 0,
        };
    };
    let mut first = last;
    let events = |p: &Piece| p.writes as f64 + p.per_sec * p.until.since(p.from).secs();
    let mut all = events(&history.pieces[last]);
    if all > PLAYED_BACK {
        return at_once(history, last, at, luck);
    }
    while first > 0 && last - first < PIECES {
        all += events(&history.pieces[first - 1]);
        if all > PLAYED_BACK {
            break;
        }
        first -= 1;
    }
    let mut old = history.pieces[first].waiting;
    let mut line: VecDeque<Time> = VecDeque::new();
    let mut later = 0;
    for piece in history.pieces.range(first..=last) {
        let mut draws = luck.draws(piece.from.0, 1);
        let length = piece.until.since(piece.from);
        let chances = match piece.open {
            true => sampling::poisson(&mut draws, piece.per_sec * length.secs()),
            false => 0,
        };
        let mut moment = || Time(piece.from.0 + (draws.uniform() * length.0 as f64) as u64);
        let mut path: Vec<(Time, bool)> = Vec::new();
        path.extend((0..piece.writes).map(|_| (moment(), true)));
        path.extend((0..chances).map(|_| (moment(), false)));
        path.sort_unstable();
        for (when, comes) in path {
            match (when <= at, comes) {
                (true, true) => line.push_back(when),
                (true, false) if old > 0 => old -= 1,
                (true, false) => {
                    line.pop_front();
                }
                (false, true) => later += 1,
                (false, false) => {}
            }
        }
    }
    let newer: u64 = history.pieces.range(last + 1..).map(|p| p.writes).sum();
    Unsent {
        oldest: match (old, line.front()) {
            (0, None) => at,
            (0, Some(&when)) => when,
            (old, _) => history.nth_last_before(first, old),
        },
        writes: old + line.len() as u64 + later + newer,
    }
}

/// The same for rates so high that single writes do not matter: one jump within the piece.
fn at_once(history: &History, piece: usize, at: Time, luck: Stream) -> Unsent {
    let here = &history.pieces[piece];
    let at = at.max(here.from);
    let later = history.rest(here, at);
    let mut draws = luck.draws(here.from.0, 2);
    let chances = match here.open {
        true => sampling::poisson(&mut draws, here.per_sec * at.since(here.from).secs()),
        false => 0,
    };
    let waiting = jump(here.waiting, here.writes - later, chances, draws.uniform());
    let newer: u64 = history.pieces.range(piece + 1..).map(|p| p.writes).sum();
    let writes = waiting + later + newer;
    Unsent {
        oldest: if waiting == 0 {
            at
        } else {
            history.nth_last(writes).min(at)
        },
        writes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number waiting by walking the path step by step.
    fn walk(waiting: u64, writes: u64, chances: u64, draws: &mut Draws) -> u64 {
        let (mut up, mut down, mut now) = (writes, chances, waiting);
        while up + down > 0 {
            if draws.uniform() * ((up + down) as f64) < up as f64 {
                (up, now) = (up - 1, now + 1);
            } else {
                (down, now) = (down - 1, now.saturating_sub(1));
            }
        }
        now
    }

    #[test]
    fn a_jump_has_the_law_of_a_walk() {
        let stream = Stream::new(3, 0, "sender", "test");
        for (case, (waiting, writes, chances)) in [(0, 4, 5), (2, 3, 6), (1, 7, 3), (9, 2, 3)]
            .into_iter()
            .enumerate()
        {
            const N: u64 = 40_000;
            let (mut jumps, mut walks) = (vec![0.0; 20], vec![0.0; 20]);
            for i in 0..N {
                let mut draws = stream.draws(i, case as u32);
                jumps[jump(waiting, writes, chances, draws.uniform()) as usize] += 1.0;
                walks[walk(waiting, writes, chances, &mut draws) as usize] += 1.0;
            }
            for (value, (a, b)) in jumps.iter().zip(&walks).enumerate() {
                let spread = (a + b as &f64 + 1.0f64).sqrt();
                assert!(
                    (a - b).abs() < 4.5 * spread,
                    "case {case}, {value}: {a} {b}"
                );
            }
        }
    }

    #[test]
    fn a_limited_sender_stays_in_equilibrium() {
        // Load 0.8: geometric with mean 4, whatever the steps.
        const N: u64 = 20_000;
        let mut sum = 0.0;
        for i in 0..N {
            let mut draws = Stream::new(3, i, "sender", "equilibrium").draws(0, 0);
            let mut waiting = equilibrium(&mut draws, 0.8);
            for _ in 0..20 {
                let writes = sampling::poisson(&mut draws, 8.0);
                let chances = sampling::poisson(&mut draws, 10.0);
                waiting = jump(waiting, writes, chances, draws.uniform());
            }
            sum += waiting as f64;
        }
        let mean = sum / N as f64;
        assert!(
            (mean - 4.0).abs() < 4.5 * (20.0 / N as f64).sqrt(),
            "{mean}"
        );
    }
}
