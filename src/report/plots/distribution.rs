//! Distributions over replications: the share of them in which a value is at most so large.

use crate::model::measure::{Measure, Measured, Operand, SliSpan, TimeMeasure};
use crate::model::observation::Unit;
use crate::report::figure;
use crate::report::plots::canvas::*;
use crate::report::{Findings, Page};
use plotters::prelude::*;

/// Name of the picture of the RTO.
pub const RTO: &str = "rto.svg";
/// Name of the picture of rebuffering.
pub const REBUFFER: &str = "rebuffer.svg";

const HEIGHT: u32 = 340;
/// Steps of a line, at most: more cannot be seen.
const MOST_STEPS: usize = 1_000;

/// The time until every objective holds again.
pub fn rto(findings: &Findings) -> Option<Page> {
    let chart = Distributions {
        title: "Time to recovery (RTO)",
        meaning: "share of replications in which every objective holds again within the time",
        axis: "from the fault",
        unit: Unit::Seconds,
        measure: Measure::Time(TimeMeasure::Rto),
    };
    chart.page(RTO, findings)
}

/// The rebuffer rate in its worst minute.
pub fn rebuffer(findings: &Findings) -> Option<Page> {
    let chart = Distributions {
        title: "Rebuffer rate in the worst minute",
        meaning: "share of replications in which no more of the viewers stand still",
        axis: "rebuffer rate",
        unit: Unit::Share,
        measure: Measure::Sli {
            span: SliSpan::During,
            sli: "rebuffer_rate".into(),
            region: None,
        },
    };
    chart.page(REBUFFER, findings)
}

struct Distributions {
    title: &'static str,
    meaning: &'static str,
    axis: &'static str,
    unit: Unit,
    measure: Measure,
}

/// The values of a variant: the known ones, sorted, and how many are beyond all of them.
struct Line {
    known: Vec<f64>,
    censored: usize,
}

impl Distributions {
    fn page(&self, name: &str, findings: &Findings) -> Option<Page> {
        let column = findings.study.columns.position(&self.measure)?;
        let lines: Vec<Line> = findings
            .study
            .variants
            .iter()
            .map(|results| {
                let values = results.rows.iter().map(|row| row.values[column]);
                Line::new(values)
            })
            .collect();
        let seen = lines.iter().any(|line| line.total() > 0);
        seen.then(|| Page::new(name, self.draw(findings, &lines)))
    }

    fn draw(&self, findings: &Findings, lines: &[Line]) -> String {
        let claims = self.claims(findings);
        let legend = findings.plan.variants.iter().zip(lines);
        let head = Head {
            title: self.title,
            subtitle: &format!(
                "{}{}; {} replications, seed {}",
                self.meaning,
                if claims.is_empty() {
                    ""
                } else {
                    "; dashed: what is claimed"
                },
                figure::whole(findings.study.replications),
                findings.plan.seed
            ),
            legend: legend.map(|(v, line)| line.legend(&v.name)).collect(),
        };
        let known = lines.iter().flat_map(|line| line.known.last());
        let largest = known.chain(&claims).fold(0.0_f64, |a, &b| a.max(b));
        let (scale, unit) = self.scale(largest);
        let right = if largest > 0.0 {
            1.06 * largest * scale
        } else {
            1.0
        };
        picture(&head, HEIGHT, |area| {
            let mut builder = ChartBuilder::on(area);
            builder
                .margin_top(12)
                .margin_right(RIGHT)
                .y_label_area_size(LEFT)
                .x_label_area_size(42);
            let mut chart = drawn(builder.build_cartesian_2d(0.0..right, 0.0..1.0));
            drawn(
                chart
                    .configure_mesh()
                    .light_line_style(TRANSPARENT)
                    .bold_line_style(GRID)
                    .axis_style(GREY)
                    .label_style(style(12, GREY))
                    .x_labels(12)
                    .y_labels(6)
                    .y_label_formatter(&|share| format!("{:.0} %", 100.0 * share))
                    .x_label_formatter(&|value| {
                        format!("{} {unit}", crate::units::three_digits(*value))
                    })
                    .x_desc(self.axis)
                    .axis_desc_style(style(12, GREY))
                    .draw(),
            );
            for &value in &claims {
                let x = value * scale;
                let line = DashedLineSeries::new([(x, 0.0), (x, 1.0)], 7, 4, INK.stroke_width(1));
                drawn(chart.draw_series(line));
            }
            for (v, line) in lines.iter().enumerate() {
                let steps = line
                    .steps()
                    .into_iter()
                    .map(|(x, share)| (x * scale, share));
                drawn(chart.draw_series(LineSeries::new(steps, colour(v).stroke_width(2))));
                if line.censored > 0 {
                    // Where the known values end, the rest lies somewhere to the right.
                    let share = line.known.len() as f64 / line.total() as f64;
                    let from = line.known.last().map_or(0.0, |x| x * scale);
                    let rest = [(from, share), (right, share)];
                    let rest = DashedLineSeries::new(rest, 3, 4, colour(v).stroke_width(2));
                    drawn(chart.draw_series(rest));
                }
            }
        })
    }

    /// Values that the first variant's hypotheses and objectives compare it with.
    fn claims(&self, findings: &Findings) -> Vec<f64> {
        let scenario = findings.plan.variants[0].document.scenario();
        let terms = scenario.hypotheses.iter().flat_map(|h| &h.claim.terms);
        let claimed = terms.filter(|term| term.left.own() == Some(&self.measure));
        let mut values: Vec<f64> = claimed
            .filter_map(|term| match term.right {
                Operand::Value(value) => Some(value),
                Operand::Subject(_) => None,
            })
            .filter(|value| value.is_finite() && *value > 0.0)
            .collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }

    /// Factor and name of the unit of the axis.
    fn scale(&self, largest: f64) -> (f64, &'static str) {
        match self.unit {
            Unit::Share => (100.0, "%"),
            _ if largest <= 300.0 => (1.0, "s"),
            _ if largest <= 5.0 * 3600.0 => (1.0 / 60.0, "min"),
            _ => (1.0 / 3600.0, "h"),
        }
    }
}

impl Line {
    fn new(values: impl Iterator<Item = Measured>) -> Line {
        let mut line = Line {
            known: Vec::new(),
            censored: 0,
        };
        for value in values {
            match value {
                Measured::Absent => {}
                Measured::Censored => line.censored += 1,
                Measured::Value(value) => line.known.push(value),
            }
        }
        line.known.sort_by(f64::total_cmp);
        line
    }

    fn total(&self) -> usize {
        self.known.len() + self.censored
    }

    fn legend(&self, name: &str) -> String {
        match (self.total(), self.censored) {
            (0, _) => format!("{name} (no value)"),
            (_, 0) => name.to_string(),
            (total, censored) => {
                let share = figure::percent(censored as f64 / total as f64);
                format!("{name} ({share} not within the horizon)")
            }
        }
    }

    /// Corners of the empirical distribution.
    fn steps(&self) -> Vec<(f64, f64)> {
        let (known, total) = (self.known.len(), self.total() as f64);
        let stride = known.div_ceil(MOST_STEPS).max(1);
        let mut steps = Vec::new();
        let mut share = 0.0;
        for i in (0..known).filter(|i| (i + 1) % stride == 0 || i + 1 == known) {
            let x = self.known[i];
            steps.push((x, share));
            share = (i + 1) as f64 / total;
            steps.push((x, share));
        }
        steps
    }
}
