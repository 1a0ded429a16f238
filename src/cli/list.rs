//! `list`: what is built in.

use crate::cli::failure::{Failure, say};
use crate::cli::format::{self, Format};
use crate::model::measure::{DomainMeasure, Impact, SliSpan, TimeMeasure};
use crate::model::money::Money;
use crate::scenario::{Kind, builtins};
use crate::{faults, policies, slis};
use clap::ValueEnum;
use std::fmt::Write;

/// Arguments of `list`.
#[derive(clap::Args)]
pub struct Args {
    /// Only these
    #[arg(value_enum)]
    pub what: Option<What>,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// For `run`
    Scenarios,
    /// For -p
    Policies,
    /// For -p: policies with what they need deployed
    Strategies,
    /// For [[fault]] kind
    Faults,
    /// For objectives and measures
    Slis,
    /// For claims
    Measures,
}

/// Prints names, each with a line on it.
pub fn list(args: &Args) -> Result<u8, Failure> {
    let asked = match &args.what {
        Some(what) => std::slice::from_ref(what),
        None => What::value_variants(),
    };
    let kinds: Vec<(String, Entries)> = asked
        .iter()
        .map(|what| {
            let name = what.to_possible_value().expect("none is hidden");
            (name.get_name().to_string(), entries(*what))
        })
        .collect();
    match args.format {
        Format::Json => say(&json(&kinds)?)?,
        Format::Markdown => say(markdown(&kinds).as_bytes())?,
        Format::Text => {
            let mut text = String::new();
            for (kind, entries) in &kinds {
                match kinds.len() {
                    1 => rows(&mut text, "", entries),
                    _ => {
                        let _ = writeln!(text, "{kind}:");
                        rows(&mut text, "  ", entries);
                    }
                }
            }
            say(text.as_bytes())?;
        }
    }
    Ok(0)
}

/// Names with a line on each.
type Entries = Vec<(String, String)>;

/// An object of lists, by kind.
fn json(kinds: &[(String, Entries)]) -> Result<Vec<u8>, Failure> {
    let entry = |(name, summary): &(String, String)| serde_json::json!({ "name": name, "summary": summary });
    let kinds: serde_json::Map<String, serde_json::Value> = kinds
        .iter()
        .map(|(kind, entries)| (kind.clone(), entries.iter().map(entry).collect()))
        .collect();
    format::json(&kinds)
}

/// A table by kind.
fn markdown(kinds: &[(String, Entries)]) -> String {
    let table = |(kind, entries): &(String, Entries)| {
        let rows = entries.iter();
        let rows = rows.map(|(name, summary)| format::row(&[name, summary]));
        let head = format::head(&["name", "meaning"]);
        format!("## {kind}\n\n{head}{}", rows.collect::<String>())
    };
    let tables: Vec<String> = kinds.iter().map(table).collect();
    tables.join("\n")
}

/// Names with a line on each.
fn entries(what: What) -> Entries {
    let built_in = |kind| {
        let kind = builtins().iter().filter(move |b| b.kind == kind);
        kind.map(|b| (b.name.to_string(), b.summary.to_string()))
    };
    let pair = |name: &str, summary: &str| (name.to_string(), summary.to_string());
    match what {
        What::Scenarios => built_in(Kind::Scenario).collect(),
        What::Strategies => built_in(Kind::Strategy).collect(),
        What::Policies => {
            let all = policies::all().iter();
            all.map(|p| pair(p.name(), p.summary())).collect()
        }
        What::Faults => {
            let all = faults::all().iter();
            all.map(|f| pair(f.name(), f.summary())).collect()
        }
        What::Slis => {
            let all = slis::all().iter();
            all.map(|s| pair(s.name(), s.summary())).collect()
        }
        What::Measures => measures(),
    }
}

