use super::*;

fn settle(rate: f64, servers: &Servers) -> PoolState {
    let mut pool = Pool::default();
    let mut state = PoolState::default();
    for _ in 0..400 {
        state = pool.evaluate(rate, 50.0, servers);
        pool.commit(&state);
    }
    state
}

/// M/M/c/K by its balance equations.
fn exact(slots: usize, queue: usize, offered: f64) -> (f64, f64, f64) {
    let mut weights = vec![1.0];
    for n in 1..=slots + queue {
        let last: f64 = weights[n - 1];
        weights.push(last * offered / n.min(slots) as f64);
    }
    let all: f64 = weights.iter().sum();
    let refused = weights[slots + queue] / all;
    let accepted: f64 = weights[..slots + queue].iter().sum();
    let waits: f64 = weights[slots..slots + queue].iter().sum::<f64>() / accepted;
    let waiting = (0..=queue)
        .map(|j| j as f64 * weights[slots + j])
        .sum::<f64>()
        / all;
    (refused, waits, waiting)
}

#[test]
fn the_law_is_that_of_the_balance_equations() {
    for (slots, queue, offered) in [
        (1, 5, 0.7),
        (20, 20, 16.0),
        (20, 40, 20.0),
        (50, 10, 65.0),
        (200, 200, 190.0),
        (8, 0, 6.0),
        (30, 300, 40.0),
    ] {
        let law = Stationary::new(slots as f64, offered, queue as f64, 1.0);
        let (refused, waits, waiting) = exact(slots, queue, offered);
        assert!(
            (law.refused - refused).abs() < 1e-9,
            "{slots} {queue} {offered}: {} {refused}",
            law.refused
        );
        assert!(
            (law.waits - waits).abs() < 1e-9,
            "{slots} {queue} {offered}: {} {waits}",
            law.waits
        );
        assert!(
            (law.waiting - waiting).abs() < 1e-6 * (1.0 + waiting),
            "{slots} {queue} {offered}: {} {waiting}",
            law.waiting
        );
    }
}

/// Closed forms of M/M/c/K: `c`, `K`, arrivals at mean service 1, blocking, wait given accepted,
/// mean wait of accepted, mean busy.
#[test]
fn settled_pools_have_the_figures_of_mmck() {
    for (c, k, rate, blocked, waits, wait, busy) in [
        (10.0, 20.0, 9.0, 0.0295101, 0.5680014, 0.2639276, 8.7344094),
        (10.0, 30.0, 15.0, 0.3333521, 0.9997839, 1.8002125, 9.9997178),
        (1.0, 5.0, 0.9, 0.1260225, 0.7558057, 1.7902860, 0.7865797),
        (
            100.0, 150.0, 105.0, 0.0500099, 0.9610388, 0.3342179, 99.7489587,
        ),
    ] {
        let servers = Servers {
            slots: c,
            queue: k - c,
            mean_secs: 1.0,
            scv: 1.0,
        };
        let state = settle(rate, &servers);
        let got = [
            state.refused,
            state.wait.share,
            state.wait.mean(),
            state.busy,
        ];
        for (got, want) in got.iter().zip([blocked, waits, wait, busy]) {
            assert!((got / want - 1.0).abs() < 1e-5, "{c} {k}: {got} {want}");
        }
    }
}

#[test]
fn waits_follow_erlang_c() {
    // M/M/20 at 0.9, mean service 20 ms: P(wait) = 0.5508 by the recursion, mean C/(c mu - lambda).
    let servers = Servers {
        slots: 20.0,
        queue: 1e6,
        mean_secs: 0.02,
        scv: 1.0,
    };
    let state = settle(900.0, &servers);
    let mut b = 1.0;
    for n in 1..=20 {
        b = 18.0 * b / (n as f64 + 18.0 * b);
    }
    let c = b / (1.0 - 0.9 * (1.0 - b));
    assert!(
        (state.wait.share - c).abs() < 1e-6,
        "{} {c}",
        state.wait.share
    );
    assert!((state.wait.mean() - c / 100.0).abs() < 1e-6);
    assert!((state.wait.tail(0.01) - c * libm::exp(-1.0)).abs() < 1e-6);
}

