use super::*;
use crate::model::scenario::Scenario;
use crate::scenario::{Document, Layer};
use crate::units::Span;
use proptest::prelude::*;

const ONE: &str = r#"
format = 1

[[region]]
name = "east"
zones = 3
zone_weights = [5, 3, 2]

[[market]]
name = "viewers"
starts = "20/s"

[[service]]
name = "play"
instances = 100
"#;

fn one() -> Scenario {
    let document = Document::load("one", Layer::file("one.toml", ONE, None), None, Vec::new());
    document.expect("a valid scenario").scenario().clone()
}

fn fleet(scenario: &Scenario) -> Fleet {
    let plan = crate::world::plan::Plan::new(scenario);
    let planned = (plan.sized[0][0], &plan.by_zone[0][0][..]);
    let (service, region) = (&scenario.services[0], &scenario.regions[0]);
    Fleet::new(service, region, planned, planned.0.serving)
}

fn stream() -> Stream {
    Stream::new(1, 0, "instances", "east/play")
}

fn at(secs: f64) -> Time {
    Time::from_secs(secs)
}

fn zones(fleet: &Fleet, now: Time) -> (Capacity, Vec<f64>, Vec<f64>) {
    let mut zones = [Zone::default(); 3];
    let capacity = fleet.capacity(now, &mut zones);
    (
        capacity,
        zones.iter().map(|z| z.share).collect(),
        zones.iter().map(|z| z.instances).collect(),
    )
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
}

#[test]
fn a_lost_zone_keeps_its_weight_until_it_is_found_out_and_then_the_others_have_it() {
    let scenario = one();
    let mut fleet = fleet(&scenario);
    let (calm, shares, instances) = zones(&fleet, at(0.0));
    assert_eq!(instances, [50.0, 30.0, 20.0]);
    assert!(close(&shares, &[0.5, 0.3, 0.2]));
    assert_eq!((calm.broken, calm.zones), (0.0, 3.0));
    assert_eq!(fleet.lose_zone(at(10.0), 1, false, stream()), 30);
    let (lost, shares, _) = zones(&fleet, at(10.0));
    assert!((lost.broken - 0.3).abs() < 1e-12, "exactly its weight");
    assert!(close(&shares, &[0.5 / 0.7, 0.0, 0.2 / 0.7]));
    fleet.advance(at(600.0));
    let (found, shares, _) = zones(&fleet, at(600.0));
    assert_eq!((found.broken, found.zones), (0.0, 2.0));
    assert!(
        close(&shares, &[0.5 / 0.7, 0.0, 0.2 / 0.7]),
        "w / (1 - w) more each"
    );
}

#[test]
fn a_zone_that_boots_gets_its_load_as_its_instances_come() {
    let scenario = one();
    let mut fleet = fleet(&scenario);
    fleet.lose_zone(at(10.0), 1, false, stream());
    fleet.advance(at(600.0));
    let boot = Dist::Uniform {
        lo: 50.0,
        hi: 150.0,
    };
    assert_eq!(fleet.recover_zone(at(600.0), 1, &boot, stream()), 30);
    fleet.advance(at(700.0));
    let (_, shares, instances) = zones(&fleet, at(700.0));
    let back = 0.3 * instances[1] / 30.0;
    assert!(
        instances[1] > 8.0 && instances[1] < 22.0,
        "about half: {instances:?}"
    );
    assert!((shares[1] - back / (0.7 + back)).abs() < 1e-9, "{shares:?}");
    fleet.advance(at(800.0));
    assert!(close(&zones(&fleet, at(800.0)).1, &[0.5, 0.3, 0.2]));
}

#[test]
fn launches_go_where_most_is_lacking_and_never_into_a_lost_zone() {
    let scenario = one();
    let mut fleet = fleet(&scenario);
    fleet.lose_zone(at(10.0), 0, false, stream());
    fleet.advance(at(600.0));
    fleet.launch(at(600.0), 50, &Dist::Fixed(30.0), stream());
    fleet.advance(at(700.0));
    let (_, _, instances) = zones(&fleet, at(700.0));
    assert_eq!(instances, [0.0, 60.0, 40.0], "three to two");
    assert_eq!(fleet.dead(), 0, "they took the place of the dead");
    // With power again nobody is left to boot there; what is launched next goes there.
    assert_eq!(
        fleet.recover_zone(at(700.0), 0, &Dist::Fixed(30.0), stream()),
        0
    );
    fleet.launch(at(700.0), 40, &Dist::Fixed(30.0), stream());
    fleet.advance(at(800.0));
    assert_eq!(zones(&fleet, at(800.0)).2, [40.0, 60.0, 40.0]);
    fleet.take_out(at(800.0), 40, &Dist::Fixed(0.0), stream());
    fleet.advance(at(800.0));
    let (_, _, instances) = zones(&fleet, at(800.0));
    assert!(
        instances[0] > 36.0 && instances[2] < 30.0,
        "from those with most: {instances:?}"
    );
}

#[test]
fn a_pool_fails_open_by_what_all_of_it_looks_like() {
    let mut scenario = one();
    scenario.services[0].eject_most = 0.4;
    let mut fleet = fleet(&scenario);
    fleet.lose_zone(at(10.0), 1, false, stream());
    fleet.advance(at(600.0));
    assert_eq!(
        zones(&fleet, at(600.0)).0.broken,
        0.0,
        "three of ten may be out"
    );
    fleet.lose_zone(at(600.0), 2, false, stream());
    fleet.advance(at(900.0));
    let open = zones(&fleet, at(900.0)).0.broken;
    assert!((open - 0.5).abs() < 1e-9, "half may not: {open}");
}

proptest! {
    #[test]
    fn nobody_is_lost_or_found(acts in prop::collection::vec((0u8..6, 0u64..60, 0usize..3), 1..30)) {
        let scenario = one();
        let mut fleet = fleet(&scenario);
        let delay = Dist::Uniform { lo: 1.0, hi: 90.0 };
        for (i, (act, count, zone)) in acts.into_iter().enumerate() {
            let now = at(20.0 * (i + 1) as f64);
            let (present, standing) = (fleet.present(), fleet.standing());
            match act {
                0 => fleet.launch(now, count, &delay, stream()),
                1 => {
                    let out = fleet.take_out(now, count, &delay, stream());
                    prop_assert_eq!(out, count.min(standing));
                    prop_assert_eq!(fleet.standing(), standing - out);
                }
                2 => {
                    let serving = fleet.in_service();
                    prop_assert_eq!(fleet.kill(now, count, stream()), count.min(serving));
                    prop_assert_eq!(fleet.present(), present);
                }
                3 => { fleet.lose_zone(now, zone, false, stream()); }
                4 => { fleet.recover_zone(now, zone, &delay, stream()); }
                _ => fleet.advance(now + Span::from_secs(10.0)),
            }
            let (begun, gone) = fleet.ledger();
            prop_assert_eq!(begun, gone + fleet.present());
            let (capacity, shares, _) = zones(&fleet, now);
            let sum: f64 = shares.iter().sum();
            prop_assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&capacity.broken));
        }
    }
}
