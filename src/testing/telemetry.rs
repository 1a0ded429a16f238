//! What a policy may be told and remember, likely or not: quantities that are not numbers, shares that do
//! not sum to one, memories of other regions.

use crate::model::action::Action;
use crate::model::policy::{Failback, Knobs, Memory, Phase, RegionMemory, Spread};
use crate::model::telemetry::{
    Announced, MarketTelemetry, RegionTelemetry, ServiceTelemetry, Telemetry,
};
use crate::units::{Span, Time};
use proptest::prelude::*;

const DAY_SECS: f64 = 86_400.0;
/// Most regions.
const MOST_REGIONS: usize = 5;

fn quantity() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 0.0..1e6,
        1 => Just(0.0),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1.0), Just(1e308)],
    ]
}

fn region() -> impl Strategy<Value = RegionTelemetry> {
    (
        prop_oneof![1 => Just(None), 1 => Just(Some(true)), 3 => Just(Some(false))],
        0.0..DAY_SECS,
        quantity(),
        quantity(),
        quantity(),
        0.0..=1.0,
        0.0..=1.0,
        (
            any::<[bool; 3]>(),
            proptest::option::of(quantity()),
            proptest::option::of(quantity()),
            0.0..=1.0,
            proptest::collection::vec((quantity(), quantity()), 2),
        ),
    )
        .prop_map(
            |(dead, since, capacity, dark_capacity, load, routes_current, warmed, more)| {
                let ([failing, replicated, may_return], errors, busy, booted, services) = more;
                let service = |(in_service, most)| ServiceTelemetry { in_service, most };
                RegionTelemetry {
                    dead,
                    dead_since: Time::from_secs(since),
                    capacity,
                    dark_capacity,
                    load,
                    routes_current,
                    warmed,
                    failing,
                    error_rate: errors,
                    utilisation: busy,
                    booted,
                    replicated,
                    may_return,
                    services: services.into_iter().map(service).collect(),
                    ..RegionTelemetry::default()
                }
            },
        )
}

/// Arbitrary requests of a policy, also such as are about what does not exist and whose numbers are none.
pub fn actions() -> impl Strategy<Value = Action> {
    let index = || prop_oneof![8 => 0usize..4, 1 => Just(usize::MAX)];
    let share = prop_oneof![
        4 => Just(0.0),
        4 => Just(1.0),
        2 => Just(0.5),
        1 => quantity(),
    ];
    // Most rows are shares of three regions.
    let row = prop_oneof![
        6 => (0usize..3).prop_map(|to| {
            let mut row = vec![0.0; 3];
            row[to] = 1.0;
            row
        }),
        1 => proptest::collection::vec(share, 0..5),
    ];
    let rows = proptest::collection::vec(row.clone(), 0..5);
    let instances = prop_oneof![4 => 0u64..1000, 1 => any::<u64>(), 1 => Just(u64::MAX)];
    prop_oneof![
        3 => (index(), rows).prop_map(|(from, shares)| Action::SetRoutes { from, shares }),
        3 => (index(), row).prop_map(|(market, weights)| Action::SetDns { market, weights }),
        1 => index().prop_map(|region| Action::ActivateDark { region }),
        1 => index().prop_map(|region| Action::ReleaseDark { region }),
        2 => (index(), index(), instances).prop_map(|(region, service, instances)| {
            Action::Scale { region, service, instances }
        }),
        1 => (index(), any::<bool>()).prop_map(|(region, on)| Action::FreezeScaleIn { region, on }),
        1 => (index(), index()).prop_map(|(region, market)| Action::Prewarm { region, market }),
        1 => (index(), any::<bool>()).prop_map(|(region, on)| Action::Isolate { region, on }),
        1 => (index(), proptest::sample::select(&Phase::ALL[..]))
            .prop_map(|(region, phase)| Action::EnterPhase { region, phase }),
    ]
}

/// Arbitrary telemetry of up to five regions.
pub fn telemetries() -> impl Strategy<Value = Telemetry> {
    (1..=MOST_REGIONS).prop_flat_map(telemetries_of)
}

