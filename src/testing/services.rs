//! Services and their calls, requests, sessions, domains of data, launches, money.

use super::tape::Tape;
use super::{Names, list};

const SERVICES: [&str; 5] = ["api", "browse", "core", "data", "engine"];
const TIMES: [&str; 5] = [
    "\"5ms\"",
    "{ exponential = \"20ms\" }",
    "{ lognormal = { median = \"10ms\", p99 = \"80ms\" } }",
    "\"400ms\"",
    "{ uniform = [\"1ms\", \"30ms\"] }",
];

pub fn write(tape: &mut Tape, names: &mut Names) -> String {
    let mut text = String::new();
    let count = tape.of(&[1, 2, 3, 5, 4]);
    for i in 0..count {
        text += &service(tape, names, i, count);
    }
    names.services = SERVICES[..count].to_vec();
    text += &requests(tape, names);
    text += &worker(tape, names);
    text += &domains(tape, names);
    if !names.plain {
        text += &session(tape);
    }
    text += &surroundings(tape);
    text
}

fn service(tape: &mut Tape, names: &Names, i: usize, count: usize) -> String {
    let mut text = format!("[[service]]\nname = \"{}\"\n", SERVICES[i]);
    text += &tape.line(70, "slots", &["2", "1", "10"]);
    text += &tape.line(70, "time", &TIMES);
    text += &tape.line(30, "queue", &["0", "1", "20", "1000"]);
    text += &tape.line(10, "cancel", &["true"]);
    let fixed = tape.often(15);
    if fixed {
        text += &tape.line(100, "instances", &["3", "1", "20"]);
    } else {
        text += &tape.line(
            60,
            "headroom",
            &["1", "0", "0.2", "{ uncertain = [0.1, 0.9] }"],
        );
    }
    text += &tape.line(25, "dark", &["0.3", "2"]);
    text += &tape.line(20, "activation", &["\"5s\"", "\"0s\""]);
    text += &tape.line(
        40,
        "boot",
        &["\"20s\"", "\"0s\"", "{ exponential = \"10s\" }"],
    );
    text += &tape.line(20, "slow_start", &["\"0s\"", "\"20s\""]);
    text += &tape.line(20, "slow_factor", &["1", "5"]);
    text += &tape.line(
        40,
        "health",
        &[
            "{ interval = \"5s\", threshold = 1 }",
            "{ eject_most = 0 }",
            "{ eject_most = 1 }",
        ],
    );
    text += &tape.line(
        20,
        "discovery",
        &["\"5s\"", "{ uniform = [\"0s\", \"20s\"] }"],
    );
    match tape.below(5) {
        3 => text += "scalable = false\n",
        4 => {
            let target = tape.of(&["0.6", "0.1", "1"]);
            let interval = tape.of(&["10s", "60s"]);
            let least = tape.of(&[1, 4]);
            text += &format!(
                "scaling = {{ target = {target}, interval = \"{interval}\", delay = \"10s\", \
                 cooldown_out = \"20s\", cooldown_in = \"30s\", least = {least} }}\n"
            );
        }
        _ => {}
    }
    if tape.often(20) {
        text += &format!("regions = {}\n", list(&tape.some(&names.regions)));
    }
    text += &tape.line(10, "price", &["\"0.1 USD/h\""]);
    text += &tape.line(20, "bytes", &["\"2 kB\"", "\"5 MB\""]);
    let calls: Vec<String> = (i + 1..count)
        .filter_map(|to| match tape.often(60) {
            true => Some(call(tape, SERVICES[to])),
            false => None,
        })
        .collect();
    if !calls.is_empty() {
        text += &format!("calls = [{}]\n", calls.join(", "));
    }
    text
}

fn call(tape: &mut Tape, to: &str) -> String {
    let mut keys = vec![format!("to = \"{to}\"")];
    match tape.below(3) {
        1 => keys.push("critical = true".to_string()),
        2 => keys.push("fallback = \"less\"".to_string()),
        _ => {}
    }
    let mut may = |percent: usize, key: &str, values: &[&str]| {
        let line = tape.line(percent, key, values);
        if !line.is_empty() {
            keys.push(line.trim().to_string());
        }
    };
    may(30, "count", &["2", "0.3", "10"]);
    may(50, "timeout", &["\"500ms\"", "\"30ms\"", "\"5s\""]);
    may(30, "attempts", &["2", "4"]);
    may(30, "parallel", &["false"]);
    may(20, "priority", &["1", "200"]);
    may(
        30,
        "cache",
        &[
            "{ objects = 1000, capacity = 500 }",
            "{ objects = 100, zipf = 0, ttl = \"30s\" }",
            "{ objects = 5000, zipf = 1.2, capacity = 10, eviction = \"random\", warm = \"0s\" }",
            "{ objects = 300, common = 0.5, coalesce = false, ttl = \"1min\", renew_ttl = true }",
        ],
    );
    format!("{{ {} }}", keys.join(", "))
}

