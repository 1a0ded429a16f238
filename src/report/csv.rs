//! Tables for other tools. Times are in seconds, shares are fractions; a cell is empty where there
//! is no value, and `inf` where a time had begun and not ended.

use crate::model::measure::Measured;
use crate::model::scenario::RegionId;
use crate::objectives::alert_log;
use crate::report::Findings;
use crate::stats::Sketch;

/// `replications.csv`: a row per variant and replication.
pub fn replications(findings: &Findings) -> Vec<u8> {
    let measures = findings.study.columns.tabled();
    let names = measures.iter().map(ToString::to_string);
    let header = ["variant".to_string(), "replication".to_string()];
    let mut rows = vec![header.into_iter().chain(names).collect()];
    for (variant, results) in findings.plan.variants.iter().zip(&findings.study.variants) {
        rows.extend(results.rows.iter().map(|row| {
            let mut cells = vec![variant.name.clone(), row.replication.to_string()];
            let values = &row.values[..measures.len()];
            cells.extend(values.iter().map(|&value| cell(value)));
            cells
        }));
    }
    table(rows)
}

/// `timeline.csv`: a row per variant, SLI, region and window; quantiles are across replications.
pub fn timeline(findings: &Findings) -> Vec<u8> {
    let header = [
        "variant", "sli", "region", "from_s", "until_s", "n", "mean", "p5", "p50", "p95",
    ];
    let mut rows = vec![header.map(String::from).to_vec()];
    for (variant, results) in findings.plan.variants.iter().zip(&findings.study.variants) {
        let regions = &variant.document.scenario().regions;
        let mut places: Vec<(Option<RegionId>, &str)> = vec![(None, "global")];
        places.extend(regions.iter().enumerate().map(|(i, r)| (Some(i), &*r.name)));
        for (s, sli) in findings.study.columns.slis().iter().enumerate() {
            for &(region, place) in &places {
                let points = results.timeline.points().iter().enumerate();
                rows.extend(points.map(|(point, (from, until))| {
                    let sketch = results.timeline.sketch(point, region, s);
                    let mut cells = vec![
                        variant.name.clone(),
                        sli.name().to_string(),
                        place.to_string(),
                        from.secs().to_string(),
                        until.secs().to_string(),
                    ];
                    cells.extend(across(sketch));
                    cells
                }));
            }
        }
    }
    table(rows)
}

/// Number of replications with a value, mean, p5, p50, p95.
fn across(sketch: &Sketch) -> [String; 5] {
    let text = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    [
        sketch.count().to_string(),
        text(sketch.mean()),
        text(sketch.quantile(0.05)),
        text(sketch.quantile(0.5)),
        text(sketch.quantile(0.95)),
    ]
}

/// `events.csv`: what happened in the worst replication of each variant, and who was told. Times are from the
/// beginning of the scenario.
pub fn events(findings: &Findings) -> Vec<u8> {
    let header = ["variant", "replication", "time_s", "part", "what", "cause"];
    let mut rows = vec![header.map(String::from).to_vec()];
    let variants = findings.summary.variants.iter().zip(findings.worst);
    for (v, (variant, outcome)) in variants.enumerate() {
        let (Some(replication), Some(outcome)) = (variant.worst_replication, outcome) else {
            continue;
        };
        let plan = findings.plan;
        let scenario = plan.variants[v].document.drawn(plan.seed, replication);
        let log = alert_log(&scenario, &findings.study.columns, outcome);
        rows.extend(log.into_iter().map(|entry| {
            vec![
                variant.name.clone(),
                replication.to_string(),
                entry.at.secs().to_string(),
                entry.part,
                entry.what,
                entry.cause,
            ]
        }));
    }
    table(rows)
}

fn cell(value: Measured) -> String {
    match value {
        Measured::Absent => String::new(),
        Measured::Censored => "inf".to_string(),
        Measured::Value(value) => value.to_string(),
    }
}

fn table(rows: Vec<Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(&row)
            .expect("rows of equal length fit into memory");
    }
    writer
        .into_inner()
        .expect("memory takes all that is written")
}
