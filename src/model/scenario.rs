//! A validated scenario: what exists, what happens to it, and what is asked of it.
//!
//! Entities refer to each other by index ([`RegionId`] and friends); all lists are sorted by name
//! when a scenario is loaded, so the order of declarations changes nothing. Rates are per second.

pub use crate::model::balancer::BalancerLimits;
use crate::model::domain::Domain;
use crate::model::fidelity::Fidelity;
use crate::model::measure::{Claim, Threshold};
use crate::model::money::{Budget, Prices};
use crate::model::policy::Knobs;
use crate::model::request::Request;
use crate::model::series::Series;
use crate::model::work::Worker;
use crate::units::{Dist, Span, Time};

/// Index of a region in [`Scenario::regions`].
pub type RegionId = usize;
/// Index of a market in [`Scenario::markets`].
pub type MarketId = usize;
/// Index of a service in [`Scenario::services`].
pub type ServiceId = usize;

/// A whole scenario with one policy.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Short name: the file's stem or the built-in name.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// The question that the scenario asks.
    pub question: String,
    /// How traffic is computed.
    pub fidelity: Fidelity,
    /// How much of itself it was shrunk to; 1: it is whole.
    pub scale: f64,
    /// End of the simulation.
    pub horizon: Span,
    /// Longest step while anything moves.
    pub step: Span,
    /// Window of the SLIs.
    pub sample: Span,
    /// How long every objective must hold before a region counts as recovered.
    pub sustain: Span,
    /// Time of day at the beginning, UTC, in seconds since midnight.
    pub start_of_day_secs: f64,
    /// Regions that take no traffic while all is well, and are ready to.
    pub standby: Vec<RegionId>,
    /// Regions that take none, and are not.
    pub unused: Vec<RegionId>,
    /// Factor on all demand.
    pub demand: f64,
    /// Regions, sorted by name.
    pub regions: Vec<Region>,
    /// Round trip between regions, in seconds: `rtt[a][b]`, zero on the diagonal.
    pub rtt_secs: Vec<Vec<f64>>,
    /// Bytes per second that the link between two regions carries, both directions together; infinite
    /// where it has no limit, and empty where none has one.
    pub link_capacity: Vec<Vec<f64>>,
    /// Markets, sorted by name.
    pub markets: Vec<Market>,
    /// Device classes, sorted by name; their shares sum to one.
    pub devices: Vec<DeviceClass>,
    /// Names to addresses.
    pub dns: Dns,
    /// The edge in front of the regions.
    pub edge: Edge,
    /// Limit of the load balancers in front of the proxies; `None`: there is none.
    pub balancer: Option<BalancerLimits>,
    /// Services, sorted by name.
    pub services: Vec<Service>,
    /// Services in an order in which callers come before those they call.
    pub call_order: Vec<ServiceId>,
    /// What the provider lets a region launch.
    pub launches: Launches,
    /// What a client asks for, and when; sorted by name.
    pub requests: Vec<Request>,
    /// Domains of data, sorted by name.
    pub domains: Vec<Domain>,
    /// Playing sessions; `None` where nothing streams.
    pub session: Option<Session>,
    /// What fails on a calm day.
    pub ambient: Ambient,
    /// Who watches and decides.
    pub control: Control,
    /// Common shocks between replications.
    pub variation: Variation,
    /// What goes wrong, in order of its beginning.
    pub faults: Vec<Fault>,
    /// Thresholds per window.
    pub objectives: Vec<Objective>,
    /// Claims about a whole replication.
    pub hypotheses: Vec<Hypothesis>,
    /// What things cost.
    pub prices: Prices,
    /// What may fail in a month.
    pub budget: Budget,
    /// The failover policy: name and knobs.
    pub policy: PolicyChoice,
    /// Inputs that are drawn once per replication, by path.
    pub uncertain: Vec<Uncertain>,
    /// Every input that the user or a default gave, with what is known of its origin.
    pub inputs: Vec<Input>,
}

impl Scenario {
    /// The kinds of plain requests and their shares, which sum to one; none where every start makes
    /// all requests of a start.
    pub fn mix(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let requests = self.requests.iter().enumerate();
        requests.filter_map(|(q, request)| Some((q, request.share?)))
    }

    /// Eligible starts that may fail in the window of the error budget.
    pub fn allowed_failures(&self) -> f64 {
        let usual = |market: &Market| market.starts * market.mean_factor();
        let per_sec = self.demand * self.markets.iter().map(usual).sum::<f64>();
        let eligible = per_sec * (1.0 - self.ambient.start_failure);
        eligible * self.budget.window.secs() * (1.0 - self.budget.target)
    }
}

