//! How services follow their load, and what a provider lets a region launch.

use crate::model::scenario::{Launches, Scaling};
use crate::scenario::default::{guess, setting, sourced};
use crate::scenario::quantity::Unit;
use crate::scenario::reader::Range;
use crate::scenario::section::Section;

const COOLDOWN: &str = "default cooldown of an auto scaling group, \
     https://github.com/boto/botocore, data/autoscaling/2011-01-01/service-2.json";
const RATE: &str = "a thousand at once, then a few per second: the bucket of RunInstances; \
     the figures are those of a large account, a guess";

/// The scaling of a service, if it has any. A run starts in equilibrium when the target is what the
/// headroom leaves.
pub fn scaling(service: &mut Section, headroom: f64, fixed: bool) -> Option<Scaling> {
    if !service.has("scaling") {
        // The key is known all the same.
        service.take("scaling");
        return None;
    }
    let mut section = service.section("scaling");
    let target = match fixed {
        true => guess("0.6"),
        false => setting(format!("{}", 1.0 / (1.0 + headroom))),
    };
    Some(Scaling {
        target: section.share("target", target, Range::new(0.01, 1.0)),
        tolerance: section.share("tolerance", guess("0.1"), Range::SHARE),
        delay: section.span("delay", guess("60s"), Range::SPAN),
        interval: section.span("interval", guess("60s"), Range::new(1.0, 86_400.0)),
        cooldown_out: section.span("cooldown_out", sourced("300s", COOLDOWN), Range::SPAN),
        cooldown_in: section.span("cooldown_in", sourced("300s", COOLDOWN), Range::SPAN),
        step_out: section.share("step_out", guess("1.0"), Range::new(0.001, 100.0)),
        step_in: section.share("step_in", guess("0.1"), Range::new(0.001, 1.0)),
        least: section.count("least", setting("1"), 1, 10_000_000),
        most: section.number("most", guess("3"), Range::new(0.01, 1e3)),
        scale_in: section.flag("in", true),
    })
}

/// What a provider lets a region launch.
pub fn launches(mut section: Section) -> Launches {
    let limited = section.has("quota");
    let quota = section.number("quota", setting("1000000000"), Range::new(1.0, 1e9));
    Launches {
        burst: section.number("burst", guess_with("1000"), Range::new(1.0, 1e9)),
        per_sec: section.quantity(
            "rate",
            guess_with("5/s"),
            Unit::PerSecond,
            Range::new(1e-6, 1e9),
        ),
        quota: if limited { quota } else { f64::INFINITY },
        failing: section.share("failing", setting("0"), Range::SHARE),
        shortage: section.share("shortage", setting("0"), Range::SHARE),
        retry: section.span("retry", guess("60s"), Range::new(1.0, 86_400.0)),
    }
}

fn guess_with(text: &'static str) -> crate::scenario::default::DefaultValue {
    let mut default = guess(text);
    default.note = RATE;
    default
}
