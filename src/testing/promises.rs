//! What every policy promises, whatever it is told and remembers.

use crate::model::action::Action;
use crate::model::policy::{Decision, Knobs, Memory, Phase, Policy};
use crate::model::telemetry::Telemetry;

/// Most actions of a decision that are about a region alone.
const MOST_OF_A_REGION: usize = 12;
/// Most services whose instances it orders.
const MOST_SERVICES: usize = 8;

/// A promise of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// The same telemetry and memory give the same decision.
    IsPure,
    /// It asks to be woken later than now.
    WakesLater,
    /// The number of its actions is bounded by the numbers of regions and services.
    OrdersFewThings,
    /// Where nothing is known of any region, nothing is ordered.
    OrdersNothingBlindly,
    /// Routes and weights are shares: none below zero, their sum is one, one for each region.
    GivesShares,
    /// Routes are moved only if the knobs say that edges move traffic, names only if DNS does.
    MovesAsToldByItsKnobs,
    /// No traffic is sent to a region that is believed dead while it may go elsewhere.
    SendsNothingToTheDead,
    /// No market is sent to a region that may not serve it.
    SendsMarketsWhereTheyMayGo,
    /// Capacity is ordered of regions that are believed alive.
    OrdersOfTheLiving,
    /// What it orders is about regions that there are.
    KnowsItsRegions,
}

/// Panics with the promise that a policy breaks, if it does.
///
/// # Panics
///
/// If a promise is broken.
pub fn assert_promises(policy: &dyn Policy, knobs: &Knobs, known: &Telemetry, memory: &Memory) {
    if let Some((promise, how)) = broken_promise(policy, knobs, known, memory) {
        panic!("{} breaks {promise:?}: {how}", policy.name());
    }
}

/// The first promise that a policy breaks, and how.
pub fn broken_promise(
    policy: &dyn Policy,
    knobs: &Knobs,
    known: &Telemetry,
    memory: &Memory,
) -> Option<(Promise, String)> {
    let decision = policy.decide(knobs, known, memory);
    let again = policy.decide(knobs, known, memory);
    // Telemetry may hold what is no number, so equality is of what is printed.
    if format!("{decision:?}") != format!("{again:?}") {
        return Some((Promise::IsPure, format!("{decision:?}, then {again:?}")));
    }
    let whole = of_the_whole(known, &decision).map(|promise| (promise, format!("{decision:?}")));
    whole.or_else(|| {
        let mut actions = decision.actions.iter();
        actions.find_map(|action| {
            let broken = of_an_action(knobs, known, action)?;
            Some((broken, format!("{action:?}")))
        })
    })
}

fn of_the_whole(known: &Telemetry, decision: &Decision) -> Option<Promise> {
    let regions = known.regions.len();
    let markets = known.markets.len();
    let most =
        regions * (MOST_OF_A_REGION + 2 * markets + 2 * regions + (regions + 1) * MOST_SERVICES);
    let blind = known.regions.iter().all(|region| region.dead.is_none());
    if decision.wake.is_some_and(|wake| wake <= known.now) {
        Some(Promise::WakesLater)
    } else if decision.actions.len() > most {
        Some(Promise::OrdersFewThings)
    } else if blind && !decision.actions.is_empty() {
        Some(Promise::OrdersNothingBlindly)
    } else {
        None
    }
}

fn of_an_action(knobs: &Knobs, known: &Telemetry, action: &Action) -> Option<Promise> {
    let regions = known.regions.len();
    let about = match action {
        Action::SetRoutes { from, .. } => *from,
        Action::SetDns { .. } => 0,
        Action::ActivateDark { region }
        | Action::ReleaseDark { region }
        | Action::Scale { region, .. }
        | Action::FreezeScaleIn { region, .. }
        | Action::Prewarm { region, .. }
        | Action::Isolate { region, .. }
        | Action::EnterPhase { region, .. } => *region,
    };
    if about >= regions {
        return Some(Promise::KnowsItsRegions);
    }
    let dead = |r: usize| known.regions[r].dead == Some(true);
    match action {
        Action::SetRoutes { from, shares } => of_routes(knobs, known, *from, shares),
        Action::SetDns { .. } if !knobs.route_by_dns => Some(Promise::MovesAsToldByItsKnobs),
        Action::SetDns { weights, .. } if !are_shares(weights, regions) => {
            Some(Promise::GivesShares)
        }
        Action::SetDns { weights, .. } => (0..regions)
            .any(|r| weights[r] > 0.0 && dead(r))
            .then_some(Promise::SendsNothingToTheDead),
        // Nothing goes back to what may be dead.
        Action::EnterPhase { phase, .. } if *phase != Phase::GradualReturn => None,
        Action::Isolate { .. } => None,
        _ => (known.regions[about].dead != Some(false)).then_some(Promise::OrdersOfTheLiving),
    }
}

