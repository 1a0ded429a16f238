//! What every policy promises, over arbitrary telemetry and memory; and the runbook step by step.

use super::*;
use crate::model::action::Action;
use crate::model::policy::{Decision, Failback, Knobs, Memory, Phase, RegionMemory, Spread};
use crate::model::telemetry::{
    Announced, MarketTelemetry, RegionTelemetry, ServiceTelemetry, Telemetry,
};
use crate::units::{Span, Time};
use proptest::prelude::*;

const DAY_SECS: f64 = 86_400.0;

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

fn telemetry(regions: usize) -> impl Strategy<Value = Telemetry> {
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
    )
        .prop_map(|(now, regions, markets, drills)| Telemetry {
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

fn memory() -> impl Strategy<Value = Memory> {
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

/// What a user's file may change in a policy's knobs.
fn changes() -> impl Strategy<Value = (Vec<f64>, f64, Spread, [bool; 8])> {
    (
        proptest::collection::vec(0.0..=1.0, 0..5),
        prop_oneof![Just(0.0), 0.0..1000.0],
        prop_oneof![
            Just(Spread::Spare),
            Just(Spread::Nearest),
            proptest::collection::vec((0usize..7, quantity()), 0..4).prop_map(Spread::Fixed),
        ],
        any::<[bool; 8]>(),
    )
}

fn assert_shares(shares: &[f64], regions: usize) {
    assert_eq!(shares.len(), regions);
    assert!(shares.iter().all(|share| *share >= 0.0), "{shares:?}");
    let sum: f64 = shares.iter().sum();
    assert!((sum - 1.0).abs() < 1e-9, "{shares:?} sum to {sum}");
}

proptest! {
    #[test]
    fn every_policy_keeps_the_promises(
        known in (1usize..6).prop_flat_map(telemetry),
        memory in memory(),
        (stages, hold, spread, flags) in changes(),
    ) {
        for policy in all() {
            let changed = Knobs {
                stages: stages.clone(),
                hold: Span::from_secs(hold),
                spread: spread.clone(),
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
                ..policy.knobs()
            };
            for knobs in [policy.knobs(), changed] {
                let decision = policy.decide(&knobs, &known, &memory);
                // Telemetry may hold NaN, so equality is of what is printed.
                let again = policy.decide(&knobs, &known, &memory);
                prop_assert_eq!(format!("{decision:?}"), format!("{again:?}"));
                check(policy.name(), &knobs, &known, &memory, &decision);
            }
        }
    }

    #[test]
    fn a_second_call_orders_nothing_new(
        known in (1usize..6).prop_flat_map(telemetry),
        memory in memory(),
    ) {
        for policy in all() {
            let knobs = policy.knobs();
            // What telemetry did not show in the decision of an order is looked at in the next.
            let settle = |memory: &Memory| policy.decide(&knobs, &known, memory).memory;
            let memory = settle(&settle(&settle(&memory)));
            let decision = policy.decide(&knobs, &known, &memory);
            prop_assert!(decision.actions.is_empty(), "{}: {:?}", policy.name(), decision.actions);
        }
    }
}

fn check(name: &str, knobs: &Knobs, known: &Telemetry, memory: &Memory, decision: &Decision) {
    let regions = known.regions.len();
    let dead = |r: usize| known.regions[r].dead == Some(true);
    if name == "none" {
        assert!(decision.actions.is_empty() && decision.wake.is_none());
        assert_eq!(&decision.memory, memory);
        return;
    }
    assert_eq!(decision.memory.regions.len(), regions);
    assert!(decision.wake.is_none_or(|wake| wake > known.now));
    assert!(decision.actions.len() <= regions * (12 + 4 * regions + (regions + 1) * 8));
    if known.regions.iter().all(|r| r.dead.is_none()) {
        assert!(
            decision.actions.is_empty(),
            "nothing is known: nothing is ordered"
        );
    }
    for action in &decision.actions {
        match action {
            Action::SetRoutes { from, shares } => {
                assert!(knobs.route_by_edge);
                assert_eq!(shares.len(), known.markets.len());
                for (shares, market) in shares.iter().zip(&known.markets) {
                    assert_shares(shares, regions);
                    let calm = |r: usize| {
                        let region = &known.regions[r];
                        let drill = known.announced.iter().any(|d| d.region == r);
                        region.dead == Some(false) && !region.failing && !drill
                    };
                    let elsewhere = (0..regions).any(|r| r != *from && market.may[r] && calm(r));
                    for (r, share) in shares.iter().enumerate() {
                        // What waits for capacity, or may go nowhere else, stays where it is.
                        let stays = r == *from && (knobs.prescale_first || !elsewhere);
                        assert!(
                            *share == 0.0 || !dead(r) || stays,
                            "{name}: {from} to dead {r}: {share}"
                        );
                    }
                }
            }
            Action::SetDns { weights, .. } => {
                assert!(knobs.route_by_dns);
                assert_shares(weights, regions);
                assert!(
                    (0..regions).all(|r| weights[r] == 0.0 || !dead(r)),
                    "{name}: {weights:?}"
                );
            }
            Action::ActivateDark { region }
            | Action::ReleaseDark { region }
            | Action::Scale { region, .. }
            | Action::FreezeScaleIn { region, .. }
            | Action::Prewarm { region, .. } => {
                assert_eq!(known.regions[*region].dead, Some(false));
            }
            Action::EnterPhase {
                region,
                phase: Phase::GradualReturn,
            } => {
                assert_eq!(
                    known.regions[*region].dead,
                    Some(false),
                    "nothing goes back to what may be dead"
                );
            }
            Action::Isolate { region, .. } | Action::EnterPhase { region, .. } => {
                assert!(*region < regions);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_traffic_is_sent_where_a_market_may_not_be_served(
        known in (2usize..6).prop_flat_map(telemetry),
        memory in memory(),
    ) {
        for policy in all() {
            let decision = policy.decide(&policy.knobs(), &known, &memory);
            for action in &decision.actions {
                if let Action::SetRoutes { from, shares } = action {
                    for (shares, market) in shares.iter().zip(&known.markets) {
                        for (r, share) in shares.iter().enumerate() {
                            prop_assert!(*share == 0.0 || r == *from || market.may[r], "{action:?}");
                        }
                    }
                }
            }
        }
    }
}

/// Three equal regions, one market that lives in region 0, all calm.
fn calm() -> Telemetry {
    Telemetry {
        now: Time::from_secs(1000.0),
        regions: vec![
            RegionTelemetry {
                dead: Some(false),
                dead_since: Time::ZERO,
                capacity: 150.0,
                dark_capacity: 50.0,
                load: 100.0,
                routes_current: 1.0,
                warmed: 1.0,
                ..RegionTelemetry::default()
            };
            3
        ],
        markets: (0..3)
            .map(|market| MarketTelemetry {
                near: (0..3).map(|i| (market + i) % 3).collect(),
                load: 100.0,
                dns: (0..3)
                    .map(|r| if r == market { 1.0 } else { 0.0 })
                    .collect(),
                planned: (0..3)
                    .map(|r| if r == market { 1.0 } else { 0.0 })
                    .collect(),
                market,
                ..MarketTelemetry::default()
            })
            .collect(),
        announced: Vec::new(),
    }
}

fn run(policy: &str, known: &Telemetry, memory: &mut Memory) -> (Vec<Action>, Option<Time>) {
    let policy = find(policy).expect("a known policy");
    let decision = policy.decide(&policy.knobs(), known, memory);
    *memory = decision.memory;
    (decision.actions, decision.wake)
}

fn phases(actions: &[Action]) -> Vec<(usize, Phase)> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::EnterPhase { region, phase } => Some((*region, *phase)),
            _ => None,
        })
        .collect()
}

fn routes(actions: &[Action]) -> Vec<(usize, Vec<f64>)> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::SetRoutes { from, shares } => Some((*from, shares[0].clone())),
            _ => None,
        })
        .collect()
}

