//! Variants that differ in a value or in what they lose: a row each.

use crate::model::observation::Unit;
use crate::report::figure;
use crate::report::terminal::table::{Style, bold, rendered, verdict};
use crate::slis;
use crate::stats::{Distribution, Estimate};
use crate::study::{Summary, VariantSummary};
use crate::units::human_secs;
use comfy_table::Cell;
use std::fmt::Write;

/// A table per policy, strategy or overlay that was varied.
pub fn text(summary: &Summary, sli: &str, style: Style) -> String {
    let varied: Vec<&VariantSummary> = summary
        .variants
        .iter()
        .filter(|variant| variant.origin.is_varied())
        .collect();
    let mut bases: Vec<&str> = Vec::new();
    for variant in &varied {
        if !bases.contains(&&*variant.origin.base) {
            bases.push(&variant.origin.base);
        }
    }
    let mut text = String::new();
    for base in bases {
        let own: Vec<&VariantSummary> = varied
            .iter()
            .copied()
            .filter(|variant| variant.origin.base == base)
            .collect();
        let _ = write!(text, "\n{}\n\n", style.title(2, base));
        text.push_str(&table(&own, sli, style));
    }
    text
}

/// A column: its name, and a cell of it.
struct Column {
    name: String,
    cell: Box<dyn Fn(&VariantSummary) -> Cell>,
}

fn table(variants: &[&VariantSummary], sli: &str, style: Style) -> String {
    let mut columns: Vec<Column> = Vec::new();
    let mut column = |name: &str, cell: Box<dyn Fn(&VariantSummary) -> Cell>| {
        columns.push(Column {
            name: name.to_string(),
            cell,
        });
    };
    let losing = variants.iter().any(|v| v.origin.target.is_some());
    if losing {
        column(
            "lost",
            Box::new(|v| {
                let target = v.origin.target.as_ref();
                bold(target.map_or("nothing", |target| &target.name))
            }),
        );
    }
    for (i, value) in variants[0].origin.values.iter().enumerate() {
        column(
            &value.path,
            Box::new(move |v| {
                let value = v.origin.values.get(i);
                bold(value.map_or("-", |value| &value.text))
            }),
        );
    }
    if losing {
        column(
            "peak CPU",
            Box::new(|v| {
                let cpu = v.loss.as_ref().and_then(|l| l.survivors_peak_cpu);
                mean(Unit::Share, cpu)
            }),
        );
        column(
            "shed",
            Box::new(|v| {
                let shed = v.loss.as_ref().and_then(|l| l.shed_worst_minute);
                mean(Unit::Share, shed)
            }),
        );
    } else {
        let (name, unit) = (sli.to_string(), slis::find(sli).map(|sli| sli.unit()));
        column(
            "worst minute",
            Box::new(move |v| {
                let during = v.slis.get(&name).and_then(|sli| sli.during);
                mean(unit.unwrap_or(Unit::Count), during)
            }),
        );
    }
    column("RTO p50", Box::new(|v| time(v, |t| (t.p50, t.p50_ci))));
    column("RTO p95", Box::new(|v| time(v, |t| (t.p95, t.p95_ci))));
    column(
        "failed starts",
        Box::new(|v| {
            let failed = v.impact.of.get("failed_starts").and_then(|d| d.p50);
            Cell::new(failed.map_or_else(|| "-".to_string(), figure::count))
        }),
    );
    if !losing {
        column(
            "cost",
            Box::new(|v| mean(Unit::UsdPerHour, v.cost.usd_per_hour)),
        );
    }
    column(
        "verdict",
        Box::new(|v| match v.hypotheses.is_empty() {
            true => Cell::new("-"),
            false => verdict(v.verdict),
        }),
    );
    let header: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    let rows = variants.iter().map(|variant| {
        let cells = columns.iter().map(|column| (column.cell)(variant));
        cells.collect()
    });
    let numbers = variants[0].origin.values.len() + usize::from(losing);
    let meaning = match losing {
        true => {
            "peak CPU: busy slots / slots of the busiest survivor, all its pools together (one pool may \
             be full while this is low); shed: starts that fail; both in the worst minute"
                .to_string()
        }
        false => format!("worst minute: {sli} until recovery"),
    };
    let table = rendered(
        &header,
        numbers..header.len() - 1,
        0..numbers,
        rows.collect(),
        style,
    );
    format!("  {meaning};\n  below a time: its 95 % interval\n{table}")
}

fn mean(unit: Unit, estimate: Option<Estimate>) -> Cell {
    Cell::new(estimate.map_or_else(
        || "-".to_string(),
        |e| {
            let half = e.hi.zip(e.lo).map(|(hi, lo)| 0.5 * (hi - lo));
            figure::mean(unit, e.mean, half)
        },
    ))
}

type Quantile = (Option<f64>, [Option<f64>; 2]);

fn time(variant: &VariantSummary, of: fn(&Distribution) -> Quantile) -> Cell {
    let Some(rto) = variant.times_s.get("rto").filter(|rto| rto.n > 0) else {
        return Cell::new("-");
    };
    let (value, ends) = of(rto);
    Cell::new(match value {
        Some(value) => {
            let ends = figure::interval(Unit::Seconds, value, ends);
            format!("{}\n{ends}", human_secs(value))
                .trim_end()
                .to_string()
        }
        None => "beyond".to_string(),
    })
}
