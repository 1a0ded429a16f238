//! Studies of simulators made by hand.

use crate::model::measure::{Measure, Measured, TimeMeasure};
use crate::model::outcome::Outcome;
use crate::model::scenario::Scenario;
use crate::stats::Verdict;
use crate::study::testing::{CancelAfter, Fake, plan};
use crate::study::{Plan, Simulates, Study, replay, run, summarize, worst};
use crate::units::Time;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn study(plan: &Plan) -> Study {
    run(plan, &Fake, &CancelAfter::never())
}

/// All that a study holds, as text.
fn everything(study: &Study) -> String {
    let variants = study.variants.iter();
    let all: Vec<_> = variants.map(|v| (&v.rows, &v.timeline)).collect();
    format!("{} {all:?}", study.replications)
}

fn on_threads<T: Send>(threads: usize, job: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a pool of threads").install(job)
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let plan = plan(&["a", "b", "c"], 50, &[]);
    let one = on_threads(1, || everything(&study(&plan)));
    for threads in [2, 8] {
        assert_eq!(one, on_threads(threads, || everything(&study(&plan))));
    }
}

#[test]
fn fewer_replications_are_the_first_of_more() {
    let few = study(&plan(&["a", "b"], 21, &[]));
    let many = study(&plan(&["a", "b"], 100, &[]));
    for (few, many) in few.variants.iter().zip(&many.variants) {
        assert_eq!(few.rows.len(), 21);
        assert_eq!(many.rows.len(), 100);
        assert_eq!(format!("{:?}", few.rows), format!("{:?}", &many.rows[..21]));
    }
}

#[test]
fn a_cancelled_study_keeps_a_prefix_of_all_variants() {
    let plan = plan(&["a", "b"], 200, &[]);
    for threads in [1, 4] {
        let watch = CancelAfter::new(75);
        let cancelled = on_threads(threads, || run(&plan, &Fake, &watch));
        let done = cancelled.replications;
        // What has begun is finished, and a block is 32 replications of both.
        assert!((32..=50).contains(&done), "{done}");
        assert!((75..80).contains(&watch.done()), "{}", watch.done());
        let mut shorter = plan.clone();
        shorter.replications = done;
        assert_eq!(everything(&cancelled), everything(&study(&shorter)));
    }
    let nothing = run(&plan, &Fake, &CancelAfter::new(0));
    assert_eq!((nothing.replications, nothing.variants.len()), (0, 2));
    assert_eq!(summarize(&plan, &nothing).exit_code(), 4);
}

#[test]
fn a_panic_says_which_replication_it_was() {
    struct Breaks;
    impl Simulates for Breaks {
        fn run(&self, variant: usize, scenario: &Scenario, replication: u64) -> Outcome {
            assert!(
                replication < 40 || variant == 0,
                "the sessions do not add up"
            );
            Fake.run(variant, scenario, replication)
        }
    }
    let plan = plan(&["a", "b"], 64, &[]);
    let broken = |job: &dyn Fn()| {
        let payload = catch_unwind(AssertUnwindSafe(job)).expect_err("it panics");
        *payload.downcast::<String>().expect("a message")
    };
    let expected =
        "replication 40 of scenario by-hand, variant b, seed 7: the sessions do not add up";
    let message = broken(&|| {
        run(&plan, &Breaks, &CancelAfter::never());
    });
    assert_eq!(message, expected);
    let message = broken(&|| {
        replay(&plan, &Breaks, 1, 40);
    });
    assert_eq!(message, expected);
}

#[test]
fn timelines_are_bands_over_replications() {
    let plan = plan(&["a"], 22, &[]);
    let study = study(&plan);
    let timeline = &study.variants[0].timeline;
    let sli = study.columns.sli("eligible_start_success").unwrap();
    assert_eq!(timeline.points().len(), 240);
    assert_eq!(
        timeline.points()[60],
        (Time::from_secs(600.0), Time::from_secs(610.0))
    );
    assert_eq!(timeline.fault(), Some(Time::from_secs(600.0)));
    let east = |point| timeline.sketch(point, Some(0), sli);
    assert_eq!((east(59).count(), east(59).mean()), (22, Some(1.0)));
    // Two of 22 replications break nothing.
    assert_eq!(east(60).max(), Some(1.0));
    let median = east(60).quantile(0.5).unwrap();
    assert!((median - 0.897).abs() < 0.006, "{median}");
    let west = timeline.sketch(60, Some(1), sli);
    assert_eq!(west.min(), Some(1.0));
    let global = timeline.sketch(60, None, sli);
    assert!((global.min().unwrap() - 0.947).abs() < 1e-9);
    // Nothing was looked up in a cache.
    let cache = study.columns.sli("cache_hit_ratio").unwrap();
    assert_eq!(timeline.sketch(60, None, cache).count(), 0);
}

