//! Pictures, as SVG text: no font is needed to draw them.
//!
//! `timelines.svg` shows the SLIs that have objectives below each other, `timeline-<SLI>.svg` each
//! SLI by itself, `rto.svg` and `rebuffer.svg` how recovery and rebuffering are distributed over
//! replications. One colour is one variant everywhere.

mod canvas;
mod distribution;
mod phases;
mod timeline;

use crate::report::{Findings, Page};
use crate::slis;

/// The pictures for which there is something to draw.
pub fn pages(findings: &Findings) -> Vec<Page> {
    let mut pages = Vec::new();
    pages.extend(timeline::overview(findings));
    for sli in 0..findings.study.columns.slis().len() {
        pages.extend(timeline::single(findings, sli));
    }
    pages.extend(distribution::rto(findings));
    pages.extend(distribution::rebuffer(findings));
    pages
}

/// Every name that [`pages`] can give.
pub fn names() -> Vec<String> {
    let timelines = slis::all().iter().map(|sli| timeline::name(sli.name()));
    [
        timeline::OVERVIEW,
        distribution::RTO,
        distribution::REBUFFER,
    ]
    .map(String::from)
    .into_iter()
    .chain(timelines)
    .collect()
}
