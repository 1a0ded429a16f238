//! Service level indicators: folds over what truly happened. One file each and one line in
//! [`all`]. A rate over several windows or regions is a ratio of sums and a quantile comes from
//! merged histograms; neither is ever an average of averages.

mod backlog_age;
mod balancer;
mod cache_hit_ratio;
mod cpu;
mod degraded_rate;
mod eligible_start_success;
mod error_rate;
mod latency;
mod rebuffer_rate;
mod staleness;
mod start_delay;
mod store;
mod stream_start_success;
mod unreachable_rate;

use crate::model::observation::{Observation, Sli};

/// All SLIs, in the order of reports.
pub fn all() -> &'static [&'static dyn Sli] {
    static ALL: [&dyn Sli; 16] = [
        &stream_start_success::StreamStartSuccess,
        &eligible_start_success::EligibleStartSuccess,
        &error_rate::ErrorRate,
        &unreachable_rate::UnreachableRate,
        &latency::P50,
        &latency::P95,
        &latency::P99,
        &start_delay::StartDelayP95,
        &rebuffer_rate::RebufferRate,
        &degraded_rate::DegradedRate,
        &staleness::Staleness,
        &cpu::Cpu,
        &cache_hit_ratio::CacheHitRatio,
        &store::Store,
        &balancer::Balancer,
        &backlog_age::BacklogAge,
    ];
    &ALL
}

/// The SLI of this name.
pub fn find(name: &str) -> Option<&'static dyn Sli> {
    all().iter().copied().find(|sli| sli.name() == name)
}

/// `part / whole`; nothing where there was nothing.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Answers sent to clients, errors included.
fn answers(observation: &Observation) -> f64 {
    (observation.answered_ok + observation.answered_error) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::domain::DomainObservation;
    use crate::model::work::WorkObservation;

    fn value(name: &str, observation: &Observation) -> Option<f64> {
        find(name).expect("a known SLI").measure(observation)
    }

    #[test]
    fn names_are_unique_and_found() {
        for sli in all() {
            let same = all().iter().filter(|other| other.name() == sli.name());
            assert_eq!(same.count(), 1, "{}", sli.name());
            assert!(find(sli.name()).is_some());
            assert!(!sli.summary().is_empty());
        }
        assert!(find("no such").is_none());
    }

    #[test]
    fn nothing_observed_is_no_value() {
        for sli in all() {
            assert_eq!(sli.measure(&Observation::default()), None, "{}", sli.name());
        }
    }

    #[test]
    fn hand_computed_values() {
        let mut seen = Observation {
            starts_ok: 90,
            starts_failed: 6,
            starts_ambient: 4,
            answered_ok: 960,
            answered_degraded: 25,
            answered_error: 40,
            unreachable: 250,
            playing_sessions: 500.0,
            stood_still: 5.0,
            cache_lookups: 80.0,
            cache_hits: 60.0,
            busy_slot_secs: 30.0,
            slot_secs: 60.0,
            store_busy_secs: 7.0,
            store_slot_secs: 10.0,
            domains: vec![
                DomainObservation {
                    aged_reads: 30,
                    age_secs: 60.0,
                    ..DomainObservation::default()
                },
                DomainObservation {
                    aged_reads: 10,
                    age_secs: 0.0,
                    ..DomainObservation::default()
                },
            ],
            work: vec![WorkObservation {
                age_secs: 90.0,
                ..WorkObservation::default()
            }],
            connections: 30.0,
            connection_limit: 20.0,
            ..Observation::default()
        };
        seen.latency.add(0.1, 98.0);
        seen.latency.add(2.0, 2.0);
        seen.start_delay.add(1.0, 10.0);
        for (name, expected) in [
            ("stream_start_success", 0.90),
            ("eligible_start_success", 90.0 / 96.0),
            ("error_rate", 0.04),
            ("unreachable_rate", 0.2),
            ("degraded_rate", 0.025),
            ("staleness", 1.5),
            ("rebuffer_rate", 0.01),
            ("cpu", 0.5),
            ("cache_hit_ratio", 0.75),
            ("store", 0.7),
            ("balancer", 1.5),
            ("backlog_age", 90.0),
        ] {
            let measured = value(name, &seen).expect("observed");
            assert!((measured - expected).abs() < 1e-12, "{name}: {measured}");
        }
        // A bin of the histogram is 5 % wide.
        for (name, expected) in [
            ("latency_p50", 0.1),
            ("latency_p95", 0.1),
            ("latency_p99", 2.0),
            ("start_delay_p95", 1.0),
        ] {
            let measured = value(name, &seen).expect("observed");
            assert!(
                (measured / expected - 1.0).abs() < 0.06,
                "{name}: {measured}"
            );
        }
    }

    #[test]
    fn rates_over_windows_are_ratios_of_sums() {
        let mut first = Observation {
            answered_ok: 0,
            answered_error: 10,
            ..Observation::default()
        };
        let second = Observation {
            answered_ok: 90,
            ..Observation::default()
        };
        first.merge(&second);
        assert_eq!(value("error_rate", &first), Some(0.1));
    }
}
