//! Policies of the registry, with their knobs turned.

use super::tape::Tape;
use super::{Names, list};
use crate::policies;

pub fn write(tape: &mut Tape, names: &Names) -> String {
    let policies: Vec<&str> = policies::all().iter().map(|policy| policy.name()).collect();
    let policy = match tape.often(8) {
        true => "flow-dark",
        false => tape.of(&policies),
    };
    let mut text = format!("[policy]\nuse = \"{policy}\"\n");
    match tape.below(6) {
        4 => {
            text += "scope = { services = [\"api\"] }\nroute = [\"edge\"]\n";
        }
        5 => {
            text += &format!(
                "scope = {{ devices = {} }}\n",
                list(&tape.some(&names.devices))
            )
        }
        _ => {
            text += &tape.line(
                20,
                "route",
                &["[\"edge\"]", "[\"dns\"]", "[\"edge\", \"dns\"]", "[]"],
            )
        }
    }
    for flag in [
        "failover",
        "dns_after_edge",
        "dark_capacity",
        "prewarm",
        "isolate",
        "edge_retry",
        "prescale",
        "prescale_first",
        "freeze_scale_in",
        "dns_stages",
    ] {
        text += &tape.line(20, flag, &["true", "false"]);
    }
    text += &tape.line(20, "hold", &["\"5s\"", "\"30s\"", "\"0s\""]);
    text += &tape.line(20, "eject_for", &["\"5s\"", "\"1min\"", "\"0s\""]);
    text += &tape.line(20, "eject_after", &["0", "1", "20"]);
    text += &tape.line(20, "eject_most", &["0.5", "1", "0"]);
    text += &tape.line(20, "cool_down", &["\"0s\"", "\"30s\""]);
    text += &tape.line(20, "decide", &["\"10s\"", "{ exponential = \"20s\" }"]);
    if tape.often(30) {
        text += &tape.line(
            100,
            "shed",
            &["\"priority\"", "\"uniform\"", "\"cubic\"\nshed_from = 0.5"],
        );
    }
    text += &tape.line(20, "edge_retry_budget", &["0", "1", "inf"]);
    text += &tape.line(25, "stages", &["[0.01, 0.25, 1]", "[0.5, 1]", "[1]"]);
    text += &tape.line(
        20,
        "gate",
        &[
            "{ utilisation = 0.5 }",
            "{ utilisation = 0.9, deadline = \"30s\" }",
        ],
    );
    text += &tape.line(20, "estimate_error", &["0", "1"]);
    text += &tape.line(
        30,
        "detect",
        &[
            "{ sli = \"error_rate\", limit = \"5 %\", for = \"20s\" }",
            "{ sli = \"latency_p99\", limit = \"500ms\", for = \"0s\" }",
            "{ sli = \"eligible_start_success\", limit = \"90 %\", for = \"10s\" }",
            "{ sli = \"burn_rate\", limit = 2 }",
            "{ manual = \"20s\" }",
            "\"health\"",
        ],
    );
    text += &tape.line(
        40,
        "failback",
        &[
            "{ stable = \"10s\", hold = \"5s\", stages = [0.5, 1] }",
            "{ stable = \"0s\", hold = \"0s\", back_off = \"20s\", most_errors = 0, gate_data = false }",
            "{ stable = \"20s\", gate_caches = false, gate_instances = false, most_utilisation = \"50 %\", decide = \"5s\" }",
            "\"automatic\"",
            "\"manual\"",
        ],
    );
    match tape.below(5) {
        3 => text += "spread = \"nearest\"\n",
        4 => {
            let regions = tape.some(&names.regions);
            let weights: Vec<String> = (1..)
                .zip(regions)
                .map(|(i, r)| format!("{r} = {i}"))
                .collect();
            text += &format!("spread = {{ {} }}\n", weights.join(", "));
        }
        _ => {}
    }
    text
}
