//! A strip above a timeline: when each region's failover entered its phases.

use crate::report::Findings;
use crate::report::plots::canvas::{Area, LEFT, RIGHT, WIDTH, colour, drawn, style, text, width};
use plotters::prelude::*;

const ROW: i32 = 17;
const SIZE: u32 = 11;

/// The phases of one region under one variant.
struct Row {
    variant: usize,
    region: String,
    /// Name, and the median of when it was entered, in seconds from the fault.
    marks: Vec<(&'static str, f64)>,
}

/// The rows of a study: those with any phase.
pub struct Strip(Vec<Row>);

impl Strip {
    /// The strip of a study.
    pub fn new(findings: &Findings) -> Strip {
        let mut rows: Vec<Row> = Vec::new();
        for (v, variant) in findings.summary.variants.iter().enumerate() {
            for phase in &variant.phases {
                let Some(median) = phase.entered_s.p50 else {
                    continue;
                };
                let known = rows
                    .iter_mut()
                    .find(|row| row.variant == v && row.region == phase.region);
                match known {
                    Some(row) => row.marks.push((phase.phase, median)),
                    None => rows.push(Row {
                        variant: v,
                        region: phase.region.clone(),
                        marks: vec![(phase.phase, median)],
                    }),
                }
            }
        }
        for row in &mut rows {
            row.marks.sort_by(|a, b| a.1.total_cmp(&b.1));
        }
        Strip(rows)
    }

    /// Its height in pixels.
    pub fn height(&self) -> u32 {
        (self.0.len() as i32 * ROW) as u32
    }

    /// Draws it; `place` gives the pixel of a moment, in seconds from the fault.
    pub fn draw(&self, area: &Area, place: impl Fn(f64) -> i32) {
        let right = (WIDTH - RIGHT) as i32;
        for (i, row) in self.0.iter().enumerate() {
            let y = i as i32 * ROW + ROW / 2;
            let colour = colour(row.variant);
            for (label, x) in labels(row, &place) {
                let x = (x + 6).min(right - width(&label, SIZE)).max(LEFT as i32);
                text(area, &label, (x, y - 5), &style(SIZE, colour));
            }
            for &(_, at) in &row.marks {
                drawn(area.draw(&Circle::new((place(at), y), 3, colour.filled())));
            }
        }
    }
}

/// Labels and where they begin: phases that follow each other too closely for a label each share one.
fn labels(row: &Row, place: impl Fn(f64) -> i32) -> Vec<(String, i32)> {
    let mut labels: Vec<(String, i32)> = Vec::new();
    let mut last = 0;
    for &(phase, at) in &row.marks {
        let x = place(at);
        match labels.last_mut() {
            Some((label, begin)) if x < *begin + width(label, SIZE) + 14 => {
                label.push_str(" · ");
                label.push_str(phase);
                // Behind the last mark of those that share it.
                *begin += x - last;
            }
            Some(_) => labels.push((phase.to_string(), x)),
            None => labels.push((format!("{}: {phase}", row.region), x)),
        }
        last = x;
    }
    labels
}
