use super::*;
use proptest::prelude::*;

fn close(got: f64, exact: f64, tolerance: f64) {
    let error = (got - exact).abs();
    assert!(
        error <= tolerance * exact.abs().max(1.0),
        "{got} is not {exact}"
    );
}

fn uniform(lo: f64, hi: f64) -> Dist {
    Dist::Uniform { lo, hi }
}

fn exponential(mean: f64) -> Dist {
    Dist::Exponential { mean }
}

fn pareto(min: f64, alpha: f64, max: f64) -> Dist {
    Dist::Pareto { min, alpha, max }
}

/// One of every kind, among them laws without mean or variance.
fn kinds() -> Vec<Dist> {
    vec![
        Dist::Fixed(3.0),
        uniform(1.0, 4.0),
        uniform(2.0, 2.0),
        exponential(5.0),
        Dist::Lognormal {
            mu: 1.0,
            sigma: 0.5,
        },
        Dist::Lognormal {
            mu: 1.0,
            sigma: 0.0,
        },
        pareto(2.0, 3.0, f64::INFINITY),
        pareto(2.0, 0.594, f64::INFINITY),
        pareto(60.0, 0.594, 86_400.0),
        pareto(1.0, 1.0, 50.0),
        pareto(1.0, 2.0, 50.0),
        Dist::Empirical(vec![1.0, 2.0, 2.0, 5.0]),
        Dist::Empirical(vec![4.0]),
        Dist::Sum(vec![Dist::Fixed(2.0), exponential(3.0)]),
        Dist::Sum(vec![uniform(0.0, 1.0), exponential(3.0), uniform(1.0, 2.0)]),
        Dist::Mixture(vec![(0.5, exponential(1.0)), (0.25, Dist::Fixed(3.0))]),
    ]
}

#[test]
fn quantiles_undo_probabilities() {
    for dist in kinds() {
        for i in 1..40 {
            let q = f64::from(i) / 40.0;
            let x = quantile(&dist, q);
            let jump_above = cdf(&dist, x * (1.0 + 1e-9));
            let jump_below = cdf(&dist, x * (1.0 - 1e-9));
            assert!(jump_above >= q - 1e-9, "{dist:?} {q}");
            assert!(jump_below <= q + 1e-9, "{dist:?} {q}");
        }
    }
}

#[test]
fn moments_are_the_integrals_of_quantiles() {
    // The quantiles of a general sum are too slow for this.
    let slow = |dist: &Dist| matches!(dist, Dist::Sum(parts) if parts.len() > 2);
    let all = kinds().into_iter();
    for dist in all.filter(|dist| !slow(dist) && variance(dist) < 1e9) {
        // Midpoints, finer and finer towards the tail: q = 1 - (1 - u)^3.
        let n = 20_000;
        let (mut first, mut second) = (0.0, 0.0);
        for i in 0..n {
            let rest = 1.0 - (f64::from(i) + 0.5) / f64::from(n);
            let weight = 3.0 * rest.powi(2) / f64::from(n);
            let x = quantile(&dist, 1.0 - rest.powi(3));
            first += weight * x;
            second += weight * x * x;
        }
        let spread = second - first * first;
        assert!(
            (mean(&dist) / first - 1.0).abs() < 1e-4,
            "{dist:?}: {first}"
        );
        assert!(
            (variance(&dist) - spread).abs() < 2e-2 * variance(&dist).max(0.01),
            "{dist:?}: {spread}"
        );
    }
}

#[test]
fn the_residual_law_is_the_integral_of_the_survival() {
    for dist in kinds().into_iter().filter(|dist| mean(dist) < 1e9) {
        let t = 1.3 * quantile(&dist, 0.4);
        let n = 4000;
        let step = t / f64::from(n);
        let integral: f64 = (0..n)
            .map(|i| step * (1.0 - cdf(&dist, (f64::from(i) + 0.5) * step)))
            .sum();
        let exact = 1.0 - integral / mean(&dist);
        assert!(
            (residual_survival(&dist, t) - exact).abs() < 5e-4,
            "{dist:?}"
        );
        assert_eq!(residual_survival(&dist, 0.0), 1.0);
        assert!(residual_survival(&dist, 1e9) < 1e-3, "{dist:?}");
    }
}

#[test]
fn residual_laws_in_closed_form() {
    // An exponential law has no memory; a fixed one leaves a uniform rest; without a cut-off a
    // Pareto leaves a Pareto with an index one less.
    close(
        residual_survival(&exponential(3.0), 6.0),
        (-2.0f64).exp(),
        1e-14,
    );
    close(residual_survival(&Dist::Fixed(4.0), 1.0), 0.75, 1e-15);
    close(residual_survival(&Dist::Fixed(4.0), 5.0), 0.0, 1e-15);
    let got = residual_survival(&pareto(2.0, 3.0, f64::INFINITY), 8.0);
    close(got, (1.0 / 3.0) * (2.0f64 / 8.0).powi(2), 1e-14);
    let no_mean = pareto(2.0, 0.9, f64::INFINITY);
    assert_eq!(mean(&no_mean), f64::INFINITY);
    assert_eq!(residual_survival(&no_mean, 1e9), 1.0);
}

