//! Domains of data: who writes and reads them, how they are stored, and what became of them.

use crate::model::scenario::RegionId;
use crate::units::{Dist, Span};

/// Index of a domain in [`Scenario::domains`](crate::model::scenario::Scenario::domains).
pub type DomainId = usize;

/// A domain of data: what is written and read together, with targets of its own.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Name.
    pub name: String,
    /// Target of its recovery time.
    pub rto: Option<Span>,
    /// Target of the age of what a lost region may take with it.
    pub rpo: Option<Span>,
    /// Where and how it is stored.
    pub store: Store,
    /// Kinds of request that write it.
    pub written_by: Vec<usize>,
    /// Kinds of request that read it.
    pub read_by: Vec<usize>,
    /// Writes that such a request makes on average.
    pub writes: f64,
    /// Further writes per second that no request waits for, all regions together.
    pub write_rate: f64,
    /// Further reads per second that no request waits for, all regions together.
    pub read_rate: f64,
    /// After reads are lost, they are answered from what was read before for so long.
    pub grace: Span,
    /// What stands in when the store cannot be read or written; empty: nothing.
    pub fallback: String,
    /// Whether a write assigns a viewer to something that must not change (a test group).
    pub sticky: bool,
    /// Keys that are written.
    pub keys: f64,
    /// Zipf exponent of the keys' popularity; 0: all alike.
    pub zipf: f64,
}

/// Where and how a domain is stored.
#[derive(Clone, Debug)]
pub struct Store {
    /// Who takes writes.
    pub mode: Mode,
    /// Regions that hold the data.
    pub replicas: Vec<RegionId>,
    /// Whether reads must see every acknowledged write.
    pub strong_reads: bool,
    /// How far the receivers are behind at a moment, in seconds: one value for all that is on its way.
    pub lag: Dist,
    /// Writes are sent in batches so often; zero: at once.
    pub ship: Span,
    /// Writes that a region sends per second at most (service times are exponential); infinite: no
    /// limit.
    pub throughput: f64,
    /// Bytes of a write on its way to a replica.
    pub bytes: f64,
    /// Conflicts reconciled per second.
    pub reconcile: f64,
    /// Whether writes that had not been sent when their region died are thrown away when it is back.
    pub discard: bool,
    /// The region that takes the writes at the beginning, where one does.
    pub primary: RegionId,
    /// How another region becomes primary.
    pub promotion: Promotion,
}

/// Who takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every region, at once; the others hear of it later.
    Asynchronous,
    /// Every region, once a majority of the replicas has it.
    Quorum,
    /// One region, which the others forward to.
    Primary,
}

impl Mode {
    /// The name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Asynchronous => "asynchronous",
            Mode::Quorum => "quorum",
            Mode::Primary => "primary",
        }
    }
}

/// How long the steps of a promotion take, in seconds, one after the other.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// Until the loss of the primary is noticed.
    pub detect: Dist,
    /// Until it is decided; zero where no human is asked.
    pub decide: Dist,
    /// Until the lost primary can no longer take writes.
    pub fence: Dist,
    /// Until another region takes writes.
    pub promote: Dist,
    /// From detection until reads go to another region.
    pub repoint: Dist,
}

/// What happened to a domain in a window in a region.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DomainObservation {
    /// Reads asked for.
    pub reads: u64,
    /// Of these, answered; a fallback or a cached value within the grace period counts.
    pub reads_answered: u64,
    /// Writes asked for.
    pub writes: u64,
    /// Of these, answered; a fallback counts.
    pub writes_answered: u64,
    /// Reads answered with data that have an age.
    pub aged_reads: u64,
    /// Their ages, summed, in seconds.
    pub age_secs: f64,
}

impl DomainObservation {
    /// Adds another observation.
    pub fn merge(&mut self, other: &DomainObservation) {
        self.reads += other.reads;
        self.reads_answered += other.reads_answered;
        self.writes += other.writes;
        self.writes_answered += other.writes_answered;
        self.aged_reads += other.aged_reads;
        self.age_secs += other.age_secs;
    }
}

/// What became of a domain's data in a replication.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DomainOutcome {
    /// Age of the oldest write that a lost region took with it: all that was acknowledged before had
    /// reached a surviving region. The largest of several losses, in seconds; zero without a loss.
    pub rpo_secs: f64,
    /// Acknowledged writes that had reached no surviving region when theirs died.
    pub lost_writes: u64,
    /// Of these, those that came back with their region.
    pub late_writes: u64,
    /// Keys that were written on both sides of a separation.
    pub conflicts: u64,
    /// From the first conflict found until all were reconciled, in seconds; `None`: not by the end.
    pub reconcile_secs: Option<f64>,
    /// Viewers assigned anew because their assignment had not arrived.
    pub reassigned: u64,
    /// The largest age that a loss could have taken with it at any time, in seconds.
    pub exposure_secs: f64,
}
