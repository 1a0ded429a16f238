use super::*;
use crate::model::telemetry::{MarketTelemetry, RegionTelemetry, ServiceTelemetry};
use crate::testing::{actions, telemetries_of};
use proptest::prelude::*;

fn control() -> Control {
    Control {
        home: None,
        observers: 3,
        agree: 2,
        interval: Span::from_secs(10.0),
        timeout: Span::from_secs(4.0),
        threshold: 3,
        back_to_back: false,
        deep: false,
        false_alarm: 0.0,
        missed: 0.0,
        delay: Span::from_secs(10.0),
        push: Dist::Uniform { lo: 1.0, hi: 5.0 },
        push_failure: 0.0,
        push_timeout: Span::from_secs(30.0),
    }
}

fn actuator() -> Actuator {
    let names = ["a", "b", "c"].map(String::from);
    Actuator::new(&control(), &Knobs::default(), 1, 0, &names)
}

/// Three regions, two markets that live in `a`; those named are believed dead.
fn known(now: f64, dead: &[RegionId]) -> Telemetry {
    Telemetry {
        now: Time::from_secs(now),
        regions: (0..3)
            .map(|region| RegionTelemetry {
                dead: Some(dead.contains(&region)),
                dead_since: Time::ZERO,
                capacity: 100.0,
                dark_capacity: if region == 1 { 50.0 } else { 0.0 },
                load: 10.0,
                routes_current: 1.0,
                warmed: 1.0,
                ..RegionTelemetry::default()
            })
            .collect(),
        markets: (0..2)
            .map(|market| MarketTelemetry {
                near: vec![0, 1, 2],
                load: 10.0,
                dns: vec![1.0, 0.0, 0.0],
                market,
                ..MarketTelemetry::default()
            })
            .collect(),
        announced: Vec::new(),
        undone: Vec::new(),
    }
}

fn routes(from: RegionId, shares: [f64; 3]) -> Action {
    Action::SetRoutes {
        from,
        shares: vec![shares.to_vec(); 2],
    }
}

fn dns(weights: [f64; 3]) -> Action {
    Action::SetDns {
        market: 0,
        weights: weights.to_vec(),
    }
}

fn reason(action: Action, telemetry: &Telemetry) -> String {
    let refusals = actuator().submit(telemetry, vec![action]).refusals;
    refusals
        .first()
        .map_or(String::new(), |refusal| refusal.reason.clone())
}

#[test]
fn what_means_nothing_is_refused() {
    let calm = known(0.0, &[]);
    let label = |region| Action::EnterPhase {
        region,
        phase: Phase::Normal,
    };
    for (action, expected) in [
        (routes(0, [0.5, 0.4, 0.0]), "sum to"),
        (routes(0, [1.5, -0.5, 0.0]), "-0.5 is not a share"),
        (routes(0, [f64::NAN, 0.5, 0.5]), "NaN is not a share"),
        (routes(3, [0.0, 0.5, 0.5]), "no region 3"),
        (label(9), "no region 9"),
        (
            Action::SetRoutes {
                from: 0,
                shares: vec![vec![0.0, 0.5, 0.5]],
            },
            "1 markets",
        ),
        (
            Action::SetRoutes {
                from: 0,
                shares: vec![vec![0.5, 0.5]; 2],
            },
            "2 regions",
        ),
        (dns([0.5, 0.5, 0.5]), "sum to"),
        (
            Action::SetDns {
                market: 2,
                weights: vec![0.0, 0.5, 0.5],
            },
            "no market 2",
        ),
        (
            Action::Prewarm {
                region: 1,
                market: 2,
            },
            "no market 2",
        ),
        (Action::ActivateDark { region: 2 }, "no dark capacity"),
    ] {
        let given = reason(action.clone(), &calm);
        assert!(given.contains(expected), "{action:?}: '{given}'");
    }
    for action in [
        routes(0, [0.0, 0.5, 0.5]),
        dns([0.0, 1.0, 0.0]),
        label(0),
        Action::ActivateDark { region: 1 },
    ] {
        assert_eq!(reason(action, &calm), "");
    }
}