fn moves_dns(actions: &[Action]) -> bool {
    actions
        .iter()
        .any(|action| matches!(action, Action::SetDns { .. }))
}

#[test]
fn names_are_unique_and_found() {
    for policy in all() {
        let same = all().iter().filter(|other| other.name() == policy.name());
        assert_eq!(same.count(), 1, "{}", policy.name());
        assert!(find(policy.name()).is_some());
    }
    assert!(find("hope").is_none());
}

#[test]
fn a_calm_day_needs_nothing() {
    for policy in all() {
        let (actions, wake) = run(policy.name(), &calm(), &mut Memory::default());
        assert!(actions.is_empty() && wake.is_none(), "{}", policy.name());
    }
}

#[test]
fn flow_moves_dns_after_routes_and_capacity() {
    let (mut known, mut memory) = (calm(), Memory::default());
    known.regions[0].dead = Some(true);
    let (actions, wake) = run("flow", &known, &mut memory);
    assert_eq!(
        phases(&actions),
        [
            (0, Phase::FailoverInitiated),
            (0, Phase::RouteShift),
            (0, Phase::ScaleUp)
        ]
    );
    assert_eq!(routes(&actions), [(0, vec![0.0, 0.5, 0.5])]);
    assert!(!moves_dns(&actions));
    assert_eq!(wake, Some(known.now + Span::from_secs(1.0)));

    known.now += Span::from_secs(1.0);
    known.regions[0].routes_current = 0.5;
    let (actions, wake) = run("flow", &known, &mut memory);
    assert!(actions.is_empty() && wake.is_some());

    // Two regions of 140 cannot serve 300.
    known.regions[0].routes_current = 0.99;
    known.regions[1].capacity = 140.0;
    known.regions[2].capacity = 140.0;
    let (actions, _) = run("flow", &known, &mut memory);
    assert_eq!(phases(&actions), [(0, Phase::Isolation)]);
    assert!(!moves_dns(&actions));

    known.regions[1].capacity = 200.0;
    known.regions[2].capacity = 200.0;
    let (actions, wake) = run("flow", &known, &mut memory);
    let expected = Action::SetDns {
        market: 0,
        weights: vec![0.0, 0.5, 0.5],
    };
    assert_eq!(actions[0], expected);
    assert_eq!(phases(&actions), [(0, Phase::Stabilized)]);
    assert_eq!(wake, None);

    known.regions[0].dead = Some(false);
    let (actions, _) = run("flow", &known, &mut memory);
    assert_eq!(phases(&actions), [(0, Phase::FailbackReady)]);
    assert!(routes(&actions).is_empty(), "routes stay as they are");
}

