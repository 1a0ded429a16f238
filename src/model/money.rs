//! What a deployment costs, what failures are worth, and how fast they use up the error budget.

use crate::units::Span;

/// Prices in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// Of an hour of an instance that was planned.
    pub reserved_per_hour: f64,
    /// Of an hour of an instance that was launched beyond the plan.
    pub on_demand_per_hour: f64,
    /// Of keeping a gigabyte for a month.
    pub storage_per_gb_month: f64,
    /// Of a gigabyte from one region to another.
    pub transfer_per_gb: f64,
    /// Gigabytes that each region keeps.
    pub stored_gb: f64,
    /// Value of a start that failed because of the service; `None`: not given.
    pub failed_start: Option<f64>,
    /// Value of a minute that a viewer stood still because of the service; `None`: not given.
    pub viewer_minute: Option<f64>,
}

/// What a replication used, so that it can be priced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Hours that the replication lasted; zero: nothing was counted.
    pub hours: f64,
    /// Per service, and the proxies last.
    pub pools: Vec<PoolUsage>,
    /// Requests that were sent on from one region to another.
    pub proxied_requests: f64,
    /// Bytes of calls and of replicated writes from one region to another.
    pub moved_bytes: f64,
}

/// Instances of one service, all regions together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolUsage {
    /// Planned: in service and dark. They are paid for whether anything runs on them or not.
    pub planned: f64,
    /// Instance-seconds beyond the plan.
    pub on_demand_secs: f64,
    /// What the cheapest deployment in one region would plan: all markets at the hour that is
    /// busiest for all of them together, without headroom.
    pub alone: f64,
}

/// Amounts of money of a replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Money {
    /// All of it, in USD per hour.
    Cost,
    /// The same relative to the cheapest deployment in one region.
    CostRelative,
    /// Planned instances, in USD per hour.
    CostReserved,
    /// Instances beyond the plan, in USD per hour.
    CostOnDemand,
    /// Data kept, in USD per hour.
    CostStorage,
    /// Data moved between regions, in USD per hour.
    CostTransfer,
    /// Value of failed starts and lost viewer-minutes of the run, in USD; in no cost.
    Harm,
}

impl Money {
    /// All of them, in the order of reports.
    pub const ALL: [Money; 7] = [
        Money::Cost,
        Money::CostRelative,
        Money::CostReserved,
        Money::CostOnDemand,
        Money::CostStorage,
        Money::CostTransfer,
        Money::Harm,
    ];

    /// The name in claims and files.
    pub fn name(self) -> &'static str {
        match self {
            Money::Cost => "cost",
            Money::CostRelative => "cost_relative",
            Money::CostReserved => "cost_reserved",
            Money::CostOnDemand => "cost_on_demand",
            Money::CostStorage => "cost_storage",
            Money::CostTransfer => "cost_transfer",
            Money::Harm => "harm",
        }
    }
}

/// An availability target and how its error budget is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Share of eligible starts that must succeed.
    pub target: f64,
    /// Over so long.
    pub window: Span,
    /// A level counts once both the last `short` and the last `long` burn at its rate.
    pub short: Span,
    /// See `short`.
    pub long: Span,
    /// Burn rate from which a level begins.
    pub elevated: f64,
    /// See `elevated`. Two regions that burn at this rate at once are critical.
    pub high: f64,
    /// See `elevated`.
    pub critical: f64,
}

/// How bad the burning of the error budget is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BurnLevel {
    /// As planned.
    #[default]
    Normal,
    /// Faster than the budget lasts, or replication lags.
    Elevated,
    /// So fast that an objective is missed soon.
    High,
    /// Faster still, or in two regions at once.
    Critical,
    /// Nothing of the budget is left.
    Exceeded,
}

impl BurnLevel {
    /// All of them, from the best to the worst.
    pub const ALL: [BurnLevel; 5] = [
        BurnLevel::Normal,
        BurnLevel::Elevated,
        BurnLevel::High,
        BurnLevel::Critical,
        BurnLevel::Exceeded,
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            BurnLevel::Normal => "normal",
            BurnLevel::Elevated => "elevated",
            BurnLevel::High => "high",
            BurnLevel::Critical => "critical",
            BurnLevel::Exceeded => "exceeded",
        }
    }

    /// What it calls for.
    pub fn action(self) -> &'static str {
        match self {
            BurnLevel::Normal => "go on, and keep scheduled chaos tests",
            BurnLevel::Elevated => "investigate, and prepare a failover",
            BurnLevel::High => "fail over, and pause experiments that can wait",
            BurnLevel::Critical => "everyone responds to the incident",
            BurnLevel::Exceeded => "freeze deployments, reliability comes first",
        }
    }

    /// Its number in a row of measures, 0 for normal.
    pub fn number(self) -> f64 {
        f64::from(self as u8)
    }

    /// The level of a number.
    pub fn of_number(number: f64) -> BurnLevel {
        BurnLevel::ALL[(number.max(0.0) as usize).min(BurnLevel::ALL.len() - 1)]
    }
}

/// What tells people that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alert {
    /// The burn level rose to this, or past it.
    Burn(BurnLevel),
    /// The objective of this number was broken for the whole of `sustain`.
    Objective(usize),
}
