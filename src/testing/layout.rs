//! Regions, links, markets, devices, DNS, edge, balancers, control.

use super::tape::Tape;
use super::{Names, list};

const REGIONS: [&str; 4] = ["ash", "birch", "cedar", "dogwood"];
const MARKETS: [&str; 3] = ["north", "middle", "south"];
const SHARES: [&[(&str, f64)]; 3] = [
    &[("modern", 1.0)],
    &[("modern", 0.7), ("legacy", 0.3)],
    &[("modern", 0.6), ("sticky", 0.3), ("legacy", 0.1)],
];

pub fn write(tape: &mut Tape, names: &mut Names) -> String {
    let mut text = String::from("format = 1\n");
    let horizon = tape.of(&["3min", "4min", "5min", "6min"]);
    text += &format!("horizon = \"{horizon}\"\n");
    text += &tape.line(20, "step", &["\"2s\"", "\"500ms\"", "\"700ms\""]);
    text += &tape.line(20, "sample", &["\"5s\"", "\"7s\"", "\"30s\""]);
    text += &tape.line(20, "sustain", &["\"20s\"", "\"0s\""]);
    text += &tape.line(20, "start", &["\"19:30\"", "\"23:59\""]);
    text += &tape.line(
        20,
        "demand",
        &["0.1", "3", "{ uncertain = [0.5, 2] }", "1e-3"],
    );
    names.plain = tape.often(30);
    text += &regions(tape, names);
    text += &links(tape, names);
    text += &markets(tape, names);
    text += &devices(tape, names);
    text += &network(tape);
    text += &control(tape, names);
    text
}

fn regions(tape: &mut Tape, names: &mut Names) -> String {
    let mut text = String::new();
    let count = tape.of(&[2, 3, 1, 4]);
    for name in REGIONS.into_iter().take(count) {
        let zones = tape.of(&[3, 1, 2]);
        text += &format!("[[region]]\nname = \"{name}\"\nzones = {zones}\n");
        if tape.often(25) {
            let weights: Vec<usize> = (0..zones).map(|_| 1 + tape.below(5)).collect();
            text += &format!("zone_weights = {weights:?}\n");
        }
        names.regions.push(name);
        names.zones.push(zones);
    }
    text
}

fn links(tape: &mut Tape, names: &Names) -> String {
    let mut text = String::new();
    for a in 0..names.regions.len() {
        for b in a + 1..names.regions.len() {
            if tape.often(60) {
                let ends = list(&[names.regions[a], names.regions[b]]);
                let rtt = tape.of(&["60ms", "0ms", "150ms", "2s"]);
                text += &format!("[[link]]\nbetween = {ends}\nrtt = \"{rtt}\"\n");
                text += &tape.line(
                    30,
                    "capacity",
                    &["\"10 Mbit/s\"", "\"20 kB/s\"", "\"1 Gbit/s\"", "inf"],
                );
            }
        }
    }
    text
}

fn markets(tape: &mut Tape, names: &mut Names) -> String {
    let mut text = String::new();
    let count = tape.of(&[1, 2, 3]);
    let key = if names.plain { "requests" } else { "starts" };
    for name in MARKETS.into_iter().take(count) {
        text += &format!("[[market]]\nname = \"{name}\"\n");
        let rate = tape.of(&["5/s", "20/s", "0.1/s", "60/s"]);
        text += &format!("{key} = \"{rate}\"\n");
        if tape.often(70) {
            text += &format!("near = {}\n", list(&tape.some(&names.regions)));
        }
        if tape.often(20) {
            text += &format!("may = {}\n", list(&tape.some(&names.regions)));
        }
        match tape.below(6) {
            4 => text += "profile = [0.2, 1, 0.5, 0]\n",
            5 => text += "wave = { amplitude = 0.5, period = \"3min\", phase = 0.3 }\n",
            _ => {}
        }
        text += &tape.line(20, "utc_offset", &["\"-8h\"", "\"5.5h\""]);
        text += &tape.line(30, "rtt", &["\"30ms\"", "\"0s\"", "\"400ms\""]);
        names.markets.push(name);
    }
    text
}

