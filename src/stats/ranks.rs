//! Wilcoxon's signed-rank test of paired differences.

use serde::Serialize;

/// Differences up to which the law of the sum is counted out rather than taken for normal.
const COUNTED: usize = 50;

/// Wilcoxon's test: whether differences lie evenly around zero. It sees more than the sign test where
/// they do so symmetrically, which differences of times without an end do not.
///
/// Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945),
/// <https://doi.org/10.2307/3001968>.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SignedRanks {
    /// The smaller of the sums of ranks above and below zero.
    pub w: f64,
    /// How probable so small a sum or a smaller one would be, if each difference had either sign with
    /// the same probability.
    pub p: f64,
}

impl SignedRanks {
    /// Of finite differences; those of zero say nothing, and equal ones share their ranks.
    pub fn of(differences: &[f64]) -> SignedRanks {
        let mut sizes: Vec<(f64, bool)> = differences
            .iter()
            .filter(|&&difference| difference != 0.0)
            .map(|&difference| (difference.abs(), difference > 0.0))
            .collect();
        sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Twice the rank, so that shared ones are whole.
        let mut doubled: Vec<(usize, bool)> = Vec::with_capacity(sizes.len());
        for equal in sizes.chunk_by(|a, b| a.0 == b.0) {
            let before = doubled.len();
            let rank = 2 * before + equal.len() + 1;
            doubled.extend(equal.iter().map(|&(_, above)| (rank, above)));
        }
        let all: usize = doubled.iter().map(|(rank, _)| rank).sum();
        let above: usize = doubled
            .iter()
            .filter(|(_, above)| *above)
            .map(|(rank, _)| rank)
            .sum();
        let w = above.min(all - above);
        let ranks: Vec<usize> = doubled.into_iter().map(|(rank, _)| rank).collect();
        let p = match ranks.len() {
            0 => 1.0,
            n if n <= COUNTED => (2.0 * counted(&ranks, w)).min(1.0),
            _ => {
                let squares: f64 = ranks.iter().map(|&rank| (rank * rank) as f64).sum();
                let z = (0.5 * all as f64 - w as f64) / (0.25 * squares).sqrt();
                libm::erfc(z / std::f64::consts::SQRT_2)
            }
        };
        SignedRanks {
            w: 0.5 * w as f64,
            p,
        }
    }
}

/// The chance that the ranks of those above zero sum up to at most `w`.
fn counted(ranks: &[usize], w: usize) -> f64 {
    let mut chance = vec![0.0; w + 1];
    chance[0] = 1.0;
    for &rank in ranks {
        for sum in (0..=w).rev() {
            let other = sum.checked_sub(rank).map_or(0.0, |sum| chance[sum]);
            chance[sum] = 0.5 * (chance[sum] + other);
        }
    }
    chance.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_differences_are_counted_out() {
        // All above zero: 2 / 2^5.
        let found = SignedRanks::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!((found.w, found.p), (0.0, 0.0625));
        // Of the sums of {1, 2, 3} two of eight are at most 1.
        let found = SignedRanks::of(&[-1.0, 2.0, 3.0, 0.0]);
        assert_eq!((found.w, found.p), (1.0, 0.5));
        // Two equal sizes share the ranks 1 and 2.
        let found = SignedRanks::of(&[-1.0, 1.0, 3.0]);
        assert_eq!((found.w, found.p), (1.5, 0.75));
        assert_eq!(SignedRanks::of(&[0.0]), SignedRanks { w: 0.0, p: 1.0 });
    }

    #[test]
    fn many_are_nearly_as_if_counted_out() {
        let differences: Vec<f64> = (1..=60)
            .map(|i| {
                if i % 3 == 0 {
                    f64::from(-i)
                } else {
                    f64::from(i)
                }
            })
            .collect();
        let ranks: Vec<usize> = (1..=60).map(|i| 2 * i).collect();
        let found = SignedRanks::of(&differences);
        let exact = 2.0 * counted(&ranks, (2.0 * found.w) as usize);
        assert!((found.p - exact).abs() < 0.05 * exact, "{found:?}, {exact}");
    }
}
