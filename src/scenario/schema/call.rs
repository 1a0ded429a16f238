//! Calls from service to service, and the caches in front of them.

use crate::model::scenario::{Cache, Call, Eviction};
use crate::scenario::default::{guess, required, setting, sourced};
use crate::scenario::quantity::LONGEST_SECS;
use crate::scenario::reader::Range;
use crate::scenario::section::Section;

/// Most calls of a service.
const MOST_CALLS: usize = 200;
/// Most objects of a catalogue.
const MOST_OBJECTS: f64 = 1e10;

const HYSTRIX: &str = "https://github.com/Netflix/Hystrix, HystrixCommandProperties.java";

/// What a service calls, in the file's order: calls that are not parallel are made in it.
pub fn calls(service: &mut Section, services: &[String]) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut places = Vec::new();
    for mut section in service.tables("calls", MOST_CALLS) {
        let to = section.required_reference("to", "service", services);
        let call = call(&mut section, to.unwrap_or(0));
        if let Some(to) = to {
            places.push((services[to].as_str(), section.at, section.path.clone()));
            calls.push(call);
        }
    }
    service.reader.duplicates(
        places
            .iter()
            .map(|(name, at, path)| (*name, *at, path.as_str())),
    );
    calls
}

fn call(section: &mut Section, to: usize) -> Call {
    let fallback = section.text("fallback").unwrap_or_default().to_string();
    let critical = section.flag("critical", fallback.is_empty());
    if critical && !fallback.is_empty() {
        section.wrong(
            "critical",
            "a critical call has no fallback",
            "remove `critical = true`, or the fallback",
        );
    }
    Call {
        to,
        count: section.number("count", setting("1"), Range::positive(1e3)),
        critical,
        fallback,
        timeout_secs: section.secs("timeout", sourced("1s", HYSTRIX), Range::positive(3600.0)),
        attempts: section.count("attempts", setting("1"), 1, 100),
        parallel: section.flag("parallel", true),
        priority: section.count("priority", setting("0"), 0, 255) as u8,
        cache: cache(section),
    }
}

fn cache(call: &mut Section) -> Option<Cache> {
    if !call.has("cache") {
        call.take("cache");
        return None;
    }
    let mut cache = call.section("cache");
    let objects = cache.number(
        "objects",
        required("1000000"),
        Range::new(1.0, MOST_OBJECTS),
    );
    let whole = setting(format!("{objects}"));
    let ever = Range::positive(f64::INFINITY);
    let ttl_secs = cache.secs("ttl", setting("inf"), ever);
    if ttl_secs.is_finite() && ttl_secs > LONGEST_SECS {
        cache.wrong("ttl", "is longer than a hundred years", "write inf");
    }
    Some(Cache {
        objects: objects.round() as u64,
        zipf: cache.number("zipf", guess("0.9"), Range::new(0.0, 5.0)),
        capacity: cache.number("capacity", whole, Range::positive(MOST_OBJECTS)),
        eviction: cache.choice(
            "eviction",
            &[("lru", Eviction::Lru), ("random", Eviction::Random)],
        ),
        ttl_secs,
        renew_ttl: cache.flag("renew_ttl", false),
        common: cache.share("common", setting("0"), Range::SHARE),
        coalesce: cache.flag("coalesce", true),
        warm_secs: cache.secs("warm", guess("24h"), Range::SPAN),
    })
}