/// A region.
#[derive(Clone, Debug)]
pub struct Region {
    /// Name.
    pub name: String,
    /// Number of zones.
    pub zones: usize,
    /// Share of the load that each zone gets while all are up; they sum to one. Empty: every instance
    /// gets the same, whatever its zone.
    pub zone_weights: Vec<f64>,
}

/// Where viewers are.
#[derive(Clone, Debug)]
pub struct Market {
    /// Name.
    pub name: String,
    /// Regions in the order in which geo DNS prefers them; the others follow by name. Regions that
    /// may not serve the market are left out.
    pub near: Vec<RegionId>,
    /// The only regions that may serve the market (licences, residency); `None`: all.
    pub may: Option<Vec<RegionId>>,
    /// Session starts (or plain requests, where nothing streams) per second at the busiest hour.
    pub starts: f64,
    /// Shape of the day: factors of `starts` at the beginning of equal parts of the local day, read
    /// linearly between; one value is a constant rate. The largest is 1.
    pub profile: Vec<f64>,
    /// Or an analytic shape, `1 + amplitude * sin(2 pi t / period + phase)` times `starts`, `t` from
    /// the beginning of the scenario.
    pub wave: Option<Wave>,
    /// Or measured rates, on the scenario's clock.
    pub series: Option<Series>,
    /// Local time minus UTC, in seconds.
    pub utc_offset_secs: f64,
    /// Round trip between viewers and the nearest edge.
    pub rtt_secs: f64,
}

/// A sinusoidal rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wave {
    /// Relative amplitude, 0 to 1.
    pub amplitude: f64,
    /// Period in seconds.
    pub period_secs: f64,
    /// Phase in radians.
    pub phase: f64,
}

/// A class of devices that differ in stickiness and in how they retry.
#[derive(Clone, Debug)]
pub struct DeviceClass {
    /// Name.
    pub name: String,
    /// Share of every market's devices.
    pub share: f64,
    /// Whether it bypasses the edge and talks to its region directly.
    pub direct: bool,
    /// Share of resolvers that keep an answer beyond its TTL, and for how long after a change.
    pub violators: Violators,
    /// The application re-reads the resolver so often and keeps the answer meanwhile; zero: it
    /// follows the resolver.
    pub pin: Span,
    /// Life of a connection that is kept busy, from opening to its forced closing.
    pub connection_age: Dist,
    /// An unused connection closes after this.
    pub connection_idle: Span,
    /// Mean time between two requests of a plain user, who keeps a connection meanwhile; `None`: every
    /// request opens its own.
    pub think: Option<Span>,
    /// A client gives up on an attempt that is not answered after this; the work goes on unless the
    /// service cancels it.
    pub timeout: Span,
    /// Attempts per request as the viewer's client makes them: one try and the rest retries.
    pub attempts: u32,
    /// First wait between attempts.
    pub backoff_base: Span,
    /// Factor from wait to wait.
    pub backoff_factor: f64,
    /// Longest wait.
    pub backoff_cap: Span,
    /// Each wait is multiplied by a uniform factor in `1 - jitter ..= 1 + jitter`.
    pub jitter: f64,
    /// Retries allowed as a share of first attempts (a token bucket); infinite: no limit.
    pub retry_budget: f64,
    /// Whether attempts that succeed put tokens into the bucket, instead of first attempts.
    pub retry_by_success: bool,
    /// Retries that a full bucket holds, for all devices of the class in a market together; it is full
    /// at the beginning. `None`: ten seconds of what first attempts put in, and empty at the beginning.
    pub retry_burst: Option<f64>,
    /// Nothing is retried while a larger share of the class's attempts of the last ten seconds failed;
    /// 1: never held back.
    pub retry_breaker: f64,
    /// After so many failed attempts in a row the next region's own host name is used; 0: never.
    pub fallback_after: u32,
}

/// Resolvers that outlive the TTL.
#[derive(Clone, Debug)]
pub struct Violators {
    /// Their share (by weight).
    pub share: f64,
    /// Time from a change of the answer until such a resolver asks anew.
    pub stale: Dist,
}

/// Authoritative DNS and the resolvers.
#[derive(Clone, Debug)]
pub struct Dns {
    /// Time to live of an answer.
    pub ttl: Span,
    /// Time from a change at the provider until the authoritative servers give the new answer.
    pub propagation: Dist,
    /// Number of resolvers per market and device class.
    pub resolvers: usize,
    /// Spread of how many devices a resolver serves: sigma of the lognormal law of its weight.
    pub spread: f64,
}

