use super::*;

#[test]
fn all_embedded_cases_are_read() {
    let cases = embedded();
    let metrics: usize = cases.iter().map(|case| case.metrics.len()).sum();
    // Five of the 1,191 numbers are what others are computed from.
    let inputs: usize = cases.iter().map(|case| case.inputs.len()).sum();
    assert_eq!((cases.len(), metrics, inputs), (156, 1186, 5));
}

/// A case by its name, with its family's where several families have the name.
fn of(name: &str) -> Case {
    let (family, id) = name.split_once('/').unwrap_or(("", name));
    let mut cases = embedded();
    cases.retain(|case| case.id == id && case.family.starts_with(family));
    assert_eq!(cases.len(), 1, "{name} names one case");
    cases.swap_remove(0)
}

fn verdicts(case: &Case) -> Vec<(String, Verdict, String)> {
    let report = run(std::slice::from_ref(case), 1, &|_| {});
    let row = |row: Row| (row.metric, row.verdict, row.why);
    report.cases.into_iter().map(row).collect()
}

/// The cases that are simulated in a moment; the whole set is what `verify` is for.
const QUICK: [&str; 33] = [
    "dns_a",
    "two_layer_a",
    "conn_exp",
    "conn_det",
    "warm_mid_exact",
    "herd_a",
    "ttl_b",
    "cold_overload_a",
    "per_a",
    "pb_a",
    "fill_c",
    "nhpp_c",
    "const_a",
    "const_b",
    "exp_a",
    "exp_b",
    "ship_a",
    "ship_b",
    "06/mm1_a",
    "06/mm1_b",
    "v8_a",
    "two_state_a",
    "launch_c",
    "stair_a",
    "stair_b",
    "ramp_c",
    "v3_dip",
    "v10_a",
    "tquant",
    "ci_b",
    "qci",
    "paired_a",
    "holm_a",
];

#[test]
fn cases_pass_or_are_not_covered() {
    for id in QUICK {
        let found = verdicts(&of(id));
        for (metric, verdict, why) in &found {
            assert_ne!(*verdict, Verdict::Fail, "{id} {metric}: {why}");
        }
        let passes = found
            .iter()
            .any(|(_, verdict, _)| *verdict == Verdict::Pass);
        assert!(passes, "{id}: nothing of it is covered");
    }
}

#[test]
fn a_value_that_is_moved_fails() {
    for (id, metric, by) in [
        ("dns_a", "fraction_on_old(t=30)", 0.06),
        ("conn_det", "fraction_still_connected(t=300)", 0.06),
        ("warm_mid_exact", "hit_rate_steady_che", 0.06),
        ("per_a", "mean_detection", 1.0),
        ("pb_a", "mean_stall_per_session", 0.3),
        ("nhpp_c", "mean_total", 30.0),
        ("launch_c", "mean_ready(t=60)", 0.5),
        ("launch_c", "mean_unserved_requests", 2500.0),
        ("stair_b", "time_capacity_meets_demand", 1.0),
        ("stair_b", "unserved_total", 20.0),
        ("ramp_c", "share_on_new(t=60)", 0.06),
    ] {
        let mut case = of(id);
        case.metrics.retain(|m| m.name == metric);
        let known = case.metrics[0].number().expect("a number");
        case.metrics[0].value = (known + by).into();
        let found = verdicts(&case);
        assert_eq!(found[0].1, Verdict::Fail, "{id} {metric}");
    }
}

#[test]
fn a_list_is_judged_by_its_worst_number() {
    let mut case = of("holm_a");
    let adjusted = case.metrics.iter().position(|m| m.name == "holm_adjusted");
    let adjusted = adjusted.expect("the case corrects");
    assert_eq!(verdicts(&case)[adjusted].1, Verdict::Pass);
    for wrong in [
        serde_json::json!([0.005, 0.09, 0.09, 0.2, 0.049]),
        serde_json::json!([0.005, 0.09, 0.09, 0.2]),
    ] {
        case.metrics[adjusted].value = wrong;
        assert_eq!(verdicts(&case)[adjusted].1, Verdict::Fail);
    }
}

#[test]
fn other_parameters_are_judged_by_their_own_values() {
    let text = r#"{"schema": "failover-oracle/1", "family": "04_dns_stickiness", "z": 4.5, "cases": [
        {"id": "mine", "model": "dns_residual", "params": {"T": 17}, "metrics": [
            {"name": "fraction_on_old(t=8.5)", "value": 0.5, "test": {"type": "z_prop", "n": 20000}},
            {"name": "fraction_on_old(t=4)", "value": 0.5, "test": {"type": "z_prop", "n": 20000}}]}]}"#;
    let cases = parse("mine.json", text).expect("it is well formed");
    let found = verdicts(&cases[0]);
    assert_eq!(
        (found[0].1, found[1].1),
        (Verdict::Pass, Verdict::Fail),
        "{found:?}"
    );
}

#[test]
fn strange_parameters_are_not_covered_and_never_panic() {
    use serde_json::{Value, json};
    let strange = [
        Value::Null,
        json!(-1),
        json!(0),
        json!(1e300),
        json!("text"),
        json!({}),
    ];
    let simulated = [
        "dns_a", "conn_ln", "warm_a12", "ttl_a", "per_a", "gray_a", "pb_a", "fill_a", "launch_c",
        "stair_c", "ramp_c", "v10_a", "ci_a", "qci", "cover_a",
    ];
    for id in simulated {
        let case = of(id);
        for key in case.params.keys() {
            for value in &strange {
                let mut case = case.clone();
                case.params.insert(key.clone(), value.clone());
                case.metrics.truncate(1);
                verdicts(&case);
            }
        }
    }
}

#[test]
fn a_file_that_is_not_of_cases_says_where_it_goes_wrong() {
    let problem = parse("bad.json", "{\n  \"schema\": 3}").expect_err("it is not of cases");
    assert_eq!(
        (problem.place.file.as_str(), problem.place.line),
        ("bad.json", 2)
    );
}