#[test]
fn replications_are_laid_over_each_other_at_the_fault() {
    // The scenario's fault is at 540 s, this replication's at 600 s.
    let shifted = study(&plan(&["a"], 2, &["fault[0].at='9min'"]));
    let sli = shifted.columns.sli("eligible_start_success").unwrap();
    let timeline = &shifted.variants[0].timeline;
    assert_eq!(timeline.fault(), Some(Time::from_secs(540.0)));
    let broken = |point| timeline.sketch(point, None, sli).mean();
    assert_eq!(broken(53), Some(1.0));
    assert!(broken(54) < Some(1.0));
    assert_eq!(broken(233), Some(1.0));
    assert_eq!(broken(234), None, "the replication ends six windows sooner");
}

#[test]
fn too_many_windows_are_taken_together() {
    let plan = plan(&["a"], 2, &["horizon='40h'"]);
    let study = study(&plan);
    let timeline = &study.variants[0].timeline;
    // 14,400 windows of 39 sketches are more than half a million: two windows are a point.
    assert_eq!(timeline.points().len(), 7_200);
    let sli = study.columns.sli("eligible_start_success").unwrap();
    let at = |point| timeline.sketch(point, None, sli).min().unwrap();
    assert_eq!(at(29), 1.0);
    // In replication 1 the first of these two windows is broken.
    assert!((at(30) - (1.0 - 0.101 / 4.0)).abs() < 1e-9, "{}", at(30));
}

#[test]
fn the_worst_is_censored_then_longest_then_lowest() {
    let plan = plan(&["a"], 30, &[]);
    let mut study = study(&plan);
    let columns = study.columns.clone();
    let rows = &mut study.variants[0].rows;
    // 10 and 21 are censored, and of these 10 has more failed starts.
    assert_eq!(worst(&columns, rows), Some(10));
    let rto = Measure::Time(TimeMeasure::Rto);
    let rto = columns.position(&rto).unwrap();
    rows.retain(|row| row.values[rto] != Measured::Censored);
    // 9 and 20 take 90 s each, and 20 has more failed starts.
    assert_eq!(worst(&columns, rows), Some(20));
    let twin = rows[20 - 1].clone();
    rows.insert(0, twin);
    rows[0].replication = 3;
    assert_eq!(worst(&columns, rows), Some(3));
    assert_eq!(worst(&columns, &[]), None);
    let again = replay(&plan, &Fake, 0, 20);
    assert_eq!(again.digest, 20);
}

#[test]
fn verdicts_decide_the_exit_code() {
    let summary = |replications, sets: &[&str]| {
        let plan = plan(&["a", "b"], replications, sets);
        summarize(&plan, &study(&plan))
    };
    let many = summary(99, &[]);
    let of = |i: usize| many.variants[0].hypotheses[i].verdict;
    // One of eleven does not recover; the west always stands.
    assert_eq!((of(0), of(1)), (Verdict::Pass, Verdict::Pass));
    assert_eq!(many.variants[0].hypotheses[0].held, 90);
    assert_eq!(many.exit_code(), 0);
    let few = summary(3, &[]);
    assert_eq!(few.variants[0].verdict, Verdict::Inconclusive);
    assert_eq!(few.exit_code(), 4);
    let strict = summary(99, &["hypothesis.recovers.in=0.99"]);
    assert_eq!(strict.variants[0].verdict, Verdict::Fail);
    assert_eq!(strict.exit_code(), 1);
}

/// The keys of an object, one a line, those of inner objects after a dot.
fn keys(value: &Value, path: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                keys(value, &format!("{path}.{key}"), into);
            }
        }
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            keys(&items[0], &format!("{path}[]"), into);
        }
        _ => into.push(path.trim_start_matches('.').into()),
    }
}

