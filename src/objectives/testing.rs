//! Scenarios and outcomes by hand, for tests.

use crate::model::fidelity::Fidelity;
use crate::model::histogram::Histogram;
use crate::model::measure::{Claim, Op, Operand, Term, Threshold};
use crate::model::money::{Budget, PoolUsage, Prices, Usage};
use crate::model::observation::{Better, Observation, Sli, Unit};
use crate::model::outcome::{Marks, Outcome, Row, Window};
use crate::model::policy::Knobs;
use crate::model::scenario::*;
use crate::objectives::{Columns, Series, measure};
use crate::units::{Dist, Span, Time};

/// The share of starts that succeed.
pub struct Success;

impl Sli for Success {
    fn name(&self) -> &'static str {
        "success"
    }
    fn summary(&self) -> &'static str {
        ""
    }
    fn unit(&self) -> Unit {
        Unit::Share
    }
    fn better(&self) -> Better {
        Better::Higher
    }
    fn measure(&self, o: &Observation) -> Option<f64> {
        let all = o.starts_ok + o.starts_failed;
        (all > 0).then(|| o.starts_ok as f64 / all as f64)
    }
}

/// The median latency.
pub struct Latency;

impl Sli for Latency {
    fn name(&self) -> &'static str {
        "latency"
    }
    fn summary(&self) -> &'static str {
        ""
    }
    fn unit(&self) -> Unit {
        Unit::Seconds
    }
    fn better(&self) -> Better {
        Better::Lower
    }
    fn measure(&self, o: &Observation) -> Option<f64> {
        o.latency.quantile(0.5)
    }
}

pub const SLIS: &[&dyn Sli] = &[&Success, &Latency];

/// Two regions, a fault that hits the first from minute 10 to 30, windows of 10 s, and 99 % of
/// starts as the objective for 60 s.
pub fn scenario() -> Scenario {
    let secs = Span::from_secs;
    Scenario {
        fidelity: Fidelity::Cohort,
        scale: 1.0,
        name: "by-hand".into(),
        title: String::new(),
        question: String::new(),
        horizon: secs(2400.0),
        step: secs(1.0),
        sample: secs(10.0),
        sustain: secs(60.0),
        start_of_day_secs: 0.0,
        standby: Vec::new(),
        unused: Vec::new(),
        demand: 1.0,
        regions: ["east", "west"]
            .map(|name| Region {
                name: name.into(),
                zones: 3,
                zone_weights: Vec::new(),
            })
            .into(),
        rtt_secs: vec![vec![0.0, 0.06], vec![0.06, 0.0]],
        link_capacity: Vec::new(),
        markets: Vec::new(),
        devices: Vec::new(),
        dns: Dns {
            ttl: secs(60.0),
            propagation: Dist::Fixed(0.0),
            resolvers: 1,
            spread: 0.0,
        },
        balancer: None,
        edge: Edge {
            global: true,
            slots: 200,
            time: Dist::Fixed(0.001),
            handshake_secs: 0.0,
            headroom: 1.0,
            poll: Dist::Fixed(0.0),
            refuse_secs: 0.0,
            connect_timeout_secs: 0.5,
            origin_limit: None,
            backup: Backup::None,
            backup_after: Span::ZERO,
            health_interval: Span::from_secs(30.0),
            health_threshold: 2,
            bytes: 0.0,
        },
        services: Vec::new(),
        call_order: Vec::new(),
        launches: crate::model::scenario::Launches::default(),
        requests: Vec::new(),
        domains: Vec::new(),
        session: None,
        ambient: Ambient::default(),
        control: Control {
            home: None,
            observers: 3,
            agree: 2,
            interval: secs(10.0),
            timeout: secs(4.0),
            threshold: 3,
            back_to_back: false,
            deep: false,
            false_alarm: 0.0,
            missed: 0.0,
            delay: secs(10.0),
            push: Dist::Fixed(1.0),
            push_failure: 0.0,
            push_timeout: secs(30.0),
        },
        variation: Variation::default(),
        faults: vec![fault(0, 600.0, 1200.0)],
        objectives: vec![Objective {
            threshold: Threshold {
                sli: "success".into(),
                op: Op::AtLeast,
                value: 0.99,
                text: ">= 99 %".into(),
            },
        }],
        hypotheses: Vec::new(),
        prices: Prices {
            reserved_per_hour: 0.1,
            on_demand_per_hour: 0.2,
            storage_per_gb_month: 0.0,
            transfer_per_gb: 0.0,
            stored_gb: 0.0,
            failed_start: None,
            viewer_minute: None,
        },
        budget: Budget {
            target: 0.9999,
            window: secs(30.0 * 86_400.0),
            short: secs(300.0),
            long: secs(3600.0),
            elevated: 1.0,
            high: 6.0,
            critical: 14.4,
        },
        policy: PolicyChoice {
            name: "none".into(),
            knobs: Knobs::default(),
        },
        uncertain: Vec::new(),
        inputs: Vec::new(),
    }
}

