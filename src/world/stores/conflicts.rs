//! Conflicts: keys that both sides wrote while neither heard of the other.
//!
//! A mean field: each write of either side is to a key of its own choice, by the keys' popularity, so a
//! key with a share `p` is written on both sides with the chance `(1 - exp(-n p)) (1 - exp(-m p))` when
//! the sides made `n` and `m` writes.

/// Keys are taken together where their numbers differ by less than a part in so many.
const FINE: f64 = 16.0;

/// Expected number of keys that `here` and `there` writes have in common.
pub fn expected(here: f64, there: f64, keys: f64, zipf: f64) -> f64 {
    if here <= 0.0 || there <= 0.0 {
        return 0.0;
    }
    let both = |p: f64| libm::expm1(-here * p) * libm::expm1(-there * p);
    if zipf <= 0.0 {
        return keys * both(1.0 / keys);
    }
    let mut groups = Vec::new();
    let mut first = 1.0;
    while first <= keys {
        let last = (first + (first / FINE).floor()).min(keys.floor());
        let count = last - first + 1.0;
        let weight = libm::pow(0.5 * (first + last), -zipf);
        groups.push((count, weight));
        first = last + 1.0;
    }
    let total: f64 = groups.iter().map(|(count, weight)| count * weight).sum();
    let part = |(count, weight): &(f64, f64)| count * both(weight / total);
    groups.iter().map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_writes_to_many_keys_meet_as_pairs_do() {
        // 100 times 200 pairs, each the same key with a chance of one in a million.
        let conflicts = expected(100.0, 200.0, 1e6, 0.0);
        assert!((conflicts / 0.02 - 1.0).abs() < 1e-3, "{conflicts}");
        assert_eq!(expected(0.0, 200.0, 1e6, 0.0), 0.0);
        // With one key there is one conflict at most.
        assert!((expected(50.0, 50.0, 1.0, 0.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn popular_keys_meet_more_often_and_groups_change_little() {
        let uniform = expected(1e3, 1e3, 1e4, 0.0);
        let zipf = expected(1e3, 1e3, 1e4, 0.9);
        assert!(zipf > 1.5 * uniform, "{zipf} {uniform}");
        let weights: Vec<f64> = (1..=10_000)
            .map(|k| libm::pow(f64::from(k), -0.9))
            .collect();
        let total: f64 = weights.iter().sum();
        let exact: f64 = weights
            .iter()
            .map(|w| libm::expm1(-1e3 * w / total) * libm::expm1(-1e3 * w / total))
            .sum();
        assert!((zipf / exact - 1.0).abs() < 2e-3, "{zipf} {exact}");
    }
}
