//! What can be said of a scenario before it runs: what makes it unfit, what an experienced engineer
//! would warn of, and what its faults will hit.

use super::Simulator;
use crate::faults;
use crate::model::measure::{Measure, Op, Operand, SliSpan, TimeMeasure};
use crate::model::observation::Observation;
use crate::model::scenario::{RegionId, Scenario, Variation, When};
use crate::problem::Problem;
use crate::slis;
use crate::units::{Span, human_secs, three_digits};
use crate::world::plan::Plan;

/// Replications and length of the calm run on which objectives are judged before any fault.
const CALM_RUNS: u64 = 4;
const CALM_SECS: f64 = 60.0;

/// What makes a scenario unfit to run although each value is fine: an objective that is broken
/// before any fault. Places are left empty: the caller knows them.
pub fn errors(scenario: &Scenario) -> Vec<Problem> {
    if scenario.objectives.is_empty() {
        return Vec::new();
    }
    let calm = calm(scenario);
    let mut problems = Vec::new();
    for (i, objective) in scenario.objectives.iter().enumerate() {
        let threshold = &objective.threshold;
        let value = slis::find(&threshold.sli).and_then(|sli| sli.measure(&calm));
        if let Some(value) = value.filter(|&v| !threshold.op.holds(v, threshold.value)) {
            problems.push(Problem {
                path: format!("objective[{i}]"),
                message: format!(
                    "{} {} is broken before any fault: it is {} on a calm day",
                    threshold.sli,
                    threshold.text,
                    three_digits(value)
                ),
                hint: "loosen the objective, add capacity, or lower the ambient failures".into(),
                ..Problem::default()
            });
        }
    }
    problems
}

/// What an experienced engineer would warn of, with the numbers.
pub fn warnings(scenario: &Scenario) -> Vec<Problem> {
    let plan = Plan::new(scenario);
    let mut found = Vec::new();
    slow_calls(scenario, &plan, &mut found);
    retry_storms(scenario, &plan, &mut found);
    survivors(scenario, &plan, &mut found);
    cold_stores(scenario, &plan, &mut found);
    stickiness(scenario, &mut found);
    blind_spots(scenario, &mut found);
    baseline(scenario, &mut found);
    found
}

fn warn(path: String, message: String, hint: &str) -> Problem {
    Problem {
        path,
        message,
        hint: hint.into(),
        ..Problem::default()
    }
}

/// The scenario's first minute without faults and without common shocks, merged.
fn calm(scenario: &Scenario) -> Observation {
    let mut quiet = scenario.clone();
    quiet.faults.clear();
    quiet.variation = Variation::default();
    quiet.horizon = Span::from_secs(CALM_SECS)
        .max(quiet.sample)
        .min(scenario.horizon);
    let simulator = Simulator::new(&quiet);
    let mut merged = Observation::default();
    for replication in 0..CALM_RUNS {
        for window in simulator.run(0, replication).windows {
            merged.merge(&window.global);
        }
    }
    merged
}

fn slow_calls(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    for (v, service) in scenario.services.iter().enumerate() {
        for (j, call) in service.calls.iter().enumerate() {
            let points = &plan.graph.nodes[v].calls[j].response_secs;
            let mean = points.iter().sum::<f64>() / points.len() as f64;
            if call.timeout_secs < mean {
                found.push(warn(
                    format!("service.{}.calls[{j}].timeout", service.name),
                    format!(
                        "the timeout of {} is below the mean response of {}, {}",
                        human_secs(call.timeout_secs),
                        scenario.services[call.to].name,
                        human_secs(mean)
                    ),
                    "most of these calls will time out although the work is done",
                ));
            }
        }
    }
}

