use super::*;
use crate::engine::stream::Stream;
use crate::units::Dist;

const STEP: f64 = 1.0;

fn life() -> Life {
    let age = Dist::Uniform {
        lo: 60.0,
        hi: 120.0,
    };
    Life::new(&age, 30.0, 10.0)
}

/// What a test sees of a step.
type See<'a> = &'a mut dyn FnMut(usize, &[u64], &[u64], u64);

/// Runs so many steps, with names that point as said at each second, and requests of `count` devices;
/// calls `see` after each step with: devices connected per region, requests per region, connections
/// opened.
fn run(
    seed: u64,
    count: u64,
    steps: usize,
    pointing: &dyn Fn(usize) -> Vec<f64>,
    broken: Option<usize>,
    see: See,
) {
    let life = life();
    let mut warm = Warm::new(&life, 1, 2, STEP);
    let stream = Stream::new(seed, 0, "test", "warm");
    let mut draws = stream.draws(u64::MAX, 0);
    let mut before = pointing(0);
    warm.begin(0, &life, count, &before, &mut draws);
    for step in 0..steps {
        let mut draws = stream.draws(step as u64, 0);
        let now = pointing(step);
        if broken == Some(step) {
            warm.break_off((0, 0), 1.0, &before, &mut draws);
        }
        warm.grow_older(&life, step as f64 * STEP, (step + 1) as f64 * STEP);
        warm.step(0, count, (&before, &now), &mut draws);
        let requests = sampling::poisson(&mut draws, count as f64 * STEP / life.think_secs());
        let shares: Vec<f64> = (0..2)
            .map(|r| warm.to_connect((0, r)))
            .chain((0..2).map(|r| warm.on_connection((0, r))))
            .collect();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let mut asked = vec![0; 4];
        sampling::multinomial(&mut draws, requests, &shares, &mut asked);
        let open = |warm: &Warm| [0, 1].map(|r| warm.connected((0, r)));
        let was: u64 = open(&warm).iter().sum();
        for r in 0..2 {
            warm.arrive((0, r), asked[r], false);
        }
        warm.settle(0, &life, STEP, &now, &mut draws);
        let is = open(&warm);
        let devices = &warm.markets[0];
        let all = is.iter().sum::<u64>() + devices.closed.iter().sum::<u64>();
        assert_eq!(all, count, "devices are neither made nor lost");
        let opened = is.iter().sum::<u64>() - was;
        see(
            step,
            &is,
            &[asked[0] + asked[2], asked[1] + asked[3]],
            opened,
        );
        before = now;
    }
}

/// The same devices one by one: connected to which region until when, names that flip at `flip`.
fn one_by_one(seed: u64, count: u64, at: &[f64], flip: f64, broken: Option<f64>) -> Vec<u64> {
    let (age, idle, think) = (
        Dist::Uniform {
            lo: 60.0,
            hi: 120.0,
        },
        30.0,
        10.0,
    );
    // Long before, so that all is in equilibrium.
    let start = -1000.0;
    let mut first = vec![0; at.len()];
    for i in 0..count {
        let mut draws = Stream::new(seed, 0, "test", "device").draws(i, 0);
        let mut now = start;
        // Region, opened at, maximum age, last use.
        let mut held: Option<(usize, f64, f64)> = None;
        let end = at[at.len() - 1];
        let mut seen = 0;
        while now <= end {
            let next = now + sampling::exponential(&mut draws, think);
            let until = held.map_or(f64::NEG_INFINITY, |(region, _, dies)| {
                let until: f64 = f64::min(dies, now + idle);
                match broken {
                    Some(broken) if region == 0 && now < broken => until.min(broken),
                    _ => until,
                }
            });
            while seen < at.len() && at[seen] < next {
                if held.is_some_and(|(region, ..)| region == 0) && at[seen] < until {
                    first[seen] += 1;
                }
                seen += 1;
            }
            if until < next {
                let region = usize::from(next >= flip);
                let dies = next + sampling::sample(&mut draws, &age);
                held = Some((region, next, dies));
            }
            now = next;
        }
    }
    first
}

fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// Counted together they have the law of devices followed one by one: mean and spread of those who
/// stay connected to the first region after its names are gone.
#[test]
fn a_drain_has_the_law_of_devices_one_by_one() {
    let at = [0.0, 20.0, 50.0, 90.0, 115.0];
    let (runs, count) = (300, 400);
    let mut counted = vec![Vec::new(); at.len()];
    let mut followed = vec![Vec::new(); at.len()];
    for seed in 0..runs {
        run(
            seed,
            count,
            120,
            &|_| vec![0.0, 1.0],
            None,
            &mut |_, _, _, _| {},
        );
        let flip = |step: usize| match step {
            0 => vec![1.0, 0.0],
            _ => vec![0.0, 1.0],
        };
        run(seed, count, 120, &flip, None, &mut |step, open, _, _| {
            if let Some(i) = at.iter().position(|&s| s == step as f64) {
                counted[i].push(open[0] as f64);
            }
        });
        // The count after step `s` is that of the moment `s + 1`; names flip at 1.
        let later: Vec<f64> = at.iter().map(|s| s + 1.0).collect();
        let seen = one_by_one(seed + 1000, count, &later, 1.0, None);
        for (list, n) in followed.iter_mut().zip(seen) {
            list.push(n as f64);
        }
    }
    for i in 0..at.len() {
        let ((a, sd_a), (b, sd_b)) = (mean_and_sd(&counted[i]), mean_and_sd(&followed[i]));
        let error = ((sd_a * sd_a + sd_b * sd_b) / runs as f64).sqrt();
        assert!(
            (a - b).abs() < 4.5 * error + 0.01 * b + 0.2,
            "after {} s: {a} counted, {b} followed, standard error {error}",
            at[i]
        );
        if b > 20.0 {
            let ratio = sd_a / sd_b;
            assert!(
                (0.8..1.25).contains(&ratio),
                "after {} s: {sd_a} {sd_b}",
                at[i]
            );
        }
    }
}

#[test]
fn a_calm_day_stays_in_equilibrium() {
    let life = life();
    let count = 100_000;
    let (mut open, mut opened, mut steps) = (0.0, 0.0, 0.0);
    run(
        1,
        count,
        400,
        &|_| vec![1.0, 0.0],
        None,
        &mut |_, here, _, new| {
            open += here[0] as f64;
            opened += new as f64;
            steps += 1.0;
        },
    );
    let want = life.open_share() * count as f64;
    assert!(
        (open / steps / want - 1.0).abs() < 0.005,
        "{} {want}",
        open / steps
    );
    let rate = life.opening_share() * count as f64 / life.think_secs();
    assert!(
        (opened / steps / rate - 1.0).abs() < 0.01,
        "{} {rate}",
        opened / steps
    );
}

#[test]
fn what_breaks_follows_names_with_the_next_request() {
    let mut asked = Vec::new();
    run(
        2,
        50_000,
        60,
        &|step| match step {
            0..30 => vec![1.0, 0.0],
            _ => vec![0.25, 0.75],
        },
        Some(30),
        &mut |_, open, requests, _| {
            asked.push((
                open[0],
                requests[0] as f64 / (requests[0] + requests[1]) as f64,
            ));
        },
    );
    assert_eq!(asked[29].1, 1.0);
    for (_, share) in &asked[30..] {
        assert!((share - 0.25).abs() < 0.03, "{share}");
    }
}

#[test]
fn devices_come_and_go_with_demand() {
    let life = life();
    let mut warm = Warm::new(&life, 1, 2, STEP);
    let stream = Stream::new(1, 0, "test", "demand");
    let pointing = [0.5, 0.5];
    warm.begin(0, &life, 1000, &pointing, &mut stream.draws(0, 0));
    for (step, count) in [(0, 1500), (1, 300), (2, 0), (3, 10)] {
        let mut draws = stream.draws(step + 1, 0);
        warm.grow_older(&life, step as f64, step as f64 + 1.0);
        warm.step(0, count, (&pointing, &pointing), &mut draws);
        let devices = &warm.markets[0];
        let open: u64 = devices.open.iter().flatten().map(|o| o.count).sum();
        assert_eq!(open + devices.closed.iter().sum::<u64>(), count);
        warm.settle(0, &life, 1.0, &pointing, &mut draws);
    }
}
