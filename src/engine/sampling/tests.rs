//! Samplers against their exact laws, with fixed seeds: each bound is passed by a right sampler
//! with probability well above 0.9999 and was met once and for all when the seed was chosen.

use super::*;
use crate::engine::stream::Stream;

const DRAWS: u64 = 200_000;

/// `DRAWS` values, each from an own address.
fn values(name: &str, mut sampler: impl FnMut(&mut Draws) -> f64) -> Vec<f64> {
    let stream = Stream::new(20_260, 0, "sampling", name);
    (0..DRAWS)
        .map(|index| sampler(&mut stream.draws(index, 0)))
        .collect()
}

/// How many standard errors the sample's mean lies from `mean`.
fn z_of_mean(values: &[f64], mean: f64, variance: f64) -> f64 {
    let average = values.iter().sum::<f64>() / values.len() as f64;
    (average - mean) / (variance / values.len() as f64).sqrt()
}

/// How many standard errors the share of `true` lies from `p`.
fn z_of_share(values: &[f64], p: f64, event: impl Fn(f64) -> bool) -> f64 {
    let happened = values.iter().filter(|&&x| event(x)).count() as f64;
    let n = values.len() as f64;
    (happened - n * p) / (n * p * (1.0 - p)).sqrt()
}

/// Pearson's statistic of counts against probabilities of 0, 1, 2, ..., as standard deviations
/// from its mean; cells expecting fewer than 20 are put together.
fn z_of_chi_square(values: &[f64], ln_probability: impl Fn(f64) -> f64, up_to: u64) -> f64 {
    let mut observed = vec![0u64; up_to as usize + 1];
    for &value in values {
        observed[value as usize] += 1;
    }
    let n = values.len() as f64;
    let (mut statistic, mut cells) = (0.0, 0.0);
    let (mut count, mut expected) = (0.0, 0.0);
    for (k, &observed) in observed.iter().enumerate() {
        count += observed as f64;
        expected += n * libm::exp(ln_probability(k as f64));
        if expected >= 20.0 {
            statistic += (count - expected) * (count - expected) / expected;
            cells += 1.0;
            (count, expected) = (0.0, 0.0);
        }
    }
    (statistic - (cells - 1.0)) / (2.0 * (cells - 1.0f64)).sqrt()
}

#[test]
fn values_are_pinned() {
    let mut draws = Stream::new(1, 2, "pinned", "values").draws(3, 4);
    let mut parts = [0; 3];
    multinomial(&mut draws, 1_000_000, &[0.2, 0.5, 0.3], &mut parts);
    let text = format!(
        "{:?} {:?} {} {} {} {} {} {:?} {:?} {:?}",
        exponential(&mut draws, 2.0),
        normal(&mut draws),
        poisson(&mut draws, 3.0),
        poisson(&mut draws, 1e6),
        binomial(&mut draws, 20, 0.1),
        binomial(&mut draws, 1 << 40, 0.7),
        binomial(&mut draws, 1000, 0.25),
        parts,
        sample(
            &mut draws,
            &Dist::Lognormal {
                mu: 1.0,
                sigma: 0.5
            }
        ),
        sample(
            &mut draws,
            &Dist::Pareto {
                min: 60.0,
                alpha: 0.594,
                max: 86_400.0
            }
        ),
    );
    assert_eq!(
        text,
        "3.1245543368806206 0.09870415375210825 3 1001408 1 769658245002 241 \
         [199666, 500206, 300128] 3.1873604026763394 241.37796645100113"
    );
}