fn retry_storms(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let clients = scenario
        .devices
        .iter()
        .map(|class| f64::from(class.attempts) * class.share)
        .sum::<f64>();
    for (v, service) in scenario.services.iter().enumerate() {
        // The most attempts that one request can turn into on its way here.
        let mut most = vec![0.0_f64; scenario.services.len()];
        for &entry in &plan.graph.entries {
            most[entry.0] = most[entry.0].max(clients);
        }
        for &caller in &scenario.call_order {
            for call in &scenario.services[caller].calls {
                most[call.to] = most[call.to].max(most[caller] * f64::from(call.attempts));
            }
        }
        for (r, region) in scenario.regions.iter().enumerate() {
            let slots = plan.sized[r][v].serving as f64 * f64::from(service.slots);
            let busy = plan.peak[r].busy[v];
            if busy > 0.0 && busy * most[v] > slots {
                found.push(warn(
                    format!("service.{}", service.name),
                    format!(
                        "vulnerable to a retry storm in {}: up to {} attempts times {} busy slots is {}, capacity is {}",
                        region.name,
                        three_digits(most[v]),
                        three_digits(busy),
                        three_digits(busy * most[v]),
                        three_digits(slots)
                    ),
                    "fewer attempts, a retry budget, or more headroom",
                ));
                break;
            }
        }
    }
}

/// Load of a service that moves to the others when a region is lost, and what they have.
fn survivors(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    if scenario.regions.len() < 2 {
        return;
    }
    let cpu = scenario
        .objectives
        .iter()
        .find(|o| o.threshold.sli == "cpu")
        .map(|o| o.threshold.value);
    for (v, service) in scenario.services.iter().enumerate() {
        let slots = |r: RegionId, dark: bool| {
            let sized = plan.sized[r][v];
            (sized.serving + if dark { sized.dark } else { 0 }) as f64 * f64::from(service.slots)
        };
        let all: f64 = plan.peak.iter().map(|load| load.busy[v]).sum();
        let worst = (0..scenario.regions.len())
            .filter(|&lost| plan.peak[lost].busy[v] > 0.0)
            .map(|lost| {
                let left: f64 = (0..scenario.regions.len())
                    .filter(|&r| r != lost)
                    .map(|r| slots(r, false))
                    .sum();
                let with_dark: f64 = (0..scenario.regions.len())
                    .filter(|&r| r != lost)
                    .map(|r| slots(r, true))
                    .sum();
                (lost, left, with_dark)
            })
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((lost, left, with_dark)) = worst else {
            continue;
        };
        let name = &scenario.regions[lost].name;
        let classes = classes_at(scenario, plan, v);
        if left < all {
            let dark = if with_dark < all {
                format!("{} with dark capacity", three_digits(with_dark))
            } else {
                "dark capacity covers it once it is called".into()
            };
            let critical = classes == 1;
            found.push(warn(
                format!("service.{}.headroom", service.name),
                format!(
                    "{}survivors cannot carry the load of {name} at the busiest hour: {} slots busy in all, {} left ({dark})",
                    if critical { "a pool of one priority is not N+1, and shedding cannot help it: " } else { "" },
                    three_digits(all),
                    three_digits(left)
                ),
                if critical {
                    "raise its headroom to 1/(regions - 1) or more"
                } else {
                    "what it cannot carry is shed, the least important first if the policy sheds by priority"
                },
            ));
        } else if let Some(limit) = cpu.filter(|&limit| all / left > limit) {
            found.push(warn(
                format!("service.{}.headroom", service.name),
                format!(
                    "after the loss of {name} the survivors run at {:.0} % CPU, the objective is {:.0} %",
                    100.0 * all / left,
                    100.0 * limit
                ),
                "raise its headroom",
            ));
        }
    }
}

/// How many priority classes reach a service.
fn classes_at(scenario: &Scenario, plan: &Plan, service: usize) -> usize {
    let mut reached = vec![vec![false; plan.graph.priorities.len()]; scenario.services.len()];
    for &(entry, class) in &plan.graph.entries {
        reached[entry][class] = true;
    }
    for &caller in &scenario.call_order {
        for link in &plan.graph.nodes[caller].calls {
            for class in 0..plan.graph.priorities.len() {
                if reached[caller][class] {
                    let lower = link.priority.map_or(class, |p| p.max(class));
                    reached[link.to][lower] = true;
                }
            }
        }
    }
    reached[service].iter().filter(|&&r| r).count()
}

