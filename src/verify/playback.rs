//! Family 10 and the composite V7: sessions that lose their region and play on from their buffer.
//!
//! Media come through the region. A session is without them until routes or its own name lead
//! elsewhere: a fixed delay, or one that is spread over a time to live.

use super::base;
use super::case::{Case, Metric};
use super::judge::{Finding, Noise};
use crate::model::scenario::{Buffer, Scenario};
use crate::units::{Dist, Span, Time};

/// A cut-off session tries again so soon that its wait does not matter.
const RETRY_SECS: f64 = 1e-3;
/// Replications.
const REPLICATIONS: u64 = 12;
/// Resolvers, where names come to lead elsewhere one by one.
const RESOLVERS: usize = 100_000;
/// Steps within an outage.
const STEPS: f64 = 1500.0;

/// What the sessions of one replication lived through.
#[derive(Clone, Copy)]
struct Lived {
    sessions: f64,
    rebuffered: f64,
    stalled_secs: f64,
}

/// What the simulator says of each metric.
pub fn run(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    match case.model.as_str() {
        "playback" => outage(case, seed),
        "playback_fill" => filling(case, seed),
        "v7_rebuffer" => composite(case, seed),
        other => Err(format!("the model {other:.40} is not known")),
    }
}

/// As many sessions as the tests are meant for.
fn sessions(case: &Case) -> f64 {
    let proportions = case.metrics.iter().filter(|m| m.test.kind == "z_prop");
    let n = proportions.filter_map(|m| m.test.n).fold(1000.0, f64::max);
    n.min(1e7)
}

fn scenario(n: f64, buffer: Buffer, resume_secs: f64, speed: f64) -> Scenario {
    let mut scenario = base::playing();
    base::through_edge(&mut scenario, 0.0);
    if let Some(session) = &mut scenario.session {
        session.retry_secs = RETRY_SECS;
        session.resume_secs = resume_secs;
        session.download_speed = speed;
        session.buffer = buffer;
        scenario.markets[0].starts = n / session.length[0].1;
    }
    scenario
}

/// The region is lost; sessions find another `dead + dns + U(0, ttl)` later by their names, those
/// behind the edge `dead + routes` later.
fn live(
    scenario: &Scenario,
    seed: u64,
    dead_secs: f64,
    dns_secs: f64,
    ttl_secs: f64,
    routes_secs: f64,
) -> Vec<Lived> {
    let mut scenario = scenario.clone();
    // Players keep their answer: hardly any sessions start, so resolvers are asked by them alone.
    scenario.dns.ttl = Span::ZERO;
    for class in &mut scenario.devices {
        class.pin = Span::from_secs(ttl_secs);
    }
    if ttl_secs > 0.0 {
        scenario.dns.resolvers = RESOLVERS;
    }
    let longest = dead_secs + dns_secs.max(routes_secs) + ttl_secs;
    base::windows(&mut scenario, longest / STEPS, 1.1 * longest);
    scenario.sample = scenario.horizon;
    base::delays(&mut scenario, routes_secs, dns_secs);
    let fault = Time(2 * scenario.step.0);
    base::lose(&mut scenario, fault, dead_secs);
    base::replicate(&scenario, seed, REPLICATIONS, |outcome| {
        let sum = |of: &dyn Fn(&crate::model::observation::Observation) -> f64| -> f64 {
            outcome.windows.iter().map(|w| of(&w.global)).sum()
        };
        Lived {
            sessions: outcome.ledger.sessions_first as f64,
            rebuffered: sum(&|o| o.rebuffered),
            stalled_secs: sum(&|o| o.stalled_secs),
        }
    })
}

/// Mean over all sessions. They share resolvers, whose chance counts too.
fn over_sessions(runs: &[Lived], of: impl Fn(&Lived) -> f64) -> Finding {
    let sessions: f64 = runs.iter().map(|l| l.sessions).sum();
    let resolvers = runs.len() as f64 * RESOLVERS as f64;
    let observed = 1.0 / (1.0 / sessions + 1.0 / resolvers);
    let value = runs.iter().map(of).sum::<f64>() / sessions;
    Finding::of(value, Noise::Observations(observed))
}

/// Share of sessions that stood still.
fn share(runs: &[Lived]) -> Finding {
    over_sessions(runs, |l| l.rebuffered)
}

fn per_session(runs: &[Lived], of: impl Fn(&Lived) -> f64) -> Vec<f64> {
    runs.iter().map(|l| of(l) / l.sessions).collect()
}

fn level(case: &Case) -> Result<Buffer, String> {
    let (lo, hi) = (case.within("buffer", "lo")?, case.within("buffer", "hi")?);
    if hi <= lo || hi > 1e6 {
        return Err("the buffer's levels do not make a law".into());
    }
    Ok(Buffer::Level(Dist::Uniform { lo, hi }))
}

