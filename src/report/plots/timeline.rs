//! SLIs over time: median and p5-p95 band over replications, one colour per variant.

use crate::model::observation::{Better, Sli, Unit};
use crate::model::scenario::Scenario;
use crate::report::figure;
use crate::report::plots::canvas::*;
use crate::report::plots::phases::Strip;
use crate::report::{Findings, Page};
use crate::units::{Span, human_secs, three_digits};
use plotters::prelude::*;

/// Name of the picture of all SLIs that have objectives.
pub const OVERVIEW: &str = "timelines.svg";

/// Name of the picture of one SLI.
pub fn name(sli: &str) -> String {
    format!("timeline-{sli}.svg")
}

const PANEL: u32 = 170;
const SINGLE: u32 = 340;
/// Space below a chart, for its axis: labels alone, or with its description.
const LABELS: u32 = 22;
const DESCRIBED: u32 = 42;

/// The SLIs that have objectives, below each other.
pub fn overview(findings: &Findings) -> Option<Page> {
    let first = findings.plan.variants.first()?.document.scenario();
    let with_objective = |sli: &&dyn Sli| {
        let objectives = first.objectives.iter();
        objectives
            .map(|o| &o.threshold)
            .any(|t| t.sli == sli.name())
    };
    let slis = findings.study.columns.slis();
    let panels: Vec<Panel> = (0..slis.len())
        .filter(|&sli| with_objective(&slis[sli]))
        .filter_map(|sli| Panel::new(findings, sli))
        .collect();
    // Several panels have their own names.
    let title = match &panels[..] {
        [] => return None,
        [only] => format!("{}: {}", first.title, only.sli.name()),
        _ => first.title.clone(),
    };
    Some(Page::new(OVERVIEW, draw(findings, &title, &panels, PANEL)))
}

/// One SLI; `None` where it was never observed.
pub fn single(findings: &Findings, sli: usize) -> Option<Page> {
    let panel = Panel::new(findings, sli)?;
    let name = name(panel.sli.name());
    let title = format!("{}: {}", panel.sli.name(), panel.sli.summary());
    Some(Page::new(name, draw(findings, &title, &[panel], SINGLE)))
}

fn draw(findings: &Findings, title: &str, panels: &[Panel], height: u32) -> String {
    let clock = Clock::new(findings);
    let strip = Strip::new(findings);
    let head = Head {
        title,
        subtitle: &format!(
            "median and p5-p95 band of {} replications, seed {}{}",
            figure::whole(findings.study.replications),
            findings.plan.seed,
            if clock.fault_secs.is_some() {
                "; dotted: the median of when every objective holds again; grey: the fault"
            } else {
                ""
            }
        ),
        legend: findings
            .plan
            .variants
            .iter()
            .map(|v| v.name.clone())
            .collect(),
    };
    let total = 8 + strip.height() + height * panels.len() as u32 + DESCRIBED - LABELS;
    picture(&head, total, |area| {
        let (_, area) = area.split_vertically(8);
        let (top, rest) = area.split_vertically(strip.height());
        if clock.fault_secs.is_some() {
            strip.draw(&top, |secs| clock.pixel(secs));
        }
        let mut rest = rest;
        for (i, panel) in panels.iter().enumerate() {
            let last = i + 1 == panels.len();
            let extra = if last { DESCRIBED - LABELS } else { 0 };
            let (own, below) = rest.split_vertically(height + extra);
            panel.draw(findings, &clock, &own, panels.len() > 1, last);
            rest = below;
        }
    })
}

/// The axis of time: from the first fault if there is one, else from the beginning.
struct Clock {
    unit_secs: f64,
    unit: &'static str,
    /// The fault, from the beginning.
    fault_secs: Option<f64>,
    horizon_secs: f64,
}

impl Clock {
    fn new(findings: &Findings) -> Clock {
        let variants = findings.plan.variants.iter();
        let longest = variants.map(|v| v.document.scenario().horizon).max();
        let horizon_secs = longest.unwrap_or(Span::ZERO).secs();
        let (unit_secs, unit) = match horizon_secs {
            secs if secs <= 300.0 => (1.0, "seconds"),
            secs if secs <= 5.0 * 3600.0 => (60.0, "minutes"),
            secs if secs <= 5.0 * 86_400.0 => (3600.0, "hours"),
            _ => (86_400.0, "days"),
        };
        let first = findings.study.variants.first();
        let fault = first.and_then(|results| results.timeline.fault());
        Clock {
            unit_secs,
            unit,
            fault_secs: fault.map(|fault| fault.secs()),
            horizon_secs,
        }
    }

