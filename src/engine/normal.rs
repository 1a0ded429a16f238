//! The standard normal law.

const CENTRE: ([f64; 8], [f64; 8]) = (
    [
        3.3871328727963665,
        133.14166789178438,
        1971.5909503065513,
        13731.69376550946,
        45921.95393154987,
        67265.7709270087,
        33430.57558358813,
        2509.0809287301227,
    ],
    [
        1.0,
        42.31333070160091,
        687.1870074920579,
        5394.196021424751,
        21213.794301586597,
        39307.89580009271,
        28729.085735721943,
        5226.495278852854,
    ],
);
const SHOULDER: ([f64; 8], [f64; 8]) = (
    [
        1.4234371107496835,
        4.630337846156546,
        5.769497221460691,
        3.6478483247632045,
        1.2704582524523684,
        0.2417807251774506,
        0.022723844989269184,
        0.0007745450142783414,
    ],
    [
        1.0,
        2.053191626637759,
        1.6763848301838038,
        0.6897673349851,
        0.14810397642748008,
        0.015198666563616457,
        0.0005475938084995345,
        1.0507500716444169e-09,
    ],
);
const TAIL: ([f64; 8], [f64; 8]) = (
    [
        6.657904643501103,
        5.463784911164114,
        1.7848265399172913,
        0.29656057182850487,
        0.026532189526576124,
        0.0012426609473880784,
        2.7115555687434876e-05,
        2.0103343992922881e-07,
    ],
    [
        1.0,
        0.599832206555888,
        0.1369298809227358,
        0.014875361290850615,
        0.0007868691311456133,
        1.8463183175100548e-05,
        1.421511758316446e-07,
        2.0442631033899397e-15,
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
