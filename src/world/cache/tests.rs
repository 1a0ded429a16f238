use super::*;

fn small(state: &CacheState) -> bool {
    match &state.law {
        Law::Window(window) => window.is_small(),
        Law::Held(_) => true,
    }
}

fn cache(objects: u64, zipf: f64, capacity: f64) -> Cache {
    Cache {
        objects,
        zipf,
        capacity,
        eviction: Eviction::Lru,
        ttl_secs: f64::INFINITY,
        renew_ttl: false,
        common: 0.0,
        coalesce: true,
        warm_secs: 0.0,
    }
}

/// Warm-up from empty and the steady state: the figures of Che's approximation for a million
/// objects, Zipf 0.9, 50,000 places, 20,000 requests per second.
#[test]
fn a_cold_cache_warms_as_distinct_objects_arrive() {
    let spec = cache(1_000_000, 0.9, 50_000.0);
    let catalogue = Catalogue::new(1e6, 0.9);
    let mut steady = [0.0];
    let mut state = CacheState::new(&spec, &catalogue, 1);
    state.steady_hit(&catalogue, &[20_000.0], &mut steady);
    assert!((steady[0] - 0.5542).abs() < 1e-3, "{steady:?}");
    for (secs, misses) in [
        (0.235_185_723, 3534.0),
        (0.940_742_892, 12_390.0),
        (2.351_857_23, 27_700.0),
    ] {
        for pieces in [1, 7] {
            let mut state = CacheState::new(&spec, &catalogue, 1);
            let mut sum = 0.0;
            let dt = secs / pieces as f64;
            for _ in 0..pieces {
                let counts = [20_000.0 * dt];
                let mut out = [0.0];
                state.misses(&catalogue, &counts, 1.0, dt, 0.0, &mut out);
                sum += out[0] * counts[0];
                state.commit(&catalogue, &counts, 1.0, dt, 0.0);
            }
            assert!((sum / misses - 1.0).abs() < 2e-3, "{secs} {pieces}: {sum}");
        }
    }
    for _ in 0..40 {
        state.commit(&catalogue, &[5000.0], 1.0, 0.25, 0.0);
    }
    let mut out = [0.0];
    state.misses(&catalogue, &[5000.0], 1.0, 0.25, 0.0, &mut out);
    assert!((1.0 - out[0] - 0.5542).abs() < 2e-3, "{out:?}");
}

#[test]
fn an_origin_that_fails_fills_nothing() {
    let spec = cache(20_000, 0.9, 1e9);
    let catalogue = Catalogue::new(20_000.0, 0.9);
    let mut state = CacheState::new(&spec, &catalogue, 1);
    state.commit(&catalogue, &[4000.0], 0.0, 1.0, 0.0);
    let mut out = [0.0];
    state.misses(&catalogue, &[1e-9], 1.0, 1.0, 0.0, &mut out);
    assert!((out[0] - 1.0).abs() < 1e-6);
}

/// Lookups per second, seconds, step and fetch time; fetches made by each of the times asked for.
fn fetches(spec: &Cache, rate: f64, dt: f64, fetch_secs: f64, times: &[f64]) -> Vec<f64> {
    let catalogue = Catalogue::new(spec.objects as f64, spec.zipf);
    let mut state = CacheState::new(spec, &catalogue, 1);
    let (mut at, mut made, mut out) = (0.0, 0.0, [0.0]);
    times
        .iter()
        .map(|&time| {
            while at < time - 1e-9 {
                let step = dt.min(time - at);
                let counts = [rate * step];
                state.misses(&catalogue, &counts, 1.0, step, fetch_secs, &mut out);
                state.commit(&catalogue, &counts, 1.0, step, fetch_secs);
                made += out[0] * counts[0];
                at += step;
                assert!(small(&state));
            }
            made
        })
        .collect()
}

/// Fetches from a cold start: `sum l min(t, L) + 1 - exp(-l (t - L)+)`, and merged
/// `sum 1 - exp(-l t)`.
#[test]
fn a_herd_of_misses_is_exact_for_any_step() {
    for (objects, zipf, rate, latency, times, apart, merged) in [
        (
            1000,
            0.9,
            2000.0,
            0.1,
            &[0.05, 0.1, 0.5, 2.0, 10.0][..],
            &[100.0, 200.0, 537.29549, 957.67332, 1195.31587][..],
            &[70.96096, 123.91333, 388.56579, 771.4933, 995.52194][..],
        ),
        (
            10_000,
            1.1,
            10_000.0,
            0.5,
            &[0.25, 1.0, 5.0],
            &[2500.0, 6342.876, 10_253.686],
            &[811.84382, 2161.91643, 5531.9355],
        ),
    ] {
        for dt in [0.003, 0.07, 0.5, 10.0] {
            for (coalesce, want) in [(false, apart), (true, merged)] {
                let spec = Cache {
                    coalesce,
                    ..cache(objects, zipf, 1e9)
                };
                let got = fetches(&spec, rate, dt, latency, times);
                for (got, want) in got.iter().zip(want) {
                    assert!(
                        (got / want - 1.0).abs() < 2e-3,
                        "{dt} {coalesce}: {got} {want}"
                    );
                }
            }
        }
    }
}

