//! Services, and the order in which they call each other.

use crate::model::scenario::{Service, ServiceId};
use crate::scenario::default::{guess, required, setting, sourced};
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::Range;
use crate::scenario::schema::network::{BYTES, HEALTH_CHECK};
use crate::scenario::schema::{call, market, money, scaling, worker};
use crate::scenario::section::Section;
use crate::scenario::tree::At;

/// Most services.
const MOST_SERVICES: usize = 200;

const EC2_BOOT: &str = "mean of 96.9 s to the login of a small Linux instance, \
     https://doi.org/10.1109/CLOUD.2012.103; the spread is derived";

/// The services, sorted by name, and an order in which callers come first.
///
/// The kinds of requests that bring work are told by [`worker::resolve`].
pub fn services(
    top: &mut Section,
    regions: &[&str],
) -> (Vec<Service>, Vec<ServiceId>, Vec<worker::Sources>) {
    let mut sections = top.tables("service", MOST_SERVICES);
    if sections.is_empty() {
        top.wrong(
            "service",
            "there is none",
            "leave the key out for one service with defaults",
        );
    }
    let mut named: Vec<(String, Section)> = Vec::new();
    for mut section in sections.drain(..) {
        named.push((section.name(), section));
    }
    top.reader.duplicates(
        named
            .iter()
            .map(|(name, s)| (name.as_str(), s.at, s.path.as_str())),
    );
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let mut names: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
    names.dedup();
    let mut services = Vec::new();
    let mut places = Vec::new();
    let mut sources = Vec::new();
    for (name, mut section) in named {
        let service = service(name, &mut section, &names, regions, &mut sources);
        // One that is there twice was noted; the first is kept.
        if services
            .last()
            .is_none_or(|last: &Service| last.name != service.name)
        {
            services.push(service);
            places.push((section.at, section.path_of("calls")));
        }
    }
    not_called(top, &services, &places);
    match call_order(&services) {
        Ok(order) => (services, order, sources),
        Err(cycle) => {
            let names: Vec<&str> = cycle.iter().map(|&s| names[s].as_str()).collect();
            let (at, path) = &places[cycle[0]];
            let wrong = Wrong::new(
                format!(
                    "services call each other in a circle: {}",
                    names.join(" -> ")
                ),
                "remove one of the calls",
            );
            top.reader.wrong(*at, path, wrong);
            let order = (0..services.len()).collect();
            (services, order, sources)
        }
    }
}

/// Workers are not called.
fn not_called(top: &Section, services: &[Service], places: &[(At, String)]) {
    for (caller, (at, path)) in services.iter().zip(places) {
        for call in &caller.calls {
            let Some(worker) = services.get(call.to).filter(|s| s.worker.is_some()) else {
                continue;
            };
            let wrong = Wrong::new(
                format!("{:?} is a worker: nobody calls it", worker.name),
                "let the kinds of requests bring it work: worker = { from = [\"…\"] }",
            );
            top.reader.wrong(*at, path, wrong);
        }
    }
}

