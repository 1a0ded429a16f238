//! Pictures, as SVG text: no font is needed to draw them.
//!
//! `timelines.svg` shows the SLIs that have objectives below each other, `timeline-<SLI>.svg` each
//! SLI by itself, `rto.svg` and `rebuffer.svg` how recovery and rebuffering are distributed over
//! replications. `comparison.svg` puts variants side by side, `sweep.svg` shows what follows from a
//! varied value. One colour is one variant everywhere.

mod canvas;
mod comparison;
mod distribution;
mod phases;
mod raster;
mod sweep;
mod timeline;

use crate::report::{Findings, Page};
use crate::slis;

pub use raster::pages as raster;

/// The pictures for which there is something to draw.
pub fn pages(findings: &Findings) -> Vec<Page> {
    let mut pages = Vec::new();
    pages.extend(timeline::overview(findings));
    for sli in 0..findings.study.columns.slis().len() {
        pages.extend(timeline::single(findings, sli));
    }
    pages.extend(distribution::rto(findings));
    pages.extend(distribution::rebuffer(findings));
    pages.extend(comparison::page(findings));
    pages.extend(sweep::page(findings));
    pages
}

/// Every name that [`pages`] and [`raster`] can give.
pub fn names() -> Vec<String> {
    let timelines = slis::all().iter().map(|sli| timeline::name(sli.name()));
    let names = [
        timeline::OVERVIEW,
        distribution::RTO,
        distribution::REBUFFER,
        comparison::NAME,
        sweep::NAME,
    ];
    let names: Vec<String> = names
        .map(String::from)
        .into_iter()
        .chain(timelines)
        .collect();
    let rasters: Vec<String> = names.iter().filter_map(|name| raster::name(name)).collect();
    names.into_iter().chain(rasters).collect()
}
