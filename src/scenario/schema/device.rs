//! Device classes: what keeps a client on its region, and how it retries.

use crate::model::scenario::{DeviceClass, Violators};
use crate::scenario::default::{guess, required, setting, sourced};
use crate::scenario::quantity::Unit;
use crate::scenario::reader::Range;
use crate::scenario::section::Section;
use crate::units::Span;

/// Most device classes.
const MOST_DEVICES: usize = 50;

const ZUUL: &str = "https://github.com/Netflix/zuul, CommonChannelConfigKeys.java";
const GRPC: &str = "https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md";

/// The device classes, sorted by name; their shares sum to one. `plain`: nothing streams.
pub fn devices(top: &mut Section, plain: bool) -> Vec<DeviceClass> {
    let mut found = Vec::new();
    for mut section in top.tables("device", MOST_DEVICES) {
        let class = device(&mut section, plain);
        found.push((class, section.at, section.path.clone()));
    }
    let total: f64 = found.iter().map(|(class, ..)| class.share).sum();
    if (total - 1.0).abs() > 1e-9 {
        top.wrong(
            "device",
            format!("the shares of the device classes sum to {total}"),
            "they must sum to 1",
        );
    }
    top.reader.duplicates(
        found
            .iter()
            .map(|(d, at, path)| (d.name.as_str(), *at, path.as_str())),
    );
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    found.into_iter().map(|(class, ..)| class).collect()
}

fn device(section: &mut Section, plain: bool) -> DeviceClass {
    let name = section.name();
    let share = section.certain("share", required("1"), Unit::Share, Range::SHARE);
    let mut violators = section.section("violators");
    let violators = Violators {
        share: violators.share("share", setting("0"), Range::SHARE),
        stale: violators.dist(
            "stale",
            sourced(
                "{ pareto = { min = '60s', alpha = 0.594, max = '3d' } }",
                "tail through 10 % of clients at 60 s and 2 % at 15 min after a change, \
                 https://doi.org/10.1109/LANMAN.2014.7028641",
            ),
        ),
    };
    let mut connection = section.section("connection");
    let connection_age =
        connection.dist("age", sourced("{ uniform = ['20min', '20min20s'] }", ZUUL));
    let connection_idle = connection.span("idle", sourced("65s", ZUUL), Range::SOME_SPAN);
    drop(connection);
    let mut backoff = section.section("backoff");
    let backoff_base = backoff.span("base", sourced("1s", GRPC), Range::new(0.001, 86_400.0));
    let backoff_factor = backoff.number("factor", sourced("1.6", GRPC), Range::new(1.0, 100.0));
    let backoff_cap = backoff.span("cap", sourced("120s", GRPC), Range::new(0.001, 86_400.0));
    let jitter = backoff.share("jitter", sourced("0.2", GRPC), Range::SHARE);
    if backoff_cap < backoff_base {
        backoff.wrong("cap", "is below the first wait", "make cap at least base");
    }
    drop(backoff);
    let burst = section.has("retry_burst");
    DeviceClass {
        name,
        share,
        direct: section.flag("direct", false),
        violators,
        pin: section.span("pin", setting("0s"), Range::SPAN),
        connection_age,
        connection_idle,
        think: think(section, plain),
        timeout: section.span("timeout", guess("10s"), Range::new(0.01, 3600.0)),
        attempts: section.count("attempts", guess("3"), 1, 100),
        backoff_base,
        backoff_factor,
        backoff_cap,
        jitter,
        retry_budget: section.share(
            "retry_budget",
            setting("inf"),
            Range::new(0.0, f64::INFINITY),
        ),
        retry_by_success: section.flag("retry_by_success", false),
        retry_burst: Some(section.number("retry_burst", setting("10"), Range::new(0.0, 1e9)))
            .filter(|_| burst),
        retry_breaker: section.share("retry_breaker", setting("1"), Range::SHARE),
        fallback_after: section.count("fallback_after", setting("0"), 0, 1000),
    }
}

/// How often a plain user asks for something; a session's requests say so themselves.
fn think(section: &mut Section, plain: bool) -> Option<Span> {
    if !section.has("think") {
        section.take("think");
        return None;
    }
    if !plain {
        section.take("think");
        section.wrong(
            "think",
            "sessions hold their connection: only plain users think",
            "remove it, or give the markets `requests` instead of `starts`",
        );
        return None;
    }
    Some(section.span("think", required("20s"), Range::SOME_SPAN))
}