#[test]
fn edges_are_exact() {
    let mut draws = Stream::new(0, 0, "edges", "").draws(0, 0);
    for n in [0, 1, 17, 1 << 53] {
        assert_eq!(binomial(&mut draws, n, 0.0), 0);
        assert_eq!(binomial(&mut draws, n, -0.1), 0);
        assert_eq!(binomial(&mut draws, n, f64::NAN), 0);
        assert_eq!(binomial(&mut draws, n, 1.0), n);
        assert_eq!(binomial(&mut draws, n, 1.5), n);
        for p in [1e-300, 1e-16, 0.3, 0.5, 0.9, 1.0 - 1e-16] {
            assert!(binomial(&mut draws, n, p) <= n);
        }
    }
    assert_eq!(poisson(&mut draws, 0.0), 0);
    assert_eq!(poisson(&mut draws, -1.0), 0);
    assert_eq!(poisson(&mut draws, f64::NAN), 0);
    assert_eq!(poisson(&mut draws, 1e-300), 0);
    let most = poisson(&mut draws, f64::INFINITY) as f64;
    assert!((most / 2f64.powi(53) - 1.0).abs() < 1e-6);
}

#[test]
fn poisson_counts_follow_their_law() {
    for mean in [0.02, 0.7, 3.0, 9.99, 10.0, 12.5, 40.0, 333.0] {
        let counts = values("poisson", |draws| poisson(draws, mean) as f64);
        let largest = counts.iter().fold(0.0f64, |a, &b| a.max(b)) as u64;
        let z = z_of_chi_square(&counts, |k| mass::ln_poisson(k, mean), largest);
        assert!(z < 4.5, "{mean}: {z}");
        assert!(z_of_mean(&counts, mean, mean).abs() < 4.5, "{mean}");
        // The extremes, which Pearson's statistic hardly sees.
        let zero = libm::exp(-mean);
        if zero * (DRAWS as f64) > 10.0 {
            assert!(
                z_of_share(&counts, zero, |k| k == 0.0).abs() < 4.5,
                "{mean}"
            );
        }
        let high = (mean + 3.0 * mean.sqrt()).ceil();
        let tail = 1.0
            - (0..=high as u64)
                .map(|k| libm::exp(mass::ln_poisson(k as f64, mean)))
                .sum::<f64>();
        assert!(
            z_of_share(&counts, tail, |k| k > high).abs() < 4.5,
            "{mean}"
        );
    }
}

#[test]
fn large_poisson_counts_have_the_right_quartiles_and_spread() {
    for mean in [1e6, 1e9, 1e12] {
        let counts = values("large poisson", |draws| poisson(draws, mean) as f64);
        let scaled: Vec<f64> = counts.iter().map(|k| (k - mean) / mean.sqrt()).collect();
        follows_the_normal_law(&scaled, mean.sqrt().recip());
    }
}

#[test]
fn large_binomial_counts_have_the_right_quartiles_and_spread() {
    for (n, p) in [(10_000_000, 0.3), (1 << 40, 0.5), (1 << 50, 0.97)] {
        let mean = n as f64 * p;
        let deviation = (mean * (1.0 - p)).sqrt();
        let counts = values("large binomial", |draws| binomial(draws, n, p) as f64);
        let scaled: Vec<f64> = counts.iter().map(|k| (k - mean) / deviation).collect();
        follows_the_normal_law(&scaled, deviation.recip());
    }
}

/// `skew` bounds what a count's discreteness and skewness may shift probabilities by.
fn follows_the_normal_law(scaled: &[f64], skew: f64) {
    assert!(z_of_mean(scaled, 0.0, 1.0).abs() < 4.5);
    let squares: Vec<f64> = scaled.iter().map(|z| z * z).collect();
    assert!(z_of_mean(&squares, 1.0, 2.0).abs() < 4.5);
    for bound in [-3.0, -2.0, -0.6745, 0.0, 0.6745, 2.0, 3.0] {
        let p = standard_normal::cdf(bound);
        let z = z_of_share(scaled, p, |z| z <= bound);
        let slack = skew * (DRAWS as f64 / (p * (1.0 - p))).sqrt();
        assert!(z.abs() < 4.5 + slack, "{bound}: {z}");
    }
}

