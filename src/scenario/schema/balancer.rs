//! The load balancers of the regions.

use crate::model::scenario::BalancerLimits;
use crate::scenario::default::{guess, setting, sourced};
use crate::scenario::quantity::Unit;
use crate::scenario::reader::Range;
use crate::scenario::section::Section;

const ALB: &str = "capacity should be reserved when traffic doubles in less than five minutes, \
     https://docs.aws.amazon.com/elasticloadbalancing/latest/application/capacity-unit-reservation.html";

/// Load balancers with a limit; without the section there is none.
pub fn balancer(top: &mut Section) -> Option<BalancerLimits> {
    if !top.has("balancer") {
        return None;
    }
    let mut section = top.section("balancer");
    let rates = Range::new(0.0, 1e12);
    let fixed = section.has("limit");
    if fixed {
        for key in ["headroom", "least"] {
            if section.has(key) {
                section.wrong(
                    key,
                    format!("{key} and limit exclude each other"),
                    "keep one: `limit` is what the balancers of each region take",
                );
            }
        }
    }
    let limit = section.quantity("limit", setting("0/s"), Unit::PerSecond, rates);
    // With a limit, nothing is planned.
    let default = |text: &'static str| if fixed { setting(text) } else { guess(text) };
    let headroom = section.share("headroom", default("1.0"), Range::new(0.0, 1e3));
    // Above what is in use at the busiest planned hour, so that a calm day does not scale them.
    let above = match fixed {
        true => 0.9,
        false => 0.5 + 0.5 / (1.0 + headroom),
    };
    Some(BalancerLimits {
        limit: fixed.then_some(limit),
        headroom,
        least: section.quantity("least", default("100/s"), Unit::PerSecond, rates),
        scale_above: section.share("scale_above", guess(format!("{above:.3}")), Range::SHARE),
        scale_factor: section.number("scale_factor", sourced("2", ALB), Range::new(1.0, 100.0)),
        scale_after: section.span("scale_after", sourced("5min", ALB), Range::SOME_SPAN),
    })
}
