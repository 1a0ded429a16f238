//! How evacuated traffic is split over the regions that take it.

use crate::model::policy::Spread;
use crate::model::scenario::RegionId;
use crate::model::telemetry::{MarketTelemetry, RegionTelemetry};

/// Share per region of a market's evacuated traffic; they sum to one and are zero outside
/// `targets`, which must not be empty.
///
/// `Spread::Spare` is in proportion to the spare capacity in service, and to dark capacity too where
/// that is `called`; without any spare, in proportion to capacity; without that, all to the market's
/// nearest. `Spread::Fixed` weights of regions that are not targets fall away.
pub fn shares(
    spread: &Spread,
    regions: &[RegionTelemetry],
    market: &MarketTelemetry,
    targets: &[RegionId],
    called: bool,
) -> Vec<f64> {
    let capacity = |r: RegionId| {
        let dark = if called {
            amount(regions[r].dark_capacity)
        } else {
            0.0
        };
        amount(regions[r].capacity) + dark
    };
    let spare = |r: RegionId| amount(capacity(r) - amount(regions[r].load));
    let proportional = |weight: &dyn Fn(RegionId) -> f64| {
        let weights: Vec<f64> = (0..regions.len())
            .map(|r| if targets.contains(&r) { weight(r) } else { 0.0 })
            .collect();
        normalized(weights)
    };
    let by_capacity = || proportional(&spare).or_else(|| proportional(&capacity));
    match spread {
        Spread::Spare => by_capacity(),
        Spread::Nearest => None,
        Spread::Fixed(weights) => proportional(&|r| {
            let own = weights.iter().filter(|(region, _)| *region == r);
            own.map(|(_, weight)| amount(*weight)).sum()
        })
        .or_else(by_capacity),
    }
    .unwrap_or_else(|| nearest(regions.len(), market, targets))
}

/// Weights divided by their sum; `None` when there is nothing to divide by.
pub fn normalized(mut weights: Vec<f64>) -> Option<Vec<f64>> {
    // Dividing by the largest first keeps the sum finite.
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 {
        return None;
    }
    weights.iter_mut().for_each(|weight| *weight /= largest);
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    Some(weights)
}

/// A quantity that may be unknown or nonsense: zero then, and never so large that a sum of several
/// is infinite.
pub fn amount(value: f64) -> f64 {
    if value.is_finite() {
        value.clamp(0.0, 1e300)
    } else {
        0.0
    }
}

fn nearest(regions: usize, market: &MarketTelemetry, targets: &[RegionId]) -> Vec<f64> {
    let chosen = market
        .near
        .iter()
        .find(|region| targets.contains(region))
        .unwrap_or(&targets[0]);
    (0..regions)
        .map(|r| if r == *chosen { 1.0 } else { 0.0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Time;

    fn region(capacity: f64, dark_capacity: f64, load: f64) -> RegionTelemetry {
        RegionTelemetry {
            dead: Some(false),
            dead_since: Time::ZERO,
            capacity,
            dark_capacity,
            load,
            routes_current: 1.0,
            warmed: 1.0,
            ..RegionTelemetry::default()
        }
    }

    fn market(near: &[RegionId]) -> MarketTelemetry {
        MarketTelemetry {
            near: near.to_vec(),
            load: 0.0,
            dns: vec![1.0, 0.0, 0.0],
            market: 0,
            ..MarketTelemetry::default()
        }
    }

    #[test]
    fn by_spare_capacity() {
        let regions = [
            region(0.0, 0.0, 0.0),
            region(150.0, 0.0, 100.0),
            region(150.0, 100.0, 0.0),
        ];
        let split = |called| {
            shares(
                &Spread::Spare,
                &regions,
                &market(&[0, 1, 2]),
                &[1, 2],
                called,
            )
        };
        assert_eq!(split(false), [0.0, 0.25, 0.75]);
        // Dark capacity that is called counts: 50 to 250.
        let with_dark = split(true);
        assert!((with_dark[1] - 1.0 / 6.0).abs() < 1e-12, "{with_dark:?}");
    }

    #[test]
    fn without_spare_by_capacity_and_without_capacity_the_nearest() {
        let full = [
            region(0.0, 0.0, 0.0),
            region(100.0, 0.0, 120.0),
            region(300.0, 0.0, 300.0),
        ];
        let near = market(&[0, 2, 1]);
        assert_eq!(
            shares(&Spread::Spare, &full, &near, &[1, 2], false),
            [0.0, 0.25, 0.75]
        );
        let unknown = [
            region(f64::NAN, 0.0, 0.0),
            region(f64::NAN, 0.0, 0.0),
            region(0.0, 0.0, 1.0),
        ];
        assert_eq!(
            shares(&Spread::Spare, &unknown, &near, &[1, 2], false),
            [0.0, 0.0, 1.0]
        );
    }

    #[test]
    fn nearest_and_fixed() {
        let regions = vec![region(10.0, 0.0, 0.0); 3];
        let near = market(&[0, 2, 1]);
        assert_eq!(
            shares(&Spread::Nearest, &regions, &near, &[1, 2], false),
            [0.0, 0.0, 1.0]
        );
        let fixed = Spread::Fixed(vec![(0, 5.0), (1, 3.0), (2, 1.0)]);
        assert_eq!(
            shares(&fixed, &regions, &near, &[1, 2], false),
            [0.0, 0.75, 0.25]
        );
        // No fixed weight is left: by spare capacity.
        let gone = Spread::Fixed(vec![(0, 1.0)]);
        assert_eq!(
            shares(&gone, &regions, &near, &[1, 2], false),
            [0.0, 0.5, 0.5]
        );
    }
}
