//! A policy as a file for `-p`: every knob with its value, so that it can be saved and edited.

use crate::model::policy::{Detect, Failback, Knobs, Scope, Shed, Spread, WatchedSli};
use crate::units::{Dist, Span};
use std::fmt::Write;

/// The file of a policy of this name with these knobs.
pub fn policy_file(name: &str, summary: &str, knobs: &Knobs) -> String {
    // Without `..`: a knob that is added must be shown.
    let Knobs {
        failover,
        decide,
        route_by_edge,
        route_by_dns,
        dns_after_edge,
        scope,
        spread,
        stages,
        hold,
        dark_capacity,
        prewarm,
        isolate,
        shed,
        edge_retry,
        edge_retry_budget,
        eject_after,
        eject_for,
        eject_most,
        cool_down,
        detect,
        prescale,
        prescale_first,
        estimate_error,
        freeze_scale_in,
        gate_utilisation,
        gate_deadline,
        dns_stages,
        failback,
    } = knobs;
    let route: Vec<&str> = [(route_by_edge, "\"edge\""), (route_by_dns, "\"dns\"")]
        .into_iter()
        .filter_map(|(used, name)| used.then_some(name))
        .collect();
    let scope = match scope {
        Scope::Region => "\"region\"",
        Scope::Services(_) | Scope::Devices(_) => {
            unreachable!("a built-in policy knows no service")
        }
    };
    let spread = match spread {
        Spread::Spare => "\"spare\"",
        Spread::Nearest => "\"nearest\"",
        Spread::Fixed(_) => unreachable!("a built-in policy knows no region"),
    };
    let (shed, shed_from) = match shed {
        Shed::Uniform => ("\"uniform\"", None),
        Shed::Priority => ("\"priority\"", None),
        Shed::Cubic { from } => ("\"cubic\"", Some(from)),
    };
    let gate = format!(
        "{{ utilisation = {gate_utilisation}, deadline = {} }}",
        secs(*gate_deadline)
    );
    let mut text = format!("# {name}: {summary}\n\n[policy]\n");
    for (key, value) in [
        ("use", format!("\"{name}\"")),
        ("failover", failover.to_string()),
        ("detect", detection(detect)),
        ("decide", fixed(decide)),
        ("route", format!("[{}]", route.join(", "))),
        ("dns_after_edge", dns_after_edge.to_string()),
        ("dns_stages", dns_stages.to_string()),
        ("scope", scope.to_string()),
        ("spread", spread.to_string()),
        ("stages", shares(stages)),
        ("hold", secs(*hold)),
        ("gate", gate),
        ("dark_capacity", dark_capacity.to_string()),
        ("prewarm", prewarm.to_string()),
        ("prescale", prescale.to_string()),
        ("prescale_first", prescale_first.to_string()),
        ("estimate_error", estimate_error.to_string()),
        ("freeze_scale_in", freeze_scale_in.to_string()),
        ("isolate", isolate.to_string()),
        ("shed", shed.to_string()),
        ("edge_retry", edge_retry.to_string()),
        ("edge_retry_budget", edge_retry_budget.to_string()),
        ("eject_after", eject_after.to_string()),
        ("eject_for", secs(*eject_for)),
        ("eject_most", eject_most.to_string()),
        ("cool_down", secs(*cool_down)),
    ] {
        let _ = writeln!(text, "{key} = {value}");
        if let (Some(from), "shed") = (shed_from, key) {
            let _ = writeln!(text, "shed_from = {from}");
        }
    }
    let table = return_of_traffic(failback);
    let _ = match failback.automatic {
        true => writeln!(text, "failback = {table}"),
        false => writeln!(text, "failback = \"manual\"\n# failback = {table}"),
    };
    text
}

fn detection(detect: &Detect) -> String {
    match detect {
        Detect::Health => "\"health\"".into(),
        Detect::Sli {
            sli,
            limit,
            lasting,
        } => {
            let (sli, limit) = match sli {
                WatchedSli::ErrorRate => ("error_rate", limit.to_string()),
                WatchedSli::Latency => ("latency_p99", format!("\"{limit}s\"")),
                WatchedSli::StartSuccess => ("eligible_start_success", limit.to_string()),
                WatchedSli::BurnRate => ("burn_rate", limit.to_string()),
            };
            let lasting = secs(*lasting);
            format!("{{ sli = \"{sli}\", limit = {limit}, for = {lasting} }}")
        }
        Detect::Manual { notice } => format!("{{ manual = {} }}", fixed(notice)),
    }
}

