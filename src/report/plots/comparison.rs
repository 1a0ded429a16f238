//! Variants side by side: what each measure is under each, and how far it is from the first.

use crate::model::measure::{Measure, Measured};
use crate::model::observation::Unit;
use crate::report::figure;
use crate::report::plots::canvas::*;
use crate::report::sentence::{noun, signed, unit};
use crate::report::{Findings, Page};
use crate::stats::Distribution;
use crate::study::{Comparison, Evidence};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Name of the picture.
pub const NAME: &str = "comparison.svg";

/// Variants that fit into it.
const MOST_VARIANTS: usize = 12;
/// Space for the variants' names.
const NAMES: i32 = 150;
/// Where the chart ends and the differences are written.
const CHART_END: i32 = 640;
const TITLE: i32 = 30;
const ROW: i32 = 24;
const AXIS: i32 = 34;
/// Longest name of a variant, in characters.
const LONGEST: usize = 22;

/// A panel per measure, a row per variant; `None` where there is nothing to compare, or too much.
pub fn page(findings: &Findings) -> Option<Page> {
    let comparisons = &findings.summary.comparisons;
    if comparisons.is_empty() || findings.plan.variants.len() > MOST_VARIANTS {
        return None;
    }
    let mut panels: Vec<Panel> = Vec::new();
    for comparison in comparisons {
        let new = panels.iter().all(|panel| panel.measure != &comparison.of);
        if new && differs(comparisons, &comparison.of) {
            panels.extend(Panel::new(findings, &comparison.of));
        }
    }
    if panels.is_empty() {
        return None;
    }
    let first = &findings.plan.variants[0];
    let head = Head {
        title: &first.document.scenario().title,
        subtitle: &format!(
            "dot: median, thick: its 95 % interval, thin: p5-p95 of {} replications, seed {}; right: mean difference from {} [95 %]",
            figure::whole(findings.study.replications),
            findings.plan.seed,
            short(&first.name),
        ),
        legend: Vec::new(),
    };
    let rows = findings.plan.variants.len() as i32;
    let height = TITLE + ROW * rows + AXIS;
    let svg = picture(&head, (height * panels.len() as i32) as u32, |area| {
        for (i, panel) in panels.iter().enumerate() {
            panel.draw(findings, area, height * i as i32);
        }
    });
    Some(Page::new(NAME, svg))
}

/// Whether any variant differs from the first in a measure: of data only what can be told apart, so
/// that many domains do not hide what matters.
fn differs(comparisons: &[Comparison], measure: &Measure) -> bool {
    let mut own = comparisons.iter().filter(|c| c.of == *measure);
    own.any(|c| match c.evidence() {
        Evidence::Same => false,
        Evidence::NotApart => !matches!(measure, Measure::Domain { .. }),
        _ => true,
    })
}

struct Panel<'a> {
    measure: &'a Measure,
    unit: Unit,
    /// Per variant.
    values: Vec<Distribution>,
    largest: f64,
}

