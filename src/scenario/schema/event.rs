//! What is asked of the run: objectives and hypotheses.

use crate::model::scenario::{Hypothesis, Objective};
use crate::scenario::default::setting;
use crate::scenario::expression;
use crate::scenario::known;
use crate::scenario::quantity::{Unit, Wrong};
use crate::scenario::reader::Range;
use crate::scenario::section::Section;
use crate::scenario::tree::At;

/// Most entries of each of them.
const MOST: usize = 200;

/// The objectives, sorted by SLI.
pub fn objectives(top: &mut Section) -> Vec<Objective> {
    let mut objectives = Vec::new();
    for mut section in top.tables("objective", MOST) {
        let slis = known::sli_names();
        let sli = section.required_reference("sli", "SLI", &slis);
        let target = section.required_text("target");
        if let (Some(sli), true) = (sli, !target.is_empty()) {
            match expression::threshold(slis[sli], target) {
                Ok(threshold) => objectives.push(Objective { threshold }),
                Err(why) => section.wrong("target", why, "write for example \">= 99 %\""),
            }
        }
    }
    objectives.sort_by(|a, b| {
        let key = |o: &Objective| (o.threshold.sli.clone(), o.threshold.text.clone());
        key(a).cmp(&key(b))
    });
    objectives
}

/// The hypotheses, sorted by name.
pub fn hypotheses(top: &mut Section, regions: &[&str], domains: &[&str]) -> Vec<Hypothesis> {
    let mut found = Vec::new();
    for mut section in top.tables("hypothesis", MOST) {
        let name = section.name();
        let at_least = section.certain("in", setting("0.95"), Unit::Share, Range::SHARE);
        let text = section.required_text("claim");
        if text.is_empty() {
            continue;
        }
        match expression::claim(text) {
            Ok(claim) => {
                let path = section.path_of("claim");
                let at = section.place_of("claim");
                for region in expression::regions(&claim) {
                    section.reader.find(at, &path, region, "region", regions);
                }
                for domain in expression::domains(&claim) {
                    check_domain(&section, at, &path, domain, domains);
                }
                let hypothesis = Hypothesis {
                    name,
                    claim,
                    at_least,
                };
                found.push((hypothesis, section.at, section.path.clone()));
            }
            Err(why) => {
                let at = section.place_of("claim");
                let wrong = Wrong::new(why, "write for example \"rto <= 3min\"");
                section.reader.wrong(at, &section.path_of("claim"), wrong);
            }
        }
    }
    top.reader.duplicates(
        found
            .iter()
            .map(|(h, at, path)| (h.name.as_str(), *at, path.as_str())),
    );
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    found
        .into_iter()
        .map(|(hypothesis, ..)| hypothesis)
        .collect()
}

fn check_domain(section: &Section, at: At, path: &str, name: &str, domains: &[&str]) {
    if domains.is_empty() {
        let wrong = Wrong::new("there is no domain", "write a [[domain]] with this name");
        section.reader.wrong(at, path, wrong);
    }
    section.reader.find(at, path, name, "domain", domains);
}
