//! What became of each piece of work, as numbers over time and as means over many systems.

use super::judge::{Finding, Noise};

/// How many are in a system, from the moments at which they come and go.
#[derive(Clone, Debug, Default)]
pub struct Path {
    /// From each moment on, so many; in order.
    changes: Vec<(f64, u64)>,
}

impl Path {
    /// Of stays, each from one moment to another.
    pub fn of(stays: impl Iterator<Item = (f64, f64)>) -> Path {
        let mut moves: Vec<(f64, bool)> = Vec::new();
        for (came, left) in stays.filter(|stay| stay.1 > stay.0) {
            moves.push((came, true));
            moves.push((left, false));
        }
        // Who leaves at a moment makes way for who comes.
        moves.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut count = 0_u64;
        let changes = moves.iter().map(|&(at, comes)| {
            count = if comes {
                count + 1
            } else {
                count.saturating_sub(1)
            };
            (at, count)
        });
        Path {
            changes: changes.collect(),
        }
    }

    /// How many there are just after a moment.
    pub fn at(&self, secs: f64) -> u64 {
        let after = self.changes.partition_point(|change| change.0 <= secs);
        match after {
            0 => 0,
            i => self.changes[i - 1].1,
        }
    }

    /// Mean over time of a function of how many there are.
    pub fn mean(&self, (from, until): (f64, f64), of: impl Fn(u64) -> f64) -> f64 {
        let (mut at, mut count, mut sum) = (from, self.at(from), 0.0);
        let first = self.changes.partition_point(|change| change.0 <= from);
        for &(next, then) in self.changes[first..].iter().take_while(|c| c.0 < until) {
            sum += of(count) * (next - at);
            (at, count) = (next, then);
        }
        (sum + of(count) * (until - at)) / (until - from)
    }
}

/// Sums over the customers of one system: how many, and of a quantity and its square.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// How many customers.
    pub count: f64,
    /// Sum of the quantity.
    pub sum: f64,
    /// Sum of its squares.
    pub squares: f64,
}

impl Sums {
    /// Over customers' values.
    pub fn of(values: impl Iterator<Item = f64>) -> Sums {
        values.fold(Sums::default(), |sums, value| Sums {
            count: sums.count + 1.0,
            sum: sums.sum + value,
            squares: sums.squares + value * value,
        })
    }
}

/// Mean over the customers of systems that are independent of each other, with its error.
pub fn mean_of(systems: &[Sums]) -> Finding {
    let all: f64 = systems.iter().map(|s| s.count).sum();
    let mean = systems.iter().map(|s| s.sum).sum::<f64>() / all;
    let off = systems.iter().map(|s| s.sum - mean * s.count);
    estimated(mean, off, all, systems.len())
}

/// Standard deviation over the customers of systems that are independent, with its error.
pub fn spread_of(systems: &[Sums]) -> Finding {
    let all: f64 = systems.iter().map(|s| s.count).sum();
    let mean = systems.iter().map(|s| s.sum).sum::<f64>() / all;
    let square = systems.iter().map(|s| s.squares).sum::<f64>() / all;
    let sd = (square - mean * mean).max(0.0).sqrt();
    // To first order in what each system adds to the mean and to the mean square.
    let off = systems.iter().map(|s| {
        let (first, second) = (s.sum - mean * s.count, s.squares - square * s.count);
        (second - 2.0 * mean * first) / (2.0 * sd)
    });
    estimated(sd, off, all, systems.len())
}

fn estimated(value: f64, off: impl Iterator<Item = f64>, all: f64, systems: usize) -> Finding {
    let n = systems as f64;
    let squares: f64 = off.map(|d| d * d).sum();
    let se = (squares * n / (n - 1.0).max(1.0)).sqrt() / all;
    Finding::of(value, Noise::Estimated(se, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_counts_who_is_there() {
        let path = Path::of([(0.0, 2.0), (1.0, 3.0), (1.5, 1.5), (3.0, 4.0)].into_iter());
        let counts: Vec<u64> = [0.0, 1.0, 2.0, 3.0, 4.0]
            .iter()
            .map(|&t| path.at(t))
            .collect();
        assert_eq!(counts, [1, 2, 1, 1, 0]);
        assert_eq!(path.mean((0.0, 4.0), |n| n as f64), 5.0 / 4.0);
        assert_eq!(path.mean((1.0, 2.0), |n| f64::from(n >= 2)), 1.0);
    }
}
