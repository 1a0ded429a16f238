//! What the control plane believes: late, partial, sometimes wrong.

use crate::model::scenario::{MarketId, RegionId};
use crate::units::Time;

/// What a policy may know when it decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// Now.
    pub now: Time,
    /// Per region, in the scenario's order.
    pub regions: Vec<RegionTelemetry>,
    /// Per market, in the scenario's order.
    pub markets: Vec<MarketTelemetry>,
    /// Drills that were announced and have not ended.
    pub announced: Vec<Announced>,
}

/// What is believed of a region.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionTelemetry {
    /// Whether enough observers call it dead; `None` when too few of them answer (the stated rule
    /// for missing data: it stays what it was, and nothing is ordered because of it).
    pub dead: Option<bool>,
    /// When that belief was formed.
    pub dead_since: Time,
    /// Requests that its instances in service can serve per second, at the mix of the last report.
    pub capacity: f64,
    /// The same for capacity that is dark.
    pub dark_capacity: f64,
    /// Requests per second that it served at the last report.
    pub load: f64,
    /// Share of its proxies that have the newest routes.
    pub routes_current: f64,
    /// Share of the planned warm-up that its caches have had, 1 when none was asked for.
    pub warmed: f64,
}

/// What is known of a market.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketTelemetry {
    /// Regions in the order in which geo DNS prefers them.
    pub near: Vec<RegionId>,
    /// Requests per second at the last report.
    pub load: f64,
    /// Weights that DNS was last told.
    pub dns: Vec<f64>,
    /// Index of the market.
    pub market: MarketId,
}

/// A drill that policies know of beforehand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Announced {
    /// The region that will be hit.
    pub region: RegionId,
    /// When.
    pub at: Time,
    /// When it ends.
    pub until: Time,
}