/// Arbitrary telemetry of so many regions.
pub fn telemetries_of(regions: usize) -> impl Strategy<Value = Telemetry> {
    let market = (
        Just((0..regions).collect::<Vec<_>>()).prop_shuffle(),
        quantity(),
        proptest::collection::vec(quantity(), regions),
        proptest::collection::vec(quantity(), regions),
        proptest::collection::vec(proptest::bool::weighted(0.8), regions),
        (
            proptest::collection::vec(quantity(), 2),
            proptest::collection::vec(quantity(), 0..3),
            quantity(),
        ),
    );
    let drill = (0..regions, 0.0..DAY_SECS, 0.0..DAY_SECS, any::<bool>());
    (
        0.0..DAY_SECS,
        proptest::collection::vec(region(), regions),
        proptest::collection::vec(market, 1..4),
        proptest::collection::vec(drill, 0..3),
        proptest::collection::vec(actions(), 0..3),
    )
        .prop_map(|(now, regions, markets, drills, undone)| Telemetry {
            undone,
            now: Time::from_secs(now),
            regions,
            markets: (0..)
                .zip(markets)
                .map(
                    |(market, (near, load, dns, planned, may, (need, need_stays, stays)))| {
                        MarketTelemetry {
                            near,
                            load,
                            stays,
                            need_stays,
                            dns,
                            planned,
                            may,
                            need,
                            market,
                        }
                    },
                )
                .collect(),
            announced: drills
                .into_iter()
                .map(|(region, at, lasting, aborted)| Announced {
                    region,
                    at: Time::from_secs(at),
                    until: Time::from_secs(at + lasting),
                    aborted,
                })
                .collect(),
        })
}

/// Arbitrary memory, of fewer or more regions than there are.
pub fn memories() -> impl Strategy<Value = Memory> {
    let region = (
        proptest::sample::select(&Phase::ALL[..]),
        0usize..8,
        0.0..DAY_SECS,
        any::<[bool; 3]>(),
        any::<u64>(),
        (
            proptest::option::of(0.0..DAY_SECS),
            0usize..6,
            any::<[bool; 3]>(),
        ),
    )
        .prop_map(
            |(phase, stage, staged_at, flags, targets, back)| RegionMemory {
                phase,
                since: Time::ZERO,
                stage,
                staged_at: Time::from_secs(staged_at),
                dns_moved: flags[0],
                capacity_called: flags[1],
                prewarmed: flags[2],
                targets,
                well_since: back.0.map(Time::from_secs),
                returned: back.1,
                hurt: back.2[0],
                frozen: back.2[1],
                return_warmed: back.2[2],
                ..RegionMemory::default()
            },
        );
    proptest::collection::vec(region, 0..8).prop_map(|regions| Memory { regions })
}

/// A policy's own knobs, some of them changed as a user's file may change them.
pub fn knobs(own: Knobs) -> impl Strategy<Value = Knobs> {
    let spread = prop_oneof![
        Just(Spread::Spare),
        Just(Spread::Nearest),
        proptest::collection::vec((0usize..7, quantity()), 0..4).prop_map(Spread::Fixed),
    ];
    (
        proptest::collection::vec(0.0..=1.0, 0..5),
        prop_oneof![Just(0.0), 0.0..1000.0],
        spread,
        any::<[bool; 8]>(),
    )
        .prop_map(move |(stages, hold, spread, flags)| Knobs {
            stages,
            hold: Span::from_secs(hold),
            spread,
            prewarm: flags[0],
            isolate: flags[1],
            prescale: flags[2],
            prescale_first: flags[3],
            freeze_scale_in: flags[4],
            dns_stages: flags[5],
            gate_utilisation: if flags[6] { 0.8 } else { f64::INFINITY },
            failback: Failback {
                automatic: flags[7],
                stages: if flags[0] { vec![1.0] } else { vec![0.3, 1.0] },
                ..Failback::default()
            },
            ..own.clone()
        })
}
