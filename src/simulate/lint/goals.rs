//! Goals: what is asked of a run, against what its inputs allow.

use super::{calm, warn};
use crate::model::measure::{Measure, Op, Operand, SliSpan, TimeMeasure};
use crate::model::request::When;
use crate::model::scenario::Scenario;
use crate::problem::Problem;
use crate::slis;
use crate::units::{human_secs, three_digits};

/// Goals that are not there, without which nothing can be missed.
pub fn missing(scenario: &Scenario, found: &mut Vec<Problem>) {
    if scenario.faults.is_empty() {
        return;
    }
    if scenario.objectives.is_empty() {
        found.push(warn(
            "objective".into(),
            "there is no objective: RTO is 0 whatever happens".into(),
            "add [[objective]] with an SLI and a target, such as stream_start_success >= 99 %",
        ));
    }
    if scenario.hypotheses.is_empty() {
        found.push(warn(
            "hypothesis".into(),
            "there is no hypothesis: a run cannot fail".into(),
            "add [[hypothesis]] with a claim, such as rto <= 3min",
        ));
    }
}

/// Stickiness that outlasts the RTO that is asked for.
pub fn stickiness(scenario: &Scenario, found: &mut Vec<Problem>) {
    let Some(target) = scenario
        .hypotheses
        .iter()
        .flat_map(|h| &h.claim.terms)
        .filter(|term| term.left.own() == Some(&Measure::Time(TimeMeasure::Rto)))
        .filter(|term| matches!(term.op, Op::Less | Op::AtMost))
        .find_map(|term| match term.right {
            Operand::Value(secs) => Some(secs),
            Operand::Subject(_) => None,
        })
    else {
        return;
    };
    let knobs = &scenario.policy.knobs;
    // A global edge sends on whoever comes with an old name.
    let by_names = scenario.devices.iter().any(|class| class.direct);
    let by_names = by_names || !scenario.edge.global || !knobs.route_by_edge;
    let ttl = scenario.dns.ttl.secs();
    if ttl > target && by_names {
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
    // Where the region lives, connections do not break.
    let graceful = ["service-degraded", "gray-failure", "bad-deployment"];
    let mut faults = scenario.faults.iter();
    let lives = faults.any(|f| !f.announced.is_zero() || graceful.contains(&f.kind.as_str()));
    for class in &scenario.devices {
        let age = crate::engine::law::mean(&class.connection_age);
        let follows_names = class.direct || !knobs.route_by_edge;
        let keeps = scenario.session.is_some() || class.think.is_some();
        let holds = keeps && (lives || (scenario.edge.global && !class.direct));
        if age > target && follows_names && knobs.route_by_dns && holds {
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
pub fn blind_spots(scenario: &Scenario, found: &mut Vec<Problem>) {
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
pub fn baseline(scenario: &Scenario, found: &mut Vec<Problem>) {
    let claims: Vec<_> = scenario
        .hypotheses
        .iter()
        .enumerate()
        .flat_map(|(i, h)| h.claim.terms.iter().map(move |term| (i, term)))
        .collect();
    let calm_needed = claims.iter().any(|(_, term)| {
        matches!(
            term.left.own(),
            Some(Measure::Sli {
                span: SliSpan::Before,
                region: None,
                ..
            })
        )
    });
    if !calm_needed {
        return;
    }
    let calm = calm(scenario);
    for (i, term) in claims {
        let (
            Some(Measure::Sli {
                span: SliSpan::Before,
                sli,
                region: None,
            }),
            Operand::Value(limit),
        ) = (term.left.own(), &term.right)
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

/// Guards of faults that a calm day breaks.
pub fn guards(scenario: &Scenario, found: &mut Vec<Problem>) {
    if scenario.faults.iter().all(|fault| fault.guards.is_empty()) {
        return;
    }
    let calm = calm(scenario);
    for (i, fault) in scenario.faults.iter().enumerate() {
        for (j, guard) in fault.guards.iter().enumerate() {
            let threshold = &guard.threshold;
            let value = slis::find(&threshold.sli).and_then(|sli| sli.measure(&calm));
            if let Some(value) = value.filter(|&v| !threshold.op.holds(v, threshold.value)) {
                found.push(warn(
                    format!("fault[{i}].guard[{j}].limit"),
                    format!(
                        "a calm day breaks the guard: {} is {}, the limit {}",
                        threshold.sli,
                        three_digits(value),
                        threshold.text
                    ),
                    "it would end or begin something without any fault: loosen it",
                ));
            }
        }
    }
}
