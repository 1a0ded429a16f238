//! What follows from a value: measures over the values of `--vary`.

use crate::model::measure::{Impact, Measure, Measured, SliSpan, TimeMeasure};
use crate::model::money::Money;
use crate::model::observation::Unit;
use crate::report::figure;
use crate::report::plots::canvas::*;
use crate::report::plots::timeline::axis_label;
use crate::report::{Findings, Page, shown_sli};
use crate::slis;
use crate::stats::Distribution;
use crate::study::Variant;
use crate::units::three_digits;
use plotters::prelude::*;

/// Name of the picture.
pub const NAME: &str = "sweep.svg";

const PANEL: u32 = 190;
const LABELS: u32 = 22;
const DESCRIBED: u32 = 42;

/// Below each other: the SLI of the first objective, recovery, failed starts and cost; `None` unless
/// a value was varied that is a number.
pub fn page(findings: &Findings) -> Option<Page> {
    let series = series(&findings.plan.variants);
    let first = series.iter().find(|one| one.variants.len() > 1)?;
    let example = &findings.plan.variants[first.variants[0]].origin.values[0];
    let scenario = findings.plan.variants[0].document.scenario();
    let sli = shown_sli(scenario);
    let unit = slis::find(sli).map_or(Unit::Count, |sli| sli.unit());
    let during = Measure::Sli {
        span: SliSpan::During,
        sli: sli.to_string(),
        region: None,
    };
    let panels: Vec<Panel> = [
        (format!("{sli}, worst minute"), during, unit),
        (
            "RTO".to_string(),
            Measure::Time(TimeMeasure::Rto),
            Unit::Seconds,
        ),
        (
            "failed starts".to_string(),
            Measure::Impact(Impact::FailedStarts),
            Unit::Count,
        ),
        (
            "cost".to_string(),
            Measure::Money(Money::Cost),
            Unit::UsdPerHour,
        ),
    ]
    .into_iter()
    .filter_map(|(name, measure, unit)| Panel::new(findings, &series, name, &measure, unit))
    .collect();
    if panels.is_empty() {
        return None;
    }
    let head = Head {
        title: &scenario.title,
        subtitle: &format!(
            "median and p5-p95 band of {} replications, seed {}; triangle: not by the horizon in half of them",
            figure::whole(findings.study.replications),
            findings.plan.seed
        ),
        legend: series.iter().map(|one| one.name.clone()).collect(),
    };
    let height = PANEL * panels.len() as u32 + DESCRIBED - LABELS;
    let svg = picture(&head, height, |area| {
        let mut rest = area.clone();
        for (i, panel) in panels.iter().enumerate() {
            let last = i + 1 == panels.len();
            let extra = if last { DESCRIBED - LABELS } else { 0 };
            let (own, below) = rest.split_vertically(PANEL + extra);
            panel.draw(&own, last.then_some(&*example.path), &example.text);
            rest = below;
        }
    });
    Some(Page::new(NAME, svg))
}

/// Variants that differ in the first varied value alone.
struct Series {
    name: String,
    variants: Vec<usize>,
}

fn series(variants: &[Variant]) -> Vec<Series> {
    let mut found: Vec<Series> = Vec::new();
    for (v, variant) in variants.iter().enumerate() {
        let [first, others @ ..] = &variant.origin.values[..] else {
            continue;
        };
        if first.number.is_none() {
            continue;
        }
        let mut name = variant.origin.base.clone();
        for other in others {
            name += &format!(", {} = {}", other.path, other.text);
        }
        if let Some(target) = &variant.origin.target {
            name += &format!(", without {}", target.name);
        }
        match found.iter_mut().find(|one| one.name == name) {
            Some(one) => one.variants.push(v),
            None => found.push(Series {
                name,
                variants: vec![v],
            }),
        }
    }
    found
}

/// A point: the varied value, p5, p50, p95; `None` is beyond the horizon.
type Point = (f64, [Option<f64>; 3]);

struct Panel {
    name: String,
    unit: Unit,
    lines: Vec<Vec<Point>>,
}

impl Panel {
    fn new(
        findings: &Findings,
        series: &[Series],
        name: String,
        measure: &Measure,
        unit: Unit,
    ) -> Option<Panel> {
        let column = findings.study.columns.position(measure)?;
        let point = |&v: &usize| -> Option<Point> {
            let values = &findings.plan.variants[v].origin.values;
            let rows = &findings.study.variants[v].rows;
            let measured: Vec<Measured> = rows.iter().map(|row| row.values[column]).collect();
            let d = Distribution::of(&measured);
            let at = values.first()?.number?;
            (d.n > 0).then_some((at, [d.p5, d.p50, d.p95]))
        };
        let lines: Vec<Vec<Point>> = series
            .iter()
            .map(|one| {
                let mut points: Vec<Point> = one.variants.iter().filter_map(point).collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                points
            })
            .collect();
        let seen = lines.iter().any(|points| points.len() > 1);
        seen.then_some(Panel { name, unit, lines })
    }

    /// The same with times in units that suit an axis.
    fn scaled(&self, x_factor: f64, y_factor: f64) -> Vec<Vec<Point>> {
        let point = |(x, values): &Point| (x * x_factor, values.map(|v| v.map(|v| v * y_factor)));
        let lines = self.lines.iter();
        lines
            .map(|points| points.iter().map(point).collect())
            .collect()
    }

