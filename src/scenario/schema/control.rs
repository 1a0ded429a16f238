//! Observers, probes, and where decisions are made.

use crate::model::scenario::Control;
use crate::scenario::default::{guess, setting, sourced};
use crate::scenario::reader::Range;
use crate::scenario::section::Section;

const ROUTE_53: &str = "fast health checks of Route 53, \
     https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_route53.HealthCheck.html";

/// The control plane.
pub fn control(mut section: Section, regions: &[&str]) -> Control {
    let home = match section.text("home") {
        None | Some("none") => None,
        Some(_) => section.reference("home", "region", regions),
    };
    let observers = section.count("observers", setting("3"), 1, 100);
    let majority = observers / 2 + 1;
    let agree = match section.take("agree").map(|node| node.text()) {
        Some(Some("majority")) => majority,
        _ => section.count("agree", setting(majority.to_string()), 1, 100),
    };
    if agree > observers {
        section.wrong(
            "agree",
            format!("{agree} of {observers} observers cannot agree"),
            "at most as many as there are observers, or \"majority\"",
        );
    }
    let interval = section.span(
        "interval",
        sourced("10s", ROUTE_53),
        Range::new(0.1, 86_400.0),
    );
    Control {
        home,
        observers,
        agree,
        interval,
        timeout: section.span(
            "timeout",
            sourced("4s", ROUTE_53),
            Range::new(0.001, 3600.0),
        ),
        threshold: section.count("threshold", sourced("3", ROUTE_53), 1, 1000),
        back_to_back: section.choice("pace", &[("start", false), ("completion", true)]),
        deep: section.choice("probe", &[("shallow", false), ("deep", true)]),
        false_alarm: section.share("false_alarm", setting("0"), Range::SHARE),
        missed: section.share("missed", setting("0"), Range::SHARE),
        delay: section.span("delay", guess("10s"), Range::SPAN),
        push: section.dist("push", guess("{ uniform = ['1s', '5s'] }")),
        push_failure: section.share("push_failure", setting("0"), Range::new(0.0, 0.99)),
        push_timeout: section.span("push_timeout", guess("30s"), Range::SPAN),
    }
}