    /// The axis' value of a moment in seconds from the beginning.
    fn value(&self, secs: f64) -> f64 {
        (secs - self.fault_secs.unwrap_or(0.0)) / self.unit_secs
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.value(0.0)..self.value(self.horizon_secs)
    }

    /// The pixel of a moment in seconds from the fault.
    fn pixel(&self, secs: f64) -> i32 {
        let share = (self.fault_secs.unwrap_or(0.0) + secs) / self.horizon_secs.max(1e-9);
        let chart = f64::from(WIDTH - LEFT - RIGHT);
        (f64::from(LEFT) + share.clamp(0.0, 1.0) * chart) as i32
    }

    fn description(&self) -> String {
        match self.fault_secs {
            Some(_) => format!("{} from the fault", self.unit),
            None => format!("{} from the beginning", self.unit),
        }
    }
}

/// A point in time: the middle of its window in seconds from the beginning, p5, p50, p95.
type Point = [f64; 4];

/// One SLI's chart.
struct Panel {
    sli: &'static dyn Sli,
    /// Per variant, pieces without gaps.
    lines: Vec<Vec<Vec<Point>>>,
    /// Values of objectives, with their text.
    objectives: Vec<(f64, String)>,
}

impl Panel {
    fn new(findings: &Findings, sli: usize) -> Option<Panel> {
        let own = findings.study.columns.slis()[sli];
        let first = findings.plan.variants.first()?.document.scenario();
        let lines: Vec<Vec<Vec<Point>>> = findings
            .study
            .variants
            .iter()
            .map(|results| {
                let points = results.timeline.points().iter().enumerate();
                let points = points.map(|(i, (from, until))| {
                    let sketch = results.timeline.sketch(i, None, sli);
                    let quantile = |q| sketch.quantile(q);
                    let middle = 0.5 * (from.secs() + until.secs());
                    Some([middle, quantile(0.05)?, quantile(0.5)?, quantile(0.95)?])
                });
                pieces(points)
            })
            .collect();
        let seen = lines.iter().any(|pieces| !pieces.is_empty());
        seen.then(|| Panel {
            sli: own,
            lines,
            objectives: objectives(first, own.name()),
        })
    }