pub fn fault(region: RegionId, at: f64, lasting: f64) -> Fault {
    Fault {
        kind: "region-dark".into(),
        region: Some(region),
        at: Time::from_secs(at),
        duration: Span::from_secs(lasting),
        ..Fault::default()
    }
}

/// `MEASURE <= VALUE` as a hypothesis.
pub fn at_most(left: crate::model::measure::Measure, value: f64) -> Hypothesis {
    Hypothesis {
        name: "by hand".into(),
        claim: Claim {
            terms: vec![Term {
                left: left.into(),
                op: Op::AtMost,
                right: Operand::Value(value),
            }],
            text: String::new(),
        },
        at_least: 0.95,
    }
}

/// 1,000 starts of which this share fails.
pub fn observed(failing: f64) -> Observation {
    let failed = (1000.0 * failing).round() as u64;
    Observation {
        starts_ok: 1000 - failed,
        starts_failed: failed,
        window_secs: 10.0,
        ..Observation::default()
    }
}

/// The scenario's 240 windows; `failing` gives the share of failing starts by the window's
/// beginning in seconds, per region.
pub fn outcome(failing: impl Fn(f64) -> [f64; 2]) -> Outcome {
    let windows = (0..240)
        .map(|i| {
            let from = f64::from(i) * 10.0;
            let regions: Vec<Observation> = failing(from).map(observed).into();
            let mut global = regions[0].clone();
            global.merge(&regions[1]);
            Window {
                from: Time::from_secs(from),
                until: Time::from_secs(from + 10.0),
                regions,
                global,
                demand: 100.0,
            }
        })
        .collect();
    Outcome {
        windows,
        marks: Marks {
            fault: Some(Time::from_secs(600.0)),
            strikes: vec![Time::from_secs(600.0)],
            fault_end: Some(Time::from_secs(1800.0)),
            hit: vec![0],
            takes_region: true,
            ..Marks::default()
        },
        usage: Usage {
            hours: 2.0 / 3.0,
            pools: vec![PoolUsage {
                planned: 20.0,
                on_demand_secs: 0.0,
                alone: 10.0,
            }],
            proxied_requests: 0.0,
            moved_bytes: 0.0,
        },
        ..Outcome::default()
    }
}

/// Whether `x` lies in any of these ranges.
pub fn within(x: f64, ranges: &[(f64, f64)]) -> bool {
    ranges.iter().any(|&(from, until)| from <= x && x < until)
}

/// An outcome in which a tenth of all starts fail in these ranges of seconds.
pub fn failing_in(ranges: &[(f64, f64)]) -> Outcome {
    outcome(|from| [if within(from, ranges) { 0.1 } else { 0.0 }; 2])
}

/// The row of an outcome together with its columns.
pub fn row(scenario: &Scenario, outcome: &Outcome) -> (Columns, Row) {
    let columns = Columns::new(SLIS, [scenario]);
    let series = Series::of(&outcome.windows, columns.slis());
    let row = measure(scenario, &columns, &series, outcome, 0);
    (columns, row)
}

/// A latency histogram of one value.
pub fn latency(seconds: f64, weight: f64) -> Histogram {
    let mut histogram = Histogram::default();
    histogram.add(seconds, weight);
    histogram
}
