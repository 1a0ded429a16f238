//! The human, or the automaton, who decides: the first look at a dead region takes its time, and the
//! runbook is then followed at machine speed.
//!
//! Until the decision is made the policy is shown the region as alive and well. Whoever looks at one region
//! sees the others too, so the first decision that is due shows all regions that are believed dead.
//! Whoever has decided about a region that fails needs no second decision when it is dead as well, nor the
//! other way round. What was announced needs no decision, and nor does a drill that a guard aborts.

use crate::engine::sampling::sample;
use crate::engine::stream::Stream;
use crate::model::policy::Knobs;
use crate::model::scenario::RegionId;
use crate::model::telemetry::Telemetry;
use crate::units::{Dist, Span, Time};

/// Who decides.
#[derive(Clone, Debug)]
pub struct Operator {
    decide: Dist,
    regions: Vec<Desk>,
}

/// What is on the desk about one region.
#[derive(Clone, Debug)]
struct Desk {
    stream: Stream,
    dead: bool,
    failing: bool,
    /// Times that it was believed dead so far.
    incidents: u64,
    /// When the decision will be made; `None`: nothing is to be decided.
    ready: Option<Time>,
    /// Times that it was said to fail so far, though it was not dead.
    failures: u64,
    /// When the decision about that will be made.
    failing_ready: Option<Time>,
}

impl Operator {
    /// Decides about the named regions, each incident's time drawn from `knobs.decide`, in seconds.
    pub fn new(knobs: &Knobs, seed: u64, replication: u64, names: &[String]) -> Operator {
        Operator {
            decide: knobs.decide.clone(),
            regions: names
                .iter()
                .map(|name| Desk {
                    stream: Stream::new(seed, replication, "decide", name),
                    dead: false,
                    failing: false,
                    incidents: 0,
                    ready: None,
                    failures: 0,
                    failing_ready: None,
                })
                .collect(),
        }
    }

    /// Whether a region is believed dead; only a change means anything.
    pub fn believes(&mut self, region: RegionId, dead: bool, at: Time) {
        let desk = &mut self.regions[region];
        if std::mem::replace(&mut desk.dead, dead) == dead {
            return;
        }
        desk.ready = None;
        if dead {
            let mut draws = desk.stream.draws(desk.incidents, 0);
            desk.incidents += 1;
            let decided = desk.failing && desk.failing_ready.is_none();
            let ready = at + Span::from_secs(sample(&mut draws, &self.decide));
            desk.ready = (!decided).then_some(ready);
        }
    }

    /// Whether a region is to be evacuated although it is not dead; only a change means anything.
    pub fn says_failing(&mut self, region: RegionId, failing: bool, at: Time) {
        let desk = &mut self.regions[region];
        if std::mem::replace(&mut desk.failing, failing) == failing {
            return;
        }
        desk.failing_ready = None;
        if failing {
            let mut draws = desk.stream.draws(desk.failures, 1);
            desk.failures += 1;
            let decided = desk.dead && desk.ready.is_none();
            let ready = at + Span::from_secs(sample(&mut draws, &self.decide));
            desk.failing_ready = (!decided).then_some(ready);
        }
    }

    /// When a decision will be made that the policy has not seen yet.
    pub fn next_time(&self) -> Time {
        let desks = self.regions.iter();
        let pending = desks.flat_map(|desk| [desk.ready, desk.failing_ready].into_iter().flatten());
        pending.min().unwrap_or(Time::NEVER)
    }