#[test]
fn a_second_dead_region_takes_the_first_ones_traffic_along() {
    let (mut known, mut memory) = (calm(), Memory::default());
    known.regions[0].dead = Some(true);
    run("edge-proxy", &known, &mut memory);
    known.now += Span::from_secs(100.0);
    known.regions[1].dead = Some(true);
    let (actions, _) = run("edge-proxy", &known, &mut memory);
    assert_eq!(
        routes(&actions),
        [(0, vec![0.0, 0.0, 1.0]), (1, vec![0.0, 0.0, 1.0])]
    );
    // With nobody left, routing stays as it was.
    known.now += Span::from_secs(100.0);
    known.regions[2].dead = Some(true);
    assert!(run("edge-proxy", &known, &mut memory).0.is_empty());
}

#[test]
fn an_unknown_region_changes_nothing() {
    let (mut known, mut memory) = (calm(), Memory::default());
    known.regions[0].dead = Some(true);
    run("edge-proxy", &known, &mut memory);
    known.now += Span::from_secs(100.0);
    run("edge-proxy", &known, &mut memory);
    known.regions[1].dead = None;
    let (actions, _) = run("edge-proxy", &known, &mut memory);
    assert!(actions.is_empty(), "{actions:?}");
}

#[test]
fn an_announced_drill_is_evacuated_in_stages_before_it() {
    let (mut known, mut memory) = (calm(), Memory::default());
    let at = Time::from_secs(1900.0);
    known.announced = vec![Announced {
        region: 0,
        at,
        until: Time::from_secs(2500.0),
        aborted: false,
    }];
    for policy in ["none", "dns-only", "edge-proxy", "flow"] {
        let (actions, _) = run(policy, &known, &mut Memory::default());
        assert!(actions.is_empty(), "{policy} waits for the fault");
    }
    let (actions, mut wake) = run("gradual-prewarmed", &known, &mut memory);
    assert_eq!(
        phases(&actions),
        [(0, Phase::FailoverInitiated), (0, Phase::ScaleUp)]
    );
    assert!(routes(&actions).is_empty());
    let warm = |region| Action::Prewarm { region, market: 0 };
    assert!(actions.contains(&warm(1)) && actions.contains(&warm(2)));

    let mut stages = Vec::new();
    while let Some(next) = wake.filter(|_| stages.len() < 4) {
        known.now = next;
        let (actions, later) = run("gradual-prewarmed", &known, &mut memory);
        for (_, shares) in routes(&actions) {
            stages.push((known.now.secs(), shares[0]));
        }
        wake = later;
    }
    // Four stages, two minutes apart, the last two minutes before the drill.
    assert_eq!(
        stages,
        [(1420.0, 0.99), (1540.0, 0.75), (1660.0, 0.5), (1780.0, 0.0)]
    );
    known.now += Span::from_secs(31.0);
    let (actions, wake) = run("gradual-prewarmed", &known, &mut memory);
    assert!(moves_dns(&actions) && wake.is_none());

    known.now = at + Span::from_secs(40.0);
    known.regions[0].dead = Some(true);
    assert!(run("gradual-prewarmed", &known, &mut memory).0.is_empty());
    known.now = Time::from_secs(2540.0);
    known.regions[0].dead = Some(false);
    known.announced.clear();
    let (actions, _) = run("gradual-prewarmed", &known, &mut memory);
    assert_eq!(phases(&actions), [(0, Phase::FailbackReady)]);
}

