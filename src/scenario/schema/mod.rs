//! The schema: what each section of a file holds, its defaults, and what must fit together.

mod active;
mod balancer;
mod call;
mod control;
mod device;
mod domain;
mod event;
mod fault;
mod market;
mod money;
mod network;
mod policy;
mod request;
mod scaling;
mod scope;
mod series;
mod service;
mod session;
mod worker;

use crate::model::fidelity::Fidelity;
use crate::model::scenario::{Ambient, Scenario, Variation};
use crate::scenario::default::{guess, required, setting};
use crate::scenario::quantity::{LONGEST_SECS, Unit};
use crate::scenario::reader::{Range, Reader};
use crate::scenario::section::Section;
use crate::scenario::tree::Node;
use crate::scenario::variants;
use crate::units::Span;

/// Most steps of a run.
const MOST_STEPS: f64 = 1e8;
/// Most windows of a run.
const MOST_WINDOWS: f64 = 50_000.0;
/// Most resolvers, all markets and device classes together.
const MOST_RESOLVERS: usize = 2_000_000;

/// Reads a merged tree. Where a mistake is noted, the rest is read as if the value were absent.
pub fn read(reader: &Reader, root: &Node, name: &str) -> Scenario {
    let mut top = Section::file(reader, root);
    // Variants were taken out before; the key is known all the same.
    top.take(variants::KEY);
    let format = top.certain("format", required("1"), Unit::Number, Range::new(0.0, 1e6));
    if top.has("format") && format != 1.0 {
        top.wrong(
            "format",
            format!("format {format} is not known"),
            "write format = 1",
        );
    }
    let title = top.text("title").unwrap_or(name).to_string();
    let question = top.text("question").unwrap_or_default().to_string();
    let step = top.certain(
        "step",
        setting("1s"),
        Unit::Seconds,
        Range::new(1e-3, 3600.0),
    );
    let sample = top.certain(
        "sample",
        setting("10s"),
        Unit::Seconds,
        Range::new(0.1, 86_400.0),
    );
    let sustain = top.certain("sustain", setting("60s"), Unit::Seconds, Range::SPAN);
    let demand = top.number("demand", setting("1.0"), Range::positive(1e6));
    let start_of_day_secs = start_of_day(&mut top);
    if sample < step {
        top.wrong(
            "sample",
            "a window is shorter than a step",
            "make sample a multiple of step",
        );
    }

    let regions = market::regions(&mut top);
    let region_names: Vec<&str> = regions.iter().map(|r| r.name.as_str()).collect();
    let links = market::links(&mut top, &region_names);
    let market::Markets {
        mut markets,
        plain,
        waiting,
    } = market::markets(&mut top, &region_names);
    let roles = active::roles(&mut top, &mut markets, &region_names, &links.rtt_secs);
    let devices = device::devices(&mut top, plain);
    let dns = network::dns(&mut top);
    let resolvers = dns.resolvers.saturating_mul(markets.len() * devices.len());
    if resolvers > MOST_RESOLVERS {
        top.wrong(
            "dns",
            format!("{resolvers} resolvers are too many"),
            format!("at most {MOST_RESOLVERS}, all markets and device classes together"),
        );
    }
    let edge = network::edge(&mut top);
    let balancer = balancer::balancer(&mut top);
    let (mut services, call_order, sources) = service::services(&mut top, &region_names);
    let launches = scaling::launches(top.section("launches"));
    let requests = request::requests(&mut top, &services, plain);
    worker::resolve(&mut top, &sources, &mut services, &requests);
    let domains = domain::domains(&mut top, &region_names, &markets, &requests);
    let session = session::session(&mut top, plain);
    let ambient = ambient(top.section("ambient"));
    let control = control::control(top.section("control"), &region_names);
    let variation = variation(top.section("variation"));
    let domain_names: Vec<&str> = domains.iter().map(|d| d.name.as_str()).collect();
    let targets = fault::Targets {
        regions: &regions,
        services: &services,
        markets: &markets,
        domains: &domain_names,
    };
    let faults = fault::faults(&mut top, &targets);
    let end = faults.iter().map(|f| f.at.secs() + f.duration.secs());
    let default_horizon = match end.fold(0.0, f64::max) {
        0.0 => 3600.0,
        end => (end + 600.0).min(LONGEST_SECS),
    };
    let horizon = top.certain(
        "horizon",
        setting(format!("{default_horizon}s")),
        Unit::Seconds,
        Range::SOME_SPAN,
    );
    for (key, length, most) in [("step", step, MOST_STEPS), ("sample", sample, MOST_WINDOWS)] {
        if horizon / length > most {
            top.wrong(
                key,
                format!(
                    "{} of them up to the horizon are too many",
                    (horizon / length).ceil()
                ),
                format!("at most {most}: make {key} longer or the horizon shorter"),
            );
        }
    }
    fault::check_horizon(&mut top, &faults, horizon);
    series::place(top.reader, &mut markets, waiting, &faults, horizon);
    let objectives = event::objectives(&mut top);
    let hypotheses = event::hypotheses(&mut top, &region_names, &domain_names);
    let prices = money::prices(top.section("prices"));
    let budget = money::budget(top.section("budget"));
    let parts = scope::Parts {
        services: &services,
        requests: &requests,
        devices: &devices,
    };
    let policy = policy::policy(top.section("policy"), &region_names, &parts);
    Scenario {
        fidelity: Fidelity::Cohort,
        scale: 1.0,
        name: name.to_string(),
        title,
        question,
        horizon: Span::from_secs(horizon),
        step: Span::from_secs(step),
        sample: Span::from_secs(sample),
        sustain: Span::from_secs(sustain),
        start_of_day_secs,
        standby: roles.standby,
        unused: roles.unused,
        demand,
        regions,
        rtt_secs: links.rtt_secs,
        link_capacity: links.capacity,
        markets,
        devices,
        dns,
        edge,
        balancer,
        services,
        call_order,
        launches,
        requests,
        domains,
        session,
        ambient,
        control,
        variation,
        faults,
        objectives,
        hypotheses,
        prices,
        budget,
        policy,
        uncertain: Vec::new(),
        inputs: Vec::new(),
    }
}