/// Stores behind caches, when a market arrives that the cache does not know.
fn cold_stores(scenario: &Scenario, plan: &Plan, found: &mut Vec<Problem>) {
    let markets = plan.graph.markets;
    for (c, &(caller, j)) in plan.graph.cached.iter().enumerate() {
        let call = &scenario.services[caller].calls[j];
        let store = &scenario.services[call.to];
        for lost in 0..scenario.regions.len() {
            // All of the lost region's lookups miss at first, shared by the survivors.
            let arriving: f64 = plan.peak[lost].lookups[c * markets..(c + 1) * markets]
                .iter()
                .sum();
            let shared = arriving / (scenario.regions.len() - 1).max(1) as f64;
            for r in (0..scenario.regions.len()).filter(|&r| r != lost) {
                let load = &plan.peak[r];
                let cold = load.busy[call.to] + shared * plan.graph.nodes[call.to].mean_secs;
                let slots = plan.sized[r][call.to].serving as f64 * f64::from(store.slots);
                if shared > 0.0 && cold > slots {
                    found.push(warn(
                        format!("service.{}.calls[{j}].cache", scenario.services[caller].name),
                        format!(
                            "{} in {} cannot carry the misses of a cold market: at first {} slots, {} times its steady load; it has {}",
                            store.name,
                            scenario.regions[r].name,
                            three_digits(cold),
                            three_digits(cold / load.busy[call.to].max(1e-9)),
                            three_digits(slots)
                        ),
                        "pre-warm, shift in stages, or give the store more headroom",
                    ));
                    return;
                }
            }
        }
    }
}

/// Stickiness that outlasts the RTO that is asked for.
fn stickiness(scenario: &Scenario, found: &mut Vec<Problem>) {
    let Some(target) = scenario
        .hypotheses
        .iter()
        .flat_map(|h| &h.claim.terms)
        .filter(|term| term.left == Measure::Time(TimeMeasure::Rto))
        .filter(|term| matches!(term.op, Op::Less | Op::AtMost))
        .find_map(|term| match term.right {
            Operand::Value(secs) => Some(secs),
            Operand::Measure(_) => None,
        })
    else {
        return;
    };
    let ttl = scenario.dns.ttl.secs();
    if ttl > target {
        found.push(warn(
            "dns.ttl".into(),
            format!(
                "a TTL of {} is longer than the RTO of {}",
                human_secs(ttl),
                human_secs(target)
            ),
            "what DNS alone moves cannot be back in time",
        ));
    }
    let knobs = &scenario.policy.knobs;
    for class in &scenario.devices {
        let age = crate::engine::law::mean(&class.connection_age);
        let follows_names = class.direct || !knobs.route_by_edge;
        if age > target
            && follows_names
            && knobs.route_by_dns
            && scenario.edge.global
            && !class.direct
        {
            found.push(warn(
                format!("device.{}.connection.age", class.name),
                format!(
                    "connections live {} on average, longer than the RTO of {}, and nothing proxies what they carry",
                    human_secs(age),
                    human_secs(target)
                ),
                "route by the edge as well",
            ));
        }
    }
}

