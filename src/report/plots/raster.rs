//! Pictures as PNG, for where SVG cannot be pasted.

use crate::report::Page;
use resvg::{tiny_skia, usvg};

/// The font of the pictures' text: a part of DejaVu Sans, see `assets/DejaVuSans-LICENSE.txt`.
const FONT: &[u8] = include_bytes!("../../../assets/DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";
/// Pixels per unit of a picture: sharp on screens and in print.
const SCALE: f32 = 2.0;

/// The name of the PNG beside an SVG; `None` for what is none.
pub fn name(svg: &str) -> Option<String> {
    Some(format!("{}.png", svg.strip_suffix(".svg")?))
}

/// A PNG for every SVG among some pages.
pub fn pages(pages: &[Page]) -> Vec<Page> {
    let mut options = usvg::Options {
        font_family: FAMILY.to_string(),
        ..usvg::Options::default()
    };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let drawn = pages.iter().filter_map(|page| {
        let name = name(&page.name)?;
        Some(Page::new(name, draw(&page.bytes, &options)))
    });
    drawn.collect()
}

fn draw(svg: &[u8], options: &usvg::Options) -> Vec<u8> {
    let tree = usvg::Tree::from_data(svg, options).expect("what was drawn is an SVG");
    let size = tree.size();
    let pixels = |length: f32| (SCALE * length).ceil() as u32;
    let mut pixmap = tiny_skia::Pixmap::new(pixels(size.width()), pixels(size.height()))
        .expect("a picture has a size");
    let transform = tiny_skia::Transform::from_scale(SCALE, SCALE);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    pixmap.encode_png().expect("memory takes every picture")
}
