//! What the terminal shows: what is run, a block of tables per variant, and what the numbers do not
//! say. At most 100 columns, unless names alone are longer.

mod against;
mod comparison;
mod domains;
mod guards;
mod impact;
mod markdown;
mod money;
mod slis;
mod table;
mod times;
mod unknown;
mod varied;
mod verdicts;

use crate::model::fidelity::Fidelity;
use crate::model::scenario::Scenario;
use crate::report::{Findings, figure, shown_sli};
use crate::simulate::Facts;
use crate::units::human_secs;
use std::fmt::Write;

pub use against::against;
pub use table::Style;

/// Most markets whose data are told.
const MOST_MARKETS: usize = 5;

/// All of it. `facts` has an entry per variant; `compared` adds every variant against the first;
/// `out` says where the files are.
pub fn text(
    findings: &Findings,
    facts: &[Facts],
    compared: bool,
    out: &str,
    style: Style,
) -> String {
    let mut text = head(findings, facts, style);
    for (v, facts) in facts.iter().enumerate() {
        // What was varied fills a row of a table.
        if !findings.summary.variants[v].origin.is_varied() {
            text.push('\n');
            variant(&mut text, findings, v, facts, style);
        }
    }
    let sli = shown_sli(first(findings));
    text.push_str(&varied::text(findings.summary, sli, style));
    if compared {
        text.push('\n');
        text.push_str(&comparison::text(findings.summary, style));
    }
    if text.contains(", ?]") || text.contains("[?, ") {
        let open = "?: an end that so few replications, or times without an end, do not show";
        let _ = writeln!(text, "\n{open}");
    }
    let _ = writeln!(text, "\nFiles are in {out}");
    text.push_str(&last_line(first(findings)));
    match style.markdown {
        true => markdown::paragraphs(&text),
        false => text,
    }
}

/// What is run, with how many replications and which seed.
fn head(findings: &Findings, facts: &[Facts], style: Style) -> String {
    let scenario = first(findings);
    let mut text = String::new();
    let _ = writeln!(text, "{}", style.title(1, &plain(&scenario.title)));
    if !scenario.question.is_empty() {
        let _ = writeln!(text, "{}", plain(&scenario.question));
    }
    if let Some(facts) = facts.first() {
        let playing = match scenario.session {
            Some(_) => format!("{} sessions playing, ", figure::count(facts.sessions)),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "{}, {}, {}, {playing}{} requests/s at the beginning",
            number(facts.regions, "region"),
            number(facts.zones, "zone"),
            instances(facts),
            figure::count(facts.requests_per_sec),
        );
        for demand in facts.demand.iter().take(MOST_MARKETS) {
            let _ = writeln!(text, "{}", plain(demand));
        }
        if facts.demand.len() > MOST_MARKETS {
            let more = facts.demand.len() - MOST_MARKETS;
            let _ = writeln!(text, "… and {more} more markets: darkregion check");
        }
        let losing = findings.plan.variants[0].origin.target.is_some();
        if losing {
            let _ = writeln!(text, "Each variant loses something else");
        } else if facts.faults.is_empty() {
            let _ = writeln!(text, "No fault");
        }
        for fault in facts.faults.iter().filter(|_| !losing) {
            let _ = writeln!(text, "Fault: {fault}");
        }
    }
    if scenario.scale < 1.0 {
        let _ = writeln!(
            text,
            "In small: 1/{} of demand, sessions and capacity; whole slots, instances and objects are \
             rounded, one at least",
            figure::count(1.0 / scenario.scale),
        );
    }
    if scenario.fidelity == Fidelity::Request {
        let _ = writeln!(
            text,
            "Every session and every request is simulated on its own"
        );
    }
    let names = variant_names(findings);
    let done = findings.study.replications;
    let interrupted = match findings.study.cancelled {
        false => String::new(),
        true => format!(
            " of {}, interrupted",
            figure::whole(findings.plan.replications)
        ),
    };
    let _ = writeln!(
        text,
        "Policy {}: {} replications{interrupted}{}, seed {}",
        names.join(", "),
        figure::whole(done),
        if findings.plan.variants.len() > 1 {
            " each"
        } else {
            ""
        },
        findings.plan.seed
    );
    wrapped(&text, style)
}

