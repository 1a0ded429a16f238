//! An impairment with a beginning and an end. The world derives its condition from the set of
//! active episodes, so overlapping ones compose, and when the last one ends the world is pristine.

use crate::model::scenario::{MarketId, RegionId, ServiceId};
use crate::units::Time;

/// Something is impaired from `from` until `until`.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// When it begins.
    pub from: Time,
    /// When it ends (`Time::NEVER`: after the horizon). What happens at one instant ends when it
    /// begins.
    pub until: Time,
    /// What is impaired.
    pub impairment: Impairment,
    /// When policies are told, if they are.
    pub announced: Option<Time>,
    /// Number of the fault in the scenario's list that it belongs to.
    pub fault: usize,
}

/// What is impaired. `None` for a region, service or market means all of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Impairment {
    /// Nothing in the region answers.
    RegionDark {
        /// The region.
        region: RegionId,
        /// Connections hang instead of being refused.
        hang: bool,
    },
    /// Every instance in a zone is dead; they stay in rotation until health checks find out.
    ZoneDown {
        /// The region.
        region: RegionId,
        /// Number of the zone, from 0.
        zone: usize,
        /// Connections hang instead of being refused.
        hang: bool,
    },
    /// At one instant, instances die; they stay in rotation until health checks find out.
    InstancesKilled {
        /// The region.
        region: RegionId,
        /// The service.
        service: ServiceId,
        /// How many.
        count: u64,
    },
    /// A service works badly in a region.
    Degraded {
        /// The region.
        region: Option<RegionId>,
        /// The service.
        service: Option<ServiceId>,
        /// Requests take so many times longer.
        slowness: f64,
        /// Share of requests answered with an error.
        errors: f64,
        /// Whether health checks and probes see it; a gray failure is not seen.
        seen: bool,
    },
    /// At one instant, caches in front of a service lose what they hold.
    CacheFlushed {
        /// The region.
        region: Option<RegionId>,
        /// The service whose calls go through the caches.
        service: Option<ServiceId>,
    },
    /// Replication takes longer.
    ReplicationLagged {
        /// Number of the domain.
        domain: Option<usize>,
        /// Region that sends.
        from: Option<RegionId>,
        /// Times so much.
        factor: f64,
        /// Plus so many seconds.
        extra_secs: f64,
    },
    /// Nothing is replicated.
    ReplicationBroken {
        /// Number of the domain.
        domain: Option<usize>,
        /// Region that sends.
        from: Option<RegionId>,
    },
    /// A share of the proxies of an edge answers nothing.
    EdgeFailed {
        /// The region in front of which it stands.
        region: RegionId,
        /// The share.
        share: f64,
    },
    /// The load balancers of a region take a share of what they should.
    BalancerLimited {
        /// The region.
        region: RegionId,
        /// The share that is left.
        share: f64,
    },
    /// Changes of DNS take no effect until it ends.
    DnsStuck,
    /// No order is carried out.
    ControlDown,
    /// Nothing is known of a region, or of any: no probe is heard of, no report arrives.
    ControlBlind {
        /// The region.
        region: Option<RegionId>,
    },
    /// No instance can be launched.
    LaunchesBlocked {
        /// The region.
        region: Option<RegionId>,
    },
    /// No traffic passes between two regions.
    Partition {
        /// One of them.
        a: RegionId,
        /// The other.
        b: RegionId,
    },
    /// Media come badly: sessions stall more often, and starts fail, for reasons outside the service.
    CdnImpaired {
        /// The market.
        market: Option<MarketId>,
        /// Ambient stalls are so many times as frequent.
        stalls: f64,
        /// Share of starts that fail in addition.
        start_failure: f64,
    },
    /// More viewers come than usual.
    DemandSurge {
        /// The market.
        market: Option<MarketId>,
        /// So many times as many.
        factor: f64,
    },
}

impl Impairment {
    /// Whether it happens at one instant.
    pub fn momentary(&self) -> bool {
        matches!(
            self,
            Impairment::InstancesKilled { .. } | Impairment::CacheFlushed { .. }
        )
    }

    /// Whether it hits a region directly, so that what breaks there is no cascade. `nearest` gives
    /// the region in which a market is served on a calm day.
    pub fn hits(&self, region: RegionId, nearest: impl Fn(MarketId) -> RegionId) -> bool {
        match *self {
            Impairment::Partition { a, b } => region == a || region == b,
            Impairment::Degraded { region: hit, .. }
            | Impairment::CacheFlushed { region: hit, .. }
            | Impairment::LaunchesBlocked { region: hit }
            | Impairment::ReplicationLagged { from: hit, .. }
            | Impairment::ReplicationBroken { from: hit, .. } => {
                hit.is_none_or(|hit| hit == region)
            }
            Impairment::CdnImpaired { market, .. } | Impairment::DemandSurge { market, .. } => {
                market.is_none_or(|market| nearest(market) == region)
            }
            Impairment::DnsStuck | Impairment::ControlDown | Impairment::ControlBlind { .. } => {
                false
            }
            _ => self.region() == Some(region),
        }
    }

    /// The region that can be left because of it: an announced drill may be evacuated beforehand.
    pub fn evacuable(&self) -> Option<RegionId> {
        match *self {
            Impairment::RegionDark { region, .. }
            | Impairment::EdgeFailed { region, .. }
            | Impairment::BalancerLimited { region, .. } => Some(region),
            Impairment::Degraded { region, .. } => region,
            _ => None,
        }
    }

    /// The region that it hits directly, if it is one.
    pub fn region(&self) -> Option<RegionId> {
        match *self {
            Impairment::RegionDark { region, .. }
            | Impairment::ZoneDown { region, .. }
            | Impairment::InstancesKilled { region, .. }
            | Impairment::EdgeFailed { region, .. }
            | Impairment::BalancerLimited { region, .. } => Some(region),
            Impairment::Degraded { region, .. }
            | Impairment::CacheFlushed { region, .. }
            | Impairment::LaunchesBlocked { region } => region,
            _ => None,
        }
    }
}
