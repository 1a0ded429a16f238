//! Whether a hypothesis holds in enough replications.

use crate::stats::Share;
use serde::Serialize;

/// What replications say about a hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds in at least the required share: the lower end of the interval reaches it.
    Pass,
    /// It does not: the upper end stays below.
    Fail,
    /// Too few replications to tell.
    Inconclusive,
}

impl Verdict {
    /// The verdict on a hypothesis that held in `holds` of `n` replications and has to hold in the
    /// share `at_least`, by the Clopper-Pearson interval at 95 %.
    ///
    /// # Panics
    ///
    /// If more hold than there are.
    pub fn of(holds: u64, n: u64, at_least: f64) -> Verdict {
        match Share::of(holds, n) {
            Some(share) if share.lo >= at_least => Verdict::Pass,
            Some(share) if share.hi < at_least => Verdict::Fail,
            // A share of at least 0 needs no replication.
            None if at_least <= 0.0 => Verdict::Pass,
            _ => Verdict::Inconclusive,
        }
    }
}

/// Replications beyond which none can be reckoned with.
const MOST: u64 = 100_000_000;

/// About how many more replications would decide, if the hypothesis went on to hold in the share
/// observed so far: 0 if it is decided, `None` if that share is exactly the required one (or so
/// close that a hundred million replications would not do), or there are no replications to judge by.
///
/// # Panics
///
/// If more hold than there are.
pub fn more_needed(holds: u64, n: u64, at_least: f64) -> Option<u64> {
    if n == 0 {
        return None;
    }
    let decided = |total: u64| {
        // Rounded to the observed share, in integers.
        let held = (u128::from(holds) * u128::from(total) + u128::from(n) / 2) / u128::from(n);
        Verdict::of(held as u64, total, at_least) != Verdict::Inconclusive
    };
    if decided(n) {
        return Some(0);
    }
    // The rounding makes it decide on and off close to the border: any such border will do.
    let (mut too_few, mut enough) = (n, n);
    while !decided(enough) {
        too_few = enough;
        enough = enough.saturating_mul(2);
        if enough > MOST {
            return None;
        }
    }
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if decided(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Some(enough - n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn verdicts_follow_the_interval() {
        // All of 72 hold: the lower end is 0.025^(1/72) = 0.95006.
        assert_eq!(Verdict::of(72, 72, 0.95), Verdict::Pass);
        assert_eq!(Verdict::of(71, 71, 0.95), Verdict::Inconclusive);
        assert_eq!(Verdict::of(0, 1, 0.95), Verdict::Inconclusive);
        assert_eq!(Verdict::of(0, 1, 0.98), Verdict::Fail);
        // 50 of 100: 0.3983 to 0.6017.
        assert_eq!(Verdict::of(50, 100, 0.3983), Verdict::Pass);
        assert_eq!(Verdict::of(50, 100, 0.6017), Verdict::Fail);
        assert_eq!(Verdict::of(50, 100, 0.6016), Verdict::Inconclusive);
        // Nobody can be sure of always.
        assert_eq!(Verdict::of(1000, 1000, 1.0), Verdict::Inconclusive);
        assert_eq!(Verdict::of(999, 1000, 1.0), Verdict::Fail);
        assert_eq!(Verdict::of(0, 0, 0.95), Verdict::Inconclusive);
        assert_eq!(serde_json::to_string(&Verdict::Pass).unwrap(), r#""pass""#);
    }

    #[test]
    fn more_replications_would_decide() {
        assert_eq!(more_needed(20, 20, 0.95), Some(52));
        assert_eq!(more_needed(72, 72, 0.95), Some(0));
        assert_eq!(more_needed(1, 2, 0.5), None);
        assert_eq!(more_needed(0, 0, 0.5), None);
        assert_eq!(more_needed(10, 10, 1.0), None);
    }

    proptest! {
        #[test]
        fn so_many_more_are_enough(n in 1u64..200, part in 0.0f64..=1.0, at_least in 0.01f64..0.99) {
            let holds = (part * n as f64) as u64;
            if let Some(more) = more_needed(holds, n, at_least) {
                let total = n + more;
                let share = holds as f64 / n as f64;
                let held = (share * total as f64 + 0.5 + 1e-9).floor() as u64;
                prop_assert_ne!(Verdict::of(held.min(total), total, at_least), Verdict::Inconclusive);
            }
        }
    }
}