/// Names of the variants; those that were varied by what they are made from.
fn variant_names<'a>(findings: &Findings<'a>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for variant in &findings.plan.variants {
        let name = match variant.origin.is_varied() {
            true => &variant.origin.base,
            false => &variant.name,
        };
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

fn variant(text: &mut String, findings: &Findings, v: usize, facts: &Facts, style: Style) {
    let scenario = findings.plan.variants[v].document.scenario();
    let summary = &findings.summary.variants[v];
    let name = &summary.name;
    let uses = match &scenario.policy.name {
        policy if policy == name => String::new(),
        policy => format!(" (policy {policy})"),
    };
    let title = style.title(2, &format!("{name}{uses}"));
    let judged = match summary.hypotheses.is_empty() {
        true => "no hypothesis to judge".to_string(),
        false => format!("verdict {}", style.verdict(summary.verdict)),
    };
    let _ = writeln!(text, "{title}: {}, {judged}", instances(facts));
    let target = findings.plan.variants[v].origin.target.as_ref();
    if let Some(hour) = target.and_then(|target| target.hour.as_ref()) {
        let _ = writeln!(
            text,
            "Lost at {hour} UTC, the busiest moment of all markets together"
        );
    }
    let parts = [
        slis::table(scenario, summary, style),
        times::table(scenario, summary, style),
        domains::table(scenario, summary, style),
        impact::table(summary, style),
        wrapped(&guards::lines(summary), style),
        wrapped(&money::lines(scenario, summary), style),
        verdicts::table(scenario, summary, findings.study.replications, style),
        unknown::table(summary, style),
        wrapped(
            &unknown::precision(summary, findings.study.replications),
            style,
        ),
    ];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        text.push('\n');
        text.push_str(&part);
    }
    if let Some(failing) = &summary.outside_validity {
        let note = format!(
            "Careful: in {} of {} replications a pool leaves the range in which counted traffic is \
             exact. In replication {}: {}, from {} on, for {} in all ({})",
            figure::whole(failing.replications),
            figure::whole(findings.study.replications),
            failing.first,
            failing.pool,
            human_secs(failing.at_s),
            human_secs(failing.lasting_s),
            failing.reason,
        );
        text.push('\n');
        text.push_str(&wrapped(&note, style));
    }
}

/// What the intervals leave out; always the last line.
fn last_line(scenario: &Scenario) -> String {
    use crate::model::scenario::Origin;
    let of = |origin| {
        scenario
            .inputs
            .iter()
            .filter(|i| i.origin == origin)
            .count()
    };
    format!(
        "Intervals are of the simulation's randomness, for these inputs; {} of {} inputs are \
         guesses, {} fitted: `darkregion show --guesses`.\n",
        of(Origin::Guess),
        scenario.inputs.len(),
        of(Origin::Fitted),
    )
}

fn first<'a>(findings: &Findings<'a>) -> &'a Scenario {
    findings.plan.variants[0].document.scenario()
}

fn instances(facts: &Facts) -> String {
    let serving = number(facts.instances as usize, "instance");
    match facts.dark_instances {
        0 => serving,
        dark => format!("{serving} and {} dark ones", figure::whole(dark)),
    }
}

fn number(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", figure::whole(n as u64))
}

/// Lines of at most 100 columns, broken between words; what follows a break is indented. Markdown
/// needs none.
fn wrapped(text: &str, style: Style) -> String {
    if style.markdown {
        return text.to_string()
            + if text.ends_with('\n') || text.is_empty() {
                ""
            } else {
                "\n"
            };
    }
    let mut out = String::new();
    for line in text.lines() {
        let mut column = 0;
        // A percent sign stays with its number.
        let line = line.replace(" %", "\u{a0}%");
        for word in line.split(' ') {
            let wide = word.chars().count();
            if column > 0 && column + 1 + wide > table::COLUMNS {
                out.push_str("\n  ");
                column = 2;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += wide;
        }
        out.push('\n');
    }
    out.replace('\u{a0}', " ")
}
/// A user's text without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
