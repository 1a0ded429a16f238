//! What all pictures have in common: size, colours, title and legend.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A part of a picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Width of a picture, in pixels.
pub const WIDTH: u32 = 900;
/// Space left of a chart, for the labels of its axis.
pub const LEFT: u32 = 88;
/// Space right of a chart.
pub const RIGHT: u32 = 24;
/// Height of title, subtitle and one row of the legend.
const TITLE: u32 = 54;
const LEGEND_ROW: u32 = 20;

/// Text.
pub const INK: RGBColor = RGBColor(34, 34, 34);
/// Text that may be overlooked, axes.
pub const GREY: RGBColor = RGBColor(105, 105, 105);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(232, 232, 232);
/// A fault lasts.
pub const FAULT: RGBColor = RGBColor(120, 120, 120);

/// Colours that the colour-blind can tell apart: Okabe and Ito, "Color Universal Design",
/// <https://jfly.uni-koeln.de/color/>, without the yellow, which is too pale for lines.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// A variant's colour.
pub fn colour(variant: usize) -> RGBColor {
    PALETTE[variant % PALETTE.len()]
}

/// Text of a size in a colour, its anchor where lines of text usually have it.
pub fn style(size: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// The same, anchored at its right end and its middle.
pub fn style_right(size: u32, colour: RGBColor) -> TextStyle<'static> {
    style(size, colour).pos(Pos::new(HPos::Right, VPos::Center))
}

/// About how wide a text is, in pixels: fonts are the viewer's.
pub fn width(text: &str, size: u32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.54) as i32
}

/// What stands above a chart.
pub struct Head<'a> {
    /// What is shown.
    pub title: &'a str,
    /// What it means.
    pub subtitle: &'a str,
    /// Name per variant.
    pub legend: Vec<String>,
}

impl Head<'_> {
    /// Its height.
    pub fn height(&self) -> u32 {
        TITLE + LEGEND_ROW * self.rows().len() as u32
    }

    /// Entries of the legend with their places, row by row.
    fn rows(&self) -> Vec<Vec<(usize, i32)>> {
        let mut rows: Vec<Vec<(usize, i32)>> = Vec::new();
        let mut x = i32::MAX;
        for (i, name) in self.legend.iter().enumerate() {
            let wide = 30 + width(name, 13) + 16;
            if x.saturating_add(wide) > (WIDTH - RIGHT) as i32 {
                rows.push(Vec::new());
                x = LEFT as i32;
            }
            rows.last_mut().expect("a row was begun").push((i, x));
            x += wide;
        }
        rows
    }

    fn draw(&self, area: &Area) {
        let left = LEFT as i32;
        text(area, self.title, (left, 12), &style(18, INK));
        text(area, self.subtitle, (left, 35), &style(12, GREY));
        for (row, entries) in self.rows().iter().enumerate() {
            let y = TITLE as i32 + row as i32 * LEGEND_ROW as i32;
            for &(variant, x) in entries {
                let line = PathElement::new(
                    vec![(x, y + 8), (x + 22, y + 8)],
                    colour(variant).stroke_width(3),
                );
                drawn(area.draw(&line));
                text(
                    area,
                    &self.legend[variant],
                    (x + 28, y + 1),
                    &style(13, INK),
                );
            }
        }
    }
}

/// Writes text at a place.
pub fn text(area: &Area, text: &str, at: (i32, i32), style: &TextStyle) {
    drawn(area.draw_text(text, style, at));
}

/// Nothing can fail where memory is drawn into.
pub fn drawn<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.expect("a picture is drawn into memory, which takes every shape")
}

/// A picture of `height` pixels below its head.
pub fn picture(head: &Head, height: u32, draw: impl FnOnce(&Area)) -> String {
    let mut svg = String::new();
    {
        let root =
            SVGBackend::with_string(&mut svg, (WIDTH, head.height() + height)).into_drawing_area();
        drawn(root.fill(&WHITE));
        let (top, rest) = root.split_vertically(head.height());
        head.draw(&top);
        draw(&rest);
        drawn(root.present());
    }
    svg
}
