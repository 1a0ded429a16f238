//! A failover policy: its interface, its knobs, and the labels of its phases.

use crate::model::action::Action;
use crate::model::scenario::{RegionId, ServiceId};
use crate::model::telemetry::Telemetry;
use crate::units::{Dist, Span, Time};

/// A failover policy: a pure function of what can be known and of its own memory. The same
/// telemetry and memory always give the same decision; no random number is drawn, nothing is hidden.
pub trait Policy: Sync {
    /// Name in the registry.
    fn name(&self) -> &'static str;
    /// One line on what it does.
    fn summary(&self) -> &'static str;
    /// What its knobs are when nobody changes them.
    fn knobs(&self) -> Knobs;
    /// What to ask for now, and what to remember.
    fn decide(&self, knobs: &Knobs, telemetry: &Telemetry, memory: &Memory) -> Decision {
        crate::model::policy::nothing(knobs, telemetry, memory)
    }
}

/// The decision that changes nothing.
pub fn nothing(_knobs: &Knobs, _telemetry: &Telemetry, memory: &Memory) -> Decision {
    Decision {
        actions: Vec::new(),
        memory: memory.clone(),
        wake: None,
    }
}

/// What a policy asks for and remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// Requests to the control plane's actuator, in order.
    pub actions: Vec<Action>,
    /// What to remember.
    pub memory: Memory,
    /// When to be asked again at the latest, if nothing changes before.
    pub wake: Option<Time>,
}

/// A policy's memory: a record per region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Per region, in the scenario's order; shorter is as if the rest were new.
    pub regions: Vec<RegionMemory>,
}

/// What a policy remembers of a region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegionMemory {
    /// Phase of its failover.
    pub phase: Phase,
    /// When that phase was entered.
    pub since: Time,
    /// Next stage of a staged shift: stages already ordered.
    pub stage: usize,
    /// When the last stage was ordered.
    pub staged_at: Time,
    /// Whether DNS was told.
    pub dns_moved: bool,
    /// Whether dark capacity was called.
    pub capacity_called: bool,
    /// Whether caches were told to warm.
    pub prewarmed: bool,
    /// Regions that its traffic was last routed to, as bits (bit `r` for region `r`).
    pub targets: u64,
    /// When traffic last began to leave it.
    pub left_at: Time,
    /// Since when a stage has been waiting for a gate.
    pub gated_since: Option<Time>,
    /// When missing instances were ordered.
    pub scaled_at: Option<Time>,
    /// Whether scale-in was frozen for it.
    pub frozen: bool,
    /// Since when it has been well again after an evacuation.
    pub well_since: Option<Time>,
    /// Stages of its return already ordered.
    pub returned: usize,
    /// When the last of them was ordered.
    pub returned_at: Time,
    /// Whether its return was aborted because it hurt, so that it must wait before the next.
    pub hurt: bool,
    /// Whether its caches were told to warm for its return.
    pub return_warmed: bool,
}

impl Default for RegionMemory {
    fn default() -> Self {
        RegionMemory {
            phase: Phase::Normal,
            since: Time::ZERO,
            stage: 0,
            staged_at: Time::ZERO,
            dns_moved: false,
            capacity_called: false,
            prewarmed: false,
            targets: 0,
            left_at: Time::ZERO,
            gated_since: None,
            scaled_at: None,
            frozen: false,
            well_since: None,
            returned: 0,
            returned_at: Time::ZERO,
            hurt: false,
            return_warmed: false,
        }
    }
}

/// Labels that a policy sets per affected region; they may be skipped or repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing is wrong.
    Normal,
    /// A region is believed dead, or an evacuation was announced.
    FailoverInitiated,
    /// Routes are being changed.
    RouteShift,
    /// The region is cut off from the others.
    Isolation,
    /// Capacity is being brought into service.
    ScaleUp,
    /// Traffic flows elsewhere.
    Stabilized,
    /// The region is healthy again and could take traffic.
    FailbackReady,
    /// Traffic is going back in stages.
    GradualReturn,
}

