//! What the control plane asks for: slow, refusable, losable.

use crate::model::policy::Phase;
use crate::model::scenario::{MarketId, RegionId, ServiceId};

/// A request of a policy to the actuator.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Of the traffic in the policy's scope that enters at `from`, serve the share `shares[r]` in region `r`. Shares sum
    /// to one. It reaches each proxy after its own poll delay.
    SetRoutes {
        /// Region whose edge the traffic enters.
        from: RegionId,
        /// Per market: share per serving region. All markets, in the scenario's order.
        shares: Vec<Vec<f64>>,
    },
    /// Answer the market's DNS questions, for names in the policy's scope, with these weights per region, which sum to one.
    SetDns {
        /// The market.
        market: MarketId,
        /// Weight per region.
        weights: Vec<f64>,
    },
    /// Put a region's dark capacity into service.
    ActivateDark {
        /// The region.
        region: RegionId,
    },
    /// Take the dark capacity that was called back out of rotation.
    ReleaseDark {
        /// The region.
        region: RegionId,
    },
    /// Bring a service to so many instances in a region. Only what is missing is launched: nothing
    /// is ever taken out of service by it.
    Scale {
        /// The region.
        region: RegionId,
        /// The service.
        service: ServiceId,
        /// Instances wanted in service.
        instances: u64,
    },
    /// Forbid the autoscaler of a region to take instances out of service, or allow it again.
    FreezeScaleIn {
        /// The region.
        region: RegionId,
        /// On or off.
        on: bool,
    },
    /// Fill the caches of `region` with what `market` will ask for.
    Prewarm {
        /// Region whose caches are filled.
        region: RegionId,
        /// Market whose objects are fetched.
        market: MarketId,
    },
    /// Stop cross-region retries from and to the region.
    Isolate {
        /// The region.
        region: RegionId,
        /// On or off.
        on: bool,
    },
    /// A label for reports: the region's failover enters a phase.
    EnterPhase {
        /// The affected region.
        region: RegionId,
        /// The phase.
        phase: Phase,
    },
}