fn outage(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (least, spread) = match case.word("outage", "type")? {
        "const" => (case.within("outage", "D")?, 0.0),
        "uniform" => {
            let lo = case.within("outage", "lo")?;
            (lo, case.within("outage", "hi")? - lo)
        }
        other => return Err(format!("the law {other:.40} is not known")),
    };
    check_outage(least, spread)?;
    let speed = case.positive("speed")?;
    let scenario = scenario(sessions(case), level(case)?, case.number("resume")?, speed);
    let runs = live(&scenario, seed, least, 0.0, spread, least);
    let find = |metric: &Metric| match metric.name.as_str() {
        "rebuffer_fraction" => share(&runs),
        "mean_stall_per_session" => over_sessions(&runs, |l| l.stalled_secs),
        "mean_stall_given_rebuffer" => {
            let each: Vec<f64> = runs.iter().map(|l| l.stalled_secs / l.rebuffered).collect();
            Finding::mean(&each)
        }
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

fn check_outage(least: f64, spread: f64) -> Result<(), String> {
    if least > 0.0 && least + spread < 1e6 && spread >= 0.0 {
        Ok(())
    } else {
        Err("the outage is not between zero and a million seconds".into())
    }
}

fn filling(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let (length, speed) = (case.positive("V")?, case.positive("speed")?);
    let (start, max) = (case.number("b0")?, case.positive("Bmax")?);
    if start >= max || speed <= 1.0 {
        return Err("the buffer does not fill".into());
    }
    let buffer = Buffer::Filling { start, max, length };
    let scenario = scenario(sessions(case), buffer, 0.0, speed);
    // A full buffer must outlast the outage: it ends a little before that.
    let shy = 2e-3 * max;
    let most = max - shy;
    // What the levels between would add to the share.
    let slack = shy / (speed - 1.0) / length;
    let after = |secs: f64| -> Result<Vec<Lived>, String> {
        check_outage(secs, 0.0)?;
        Ok(live(&scenario, seed, secs, 0.0, 0.0, secs))
    };
    let of_outage = after(case.positive("D")?.min(most))?;
    let of_fill = after(most)?;
    let sessions: f64 = of_fill.iter().map(|l| l.sessions).sum();
    let low = of_fill.iter().map(|l| l.rebuffered).sum::<f64>() / sessions;
    let find = |metric: &Metric| match metric.name.as_str() {
        "fraction_full_buffer" => Finding::within(1.0 - low, Noise::Observations(sessions), slack),
        "time_to_full" => {
            // Ages are uniform over the length: the share that is not full tells how long it takes.
            let se = (low * (1.0 - low) / sessions).sqrt() * length;
            Finding::within(low * length, Noise::Estimated(se, 1e6), slack * length)
        }
        name if name.starts_with("rebuffer_fraction") => match share(&of_outage) {
            Finding::Value(evidence) => Finding::within(evidence.value, evidence.noise, slack),
            other => other,
        },
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}

fn composite(case: &Case, seed: u64) -> Result<Vec<Finding>, String> {
    let edge = case.share("edge_fraction")?;
    let (dead, push) = (case.positive("t_detect")?, case.number("t_push")?);
    let (routes, ttl) = (case.number("t_cfg")?, case.number("T")?);
    check_outage(dead, push + routes + ttl)?;
    let n = case.positive("sessions_A")?.clamp(10.0, 1e7);
    let speed = case.positive("speed")?;
    let plain = scenario(n, level(case)?, case.number("resume")?, speed);
    let with = |edge: f64| {
        let mut scenario = plain.clone();
        scenario.policy.knobs.route_by_edge = true;
        base::through_edge(&mut scenario, edge);
        live(&scenario, seed, dead, push, ttl, routes)
    };
    let (behind, direct, mixed) = (with(1.0), with(0.0), with(edge));
    let find = |metric: &Metric| match metric.name.as_str() {
        "rebuffer_fraction_edge" => share(&behind),
        "rebuffer_fraction_dns" => share(&direct),
        "rebuffer_fraction" => share(&mixed),
        "mean_stall_per_session" => Finding::mean(&per_session(&mixed, |l| l.stalled_secs)),
        "total_stall_seconds" => Finding::mean(&per_session(&mixed, |l| l.stalled_secs * n)),
        "sessions_rebuffered" => Finding::mean(&per_session(&mixed, |l| l.rebuffered * n)),
        _ => Finding::not("the metric is not known"),
    };
    Ok(case.metrics.iter().map(find).collect())
}