fn start_of_day(top: &mut Section) -> f64 {
    let text = top.text("start").unwrap_or("00:00");
    match time_of_day(text) {
        Some(secs) => secs,
        None => {
            top.wrong(
                "start",
                format!("not a time of day: {text:.40?}"),
                "write \"19:30\" (UTC)",
            );
            0.0
        }
    }
}

/// Seconds since midnight of `19:30`.
fn time_of_day(text: &str) -> Option<f64> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |t: &str| (t.len() == 2).then(|| t.parse::<u32>().ok()).flatten();
    let hours = two(hours).filter(|h| *h < 24)?;
    let minutes = two(minutes).filter(|m| *m < 60)?;
    Some(f64::from(hours * 3600 + minutes * 60))
}

fn ambient(mut section: Section) -> Ambient {
    Ambient {
        start_failure: section.share("start_failure", setting("0"), Range::SHARE),
        request_failure: section.share("request_failure", setting("0"), Range::SHARE),
        stall_rate: section.quantity(
            "stall_rate",
            setting("0"),
            Unit::PerSecond,
            Range::new(0.0, 1.0),
        ),
        stall_secs: section.secs("stall", setting("0s"), Range::new(0.0, 3600.0)),
    }
}

fn variation(mut section: Section) -> Variation {
    let range = Range::new(0.0, 2.0);
    Variation {
        demand: section.share("demand", guess("0.03"), range),
        store: section.share("store", guess("0.05"), range),
        catalogue: section.share("catalogue", guess("0.1"), range),
    }
}
