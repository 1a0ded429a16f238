//! A strip above a timeline: when each region's failover entered its phases.

use crate::report::Findings;
use crate::report::plots::canvas::*;
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
        let edge = (WIDTH - RIGHT) as i32;
        for (i, row) in self.0.iter().enumerate() {
            let y = i as i32 * ROW + ROW / 2;
            let colour = colour(row.variant);
            text(
                area,
                &short(&row.region),
                (LEFT as i32 - 8, y),
                &style_right(SIZE, colour),
            );
            for group in groups(row, &place) {
                let label = group.label();
                let x = group.behind().min(edge - width(&label, SIZE));
                text(area, &label, (x, y - 6), &style(SIZE, colour));
            }
            for &(_, at) in &row.marks {
                drawn(area.draw(&Circle::new((place(at), y), 3, colour.filled())));
            }
        }
    }
}

/// A region's name that fits to the left of the strip.
fn short(region: &str) -> String {
    match region.chars().count() {
        0..=10 => region.to_string(),
        _ => region.chars().take(9).chain(['…']).collect(),
    }
}

/// Phases that follow each other too closely for a label each.
struct Group {
    names: Vec<&'static str>,
    last: i32,
}

impl Group {
    fn label(&self) -> String {
        match self.names[..] {
            [first, .., last] if self.names.len() > 2 => format!("{first} … {last}"),
            _ => self.names.join(" · "),
        }
    }

    /// Where the label begins.
    fn behind(&self) -> i32 {
        self.last + 7
    }
}

fn groups(row: &Row, place: impl Fn(f64) -> i32) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for &(name, at) in &row.marks {
        let x = place(at);
        match groups.last_mut() {
            Some(group) if x < group.behind() + width(&group.label(), SIZE) + 4 => {
                group.names.push(name);
                group.last = x;
            }
            _ => groups.push(Group {
                names: vec![name],
                last: x,
            }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_in_quick_succession_share_a_label() {
        let row = Row {
            variant: 0,
            region: "east".into(),
            marks: vec![("A", 0.0), ("B", 1.0), ("C", 2.0), ("D", 500.0)],
        };
        let labels: Vec<String> = groups(&row, |at| at as i32)
            .iter()
            .map(Group::label)
            .collect();
        assert_eq!(labels, ["A … C", "D"]);
        assert_eq!(short("eu-central-1"), "eu-centra…");
    }
}
