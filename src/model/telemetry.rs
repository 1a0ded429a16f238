//! What the control plane believes: late, partial, sometimes wrong.

use crate::model::action::Action;
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
    /// Drills that were announced and have not ended, and drills that were aborted.
    pub announced: Vec<Announced>,
    /// What was asked for and did not happen: it was refused, or reached nobody. Each is told now and
    /// then, until something else is ordered for the same thing.
    pub undone: Vec<Action>,
}

/// What is believed of a region.
///
/// An SLI is of the last window that was reported, and `None` where nothing was reported: no traffic,
/// no metrics, or nobody who listens. The stated rule for that is the one of `dead`: what is missing
/// changes nothing.
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
    /// Whether it is to be evacuated although it is not dead: an SLI crossed the policy's limit, a
    /// guard of an incident was breached, or a person said so.
    pub failing: bool,
    /// Share of what was asked of it that it failed or nobody answered, what an edge then tried in
    /// another region included.
    pub error_rate: Option<f64>,
    /// 99th percentile of its latency, in seconds.
    pub latency_p99_secs: Option<f64>,
    /// Share of its eligible starts that succeeded.
    pub start_success: Option<f64>,
    /// The largest mean utilisation of any of its pools.
    pub utilisation: Option<f64>,
    /// Share of its planned instances that are in service, of the service that has least.
    pub booted: f64,
    /// Whether the data in it have caught up with the other regions'.
    pub replicated: bool,
    /// Whether whoever decides has agreed to send traffic back to it.
    pub may_return: bool,
    /// Per service, in the scenario's order; empty unless the policy pre-scales or freezes scale-in
    /// and something in the region can be scaled.
    pub services: Vec<ServiceTelemetry>,
}

impl Default for RegionTelemetry {
    /// A healthy region in which nothing goes on.
    fn default() -> Self {
        RegionTelemetry {
            dead: Some(false),
            dead_since: Time::ZERO,
            capacity: 0.0,
            dark_capacity: 0.0,
            load: 0.0,
            routes_current: 1.0,
            warmed: 1.0,
            failing: false,
            error_rate: None,
            latency_p99_secs: None,
            start_success: None,
            utilisation: None,
            booted: 1.0,
            replicated: true,
            may_return: true,
            services: Vec::new(),
        }
    }
}

/// What is believed of a service in a region.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServiceTelemetry {
    /// Instances in service.
    pub in_service: f64,
    /// Instances that it may have at most; what cannot be scaled has what it has.
    pub most: f64,
}

/// What is known of a market.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MarketTelemetry {
    /// Regions in the order in which geo DNS prefers them.
    pub near: Vec<RegionId>,
    /// Requests per second at the last report.
    pub load: f64,
    /// Of these, the ones out of the policy's scope: they are served where they enter.
    pub stays: f64,
    /// Weights that DNS was last told, for names in the policy's scope.
    pub dns: Vec<f64>,
    /// Weights that DNS has in normal times; empty: not known.
    pub planned: Vec<f64>,
    /// Index of the market.
    pub market: MarketId,
    /// Per region, whether the market may be served there at all; regions beyond the list may.
    pub may: Vec<bool>,
    /// Estimate of the instances per service that its present load takes, wherever it is served;
    /// empty unless the policy pre-scales.
    pub need: Vec<f64>,
    /// Of these, what requests out of the policy's scope take; empty: nothing.
    pub need_stays: Vec<f64>,
}

/// A drill that policies know of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Announced {
    /// The region that will be hit.
    pub region: RegionId,
    /// When.
    pub at: Time,
    /// When it ends.
    pub until: Time,
    /// Whether it was aborted: what was done for it is to be undone at once.
    pub aborted: bool,
}