fn measures() -> Vec<(String, String)> {
    let times = TimeMeasure::ALL.map(|time| (time.name().to_string(), time_meaning(time)));
    let spans = SliSpan::ALL.map(|span| {
        let name = span.name();
        let meaning = match span {
            SliSpan::Before => "an SLI before the fault, or the first action of an announced drill",
            SliSpan::During => "an SLI in its worst minute until recovery",
            SliSpan::After => "an SLI from recovery on",
        };
        (format!("{name}(SLI), {name}(SLI[REGION])"), meaning)
    });
    let impacts = Impact::ALL.map(|impact| (impact.name().to_string(), impact_meaning(impact)));
    let money = Money::ALL.map(|money| (money.name().to_string(), money_meaning(money)));
    let domains =
        DomainMeasure::ALL.map(|kind| (format!("{}(DOMAIN)", kind.name()), domain_meaning(kind)));
    let all = times.into_iter().chain(spans).chain(impacts).chain(money);
    let all = all.chain(domains);
    all.map(|(name, meaning)| (name, meaning.to_string()))
        .collect()
}

fn domain_meaning(kind: DomainMeasure) -> &'static str {
    match kind {
        DomainMeasure::Rto => {
            "from the fault until 99 % of a domain's writes and of its reads are answered again"
        }
        DomainMeasure::Rpo => {
            "age of the oldest acknowledged write that a lost region took with it"
        }
        DomainMeasure::LostWrites => "acknowledged writes that had reached no surviving region",
        DomainMeasure::LateWrites => "of these, those that came back with their region",
        DomainMeasure::Conflicts => "keys written on both sides of a separation",
        DomainMeasure::Reconcile => "longest time from conflicts found to conflicts reconciled",
        DomainMeasure::Reassigned => "viewers assigned anew: their assignment had not arrived",
        DomainMeasure::Exposure => "the largest age that a loss could have taken with it, any time",
    }
}

fn time_meaning(time: TimeMeasure) -> &'static str {
    match time {
        TimeMeasure::Detect => "from the fault until the control plane believes the region dead",
        TimeMeasure::Decide => "from the fault until the first order is given",
        TimeMeasure::Shifted => "from the fault until 99 % of the traffic is served elsewhere",
        TimeMeasure::Warm => "from the fault until caches serve the moved markets as ever",
        TimeMeasure::Rto => "from the fault until every objective holds again for `sustain`",
        TimeMeasure::Restore => "from detect to shifted",
        TimeMeasure::Failback => "from the fault until traffic is back where it was",
        TimeMeasure::Redundant => "from the fault until all lost instances are in service again",
    }
}

fn impact_meaning(impact: Impact) -> &'static str {
    match impact {
        Impact::FailedStarts => "starts that failed because of the service, from the fault on",
        Impact::RebufferedViewers => "viewers who stood still because of the service",
        Impact::ViewerMinutes => "minutes that viewers stood still because of the service",
        Impact::DowntimeMinutes => "share of eligible starts that failed, summed over minutes",
        Impact::BrokenMinutes => "minutes in which an objective is broken",
        Impact::ErrorBudgetSpent => "share of the month's error budget that the run spent",
        Impact::BurnLevel => "worst burning of the error budget, 0 normal to 4 exceeded",
        Impact::Availability => "share of eligible starts that succeeded, over the whole horizon",
        Impact::Metastable => {
            "1 if fault and load are over and an objective is still broken, else 0"
        }
        Impact::Toppled => "1 if a region that no fault hit broke an objective of its own, else 0",
    }
}

fn money_meaning(money: Money) -> &'static str {
    match money {
        Money::Cost => "USD per hour, averaged over the horizon",
        Money::CostRelative => "cost / that of the cheapest deployment in one region",
        Money::CostReserved => "planned instances, in USD per hour",
        Money::CostOnDemand => "instances beyond the plan, in USD per hour",
        Money::CostStorage => "data kept, in USD per hour",
        Money::CostTransfer => "data moved between regions, in USD per hour",
        Money::Harm => "value of failed starts and lost viewer-minutes, in USD; in no cost",
    }
}

fn rows(text: &mut String, indent: &str, entries: &[(String, String)]) {
    let longest = entries.iter().map(|(name, _)| name.chars().count()).max();
    let longest = longest.unwrap_or(0);
    for (name, summary) in entries {
        let _ = writeln!(text, "{indent}{name:longest$}  {summary}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_listed_once_with_a_line_on_it() {
        for what in What::value_variants() {
            let entries = entries(*what);
            assert!(!entries.is_empty(), "{what:?}");
            for (name, summary) in &entries {
                assert!(!summary.is_empty(), "{name}");
                assert_eq!(entries.iter().filter(|(n, _)| n == name).count(), 1);
            }
        }
    }
}