fn return_of_traffic(failback: &Failback) -> String {
    let Failback {
        automatic: _,
        stable,
        gate_data,
        gate_caches,
        gate_instances,
        decide,
        stages,
        hold,
        most_errors,
        most_utilisation,
        back_off,
    } = failback;
    let keys = [
        ("stable", secs(*stable)),
        ("gate_data", gate_data.to_string()),
        ("gate_caches", gate_caches.to_string()),
        ("gate_instances", gate_instances.to_string()),
        ("decide", fixed(decide)),
        ("stages", shares(stages)),
        ("hold", secs(*hold)),
        ("most_errors", most_errors.to_string()),
        ("most_utilisation", most_utilisation.to_string()),
        ("back_off", secs(*back_off)),
    ];
    let keys = keys.map(|(key, value)| format!("{key} = {value}"));
    format!("{{ {} }}", keys.join(", "))
}

fn secs(span: Span) -> String {
    format!("\"{}s\"", span.secs())
}

fn shares(stages: &[f64]) -> String {
    let stages: Vec<String> = stages.iter().map(f64::to_string).collect();
    format!("[{}]", stages.join(", "))
}

fn fixed(time: &Dist) -> String {
    let Dist::Fixed(secs) = time else {
        unreachable!("the times of a built-in policy are fixed");
    };
    format!("\"{secs}s\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies;
    use crate::scenario::{Document, Layer, PolicyArg, builtin};

    fn loaded(text: &str) -> Knobs {
        let file = Layer::file("shown.toml", text, None);
        let tiny = Layer::file("tiny", builtin("tiny").unwrap(), None);
        let document = Document::load("tiny", tiny, Some(PolicyArg::File(file)), Vec::new());
        let document = document.unwrap_or_else(|problems| panic!("{text}: {problems}"));
        document.scenario().policy.knobs.clone()
    }

    #[test]
    fn a_shown_policy_is_the_policy() {
        for policy in policies::all() {
            let knobs = policy.knobs();
            let text = policy_file(policy.name(), policy.summary(), &knobs);
            assert_eq!(loaded(&text), knobs, "{text}");
        }
    }

    /// What is shown is set by what is written, and by nothing else.
    #[test]
    fn every_knob_is_shown_as_it_is() {
        let span = |secs| Span::from_secs(secs);
        let failback = Failback {
            automatic: true,
            stable: span(11.0),
            gate_data: false,
            gate_caches: false,
            gate_instances: false,
            decide: Dist::Fixed(13.0),
            stages: vec![0.5, 1.0],
            hold: span(17.0),
            most_errors: 0.19,
            most_utilisation: 0.23,
            back_off: span(29.0),
        };
        let all = Knobs {
            failover: true,
            decide: Dist::Fixed(31.5),
            route_by_edge: true,
            route_by_dns: true,
            dns_after_edge: true,
            scope: Scope::Region,
            spread: Spread::Nearest,
            stages: vec![0.1, 1.0],
            hold: span(37.0),
            dark_capacity: true,
            prewarm: true,
            isolate: true,
            shed: Shed::Cubic { from: 0.41 },
            edge_retry: true,
            edge_retry_budget: f64::INFINITY,
            eject_after: 43,
            eject_for: span(47.0),
            eject_most: 0.4,
            cool_down: span(53.0),
            detect: Detect::Sli {
                sli: WatchedSli::Latency,
                limit: 0.59,
                lasting: span(61.0),
            },
            prescale: true,
            prescale_first: true,
            estimate_error: 0.67,
            freeze_scale_in: true,
            gate_utilisation: 0.71,
            gate_deadline: span(73.0),
            dns_stages: true,
            failback,
        };
        for policy in policies::all() {
            let text = policy_file(policy.name(), policy.summary(), &all);
            assert_eq!(loaded(&text), all, "{text}");
        }
        for detect in [
            Detect::Manual {
                notice: Dist::Fixed(79.0),
            },
            Detect::Sli {
                sli: WatchedSli::BurnRate,
                limit: 8.3,
                lasting: span(89.0),
            },
            Detect::Sli {
                sli: WatchedSli::StartSuccess,
                limit: 0.97,
                lasting: span(10.0),
            },
        ] {
            let knobs = Knobs {
                detect,
                ..all.clone()
            };
            assert_eq!(loaded(&policy_file("flow", "", &knobs)), knobs);
        }
    }
}
