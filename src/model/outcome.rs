//! What one replication leaves: its windows, its row of measures, its log.

use crate::model::domain::DomainOutcome;
use crate::model::measure::Measured;
use crate::model::money::{Alert, Usage};
use crate::model::observation::Observation;
use crate::model::policy::Phase;
use crate::model::scenario::RegionId;
use crate::model::work::WorkOutcome;
use crate::units::{Span, Time};

/// A replication, simulated.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Windows in order of time. They lie on a grid that starts at the first fault and goes both
    /// ways; the first and the last may be shorter.
    pub windows: Vec<Window>,
    /// Marks in time.
    pub marks: Marks,
    /// What happened, in order of time.
    pub log: Vec<Entry>,
    /// Guards that were breached, each the first time.
    pub breaches: Vec<Breach>,
    /// Whether a pool left the range in which counted traffic is exact; the first that did.
    pub outside_validity: Option<OutsideValidity>,
    /// What became of each domain of data; empty where there is none.
    pub domains: Vec<DomainOutcome>,
    /// What became of the work of each worker; empty where there is none.
    pub work: Vec<WorkOutcome>,
    /// Digest of everything above that is a result.
    pub digest: u64,
    /// Counts that must balance, checked by tests.
    pub ledger: Ledger,
    /// What has to be paid for.
    pub usage: Usage,
    /// Steps that the traffic was advanced in.
    pub steps: u64,
    /// Events of single requests; none where traffic was counted.
    pub events: u64,
}

/// One window.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Begins here.
    pub from: Time,
    /// Ends here.
    pub until: Time,
    /// Per region.
    pub regions: Vec<Observation>,
    /// All regions merged.
    pub global: Observation,
    /// Demand: expected starts per second (for 'the load is back to normal').
    pub demand: f64,
}

/// Points in time, absolute. `None`: it did not happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks {
    /// Beginning of the first fault; `None` where there is none.
    pub fault: Option<Time>,
    /// When something struck, in order: each fault begins, and each failure of a fault whose failures
    /// are drawn (`random`, kills that repeat). What broke an objective is one of them.
    pub strikes: Vec<Time>,
    /// Beginning of the first fault because of which a region can be left.
    pub reason: Option<Time>,
    /// End of the last fault.
    pub fault_end: Option<Time>,
    /// Regions that a fault hits directly: what breaks there is no cascade.
    pub hit: Vec<RegionId>,
    /// Whether a fault takes a whole region, so that its traffic has to go elsewhere.
    pub takes_region: bool,
    /// A region that a fault hits is believed dead for the first time (or any, without a fault).
    pub detect: Option<Time>,
    /// First order carried out.
    pub decide: Option<Time>,
    /// 99 % of the dark region's first attempts are served elsewhere.
    pub shifted: Option<Time>,
    /// The moved market's hit ratio is back.
    pub warm: Option<Time>,
    /// Every region that lost instances has as many in service again as before.
    pub redundant: Option<Time>,
    /// Whether any region lost instances.
    pub lost_instances: bool,
    /// Failback begins.
    pub failback_begins: Option<Time>,
    /// Failback is complete.
    pub failback: Option<Time>,
    /// First action of any policy (a drill may be announced: before the fault).
    pub first_action: Option<Time>,
    /// Phases entered, per region, in order.
    pub phases: Vec<(RegionId, Phase, Time)>,
}

/// A guard of a fault was breached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Number of the fault in the scenario's list.
    pub fault: usize,
    /// Number of the guard in the fault's list.
    pub guard: usize,
    /// When the control plane knew of it.
    pub at: Time,
    /// What came of it.
    pub effect: Effect,
}

/// What comes of a breached guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A warning.
    Warned,
    /// The drill was aborted and rolled back.
    Aborted,
    /// In an incident: the failover of what is hit begins.
    FailedOver,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// Which part (`us-east-1`, `control plane`, `dns`).
    pub part: String,
    /// What happened.
    pub what: String,
    /// Why; empty when it needs no reason.
    pub cause: String,
}

/// Where counted traffic may be off.
#[derive(Clone, Debug, PartialEq)]
pub struct OutsideValidity {
    /// The pool (`playback in us-west-2, zone 1`).
    pub pool: String,
    /// When first.
    pub at: Time,
    /// For how long in total.
    pub lasting: Span,
    /// Why.
    pub reason: String,
}

/// Counts that must balance exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Starts that arrived.
    pub starts: u64,
    /// Starts with a final outcome: success.
    pub starts_ok: u64,
    /// Starts with a final outcome: failed by the service.
    pub starts_failed: u64,
    /// Starts with a final outcome: failed for ambient reasons.
    pub starts_ambient: u64,
    /// Starts waiting for their next attempt at the end.
    pub starts_waiting: u64,
    /// Sessions playing at the beginning.
    pub sessions_first: u64,
    /// Sessions begun.
    pub sessions_begun: u64,
    /// Sessions ended.
    pub sessions_ended: u64,
    /// Sessions playing at the end.
    pub sessions_last: u64,
    /// Start attempts made.
    pub attempts: u64,
    /// Start attempts that were retries.
    pub retries: u64,
    /// Start attempts that failed.
    pub attempts_failed: u64,
    /// Failed start attempts after which the viewer gave up for good.
    pub given_up: u64,
}

/// The row that a replication leaves, and nothing else grows with their number.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Number of the replication.
    pub replication: u64,
    /// Every measure, in the order of the study's columns.
    pub values: Vec<Measured>,
    /// Whether each hypothesis holds, in the scenario's order.
    pub holds: Vec<bool>,
    /// Phases entered, in seconds from the fault: first entry of each.
    pub phases: Vec<(RegionId, Phase, f64)>,
    /// Alerts, in seconds from the fault: the first of each.
    pub alerts: Vec<(Alert, f64)>,
    /// Guards that were breached.
    pub breaches: Vec<Breach>,
    /// Digest of the outcome.
    pub digest: u64,
    /// Whether every number can be relied on.
    pub outside_validity: Option<OutsideValidity>,
}