/// What the scenario cannot see although it may happen.
fn blind_spots(scenario: &Scenario, found: &mut Vec<Problem>) {
    let sees = |names: &[&str]| {
        let mut objectives = scenario.objectives.iter();
        objectives.any(|o| names.contains(&o.threshold.sli.as_str()))
    };
    let silent = !scenario.edge.global || scenario.devices.iter().any(|class| class.direct);
    let starts = [
        "stream_start_success",
        "eligible_start_success",
        "unreachable_rate",
    ];
    if !scenario.faults.is_empty() && !scenario.objectives.is_empty() && silent && !sees(&starts) {
        found.push(warn(
            "objective".into(),
            "no objective sees requests that get no answer: an error rate counts answers".into(),
            "add one on stream_start_success or unreachable_rate",
        ));
    }
    let asks = scenario
        .requests
        .iter()
        .any(|r| matches!(r.when, When::Rate { .. } | When::Every { renews: true, .. }));
    if scenario
        .session
        .as_ref()
        .is_some_and(|s| !s.media_from_region)
        && !asks
    {
        found.push(warn(
            "request".into(),
            "playing sessions need nothing from their region: rebuffering cannot occur".into(),
            "add a request that is made `every` so often and `renews`, or one at a `rate`",
        ));
    }
}

/// `before(…)` hypotheses that a calm day breaks already.
fn baseline(scenario: &Scenario, found: &mut Vec<Problem>) {
    let claims: Vec<_> = scenario
        .hypotheses
        .iter()
        .enumerate()
        .flat_map(|(i, h)| h.claim.terms.iter().map(move |term| (i, term)))
        .collect();
    let calm_needed = claims.iter().any(|(_, term)| {
        matches!(
            &term.left,
            Measure::Sli {
                span: SliSpan::Before,
                region: None,
                ..
            }
        )
    });
    if !calm_needed {
        return;
    }
    let calm = calm(scenario);
    for (i, term) in claims {
        let (
            Measure::Sli {
                span: SliSpan::Before,
                sli,
                region: None,
            },
            Operand::Value(limit),
        ) = (&term.left, &term.right)
        else {
            continue;
        };
        let value = slis::find(sli).and_then(|s| s.measure(&calm));
        if let Some(value) = value.filter(|&v| !term.op.holds(v, *limit)) {
            found.push(warn(
                format!("hypothesis[{i}].claim"),
                format!(
                    "a calm day breaks it already: {sli} is {}",
                    three_digits(value)
                ),
                "it would fail without any fault",
            ));
        }
    }
}

/// What each fault hits, a line each.
pub fn targets(scenario: &Scenario, plan: &Plan) -> Vec<String> {
    let all: f64 = plan.first.iter().map(|load| load.total).sum();
    scenario
        .faults
        .iter()
        .map(|fault| {
            let what = faults::find(&fault.kind)
                .map_or_else(|| fault.kind.clone(), |kind| kind.describe(fault, scenario));
            let (Some(region), None, None) = (fault.region, fault.zone, fault.other) else {
                return what;
            };
            let share = plan.first[region].total / all.max(1e-300);
            let instances: u64 = plan.sized[region].iter().map(|s| s.serving).sum();
            format!(
                "{what}: {instances} instances, {:.0} % of all requests at the beginning",
                share * 100.0
            )
        })
        .collect()
}

/// Per region and service: instances, headroom, spare of capacity, CPU; a line each.
pub fn deployment(scenario: &Scenario, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (r, region) in scenario.regions.iter().enumerate() {
        for (v, service) in scenario.services.iter().enumerate() {
            let sized = plan.sized[r][v];
            let slots = sized.serving as f64 * f64::from(service.slots);
            let (busiest, now) = (plan.peak[r].busy[v], plan.first[r].busy[v]);
            let headroom = if busiest > 0.0 {
                slots / busiest - 1.0
            } else {
                f64::INFINITY
            };
            let headroom = if headroom.is_finite() {
                format!("{headroom:.2}")
            } else {
                "unused".into()
            };
            lines.push(format!(
                "{} {}: {} instances ({} dark), headroom {headroom}, spare {:.0} % of capacity, CPU {:.0} % at the busiest hour, {:.0} % at the beginning",
                region.name,
                service.name,
                sized.serving,
                sized.dark,
                100.0 * (1.0 - busiest / slots.max(1e-300)).max(0.0),
                100.0 * busiest / slots.max(1e-300),
                100.0 * now / slots.max(1e-300),
            ));
        }
    }
    lines
}
