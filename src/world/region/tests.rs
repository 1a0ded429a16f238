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
