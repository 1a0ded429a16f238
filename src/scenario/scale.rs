//! A scenario in small: the same system with a thousandth of everything that comes in numbers.
//!
//! | what | how it shrinks |
//! |---|---|
//! | demand, and with it sessions and devices | exactly |
//! | slots of an instance, slots of a proxy | first: rounded, down to one at least |
//! | queue of an instance | with its slots, but ten places stay where there were as many: few slots need more of them, since chance is larger in small |
//! | instances | planned ones follow the load, each zone rounded up; `instances`, `least` and how many a fault kills: rounded, one at least |
//! | catalogues and what caches hold | rounded, one object at least |
//! | limits of load balancers, links, origins, launches; throughput and keys of stores; work | exactly, or rounded to one at least where they are whole |
//! | resolvers | stay as many, and hold an answer as often |
//!
//! Times, shares, prices and round trips stay as they are.

use crate::model::scenario::Scenario;
use crate::model::work::WorkSource;

/// Places of a queue that stay.
const PLACES: u32 = 10;

/// A whole number of things times a factor, at least one where there were any.
fn fewer(count: u32, factor: f64) -> u32 {
    match count {
        0 => 0,
        // A limit that is no limit stays so.
        u32::MAX => u32::MAX,
        count => ((f64::from(count) * factor).round() as u32).max(1),
    }
}

/// Shrinks a scenario to so much of itself.
pub fn shrink(scenario: &mut Scenario, factor: f64) {
    if factor == 1.0 {
        return;
    }
    scenario.scale *= factor;
    scenario.demand *= factor;
    // Instances that are slots short carry less each: there are so many more of them than the factor
    // says.
    let mut instances = Vec::new();
    for service in &mut scenario.services {
        let slots = fewer(service.slots, factor);
        let each = f64::from(slots) / f64::from(service.slots);
        let rest = factor / each;
        service.slots = slots;
        service.queue = fewer(service.queue, each).max(service.queue.min(PLACES));
        service.instances = service.instances.map(|count| fewer(count, rest));
        if let Some(scaling) = &mut service.scaling {
            scaling.least = fewer(scaling.least, rest);
        }
        if let Some(worker) = &mut service.worker
            && let WorkSource::Rate { per_sec } = &mut worker.source
        {
            *per_sec *= factor;
        }
        for cache in service
            .calls
            .iter_mut()
            .filter_map(|call| call.cache.as_mut())
        {
            cache.objects = ((cache.objects as f64 * factor).round() as u64).max(1);
            cache.capacity = (cache.capacity * factor).max(1.0);
        }
        instances.push(rest);
    }
    let slots = fewer(scenario.edge.slots, factor);
    let each = f64::from(slots) / f64::from(scenario.edge.slots);
    scenario.edge.slots = slots;
    scenario.edge.origin_limit = scenario.edge.origin_limit.map(|limit| fewer(limit, each));
    if let Some(balancer) = &mut scenario.balancer {
        balancer.limit = balancer.limit.map(|limit| limit * factor);
        balancer.least *= factor;
    }
    // Launches are of instances of all services: the whole factor is the best that can be said.
    let launched = instances.iter().copied().fold(factor, f64::max);
    scenario.launches.burst = (scenario.launches.burst * launched).max(1.0);
    scenario.launches.per_sec *= launched;
    scenario.launches.quota = (scenario.launches.quota * launched).max(1.0);
    for capacity in scenario.link_capacity.iter_mut().flatten() {
        *capacity *= factor;
    }
    for domain in &mut scenario.domains {
        domain.write_rate *= factor;
        domain.read_rate *= factor;
        domain.keys = (domain.keys * factor).max(1.0);
        domain.store.throughput *= factor;
        domain.store.reconcile *= factor;
    }
    for fault in &mut scenario.faults {
        let of = fault.service.map_or(launched, |service| instances[service]);
        fault.count = fewer(fault.count, of);
    }
}

#[cfg(test)]
mod tests {
    use crate::model::fidelity::Fidelity;
    use crate::scenario::{Document, Layer};
    use crate::simulate::Simulator;

    const TEXT: &str = r#"
format = 1
[[region]]
name = "east"
[[market]]
name = "users"
near = ["east"]
requests = "10000/s"
[[service]]
name = "front"
slots = 50
queue = 100
calls = [{ to = "store", cache = { objects = 1_000_000 } }]
[[service]]
name = "store"
slots = 4
instances = 500
"#;

    #[test]
    fn slots_shrink_first_and_then_instances() {
        let file = Layer::file("given.toml", TEXT, None);
        let document = Document::load("given", file, None, Vec::new());
        let whole = document.unwrap_or_else(|e| panic!("{e}"));
        let tenth = whole.clone().computed(Fidelity::Cohort, 0.1);
        let small = tenth.scenario();
        let (front, store) = (&small.services[0], &small.services[1]);
        assert_eq!((front.slots, front.queue), (5, 10));
        // Four slots cannot be a tenth: one, and a tenth of 4 times as many instances.
        assert_eq!((store.slots, store.instances), (1, Some(200)));
        let cache = front.calls[0].cache.as_ref().expect("there is one");
        assert_eq!((cache.objects, cache.capacity), (100_000, 1e5));
        let rate =
            |document: &Document| Simulator::new(document.scenario()).facts().requests_per_sec;
        assert!((rate(&whole) / rate(&tenth) - 10.0).abs() < 1e-9);
        // Drawn anew it is as small.
        assert_eq!(tenth.drawn(1, 3).services[0].slots, 5);
    }
}
