//! Domains of data and their stores.

use crate::model::domain::{Domain, Mode, Promotion, Store};
use crate::model::request::{Request, When};
use crate::model::scenario::{Market, RegionId};
use crate::scenario::default::{guess, setting, sourced};
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::Range;
use crate::scenario::schema::network::BYTES;
use crate::scenario::section::Section;
use crate::units::{Dist, Span};

/// Most domains.
const MOST_DOMAINS: usize = 50;
/// Most writes or reads per second.
const MOST_PER_SEC: f64 = 1e9;

const MODES: [(&str, Mode); 3] = [
    ("asynchronous", Mode::Asynchronous),
    ("quorum", Mode::Quorum),
    ("primary", Mode::Primary),
];

const EVCACHE: &str = "99 % within 400 ms, \
     https://www.besthub.dev/articles/how-netflix-s-evcache-powers-global-low-latency-caching-across-regions-f22d7edd5b8f; \
     the median is assumed";
const AURORA: &str = "promoted in less than a minute, \
     https://disaster-recovery.workshop.aws/en/services/databases/aurora/global-database.html";
const ROUTE53: &str = "three failures of checks every 10 s, \
     https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover.html";

/// The domains, sorted by name.
pub fn domains(
    top: &mut Section,
    regions: &[&str],
    markets: &[Market],
    requests: &[Request],
) -> Vec<Domain> {
    let mut found = Vec::new();
    for mut section in top.tables("domain", MOST_DOMAINS) {
        let domain = domain(&mut section, regions, markets, requests);
        found.push((domain, section.at, section.path.clone()));
    }
    top.reader.duplicates(
        found
            .iter()
            .map(|(d, at, path)| (d.name.as_str(), *at, path.as_str())),
    );
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    found.into_iter().map(|(domain, ..)| domain).collect()
}

fn domain(
    section: &mut Section,
    regions: &[&str],
    markets: &[Market],
    requests: &[Request],
) -> Domain {
    let name = section.name();
    let rates = Range::new(0.0, MOST_PER_SEC);
    let alone = section.has("write_rate") || section.has("read_rate");
    let starts = |_: &()| -> Vec<usize> {
        let made = |q: &usize| matches!(requests[*q].when, When::Start { .. }) && !alone;
        (0..requests.len()).filter(made).collect()
    };
    let names: Vec<&str> = requests.iter().map(|r| r.name.as_str()).collect();
    let written_by = some(section, "written_by", "request", &names).unwrap_or_else(|| starts(&()));
    let read_by = some(section, "read_by", "request", &names).unwrap_or_else(|| starts(&()));
    Domain {
        name,
        rto: target(section, "rto"),
        rpo: target(section, "rpo"),
        store: store(section.section("store"), regions, markets),
        written_by,
        read_by,
        writes: section.number("writes", setting("1"), Range::new(0.0, 1000.0)),
        write_rate: section.quantity("write_rate", setting("0/s"), Unit::PerSecond, rates),
        read_rate: section.quantity("read_rate", setting("0/s"), Unit::PerSecond, rates),
        grace: section.span("grace", setting("0s"), Range::SPAN),
        fallback: section.text("fallback").unwrap_or_default().to_string(),
        sticky: section.flag("sticky", false),
        keys: section.number("keys", guess("1e8"), Range::new(1.0, 1e12)),
        zipf: section.number("zipf", setting("0"), Range::new(0.0, 5.0)),
    }
}

fn target(section: &mut Section, key: &'static str) -> Option<Span> {
    if section.has(key) {
        Some(section.span(key, setting("0s"), Range::SPAN))
    } else {
        section.take(key);
        None
    }
}

/// The entities that an array names, in order; `None` where it is absent.
fn some(
    section: &mut Section,
    key: &'static str,
    what: &str,
    known: &[&str],
) -> Option<Vec<usize>> {
    let path = section.path_of(key);
    let mut found: Vec<usize> = Vec::new();
    for node in section.array(key)? {
        let wrong = |message: String, hint: &str| {
            let wrong = Wrong::new(message, hint);
            section.reader.wrong(node.at, &path, wrong);
        };
        let Some(name) = node.text() else {
            let message = format!("expected the name of a {what}, found {}", node.kind());
            wrong(message, "write it in quotes");
            continue;
        };
        match section.reader.find(node.at, &path, name, what, known) {
            Some(one) if found.contains(&one) => wrong(
                format!("{name:.60?} is listed twice"),
                "name each of them once",
            ),
            Some(one) => found.push(one),
            None => {}
        }
    }
    found.sort_unstable();
    Some(found)
}