#[test]
fn new_traffic_to_a_dead_region_is_refused_while_another_is_alive() {
    let one_dead = known(0.0, &[0]);
    assert!(reason(routes(1, [0.5, 0.5, 0.0]), &one_dead).contains("new traffic to a"));
    assert!(
        reason(
            Action::Prewarm {
                region: 0,
                market: 0
            },
            &one_dead
        )
        .contains("nobody")
    );
    // What is there already is no new traffic: a part may stay behind.
    assert_eq!(reason(routes(0, [0.5, 0.5, 0.0]), &one_dead), "");
    assert_eq!(reason(dns([0.5, 0.5, 0.0]), &one_dead), "");
    let mut other_dead = known(0.0, &[1]);
    assert!(reason(dns([0.5, 0.5, 0.0]), &other_dead).contains("new traffic to b"));
    // Failing open: nobody is known to be alive.
    other_dead
        .regions
        .iter_mut()
        .for_each(|region| region.dead = Some(true));
    assert_eq!(reason(dns([0.5, 0.5, 0.0]), &other_dead), "");
}

#[test]
fn a_second_failover_within_the_cool_down_is_refused() {
    let mut actuator = actuator();
    let mut ask = |now: f64, shares| {
        let submission = actuator.submit(&known(now, &[]), vec![routes(0, shares)]);
        submission.refusals.is_empty()
    };
    // Stages and another split are one failover.
    assert!(ask(0.0, [0.75, 0.25, 0.0]));
    assert!(ask(60.0, [0.0, 1.0, 0.0]));
    assert!(ask(90.0, [0.0, 0.0, 1.0]));
    assert!(ask(200.0, [1.0, 0.0, 0.0]), "it may go back at any time");
    assert!(!ask(300.0, [0.0, 0.5, 0.5]));
    assert!(!ask(599.0, [0.0, 0.5, 0.5]));
    assert!(ask(600.0, [0.0, 0.5, 0.5]));
}

#[test]
fn a_decision_is_pushed_together_and_labels_need_no_push() {
    let mut actuator = actuator();
    let now = known(100.0, &[0]);
    let label = Action::EnterPhase {
        region: 0,
        phase: Phase::FailoverInitiated,
    };
    let first = actuator.submit(
        &now,
        vec![
            label,
            routes(0, [0.0, 0.5, 0.5]),
            Action::ActivateDark { region: 1 },
        ],
    );
    let times: Vec<f64> = first.orders.iter().map(|o| o.effective.secs()).collect();
    assert_eq!(times[0], 100.0);
    assert!((101.0..105.0).contains(&times[1]), "{times:?}");
    assert_eq!(times[1], times[2]);
    let second = actuator.submit(&now, vec![dns([0.0, 0.5, 0.5])]);
    assert_ne!(second.orders[0].effective, first.orders[1].effective);
}

#[test]
fn other_orders_before_do_not_change_a_failovers_luck() {
    let effective = |rehearsals: usize| {
        let mut actuator = actuator();
        let now = known(100.0, &[]);
        for _ in 0..rehearsals {
            actuator.submit(&now, vec![Action::ActivateDark { region: 1 }]);
        }
        let label = Action::EnterPhase {
            region: 0,
            phase: Phase::FailoverInitiated,
        };
        let submission = actuator.submit(&now, vec![label, routes(0, [0.0, 0.5, 0.5])]);
        submission.orders[1].effective
    };
    assert_eq!(effective(0), effective(5));
}

#[test]
fn what_cannot_be_scaled_is_refused() {
    let mut calm = known(0.0, &[2]);
    for region in &mut calm.regions {
        region.services = vec![ServiceTelemetry {
            in_service: 5.0,
            most: 10.0,
        }];
    }
    let scale = |region, service, instances| Action::Scale {
        region,
        service,
        instances,
    };
    assert_eq!(reason(scale(0, 0, 10), &calm), "");
    assert!(reason(scale(0, 0, 11), &calm).contains("more than the 10"));
    assert!(reason(scale(0, 7, 1), &calm).contains("no service 7"));
    for order in [
        scale(2, 0, 6),
        Action::ReleaseDark { region: 2 },
        Action::FreezeScaleIn {
            region: 2,
            on: true,
        },
    ] {
        assert!(reason(order, &calm).contains("believed dead"));
    }
    for order in [
        scale(9, 0, 6),
        Action::ReleaseDark { region: 9 },
        Action::FreezeScaleIn {
            region: 9,
            on: true,
        },
    ] {
        assert!(reason(order, &calm).contains("no region 9"));
    }
}

