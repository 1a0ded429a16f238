//! The Pareto law between `min` and `max`: survival `((min/x)^alpha - c) / (1 - c)` with
//! `c = (min/max)^alpha`, the law conditioned to lie below the cut-off. `c` is 0 without one.

/// `E X^order`.
pub fn moment(min: f64, alpha: f64, max: f64, order: f64) -> f64 {
    if max <= min {
        return libm::pow(min, order);
    }
    let length = libm::log(max / min);
    alpha * libm::pow(min, order) * growth(order - alpha, length) / mass(min, alpha, max)
}

/// The probability of at most `x`.
pub fn cdf(min: f64, alpha: f64, max: f64, x: f64) -> f64 {
    if x < min {
        0.0
    } else if x >= max {
        1.0
    } else {
        -libm::expm1(-alpha * libm::log(x / min)) / mass(min, alpha, max)
    }
}

/// The `q`-quantile.
pub fn quantile(min: f64, alpha: f64, max: f64, q: f64) -> f64 {
    let unconditional = q * mass(min, alpha, max);
    (min * libm::exp(-libm::log1p(-unconditional) / alpha)).clamp(min, max.max(min))
}

/// `E min(X, t)` for a positive `t`.
pub fn restricted_mean(min: f64, alpha: f64, max: f64, t: f64) -> f64 {
    if t <= min {
        return t;
    }
    if max <= min {
        return min;
    }
    let end = t.min(max);
    let mass = mass(min, alpha, max);
    let beyond_cut = 1.0 - mass;
    let unconditional = min * growth(1.0 - alpha, libm::log(end / min));
    min + (unconditional - beyond_cut * (end - min)) / mass
}

/// The probability that the law without a cut-off gives to the values below it.
fn mass(min: f64, alpha: f64, max: f64) -> f64 {
    -libm::expm1(-alpha * libm::log(max / min))
}

/// `int_0^length exp(rate x) dx`, also where the rate is close to zero.
fn growth(rate: f64, length: f64) -> f64 {
    if length == f64::INFINITY {
        return if rate < 0.0 { -1.0 / rate } else { length };
    }
    let x = rate * length;
    if x.abs() < 1e-8 {
        return length * (1.0 + 0.5 * x);
    }
    libm::expm1(x) / rate
}
