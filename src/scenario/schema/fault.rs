//! What goes wrong: each kind of fault has the keys that it declares.

use crate::faults::{self, Key, Lasts, Role};
use crate::model::scenario::{Element, Fault, Guard, Hours, Market, Region, Service};
use crate::scenario::default::{required, setting};
use crate::scenario::expression;
use crate::scenario::known;
use crate::scenario::quantity::Unit;
use crate::scenario::reader::Range;
use crate::scenario::section::Section;
use crate::scenario::tree::Value;
use crate::units::{Span, Time};

/// Most faults, and most guards of one.
const MOST: usize = 200;
/// Largest factor.
const MOST_TIMES: f64 = 1e6;
/// Most things of one kind that a fault hits at once.
const MOST_COUNT: u32 = 1_000_000;

/// What a fault can hit.
pub struct Targets<'a> {
    /// Regions.
    pub regions: &'a [Region],
    /// Services.
    pub services: &'a [Service],
    /// Markets.
    pub markets: &'a [Market],
    /// Names of the domains.
    pub domains: &'a [&'a str],
}

/// The faults, in order of their beginning.
pub fn faults(top: &mut Section, targets: &Targets) -> Vec<Fault> {
    let kinds = known::fault_names();
    let mut found = Vec::new();
    for mut section in top.tables("fault", MOST) {
        let kind = section.required_reference("kind", "kind of fault", &kinds);
        let kind = kind.and_then(|k| faults::find(kinds[k]));
        let mut fault = Fault::default();
        let at = section.secs("at", required("5min"), Range::SPAN);
        fault.at = Time::from_secs(at);
        let named = section.has("region");
        if let Some(kind) = kind {
            fault.kind = kind.name().to_string();
            for key in kind.keys() {
                read_key(&mut section, key, targets, &mut fault);
            }
            read_length(&mut section, kind.lasts(), &mut fault);
        }
        let announced = section.secs("announced", setting("0s"), Range::SPAN);
        if announced > at {
            section.wrong(
                "announced",
                "the announcement comes before the start",
                "announce it later, or let the fault begin later",
            );
        }
        fault.announced = Span::from_secs(announced);
        fault.drill = section.flag("drill", announced > 0.0);
        fault.guards = guards(&mut section);
        let Some(kind) = kind else {
            // Which further keys it may have is not known.
            section.ignore_rest();
            continue;
        };
        if let Some(mistake) = kind.mistake(&fault) {
            section.wrong(mistake.key, mistake.message, mistake.hint);
        }
        // Of a region that there is not enough was said.
        if (!named || fault.region.is_some())
            && let Some(mistake) = faults::guard_mistake(kind, &fault)
        {
            section.wrong(mistake.key, mistake.message, mistake.hint);
        }
        if complete(kind.keys(), &fault) {
            found.push(fault);
        }
    }
    found.sort_by(|a, b| {
        let key = |f: &Fault| (f.at, f.region, f.kind.clone(), f.duration);
        // What is still alike differs in whom it hits and how hard: the file's order does not matter.
        let all = |f: &Fault| format!("{f:?}");
        key(a).cmp(&key(b)).then_with(|| all(a).cmp(&all(b)))
    });
    found
}

/// `for`, where the kind has it.
fn read_length(section: &mut Section, lasts: Lasts, fault: &mut Fault) {
    let given = match lasts {
        Lasts::Always => true,
        Lasts::Repeated if fault.every.is_zero() => {
            if section.has("for") {
                section.take("for");
                section.wrong(
                    "for",
                    "what happens once has no length",
                    "remove it, or say how often it happens with every = \"10min\"",
                );
            }
            false
        }
        Lasts::Repeated => true,
        Lasts::Never => false,
    };
    if given {
        fault.duration = section.span("for", required("15min"), Range::SOME_SPAN);
    }
}

fn read_key(section: &mut Section, key: &Key, targets: &Targets, fault: &mut Fault) {
    let default = || match key.required {
        true => required(key.text),
        false => setting(key.text),
    };
    match key.role {
        Role::Region => {
            let names: Vec<&str> = targets.regions.iter().map(|r| r.name.as_str()).collect();
            fault.region = target(section, key, "region", &names);
        }
        Role::Service => {
            let names: Vec<&str> = targets.services.iter().map(|s| s.name.as_str()).collect();
            fault.service = target(section, key, "service", &names);
        }
        Role::Market => {
            let names: Vec<&str> = targets.markets.iter().map(|m| m.name.as_str()).collect();
            fault.market = target(section, key, "market", &names);
        }
        Role::Domain => fault.domain = target(section, key, "domain", targets.domains),
        Role::Zone => fault.zone = zone(section, key, targets, fault.region),
        Role::Between => (fault.region, fault.other) = between(section, key, targets.regions),
        Role::Mode => {
            fault.hang = section.choice(key.name, &[("refuse", false), ("hang", true)]);
        }
        Role::Factor => {
            let range = Range::positive(MOST_TIMES);
            fault.factor = section.number(key.name, default(), range);
        }
        Role::Share => fault.share = section.share(key.name, default(), Range::SHARE),
        Role::Count => fault.count = section.count(key.name, default(), 1, MOST_COUNT),
        Role::Extra => fault.extra = section.span(key.name, default(), Range::SPAN),
        Role::Every => fault.every = section.span(key.name, default(), Range::SPAN),
        Role::Of => {
            let known = [
                ("zone", Element::Zone),
                ("region", Element::Region),
                ("instance", Element::Instance),
            ];
            if key.required && !section.has(key.name) {
                section.wrong(
                    key.name,
                    "is missing",
                    format!("write {} = \"{}\"", key.name, key.text),
                );
            }
            fault.of = Some(section.choice(key.name, &known));
        }
        Role::Mtbf => fault.mtbf = section.span(key.name, default(), Range::SOME_SPAN),
        Role::Mttr => {
            let given = section.has(key.name);
            let mttr = section.dist(key.name, default());
            fault.mttr = given.then_some(mttr);
        }
        Role::Repairers => fault.repairers = section.count(key.name, default(), 0, MOST_COUNT),
        Role::CommonCause => fault.common_cause = section.share(key.name, default(), Range::SHARE),
        Role::Stationary => fault.stationary = section.flag(key.name, false),
        Role::Hours => fault.hours = hours(section, key),
    }
}