/// An origin that serves so many fetches per second while the rest fail: while it is overloaded
/// distinct objects fill at its capacity. Requests lost in all, and the hit ratio on the way.
#[test]
fn an_overloaded_origin_fills_the_cache_at_its_own_pace() {
    for (objects, zipf, rate, origin, lost_in_all, points) in [
        (
            20_000,
            0.9,
            5000.0,
            500.0,
            22_143.8,
            &[(1.24419, 0.41619), (6.22096, 0.64227), (18.66287, 0.84083)][..],
        ),
        (
            100_000,
            0.8,
            20_000.0,
            1500.0,
            236_412.2,
            &[(5.14661, 0.42903), (25.73304, 0.73762), (46.31948, 0.89446)],
        ),
    ] {
        let catalogue = Catalogue::new(objects as f64, zipf);
        for steps in [4, 1] {
            let mut state = CacheState::new(&cache(objects, zipf, 1e9), &catalogue, 1);
            let (mut lost, mut at, mut out) = (0.0, 0.0, [0.0]);
            for end in points.iter().map(|p| p.0).chain([80.0]) {
                let pieces = ((end - at) * f64::from(steps)).ceil();
                let dt = (end - at) / pieces;
                let counts = [rate * dt];
                for _ in 0..pieces as u32 {
                    let mut fetched = 1.0;
                    for _ in 0..60 {
                        state.misses(&catalogue, &counts, fetched, dt, 0.0, &mut out);
                        fetched = 0.5 * (fetched + (origin / (rate * out[0])).min(1.0));
                    }
                    lost += counts[0] * out[0] * (1.0 - fetched);
                    state.commit(&catalogue, &counts, fetched, dt, 0.0);
                }
                at = end;
                if let Some((_, hit)) = points.iter().find(|p| p.0 == end) {
                    state.misses(&catalogue, &[1e-9], 1.0, 1.0, 0.0, &mut out);
                    assert!((1.0 - out[0] - hit).abs() < 3e-3, "{end}: {out:?} {hit}");
                }
            }
            assert!((lost / lost_in_all - 1.0).abs() < 0.01, "{steps}: {lost}");
        }
    }
}

/// Closed forms: objects, Zipf, rate, time to live, hits from the fill and from the last use.
#[test]
fn times_to_live_have_their_steady_hits_and_are_reached() {
    for (objects, zipf, rate, ttl, filled, used) in [
        (10_000, 0.9, 1000.0, 60.0, 0.8880654, 0.9603184),
        (1000, 0.7, 50.0, 10.0, 0.4686042, 0.5562224),
        (100_000, 1.1, 5000.0, 300.0, 0.9588639, 0.9828416),
    ] {
        let catalogue = Catalogue::new(objects as f64, zipf);
        for (renew_ttl, want) in [(false, filled), (true, used)] {
            let spec = Cache {
                ttl_secs: ttl,
                renew_ttl,
                ..cache(objects, zipf, objects as f64)
            };
            let mut state = CacheState::new(&spec, &catalogue, 1);
            let mut out = [0.0];
            state.steady_hit(&catalogue, &[rate], &mut out);
            assert!((out[0] - want).abs() < 3e-4, "{out:?} {want}");
            let mut warm = state.clone();
            warm.warm(&catalogue, &[rate], 20.0 * ttl);
            for _ in 0..(20.0 * ttl) as u32 {
                state.commit(&catalogue, &[rate], 1.0, 1.0, 0.0);
            }
            for state in [state, warm] {
                state.misses(&catalogue, &[rate], 1.0, 1.0, 0.0, &mut out);
                assert!((1.0 - out[0] - want).abs() < 1e-3, "{out:?} {want}");
            }
        }
    }
}

