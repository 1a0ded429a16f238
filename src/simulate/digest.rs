//! A digest of everything of a replication that is a result.

use crate::engine::digest::Digest;
use crate::model::outcome::Outcome;

/// A digest of everything that is a result.
pub fn digest(outcome: &Outcome) -> u64 {
    let mut digest = Digest::new();
    for window in &outcome.windows {
        digest.add_u64(window.until.0);
        for o in &window.regions {
            for count in [
                o.starts_ok,
                o.starts_failed,
                o.starts_ambient,
                o.answered_ok,
                o.answered_degraded,
                o.answered_error,
                o.unreachable,
                o.first_attempts,
                o.failed_for_good,
            ] {
                digest.add_u64(count);
            }
            for value in [
                o.playing_secs,
                o.stood_still,
                o.rebuffered,
                o.stalled_secs,
                o.cache_lookups,
                o.cache_hits,
                o.cache_failed,
                o.cache_fetches,
                o.busy_slot_secs,
                o.slot_secs,
                o.hottest_pool,
                o.store_busy_secs,
                o.store_slot_secs,
                window.demand,
            ] {
                digest.add_f64(value);
            }
            for d in &o.domains {
                for count in [d.reads, d.reads_answered, d.writes, d.writes_answered] {
                    digest.add_u64(count);
                }
                digest.add_f64(d.age_secs);
            }
            for w in &o.work {
                for value in [w.arrived, w.done, w.lost, w.backlog, w.age_secs] {
                    digest.add_f64(value);
                }
            }
            if o.connection_limit > 0.0 || o.connections > 0.0 {
                digest.add_f64(o.connections);
                digest.add_f64(o.connection_limit);
            }
            let weights = o.latency.weights.iter().chain(&o.start_delay.weights);
            for (bin, weight) in weights.enumerate().filter(|(_, w)| **w > 0.0) {
                digest.add_u64(bin as u64);
                digest.add_f64(*weight);
            }
        }
    }
    for entry in &outcome.log {
        digest.add_u64(entry.at.0);
        for text in [&entry.part, &entry.what, &entry.cause] {
            digest.add_str(text);
        }
    }
    let marks = &outcome.marks;
    for mark in [
        marks.detect,
        marks.decide,
        marks.shifted,
        marks.warm,
        marks.first_action,
    ] {
        digest.add_u64(mark.map_or(u64::MAX, |at| at.0));
    }
    for (which, mark) in [
        (0, marks.failback_begins),
        (1, marks.failback),
        (2, marks.redundant),
    ] {
        if let Some(at) = mark {
            digest.add_u64(which);
            digest.add_u64(at.0);
        }
    }
    for domain in &outcome.domains {
        for count in [
            domain.lost_writes,
            domain.late_writes,
            domain.conflicts,
            domain.reassigned,
        ] {
            digest.add_u64(count);
        }
        for secs in [
            domain.rpo_secs,
            domain.exposure_secs,
            domain.reconcile_secs.unwrap_or(f64::INFINITY),
        ] {
            digest.add_f64(secs);
        }
    }
    if let Some(outside) = &outcome.outside_validity {
        digest.add_str(&outside.pool);
        digest.add_u64(outside.lasting.0);
    }
    digest.finish()
}
