use super::*;
use crate::model::scenario::Violators;
use crate::units::Dist;

fn class(violators: f64, mean: f64, pin: f64) -> DeviceClass {
    DeviceClass {
        name: "all".into(),
        share: 1.0,
        direct: false,
        violators: Violators {
            share: violators,
            stale: Dist::Exponential { mean },
        },
        pin: Span::from_secs(pin),
        connection_age: Dist::Fixed(1200.0),
        connection_idle: Span::from_secs(65.0),
        think: None,
        timeout: Span::from_secs(10.0),
        attempts: 1,
        backoff_base: Span::from_secs(1.0),
        backoff_factor: 1.6,
        backoff_cap: Span::from_secs(120.0),
        jitter: 0.2,
        retry_budget: f64::INFINITY,
        retry_by_success: false,
        retry_burst: None,
        retry_breaker: 1.0,
        fallback_after: 0,
    }
}

fn resolvers(ttl: f64, class: &DeviceClass, demand: f64) -> Resolvers {
    let dns = Dns {
        ttl: Span::from_secs(ttl),
        propagation: Dist::Fixed(0.0),
        resolvers: 40_000,
        spread: 0.0,
    };
    let stream = Stream::new(3, 0, "resolvers", "test");
    Resolvers::new(&dns, class, demand, &[1.0, 0.0], stream)
}

/// Share on the old answer at each time after a change at 100 s.
fn drain(mut resolvers: Resolvers, times: &[f64]) -> Vec<f64> {
    let mut at = Time::from_secs(100.0);
    resolvers.set_answer(at, &[0.0, 1.0]);
    let mut out = [0.0; 2];
    times
        .iter()
        .map(|&t| {
            let to = Time::from_secs(100.0 + t + 1e-9);
            resolvers.advance(at, to, &mut out);
            at = to;
            resolvers.share()[0]
        })
        .collect()
}

fn near(got: &[f64], want: &[f64]) {
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() < 0.012, "{got:?} {want:?}");
    }
}

#[test]
fn answers_drain_in_a_straight_line_and_violators_slowly() {
    let hot = f64::INFINITY;
    let times = [0.0, 6.0, 15.0, 30.0, 45.0, 59.0, 60.0];
    near(
        &drain(resolvers(60.0, &class(0.0, 1.0, 0.0), hot), &times),
        &[1.0, 0.9, 0.75, 0.5, 0.25, 1.0 / 60.0, 0.0],
    );
    let late = drain(
        resolvers(60.0, &class(0.05, 1800.0, 0.0), hot),
        &[0.0, 30.0, 60.0, 300.0, 1800.0],
    );
    near(&late, &[1.0, 0.5242, 0.0484, 0.0423, 0.0184]);
}

#[test]
fn seldom_asked_resolvers_hold_nothing_most_of_the_time() {
    let got = drain(
        resolvers(60.0, &class(0.0, 1.0, 0.0), 0.01),
        &[0.0, 15.0, 30.0, 45.0],
    );
    near(&got, &[0.375, 0.28125, 0.1875, 0.09375]);
}

#[test]
fn an_application_that_keeps_answers_lags_behind_its_resolver() {
    let hot = f64::INFINITY;
    let got = drain(
        resolvers(60.0, &class(0.0, 1.0, 30.0), hot),
        &[10.0, 30.0, 45.0, 60.0, 80.0, 90.1],
    );
    near(&got, &[0.9722, 0.75, 0.5, 0.25, 0.0278, 0.0]);
    let got = drain(
        resolvers(30.0, &class(0.0, 1.0, 60.0), hot),
        &[15.0, 30.0, 60.0, 75.0],
    );
    near(&got, &[0.9375, 0.75, 0.25, 0.0625]);
}

#[test]
fn a_ramp_of_weights_is_seen_through_the_time_to_live() {
    let mut resolvers = resolvers(60.0, &class(0.0, 1.0, 0.0), f64::INFINITY);
    let mut out = [0.0; 2];
    let mut seen = Vec::new();
    for second in 0..700_u32 {
        let at = Time::from_secs(f64::from(second));
        if second <= 600 {
            let new = f64::from(second) / 600.0;
            resolvers.set_answer(at, &[1.0 - new, new]);
        }
        if [30, 60, 300, 600, 630, 661].contains(&second) {
            seen.push(resolvers.share()[1]);
        }
        resolvers.advance(at, Time::from_secs(f64::from(second + 1)), &mut out);
    }
    near(&seen, &[0.0125, 0.05, 0.45, 0.95, 0.9875, 1.0]);
}

/// Shares on the new answer while its weight rises evenly over `ramp`, one change a second.
fn ramp(mut resolvers: Resolvers, ramp: u32, times: &[u32]) -> Vec<f64> {
    let mut out = [0.0; 2];
    let mut seen = Vec::new();
    for second in 0..=times[times.len() - 1] {
        let at = Time::from_secs(f64::from(second));
        if second <= ramp {
            let new = f64::from(second) / f64::from(ramp);
            resolvers.set_answer(at, &[1.0 - new, new]);
        }
        if times.contains(&second) {
            seen.push(resolvers.share()[1]);
        }
        resolvers.advance(at, Time::from_secs(f64::from(second + 1)), &mut out);
    }
    seen
}

