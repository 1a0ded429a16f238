//! Zone loss: every instance of a zone dies (Chaos Gorilla).
//!
//! - Work in flight in the zone fails at once (*refuse*: connections are reset) or hangs until the
//!   caller's timeout (*hang*): who is answered all the same, by another attempt or without the call,
//!   has waited so much longer.
//! - The instances stay in rotation until health checks eject them; then the other zones carry the
//!   load. That is *served again*; *redundant again* is when as many instances are in service as
//!   before.
//! - The proxies of an edge that is the region's own are lost with it.
//! - When it ends, the zone's instances boot and come back.

use super::{FaultKind, Key, one, say};
use crate::engine::stream::Stream;
use crate::faults::key::{Role, may, must};
use crate::model::episode::{Episode, Impairment};
use crate::model::scenario::{Fault, Scenario};

/// Every instance in one zone of a region dies and stays in rotation until health checks find out.
pub struct ZoneLoss;

impl FaultKind for ZoneLoss {
    fn name(&self) -> &'static str {
        "zone-loss"
    }

    fn summary(&self) -> &'static str {
        "every instance in one zone of a region dies and stays in rotation until health checks find out"
    }

    fn describe(&self, fault: &Fault, scenario: &Scenario) -> String {
        let (Some(r), Some(zone)) = (fault.region, fault.zone) else {
            return String::new();
        };
        let region = &scenario.regions[r];
        let mode = if fault.hang { "hang" } else { "are refused" };
        format!(
            "zone {} of the {} of {} is lost {}: connections {mode}",
            zone + 1,
            region.zones,
            region.name,
            say::when(fault, scenario)
        )
    }

    fn keys(&self) -> &'static [Key] {
        const KEYS: &[Key] = &[
            must("region", Role::Region, "east"),
            must("zone", Role::Zone, "1"),
            may("mode", Role::Mode, "refuse"),
        ];
        KEYS
    }

    fn episodes(
        &self,
        number: usize,
        fault: &Fault,
        _scenario: &Scenario,
        _luck: Stream,
    ) -> Vec<Episode> {
        let (Some(region), Some(zone)) = (fault.region, fault.zone) else {
            return Vec::new();
        };
        one(
            number,
            fault,
            Impairment::ZoneDown {
                region,
                zone,
                hang: fault.hang,
            },
        )
    }
}
