//! The language of objectives, hypotheses and claims, parsed.

use crate::model::money::Money;
use std::fmt;

/// A measure of a replication.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// A time from the fault.
    Time(TimeMeasure),
    /// An SLI in one of the three spans of a run, global or of one region.
    Sli {
        /// Which span.
        span: SliSpan,
        /// Name of the SLI.
        sli: String,
        /// One region; `None`: all together.
        region: Option<String>,
    },
    /// An impact.
    Impact(Impact),
    /// An amount of money.
    Money(Money),
    /// What became of a domain's data.
    Domain {
        /// What is measured of it.
        kind: DomainMeasure,
        /// Name of the domain.
        domain: String,
    },
}

impl Measure {
    /// Whether it says what a run is worth, by prices and targets, and not what happened in it.
    pub fn is_valuation(&self) -> bool {
        matches!(
            self,
            Measure::Money(_) | Measure::Impact(Impact::ErrorBudgetSpent | Impact::BurnLevel)
        )
    }
}

/// What is measured of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DomainMeasure {
    /// From the fault until 99 % of its writes and of its reads are answered again.
    Rto,
    /// Age of the oldest write that a lost region took with it.
    Rpo,
    /// Acknowledged writes that had reached no surviving region when theirs died.
    LostWrites,
    /// Of these, those that came back with their region.
    LateWrites,
    /// Keys written on both sides of a separation.
    Conflicts,
    /// Longest time from conflicts found to conflicts reconciled.
    Reconcile,
    /// Viewers assigned anew because their assignment had not arrived.
    Reassigned,
    /// The largest age that a loss could have taken with it at any time.
    Exposure,
}

impl DomainMeasure {
    /// All of them, in the order of reports.
    pub const ALL: [DomainMeasure; 8] = [
        DomainMeasure::Rto,
        DomainMeasure::Rpo,
        DomainMeasure::LostWrites,
        DomainMeasure::LateWrites,
        DomainMeasure::Conflicts,
        DomainMeasure::Reconcile,
        DomainMeasure::Reassigned,
        DomainMeasure::Exposure,
    ];

    /// The name in claims and files.
    pub fn name(self) -> &'static str {
        match self {
            DomainMeasure::Rto => "rto",
            DomainMeasure::Rpo => "rpo",
            DomainMeasure::LostWrites => "lost_writes",
            DomainMeasure::LateWrites => "late_writes",
            DomainMeasure::Conflicts => "conflicts",
            DomainMeasure::Reconcile => "reconcile",
            DomainMeasure::Reassigned => "reassigned",
            DomainMeasure::Exposure => "exposure",
        }
    }

    /// Whether it is a time.
    pub fn is_time(self) -> bool {
        matches!(
            self,
            DomainMeasure::Rto
                | DomainMeasure::Rpo
                | DomainMeasure::Reconcile
                | DomainMeasure::Exposure
        )
    }
}

/// Times from the first fault; those of a failover from the first because of which a region can be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeMeasure {
    /// The control plane believes that the region is dead.
    Detect,
    /// The first order is given.
    Decide,
    /// 99 % of the dark region's first attempts are routed elsewhere.
    Shifted,
    /// The moved markets' hit ratio where they are served now is within 5 % of its steady value.
    Warm,
    /// Every objective holds again.
    Rto,
    /// `shifted - detect`.
    Restore,
    /// Traffic is back where it was.
    Failback,
    /// Every region that lost instances has as many in service again.
    Redundant,
}

impl TimeMeasure {
    /// All of them, in the order of reports.
    pub const ALL: [TimeMeasure; 8] = [
        TimeMeasure::Detect,
        TimeMeasure::Decide,
        TimeMeasure::Shifted,
        TimeMeasure::Warm,
        TimeMeasure::Rto,
        TimeMeasure::Restore,
        TimeMeasure::Failback,
        TimeMeasure::Redundant,
    ];

    /// The name in claims and files.
    pub fn name(self) -> &'static str {
        match self {
            TimeMeasure::Detect => "detect",
            TimeMeasure::Decide => "decide",
            TimeMeasure::Shifted => "shifted",
            TimeMeasure::Warm => "warm",
            TimeMeasure::Rto => "rto",
            TimeMeasure::Restore => "restore",
            TimeMeasure::Failback => "failback",
            TimeMeasure::Redundant => "redundant",
        }
    }
}

/// Which span of a run an SLI is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SliSpan {
    /// The steady windows before the fault or the first action.
    Before,
    /// The worst minute until recovery.
    During,
    /// From recovery on.
    After,
}

impl SliSpan {
    /// All of them, in order of time.
    pub const ALL: [SliSpan; 3] = [SliSpan::Before, SliSpan::During, SliSpan::After];

    /// The name in claims and files.
    pub fn name(self) -> &'static str {
        match self {
            SliSpan::Before => "before",
            SliSpan::During => "during",
            SliSpan::After => "after",
        }
    }
}

