//! What truly happened in a window in a region; seen only by the experimenter, never by a policy.

use crate::model::domain::DomainObservation;
use crate::model::histogram::Histogram;
use crate::model::work::WorkObservation;

/// Counts of one window. They add up over windows and regions.
///
/// A request belongs to the region that served it, or refused it; one that no region answered
/// belongs to the region that it was sent to. A session belongs to the region whose edge it is
/// connected to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Starts that succeeded, by the viewer's final outcome, in the window in which it is known.
    pub starts_ok: u64,
    /// Starts that failed because of the service (given-up ones included).
    pub starts_failed: u64,
    /// Starts that failed for ambient reasons.
    pub starts_ambient: u64,
    /// Requests answered without an error (degraded ones included).
    pub answered_ok: u64,
    /// Of these, answered with a fallback.
    pub answered_degraded: u64,
    /// Requests answered with a 5xx, ambient ones included.
    pub answered_error: u64,
    /// Requests that reached the region from an edge or a device (expected).
    pub asked: f64,
    /// Of these, those that it failed, whether or not an edge then tried another region (expected).
    pub asked_failed: f64,
    /// Requests that got no answer.
    pub unreachable: u64,
    /// First attempts of requests.
    pub first_attempts: u64,
    /// Requests that failed for good, the client's retries folded in.
    pub failed_for_good: u64,
    /// Viewers playing, summed over the window in viewer-seconds.
    pub playing_secs: f64,
    /// Length of the window in seconds (per region that it was observed in).
    pub window_secs: f64,
    /// Playing sessions: the mean over the window; over several windows, the sum of their means.
    pub playing_sessions: f64,
    /// Playing sessions that stood still for any part of the window.
    pub stood_still: f64,
    /// Viewers who began to stand still because of the service.
    pub rebuffered: f64,
    /// Seconds that playing sessions stood still because of the service.
    pub stalled_secs: f64,
    /// Lookups in caches.
    pub cache_lookups: f64,
    /// Of these, hits.
    pub cache_hits: f64,
    /// Misses that were sent to a store.
    pub cache_fetches: f64,
    /// Lookups that failed because the store behind the cache refused.
    pub cache_failed: f64,
    /// Slot-seconds busy in services and proxies.
    pub busy_slot_secs: f64,
    /// Slot-seconds in service.
    pub slot_secs: f64,
    /// The largest mean utilisation of any pool of the region.
    pub hottest_pool: f64,
    /// Slot-seconds busy in pools behind caches.
    pub store_busy_secs: f64,
    /// Slot-seconds in service in pools behind caches.
    pub store_slot_secs: f64,
    /// What happened to each domain of data; empty where there is none.
    pub domains: Vec<DomainObservation>,
    /// What each worker did; empty where there is none.
    pub work: Vec<WorkObservation>,
    /// New connections that the load balancers were asked for; none where they have no limit.
    pub connections: f64,
    /// New connections that they could have taken.
    pub connection_limit: f64,
    /// Latency of answers without an error, from the first edge.
    pub latency: Histogram,
    /// From the viewer's click to the end of a successful start, retries included.
    pub start_delay: Histogram,
}

impl Observation {
    /// Adds another observation: of another window, or of another region in the same window.
    pub fn merge(&mut self, other: &Observation) {
        self.starts_ok += other.starts_ok;
        self.starts_failed += other.starts_failed;
        self.starts_ambient += other.starts_ambient;
        self.answered_ok += other.answered_ok;
        self.answered_degraded += other.answered_degraded;
        self.answered_error += other.answered_error;
        self.asked += other.asked;
        self.asked_failed += other.asked_failed;
        self.unreachable += other.unreachable;
        self.first_attempts += other.first_attempts;
        self.failed_for_good += other.failed_for_good;
        self.playing_secs += other.playing_secs;
        self.window_secs += other.window_secs;
        self.playing_sessions += other.playing_sessions;
        self.stood_still += other.stood_still;
        self.rebuffered += other.rebuffered;
        self.stalled_secs += other.stalled_secs;
        self.cache_lookups += other.cache_lookups;
        self.cache_hits += other.cache_hits;
        self.cache_fetches += other.cache_fetches;
        self.cache_failed += other.cache_failed;
        self.busy_slot_secs += other.busy_slot_secs;
        self.slot_secs += other.slot_secs;
        self.hottest_pool = self.hottest_pool.max(other.hottest_pool);
        self.store_busy_secs += other.store_busy_secs;
        self.store_slot_secs += other.store_slot_secs;
        if self.domains.len() < other.domains.len() {
            self.domains
                .resize(other.domains.len(), DomainObservation::default());
        }
        for (mine, theirs) in self.domains.iter_mut().zip(&other.domains) {
            mine.merge(theirs);
        }
        if self.work.len() < other.work.len() {
            self.work
                .resize(other.work.len(), WorkObservation::default());
        }
        for (mine, theirs) in self.work.iter_mut().zip(&other.work) {
            mine.merge(theirs);
        }
        self.connections += other.connections;
        self.connection_limit += other.connection_limit;
        self.latency.merge(&other.latency, 1.0);
        self.start_delay.merge(&other.start_delay, 1.0);
    }
}

/// A service level indicator: a fold over observations.
pub trait Sli: Sync {
    /// Name, as the contract has it.
    fn name(&self) -> &'static str;
    /// One line on what it measures.
    fn summary(&self) -> &'static str;
    /// How its values are printed.
    fn unit(&self) -> Unit;
    /// Which direction is better.
    fn better(&self) -> Better;
    /// Whether it is of a part that a scenario need not have; without the part it has no value.
    fn optional(&self) -> bool {
        false
    }
    /// Its value over merged windows; `None` where nothing was observed.
    fn measure(&self, observation: &Observation) -> Option<f64>;
}

/// How a value is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share, as a percentage.
    Share,
    /// A time, from seconds.
    Seconds,
    /// A plain number.
    Count,
    /// Minutes.
    Minutes,
    /// US dollars.
    Usd,
    /// US dollars per hour.
    UsdPerHour,
}

/// Which direction of an SLI is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}
