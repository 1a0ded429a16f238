use super::*;

#[test]
fn all_embedded_cases_are_read() {
    let cases = embedded();
    let metrics: usize = cases.iter().map(|case| case.metrics.len()).sum();
    assert_eq!((cases.len(), metrics), (156, 1191));
}