#[test]
fn pareto_moments() {
    let uncut = pareto(2.0, 3.0, f64::INFINITY);
    close(mean(&uncut), 3.0, 1e-14);
    close(variance(&uncut), 3.0, 1e-13);
    assert_eq!(variance(&pareto(1.0, 1.5, f64::INFINITY)), f64::INFINITY);
    // alpha = 1: density 1/x^2 / (1 - 1/50).
    close(mean(&pareto(1.0, 1.0, 50.0)), 50f64.ln() / 0.98, 1e-13);
    // Close to the singular index nothing jumps.
    let beside = mean(&pareto(1.0, 1.0 + 1e-10, 50.0));
    close(beside, 50f64.ln() / 0.98, 1e-8);
}

#[test]
fn sums_agree_with_closed_forms() {
    // Erlang of three stages.
    let erlang = Dist::Sum(vec![exponential(2.0); 3]);
    for x in [0.1, 1.0, 4.0, 10.0, 30.0] {
        let r: f64 = x / 2.0;
        let exact = 1.0 - (-r).exp() * (1.0 + r + r * r / 2.0);
        close(cdf(&erlang, x), exact, 1e-5);
        // int_0^x S = sum over the stages of 2 P(Erlang_k <= x)
        let two = 1.0 - (-r).exp() * (1.0 + r);
        let one = 1.0 - (-r).exp();
        let residual = 1.0 - (one + two + exact) / 3.0;
        close(residual_survival(&erlang, x), residual, 1e-5);
    }
    // Two uniforms make a triangle, far from zero too.
    let triangle = Dist::Sum(vec![
        uniform(100.0, 101.0),
        Dist::Fixed(7.0),
        uniform(0.0, 1.0),
    ]);
    close(cdf(&triangle, 107.5), 0.125, 1e-5);
    close(cdf(&triangle, 108.0), 0.5, 1e-5);
    close(cdf(&triangle, 108.9), 1.0 - 0.005, 1e-5);
    assert_eq!(cdf(&triangle, 106.9), 0.0);
    close(cdf(&triangle, 109.1), 1.0, 1e-12);
    close(quantile(&triangle, 0.5), 108.0, 1e-5);
    assert_eq!(quantile(&triangle, 0.0), 107.0);
    assert_eq!(quantile(&triangle, 1.0), 109.0);
    // A narrow part beside a wide one, each a sum of its own.
    let narrow = Dist::Lognormal {
        mu: 3.0,
        sigma: 0.01,
    };
    let nested = Dist::Sum(vec![
        Dist::Sum(vec![narrow.clone(), Dist::Fixed(1.0)]),
        exponential(50.0),
    ]);
    let at: f64 = 60.0;
    let exact = (0..2000)
        .map(|i| {
            cdf(
                &exponential(50.0),
                at - 1.0 - quantile(&narrow, (f64::from(i) + 0.5) / 2000.0),
            )
        })
        .sum::<f64>()
        / 2000.0;
    close(cdf(&nested, at), exact, 1e-5);
}

#[test]
fn sums_of_mixtures_agree_with_closed_forms() {
    // Each part is 0 or exponential: nothing, one stage or two.
    let part = Dist::Mixture(vec![(0.5, Dist::Fixed(0.0)), (0.5, exponential(2.0))]);
    let both = Dist::Sum(vec![part.clone(), part.clone()]);
    for x in [0.5f64, 2.0, 8.0] {
        let one = 1.0 - (-x / 2.0).exp();
        let two = 1.0 - (-x / 2.0).exp() * (1.0 + x / 2.0);
        close(cdf(&both, x), 0.25 + 0.5 * one + 0.25 * two, 1e-5);
    }
    let deep = (0..6).fold(part.clone(), |inner, _| {
        Dist::Mixture(vec![
            (0.5, Dist::Sum(vec![inner, part.clone()])),
            (0.5, part.clone()),
        ])
    });
    let deep = Dist::Sum(vec![deep.clone(), part]);
    close(cdf(&deep, 1e4), 1.0, 1e-9);
    assert!(cdf(&deep, 3.0) < 0.9);
}

proptest! {
    #[test]
    fn distribution_functions_rise_from_zero_to_one(
        which in 0usize..16, a in 0.0f64..1.2, b in 0.0f64..1.2
    ) {
        let dist = &kinds()[which];
        let scale = quantile(dist, 0.99);
        let (lo, hi) = (a.min(b) * scale, a.max(b) * scale);
        let (below, above) = (cdf(dist, lo), cdf(dist, hi));
        prop_assert!(0.0 <= below && below <= above + 1e-9 && above <= 1.0);
        let (early, late) = (residual_survival(dist, lo), residual_survival(dist, hi));
        prop_assert!(1.0 >= early && early >= late - 1e-9 && late >= 0.0);
    }
}