fn service(
    name: String,
    section: &mut Section,
    names: &[String],
    regions: &[&str],
    sources: &mut Vec<worker::Sources>,
) -> Service {
    let slots = section.count("slots", guess("40"), 1, 1_000_000);
    let mut health = section.section("health");
    let health_interval = health.span(
        "interval",
        sourced("30s", HEALTH_CHECK),
        Range::new(0.1, 86_400.0),
    );
    let health_threshold = health.count("threshold", sourced("2", HEALTH_CHECK), 1, 1000);
    let eject_most = health.share("eject_most", guess("0.5"), Range::SHARE);
    drop(health);
    let instances = section.has("instances");
    let impatient = section.has("queue_timeout");
    let (headroom, after_loss) = headroom(section, regions.len(), instances);
    let scaling = scaling::scaling(section, headroom, instances);
    let scalable = section.flag("scalable", true);
    if scaling.is_some() && !scalable {
        section.wrong(
            "scaling",
            "a service that is not scalable cannot follow its load",
            "remove scaling, or scalable = false",
        );
    }
    let calls = call::calls(section, names);
    let worker = worker::worker(section, &name, !calls.is_empty());
    let worker = worker.map(|(worker, of)| {
        sources.push(of);
        worker
    });
    if worker.is_some() && scaling.is_some() {
        section.wrong(
            "scaling",
            "a worker does not follow its load: it works at leisure",
            "remove it; headroom is what drains a backlog",
        );
    }
    // A fixed number wins over `headroom`, so that `service.*.headroom` can be set for all others.
    Service {
        name,
        regions: market::only_regions(section, "regions", regions, "has the service"),
        slots,
        time: section.dist(
            "time",
            guess("{ lognormal = { median = '10ms', p99 = '50ms' } }"),
        ),
        queue: section.count("queue", guess(slots.to_string()), 0, 1_000_000_000),
        queue_timeout: Some(section.dist("queue_timeout", setting("1d"))).filter(|_| impatient),
        cancel: section.flag("cancel", false),
        headroom,
        dark: section.share("dark", setting("0"), Range::new(0.0, 1e3)),
        after_loss,
        standby: section.share("standby", setting("0"), Range::SHARE),
        instances: Some(section.count("instances", setting("1"), 1, 10_000_000))
            .filter(|_| instances),
        activation: section.dist("activation", guess("{ uniform = ['20s', '60s'] }")),
        boot: section.dist(
            "boot",
            sourced("{ lognormal = { median = '90s', p95 = '150s' } }", EC2_BOOT),
        ),
        slow_start: section.span("slow_start", guess("60s"), Range::SPAN),
        slow_factor: section.number("slow_factor", guess("2"), Range::new(1.0, 1e3)),
        health_interval,
        health_threshold,
        eject_most,
        discovery: section.dist("discovery", setting("0s")),
        scalable,
        scaling,
        price_per_hour: money::price(section),
        bytes: section.quantity("bytes", setting("0"), Unit::Bytes, BYTES),
        worker,
        calls,
    }
}

/// The headroom, and the CPU after the loss of a region if it is given by that: then the headroom is
/// what equal regions would have.
fn headroom(section: &mut Section, regions: usize, fixed: bool) -> (f64, Option<f64>) {
    if section.child_has("headroom", "after_loss") {
        let mut table = section.section("headroom");
        let most = table.share("after_loss", required("80 %"), Range::new(0.01, 1.0));
        let lost = match regions {
            0 | 1 => 1.0,
            many => many as f64 / (many - 1) as f64,
        };
        return (lost / most - 1.0, Some(most));
    }
    let default = if fixed { setting("0") } else { guess("0.5") };
    let headroom = section.share("headroom", default, Range::new(0.0, 1e3));
    (headroom, None)
}

/// An order in which callers come before those they call, by name where free; or a circle.
fn call_order(services: &[Service]) -> Result<Vec<ServiceId>, Vec<ServiceId>> {
    let mut callers = vec![0; services.len()];
    for call in services.iter().flat_map(|s| &s.calls) {
        callers[call.to] += 1;
    }
    let mut order = Vec::new();
    let mut placed = vec![false; services.len()];
    while let Some(next) = (0..services.len()).find(|&s| !placed[s] && callers[s] == 0) {
        placed[next] = true;
        order.push(next);
        for call in &services[next].calls {
            callers[call.to] -= 1;
        }
    }
    if order.len() == services.len() {
        return Ok(order);
    }
    // Each that is left is called by one that is left: going from caller to caller closes a circle.
    let left = |s: &ServiceId| !placed[*s];
    let caller = |of: ServiceId| {
        let calls = |s: &ServiceId| services[*s].calls.iter().any(|c| c.to == of);
        (0..services.len()).filter(left).find(calls)
    };
    let mut walk = vec![(0..services.len()).find(left).expect("some are left")];
    loop {
        let last = *walk.last().expect("it began with one");
        let next = caller(last).expect("each that is left has a caller that is left");
        if let Some(start) = walk.iter().position(|&s| s == next) {
            let mut cycle = walk.split_off(start);
            cycle.reverse();
            // It begins with its first name, so that the message does not depend on the walk.
            let first = (0..cycle.len())
                .min_by_key(|&i| cycle[i])
                .expect("not empty");
            cycle.rotate_left(first);
            cycle.push(cycle[0]);
            return Err(cycle);
        }
        walk.push(next);
    }
}
