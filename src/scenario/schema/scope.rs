//! What leaves a region that is evacuated: all of it, some services' requests, or some device classes.

use crate::model::policy::{Knobs, Scope};
use crate::model::request::Request;
use crate::model::scenario::{DeviceClass, Service, ServiceId};
use crate::scenario::section::Section;

/// What can leave a region by itself.
pub struct Parts<'a> {
    /// The services.
    pub services: &'a [Service],
    /// The kinds of requests that lead to them.
    pub requests: &'a [Request],
    /// The device classes.
    pub devices: &'a [DeviceClass],
}

impl Parts<'_> {
    /// Whether a request of some kind is answered by a service, or leads to calls of it.
    fn leads_to(&self, service: ServiceId) -> bool {
        let mut reached = vec![false; self.services.len()];
        let mut next: Vec<ServiceId> = self.requests.iter().map(|request| request.to).collect();
        while let Some(at) = next.pop() {
            if !std::mem::replace(&mut reached[at], true) {
                next.extend(self.services[at].calls.iter().map(|call| call.to));
            }
        }
        reached[service]
    }
}

/// Reads the scope into the knobs, if it is there.
pub fn scope(section: &mut Section, knobs: &mut Knobs, parts: &Parts) {
    if !section.child_is_table("scope") {
        section.choice("scope", &[("region", ())]);
        if section.has("scope") {
            knobs.scope = Scope::Region;
        }
        return;
    }
    let names: Vec<&str> = parts.services.iter().map(|s| s.name.as_str()).collect();
    let classes: Vec<&str> = parts.devices.iter().map(|d| d.name.as_str()).collect();
    let mut table = section.section("scope");
    let services = named(&mut table, "services", "service", &names);
    let devices = named(&mut table, "devices", "device", &classes);
    if table.has("services") == table.has("devices") {
        section.wrong(
            "scope",
            "either services or device classes leave",
            "write { services = [\"…\"] } or { devices = [\"…\"] }",
        );
        return;
    }
    if let Some(devices) = devices {
        knobs.scope = Scope::Devices(devices);
    }
    let Some(services) = services else {
        return;
    };
    for &service in services.iter().filter(|&&v| !parts.leads_to(v)) {
        table.wrong(
            "services",
            format!("no kind of request leads to {:?}", names[service]),
            "name a service that requests are made to, or that is called for them",
        );
    }
    if knobs.route_by_dns {
        section.wrong(
            "scope",
            "names cannot tell services apart: only edges can move the requests of some",
            "write route = [\"edge\"]",
        );
    }
    knobs.scope = Scope::Services(services);
}

fn named(table: &mut Section, key: &'static str, what: &str, known: &[&str]) -> Option<Vec<usize>> {
    if table.array(key)?.is_empty() {
        table.wrong(key, "names nothing", format!("name a {what}"));
        return None;
    }
    table.references(key, what, known)
}
