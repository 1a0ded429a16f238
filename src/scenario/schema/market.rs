//! Regions, links between them, and markets.

use crate::model::scenario::{Market, Region, RegionId, Wave};
use crate::model::series::Series;
use crate::scenario::default::{guess, required, setting, sourced};
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::Range;
use crate::scenario::schema::series::{self, Unplaced};
use crate::scenario::section::Section;
use crate::scenario::tree::{Node, Value};
use std::collections::BTreeMap;

/// Most regions.
const MOST_REGIONS: usize = 64;
/// Most zones of a region.
const MOST_ZONES: u32 = 16;
/// Most markets.
const MOST_MARKETS: usize = 200;
/// Round trip between regions that no link names.
const DEFAULT_RTT_SECS: f64 = 0.1;
/// Largest rate of a market, per second.
pub const MOST_STARTS: f64 = 1e8;

/// The regions, sorted by name.
pub fn regions(top: &mut Section) -> Vec<Region> {
    let mut found = Vec::new();
    for mut section in top.tables("region", MOST_REGIONS) {
        let name = section.name();
        if name == "global" {
            section.wrong("name", "`global` means all regions", "choose another name");
        }
        let zones = section.count(
            "zones",
            sourced("3", "usual number of zones of a cloud region"),
            1,
            MOST_ZONES,
        );
        let zone_weights = zone_weights(&mut section, zones as usize);
        found.push((
            Region {
                name,
                zones: zones as usize,
                zone_weights,
            },
            section.at,
            section.path.clone(),
        ));
    }
    if !top.has("region") {
        top.wrong(
            "region",
            "is missing",
            "write [[region]] with a name, once for each region",
        );
    } else if found.is_empty() {
        top.wrong(
            "region",
            "there are none",
            "write [[region]] with a name, once for each region",
        );
    }
    top.reader.duplicates(
        found
            .iter()
            .map(|(r, at, path)| (r.name.as_str(), *at, path.as_str())),
    );
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    found.dedup_by(|a, b| a.0.name == b.0.name);
    found.into_iter().map(|(region, ..)| region).collect()
}

/// What is known of the links, `[a][b]`.
pub struct Links {
    /// Round trips in seconds.
    pub rtt_secs: Vec<Vec<f64>>,
    /// Bytes per second; empty where no link has a limit.
    pub capacity: Vec<Vec<f64>>,
}

/// Links between regions.
pub fn links(top: &mut Section, regions: &[&str]) -> Links {
    let mut given = BTreeMap::new();
    let mut capacity: Vec<Vec<f64>> = Vec::new();
    for mut section in top.tables("link", MOST_REGIONS * MOST_REGIONS) {
        let rtt = section.secs("rtt", required("100ms"), Range::new(0.0, 10.0));
        let limited = section.has("capacity");
        let carries = section.quantity(
            "capacity",
            setting("inf"),
            Unit::Bandwidth,
            Range::positive(f64::INFINITY),
        );
        let path = section.path_of("between");
        let Some(ends) = section.array("between") else {
            if !section.has("between") {
                section.wrong("between", "is missing", "write between = [\"…\", \"…\"]");
            }
            continue;
        };
        let names = ends.iter().filter_map(Node::text);
        let ids: Vec<Option<RegionId>> = names
            .zip(ends)
            .map(|(name, node)| section.reader.find(node.at, &path, name, "region", regions))
            .collect();
        match (ends.len(), &ids[..]) {
            (2, [Some(a), Some(b)]) if a != b => {
                if given.insert((*a.min(b), *a.max(b)), rtt).is_some() {
                    section.wrong(
                        "between",
                        "this pair is there twice",
                        "remove one of the two",
                    );
                }
                if limited {
                    capacity.resize(regions.len(), vec![f64::INFINITY; regions.len()]);
                    capacity[*a][*b] = carries;
                    capacity[*b][*a] = carries;
                }
            }
            (2, [Some(_), Some(_)]) => {
                section.wrong(
                    "between",
                    "a region has no link to itself",
                    "name two regions",
                );
            }
            (2, [_, _]) => {}
            _ => section.wrong(
                "between",
                "a link is between two regions",
                "write between = [\"…\", \"…\"]",
            ),
        }
    }
    let mut rtt_secs = vec![vec![0.0; regions.len()]; regions.len()];
    for a in 0..regions.len() {
        for b in a + 1..regions.len() {
            let rtt = *given.entry((a, b)).or_insert_with(|| {
                let path = format!("link[{},{}].rtt", regions[a], regions[b]);
                top.reader.guessed(&path, "100ms");
                DEFAULT_RTT_SECS
            });
            rtt_secs[a][b] = rtt;
            rtt_secs[b][a] = rtt;
        }
    }
    Links { rtt_secs, capacity }
}