#[test]
fn load_moves_everything_continuously_and_upwards() {
    let servers = Servers {
        slots: 400.0,
        queue: 400.0,
        mean_secs: 0.02,
        scv: 1.5,
    };
    let (mut last_refused, mut last_wait) = (0.0, 0.0);
    for i in 0..200 {
        let rate = 20_000.0 * (0.9 + 0.001 * i as f64);
        let state = settle(rate, &servers);
        assert!(state.refused >= last_refused - 1e-12);
        assert!(state.wait.mean() >= last_wait - 1e-9, "{i}");
        assert!(state.refused - last_refused < 0.003, "a jump at {i}");
        assert!(state.wait.mean() - last_wait < 0.1 * 0.02, "a jump at {i}");
        (last_refused, last_wait) = (state.refused, state.wait.mean());
    }
    assert!((last_refused - (1.0 - 1.0 / 1.099)).abs() < 1e-3);
}

#[test]
fn halving_the_step_changes_little_on_the_way_up_and_down() {
    let servers = Servers {
        slots: 100.0,
        queue: 1e5,
        mean_secs: 0.1,
        scv: 1.0,
    };
    let run = |dt: f64| {
        let (mut pool, mut sums) = (Pool::default(), (0.0, 0.0));
        let mut at = 0.0;
        while at < 60.0 - 1e-9 {
            let rate = if at < 20.0 { 1400.0 } else { 700.0 };
            let state = pool.evaluate(rate, dt, &servers);
            pool.commit(&state);
            sums.0 += state.wait.mean() * dt;
            sums.1 += state.busy * dt;
            at += dt;
        }
        sums
    };
    let (whole, half) = (run(2.0), run(1.0));
    assert!((whole.0 / half.0 - 1.0).abs() < 0.01, "{whole:?} {half:?}");
    assert!((whole.1 / half.1 - 1.0).abs() < 0.01, "{whole:?} {half:?}");
}

#[test]
fn what_arrives_is_served_refused_or_waits() {
    let servers = Servers {
        slots: 50.0,
        queue: 2000.0,
        mean_secs: 0.05,
        scv: 1.0,
    };
    let (mut pool, mut arrived, mut served, mut refused) = (Pool::default(), 0.0, 0.0, 0.0);
    for i in 0..300 {
        let rate = if i < 100 { 1500.0 } else { 600.0 };
        let state = pool.evaluate(rate, 1.0, &servers);
        pool.commit(&state);
        arrived += rate;
        refused += rate * state.refused;
        served += state.busy / 0.05;
    }
    assert!(
        ((served + refused) / arrived - 1.0).abs() < 0.01,
        "{served} {refused} {arrived}"
    );
}

/// Sums of what a pool did while its load goes through `(rate, seconds)`: seconds waited by all,
/// requests refused, served, arrived; and what is left in its queue.
fn totals(servers: &Servers, loads: &[(f64, f64)], dt: f64) -> [f64; 5] {
    let (mut pool, mut sums) = (Pool::default(), [0.0; 5]);
    for &(rate, secs) in loads {
        for _ in 0..(secs / dt).round() as u32 {
            let state = pool.evaluate(rate, dt, servers);
            pool.commit(&state);
            sums[0] += state.wait.mean() * rate * (1.0 - state.refused) * dt;
            sums[1] += state.refused * rate * dt;
            sums[2] += state.busy / servers.mean_secs * dt;
            sums[3] += rate * dt;
        }
    }
    sums[4] = pool.waiting;
    sums
}

/// Capacity 1000 per second.
fn thousand(queue: f64, scv: f64) -> Servers {
    Servers {
        slots: 100.0,
        queue,
        mean_secs: 0.1,
        scv,
    }
}

#[test]
fn nothing_is_lost_whatever_the_load_does() {
    for scv in [0.0, 1.0, 4.0] {
        for queue in [0.0, 30.0, 500.0, 1e5] {
            for loads in [
                [(1400.0, 20.0), (1050.0, 20.0), (700.0, 60.0)],
                [(1000.0, 60.0), (990.0, 60.0), (1010.0, 60.0)],
                [(3000.0, 10.0), (1001.0, 60.0), (0.0, 10.0)],
            ] {
                for dt in [0.01, 1.0] {
                    let [_, refused, served, arrived, left] =
                        totals(&thousand(queue, scv), &loads, dt);
                    let gone = served + refused + left;
                    assert!(
                        (gone / arrived - 1.0).abs() < 1e-3,
                        "{scv} {queue} {loads:?} {dt}: {gone} of {arrived}"
                    );
                }
            }
        }
    }
}

