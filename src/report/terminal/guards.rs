//! What came of the guards of faults.

use crate::report::figure;
use crate::study::VariantSummary;
use crate::units::human_secs;
use std::fmt::Write;

/// A line per guard; nothing where there is none.
pub fn lines(variant: &VariantSummary) -> String {
    let mut text = String::new();
    for guard in &variant.guards {
        let did = match guard.action {
            "warn" => "warned",
            "abort" => "aborted the drill",
            _ => "began the failover",
        };
        let share = guard.breached.map_or(0.0, |share| share.share);
        let at = guard.at_s.p50.map_or(String::new(), |at| {
            format!(", {} after its beginning", human_secs(at))
        });
        let name = &guard.name;
        let often = figure::percent(share);
        let _ = writeln!(text, "Guard {name} {did} in {often} of replications{at}");
    }
    text
}