    fn draw(&self, area: &Area, described: Option<&str>, example: &str) {
        let largest = |of: &mut dyn Iterator<Item = f64>| of.fold(0.0, |a, b| f64::max(a, b.abs()));
        let all = || self.lines.iter().flatten();
        let (x_factor, x_unit) = match is_duration(example) {
            true => time_scale(largest(&mut all().map(|point| point.0))),
            false => (1.0, ""),
        };
        let (y_factor, y_unit) = match self.unit {
            Unit::Seconds => time_scale(largest(&mut all().flat_map(|point| point.1).flatten())),
            _ => (1.0, ""),
        };
        let lines = self.scaled(x_factor, y_factor);
        let points = || lines.iter().flatten();
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), value| {
                (lo.min(value), hi.max(value))
            })
        };
        let (from, to) = ends(&mut points().map(|point| point.0));
        let (lo, hi) = ends(&mut points().flat_map(|point| point.1).flatten());
        let (lo, hi) = if lo <= hi { (lo, hi) } else { (0.0, 1.0) };
        let nothing = match self.unit {
            Unit::Share => 0.01,
            _ => 1.0,
        };
        let air = match (lo, hi) {
            // Nothing anywhere: an axis that says so without a wealth of decimals.
            (0.0, 0.0) => nothing,
            _ => 0.08 * (hi - lo).max(0.3 * hi.abs()).max(1e-6),
        };
        let bottom = if lo > 0.0 { (lo - air).max(0.0) } else { lo };
        let top = match self.unit {
            Unit::Share if hi <= 1.0 => (hi + air).min(1.0),
            _ => hi + air,
        };
        let mut builder = ChartBuilder::on(area);
        builder
            .margin_top(26)
            .margin_right(RIGHT)
            .y_label_area_size(LEFT)
            .x_label_area_size(if described.is_some() {
                DESCRIBED
            } else {
                LABELS
            });
        let wide = (to - from).max(1e-9 * to.abs()).max(1e-12);
        let range = from - 0.02 * wide..to + 0.02 * wide;
        let mut chart = drawn(builder.build_cartesian_2d(range, bottom..top));
        let unit = self.unit;
        let mut mesh = chart.configure_mesh();
        let x_label = move |value: &f64| format!("{}{x_unit}", three_digits(*value));
        let y_label = move |value: &f64| match unit {
            Unit::Seconds => format!("{}{y_unit}", three_digits(*value)),
            _ => axis_label(unit, *value, top - bottom),
        };
        mesh.light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GREY)
            .label_style(style(12, GREY))
            .x_labels(12)
            .y_labels(5)
            .x_label_formatter(&x_label)
            .y_label_formatter(&y_label);
        if let Some(path) = described {
            mesh.x_desc(path).axis_desc_style(style(12, GREY));
        }
        drawn(mesh.draw());
        for (s, points) in lines.iter().enumerate() {
            let upper = points
                .iter()
                .map(|(x, [_, _, p95])| (*x, p95.unwrap_or(top)));
            let lower = points
                .iter()
                .rev()
                .map(|(x, [p5, _, _])| (*x, p5.unwrap_or(top)));
            let band: Vec<(f64, f64)> = upper.chain(lower).collect();
            drawn(chart.draw_series([Polygon::new(band, colour(s).mix(0.2).filled())]));
        }
        for (s, points) in lines.iter().enumerate() {
            for pieces in points.split(|(_, [_, p50, _])| p50.is_none()) {
                let known = pieces
                    .iter()
                    .filter_map(|(x, [_, p50, _])| Some((*x, (*p50)?)));
                let known: Vec<(f64, f64)> = known.collect();
                let line = LineSeries::new(known.clone(), colour(s).stroke_width(2));
                drawn(chart.draw_series(line));
                let dots = known
                    .into_iter()
                    .map(|at| Circle::new(at, 3, colour(s).filled()));
                drawn(chart.draw_series(dots));
            }
            let beyond = points.iter().filter(|(_, [_, p50, _])| p50.is_none());
            let marks = beyond.map(|(x, _)| TriangleMarker::new((*x, top), 6, colour(s).filled()));
            drawn(chart.draw_series(marks));
        }
        text(area, &self.name, (LEFT as i32, 7), &style(13, INK));
    }
}

/// The unit of an axis of times up to so many seconds, and what seconds are multiplied with.
fn time_scale(largest: f64) -> (f64, &'static str) {
    match largest {
        secs if secs > 0.0 && secs < 1.0 => (1e3, " ms"),
        secs if secs <= 180.0 => (1.0, " s"),
        secs if secs <= 5.0 * 3600.0 => (1.0 / 60.0, " min"),
        _ => (1.0 / 3600.0, " h"),
    }
}

/// Whether a value as a file says it is a duration: `20s`, `2.5min`.
fn is_duration(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    unit != text && matches!(unit, "us" | "ms" | "s" | "min" | "h" | "d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_from_other_numbers() {
        for (text, is) in [
            ("20s", true),
            ("2.5min", true),
            ("0.4", false),
            ("25 %", false),
            ("4200/s", false),
            ("s", false),
        ] {
            assert_eq!(is_duration(text), is, "{text}");
        }
    }
}
