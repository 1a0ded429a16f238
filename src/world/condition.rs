//! What is impaired at a moment, derived from the set of active episodes: overlaps compose, and with
//! no episode active the condition is pristine.

use crate::model::episode::Impairment;
use crate::model::scenario::{MarketId, RegionId, ServiceId};

/// The world's condition. It is a function of the set of active impairments alone, so it does not
/// matter in which order they came and went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    active: Vec<Impairment>,
}

/// How badly a service works in a region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Degradation {
    /// Requests take so many times longer.
    pub slowness: f64,
    /// Share of requests answered with an error.
    pub errors: f64,
}

impl Degradation {
    /// It works as it should.
    pub const NONE: Degradation = Degradation {
        slowness: 1.0,
        errors: 0.0,
    };
}

impl Condition {
    /// The condition under these impairments.
    pub fn of<'a>(active: impl IntoIterator<Item = &'a Impairment>) -> Condition {
        Condition {
            active: active.into_iter().cloned().collect(),
        }
    }

    /// Whether nothing is impaired.
    pub fn pristine(&self) -> bool {
        self.active.is_empty()
    }

    /// Whether a region is dark, and then whether connections hang: if any impairment makes them.
    pub fn dark(&self, region: RegionId) -> Option<bool> {
        self.any_hang(|i| match i {
            Impairment::RegionDark { region: hit, hang } if *hit == region => Some(*hang),
            _ => None,
        })
    }

    /// Whether a zone is down, and then whether connections hang.
    pub fn zone_down(&self, region: RegionId, zone: usize) -> Option<bool> {
        self.any_hang(|i| match i {
            Impairment::ZoneDown {
                region: r,
                zone: z,
                hang,
            } if (*r, *z) == (region, zone) => Some(*hang),
            _ => None,
        })
    }

    fn any_hang(&self, hit: impl Fn(&Impairment) -> Option<bool>) -> Option<bool> {
        self.active.iter().filter_map(hit).reduce(|a, b| a || b)
    }

    /// How badly a service works in a region: times multiply, and errors are independent.
    pub fn degraded(&self, region: RegionId, service: ServiceId) -> Degradation {
        self.degradation(region, service, false)
    }

    /// The same, as far as health checks and probes see it.
    pub fn seen_degraded(&self, region: RegionId, service: ServiceId) -> Degradation {
        self.degradation(region, service, true)
    }

    fn degradation(&self, region: RegionId, service: ServiceId, seen_only: bool) -> Degradation {
        let (mut slowness, mut good) = (1.0, 1.0);
        for impairment in &self.active {
            if let Impairment::Degraded {
                region: r,
                service: s,
                slowness: times,
                errors,
                seen,
            } = impairment
                && r.is_none_or(|r| r == region)
                && s.is_none_or(|s| s == service)
                && (*seen || !seen_only)
            {
                slowness *= times;
                good *= 1.0 - errors;
            }
        }
        Degradation {
            slowness,
            errors: 1.0 - good,
        }
    }

    /// Whether any two regions are cut off from each other.
    pub fn any_cut(&self) -> bool {
        let cut = |i: &Impairment| matches!(i, Impairment::Partition { .. });
        self.active.iter().any(cut)
    }

    /// Whether no traffic passes between two regions.
    pub fn cut(&self, one: RegionId, other: RegionId) -> bool {
        self.active.iter().any(|i| match i {
            Impairment::Partition { a, b } => (*a, *b) == (one, other) || (*b, *a) == (one, other),
            _ => false,
        })
    }

    /// How much longer the replication of a domain from a region takes: (times, plus seconds).
    pub fn lag(&self, domain: usize, sender: RegionId) -> (f64, f64) {
        let (mut times, mut plus) = (1.0, 0.0);
        for impairment in &self.active {
            if let Impairment::ReplicationLagged {
                domain: d,
                from,
                factor,
                extra_secs,
            } = impairment
                && d.is_none_or(|d| d == domain)
                && from.is_none_or(|r| r == sender)
            {
                times *= factor;
                plus += extra_secs;
            }
        }
        (times, plus)
    }

    /// Whether the replication of a domain from a region stands still.
    pub fn replication_broken(&self, domain: usize, sender: RegionId) -> bool {
        self.active.iter().any(|i| match i {
            Impairment::ReplicationBroken { domain: d, from } => {
                d.is_none_or(|d| d == domain) && from.is_none_or(|r| r == sender)
            }
            _ => false,
        })
    }

    /// Share of an edge's proxies that answer nothing: the shares of several are independent.
    pub fn edge_failed(&self, region: RegionId) -> f64 {
        let left = self.active.iter().map(|i| match i {
            Impairment::EdgeFailed { region: r, share } if *r == region => 1.0 - share,
            _ => 1.0,
        });
        1.0 - left.product::<f64>()
    }

    /// Share of a region's load balancer capacity that is left: the scarcest impairment decides.
    pub fn balancer_share(&self, region: RegionId) -> f64 {
        let left = self.active.iter().map(|i| match i {
            Impairment::BalancerLimited { region: r, share } if *r == region => *share,
            _ => 1.0,
        });
        left.fold(1.0, f64::min)
    }

    /// Whether changes of DNS take no effect.
    pub fn dns_stuck(&self) -> bool {
        self.active.contains(&Impairment::DnsStuck)
    }

    /// Whether no order is carried out.
    pub fn control_down(&self) -> bool {
        self.active.contains(&Impairment::ControlDown)
    }

    /// Whether the control plane hears nothing at all.
    pub fn hears_nothing(&self) -> bool {
        let all = Impairment::ControlBlind { region: None };
        self.active.contains(&all)
    }

    /// Whether the control plane hears nothing of a region.
    pub fn hears_nothing_of(&self, region: RegionId) -> bool {
        self.active.iter().any(|i| match i {
            Impairment::ControlBlind { region: r } => r.is_none_or(|r| r == region),
            _ => false,
        })
    }

    /// Whether nothing can be launched in a region.
    pub fn launches_blocked(&self, region: RegionId) -> bool {
        self.active.iter().any(|i| match i {
            Impairment::LaunchesBlocked { region: r } => r.is_none_or(|r| r == region),
            _ => false,
        })
    }

    /// How badly media come in a market: (stalls so many times as frequent, share of starts that
    /// fail in addition).
    pub fn cdn(&self, market: MarketId) -> (f64, f64) {
        let (mut times, mut good) = (1.0, 1.0);
        for impairment in &self.active {
            if let Impairment::CdnImpaired {
                market: m,
                stalls,
                start_failure,
            } = impairment
                && m.is_none_or(|m| m == market)
            {
                times *= stalls;
                good *= 1.0 - start_failure;
            }
        }
        (times, 1.0 - good)
    }
}
