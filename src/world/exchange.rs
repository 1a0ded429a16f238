//! Calls between regions: a service that only some regions have is called from the others at the
//! price of the round trip, in the nearest region that has it and can be reached. What a full link
//! loses of them fails.

use crate::model::policy::Shed;
use crate::model::scenario::{RegionId, Scenario};
use crate::units::Time;
use crate::world::graph::{Flow, Graph, Hanging, Partial};
use crate::world::plan::Plan;
use crate::world::state::World;

/// Flows of regions settle within so many rounds; a call passes from region to region once a round.
const ROUNDS: usize = 16;
/// What moves less has settled: a share, or a rate relative to itself.
const CLOSE: f64 = 1e-6;

/// The region in which the calls of one that lacks a service are served, if any.
pub fn host(
    rtt_secs: &[Vec<f64>],
    partial: &Partial,
    caller: RegionId,
    reaches: &dyn Fn(RegionId) -> bool,
) -> Option<RegionId> {
    let open = partial.regions.iter().copied().filter(|&h| reaches(h));
    open.min_by(|&a, &b| rtt_secs[caller][a].total_cmp(&rtt_secs[caller][b]))
}

/// Evaluates a step of all living regions together.
pub fn evaluate(
    scenario: &Scenario,
    plan: &Plan,
    world: &mut World,
    now: Time,
    dt_secs: f64,
    shed: Shed,
) {
    for _ in 0..ROUNDS {
        for region in world.regions.iter_mut().filter(|r| r.dark.is_none()) {
            region.evaluate(plan, now, dt_secs, shed);
        }
        if plan.graph.partial.is_empty() {
            break;
        }
        let hosts = hosts(scenario, plan, world);
        let mut moved: f64 = 0.0;
        if !world.links.is_empty() {
            let bytes = called_bytes(scenario, plan, world, &hosts);
            moved = world.links.ask_called(&bytes);
        }
        let dark: Vec<bool> = world.regions.iter().map(|r| r.dark.is_some()).collect();
        let mut flows: Vec<&mut Flow> = world.regions.iter_mut().map(|r| &mut r.flow).collect();
        let links = &world.links;
        let between = Between {
            rtt_secs: &scenario.rtt_secs,
            lost: &|from, to| links.lost(from, to),
        };
        moved = moved.max(exchange(&plan.graph, &between, &hosts, &dark, &mut flows));
        if moved < CLOSE {
            break;
        }
    }
}

/// Bytes per second of the calls that regions make in others, `[from][to]`.
fn called_bytes(
    scenario: &Scenario,
    plan: &Plan,
    world: &World,
    hosts: &[Vec<Option<RegionId>>],
) -> Vec<f64> {
    let regions = world.regions.len();
    let mut bytes = vec![0.0; regions * regions];
    for (partial, hosts) in plan.graph.partial.iter().zip(hosts) {
        let v = partial.service;
        for (r, region) in world.regions.iter().enumerate() {
            let Some(host) = hosts[r].filter(|_| region.dark.is_none() && region.flow.leaves(v))
            else {
                continue;
            };
            let calls = region.flow.total(&plan.graph, v);
            bytes[r * regions + host] += calls * scenario.services[v].bytes;
        }
    }
    bytes
}

/// Bytes per second of calls that pass from region to region, all together.
pub fn passing_bytes(scenario: &Scenario, plan: &Plan, world: &World) -> f64 {
    let weigh = |p: &Partial| scenario.services[p.service].bytes > 0.0;
    if !plan.graph.partial.iter().any(weigh) {
        return 0.0;
    }
    let regions = world.regions.len();
    let asked = called_bytes(scenario, plan, world, &hosts(scenario, plan, world));
    let passing = asked.iter().enumerate();
    passing
        .map(|(i, bytes)| bytes * (1.0 - world.links.lost(i / regions, i % regions)))
        .sum()
}

/// What lies between regions.
pub struct Between<'a> {
    /// Round trips.
    pub rtt_secs: &'a [Vec<f64>],
    /// Share of what one sends to another that is lost.
    pub lost: &'a dyn Fn(RegionId, RegionId) -> f64,
}