fn store(mut section: Section, regions: &[&str], markets: &[Market]) -> Store {
    let names = MODES.map(|(name, _)| name);
    let mode = section.required_reference("mode", "mode", &names);
    let mode = mode.map_or(Mode::Asynchronous, |i| MODES[i].1);
    for (key, of) in [
        ("ship", &[Mode::Asynchronous, Mode::Primary][..]),
        ("throughput", &[Mode::Asynchronous, Mode::Primary]),
        ("bytes", &[Mode::Asynchronous, Mode::Primary]),
        ("discard", &[Mode::Asynchronous, Mode::Primary]),
        ("reads", &[Mode::Quorum, Mode::Primary]),
        ("primary", &[Mode::Primary]),
        ("failover", &[Mode::Primary]),
        ("detect", &[Mode::Primary]),
        ("decide", &[Mode::Primary]),
        ("fence", &[Mode::Primary]),
        ("promote", &[Mode::Primary]),
        ("repoint", &[Mode::Primary]),
    ] {
        if section.has(key) && !of.contains(&mode) {
            let modes: Vec<&str> = of.iter().map(|m| m.name()).collect();
            section.wrong(
                key,
                format!("a store of mode {} has none", mode.name()),
                format!("remove it; it is for mode {}", modes.join(" or ")),
            );
        }
    }
    let primary = section.reference("primary", "region", regions);
    let primary = primary.unwrap_or_else(|| busiest(markets));
    let mut replicas = some(&mut section, "replicas", "region", regions)
        .unwrap_or_else(|| (0..regions.len()).collect());
    if replicas.is_empty() {
        section.wrong(
            "replicas",
            "no region holds the data",
            "name at least one region",
        );
        replicas = (0..regions.len()).collect();
    }
    if mode == Mode::Primary && !replicas.contains(&primary) {
        replicas.push(primary);
        replicas.sort_unstable();
    }
    let ship = section.span("ship", setting("0s"), Range::new(0.0, 7.0 * 86_400.0));
    let throughput = section.quantity(
        "throughput",
        setting("inf"),
        Unit::PerSecond,
        Range::positive(f64::INFINITY),
    );
    if !ship.is_zero() && throughput.is_finite() {
        section.wrong(
            "throughput",
            "batches have no limit",
            "remove `ship` or `throughput`",
        );
    }
    let strong_first = [("primary", true), ("nearest", false)];
    let nearest_first = [("nearest", false), ("quorum", true)];
    let strong_reads = match mode {
        Mode::Primary => section.choice("reads", &strong_first),
        Mode::Asynchronous | Mode::Quorum => section.choice("reads", &nearest_first),
    };
    let lag = section.dist(
        "lag",
        sourced(
            "{ lognormal = { median = \"150ms\", p99 = \"400ms\" } }",
            EVCACHE,
        ),
    );
    let reconcile = section.quantity(
        "reconcile",
        guess("500/s"),
        Unit::PerSecond,
        Range::positive(MOST_PER_SEC),
    );
    Store {
        mode,
        replicas,
        strong_reads,
        lag,
        ship,
        throughput,
        bytes: section.quantity("bytes", setting("0"), Unit::Bytes, BYTES),
        reconcile,
        discard: section.flag("discard", false),
        primary,
        promotion: promotion(&mut section, mode),
    }
}

/// The home of the market with the most starts.
fn busiest(markets: &[Market]) -> RegionId {
    let most = markets.iter().reduce(|best, next| {
        if next.starts > best.starts {
            next
        } else {
            best
        }
    });
    most.map_or(0, |market| market.near[0])
}

fn promotion(section: &mut Section, mode: Mode) -> Promotion {
    const KEYS: [&str; 6] = [
        "failover", "detect", "decide", "fence", "promote", "repoint",
    ];
    if mode != Mode::Primary {
        for key in KEYS {
            section.take(key);
        }
        let never = || Dist::Fixed(0.0);
        return Promotion {
            detect: never(),
            decide: never(),
            fence: never(),
            promote: never(),
            repoint: never(),
        };
    }
    let human = section.choice("failover", &[("automatic", false), ("human", true)]);
    if !human && section.has("decide") {
        section.wrong(
            "decide",
            "an automatic failover waits for nobody",
            "write failover = \"human\", or remove it",
        );
    }
    Promotion {
        detect: section.dist("detect", sourced("30s", ROUTE53)),
        decide: if human {
            let hour = "{ lognormal = { median = \"5min\", p95 = \"15min\" } }";
            section.dist("decide", guess(hour))
        } else {
            section.take("decide");
            Dist::Fixed(0.0)
        },
        fence: section.dist("fence", guess("5s")),
        promote: section.dist(
            "promote",
            sourced("{ uniform = [\"20s\", \"60s\"] }", AURORA),
        ),
        repoint: section.dist("repoint", guess("5s")),
    }
}