/// The L7 edge.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Whether it stands above the regions and survives one.
    pub global: bool,
    /// Slots of one proxy instance.
    pub slots: u32,
    /// Time that a request keeps a slot of a proxy busy.
    pub time: Dist,
    /// CPU time of a new connection's TLS handshake.
    pub handshake_secs: f64,
    /// Spare share of proxy capacity, as a service's headroom.
    pub headroom: f64,
    /// A pushed route reaches a proxy after this delay, each its own.
    pub poll: Dist,
    /// What a refused connection costs before the proxy knows.
    pub refuse_secs: f64,
    /// What a hanging connection costs before the proxy gives up.
    pub connect_timeout_secs: f64,
    /// Most requests that one proxy has in flight to one origin; `None`: no limit.
    pub origin_limit: Option<u32>,
    /// Who takes what enters at an edge of which no proxy answers.
    pub backup: Backup,
    /// From then on until the backup route is taken.
    pub backup_after: Span,
    /// Health check of a proxy by the load balancers of its edge: interval and failures in a row until
    /// they send it no new connections.
    pub health_interval: Span,
    /// See `health_interval`.
    pub health_threshold: u32,
    /// Bytes of a request and its answer that are proxied to another region.
    pub bytes: f64,
}

/// The route around an edge that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backup {
    /// There is none.
    None,
    /// The edge of the next region in each market's `near` order.
    Region,
    /// Straight to the region's services: no routes, no retries.
    Direct,
}

/// A pool of instances in every zone of every region.
#[derive(Clone, Debug)]
pub struct Service {
    /// Name.
    pub name: String,
    /// The only regions that have it; `None`: all. Calls from others go to the nearest of them.
    pub regions: Option<Vec<RegionId>>,
    /// Requests that one instance serves at once.
    pub slots: u32,
    /// Time that a request keeps a slot busy, in seconds.
    pub time: Dist,
    /// Waiting requests per instance before the next is refused.
    pub queue: u32,
    /// Who has waited so long in the queue is refused; `None`: waits as long as it takes.
    pub queue_timeout: Option<Dist>,
    /// Whether it drops what waits when whoever asked has given up; otherwise that is served all the
    /// same, for nobody.
    pub cancel: bool,
    /// In service at the busiest planned hour: `(1 + headroom)` times the busy slots.
    pub headroom: f64,
    /// Further share of the same base, booted and out of rotation.
    pub dark: f64,
    /// Instead of `headroom`: CPU that it may reach when any one other region is lost.
    pub after_loss: Option<f64>,
    /// Share of what it would take over that a region which stands by keeps in service.
    pub standby: f64,
    /// Or a fixed number of instances per region, instead of `headroom`.
    pub instances: Option<u32>,
    /// From the order to put a dark instance into rotation until it takes requests.
    pub activation: Dist,
    /// From power to ready, for an instance that starts anew.
    pub boot: Dist,
    /// A new instance is slower for so long.
    pub slow_start: Span,
    /// How many times longer a request takes on an instance that has just started.
    pub slow_factor: f64,
    /// Health check of an instance by its balancer: interval and failures in a row until it is out.
    pub health_interval: Span,
    /// See `health_interval`.
    pub health_threshold: u32,
    /// Health checks take out at most this share of a pool; when more look dead, none is out.
    pub eject_most: f64,
    /// From an instance being ready, or being taken out, until all its callers know.
    pub discovery: Dist,
    /// Whether it can be brought to another size at all.
    pub scalable: bool,
    /// How its size follows its load; `None`: it does not.
    pub scaling: Option<Scaling>,
    /// Price of an hour of one instance beyond the plan, in USD; `None`: that of [`Prices`]. Planned
    /// ones are cheaper in the same proportion as there.
    pub price_per_hour: Option<f64>,
    /// Bytes of a call from another region and its answer.
    pub bytes: f64,
    /// A backlog instead of callers; `None`: it answers requests and calls.
    pub worker: Option<Worker>,
    /// What it calls.
    pub calls: Vec<Call>,
}

/// Target tracking: the size of a pool follows its CPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// CPU (busy slots / slots) that it keeps to.
    pub target: f64,
    /// It is left alone while its CPU is within this share of the target.
    pub tolerance: f64,
    /// Age of the CPU that it reads.
    pub delay: Span,
    /// Time between evaluations.
    pub interval: Span,
    /// After instances were added, no more are added for so long.
    pub cooldown_out: Span,
    /// After any change, none is taken out for so long.
    pub cooldown_in: Span,
    /// Largest share of the wanted instances that is added at once.
    pub step_out: f64,
    /// Largest share of the wanted instances that is taken out at once.
    pub step_in: f64,
    /// Fewest instances.
    pub least: u32,
    /// Most instances, as a multiple of those planned for the busiest hour.
    pub most: f64,
    /// Whether it takes instances out at all.
    pub scale_in: bool,
}