impl<'a> Panel<'a> {
    fn new(findings: &Findings, measure: &'a Measure) -> Option<Panel<'a>> {
        let column = findings.study.columns.position(measure)?;
        let values: Vec<Distribution> = findings
            .study
            .variants
            .iter()
            .map(|results| {
                let values = results.rows.iter().map(|row| row.values[column]);
                Distribution::of(&values.collect::<Vec<Measured>>())
            })
            .collect();
        let ends = values.iter().flat_map(|d| [d.p50, d.p95, d.p50_ci[1]]);
        let largest = ends.flatten().fold(0.0, f64::max);
        Some(Panel {
            measure,
            unit: unit(measure),
            values,
            largest,
        })
    }

    fn draw(&self, findings: &Findings, area: &Area, top: i32) {
        let (step, factor, name) = ticks(self.unit, self.largest);
        let end = if self.largest > 0.0 {
            1.04 * self.largest
        } else {
            step
        };
        let left = LEFT as i32 + NAMES;
        let x = |value: f64| {
            let share = (value / end).clamp(0.0, 1.0);
            left + (share * f64::from(CHART_END - left)) as i32
        };
        let rows = self.values.len() as i32;
        let (first, bottom) = (top + TITLE, top + TITLE + ROW * rows);
        let title = noun(self.measure);
        text(area, &title, (LEFT as i32, top + 8), &style(14, INK));
        let mut tick = 0.0;
        while tick <= end {
            let line = vec![(x(tick), first), (x(tick), bottom)];
            drawn(area.draw(&PathElement::new(line, GRID.stroke_width(1))));
            let label = format!("{}{name}", crate::units::three_digits(tick * factor));
            let centred = style(11, GREY).pos(Pos::new(HPos::Center, VPos::Top));
            text(area, &label, (x(tick), bottom + 5), &centred);
            tick += step;
        }
        for (v, values) in self.values.iter().enumerate() {
            let y = first + ROW * v as i32 + ROW / 2;
            let variant = &findings.plan.variants[v].name;
            let name = short(variant);
            text(area, &name, (left - 12, y), &style_right(12, INK));
            self.dot(area, values, v, y, &x);
            let words = match v {
                0 => self.own(values),
                _ => self.against_first(findings, variant),
            };
            text(area, &words, (CHART_END + 16, y - 6), &style(12, INK));
        }
    }

    /// Median, interval and range of a variant; an arrow where they go on beyond the horizon.
    fn dot(
        &self,
        area: &Area,
        values: &Distribution,
        variant: usize,
        y: i32,
        x: &dyn Fn(f64) -> i32,
    ) {
        let colour = colour(variant);
        let right = CHART_END;
        let line = |from: i32, to: i32, wide: u32| {
            let line = PathElement::new(vec![(from, y), (to, y)], colour.stroke_width(wide));
            drawn(area.draw(&line));
        };
        if let Some(p5) = values.p5 {
            line(x(p5), values.p95.map_or(right, x), 1);
        }
        if let Some(lo) = values.p50_ci[0] {
            let hi = match values.p50_ci[1] {
                Some(hi) => x(hi),
                None => values.p50.map_or(right, x),
            };
            line(x(lo), hi, 5);
        }
        if let Some(p50) = values.p50 {
            drawn(area.draw(&Circle::new((x(p50), y), 5, colour.filled())));
        }
        if values.n > 0 && values.p95.is_none() {
            let arrow = vec![(right, y - 5), (right + 9, y), (right, y + 5)];
            drawn(area.draw(&Polygon::new(arrow, colour.filled())));
        }
    }

    fn own(&self, values: &Distribution) -> String {
        match (values.n, values.p50) {
            (0, _) => "none".to_string(),
            (n, _) if values.censored > 0 => {
                format!("no end in {} of {n}", values.censored)
            }
            (_, Some(p50)) => figure::value(self.unit, p50),
            (_, None) => String::new(),
        }
    }

    fn against_first(&self, findings: &Findings, variant: &str) -> String {
        let comparisons = &findings.summary.comparisons;
        let own = comparisons
            .iter()
            .find(|c| c.of == *self.measure && c.b == variant);
        let Some(comparison) = own else {
            return String::new();
        };
        let difference = match &comparison.difference {
            Some(difference) => {
                let ends = [difference.lo, difference.hi];
                let ends = figure::interval(self.unit, difference.mean, ends);
                format!("{} {ends}", signed(self.unit, difference.mean))
            }
            None => String::new(),
        };
        match comparison.evidence() {
            Evidence::Same => "the same".to_string(),
            Evidence::NoPairs => "not comparable".to_string(),
            Evidence::NotApart => "not told apart".to_string(),
            Evidence::TooFew => format!("{difference} (too few)").trim_start().to_string(),
            Evidence::Apart if comparison.censored_b > 0 => {
                format!(
                    "no end in {} of {}",
                    comparison.censored_b, comparison.pairs
                )
            }
            Evidence::Apart => difference.trim_end().to_string(),
        }
    }
}

/// The distance of an axis' labels, and how they are written: factor and unit.
fn ticks(unit: Unit, largest: f64) -> (f64, f64, &'static str) {
    let (factor, name) = match unit {
        Unit::Seconds if largest > 7_200.0 => (1.0 / 3_600.0, " h"),
        Unit::Seconds if largest > 180.0 => (1.0 / 60.0, " min"),
        Unit::Seconds if largest > 0.0 && largest < 1.0 => (1e3, " ms"),
        Unit::Seconds => (1.0, " s"),
        Unit::UsdPerHour => (1.0, " USD/h"),
        _ if largest >= 2e6 => (1e-6, " million"),
        _ if largest >= 2e4 => (1e-3, " thousand"),
        _ => (1.0, ""),
    };
    if largest <= 0.0 {
        return (1.0, factor, name);
    }
    // Five labels or fewer, at round numbers.
    let raw = largest * factor / 5.0;
    let magnitude = libm::exp10(libm::floor(libm::log10(raw)));
    let round = [1.0, 2.0, 2.5, 5.0, 10.0];
    let step = round.into_iter().find(|round| round * magnitude >= raw);
    (step.unwrap_or(10.0) * magnitude / factor, factor, name)
}

/// A name that fits.
fn short(name: &str) -> String {
    match name.chars().count() {
        // What is varied is told by its end.
        n if n > LONGEST && name.contains('=') => {
            let end = name.chars().skip(n - (LONGEST - 1));
            ['…'].into_iter().chain(end).collect()
        }
        n if n > LONGEST => name.chars().take(LONGEST - 1).chain(['…']).collect(),
        _ => name.to_string(),
    }
}