/// What the markets' section says.
pub struct Markets {
    /// The markets, sorted by name.
    pub markets: Vec<Market>,
    /// Whether they bring plain requests and not sessions.
    pub plain: bool,
    /// Measured rates that are to be laid on the scenario's clock.
    pub waiting: Vec<Unplaced>,
}

/// The markets.
pub fn markets(top: &mut Section, regions: &[&str]) -> Markets {
    let mut found = Vec::new();
    let mut plain = Vec::new();
    let mut waiting = Vec::new();
    for mut section in top.tables("market", MOST_MARKETS) {
        plain.push(section.has("requests"));
        let market = market(&mut section, regions, &mut waiting);
        found.push((market, section.at, section.path.clone()));
    }
    if found.is_empty() {
        top.wrong(
            "market",
            "there is none",
            "write [[market]] with a name and starts = \"…/s\"",
        );
    }
    if plain.contains(&true) && plain.contains(&false) {
        top.wrong(
            "market",
            "some have `starts`, some have `requests`",
            "all markets bring session starts, or all bring plain requests",
        );
    }
    top.reader.duplicates(
        found
            .iter()
            .map(|(m, at, path)| (m.name.as_str(), *at, path.as_str())),
    );
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    Markets {
        markets: found.into_iter().map(|(market, ..)| market).collect(),
        plain: plain.contains(&true),
        waiting,
    }
}

fn market(section: &mut Section, regions: &[&str], waiting: &mut Vec<Unplaced>) -> Market {
    let name = section.name();
    let mut near = near(section, regions);
    let may = only_regions(section, "may", regions, "may serve the market");
    if let Some(may) = &may {
        near.retain(|region| may.contains(region));
    }
    let key = match (section.has("starts"), section.has("requests")) {
        (_, false) => "starts",
        (false, true) => "requests",
        (true, true) => {
            section.take("starts");
            section.wrong(
                "requests",
                "`starts` is there too",
                "a market has one of the two",
            );
            "requests"
        }
    };
    let Rate {
        starts,
        day: table,
        series,
    } = rate(section, key, &name, waiting);
    let shape = profile(section);
    if (table.is_some() || series.is_some()) && shape.is_some() {
        section.wrong(
            "profile",
            "the table of rates is a profile already",
            "remove one of the two",
        );
    }
    let profile = table.or(shape);
    let wave = wave(section);
    if wave.is_some() && (profile.is_some() || series.is_some()) {
        section.wrong(
            "wave",
            "there is a profile too",
            "a market has one of the two",
        );
    }
    let day = Range::new(-14.0 * 3600.0, 14.0 * 3600.0);
    Market {
        name,
        near,
        may,
        starts,
        profile: profile.unwrap_or_else(|| vec![1.0]),
        wave,
        series,
        utc_offset_secs: section.secs("utc_offset", setting("0h"), day),
        rtt_secs: section.secs("rtt", guess("40ms"), Range::new(0.0, 10.0)),
    }
}