/// Impacts of a replication. Counts are from the first fault on, or from the first action where a
/// drill was announced and acted upon earlier; without a fault, of the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Impact {
    /// Starts that failed because of the service.
    FailedStarts,
    /// Viewers who stood still because of the service.
    RebufferedViewers,
    /// Minutes that viewers stood still because of the service.
    ViewerMinutes,
    /// Share of eligible starts that failed, summed over minutes.
    DowntimeMinutes,
    /// Minutes of windows in which an objective is broken.
    BrokenMinutes,
    /// Share of the month's error budget that the whole run spent.
    ErrorBudgetSpent,
    /// The highest level of burning, 0 for normal to 4 for exceeded.
    BurnLevel,
    /// Share of eligible starts that succeeded over the whole horizon.
    Availability,
    /// 1 if the trigger ended, the load is back and an objective is still broken at the horizon.
    Metastable,
    /// 1 if a region that no fault hit broke an objective for `sustain` or longer.
    Toppled,
}

impl Impact {
    /// All of them, in the order of reports.
    pub const ALL: [Impact; 10] = [
        Impact::FailedStarts,
        Impact::RebufferedViewers,
        Impact::ViewerMinutes,
        Impact::DowntimeMinutes,
        Impact::BrokenMinutes,
        Impact::ErrorBudgetSpent,
        Impact::BurnLevel,
        Impact::Availability,
        Impact::Metastable,
        Impact::Toppled,
    ];

    /// The name in claims and files.
    pub fn name(self) -> &'static str {
        match self {
            Impact::FailedStarts => "failed_starts",
            Impact::RebufferedViewers => "rebuffered_viewers",
            Impact::ViewerMinutes => "viewer_minutes",
            Impact::DowntimeMinutes => "downtime_minutes",
            Impact::BrokenMinutes => "broken_minutes",
            Impact::ErrorBudgetSpent => "error_budget_spent",
            Impact::BurnLevel => "burn_level",
            Impact::Availability => "availability",
            Impact::Metastable => "metastable",
            Impact::Toppled => "toppled",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measure::Time(time) => f.write_str(time.name()),
            Measure::Impact(impact) => f.write_str(impact.name()),
            Measure::Domain { kind, domain } => write!(f, "{}({domain})", kind.name()),
            Measure::Money(money) => f.write_str(money.name()),
            Measure::Sli {
                span,
                sli,
                region: None,
            } => write!(f, "{}({sli})", span.name()),
            Measure::Sli {
                span,
                sli,
                region: Some(region),
            } => {
                write!(f, "{}({sli}[{region}])", span.name())
            }
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
}

impl Op {
    /// Whether `a OP b`.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Op::Less => a < b,
            Op::AtMost => a <= b,
            Op::Greater => a > b,
            Op::AtLeast => a >= b,
            Op::Equal => a == b,
            Op::NotEqual => a != b,
        }
    }

    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::Greater => ">",
            Op::AtLeast => ">=",
            Op::Equal => "=",
            Op::NotEqual => "!=",
        }
    }
}

/// `SLI OP VALUE`, per window.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Name of the SLI.
    pub sli: String,
    /// Comparison.
    pub op: Op,
    /// Right-hand side, in the SLI's unit (shares as fractions, times in seconds).
    pub value: f64,
    /// As the user wrote it (`>= 99 %`).
    pub text: String,
}

/// `MEASURE OP VALUE`, joined by `and`.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// All of these must hold.
    pub terms: Vec<Term>,
    /// As the user wrote it.
    pub text: String,
}

impl Claim {
    /// All that it speaks of, left and right.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.terms.iter().flat_map(|term| {
            let right = match &term.right {
                Operand::Subject(subject) => Some(subject),
                Operand::Value(_) => None,
            };
            [&term.left].into_iter().chain(right)
        })
    }

    /// Variants that it names.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.subjects().filter_map(|s| s.variant.as_deref())
    }
}

/// A measure of the variant that is judged, or of one that is named: `rto`, `no-dark.rto`.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Name of the variant; `None`: the one that is judged.
    pub variant: Option<String>,
    /// What is measured of it.
    pub measure: Measure,
}

impl Subject {
    /// The measure, if it is one of the variant that is judged.
    pub fn own(&self) -> Option<&Measure> {
        match self.variant {
            None => Some(&self.measure),
            Some(_) => None,
        }
    }
}

impl From<Measure> for Subject {
    fn from(measure: Measure) -> Subject {
        Subject {
            variant: None,
            measure,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variant) = &self.variant {
            write!(f, "{variant}.")?;
        }
        self.measure.fmt(f)
    }
}

/// One comparison of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Left-hand side.
    pub left: Subject,
    /// Comparison.
    pub op: Op,
    /// Right-hand side.
    pub right: Operand,
}

/// The right-hand side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A value; times in seconds, shares as fractions.
    Value(f64),
    /// Another measure.
    Subject(Subject),
}

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measured {
    /// Has no beginning in this replication (nothing was detected, no window was there).
    Absent,
    /// Began and had not ended at the horizon: longer than anything observed.
    Censored,
    /// A value.
    Value(f64),
}

impl Measured {
    /// For comparisons: a censored time is infinite, an absent one is not a number.
    pub fn as_f64(self) -> f64 {
        match self {
            Measured::Absent => f64::NAN,
            Measured::Censored => f64::INFINITY,
            Measured::Value(value) => value,
        }
    }
}
