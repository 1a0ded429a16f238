//! How many instances each zone of a region has when its zones have weights.

use crate::model::scenario::Region;

/// Divides a whole number by weights, to within one each: the largest remainders are rounded up.
pub fn apportion(total: u64, weights: &[f64]) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact = |w: &f64| total as f64 * w / sum;
    let mut parts: Vec<u64> = weights.iter().map(|w| exact(w).floor() as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).filter(|&z| weights[z] > 0.0).collect();
    let rest = |z: &usize| exact(&weights[*z]).fract();
    order.sort_by(|a, b| rest(b).total_cmp(&rest(a)));
    let mut left = total.saturating_sub(parts.iter().sum());
    for z in order.into_iter().cycle() {
        if left == 0 {
            break;
        }
        parts[z] += 1;
        left -= 1;
    }
    parts
}

/// Instances per zone that hold so many instances' load, each zone rounded up to at least `least`.
/// Without weights all zones are alike.
pub fn rounded_up(region: &Region, instances: f64, least: f64) -> Vec<u64> {
    let up = |part: f64| (part - 1e-9).ceil().max(least) as u64;
    if region.zone_weights.is_empty() {
        let zones = region.zones.max(1);
        return vec![up(instances / zones as f64); zones];
    }
    let weights = region.zone_weights.iter();
    weights.map(|weight| up(instances * weight)).collect()
}

/// So many instances, spread over zones with weights; empty where they have none.
pub fn by_weight(region: &Region, instances: u64) -> Vec<u64> {
    match region.zone_weights.is_empty() {
        true => Vec::new(),
        false => apportion(instances, &region.zone_weights),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_add_up_and_are_off_by_less_than_one(
            total in 0u64..100_000, weights in prop::collection::vec(0.01..10.0f64, 1..16),
        ) {
            let parts = apportion(total, &weights);
            prop_assert_eq!(parts.iter().sum::<u64>(), total);
            let sum: f64 = weights.iter().sum();
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!((*part as f64 - total as f64 * weight / sum).abs() < 1.0 + 1e-6);
            }
        }
    }

    #[test]
    fn nobody_gets_what_weighs_nothing() {
        assert_eq!(apportion(5, &[0.0, 2.0, 0.0]), [0, 5, 0]);
        assert_eq!(apportion(5, &[0.0]), [0]);
    }
}
