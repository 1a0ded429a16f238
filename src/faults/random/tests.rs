use super::*;
use crate::units::Span;

const DAY: f64 = 86_400.0;

fn scenario() -> Scenario {
    crate::faults::testing::scenario("horizon = \"1000d\"\nstep = \"1h\"\nsample = \"1d\"")
}

/// Five zones in two regions, each down a day in ten.
fn zones() -> Fault {
    Fault {
        kind: "random".into(),
        of: Some(Element::Zone),
        duration: Span::from_secs(1000.0 * DAY),
        mtbf: Span::from_secs(9.0 * DAY),
        mttr: Some(Dist::Exponential { mean: DAY }),
        count: 1,
        ..Fault::default()
    }
}

fn outages(fault: &Fault, replication: u64) -> Vec<Episode> {
    let luck = Stream::new(1, replication, "fault", "x");
    Random.episodes(0, fault, &scenario(), luck)
}

/// Days down, all elements together.
fn days(episodes: &[Episode]) -> f64 {
    episodes
        .iter()
        .map(|e| (e.until - e.from).secs() / DAY)
        .sum()
}

fn mean(of: impl Fn(u64) -> f64) -> f64 {
    (0..40).map(of).sum::<f64>() / 40.0
}

#[test]
fn elements_are_down_for_their_share_of_the_time() {
    // 5 elements, 1,000 days, a tenth: 500 days.
    let down = mean(|k| days(&outages(&zones(), k)));
    assert!((down - 500.0).abs() < 15.0, "{down}");
    let failures = mean(|k| outages(&zones(), k).len() as f64);
    assert!((failures - 500.0).abs() < 15.0, "{failures}");
}

#[test]
fn an_element_fails_as_often_when_some_failures_are_common() {
    let common = Fault {
        common_cause: 0.5,
        ..zones()
    };
    let down = mean(|k| days(&outages(&common, k)));
    assert!((down - 500.0).abs() < 30.0, "{down}");
    let together = |fault: &Fault| {
        mean(|k| {
            let mut from: Vec<Time> = outages(fault, k).iter().map(|e| e.from).collect();
            from.sort();
            from.windows(2).filter(|w| w[0] == w[1]).count() as f64
        })
    };
    assert_eq!(together(&zones()), 0.0);
    // About 1,000 / 18 shocks, each of which hits most of five at once.
    assert!(together(&common) > 100.0);
}

#[test]
fn few_repairers_make_repairs_wait() {
    let one = Fault {
        repairers: 1,
        mttr: Some(Dist::Fixed(DAY)),
        ..zones()
    };
    let mut episodes = outages(&one, 0);
    episodes.sort_by_key(|e| e.until);
    // One at a time: no two repairs end within less than a repair's time.
    for pair in episodes
        .windows(2)
        .filter(|w| w[1].until < Time::from_secs(1000.0 * DAY))
    {
        assert!((pair[1].until - pair[0].until).secs() >= DAY - 1e-3);
    }
    let many = Fault {
        mttr: Some(Dist::Fixed(DAY)),
        ..zones()
    };
    assert!(mean(|k| days(&outages(&one, k))) > 1.2 * mean(|k| days(&outages(&many, k))));
}

#[test]
fn a_stationary_beginning_finds_some_down() {
    let at_first = |fault: &Fault| {
        let down = |k| {
            outages(fault, k)
                .iter()
                .filter(|e| e.from == fault.at)
                .count() as f64
        };
        (0..400).map(down).sum::<f64>() / 400.0
    };
    assert_eq!(at_first(&zones()), 0.0);
    let stationary = Fault {
        stationary: true,
        at: Time::from_secs(DAY),
        ..zones()
    };
    // A tenth of five.
    assert!((at_first(&stationary) - 0.5).abs() < 0.15);
}

#[test]
fn an_element_has_its_own_luck() {
    let of_west = |episodes: Vec<Episode>| -> Vec<Time> {
        let west = episodes.iter().filter(|e| e.impairment.region() == Some(1));
        west.map(|e| e.from).collect()
    };
    let only_west = Fault {
        region: Some(1),
        ..zones()
    };
    assert_eq!(
        of_west(outages(&zones(), 3)),
        of_west(outages(&only_west, 3))
    );
}

#[test]
fn instances_die_in_proportion_to_their_number() {
    let instances = Fault {
        of: Some(Element::Instance),
        mttr: None,
        count: 10,
        ..zones()
    };
    // 2 regions, 2 services, 10 instances each, 1,000 days, once in nine.
    let deaths = mean(|k| outages(&instances, k).len() as f64);
    assert!((deaths - 4444.0).abs() < 60.0, "{deaths}");
    assert!(
        outages(&instances, 0)
            .iter()
            .all(|e| e.impairment.momentary())
    );
    assert!(Random.mistake(&instances).is_none());
    assert_eq!(Random.mistake(&zones()), None);
}
