//! `--each`: the same scenario with one thing lost at a time.

use crate::model::scenario::Scenario;
use crate::model::variant::{Target, TargetKind};
use crate::problem::{Place, Problem, Problems};
use crate::scenario::Document;
use crate::scenario::merge::Clash;
use crate::scenario::quantity::Unit;
use crate::scenario::tree::{At, Node, Table, Value};
use crate::world::plan::Plan;

/// What a lost region or zone takes over from the scenario's first fault that lasts.
const TAKEN_OVER: [&str; 6] = ["at", "for", "mode", "announced", "drill", "guard"];
const FAULT: &str = "fault";

impl Document {
    /// The scenario once for each region, each zone or each of its faults: its faults are replaced by
    /// the loss of that one, and nothing else changes.
    ///
    /// A region goes dark, or a zone is lost, when the first fault of the file that lasts begins, and
    /// for as long; mode, announcement and guards are its, too. Where demand follows the time of day the
    /// scenario begins at such a time that this is the busiest moment of all markets together. A fault
    /// stays as it is, alone. The horizon is that of the whole scenario.
    ///
    /// # Errors
    ///
    /// If the scenario has no fault that this could be taken from.
    pub fn each(&self, kind: TargetKind) -> Result<Vec<(Target, Document)>, Problems> {
        let faults = self.faults(kind)?;
        let start = match (kind, faults.first()) {
            (TargetKind::Region | TargetKind::Zone, Some((_, fault))) => {
                worst_start(self.with_fault(fault.clone(), None)?.scenario())
            }
            _ => None,
        };
        let with = |(name, fault): (String, Node)| {
            let document = self.with_fault(fault, start)?;
            let scenario = document.scenario();
            let lost = scenario.start_of_day_secs + scenario.faults[0].at.secs();
            let hour = start.map(|_| clock(lost));
            Ok((Target { kind, name, hour }, document))
        };
        faults.into_iter().map(with).collect()
    }

    fn faults(&self, kind: TargetKind) -> Result<Vec<(String, Node)>, Problems> {
        let nodes = self.root.table().and_then(|top| top.get(FAULT));
        let nodes: &[Node] = match nodes.map(|node| &node.value) {
            Some(Value::Array(nodes)) => nodes,
            _ => &[],
        };
        if kind == TargetKind::Fault {
            if nodes.is_empty() {
                return Err(mistake(
                    "the scenario has no fault",
                    "add one, or take --each region",
                ));
            }
            let named = nodes.iter().enumerate();
            return Ok(named
                .map(|(i, node)| (title(i, node), node.clone()))
                .collect());
        }
        let lasting = nodes.iter().filter_map(Node::table);
        let Some(first) = lasting.into_iter().find(|fault| fault.get("for").is_some()) else {
            return Err(mistake(
                "the scenario has no fault that lasts: when and for how long something is lost is \
                 taken from the first one",
                "add a [[fault]] with at and for; of which kind does not matter",
            ));
        };
        let mut found = Vec::new();
        for region in &self.scenario().regions {
            let name = &region.name;
            match kind {
                TargetKind::Zone => found.extend((1..=region.zones).map(|zone| {
                    let fault = loss(first, "zone-loss", name, Some(zone));
                    (format!("{name} zone {zone}"), fault)
                })),
                _ => found.push((name.clone(), loss(first, "region-dark", name, None))),
            }
        }
        Ok(found)
    }

    /// The scenario with this fault alone, beginning at a time of day of its own or at another.
    fn with_fault(&self, fault: Node, start: Option<f64>) -> Result<Document, Problems> {
        let mut root = self.root.clone();
        if let Some(top) = root.table_mut() {
            let at = fault.at;
            if top.get("horizon").is_none() {
                let horizon = Unit::Seconds.show(self.scenario().horizon.secs());
                top.insert("horizon", at, text(&horizon, at));
            }
            if let Some(start) = start {
                top.insert("start", at, text(&clock(start), at));
            }
            top.insert(FAULT, at, Node::plain(Value::Array(vec![fault]), at));
        }
        let document = Document::of(root, &self.scenario().name);
        document.map_err(|clashes| Problems(clashes.into_iter().map(problem).collect()))
    }
}

/// The time of day at which a scenario has to begin for its fault to come at the busiest moment of all
/// markets together, to the minute; `None` where demand does not follow the time of day alone.
fn worst_start(scenario: &Scenario) -> Option<f64> {
    let busiest = Plan::new(scenario).busiest_of_day(scenario)?;
    Some(scenario.start_of_day_secs + busiest - scenario.faults.first()?.at.secs())
}

/// A time of day to the minute: `19:30`.
fn clock(secs: f64) -> String {
    let minutes = (secs / 60.0).round().rem_euclid(1440.0) as u32;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The loss of a region or of one of its zones.
fn loss(first: &Table, kind: &str, region: &str, zone: Option<usize>) -> Node {
    let at = first.get("at").map_or(At::default(), |node| node.at);
    let mut fault = Table::default();
    fault.insert("kind", at, text(kind, at));
    fault.insert("region", at, text(region, at));
    if let Some(zone) = zone {
        fault.insert("zone", at, Node::plain(Value::Integer(zone as i64), at));
    }
    for key in TAKEN_OVER {
        if let Some(node) = first.get(key) {
            fault.insert(key, node.at, node.clone());
        }
    }
    Node::plain(Value::Table(fault), at)
}

/// `fault[1] zone-loss us-east-1 2`.
fn title(index: usize, fault: &Node) -> String {
    let mut title = format!("fault[{index}]");
    let keys = ["kind", "region", "zone", "market", "service", "domain"];
    for node in keys.iter().filter_map(|key| fault.table()?.get(key)) {
        let word = match &node.value {
            Value::Text(word) => word.clone(),
            Value::Integer(number) => number.to_string(),
            _ => continue,
        };
        title.push(' ');
        title.push_str(&word);
    }
    title
}

fn text(text: &str, at: At) -> Node {
    Node::plain(Value::Text(text.to_string()), at)
}

fn mistake(message: &str, hint: &str) -> Problems {
    place_of_all(Problem {
        message: message.to_string(),
        hint: hint.to_string(),
        ..Problem::default()
    })
    .into()
}

fn problem((_, path, wrong): Clash) -> Problem {
    place_of_all(Problem {
        path,
        message: wrong.message,
        hint: wrong.hint,
        unreadable: wrong.unreadable,
        ..Problem::default()
    })
}

fn place_of_all(problem: Problem) -> Problem {
    let place = Place {
        file: "--each".to_string(),
        ..Place::default()
    };
    Problem { place, ..problem }
}
