//! The standard normal law.

const CENTRE: ([f64; 8], [f64; 8]) = (
    [
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ],
    [
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ],
);
const SHOULDER: ([f64; 8], [f64; 8]) = (
    [
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ],
    [
        1.0,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ],
);
const TAIL: ([f64; 8], [f64; 8]) = (
    [
        6.65790464350110377720e0,
        5.46378491116411436990e0,
        1.78482653991729133580e0,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ],
    [
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ],
);

/// The value below which a standard normal lies with probability `q`: -inf at 0, inf at 1.
/// Relative error about 1e-15.
///
/// Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
/// Statistics 37 (1988), <https://doi.org/10.2307/2347330>.
pub fn quantile(q: f64) -> f64 {
    let from_centre = q - 0.5;
    if from_centre.abs() <= 0.425 {
        return from_centre * ratio(&CENTRE, 0.180625 - from_centre * from_centre);
    }
    let outside = if from_centre < 0.0 { q } else { 1.0 - q };
    if outside <= 0.0 {
        return from_centre.signum() * f64::INFINITY;
    }
    let depth = (-libm::log(outside)).sqrt();
    let magnitude = if depth <= 5.0 {
        ratio(&SHOULDER, depth - 1.6)
    } else {
        ratio(&TAIL, depth - 5.0)
    };
    magnitude * from_centre.signum()
}

/// The probability that a standard normal is at most `z`.
pub fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

fn ratio((above, below): &([f64; 8], [f64; 8]), x: f64) -> f64 {
    let polynomial = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    polynomial(above) / polynomial(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let known = [
            (0.9, 1.2815515655446006),
            (0.975, 1.9599639845400538),
            (0.995, 2.5758293035489004),
            (0.9995, 3.290526731491926),
            (0.5, 0.0),
        ];
        for (q, z) in known {
            assert!((quantile(q) - z).abs() < 1e-12, "{q}");
            assert!((quantile(1.0 - q) + z).abs() < 1e-12, "{q}");
        }
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(quantile(1.0), f64::INFINITY);
    }

    #[test]
    fn the_distribution_function_undoes_the_quantile() {
        // Down to the smallest number that a uniform draw can give, through all three pieces.
        for i in 1..=53 {
            let q = 0.5f64.powi(i);
            let back = cdf(quantile(q));
            assert!((back / q - 1.0).abs() < 1e-13, "2^-{i}: {back}");
        }
    }
}
