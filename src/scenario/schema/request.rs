//! What clients ask for, and when.

use crate::model::request::{Request, When};
use crate::model::scenario::{Service, ServiceId};
use crate::scenario::default::{required, setting};
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::Range;
use crate::scenario::section::Section;
use crate::scenario::tree::At;

/// Most requests.
const MOST_REQUESTS: usize = 50;

const TIMES: [&str; 4] = ["start", "every", "rate", "on"];

/// The requests, sorted by name. `plain`: nothing streams, so only starts are there.
pub fn requests(top: &mut Section, services: &[Service], plain: bool) -> Vec<Request> {
    let mut found = Vec::new();
    for mut section in top.tables("request", MOST_REQUESTS) {
        let request = request(&mut section, services);
        if plain && !matches!(request.when, When::Start { .. }) {
            let key = TIMES.into_iter().find(|key| section.has(key));
            section.wrong(
                key.unwrap_or("start"),
                "there are no sessions: the markets bring plain requests",
                "write start = 1, or give the markets `starts`",
            );
        }
        found.push((request, section.at, section.path.clone()));
    }
    mix(top, &found, plain);
    let starts = |(r, ..): &(Request, _, _)| matches!(r.when, When::Start { .. });
    if !found.iter().any(starts) {
        top.wrong(
            "request",
            "none is made at a start",
            "write start = 1 in one of them",
        );
    }
    top.reader.duplicates(
        found
            .iter()
            .map(|(r, at, path)| (r.name.as_str(), *at, path.as_str())),
    );
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    found.into_iter().map(|(request, ..)| request).collect()
}

fn request(section: &mut Section, services: &[Service]) -> Request {
    Request {
        name: section.name(),
        to: to(section, services),
        when: when(section),
        priority: section.count("priority", setting("1"), 1, 255) as u8,
        safe: section.flag("safe", true),
        share: share(section),
    }
}

/// Share of plain requests that are of this kind.
fn share(section: &mut Section) -> Option<f64> {
    if !section.has("share") {
        section.take("share");
        return None;
    }
    Some(section.certain("share", required("1"), Unit::Share, Range::SHARE))
}

/// Plain requests are of kinds whose shares sum to one, or all alike.
fn mix(top: &Section, found: &[(Request, At, String)], plain: bool) {
    let wrong = |(_, at, path): &(Request, At, String), message: String, hint: &str| {
        top.reader.wrong(*at, path, Wrong::new(message, hint));
    };
    let (with, without): (Vec<_>, Vec<_>) = found.iter().partition(|f| f.0.share.is_some());
    let Some(first) = with.first() else {
        return;
    };
    if !plain {
        let message = "sessions make all requests: only plain ones have a share".to_string();
        wrong(first, message, "remove it, or give the markets `requests`");
        return;
    }
    if let Some(other) = without.first() {
        let message = "has no share, and others have".to_string();
        wrong(other, message, "give every request a share, or none");
        return;
    }
    let total: f64 = with.iter().filter_map(|f| f.0.share).sum();
    if (total - 1.0).abs() > 1e-9 {
        let message = format!("the shares of the requests sum to {total}");
        wrong(first, message, "they must sum to 1");
    }
}

/// The service asked; by default the only one that no service calls.
fn to(section: &mut Section, services: &[Service]) -> ServiceId {
    let names: Vec<&str> = services.iter().map(|s| s.name.as_str()).collect();
    if section.has("to") {
        let to = section.reference("to", "service", &names).unwrap_or(0);
        if services.get(to).is_some_and(|s| s.worker.is_some()) {
            section.wrong(
                "to",
                format!("{:?} is a worker: it answers no requests", names[to]),
                "name a service that answers",
            );
        }
        return to;
    }
    section.take("to");
    let called = |s: &ServiceId| services.iter().flat_map(|x| &x.calls).any(|c| c.to == *s);
    let tops: Vec<ServiceId> = (0..services.len())
        .filter(|s| !called(s) && services[*s].worker.is_none())
        .collect();
    match tops[..] {
        [only] => only,
        _ => {
            let some: Vec<&str> = tops.iter().map(|&s| names[s]).take(10).collect();
            section.wrong(
                "to",
                "is missing, and several services or none could be meant",
                format!("write to = \"…\"; nobody calls: {}", some.join(", ")),
            );
            0
        }
    }
}

fn when(section: &mut Section) -> When {
    let given: Vec<&str> = TIMES.into_iter().filter(|key| section.has(key)).collect();
    if given.len() != 1 {
        section.wrong(
            given.get(1).copied().unwrap_or("start"),
            match given.is_empty() {
                true => "it is not said when the request is made".to_string(),
                false => format!("{} exclude each other", given.join(" and ")),
            },
            "write one of start = 1, every = \"60s\", rate = \"0.01/s\" and on = \"reconnect\"",
        );
    }
    let count = section.count("start", setting("1"), 1, 1000);
    let period_secs = section.secs("every", setting("60s"), Range::new(1.0, 86_400.0));
    let renews = section.flag("renews", false);
    let per_sec = section.quantity(
        "rate",
        setting("1/s"),
        Unit::PerSecond,
        Range::new(0.0, 1e3),
    );
    let on = section.choice(
        "on",
        &[
            ("reconnect", When::Reconnect),
            ("region-change", When::RegionChange),
        ],
    );
    if renews && given.first() != Some(&"every") {
        section.wrong(
            "renews",
            "only a periodic request renews",
            "write every = \"…\", or remove it",
        );
    }
    match given.first() {
        Some(&"every") => When::Every {
            period_secs,
            renews,
        },
        Some(&"rate") => When::Rate { per_sec },
        Some(&"on") => on,
        _ => When::Start { count },
    }
}
