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
const QUICK: [&str; 40] = [
    "v4_a",
    "01/mm1k",
    "erlb_c",
    "fluid_backlog_b",
    "basic_b",
    "over_a",
    "meta_b",
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
        ("erlb_c", "blocking_prob", 0.01),
        ("over_a", "attempt_rate", 50.0),
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
        "stair_c", "ramp_c", "v10_a", "ci_a", "qci", "cover_a", "basic_a",
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

/// What a test of a kind says of a finding.
fn judged(value: serde_json::Value, test: serde_json::Value, finding: judge::Finding) -> Verdict {
    let mut case = of("dns_a");
    let metric = serde_json::json!({"name": "it", "value": value, "test": test});
    case.metrics = vec![serde_json::from_value(metric).expect("a metric")];
    judge::judge(&case, &case.metrics[0], finding).verdict
}

#[test]
fn each_kind_of_test_allows_so_much_and_no_more() {
    use judge::{Finding, Noise};
    use serde_json::json;
    let seen = |value: f64, n: f64| Finding::of(value, Noise::Observations(n));
    for (value, test, good, bad) in [
        // 4.5 standard errors are 0.045.
        (
            json!(1),
            json!({"type": "z_mean", "sd": 1.0}),
            seen(1.044, 1e4),
            seen(1.046, 1e4),
        ),
        (
            json!(0.5),
            json!({"type": "z_prop"}),
            seen(0.522, 1e4),
            seen(0.523, 1e4),
        ),
        // Two are expected: eleven happen once in 60,000 times, twelve once in 370,000.
        (
            json!(1e-5),
            json!({"type": "z_prop"}),
            seen(11.0 / 2e5, 2e5),
            seen(12.0 / 2e5, 2e5),
        ),
        // Of a quantile, the share below it; its own value does not matter.
        (
            json!(77),
            json!({"type": "quantile_sign", "p": 0.9}),
            seen(0.9134, 1e4),
            seen(0.9136, 1e4),
        ),
        (
            json!(100),
            json!({"type": "poisson_count"}),
            seen(100.44, 1e4),
            seen(100.46, 1e4),
        ),
        (
            json!(1),
            json!({"type": "z_time_average", "asym_var": 4.0, "horizon": 9.0}),
            Finding::of(1.089, Noise::Time(1e4)),
            Finding::of(1.091, Noise::Time(1e4)),
        ),
        // Student's law of 200 replications at that error: 4.62.
        (
            json!(1),
            json!({"type": "rep_t"}),
            Finding::of(1.046, Noise::Estimated(0.01, 200.0)),
            Finding::of(1.0465, Noise::Estimated(0.01, 200.0)),
        ),
        (
            json!(true),
            json!({"type": "deterministic"}),
            Finding::whether(true),
            Finding::whether(false),
        ),
        (
            json!(2),
            json!({"type": "deterministic"}),
            Finding::at_most(1.9),
            Finding::at_most(2.1),
        ),
    ] {
        let both = [good, bad].map(|finding| judged(value.clone(), test.clone(), finding));
        assert_eq!(both, [Verdict::Pass, Verdict::Fail], "{test}");
    }
}

/// A system that is not what the case says is noticed: one more place to wait, another law of service.
#[test]
fn another_system_fails() {
    for (id, key, other, metric) in [
        ("01/mm1k", "K", serde_json::json!(6), "blocking_prob"),
        ("01/mm1k", "c", serde_json::json!(2), "mean_wait_accepted"),
        (
            "mg1_det_lo",
            "service",
            serde_json::json!({"type": "exp", "mean": 1.0}),
            "mean_wait",
        ),
        (
            "basic_b",
            "max_attempts",
            serde_json::json!(3),
            "mean_attempts",
        ),
    ] {
        let mut case = of(id);
        case.params.insert(key.into(), other);
        case.metrics.retain(|m| m.name == metric);
        case.metrics[0].test.n = Some(2e4);
        let found = verdicts(&case);
        assert_eq!(found[0].1, Verdict::Fail, "{id} with another {key}");
    }
}