#[test]
fn an_order_never_overtakes_an_older_one_for_the_same_target() {
    let losing = Control {
        push_failure: 0.9,
        ..control()
    };
    let names = ["a", "b", "c"].map(String::from);
    let mut actuator = Actuator::new(&losing, &Knobs::default(), 1, 0, &names);
    let (mut last, mut repeated) = (Time::ZERO, 0);
    for second in 0..50 {
        let share = 0.01 * f64::from(second);
        let known = known(f64::from(second), &[]);
        let submission = actuator.submit(&known, vec![routes(1, [share, 1.0 - share, 0.0])]);
        repeated += submission.failed_pushes;
        for order in submission.orders {
            assert!(order.effective >= last);
            last = order.effective;
        }
    }
    assert!(repeated > 100, "pushes were lost on their way");
}

#[test]
fn of_new_routes_only_the_stranded_markets_part_is_refused() {
    let mut actuator = actuator();
    // Both markets of a dead region go to b, and then b dies too.
    let first = actuator.submit(&known(0.0, &[0]), vec![routes(0, [0.0, 1.0, 0.0])]);
    assert!(first.refusals.is_empty());
    let shares = |second: [f64; 3]| Action::SetRoutes {
        from: 0,
        shares: vec![vec![0.0, 0.0, 1.0], second.to_vec()],
    };
    // The second market may not be served in c: it is to stay in the dead region.
    let both = known(60.0, &[0, 1]);
    let submission = actuator.submit(&both, vec![shares([1.0, 0.0, 0.0])]);
    assert_eq!(submission.refusals.len(), 1);
    assert_eq!(submission.refusals[0].market, Some(1));
    assert!(submission.refusals[0].reason.contains("new traffic to a"));
    assert_eq!(submission.orders[0].action, shares([0.0, 1.0, 0.0]));
    assert_eq!(actuator.undone(Time::from_secs(1000.0)), Vec::new());
    // Where all are stranded, nothing is left of the order.
    let whole = actuator.submit(&both, vec![routes(0, [1.0, 0.0, 0.0])]);
    assert_eq!((whole.orders.len(), whole.refusals[0].market), (0, None));
}

#[test]
fn the_policy_is_told_of_what_did_not_happen_until_something_else_is_ordered() {
    let mut actuator = actuator();
    let at = Time::from_secs;
    let ask = |actuator: &mut Actuator, now: f64, action: &Action| {
        let mut submission = actuator.submit(&known(now, &[]), vec![action.clone()]);
        submission.refusals.pop()
    };
    let call = Action::ActivateDark { region: 2 };
    let refusal = ask(&mut actuator, 0.0, &call).expect("nothing is dark");
    assert!(!refusal.again);
    assert_eq!(actuator.next_time(at(0.0)), at(10.0));
    assert_eq!(actuator.undone(at(9.0)), Vec::new());
    assert_eq!(actuator.undone(at(10.0)), std::slice::from_ref(&call));
    assert_eq!(actuator.undone(at(10.0)), Vec::new(), "not at every moment");
    assert_eq!(
        actuator.undone(at(20.0)),
        std::slice::from_ref(&call),
        "but as long as it lasts"
    );
    let refusal = ask(&mut actuator, 20.0, &call).expect("nothing is dark yet");
    assert!(refusal.again);
    assert_eq!(
        ask(&mut actuator, 25.0, &Action::ReleaseDark { region: 2 }),
        None
    );
    assert_eq!(actuator.undone(at(1000.0)), Vec::new());
    // What means nothing would mean as little later.
    assert!(ask(&mut actuator, 1000.0, &dns([0.5, 0.5, 0.5])).is_some());
    assert_eq!(actuator.undone(at(2000.0)), Vec::new());
    // A push that nobody answers is noticed when it times out; a newer one is on its way then.
    let call = Action::ActivateDark { region: 1 };
    let ordered = actuator.submit(&known(2000.0, &[]), vec![call.clone()]);
    actuator.lost(&call, ordered.orders[0].effective);
    assert_eq!(
        actuator.next_time(at(2000.0)),
        ordered.orders[0].effective + Span::from_secs(30.0)
    );
    actuator.submit(&known(2010.0, &[]), vec![Action::ReleaseDark { region: 1 }]);
    actuator.lost(&call, at(2010.0));
    assert_eq!(actuator.undone(at(3000.0)), Vec::new());
}

