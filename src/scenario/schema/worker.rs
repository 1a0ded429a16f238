//! Services that work at leisure on a backlog.

use crate::model::request::Request;
use crate::model::scenario::Service;
use crate::model::work::{WorkSource, Worker};
use crate::scenario::default::{guess, setting};
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::Range;
use crate::scenario::section::Section;
use crate::scenario::tree::At;

/// Most kinds of requests that bring work.
const MOST_SOURCES: usize = 50;

/// Names of the requests that bring a worker its work, until the requests are known.
pub struct Sources {
    path: String,
    named: Vec<(String, At)>,
    /// The service, by its name.
    service: String,
}

/// The `worker` of a service, whose `calls` are known; kinds of requests are told by [`resolve`].
pub fn worker(section: &mut Section, service: &str, calls: bool) -> Option<(Worker, Sources)> {
    if !section.has("worker") {
        section.take("worker");
        return None;
    }
    if calls {
        section.wrong(
            "calls",
            "a worker makes no calls",
            "count the time of its calls in its own `time`",
        );
    }
    let mut worker = section.section("worker");
    let given: Vec<&str> = ["from", "rate"]
        .into_iter()
        .filter(|key| worker.has(key))
        .collect();
    if given.len() != 1 {
        worker.wrong(
            given.get(1).copied().unwrap_or("from"),
            match given.is_empty() {
                true => "it is not said where its work comes from",
                false => "from and rate exclude each other",
            },
            "write from = [\"start\"], or rate = \"50/s\"",
        );
    }
    if worker.has("each") && !worker.has("from") {
        worker.wrong(
            "each",
            "counts items per request, and no requests are named",
            "write from = [\"start\"], or remove it",
        );
    }
    let path = worker.path_of("from");
    let named = sources(&mut worker);
    let each = worker.number("each", setting("1"), Range::positive(1e6));
    let per_sec = worker.quantity(
        "rate",
        setting("0/s"),
        Unit::PerSecond,
        Range::new(0.0, 1e9),
    );
    let source = match given.contains(&"from") {
        true => WorkSource::Requests {
            from: Vec::new(),
            each,
        },
        false => WorkSource::Rate { per_sec },
    };
    let read = Worker {
        source,
        late_secs: worker.secs("late", guess("60s"), Range::positive(86_400.0)),
        lost_in_dark: worker.choice("on_dark", &[("wait", false), ("lost", true)]),
    };
    let sources = Sources {
        path,
        named,
        service: service.to_string(),
    };
    Some((read, sources))
}

fn sources(worker: &mut Section) -> Vec<(String, At)> {
    let path = worker.path_of("from");
    let Some(nodes) = worker.array("from") else {
        return Vec::new();
    };
    if nodes.is_empty() || nodes.len() > MOST_SOURCES {
        worker.wrong(
            "from",
            format!("{} kinds of requests", nodes.len()),
            format!("name 1 to {MOST_SOURCES}"),
        );
    }
    let mut named: Vec<(String, At)> = Vec::new();
    for node in nodes.iter().take(MOST_SOURCES) {
        let wrong = match node.text() {
            None => Wrong::new(
                format!("expected a request's name, found {}", node.kind()),
                "write it in quotes",
            ),
            Some(name) if named.iter().any(|(other, _)| other == name) => Wrong::new(
                format!("{name:.60?} is listed twice"),
                "name each kind once",
            ),
            Some(name) => {
                named.push((name.to_string(), node.at));
                continue;
            }
        };
        worker.reader.wrong(node.at, &path, wrong);
    }
    named
}

/// The requests are known: the kinds that bring work are found. Workers neither answer requests nor
/// are called.
pub fn resolve(
    top: &mut Section,
    sources: &[Sources],
    services: &mut [Service],
    requests: &[Request],
) {
    let kinds: Vec<&str> = requests.iter().map(|r| r.name.as_str()).collect();
    for of in sources {
        let find =
            |(name, at): &(String, At)| top.reader.find(*at, &of.path, name, "request", &kinds);
        let found: Vec<usize> = of.named.iter().filter_map(find).collect();
        let service = services.iter_mut().find(|s| s.name == of.service);
        if let Some(Worker {
            source: WorkSource::Requests { from, .. },
            ..
        }) = service.and_then(|s| s.worker.as_mut())
        {
            *from = found;
        }
    }
}