#[test]
fn an_incident_and_a_drill_that_comes_too_soon_are_shifted_at_once() {
    let (mut known, mut memory) = (calm(), Memory::default());
    known.regions[0].dead = Some(true);
    let (actions, _) = run("gradual-prewarmed", &known, &mut memory);
    assert_eq!(routes(&actions), [(0, vec![0.0, 0.5, 0.5])]);
    assert!(matches!(actions[1], Action::Prewarm { .. }));

    let (mut known, mut memory) = (calm(), Memory::default());
    known.announced = vec![Announced {
        region: 0,
        at: Time::from_secs(1060.0),
        until: Time::from_secs(2000.0),
        aborted: false,
    }];
    let (actions, _) = run("gradual-prewarmed", &known, &mut memory);
    assert_eq!(
        routes(&actions)[0].1[0],
        0.99,
        "the first stage begins at once"
    );
    known.now = Time::from_secs(1090.0);
    known.regions[0].dead = Some(true);
    let (actions, _) = run("gradual-prewarmed", &known, &mut memory);
    assert_eq!(
        routes(&actions)[0].1[0],
        0.0,
        "what is left follows when it is dead"
    );
}

/// Flow with a return of two stages, a minute apart, once the region has been well for two minutes.
fn returning() -> Knobs {
    let flow = find("flow").expect("a known policy").knobs();
    Knobs {
        cool_down: Span::from_secs(100.0),
        failback: Failback {
            automatic: true,
            stable: Span::from_secs(120.0),
            gate_caches: false,
            stages: vec![0.25, 1.0],
            hold: Span::from_secs(60.0),
            ..Failback::default()
        },
        ..flow
    }
}

fn decide(known: &Telemetry, memory: &mut Memory) -> Vec<Action> {
    let decision = runbook::decide(&returning(), known, memory);
    *memory = decision.memory;
    decision.actions
}