fn requests(tape: &mut Tape, names: &mut Names) -> String {
    let mut text = String::new();
    let whens = [
        "start = 1",
        "every = \"60s\"\nrenews = true",
        "rate = \"0.5/min\"",
        "on = \"reconnect\"",
    ];
    let more = ["on = \"region-change\"", "every = \"10s\""];
    let kinds = ["begin", "check", "look", "mend", "near", "open"];
    for (i, (name, when)) in kinds
        .into_iter()
        .zip(whens.into_iter().chain(more))
        .enumerate()
    {
        let when = match names.plain || i == 0 {
            true => tape.of(&["start = 1", "start = 3"]),
            false => when,
        };
        if i > 0 && !tape.often(45) {
            continue;
        }
        // Some request leads to the first service.
        let to = match i {
            0 => names.services[0],
            _ => tape.of(&names.services),
        };
        text += &format!("[[request]]\nname = \"{name}\"\nto = \"{to}\"\n{when}\n");
        text += &tape.line(30, "priority", &["2", "5", "255"]);
        text += &tape.line(20, "safe", &["false"]);
        names.requests.push(name);
    }
    text
}

fn worker(tape: &mut Tape, names: &mut Names) -> String {
    if !tape.often(25) {
        return String::new();
    }
    let from = match tape.often(60) {
        true => format!("from = {}, each = 0.5", list(&tape.some(&names.requests))),
        false => "rate = \"3/s\"".to_string(),
    };
    let dark = tape.of(&["wait", "lost"]);
    let time = tape.of(&["100ms", "2s"]);
    let regions = match tape.often(30) {
        true => format!("regions = {}\n", list(&tape.some(&names.regions))),
        false => String::new(),
    };
    names.services.push("mailer");
    format!(
        "[[service]]\nname = \"mailer\"\ntime = \"{time}\"\n{regions}\
         worker = {{ {from}, late = \"20s\", on_dark = \"{dark}\" }}\n"
    )
}

fn domains(tape: &mut Tape, names: &mut Names) -> String {
    let mut text = String::new();
    let count = tape.of(&[0, 1, 2]);
    for name in ["orders", "titles"].into_iter().take(count) {
        text += &format!("[[domain]]\nname = \"{name}\"\n");
        text += &tape.line(40, "rto", &["\"1min\""]);
        text += &tape.line(40, "rpo", &["\"5s\"", "\"0s\""]);
        if tape.often(60) {
            text += &format!("written_by = {}\n", list(&tape.some(&names.requests)));
        }
        if tape.often(60) {
            text += &format!("read_by = {}\n", list(&tape.some(&names.requests)));
        }
        text += &tape.line(20, "writes", &["0.2", "5", "0"]);
        text += &tape.line(20, "write_rate", &["\"10/s\""]);
        text += &tape.line(20, "read_rate", &["\"10/s\""]);
        text += &tape.line(30, "grace", &["\"20s\"", "\"10min\""]);
        text += &tape.line(30, "fallback", &["\"older\""]);
        text += &tape.line(20, "sticky", &["true"]);
        text += &tape.line(20, "keys", &["10", "1e12"]);
        text += &tape.line(20, "zipf", &["0.9", "3"]);
        text += &format!("store = {{ {} }}\n", store(tape, names));
        names.domains.push(name);
    }
    text
}

