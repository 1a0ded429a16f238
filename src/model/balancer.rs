//! Limits of load balancers.

use crate::units::Span;

/// How many new connections the load balancers of each region take, and how they scale.
#[derive(Clone, Debug)]
pub struct BalancerLimits {
    /// Share beyond the new connections per second of the region's busiest planned hour.
    pub headroom: f64,
    /// New connections per second instead of a headroom.
    pub limit: Option<f64>,
    /// With a headroom, the balancers take at least so many per second.
    pub least: f64,
    /// From this use on they scale.
    pub scale_above: f64,
    /// Factor of the limit each time.
    pub scale_factor: f64,
    /// How long use is above before they scale, and again.
    pub scale_after: Span,
}
