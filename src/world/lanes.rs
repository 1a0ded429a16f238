//! Which traffic a policy can move: all of it, or only what is in its scope. Then traffic flows in two
//! lanes: what can be moved, and the rest, which is served where it enters.

use crate::model::policy::Scope;
use crate::model::scenario::{Scenario, ServiceId};

/// The lane of what a policy can move.
pub const MOVES: usize = 0;
/// The lane of the rest, where there is any.
pub const STAYS: usize = 1;

/// The lanes that requests and devices take.
#[derive(Clone, Debug)]
pub struct Lanes {
    /// Kinds of requests that stay whoever asks; empty: none.
    requests: Vec<bool>,
    /// Device classes that stay whatever they ask for; empty: none.
    classes: Vec<bool>,
}

impl Lanes {
    /// The lanes of the policy's scope; one alone where everything is in it.
    pub fn new(scenario: &Scenario) -> Lanes {
        let (requests, classes) = match &scenario.policy.knobs.scope {
            Scope::Region => (Vec::new(), Vec::new()),
            Scope::Services(services) => {
                let meets = reaching(scenario, services);
                (
                    scenario.requests.iter().map(|q| !meets[q.to]).collect(),
                    Vec::new(),
                )
            }
            Scope::Devices(devices) => {
                let classes = 0..scenario.devices.len();
                (Vec::new(), classes.map(|k| !devices.contains(&k)).collect())
            }
        };
        let some = |list: Vec<bool>| match list.contains(&true) {
            true => list,
            false => Vec::new(),
        };
        Lanes {
            requests: some(requests),
            classes: some(classes),
        }
    }

    /// Number of lanes.
    pub fn count(&self) -> usize {
        1 + usize::from(!self.requests.is_empty() || !self.classes.is_empty())
    }

    /// The lane of a request of a kind from a device of a group of classes.
    pub fn of(&self, request: usize, group: usize) -> usize {
        let stays = self.requests.get(request).copied().unwrap_or(false);
        usize::from(stays).max(group)
    }

    /// The lane of media that come through a region: no service answers for them.
    pub fn of_media(&self, group: usize) -> usize {
        usize::from(!self.requests.is_empty()).max(group)
    }

    /// Whether some of a class's requests can be moved, and with them its names.
    pub fn moves_class(&self, class: usize) -> bool {
        !self.classes.get(class).copied().unwrap_or(false)
    }

    /// Number of groups of classes: those that move, and the others where there are any.
    pub fn groups(&self) -> usize {
        1 + usize::from(!self.classes.is_empty())
    }

    /// The group of a class.
    pub fn group(&self, class: usize) -> usize {
        usize::from(!self.moves_class(class))
    }
}

/// Per service: whether it is one of these, or leads to calls of one.
fn reaching(scenario: &Scenario, services: &[ServiceId]) -> Vec<bool> {
    let mut meets = vec![false; scenario.services.len()];
    for &service in scenario.call_order.iter().rev() {
        let calls = &scenario.services[service].calls;
        meets[service] = services.contains(&service) || calls.iter().any(|call| meets[call.to]);
    }
    meets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scenario::Scenario;
    use crate::scenario::{Document, Layer};

    fn given(scope: &str) -> Scenario {
        let text = format!(
            r#"
format = 1
[[region]]
name = "east"
[[region]]
name = "west"
[[market]]
name = "viewers"
near = ["east", "west"]
starts = "20/s"
[[device]]
name = "a"
share = 0.5
[[device]]
name = "b"
share = 0.5
[[service]]
name = "front"
calls = [{{ to = "middle" }}]
[[service]]
name = "middle"
calls = [{{ to = "back" }}]
[[service]]
name = "back"
[[service]]
name = "other"
[[request]]
name = "deep"
to = "front"
start = 1
[[request]]
name = "flat"
to = "other"
every = "60s"
[policy]
use = "edge-proxy"
scope = {scope}
"#
        );
        let file = Layer::file("given.toml", &text, None);
        let document = Document::load("given", file, None, Vec::new());
        document
            .unwrap_or_else(|e| panic!("{e}"))
            .scenario()
            .clone()
    }

    #[test]
    fn a_request_moves_with_any_service_that_it_leads_to() {
        for service in ["front", "middle", "back"] {
            let lanes = Lanes::new(&given(&format!("{{ services = [{service:?}] }}")));
            // Kinds of requests are sorted by name: deep, flat.
            let of = [lanes.of(0, MOVES), lanes.of(1, MOVES)];
            assert_eq!(of, [MOVES, STAYS], "{service}");
            assert_eq!((lanes.count(), lanes.groups()), (2, 1));
        }
        let lanes = Lanes::new(&given("{ services = [\"other\"] }"));
        assert_eq!([lanes.of(0, MOVES), lanes.of(1, MOVES)], [STAYS, MOVES]);
    }

    #[test]
    fn a_class_moves_whatever_it_asks_for() {
        let lanes = Lanes::new(&given("{ devices = [\"b\"] }"));
        for request in 0..2 {
            let of = [0, 1].map(|class| lanes.of(request, lanes.group(class)));
            assert_eq!(of, [STAYS, MOVES]);
        }
        assert_eq!((lanes.count(), lanes.groups()), (2, 2));
        assert_eq!([lanes.group(0), lanes.group(1)], [STAYS, MOVES]);
    }

    #[test]
    fn where_all_is_in_scope_there_is_one_lane() {
        for scope in [
            "\"region\"",
            "{ devices = [\"a\", \"b\"] }",
            "{ services = [\"front\", \"other\"] }",
        ] {
            let lanes = Lanes::new(&given(scope));
            assert_eq!((lanes.count(), lanes.groups()), (1, 1), "{scope}");
        }
    }
}