#[test]
fn binomial_counts_follow_their_law() {
    let cases = [
        (1, 0.4),
        (7, 0.5),
        (20, 0.49),
        (20, 0.5),
        (40, 0.25),
        (40, 0.75),
        (25, 0.4),
        (1000, 0.003),
        (1000, 0.02),
        (1000, 0.98),
        (5000, 0.5),
        (100_000_000, 3e-8),
    ];
    for (n, p) in cases {
        let counts = values("binomial", |draws| binomial(draws, n, p) as f64);
        let largest = counts.iter().fold(0.0f64, |a, &b| a.max(b)) as u64;
        let z = z_of_chi_square(&counts, |k| mass::ln_binomial(k, n as f64, p), largest);
        assert!(z < 4.5, "{n} {p}: {z}");
        let mean = n as f64 * p;
        assert!(
            z_of_mean(&counts, mean, mean * (1.0 - p)).abs() < 4.5,
            "{n} {p}"
        );
        for (k, ln_probability) in [
            (0.0, n as f64 * libm::log1p(-p)),
            (n as f64, n as f64 * libm::log(p)),
        ] {
            let probability = libm::exp(ln_probability);
            if probability * (DRAWS as f64) > 10.0 {
                let z = z_of_share(&counts, probability, |count| count == k);
                assert!(z.abs() < 4.5, "{n} {p}: {z}");
            }
        }
    }
}

#[test]
fn multinomial_parts_sum_up_and_keep_their_shares() {
    let shares = [0.0, 2.0, 1.0, 0.0, 5.0, 0.0];
    let stream = Stream::new(1, 0, "sampling", "multinomial");
    let mut first = Vec::new();
    let mut covariance = Vec::new();
    for index in 0..DRAWS {
        let mut parts = [0; 6];
        multinomial(&mut stream.draws(index, 0), 1000, &shares, &mut parts);
        assert_eq!(parts.iter().sum::<u64>(), 1000);
        assert_eq!([parts[0], parts[3], parts[5]], [0, 0, 0]);
        first.push(parts[1] as f64);
        covariance.push((parts[1] as f64 - 250.0) * (parts[4] as f64 - 625.0));
    }
    assert!(z_of_mean(&first, 250.0, 187.5).abs() < 4.5);
    // cov = -n p q; var of the product of two normals = s1 s2 + cov^2.
    let cov = -1000.0 * 0.25 * 0.625;
    let z = z_of_mean(&covariance, cov, 187.5 * 234.375 + cov * cov);
    assert!(z.abs() < 4.5, "{z}");
}

#[test]
fn values_follow_their_distribution_functions() {
    let cases = [
        Dist::Uniform { lo: 2.0, hi: 5.0 },
        Dist::Exponential { mean: 3.0 },
        Dist::Lognormal {
            mu: 1.0,
            sigma: 0.8,
        },
        Dist::Pareto {
            min: 1.0,
            alpha: 0.6,
            max: 1e4,
        },
        Dist::Pareto {
            min: 1.0,
            alpha: 3.5,
            max: f64::INFINITY,
        },
        Dist::Empirical(vec![1.0, 2.0, 4.0, 4.5, 10.0]),
        Dist::Sum(vec![Dist::Fixed(2.0), Dist::Exponential { mean: 3.0 }]),
        Dist::Sum(vec![
            Dist::Uniform { lo: 0.0, hi: 4.0 },
            Dist::Exponential { mean: 3.0 },
        ]),
        Dist::Mixture(vec![
            (1.0, Dist::Uniform { lo: 0.0, hi: 4.0 }),
            (0.0, Dist::Fixed(77.0)),
            (3.0, Dist::Exponential { mean: 9.0 }),
        ]),
    ];
    for dist in cases {
        let values = values("distribution", |draws| sample(draws, &dist));
        for q in [0.001, 0.05, 0.3, 0.5, 0.8, 0.97, 0.999] {
            let bound = law::quantile(&dist, q);
            let z = z_of_share(&values, q, |x| x <= bound);
            assert!(z.abs() < 4.5, "{dist:?} {q}: {z}");
        }
        if law::variance(&dist) < 1e4 {
            let z = z_of_mean(&values, law::mean(&dist), law::variance(&dist));
            assert!(z.abs() < 4.5, "{dist:?}: {z}");
        }
    }
}

#[test]
fn normal_values_follow_the_normal_law() {
    follows_the_normal_law(&values("normal", normal), 0.0);
}