/// Where the calls of each partial service go now, `[partial][caller]`.
fn hosts(scenario: &Scenario, plan: &Plan, world: &World) -> Vec<Vec<Option<RegionId>>> {
    let of = |partial: &Partial| {
        let callers = 0..world.regions.len();
        callers
            .map(|r| host(&scenario.rtt_secs, partial, r, &|h| world.reaches(r, h)))
            .collect()
    };
    plan.graph.partial.iter().map(of).collect()
}

/// Tells each region what others call in it, and what became of what it calls in others. Returns the
/// largest change.
pub fn exchange(
    graph: &Graph,
    between: &Between,
    hosts: &[Vec<Option<RegionId>>],
    dark: &[bool],
    flows: &mut [&mut Flow],
) -> f64 {
    let width = graph.priorities.len() * graph.markets;
    let mut moved: f64 = 0.0;
    let mut arriving = vec![0.0; graph.nodes.len() * width];
    for h in 0..flows.len() {
        arriving.fill(0.0);
        for (partial, hosts) in graph.partial.iter().zip(hosts) {
            let cells = partial.service * width..(partial.service + 1) * width;
            for r in (0..flows.len()).filter(|&r| r != h && hosts[r] == Some(h) && !dark[r]) {
                if flows[r].leaves(partial.service) {
                    let calls = &flows[r].rate[cells.clone()];
                    let sums = arriving[cells.clone()].iter_mut().zip(calls);
                    let passed = 1.0 - (between.lost)(r, h);
                    sums.for_each(|(sum, rate)| *sum += rate * passed);
                }
            }
        }
        if let Some(outside) = &mut flows[h].outside {
            for (old, new) in outside.arriving.iter_mut().zip(&arriving) {
                moved = moved.max((*old - new).abs() / new.max(1.0));
                *old = *new;
            }
        }
    }
    for (partial, hosts) in graph.partial.iter().zip(hosts) {
        for r in 0..flows.len() {
            if !dark[r] && flows[r].leaves(partial.service) {
                moved = moved.max(answer(graph, between, partial, (r, hosts[r]), flows));
            }
        }
    }
    moved
}

/// Tells a region what becomes of its calls of a service that it lacks. Returns the largest change.
fn answer(
    graph: &Graph,
    between: &Between,
    partial: &Partial,
    (r, host): (RegionId, Option<RegionId>),
    flows: &mut [&mut Flow],
) -> f64 {
    let v = partial.service;
    let width = graph.priorities.len() * graph.markets;
    let cells = v * width..(v + 1) * width;
    let answers = host.map(|h| {
        let there = &flows[h];
        (
            there.fail[cells.clone()].to_vec(),
            there.degraded[cells.clone()].to_vec(),
            there.pools[v].wait,
            there.wait_secs[v],
            between.rtt_secs[r][h] + there.far(v),
            (between.lost)(r, h),
            there.all_hanging(v),
        )
    });
    let Some(outside) = &mut flows[r].outside else {
        return 0.0;
    };
    let before = outside.fail[cells.clone()].to_vec();
    let (wait, far) = (outside.wait_secs[v], outside.far_secs[v]);
    match answers {
        Some((mut fail, degraded, wait, wait_secs, far_secs, lost, hanging)) => {
            if lost > 0.0 {
                for fail in &mut fail {
                    *fail = 1.0 - (1.0 - *fail) * (1.0 - lost);
                }
            }
            outside.fail[cells.clone()].copy_from_slice(&fail);
            outside.degraded[cells.clone()].copy_from_slice(&degraded);
            outside.wait[v] = wait;
            outside.wait_secs[v] = wait_secs;
            outside.far_secs[v] = far_secs;
            outside.hanging[v] = hanging;
        }
        None => {
            outside.fail[cells.clone()].fill(1.0);
            outside.hanging[v] = Hanging::default();
        }
    }
    let changes = before.iter().zip(&outside.fail[cells]);
    changes
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
        .max((wait - outside.wait_secs[v]).abs())
        .max((far - outside.far_secs[v]).abs())
}
