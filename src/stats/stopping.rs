//! When an interval is narrow enough.

/// How wide half of an interval may be, relative to its estimate, so that the estimate is within
/// `tolerance` of the true value: what is not known cannot be what the width is related to.
///
/// Law, "Simulation Modeling and Analysis", 5th ed., section 9.4.1.
pub fn relative_half_width(tolerance: f64) -> f64 {
    tolerance / (1.0 + tolerance)
}