/// What a provider lets a region launch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Launches {
    /// So many at once.
    pub burst: f64,
    /// Then so many per second.
    pub per_sec: f64,
    /// Most instances of a region, all services together; infinite: no limit.
    pub quota: f64,
    /// Share of launches that fail.
    pub failing: f64,
    /// A further share that fails while another region is dark and everybody launches.
    pub shortage: f64,
    /// What failed or was held up is tried again so long afterwards.
    pub retry: Span,
}

/// One service calls another.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service that is called.
    pub to: ServiceId,
    /// How many per request of the caller (a mean; may be below one).
    pub count: f64,
    /// Whether the request fails when the call fails.
    pub critical: bool,
    /// What is given instead when a call that is not critical fails; empty: nothing.
    pub fallback: String,
    /// The caller gives up after this; the work is done all the same.
    pub timeout_secs: f64,
    /// Attempts per call: one try and the rest retries.
    pub attempts: u32,
    /// Whether it is made together with the other parallel calls or after them, in order.
    pub parallel: bool,
    /// A lower priority than the request's own (larger is less important); 0: the request's.
    pub priority: u8,
    /// A cache in front of the call: a hit does not make it.
    pub cache: Option<Cache>,
}

/// A cache in front of a call, one per region.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Objects in a market's own catalogue.
    pub objects: u64,
    /// Zipf exponent of their popularity.
    pub zipf: f64,
    /// Objects that the cache holds.
    pub capacity: f64,
    /// Which object makes way.
    pub eviction: Eviction,
    /// An object expires so long after it was filled; infinite: never.
    pub ttl_secs: f64,
    /// Whether each use renews the TTL.
    pub renew_ttl: bool,
    /// Share of lookups that are for a catalogue common to all markets.
    pub common: f64,
    /// Whether equal misses under way are merged into one fetch.
    pub coalesce: bool,
    /// How long it has been serving at the beginning, in seconds; zero: it starts cold.
    pub warm_secs: f64,
}

/// Which object makes way in a full cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// The least recently used.
    Lru,
    /// Any (first in, first out has the same hit ratio).
    Random,
}

/// How sessions play.
#[derive(Clone, Debug)]
pub struct Session {
    /// Length: a mixture of exponentials, as `(share, mean seconds)`.
    pub length: Vec<(f64, f64)>,
    /// Media in the buffer of a playing session at a random moment, in seconds.
    pub buffer: Buffer,
    /// Whether the media come through the region (and stop with it) or from a CDN.
    pub media_from_region: bool,
    /// A session cut off from its region tries again so often, in seconds.
    pub retry_secs: f64,
    /// A viewer who waits longer than this for an interactive request stands still, in seconds.
    pub patience_secs: f64,
    /// After a stall so much media must be there to go on, in seconds.
    pub resume_secs: f64,
    /// Seconds of media fetched per second.
    pub download_speed: f64,
}

/// The playback buffer.
#[derive(Clone, Debug)]
pub enum Buffer {
    /// A law of its level.
    Level(Dist),
    /// Filled from `start` seconds at the download speed up to `max`, in sessions whose age is
    /// uniform over `length`.
    Filling {
        /// Seconds at the start.
        start: f64,
        /// Seconds when full.
        max: f64,
        /// Length of a session in seconds.
        length: f64,
    },
}

/// What fails on a calm day.
#[derive(Clone, Debug, Default)]
pub struct Ambient {
    /// Share of starts that fail for reasons outside the service (last mile, device).
    pub start_failure: f64,
    /// Share of edge requests answered with a 5xx for no reason of this model.
    pub request_failure: f64,
    /// Network stalls per playing session and second.
    pub stall_rate: f64,
    /// Mean length of such a stall, in seconds.
    pub stall_secs: f64,
}

/// Observers, probes, and where decisions are made.
#[derive(Clone, Debug)]
pub struct Control {
    /// Home region of the control plane; `None`: outside all regions.
    pub home: Option<RegionId>,
    /// Number of observers of each region, all outside the region that they watch.
    pub observers: u32,
    /// A region is believed dead when so many observers say so.
    pub agree: u32,
    /// Time between probes.
    pub interval: Span,
    /// A probe without an answer fails after this.
    pub timeout: Span,
    /// Failed probes in a row until an observer calls a region dead (answered ones until alive).
    pub threshold: u32,
    /// Whether the interval runs from the end of the last probe instead of its start.
    pub back_to_back: bool,
    /// Whether a probe goes through all that a request needs, and not only to the door.
    pub deep: bool,
    /// Chance that a probe of a healthy region fails.
    pub false_alarm: f64,
    /// Chance that a probe of a dead region is answered.
    pub missed: f64,
    /// Age of metrics when they reach the control plane.
    pub delay: Span,
    /// From an automatic decision to its order; a human's time is the policy's.
    pub push: Dist,
    /// Chance that a push is lost on its way.
    pub push_failure: f64,
    /// After which time that is noticed, and the push repeated.
    pub push_timeout: Span,
}

