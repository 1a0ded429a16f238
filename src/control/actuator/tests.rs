use super::*;
use crate::model::telemetry::{MarketTelemetry, RegionTelemetry, ServiceTelemetry};

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
