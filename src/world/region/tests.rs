use super::*;
use crate::model::episode::Impairment;
use crate::scenario::{Document, Layer};

const TWO: &str = r#"
format = 1

[[region]]
name = "east"
zones = 3

[[market]]
name = "viewers"
starts = "2000/s"

[[service]]
name = "front"
calls = [{ to = "back", critical = true, attempts = 1 }]

[[service]]
name = "back"
"#;

fn scenario(sets: &[&str]) -> Scenario {
    let sets = sets.iter().map(|set| Layer::set(set)).collect();
    let document = Document::load("two", Layer::file("two.toml", TWO, None), None, sets);
    document.expect("a valid scenario").scenario().clone()
}

fn region(scenario: &Scenario, plan: &Plan) -> Region {
    let shocks = Shocks {
        slowness: vec![1.0; scenario.services.len()],
        catalogue: 1.0,
    };
    let mut region = Region::new(scenario, plan, 0, &shocks, 1, 0);
    region.entering = plan.first[0].requests.clone();
    region
}

fn degraded(service: usize, slowness: f64, errors: f64) -> Condition {
    Condition::of(&[Impairment::Degraded {
        region: Some(0),
        service: Some(service),
        slowness,
        errors,
        seen: true,
    }])
}

#[test]
fn what_is_broken_fails_at_once_and_reaches_nobody_behind() {
    let scenario = scenario(&[]);
    let plan = Plan::new(&scenario);
    let (back, front) = (0, 1);
    let mut region = region(&scenario, &plan);
    region.evaluate(&plan, Time::ZERO, 1.0, Shed::Uniform);
    assert!(!region.flow.hurt);
    let whole = region.flow.total(&plan.graph, back);
    region.condition_changed(0, &degraded(front, 1.0, 0.3));
    region.evaluate(&plan, Time::ZERO, 1.0, Shed::Uniform);
    assert!((region.flow.failing(0, 0) - 0.3).abs() < 1e-9);
    let left = region.flow.total(&plan.graph, back);
    assert!((left / whole - 0.7).abs() < 1e-9, "{left} of {whole}");
    region.condition_changed(0, &degraded(back, 1.0, 0.3));
    region.evaluate(&plan, Time::ZERO, 1.0, Shed::Uniform);
    assert!((region.flow.failing(0, 0) - 0.3).abs() < 1e-9);
    region.condition_changed(0, &Condition::default());
    region.evaluate(&plan, Time::ZERO, 1.0, Shed::Uniform);
    assert_eq!(region.flow.failing(0, 0), 0.0);
    assert!(!region.flow.hurt);
}

#[test]
fn a_degraded_service_keeps_more_slots_busy() {
    let scenario = scenario(&[]);
    let plan = Plan::new(&scenario);
    let mut region = region(&scenario, &plan);
    region.evaluate(&plan, Time::ZERO, 1.0, Shed::Uniform);
    let busy = region.flow.pools[0].busy;
    region.condition_changed(0, &degraded(0, 1.2, 0.0));
    region.evaluate(&plan, Time::ZERO, 1.0, Shed::Uniform);
    assert!((region.flow.pools[0].busy / busy - 1.2).abs() < 1e-6);
    let longer = 0.2 * plan.graph.nodes[0].mean_secs;
    assert!(
        (region.flow.wait_secs[1] - longer).abs() < 1e-9,
        "its caller waits for it"
    );
    region.condition_changed(0, &degraded(0, 30.0, 0.0));
    region.evaluate(&plan, Time::ZERO, 60.0, Shed::Uniform);
    assert!(region.flow.failing(0, 0) > 0.1, "it cannot carry its load");
}

/// A region whose zone is lost 10 s from the beginning, some time later.
fn after_zone_loss(sets: &[&str], secs: f64) -> Region {
    let scenario = scenario(sets);
    let plan = Plan::new(&scenario);
    let mut region = region(&scenario, &plan);
    let at = Time::ZERO + crate::units::Span::from_secs(10.0);
    let down = Condition::of(&[Impairment::ZoneDown {
        region: 0,
        zone: 1,
        hang: false,
    }]);
    region.zone_changed(&scenario, at, (0, 1), &down);
    let now = at + crate::units::Span::from_secs(secs);
    region.advance(now);
    region.evaluate(&plan, now, 1.0, Shed::Uniform);
    region
}

#[test]
fn a_dead_zone_fails_its_share_until_health_checks_take_it_out() {
    let sets = ["service.*.instances=90"];
    let third = after_zone_loss(&sets, 0.0);
    assert_eq!(third.instances[0].in_service(), 60);
    assert_eq!(third.instances[0].dead(), 30);
    // Two services in a row, each of them with a third of its rotation dead.
    let failing = 1.0 - (2.0_f64 / 3.0).powi(2);
    assert!((third.flow.failing(0, 0) - failing).abs() < 1e-9);
    let found = after_zone_loss(&sets, 60.0);
    assert_eq!(
        found.flow.failing(0, 0),
        0.0,
        "after two intervals all are out"
    );
    let part = after_zone_loss(&sets, 45.0).flow.failing(0, 0);
    assert!(part > 0.0 && part < failing, "phases differ: {part}");
}