fn store(tape: &mut Tape, names: &Names) -> String {
    let mode = tape.of(&["asynchronous", "quorum", "primary"]);
    let mut keys = vec![format!("mode = \"{mode}\"")];
    if tape.often(30) {
        keys.push(format!("replicas = {}", list(&tape.some(&names.regions))));
    }
    if mode == "primary" && tape.often(50) {
        keys.push(format!("primary = \"{}\"", tape.of(&names.regions)));
    }
    let mut may = |percent: usize, key: &str, values: &[&str]| {
        let line = tape.line(percent, key, values);
        if !line.is_empty() {
            keys.push(line.trim().to_string());
        }
        !line.is_empty()
    };
    may(
        40,
        "lag",
        &["\"1s\"", "\"0s\"", "{ exponential = \"10s\" }"],
    );
    may(20, "reconcile", &["\"1/s\""]);
    match mode {
        "quorum" => {
            may(40, "reads", &["\"quorum\""]);
        }
        _ => {
            if !may(25, "ship", &["\"30s\"", "\"5min\""]) {
                may(25, "throughput", &["\"5/s\"", "\"100/s\""]);
            }
            may(25, "bytes", &["\"1 kB\"", "\"1 MB\""]);
            may(25, "discard", &["true"]);
        }
    }
    if mode == "primary" {
        may(40, "reads", &["\"nearest\""]);
        may(40, "detect", &["\"5s\"", "\"0s\""]);
        may(40, "promote", &["\"5s\"", "\"0s\""]);
        may(20, "fence", &["\"0s\""]);
        may(20, "repoint", &["\"0s\"", "\"1min\""]);
        if may(25, "failover", &["\"human\""]) {
            may(60, "decide", &["\"10s\""]);
        }
    }
    keys.join(", ")
}

fn session(tape: &mut Tape) -> String {
    let mut text = String::from("[session]\n");
    text += &tape.line(
        60,
        "length",
        &[
            "{ exponential = \"2min\" }",
            "{ mixture = [{ share = 0.5, of = { exponential = \"1min\" } }, { share = 0.5, of = { exponential = \"20min\" } }] }",
        ],
    );
    text += &tape.line(
        50,
        "buffer",
        &[
            "\"10s\"",
            "\"0s\"",
            "{ filling = { start = \"2s\", max = \"60s\", length = \"10min\" } }",
        ],
    );
    text += &tape.line(25, "media", &["\"region\""]);
    text += &tape.line(25, "retry", &["\"1s\"", "\"30s\""]);
    text += &tape.line(25, "patience", &["\"0s\"", "\"10s\""]);
    text += &tape.line(25, "resume", &["\"0s\"", "\"10s\""]);
    text
}

fn surroundings(tape: &mut Tape) -> String {
    let mut text = String::from("[ambient]\n");
    text += &tape.line(
        40,
        "start_failure",
        &["0.01", "0.3", "{ uncertain = [0, 0.1] }"],
    );
    text += &tape.line(40, "request_failure", &["0.001", "0.2"]);
    text += &tape.line(40, "stall_rate", &["\"0.001/s\"", "\"0.1/s\""]);
    text += &tape.line(40, "stall", &["\"5s\""]);
    text += "[launches]\n";
    text += &tape.line(25, "burst", &["2", "20"]);
    text += &tape.line(25, "rate", &["\"0.1/s\"", "\"10/s\""]);
    text += &tape.line(20, "quota", &["10", "50"]);
    text += &tape.line(20, "failing", &["0.3", "1"]);
    text += &tape.line(20, "shortage", &["0.5", "1"]);
    text += &tape.line(20, "retry", &["\"5s\""]);
    if tape.often(20) {
        text += "[variation]\ndemand = 0\nstore = 0.5\ncatalogue = 1\n";
    }
    if tape.often(20) {
        text += "[prices]\nfailed_start = \"0.1 USD\"\nstored_gb = 100\n";
    }
    if tape.often(20) {
        text += "[budget]\ntarget = \"99 %\"\nshort = \"30s\"\nlong = \"2min\"\n";
    }
    for (sli, target) in [
        ("stream_start_success", ">= 97 %"),
        ("error_rate", "< 5 %"),
        ("degraded_rate", "< 10 %"),
    ] {
        if tape.often(35) {
            text += &format!("[[objective]]\nsli = \"{sli}\"\ntarget = \"{target}\"\n");
        }
    }
    if tape.often(25) {
        let claim = tape.of(&[
            "rto <= 1min",
            "during(error_rate) < 5 %",
            "broken_minutes = 0",
        ]);
        text += &format!("[[hypothesis]]\nname = \"hope\"\nclaim = \"{claim}\"\n");
    }
    text
}
