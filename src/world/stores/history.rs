//! How many writes a region took, and when: whole numbers per piece of time, whose parts are drawn
//! when they are asked for.
//!
//! Within a piece the writes fall anywhere alike, so its halves share them binomially, and so on down
//! to the nanosecond. The draws are addressed by the middle of what is halved: asking for a later or
//! an earlier moment finds the same writes.

use crate::engine::sampling;
use crate::engine::stream::Stream;
use crate::units::Time;
use std::collections::VecDeque;

/// Most pieces that are remembered; more are joined in pairs, the oldest half of them.
const MOST_PIECES: usize = 512;

/// A piece of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub until: Time,
    /// Writes taken in it.
    pub writes: u64,
    /// Writes that waited to be sent at its beginning.
    pub waiting: u64,
    /// Whether the sender could send in it.
    pub open: bool,
    /// Writes that it could send per second; infinite where nothing limits it.
    pub per_sec: f64,
}

/// The mean pace of neighbouring pieces.
fn mean_pace(pieces: &[Piece]) -> f64 {
    let first = pieces[0].per_sec;
    if pieces.iter().all(|p| p.per_sec == first) {
        return first;
    }
    let secs = |p: &Piece| p.until.since(p.from).secs();
    let sent: f64 = pieces.iter().map(|p| p.per_sec * secs(p)).sum();
    sent / pieces.iter().map(secs).sum::<f64>().max(f64::MIN_POSITIVE)
}

/// Writes of one region in one domain.
#[derive(Clone, Debug)]
pub struct History {
    /// Pieces without gaps, in order of time.
    pub pieces: VecDeque<Piece>,
    luck: Stream,
    total: u64,
}

impl History {
    /// None yet.
    pub fn new(luck: Stream) -> History {
        History {
            pieces: VecDeque::new(),
            luck,
            total: 0,
        }
    }

    /// All writes so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Adds the newest piece.
    pub fn push(&mut self, piece: Piece) {
        self.total += piece.writes;
        self.pieces.push_back(piece);
        if self.pieces.len() > MOST_PIECES {
            self.join_old();
        }
    }

    /// Joins the older half of the pieces in pairs.
    fn join_old(&mut self) {
        let old: Vec<Piece> = self.pieces.drain(..MOST_PIECES / 2).collect();
        for pair in old.rchunks(2) {
            let (first, last) = (pair[0], pair[pair.len() - 1]);
            self.pieces.push_front(Piece {
                from: first.from,
                until: last.until,
                writes: pair.iter().map(|p| p.writes).sum(),
                waiting: first.waiting,
                open: first.open && last.open,
                per_sec: mean_pace(pair),
            });
        }
    }

    /// Number of the piece in which a moment lies; the first if it lies before all.
    pub fn piece_of(&self, at: Time) -> Option<usize> {
        if self.pieces.is_empty() {
            return None;
        }
        let next = self.pieces.partition_point(|piece| piece.from <= at);
        Some(next.saturating_sub(1))
    }

    /// Writes taken after a moment.
    pub fn since(&self, at: Time) -> u64 {
        let Some(first) = self.piece_of(at) else {
            return 0;
        };
        let later: u64 = self.pieces.range(first + 1..).map(|p| p.writes).sum();
        later + self.rest(&self.pieces[first], at)
    }

    /// Writes of a piece taken after a moment.
    pub fn rest(&self, piece: &Piece, at: Time) -> u64 {
        if at <= piece.from {
            return piece.writes;
        }
        let (mut from, mut until) = (piece.from.0, piece.until.0);
        let (mut count, mut after, mut level) = (piece.writes, 0, 0);
        while count > 0 && at.0 < until && until - from > 1 {
            let middle = from + (until - from) / 2;
            let share = (until - middle) as f64 / (until - from) as f64;
            let right = sampling::binomial(&mut self.luck.draws(middle, level), count, share);
            if at.0 >= middle {
                (from, count) = (middle, right);
            } else {
                after += right;
                (until, count) = (middle, count - right);
            }
            level += 1;
        }
        after
    }

    /// About when the `n`-th last of the writes up to the beginning of a piece was taken.
    pub fn nth_last_before(&self, piece: usize, n: u64) -> Time {
        let mut left = n;
        for piece in self.pieces.range(..piece).rev() {
            if piece.writes >= left {
                let back = left as f64 / (piece.writes as f64 + 1.0);
                let length = piece.until.since(piece.from).0 as f64;
                return Time(piece.until.0 - (back * length) as u64);
            }
            left -= piece.writes;
        }
        self.pieces.front().map_or(Time::ZERO, |piece| piece.from)
    }

    /// When the oldest of the `n` newest writes was taken.
    pub fn nth_last(&self, n: u64) -> Time {
        self.nth_last_before(self.pieces.len(), n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(replication: u64, writes: u64) -> History {
        let mut history = History::new(Stream::new(1, replication, "writes", "a/east"));
        for (from, until) in [(0.0, 10.0), (10.0, 20.0)] {
            history.push(Piece {
                from: Time::from_secs(from),
                until: Time::from_secs(until),
                writes,
                waiting: 0,
                open: true,
                per_sec: f64::INFINITY,
            });
        }
        history
    }

    #[test]
    fn an_earlier_moment_has_at_least_as_many_writes_after_it() {
        let history = history(0, 5000);
        let mut last = 0;
        for step in (0..=2000).rev() {
            let since = history.since(Time::from_secs(f64::from(step) / 100.0));
            assert!(since >= last, "{step}");
            last = since;
        }
        assert_eq!(last, 10_000);
        assert_eq!(history.since(Time::from_secs(10.0)), 5000);
        assert_eq!(history.since(Time::from_secs(20.0)), 0);
    }

    #[test]
    fn parts_of_a_piece_are_binomial() {
        let n = 4000;
        let counts: Vec<f64> = (0..n)
            .map(|replication| history(replication, 100).since(Time::from_secs(17.0)) as f64)
            .collect();
        let mean = counts.iter().sum::<f64>() / n as f64;
        let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / n as f64;
        // 100 writes, 3 of 10 seconds: mean 30, variance 21.
        assert!(
            (mean - 30.0).abs() < 4.5 * (21.0f64 / n as f64).sqrt(),
            "{mean}"
        );
        assert!(
            (variance - 21.0).abs() < 4.5 * 21.0 * (2.0 / n as f64).sqrt(),
            "{variance}"
        );
    }

    #[test]
    fn many_pieces_are_joined_without_losing_a_write() {
        let mut history = History::new(Stream::new(1, 0, "writes", "a/east"));
        for i in 0..5000u64 {
            history.push(Piece {
                from: Time(i * 1000),
                until: Time((i + 1) * 1000),
                writes: 3,
                waiting: 0,
                open: true,
                per_sec: f64::INFINITY,
            });
        }
        assert!(history.pieces.len() <= MOST_PIECES);
        assert_eq!(history.since(Time::ZERO), 15_000);
        assert_eq!(history.total(), 15_000);
        let gaps = history.pieces.iter().zip(history.pieces.iter().skip(1));
        assert!(gaps.into_iter().all(|(a, b)| a.until == b.from));
        assert_eq!(history.since(Time(4_990_000)), 30);
    }
}