#[test]
fn a_pool_fails_open_rather_than_ejecting_more_than_it_may() {
    let sets = ["service.*.instances=90", "service.*.health.eject_most=0.2"];
    let open = after_zone_loss(&sets, 600.0);
    assert!(
        open.flow.failing(0, 0) > 0.5,
        "the dead are given requests for ever"
    );
}

#[test]
fn a_zone_with_power_again_boots_its_instances() {
    let scenario = scenario(&["service.*.instances=90", "service.*.boot=40s"]);
    let plan = Plan::new(&scenario);
    let mut region = region(&scenario, &plan);
    let secs = |s: f64| Time::ZERO + crate::units::Span::from_secs(s);
    let down = Condition::of(&[Impairment::ZoneDown {
        region: 0,
        zone: 2,
        hang: true,
    }]);
    region.zone_changed(&scenario, secs(10.0), (0, 2), &down);
    region.zone_changed(&scenario, secs(100.0), (0, 2), &Condition::default());
    region.advance(secs(139.0));
    assert_eq!(region.instances[0].in_service(), 60);
    region.advance(secs(141.0));
    assert_eq!(region.instances[0].in_service(), 90);
    assert_eq!(region.instances[0].dead(), 0);
}

const SCALING: [&str; 4] = [
    "service.*.scaling={ interval = '60s', delay = '0s', cooldown_out = '0s', cooldown_in = '0s' }",
    "service.*.boot=40s",
    "service.*.headroom=0.5",
    "service.*.slots=1",
];

/// Runs a region alone for so many seconds, with its load times `factor`, in steps of 5 s.
fn live(region: &mut Region, scenario: &Scenario, plan: &Plan, span: (u32, u32), factor: f64) {
    let load = plan.first[0].requests.iter().map(|r| r * factor);
    region.entering = load.collect();
    for step in span.0 / 5..span.1 / 5 {
        let now = |s: u32| Time::ZERO + crate::units::Span::from_secs(f64::from(s * 5));
        region.evaluate(plan, now(step), 5.0, Shed::Uniform);
        region.commit(plan, 5.0);
        region.measure(plan, now(step + 1));
        region.advance(now(step + 1));
        region.look(scenario, now(step + 1), false);
        for instances in &region.instances {
            let (begun, gone) = instances.ledger();
            assert_eq!(begun, instances.present() + gone, "instances are conserved");
        }
    }
}

#[test]
fn an_autoscaler_starts_in_equilibrium_and_follows_the_load() {
    let scenario = scenario(&SCALING);
    let plan = Plan::new(&scenario);
    let mut region = region(&scenario, &plan);
    let first = region.instances[0].in_service();
    live(&mut region, &scenario, &plan, (0, 1200), 1.0);
    assert_eq!(region.instances[0].in_service(), first);
    live(&mut region, &scenario, &plan, (1200, 2400), 1.5);
    let grown = region.instances[0].in_service() as f64 / first as f64;
    assert!((1.35..1.65).contains(&grown), "{grown} times as many");
    region.kill(Time::ZERO + crate::units::Span::from_secs(2400.0), 0, 5);
    live(&mut region, &scenario, &plan, (2400, 3000), 1.5);
    let replaced = region.instances[0].in_service() as f64 / first as f64;
    assert_eq!(replaced, grown, "the dead are replaced");
    region.freeze_scale_in(true);
    live(&mut region, &scenario, &plan, (3000, 4200), 0.5);
    assert_eq!(
        region.instances[0].in_service() as f64 / first as f64,
        grown
    );
    region.freeze_scale_in(false);
    live(&mut region, &scenario, &plan, (4200, 6000), 0.5);
    let left = region.instances[0].in_service() as f64 / first as f64;
    assert!(left < 0.7, "{left} times as many");
}

#[test]
fn an_order_launches_what_is_missing_as_far_as_limits_allow() {
    let sets = [
        "service.*.instances=90",
        "service.*.boot=40s",
        "launches.burst=30",
        "launches.rate='1/s'",
    ];
    let scenario = scenario(&sets);
    let plan = Plan::new(&scenario);
    let mut region = region(&scenario, &plan);
    let secs = |s: f64| Time::ZERO + crate::units::Span::from_secs(s);
    region.scale_to(&scenario, 0, 150, Time::ZERO, false);
    assert_eq!(region.instances[0].standing(), 120);
    region.look(&scenario, region.next_look(), false);
    assert_eq!(region.instances[0].standing(), 150, "60 s later");
    region.advance(secs(150.0));
    assert_eq!(region.instances[0].in_service(), 150);
    region.block_launches(true);
    region.scale_to(&scenario, 0, 200, secs(200.0), false);
    assert_eq!(region.instances[0].standing(), 150);
}

#[test]
fn a_service_that_is_not_scalable_stays_as_it_is() {
    let scenario = scenario(&["service.*.instances=90", "service.*.scalable=false"]);
    let plan = Plan::new(&scenario);
    let mut region = region(&scenario, &plan);
    region.scale_to(&scenario, 0, 150, Time::ZERO, false);
    assert_eq!(region.instances[0].standing(), 90);
}