/// Region 0 was evacuated whole, and is alive again.
fn evacuated() -> (Telemetry, Memory) {
    let (mut known, mut memory) = (calm(), Memory::default());
    known.regions[0].dead = Some(true);
    for region in &mut known.regions {
        region.capacity = 200.0;
    }
    for _ in 0..3 {
        decide(&known, &mut memory);
        known.now += Span::from_secs(1.0);
    }
    known.markets[0].dns = vec![0.0, 0.5, 0.5];
    known.regions[0].dead = Some(false);
    known.now += Span::from_secs(500.0);
    (known, memory)
}

#[test]
fn traffic_goes_back_in_stages_after_a_stable_time_and_everything_is_as_before() {
    let (mut known, mut memory) = evacuated();
    let first = decide(&known, &mut memory);
    assert!(routes(&first).is_empty(), "it must have been well for long");
    assert!(first.contains(&Action::Isolate {
        region: 0,
        on: false
    }));
    known.now += Span::from_secs(121.0);
    let actions = decide(&known, &mut memory);
    assert_eq!(
        phases(&actions),
        [(0, Phase::FailbackReady), (0, Phase::GradualReturn)]
    );
    assert_eq!(routes(&actions), [(0, vec![0.25, 0.375, 0.375])]);
    known.now += Span::from_secs(61.0);
    let actions = decide(&known, &mut memory);
    assert_eq!(routes(&actions), [(0, vec![1.0, 0.0, 0.0])]);
    known.now += Span::from_secs(60.0);
    let actions = decide(&known, &mut memory);
    assert_eq!(phases(&actions), [(0, Phase::Normal)]);
    assert!(actions.contains(&Action::ReleaseDark { region: 1 }));
    assert_eq!(memory.regions[0].stage, 0);
    assert!(decide(&known, &mut memory).is_empty());
}

#[test]
fn gates_hold_the_return_up() {
    for close in [
        (|r| r.replicated = false) as fn(&mut RegionTelemetry),
        |r| r.booted = 0.5,
        |r| r.may_return = false,
    ] {
        let (mut known, mut memory) = evacuated();
        decide(&known, &mut memory);
        known.now += Span::from_secs(121.0);
        close(&mut known.regions[0]);
        assert!(routes(&decide(&known, &mut memory)).is_empty());
        known.regions[0] = RegionTelemetry {
            capacity: 200.0,
            ..RegionTelemetry::default()
        };
        known.now += Span::from_secs(10.0);
        assert_eq!(routes(&decide(&known, &mut memory)).len(), 1);
    }
}

#[test]
fn a_return_that_hurts_is_taken_back_and_tried_again_later() {
    let (mut known, mut memory) = evacuated();
    decide(&known, &mut memory);
    known.now += Span::from_secs(121.0);
    decide(&known, &mut memory);
    known.now += Span::from_secs(30.0);
    known.regions[0].error_rate = Some(0.3);
    let actions = decide(&known, &mut memory);
    assert_eq!(phases(&actions), [(0, Phase::Stabilized)]);
    assert_eq!(routes(&actions), [(0, vec![0.0, 0.5, 0.5])]);
    known.regions[0].error_rate = None;
    known.now += Span::from_secs(300.0);
    assert!(routes(&decide(&known, &mut memory)).is_empty());
    known.now += Span::from_secs(301.0);
    let again = routes(&decide(&known, &mut memory));
    assert_eq!(again, [(0, vec![0.25, 0.375, 0.375])]);
}

#[test]
fn an_aborted_drill_is_rolled_back_at_once() {
    let (mut known, mut memory) = (calm(), Memory::default());
    known.announced = vec![Announced {
        region: 0,
        at: Time::from_secs(1060.0),
        until: Time::from_secs(2000.0),
        aborted: false,
    }];
    let (actions, _) = run("gradual-prewarmed", &known, &mut memory);
    assert_eq!(routes(&actions)[0].1[0], 0.99);
    known.now += Span::from_secs(30.0);
    known.announced[0].aborted = true;
    let (actions, _) = run("gradual-prewarmed", &known, &mut memory);
    assert_eq!(routes(&actions)[0].1[0], 1.0, "{actions:?}");
}
