//! Bad deployment: a new version of a service works badly, everywhere (correlated: no region is
//! left to fail over to). With `stagger` it is rolled out region by region, in the order of their
//! names; it is rolled back everywhere at once when the fault ends, and a region that it has not
//! reached by then never gets it. Health checks and probes see it.
//!
//! - Requests in flight go on, slower. Errors are answers: whoever calls gets them at once.

use super::key::{Role, may, must};
use super::{FaultKind, Key, Mistake, announced, degraded, say};
use crate::engine::stream::Stream;
use crate::model::episode::Episode;
use crate::model::scenario::{Fault, Scenario};
use crate::units::{Span, Time};

/// A bad version is rolled out everywhere.
pub struct BadDeployment;

impl FaultKind for BadDeployment {
    fn name(&self) -> &'static str {
        "bad-deployment"
    }

    fn summary(&self) -> &'static str {
        "a bad version of a service is rolled out to all regions, at once or one by one, and rolled back"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        let reached = (0..scenario.regions.len())
            .filter(|&r| reaches(fault, r) < fault.at + fault.duration)
            .count();
        let pace = if fault.extra.is_zero() {
            "at once".to_string()
        } else {
            format!("{} after each other", fault.extra)
        };
        format!(
            "a bad version of {} reaches {reached} of {} regions {pace}, {}: {}",
            say::service(fault.service, scenario),
            scenario.regions.len(),
            say::when(fault, scenario),
            degraded::how_badly(fault)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            must("service", Role::Service, "api"),
            may("slowness", Role::Factor, "1.0"),
            may("errors", Role::Share, "0.0"),
            may("stagger", Role::Extra, "0s"),
        ];
        KEYS
    }

    fn mistake(&self, fault: &Fault) -> Option<Mistake> {
        degraded::mistake(fault)
    }

    fn hits_regions(&self, _fault: &Fault) -> bool {
        true
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        scenario: &Scenario,
        _luck: Stream,
    ) -> Vec<Episode> {
        (0..scenario.regions.len())
            .map(|r| Episode {
                from: reaches(fault, r),
                until: fault.at + fault.duration,
                impairment: degraded::impairment(fault, Some(r), true),
                announced: announced(fault),
                fault: number,
            })
            .filter(|episode| episode.from < episode.until)
            .collect()
    }
}

/// When the version reaches the region of this number.
fn reaches(fault: &Fault, region: usize) -> Time {
    fault.at + Span(fault.extra.0.saturating_mul(region as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_that_is_not_reached_before_the_rollback_never_gets_it() {
        let scenario = crate::objectives::testing::scenario();
        let fault = |stagger: f64| Fault {
            service: Some(0),
            at: Time::from_secs(60.0),
            duration: Span::from_secs(100.0),
            factor: 3.0,
            extra: Span::from_secs(stagger),
            ..Fault::default()
        };
        let luck = || Stream::new(1, 0, "fault", "");
        let begins = |stagger: f64| -> Vec<f64> {
            let episodes = BadDeployment.episodes(0, &fault(stagger), &scenario, luck());
            assert!(episodes.iter().all(|e| e.until == Time::from_secs(160.0)));
            episodes.iter().map(|e| e.from.secs()).collect()
        };
        assert_eq!(begins(0.0), [60.0, 60.0]);
        assert_eq!(begins(40.0), [60.0, 100.0]);
        assert_eq!(begins(100.0), [60.0]);
    }
}