impl Phase {
    /// All phases, in the usual order.
    pub const ALL: [Phase; 8] = [
        Phase::Normal,
        Phase::FailoverInitiated,
        Phase::RouteShift,
        Phase::Isolation,
        Phase::ScaleUp,
        Phase::Stabilized,
        Phase::FailbackReady,
        Phase::GradualReturn,
    ];

    /// The name as reports print it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Normal => "Normal",
            Phase::FailoverInitiated => "FailoverInitiated",
            Phase::RouteShift => "RouteShift",
            Phase::Isolation => "Isolation",
            Phase::ScaleUp => "ScaleUp",
            Phase::Stabilized => "Stabilized",
            Phase::FailbackReady => "FailbackReady",
            Phase::GradualReturn => "GradualReturn",
        }
    }
}

/// Knobs of a policy: plain data, so that trying another policy needs no Rust.
#[derive(Clone, Debug, PartialEq)]
pub struct Knobs {
    /// Whether anything is done at all.
    pub failover: bool,
    /// Time that a decision takes: zero when automatic, a distribution when a human makes it.
    pub decide: Dist,
    /// Move traffic by changing the edge's routes (L7 proxying).
    pub route_by_edge: bool,
    /// Move traffic by changing DNS.
    pub route_by_dns: bool,
    /// Change DNS only when 99 % of the proxies have the new routes and the capacity in service
    /// covers the need.
    pub dns_after_edge: bool,
    /// What leaves a region that is evacuated.
    pub scope: Scope,
    /// How the evacuated traffic is split over the survivors.
    pub spread: Spread,
    /// Shares of the traffic that are moved one after the other; the last is 1.
    pub stages: Vec<f64>,
    /// Time between stages.
    pub hold: Span,
    /// Call dark capacity into service.
    pub dark_capacity: bool,
    /// Warm the survivors' caches for the markets that will move.
    pub prewarm: bool,
    /// Isolate the evacuated region: no cross-region retries from or to it.
    pub isolate: bool,
    /// Which requests are refused first when a pool is overloaded.
    pub shed: Shed,
    /// Whether a proxy repeats a failed request once in another region.
    pub edge_retry: bool,
    /// Such retries as a share of the edge's requests over the last 10 s; infinite: no limit.
    pub edge_retry_budget: f64,
    /// Failures in a row until a proxy ejects an origin; 0: never.
    pub eject_after: u32,
    /// How long an origin stays ejected.
    pub eject_for: Span,
    /// Largest share of the origins that a proxy ejects at once although they live, at least one and
    /// never all; 0: none. Those that are dark count, but are ejected in any case.
    pub eject_most: f64,
    /// Time before a region may be failed over again.
    pub cool_down: Span,
    /// How it is found out that a region must be evacuated.
    pub detect: Detect,
    /// Bring the survivors to the instances that they will need, estimated from telemetry.
    pub prescale: bool,
    /// Hold the shift until those instances are in service, but not longer than `gate_deadline`.
    pub prescale_first: bool,
    /// Relative standard deviation of the estimate, drawn per service and replication.
    pub estimate_error: f64,
    /// Forbid the region's autoscaler to scale in while its traffic is elsewhere.
    pub freeze_scale_in: bool,
    /// A stage waits while a target is above this utilisation or fails itself; infinite: no gate.
    /// What is believed dead leaves at once.
    pub gate_utilisation: f64,
    /// No stage of the shift waits for a gate longer than this.
    pub gate_deadline: Span,
    /// Change DNS with every stage, and not only after the last.
    pub dns_stages: bool,
    /// How traffic goes back.
    pub failback: Failback,
}

