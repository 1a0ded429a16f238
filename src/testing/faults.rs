//! Faults of every kind that the registry has, by the keys that they declare.

use super::tape::Tape;
use super::{Names, list};
use crate::faults::{FaultKind, Key, Lasts, Role, all};

/// Most faults of a scenario.
const MOST: usize = 4;

pub fn write(tape: &mut Tape, names: &Names) -> String {
    let mut text = String::new();
    for _ in 0..tape.of(&[1, 2, 0, 3, MOST]) {
        let kind = tape.of(all());
        let single = names.regions.len() < 2;
        let apart = |key: &Key| matches!(key.role, Role::Between);
        if single && kind.keys().iter().any(apart) {
            continue;
        }
        text += &fault(tape, kind, names);
    }
    text
}

fn fault(tape: &mut Tape, kind: &dyn FaultKind, names: &Names) -> String {
    let at = tape.of(&[60, 30, 90, 1, 0, 120, 61]);
    let mut text = format!("[[fault]]\nkind = \"{}\"\nat = \"{at}s\"\n", kind.name());
    let mut hit = Hit::default();
    for key in kind.keys() {
        text += &value(tape, key, names, &mut hit);
    }
    let lasts = match kind.lasts() {
        Lasts::Always => true,
        Lasts::Repeated => hit.repeated,
        Lasts::Never => false,
    };
    if lasts {
        text += &tape.line(
            100,
            "for",
            &["\"60s\"", "\"10s\"", "\"2min\"", "\"1ms\"", "\"20min\""],
        );
    }
    if tape.often(25) {
        text += &format!("announced = \"{}s\"\n", at / 2);
    }
    let drill = tape.line(20, "drill", &["true", "false"]);
    // What ends a drill, or begins a failover, needs one to end or a region to leave.
    let acts = drill.contains("true") || kind.name() == "region-dark";
    text += &drill;
    if lasts {
        let warns = "[{ sli = \"error_rate\", limit = \"< 2 %\", action = \"warn\" }]";
        let ends = "[{ sli = \"error_rate\", limit = \"< 1 %\", action = \"warn\" }, { sli = \"stream_start_success\", limit = \">= 99 %\" }]";
        let choice = if acts { ends } else { warns };
        text += &tape.line(25, "guard", &[choice]);
    }
    text
}

/// What the keys before say of those that follow.
#[derive(Default)]
struct Hit {
    region: usize,
    repeated: bool,
    /// Instances fail at random: they are not repaired.
    instances: Option<bool>,
}

fn value(tape: &mut Tape, key: &Key, names: &Names, hit: &mut Hit) -> String {
    let name = key.name;
    let may = |tape: &mut Tape, values: &[&str]| {
        let percent = if key.required { 100 } else { 40 };
        tape.line(percent, name, values)
    };
    let quoted = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!("\"{name}\"")).collect()
    };
    let named = |tape: &mut Tape, names: &[&str]| {
        if names.is_empty() {
            return String::new();
        }
        let quoted = quoted(names);
        let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
        may(tape, &quoted)
    };
    match key.role {
        Role::Region => {
            if !key.required && !tape.often(60) {
                return String::new();
            }
            hit.region = tape.below(names.regions.len());
            format!("{name} = \"{}\"\n", names.regions[hit.region])
        }
        Role::Service if hit.instances == Some(false) => String::new(),
        Role::Service => named(tape, &names.services),
        Role::Market => named(tape, &names.markets),
        Role::Domain => named(tape, &names.domains),
        Role::Zone => format!("{name} = {}\n", 1 + tape.below(names.zones[hit.region])),
        Role::Between => {
            let first = tape.below(names.regions.len());
            let other = (first + 1 + tape.below(names.regions.len() - 1)) % names.regions.len();
            let ends = list(&[names.regions[first], names.regions[other]]);
            format!("{name} = {ends}\n")
        }
        Role::Mode => may(tape, &["\"refuse\"", "\"hang\""]),
        // What makes nothing worse is refused.
        Role::Factor => format!("{name} = {}\n", tape.of(&["3", "1.5", "20", "0.5"])),
        Role::Share => format!("{name} = {}\n", tape.of(&["0.3", "1", "0.05", "0"])),
        Role::Count => may(tape, &["1", "3", "100"]),
        Role::Extra => may(tape, &["\"0s\"", "\"20s\"", "\"10min\""]),
        Role::Every => {
            let line = may(tape, &["\"20s\"", "\"3s\"", "\"10min\""]);
            hit.repeated = !line.is_empty();
            line
        }
        Role::Of => {
            let of = tape.of(&["zone", "region", "instance"]);
            hit.instances = Some(of == "instance");
            format!("{name} = \"{of}\"\n")
        }
        Role::Mtbf => may(tape, &["\"1min\"", "\"10s\"", "\"1h\""]),
        Role::Mttr => match hit.instances {
            Some(true) => String::new(),
            _ => format!(
                "{name} = {}\n",
                tape.of(&["\"20s\"", "{ exponential = \"1min\" }", "\"1h\""])
            ),
        },
        Role::Repairers => may(tape, &["1", "2"]),
        Role::CommonCause => may(tape, &["0.2", "1"]),
        Role::Stationary => may(tape, &["true"]),
        Role::Hours => may(tape, &["[\"00:00\", \"12:00\"]", "[\"22:00\", \"02:00\"]"]),
    }
}