/// Whether everything is there that the kind cannot do without.
fn complete(keys: &[Key], fault: &Fault) -> bool {
    keys.iter()
        .filter(|key| key.required)
        .all(|key| match key.role {
            Role::Region => fault.region.is_some(),
            Role::Service => fault.service.is_some(),
            Role::Market => fault.market.is_some(),
            Role::Domain => fault.domain.is_some(),
            Role::Zone => fault.zone.is_some(),
            Role::Between => fault.other.is_some(),
            _ => true,
        })
}

/// What is hit, by name.
fn target(section: &mut Section, key: &Key, what: &str, names: &[&str]) -> Option<usize> {
    // A scenario without regions or markets is a mistake that is noted elsewhere.
    let optional = matches!(key.role, Role::Service | Role::Domain);
    if optional && names.is_empty() && section.has(key.name) {
        section.take(key.name);
        section.wrong(
            key.name,
            format!("the scenario has no {what}"),
            format!("add a [[{what}]], or remove this"),
        );
        return None;
    }
    match key.required {
        true => section.required_reference(key.name, what, names),
        false => section.reference(key.name, what, names),
    }
}

/// A zone of the region that was read before, by its number from 1.
fn zone(
    section: &mut Section,
    key: &Key,
    targets: &Targets,
    region: Option<usize>,
) -> Option<usize> {
    let default = required(key.text);
    let number = section.certain(key.name, default, Unit::Number, Range::new(1.0, 1e6));
    if number.fract() != 0.0 {
        let message = format!("{number} is not a whole number");
        section.wrong(key.name, message, "zones are numbered from 1");
        return None;
    }
    let region = &targets.regions[region?];
    if number > region.zones as f64 {
        section.wrong(
            key.name,
            format!("{} has no zone {number}", region.name),
            format!("its zones are 1 to {}", region.zones),
        );
        return None;
    }
    section.has(key.name).then(|| number as usize - 1)
}

/// Two regions.
fn between(section: &mut Section, key: &Key, regions: &[Region]) -> (Option<usize>, Option<usize>) {
    let hint = || format!("write {} = {}", key.name, key.text);
    if !section.has(key.name) {
        section.wrong(key.name, "is missing", hint());
    }
    let Some(nodes) = section.array(key.name) else {
        return (None, None);
    };
    let names: Vec<&str> = regions.iter().map(|r| r.name.as_str()).collect();
    let [Some(one), Some(other)] = [nodes.first(), nodes.get(1)].map(|n| n.and_then(|n| n.text()))
    else {
        section.wrong(key.name, "expected the names of two regions", hint());
        return (None, None);
    };
    if nodes.len() > 2 {
        section.wrong(key.name, "expected the names of two regions", hint());
        return (None, None);
    }
    let path = section.path_of(key.name);
    let find = |i: usize, name: &str| {
        section
            .reader
            .find(nodes[i].at, &path, name, "region", &names)
    };
    let (a, b) = (find(0, one), find(1, other));
    if a.is_some() && a == b {
        section.wrong(key.name, "the two regions are the same", hint());
        return (None, None);
    }
    (a, b)
}

/// `["09:00", "15:00"]`.
fn hours(section: &mut Section, key: &Key) -> Option<Hours> {
    let nodes = section.array(key.name)?;
    let clock = |value: &Value| match value {
        Value::Text(text) => super::time_of_day(text),
        _ => None,
    };
    match nodes {
        [from, until] => match (clock(&from.value), clock(&until.value)) {
            (Some(from), Some(until)) if from != until => Some(Hours {
                from_secs: from,
                until_secs: until,
            }),
            _ => wrong_hours(section, key),
        },
        _ => wrong_hours(section, key),
    }
}

fn wrong_hours(section: &Section, key: &Key) -> Option<Hours> {
    section.wrong(
        key.name,
        "expected two different times of day",
        format!("write {} = [\"09:00\", \"15:00\"] (UTC)", key.name),
    );
    None
}

/// Limits on SLIs while the fault lasts.
fn guards(section: &mut Section) -> Vec<Guard> {
    let mut guards = Vec::new();
    for mut guard in section.tables("guard", MOST) {
        let slis = known::sli_names();
        let sli = guard.required_reference("sli", "SLI", &slis);
        let limit = guard.required_text("limit");
        let aborts = guard.choice("action", &[("abort", true), ("warn", false)]);
        if let (Some(sli), false) = (sli, limit.is_empty()) {
            match expression::threshold(slis[sli], limit) {
                Ok(threshold) => guards.push(Guard { threshold, aborts }),
                Err(why) => guard.wrong("limit", why, "write for example \">= 97 %\""),
            }
        }
    }
    guards
}

/// Notes faults that begin after the end.
pub fn check_horizon(top: &mut Section, faults: &[Fault], horizon_secs: f64) {
    if let Some(fault) = faults.iter().find(|f| f.at.secs() >= horizon_secs) {
        top.wrong(
            "horizon",
            format!("a fault begins at {}, after the end", fault.at),
            "make the horizon longer, or let the fault begin earlier",
        );
    }
}