fn of_routes(
    knobs: &Knobs,
    known: &Telemetry,
    from: usize,
    shares: &[Vec<f64>],
) -> Option<Promise> {
    let regions = known.regions.len();
    if !knobs.route_by_edge {
        return Some(Promise::MovesAsToldByItsKnobs);
    }
    let right = |shares: &Vec<f64>| are_shares(shares, regions);
    if shares.len() != known.markets.len() || !shares.iter().all(right) {
        return Some(Promise::GivesShares);
    }
    let calm = |r: usize| {
        let region = &known.regions[r];
        let drill = known.announced.iter().any(|drill| drill.region == r);
        region.dead == Some(false) && !region.failing && !drill
    };
    for (shares, market) in shares.iter().zip(&known.markets) {
        let elsewhere = (0..regions).any(|r| r != from && market.may[r] && calm(r));
        for r in (0..regions).filter(|&r| shares[r] > 0.0) {
            // What waits for capacity, or may go nowhere else, stays where it is.
            let stays = r == from && (knobs.prescale_first || !elsewhere);
            if known.regions[r].dead == Some(true) && !stays {
                return Some(Promise::SendsNothingToTheDead);
            }
            if r != from && !market.may[r] {
                return Some(Promise::SendsMarketsWhereTheyMayGo);
            }
        }
    }
    None
}

fn are_shares(shares: &[f64], regions: usize) -> bool {
    let sum: f64 = shares.iter().sum();
    shares.len() == regions && shares.iter().all(|s| *s >= 0.0) && (sum - 1.0).abs() < 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::telemetry::{MarketTelemetry, RegionTelemetry};
    use crate::units::Time;

    /// Two regions, the second dead; a market that may be served in the first alone.
    fn known() -> Telemetry {
        let market = MarketTelemetry {
            may: vec![true, false],
            ..MarketTelemetry::default()
        };
        Telemetry {
            now: Time::from_secs(10.0),
            regions: [false, true]
                .map(|dead| RegionTelemetry {
                    dead: Some(dead),
                    ..RegionTelemetry::default()
                })
                .to_vec(),
            markets: vec![market],
            announced: Vec::new(),
            undone: Vec::new(),
        }
    }

    struct Orders(Action, Option<Time>);

    impl Policy for Orders {
        fn name(&self) -> &'static str {
            "orders"
        }
        fn summary(&self) -> &'static str {
            "orders one thing"
        }
        fn knobs(&self) -> Knobs {
            Knobs {
                route_by_edge: true,
                ..Knobs::default()
            }
        }
        fn decide(&self, _: &Knobs, _: &Telemetry, memory: &Memory) -> Decision {
            Decision {
                actions: vec![self.0.clone()],
                memory: memory.clone(),
                wake: self.1,
            }
        }
    }

    fn broken(action: Action, wake: Option<Time>, known: &Telemetry) -> Option<Promise> {
        let policy = Orders(action, wake);
        broken_promise(&policy, &policy.knobs(), known, &Memory::default()).map(|(p, _)| p)
    }

    fn routes(from: usize, shares: [f64; 2]) -> Action {
        let shares = vec![shares.to_vec()];
        Action::SetRoutes { from, shares }
    }

    #[test]
    fn each_promise_can_be_broken() {
        let told = known();
        let calm = routes(1, [1.0, 0.0]);
        assert_eq!(broken(calm.clone(), None, &told), None);
        assert_eq!(
            broken(calm.clone(), Some(told.now), &told),
            Some(Promise::WakesLater)
        );
        let mut blind = known();
        blind
            .regions
            .iter_mut()
            .for_each(|region| region.dead = None);
        assert_eq!(
            broken(calm, None, &blind),
            Some(Promise::OrdersNothingBlindly)
        );
        let mut alive = known();
        alive.regions[1].dead = Some(false);
        for (action, told, promise) in [
            (routes(2, [1.0, 0.0]), &told, Promise::KnowsItsRegions),
            (routes(1, [0.5, 0.4]), &told, Promise::GivesShares),
            (routes(1, [0.5, 0.5]), &told, Promise::SendsNothingToTheDead),
            (
                routes(0, [0.5, 0.5]),
                &alive,
                Promise::SendsMarketsWhereTheyMayGo,
            ),
            (
                Action::ActivateDark { region: 1 },
                &told,
                Promise::OrdersOfTheLiving,
            ),
            (
                Action::SetDns {
                    market: 0,
                    weights: vec![1.0, 0.0],
                },
                &told,
                Promise::MovesAsToldByItsKnobs,
            ),
        ] {
            assert_eq!(broken(action, None, told), Some(promise));
        }
    }
}
