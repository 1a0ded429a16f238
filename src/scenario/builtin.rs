//! Scenarios and strategies that come with the program.

/// A file that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// One line on it.
    pub summary: &'static str,
    /// The TOML text.
    pub text: &'static str,
}

/// What a built-in file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole scenario.
    Scenario,
    /// A way to deploy and to fail over, laid over a scenario.
    Strategy,
}

/// A scenario for tests and examples, too small to be listed.
const TINY: &str = include_str!("../../scenarios/tiny.toml");

const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "chaos-kong",
        kind: Kind::Scenario,
        summary: "us-east-1 goes dark at prime time: does streaming go on, with RTO under three minutes?",
        text: include_str!("../../scenarios/chaos-kong.toml"),
    },
    Builtin {
        name: "chaos-kong-industry-defaults",
        kind: Kind::Scenario,
        summary: "the same with an edge that dies with its region, hanging connections and DNS alone",
        text: include_str!("../../scenarios/chaos-kong-industry-defaults.toml"),
    },
    Builtin {
        name: "chaos-gorilla",
        kind: Kind::Scenario,
        summary: "one of three zones is lost: who is served again, and when is the region redundant again?",
        text: include_str!("../../scenarios/chaos-gorilla.toml"),
    },
    Builtin {
        name: "chaos-monkey",
        kind: Kind::Scenario,
        summary: "instances die at random, hour after hour: does autoscaling replace them unnoticed?",
        text: include_str!("../../scenarios/chaos-monkey.toml"),
    },
    Builtin {
        name: "replication-lag",
        kind: Kind::Scenario,
        summary: "replication falls behind, then its region is lost: who keeps serving, and what is lost?",
        text: include_str!("../../scenarios/replication-lag.toml"),
    },
    Builtin {
        name: "small-saas",
        kind: Kind::Scenario,
        summary: "a small web application loses the larger of its two regions: pages, orders, the bill",
        text: include_str!("../../scenarios/small-saas.toml"),
    },
    Builtin {
        name: "metastable-retries",
        kind: Kind::Scenario,
        summary: "ten seconds of outage, and retries keep a database down; what load and which knob heal it?",
        text: include_str!("../../scenarios/metastable-retries.toml"),
    },
    Builtin {
        name: "metastable-cache",
        kind: Kind::Scenario,
        summary: "a lost cache never fills, since the store behind it is overloaded; a patient one does",
        text: include_str!("../../scenarios/metastable-cache.toml"),
    },
    Builtin {
        name: "metastable-mongo",
        kind: Kind::Scenario,
        summary: "capacity is cut for ten seconds: by 78 % it heals, by 80 % it stays down",
        text: include_str!("../../scenarios/metastable-mongo.toml"),
    },
    Builtin {
        name: "flow-dark",
        kind: Kind::Strategy,
        summary: "policy flow with dark capacity deployed",
        text: include_str!("../../scenarios/strategies/flow-dark.toml"),
    },
    Builtin {
        name: "active-active",
        kind: Kind::Strategy,
        summary: "every region serves and takes writes, with headroom for the loss of any other",
        text: include_str!("../../scenarios/strategies/active-active.toml"),
    },
    Builtin {
        name: "active-passive",
        kind: Kind::Strategy,
        summary: "one region serves all; a warm standby is scaled up, a database promoted",
        text: include_str!("../../scenarios/strategies/active-passive.toml"),
    },
    Builtin {
        name: "pilot-light",
        kind: Kind::Strategy,
        summary: "one region serves all; the standby holds the data, the rest is launched when needed",
        text: include_str!("../../scenarios/strategies/pilot-light.toml"),
    },
    Builtin {
        name: "n-plus-one",
        kind: Kind::Strategy,
        summary: "every region serves, with exactly what the loss of any one takes",
        text: include_str!("../../scenarios/strategies/n-plus-one.toml"),
    },
];

/// The text of a built-in scenario or strategy.
pub fn builtin(name: &str) -> Option<&'static str> {
    if name == "tiny" {
        return Some(TINY);
    }
    BUILTINS.iter().find(|b| b.name == name).map(|b| b.text)
}

/// All that is listed.
pub fn builtins() -> &'static [Builtin] {
    BUILTINS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Document, Layer, PolicyArg};

    #[test]
    fn every_strategy_fits_every_scenario() {
        let of = |kind| builtins().iter().filter(move |b| b.kind == kind);
        for strategy in of(Kind::Strategy) {
            for scenario in of(Kind::Scenario) {
                let layer = Layer::file(scenario.name, scenario.text, None);
                let policy = Some(PolicyArg::Name(strategy.name.to_string()));
                let document = Document::load(scenario.name, layer, policy, Vec::new());
                if let Err(problems) = document {
                    panic!("{} on {}: {problems}", strategy.name, scenario.name);
                }
            }
        }
    }

    #[test]
    fn all_that_is_built_in_loads() {
        for built in builtins() {
            assert_eq!(builtin(built.name), Some(built.text));
            let name = format!("{}.toml", built.name);
            let loaded = match built.kind {
                Kind::Scenario => {
                    let layer = Layer::file(&name, built.text, None);
                    Document::load(built.name, layer, None, Vec::new())
                }
                Kind::Strategy => {
                    let strategy = Some(PolicyArg::Name(built.name.to_string()));
                    Document::load(
                        "tiny",
                        Layer::file("tiny.toml", TINY, None),
                        strategy,
                        Vec::new(),
                    )
                }
            };
            if let Err(problems) = loaded {
                panic!("{}: {problems}", built.name);
            }
        }
    }
}
