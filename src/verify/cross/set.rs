//! The cross-check set: small scenarios that hold between them what counted traffic takes shortcuts in.

use super::Pair;
use crate::model::fidelity::Fidelity;
use crate::problem::Problems;
use crate::scenario::{Document, Layer, PolicyArg};

const PLAIN: &str = include_str!("plain.toml");
const PLAYING: &str = include_str!("playing.toml");
const CACHE: &str = include_str!("cache.toml");
const STORE: &str = include_str!("store.toml");

const SURGE: &str =
    "[[fault]]\nkind = \"demand-surge\"\nat = \"2min\"\nfor = \"2min\"\nfactor = 1.5\n";
const ZONE: &str =
    "[[fault]]\nkind = \"zone-loss\"\nregion = \"east\"\nzone = 1\nat = \"2min\"\nfor = \"2min\"\n";
const REGION: &str =
    "[[fault]]\nkind = \"region-dark\"\nregion = \"east\"\nat = \"2min\"\nfor = \"3min\"\n";
const SLOW: &str = "[[fault]]\nkind = \"service-degraded\"\nservice = \"store\"\nat = \"1min\"\nfor = \"10s\"\nslowness = 1000\n";

/// One scenario of the set.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What it is there for.
    pub summary: &'static str,
    base: &'static str,
    fault: &'static str,
    policy: &'static str,
    sets: &'static [&'static str],
}

const fn case(
    name: &'static str,
    summary: &'static str,
    (base, fault): (&'static str, &'static str),
    policy: &'static str,
    sets: &'static [&'static str],
) -> Case {
    Case {
        name,
        summary,
        base,
        fault,
        policy,
        sets,
    }
}

const LIGHT: &[&str] = &["market.queries.requests=\"140/s\""];
const TIGHT: &[&str] = &[
    "service.*.slots=1",
    "service.*.headroom=0.3",
    "market.*.requests=\"8/s\"",
    // A quarter of the requests fails on a calm day.
    "objective[0].target=\"< 50 %\"",
];

/// The set.
pub fn cases() -> &'static [Case] {
    const CASES: &[Case] = &[
        case(
            "calm-plain",
            "plain requests, nothing happens",
            (PLAIN, ""),
            "none",
            &[],
        ),
        case(
            "calm-playing",
            "sessions, nothing happens",
            (PLAYING, ""),
            "none",
            &[],
        ),
        case(
            "surge",
            "half as much again for two minutes",
            (PLAIN, SURGE),
            "none",
            &[],
        ),
        case("zone-lost", "a zone of two", (PLAIN, ZONE), "none", &[]),
        case(
            "region-none",
            "a region, nobody acts",
            (PLAIN, REGION),
            "none",
            &[],
        ),
        case(
            "region-dns",
            "a region, names change",
            (PLAIN, REGION),
            "dns-only",
            &[],
        ),
        case(
            "region-proxy",
            "a region, proxies reroute",
            (PLAIN, REGION),
            "edge-proxy",
            &[],
        ),
        case(
            "region-flow",
            "a region, proxies, capacity, names",
            (PLAIN, REGION),
            "flow",
            &[],
        ),
        case(
            "region-gradual",
            "a region, in stages",
            (PLAIN, REGION),
            "gradual-prewarmed",
            &[],
        ),
        case(
            "sessions-none",
            "sessions lose a region, nobody acts",
            (PLAYING, REGION),
            "none",
            &[],
        ),
        case(
            "sessions-dns",
            "sessions lose a region, names change",
            (PLAYING, REGION),
            "dns-only",
            &[],
        ),
        case(
            "sessions-proxy",
            "sessions lose a region, proxies reroute",
            (PLAYING, REGION),
            "edge-proxy",
            &[],
        ),
        case(
            "cold-cache",
            "markets move to a cache that does not know them",
            (CACHE, REGION),
            "dns-only",
            &[],
        ),
        case(
            "retry-storm",
            "ten seconds of outage that retries keep up",
            (STORE, SLOW),
            "none",
            &[],
        ),
        case(
            "backlog",
            "ten seconds of outage that heal",
            (STORE, SLOW),
            "none",
            LIGHT,
        ),
        case(
            "small-pools",
            "pools of a few slots",
            (PLAIN, ""),
            "none",
            TIGHT,
        ),
    ];
    CASES
}

impl Case {
    /// The scenario in both fidelities.
    ///
    /// # Errors
    ///
    /// What is wrong with it; nothing, of those that the program brings.
    pub fn pair(&self) -> Result<Pair, Problems> {
        Ok(Pair {
            name: self.name.to_string(),
            counted: self.document(&[])?.computed(Fidelity::Cohort, 1.0),
            single: self.document(&[])?.computed(Fidelity::Request, 1.0),
        })
    }

    /// The scenario with further assignments.
    pub(super) fn document(&self, more: &[&str]) -> Result<Document, Problems> {
        let text = format!("{}\n{}", self.base, self.fault);
        let sets = self.sets.iter().chain(more).map(|set| Layer::set(set));
        Document::load(
            self.name,
            Layer::file(self.name, &text, None),
            Some(PolicyArg::Name(self.policy.to_string())),
            sets.collect(),
        )
    }
}