impl Default for Knobs {
    fn default() -> Self {
        Knobs {
            failover: false,
            decide: Dist::Fixed(0.0),
            route_by_edge: false,
            route_by_dns: false,
            dns_after_edge: false,
            scope: Scope::Region,
            spread: Spread::Spare,
            stages: vec![1.0],
            hold: Span::ZERO,
            dark_capacity: false,
            prewarm: false,
            isolate: false,
            shed: Shed::Uniform,
            edge_retry: false,
            edge_retry_budget: 0.2,
            eject_after: 5,
            eject_for: Span(30_000_000_000),
            eject_most: 0.0,
            cool_down: Span(600_000_000_000),
            detect: Detect::Health,
            prescale: false,
            prescale_first: false,
            estimate_error: 0.2,
            freeze_scale_in: false,
            gate_utilisation: f64::INFINITY,
            gate_deadline: Span(600_000_000_000),
            dns_stages: false,
            failback: Failback::default(),
        }
    }
}

/// How it is found out that a region must be evacuated.
#[derive(Clone, Debug, PartialEq)]
pub enum Detect {
    /// Health checks: enough observers call it dead.
    Health,
    /// Besides them, an SLI of the region that is beyond a limit for so long.
    Sli {
        /// Which.
        sli: WatchedSli,
        /// The limit, in seconds, as a share or as a multiple.
        limit: f64,
        /// How long it must be beyond it in every report.
        lasting: Span,
    },
    /// A person who notices, so many seconds after the region was hit; and as many after it is well.
    Manual {
        /// The delay.
        notice: Dist,
    },
}

/// An SLI that evacuates a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchedSli {
    /// Above the limit.
    ErrorRate,
    /// Above the limit: the 99th percentile.
    Latency,
    /// Below the limit.
    StartSuccess,
    /// Above the limit: failed starts over those that the error budget allows.
    BurnRate,
}

/// How traffic goes back to a region that is well again.
#[derive(Clone, Debug, PartialEq)]
pub struct Failback {
    /// Whether it goes back by itself; otherwise routes stay as they are.
    pub automatic: bool,
    /// How long the region must have been well.
    pub stable: Span,
    /// Whether its data must have caught up.
    pub gate_data: bool,
    /// Whether its caches are warmed first.
    pub gate_caches: bool,
    /// Whether its planned instances must be in service.
    pub gate_instances: bool,
    /// Time that the decision takes once it is ready.
    pub decide: Dist,
    /// Shares of the traffic that are sent back one after the other; the last is 1.
    pub stages: Vec<f64>,
    /// Time between stages.
    pub hold: Span,
    /// The return is aborted when more than this share of the region's answers are errors.
    pub most_errors: f64,
    /// The return is aborted when a pool of the region is busier than this.
    pub most_utilisation: f64,
    /// Time before the next attempt after an aborted one.
    pub back_off: Span,
}

impl Default for Failback {
    fn default() -> Self {
        Failback {
            automatic: false,
            stable: Span(300_000_000_000),
            gate_data: true,
            gate_caches: true,
            gate_instances: true,
            decide: Dist::Fixed(0.0),
            stages: vec![0.01, 0.25, 0.5, 1.0],
            hold: Span(120_000_000_000),
            most_errors: 0.05,
            most_utilisation: 0.95,
            back_off: Span(600_000_000_000),
        }
    }
}

/// What leaves a region that is evacuated. The rest is served where it enters, of a dead region too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Region,
    /// Requests that one of these services answers, or that lead to calls of it. Names cannot tell
    /// them from others: only edges can move them.
    Services(Vec<ServiceId>),
    /// What devices of these classes ask for, by their index. Each class has names of its own.
    Devices(Vec<usize>),
}

/// How evacuated traffic is split over the survivors.
#[derive(Clone, Debug, PartialEq)]
pub enum Spread {
    /// By spare capacity in service.
    Spare,
    /// All to the market's nearest survivor.
    Nearest,
    /// By fixed weights per region.
    Fixed(Vec<(RegionId, f64)>),
}

/// Which requests are refused first when a pool is overloaded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shed {
    /// All alike.
    Uniform,
    /// The least important first.
    Priority,
    /// Before the pool is full: from a utilisation on, the admitted priority falls as a cubic.
    Cubic {
        /// The utilisation, as a share of the slots in service.
        from: f64,
    },
}