fn devices(tape: &mut Tape, names: &mut Names) -> String {
    let mut text = String::new();
    for (name, share) in tape.of(&SHARES) {
        text += &format!("[[device]]\nname = \"{name}\"\nshare = {share}\n");
        text += &tape.line(20, "direct", &["true"]);
        text += &tape.line(40, "attempts", &["1", "2", "5"]);
        text += &tape.line(30, "timeout", &["\"1s\"", "\"3s\"", "\"20s\""]);
        text += &tape.line(20, "pin", &["\"30s\"", "\"5min\""]);
        text += &tape.line(
            20,
            "violators",
            &["{ share = 0.3 }", "{ share = 1, stale = \"20s\" }"],
        );
        text += &tape.line(20, "retry_budget", &["0.2", "0", "1"]);
        text += &tape.line(10, "retry_burst", &["0", "50"]);
        text += &tape.line(10, "retry_breaker", &["0.1", "0"]);
        text += &tape.line(30, "fallback_after", &["1", "2"]);
        text += &tape.line(
            20,
            "backoff",
            &[
                "{ base = \"500ms\", factor = 1, jitter = 0 }",
                "{ base = \"5s\", factor = 3, cap = \"20s\", jitter = 1 }",
            ],
        );
        text += &tape.line(
            20,
            "connection",
            &["{ age = \"30s\", idle = \"5s\" }", "{ age = \"1min\" }"],
        );
        if names.plain {
            text += &tape.line(40, "think", &["\"10s\"", "\"1s\"", "\"2min\""]);
        }
        names.devices.push(name);
    }
    text
}

fn network(tape: &mut Tape) -> String {
    let ttl = tape.of(&["20s", "0s", "60s", "5min"]);
    let resolvers = tape.of(&[20, 1, 60]);
    let mut text = format!("[dns]\nttl = \"{ttl}\"\nresolvers = {resolvers}\n");
    text += &tape.line(
        40,
        "propagation",
        &["\"0s\"", "{ uniform = [\"2s\", \"10s\"] }", "\"2min\""],
    );
    text += &tape.line(20, "spread", &["0", "3"]);
    text += "[edge]\n";
    text += &tape.line(50, "global", &["true"]);
    text += &tape.line(50, "slots", &["4", "1", "30"]);
    text += &tape.line(30, "time", &["\"4ms\"", "{ exponential = \"20ms\" }"]);
    text += &tape.line(30, "headroom", &["0.2", "0", "5"]);
    text += &tape.line(30, "poll", &["\"5s\"", "{ uniform = [\"0s\", \"76s\"] }"]);
    text += &tape.line(25, "origin_limit", &["1", "20", "1000"]);
    text += &tape.line(30, "backup", &["\"region\"", "\"direct\""]);
    text += &tape.line(20, "backup_after", &["\"0s\"", "\"10s\""]);
    text += &tape.line(20, "health", &["{ interval = \"5s\", threshold = 1 }"]);
    text += &tape.line(20, "connect_timeout", &["\"50ms\"", "\"3s\""]);
    text += &tape.line(20, "bytes", &["\"1 MB\"", "0"]);
    if tape.often(25) {
        text += "[balancer]\n";
        if tape.often(40) {
            text += &tape.line(100, "limit", &["\"5/s\"", "\"0/s\"", "\"100/s\""]);
        } else {
            text += &tape.line(50, "headroom", &["0", "0.3"]);
            text += &tape.line(50, "least", &["\"1/s\"", "\"0/s\""]);
        }
        text += &tape.line(40, "scale_after", &["\"10s\"", "\"1min\""]);
    }
    text
}

fn control(tape: &mut Tape, names: &Names) -> String {
    let mut text = String::from("[control]\n");
    if tape.often(30) {
        text += &format!("home = \"{}\"\n", tape.of(&names.regions));
    }
    text += &tape.line(40, "interval", &["\"5s\"", "\"1s\"", "\"30s\""]);
    text += &tape.line(40, "threshold", &["1", "2", "5"]);
    text += &tape.line(20, "observers", &["1", "4"]);
    text += &tape.line(20, "agree", &["1", "\"majority\""]);
    text += &tape.line(20, "pace", &["\"completion\""]);
    text += &tape.line(25, "probe", &["\"deep\""]);
    text += &tape.line(15, "false_alarm", &["0.01", "0.5"]);
    text += &tape.line(15, "missed", &["0.1", "1"]);
    text += &tape.line(20, "delay", &["\"0s\"", "\"30s\""]);
    text += &tape.line(20, "push", &["\"0s\"", "{ exponential = \"5s\" }"]);
    text += &tape.line(20, "push_failure", &["0.3", "0.9"]);
    text += &tape.line(20, "push_timeout", &["\"1s\"", "\"10s\""]);
    text
}
