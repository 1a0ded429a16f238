//! What the control plane asks for: slow, refusable, losable.

use crate::model::policy::Phase;
use crate::model::scenario::{MarketId, RegionId};

/// A request of a policy to the actuator.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Of the traffic that enters at `from`, serve the share `shares[r]` in region `r`. Shares sum
    /// to one. It reaches each proxy after its own poll delay.
    SetRoutes {
        /// Region whose edge the traffic enters.
        from: RegionId,
        /// Per market: share per serving region. All markets, in the scenario's order.
        shares: Vec<Vec<f64>>,
    },
    /// Answer the market's DNS questions with these weights per region, which sum to one.
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