#[test]
fn ramps_of_any_length_follow_the_mean_of_the_last_time_to_live() {
    let hot = f64::INFINITY;
    let plain = class(0.0, 1.0, 0.0);
    near(
        &ramp(
            resolvers(300.0, &plain, hot),
            120,
            &[60, 120, 300, 360, 421],
        ),
        &[0.05, 0.2, 0.8, 0.95, 1.0],
    );
    near(
        &ramp(resolvers(60.0, &plain, hot), 60, &[30, 60, 90, 121]),
        &[0.125, 0.5, 0.875, 1.0],
    );
    // Seldom asked: (w + lT mean of w) / (1 + lT), at every change and not only the first.
    near(
        &ramp(resolvers(60.0, &plain, 0.01), 60, &[30, 60, 90, 121]),
        &[0.3594, 0.8125, 0.9531, 1.0],
    );
}

#[test]
fn an_application_reads_what_its_resolver_holds_by_then() {
    // Two layers smooth the ramp twice: the mean over 60 s of the mean over 10 s, 35 s late.
    let pinned = class(0.0, 1.0, 60.0);
    near(
        &ramp(
            resolvers(10.0, &pinned, f64::INFINITY),
            600,
            &[70, 300, 600, 671],
        ),
        &[35.0 / 600.0, 265.0 / 600.0, 565.0 / 600.0, 1.0],
    );
    // One that is asked seldom is asked by the application alone.
    near(
        &drain(
            resolvers(60.0, &class(0.0, 1.0, 30.0), 1e-9),
            &[0.0, 15.0, 30.0],
        ),
        &[1.0, 0.5, 0.0],
    );
}

#[test]
fn going_back_is_as_slow_as_going() {
    for (demand, half) in [(f64::INFINITY, 0.5), (0.01, 0.1875)] {
        let mut resolvers = resolvers(60.0, &class(0.0, 1.0, 0.0), demand);
        let mut out = [0.0; 2];
        let at = Time::from_secs;
        resolvers.set_answer(at(0.0), &[0.0, 1.0]);
        resolvers.advance(at(0.0), at(600.0), &mut out);
        resolvers.set_answer(at(600.0), &[1.0, 0.0]);
        resolvers.advance(at(600.0), at(630.0), &mut out);
        assert!(
            (resolvers.share()[1] - half).abs() < 0.012,
            "{:?}",
            resolvers.share()
        );
        resolvers.advance(at(630.0), at(661.0), &mut out);
        assert_eq!(resolvers.share(), [1.0, 0.0]);
        assert_eq!(resolvers.next_time(), Time::NEVER);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// One step or many: the same integral and the same end, and nobody is lost on the way.
    #[test]
    fn steps_of_any_length_agree(
        ttl in 0.0..100.0f64, pin in 0.0..50.0f64, violators in 0.0..1.0f64, demand in 0.0..1.0f64,
        spread in 0.0..3.0f64, changes in proptest::collection::vec((0.0..1.0f64, 1u32..60), 1..6),
    ) {
        let dns = Dns {
            ttl: Span::from_secs(ttl),
            propagation: Dist::Fixed(0.0),
            resolvers: 50,
            spread,
        };
        let stream = Stream::new(3, 0, "resolvers", "test");
        let devices = class(violators, 40.0, pin);
        let mut whole = Resolvers::new(&dns, &devices, demand, &[1.0, 0.0], stream);
        let mut parts = whole.clone();
        let (mut one, mut out) = ([0.0; 2], [0.0; 2]);
        let mut at = Time::ZERO;
        for (weight, secs) in changes {
            whole.set_answer(at, &[1.0 - weight, weight]);
            parts.set_answer(at, &[1.0 - weight, weight]);
            let begin = at;
            let mut sum = 0.0;
            for _ in 0..secs {
                let next = at + Span::from_secs(1.0);
                parts.advance(at, next, &mut out);
                proptest::prop_assert!((out[0] + out[1] - 1.0).abs() < 1e-9);
                sum += out[0];
                at = next;
            }
            whole.advance(begin, at, &mut one);
            proptest::prop_assert!((one[0] - sum / f64::from(secs)).abs() < 1e-9);
            proptest::prop_assert_eq!(whole.share(), parts.share());
            proptest::prop_assert_eq!(whole.weights.iter().sum::<u64>(), WHOLE);
        }
    }
}

#[test]
fn a_change_that_moves_nobody_costs_nothing() {
    let mut resolvers = resolvers(60.0, &class(0.1, 600.0, 0.0), f64::INFINITY);
    resolvers.set_answer(Time::ZERO, &[1.0, 0.0]);
    assert_eq!(resolvers.next_time(), Time::NEVER);
}

#[test]
fn the_mean_over_a_step_is_the_integral() {
    let mut whole = resolvers(60.0, &class(0.0, 1.0, 0.0), f64::INFINITY);
    whole.set_answer(Time::ZERO, &[0.0, 1.0]);
    let mut out = [0.0; 2];
    whole.advance(Time::ZERO, Time::from_secs(30.0), &mut out);
    assert!(
        (out[0] - 0.75).abs() < 0.01 && (out[0] + out[1] - 1.0).abs() < 1e-9,
        "{out:?}"
    );
    whole.advance(Time::from_secs(30.0), Time::from_secs(90.0), &mut out);
    assert_eq!(whole.share(), [0.0, 1.0]);
    assert_eq!(whole.next_time(), Time::NEVER);
}