/// Shares of the load of each zone, which sum to one; empty where there are none.
fn zone_weights(section: &mut Section, zones: usize) -> Vec<f64> {
    if !section.has("zone_weights") {
        section.take("zone_weights");
        return Vec::new();
    }
    let range = Range::positive(1e6);
    let Some(weights) = list(section, "zone_weights", Unit::Number, range) else {
        return Vec::new();
    };
    if weights.len() != zones {
        section.wrong(
            "zone_weights",
            format!("there are {} for {zones} zones", weights.len()),
            "give one weight above zero for each zone",
        );
        return Vec::new();
    }
    section.note_input("zone_weights", format!("{} weights", weights.len()));
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// The regions in the order of preference; those not named follow by name.
fn near(section: &mut Section, regions: &[&str]) -> Vec<RegionId> {
    let mut near = section
        .references("near", "region", regions)
        .unwrap_or_default();
    let rest = (0..regions.len()).filter(|r| !near.contains(r));
    let rest: Vec<RegionId> = rest.collect();
    near.extend(rest);
    near
}

/// A list of the only regions that do something; `None` where all do.
pub fn only_regions(
    section: &mut Section,
    key: &'static str,
    regions: &[&str],
    what: &str,
) -> Option<Vec<RegionId>> {
    let listed = section.references(key, "region", regions)?;
    if listed.is_empty() {
        section.wrong(
            key,
            format!("no region {what}"),
            "name at least one; without the key it is all of them",
        );
        return None;
    }
    (listed.len() < regions.len()).then_some(listed)
}

/// A market's demand.
struct Rate {
    /// At the busiest hour.
    starts: f64,
    /// The shape of the day, from a table of rates.
    day: Option<Vec<f64>>,
    /// Measured rates.
    series: Option<Series>,
}

fn rate(
    section: &mut Section,
    key: &'static str,
    market: &str,
    waiting: &mut Vec<Unplaced>,
) -> Rate {
    let plain = |starts| Rate {
        starts,
        day: None,
        series: None,
    };
    let range = Range::positive(MOST_STARTS);
    if section.child_has(key, "csv") {
        // It could not be read, which is said already.
        section.section(key).ignore_rest();
        return plain(1.0);
    }
    if !section.child_has(key, "rates") {
        return plain(section.quantity(key, required("100/s"), Unit::PerSecond, range));
    }
    let measured = section.child_has(key, "begins") || section.child_has(key, "every");
    let mut table = section.section(key);
    if measured {
        let Some((starts, series, unplaced)) = series::read(&mut table, market) else {
            table.ignore_rest();
            return plain(1.0);
        };
        section.note_input(
            key,
            format!(
                "{} rates, {starts}/s at the busiest hour",
                series.factors.len()
            ),
        );
        waiting.push(unplaced);
        return Rate {
            starts,
            day: None,
            series: Some(series),
        };
    }
    let range = Range::new(0.0, MOST_STARTS);
    let Some(rates) = list(&mut table, "rates", Unit::PerSecond, range) else {
        return plain(1.0);
    };
    let most = rates.iter().copied().fold(0.0, f64::max);
    if most == 0.0 {
        table.wrong("rates", "all rates are zero", "give a rate above zero");
        return plain(1.0);
    }
    table.note_input("rates", format!("{} rates, at most {most}/s", rates.len()));
    Rate {
        starts: most,
        day: Some(rates.iter().map(|r| r / most).collect()),
        series: None,
    }
}

/// The shape of the day, its largest value scaled to 1.
fn profile(section: &mut Section) -> Option<Vec<f64>> {
    if !section.has("profile") {
        section.take("profile");
        return None;
    }
    let values = list(section, "profile", Unit::Number, Range::new(0.0, 1e9))?;
    let most = values.iter().copied().fold(0.0, f64::max);
    if most == 0.0 {
        section.wrong("profile", "all values are zero", "give a value above zero");
        return None;
    }
    section.note_input("profile", format!("{} values", values.len()));
    Some(values.iter().map(|v| v / most).collect())
}

/// An array of figures; `None` where one of them is wrong, or there are none.
pub fn list(
    section: &mut Section,
    key: &'static str,
    unit: Unit,
    range: Range,
) -> Option<Vec<f64>> {
    let path = section.path_of(key);
    let nodes = section.array(key)?;
    if nodes.is_empty() {
        section.wrong(key, "has no values", "give at least one");
    }
    let reader = section.reader;
    let certain = nodes.iter().enumerate().map(|(i, node)| match &node.value {
        Value::Table(_) => {
            let wrong = Wrong::new("expected a number, found a table", unit.example());
            reader.wrong(node.at, &format!("{path}[{i}]"), wrong);
            None
        }
        _ => reader.quantity(node, &format!("{path}[{i}]"), unit, range),
    });
    let values: Vec<Option<f64>> = certain.collect();
    let values: Vec<f64> = values.into_iter().collect::<Option<_>>()?;
    (!values.is_empty()).then_some(values)
}

fn wave(section: &mut Section) -> Option<Wave> {
    if !section.has("wave") {
        section.take("wave");
        return None;
    }
    let mut wave = section.section("wave");
    Some(Wave {
        amplitude: wave.share("amplitude", required("0.5"), Range::SHARE),
        period_secs: wave.secs("period", required("1d"), Range::SOME_SPAN),
        phase: wave.number("phase", setting("0"), Range::new(-1e3, 1e3)),
    })
}