#[test]
fn halving_the_step_changes_little_whatever_the_load_does() {
    for loads in [
        [(1400.0, 20.0), (700.0, 40.0)],
        [(1050.0, 60.0), (900.0, 60.0)],
        [(980.0, 60.0), (1020.0, 60.0)],
    ] {
        for queue in [500.0, 1e5] {
            let servers = thousand(queue, 1.0);
            let (whole, half) = (totals(&servers, &loads, 2.0), totals(&servers, &loads, 1.0));
            for i in 0..3 {
                let close = (whole[i] - half[i]).abs() <= 0.01 * half[i] + 1.0;
                assert!(close, "{loads:?} {queue}: {whole:?} {half:?}");
            }
        }
    }
}

#[test]
fn waits_and_refusals_rise_with_load_without_a_jump() {
    for (slots, queue, scv) in [
        (400.0, 20.0, 4.0),
        (400.0, 400.0, 0.0),
        (30.0, 300.0, 1.0),
        (1000.0, 100.0, 2.5),
    ] {
        let servers = Servers {
            slots,
            queue,
            mean_secs: 0.02,
            scv,
        };
        let cap = queue * 0.02 / slots;
        let at = |load: f64| settle(slots * 50.0 * load, &servers);
        let mut last = at(0.9);
        for i in 1..300 {
            let state = at(0.9 + 0.001 * f64::from(i));
            let (refused, wait) = (state.refused, state.wait.mean());
            assert!(refused >= last.refused - 1e-9, "{i}: {servers:?}");
            assert!(wait >= last.wait.mean() - 1e-9, "{i}: {servers:?}");
            assert!(refused - last.refused < 0.004, "{i}: {servers:?}");
            assert!(wait - last.wait.mean() < 0.12 * cap, "{i}: {servers:?}");
            last = state;
        }
        let (below, above) = (at(1.0 - 1e-6), at(1.0 + 1e-6));
        for part in [0.0, 0.1, 0.5, 0.9] {
            let (a, b) = (below.wait.tail(part * cap), above.wait.tail(part * cap));
            assert!((a - b).abs() < 1e-3, "{part}: {a} {b} {servers:?}");
        }
    }
}

#[test]
fn no_slots_refuse_everything_and_no_load_does_nothing() {
    let none = Servers {
        slots: 0.0,
        queue: 10.0,
        mean_secs: 0.1,
        scv: 1.0,
    };
    assert_eq!(Pool::default().evaluate(5.0, 1.0, &none).refused, 1.0);
    let some = Servers { slots: 3.0, ..none };
    let idle = Pool::default().evaluate(0.0, 1.0, &some);
    assert_eq!((idle.refused, idle.busy), (0.0, 0.0));
}

#[test]
fn a_queue_that_fills_within_a_step_lets_the_first_in_time() {
    // 300/s are served, 3,000/s come: a second's patience is full after 0.11 s, the queue after 0.22.
    let servers = Servers {
        slots: 20.0,
        queue: 600.0,
        mean_secs: 20.0 / 300.0,
        scv: 1.0,
    };
    let in_time = |steps: u32| {
        let mut pool = Pool::default();
        let dt = 1.0 / f64::from(steps);
        let mut served = 0.0;
        for _ in 0..steps {
            let state = pool.evaluate(3000.0, dt, &servers);
            served += 3000.0 * dt * (1.0 - state.refused) * (1.0 - state.wait.tail(1.0));
            pool.commit(&state);
        }
        served
    };
    let fluid = 300.0 / 2700.0 * 3000.0;
    for steps in [1, 4, 100] {
        let got = in_time(steps);
        assert!((got / fluid - 1.0).abs() < 0.06, "{steps}: {got} {fluid}");
    }
    // Told that all will be served ten times as fast from now on, nobody waits for a second.
    let state = Pool::default().evaluate(3000.0, 1.0, &servers);
    assert_eq!(state.wait.told(1.0, &|_, secs| 0.1 * secs).tail(1.0), 0.0);
    assert_eq!(state.wait.longer(1.0).tail(1.0), 1.0);
}