#[test]
fn the_summary_has_the_promised_keys() {
    let plan = plan(&["a"], 20, &[]);
    let summary = summarize(&plan, &study(&plan));
    let json = serde_json::to_value(&summary).unwrap();
    let mut found = Vec::new();
    keys(&json, "", &mut found);
    let mut expected: Vec<String> = [
        "format",
        "scenario",
        "title",
        "seed",
        "replications",
        "fidelity",
        "digest",
        "guesses",
        "fitted",
    ]
    .map(String::from)
    .into();
    let mut variant = |key: String| expected.push(format!("variants[].{key}"));
    for key in ["name", "verdict", "worst_replication"] {
        variant(key.into());
    }
    let share = ["share", "lo", "hi"];
    for key in ["name", "claim", "verdict"] {
        variant(format!("hypotheses[].{key}"));
    }
    for part in share {
        variant(format!("hypotheses[].holds.{part}"));
        variant(format!("metastable.{part}"));
        variant(format!("toppled.{part}"));
    }
    let estimate = ["n", "mean", "lo", "hi"];
    for part in estimate {
        variant(format!("availability.{part}"));
    }
    for sli in crate::slis::all() {
        for span in ["before", "during", "after"] {
            // Only starts are observed here; the rest is null.
            if sli.name().ends_with("start_success") {
                for part in estimate {
                    variant(format!("slis.{}.{span}.{part}", sli.name()));
                }
            } else {
                variant(format!("slis.{}.{span}", sli.name()));
            }
            for region in &plan.variants[0].document.scenario().regions {
                let place = format!("regions.{}.{}.{span}", region.name, sli.name());
                match sli.name().ends_with("start_success") {
                    true => estimate
                        .iter()
                        .for_each(|part| variant(format!("{place}.{part}"))),
                    false => variant(place),
                }
            }
        }
    }
    for part in [
        "n", "censored", "mean", "min", "max", "p5", "p25", "p50", "p75", "p95", "p99", "p50_ci",
        "p95_ci",
    ] {
        for time in [
            "detect",
            "decide",
            "shifted",
            "warm",
            "rto",
            "restore",
            "failback",
            "redundant",
        ] {
            variant(format!("times_s.{time}.{part}"));
        }
        for impact in [
            "failed_starts",
            "rebuffered_viewers",
            "viewer_minutes",
            "downtime_minutes",
            "broken_minutes",
            "error_budget_spent",
        ] {
            variant(format!("impact.{impact}.{part}"));
        }
        variant(format!("phases[].entered_s.{part}"));
        variant(format!("alerts[].at_s.{part}"));
    }
    for part in [
        "usd_per_hour",
        "relative",
        "reserved",
        "on_demand",
        "storage",
        "transfer",
    ] {
        for end in estimate {
            variant(format!("cost.{part}.{end}"));
        }
    }
    variant("cost.harm_usd".into());
    variant("impact.burn_level".into());
    variant("alerts[].name".into());
    for part in share {
        variant(format!("alerts[].share.{part}"));
    }
    variant("phases[].region".into());
    variant("phases[].phase".into());
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(json["variants"][0]["times_s"]["detect"]["p50"], 30.0);
    assert_eq!(json["variants"][0]["times_s"]["rto"]["censored"], 1);
    assert_eq!(json["variants"][0]["phases"][0]["phase"], "RouteShift");
    assert_eq!(json["variants"][0]["verdict"], "pass");
    assert_eq!(json["digest"].as_str().map(str::len), Some(16));
}

#[test]
fn prices_and_budgets_change_no_digest() {
    let of = |sets: &[&str]| {
        let plan = plan(&["a"], 3, sets);
        let summary = summarize(&plan, &study(&plan));
        let cost = &summary.variants[0].cost;
        let spent = summary.variants[0].impact.of.get("error_budget_spent");
        (
            summary.digest.clone(),
            cost.usd_per_hour.map(|e| e.mean),
            spent.and_then(|s| s.mean),
        )
    };
    let usual = of(&[]);
    let other = of(&["prices.reserved=3 USD/h", "budget.target=99 %"]);
    assert_eq!(usual.0, other.0);
    assert!(other.1 > usual.1 && other.2 < usual.2);
}

#[test]
fn the_digest_is_of_every_row() {
    let plan = plan(&["a"], 5, &[]);
    let digest = |study: &Study| summarize(&plan, study).digest;
    let mut study = study(&plan);
    let whole = digest(&study);
    study.variants[0].rows[4].digest += 1;
    assert_ne!(digest(&study), whole);
    study.variants[0].rows[4].digest -= 1;
    study.variants[0].rows[2].values[0] = Measured::Absent;
    assert_ne!(digest(&study), whole);
}