/// Che's figures and the fixed point of random replacement.
#[test]
fn full_caches_have_their_steady_hits() {
    for (objects, zipf, rate, capacity, lru, random) in [
        (100, 0.8, 100.0, 20.0, 0.4311132, 0.3848482),
        (300, 1.0, 1000.0, 60.0, 0.6404401, 0.5815078),
        (1_000_000, 0.9, 20_000.0, 50_000.0, 0.5541504, 0.5167211),
        (100_000, 1.2, 5000.0, 2000.0, 0.8377654, 0.8101318),
    ] {
        let catalogue = Catalogue::new(objects as f64, zipf);
        for (eviction, want) in [(Eviction::Lru, lru), (Eviction::Random, random)] {
            let spec = Cache {
                eviction,
                ..cache(objects, zipf, capacity)
            };
            let mut state = CacheState::new(&spec, &catalogue, 1);
            let mut out = [0.0];
            state.steady_hit(&catalogue, &[rate], &mut out);
            assert!((out[0] - want).abs() < 1e-4, "{eviction:?} {out:?} {want}");
            state.warm(&catalogue, &[rate], 86_400.0);
            for _ in 0..3 {
                state.commit(&catalogue, &[rate], 1.0, 1.0, 0.0);
                state.misses(&catalogue, &[rate], 1.0, 1.0, 0.0, &mut out);
                assert!(
                    (1.0 - out[0] - want).abs() < 1e-3,
                    "{eviction:?} {out:?} {want}"
                );
            }
        }
    }
}

#[test]
fn the_mix_may_change_every_second_for_hours() {
    let catalogue = Catalogue::new(100_000.0, 0.9);
    let mut state = CacheState::new(&cache(100_000, 0.9, 80_000.0), &catalogue, 2);
    let (mut steady, mut out) = ([0.0; 2], [0.0; 2]);
    state.steady_hit(&catalogue, &[300.0, 100.0], &mut steady);
    for second in 0..7200_u32 {
        let sway = 50.0 * f64::from(second % 3) - 50.0;
        let lookups = [300.0 + sway, 100.0 - sway];
        state.commit(&catalogue, &lookups, 1.0, 1.0, 0.0);
        assert!(small(&state));
    }
    state.misses(&catalogue, &[300.0, 100.0], 1.0, 1.0, 0.0, &mut out);
    for m in 0..2 {
        assert!(
            (1.0 - out[m] - steady[m]).abs() < 3e-3,
            "{out:?} {steady:?}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// A share is a share, whatever is asked of whatever cache.
    #[test]
    fn misses_are_shares(
        objects in 1u64..1_000_000_000, zipf in 0.0..3.0f64, part in 1e-6..2.0f64, lru: bool,
        ttl in proptest::option::of(0.01..1e5f64), renew_ttl: bool, coalesce: bool,
        common in 0.0..1.0f64, dt in 1e-6..100.0f64, fetch in 0.0..20.0f64,
        steps in proptest::collection::vec((0.0..1e6f64, 0.0..1e6f64, 0.0..1.0f64), 1..8),
    ) {
        let spec = Cache {
            eviction: if lru { Eviction::Lru } else { Eviction::Random },
            ttl_secs: ttl.unwrap_or(f64::INFINITY),
            renew_ttl,
            coalesce,
            common,
            ..cache(objects, zipf, part * objects as f64)
        };
        let catalogue = Catalogue::new(objects as f64, zipf);
        let mut state = CacheState::new(&spec, &catalogue, 2);
        let mut out = [0.0; 2];
        for (a, b, fetched) in steps {
            let counts = [a * dt, b * dt];
            state.misses(&catalogue, &counts, fetched, dt, fetch, &mut out);
            proptest::prop_assert!(out.iter().all(|m| (-1e-9..=1.0 + 1e-9).contains(m)), "{:?}", out);
            state.commit(&catalogue, &counts, fetched, dt, fetch);
            proptest::prop_assert!(small(&state));
        }
    }
}

#[test]
fn a_newcomer_pushes_others_out_and_both_settle() {
    let spec = cache(100_000, 0.9, 60_000.0);
    let catalogue = Catalogue::new(100_000.0, 0.9);
    let mut state = CacheState::new(&spec, &catalogue, 2);
    state.warm(&catalogue, &[5000.0, 0.0], 1e6);
    let mut steady = [0.0; 2];
    state.steady_hit(&catalogue, &[5000.0, 5000.0], &mut steady);
    let (mut out, mut last) = ([0.0; 2], 1.0);
    for _ in 0..600 {
        state.misses(&catalogue, &[5000.0, 5000.0], 1.0, 1.0, 0.0, &mut out);
        state.commit(&catalogue, &[5000.0, 5000.0], 1.0, 1.0, 0.0);
        assert!(out[1] <= last + 5e-3, "{last} {out:?}");
        last = out[1];
    }
    assert!(
        (1.0 - out[0] - steady[0]).abs() < 5e-3,
        "{out:?} {steady:?}"
    );
    assert!(
        (1.0 - out[1] - steady[1]).abs() < 5e-3,
        "{out:?} {steady:?}"
    );
    assert!(small(&state));
}