#[test]
fn of_orders_for_one_thing_the_older_takes_effect_first() {
    let losing = Control {
        push_failure: 0.9,
        ..control()
    };
    let names = ["a", "b", "c"].map(String::from);
    let service = ServiceTelemetry {
        in_service: 5.0,
        most: 1000.0,
    };
    type Make = fn(u64) -> Action;
    let kinds: [Make; 4] = [
        |n| match n % 2 {
            0 => Action::ActivateDark { region: 1 },
            _ => Action::ReleaseDark { region: 1 },
        },
        |n| Action::Scale {
            region: 1,
            service: 0,
            instances: n,
        },
        |n| Action::FreezeScaleIn {
            region: 1,
            on: n % 2 == 0,
        },
        |_| Action::Prewarm {
            region: 1,
            market: 0,
        },
    ];
    for kind in kinds {
        let mut actuator = Actuator::new(&losing, &Knobs::default(), 1, 0, &names);
        let (mut last, mut failed) = (Time::ZERO, 0);
        for n in 0..50 {
            let mut known = known(n as f64, &[]);
            known.regions[1].services = vec![service];
            let submission = actuator.submit(&known, vec![kind(n)]);
            failed += submission.failed_pushes;
            assert_eq!(submission.orders.len(), 1, "{:?}", submission.refusals);
            assert!(submission.orders[0].effective >= last, "{:?}", kind(n));
            last = submission.orders[0].effective;
        }
        assert!(failed > 100, "pushes were lost on their way");
    }
}

proptest! {
    /// Whatever is asked for: it is refused, or it is about what exists and its numbers mean something.
    #[test]
    fn nothing_unsafe_is_ordered(
        known in telemetries_of(3),
        decisions in proptest::collection::vec(proptest::collection::vec(actions(), 0..6), 1..6),
    ) {
        let mut actuator = actuator();
        for (n, actions) in (0u32..).zip(decisions) {
            let mut known = known.clone();
            known.now += Span::from_secs(f64::from(n));
            let asked = actions.len();
            let submission = actuator.submit(&known, actions);
            let whole = submission.refusals.iter().filter(|r| r.market.is_none());
            prop_assert_eq!(submission.orders.len() + whole.count(), asked);
            for order in &submission.orders {
                prop_assert!(order.effective >= known.now);
                prop_assert!(about(&order.action).is_none_or(|region| region < 3));
                let rows = match &order.action {
                    Action::SetRoutes { shares, .. } => {
                        prop_assert_eq!(shares.len(), known.markets.len());
                        shares.clone()
                    }
                    Action::SetDns { market, weights } => {
                        prop_assert!(*market < known.markets.len());
                        vec![weights.clone()]
                    }
                    Action::Prewarm { market, .. } => {
                        prop_assert!(*market < known.markets.len());
                        Vec::new()
                    }
                    Action::Scale { region, service, instances } => {
                        let services = &known.regions[*region].services;
                        prop_assert!(*service < services.len());
                        prop_assert!(*instances as f64 <= services[*service].most);
                        Vec::new()
                    }
                    _ => Vec::new(),
                };
                for row in rows {
                    prop_assert_eq!(row.len(), 3);
                    prop_assert!(row.iter().all(|share| (0.0..=1.0 + 1e-9).contains(share)));
                    prop_assert!((row.iter().sum::<f64>() - 1.0).abs() <= 1e-9);
                }
            }
            actuator.undone(known.now);
        }
    }
}
