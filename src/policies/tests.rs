//! What every policy promises, over arbitrary telemetry and memory; and the runbook step by step.

use super::*;
use crate::model::action::Action;
use crate::model::policy::{Failback, Knobs, Memory, Phase};
use crate::model::telemetry::{Announced, MarketTelemetry, RegionTelemetry, Telemetry};
use crate::testing::{assert_promises, knobs, memories, telemetries};
use crate::units::{Span, Time};
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_policy_keeps_the_promises(
        known in telemetries(),
        memory in memories(),
        changed in knobs(Knobs::default()),
    ) {
        for policy in all() {
            let own = policy.knobs();
            let changed = Knobs {
                failover: own.failover,
                route_by_edge: own.route_by_edge,
                route_by_dns: own.route_by_dns,
                dns_after_edge: own.dns_after_edge,
                dark_capacity: own.dark_capacity,
                ..changed.clone()
            };
            for knobs in [own, changed] {
                assert_promises(*policy, &knobs, &known, &memory);
                let decision = policy.decide(&knobs, &known, &memory);
                if policy.name() == "none" {
                    prop_assert!(decision.actions.is_empty() && decision.wake.is_none());
                    prop_assert_eq!(decision.memory, memory.clone());
                } else {
                    prop_assert_eq!(decision.memory.regions.len(), known.regions.len());
                }
            }
        }
    }

    #[test]
    fn a_second_call_orders_nothing_new(known in telemetries(), memory in memories()) {
        let known = Telemetry { undone: Vec::new(), ..known };
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
        undone: Vec::new(),
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

#[test]
fn what_did_not_happen_is_asked_for_again_while_it_is_wanted() {
    let (mut known, mut memory) = (calm(), Memory::default());
    known.regions[0].dead = Some(true);
    let (first, _) = run("flow", &known, &mut memory);
    let orders: Vec<Action> = first.iter().filter(|a| !is_label(a)).cloned().collect();
    // Nothing of it took effect: the routes that are wanted now, and everything else as it was.
    known.now += Span::from_secs(10.0);
    known.regions[0].routes_current = 0.0;
    known.regions[1].capacity = 250.0;
    known.undone = orders.clone();
    let (again, _) = run("flow", &known, &mut memory);
    assert_eq!(again.len(), orders.len(), "{again:?}");
    assert!(routes(&again)[0].1[1] > 0.5, "more is spare in the second");
    for order in orders
        .iter()
        .filter(|o| !matches!(o, Action::SetRoutes { .. }))
    {
        assert!(again.contains(order), "{order:?}");
    }
    // What others asked for, and what is not wanted, is left alone.
    known.undone = vec![
        Action::ActivateDark { region: 0 },
        Action::FreezeScaleIn {
            region: 1,
            on: true,
        },
        Action::Isolate {
            region: 2,
            on: true,
        },
        Action::Scale {
            region: 7,
            service: 0,
            instances: 3,
        },
    ];
    assert_eq!(run("flow", &known, &mut memory).0, Vec::new());
    // Answers too, and none of all that once the region is well.
    known.undone.clear();
    known.regions[0].routes_current = 1.0;
    let (moved, _) = run("flow", &known, &mut memory);
    let answers: Vec<Action> = moved
        .into_iter()
        .filter(|a| moves_dns(std::slice::from_ref(a)))
        .collect();
    assert_eq!(answers.len(), 1);
    known.undone = answers.clone();
    assert_eq!(run("flow", &known, &mut memory).0, answers);
    known.regions[0].dead = Some(false);
    known.undone.extend(orders);
    let (well, _) = run("flow", &known, &mut memory);
    assert!(!moves_dns(&well) && routes(&well).is_empty(), "{well:?}");
}

fn is_label(action: &Action) -> bool {
    matches!(action, Action::EnterPhase { .. })
}