    /// Shows the policy's telemetry at `telemetry.now`: what is not decided yet looks alive. What has
    /// been shown once stays shown until the region is believed alive again.
    pub fn show(&mut self, telemetry: &mut Telemetry) {
        if self.next_time() <= telemetry.now {
            for desk in &mut self.regions {
                (desk.ready, desk.failing_ready) = (None, None);
            }
        }
        for (desk, region) in self.regions.iter().zip(&mut telemetry.regions) {
            if desk.ready.is_some() && region.dead == Some(true) {
                region.dead = Some(false);
            }
            region.failing &= desk.failing_ready.is_none();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::telemetry::RegionTelemetry;

    fn operator(decide: Dist) -> Operator {
        let knobs = Knobs {
            decide,
            ..Knobs::default()
        };
        Operator::new(&knobs, 1, 0, &["a".into(), "b".into()])
    }

    fn shown(operator: &mut Operator, now: f64, dead: [bool; 2]) -> Vec<Option<bool>> {
        let mut telemetry = Telemetry {
            now: Time::from_secs(now),
            regions: dead
                .iter()
                .map(|dead| RegionTelemetry {
                    dead: Some(*dead),
                    dead_since: Time::ZERO,
                    capacity: 1.0,
                    dark_capacity: 0.0,
                    load: 0.0,
                    routes_current: 1.0,
                    warmed: 1.0,
                    ..RegionTelemetry::default()
                })
                .collect(),
            markets: Vec::new(),
            announced: Vec::new(),
            undone: Vec::new(),
        };
        operator.show(&mut telemetry);
        telemetry.regions.iter().map(|region| region.dead).collect()
    }

    #[test]
    fn an_automatic_decision_takes_no_time() {
        let mut operator = operator(Dist::Fixed(0.0));
        operator.believes(0, true, Time::from_secs(5.0));
        assert_eq!(operator.next_time(), Time::from_secs(5.0));
        assert_eq!(
            shown(&mut operator, 5.0, [true, false]),
            [Some(true), Some(false)]
        );
        assert_eq!(operator.next_time(), Time::NEVER);
    }

    #[test]
    fn a_human_takes_time_once_per_incident_and_then_sees_everything() {
        let mut operator = operator(Dist::Fixed(60.0));
        operator.believes(0, true, Time::from_secs(10.0));
        operator.believes(1, true, Time::from_secs(50.0));
        assert_eq!(
            shown(&mut operator, 69.0, [true, true]),
            [Some(false), Some(false)]
        );
        assert_eq!(operator.next_time(), Time::from_secs(70.0));
        assert_eq!(
            shown(&mut operator, 70.0, [true, true]),
            [Some(true), Some(true)]
        );
        assert_eq!(
            shown(&mut operator, 75.0, [true, true]),
            [Some(true), Some(true)]
        );
        operator.believes(0, false, Time::from_secs(80.0));
        operator.believes(0, true, Time::from_secs(90.0));
        assert_eq!(
            shown(&mut operator, 91.0, [true, true]),
            [Some(false), Some(true)]
        );
    }

    #[test]
    fn an_alarm_that_ends_before_the_decision_is_never_seen() {
        let mut operator = operator(Dist::Fixed(60.0));
        operator.believes(0, true, Time::from_secs(10.0));
        operator.believes(0, false, Time::from_secs(30.0));
        assert_eq!(operator.next_time(), Time::NEVER);
    }

    #[test]
    fn each_incident_has_its_own_time() {
        let time = |operator: &mut Operator| {
            operator.believes(0, false, Time::ZERO);
            operator.believes(0, true, Time::ZERO);
            operator.next_time()
        };
        let mut first = operator(Dist::Exponential { mean: 60.0 });
        let (one, two) = (time(&mut first), time(&mut first));
        assert_ne!(one, two);
        assert_eq!(
            one,
            time(&mut operator(Dist::Exponential { mean: 60.0 })),
            "the same luck again"
        );
    }

    #[test]
    fn what_fails_without_being_dead_waits_for_the_decision_too() {
        let mut operator = operator(Dist::Fixed(60.0));
        operator.says_failing(0, true, Time::from_secs(10.0));
        let failing = |operator: &mut Operator, now: f64| {
            let mut telemetry = Telemetry {
                now: Time::from_secs(now),
                regions: vec![
                    RegionTelemetry {
                        failing: true,
                        ..RegionTelemetry::default()
                    };
                    2
                ],
                markets: Vec::new(),
                announced: Vec::new(),
                undone: Vec::new(),
            };
            operator.show(&mut telemetry);
            telemetry.regions[0].failing
        };
        assert!(!failing(&mut operator, 69.0));
        assert_eq!(operator.next_time(), Time::from_secs(70.0));
        assert!(failing(&mut operator, 70.0));
        // That a guard says so too is no news, and that it is dead as well needs no second decision.
        operator.says_failing(0, true, Time::from_secs(75.0));
        operator.believes(0, true, Time::from_secs(78.0));
        assert_eq!(operator.next_time(), Time::NEVER);
        assert!(failing(&mut operator, 79.0));
        operator.says_failing(0, false, Time::from_secs(80.0));
        assert_eq!(operator.next_time(), Time::NEVER);
    }
}