    /// From the smallest to the largest value, objectives included, with some air.
    fn range(&self) -> std::ops::Range<f64> {
        let points = self.lines.iter().flatten().flatten();
        let values = points.flat_map(|point| [point[1], point[3]]);
        let values = values.chain(self.objectives.iter().map(|(value, _)| *value));
        let (lo, hi) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), value| {
            (lo.min(value), hi.max(value))
        });
        let share = self.sli.unit() == Unit::Share;
        let better_higher = self.sli.better() == Better::Higher;
        // What is better when lower has its natural end at zero, whatever the smallest value is.
        let lo = if share && better_higher { lo } else { 0.0 };
        let air = 0.08 * (hi - lo).max(1e-3 * hi.abs()).max(1e-6);
        let top = if share && hi <= 1.0 {
            (hi + air).min(1.0)
        } else {
            hi + air
        };
        let bottom = if lo > 0.0 { (lo - air).max(0.0) } else { 0.0 };
        bottom..top.max(bottom + 1e-6)
    }

    fn draw(&self, findings: &Findings, clock: &Clock, area: &Area, named: bool, last: bool) {
        let range = self.range();
        let (bottom, top) = (range.start, range.end);
        let mut builder = ChartBuilder::on(area);
        builder
            .margin_top(24)
            .margin_right(RIGHT)
            .y_label_area_size(LEFT)
            .x_label_area_size(if last { DESCRIBED } else { LABELS });
        let mut chart = drawn(builder.build_cartesian_2d(clock.range(), range));
        for fault in &first_scenario(findings).faults {
            let end = (fault.at + fault.duration).secs().min(clock.horizon_secs);
            let corners = [
                (clock.value(fault.at.secs().min(clock.horizon_secs)), bottom),
                (clock.value(end), top),
            ];
            let shade = Rectangle::new(corners, FAULT.mix(0.10).filled());
            drawn(chart.draw_series([shade]));
        }
        let unit = self.sli.unit();
        let label = move |value: &f64| axis_label(unit, *value, top - bottom);
        let mut mesh = chart.configure_mesh();
        mesh.light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GREY)
            .label_style(style(12, GREY))
            .x_labels(12)
            .y_labels(if named { 4 } else { 7 })
            .x_label_formatter(&|value| three_digits(*value))
            .y_label_formatter(&label);
        let description = clock.description();
        if last {
            mesh.x_desc(description).axis_desc_style(style(12, GREY));
        }
        drawn(mesh.draw());
        for (v, pieces) in self.lines.iter().enumerate() {
            for piece in pieces {
                let up = piece.iter().map(|p| (clock.value(p[0]), p[1]));
                let down = piece.iter().rev().map(|p| (clock.value(p[0]), p[3]));
                let band: Vec<(f64, f64)> = up.chain(down).collect();
                drawn(chart.draw_series([Polygon::new(band, colour(v).mix(0.2).filled())]));
            }
        }
        for (v, pieces) in self.lines.iter().enumerate() {
            for piece in pieces {
                let line = piece.iter().map(|p| (clock.value(p[0]), p[2]));
                drawn(chart.draw_series(LineSeries::new(line, colour(v).stroke_width(2))));
            }
        }
        for (value, _) in &self.objectives {
            let line = clock.range();
            let line = DashedLineSeries::new(
                [(line.start, *value), (line.end, *value)],
                7,
                4,
                INK.stroke_width(1),
            );
            drawn(chart.draw_series(line));
        }
        for (v, variant) in findings.summary.variants.iter().enumerate() {
            let rto = variant.times_s.get("rto").and_then(|rto| rto.p50);
            if let (Some(rto), Some(fault)) = (rto, clock.fault_secs) {
                let x = clock.value(fault + rto);
                let line = DashedLineSeries::new([(x, bottom), (x, top)], 2, 3, colour(v).into());
                drawn(chart.draw_series(line));
            }
        }
        self.words(area, named);
    }

    /// The SLI's name and its objectives, above the chart.
    fn words(&self, area: &Area, named: bool) {
        let right = (WIDTH - RIGHT) as i32;
        if named {
            text(area, self.sli.name(), (LEFT as i32, 6), &style(13, INK));
        }
        let objectives: Vec<&str> = self.objectives.iter().map(|(_, text)| &**text).collect();
        if !objectives.is_empty() {
            let words = format!("dashed: objective {}", objectives.join(" and "));
            text(area, &words, (right, 13), &style_right(12, GREY));
        }
    }
}

fn first_scenario<'a>(findings: &Findings<'a>) -> &'a Scenario {
    findings.plan.variants[0].document.scenario()
}

fn objectives(scenario: &Scenario, sli: &str) -> Vec<(f64, String)> {
    let thresholds = scenario.objectives.iter().map(|o| &o.threshold);
    thresholds
        .filter(|threshold| threshold.sli == sli)
        .map(|threshold| (threshold.value, threshold.text.clone()))
        .collect()
}

/// Runs of points without a gap.
fn pieces(points: impl Iterator<Item = Option<Point>>) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    let mut inside = false;
    for point in points {
        match point {
            Some(point) if inside => pieces.last_mut().expect("one was begun").push(point),
            Some(point) => pieces.push(vec![point]),
            None => {}
        }
        inside = point.is_some();
    }
    pieces
}

/// A tick's label: all labels of an axis that spans so much have the same number of digits.
pub fn axis_label(unit: Unit, value: f64, span: f64) -> String {
    let digits = |span: f64| (1.0 - libm::log10(span.max(1e-12)).floor()).clamp(0.0, 6.0) as usize;
    match unit {
        Unit::Share => format!("{:.*} %", digits(100.0 * span), 100.0 * value),
        Unit::Seconds => human_secs(value),
        Unit::Minutes => human_secs(60.0 * value),
        Unit::Count => figure::count(value),
        Unit::Usd | Unit::UsdPerHour => figure::value(unit, value),
    }
}