/// Common shocks: relative standard deviations of lognormal factors, one draw per replication.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variation {
    /// Of all demand.
    pub demand: f64,
    /// Of the service time of services behind a cache.
    pub store: f64,
    /// Of the number of objects that caches see.
    pub catalogue: f64,
}

/// What goes wrong. The fields that a kind does not have are empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    /// Kind, as in the registry of faults.
    pub kind: String,
    /// When it begins.
    pub at: Time,
    /// How long it lasts.
    pub duration: Span,
    /// How long before `at` policies are told; zero: never.
    pub announced: Span,
    /// Whether it is a drill: a guard that aborts ends it. What is announced is one.
    pub drill: bool,
    /// Region that it hits.
    pub region: Option<RegionId>,
    /// The other region of a partition.
    pub other: Option<RegionId>,
    /// Zone that it hits, from 0.
    pub zone: Option<usize>,
    /// Service that it hits.
    pub service: Option<ServiceId>,
    /// Market that it hits.
    pub market: Option<MarketId>,
    /// Domain that it hits.
    pub domain: Option<usize>,
    /// Whether connections hang instead of being refused.
    pub hang: bool,
    /// How many times longer, or more.
    pub factor: f64,
    /// What share fails, or is left.
    pub share: f64,
    /// How many.
    pub count: u32,
    /// Additional time.
    pub extra: Span,
    /// Mean time between repetitions; zero: there are none.
    pub every: Span,
    /// Hours of the day at which it strikes; `None`: all.
    pub hours: Option<Hours>,
    /// Mean time between random failures of one element; zero: it is not random.
    pub mtbf: Span,
    /// Time until a random failure is repaired.
    pub mttr: Option<Dist>,
    /// What fails at random.
    pub of: Option<Element>,
    /// Random failures that can be repaired at once; 0: any number.
    pub repairers: u32,
    /// Share of the random failures that hit all elements at once.
    pub common_cause: f64,
    /// Whether as many elements are down at first as usually are.
    pub stationary: bool,
    /// Limits that warn, or end a drill; in an incident they begin the failover.
    pub guards: Vec<Guard>,
}

/// Hours of the day, UTC, in seconds since midnight; they may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hours {
    /// Beginning.
    pub from_secs: f64,
    /// End.
    pub until_secs: f64,
}

/// What can fail at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Instances of services.
    Instance,
    /// Zones.
    Zone,
    /// Regions.
    Region,
}

/// A limit on an SLI while a fault lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// The limit: what must hold in each window.
    pub threshold: Threshold,
    /// Whether its breach ends the drill and rolls it back (in an incident: begins the failover), or
    /// only warns.
    pub aborts: bool,
}

/// A threshold on an SLI.
#[derive(Clone, Debug)]
pub struct Objective {
    /// What must hold in each window.
    pub threshold: Threshold,
}

/// A claim about a replication that must hold in a share `at_least` of them.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// Name.
    pub name: String,
    /// The claim.
    pub claim: Claim,
    /// Share of replications.
    pub at_least: f64,
}

/// The policy of a scenario.
#[derive(Clone, Debug)]
pub struct PolicyChoice {
    /// Name of the policy in the registry, or of the file it came from.
    pub name: String,
    /// Its knobs.
    pub knobs: Knobs,
}

/// An input that is drawn once per replication.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertain {
    /// Path of the value.
    pub path: String,
    /// Smallest value, in the value's own unit.
    pub lo: f64,
    /// Largest.
    pub hi: f64,
    /// The one that it has: the middle, or what was drawn.
    pub value: f64,
}

/// What is known of an input's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Path of the value.
    pub path: String,
    /// The value as text.
    pub value: String,
    /// Where it is from.
    pub origin: Origin,
    /// Source or reason, as the file or the default gives it.
    pub note: String,
}

/// Where an input is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// From a named source.
    Sourced,
    /// The user's own figure, nothing said of it.
    Given,
    /// Chosen so that a result comes out.
    Fitted,
    /// A guess.
    Guess,
}
