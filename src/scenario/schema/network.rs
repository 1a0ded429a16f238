//! DNS and the edge.

use crate::model::scenario::{Backup, Dns, Edge};
use crate::scenario::default::{guess, required, sourced};
use crate::scenario::quantity::Unit;
use crate::scenario::reader::Range;
use crate::scenario::section::Section;

const ZUUL_ORIGIN: &str = "https://github.com/Netflix/zuul, BasicNettyOrigin.java";
const ZUUL_POOL: &str = "https://github.com/Netflix/zuul, ConnectionPoolConfigImpl.java";
const EUREKA: &str =
    "registry fetch interval, https://github.com/Netflix/eureka, EurekaArchaius2ClientConfig.java";
const TTL: &str = "at most 60 s is recommended with health checks, \
     https://github.com/boto/botocore, data/route53/2013-04-01/service-2.json";
const ROUTE_53: &str = "changes propagate \"generally within 60 seconds\", \
     https://github.com/boto/botocore, data/route53/2013-04-01/service-2.json";

/// Where the defaults of health checks come from.
pub const HEALTH_CHECK: &str = "defaults of an AWS target group, \
     https://github.com/boto/botocore, data/elbv2/2015-12-01/service-2.json";

/// Most bytes of a request, a call or a write.
pub const BYTES: Range = Range::new(0.0, 1e12);

/// Names to addresses.
pub fn dns(top: &mut Section) -> Dns {
    let mut dns = top.section("dns");
    Dns {
        ttl: dns.span("ttl", sourced("60s", TTL), Range::SPAN),
        propagation: dns.dist(
            "propagation",
            sourced("{ uniform = ['0s', '60s'] }", ROUTE_53),
        ),
        resolvers: dns.count("resolvers", guess("400"), 1, 2_000_000) as usize,
        spread: dns.number("spread", guess("1.0"), Range::new(0.0, 5.0)),
    }
}

/// The edge in front of the regions.
pub fn edge(top: &mut Section) -> Edge {
    let mut edge = top.section("edge");
    let origin_limit = if edge.has("origin_limit") {
        Some(edge.count("origin_limit", required("200"), 1, 1_000_000))
    } else {
        edge.take("origin_limit");
        None
    };
    let mut health = edge.section("health");
    let health_interval = health.span(
        "interval",
        sourced("30s", HEALTH_CHECK),
        Range::new(0.1, 86_400.0),
    );
    let health_threshold = health.count("threshold", sourced("2", HEALTH_CHECK), 1, 1000);
    drop(health);
    Edge {
        global: edge.flag("global", false),
        slots: edge.count("slots", sourced("200", ZUUL_ORIGIN), 1, 1_000_000),
        time: edge.dist("time", guess("1ms")),
        handshake_secs: edge.secs("handshake", guess("2ms"), Range::new(0.0, 10.0)),
        headroom: edge.share("headroom", guess("1.0"), Range::new(0.0, 1e3)),
        poll: edge.dist("poll", sourced("{ uniform = ['0s', '30s'] }", EUREKA)),
        refuse_secs: edge.secs("refuse", guess("2ms"), Range::new(0.0, 60.0)),
        connect_timeout_secs: edge.secs(
            "connect_timeout",
            sourced("500ms", ZUUL_POOL),
            Range::new(0.0, 3600.0),
        ),
        origin_limit,
        backup: edge.choice(
            "backup",
            &[
                ("none", Backup::None),
                ("region", Backup::Region),
                ("direct", Backup::Direct),
            ],
        ),
        backup_after: edge.span("backup_after", guess("30s"), Range::SPAN),
        health_interval,
        health_threshold,
        bytes: edge.quantity("bytes", guess("10 kB"), Unit::Bytes, BYTES),
    }
}
